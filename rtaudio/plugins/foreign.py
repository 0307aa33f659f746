"""Opens plugins of others: the table of their kinds. Only host processes import this."""

from __future__ import annotations

from collections.abc import Callable

from rtaudio.audio.format import StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.protocol.insert_checks import is_plugin_file


def open_plugin(plugin: str) -> Plugin:
    """The plugin named ``plugin``, not yet prepared. Raises StemplayError if it cannot be loaded."""
    for is_kind, load in KINDS:
        if is_kind(plugin):
            return load(plugin)
    raise StemplayError(f"There is no plugin {plugin!r}.")


def _vst3(plugin: str) -> Plugin:
    from rtaudio.plugins.vst3 import PedalboardPlugin

    return PedalboardPlugin(plugin)


KINDS: list[tuple[Callable[[str], bool], Callable[[str], Plugin]]] = [
    (is_plugin_file, _vst3),
]
"""How a name of each kind is recognised, and what opens it."""

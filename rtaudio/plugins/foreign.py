"""The table of plugin kinds that run in a host process: those of others, our pitch shifters and our denoiser. Only hosts import this."""

from __future__ import annotations

from collections.abc import Callable

from rtaudio.audio.format import StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.protocol.insert_checks import is_plugin_file
from rtaudio.protocol.parameters import KEY


def open_plugin(plugin: str) -> Plugin:
    """The plugin named ``plugin``, not yet prepared. Raises StemplayError if it cannot be loaded."""
    for is_kind, load in KINDS:
        if is_kind(plugin):
            return load(plugin)
    raise StemplayError(f"There is no plugin {plugin!r}.")


def _vst3(plugin: str) -> Plugin:
    from rtaudio.plugins.vst3 import PedalboardPlugin

    return PedalboardPlugin(plugin)


def _lv2(plugin: str) -> Plugin:
    from rtaudio.plugins.lv2 import Lv2Plugin

    return Lv2Plugin(plugin)


def _python(plugin: str) -> Plugin:
    from rtaudio.plugins.entry_points import load_entry_point

    return load_entry_point(plugin)


def _pitch(plugin: str) -> Plugin:
    from rtaudio.plugins.pitch import PitchShift

    return PitchShift()


def _key(plugin: str) -> Plugin:
    from rtaudio.plugins.key import KeyShift

    return KeyShift()


def _denoise(plugin: str) -> Plugin:
    from rtaudio.plugins.denoise import Denoise

    return Denoise()


KINDS: list[tuple[Callable[[str], bool], Callable[[str], Plugin]]] = [
    (is_plugin_file, _vst3),
    (lambda plugin: plugin == "pitch", _pitch),
    (lambda plugin: plugin == "denoise", _denoise),
    (lambda plugin: plugin == KEY, _key),
    (lambda plugin: plugin.startswith("lv2:"), _lv2),
    (lambda plugin: plugin.startswith("python:"), _python),
]
"""For each kind, how its names are recognised, and the function that opens it."""

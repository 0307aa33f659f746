"""Python plugins of other packages: classes in the entry point group ``stemplay.plugins``.

A package lists them in its ``pyproject.toml``, under ``[project.entry-points."stemplay.plugins"]``, as ``NAME = "package.module:Class"``.
The class derives from ``rtaudio.plugins.base.Plugin`` and is constructed without arguments. ``examples/plugin-template`` is an example.
Only host processes load them.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from rtaudio.audio.format import StemplayError
from rtaudio.plugins.base import Plugin

GROUP = "stemplay.plugins"
PREFIX = "python:"


def python_plugins() -> dict[str, EntryPoint]:
    """The plugins of installed packages by name, without loading them."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def load_entry_point(plugin: str) -> Plugin:
    """The plugin ``python:NAME``. Raises StemplayError if there is none, or if it is not a plugin."""
    name = plugin.removeprefix(PREFIX)
    entry = python_plugins().get(name)
    if entry is None:
        raise StemplayError(f"No installed package offers a plugin {name!r}.")
    try:
        made = entry.load()()
    except Exception as error:  # third-party code may raise anything
        raise StemplayError(f"The plugin {name!r} cannot be loaded: {type(error).__name__}: {error}.") from None
    if not isinstance(made, Plugin):
        raise StemplayError(f"The plugin {name!r} is no rtaudio.plugins.base.Plugin.")
    return made

"""Makes a plugin from its name."""

from __future__ import annotations

from rtaudio.plugins.base import Plugin
from rtaudio.plugins.effects import make_effect
from rtaudio.plugins.isolated import IsolatedPlugin
from rtaudio.plugins.rack import unpack_state
from rtaudio.protocol.insert_checks import is_foreign
from rtaudio.protocol.parameters import KEY
from rtaudio.protocol.settings import InsertState

ISOLATED_EFFECTS = ("pitch", "denoise", KEY)
"""Built-in effects that compute in bursts, which is not allowed in the audio callback."""


def load_insert(state: InsertState, rate: int, block: int, channels: int, realtime: bool) -> Plugin:
    """The prepared plugin of ``state`` with its values. Third-party plugins get a separate process.

    Raises StemplayError if there is no such plugin, if it cannot be loaded, or if it does not work in this format.
    """
    if is_foreign(state.plugin) or state.plugin in ISOLATED_EFFECTS:
        isolated = IsolatedPlugin(state, realtime, unpack_state(state) if state.state else b"")
        isolated.prepare(rate, block, channels)
        return isolated
    plugin = make_effect(state.plugin)
    if state.state:
        plugin.restore_state(unpack_state(state))
    for parameter, value in state.values.items():
        plugin.set(parameter, value)
    plugin.prepare(rate, block, channels)
    return plugin

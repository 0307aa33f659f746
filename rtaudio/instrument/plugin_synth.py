"""A VST3 or LV2 instrument in the place of SING: the same MIDI path, pedals and panic, the sound from a plugin in a host process.

It has the interface of ``Synth`` that the player and the MIDI dispatcher use. The plugin makes its own envelopes and has its own sounds:
program changes go to it, ``attack_ms`` and ``release_ms`` have no effect.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.instrument.synth import Event
from rtaudio.midi.message import MidiMessage
from rtaudio.plugins.isolated import IsolatedPlugin
from rtaudio.protocol.messages import InsertState

BLOCK = 256
"""Frames of one call of the plugin."""
PATIENCE_S = 0.05
"""A plugin that has not answered for so long leaves a gap; one that is silent for a second is ended."""
_ALL_SOUND_OFF, _RESET_CONTROLLERS, _ALL_NOTES_OFF, _SUSTAIN = 120, 121, 123, 64


class PluginSynth:
    """Plays one plugin.

    Args:
        plugin: its name, as in ``InsertState.plugin``. ``rate``: Hz. ``realtime``: False: every answer is waited for.

    Raises:
        StemplayError: there is no such plugin, or it is an effect.
    """

    def __init__(self, plugin: str, rate: int, realtime: bool) -> None:
        self.rate, self.stolen, self.attack_ms, self.release_ms = rate, 0, 0.0, 0.0
        self._name, self._patience = plugin, PATIENCE_S if realtime else 10.0
        self._held: dict[tuple[int, int], None] = {}
        self._muted = False  # after a panic, until the next note: not every plugin stops at once
        self._block = np.zeros((BLOCK, 2), np.float32)
        self.plugin = self._load()

    def _load(self) -> IsolatedPlugin:
        plugin = IsolatedPlugin(InsertState(self._name), realtime=True, instrument=True)
        plugin.prepare(self.rate, BLOCK, 2)
        return plugin

    @property
    def latency(self) -> int:
        """Frames between an event and its effect: what the plugin reports."""
        return self.plugin.latency

    @property
    def active(self) -> int:
        """Number of keys that are down; what rings on is seen by the sound itself."""
        return len(self._held)

    @property
    def keys(self) -> list[list[int]]:
        """``[channel, pitch]`` of the notes whose key is down. Any thread may read it."""
        return [list(key) for key in sorted(dict(self._held))]

    @property
    def message(self) -> str:
        """Why there is no sound, one sentence; empty while there is."""
        return self.plugin.trouble.replace("is bypassed", "is silent")

    def render(self, frames: int, events: Iterable[tuple[int, Event]] = ()) -> Audio:
        """The next ``frames``, ``(frames, 2)``; silence where the plugin has no answer."""
        waiting = [(max(0, offset), event) for offset, event in events]
        out = np.zeros((frames, 2), np.float32)
        for start in range(0, frames, BLOCK):
            part = out[start : start + BLOCK]
            due = [(offset - start, event) for offset, event in waiting if start <= offset < start + len(part)]
            if start + BLOCK >= frames:
                due += [(len(part) - 1, event) for offset, event in waiting if offset >= frames]
            if not self.plugin.play(part, [(offset, self._bytes(event)) for offset, event in due], self._patience):
                part.fill(0.0)
            if self._muted:
                part.fill(0.0)
        return out

    def _bytes(self, event: Event) -> bytes:
        key = (event.channel, event.a)
        if event.kind == "note_on" and event.b > 0:
            self._held[key] = None
            self._muted = False
        elif event.kind in ("note_on", "note_off"):
            self._held.pop(key, None)
        elif event.kind == "control" and event.a in (_ALL_SOUND_OFF, _ALL_NOTES_OFF):
            self._held = {held: None for held in self._held if held[0] != event.channel}
        return bytes(MidiMessage(event.kind, event.channel, event.a, event.b).bytes())

    def prepare(self, frames: int) -> None:
        """Nothing can be computed in advance."""

    def panic(self) -> None:
        """Silence all notes and release pedals."""
        self._held.clear()
        self._muted = True
        off = [
            (0, bytes([0xB0 | channel, control, 0]))
            for control in (_SUSTAIN, _ALL_SOUND_OFF, _RESET_CONTROLLERS, _ALL_NOTES_OFF) for channel in range(16)
        ]  # fmt: skip
        self.plugin.play(self._block, off, self._patience)
        self.plugin.reset()

    def restart(self) -> None:
        """Load the plugin afresh. Raises StemplayError if that is impossible."""
        self.plugin.close()
        self._held.clear()
        self.plugin = self._load()

    def close(self) -> None:
        """End the host process."""
        self.plugin.close()

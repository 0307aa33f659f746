"""A VST3 or LV2 instrument in the place of SING: the same MIDI path, pedals and panic, the sound from a plugin in a host process.

It has the interface of ``Synth`` that the player and the MIDI dispatcher use. The plugin makes its own envelopes and has its own sounds:
program changes go to it, ``attack_ms`` and ``release_ms`` have no effect.

Threads: ``render``, ``prepare`` and ``panic`` belong to the player. Off line and at the start the plugin is loaded where this object is
made. The thread ``stemplay-instrument-load`` loads it again, and goes on with a load that takes longer than a start may wait; until then
the strip is silent. Everything else belongs to control threads.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.instrument.synth import Event
from rtaudio.midi.message import MidiMessage
from rtaudio.plugins.isolated import IsolatedPlugin
from rtaudio.plugins.rack import pack_state, unpack_state
from rtaudio.protocol.insert_checks import MAX_STATE, is_plugin_file, split_plugin
from rtaudio.protocol.parameters import find_parameter
from rtaudio.protocol.reports import InsertReport
from rtaudio.protocol.settings import InsertState
from rtaudio.protocol.strips import INSTRUMENT

BLOCK = 256
"""Frames of one call of the plugin."""
PATIENCE_S = 0.05
"""A plugin that has not answered for so long leaves a gap; one that is silent for a second is ended."""
START_S = 3.0
"""Seconds that the start of an engine waits for the plugin; a large one takes longer, and the rest is to play meanwhile."""
_ALL_SOUND_OFF, _RESET_CONTROLLERS, _ALL_NOTES_OFF, _SUSTAIN = 120, 121, 123, 64


class PluginSynth:
    """Plays one plugin.

    Args:
        plugin: its name, as in ``InsertState.plugin``. ``rate``: Hz. ``realtime``: False: every answer is waited for.
        state: its settings.
        hole: a plugin that cannot be loaded leaves a silent strip, and ``message`` says why, instead of an error.

    Raises:
        StemplayError: there is no such plugin, or it is an effect.
    """

    def __init__(
        self, plugin: str, rate: int, realtime: bool, state: InsertState | None = None, hole: bool = False
    ) -> None:
        self.rate, self.stolen, self.attack_ms, self.release_ms = rate, 0, 0.0, 0.0
        self.state = state if state is not None and state.plugin == plugin else InsertState(plugin, INSTRUMENT)
        self._patience = PATIENCE_S if realtime else 10.0
        self._held: dict[tuple[int, int], None] = {}
        self._muted = False  # after a panic, until the next note: not every plugin stops at once
        self._block = np.zeros((BLOCK, 2), np.float32)
        self.plugin: IsolatedPlugin | None = None
        self._error = self._note = ""
        self._name = Path(split_plugin(plugin)[0]).stem if is_plugin_file(plugin) else plugin
        self._lock = threading.Lock()  # of ``state`` and of what is loaded
        self._playing = threading.Lock()  # held while the plugin is played, so that it is not closed meanwhile
        self._closed = False
        self._loads = 0
        if hole:
            self._begin().join(START_S)
        else:
            self.plugin = self._load(self.state)

    # -- loading ----------------------------------------------------------------------------------------------------------

    def _load(self, state: InsertState) -> IsolatedPlugin:
        saved = unpack_state(state) if state.state else b""
        plugin = IsolatedPlugin(replace(state, values=dict(state.values)), realtime=True, saved=saved, instrument=True)
        plugin.prepare(self.rate, BLOCK, 2)
        self._name = plugin.name
        return plugin

    def _begin(self) -> threading.Thread:
        """Load the plugin afresh, aside."""
        with self._lock:
            self._error, self._loads = "", self._loads + 1
            work = (self._loads, self._swap(None))
            thread = threading.Thread(target=self._load_aside, args=work, name="stemplay-instrument-load", daemon=True)
        thread.start()
        return thread

    def _load_aside(self, load: int, old: IsolatedPlugin | None) -> None:
        """Load the plugin in place of ``old``, and play it from the next block on. ``load``: its number; a later one makes it useless."""
        if old is not None:
            old.close()
        with self._lock:
            state = self.state
        plugin, error = None, ""
        try:
            plugin = self._load(state)
        except StemplayError as failure:
            error = str(failure)
        except Exception as failure:  # a plugin of others may raise anything; the rest plays on
            error = f"{self._name} could not be loaded: {type(failure).__name__}: {failure}."
        with self._lock:
            late = self._closed or load != self._loads
            if not late:
                self._error = error
                if plugin is not None:
                    _set_values(plugin, self.state.values)  # whatever was asked for while it was loaded
                    self._swap(plugin)
        if late and plugin is not None:
            plugin.close()

    def _swap(self, plugin: IsolatedPlugin | None) -> IsolatedPlugin | None:
        """Play another plugin, or none, from the next block on. No key is down in it. Returns the one before, to be closed."""
        with self._playing:
            old, self.plugin = self.plugin, plugin
            self._held.clear()
        return old

    def restart(self) -> None:
        """Load the plugin afresh, with the present settings, and without waiting for it."""
        self._begin()

    def close(self) -> None:
        """End the host process."""
        with self._lock:
            self._closed = True
            old = self._swap(None)
        if old is not None:
            old.close()

    # -- what is known of it ----------------------------------------------------------------------------------------------

    @property
    def latency(self) -> int:
        """Frames between an event and its effect: what the plugin reports."""
        plugin = self.plugin
        if plugin is None:
            return 0
        reported = plugin.reported_latency
        return plugin.latency if reported is None else reported

    @property
    def active(self) -> int:
        """Number of keys that are down; what rings on is seen by the sound itself."""
        return len(self._held)

    @property
    def keys(self) -> list[list[int]]:
        """``[channel, pitch]`` of the notes whose key is down. Any thread may read it."""
        return [list(key) for key in sorted(dict(self._held))]

    @property
    def name(self) -> str:
        """How a person reads the plugin; until it has been loaded, what the settings call it."""
        return self._name

    @property
    def message(self) -> str:
        """Why there is no sound, one sentence; empty while there is, or while it is loaded."""
        plugin = self.plugin
        return plugin.trouble.replace("is bypassed", "is silent") if plugin is not None else self._error

    def report(self) -> InsertReport:
        """The plugin as an insert is reported."""
        plugin, message = self.plugin, self.message
        report = InsertReport(INSTRUMENT, self.state.plugin, self.name, message=message)
        if plugin is None:
            report.status = "missing" if message else "loading"
            return report
        report.status = "failed" if message else "running"
        report.message = message or plugin.note or self._note
        report.latency, report.editor = self.latency, bool(plugin.has_editor)
        return report

    # -- settings ---------------------------------------------------------------------------------------------------------

    def set_parameter(self, parameter: str, value: float) -> None:
        """Set a parameter, in its unit. Raises StemplayError for an unknown one, or a value out of range."""
        with self._lock:
            if self.plugin is not None:
                self.plugin.set(parameter, value)
            self.state = replace(self.state, values={**self.state.values, parameter: value})

    def turn(self, parameter: str, place: float) -> None:
        """Move a parameter to ``place``, 0 to 1 of its scale. Raises StemplayError for an unknown one, or if nothing is loaded."""
        plugin = self.plugin
        if plugin is None:
            raise StemplayError(self._error or f"{self._name} is not loaded.")
        self.set_parameter(parameter, find_parameter(tuple(plugin.parameters), parameter, plugin.name).value(place))

    def place(self, parameter: str) -> float:
        """Where a parameter is, 0 to 1 of its scale. Raises StemplayError as ``turn`` does."""
        plugin = self.plugin
        if plugin is None:
            raise StemplayError(self._error or f"{self._name} is not loaded.")
        found = find_parameter(tuple(plugin.parameters), parameter, plugin.name)
        return found.normal(self.state.values.get(parameter, found.default))

    def restore(self, state: InsertState) -> None:
        """Take other settings of the same plugin. One that saved more than its parameters is loaded again."""
        with self._lock:
            before, self.state = self.state, state
            plugin = self.plugin
            if plugin is not None and state.state == before.state:
                defaults = (
                    {p.id: p.default for p in plugin.parameters if p.id in before.values} if not state.state else {}
                )
                _set_values(plugin, defaults | state.values)
                return
        self.restart()

    def follow(self) -> bool:
        """Take over what the plugin changed by itself, in its own window. Whether there was anything."""
        with self._lock:
            if self.plugin is None:
                return False
            values, saved = self.plugin.take_changes()
            packed = pack_state(saved) if saved is not None else ""
            if len(packed) > MAX_STATE:
                self._note, packed = (
                    f"The settings of {self.plugin.name} beside its parameters are too large to be kept.",
                    "",
                )
            if values or packed:
                self.state = replace(
                    self.state, values={**self.state.values, **values}, state=packed or self.state.state
                )
            return bool(values or packed)

    def open_editor(self) -> None:
        """Show the plugin's own window. Raises StemplayError if it has none."""
        plugin = self.plugin
        if plugin is None:
            raise StemplayError(self._error or f"{self._name} is not loaded.")
        plugin.open_editor()

    # -- the player's thread ----------------------------------------------------------------------------------------------

    def render(self, frames: int, events: Iterable[tuple[int, Event]] = ()) -> Audio:
        """The next ``frames``, ``(frames, 2)``; silence where the plugin has no answer."""
        waiting = [(max(0, offset), event) for offset, event in events]
        out = np.zeros((frames, 2), np.float32)
        for start in range(0, frames, BLOCK):
            part = out[start : start + BLOCK]
            due = [(offset - start, event) for offset, event in waiting if start <= offset < start + len(part)]
            if start + BLOCK >= frames:
                due += [(len(part) - 1, event) for offset, event in waiting if offset >= frames]
            if not self._play(part, due) or self._muted:
                part.fill(0.0)
        return out

    def _play(self, part: Audio, due: list[tuple[int, Event]]) -> bool:
        with self._playing:
            return self.plugin is not None and self.plugin.play(
                part, [(at, self._bytes(event)) for at, event in due], self._patience
            )

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
        self._muted = True
        off = [
            (0, bytes([0xB0 | channel, control, 0]))
            for control in (_SUSTAIN, _ALL_SOUND_OFF, _RESET_CONTROLLERS, _ALL_NOTES_OFF) for channel in range(16)
        ]  # fmt: skip
        with self._playing:
            self._held.clear()
            if self.plugin is not None:
                self.plugin.play(self._block, off, self._patience)
                self.plugin.reset()


def _set_values(plugin: IsolatedPlugin, values: dict[str, float]) -> None:
    """Set what the plugin has. Values for other versions of it are kept but not used."""
    for parameter, value in values.items():
        with contextlib.suppress(StemplayError):
            if plugin.get(parameter) != value:
                plugin.set(parameter, value)

"""The MIDI dispatcher: routes messages to notes, learned controls and programs, and owns the parts of the instrument.

Messages arrive in the driver's threads (``receive``), pass the velocity curve and the MIDI map, and wait in the player's queue. When a
command or a program change selects a sound, the cache warmer prepares its notes in the background.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.instrument.player import InstrumentPlayer
from rtaudio.instrument.plugin_synth import PluginSynth
from rtaudio.instrument.sounds import PluginSounds, SingSounds, make_sounds
from rtaudio.midi.input import MidiInput
from rtaudio.midi.learned_controls import MidiMap
from rtaudio.midi.message import MidiMessage, MidiParser
from rtaudio.protocol.checks import INSTRUMENT_TIMES, control_range, strips_of
from rtaudio.protocol.messages import from_dict
from rtaudio.protocol.reports import InsertReport, InstrumentReport
from rtaudio.protocol.settings import EngineConfig, InsertState, InstrumentState

_CURVES: dict[str, Callable[[int], float]] = {
    "linear": float,
    "soft": lambda velocity: 127 * (velocity / 127) ** 0.6,
    "hard": lambda velocity: 127 * (velocity / 127) ** 1.6,
    "fixed": lambda velocity: 100.0,
}


def curved(velocity: int, curve: str) -> int:
    """Apply one of the ``VELOCITY_CURVES`` to a velocity of 1 to 127. The result is never 0, which would end the note."""
    return min(127, max(1, round(_CURVES[curve](velocity))))


class MidiDispatcher:
    """Routes MIDI messages; see the module's docstring.

    Args:
        config: of the engine; ``instrument``, ``midi`` and ``voices`` are used.
        state: the initial settings.
        rate, channels, block, realtime: of the port.

    Raises:
        StemplayError: there is no such instrument.
    """

    def __init__(
        self, config: EngineConfig, state: InstrumentState, rate: int, channels: int, block: int, realtime: bool
    ) -> None:
        self._config, self._state = config, copy.deepcopy(state)
        self._sounds: SingSounds | PluginSounds = make_sounds(config, state, rate, realtime)
        self._synth: Any = self._sounds.synth
        self.player = InstrumentPlayer(self._synth, channels, block, realtime)
        self._sounds.attach(self.player, state)
        self._map = MidiMap(state.midi_map, state.takeover)
        self._strips = strips_of(config)
        self._parser = MidiParser()
        self._received = 0
        self._midi = MidiInput(config.midi, self._take)
        self._control: Callable[[str, float | None], None] = lambda target, value: None
        self._place: Callable[[str], float | None] = lambda target: None
        self._pressed: set[str] = set()

    # -- the engine -------------------------------------------------------------------------------------------------------

    def start(
        self, control: Callable[[str, float | None], None], place: Callable[[str], float | None] = lambda target: None
    ) -> None:
        """Start.

        Args:
            control: called as ``control(target, value)`` when a learned controller moves; ``value`` is None when a button is pressed.
            place: where a control is, 0 to 1, or None.
        """
        self._control, self._place = control, place
        self.player.start()
        self._sounds.start()
        self._midi.start()

    def stop(self) -> None:
        """End all threads."""
        self._midi.stop()
        self.player.stop()
        self._sounds.stop()

    def panic(self) -> None:
        """Silence all notes and drop waiting messages."""
        self.player.clear()

    def receive(self, data: Sequence[int]) -> None:
        """Take the bytes of a message from another source, such as an on-screen keyboard."""
        for message in self._parser.feed(data, time.monotonic()):
            self._take(message)

    def set_sound(self, channel: int, shares: dict[str, float]) -> None:
        """Set the sound of a channel: shares by name. Raises StemplayError for an unknown name."""
        self._sounds.choose(self.player, channel, shares)
        self._keep(channel, shares)

    def set_field(self, field: str, value: Any) -> None:
        """Set a field of ``InstrumentState`` other than ``shares`` and ``midi_map``."""
        if field == "plugin":
            self.plugin.restore(value if isinstance(value, InsertState) else from_dict(InsertState, value))
            return
        setattr(self._state, field, value)
        if field == "takeover":
            self._map.takeover = value
        if field in INSTRUMENT_TIMES:
            self.player.enqueue(lambda synth: setattr(synth, field, float(value)))

    def set_map(self, entries: list[dict[str, Any]]) -> None:
        """Replace the learned controllers."""
        self._map = MidiMap(entries, self._state.takeover)

    def learn(self, target: str) -> None:
        """Assign the next controller that moves to ``target``. Empty: stop waiting for one."""
        if target:
            control_range(target, self._strips)
        self._map.learn(target)

    def forget(self, target: str) -> None:
        """Remove the controllers of ``target``; all controllers if it is empty."""
        self._map.forget(target)

    def lights(self, afresh: bool = False) -> list[list[int]]:
        """MIDI messages that make the learned controllers show where their controls are; ``afresh``: even those that do already."""
        return self._map.lights(self._place, afresh)

    @property
    def state(self) -> InstrumentState:
        """The present settings. Do not change them."""
        return self._state

    @property
    def message(self) -> str:
        """A sentence about a problem, or an empty string."""
        return self.player.message or self._sounds.message

    @property
    def plugin(self) -> PluginSynth:
        """The plugin that plays: its parameters, its settings, its own window. Raises StemplayError where a model plays."""
        return self._sounds.plugin

    def report(self) -> InstrumentReport:
        """The present state of the instrument."""
        self._state.midi_map = self._map.entries()
        slot = InsertReport()
        if isinstance(self._sounds, PluginSounds):
            self._sounds.synth.follow()
            self._state.plugin, slot = self._sounds.synth.state, self._sounds.synth.report()
        player, synth = self.player, self._synth
        return InstrumentReport(
            model=self._sounds.name,
            instruments=list(self._sounds.instruments),
            notes=synth.active,
            keys=synth.keys,
            stolen=synth.stolen,
            ports=self._midi.ports,
            midi=self._midi.message,
            received=self._received,
            misses=player.misses,
            late=player.late,
            dropped=player.dropped,
            load={"p50": player.load.quantile(0.5), "p99": player.load.quantile(0.99)},
            delay_ms=1000 * (player.delay + synth.latency / synth.rate),
            learning=self._map.learning,
            primed=self._sounds.primed,
            state=copy.deepcopy(self._state),
            slot=slot,
        )

    # -- messages, in any thread ------------------------------------------------------------------------------------------

    def _take(self, message: MidiMessage) -> None:
        self._received += 1
        waiting = self._map.learning
        moved = self._map.take(message, self._place)
        if moved is not None:
            target, place = moved
            if place is not None:
                self._apply_controller(target, place, bool(waiting) and not self._map.learning)
                self._map.settle(message, self._place(target))
            return
        if message.kind == "note_on" and message.b > 0:
            velocity = curved(message.b, self._state.curve)
            message = MidiMessage("note_on", message.channel, message.a, velocity, message.time)
        elif message.kind == "program":
            shares = self._sounds.program(message.channel, message.a)
            if shares is not None:
                self._keep(message.channel, shares)
        self.player.push(message)

    def _press(self, target: str, down: bool, learned: bool) -> None:
        if not down:
            self._pressed.discard(target)
        elif target not in self._pressed:
            self._pressed.add(target)
            if not learned:
                self._control(target, None)

    def _keep(self, channel: int, shares: dict[str, float]) -> None:
        """Store a channel's sound in a new dictionary, because another thread may be copying the old one for a report."""
        self._state.shares = {**self._state.shares, str(channel): dict(shares)}

    def _apply_controller(self, target: str, place: float, learned: bool = False) -> None:
        """Apply a learned controller's position, 0 to 1. The press by which a button has just been ``learned`` has no effect."""
        try:
            limits = control_range(target, self._strips)
        except StemplayError:
            return  # for a strip of another model
        if limits is None:
            self._press(target, place >= 0.5, learned)
            return
        low, high = limits
        value = low + (high - low) * place
        kind, _, field = target.partition(".")
        if kind == "instrument":
            self.set_field(field, value)
        else:
            self._control(target, value)

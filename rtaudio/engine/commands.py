"""How a running engine carries out commands, also those of learned controllers and buttons."""

from __future__ import annotations

import contextlib
import copy
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rtaudio.audio.format import StemplayError, StreamFormat
from rtaudio.audio.stretch import require_stretcher
from rtaudio.engine.callback import AudioCallback
from rtaudio.engine.click import Click, plan_count_in
from rtaudio.engine.deadline import blocks_for
from rtaudio.engine.mixer import Mixer
from rtaudio.engine.pipeline import Pipeline
from rtaudio.midi.learned_buttons import LearnedButtons
from rtaudio.protocol.checks import MIXER_FIELDS, STEM_FIELDS, assign
from rtaudio.protocol.controls import place_in, row, value_of
from rtaudio.protocol.insert_checks import bypass_insert, insert_of, set_inserts, set_parameter, slots_of
from rtaudio.protocol.messages import Command
from rtaudio.protocol.parameters import find_parameter
from rtaudio.protocol.reports import Recording, Transport
from rtaudio.protocol.settings import EngineConfig, InstrumentState, MixerState, StemState
from rtaudio.protocol.strips import INPUT, INSTRUMENT
from rtaudio.protocol.transpose import pitched, with_key

if TYPE_CHECKING:
    from rtaudio.audio.tempo import Tempo
    from rtaudio.engine.conductor import Conductor
    from rtaudio.engine.recorder import Recorder
    from rtaudio.engine.song_analysis import SongAnalysis
    from rtaudio.files.tempo_player import TempoPlayer
    from rtaudio.instrument.midi_dispatcher import MidiDispatcher
    from rtaudio.instrument.player import InstrumentPlayer
    from rtaudio.plugins.rack import Rack
    from rtaudio.ports.base import Port

STALLED_S = 1.0
"""Seconds without a callback after which a real-time port counts as stalled."""
FRESH_S = 0.5
"""Seconds after which the latest callback says nothing about the present."""


class EngineCommands:
    """The part of ``Engine`` that carries out commands. Their methods are called with the lock of the control threads held."""

    config: EngineConfig
    format: StreamFormat
    stems: tuple[str, ...]
    source: TempoPlayer | None
    recorder: Recorder | None
    analysis: SongAnalysis | None
    dispatcher: MidiDispatcher | None
    inserts: Rack | None
    tempo: Tempo
    key: float
    click: Click
    _phase: str
    conductor: Conductor | None
    _player: InstrumentPlayer | None
    port: Port
    _callback: AudioCallback
    _state: MixerState
    _lock: threading.RLock
    _notice: str
    _base: dict[str, int]
    _learned_buttons: LearnedButtons

    @property
    def _pipeline(self) -> Pipeline:
        return self._callback.replace or self._callback.pipeline

    @property
    def _mixer(self) -> Mixer:
        return self._pipeline.mixer

    @property
    def misses(self) -> int:
        """Blocks of the device, since the start, whose stems were late or that were not played at all.

        A late block of the engine counts as all blocks of the device in it.
        """
        return self._callback.misses * self._blocks_at_once + self.port.unplayed

    @property
    def _blocks_at_once(self) -> int:
        """Blocks of the device in a block of the engine."""
        return self.port.block // self.port.device_block if self.port.device_block else 1

    def _transport(self) -> Transport:
        if self.source is None:
            return Transport(tempo=self.tempo.bpm)
        transport = self.source.transport()
        transport.tempo, transport.key = self.tempo.bpm, self.key
        transport.beats, transport.counting = len(self.click.grid.frames), self.click.counting
        transport.playing |= transport.counting
        if self.analysis is not None:
            transport.analysed_s = self.analysis.analysed / self.format.rate
        return transport

    def send(self, command: Command) -> None:
        """Carry out ``command`` (except ``configure`` and ``shutdown``, which concern the process).

        ``seek`` in an analysed song takes a fraction of a second, while the old position plays on. Raises StemplayError if the
        command is impossible.
        """
        handler = getattr(self, f"_do_{command.op}", None)
        if handler is None:
            raise StemplayError(f"A running engine cannot carry out the command {command.op}.")
        with self._lock:
            handler(**command.args)
        if self.conductor is not None:
            self.conductor.wake()

    def _do_set_stem(self, stem: str, field: str, value: Any) -> None:
        if stem not in self.stems:
            raise StemplayError(f"There is no stem {stem!r}; this model's stems are {', '.join(self.stems)}.")
        state = copy.deepcopy(self._state)
        assign(state.stems.setdefault(stem, StemState()), field, value, STEM_FIELDS)
        self._mixer.set_state(self._heard(state))
        self._state = state

    def _do_set_mixer(self, field: str, value: Any) -> None:
        state = copy.deepcopy(self._state)
        assign(state, field, value, MIXER_FIELDS)
        self._mixer.set_state(self._heard(state))
        self._state = state
        if field == "monitor":
            self.port.monitoring(state.monitor)
        self.click.set_level(state.click, state.click_db)

    def _do_set_inserts(self, strip: str, inserts: list[Any]) -> None:
        state = copy.deepcopy(self._state)
        if strip in self.stems:
            state.stems.setdefault(strip, StemState())
        set_inserts(state, strip, inserts)
        if strip == INPUT and inserts and self.source is not None:
            raise StemplayError("Inserts of the input are for a live input; this engine plays a song.")
        self._rack().set_state(self._keyed(state))
        self._state = state

    def _do_bypass_insert(self, strip: str, key: str, bypass: bool) -> None:
        state = copy.deepcopy(self._state)
        bypass_insert(state, strip, key, bypass)
        self._rack().set_state(self._keyed(state))
        self._state = state

    def _do_set_parameter(self, strip: str, key: str, parameter: str, value: float) -> None:
        if (strip, key) == (INSTRUMENT, INSTRUMENT):
            self._dispatcher().plugin.set_parameter(parameter, value)
            return
        state = copy.deepcopy(self._state)
        set_parameter(state, strip, key, parameter, value)
        self._rack().set_parameter(strip, key, parameter, value)
        self._state = state

    def _do_restart_insert(self, strip: str, key: str) -> None:
        if (strip, key) == (INSTRUMENT, INSTRUMENT):
            self._dispatcher().plugin.restart()
            return
        insert_of(self._state, strip, key)
        self._rack().restart(strip, key)

    def _do_open_editor(self, strip: str, key: str) -> None:
        if (strip, key) == (INSTRUMENT, INSTRUMENT):
            self._dispatcher().plugin.open_editor()
            return
        self._rack().plugin(strip, key).open_editor()

    def _rack(self) -> Rack:
        if self.inserts is None:
            raise StemplayError("This engine has no inserts.")
        return self.inserts

    def _do_set_tempo(self, bpm: float) -> None:
        """Another tempo for MIDI clock, Link and echoes. The beat goes on from where it is."""
        self.tempo.set(float(bpm))
        self.follow_tempo()
        if self.conductor is not None:
            self.conductor.tempo_set()

    def _do_set_speed(self, speed: float) -> None:
        """Another tempo of the song. It is heard a moment later: the song is stretched ahead (``rtaudio.files.tempo_player``)."""
        self._song().set_speed(float(speed))

    def _do_set_key(self, semitones: float) -> None:
        """Transpose the song's pitched stems. From and to 0 the latency changes by that of the inserts, between two fades."""
        self._song()
        if semitones:
            require_stretcher()
        rack, self.key = self._rack(), float(semitones)
        rack.set_state(self._keyed(self._state))

    def _keyed(self, state: MixerState) -> MixerState:
        """``state`` for the inserts: with those that transpose."""
        separated = self.config.model != "none" or self._pipeline.divided
        return with_key(state, self.key, pitched(self.stems, separated)) if self.key else state

    def follow_tempo(self) -> None:
        """Let the inserts have the present tempo."""
        if self.inserts is not None:
            self.inserts.set_tempo(self.tempo.bpm)

    def _do_set_deadline(self, ms: Any) -> None:
        pipeline = self._pipeline
        pipeline.give(blocks_for(float(ms) / 1000, pipeline.format) * pipeline.format.block)

    def _heard(self, state: MixerState) -> MixerState:
        """``state`` for the mixer: ``monitor`` applies to live inputs only."""
        return state if self.source is None else replace(state, monitor=True)

    def _song(self) -> TempoPlayer:
        if self.source is None:
            raise StemplayError("No song is loaded; the sound comes from a device.")
        return self.source

    def _do_play(self) -> None:
        """Play; from a pause, or at the start of a song, after the bars that are counted in."""
        song, bars, begins = self._song(), round(self._state.count_in), self._phase == "starting" and self._song().position == 0
        if not bars or self.click.counting or (song.playing and not begins):
            song.play()
            return
        if begins:
            song.wait()
        frame = 0 if song.finished else song.position
        if song.finished:
            self._do_seek(0.0)
        grid, frame = self.click.grid.at_speed(song.speed), round(frame / song.speed)
        self.click.count_in(plan_count_in(grid, frame, bars, self.format.rate, self.tempo.bpm))

    def _do_pause(self) -> None:
        self.click.count_in(None)
        self._song().pause()

    def _do_set_beats(self, beats: list[float], numbers: list[int]) -> None:
        """The beats of the song, at which the click sounds."""
        self._song()
        self.click.set_beats(beats, numbers)

    def _do_seek(self, position_s: float) -> None:
        """In an analysed song, a processor that has caught up takes over in the same block in which the song jumps."""
        song = self._song()
        frame = min(max(0, round(float(position_s) * self.format.rate)), song.length)
        prepared = None
        if self.analysis is not None:
            frame -= frame % self.analysis.grid
            prepared = self.analysis.prepare(frame)
        # Unfaded, so that a model hears the song as it is; the callback spreads the step. Without one the old place fades into the new.
        song.seek(frame, fade=self.config.model == "none", payload=prepared)

    def _do_set_loop(self, start_s: float | None, end_s: float | None) -> None:
        """Set a loop at once. If its end has passed, or comes too soon for the loop's fade, the song jumps to the loop's start."""
        rate, song = self.format.rate, self._song()
        song.set_loop(*(None if t is None else round(float(t) * rate) for t in (start_s, end_s)))
        loop = song.loop
        if loop is not None and song.position > loop[1] - song.slack - 2 * self.format.block:
            self._do_seek(loop[0] / rate)

    def _do_record(self, directory: str, format: str) -> None:
        if self.recorder is None:
            raise StemplayError("This engine has no recorder.")
        armed = [name for name in self.stems if self._state.stems.get(name, StemState()).armed]
        self.recorder.start(directory, format, armed)

    def _do_stop_recording(self) -> None:
        if self.recorder is not None:
            self.recorder.stop()

    def _do_reset_counters(self) -> None:
        callback = self._callback
        for name in self._base:
            self._base[name] = self.misses if name == "misses" else getattr(callback, name)
        self._notice = callback.fault = ""
        callback.load.reset()
        self._pipeline.worker.load.reset()
        if self._player is not None:
            self._player.reset()
        self._mixer.reset_clips()

    def _do_panic(self) -> None:
        """Fade to silence, pause the song, and clear processor and rings. New sound is heard after ``PANIC_S``."""
        self._callback.panic = True
        self.click.count_in(None)
        if self.source is not None:
            self.source.pause()
        if self.dispatcher is not None:
            self.dispatcher.panic()

    def _dispatcher(self) -> MidiDispatcher:
        if self.dispatcher is None:
            raise StemplayError("This engine has no instrument. Start it with one.")
        return self.dispatcher

    def _do_midi(self, data: list[int]) -> None:
        self._dispatcher().receive(data)

    def _do_set_sound(self, channel: int, shares: dict[str, float]) -> None:
        self._dispatcher().set_sound(channel, shares)

    def _do_set_instrument(self, field: str, value: Any) -> None:
        self._dispatcher().set_field(field, value)

    def _do_set_midi_map(self, entries: list[dict[str, Any]]) -> None:
        self._dispatcher().set_map(entries)

    def _do_learn(self, target: str) -> None:
        self._dispatcher().learn(target)

    def _do_forget(self, target: str) -> None:
        self._dispatcher().forget(target)

    def _do_control(self, target: str, value: float | None) -> None:
        """Apply a learned controller's value to ``stem.NAME.FIELD``, ``mixer.FIELD`` or ``insert.STRIP.KEY.PARAMETER``, or handle a button
        press (None)."""
        kind, *rest = target.split(".")
        if value is None:
            self._press(target)
        elif kind == "stem" and len(rest) == 2:
            self.send(Command("set_stem", {"stem": rest[0], "field": rest[1], "value": value}))
        elif kind == "mixer" and len(rest) == 1:
            self.send(Command("set_mixer", {"field": rest[0], "value": value}))
        elif target == "transport.tempo":
            self.send(Command("set_tempo", {"bpm": value}))
        elif target == "transport.speed" and self.source is not None:
            self.send(Command("set_speed", {"speed": round(value, 2)}))
        elif target == "transport.key" and self.source is not None:
            self.send(Command("set_key", {"semitones": float(round(value))}))
        elif kind == "insert" and len(rest) >= 3:
            self._turn_insert(rest[0], ".".join(rest[1:]), value)

    def place_of(self, target: str) -> float | None:
        """Where a control is, 0 to 1 of the travel of a MIDI controller; 1 for a switch that is on. None if that is not known."""
        kind, *rest = target.split(".")
        with self._lock, contextlib.suppress(StemplayError):
            if kind == "insert" and len(rest) >= 3:
                return self._place_of_insert(rest[0], ".".join(rest[1:]))
            control = row(target)
            recording = self.recorder.status if self.recorder is not None else Recording()
            played = self.dispatcher.state if self.dispatcher is not None else InstrumentState()
            value = value_of(target, self._state, self._transport(), recording, played)
            if control is not None and value is not None:
                return place_in(control, value)
        return None

    def _place_of_insert(self, strip: str, name: str) -> float | None:
        if strip == INSTRUMENT and name.startswith(f"{INSTRUMENT}."):
            return self._dispatcher().plugin.place(name.removeprefix(f"{INSTRUMENT}."))
        for entry in slots_of(self._state, strip):
            parameter = name.removeprefix(f"{entry.key}.")
            if parameter != name:
                found = find_parameter(self._rack().parameters(strip, entry.key), parameter, entry.key)
                return found.normal(entry.values.get(parameter, found.default))
        return None

    def _turn_insert(self, strip: str, name: str, place: float) -> None:
        """Move the parameter ``KEY.PARAMETER`` of an insert to ``place``, 0 to 1 of its scale. Does nothing before it is loaded.

        While it is loaded again, as after a change of its latency, it gets the value afterwards.
        """
        with self._lock, contextlib.suppress(StemplayError):
            if strip == INSTRUMENT and name.startswith(f"{INSTRUMENT}."):
                self._dispatcher().plugin.turn(name.removeprefix(f"{INSTRUMENT}."), place)
                return
            for entry in slots_of(self._state, strip):
                key, parameter = entry.key, name.removeprefix(f"{entry.key}.")
                if parameter != name:
                    value = find_parameter(self._rack().parameters(strip, key), parameter, key).value(place)
                    self.send(Command("set_parameter", {"strip": strip, "key": key, "parameter": parameter, "value": value}))
                    return

    def _press(self, target: str) -> None:
        """Carry out a button press, in the thread of the MIDI input. An error becomes a message for the user."""
        recording = self.recorder.status if self.recorder is not None else Recording()
        with self._lock:
            try:
                for command in self._learned_buttons.commands(
                    target, self._state, self._transport(), recording, self._dispatcher().state
                ):
                    self.send(command)
            except StemplayError as error:
                self._notice = str(error)

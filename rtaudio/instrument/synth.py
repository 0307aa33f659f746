"""A polyphonic synthesiser on an exported SING model: MIDI events in, stereo sound at the device's rate out (RT-06).

All voices that need samples take one step of the network together. They are mixed at the model's rate and brought to the
device's by one resampler, whose hold-back is ``Synth.latency``. Used by one thread at a time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from rtaudio.format import Audio
from rtaudio.instrument.channel import VIBRATO_DEPTH, VIBRATO_HZ, Channel
from rtaudio.instrument.voice import Array, Voice
from rtaudio.instrument_model import InstrumentModel, VoiceState
from rtaudio.resample import Resampler

LEVEL = 0.35
"""Gain of one full note: a chord of several stays below full scale most of the time; the mixer's limiter does the rest."""

CACHE_BYTES = 64 << 20
"""Memory for the states of notes already primed."""

RELEASE_MS, ATTACK_MS, STEAL_MS = 250.0, 0.0, 5.0


class Event(Protocol):
    """A MIDI message: ``kind`` is note_on, note_off, control, program, bend (``a``: -8192 to 8191) or anything else (ignored)."""

    @property
    def kind(self) -> str: ...
    @property
    def channel(self) -> int: ...
    @property
    def a(self) -> int: ...
    @property
    def b(self) -> int: ...


class Synth:
    """An instrument with sixteen channels.

    Args:
        model: what makes the sound.
        rate: of the output, Hz.
        voices: how many may sound at once; one more takes the place of one that is released, quiet or old, in this order.
        programs: General MIDI program number -> index of an instrument of the model; others keep the present sound.
    """

    def __init__(
        self, model: InstrumentModel, rate: int, voices: int = 32, programs: dict[int, int] | None = None
    ) -> None:
        self.model, self.rate, self.limit, self.programs = model, rate, voices, programs or {}
        first = model.instrument_weights({0: 1})
        self.channels = [Channel(first) for _ in range(16)]
        self.attack_ms, self.release_ms = ATTACK_MS, RELEASE_MS
        self._voices: list[Voice] = []
        self._cache: OrderedDict[tuple[bytes, bytes, bytes], VoiceState] = OrderedDict()
        self._resampler = Resampler(model.sample_rate, rate, 2)
        self._rest = np.zeros((0, 2), np.float32)
        self._order = self._in = self._out = 0
        self.stolen = 0

    @property
    def latency(self) -> int:
        """Output frames between an event and its effect: the resampler's hold-back, rounded up."""
        return (
            0
            if self.rate == self.model.sample_rate
            else -(-self._resampler.hold_back * self.rate // self.model.sample_rate)
        )

    @property
    def active(self) -> int:
        """Notes that sound."""
        return len(self._voices)

    @property
    def pending(self) -> int:
        """Notes whose key or pedal still holds them."""
        return sum(not voice.released for voice in self._voices)

    def set_instrument(self, channel: int, weights: Array) -> None:
        """Change a channel's sound; notes that the network still computes follow."""
        self.channels[channel].weights = weights

    def panic(self) -> None:
        """Silence from the next sample on, pedals up."""
        self._voices.clear()
        self._resampler.reset()
        self._rest = np.zeros((0, 2), np.float32)
        self._in = self._out = 0
        for channel in self.channels:
            channel.reset()

    # -- events -----------------------------------------------------------------------------------------------------------

    def handle(self, event: Event) -> None:
        """Obey one event now; kinds that mean nothing here are ignored."""
        if not 0 <= event.channel < 16:
            return
        if event.kind == "note_on" and event.b > 0:
            self._note_on(event.channel, event.a, event.b)
        elif event.kind in ("note_on", "note_off"):
            self._note_off(event.channel, event.a)
        elif event.kind == "control":
            self._control(event.channel, event.a, event.b)
        elif event.kind == "bend":
            self.channels[event.channel].bend_wheel = event.a
        elif event.kind == "program" and event.a in self.programs:
            self.set_instrument(event.channel, self.model.instrument_weights({self.programs[event.a]: 1}))

    def _note_on(self, number: int, note: int, velocity: int) -> None:
        model, channel = self.model, self.channels[number]
        for voice in self._voices:  # the same key again: the old note gives way
            if voice.channel == number and voice.note == note and voice.held:
                voice.held = False
                voice.release(self._samples(self.release_ms))
        if sum(voice.fall < 6.9 / self._samples(STEAL_MS) for voice in self._voices) >= self.limit:
            self._steal()
        main = int(np.argmax(channel.weights))
        low, high = model.ranges[main]
        played = min(max(note, low), high)
        weights = channel.weights, model.velocity_weights(velocity), model.pitch_weights(played)
        self._order += 1
        self._voices.append(
            Voice(
                number, note, self._order, weights[1], weights[2], float(note - played), model.sustains[main],
                self._primed(*weights), model.PRIMING, self._samples(self.attack_ms) if self.attack_ms else 0,
            )
        )  # fmt: skip

    def _steal(self) -> None:
        """The least missed note fades in five milliseconds: released before held, then quiet, then old."""
        fading = 6.9 / self._samples(STEAL_MS)
        candidates = [voice for voice in self._voices if voice.fall < fading]
        victim = min(candidates, key=lambda v: (not v.released, round(v.loudness(), 2), v.order))
        victim.held = False
        victim.release(self._samples(STEAL_MS))
        self.stolen += 1

    def _note_off(self, number: int, note: int) -> None:
        channel = self.channels[number]
        for voice in self._voices:
            if voice.channel == number and voice.note == note and voice.held:
                voice.held = False
                if not channel.sustain and note not in channel.caught:
                    voice.release(self._samples(self.release_ms))

    def _control(self, number: int, control: int, value: int) -> None:
        channel = self.channels[number]
        mine = [voice for voice in self._voices if voice.channel == number]
        if control == 66 and value >= 64 and not channel.sostenuto:
            channel.caught = {voice.note for voice in mine if voice.held}
        channel.control(control, value)
        if control == 66 and value < 64:
            channel.caught.clear()
        if control == 121:
            channel.reset()
        if control == 120:
            for voice in mine:
                voice.held = False
                voice.release(self._samples(STEAL_MS))
        if 123 <= control <= 127:
            for voice in mine:
                voice.held = False
        if control in (64, 66, 121) or 123 <= control <= 127:
            for voice in mine:
                if not (voice.held or channel.sustain or voice.note in channel.caught):
                    voice.release(self._samples(self.release_ms))

    def _samples(self, milliseconds: float) -> int:
        return max(1, round(milliseconds * self.model.sample_rate / 1000))

    def _primed(self, instrument: Array, velocity: Array, pitch: Array) -> VoiceState:
        """The state just before a note's first sample; kept, because the same notes come again."""
        key = (instrument.tobytes(), velocity.tobytes(), pitch.tobytes())
        state = self._cache.get(key)
        if state is None:
            state = self.model.initial_state(1)
            for time in range(self.model.PRIMING):
                _, state = self.model.step(
                    velocity[None], instrument[None], pitch[None], np.array([time], np.int64), state
                )
            self._cache[key] = state
            while len(self._cache) * state.nbytes > CACHE_BYTES:
                self._cache.popitem(last=False)
        self._cache.move_to_end(key)
        return state

    # -- sound ------------------------------------------------------------------------------------------------------------

    def render(self, frames: int, events: Iterable[tuple[int, Event]] = ()) -> Audio:
        """The next ``frames`` of sound, ``(frames, 2)``; each event takes effect at its offset, ``latency`` later."""
        parts = []
        done = 0
        for offset, event in events:
            offset = min(max(offset, done), frames)
            parts.append(self._advance(offset - done))
            done = offset
            self.handle(event)
        parts.append(self._advance(frames - done))
        return np.concatenate(parts)

    def _advance(self, frames: int) -> Audio:
        """Output between two events: as many samples at the model's rate as the resampler asks for."""
        if frames == 0:
            return np.zeros((0, 2), np.float32)
        self._out += frames
        if self.rate == self.model.sample_rate:
            return self._mix(frames)
        resampler = self._resampler
        target = -(-self._out * self.model.sample_rate // self.rate) + resampler.hold_back
        audio = np.concatenate([self._rest, resampler.process(self._mix(target - self._in))])
        self._in = target
        self._rest = audio[frames:]  # a few samples that belong to the next call
        return audio[:frames]

    def _mix(self, count: int) -> Audio:
        """All voices at the model's rate: ``(count, 2)``."""
        out = np.zeros((count, 2), np.float32)
        if count <= 0:
            return out
        ratios = [self._ratio(voice) for voice in self._voices]
        self._fill(ratios, count)
        for voice, ratio in zip(self._voices, ratios, strict=True):
            audio = voice.read(count, ratio) * np.float32(LEVEL)
            target = self.channels[voice.channel].gains()
            before, voice.gains = voice.gains or target, target
            for side in (0, 1):
                if before[side] == target[side]:
                    out[:, side] += audio * np.float32(target[side])
                else:
                    out[:, side] += audio * np.linspace(before[side], target[side], count, dtype=np.float32)
        self._voices = [voice for voice in self._voices if not voice.done]
        return out

    def _ratio(self, voice: Voice) -> float:
        channel = self.channels[voice.channel]
        semitones = voice.shift + channel.bend
        if channel.modulation:
            phase = 2 * np.pi * VIBRATO_HZ * voice.age / self.model.sample_rate
            semitones += VIBRATO_DEPTH * channel.modulation / 127 * float(np.sin(phase))
        return float(2.0 ** (semitones / 12)) if semitones else 1.0

    def _fill(self, ratios: Sequence[float], count: int) -> None:
        """Step the network for all voices that lack samples, together, until none does."""
        needs = [voice.needed(count, ratio) for voice, ratio in zip(self._voices, ratios, strict=True)]
        while lacking := [v for v, need in zip(self._voices, needs, strict=True) if v.filled < need]:
            audio, state = self.model.step(
                np.stack([v.velocity for v in lacking]),
                np.stack([self.channels[v.channel].weights for v in lacking]),
                np.stack([v.pitch for v in lacking]),
                np.array([v.time for v in lacking], np.int64),
                VoiceState.stack([v.state for v in lacking]),
            )
            for row, voice in enumerate(lacking):
                voice.wave[voice.filled : voice.filled + self.model.hop] = audio[row]
                voice.filled += self.model.hop
                voice.time += 1
                voice.state = state.take([row])

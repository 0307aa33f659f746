"""A polyphonic synthesiser on an exported SING model: MIDI events in, stereo sound at the device's rate out (RT-06).

All voices that need samples take one step of the network together. They are mixed at the model's rate and brought to the
device's by one resampler, whose hold-back is ``Synth.latency``. Used by one thread at a time.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.audio.resample import Resampler
from rtaudio.instrument.channel import VIBRATO_DEPTH, VIBRATO_HZ, Channel
from rtaudio.instrument.model import InstrumentModel, VoiceState
from rtaudio.instrument.voice import LAST_CALL, LOOP_END, Array, ReplacementNote, Voice

LEVEL = 0.35
"""Gain of one note at full level. Most chords stay below full scale; the mixer's limiter handles the others."""

CACHE_BYTES = 256 << 20
"""Largest memory for primed states, in bytes: about five sounds of the shipped model."""

PART = 256
"""Output frames rendered at once: 6 ms at 44.1 kHz."""

REPLACEMENTS, REPLACEMENT_EVERY = 8, 48
"""Looping notes recomputed at a time after their sound has changed, and samples at the model's rate between two steps of each."""

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


def rounded(velocity: int) -> int:
    """Round a velocity to an even number or 127. This halves the number of notes to prime, and the difference is inaudible."""
    return velocity if velocity == 127 else max(1, velocity + velocity % 2)


Key = tuple[bytes, bytes, bytes]
"""Instrument, velocity and pitch weights of a primed state, as bytes."""


class Synth:
    """An instrument with sixteen channels.

    Args:
        model: computes the sound.
        rate: of the output, Hz.
        voices: the largest number of simultaneous notes. One more replaces a released one, else a quiet one, else an old one.
        programs: General MIDI program number -> index of an instrument of the model. Other programs keep the present sound.
    """

    def __init__(
        self, model: InstrumentModel, rate: int, voices: int = 32, programs: dict[int, int] | None = None
    ) -> None:
        self.model, self.rate, self.limit, self.programs = model, rate, voices, programs or {}
        first = model.instrument_weights({0: 1})
        self.channels = [Channel(first) for _ in range(16)]
        self.attack_ms, self.release_ms = ATTACK_MS, RELEASE_MS
        self._voices: list[Voice] = []
        self._cache: OrderedDict[Key, VoiceState] = OrderedDict()
        self._resampler = Resampler(model.sample_rate, rate, 2)
        self._rest = np.zeros((0, 2), np.float32)
        self._order = self._in = self._out = self._at = self._replacement_time = 0
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
        """Number of sounding notes."""
        return len(self._voices)

    @property
    def keys(self) -> list[list[int]]:
        """``[channel, pitch]`` of the notes whose key is down. Any thread may read it."""
        held = {(voice.channel, voice.note) for voice in list(self._voices) if voice.held}
        return [list(key) for key in sorted(held)]

    @property
    def pending(self) -> int:
        """Number of notes held by a key or pedal."""
        return sum(not voice.released for voice in self._voices)

    def set_instrument(self, channel: int, weights: Array) -> None:
        """Change a channel's sound. Notes that the network still computes change at once. Looping notes are computed again, a little in
        every block, and then cross-fade to the new loop."""
        self.channels[channel].weights = weights

    def panic(self) -> None:
        """Silence all notes from the next sample on, and release pedals."""
        self._voices.clear()
        self._resampler.reset()
        self._rest = np.zeros((0, 2), np.float32)
        self._in = self._out = 0
        for channel in self.channels:
            channel.reset()

    # -- events -----------------------------------------------------------------------------------------------------------

    def handle(self, event: Event) -> None:
        """Apply an event now; unknown kinds are ignored."""
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
        for voice in self._voices:  # the same key again: the old note is released
            if voice.channel == number and voice.note == note and voice.held:
                voice.held = False
                voice.release(self._samples(self.release_ms), self._at)
        if sum(voice.falling < 6.9 / self._samples(STEAL_MS) for voice in self._voices) >= self.limit:
            self._steal()
        main = int(np.argmax(channel.weights))
        low, high = model.ranges[main]
        played = min(max(note, low), high)
        weights = channel.weights, model.velocity_weights(rounded(velocity)), model.pitch_weights(played)
        self._order += 1
        state, time = self._beginning((weights[0].tobytes(), weights[1].tobytes(), weights[2].tobytes()))
        self._voices.append(
            Voice(
                number, note, self._order, weights[1], weights[2], float(note - played), model.sustains[main],
                state, time, self._samples(self.attack_ms) if self.attack_ms else 0,
                weights=weights[0], delay=self._at,
                level=min(1.0, velocity / model.velocities[0]),  # below the lowest trained velocity: that level with a lower gain
            )
        )  # fmt: skip

    def _steal(self) -> None:
        """Fade out the least audible note in 5 ms: released notes first, then the quietest, then the oldest."""
        fading = 6.9 / self._samples(STEAL_MS)
        candidates = [voice for voice in self._voices if voice.falling < fading]
        victim = min(candidates, key=lambda v: (not v.released, round(v.loudness(), 2), v.order))
        victim.held = False
        victim.release(self._samples(STEAL_MS), self._at)
        self.stolen += 1

    def _note_off(self, number: int, note: int) -> None:
        channel = self.channels[number]
        for voice in self._voices:
            if voice.channel == number and voice.note == note and voice.held:
                voice.held = False
                if not channel.sustain and note not in channel.caught:
                    voice.release(self._samples(self.release_ms), self._at)

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
                voice.release(self._samples(STEAL_MS), self._at)
        if 123 <= control <= 127:
            for voice in mine:
                voice.held = False
        if control in (64, 66, 121) or 123 <= control <= 127:
            for voice in mine:
                if not (voice.held or channel.sustain or voice.note in channel.caught):
                    voice.release(self._samples(self.release_ms), self._at)

    def _samples(self, milliseconds: float) -> int:
        return max(1, round(milliseconds * self.model.sample_rate / 1000))

    def _beginning(self, key: Key) -> tuple[VoiceState, int]:
        """The state just before a note's first sample if it is cached, else the initial state; and its time step."""
        state = self._cache.get(key)
        if state is None:
            return self.model.initial_state(1), 0
        self._cache.move_to_end(key)
        return state, self.model.PRIMING

    def keep(self, states: Mapping[Key, VoiceState]) -> None:
        """Cache primed states; beyond ``CACHE_BYTES`` the least recently used are dropped."""
        for key, state in states.items():
            self._cache[key] = state
            self._cache.move_to_end(key)
            while len(self._cache) * state.nbytes > CACHE_BYTES:
                self._cache.popitem(last=False)

    def knows(self, key: Key) -> bool:
        """Whether a primed state is cached. Any thread may call it."""
        return key in self._cache

    @property
    def cache_bytes(self) -> int:
        """Bytes of the primed states."""
        return sum(state.nbytes for state in self._cache.values())

    # -- sound ------------------------------------------------------------------------------------------------------------

    def render(self, frames: int, events: Iterable[tuple[int, Event]] = ()) -> Audio:
        """Render the next ``frames``, ``(frames, 2)``; each event takes effect at its offset, ``latency`` later.

        Notes begin and end at their sample. Bends and fades of a channel begin at the next multiple of ``PART`` frames.
        """
        waiting = deque(events)
        parts = []
        for start in range(0, frames, PART):
            end = min(start + PART, frames)
            while waiting and waiting[0][0] < end:
                offset, event = waiting.popleft()
                self._at = self._model_samples(self._out + max(0, offset - start)) - self._in
                self.handle(event)
            self._at = 0
            parts.append(self._advance(end - start))
        for _, event in waiting:
            self.handle(event)
        return np.concatenate(parts) if parts else np.zeros((0, 2), np.float32)

    def prepare(self, frames: int) -> None:
        """Compute in advance what the sounding notes need for the next ``frames``, so that mostly new notes remain to be computed."""
        count = self._model_samples(self._out + frames) - self._in
        self._fill([self._ratio(voice) for voice in self._voices], count)
        self._find_loops(count)

    def _model_samples(self, frames: int) -> int:
        """Number of samples at the model's rate for ``frames`` of output."""
        if self.rate == self.model.sample_rate:
            return frames
        return -(-frames * self.model.sample_rate // self.rate) + self._resampler.hold_back

    def _advance(self, frames: int) -> Audio:
        """Render one part: mix as many samples at the model's rate as the resampler needs."""
        self._out += frames
        target = self._model_samples(self._out)
        mixed = self._mix(target - self._in)
        self._in = target
        if self.rate == self.model.sample_rate:
            return mixed
        audio = np.concatenate([self._rest, self._resampler.process(mixed)])
        self._rest = audio[frames:]  # a few frames that belong to the next call
        return audio[:frames]

    def _mix(self, count: int) -> Audio:
        """All voices at the model's rate: ``(count, 2)``."""
        if count <= 0 or not self._voices:
            return np.zeros((max(0, count), 2), np.float32)
        ratios = [self._ratio(voice) for voice in self._voices]
        self._fill(ratios, count)
        self._find_loops(count)
        self._follow(count)
        audio = np.stack([voice.read(count, ratio) for voice, ratio in zip(self._voices, ratios, strict=True)])
        gains_of = {number: self.channels[number].gains() for number in {voice.channel for voice in self._voices}}
        target = np.array([gains_of[voice.channel] for voice in self._voices], np.float32)
        before = np.array([voice.gains or gains for voice, gains in zip(self._voices, target, strict=True)], np.float32)
        out = audio.T @ (before * np.float32(LEVEL))
        if not np.array_equal(before, target):  # the gain changes: ramp to the new one within this part
            out += np.linspace(0, 1, count, dtype=np.float32)[:, None] * (
                audio.T @ ((target - before) * np.float32(LEVEL))
            )
        for voice, gains in zip(self._voices, target.tolist(), strict=True):
            voice.gains = (gains[0], gains[1])
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
        """Step the network for all voices that lack samples, together, until none does. This also primes notes that are not cached."""
        needs = [voice.needed(count, ratio) for voice, ratio in zip(self._voices, ratios, strict=True)]
        while lacking := [v for v, need in zip(self._voices, needs, strict=True) if v.filled < need]:
            audio, state = self.model.step(
                np.stack([v.velocity for v in lacking]),
                np.stack([self.channels[v.channel].weights for v in lacking]),
                np.stack([v.pitch for v in lacking]),
                np.array([v.time for v in lacking], np.int64),
                VoiceState.gather([(v.state, v.row) for v in lacking]),
            )
            for row, voice in enumerate(lacking):
                weights = self.channels[voice.channel].weights
                if weights is not voice.weights:
                    voice.weights, voice.sustains = weights, self._sustains(weights)
                if voice.time >= self.model.PRIMING:
                    voice.wave[voice.filled : voice.filled + self.model.hop] = audio[row]
                    voice.filled += self.model.hop
                voice.time += 1
                voice.state, voice.row = (
                    state,
                    row,
                )  # keep them in one array: the same voices mostly need the next step together, too
                if voice.time == self.model.PRIMING:
                    key = voice.weights.tobytes(), voice.velocity.tobytes(), voice.pitch.tobytes()
                    self.keep({key: state.take([row])})

    def _sustains(self, weights: Array) -> bool:
        """Whether a sound lasts as long as its key is held, which its main instrument decides."""
        return self.model.sustains[int(np.argmax(weights))]

    def _follow(self, count: int) -> None:
        """Recompute looping notes whose channel's sound has changed: some steps for a few of them at a time. The number of steps
        depends on the time that passes, not on the size of the blocks."""
        for voice in self._voices:
            weights = self.channels[voice.channel].weights
            if voice.place >= LOOP_END and voice.replacement is None and not np.array_equal(voice.weights, weights):
                voice.replacement = ReplacementNote(self.model.initial_state(1), weights, self._sustains(weights))
        replacements = [(voice, voice.replacement) for voice in self._voices if voice.replacement is not None]
        for voice, replacement in replacements:
            if replacement.complete:
                voice.adopt(replacement)  # finding a loop takes a millisecond: only one in each part
                break
        busy = [(voice, replacement) for voice, replacement in replacements if not replacement.complete][:REPLACEMENTS]
        self._replacement_time = self._replacement_time + count if busy else 0
        steps, self._replacement_time = divmod(self._replacement_time, REPLACEMENT_EVERY)
        for _ in range(steps):
            audio, state = self.model.step(
                np.stack([voice.velocity for voice, _ in busy]),
                np.stack([replacement.weights for _, replacement in busy]),
                np.stack([voice.pitch for voice, _ in busy]),
                np.array([replacement.time for _, replacement in busy], np.int64),
                VoiceState.stack([replacement.state for _, replacement in busy]),
            )
            for row, (_, replacement) in enumerate(busy):
                replacement.take(audio[row], state.take([row]), self.model.PRIMING)
            busy = [(voice, replacement) for voice, replacement in busy if not replacement.complete]
            if not busy:
                return

    def _find_loops(self, count: int) -> None:
        """Prepare the loop of the note that reaches its loop next, or of several if time is short."""
        waiting = sorted((voice for voice in self._voices if voice.wants_loop), key=lambda voice: -voice.place)
        if waiting:
            left = max(LAST_CALL - waiting[0].place, 1.0)
            for voice in waiting[: max(1, round(len(waiting) * 2 * count / left))]:
                voice.prepare_loop()

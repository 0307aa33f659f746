"""Fills the note cache: the states just before the first sample of every note of a sound, computed in advance.

Otherwise the first block of a new note needs ``InstrumentModel.PRIMING`` additional steps. ``CacheWarmer`` owns the thread
``stemplay-note-cache``. The synthesiser stores the states, up to ``CACHE_BYTES``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import numpy as np

from rtaudio.instrument.model import InstrumentModel, VoiceState
from rtaudio.instrument.player import InstrumentPlayer
from rtaudio.instrument.synth import CACHE_BYTES, Key, rounded
from rtaudio.instrument.voice import Array

PRIMING_BATCH = 32
"""Number of notes primed in one batch."""


class CacheWarmer:
    """Primes the sounds in use, the most urgent first, each from the middle of its range outwards.

    Args:
        model: must not be used by any other thread.
        player: its synthesiser receives the states between two blocks.
    """

    def __init__(self, model: InstrumentModel, player: InstrumentPlayer) -> None:
        self._model, self._player = model, player
        self._wanted: list[Array] = []
        self._primed: set[bytes] = set()
        self._part = 0.0  # the part of the present sound that is done
        self._wake = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="stemplay-note-cache", daemon=True)

    @property
    def done(self) -> float:
        """The part of the wanted notes that is in the cache, 0 to 1."""
        wanted = self._wanted
        primed = sum(sound.tobytes() in self._primed for sound in wanted)
        return min(1.0, (primed + self._part) / len(wanted)) if wanted else 1.0

    def start(self, sounds: Iterable[Array]) -> None:
        """Start the thread with these sounds."""
        self.prime(sounds)
        self._thread.start()

    def prime(self, sounds: Iterable[Array]) -> None:
        """Prepare these sounds, the most urgent first, as many as fit into memory, instead of earlier ones. Never blocks for long."""
        unique = list({sound.tobytes(): sound for sound in sounds}.values())
        with self._wake:
            self._wanted = unique[: sounds_in_memory(self._model)]
            self._primed, self._part = set(), 0.0
            self._wake.notify()

    def stop(self) -> None:
        """End the thread."""
        with self._wake:
            self._ending = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _next(self) -> Array | None:
        return next((sound for sound in self._wanted if sound.tobytes() not in self._primed), None)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._ending or self._next() is not None)
                sound = self._next()
                if self._ending or sound is None:
                    return
                self._part = 0.0
            for part in self._sound(sound):
                with self._wake:
                    if self._ending or self._next() is not sound:
                        break
                    self._part = part
            else:
                with self._wake:
                    self._primed.add(sound.tobytes())
                    self._part = 0.0

    def _sound(self, sound: Array) -> Iterator[float]:
        """Prime the notes of a sound that the synthesiser lacks; yields the part that is done."""
        batches = list(note_batches(self._model, sound))
        for number, (velocities, pitches) in enumerate(batches):
            missing = [
                row
                for row in range(len(pitches))
                if not self._player.synth.knows((sound.tobytes(), velocities[row].tobytes(), pitches[row].tobytes()))
            ]
            if missing:
                states = primed_states(self._model, sound, velocities[missing], pitches[missing])
                self._player.enqueue(lambda synth, states=states: synth.keep(states))  # type: ignore[misc]
            yield (number + 1) / len(batches)


def sounds_in_memory(model: InstrumentModel) -> int:
    """The number of sounds of the widest range that fit into ``CACHE_BYTES``; at least 1."""
    widest = max(high - low + 1 for low, high in model.ranges)
    return max(1, CACHE_BYTES // (model.initial_state(1).nbytes * widest * len(_velocities(model))))


def _velocities(model: InstrumentModel) -> list[Array]:
    """Weights of the velocities that the cache distinguishes."""
    levels = sorted({min(127, max(model.velocities[0], rounded(velocity))) for velocity in range(1, 128)})
    return list({model.velocity_weights(level).tobytes(): model.velocity_weights(level) for level in levels}.values())


def note_batches(model: InstrumentModel, sound: Array) -> Iterator[tuple[Array, Array]]:
    """Velocity and pitch weights of all notes of a sound, ``PRIMING_BATCH`` at a time, outward from the middle of its range."""
    low, high = model.ranges[int(np.argmax(sound))]
    middle = (low + high) / 2
    notes = [
        (velocity, model.pitch_weights(pitch))
        for pitch in sorted(range(low, high + 1), key=lambda pitch: abs(pitch - middle))
        for velocity in _velocities(model)
    ]
    for start in range(0, len(notes), PRIMING_BATCH):
        part = notes[start : start + PRIMING_BATCH]
        yield np.stack([velocity for velocity, _ in part]), np.stack([pitch for _, pitch in part])


def primed_states(model: InstrumentModel, sound: Array, velocities: Array, pitches: Array) -> dict[Key, VoiceState]:
    """The states of notes just before their first sample, by the keys that ``Synth`` looks up."""
    count = len(pitches)
    sounds = np.repeat(sound[None], count, axis=0)
    state = model.initial_state(count)
    for step in range(model.PRIMING):
        _, state = model.step(velocities, sounds, pitches, np.full(count, step, np.int64), state)
    return {
        (sound.tobytes(), velocities[row].tobytes(), pitches[row].tobytes()): state.take([row]) for row in range(count)
    }

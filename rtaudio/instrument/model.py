"""An exported SING instrument on ONNX Runtime: one time step of any number of independent voices.

It computes notes at the model's rate and knows neither MIDI channels nor the device; ``rtaudio.instrument.synth`` plays it. One thread at a
time may use it; ``sibling`` shares the weights with another thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.card import CardError, ModelCard, read_card, verify_file
from models.catalog import find_model
from rtaudio.audio.format import StemplayError
from rtaudio.inference.denormals import DenormalsAsZero
from rtaudio.inference.runtime import check_file, compare_tensors, open_session

Array = npt.NDArray[np.float32]
_STATES = ("h", "c", "context", "tail")


@dataclass
class VoiceState:
    """The states of voices between two steps; the first axis of each array is the voice."""

    h: Array
    c: Array
    context: Array
    tail: Array

    def __len__(self) -> int:
        return len(self.h)

    def take(self, rows: Sequence[int] | npt.NDArray[Any]) -> VoiceState:
        """A copy of some voices."""
        return VoiceState(*(getattr(self, name)[rows].copy() for name in _STATES))

    @staticmethod
    def stack(states: Sequence[VoiceState]) -> VoiceState:
        """The voices of several states, in order; at least one."""
        return VoiceState(*(np.concatenate([getattr(state, name) for state in states]) for name in _STATES))

    @staticmethod
    def gather(places: Sequence[tuple[VoiceState, int]]) -> VoiceState:
        """The voices at these rows of states, in order; at least one. A copy, unless they are all rows of one state in order."""
        first = places[0][0]
        if len(first) == len(places) and all(s is first and row == k for k, (s, row) in enumerate(places)):
            return first
        return VoiceState(*(np.stack([getattr(state, name)[row] for state, row in places]) for name in _STATES))

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(getattr(self, name).nbytes for name in _STATES)


class InstrumentModel:
    """A loaded instrument.

    Args:
        model: name in the zoo, or a directory with ``model.onnx`` and ``card.json``.

    Attributes:
        instruments: names in the order of the table.
        pitches: lowest and highest MIDI pitch of the table. ``ranges``: those of each instrument's training notes.
        velocities: MIDI velocity of each level.
        steps: time steps of a note, which give ``samples`` audible samples, 4 s in the thesis.
        sustains: for each instrument, whether it sounds as long as its key is held.

    Raises:
        StemplayError: there is no such model, it is not an instrument, or its card and file contradict each other.
    """

    PRIMING = 13
    """Steps before the first audible sample (EQ-RT-3): the output of the steps 0 to 12 must not be heard."""

    def __init__(self, model: str | Path) -> None:
        try:
            directory = find_model(model)
            self.card: ModelCard = read_card(directory)
            if self.card.kind != "instrument":
                raise StemplayError(f"The model {self.card.name!r} is a {self.card.kind}, not an instrument.")
            data = verify_file(self.card, directory).read_bytes()
        except CardError as error:
            raise StemplayError(str(error)) from None
        except OSError as error:
            raise StemplayError(f"The model {str(model)!r} cannot be read: {error.strerror}.") from None
        self._read_facts()
        check_file(self.card, data)
        self._session = open_session(self.card, data, 1)
        self._check_tensors()
        self._start()

    def _read_facts(self) -> None:
        facts = self.card.training
        self.instruments = self.card.outputs
        self.hop, self.sample_rate = self.card.hop, self.card.sample_rate
        try:
            self.pitches: tuple[int, int] = (int(facts["pitches"][0]), int(facts["pitches"][1]))
            self.velocities = tuple(int(v) for v in facts["velocities"])
            self.steps = int(facts["steps"])
            self.sustains = tuple(bool(value) for value in facts["sustains"])
            self.ranges = tuple((int(low), int(high)) for low, high in facts["ranges"])
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise StemplayError(f"The card of {self.card.name!r} lacks a value that an instrument needs: {error}.") from None
        fits = len(self.sustains) == len(self.ranges) == len(self.instruments)
        if not fits or not self.velocities or self.pitches[0] > self.pitches[1] or self.steps <= self.PRIMING + 1:
            raise StemplayError(f"The card of {self.card.name!r} contradicts itself about its instruments or pitches.")

    def _check_tensors(self) -> None:
        f32, voices = "float32", "voices"
        states = {s.name: ((voices, *s.shape), s.dtype) for s in self.card.states}
        symbols: dict[str, tuple[tuple[Any, ...], str]] = {
            "velocity": ((voices, len(self.velocities)), f32),
            "instrument": ((voices, len(self.instruments)), f32),
            "pitch": ((voices, self.pitches[1] - self.pitches[0] + 1), f32),
            "time": ((voices,), "int64"),
        }
        audio: dict[str, tuple[tuple[Any, ...], str]] = {"audio": ((voices, self.hop), f32)}
        compare_tensors(
            self.card, "input", self._session.get_inputs(), symbols | {f"state.{k}": v for k, v in states.items()}
        )
        compare_tensors(
            self.card, "output", self._session.get_outputs(), audio | {f"next.{k}": v for k, v in states.items()}
        )

    def _start(self) -> None:
        self._shapes = {s.name: s.shape for s in self.card.states}
        self._fetch = ["audio", *(f"next.{name}" for name in _STATES)]
        self._quick = DenormalsAsZero()

    def sibling(self) -> InstrumentModel:
        """An instrument for another thread that shares the loaded weights."""
        other = object.__new__(InstrumentModel)
        other.__dict__.update(self.__dict__)
        other._start()
        return other

    @property
    def samples(self) -> int:
        """Samples of a whole note at the model's rate: 64,000 for 265 steps."""
        return (self.steps - self.PRIMING - 2) * self.hop

    def initial_state(self, batch: int) -> VoiceState:
        """The state before a note."""
        return VoiceState(*(np.zeros((batch, *self._shapes[name]), np.float32) for name in _STATES))

    def step(
        self, velocity: Array, instrument: Array, pitch: Array, time: npt.NDArray[np.int64], state: VoiceState
    ) -> tuple[Array, VoiceState]:
        """One time step: ``(voices, 256)`` samples and the next state.

        Args:
            velocity, instrument, pitch: weights over the rows of each table, ``(voices, rows)``.
            time: step of each voice, 0 to ``steps - 1``.
        """
        feed: dict[str, Any] = {"velocity": velocity, "instrument": instrument, "pitch": pitch, "time": time}
        for name in _STATES:
            feed[f"state.{name}"] = getattr(state, name)
        with self._quick:
            audio, *states = self._session.run(self._fetch, feed)
        return audio, VoiceState(*states)

    def velocity_weights(self, velocity: float) -> Array:
        """Weights of the two levels around a MIDI velocity; outside the range of levels, the nearest one."""
        return _between(np.asarray(self.velocities, np.float64), velocity)

    def pitch_weights(self, pitch: float) -> Array:
        """Weights of a MIDI pitch, clipped to the range of the table."""
        return _between(np.arange(self.pitches[0], self.pitches[1] + 1, dtype=np.float64), pitch)

    def instrument_weights(self, shares: Mapping[Any, float]) -> Array:
        """Weights from shares by name or index, scaled to sum to 1. Raises StemplayError for unknown names or if no share is above 0."""
        weights = np.zeros(len(self.instruments), np.float32)
        for key, share in shares.items():
            if isinstance(key, str):
                if key not in self.instruments:
                    raise StemplayError(f"There is no instrument {key!r} in the model {self.card.name!r}.")
                key = self.instruments.index(key)
            if not 0 <= key < len(weights):
                raise StemplayError(f"There is no instrument {key} in the model {self.card.name!r}.")
            weights[key] += max(0.0, float(share))
        if not weights.sum() > 0:
            raise StemplayError("A sound needs at least one instrument with a share above 0.")
        result: Array = weights / weights.sum()
        return result


def _between(levels: npt.NDArray[np.float64], value: float) -> Array:
    """Linear interpolation as weights over ``levels`` (ascending)."""
    weights = np.zeros(len(levels), np.float32)
    place = float(np.interp(value, levels, np.arange(len(levels))))
    low = min(int(place), len(levels) - 1)
    weights[low] = 1 - (place - low)
    if place > low:
        weights[low + 1] = place - low
    return weights

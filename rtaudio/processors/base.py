"""The one contract of everything that makes or changes sound.

A processor is used by one thread at a time (the engine's worker, or an offline loop). It may allocate and take time; it may
not touch devices.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rtaudio.audio.format import Audio, StreamFormat

State = dict[str, Any]
"""What ``save_state`` returns: opaque to the caller, valid for a processor of the same class, model and format."""


class Processor(ABC):
    """A mix in, ``outputs`` named stems out, any number of frames a call.

    ``process`` returns exactly as many frames as it was given; the output is delayed by ``latency`` samples (at the format's
    rate), so the first ``latency`` frames after ``reset`` are zeros. ``flush`` returns the ``latency`` frames that are still
    inside, computed as if silence followed, *before* it clears anything, and then resets.

    Equality to keep: for any cutting into blocks, ``concat(process(b) for b in blocks) + flush()`` is the same to 1e-5, and its
    frames ``latency:`` are the stems of the input, aligned to the sample.
    """

    outputs: tuple[str, ...] = ()

    @property
    def burst(self) -> int:
        """Frames at the format's rate whose work is done at once, in the call that completes them."""
        return 1

    @property
    def missing(self) -> int:
        """Frames until more stems can be ready: fewer change nothing but what is due. At least 1, and never too many."""
        return 1

    def ahead(self) -> Audio | None:
        """Stems that are ready before they are due, ``(frames, len(outputs), channels)``: the next calls return them first."""
        return None

    @property
    def elsewhere_s(self) -> float:
        """Seconds of processor time that threads of its own have taken so far, beside its caller's."""
        return 0.0

    @abstractmethod
    def prepare(self, fmt: StreamFormat) -> None:
        """Get ready for ``fmt`` (allocate, load converters, warm up) and reset. Raises StemplayError if it cannot."""

    @abstractmethod
    def process(self, block: Audio) -> Audio:
        """``(frames, channels)`` -> ``(frames, len(outputs), channels)``."""

    @abstractmethod
    def flush(self) -> Audio:
        """The tail: ``(latency, len(outputs), channels)``, then reset."""

    @abstractmethod
    def reset(self) -> None:
        """Forget the past: bit-identical to a fresh, prepared processor afterwards."""

    @property
    @abstractmethod
    def latency(self) -> int:
        """Delay in samples at the prepared format's rate. Constant between two calls of ``prepare``."""

    @property
    def algorithmic_latency(self) -> int:
        """The part of ``latency`` that is the model's framing (hop and look-ahead), in samples at the format's rate."""
        return self.latency

    @property
    def resampler_latency(self) -> int:
        """The part of ``latency`` held back by rate converters, in samples at the format's rate."""
        return self.latency - self.algorithmic_latency

    def align(self, block: int) -> None:  # noqa: B027 - a promise that most processors cannot use
        """Promise that each call until the next ``prepare`` has a multiple of ``block`` frames; resets.

        Call it after ``prepare`` when the host's block is fixed. Ask ``latency`` again afterwards: a model whose frames fit
        the blocks holds back ``hop - gcd(hop, block)`` samples instead of ``hop``. The default changes nothing.
        """

    def save_state(self) -> State:
        """A deep copy of all recurrent state."""
        raise NotImplementedError(f"{type(self).__name__} cannot save its state.")

    def restore_state(self, state: State) -> None:
        """Put back what ``save_state`` returned."""
        raise NotImplementedError(f"{type(self).__name__} cannot restore a state.")

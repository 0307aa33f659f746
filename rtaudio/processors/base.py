"""The interface of all processors, which turn a mix into stems.

A processor is used by one thread at a time (the engine's worker, or an offline loop). It may allocate memory and take time. It must
not use audio devices.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rtaudio.audio.format import Audio, StreamFormat

State = dict[str, Any]
"""What ``save_state`` returns: opaque to the caller, valid for a processor of the same class, model and format."""


class Processor(ABC):
    """Turns a mix into the stems named by ``outputs``, any number of frames in each call.

    ``process`` returns exactly as many frames as it was given; the output is delayed by ``latency`` samples (at the format's
    rate), so the first ``latency`` frames after ``reset`` are zeros. ``flush`` returns the ``latency`` frames that are still
    inside, computed as if silence followed, *before* it clears anything, and then resets.

    For any division into blocks, ``concat(process(b) for b in blocks) + flush()`` must be the same to 1e-5, and its frames
    ``latency:`` are the stems of the input, aligned to the sample.
    """

    outputs: tuple[str, ...] = ()
    parts: int = 1
    """Signals of the format's channels, side by side in each block of input, whose sum is the mix."""

    @property
    def burst(self) -> int:
        """Number of frames (at the format's rate) that are processed together, in the call that completes them."""
        return 1

    @property
    def missing(self) -> int:
        """Number of input frames until more stems can be ready. With fewer frames no new stems are computed. At least 1, never too high."""
        return 1

    def ahead(self) -> Audio | None:
        """Stems computed before they are due, ``(frames, len(outputs), channels)``, or None. The next calls return these frames first."""
        return None

    @property
    def elsewhere_s(self) -> float:
        """Seconds of processor time used so far by the processor's own threads, without the caller's."""
        return 0.0

    @abstractmethod
    def prepare(self, fmt: StreamFormat) -> None:
        """Prepare for ``fmt`` (allocate, make converters, warm up) and reset. Raises StemplayError if that is impossible."""

    @abstractmethod
    def process(self, block: Audio) -> Audio:
        """``(frames, parts * channels)`` -> ``(frames, len(outputs), channels)``."""

    @abstractmethod
    def flush(self) -> Audio:
        """Return the last ``latency`` frames, ``(latency, len(outputs), channels)``, and reset."""

    @abstractmethod
    def reset(self) -> None:
        """Clear all state. Afterwards the processor is bit-identical to a new one after ``prepare``."""

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
        """Restore what ``save_state`` returned."""
        raise NotImplementedError(f"{type(self).__name__} cannot restore a state.")

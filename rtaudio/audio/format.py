"""The stream format: sample rate, channels and block size, defined once.

Everything that moves audio inside Stemplay agrees on this: float32, frames first (``(frames, channels)`` for a mix,
``(frames, n_sources, channels)`` for stems), nominal range -1 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]
"""float32 samples, frames first."""

SOURCES = ("drums", "bass", "other", "vocals")
"""Source order of the thesis (section 3.3), used wherever a model's card does not say otherwise."""

MIN_RATE, MAX_RATE = 4_000, 384_000


class StemplayError(Exception):
    """A problem that the user can fix, described in one sentence.

    The command line prints it and exits with code 2. The engine puts it into its snapshot. No traceback is shown.
    """


@dataclass(frozen=True)
class StreamFormat:
    """Format of an audio stream.

    Attributes:
        rate: sample rate in Hz.
        channels: number of channels of the mix (1 or 2 for the shipped models).
        block: the largest number of frames of one call; calls may be shorter.
    """

    rate: int
    channels: int = 2
    block: int = 256

    def __post_init__(self) -> None:
        if not MIN_RATE <= self.rate <= MAX_RATE:
            raise StemplayError(f"A sample rate of {self.rate} Hz is outside {MIN_RATE} to {MAX_RATE} Hz.")
        if not 1 <= self.channels <= 64:
            raise StemplayError(f"{self.channels} channels are not possible: choose 1 to 64.")
        if not 1 <= self.block <= 1 << 16:
            raise StemplayError(f"A block of {self.block} frames is outside 1 to {1 << 16}.")


def to_channels(audio: Audio, channels: int) -> Audio:
    """Return ``audio`` ``(frames, n)`` with ``channels`` channels: mono is copied to all, surplus channels are averaged to mono."""
    have = audio.shape[1]
    if have == channels:
        return audio
    if have == 1:
        return np.repeat(audio, channels, axis=1)
    if channels == 1:
        mono: Audio = audio.mean(axis=1, keepdims=True, dtype=np.float32)
        return mono
    return (
        np.ascontiguousarray(audio[:, :channels]) if have > channels else np.pad(audio, ((0, 0), (0, channels - have)))
    )

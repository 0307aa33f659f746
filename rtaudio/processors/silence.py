"""Silence in, silence out: where the input has been digitally silent for a moment, stems fade to exact zeros.

A network that hears nothing still makes a little noise (peaks of -51 to -68 dB in each stem). It cancels in the sum of all stems, but
not in one alone. Only exact zeros in all channels count as silence: a reverb tail sounds to its last bit, however quiet it is. The gain
of a sample depends on the input up to this sample and on nothing else, so any block size, live playing and files give the same.
Networks and filters are not told: when sound returns, its first sample already has the full gain.
"""

from __future__ import annotations

import numpy as np

from rtaudio.audio.format import Audio

HOLD_S = 0.02
"""Digital silence that changes nothing: it may be a gap between two samples of a quiet sound."""
FADE_S = 0.07
"""Fade to zero after that, half a cosine. Together less than a tenth of a second, some of which converters of rates need."""


class SilenceGain:
    """The gain of each sample of an input, from 1 to exactly 0. Before the first sample there was silence.

    Args:
        rate: of the input, in Hz.
    """

    def __init__(self, rate: int) -> None:
        hold, fade = round(HOLD_S * rate), max(1, round(FADE_S * rate))
        falling = 0.5 * (1 + np.cos(np.pi * np.arange(1, fade + 1) / fade))
        self._gain = np.concatenate((np.ones(hold + 1), falling)).astype(np.float32)  # by samples of silence so far
        self._gain[-1] = 0.0
        self.silent = self._longest = len(self._gain) - 1

    def of(self, block: Audio) -> Audio:
        """Gains ``(frames,)`` of ``block`` ``(frames, channels)``, the next of the input."""
        sounding = np.count_nonzero(block)
        if sounding == block.size:  # most blocks, an empty one too: in a tenth of the time
            self.silent = 0 if len(block) else self.silent
            return np.ones(len(block), np.float32)
        if not sounding and self.silent == self._longest:
            return np.zeros(len(block), np.float32)
        numbers = np.arange(1, len(block) + 1)
        last = np.maximum.accumulate(np.where(block.any(axis=1), numbers, -self.silent))  # the last sample that was not silent
        silent = np.minimum(numbers - last, self._longest)
        self.silent = int(silent[-1])
        gains: Audio = self._gain[silent]
        return gains

    def reset(self) -> None:
        """Forget the past."""
        self.silent = self._longest

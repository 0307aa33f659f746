"""Whether what a model gives can be its answer: finite samples, and not silence where there is sound."""

from __future__ import annotations

import numpy as np

from rtaudio.audio.format import Audio, StemplayError

SOUNDING = 1e-4
"""Mean magnitude of sound: -80 dB below full scale."""
SILENT_S = 1.0
"""For so long every stem may be exactly zero under sound; a separator that works gives no zeros at all."""


class OutputCheck:
    """Looks at each piece that a processor was given and gave.

    Args:
        rate: of the stream in Hz; ``latency``: of the processor in samples, whose beginning is silence by right.
    """

    def __init__(self, rate: int, latency: int) -> None:
        self._limit = round(SILENT_S * rate) + latency
        self._silent = 0

    def __call__(self, mix: Audio, stems: Audio) -> None:
        """Raises StemplayError if ``stems`` cannot be played; the next pieces may be better.

        Args:
            mix: ``(frames, channels)``, what the processor was given; ``stems``: ``(frames, stems, channels)``, what it gave.
        """
        if not np.isfinite(stems).all():
            raise StemplayError("it gave samples that are not finite")
        if stems.any() or not len(mix):
            self._silent = 0
        elif stems.shape[1] > 1 and float(np.abs(mix).mean()) > SOUNDING:
            self._silent += len(mix)
            if self._silent > self._limit:
                raise StemplayError("it gives nothing but silence for sound")

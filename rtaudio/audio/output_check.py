"""Checks the output of a model: its samples must be finite, and it must not stay silent while there is sound at the input."""

from __future__ import annotations

import numpy as np

from rtaudio.audio.format import Audio, StemplayError

SOUNDING = 1e-4
"""Mean magnitude of sound: -80 dB below full scale."""
SILENT_S = 1.0
"""How long all stems may be exactly zero while the input has sound. The stems of a working separator are never exactly zero."""


class OutputCheck:
    """Checks each block of a processor's input and output.

    Args:
        rate: of the stream in Hz. ``latency``: of the processor in samples; its first ``latency`` output samples are silent.
    """

    def __init__(self, rate: int, latency: int) -> None:
        self._limit = round(SILENT_S * rate) + latency
        self._silent = 0

    def __call__(self, mix: Audio, stems: Audio) -> None:
        """Raises StemplayError if ``stems`` cannot be played. Later blocks may be valid again.

        Args:
            mix: the processor's input, ``(frames, channels)``. ``stems``: its output, ``(frames, stems, channels)``.
        """
        if not np.isfinite(stems).all():
            raise StemplayError("its output contains samples that are not finite")
        if stems.any() or not len(mix):
            self._silent = 0
        elif stems.shape[1] > 1 and float(np.abs(mix).mean()) > SOUNDING:
            self._silent += len(mix)
            if self._silent > self._limit:
                raise StemplayError("its output is silent although its input is not")

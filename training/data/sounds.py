"""Reads sound files for training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from rtaudio.audio.format import StemplayError


def read_mono(path: Path, rate: int) -> npt.NDArray[np.float32]:
    """A whole file as ``(samples,)`` at ``rate``.

    Raises:
        StemplayError: it is not a sound file.
    """
    try:
        wav, own = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise StemplayError(f"{path} cannot be read as sound: {str(error).rstrip('.')}.") from None
    return np.asarray(soxr.resample(wav.mean(1), own, rate), dtype=np.float32)

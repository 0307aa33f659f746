"""All sounds of a sheet in one file, one after the other, so that a running player moves between them without a gap.

    check | pause | sound 1 | pause | sound 2 | pause | ...

The check is noise as loud as the loudest sound, for setting the volume. No sound is made louder or softer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from rtaudio.audio.format import Audio, StemplayError, to_channels

PAUSE_S = 2.0
"""Silence after each sound, in which the player must stop."""

CHECK_S = 4.0
CHECK = "check"


@dataclass(frozen=True)
class Piece:
    """The position of a sound in the reel, in seconds."""

    start: float
    seconds: float

    @property
    def end(self) -> float:
        """Its end."""
        return self.start + self.seconds


class Reel:
    """A WAV file at ``path`` with the ``sounds``; ``pieces`` has their positions by name, and that of ``CHECK``.

    ``build`` writes it in steps, so that a window can show the progress. Raises StemplayError if a file is not a sound.
    """

    def __init__(self, path: Path, sounds: list[Path]) -> None:
        self.path, self.sounds = path, sounds
        self.pieces: dict[Path | str, Piece] = {}
        infos = [_info(sound) for sound in sounds]
        self.rate = max(info.samplerate for info in infos)
        self.channels = min(2, max(info.channels for info in infos))

    def build(self) -> Iterator[float]:
        """Write the file; yields the finished share after each sound of two passes."""
        loudest = 0.0
        for number, sound in enumerate(self.sounds, 1):
            loudest = max(loudest, float(np.sqrt(np.mean(np.square(self._read(sound))))))
            yield 0.5 * number / len(self.sounds)
        with soundfile.SoundFile(self.path, "w", self.rate, self.channels, "PCM_24", format="WAV") as file:
            self._add(file, CHECK, self._noise(loudest))
            for number, sound in enumerate(self.sounds, 1):
                self._add(file, sound, self._read(sound))
                yield 0.5 + 0.5 * number / len(self.sounds)

    def _add(self, file: soundfile.SoundFile, name: Path | str, audio: Audio) -> None:
        self.pieces[name] = Piece(file.frames / self.rate, len(audio) / self.rate)
        file.write(audio)
        file.write(np.zeros((round(PAUSE_S * self.rate), self.channels), np.float32))

    def _read(self, sound: Path) -> Audio:
        try:
            audio, rate = soundfile.read(sound, dtype="float32", always_2d=True)
        except (OSError, soundfile.LibsndfileError) as error:
            raise StemplayError(f"{sound} cannot be read as sound: {error}.") from None
        audio = to_channels(audio, self.channels)
        return np.asarray(soxr.resample(audio, rate, self.rate) if rate != self.rate else audio, np.float32)

    def _noise(self, rms: float) -> Audio:
        """Noise whose power falls with frequency, as in music, with fades; peaks stay below full scale."""
        count = round(CHECK_S * self.rate)
        spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(count))
        frequencies = np.fft.rfftfreq(count, 1 / self.rate)
        noise = np.fft.irfft(np.where(frequencies > 60, spectrum / np.sqrt(np.maximum(frequencies, 60)), 0), count)
        noise *= rms / np.sqrt(np.mean(np.square(noise)))
        noise *= min(1.0, 0.89 / max(1e-9, float(np.abs(noise).max())))
        fade = np.clip(np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.1 * self.rate), 0, 1)
        return np.repeat((noise * fade).astype(np.float32)[:, None], self.channels, axis=1)


def _info(sound: Path) -> Any:
    try:
        info = soundfile.info(sound)
    except (OSError, soundfile.LibsndfileError) as error:
        raise StemplayError(f"{sound} cannot be read as sound: {error}.") from None
    if not info.frames:
        raise StemplayError(f"{sound} contains no sound.")
    return info

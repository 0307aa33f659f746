"""Builds the pack: compressed raw data, a soundfont, initial weights, wheels and two scripts, in one folder.

Uploads to rented machines are limited, and the machines are paid by the minute. So the pack has recordings as Opus at low rates, and
songs as MIDI, which is rendered there on many processors. The codec's losses are small compared with a separator's errors.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from rtaudio.audio.format import SOURCES, StemplayError
from training.data import arrange, decode, musdb18
from training.data.jobs import SINGER_OF, SOURCES_OF, Options, backing_songs
from training.data.store import Stems, write_atomic

OPUS_RATE = 48_000
STEM_LEVEL, VOICE_LEVELS = 0.9, {"mir1k": 0.96, "ravdess": 0.955, "makam": 0.86}
"""libsndfile's compression levels: about 64 kbit/s for a stem, 16 to 40 kbit/s for a voice."""
WHEELS = ("soundfile", "cffi", "pycparser", "tinysoundfont", "soxr", "mido", "packaging", "pedalboard", "tqdm")
"""Packages that preparation and training import besides torch, lightning, numpy, scipy, safetensors and onnx, which such machines have."""
SCRIPTS = ("start.sh", "poll.sh")


@dataclass(frozen=True)
class PackOptions:
    """The contents of the pack.

    Attributes:
        data: the raw data, as for ``prepare stems``.
        output: the folder to make; its contents are replaced.
        soundfont: the soundfont to include.
        weights: initial weights, by the names of their recipes.
        share: share of the singers' recordings to include, picked evenly.
        backing: number of songs that ``mma`` generates here in advance.
        python: Python version on that machine, for wheels; empty for no wheels.
        limit: largest size of the pack in MiB.
    """

    data: Path
    output: Path
    soundfont: Path
    weights: dict[str, Path]
    share: float = 0.5
    backing: int = 120
    python: str = "3.12"
    limit: float = 58.0


def build(options: PackOptions) -> dict[str, float]:
    """Make the pack; returns the MiB of its parts.

    Raises:
        StemplayError: inputs are missing, wheels cannot be downloaded, or the pack is too large.
    """
    if not options.data.is_dir():
        raise StemplayError(f"There is no folder {options.data}: name the one with the raw data with --data.")
    shutil.rmtree(options.output, ignore_errors=True)
    options.output.mkdir(parents=True)
    sizes: dict[str, float] = {}
    with zipfile.ZipFile(options.output / "data.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for part, files in _parts(options):
            before = archive.fp.tell() if archive.fp else 0
            for name, content in files:
                if isinstance(content, Path):
                    archive.write(content, name)
                else:
                    archive.writestr(name, content)
            sizes[part] = ((archive.fp.tell() if archive.fp else 0) - before) / 2**20
    if options.python:
        _fetch_wheels(options.output / "wheels", options.python)
    for name in SCRIPTS:
        write_atomic(options.output / name, Path(__file__).with_name(name).read_bytes())
    sizes["wheels"] = sum(path.stat().st_size for path in options.output.glob("wheels/*")) / 2**20
    total = sum(path.stat().st_size for path in options.output.rglob("*") if path.is_file()) / 2**20
    if total > options.limit:
        raise StemplayError(
            f"The pack has {total:.1f} MiB, more than --limit {options.limit:g}: lower --share or --backing."
        )
    return {**sizes, "all": total}


Content = bytes | Path


def _parts(options: PackOptions) -> Iterator[tuple[str, Iterator[tuple[str, Content]]]]:
    yield "songs", _songs(options.data)
    for singer in SINGER_OF:
        yield singer, _voices(options.data, singer, options.share if singer != "makam" else 1.0)
    yield "midi", _midi(options)
    yield "soundfont", iter([(f"soundfonts/{options.soundfont.name}", options.soundfont)])
    yield "weights", iter((f"weights/{name}.safetensors", path) for name, path in options.weights.items())


def _songs(data: Path) -> Iterator[tuple[str, Content]]:
    """Training and validation songs as folders of Opus files. Test songs are not included."""
    songs = [job for job in SOURCES_OF["musdb"].jobs(data, Options(data, data)) if job.split != "test"]
    if not songs:
        raise StemplayError(f"There are no songs in {data / 'musdb18-7s' / 'train'}.")
    for song in songs:
        path = song.paths[0]
        stems = musdb18.read_stems(path if len(song.paths) == 1 else path.parent)
        for source, stem in zip(SOURCES, stems, strict=True):
            yield f"data/musdb18-7s/train/{song.name}/{source}.opus", _opus(stem, STEM_LEVEL)


def _voices(data: Path, singer: str, share: float) -> Iterator[tuple[str, Content]]:
    paths = sorted((data / "voice" / singer).glob("*.o*"))
    for path in paths[:: max(1, round(1 / share))]:
        yield f"data/voice/{singer}/{path.stem}.opus", _opus(decode.read_voice(path)[None], VOICE_LEVELS[singer])


def _opus(sound: Stems, level: float) -> bytes:
    """``(channels, time)`` at 44.1 kHz as an Opus file."""
    resampled = soxr.resample(sound.T, decode.RATE, OPUS_RATE)
    peak = max(1.0, float(np.abs(resampled).max(initial=0.0)))  # Opus clips
    with tempfile.TemporaryDirectory() as place:  # libsndfile finishes a file in memory too late
        path = Path(place) / "sound.opus"
        soundfile.write(
            path, resampled / peak, OPUS_RATE, format="OGG", subtype="OPUS", compression_level=level,
        )  # fmt: skip
        return path.read_bytes()


def _midi(options: PackOptions) -> Iterator[tuple[str, Content]]:
    for path in sorted((options.data / "midi").glob("*/*.mid")):
        yield f"data/midi/{path.parent.name}/{path.name}", path
    if not arrange.available():
        return
    songs = Options(options.data, options.output, (options.soundfont,), backing=options.backing)
    for number, arrangement in enumerate(backing_songs(songs)):
        place = options.output / "song.mid"
        arrange.write_midi(arrangement, place)
        yield f"data/midi/mma/{number:04d}.mid", place.read_bytes()
        yield f"data/midi/mma/{number:04d}.json", json.dumps(arrange.to_dict(arrangement)).encode()
        place.unlink()


def _fetch_wheels(folder: Path, python: str) -> None:
    """Wheels for 64-bit Linux. Raises StemplayError if they cannot be downloaded."""
    platforms = [f"manylinux{name}_x86_64" for name in ("_2_28", "_2_27", "_2_24", "_2_17", "2014", "2010", "1")]
    line = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    line += ["--only-binary=:all:", "--implementation", "cp", "--python-version", python, "-d", str(folder)]
    for platform in platforms:
        line += ["--platform", platform]
    result = subprocess.run([*line, *WHEELS], capture_output=True, text=True, check=False)
    if result.returncode:
        reason = (result.stderr.strip() or "pip said nothing").splitlines()[-1]
        raise StemplayError(f"The wheels for Python {python} cannot be downloaded: {reason}")

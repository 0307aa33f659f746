"""The collections of the store: the places of their inputs, and one job for each item to make."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rtaudio.audio.format import SOURCES
from training.data import arrange, mastering, midi, musdb18, packages
from training.data import folder as stem_folders
from training.data.splits import split_of, split_of_open
from training.data.store import fingerprint

VERSION = 1
"""Increase it when the same inputs would give different arrays."""

FONT_FOLDERS = (
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
)


@dataclass(frozen=True)
class Job:
    """One item to make: ``paths`` are its inputs.

    Attributes:
        take, finish: set for rendered songs: how they are played, and how they are mastered.
        arrangement: set for backing tracks: the song to play. ``paths`` are then recordings of its singer.
        score: the MIDI file of the arrangement, if ``mma`` has already made it.
        mapping: set for folders of stems.
    """

    collection: str
    name: str
    paths: tuple[Path, ...]
    split: str = "train"
    group: str = ""
    bandwidth: float = 22_050.0
    take: midi.Take | None = None
    finish: mastering.Finish | None = None
    arrangement: arrange.Arrangement | None = None
    score: Path | None = None
    mapping: stem_folders.Mapping | None = None

    def digest(self) -> str:
        """SHA-256 of everything that determines the item's contents.

        It covers the ``repr`` of the options, so renaming one of their classes or fields would render every song again.
        """
        how = [value for value in (self.finish, self.arrangement, self.mapping) if value is not None]
        return fingerprint(self.paths, VERSION, self.take, self.split, self.bandwidth, *how)


@dataclass(frozen=True)
class Source:
    """One collection: the function that lists its jobs, and the contents of its files."""

    stems: tuple[str, ...]
    channels: int
    licence: str
    jobs: Callable[[Path, Options], Iterator[Job]]


@dataclass(frozen=True)
class Options:
    """The choices of the command line.

    Attributes:
        data: folder with ``musdb18-7s``, ``voice`` and ``midi``.
        output: folder of the store.
        soundfonts: fonts to render with, drawn at random.
        takes: renderings of each song.
        song_seconds: length of each rendering.
        grooves: number of drum performances rendered.
        backing: number of backing tracks to make with ``mma``.
        singers: folders of ``voice`` with the singing for them.
        musdb: MUSDB18 or MUSDB18-HQ, instead of the previews in ``data``.
        packages: root of the file system below which Debian's packages are installed or unpacked.
        stems, mapping: folder that has a folder of stems for each song, and the mapping of its file names.
    """

    data: Path
    output: Path
    soundfonts: tuple[Path, ...] = ()
    takes: int = 2
    song_seconds: float = 100.0
    grooves: int = 240
    backing: int = 120
    singers: tuple[str, ...] = ("makam",)
    musdb: Path | None = None
    stems: Path | None = None
    mapping: stem_folders.Mapping | None = None
    workers: int = 2
    seed: int = 0
    packages: Path = Path("/")


def find_soundfonts(folders: tuple[str, ...] = FONT_FOLDERS) -> tuple[Path, ...]:
    """Installed General MIDI soundfonts, each once (without links and light variants)."""
    found = [path for folder in folders for path in sorted(Path(folder).glob("*.sf[23]")) if not path.is_symlink()]
    return tuple(path for path in found if "lite" not in path.name.lower())


def _musdb_jobs(data: Path, options: Options) -> Iterator[Job]:
    if options.musdb is not None:
        for song in musdb18.songs(options.musdb):
            yield Job("musdb", song.name, song.files, song.split, song.name)
        return
    for folder in ("train", "dev", "test"):
        for path in sorted((data / "musdb18-7s" / folder).glob("*.stem.mp4")):
            name = path.name.removesuffix(".stem.mp4")
            yield Job("musdb", name, (path,), split_of(folder, name), name)
        for path in sorted((data / "musdb18-7s" / folder).glob("*/")):  # the same songs as folders of stems
            if path.is_dir():
                yield Job(
                    "musdb", path.name, tuple(stem_folders.stem_files(path)), split_of(folder, path.name), path.name
                )


def _open_song_jobs(data: Path, options: Options) -> Iterator[Job]:
    """Whole songs of ``stems-open``: all held-out ones, and those of the others that have a bass stem.

    The bass of the remaining songs is in their ``other``, or in no file: as songs they would teach that low notes are not bass.
    """
    for job in _folder_jobs(data, "stems-open", "stems-open", split_of_open):
        if job.split == "test" or any(path.stem == "bass" for path in job.paths):
            yield job


def _open_part_jobs(collection: str, source: str) -> Callable[[Path, Options], Iterator[Job]]:
    """One stem of every song of ``stems-open`` that is not held out, for remixes."""

    def jobs(data: Path, options: Options) -> Iterator[Job]:
        for job in _folder_jobs(data, "stems-open", collection, split_of_open):
            paths = tuple(path for path in job.paths if path.stem == source)
            if job.split == "train" and paths:
                yield replace(job, paths=paths)

    return jobs


def _research_jobs(data: Path, options: Options) -> Iterator[Job]:
    yield from _folder_jobs(data, "stems-research", "stems-research", lambda name: "train")


def _folder_jobs(data: Path, folder: str, collection: str, split: Callable[[str], str]) -> Iterator[Job]:
    """Songs in ``data/folder``, a folder of stems each; none if it is missing."""
    root = data / folder
    for path in stem_folders.song_folders(root) if root.is_dir() else []:
        files = tuple(stem_folders.stem_files(path))
        yield Job(collection, path.name, files, split(path.name), path.name, mapping=stem_folders.Mapping())


def _solo_jobs(collection: str, prefix: str) -> Callable[[Path, Options], Iterator[Job]]:
    """Recordings of one instrument in ``data/solo/guitar`` whose names start with ``prefix``; their source is ``other``."""

    def jobs(data: Path, options: Options) -> Iterator[Job]:
        for path in sorted((data / "solo" / "guitar").glob(f"{prefix}_*.o*")):
            yield Job(collection, path.stem, (path,), group=path.stem, mapping=SOLO)

    return jobs


def _stem_jobs(data: Path, options: Options) -> Iterator[Job]:
    if options.stems is not None:
        for path in stem_folders.song_folders(options.stems):
            files = tuple(stem_folders.stem_files(path))
            yield Job("stems", path.name, files, group=path.name, mapping=options.mapping or stem_folders.Mapping())


def _voice_jobs(
    folder: str, singer: Callable[[str], str], bandwidth: float = 22_050.0
) -> Callable[[Path, Options], Iterator[Job]]:
    def jobs(data: Path, options: Options) -> Iterator[Job]:
        singers: dict[str, list[Path]] = {}
        for path in sorted((data / "voice" / folder).glob("*.o*")):
            singers.setdefault(singer(path.stem), []).append(path)
        for name, paths in singers.items():
            yield Job(folder, name, tuple(paths), group=name, bandwidth=bandwidth)

    return jobs


def _package_jobs(collection: str) -> Callable[[Path, Options], Iterator[Job]]:
    """One item for each speaker or kind of noise in Debian's packages."""

    def jobs(data: Path, options: Options) -> Iterator[Job]:
        for group, paths in packages.groups_of(collection, options.packages):
            yield Job(collection, group, paths, packages.split_of_group(group), group)

    return jobs


def _song_jobs(folder: str) -> Callable[[Path, Options], Iterator[Job]]:
    def jobs(data: Path, options: Options) -> Iterator[Job]:
        for number in range(options.takes):
            for path in sorted((data / "midi" / folder).glob("*.mid")):
                rng = np.random.default_rng([options.seed, number, *path.stem.encode()])
                take = midi.draw_take(rng, list(options.soundfonts), options.song_seconds)
                finish = mastering.draw_mastering(rng, len(RENDERED))
                yield Job(folder, f"{path.stem}.{number}", (path,), group=path.stem, take=take, finish=finish)

    return jobs


def _groove_jobs(data: Path, options: Options) -> Iterator[Job]:
    paths = sorted((data / "midi" / "groove").glob("*.mid"))
    beats = [path for path in paths if "_beat_" in path.name] or paths
    rng = np.random.default_rng([options.seed, 99])
    for path in [beats[i] for i in rng.permutation(len(beats))[: options.grooves]]:
        take = replace(midi.draw_take(rng, list(options.soundfonts), 30.0), skip=0.0)
        yield Job("groove", path.stem, (path,), group=path.stem.split("_")[0], take=take)


def backing_songs(options: Options) -> Iterator[arrange.Arrangement]:
    """The songs of backing tracks; none if ``mma`` is not installed."""
    for number in range(options.backing if arrange.available() else 0):
        yield arrange.draw_arrangement(np.random.default_rng([options.seed, 7, number]), arrange.grooves())


def _backing_jobs(data: Path, options: Options) -> Iterator[Job]:
    """Backing tracks with one singer each; three in four songs have singing. Those with a MIDI file do not need ``mma``."""
    played = sorted((data / "midi" / "mma").glob("*.json"))
    songs: list[tuple[arrange.Arrangement, Path | None]] = [
        (arrange.from_dict(json.loads(path.read_text(encoding="utf-8"))), path.with_suffix(".mid")) for path in played
    ]
    singers: dict[str, list[Path]] = {}
    for name in options.singers:
        for path in sorted((data / "voice" / name).glob("*.o*")):
            singers.setdefault(SINGER_OF[name](path.stem), []).append(path)
    voices = list(singers.values())
    for number, (arrangement, score) in enumerate(songs or [(song, None) for song in backing_songs(options)]):
        rng = np.random.default_rng([options.seed, 8, number])
        take = replace(midi.draw_take(rng, list(options.soundfonts), 600.0), skip=0.0, transpose=0, tempo=1.0)
        recordings: tuple[Path, ...] = ()
        if voices and rng.random() < 0.75:
            singer = voices[rng.integers(len(voices))]
            recordings = tuple(singer[i] for i in rng.permutation(len(singer))[:12])
        yield Job(
            "mma", f"{number:04d}", recordings, group=f"mma {number}", take=take, finish=mastering.draw_mastering(rng, len(SOURCES)),
            arrangement=arrangement, score=score,
        )  # fmt: skip


SINGER_OF: dict[str, Callable[[str], str]] = {
    "mir1k": lambda stem: stem.split("_")[0],
    "ravdess": lambda stem: stem.split("-")[-1],
    "makam": lambda stem: stem.split("_")[0],
}
OPEN_SONGS = "Everything is Free, by Software-Entwicklungskit: CC0 1.0"
SOLO = stem_folders.Mapping((("*", "other"),))
"""The sources in recordings of a single melodic instrument."""
RENDERED = ("drums", "bass", "other")
RENDERED_FROM_MIDI = ("freedoom", "openmsx", "groove", "mma")
SOURCES_OF: dict[str, Source] = {
    "musdb": Source(SOURCES, 2, "MUSDB18: 40 songs CC BY-NC-SA, the rest for academic use only", _musdb_jobs),
    "mir1k": Source(("vocals",), 1, "MIR-1K: research only", _voice_jobs("mir1k", SINGER_OF["mir1k"], 8_000.0)),
    "ravdess": Source(("vocals",), 1, "RAVDESS: CC BY-NC-SA 4.0", _voice_jobs("ravdess", SINGER_OF["ravdess"])),
    "makam": Source(("vocals",), 1, "makam singing: CC BY 4.0", _voice_jobs("makam", SINGER_OF["makam"])),
    "freedoom": Source(RENDERED, 2, "Freedoom music: BSD; soundfonts: see their packages", _song_jobs("freedoom")),
    "openmsx": Source(RENDERED, 2, "OpenMSX music: GPL-2; soundfonts: see their packages", _song_jobs("openmsx")),
    "groove": Source(("drums",), 2, "Groove MIDI: CC BY 4.0; soundfonts: see their packages", _groove_jobs),
    "mma": Source(
        SOURCES, 2, "made by mma; soundfonts: see their packages; singing: see its collection", _backing_jobs
    ),
    "stems-open": Source(SOURCES, 2, OPEN_SONGS, _open_song_jobs),
    "drums-open": Source(("drums",), 2, OPEN_SONGS, _open_part_jobs("drums-open", "drums")),
    "voices-open": Source(("vocals",), 2, OPEN_SONGS, _open_part_jobs("voices-open", "vocals")),
    "stems-research": Source(
        SOURCES,
        2,
        "Cambridge-MT multitracks: educational and research use only; MDB Drums / MedleyDB: CC BY-NC-SA 4.0",
        _research_jobs,
    ),
    "guitar": Source(("other",), 2, "guitars of Carlos Viola Iborra: MIT", _solo_jobs("guitar", "sectoid")),
    "guitar-sharealike": Source(
        ("other",), 2, "guitars of El Senator: CC BY-SA 3.0", _solo_jobs("guitar-sharealike", "muldjord")
    ),
    "prompts": Source(("vocals",), 1, "telephone prompts of ivrvoice.ru: CC BY 3.0", _package_jobs("prompts")),
    "prompts-sharealike": Source(
        ("vocals",),
        1,
        "telephone prompts of Allison Smith, June Wallack, Carlo Flora: CC BY-SA 3.0",
        _package_jobs("prompts-sharealike"),
    ),
    "words": Source(
        ("vocals",), 1, "words of KLettres, KTuberling, Tux Paint: GPL-2.0-or-later", _package_jobs("words")
    ),
    "noises": Source(("noise",), 1, "samples of Sonic Pi: CC0 1.0", _package_jobs("noises")),
    "noises-copyleft": Source(
        ("noise",),
        1,
        "sounds and music of LinCity-NG, Tux Paint, Extreme Tux Racer, Wesnoth: GPL-2.0-or-later; Colobot: GPL-3.0-or-later; "
        "Oxygen: LGPL-3.0-or-later",
        _package_jobs("noises-copyleft"),
    ),
    "noises-sharealike": Source(
        ("noise",),
        1,
        "music on hold of Asterisk; sounds and music of Unknown Horizons: CC BY-SA 3.0",
        _package_jobs("noises-sharealike"),
    ),
    "stems": Source(SOURCES, 2, "your own stems: you know their licence", _stem_jobs),
}

"""``python -m training prepare stems``: fill the store from stem files, singing and MIDI songs.

Jobs run in one or two processes of their own (spawned, so that it is the same on every system); each writes its item atomically and
the manifest is rewritten as they finish, so that an interrupted run continues where it stopped.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from rtaudio.format import SOURCES, StemplayError
from training.data import decode, midi
from training.data.splits import split_of
from training.data.store import Item, Manifest, Stems, fingerprint, write_stems
from training.signals import follow_parent

VERSION = 1
"""Raise it when the same inputs would give other arrays."""

FONT_FOLDERS = (
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
)


@dataclass(frozen=True)
class Job:
    """One item to make: ``paths`` are its inputs, ``take`` is set for MIDI songs."""

    collection: str
    name: str
    paths: tuple[Path, ...]
    split: str = "train"
    group: str = ""
    bandwidth: float = 22_050.0
    take: midi.Take | None = None


@dataclass(frozen=True)
class Source:
    """One collection: where its jobs come from and what its files hold."""

    stems: tuple[str, ...]
    channels: int
    licence: str
    jobs: Callable[[Path, Options], Iterator[Job]]


@dataclass(frozen=True)
class Options:
    """What the command line chooses.

    Attributes:
        data: folder with ``musdb18-7s``, ``voice`` and ``midi``.
        output: folder of the store.
        soundfonts: fonts to render with, drawn at random.
        takes: renderings of each song.
        song_seconds: length of each rendering.
        grooves: number of drum performances rendered.
    """

    data: Path
    output: Path
    soundfonts: tuple[Path, ...] = ()
    takes: int = 2
    song_seconds: float = 100.0
    grooves: int = 240
    workers: int = 2
    seed: int = 0


def find_soundfonts(folders: tuple[str, ...] = FONT_FOLDERS) -> tuple[Path, ...]:
    """Installed General MIDI soundfonts, each once (links and light variants left out)."""
    found = [path for folder in folders for path in sorted(Path(folder).glob("*.sf[23]")) if not path.is_symlink()]
    return tuple(path for path in found if "lite" not in path.name.lower())


def _musdb_jobs(data: Path, options: Options) -> Iterator[Job]:
    for folder in ("train", "dev", "test"):
        for path in sorted((data / "musdb18-7s" / folder).glob("*.stem.mp4")):
            name = path.name.removesuffix(".stem.mp4")
            yield Job("musdb", name, (path,), split_of(folder, name), name)


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


def _song_jobs(folder: str) -> Callable[[Path, Options], Iterator[Job]]:
    def jobs(data: Path, options: Options) -> Iterator[Job]:
        for number in range(options.takes):
            for path in sorted((data / "midi" / folder).glob("*.mid")):
                rng = np.random.default_rng([options.seed, number, *path.stem.encode()])
                take = midi.draw_take(rng, list(options.soundfonts), options.song_seconds)
                yield Job(folder, f"{path.stem}.{number}", (path,), group=path.stem, take=take)

    return jobs


def _groove_jobs(data: Path, options: Options) -> Iterator[Job]:
    paths = sorted((data / "midi" / "groove").glob("*.mid"))
    beats = [path for path in paths if "_beat_" in path.name] or paths
    rng = np.random.default_rng([options.seed, 99])
    for path in [beats[i] for i in rng.permutation(len(beats))[: options.grooves]]:
        take = replace(midi.draw_take(rng, list(options.soundfonts), 30.0), skip=0.0)
        yield Job("groove", path.stem, (path,), group=path.stem.split("_")[0], take=take)


RENDERED = ("drums", "bass", "other")
RENDERED_FROM_MIDI = ("freedoom", "openmsx", "groove")
SOURCES_OF: dict[str, Source] = {
    "musdb": Source(SOURCES, 2, "MUSDB18: 40 songs CC BY-NC-SA, the rest for academic use only", _musdb_jobs),
    "mir1k": Source(
        ("vocals",), 1, "MIR-1K: research only", _voice_jobs("mir1k", lambda stem: stem.split("_")[0], 8_000.0)
    ),
    "ravdess": Source(
        ("vocals",), 1, "RAVDESS: CC BY-NC-SA 4.0", _voice_jobs("ravdess", lambda stem: stem.split("-")[-1])
    ),
    "makam": Source(("vocals",), 1, "makam singing: CC BY 4.0", _voice_jobs("makam", lambda stem: stem.split("_")[0])),
    "freedoom": Source(RENDERED, 2, "Freedoom music: BSD; soundfonts: see their packages", _song_jobs("freedoom")),
    "openmsx": Source(RENDERED, 2, "OpenMSX music: GPL-2; soundfonts: see their packages", _song_jobs("openmsx")),
    "groove": Source(("drums",), 2, "Groove MIDI: CC BY 4.0; soundfonts: see their packages", _groove_jobs),
}


def make_item(job: Job, folder: Path, digest: str) -> Item | None:
    """Make one item; None if there is too little sound in it to learn from."""
    if job.take is not None:
        stems = midi.render(job.paths[0], job.take, SOURCES_OF[job.collection].stems)
        active = (stems.std(axis=(1, 2)) > 1e-4) if stems.size else np.zeros(1, bool)
        if stems.shape[-1] < 5 * decode.RATE or active.sum() < min(2, len(active)):
            return None
    elif job.collection == "musdb":
        stems = decode.read_stem_file(job.paths[0])
    else:
        stems = _join_phrases([decode.read_voice(path) for path in job.paths])
    return write_stems(
        folder, job.name, stems, split=job.split, group=job.group, bandwidth=job.bandwidth, sha256=digest
    )


def _join_phrases(voices: list[Stems]) -> Stems:
    """One singer's recordings one after the other, each at the same peak: ``(1, 1, time)``."""
    scaled = [voice * np.float32(0.9 / max(float(np.abs(voice).max()), 1e-4)) for voice in voices if len(voice)]
    return np.concatenate(scaled)[None, None]


def prepare_collection(name: str, options: Options) -> Manifest:
    """Make what is missing of one collection; returns its manifest.

    Raises:
        StemplayError: an input cannot be read, or there are songs to render and no soundfont.
    """
    source = SOURCES_OF[name]
    folder = options.output / name
    if name in RENDERED_FROM_MIDI and not options.soundfonts:
        raise StemplayError(
            "There is no soundfont to render songs with: install a General MIDI soundfont or name one with --soundfont."
        )
    manifest = Manifest(name, source.stems, source.channels, source.licence)
    known = {item.name: item for item in Manifest.read(folder).items} if (folder / "manifest.json").exists() else {}
    todo: list[tuple[Job, str]] = []
    for job in source.jobs(options.data, options):
        digest = fingerprint(job.paths, VERSION, job.take, job.split, job.bandwidth)
        item = known.get(job.name)
        if item is not None and item.sha256 == digest and (folder / item.file).exists():
            manifest.items.append(item)
        else:
            todo.append((job, digest))
    _run(todo, folder, manifest, options.workers)
    manifest.items.sort(key=lambda item: item.name)
    manifest.write(folder)
    return manifest


def _run(todo: list[tuple[Job, str]], folder: Path, manifest: Manifest, workers: int) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(1, workers), mp_context=context, initializer=follow_parent) as pool:
        futures: list[Any] = [pool.submit(make_item, job, folder, digest) for job, digest in todo]
        try:
            for count, future in enumerate(
                tqdm(as_completed(futures), manifest.collection, len(futures), disable=not futures), 1
            ):
                item = future.result()
                if item is not None:
                    manifest.items.append(item)
                if count % 16 == 0:
                    manifest.write(folder)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            manifest.write(folder)
            raise


def prepare(options: Options, collections: tuple[str, ...] = tuple(SOURCES_OF)) -> list[Manifest]:
    """Prepare ``collections``; those without inputs in ``options.data`` are skipped with a line that says so."""
    if not options.data.is_dir():
        raise StemplayError(f"There is no folder {options.data}: name the one with the raw data with --data.")
    manifests = []
    for name in collections:
        manifest = prepare_collection(name, options)
        if manifest.items:
            print(
                f"{name}: {len(manifest.items)} items, {manifest.seconds / 60:.1f} min ({manifest.licence})", flush=True
            )
            manifests.append(manifest)
        else:
            print(f"{name}: no inputs in {options.data}, skipped", flush=True)
    return manifests

"""``python -m training prepare stems``: fill the store from stem files, singing and MIDI songs.

Jobs run in one process or in several (spawned, as this works the same on every system). Each writes its item atomically, and the
manifest is rewritten as jobs finish, so an interrupted run continues where it stopped.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from rtaudio.audio.format import SOURCES, StemplayError
from training.data import arrange, decode, mastering, midi, musdb18, singing
from training.data import folder as stem_folders
from training.data.jobs import RENDERED, RENDERED_FROM_MIDI, SOURCES_OF, Job, Options
from training.data.store import Item, Manifest, Stems, write_stems
from training.data.synthetic import synthetic_song
from training.signals import follow_parent

MADE_UP = "synthetic"
"""The licence of a collection of synthetic songs."""


def make_item(job: Job, folder: Path, digest: str) -> Item | None:
    """Make one item. Returns None if it contains too little sound to learn from."""
    stems = _make_stems(job)
    if job.take is not None:
        active = (stems.std(axis=(1, 2)) > 1e-4) if stems.size else np.zeros(1, bool)
        if stems.shape[-1] < 5 * decode.RATE or active.sum() < min(2, len(active)):
            return None
    return write_stems(
        folder, job.name, stems, split=job.split, group=job.group, bandwidth=job.bandwidth, sha256=digest
    )


def _make_stems(job: Job) -> Stems:
    """The stems of a job, ``(sources, channels, time)``."""
    if job.arrangement is not None and job.take is not None:
        stems = _backing_track(job, job.arrangement, job.take)
    elif job.take is not None:
        stems = midi.render(job.paths[0], job.take, SOURCES_OF[job.collection].stems)
    elif job.collection == "musdb":
        return musdb18.read_stems(job.paths[0] if len(job.paths) == 1 else job.paths[0].parent)
    elif job.mapping is not None:
        song = stem_folders.read_files(job.paths, job.mapping)
        return song[[SOURCES.index(name) for name in SOURCES_OF[job.collection].stems]]
    else:
        return _join_phrases([decode.read_voice(path) for path in job.paths])
    return mastering.master_song(stems, job.finish) if job.finish is not None and stems.size else stems


def _backing_track(job: Job, arrangement: arrange.Arrangement, take: midi.Take) -> Stems:
    """A song played by ``mma`` with a recorded singer. The instruments are balanced with each other first, then the voice."""
    with tempfile.TemporaryDirectory() as place:
        path = job.score or Path(place) / "song.mid"
        if job.score is None:
            arrange.write_midi(arrangement, path)
        stems = midi.render(path, take, RENDERED)
    if not stems.size:
        return stems
    level = max(float(stems.sum(axis=0).std()), 1e-3)
    stems *= np.float32(0.1 / level)
    voice = np.zeros_like(stems[0])
    if job.paths:
        recording = np.concatenate([decode.read_voice(path) for path in job.paths])
        voice = singing.sing(arrangement, recording, stems.shape[-1], np.random.default_rng(arrangement.seed))
    return np.concatenate([stems, voice[None]])


def _join_phrases(voices: list[Stems]) -> Stems:
    """One singer's recordings joined, each with the same peak: ``(1, 1, time)``."""
    scaled = [voice * np.float32(0.9 / max(float(np.abs(voice).max()), 1e-4)) for voice in voices if len(voice)]
    return np.concatenate(scaled)[None, None]


def prepare_collection(name: str, options: Options) -> Manifest:
    """Make the missing items of one collection; returns its manifest.

    Raises:
        StemplayError: an input cannot be read, or there is no soundfont to render songs with.
    """
    source = SOURCES_OF[name]
    folder = options.output / name
    playable = arrange.available() or (options.data / "midi" / "mma").is_dir()
    if name in RENDERED_FROM_MIDI and not options.soundfonts and (name != "mma" or playable):
        raise StemplayError(
            "There is no soundfont to render songs with: install a General MIDI soundfont, or name one with --soundfont."
        )
    manifest = Manifest(name, source.stems, source.channels, source.licence)
    known = {item.name: item for item in Manifest.read(folder).items} if (folder / "manifest.json").exists() else {}
    todo: list[tuple[Job, str]] = []
    for job in source.jobs(options.data, options):
        digest = job.digest()
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
    """Make the items of ``todo``: in this process with one worker, else in worker processes."""
    progress = tqdm(desc=manifest.collection, total=len(todo), disable=not todo)

    def keep(item: Item | None) -> None:
        if item is not None:
            manifest.items.append(item)
        progress.update()
        if progress.n % 16 == 0:
            manifest.write(folder)

    try:
        if workers <= 1:
            for job, digest in todo:
                keep(make_item(job, folder, digest))
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=follow_parent) as pool:
            futures: list[Any] = [pool.submit(make_item, job, folder, digest) for job, digest in todo]
            try:
                for future in as_completed(futures):
                    keep(future.result())
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    except BaseException:
        manifest.write(folder)
        raise
    finally:
        progress.close()


def prepare(options: Options, collections: tuple[str, ...] = tuple(SOURCES_OF)) -> list[Manifest]:
    """Prepare ``collections``. Those without inputs in ``options.data`` are skipped with a message."""
    if not options.data.is_dir() and options.musdb is None and options.stems is None:
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
            print(f"{name}: no inputs, skipped", flush=True)
    return manifests


def prepare_synthetic(output: Path, seed: int, songs: int = 6, seconds: float = 12.5) -> Manifest:
    """Write synthetic songs (MUS-08) in place of MUSDB's, a third of them for validation: a store for every recipe of stems.

    Raises:
        StemplayError: the folder contains real songs.
    """
    folder, source = output / "musdb", SOURCES_OF["musdb"]
    if (folder / "manifest.json").exists() and Manifest.read(folder).licence != MADE_UP:
        raise StemplayError(f"{folder} contains real songs: choose another folder for synthetic ones with -o.")
    manifest = Manifest("musdb", source.stems, source.channels, MADE_UP)
    for number in range(songs):
        stems = synthetic_song([seed, number], int(seconds * decode.RATE))
        split, name = "valid" if number % 3 == 2 else "train", f"synthetic {number}"
        item = write_stems(folder, name, stems, split=split, group=name, bandwidth=decode.RATE / 2, sha256="")
        manifest.items.append(item)
    manifest.write(folder)
    return manifest

"""The waveforms of a song's stems: a separation at the lowest priority, of which only the peaks are kept.

They are kept in the user's cache folder (``lanes/``; ``STEMPLAY_CACHE_DIR`` overrides it), by the content of song and model, so a song is
separated for this once. Removing the folder loses nothing but time.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from models.card import CardError, read_card
from models.catalog import find_model
from rtaudio.audio.format import SOURCES, Audio, StemplayError, StreamFormat
from rtaudio.files.offline import aligned_stems, as_processor
from rtaudio.files.song_key import song_key
from rtaudio.files.sound_file import open_reader
from rtaudio.files.stem_file import open_stems
from rtaudio.jobs import Facts, Report
from rtaudio.jobs.peaks import FACTOR, GRAIN, LEVELS, Bytes, PeakLevels, packed
from rtaudio.system.background import yield_to_others

TELL_S = 0.5
BLOCK = 8192
VERSION = 1
KEPT = 200
"""Songs in the cache; the one not used for longest is removed first."""
TOLD_COLUMNS = 1 << 15
"""Of the finest level in one message."""


def lanes(report: Report, path: str, model: str = "", consistent: bool = True) -> Facts:
    """Compute the peaks of the stems of ``path``. Without a ``model``, of the stems that the file has itself.

    Progress and result have ``stems`` (names, in the order of the columns), ``rate``, ``grain``, ``factor``, ``done`` and ``total``
    frames (0 if unknown), and ``levels``: what is new, see ``PeakLevels.news``. The result says whether they were ``cached``. Raises
    StemplayError.
    """
    cache = _cache_file(path, model, consistent)
    kept = _load(cache)
    if kept is not None:
        return _tell_kept(report, *kept)
    yield_to_others()
    told = 0.0
    with _opened(path, model, consistent) as (stems, rate, total, blocks):
        peaks, done = PeakLevels(len(stems), keep=True), 0
        facts: Facts = {"stems": list(stems), "rate": rate, "grain": GRAIN, "factor": FACTOR}
        for block in blocks:
            peaks.add(block)
            done += len(block)
            if report.cancelled.is_set() or time.monotonic() - told > TELL_S:
                told = time.monotonic()
                report.progress(**facts, done=done, total=total, levels=peaks.news())
    peaks.finish()
    _save(cache, facts, done, peaks.levels())
    return {**facts, "done": done, "total": done, "levels": peaks.news(), "cached": False}


@contextmanager
def _opened(path: str, model: str, consistent: bool) -> Iterator[tuple[tuple[str, ...], int, int, Iterator[Audio]]]:
    """Names of the stems, rate, frames (0 if unknown), and blocks ``(frames, stems, channels)``."""
    if not model:
        with open_stems(path) as own:
            names = tuple(name for name in SOURCES if name in own.labels)
            places = [SOURCES.index(name) for name in names]
            yield names, own.rate, own.frames, (b.reshape(len(b), len(SOURCES), -1)[:, places] for b in own.blocks(BLOCK))
        return
    with open_reader(path) as reader:
        processor = as_processor(model, consistent)
        processor.prepare(StreamFormat(reader.rate, reader.channels, BLOCK))
        yield processor.outputs, reader.rate, reader.frames, aligned_stems(processor, reader.blocks(BLOCK), reader.rate)


# -- the cache --------------------------------------------------------------------------------------------------------------


def cache_folder() -> Path:
    """Where the peaks are kept."""
    return Path(os.environ.get("STEMPLAY_CACHE_DIR") or platformdirs.user_cache_dir("stemplay", appauthor=False)) / "lanes"


def _cache_file(path: str, model: str, consistent: bool) -> Path:
    try:
        card = read_card(find_model(model)) if model else None
    except CardError as error:
        raise StemplayError(str(error)) from None
    kind = f"{card.sha256[:16]}-{int(consistent)}" if card is not None else "own"
    return cache_folder() / f"{song_key(path)}-{kind}.npz"


def _load(file: Path) -> tuple[Facts, list[Bytes]] | None:
    """What was kept; None if there is nothing, or nothing that can be used."""
    try:
        with file.open("rb") as data, np.load(data, allow_pickle=False) as kept:
            if int(kept["version"]) != VERSION or int(kept["grain"]) != GRAIN:
                return None
            names = [str(name) for name in kept["stems"]]
            levels = [kept[f"level{k}"] for k in range(LEVELS)]
            facts: Facts = {"stems": names, "rate": int(kept["rate"]), "grain": GRAIN, "factor": FACTOR, "done": int(kept["frames"])}
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
    if any(level.dtype != np.int8 or level.ndim != 3 or level.shape[1:] != (len(names), 3) for level in levels):
        return None
    with contextlib.suppress(OSError):
        os.utime(file)
    return facts, levels


def _tell_kept(report: Report, facts: Facts, levels: list[Bytes]) -> Facts:
    """Tell in parts, for a window that goes on drawing while it reads them."""
    facts["total"] = facts["done"]
    start = 0
    while start + TOLD_COLUMNS < len(levels[0]):
        stop = start + TOLD_COLUMNS  # a multiple of all levels' widths
        parts = [packed([level[start // FACTOR**k : stop // FACTOR**k]]) for k, level in enumerate(levels)]
        report.progress(**facts, levels=parts)
        start = stop
    return {**facts, "levels": [packed([level[start // FACTOR**k :]]) for k, level in enumerate(levels)], "cached": True}


def _save(file: Path, facts: Facts, frames: int, levels: list[Bytes]) -> None:
    """Keep the peaks. A disk that refuses costs only that they are computed again."""
    arrays: dict[str, Any] = {f"level{k}": level for k, level in enumerate(levels)}
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as out:
            np.savez_compressed(
                out, version=VERSION, grain=GRAIN, stems=np.array(facts["stems"]), rate=facts["rate"], frames=frames, **arrays
            )  # fmt: skip
        os.replace(part, file)
        _prune(file.parent)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _prune(folder: Path) -> None:
    files = sorted(folder.glob("*.npz"), key=lambda file: file.stat().st_mtime)
    for old in files[: max(0, len(files) - KEPT)]:
        old.unlink(missing_ok=True)

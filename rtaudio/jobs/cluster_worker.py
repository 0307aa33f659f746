"""What the workers of a Dask cluster run: checks of the worker, and a song as a background job (``rtaudio.jobs.song_process``).

Dask calls these functions by their names, with plain dictionaries, in the worker's own process. It owns no thread; the worker's threads
call ``separate_song``, its event loop calls ``problem_of`` and ``stop``. No Dask is imported here.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import secrets
import shutil
import socket
import threading
from pathlib import Path
from typing import Any

from models.card import CardError, ModelCard, read_card, verify_file
from models.catalog import best_separator, find_model
from rtaudio.audio.format import StemplayError
from rtaudio.files.writer import reason
from rtaudio.jobs import WORKSHOP, Facts
from rtaudio.jobs.batch import Song, is_there, job_args
from rtaudio.jobs.song_process import SongProcess
from rtaudio.system.child_process import ROOT

MARKER = ".stemplay-done-"
"""Beginning of the name of the file that says that a run has separated a song, and with what result."""

_lock = threading.Lock()
_running: dict[str, list[SongProcess]] = {}
"""By run."""
_stopped: set[str] = set()
_sound: set[str] = set()
"""Runs for which this worker has been checked."""


@functools.cache
def code_digest() -> str:
    """Eight hexadecimal digits of a hash over the source of ``rtaudio`` and ``models``."""
    digest = hashlib.sha256()
    for package in ("models", "rtaudio"):
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:8]


def card_of(model: str) -> ModelCard:
    """The card of a model whose file is what the card says. Raises StemplayError."""
    try:
        folder = find_model(model)
        card = read_card(folder)
        verify_file(card, folder)
    except CardError as error:
        raise StemplayError(str(error)) from None
    return card


def problem_of(check: Facts) -> str:
    """The reason why this worker cannot do the work, as the end of a sentence that begins with its name; "" if it can.

    Args:
        check: as made by ``rtaudio.jobs.cluster``: ``code`` and ``model`` with its ``sha256``, ``best`` (whether the model is the best one
            installed), ``probe`` and ``token`` (a file and its content), and ``songs`` (paths and sizes).
    """
    if check["code"] != code_digest():
        return f"has another version of Stemplay (code {code_digest()}, here {check['code']}): install the same one everywhere"
    try:
        card = card_of(check["model"])
    except StemplayError as error:
        return f"cannot use the model: {str(error).rstrip('.')}"
    if card.sha256 != check["sha256"]:
        return f"has another model {card.name!r} (hash {card.sha256[:8]}, here {check['sha256'][:8]}): copy the model there"
    if check["best"] and best_separator() != check["model"]:
        return f"would choose the model {best_separator()!r}, here it is {check['model']!r}: name one with --model"
    return _problem_of_files(check)


def _problem_of_files(check: Facts) -> str:
    shared = "songs and output must be on a file system that all computers share, under the same paths"
    probe = Path(check["probe"])
    try:
        seen = probe.read_text(encoding="utf-8")
    except OSError:
        seen = ""
    if seen != check["token"]:
        return f"does not see the folder {probe.parent} of this computer: {shared}"
    mine = probe.with_name(f"{probe.name}.{secrets.token_hex(4)}")
    try:
        mine.touch(exist_ok=False)
        mine.unlink()
    except OSError as error:
        return f"cannot write into {probe.parent}: {reason(error)}"
    for path, size in check["songs"]:
        try:
            same = os.path.getsize(path) == size
        except OSError:
            same = False
        if not same:
            return f"does not see the song {path} of this computer: {shared}"
    return ""


def separate_song(task: Facts) -> Facts:
    """Separate a song, unless this run has done so already. Returns ``state``, ``done`` and ``error`` as in ``Outcome``, or a ``problem``.

    Args:
        task: ``run``, ``song``, ``folder``, ``stems``, ``options``, ``again`` and ``check``.
    """
    run, song = task["run"], Song(Path(task["song"]), Path(task["folder"]))
    if run not in _sound:  # a worker that came later than the check of all
        if problem := problem_of(task["check"]):
            return {"problem": problem}
        _sound.add(run)
    marker = song.folder / f"{MARKER}{run}"
    with contextlib.suppress(OSError, ValueError):  # done by a worker that died before it could say so
        return _result("separated", json.loads(marker.read_text(encoding="utf-8")))
    options: dict[str, Any] = task["options"]
    if not task["again"] and is_there(song, task["stems"], options["format"]):
        return _result("kept")
    for left in song.folder.glob(f"{WORKSHOP}*"):  # of a worker that died, as the song is ours now; or of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    process = SongProcess(song.path.name, {**job_args(song, task["stems"], options), "marker": marker.name})
    with _lock:
        _running.setdefault(run, []).append(process)
    if run in _stopped:
        process.stop()
    try:
        return _result(*process.run())
    finally:
        with _lock:
            _running[run].remove(process)


def _result(state: str, done: Facts | None = None, error: str = "") -> Facts:
    return {"state": state, "done": done or {}, "error": error, "host": socket.gethostname(), "process": os.getpid()}


def stop(run: str) -> None:
    """End the jobs of a run, and start none any more. Returns when they have cleaned up."""
    _stopped.add(run)
    with _lock:
        running = list(_running.get(run, ()))
    for process in running:
        process.stop()
    for process in running:
        process.wait()

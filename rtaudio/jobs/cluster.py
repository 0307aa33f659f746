"""Separates many songs on a Dask cluster (https://distributed.dask.org), with the same results as ``rtaudio.jobs.batch`` on one computer.

Songs and output are on a file system that all computers share. A song is a task; its worker runs it as a background job. When a worker
dies, its songs go to others. A marker beside the stems says that a song is done before Dask hears of it, so no song is done twice. Dask's
client has threads of its own; ``run`` waits in the caller's.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import re
import secrets
import socket
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from models.catalog import best_separator, find_model
from rtaudio.audio.format import StemplayError
from rtaudio.files.writer import output_folder, reason
from rtaudio.jobs import Facts, cluster_worker
from rtaudio.jobs.batch import Outcome, Song, is_there

CONNECT_S, WORKER_S = 10.0, 20.0
"""Seconds in which a scheduler must answer, and in which a worker must be there."""
LOOK_S = 2.0
"""Seconds between two looks at the cluster while nothing ends."""
AHEAD = 2
"""Tasks for each thread of the workers that the scheduler knows of. It holds no more, however many songs there are."""
SAMPLE = 20
"""Songs whose sizes each worker compares with this computer's."""


class ClusterBatch:
    """Songs that are separated with the same options by the workers of a cluster.

    Args:
        address: of the scheduler, such as ``tcp://10.0.0.1:8786``.
        output: the folder that all songs' folders are in.
        note: called with sentences that concern no song.

    The others are as in ``rtaudio.jobs.batch.Batch``; ``options`` has the ``model``, "" for the best installed one.
    """

    def __init__(
        self, address: str, songs: Sequence[Song], output: Path, stems: Sequence[str], options: dict[str, Any], *,
        again: bool = False, tell: Callable[[Outcome], None] = lambda _: None,
        progress: Callable[[float], None] = lambda _: None, note: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._address, self._songs, self._output, self._stems = address, list(songs), output.absolute(), list(stems)
        self._options, self._again, self._tell, self._progress, self._note = dict(options), again, tell, progress, note
        self._run = secrets.token_hex(8)
        self._check: Facts = {}
        self._bad: set[str] = set()
        """Addresses of workers that joined later and cannot do the work: songs go only to others."""
        self._open: dict[str, tuple[Any, Song, frozenset[str]]] = {}
        """Futures by key, their songs, and the workers that may separate them (empty: all)."""
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.outcomes: list[Outcome] = []

    def run(self) -> list[Outcome]:
        """Separate all of them; returns the outcomes in the order of the songs.

        KeyboardInterrupt ends the workers' jobs and is raised again; ``outcomes`` then has the completed songs.

        Raises:
            StemplayError: there is no such cluster, its workers cannot do this work, or the scheduler went away.
        """
        client = _connect(self._address)
        try:
            with self._probe(), contextlib.ExitStack() as stopping:
                stopping.callback(self._stop, client)
                self._inspect(client)
                waiting = deque(song for song in self._songs if not self._kept(song))
                self._separate(client, waiting)
                stopping.pop_all()
        finally:
            with contextlib.suppress(Exception):
                client.close(timeout=CONNECT_S)
        order = {song: k for k, song in enumerate(self._songs)}
        return sorted(self.outcomes, key=lambda outcome: order[outcome.song])

    # -- before the songs ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _probe(self) -> Iterator[None]:
        """A file in the output folder, by which workers see that it is the same folder. An empty folder is removed at the end."""
        made = [path for path in (self._output, *self._output.parents) if not path.exists()]
        probe, token = self._output / f".stemplay-run-{self._run}", secrets.token_hex(8)
        model = self._options["model"] or best_separator()
        card = cluster_worker.card_of(model)
        if (place := Path(model)).exists():
            model = str(find_model(place).absolute())
        if self._options["model"]:
            self._options["model"] = model
        self._check = {
            "code": cluster_worker.code_digest(), "model": model, "sha256": card.sha256, "best": not self._options["model"],
            "probe": str(probe), "token": token, "songs": _sizes(self._songs[:: -(-len(self._songs) // SAMPLE)]),
        }  # fmt: skip
        with output_folder(self._output):
            try:
                probe.write_text(token, encoding="utf-8")
            except OSError as error:
                raise StemplayError(f"{self._output} cannot be written: {reason(error)}.") from None
            try:
                yield
            finally:
                probe.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            for path in made:
                path.rmdir()

    def _inspect(self, client: Any) -> None:
        """Check every worker. Raises StemplayError for the first that cannot do the work."""
        try:
            client.wait_for_workers(1, timeout=WORKER_S)
        except TimeoutError:
            start = f"dask worker {self._address} --nthreads 4"
            raise StemplayError(f"There is no worker at {self._address}; start some with: {start}") from None
        ours, versions = _dask_version(), client.get_versions()
        others = {f"The scheduler {self._address}": versions["scheduler"]} | {
            f"The worker {name}": facts for name, facts in versions["workers"].items()
        }
        for name, facts in others.items():
            if (theirs := facts["packages"]["distributed"]) != ours:
                raise StemplayError(f"{name} has Dask (distributed) {theirs}, here it is {ours}: install the same version everywhere.")
        for name, problem in client.run(cluster_worker.problem_of, self._check, on_error="return").items():
            if problem:
                raise StemplayError(f"The worker {name} {_told(problem)}.")

    def _kept(self, song: Song) -> bool:
        if self._again or not is_there(song, self._stems, self._options["format"]):
            return False
        self._finish(Outcome(song, "kept"))
        return True

    # -- the songs ----------------------------------------------------------------------------------------------------------

    def _separate(self, client: Any, waiting: deque[Song]) -> None:
        room, looked = 0, 0.0
        alone = False
        while waiting or self._open:
            if time.monotonic() - looked > LOOK_S:
                threads, looked = self._threads(client), time.monotonic()
                room = max(1, AHEAD * threads)
                if threads == 0 and not alone:
                    self._note(f"There is no worker at {self._address} any more; waiting for one.")
                alone = threads == 0
            while waiting and len(self._open) < room:
                self._submit(client, waiting.popleft())
            with contextlib.suppress(queue.Empty):
                self._take(client, self._ended.get(timeout=LOOK_S / 10))

    def _threads(self, client: Any) -> int:
        """Threads of all workers that can do the work. Raises StemplayError if the scheduler is gone.

        Songs whose workers have all gone are given to those that are there now.
        """
        threads = self._good(client)
        for key, (future, song, allowed) in list(self._open.items()):
            if allowed and threads and allowed.isdisjoint(threads):
                del self._open[key]
                future.cancel()
                self._submit(client, song)
        return sum(threads.values())

    def _good(self, client: Any) -> dict[str, int]:
        """Threads by address, without the workers that cannot do the work. Raises StemplayError if the scheduler is gone."""
        try:
            return {name: threads for name, threads in client.nthreads().items() if name not in self._bad}
        except Exception:  # Dask raises many kinds
            raise self._gone() from None

    def _gone(self) -> StemplayError:
        done = f"{len(self.outcomes)} of {len(self._songs)} songs"
        return StemplayError(f"The scheduler {self._address} went away after {done}; the same command does the rest.")

    def _submit(self, client: Any, song: Song) -> None:
        task = {
            "run": self._run, "song": str(song.path), "folder": str(song.folder.absolute()), "stems": self._stems,
            "options": self._options, "again": self._again, "check": self._check,
        }  # fmt: skip
        key = f"stemplay-{self._run}-{secrets.token_hex(8)}"
        # An idle worker that cannot do it would be given each song again and again while the others are busy.
        allowed = frozenset(self._good(client)) if self._bad else frozenset()
        restrictions = {"workers": sorted(allowed)} if allowed else {}
        future = client.submit(cluster_worker.separate_song, task, key=key, pure=False, **restrictions)
        self._open[key] = future, song, allowed
        future.add_done_callback(self._ended.put)

    def _take(self, client: Any, future: Any) -> None:
        """The end of a task: an outcome, or another attempt of another worker."""
        if (found := self._open.pop(future.key, None)) is None:  # given to another worker meanwhile
            return
        song = found[1]
        if future.status in ("cancelled", "lost"):
            raise self._gone()
        if future.status == "error":
            error = future.exception()
            told = f"{song.path.name}: {type(error).__name__}: {error}"
            if type(error).__name__ == "KilledWorker":
                told = f"{song.path.name}: each worker that separated it died; give them more memory, or look into their logs."
            self._finish(Outcome(song, "failed", error=told))
            return
        result = future.result()
        if "problem" in result:
            self._elsewhere(client, song, future, result["problem"])
            return
        for marker in song.folder.glob(f"{cluster_worker.MARKER}*"):  # the result is here; those of other runs are from a client that died
            marker.unlink(missing_ok=True)
        done = result["done"] | ({"worker": f"{result['host']}:{result['process']}"} if "host" in result else {})
        self._finish(Outcome(song, result["state"], done, result["error"]))

    def _elsewhere(self, client: Any, song: Song, future: Any, problem: str) -> None:
        """Give a song to the others when a worker that came later cannot do the work. Raises StemplayError if there are no others."""
        told = bool(self._bad)
        self._bad |= set(client.who_has([future]).get(future.key, ()))
        sentence = f"A worker that joined {problem.rstrip('.')}."
        if not self._good(client):
            raise StemplayError(sentence)
        if not told:
            self._note(sentence)
        self._submit(client, song)

    def _finish(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._tell(outcome)
        self._progress(float(len(self.outcomes)))

    def _stop(self, client: Any) -> None:
        """Cancel what waits, and end what runs; returns when the workers have cleaned up."""
        futures = [future for future, *_ in self._open.values()]
        with contextlib.suppress(Exception):
            client.cancel(futures, force=True)
            client.run(cluster_worker.stop, self._run, on_error="ignore")


def _sizes(songs: Sequence[Song]) -> list[tuple[str, int]]:
    """Paths and sizes of those that can be looked at; the others fail by themselves."""
    found = []
    for song in songs:
        with contextlib.suppress(OSError):
            found.append((str(song.path), os.path.getsize(song.path)))
    return found


def _told(problem: Any) -> str:
    """What a worker said, as the end of a sentence. It may be an exception: as such, or as another one with its text."""
    text = str(problem).rstrip(".")
    if isinstance(problem, ModuleNotFoundError | AttributeError):
        found: str | None = text
    else:
        missing = re.fullmatch(r"""(?:ModuleNotFoundError|AttributeError)\((['"])(.*)\1,?\)""", text)
        found = missing and missing[2].replace("\\'", "'")
    return f"has no Stemplay, or another version of it ({found}): install the same one everywhere" if found else text


def _dask_version() -> str:
    return metadata.version("distributed")


def _connect(address: str) -> Any:
    """A client of the scheduler. Raises StemplayError."""
    try:
        import distributed
    except ModuleNotFoundError:
        raise StemplayError('--scheduler needs Dask: pip install "dask[distributed]" (the extra "cluster").') from None
    quiet = ("distributed", "tornado", "asyncio")
    for name in {*quiet, *logging.root.manager.loggerDict}:  # Dask gives its loggers handlers and levels of their own
        if name.partition(".")[0] in quiet:  # its errors come as exceptions, too
            logging.getLogger(name).setLevel(logging.CRITICAL)
    _reach(address)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions are compared later
            client: Any = distributed.Client
            return client(address, timeout=CONNECT_S, set_as_default=False, name="stemplay")
    except Exception as error:  # OSError, TimeoutError, CommClosedError, and what another server's answer makes of it
        raise _no_scheduler(address, type(error).__name__) from None


def _reach(address: str) -> None:
    """Connect once: Dask would go on trying, and a client that never met its scheduler is slow to end. Raises StemplayError."""
    from distributed.comm.addressing import parse_address, parse_host_port
    from distributed.comm.registry import get_backend

    try:
        scheme, place = parse_address(address)
        get_backend(scheme)
        host, port = parse_host_port(place) if scheme in ("tcp", "tls") else ("", 0)
    except (ValueError, TypeError):
        raise StemplayError(f"{address!r} is no address of a scheduler; write tcp://HOST:PORT.") from None
    if host:
        try:
            with socket.create_connection((host, port), CONNECT_S) as connection:
                if scheme == "tcp" and not connection.recv(1):  # a scheduler greets first; a web server, for one, waits for us
                    raise ConnectionError("it closes the connection")
        except (OSError, OverflowError, UnicodeError) as error:
            raise _no_scheduler(address, reason(error)) from None


def _no_scheduler(address: str, why: str) -> StemplayError:
    return StemplayError(f"No Dask scheduler answers at {address} ({why}); one is started with: dask scheduler")

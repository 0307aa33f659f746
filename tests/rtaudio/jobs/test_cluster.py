"""Many songs on a Dask cluster: a real scheduler, real workers, one of them killed; nothing is lost and nothing is done twice."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from models.catalog import find_model, load_card
from rtaudio.audio.format import SOURCES, StemplayError
from rtaudio.files.offline import separate_file
from rtaudio.jobs import cluster as cluster_module
from rtaudio.jobs import cluster_worker
from rtaudio.jobs.batch import find_songs
from rtaudio.jobs.cluster import ClusterBatch

pytest.importorskip("distributed", reason='Dask is not installed (pip install "dask[distributed]")')

ROOT = Path(__file__).resolve().parents[3]
MODEL = "demucs-open"
STEMS = ["bass.wav", "drums.wav", "other.wav", "vocals.wav"]
OPTIONS = {"model": MODEL, "format": "wav", "refine": False}
PATIENCE = 300.0


def write_songs(folder: Path, count: int, seconds: float = 0.1) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        sound = np.random.default_rng(k).standard_normal((round(seconds * 44_100), 2)) / 10
        soundfile.write(folder / f"song {k:02}.wav", sound, 44_100)


def wait_for(what: object, process: subprocess.Popen[Any]) -> None:
    """Wait until something is true; the process must go on until then."""
    end = time.monotonic() + PATIENCE
    while not what():  # type: ignore[operator]
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


class Cluster:
    """A scheduler and workers, each a process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, list[subprocess.Popen[bytes]]()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", self.address.rsplit(":", 1)[1], "--no-dashboard")
        wait_for(self._answers, self.scheduler)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            host, port = self.address.removeprefix("tcp://").split(":")
            socket.create_connection((host, int(port))).close()
            return True
        return False

    def worker(self, path: Path = ROOT) -> subprocess.Popen[bytes]:
        """A worker with the packages that are in ``path``."""
        where = ("--local-directory", str(self.folder / "dask"))
        before = self._registered()
        started = self._start("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", *where, path=path)
        wait_for(lambda: self._registered() > before, started)
        return started

    def _registered(self) -> int:
        log = self.folder / "worker.log"
        return log.read_text().count("Registered to") if log.exists() else 0

    def _start(self, *command: str, path: Path = ROOT) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": str(path)}
        with (self.folder / f"{command[0]}.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", "dask", *command], cwd=self.folder, env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.close()


def separate(cluster: Cluster, songs: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "rtaudio", "separate", str(songs), "-o", str(out), "--model", MODEL, "--scheduler", cluster.address]
    return subprocess.Popen([*command, *more], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


class Files:
    """Notes each sound file that appears, until ``stop``: a file that is written again is another one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen = folder, dict[str, set[tuple[int, int]]]()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.wait(0.01):
            self.look()

    def look(self) -> None:
        for path in self.folder.glob("*/*.wav"):
            with contextlib.suppress(OSError):
                facts = path.stat()
                self.seen.setdefault(str(path), set()).add((facts.st_ino, facts.st_mtime_ns))

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()
        self.look()


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# ---------------------------------------------------------------- quick: in this process, or a sentence


def test_a_scheduler_in_this_process_gives_the_stems_of_a_single_song(tmp_path: Path) -> None:
    from distributed import LocalCluster

    write_songs(tmp_path / "songs", 1)
    (tmp_path / "songs" / "empty.wav").touch()
    out = tmp_path / "out"
    songs = find_songs([str(tmp_path / "songs")], out)
    counts: list[float] = []
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, protocol="tcp") as local:
        batch = ClusterBatch(local.scheduler_address, songs, out, SOURCES, OPTIONS, progress=counts.append)
        empty, whole = batch.run()
        kept = ClusterBatch(local.scheduler_address, songs[1:], out, SOURCES, OPTIONS).run()
    assert (empty.state, whole.state, kept[0].state) == ("failed", "separated", "kept")
    assert "empty.wav is empty" in empty.error and counts == [1.0, 2.0]
    assert everything_in(out) == [f"song 00/{name}" for name in STEMS], "neither probe nor marker is left"
    alone = separate_file(tmp_path / "songs" / "song 00.wav", tmp_path / "alone", MODEL)
    for path in alone.files.values():
        assert path.read_bytes() == (out / "song 00" / path.name).read_bytes()


def check_for(folder: Path) -> dict[str, object]:
    """What a client that has ``folder`` would ask of a worker."""
    probe = folder / ".stemplay-run-0"
    probe.write_text("token")
    (folder / "song.wav").write_bytes(b"1234")
    return {
        "code": cluster_worker.code_digest(), "model": MODEL, "sha256": load_card(MODEL).sha256, "best": False,
        "probe": str(probe), "token": "token", "songs": [(str(folder / "song.wav"), 4)],
    }  # fmt: skip


def test_a_worker_that_differs_says_how(tmp_path: Path) -> None:
    check = check_for(tmp_path)
    assert cluster_worker.problem_of(check) == ""
    for change, told in (
        ({"code": "00000000"}, "another version of Stemplay"),
        ({"model": "demucs-none"}, "cannot use the model: There is no model 'demucs-none'"),
        ({"sha256": "0" * 64}, "another model 'demucs-open'"),
        ({"best": True, "model": "demucs-open"}, "would choose the model"),
        ({"token": "another folder of this name"}, f"does not see the folder {tmp_path}"),
        ({"songs": [(str(tmp_path / "song.wav"), 5)]}, "does not see the song"),
    ):
        assert told in cluster_worker.problem_of(check | change)


def test_a_model_is_checked_against_its_card_on_the_worker(tmp_path: Path) -> None:
    damaged = tmp_path / "model"
    shutil.copytree(find_model(MODEL), damaged)
    with (damaged / "model.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"another")
    assert "does not have the hash in its card" in cluster_worker.problem_of(check_for(tmp_path) | {"model": str(damaged)})


def test_what_a_dead_worker_had_begun_is_removed(tmp_path: Path) -> None:
    check = check_for(tmp_path)
    left = tmp_path / "song" / ".stemplay-export-0" / "drums.wav.part"
    left.parent.mkdir(parents=True)
    left.touch()
    cluster_worker.stop("ended")  # so that nothing is separated here
    task = {"run": "ended", "song": str(tmp_path / "song.wav"), "folder": str(tmp_path / "song"), "stems": list(SOURCES)}
    result = cluster_worker.separate_song({**task, "again": False, "options": OPTIONS, "check": check})
    assert result["state"] == "unfinished" and not left.parent.exists()


def test_what_a_dead_worker_had_done_is_not_done_again(tmp_path: Path) -> None:
    """It died between the last file and its word to the scheduler; the next one is even told to make all songs anew."""
    check = check_for(tmp_path)
    folder = tmp_path / "song"
    folder.mkdir()
    (folder / f"{cluster_worker.MARKER}run").write_text(json.dumps({"seconds": 7.0}))
    task = {"run": "run", "song": str(tmp_path / "song.wav"), "folder": str(folder), "stems": list(SOURCES), "again": True}
    result = cluster_worker.separate_song({**task, "options": OPTIONS, "check": check})
    assert (result["state"], result["done"]) == ("separated", {"seconds": 7.0})


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("tcp://127.0.0.1:1", "No Dask scheduler answers at tcp://127.0.0.1:1 (Connection refused"),
        ("tcp://127.0.0.1:99999", "No Dask scheduler answers"),
        ("localhost", "'localhost' is no address of a scheduler"),
        ("telnet://here:1", "'telnet://here:1' is no address of a scheduler"),
        ("", "'' is no address of a scheduler"),
    ],
)
def test_an_address_without_a_scheduler_is_one_sentence(tmp_path: Path, address: str, sentence: str) -> None:
    write_songs(tmp_path / "songs", 1)
    songs = find_songs([str(tmp_path / "songs")], tmp_path / "out")
    with pytest.raises(StemplayError) as told:
        ClusterBatch(address, songs, tmp_path / "out", SOURCES, OPTIONS).run()
    assert str(told.value).startswith(sentence) and not (tmp_path / "out").exists()


# ---------------------------------------------------------------- slow: processes


@pytest.mark.slow
def test_a_killed_worker_costs_nothing(cluster: Cluster, tmp_path: Path) -> None:
    songs, out, count = tmp_path / "songs", tmp_path / "out", 12
    write_songs(songs, count, 1.0)
    first, second = cluster.worker(), cluster.worker()
    files = Files(out)
    process = separate(cluster, songs, out, "--json")
    wait_for(lambda: len(list(out.glob("*/vocals.wav"))) >= 3 and list(out.glob("*/.stemplay-export-*/*.part")), process)
    os.kill(first.pid, signal.SIGKILL)
    told, errors = process.communicate(timeout=PATIENCE)
    files.stop()
    assert process.returncode == 0, errors
    outcomes = json.loads(told)
    assert [outcome["state"] for outcome in outcomes] == ["separated"] * count
    assert len({outcome["song"] for outcome in outcomes}) == count
    assert {outcome["worker"].split(":")[1] for outcome in outcomes} >= {str(second.pid)}
    assert everything_in(out) == sorted(f"song {k:02}/{name}" for k in range(count) for name in STEMS), "nothing is lost or left"
    assert len(files.seen) == 4 * count and {len(each) for each in files.seen.values()} == {1}, "nothing is done twice"
    for k in range(0, count, 4):
        alone = separate_file(songs / f"song {k:02}.wav", tmp_path / "alone", MODEL, refine=True)
        for path in alone.files.values():
            assert path.read_bytes() == (out / f"song {k:02}" / path.name).read_bytes()


@pytest.mark.slow
def test_ctrl_c_ends_the_jobs_of_the_workers_and_the_next_run_does_the_rest(cluster: Cluster, tmp_path: Path) -> None:
    songs, out = tmp_path / "songs", tmp_path / "out"
    write_songs(songs, 5, 20.0)
    write_songs(songs, 1, 0.1)
    cluster.worker()
    process = separate(cluster, songs, out)
    wait_for(lambda: list(out.glob("*/vocals.wav")) and list(out.glob("*/.stemplay-export-*/*.part")), process)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and "not done" in errors and "Traceback" not in errors
    assert everything_in(out) == [f"song 00/{name}" for name in STEMS], "nothing half done"
    write_songs(songs, 5, 0.1)
    told, errors = separate(cluster, songs, out).communicate(timeout=PATIENCE)
    assert "4 separated, 1 already there, 0 failed" in told, errors


@pytest.mark.slow
def test_a_scheduler_that_dies_is_one_sentence(cluster: Cluster, tmp_path: Path) -> None:
    write_songs(tmp_path / "songs", 4, 20.0)
    cluster.worker()
    process = separate(cluster, tmp_path / "songs", tmp_path / "out")
    wait_for(lambda: list((tmp_path / "out").glob("*/.stemplay-export-*/*.part")), process)
    cluster.scheduler.kill()
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2 and "went away after 0 of 4 songs" in errors and errors.count("\n") == 1


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another version of the packages."""
    for package in ("rtaudio", "models"):
        shutil.copytree(ROOT / package, tmp_path / "other" / package, ignore=shutil.ignore_patterns("__pycache__", "*.onnx"))
    with (tmp_path / "other" / "rtaudio" / "__init__.py").open("a") as file:
        file.write("# another release\n")
    return tmp_path / "other"


AtWork = tuple[subprocess.Popen[bytes], subprocess.Popen[Any], Path]


@pytest.fixture
def at_work(cluster: Cluster, tmp_path: Path, other: Path) -> AtWork:
    """A worker that separates the first of eight songs, the command, and its output; a worker of another version has joined."""
    songs, out = tmp_path / "songs", tmp_path / "out"
    write_songs(songs, 8, 5.0)
    worker = cluster.worker()
    process = separate(cluster, songs, out, "--json")
    wait_for(lambda: list(out.glob("*/.stemplay-export-*/*.part")), process)
    cluster.worker(other)
    return worker, process, out


@pytest.mark.slow
def test_a_worker_of_another_version_that_joins_later_gets_no_song(at_work: AtWork) -> None:
    good, process, _ = at_work
    told, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and "A worker that joined has another version of Stemplay" in errors and errors.count("\n") == 1
    assert {(outcome["state"], outcome["worker"].split(":")[1]) for outcome in json.loads(told)} == {("separated", str(good.pid))}


@pytest.mark.slow
def test_songs_of_a_worker_that_died_go_to_one_that_joins_and_not_to_one_that_cannot(cluster: Cluster, at_work: AtWork) -> None:
    first, process, out = at_work
    wait_for(lambda: len(list(out.glob("*/vocals.wav"))) >= 3, process)
    first.kill()
    second = cluster.worker()
    told, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    outcomes = json.loads(told)
    assert len(outcomes) == 8 and {outcome["state"] for outcome in outcomes} == {"separated"}
    by = {outcome["worker"].split(":")[1] for outcome in outcomes}
    assert str(second.pid) in by and by <= {str(first.pid), str(second.pid)}


MISSING, WITHOUT = ModuleNotFoundError("No module named 'rtaudio'"), "has no Stemplay, or another version of it (No module named 'rtaudio')"


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        ("has another model.", "has another model"),
        (OSError("disk full."), "disk full"),
        (MISSING, WITHOUT),
        (Exception(repr(MISSING)), WITHOUT),
    ],
)
def test_what_a_worker_says_is_the_end_of_a_sentence(problem: Any, told: str) -> None:
    assert cluster_module._told(problem).startswith(told)


@pytest.mark.slow
def test_workers_that_cannot_do_it_are_one_sentence(cluster: Cluster, tmp_path: Path, other: Path) -> None:
    """None at all, then one without our packages, then one of another version."""
    write_songs(tmp_path / "songs", 1)
    told = []
    for path in (None, tmp_path / "nothing", other):
        worker = cluster.worker(path) if path is not None else None
        process = separate(cluster, tmp_path / "songs", tmp_path / "out")
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2 and errors.count("\n") == 1, errors
        told.append(errors)
        if worker is not None:
            worker.kill()
            worker.wait()
    assert "There is no worker at" in told[0]
    assert "has no Stemplay, or another version of it (No module named 'rtaudio')" in told[1]
    assert "has another version of Stemplay" in told[2]
    assert not (tmp_path / "out").exists()

"""``bench --live`` on a real private JACK server, and on the engine's clock where there is none. No miss and no time is asserted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rtaudio.bench import live
from rtaudio.bench.jack_server import JackServer, running, why_no_server
from rtaudio.cli.main import main
from tests.jack import forget_dead_servers, one_at_a_time

ROOT = Path(__file__).resolve().parents[3]
SHORT = ["--live-seconds", "1", "--blocks", "256"]


@pytest.fixture
def jack() -> None:
    if reason := why_no_server():
        pytest.skip(reason)
    with one_at_a_time():
        forget_dead_servers()


def leftovers() -> set[str]:
    """Memory and semaphores of servers with a private name; empty where they are kept elsewhere."""
    return {path.name for path in Path("/dev/shm").glob("jack*_sp*")} if Path("/dev/shm").is_dir() else set()


@pytest.mark.jack
@pytest.mark.usefixtures("jack")
def test_a_model_and_the_pass_through_play_on_a_private_server(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    servers: list[JackServer] = []  # ours: another test may run one of its own meanwhile
    make = JackServer.__init__

    def noted(self: JackServer, *args: Any, **options: Any) -> None:
        make(self, *args, **options)
        servers.append(self)

    monkeypatch.setattr(JackServer, "__init__", noted)
    kept = tmp_path / "live.json"
    assert main(["bench", "--live", str(tiny_model), *SHORT, "--save", str(kept)]) == 0
    text = capsys.readouterr().out
    print(text)
    alone, played = json.loads(kept.read_text())["live"]
    assert (alone["model"], played["model"]) == ("none", str(tiny_model))
    for row in (alone, played):
        assert (row["server"], row["block"], row["rate"]) == ("jack", 256, 44_100)
        assert row["seconds"] >= 1 and row["blocks"] >= 44_100 // 256
        assert 0 <= row["misses"] <= row["blocks"] and row["missed"] == pytest.approx(
            row["misses"] / row["blocks"], rel=1e-3
        )
        assert 0 <= row["server_lost"] < 1
    # PortAudio adds two periods on JACK; the engine's own delay is one block, for the hop divides it.
    assert played["latency_ms"]["total"] >= 1000 * 256 / 44_100
    assert played["load"]["p99"] > 0 and played["load"]["own"] > 0
    assert "missed blocks, %, at 44100 Hz" in text and "latency, ms, at 44100 Hz" in text
    assert servers and not any(map(leftovers_of, servers)), "the server has taken its memory along"


@pytest.mark.jack
@pytest.mark.usefixtures("jack")
def test_a_bench_that_is_told_to_end_leaves_no_server(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "rtaudio",
        "bench",
        "--live",
        "demucs-live",
        "--live-seconds",
        "60",
        "--blocks",
        "256",
    ]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not (logs := list(tmp_path.glob("*/jackd.log"))) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert logs, "no server was started"
        time.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert not list(tmp_path.glob("*/jackd.log"))


def test_without_jackd_the_engines_clock_plays_and_it_is_said(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "why_no_server", lambda: "jackd is not installed.")
    monkeypatch.setattr("rtaudio.cli.commands.bench.why_no_server", lambda: "jackd is not installed.")
    arguments = [str(tiny_model), "--live-seconds", "0.5", "--blocks", "128,512", "--rates", "48000", "--json"]
    assert main(["bench", "--live", *arguments]) == 0
    streams = capsys.readouterr()
    found = json.loads(streams.out)
    assert [(row["model"], row["block"]) for row in found["live"]] == [
        ("none", 128), (str(tiny_model), 128), ("none", 512), (str(tiny_model), 512),
    ]  # fmt: skip
    assert {(row["server"], row["rate"]) for row in found["live"]} == {("clock", 48_000)}
    # The hop waits, the converters hold back, the worker has its time: what `live --json` says, and nothing of it computed here.
    for row in found["live"]:
        if row["model"] != "none":
            assert row["latency_ms"]["total"] > 1000 * row["block"] / 48_000 and row["latency_ms"]["resampler"] > 0
    assert any("no sound server: jackd is not installed." in warning for warning in found["warnings"])
    assert "Warning: Played on the engine's own clock" in streams.err


def test_a_server_that_loses_time_by_itself_is_told_for_each_format() -> None:
    run = live.Played("none", 0.0, 96_000, 16, "jack", 3.0, 18_000, 9, 1, {}, {"total": 1.0}, "", "", None)
    runs = [replace(run, server_lost=lost, block=block) for block, lost in ((16, 0.09), (64, 0.004), (256, None))]
    (told,) = live.server_doubts([runs[0], *runs])
    assert "96000 Hz and blocks of 16" in told and "9.0%" in told


@pytest.mark.jack
@pytest.mark.usefixtures("jack")
def test_the_servers_own_clock_is_read(tmp_path: Path) -> None:
    with running(JackServer(tmp_path, 48_000, 256, synchronous=False)) as server:
        lost = server.lost(0.5)
        assert lost is not None and 0 <= lost < 1
        server.rate *= 2  # a server that is asked for twice as much loses half of it
        asked_for_twice = server.lost(0.5)
        assert asked_for_twice is not None and asked_for_twice > 0.3


def test_the_default_model_plays_refined_too() -> None:
    from rtaudio.cli.commands import bench
    from rtaudio.cli.main import Parser
    from rtaudio.protocol.settings import DEFAULT_MODEL

    parser = Parser()
    bench.add_arguments(parser)
    plan = bench._plan(parser.parse_args(["--live"]), ["demucs-open", DEFAULT_MODEL])
    assert plan.variants == [("demucs-open", 0.0), (DEFAULT_MODEL, 0.0), (DEFAULT_MODEL, live.LOOK_AHEAD)]
    assert (plan.blocks, plan.rates, plan.seconds) == ((16, 64, 128, 256, 512, 1024, 2048, 4096), (44_100,), 10.0)
    without = bench._plan(parser.parse_args(["--live", "--look-ahead", "0"]), [DEFAULT_MODEL])
    assert without.variants == [(DEFAULT_MODEL, 0.0)]


def test_what_cannot_play_says_why_in_the_engines_words(tiny_model: Path, tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    song.write_text("no sound")
    from rtaudio.audio.format import StemplayError

    with pytest.raises(StemplayError, match=r"could not play blocks of 256 frames at 44100 Hz: .*song\.wav"):
        live.play(str(tiny_model), 0.0, 44_100, 256, 0.5, song, None)


@pytest.mark.jack
@pytest.mark.usefixtures("jack")
def test_a_server_that_cannot_start_is_one_sentence(tmp_path: Path) -> None:
    from rtaudio.audio.format import StemplayError

    server = JackServer(tmp_path, channels=500)  # more ports than it has
    with pytest.raises(StemplayError, match="did not start"), running(server):
        pass
    assert len(leftovers_of(server)) == 0


def leftovers_of(server: JackServer) -> list[str]:
    return [name for name in leftovers() if server.name in name]

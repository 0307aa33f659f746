"""Ableton Link between two processes on the real network stack of this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.audio.tempo import Tempo
from rtaudio.control.session import Session
from rtaudio.engine import link as link_module
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, InsertState, MixerState
from tests.rtaudio.control.test_session import wait_until

ROOT = Path(__file__).resolve().parents[3]


class Peer:
    """``tests.link_peer`` as a process."""

    def __init__(self, bpm: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.link_peer", str(bpm)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, line: str = "look") -> tuple[int, float, float, float, bool]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        peers, tempo, beat, at, plays = json.loads(self._process.stdout.readline())
        return int(peers), float(tempo), float(beat), float(at), bool(plays)

    def close(self) -> None:
        self._process.communicate("end\n", timeout=60)


@pytest.fixture
def peer() -> Iterator[Peer]:
    pytest.importorskip("link", reason="the package LinkPython-extern is not installed")
    other = Peer(120.0)
    twin = Peer(120.0)
    deadline = time.monotonic() + 20
    while other.ask()[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    alone = other.ask()[0] == 0
    twin.close()
    if alone:
        other.close()
        pytest.skip("two programs do not find each other through multicast here")
    yield other
    other.close()


def test_two_processes_share_tempo_and_beat(peer: Peer) -> None:
    mixer = MixerState(inserts=[InsertState("delay", "delay-1", values={"sync": 9.0})])
    peer.ask("tempo 97.5")
    session = Session(EngineConfig(input="none", output="null", model="none", link=True), mixer)
    session.send(command("set_tempo", bpm=140.0))  # before it has joined
    with session:
        wait_until(lambda: session.snapshot().sync.peers >= 1 and peer.ask()[0] >= 1, "each other")
        wait_until(lambda: session.snapshot().transport.tempo == pytest.approx(97.5, abs=0.01), "the tempo of who was there first")
        peer.ask("tempo 88.0")
        wait_until(lambda: session.snapshot().transport.tempo == pytest.approx(88.0, abs=0.01), "their next tempo")
        session.send(command("set_tempo", bpm=133.0))
        wait_until(lambda: peer.ask()[1] == pytest.approx(133.0, abs=0.01), "our tempo")
        wait_until(lambda: session.snapshot().transport.tempo == pytest.approx(133.0, abs=0.01), "that it stays")

        def apart() -> float:
            """Beats between the two within a bar; the report is a little older than the look."""
            beat = session.snapshot().sync.beat
            return (peer.ask()[2] - beat + 0.1) % link_module.QUANTUM - 0.1

        wait_until(lambda: apart() < 0.4, "the same beat of the bar")
        assert session.snapshot().sync.link and session.snapshot().restarts == 0
        together = peer.ask()[0]
    wait_until(lambda: peer.ask()[0] < together, "that we have left")


def test_start_and_stop_are_shared_with_who_shares_them(peer: Peer, tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, np.zeros((44_100 * 60, 2), np.float32), 44_100)
    config = EngineConfig(input=str(path), output="null", model="none", analyse=False, link=True, link_start=True)
    session = Session(config, MixerState())
    session.send(command("pause"))
    with session:
        wait_until(lambda: session.snapshot().sync.peers >= 1 and peer.ask()[0] >= 1, "each other")
        peer.ask("play")
        wait_until(lambda: session.snapshot().transport.playing, "that we play, too")
        session.send(command("pause"))
        wait_until(lambda: not peer.ask()[4], "that they stop")
        session.send(command("play"))
        wait_until(lambda: peer.ask()[4], "that they start")
        peer.ask("stop")
        wait_until(lambda: not session.snapshot().transport.playing, "that we stop, too")


def test_our_beat_is_theirs_to_a_few_milliseconds(peer: Peer) -> None:
    tempo = Tempo(100.0)
    ours = link_module.LinkSession(tempo)
    try:
        wait_until(lambda: ours.peers >= 1 and peer.ask()[0] >= 1, "each other")
        peer.ask("tempo 111")

        def apart_ms() -> float:
            ours.follow()
            _, _, beat, at, _ = peer.ask()
            away = (tempo.beat(at) - beat + link_module.QUANTUM / 2) % link_module.QUANTUM - link_module.QUANTUM / 2
            return abs(away) * 60_000 / tempo.bpm if tempo.bpm == pytest.approx(111.0, abs=0.01) else 1e9

        wait_until(lambda: apart_ms() < 20.0, "the same beat")  # the other reads its two clocks one after the other
        print(f"\napart by {sorted(apart_ms() for _ in range(21))[10]:.3f} ms (median of 21 looks)")
    finally:
        ours.close()


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "link", None)
    with pytest.raises(StemplayError, match="LinkPython-extern"):
        link_module.LinkSession(Tempo())

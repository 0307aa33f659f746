"""A real MIDI client plays the instrument over a real JACK server."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rtaudio.control.session import Session
from rtaudio.protocol.messages import command
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import EngineConfig
from tests.jack import ROOT, JackServer, private_server
from tests.sing_fixture import tiny_instrument

pytestmark = pytest.mark.jack



@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    with private_server(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("STEMPLAY_MIDI_BACKEND", "UNIX_JACK")
        yield server


class Keyboard:
    """``tests.midi_peer`` as a process."""

    def __init__(self, folder: Path) -> None:
        self._log = (folder / "keys.log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.midi_peer", "7"], cwd=ROOT, env=os.environ.copy(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip

    def tell(self, line: str) -> int:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._process.communicate("end\n", timeout=60)
        self._process.kill()
        self._process.wait()
        self._log.close()


@contextlib.contextmanager
def playing(folder: Path, **settings: Any) -> Iterator[tuple[Session, Keyboard]]:
    """An engine with the tiny instrument and a keyboard beside it."""
    directory = tiny_instrument(folder)
    keyboard = Keyboard(folder)
    session = Session(
        EngineConfig(input="none", output="default", model="none", instrument=str(directory), midi="keys", **settings)
    )
    try:
        session.start()
        yield session, keyboard
    finally:
        keyboard.close()
        session.stop()


def until(session: Session, happened: Callable[[Snapshot], bool], patience: float = 60.0) -> Snapshot:
    deadline = time.monotonic() + patience
    while not happened(report := session.snapshot()):
        assert time.monotonic() < deadline, f"waited in vain; last seen {report.state}, {report.instrument}"
        time.sleep(0.05)
    return report


@pytest.mark.parametrize("events", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_events_and_an_unplugged_keyboard_leave_no_note_behind(server: JackServer, tmp_path: Path, events: int) -> None:
    with playing(tmp_path) as (session, keyboard):
        until(session, lambda s: s.state == "running" and "'keys' is missing" in s.instrument.midi)
        keyboard.tell("plug")
        until(session, lambda s: len(s.instrument.ports) == 1)
        sent = keyboard.tell(f"play {events // 2}")
        first = until(session, lambda s: s.instrument.received >= sent)
        assert first.instrument.received == sent  # none lost, none doubled
        for pitch in (50, 60, 70):
            keyboard.tell(f"send 144 {pitch} 100")
        keyboard.tell("send 176 64 127")  # the pedal is down when the cable is pulled
        until(session, lambda s: s.instrument.notes >= 3)
        keyboard.tell("unplug")
        gone = until(session, lambda s: s.instrument.notes == 0 and not s.instrument.ports)
        assert "'keys' is missing" in gone.instrument.midi
        keyboard.tell("plug")
        before = until(session, lambda s: len(s.instrument.ports) == 1).instrument.received
        already = keyboard.tell("send 144 60 100")
        until(session, lambda s: s.instrument.received >= before + 1)
        keyboard.tell(f"play {events // 2}")
        for pitch in range(40, 60):
            sent = keyboard.tell(f"send 144 {pitch} 127") - already
        second = until(session, lambda s: s.instrument.received >= before + 1 + sent and s.instrument.notes > 0)
        assert second.instrument.received == before + 1 + sent
        session.send(command("panic"))
        last = until(session, lambda s: s.instrument.notes == 0 and max(s.master.rms, default=1.0) == 0.0)
        assert last.restarts == 0 and last.instrument.dropped == 0
        # An exception or a sample that is no number is told before all else; that a busy machine was too slow may be told.
        assert not last.message or "too busy" in last.message, last.message
        print(last.instrument)


def test_a_learned_knob_moves_a_fader_of_the_mixer(server: JackServer, tmp_path: Path) -> None:
    with playing(tmp_path) as (session, keyboard):
        keyboard.tell("plug")
        until(session, lambda s: len(s.instrument.ports) == 1)
        session.send(command("learn", target="stem.instrument.gain_db"))
        until(session, lambda s: s.instrument.learning != "")
        keyboard.tell("send 176 20 0")
        report = until(session, lambda s: s.mixer.stems["instrument"].gain_db == -60.0)
        assert report.instrument.state.midi_map == [
            {"channel": 0, "control": 20, "target": "stem.instrument.gain_db", "takeover": "pickup"}
        ]


def test_the_whole_way_of_a_note_through_the_server(server: JackServer, tmp_path: Path) -> None:
    """From a MIDI event in one JACK client to its sound in the same: printed, with the parts that are known. No time is asserted."""
    notes = 15
    directory = tiny_instrument(tmp_path)
    prober = subprocess.Popen(
        [sys.executable, "-m", "tests.jack_prober", str(notes)], cwd=ROOT, env=os.environ.copy(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert prober.stdin is not None and prober.stdout is not None
    assert prober.stdout.readline() == "ready\n"
    session = Session(
        EngineConfig(input="none", output="default", model="none", instrument=str(directory), midi="keys", block=256)
    )
    try:
        session.start()
        report = until(
            session, lambda s: s.state == "running" and bool(s.instrument.ports) and s.instrument.primed >= 1.0
        )
        text, _ = prober.communicate("go\n", timeout=150)
        delays = sorted(float(line) for line in text.split())
        assert len(delays) == notes, "each note was heard"
        last = session.snapshot()
        half, most = delays[len(delays) // 2], delays[-1]
        device = 1000 * last.latency.device / last.latency.rate
        print(
            f"\nwhole way: p50 {half:.1f}, p99 {delays[round(0.99 * (notes - 1))]:.1f}, most {most:.1f} ms at blocks of 256; the "
            f"instrument declares {last.instrument.delay_ms:.1f} (resampler included), the host a device of {device:.1f}; "
            f"misses {last.instrument.misses}, late {last.instrument.late}"
        )
        assert half > 1000 * 256 / report.rate, "no sooner than the block that it waits for"
    finally:
        prober.kill()
        prober.wait()
        session.stop()


def test_a_sequencer_is_connected_to_the_virtual_port_which_is_closed_in_the_end(
    server: JackServer, tmp_path: Path
) -> None:
    directory = tiny_instrument(tmp_path)
    keyboard = Keyboard(tmp_path)
    session = Session(
        EngineConfig(input="none", output="null", model="none", instrument=str(directory), midi="virtual", rate=44_100)
    )
    try:
        keyboard.tell("plug")
        session.start()
        until(session, lambda s: s.instrument.ports == ["stemplay"])
        ours = next(port for port in server.ports() if "stemplay" in port and port.endswith("midi_in"))
        server.connect(next(port for port in server.ports() if port.endswith(":keys")), ours)
        keyboard.tell("send 144 60 100")
        until(session, lambda s: s.instrument.received == 1 and s.instrument.notes == 1)
    finally:
        session.stop()
        left = [port for port in server.ports() if "stemplay" in port]
        keyboard.close()
    assert not left, "the port was closed, not torn away"

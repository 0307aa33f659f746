"""MIDI clock: what goes out when, without ports; and a real one that another process hears over JACK."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile

from rtaudio.audio.tempo import Tempo
from rtaudio.control.session import Session
from rtaudio.midi.clock import CONTINUE, POSITION, START, STOP, TICK, Clock, ClockState
from rtaudio.midi.output import MidiOutput
from rtaudio.midi.output_ports import list_outputs
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig
from tests.jack import ROOT, JackServer, private_server
from tests.rtaudio.conftest import noise
from tests.rtaudio.control.test_session import wait_until
from tests.sing_fixture import tiny_instrument


def test_a_tempo_goes_on_from_where_it_is() -> None:
    tempo = Tempo(120.0, now=0.0)
    assert tempo.beat(1.0) == 2.0 and tempo.time_of(3.0) == 1.5
    tempo.set(60.0, now=1.0)
    assert tempo.beat(1.0) == 2.0 and tempo.beat(2.0) == 3.0 and tempo.bpm == 60.0
    tempo.place(10.0, now=5.0)
    assert tempo.beat(6.0) == 11.0


def run(clock: Clock, until: float) -> list[tuple[float, list[int]]]:
    """What goes out until a time, each message at the time at which it is due."""
    out = []
    while clock.due < until:
        now = clock.due
        out += [(now, data) for data in clock.take(now)]
    return out


def test_a_song_from_its_beginning_is_24_ticks_a_beat_after_start() -> None:
    clock = Clock()
    out = [(0.01, data) for data in clock.follow(ClockState(120.0, 0.02, 0.01, running=True), 0.01)]
    assert out == [(0.01, [START])]
    ticks = run(clock, 1.0 - 1e-6)
    assert all(data == [TICK] for _, data in ticks) and len(ticks) == 48  # of two beats; the first is due at once
    gaps = [b - a for (a, _), (b, _) in itertools.pairwise(ticks)]
    assert all(gap == pytest.approx(60 / 120 / 24) for gap in gaps)


def test_in_the_middle_of_a_song_position_and_continue_come_before_the_tick_of_their_sixteenth() -> None:
    clock = Clock()
    assert clock.follow(ClockState(60.0, 10.1, 0.0, running=True), 0.0) == []
    out = run(clock, 0.5)
    at = next(k for k, (_, data) in enumerate(out) if data == [CONTINUE])
    place = out[at - 1][1]
    assert place[0] == POSITION and place[1] + 128 * place[2] == 41 and out[at + 1][1] == [TICK]
    assert out[at + 1][0] == pytest.approx((41 / 4 - 10.1) * 1.0)
    assert all(data == [TICK] for _, data in out[at + 1 :])


def test_a_pause_stops_and_a_jump_stops_and_goes_on_elsewhere() -> None:
    clock = Clock()
    clock.follow(ClockState(120.0, 0.0, 0.0, True), 0.0)
    run(clock, 1.0)
    assert clock.follow(ClockState(120.0, 2.0, 1.0, False), 1.0) == [[STOP]]
    assert {data[0] for _, data in run(clock, 2.0)} == {TICK}  # ticks go on
    assert clock.follow(ClockState(120.0, 40.0, 2.0, True, jumps=1), 2.0) == []
    out = run(clock, 3.0)
    assert [data[0] for _, data in out[:3]] == [POSITION, CONTINUE, TICK]
    assert clock.follow(ClockState(120.0, 8.05, 3.0, True, jumps=2), 3.0) == [[STOP]]
    assert CONTINUE in {data[0] for _, data in run(clock, 3.5)}
    assert clock.end() == [[STOP]] and clock.end() == []


def test_a_song_may_be_counted_apart_from_the_beat_that_is_shared() -> None:
    clock = Clock()
    clock.follow(ClockState(120.0, 100.1, 0.0, True, offset=-100.0), 0.0)  # the song is at beat .1: from its beginning
    assert clock._told and clock.due == pytest.approx(-0.1 * 0.5)
    later = Clock()
    assert later.follow(ClockState(120.0, 99.9, 0.0, True, offset=-100.0), 0.0) == []
    out = run(later, 0.2)
    first = next(k for k, (_, data) in enumerate(out) if data == [START])
    assert out[first][0] == pytest.approx(0.05) and out[first + 1][1] == [TICK]


def test_after_a_long_sleep_the_clock_goes_on_from_where_it_is() -> None:
    clock = Clock()
    clock.follow(ClockState(120.0, 0.0, 0.0, True), 0.0)
    assert clock.take(100.0)[-1] == [TICK] and clock.due >= 100.0
    clock.follow(ClockState(120.0, 2000.0, 100.0, True, jumps=1), 100.0)
    assert clock.due >= 100.0


def test_without_midi_the_output_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMPLAY_MIDI_BACKEND", "none")
    for choice, words in (("default", "no MIDI output"), ("Lamps", "'Lamps' is missing")):
        output = MidiOutput(choice)
        output.start()
        wait_until(lambda output=output, words=words: words in output.message, "the sentence")
        output.stop()
    assert list_outputs() == []


# ---------------------------------------------------------------- over a real JACK server


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    with private_server(tmp_path, period=64) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("STEMPLAY_MIDI_BACKEND", "UNIX_JACK")
        yield server


def positions(messages: list[bytes]) -> list[int]:
    """Song positions, in sixteenths."""
    return [data[1] + 128 * data[2] for data in messages if data[0] == POSITION]


class Listener:
    """``tests.midi_listener`` as a process. ``heard``: time and bytes of each message."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, bytes]] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.midi_listener"], cwd=ROOT, env=os.environ.copy(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None and self._process.stdout.readline() == "0 up\n"
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            time, _, data = line.partition(" ")
            self.heard.append((float(time), bytes.fromhex(data)))

    def messages(self) -> list[bytes]:
        return [data for _, data in tuple(self.heard)]

    def close(self) -> None:
        self._process.communicate(timeout=60)
        self._thread.join(10)


@contextmanager
def listener() -> Iterator[Listener]:
    found = Listener()
    try:
        yield found
    finally:
        found.close()


@pytest.mark.jack
def test_a_drum_machine_hears_start_ticks_position_and_stop(server: JackServer, tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, noise(44_100 * 60), 44_100)
    config = EngineConfig(input=str(song), output="default", model="none", block=64, midi_out="lamps", midi_clock=True)
    with listener() as drums:
        session = Session(config)
        session.send(command("pause"))
        session.send(command("set_tempo", bpm=240.0))
        with session:
            wait_until(lambda: bool(session.snapshot().sync.outputs), "the output")
            wait_until(lambda: bytes([TICK]) in drums.messages(), "ticks, even before the song")
            session.send(command("play"))
            wait_until(lambda: bytes([START]) in drums.messages(), "start")
            begun = drums.messages().index(bytes([START]))
            wait_until(lambda: session.snapshot().transport.position_s > 0, "the song")
            place, since = session.snapshot().transport.position_s, time.monotonic()
            wait_until(lambda: len(drums.messages()) > begun + 24 * 10, "ten beats")
            speed = (session.snapshot().transport.position_s - place) / (time.monotonic() - since)  # below 1 where the server loses time
            told = drums.messages()[begun + 1 : begun + 240]
            assert told[0] == bytes([TICK]) and told.count(bytes([TICK])) > 200 and bytes([START]) not in told
            times = [at for at, data in drums.heard[begun + 30 :] if data == bytes([TICK])]
            mean = (times[-1] - times[0]) / (len(times) - 1)
            assert mean * speed == pytest.approx(60 / 240 / 24, rel=0.25)  # a single tick depends on the machine
            off = sorted(1000 * abs(at - times[0] - k * mean) for k, at in enumerate(times))
            wait_until(lambda: session.snapshot().sync.ticks > 200, "a report of these ticks")  # a report is older than what was heard
            sync = session.snapshot().sync
            print(f"\nheard over JACK at blocks of 64: off by p50 {statistics.median(off):.2f}, most {off[-1]:.2f} ms; {sync}")
            assert set(sync.jitter_ms) == {"p50", "p99", "max"}
            heard = len(drums.messages())
            session.send(command("seek", position_s=20.0))  # 80 beats
            wait_until(lambda: bytes([CONTINUE]) in drums.messages()[heard:], "continue")
            wait_until(lambda: any(320 <= place < 380 for place in positions(drums.messages()[heard:])), "the new position")
            after = [data for data in drums.messages()[heard:] if data != bytes([TICK])]
            assert after[0] == bytes([STOP]) and after[1][0] == POSITION and after[2] == bytes([CONTINUE])
            heard = len(drums.messages())
            session.send(command("pause"))
            wait_until(lambda: bytes([STOP]) in drums.messages()[heard:], "stop")


@pytest.mark.jack
def test_a_controller_shows_what_others_move(server: JackServer, tmp_path: Path) -> None:
    config = EngineConfig(
        input="none", output="default", model="none", block=64, instrument=str(tiny_instrument(tmp_path)), midi="none", midi_out="virtual"
    )
    with listener() as lamps, Session(config) as session:
        wait_until(lambda: session.snapshot().sync.outputs == ["stemplay"], "our own port")
        ours = next(port for port in server.ports() if "stemplay" in port and port.endswith("midi_out"))
        server.connect(ours, next(port for port in server.ports() if port.endswith(":lamps")))
        entries = [{"channel": 0, "control": 20, "target": "mixer.dry"}, {"channel": 1, "note": 60, "target": "stem.bass.mute"}]
        session.send(command("set_midi_map", entries=entries))
        session.send(command("set_mixer", field="dry", value=1.0))
        wait_until(lambda: bytes([0xB0, 20, 127]) in lamps.messages(), "the ring of the knob")
        session.send(command("set_stem", stem="bass", field="mute", value=True))
        wait_until(lambda: bytes([0x91, 60, 127]) in lamps.messages(), "the light of the pad")
        heard = len(lamps.messages())
        session.send(command("midi", data=[0xB0, 20, 64]))  # the knob itself: it needs no answer
        wait_until(lambda: session.snapshot().mixer.dry == pytest.approx(64 / 127), "the knob")
        session.send(command("midi", data=[0x91, 60, 100]))
        wait_until(lambda: bytes([0x91, 60, 0]) in lamps.messages()[heard:], "the light goes out")
        assert not any(data[:2] == bytes([0xB0, 20]) for data in lamps.messages()[heard:])
        wait_until(lambda: session.snapshot().sync.sent >= 3, "the count of what was sent")

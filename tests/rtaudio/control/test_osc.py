"""Open Sound Control: messages to commands, and a real server that another process speaks with over UDP."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.control.osc import MOST_CLIENTS, OscControls, OscServer, make_message, read_packet
from rtaudio.control.session import Session
from rtaudio.protocol.checks import check_config, osc_endpoint
from rtaudio.protocol.controls import CONTROLS, NUMBER, fixed_targets, learnable, osc_address
from rtaudio.protocol.reports import InsertReport, InstrumentReport, Snapshot, Transport
from rtaudio.protocol.settings import EngineConfig, InsertState, InstrumentState, MixerState, StemState
from tests.rtaudio.conftest import noise
from tests.rtaudio.control.test_session import wait_until

ROOT = Path(__file__).resolve().parents[3]
MIXER = MixerState(
    {"vocals": StemState(inserts=[InsertState("reverb", "reverb-1"), InsertState("lv2:urn:x#y", "a/b c-1", values={"gain.left": 1.0})])}
)


def snapshot(**more: Any) -> Snapshot:
    return Snapshot(mixer=MIXER, transport=Transport("/song.wav", True, 3.0, 60.0), **more)


def orders(address: str, *arguments: Any, report: Snapshot | None = None) -> list[tuple[str, dict[str, Any]]]:
    return [(order.op, order.args) for order in OscControls().commands(address, list(arguments), report or snapshot())]


def test_each_control_of_the_table_has_an_address_that_leads_to_a_command() -> None:
    report = snapshot(instrument=InstrumentReport(model="sing", state=InstrumentState(record_folder=os.path.abspath("takes"))))
    report.mixer.dry = 0.5
    values = OscControls().values(report)
    for target in fixed_targets(report.mixer.stems, every=True):
        number = (control := next(c for c in CONTROLS if c.target.split(".")[-1] == target.split(".")[-1])).kind == NUMBER
        if number:
            assert len(orders(osc_address(target), max(control.limits[0], -6.0), report=report)) == 1
            assert isinstance(values[osc_address(target)], float)
        else:
            assert len(orders(osc_address(target), report=report)) == (0 if target == "transport.loop" else 1)
    learned = [target for target in fixed_targets(report.mixer.stems) if learnable(target, tuple(report.mixer.stems))]
    assert set(map(osc_address, learned)) <= set(OscControls().addresses(report))


def test_messages_become_commands() -> None:
    stem = {"stem": "vocals"}
    assert orders("/stem/vocals/gain_db", -6) == [("set_stem", stem | {"field": "gain_db", "value": -6.0})]
    assert orders("/stem/vocals/gain_db", float("-inf"))[0][1]["value"] == float("-inf")
    assert orders("/stem/vocals/mute") == orders("/stem/vocals/mute", 1.0) == [("set_stem", stem | {"field": "mute", "value": True})]
    assert orders("/stem/vocals/mute", 0) == [] == orders("/transport/play", True)  # it is so already
    assert orders("/transport/play", 0) == orders("/transport/play") == [("pause", {})]
    assert orders("/transport/start", 1) == [("seek", {"position_s": 0.0})] and orders("/transport/start", 0) == []
    assert orders("/transport/position", 12) == [("seek", {"position_s": 12.0})]
    assert orders("/transport/tempo", 90) == [("set_tempo", {"bpm": 90.0})]
    assert orders("/transport/panic") == [("panic", {})] and orders("/transport/panic", 0) == []
    assert orders("/mixer/limiter", 0) == [("set_mixer", {"field": "limiter", "value": False})]
    place = {"strip": "vocals", "key": "reverb-1"}
    assert orders("/insert/vocals/reverb-1/mix", 30) == [("set_parameter", place | {"parameter": "mix", "value": 30.0})]
    assert orders("/insert/vocals/reverb-1/bypass") == [("bypass_insert", place | {"bypass": True})]
    foreign = {"strip": "vocals", "key": "a/b c-1", "parameter": "gain.left", "value": 0.5}
    assert orders("/insert/vocals/a%2Fb%20c-1/gain.left", 0.5) == [("set_parameter", foreign)]
    assert orders("/insert/vocals/a%2Fb%20c-1/never%20moved", 0.5) == [("set_parameter", foreign | {"parameter": "never moved"})]


def test_a_plugin_in_place_of_a_model_has_its_parameters_and_no_bypass() -> None:
    played = InstrumentReport(model="Piano", slot=InsertReport(plugin="lv2:urn:piano"))
    played.state.plugin = InsertState("lv2:urn:piano", "instrument", values={"decay": 0.5})
    report = snapshot(instrument=played)
    assert OscControls().values(report)["/insert/instrument/instrument/decay"] == 0.5
    place = {"strip": "instrument", "key": "instrument"}
    for parameter in ("decay", "hardness"):
        wanted = [("set_parameter", place | {"parameter": parameter, "value": 0.25})]
        assert orders(f"/insert/instrument/instrument/{parameter}", 0.25, report=report) == wanted
    assert "/insert/instrument/instrument/bypass" not in OscControls().addresses(report)


def test_a_pattern_reaches_all_that_it_fits() -> None:
    report = snapshot()
    report.mixer = MixerState({name: StemState() for name in ("drums", "bass", "vocals")})
    assert [order[1]["stem"] for order in orders("/stem/*/mute", 1, report=report)] == ["drums", "bass", "vocals"]
    assert [order[1]["stem"] for order in orders("/stem/{bass,vocals}/mute", 1, report=report)] == ["bass", "vocals"]
    assert [order[1]["stem"] for order in orders("/stem/[!dv]???/mute", 1, report=report)] == ["bass"]
    for wrong in ("/stem/*/kazoo", "/stem/[/mute", "/" + "*a" * 20, "/" + "?" * 300, "/stem/{bass/mute", "/stem/[]/mute"):
        with pytest.raises(StemplayError):
            orders(wrong, 1, report=report)


@pytest.mark.parametrize(
    ("address", "arguments", "words"),
    [
        ("/stem/kazoo/mute", [1], "There is no control /stem/kazoo/mute"),
        ("/stem/vocals/gain_db", [], "takes one number"),
        ("/stem/vocals/gain_db", [True], "takes one number"),
        ("/stem/vocals/gain_db", [float("nan")], "takes one number"),
        ("/stem/vocals/gain_db", ["loud"], "takes one number"),
        ("/stem/vocals/mute", [0.5], "takes 1, 0 or nothing"),
        ("/stem/vocals/mute", [1, 1], "takes 1, 0 or nothing"),
        ("/transport/record", [], "No folder for recordings"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(address: str, arguments: list[Any], words: str) -> None:
    with pytest.raises(StemplayError, match=words):
        orders(address, *arguments)


def test_packets_are_read_and_bad_ones_refused() -> None:
    assert read_packet(make_message("/a", 1.5, True, "x")) == [("/a", [1.5, 1, "x"])]
    assert read_packet(make_message("/a", -1e300, float("-inf")))[0][1] == [pytest.approx(-3.4e38), float("-inf")]
    message = make_message("/b")
    bundle = b"#bundle\0" + (1).to_bytes(8, "big") + len(message).to_bytes(4, "big") + message
    assert read_packet(bundle) == [("/b", [])]
    for data in (b"", b"x", b"/a\0\0,i\0\0", b"#bundle\0", b"/a\0\0,f\0\0\0", b"/" + b"x" * 5000, b"/\xff\xfe\0", b"#bundle\0" * 600):
        with pytest.raises(StemplayError):
            read_packet(data)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("9000", ("127.0.0.1", 9000)), ("0.0.0.0:9000", ("0.0.0.0", 9000)), ("[::1]:57120", ("::1", 57_120)), ("studio:1", ("studio", 1))],
)
def test_it_listens_on_this_machine_unless_an_address_is_named(text: str, wanted: tuple[str, int]) -> None:
    assert osc_endpoint(text) == wanted
    check_config(EngineConfig(model="none", osc=text))


@pytest.mark.parametrize("text", ["0", "65536", ":9000", "a:", "-1", "9000x", "٣", "9" * 400])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(StemplayError, match="OSC listens at a port"):
        check_config(EngineConfig(model="none", osc=text))


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_only_so_many_clients_hear_of_changes_and_a_client_can_leave() -> None:
    server = OscServer(str(free_port()), lambda cmd: None, snapshot)
    try:
        for port in range(MOST_CLIENTS + 3):
            server.take(make_message("/subscribe", 20_000 + port), ("127.0.0.1", 9))
        assert len(server.report().clients) == MOST_CLIENTS and server.report().refused == 3
        server.take(make_message("/unsubscribe", 20_000), ("127.0.0.1", 9))
        assert len(server.report().clients) == MOST_CLIENTS - 1
        server.take(make_message("/subscribe", 0), ("127.0.0.1", 9))
        assert "take a port" in server.report().message
    finally:
        server.stop()


class Peer:
    """The other program."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.osc_peer", str(port)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.heard: dict[str, list[Any]] = {}
        self.all: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            address, *values = json.loads(line)
            self.heard[address] = values
            self.all.put([address, *values])

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.communicate("end\n", timeout=60)
        self._thread.join(10)


@contextmanager
def peer(port: int) -> Iterator[Peer]:
    other = Peer(port)
    try:
        yield other
    finally:
        other.close()


def test_another_process_moves_everything_and_hears_of_every_change(tmp_path: Path) -> None:
    song, port = tmp_path / "song.wav", free_port()
    soundfile.write(song, noise(44_100 * 20), 44_100)
    mixer = MixerState(inserts=[InsertState("delay", "delay-1")])
    config = EngineConfig(input=str(song), output="null", model="none", osc=str(port), loop=True)
    with Session(config, mixer, InstrumentState(record_folder=str(tmp_path / "takes"))) as session, peer(port) as other:
        wait_until(lambda: session.snapshot().state == "running" and session.snapshot().remote.address, "the engine and its OSC server")
        other.tell("send /subscribe")
        wait_until(lambda: other.heard.get("/mixer/master_db") == [0.0] and "/transport/position" in other.heard, "all values")
        assert other.heard["/insert/master/delay-1/time"] == [350.0] and other.heard["/transport/play"] == [1]
        for line in ("/stem/vocals/gain_db -12.5", "/stem/drums/mute 1", "/transport/play 0", "/insert/master/delay-1/mix 60",
                     "/transport/tempo 90", "/insert/master/delay-1/bypass 1"):  # fmt: skip
            other.tell(f"send {line}")
        wait_until(lambda: other.heard.get("/insert/master/delay-1/bypass") == [1], "the last of them")
        wait_until(lambda: other.heard["/transport/tempo"] == [90.0] and other.heard["/transport/play"] == [0], "the others")
        report = session.snapshot()
        assert report.mixer.stems["vocals"].gain_db == -12.5 and report.mixer.stems["drums"].mute and not report.transport.playing
        assert report.mixer.inserts[0].values["mix"] == 60.0 and report.mixer.inserts[0].bypass
        other.tell("send /transport/record 1")
        wait_until(lambda: other.heard["/transport/record"] == [1], "the recording")
        other.tell("send /transport/record 0")
        wait_until(lambda: bool(session.snapshot().recordings), "its end")
        for line in ("send /stem/vocals/gain_db 500.0", "send /kazoo 1", "raw 00ff00ff"):
            other.tell(line)
        wait_until(lambda: session.snapshot().remote.refused == 3, "the refusals")
        report = session.snapshot()
        assert report.state == "running" and report.mixer.stems["vocals"].gain_db == -12.5 and report.restarts == 0
        wait_until(lambda: other.heard.get("/error") == ["A datagram was no OSC packet."], "the sentence")
        session.send(next(iter(OscControls().commands("/mixer/dry", [0.25], report))))  # moved by somebody else
        wait_until(lambda: other.heard["/mixer/dry"] == [0.25], "that change, too")


def test_an_engine_that_dies_keeps_its_clients(tmp_path: Path) -> None:
    port = free_port()
    with Session(EngineConfig(input="none", output="null", model="none", osc=str(port))) as session, peer(port) as other:
        wait_until(lambda: session.snapshot().state == "running" and bool(session.snapshot().remote.address), "the engine")
        other.tell("send /stem/bass/pan -0.5")
        wait_until(lambda: other.heard.get("/stem/bass/pan") == [-0.5], "the answer")
        assert session.engine_pid is not None
        os.kill(session.engine_pid, 9)
        wait_until(lambda: session.snapshot().restarts == 1 and session.snapshot().state == "running", "another engine")
        other.tell("send /stem/bass/pan 0.5")
        wait_until(lambda: other.heard["/stem/bass/pan"] == [0.5], "the answer")
        assert session.snapshot().mixer.stems["bass"].pan == 0.5


def test_a_port_that_is_taken_is_told_and_the_engine_plays(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with Session(EngineConfig(input="none", output="null", model="none", osc=str(port))) as session:
            wait_until(lambda: session.snapshot().state == "running", "the engine")
            assert f"OSC cannot listen at 127.0.0.1 port {port}" in session.snapshot().message
        result = subprocess.run(
            [sys.executable, "-m", "rtaudio", "live", "--model", "none", "--input", "none", "--output", "null", "--osc", str(port)],
            cwd=ROOT, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert result.returncode == 2 and result.stderr.count("\n") == 1 and "OSC cannot listen" in result.stderr, result


def test_without_the_option_nothing_listens() -> None:
    with Session(EngineConfig(input="none", output="null", model="none")) as session:
        wait_until(lambda: session.snapshot().state == "running", "the engine")
        assert session.snapshot().remote.address == "" and "stemplay-osc" not in {thread.name for thread in threading.enumerate()}

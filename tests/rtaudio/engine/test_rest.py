"""Where nothing sounds nothing runs, and nobody can hear that it did not."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rtaudio.audio.format import Audio
from rtaudio.control import daemon
from rtaudio.control.session import Session
from rtaudio.control.supervisor import Supervisor
from rtaudio.engine.engine import Engine
from rtaudio.engine.pipeline import Pipeline
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.instrument.model import InstrumentModel
from rtaudio.instrument.player import InstrumentPlayer
from rtaudio.instrument.synth import Synth
from rtaudio.midi.message import MidiMessage
from rtaudio.ports.fake import FakePort
from rtaudio.processors.factory import make_separator, refined_ms
from rtaudio.processors.frame_model import CausalModel, FrameModel
from rtaudio.processors.refine import Refined
from rtaudio.processors.separator import SeparatorProcessor
from rtaudio.processors.silence_skip import REST_S, SilenceSkipper
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, MixerState, StemState
from tests.rtaudio.conftest import noise
from tests.rtaudio.control.test_session import CLOCK, wait_until
from tests.rtaudio.streaming import prepared, sizes, stream
from tests.sing_fixture import tiny_instrument

RATE = 44_100


def pieces(*seconds: float) -> Audio:
    """Sound and silence in turns."""
    parts = [noise(round(s * RATE)) * np.float32(k % 2 == 0) for k, s in enumerate(seconds)]
    return np.concatenate(parts)


class Counted:
    """A FrameModel that counts its calls and is never quite silent."""

    def __init__(self, inner: FrameModel) -> None:
        self.name, self.rate, self.channels, self.outputs = inner.name, inner.rate, inner.channels, inner.outputs
        self.shares, self.hop, self.window, self.delay = inner.shares, inner.hop, inner.window, inner.delay
        self.inner, self.calls = inner, 0
        self.reset, self.get_state, self.set_state = inner.reset, inner.get_state, inner.set_state
        self.warm_up = inner.warm_up

    def run(self, mix: Audio) -> Audio:
        self.calls += 1
        return self.inner.run(mix) + np.float32(1e-3)


def test_a_network_rests_in_long_silence(tiny_runtime: ModelRuntime) -> None:
    counted = Counted(CausalModel(tiny_runtime.sibling()))
    processor = prepared(make_separator(SilenceSkipper(counted)))
    mix = pieces(0.5, 3.0, 0.5)
    stems = stream(processor, mix, sizes(512))[processor.latency :]
    awake = counted.calls * counted.hop / RATE
    assert awake == pytest.approx(1.0 + REST_S, abs=0.1), "two seconds of silence cost nothing"
    assert not stems[round(0.6 * RATE) : round(3.5 * RATE)].any() and stems[: round(0.5 * RATE)].any(axis=(0, 2)).all()
    assert np.abs(stems.sum(axis=1) - mix).max() < 1e-5


@pytest.mark.parametrize(("rate", "look_ahead"), [(44_100, 0.0), (48_000, 0.0), (48_000, 8.0)])
def test_streaming_is_offline_with_rests_for_any_chunking(
    tiny_runtime: ModelRuntime, rate: int, look_ahead: float
) -> None:
    mix = pieces(0.1, REST_S + 0.4, 0.1, REST_S + 0.1, 0.1)

    def fresh() -> SeparatorProcessor:
        model = SilenceSkipper(CausalModel(tiny_runtime.sibling()))
        return make_separator(model, look_ahead_ms=look_ahead)

    whole = stream(prepared(fresh(), rate), mix, sizes(len(mix)))
    for kind in (256, "random"):
        assert np.abs(stream(prepared(fresh(), rate), mix, sizes(kind)) - whole).max() < 1e-5
    first, second = prepared(fresh(), rate), prepared(fresh(), rate)
    cut = round((REST_S + 0.3) * RATE)  # in the middle of a rest
    head = stream(first, mix[:cut], sizes(777), flush=False)
    second.restore_state(first.save_state())
    tail = stream(second, mix[cut:], sizes(777))
    assert np.abs(np.concatenate((head, tail)) - whole).max() < 1e-5


def test_refining_that_rests_gives_what_it_would_give_awake(tiny_runtime: ModelRuntime) -> None:
    mix = pieces(0.2, REST_S + 0.8, 0.2)
    models = [SilenceSkipper(CausalModel(tiny_runtime.sibling())) for _ in range(2)]
    resting = refined_ms(models[0], 8.0)
    awake = Refined(models[1], round(8.0 * RATE / 1000))
    assert isinstance(resting, SilenceSkipper)
    hop, rested = resting.hop, 0
    for start in range(0, len(mix) - hop, hop):
        block = mix[start : start + hop]
        assert np.array_equal(resting.run(block), awake.run(block))
        rested += resting.resting
    assert rested and not resting.resting


def test_a_stem_played_alone_is_silent_where_the_live_input_is(tiny_runtime: ModelRuntime) -> None:
    port = FakePort(block=256, max_block=256, realtime=True)
    mixer = MixerState({"vocals": StemState(solo=True)})
    engine = Engine(EngineConfig(), mixer, port=port, processor=make_separator(CausalModel(tiny_runtime.sibling())))
    latency = engine.snapshot().latency.engine
    out, _ = played(engine, port, pieces(0.3, 0.6, 0.2)[: 256 * 180], {})
    assert out[: round(0.3 * RATE)].any() and engine._callback.misses == 0
    assert not out[round(0.4 * RATE) + latency : round(0.9 * RATE)].any()
    assert out[round(0.9 * RATE) + latency :].any()


def played(engine: Engine, port: FakePort, sound: Audio, commands: dict[int, tuple[str, object]]) -> tuple[Audio, int]:
    """What comes out, the worker being given its time after each block, and how many blocks rested."""
    engine.start()
    parts, rested = [], 0
    for k, start in enumerate(range(0, len(sound), 256)):
        if k in commands:
            field, value = commands[k]
            engine.send(command("set_stem", stem="vocals", field=field, value=value))
        rested += engine._callback.pipeline.resting
        parts.append(port.tick(sound[start : start + 256]))
        while not engine._pipeline.worker.idle:
            time.sleep(0.0002)
    engine.stop()
    return np.concatenate(parts), rested


def test_a_callback_that_rests_plays_to_the_bit_what_it_would_play_awake(
    tiny_runtime: ModelRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = pieces(0.5, 2.5, 0.5, 0.1, 0.3)[: 256 * 650]
    commands: dict[int, tuple[str, object]] = {400: ("gain_db", -6.0), 401: ("mute", True), 480: ("mute", False)}

    def run() -> tuple[Audio, int, int]:
        port = FakePort(block=256, max_block=256, realtime=True)
        processor = make_separator(SilenceSkipper(CausalModel(tiny_runtime.sibling())))
        engine = Engine(EngineConfig(), MixerState(), port=port, processor=processor)
        out, rested = played(engine, port, sound, commands)
        return out, rested, engine._callback.misses

    out, rested, missed = run()
    assert rested > 100 and missed == 0
    monkeypatch.setattr(Pipeline, "resting", property(lambda self: False))
    awake, none, _ = run()
    assert none == 0 and np.array_equal(out, awake)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_note_wakes_the_instrument_as_soon_as_if_it_had_been_awake(tmp_path: Path) -> None:
    model = InstrumentModel(tiny_instrument(tmp_path))
    rate, size = model.sample_rate, 256
    for struck in (0.6201, 0.6234, 0.6249):
        clock = Clock()
        player = InstrumentPlayer(Synth(model, rate, 4), 2, size, True, clock)
        heard: list[Audio] = []
        served = 0
        pushed = False
        for block in range(round(0.8 * rate / size)):
            clock.now = block * size / rate
            out = np.full((size, 2), np.nan, np.float32)
            assert player.read(out)
            heard.append(out)
            end = clock.now + size / rate
            if not pushed and struck < end:
                assert player.resting, "half a second of silence"
                clock.now, pushed = max(clock.now, struck), True
                player.push(MidiMessage("note_on", 0, 60, 100, clock.now))
                assert not player.resting
            clock.now = end - 0.003
            while not player._ticks.empty():
                tick = player._ticks.get()
                assert tick is not None
                player._serve(*tick)
                served += 1
        onset = int(np.flatnonzero(np.abs(np.concatenate(heard)[:, 0]))[0])
        assert abs(onset - round((struck + player.delay) * rate)) <= 1
        assert player.misses == 0 and player.late == 0
        assert served < 0.6 * len(heard), "it slept"


def test_reports_of_an_engine_that_rests_are_few_until_an_order_comes() -> None:
    with Session(CLOCK, MixerState()) as session:
        wait_until(lambda: session.snapshot().resting, "rest")


        def reports() -> int:
            """In a second, in which the machine may be busy with something else."""
            before = session.snapshot().sequence
            time.sleep(1.0)
            return session.snapshot().sequence - before

        for dry in np.linspace(0.1, 0.9, 12):
            time.sleep(1.2)  # the last order is to be old
            slow = reports()
            session.send(command("set_mixer", field="dry", value=float(dry)))
            if 0 < slow < reports() / 2:
                break
        else:
            pytest.fail("never twice as many reports after an order")
        assert session.snapshot().mixer.dry == dry


def test_an_engine_that_nobody_needs_ends_by_itself_unless_it_was_asked_to_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for stays in (False, True):
        monkeypatch.setattr(daemon, "ORPHAN_LIMIT", 60.0)
        folder = tmp_path / str(stays)
        folder.mkdir(mode=0o700)
        house = daemon.Daemon(folder)
        thread = threading.Thread(target=house.serve, daemon=True)
        thread.start()
        wait_until(lambda folder=folder: daemon._answers(folder), "the daemon")  # type: ignore[misc]
        session = Session(CLOCK, MixerState(), detached=True, directory=folder)
        session.start()
        session.stay(stays)
        wait_until(lambda session=session: session.snapshot().state == "running", "sound")  # type: ignore[misc]
        monkeypatch.setattr(daemon, "ORPHAN_LIMIT", 0.5)
        time.sleep(0.8)
        assert thread.is_alive(), "somebody is attached"
        session.close()
        thread.join(1.5 if stays else 60.0)
        assert thread.is_alive() == stays
        house.end()
        thread.join(60.0)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("config", "needed"), [(CLOCK, False), (EngineConfig(input="default", output="null", model="none"), True)]
)
def test_what_an_engine_is_needed_for(config: EngineConfig, needed: bool, tmp_path: Path) -> None:
    house = daemon.Daemon(tmp_path)
    assert not house._needed()
    house._supervisor = Supervisor(DesiredState(config, MixerState()))
    assert house._needed() == needed

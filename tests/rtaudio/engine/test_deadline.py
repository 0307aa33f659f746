"""The time that the model gets: exact latency, the fewest blocks that fit, more of it on request and only then."""

from __future__ import annotations

import io
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from rtaudio.audio.format import Audio, StemplayError, StreamFormat
from rtaudio.cli.commands.live import follow
from rtaudio.control.model_timing import MARGIN, WAKE_S, Callbacks, Clock, Needed, given_frames, paced
from rtaudio.engine.deadline import blocks_for
from rtaudio.engine.deadline_misses import CpuTime, DeadlineMisses, Stream
from rtaudio.engine.engine import Engine
from rtaudio.files.song_player import FilePlayer
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.jobs import Report
from rtaudio.jobs.expected import latency, misfit
from rtaudio.ports.clock import ClockPort
from rtaudio.ports.fake import FakePort
from rtaudio.processors.base import Processor
from rtaudio.processors.factory import make_separator
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.checks import check_config
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import command, to_dict
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import EngineConfig, MixerState
from rtaudio.system.realtime import switch_interval
from tests.rtaudio.streaming import Identity


def noise(frames: int) -> Audio:
    return (np.random.default_rng(0).standard_normal((frames, 2)) * 0.1).astype(np.float32)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("block", [16, 64, 256, 441, 1024, 4096])
@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_declared_latency_is_the_measured_one_with_any_deadline(rate: int, block: int, blocks: int) -> None:
    port = FakePort(rate=rate, block=block, max_block=block)
    processor = make_separator(Identity(delay=37), consistent=False)
    engine = Engine(
        EngineConfig(), MixerState(limiter=False), port=port, processor=processor, deadline=blocks * block - block // 2
    )
    engine.start()
    frames = 3 * block + processor.latency + (blocks + 2) * block
    mix = np.zeros((frames, 2), np.float32)
    mix[block + 3] = 0.5
    out = port.play(mix, block)
    engine.stop()
    assert engine.latency.pipelining == blocks * block
    assert engine.latency.engine == processor.latency + blocks * block
    assert int(np.abs(out[:, 0]).argmax()) == block + 3 + engine.latency.engine
    assert engine.snapshot().misses == 0


@pytest.mark.parametrize(("hop_block", "blocks"), [(64, 1), (64, 3), (16, 4), (512, 2)])
def test_the_stems_are_those_of_offline_whatever_the_deadline(
    tiny_runtime: ModelRuntime, hop_block: int, blocks: int
) -> None:
    mix = noise(9 * 1024)
    alone = make_separator(tiny_runtime.sibling())
    alone.prepare(StreamFormat(44_100, 2, hop_block))
    alone.align(hop_block)
    expected = np.concatenate([alone.process(mix[i : i + hop_block]) for i in range(0, len(mix), hop_block)])[:, 1]
    port = FakePort(block=hop_block)
    mixer = MixerState(limiter=False)
    engine = Engine(
        EngineConfig(),
        mixer,
        port=port,
        processor=make_separator(tiny_runtime.sibling()),
        deadline=blocks * hop_block,
    )
    engine.start()
    engine.send(command("set_stem", stem=engine.stems[1], field="solo", value=True))
    out = port.play(mix, hop_block)
    engine.stop()
    given = blocks * hop_block
    settled = 2048  # the solo fades in
    assert np.abs(out[given + settled :] - expected[settled:-given]).max() < 1e-6


def test_the_fewest_whole_blocks_are_chosen() -> None:
    fmt = StreamFormat(44_100, 2, 441)
    assert [blocks_for(ms / 1000, fmt) for ms in (0.1, 10, 10.1, 20, 25)] == [1, 1, 2, 2, 3]


class Slow(Passthrough):
    """Takes a time by a clock in the test's hand."""

    def __init__(self, seconds: float, burst: int) -> None:
        super().__init__()
        self.seconds, self._burst, self.time = seconds, burst, 0.0

    @property
    def burst(self) -> int:
        return self._burst

    def process(self, block: Audio) -> Audio:
        self.time += self.seconds
        return super().process(block)

    @property
    def clock(self) -> Clock:
        def sleep(seconds: float) -> None:
            self.time += seconds

        return Clock(lambda: self.time, sleep)


@pytest.mark.parametrize("block", [64, 256, 1024])
@pytest.mark.parametrize("ms", [0.5, 3.0, 9.0, 20.0])
def test_a_model_gets_the_least_that_its_time_fits_in(block: int, ms: float) -> None:
    processor, fmt = Slow(ms / 1000, 1024), StreamFormat(44_100, 2, block)
    given = given_frames(EngineConfig(), processor, fmt, block, processor.clock)
    needed = (MARGIN * ms / 1000 + WAKE_S) * fmt.rate
    assert given % block == 0
    assert given >= needed
    assert given - block < needed or given == block


def test_a_model_that_is_late_for_one_piece_is_not_blamed_for_the_next() -> None:
    processor, fmt = Slow(0.030, 1024), StreamFormat(44_100, 2, 1024)  # longer than its 23 ms
    processor.prepare(fmt)
    assert max(paced(processor, fmt, processor.clock)) == pytest.approx(0.030, abs=1e-6)


def test_the_deadline_that_is_asked_for_is_kept_without_timing() -> None:
    processor = Slow(1.0, 1024)
    given = given_frames(EngineConfig(deadline=20.0), processor, StreamFormat(44_100, 2, 256), 256)
    assert given == 4 * 256 and processor.time == 0


def test_more_time_fades_the_sound_over_without_a_step_or_a_gap() -> None:
    port = FakePort(block=64, max_block=64)
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=Passthrough())
    engine.start()
    t = np.arange(64 * 400)
    mix = np.repeat(0.5 * np.sin(2 * np.pi * 100 * t / 44_100)[:, None], 2, axis=1).astype(np.float32)
    before = port.play(mix[: 64 * 200])
    engine.send(command("set_deadline", ms=1000 * 3 * 64 / 44_100))
    after = port.play(mix[64 * 200 :])
    out = np.concatenate([before, after])[:, 0]
    assert engine.latency.pipelining == 3 * 64
    delay = engine.latency.engine
    assert np.abs(out[64 * 250 :] - mix[64 * 250 - delay : -delay, 0]).max() < 1e-6
    steps = np.abs(np.diff(out[64 * 20 :]))
    assert steps.max() < 1.5 * np.abs(np.diff(mix[:, 0])).max()
    assert engine.snapshot().misses == 0
    engine.stop()


def test_after_more_time_a_panic_and_less_time_the_latency_is_still_the_declared_one() -> None:
    port = FakePort(block=128)
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=Passthrough(delay=100))
    engine.start()
    for blocks in (4, 2):
        engine.send(command("set_deadline", ms=1000 * blocks * 128 / 44_100))
        port.play(np.zeros((128 * 345, 2), np.float32), 128)
        engine.send(command("panic"))
        port.play(np.zeros((128 * 345, 2), np.float32), 128)
        mix = np.zeros((8192, 2), np.float32)
        mix[1000] = 0.5
        out = port.play(mix, 128)
        assert engine.latency.engine == 100 + blocks * 128
        assert int(np.abs(out[:, 0]).argmax()) == 1000 + engine.latency.engine
    engine.stop()


STREAM = Stream(rate=44_100, block=256, burst=1024, given=256)


def looked(stream: Stream, missed: int, own: float, looks: int = 8) -> DeadlineMisses:
    """After ``looks`` half seconds with ``missed`` blocks each, and ``own`` of the time worked."""
    lateness, step = DeadlineMisses(), 22_272
    for k in range(1, looks + 1):
        lateness.look(stream, k * step, k * missed, CpuTime(k * step, k * step / stream.rate * own))
    return lateness


def test_one_block_more_is_offered_where_that_helps() -> None:
    assert looked(STREAM, missed=2, own=0.4).offer == 512
    assert looked(STREAM, missed=0, own=0.4).offer == 0
    assert looked(STREAM, missed=30, own=0.9).offer == 0  # too slow for any deadline
    assert looked(replace(STREAM, separated=False), missed=30, own=0.1).offer == 0
    assert looked(replace(STREAM, live=False), missed=30, own=0.1).offer == 0


def test_what_was_missed_before_more_time_was_given_no_longer_counts() -> None:
    lateness = looked(STREAM, missed=10, own=0.4)
    step = 22_272
    more = replace(STREAM, given=512)
    lateness.look(more, 9 * step, 80, CpuTime(9 * step, 9 * step / 44_100 * 0.4))
    assert lateness.offer == 0
    assert "deadline of 17.4 ms" in looked(more, missed=30, own=0.4)._text


class Lagging(Passthrough):
    """Really takes longer than a block, and less than two."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self._fed = seconds, 0

    def process(self, block: Audio) -> Audio:
        self._fed += len(block)
        if self._fed >= 4096:
            self._fed = 0
            time.sleep(self.seconds)
        return super().process(block)


def test_a_step_is_offered_and_taken_where_the_model_became_slow() -> None:
    """In real time, on the engine's own clock: once in four blocks the model takes one and a half of them."""
    port = ClockPort(44_100, 1024, channels=2, path=None, paced=True)
    processor: Processor = Lagging(1.5 * 1024 / 44_100)
    song = FilePlayer.from_samples(noise(10 * 44_100), 44_100)  # of silence nobody misses anything
    engine = Engine(
        EngineConfig(model="demucs-live"), MixerState(), port=port, processor=processor, source=song, deadline=1024
    )
    said: list[str] = []

    class Session:
        """The engine as ``follow`` sees it."""

        def snapshot(self) -> Snapshot:
            """Over as soon as it is said and done."""
            done = any("adds one block" in text for text in said) and engine.latency.pipelining >= 2048
            return replace(engine.snapshot(), state="finished") if done else engine.snapshot()

        def send(self, order: object) -> None:
            said.append("step")
            engine.send(order)  # type: ignore[arg-type]

    class Stream:
        def isatty(self) -> bool:
            return False

        def write(self, text: str) -> None:
            said.append(text)

        def flush(self) -> None: ...

    engine.start()
    runner = threading.Thread(target=lambda: follow(Session(), 8.0, Stream(), adapt=True))  # type: ignore[arg-type]
    runner.start()
    runner.join(60)
    given = engine.latency.pipelining
    engine.stop()
    assert "step" in said
    assert given >= 2048
    assert any("adds one block of latency" in text for text in said)


@pytest.mark.parametrize("value", [-1.0, 1001.0, float("nan"), float("inf")])
def test_impossible_deadlines_are_refused(value: float) -> None:
    with pytest.raises(StemplayError, match="deadline"):
        check_config(EngineConfig(deadline=value))


def test_a_restarted_engine_keeps_the_time_that_was_given() -> None:
    desired = DesiredState(EngineConfig(input="none", output="null"))
    desired.apply(command("set_deadline", ms=12.5))
    assert DesiredState.from_json(desired.to_json()).config.deadline == 12.5
    for wrong in (0, -3, "much", float("nan")):
        with pytest.raises(StemplayError):
            desired.apply(command("set_deadline", ms=wrong))


def test_promised_blocks_end_with_the_tail_of_any_stream() -> None:
    """With a look-ahead the latency is no multiple of the block; the tail is asked for at each seek."""
    mix = noise(8 * 256)
    alike = []
    for align in (0, 256):
        processor = make_separator(Identity(delay=37), look_ahead_ms=17.4)
        processor.prepare(StreamFormat(44_100, 2, 256))
        if align:
            processor.align(align)
        parts = [processor.process(mix[i : i + 256]) for i in range(0, len(mix), 256)]
        alike.append(np.concatenate([*parts, processor.flush()])[processor.latency :])
    assert all(len(stems) == len(mix) for stems in alike)
    assert np.abs(alike[0] - alike[1]).max() < 1e-5
    assert np.abs(alike[1].sum(axis=1) - mix).max() < 1e-5


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("block", [0, 16, 64, 100])
@pytest.mark.parametrize("delay", [0, 37])
def test_what_is_ready_ahead_is_what_comes_next_and_more_only_when_a_hop_is_complete(
    rate: int, block: int, delay: int
) -> None:
    processor = make_separator(Identity(delay=delay))
    processor.prepare(StreamFormat(rate, 2, 4096))
    if block:
        processor.align(block)
    mix, step, at = noise(12_000), block or 1, 0
    sizes = np.random.default_rng(1).integers(1, 12, 4000) * step
    for size in sizes:
        if at > 9000:
            break
        processor.process(mix[at : at + size])
        at += size
        ahead, missing = processor.ahead(), processor.missing
        count = 0 if ahead is None else len(ahead)
        state = processor.save_state()
        if wait := (missing - 1) // step * step:
            processor.process(mix[at : at + wait])
            later = processor.ahead()
            assert (0 if later is None else len(later)) == max(0, count - wait), (
                "nothing new before the hop is complete"
            )
            processor.restore_state(state)
        if ahead is not None and (known := count // step * step):
            assert np.array_equal(processor.process(mix[at : at + known])[:count], ahead[:known])
            processor.restore_state(state)
    assert at > 9000


class Interpreted(Passthrough):
    """Its work is in the interpreter, as that of the refinement between two small products."""

    def process(self, block: Audio) -> Audio:
        until = time.thread_time() + 0.002
        while time.thread_time() < until:
            pass
        return super().process(block)


def test_a_model_is_timed_beside_the_callbacks_that_will_interrupt_it() -> None:
    fmt = StreamFormat(44_100, 2, 16)
    processor = Interpreted()
    processor.prepare(fmt)
    before = sys.getswitchinterval()
    alone, beside = [], []
    for _ in range(3):
        alone.append(np.median(paced(processor, fmt, Clock())))
        with Callbacks(processor.outputs, fmt):
            assert sys.getswitchinterval() == pytest.approx(switch_interval(16 / 44_100), abs=1e-6)
            beside.append(np.median(paced(processor, fmt, Clock())))
    assert min(beside) > 1.1 * min(alone)
    assert sys.getswitchinterval() == before
    assert all(thread.name != "stemplay-clock" for thread in threading.enumerate())


def test_what_does_not_fit_is_told_in_numbers() -> None:
    fmt = StreamFormat(44_100, 2, 64)
    assert misfit("m", Needed(128, 0.3), 128, fmt) == ""
    assert misfit("m", Needed(128, 0.3), 256, fmt) == "", "more time than it needs"
    assert "needs 2.9 ms at blocks of 64 frames, measured now; its deadline is 1.5 ms" in misfit("m", Needed(128, 0.3), 64, fmt)
    slow = misfit("m", Needed(11_025, 1.4), 11_025, fmt)
    assert "too slow" in slow and "140% of the time" in slow


def test_the_settings_learn_before_they_are_applied_that_a_model_does_not_fit() -> None:
    config = EngineConfig(input="none", output="null", model="demucs-live", block=256)
    report = Report(io.StringIO())
    fits = latency(report, to_dict(config))
    hurried = latency(report, to_dict(replace(config, block=16, deadline=0.1)))
    assert fits["warning"] == "" and fits["latency"]["pipelining"] >= 256
    assert hurried["latency"]["pipelining"] == 16 and "demucs-live" in hurried["warning"] and "needs" in hurried["warning"]

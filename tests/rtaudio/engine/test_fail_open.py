"""A model that is late, on a test clock: the sound goes on whole, faders keep their sense, latency stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtaudio.audio.format import SOURCES, Audio, StreamFormat
from rtaudio.audio.ring import Ring
from rtaudio.engine.deadline_misses import CpuTime, DeadlineMisses, Stream
from rtaudio.engine.engine import Engine
from rtaudio.engine.fail_open import FADE, FailOpen
from rtaudio.engine.worker import BACKLOG_S, KEEP_STATE_S, Worker
from rtaudio.ports.fake import FakePort
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, MixerState

RATE, BLOCK, STEMS = 44_100, 256, 4
WEIGHTS = np.array([0.1, 0.2, 0.3, 0.4], np.float32)


class SlowOnTheClock(Passthrough):
    """Stems in fixed proportions; each frame costs ``cost`` frames of the test's clock. Counts its calls and resets.

    ``own`` of the cost is work of its own, the rest passes while other programs have the processor.
    """

    burst = 1

    def __init__(self, delay: int = 0, cost: float = 0.0, own: float = 1.0) -> None:
        super().__init__(delay=delay)
        self.own, self.own_s = own, 0.0
        self.cost, self.now, self.waiting, self.resets, self.open = cost, 0, False, 0, True
        self.changed = threading.Condition()

    def process(self, block: Audio) -> Audio:
        with self.changed:
            ready = self.now + self.cost * len(block)
            while self.now < ready and self.cost:
                self.waiting = True
                self.changed.wait(10)
            self.waiting = False
            self.own_s += self.own * self.cost * len(block) / RATE
        return super().process(block) * STEMS * WEIGHTS[:, None]

    def reset(self) -> None:
        self.resets += 1
        super().reset()

    def pass_time(self, frames: int) -> None:
        with self.changed:
            self.now += frames
            self.waiting = False  # until it has looked
            self.changed.notify_all()

    def hurry(self) -> None:
        """From now on it costs nothing."""
        with self.changed:
            self.cost = 0.0
            self.waiting = False
            self.changed.notify_all()


class Bench:
    """An engine in "real time": between two blocks the worker gets as far as the slowness of its model lets it."""

    def __init__(self, processor: SlowOnTheClock, block: int = 0, mixer: MixerState | None = None) -> None:
        self.port = FakePort(block=block, max_block=BLOCK, realtime=True)
        self.processor = processor
        state = mixer or MixerState()
        state.limiter = False
        self.engine = Engine(EngineConfig(), state, port=self.port, processor=processor)
        self.worker = self.engine._pipeline.worker
        self.worker.thread_time = lambda: processor.own_s
        self.engine.start()
        self.delay = self.engine.latency.engine

    def play(self, sound: Audio, blocks: tuple[int, ...] = (BLOCK,)) -> Audio:
        parts, start, k = [], 0, 0
        while start < len(sound):
            part = sound[start : start + blocks[k % len(blocks)]]
            parts.append(self.port.tick(part))
            start, k = start + len(part), k + 1
            self.settle()
            self.processor.pass_time(len(part))
            self.settle()
        return np.concatenate(parts)

    def settle(self) -> None:
        limit = time.monotonic() + 60
        while not (self.worker.idle or self.processor.waiting):
            assert time.monotonic() < limit, "the worker neither works nor waits"
            time.sleep(0.00005)


@pytest.fixture
def make():
    benches: list[Bench] = []

    def make(*args: object, **options: object) -> Bench:
        benches.append(Bench(*args, **options))  # type: ignore[arg-type]
        return benches[-1]

    yield make
    for bench in benches:
        bench.processor.hurry()
        bench.engine.stop()


def noise(frames: int, seed: int = 0) -> Audio:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (frames, 2)).astype(np.float32)


def sine(frames: int, hz: float = 50.0) -> Audio:
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(frames) / RATE)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def test_a_model_ten_times_too_slow_gives_the_delayed_dry_mix_and_misses(make: Callable[..., Bench]) -> None:
    bench = make(SlowOnTheClock(delay=100, cost=10.0))
    mix = noise(RATE)
    out = bench.play(mix)
    np.testing.assert_allclose(out[bench.delay :], mix[: -bench.delay], atol=1e-6)
    snapshot = bench.engine.snapshot()
    blocks = -(-RATE // BLOCK)
    assert 0.8 * blocks < snapshot.misses <= blocks
    assert snapshot.xruns == 0
    assert "too slow" in snapshot.message


def test_without_a_model_a_busy_machine_is_told_of_and_no_model(make: Callable[..., Bench]) -> None:
    bench = make(SlowOnTheClock(delay=100, cost=10.0))
    bench.engine.config.model = "none"
    bench.play(noise(RATE))
    message = bench.engine.snapshot().message
    assert "too busy" in message and "model" not in message and "unseparated" not in message


@pytest.mark.parametrize(
    ("own", "burst", "cause", "cure"),
    [
        (0.3, 1, "Other programs take the processor", "End other programs"),
        (0.3, BLOCK, "Other programs take the processor", "End other programs"),
        (0.3, 4 * BLOCK, "The model has too little time", "a deadline of 11.6 ms"),
        (0.9, 1, "The model is too slow here", "Choose a smaller model"),
    ],
)
def test_what_makes_a_model_late_is_told(
    make: Callable[..., Bench], own: float, burst: int, cause: str, cure: str
) -> None:
    bench = make(SlowOnTheClock(delay=100, cost=1.5, own=own / 1.5))
    bench.processor.burst = burst
    bench.play(noise(RATE))
    snapshot = bench.engine.snapshot()
    assert snapshot.message.startswith(cause) and cure in snapshot.message, snapshot.message
    assert ("The model" in snapshot.message) != ("Other programs" in snapshot.message)
    assert "unseparated" in snapshot.message
    assert snapshot.model_load["own"] == pytest.approx(own, rel=0.05)
    bench.processor.hurry()
    bench.settle()
    for _ in range(2):  # a look back at the last of the misses, then one without any
        bench.play(noise(RATE))
        message = bench.engine.snapshot().message
    assert message == ""


@pytest.mark.parametrize("own", [False, True])
def test_a_workers_own_time_is_what_it_computes_and_not_what_it_waits(own: bool) -> None:
    """On the real clocks: one processor computes, the other stands as if it had no processor, for as long."""

    class Real(Passthrough):
        def process(self, block: Audio) -> Audio:
            begun, computed = time.perf_counter(), time.thread_time()
            while own and time.thread_time() - computed < 0.02:
                pass
            if not own:
                time.sleep(0.02)
            self.wall = time.perf_counter() - begun
            return super().process(block)

        wall = 0.0

    processor = Real()
    port = FakePort(block=BLOCK, realtime=False)
    engine = Engine(EngineConfig(), MixerState(), port=port, processor=processor)
    engine.start()
    try:
        port.tick(noise(BLOCK))
        spent = engine._pipeline.worker.spent
        assert spent.frames == BLOCK
        assert spent.own_s >= 0.02 if own else spent.own_s < processor.wall / 2
    finally:
        engine.stop()


def test_the_sentence_of_a_busy_machine_knows_what_else_plays_and_what_was_refused() -> None:
    def told(own_s: float, frames: int = RATE, **known: object) -> str:
        stream = Stream(RATE, BLOCK, **known)  # type: ignore[arg-type]
        return DeadlineMisses().look(stream, RATE, RATE // BLOCK // 2, CpuTime(frames, own_s))

    assert told(0.2).endswith("End other programs or give the model one block more, a deadline of 11.6 ms.")
    assert "instrument's notes take the processor" in told(0.2, plays=True)
    assert "doctor" in told(0.2, realtime="refused: no realtime priority") and "doctor" not in told(0.2)
    assert told(0.0, frames=0).startswith("The model is late"), "nothing is known before its first sound is done"


@pytest.mark.parametrize("cost", [1.02, 1.5, 3.0, 10.0])
def test_an_overrun_model_never_falls_behind_without_bound(make: Callable[..., Bench], cost: float) -> None:
    bench = make(SlowOnTheClock(delay=64, cost=cost), block=BLOCK)
    bound = max(2 * BLOCK, BACKLOG_S * RATE) + (cost + 2) * BLOCK
    mix = sine(RATE)
    for start in range(0, RATE, 10 * BLOCK):
        out = bench.play(mix[start : start + 10 * BLOCK // BLOCK * BLOCK])
        assert bench.engine.snapshot().ring_fill <= bound
        assert np.isfinite(out).all()
    assert bench.worker.skips > 0 or cost < 1.1


@pytest.mark.parametrize("cost", [1.3, 10.0])
def test_a_soloed_stem_goes_over_without_a_step_and_is_never_silent(make: Callable[..., Bench], cost: float) -> None:
    bench = make(SlowOnTheClock(delay=64))
    bench.engine.send(command("set_stem", stem="vocals", field="solo", value=True))
    mix = sine(4 * RATE)
    healthy = bench.play(mix[: 2 * RATE])
    bench.processor.cost = cost
    ill = bench.play(mix[2 * RATE :])
    wave = np.abs(np.diff(mix[:, 0])).max()
    step = np.abs(np.diff(np.concatenate((healthy, ill))[RATE // 10 :, 0])).max()
    assert step < wave + 0.5 / FADE * 2
    share = np.abs(ill[-RATE:]).max() / 0.5
    assert 0.25 < share < 0.75  # 0.4 by the model, 16/30 by energy
    energy = WEIGHTS**2 / (WEIGHTS**2).sum()
    np.testing.assert_allclose(bench.engine._pipeline.failopen.shares, energy, atol=0.08)
    assert bench.engine.snapshot().misses > 0


def test_a_muted_stem_does_not_burst_out(make: Callable[..., Bench]) -> None:
    bench = make(SlowOnTheClock())
    for stem in ("other", "vocals"):
        bench.engine.send(command("set_stem", stem=stem, field="mute", value=True))
    mix = sine(3 * RATE)
    healthy = np.abs(bench.play(mix[:RATE])[RATE // 2 :]).max()
    bench.processor.cost = 10.0
    ill = np.abs(bench.play(mix[RATE : 2 * RATE])[RATE // 2 :]).max()
    assert healthy == pytest.approx(0.5 * 0.3, abs=1e-3)
    assert 0.02 < ill <= healthy + 1e-3


def test_faders_and_mutes_moved_while_the_model_is_late_are_obeyed(make: Callable[..., Bench]) -> None:
    bench = make(SlowOnTheClock(delay=64, cost=10.0))
    mix = noise(3 * RATE)
    bench.play(mix[:RATE])

    def heard(start: int) -> tuple[Audio, Audio]:
        """A second's end, and the delayed input it was made of."""
        out = bench.play(mix[start : start + RATE])
        return out[RATE // 2 :], mix[start + RATE // 2 - bench.delay : start + RATE - bench.delay]

    for stem in SOURCES:
        bench.engine.send(command("set_stem", stem=stem, field="gain_db", value=-20.0))
    out, dry = heard(RATE)
    np.testing.assert_allclose(out, 0.1 * dry, atol=1e-6)
    for stem in SOURCES:
        bench.engine.send(command("set_stem", stem=stem, field="mute", value=True))
    assert not heard(2 * RATE)[0].any()
    assert bench.engine.snapshot().misses > 300


def test_after_a_stall_the_stems_come_back_at_the_same_latency(make: Callable[..., Bench]) -> None:
    bench = make(SlowOnTheClock(delay=100))
    bench.engine.send(command("set_stem", stem="vocals", field="solo", value=True))
    before = bench.engine.latency
    mix = noise(4 * RATE)
    bench.play(mix[:RATE])
    misses = bench.engine.snapshot().misses
    bench.processor.cost = 10.0
    bench.play(mix[RATE : 2 * RATE])
    assert bench.engine.snapshot().misses > misses
    bench.processor.hurry()
    bench.settle()
    tail = bench.play(mix[2 * RATE :])
    misses = bench.engine.snapshot().misses
    heard = mix[2 * RATE - bench.delay : -bench.delay]
    np.testing.assert_allclose(tail[RATE // 5 :], 0.4 * heard[RATE // 5 :], atol=1e-6)
    assert bench.engine.latency == before
    bench.play(mix[:RATE])
    assert bench.engine.snapshot().misses == misses


def test_a_short_stall_is_caught_up_and_keeps_the_models_memory(make: Callable[..., Bench]) -> None:
    bench = make(SlowOnTheClock(delay=64))
    mix = noise(RATE)
    bench.play(mix[: 20 * BLOCK])
    resets = bench.processor.resets
    bench.processor.cost = 5.0
    bench.play(mix[20 * BLOCK : 24 * BLOCK])
    bench.processor.hurry()
    bench.settle()
    assert (bench.worker.skips, bench.processor.resets) == (0, resets)
    assert bench.engine.snapshot().ring_fill == 0


@pytest.mark.parametrize(("share", "skips"), [(0.3, 0), (0.9, 1), (1.1, 0)])
def test_what_would_take_long_to_catch_up_is_skipped(share: float, skips: int) -> None:
    """One that works nine tenths of the time is late for ten times as long as it was held up; one that is too slow is no such matter."""
    processor = Passthrough()
    processor.prepare(StreamFormat(RATE, 2, BLOCK))
    inputs, stems = Ring(RATE, (2,)), Ring(RATE, (STEMS, 2))
    worker = Worker(processor, inputs, stems, RATE, BLOCK, 1, True)
    clock = iter(np.arange(1000) * share * BLOCK / RATE)
    worker.wall_time = lambda: float(next(clock))
    for k in range(20):
        inputs.write(k * BLOCK, np.full((BLOCK, 2), 0.1, np.float32), 0)
        worker._advance((k + 1) * BLOCK)
    assert (worker.position, worker.skips) == (20 * BLOCK, 0)
    held_up = round(0.04 * RATE)  # all of it at once, as after a stall of 40 ms
    inputs.write(20 * BLOCK, np.full((held_up, 2), 0.1, np.float32), 0)
    worker._advance(20 * BLOCK + held_up)
    assert worker.skips == skips
    assert worker.position == 20 * BLOCK + held_up


@pytest.mark.parametrize(("stall_s", "resets"), [(0.8 * KEEP_STATE_S, 0), (1.5 * KEEP_STATE_S, 1)])
def test_the_memory_survives_a_short_gap_and_not_a_long_one(
    make: Callable[..., Bench], stall_s: float, resets: int
) -> None:
    bench = make(SlowOnTheClock(delay=64))
    bench.play(noise(20 * BLOCK))
    before = bench.processor.resets
    bench.processor.cost = 1e9  # one call that takes the whole stall
    bench.play(noise(round(stall_s * RATE)))
    bench.processor.hurry()
    bench.settle()
    assert bench.worker.skips == 1
    assert bench.processor.resets - before == resets


def test_late_results_are_never_played(make: Callable[..., Bench]) -> None:
    """A model that is wrong (gives ones) as soon as it is late would be heard at once."""

    class WrongWhenLate(SlowOnTheClock):
        def process(self, block: Audio) -> Audio:
            late = self.cost > 0
            return np.ones_like(super().process(block)) if late else super().process(block)

    bench = make(WrongWhenLate())
    mix = noise(RATE)
    bench.play(mix[: RATE // 2 // BLOCK * BLOCK])
    bench.processor.cost = 4.0
    start = RATE // 2 // BLOCK * BLOCK
    out = bench.play(mix[start:])
    np.testing.assert_allclose(out, mix[start - bench.delay : -bench.delay], atol=1e-6)


@pytest.mark.parametrize("how", ["raise", "nan", "shape"])
def test_a_model_that_fails_in_real_time_is_told_and_tried_again(make: Callable[..., Bench], how: str) -> None:
    class Failing(SlowOnTheClock):
        ill = False

        def process(self, block: Audio) -> Audio:
            stems = super().process(block)
            if not self.ill:
                return stems
            if how == "raise":
                raise RuntimeError("on purpose")
            return np.full_like(stems, np.nan) if how == "nan" else stems[:, :1, :1].repeat(3, axis=2)

    bench = make(Failing(delay=32))
    mix = noise(RATE)
    first = bench.play(mix[: 40 * BLOCK])
    bench.processor.ill = True
    second = bench.play(mix[40 * BLOCK : 80 * BLOCK])
    assert "model failed" in bench.engine.snapshot().message
    bench.processor.ill = False
    third = bench.play(mix[80 * BLOCK :])
    out = np.concatenate((first, second, third))
    np.testing.assert_allclose(out[bench.delay :], mix[: -bench.delay], atol=1e-5)
    assert "model failed" not in bench.engine.snapshot().message
    assert 39 <= bench.engine.snapshot().misses <= 42


@settings(max_examples=40, deadline=None)
@given(
    lates=st.lists(st.booleans(), min_size=1, max_size=30),
    sizes=st.lists(st.integers(1, 200), min_size=1, max_size=7),
    jumps=st.sets(st.integers(0, 30), max_size=3),
)
def test_any_pattern_of_misses_keeps_the_sum_and_makes_no_step(
    lates: list[bool], sizes: list[int], jumps: set[int]
) -> None:
    fail = FailOpen(3, 1, RATE)
    weights = np.array([0.5, 0.2, 0.3], np.float32)
    total = sum(sizes[k % len(sizes)] for k in range(len(lates)))
    mix = sine(total + 1)[1:, :1]
    stems_out, dry_out, start = [], [], 0
    for k, late in enumerate(lates):
        n = sizes[k % len(sizes)]
        dry = mix[start : start + n].copy() * (1 if k % 2 or not jumps else -1 if k in jumps else 1)
        stems = np.full((n, 3, 1), np.nan, np.float32) if late else dry[:, None] * weights[:, None]
        if jumps and (k in jumps or k - 1 in jumps):
            fail.jump()
        fail.process(stems, dry, late)
        stems_out.append(stems)
        dry_out.append(dry)
        start += n
    stems, dry = np.concatenate(stems_out), np.concatenate(dry_out)
    np.testing.assert_allclose(stems.sum(axis=1), dry, atol=2e-6)
    if not jumps:
        np.testing.assert_array_equal(dry, mix)
    assert np.abs(np.diff(stems, axis=0)).max(initial=0) < 0.01 + 1.5 * 2.0 / FADE * 1.6


@pytest.mark.parametrize(("value", "sentence"), [(0.0, "silent although its input is not"), (np.nan, "not finite")])
def test_the_input_is_heard_where_a_model_gives_silence_or_no_numbers(value: float, sentence: str) -> None:
    class Broken(Passthrough):
        def process(self, block: Audio) -> Audio:
            return np.full_like(super().process(block), value)

    port = FakePort(block=BLOCK, realtime=False)
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=Broken())
    engine.start()
    try:
        for _ in range(round(2.5 * RATE) // BLOCK):
            heard = port.tick(np.full((BLOCK, 2), 0.1, np.float32))
        assert np.allclose(heard, 0.1, atol=1e-4)
        assert sentence in engine.snapshot().message
    finally:
        engine.stop()

"""The engine around the real separator: exact latency at every rate and block, stems that sum, seeks that are right at once."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtaudio.audio.format import Audio, StreamFormat
from rtaudio.engine.engine import Engine, stream_plan
from rtaudio.engine.fail_open import FADE
from rtaudio.engine.song_analysis import SongAnalysis
from rtaudio.files.song_player import FilePlayer
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.ports.fake import FakePort
from rtaudio.processors.factory import make_separator
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.messages import command
from rtaudio.protocol.reports import Recording
from rtaudio.protocol.settings import EngineConfig, MixerState
from tests.rtaudio.streaming import Identity

BLOCKS: list[int | list[int]] = [64, 128, 256, 512, 1000, [37, 200, 1, 511, 64]]


def noise(frames: int, seed: int = 0) -> Audio:
    return (np.random.default_rng(seed).standard_normal((frames, 2)) * 0.1).astype(np.float32)


def silent_song(frames: int) -> Audio:
    return np.zeros((frames, 0), np.float32)


@pytest.mark.parametrize("rate", [44_100, 48_000, 16_000])
@pytest.mark.parametrize("blocks", BLOCKS, ids=str)
def test_declared_latency_is_the_measured_one_and_stems_sum(
    tiny_runtime: ModelRuntime, rate: int, blocks: int | list[int]
) -> None:
    fixed = blocks if isinstance(blocks, int) else 0
    port = FakePort(rate=rate, block=fixed, max_block=512)
    processor = make_separator(tiny_runtime.sibling())
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=processor)
    engine.start()
    mix = noise(9000)
    mix[:500] = 0
    mix[500] = 0.9
    out = port.play(mix, blocks)
    engine.stop()
    latency = engine.latency
    assert latency.engine == processor.latency + port.max_block
    assert int(np.abs(out[:, 0]).argmax()) == 500 + latency.engine
    assert np.abs(out[latency.engine :] - mix[: -latency.engine]).max() < 1e-6
    assert latency.resampler == 0 or rate != 44_100
    assert engine.snapshot().misses == 0


@pytest.mark.parametrize("rate", [44_100, 48_000, 16_000])
@pytest.mark.parametrize("blocks", BLOCKS, ids=str)
def test_declared_latency_is_that_of_the_models_own_stems(rate: int, blocks: int | list[int]) -> None:
    """Nothing is mended here: what is heard has gone through both converters and the (identity) model."""
    fixed = blocks if isinstance(blocks, int) else 0
    port = FakePort(rate=rate, block=fixed, max_block=512)
    processor = make_separator(Identity(delay=37), consistent=False)
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=processor)
    engine.start()
    mix = np.zeros((9000, 2), np.float32)
    mix[3210] = 0.5
    out = port.play(mix, blocks)
    engine.stop()
    assert int(np.abs(out[:, 0]).argmax()) == 3210 + engine.latency.engine
    assert engine.latency.engine == processor.latency + port.max_block
    assert engine.snapshot().misses == 0


def play_song(engine: Engine, port: FakePort, frames: int, blocks: int | list[int]) -> Audio:
    return port.play(silent_song(frames), blocks)


@pytest.mark.parametrize(("fixed", "blocks"), [(256, 256), (100, 100), (0, [37, 200, 256])], ids=str)
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_after_a_seek_in_an_analysed_song_the_stems_are_those_of_uninterrupted_playing(
    tiny_runtime: ModelRuntime, fixed: int, blocks: int | list[int], rate: int
) -> None:
    song = noise(2 * rate)

    def engine_on(port: FakePort, player: FilePlayer, analysis: SongAnalysis | None) -> Engine:
        mixer = MixerState(limiter=False)
        engine = Engine(
            EngineConfig(routing={"vocals": [3, 4]}), mixer, port=port, source=player, analysis=analysis,
            processor=make_separator(tiny_runtime.sibling()),
        )  # fmt: skip
        engine.start()
        return engine

    straight = FakePort(rate=rate, in_channels=0, out_channels=4, block=fixed, max_block=256)
    engine = engine_on(straight, FilePlayer.from_samples(song, rate), None)
    whole = straight.play(silent_song(len(song)), blocks)
    delay = engine.latency.engine
    engine.stop()

    port = FakePort(rate=rate, in_channels=0, out_channels=4, block=fixed, max_block=256)
    player = FilePlayer.from_samples(song, rate)
    fmt, align = stream_plan(port, player)
    analysis = SongAnalysis(lambda: make_separator(tiny_runtime.sibling()), song, fmt, align=align, interval_s=0.2)
    engine = engine_on(port, player, analysis)
    assert analysis.wait(60)
    before = port.play(silent_song(6400), blocks)  # whole blocks of each size
    np.testing.assert_allclose(before, whole[: len(before)], atol=1e-6)
    engine.send(command("seek", position_s=1.0))
    played = len(before)
    after = port.play(silent_song(12_800), blocks)
    frame = player.position - 12_800
    splice = 1e-5 if rate == 44_100 else 1e-3  # the converters' last samples of the old place see silence behind it
    np.testing.assert_allclose(after[:delay], whole[played : played + delay], atol=splice)
    np.testing.assert_allclose(after[delay + FADE :], whole[frame + delay + FADE : frame + len(after)], atol=1e-5)
    assert np.abs(np.diff(after[delay - 1 : delay + FADE + 1], axis=0)).max() < 0.9
    assert engine.snapshot().misses == 0
    engine.stop()


def test_a_seek_without_analysis_starts_the_model_afresh_and_goes_on(tiny_runtime: ModelRuntime) -> None:
    song = noise(44_100)
    port = FakePort(in_channels=0)
    player = FilePlayer.from_samples(song, 44_100)
    engine = Engine(
        EngineConfig(), MixerState(limiter=False), port=port, source=player,
        processor=make_separator(tiny_runtime.sibling()),
    )  # fmt: skip
    engine.start()
    port.play(silent_song(20 * 256))
    engine.send(command("seek", position_s=0.5))
    out = port.play(silent_song(40 * 256))
    delay = engine.latency.engine
    assert np.abs(out[delay + FADE :] - song[22_050 + FADE : 22_050 + len(out) - delay]).max() < 1e-6
    assert engine.snapshot().misses == 0
    engine.stop()


def test_a_block_that_grows_gets_a_pipeline_of_its_own_between_two_fades() -> None:
    port = FakePort(block=0, max_block=256, realtime=True)
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=Passthrough(delay=100))
    engine.start()
    wave = np.repeat(0.5 * np.sin(2 * np.pi * 50 * np.arange(300_000) / 44_100)[:, None], 2, axis=1).astype(np.float32)
    parts, start = [], 0

    def tick(n: int) -> None:
        nonlocal start
        parts.append(port.tick(wave[start : start + n]))
        start += n

    for _ in range(20):
        tick(256)
    assert engine.latency.engine == 356
    old = engine._callback.pipeline
    changed = threading.Event()
    for k in range(200):
        tick(700)
        if engine._callback.pipeline is not old:
            break
        changed.wait(0.01 + 0.003 * k)  # in sum a minute, which only a busy machine needs
    for _ in range(20):
        tick(700)
    assert engine.latency.engine == 1024 + 100
    assert engine.latency.pipelining == 1024
    out = np.concatenate(parts)
    assert np.isfinite(out).all()
    tail = out[-7000:]
    np.testing.assert_allclose(tail, wave[start - 7000 - 1124 : start - 1124], atol=1e-6)
    assert np.abs(np.diff(out[1000:, 0])).max() < 0.02
    engine.stop()
    assert "block size changed" in engine.snapshot().message


@settings(max_examples=20, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=8),
    fixed=st.sampled_from([0, 64, 256]),
    realtime=st.booleans(),
    channels=st.tuples(st.integers(0, 3), st.integers(0, 5)),
    level=st.sampled_from([0.1, 1e30, np.inf, np.nan]),
)
def test_no_block_and_no_sound_gets_an_exception_or_a_hole_out_of_the_callback(
    sizes: list[int], fixed: int, realtime: bool, channels: tuple[int, int], level: float
) -> None:
    port = FakePort(in_channels=channels[0], out_channels=channels[1], block=fixed, max_block=256, realtime=realtime)
    engine = Engine(EngineConfig(), MixerState(), port=port, processor=Passthrough(delay=50))
    engine.start()
    rng = np.random.default_rng(len(sizes))
    with np.errstate(all="ignore"):
        for n in sizes * 3:
            sound = (rng.standard_normal((n, channels[0])) * level).astype(np.float32)
            assert np.isfinite(port.tick(sound)).all()
    snapshot = engine.snapshot()
    engine.stop()
    assert snapshot.frames == 3 * sum(sizes)
    assert engine._callback.faults == 0


@pytest.mark.parametrize("victim", ["mixer", "source", "recorder", "input"])
def test_whatever_breaks_in_the_callback_the_timeline_goes_on(victim: str) -> None:
    song, ill = noise(44_100), threading.Event()

    class Moody(FilePlayer):
        def read_into(self, out: Audio) -> None:
            super().read_into(out)
            if victim == "source" and ill.is_set():
                raise OSError("the disk is gone")

    class Grumpy:
        def push(self, stems: Audio, mix: Audio, wait: bool = False) -> None:
            if victim == "recorder" and ill.is_set():
                raise RuntimeError("no")

        def stop(self) -> None: ...

        status = Recording()
        ended = ()

    live = victim in ("mixer", "input")
    port = FakePort(in_channels=2 if live else 0)
    engine = Engine(
        EngineConfig(), MixerState(limiter=False), port=port, processor=Passthrough(delay=30),
        source=None if live else Moody.from_samples(song, 44_100), recorder=Grumpy(),  # type: ignore[arg-type]
    )  # fmt: skip
    engine.start()
    sound = song if live else silent_song(44_100)
    first = port.play(sound[: 256 * 20])
    if victim == "mixer":
        healthy, engine._mixer.process = engine._mixer.process, None  # type: ignore[method-assign, assignment]
    ill.set()
    if victim == "input":
        second = np.full((256 * 5, 2), np.nan, np.float32)
        for k in range(5):
            engine._callback(np.zeros((256, 1), np.float32), second[256 * k : 256 * (k + 1)], False)
    else:
        second = port.play(sound[256 * 20 : 256 * 25])
    ill.clear()
    if victim == "mixer":
        engine._mixer.process = healthy  # type: ignore[method-assign]
    third = port.play(sound[256 * 25 : 256 * 60])
    delay = engine.latency.engine
    assert engine._callback.faults == 5
    assert "callback failed" in engine.snapshot().message
    out = np.concatenate((first, second, third))
    assert np.isfinite(out).all()
    lost = slice(256 * 20 + delay, 256 * 25 + delay) if victim in ("source", "input") else slice(0, 0)
    error = np.abs(out[delay:] - song[: len(out) - delay])
    if lost.stop:
        error[lost.start - delay : lost.stop - delay] = 0
    assert error.max() < 1e-6
    engine.stop()


def test_hours_at_full_speed_keep_latency_ring_fill_and_memory() -> None:
    """More than an hour at a low rate, more samples than float32 can count: every position is where it belongs, to the end."""
    rate, block = 4000, 16_000
    port = FakePort(rate=rate, block=block)
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=Passthrough(delay=777))
    engine.start()
    delay = engine.latency.engine
    counter = np.arange(block, dtype=np.float32)[:, None] / (1 << 17)
    fills = set()
    previous = np.zeros((0, 2), np.float32)

    def play(hours: float) -> None:
        nonlocal previous
        for k in range(round(hours * 3600 * rate / block)):
            mix = np.repeat(counter + np.float32((k % 16) / 32), 2, axis=1)
            heard = np.concatenate((previous, mix))
            out = port.tick(mix)
            previous = heard[-(delay + block) :] if len(heard) > delay + block else heard
            if len(heard) >= delay + block:
                lag = len(heard) - delay - block
                assert np.abs(out - heard[lag : lag + block]).max() < 1e-6
            if k % 50 == 0:
                fills.add(engine.snapshot().ring_fill)

    play(0.95)
    tracemalloc.start()
    play(0.05)
    gc.collect()
    baseline = tracemalloc.get_traced_memory()[0]
    play(0.2)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - baseline
    tracemalloc.stop()
    assert grown < 100_000
    assert fills == {0}
    assert engine.latency.engine == delay
    assert engine.snapshot().misses == 0
    assert engine.snapshot().frames == 4320 * rate
    engine.stop()


def test_the_plan_is_mono_only_where_everything_is() -> None:
    assert stream_plan(FakePort(in_channels=1, out_channels=1, block=64)) == (StreamFormat(44_100, 1, 64), 64)
    assert stream_plan(FakePort(in_channels=1, out_channels=2, block=0, max_block=99)) == (
        StreamFormat(44_100, 2, 99),
        0,
    )


def test_a_recording_holds_the_stems_and_the_mix_as_they_were_heard(tmp_path: Path) -> None:
    import soundfile

    from rtaudio.engine.recorder import Recorder

    port = FakePort()
    processor = Passthrough(delay=40)
    recorder = Recorder(port.rate, 2, processor.outputs)
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=processor, recorder=recorder)
    engine.start()
    engine.send(command("record", directory=str(tmp_path), format="wav"))
    mix = noise(256 * 100)
    out = port.play(mix)
    engine.send(command("stop_recording"))
    assert engine.snapshot().recording.error == ""
    engine.stop()
    delay = engine.latency.engine
    heard, _ = soundfile.read(tmp_path / "mix.wav", dtype="float32")
    np.testing.assert_array_equal(heard, out)
    vocals, _ = soundfile.read(tmp_path / "vocals.wav", dtype="float32")
    np.testing.assert_allclose(vocals[delay:], mix[:-delay] / 4, atol=1e-7)


@pytest.mark.parametrize("playing", [True, False])
def test_a_loop_whose_end_has_passed_begins_at_once_with_the_right_stems(
    tiny_runtime: ModelRuntime, playing: bool
) -> None:
    rate, blocks = 44_100, 256
    song = noise(3 * rate)

    def start(analysis: SongAnalysis | None = None) -> tuple[FakePort, FilePlayer, Engine]:
        port = FakePort(rate=rate, in_channels=0, out_channels=4, block=blocks, max_block=blocks)
        player = FilePlayer.from_samples(song, rate)
        engine = Engine(
            EngineConfig(routing={"vocals": [3, 4]}), MixerState(limiter=False), port=port, source=player,
            analysis=analysis, processor=make_separator(tiny_runtime.sibling()),
        )  # fmt: skip
        engine.start()
        return port, player, engine

    port, _, engine = start()
    whole = port.play(silent_song(len(song)), blocks)
    delay = engine.latency.engine
    engine.stop()

    fmt = StreamFormat(rate, 2, blocks)
    analysis = SongAnalysis(
        lambda: make_separator(tiny_runtime.sibling()), song, fmt, align=blocks, interval_s=0.2
    )
    port, player, engine = start(analysis)
    assert analysis.wait(60)
    port.play(silent_song(200 * blocks), blocks)  # 1.16 s
    if not playing:
        engine.send(command("pause"))
        port.play(silent_song(8 * blocks), blocks)
    engine.send(command("set_loop", start_s=0.5, end_s=player.position / rate))  # as "Set B here" does it
    begin, end = player.position, player.loop[1]  # type: ignore[index]
    assert 0 <= round(0.5 * rate) - begin < blocks
    engine.send(command("play"))
    after = port.play(silent_song(200 * blocks), blocks)
    heard = slice(delay + FADE, end - begin - 2 * player.fade)  # up to the loop's own seam
    if playing:  # else the song fades in
        np.testing.assert_allclose(after[heard], whole[begin + heard.start : begin + heard.stop], atol=1e-5)
    assert player.position < end
    engine.stop()

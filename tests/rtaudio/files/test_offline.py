"""Whole sounds and files: as long as the input, aligned, the same as streaming, in bounded memory, nothing half-written."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from models.catalog import model_names
from models.demucs import CausalDemucs
from rtaudio.audio.format import Audio, StemplayError, StreamFormat
from rtaudio.engine.engine import Engine
from rtaudio.files.offline import BLOCK, aligned_stems, separate_array, separate_file
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.ports.fake import FakePort
from rtaudio.processors.factory import make_separator
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.settings import EngineConfig, MixerState
from tests.rtaudio.conftest import noise

DEMO = Path(__file__).resolve().parents[3] / "demo" / "kimseye.ogg"


@pytest.mark.parametrize("frames", [0, 1, 63, 64, 65, BLOCK, BLOCK + 1, 50_000])
@pytest.mark.parametrize("rate", [44_100, 48_000, 16_000])
def test_stems_are_as_long_as_the_mix_and_sum_to_it(tiny_runtime: ModelRuntime, frames: int, rate: int) -> None:
    mix = noise(frames)
    stems = separate_array(mix, rate, tiny_runtime.sibling())
    assert stems.shape == (frames, 4, 2) and stems.dtype == np.float32
    assert np.abs(stems.sum(axis=1) - mix).max(initial=0) <= 1e-6


def test_offline_equals_the_network(tiny_model: Path, tiny_net: CausalDemucs) -> None:
    mix = noise(30_000)
    with torch.no_grad():
        expected = tiny_net(torch.from_numpy(mix.T)[None])[0].permute(2, 0, 1).numpy()
    assert np.abs(separate_array(mix, 44_100, tiny_model, consistent=False) - expected).max() <= 1e-5


def test_an_impulse_stays_where_it_was() -> None:
    mix = np.zeros((5000, 1), dtype=np.float32)
    mix[1234] = 1
    stems = separate_array(mix, 44_100, Passthrough(delay=777))
    assert int(np.argmax(stems[:, 0, 0])) == 1234


def test_an_impossible_rate_is_refused(tiny_runtime: ModelRuntime) -> None:
    with pytest.raises(StemplayError, match="outside 4000 to 384000 Hz"):
        separate_array(noise(10), 100, tiny_runtime.sibling())


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (48_000, 1), (16_000, 2), (96_000, 1)])
def test_a_file_becomes_one_file_a_stem(tiny_model: Path, tmp_path: Path, rate: int, channels: int) -> None:
    mix = noise(40_000, channels)
    soundfile.write(tmp_path / "song.wav", mix, rate, subtype="FLOAT")
    seen: list[tuple[int, int]] = []
    done = separate_file(tmp_path / "song.wav", tmp_path / "out", tiny_model, progress=lambda *args: seen.append(args))
    assert seen[-1] == (40_000, 40_000) and len(seen) > 1
    assert (done.rate, done.channels, done.frames) == (rate, channels, 40_000)
    assert done.rtf > 0 and done.warnings == []
    expected = separate_array(mix, rate, tiny_model)
    for index, name in enumerate(("drums", "bass", "other", "vocals")):
        stem, stem_rate = soundfile.read(done.files[name], dtype="float32", always_2d=True)
        assert stem_rate == rate and np.abs(stem - expected[:, index]).max() <= 1e-6
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["bass.wav", "drums.wav", "other.wav", "vocals.wav"]


def test_flac_rounds_and_counts_what_it_clips(tmp_path: Path) -> None:
    mix = noise(5000, level=0.3)
    mix[100] = 3.0  # each of the two stems gets half, beyond full scale
    soundfile.write(tmp_path / "song.wav", mix, 44_100, subtype="FLOAT")
    done = separate_file(tmp_path / "song.wav", tmp_path, Passthrough(("a", "b")), format="flac")
    assert done.clipped == {"a": 2, "b": 2}
    stem, _ = soundfile.read(done.files["a"], dtype="float64", always_2d=True)
    error = np.abs(stem - mix / 2)
    assert np.delete(error, 100, axis=0).max() <= 2.0**-24 + 1e-9


def test_an_empty_file_gives_empty_stems(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 2)), 44_100)
    try:
        done = separate_file(tmp_path / "empty.wav", tmp_path / "out", Passthrough())
    except StemplayError as error:
        assert str(error).endswith(".")
    else:
        assert done.frames == 0 and done.rtf == 0


def test_the_song_is_never_overwritten(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "vocals.wav", noise(100), 44_100)
    before = (tmp_path / "vocals.wav").read_bytes()
    with pytest.raises(StemplayError, match="would overwrite the song"):
        separate_file(tmp_path / "vocals.wav", tmp_path, Passthrough())
    assert (tmp_path / "vocals.wav").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_nothing_half_written_stays_behind(tmp_path: Path) -> None:
    class Failing(Passthrough):
        calls = 0

        def process(self, block: Audio) -> Audio:
            self.calls += 1
            if self.calls == 3:
                raise KeyboardInterrupt
            return super().process(block)

    soundfile.write(tmp_path / "song.wav", noise(5 * BLOCK), 44_100)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "drums.wav").write_bytes(b"of yesterday")
    with pytest.raises(KeyboardInterrupt):
        separate_file(tmp_path / "song.wav", tmp_path / "out", Failing())
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["drums.wav"]
    assert (tmp_path / "out" / "drums.wav").read_bytes() == b"of yesterday"


@pytest.mark.parametrize("stems", [["banjo"], ["drums", "banjo"], []])
def test_an_unknown_stem_is_refused_before_anything_is_written(tmp_path: Path, stems: list[str]) -> None:
    soundfile.write(tmp_path / "song.wav", noise(100), 44_100)
    with pytest.raises(StemplayError, match="its stems are drums, bass, other, vocals"):
        separate_file(tmp_path / "song.wav", tmp_path / "out", Passthrough(), stems=stems)
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_of_the_directory_is_told(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", noise(100), 44_100)
    (tmp_path / "out").write_text("I am a file")
    with pytest.raises(StemplayError, match="cannot be made"):
        separate_file(tmp_path / "song.wav", tmp_path / "out", Passthrough())


def test_memory_does_not_grow_with_the_length(tiny_runtime: ModelRuntime) -> None:
    """Ten times as long, the same peak: what streams through is not kept."""

    def peak(blocks: int) -> int:
        processor = make_separator(tiny_runtime.sibling())
        processor.prepare(StreamFormat(48_000, 2))
        block = noise(4096)

        def source() -> Iterator[Audio]:
            for _ in range(blocks):
                yield block

        tracemalloc.start()
        total = sum(len(stems) for stems in aligned_stems(processor, source(), 44_100))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == blocks * 4096
        return top

    peak(2)
    assert peak(40) < 1.5 * peak(4)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif("demucs-live" not in model_names(), reason="the shipped model is not in this checkout")
@pytest.mark.parametrize("minutes", [60])
def test_an_hour_of_music_in_one_stream_neither_drifts_nor_grows(minutes: int) -> None:
    """A song over and over through the whole engine and the shipped model, which was trained on seconds.

    The sum of the stems is the input, each sample exactly ``latency`` late, in the last minute as in the first; each stem keeps its
    level (to what another alignment of song and hops makes of it), the recurrent state its size and the process its memory.
    """
    song, _ = soundfile.read(DEMO, dtype="float32", always_2d=True)
    rate, block = 48_000, 1024  # at this rate the converters must not drift either
    song = song[: len(song) // block * block]
    before = np.concatenate((song, song))
    processor = make_separator("demucs-live")
    port = FakePort(rate=rate, block=block)
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=processor)
    engine.start()
    latency = engine.latency.engine
    before[: len(song)] = 0  # in the first round silence comes before the song
    levels, states, memory = [], [], []
    rounds = minutes * 60 * rate // len(song)
    for _ in range(rounds):
        for start in range(0, len(song), block):
            out = port.tick(song[start : start + block])
            late = len(song) + start - latency
            assert np.abs(out - before[late : late + block]).max() <= 1e-6
        before[: len(song)] = song
        meters = engine.snapshot().meters
        levels.append([np.hypot(*meters[name].rms) for name in processor.outputs])
        states.append(max(float(np.abs(x).max()) for x in processor.save_state()["model"].values()))
        memory.append(resident())
    snapshot = engine.snapshot()
    engine.stop()
    print(f"\n{rounds} rounds: levels {np.round(levels[1], 4)} to {np.round(levels[-1], 4)},")
    print(f"state {states[1]:.2f} to {states[-1]:.2f}, {memory[1]:.0f} to {memory[-1]:.0f} MiB")
    assert engine.latency.engine == latency and snapshot.ring_fill == 0
    assert (snapshot.misses, snapshot.frames) == (0, rounds * len(song))
    part = max(
        1, rounds // 4
    )  # song and hops meet differently each round, which moves a stem by some percent; no trend may remain
    early, late_rounds = np.array(levels[1 : 1 + part]), np.array(levels[-part:])
    np.testing.assert_allclose(late_rounds.mean(axis=0), early.mean(axis=0), rtol=0.03)
    np.testing.assert_allclose(late_rounds, np.broadcast_to(early.mean(axis=0), late_rounds.shape), rtol=0.15)
    assert max(states) <= 1.1 * states[1]
    assert memory[-1] - memory[rounds // 4] < 16


def resident() -> float:
    """MiB of this process in memory; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0


class Broken(Passthrough):
    """Gives ``value`` for everything."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def process(self, block: Audio) -> Audio:
        return np.full_like(super().process(block), self.value)


@pytest.mark.parametrize(("value", "sentence"), [(0.0, "silent although its input is not"), (np.nan, "not finite")])
def test_what_no_model_may_give_is_told_and_not_written(tmp_path: Path, value: float, sentence: str) -> None:
    soundfile.write(tmp_path / "song.wav", noise(3 * 44_100), 44_100)
    with pytest.raises(StemplayError, match=sentence):
        separate_file(tmp_path / "song.wav", tmp_path / "out", Broken(value))
    assert not (tmp_path / "out").exists()
    with pytest.raises(StemplayError, match=sentence):
        separate_array(noise(3 * 44_100), 44_100, Broken(value))


def test_silence_for_silence_is_right() -> None:
    assert not separate_array(np.zeros((3 * 44_100, 2), np.float32), 44_100, Broken(0.0)).any()

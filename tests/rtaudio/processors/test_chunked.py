"""Models that are not causal, on overlapping chunks in a thread of their own (RT-04)."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from models.demucs import Demucs
from rtaudio.audio.format import Audio, StemplayError
from rtaudio.files.offline import separate_array
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.processors.chunked import ChunkedModel, fade_in
from rtaudio.processors.factory import make_separator
from rtaudio.processors.frame_model import CausalModel, InBackground
from tests.rtaudio.conftest import noise
from tests.rtaudio.streaming import prepared, sizes, stream


def chunked(separate: object = None, chunk: int = 1000, overlap: int = 250) -> ChunkedModel:
    part = separate or (lambda x: np.repeat(x[:, None] / np.float32(4), 4, axis=1))
    return ChunkedModel(part, chunk=chunk, overlap=overlap, rate=44_100)  # type: ignore[arg-type]


@pytest.mark.parametrize("overlap", [0, 1, 2, 250, 999, 22_050])
def test_fades_of_two_chunks_sum_to_one(overlap: int) -> None:
    fade = fade_in(overlap)
    assert len(fade) == overlap
    assert np.abs(fade + fade[::-1] - 1).max(initial=0) <= 1e-6
    assert (np.diff(fade) >= 0).all()


@pytest.mark.parametrize(("chunk", "overlap"), [(1000, 250), (1000, 0), (1000, 500), (64, 7)])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_chunks_of_an_identity_give_back_the_input(chunk: int, overlap: int, rate: int) -> None:
    mix = noise(7777)
    processor = prepared(make_separator(chunked(chunk=chunk, overlap=overlap), consistent=False), rate)
    if rate == 44_100:
        assert processor.latency == chunk
        out = stream(processor, mix, sizes("random"))[processor.latency :]
        assert np.abs(out.sum(axis=1) - mix).max() <= 1e-6
        return
    tone = np.sin(np.arange(7777)[:, None] * [0.1, 0.13]).astype(
        np.float32
    )  # noise reaches beyond the converter's pass band
    out = stream(processor, tone, sizes("random"))[processor.latency :]
    assert np.abs(out.sum(axis=1) - tone)[200:-200].max() <= 1e-3


def test_a_cross_fade_hides_the_seam() -> None:
    """A model that answers each chunk with another constant: within the overlap the output goes evenly from one to the next."""
    calls = iter(range(100))
    model = chunked(lambda x: np.full((len(x), 4, 2), next(calls), dtype=np.float32))
    calls_before = 1  # warm_up made one
    out = stream(prepared(make_separator(model, consistent=False)), noise(3000), sizes(64))[1000:, 0, 0]
    steps = np.diff(out)
    assert steps.min() >= 0 and steps.max() < 0.01
    assert out[0] == calls_before and out[749] == calls_before and out[1000] == calls_before + 1


def test_one_chunk_over_the_whole_sound_is_offline(chunk_model: Path, chunk_net: Demucs) -> None:
    runtime = ModelRuntime(chunk_model)
    frames = 4096 - 1024  # chunk less overlap
    mix = noise(frames)
    padded = np.concatenate((mix, np.zeros((1024, 2), dtype=np.float32)))
    with torch.no_grad():
        offline = chunk_net(torch.from_numpy(padded.T)[None])[0].permute(2, 0, 1).numpy()[:frames]
    assert np.abs(separate_array(mix, 44_100, runtime, consistent=False) - offline).max() <= 1e-6


def test_an_exported_non_causal_model_streams_in_chunks(chunk_model: Path) -> None:
    """A chunk of latency, and a hop in which the next chunk is computed."""
    mix = noise(20_000)
    processor = prepared(make_separator(chunk_model))
    assert processor.latency == 4096 + 3072
    out = stream(processor, mix, sizes("changing"))[processor.latency :]
    assert np.abs(out.sum(axis=1) - mix).max() <= 1e-6
    assert np.abs(out - separate_array(mix, 44_100, chunk_model)).max() <= 1e-5
    processor.process(mix[:9000])
    state = processor.save_state()
    expected = processor.process(mix[9000:])
    processor.restore_state(state)
    assert np.array_equal(processor.process(mix[9000:]), expected)
    processor.reset()
    assert np.array_equal(stream(processor, mix, sizes("changing"))[processor.latency :], out)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_frame_in_the_background_is_the_same_and_one_hop_later(tiny_runtime: ModelRuntime, rate: int) -> None:
    mix = noise(9000)
    direct = prepared(make_separator(tiny_runtime.sibling()), rate)
    behind = prepared(make_separator(InBackground(CausalModel(tiny_runtime.sibling()))), rate)
    assert behind.latency > direct.latency
    for kind in (1000, "random"):
        outs = [stream(p, mix, sizes(kind))[p.latency :] for p in (direct, behind)]
        assert np.abs(outs[0] - outs[1]).max() <= 1e-6
    assert behind.elsewhere_s > 0.0 and direct.elsewhere_s == 0.0, "its thread's work counts as the model's own"
    hop = 64 * rate // 44_100
    assert (direct.burst, behind.burst) == (hop, 1), "only a caller that computes a hop itself has it all at once"


def test_a_slow_chunk_does_not_hold_up_the_block_that_completes_it() -> None:
    """The call returns while the chunk is still in work; only the next frame waits for it."""
    release = threading.Event()

    def separate(mix: Audio) -> Audio:
        if mix.any():
            assert release.wait(60)
        return np.repeat(mix[:, None] / np.float32(4), 4, axis=1)

    processor = prepared(make_separator(InBackground(chunked(separate))))
    parts = [processor.process(np.ones((1000, 2), dtype=np.float32))]  # the first chunk is complete: this must not wait
    assert any(thread.name.startswith("stemplay-chunk") for thread in threading.enumerate())
    release.set()
    parts.append(processor.process(np.ones((5000, 2), dtype=np.float32)))
    out = np.concatenate(parts)
    assert not out[: processor.latency].any() and np.abs(out[processor.latency :].sum(axis=1) - 1).max() <= 1e-6


def test_chunks_overlap_by_half_at_most() -> None:
    with pytest.raises(StemplayError, match="at most half"):
        chunked(chunk=100, overlap=51)

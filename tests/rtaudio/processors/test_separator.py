"""The separator behind the processor contract: streaming equals offline, latency is exact, stems sum (RT-02, -03, -04, -09)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.demucs import CausalDemucs
from rtaudio.audio.format import StemplayError
from rtaudio.files.offline import separate_array
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.processors.factory import make_separator
from rtaudio.processors.passthrough import Passthrough
from rtaudio.processors.residual import share_residual
from tests.rtaudio.conftest import noise
from tests.rtaudio.streaming import Identity, prepared, sizes, stream

RATES = (44_100, 48_000, 16_000, 96_000)
BLOCKS = [1, 37, 64, 256, 1000, "random", "changing"]


@pytest.mark.parametrize("kind", BLOCKS)
def test_streaming_equals_the_offline_network(tiny_model: Path, tiny_net: CausalDemucs, kind: int | str) -> None:
    mix = noise(44_100)
    with torch.no_grad():
        offline = tiny_net(torch.from_numpy(mix.T)[None])[0].permute(2, 0, 1).numpy()
    processor = prepared(make_separator(tiny_model, consistent=False))
    out = stream(processor, mix, sizes(kind))
    assert len(out) == len(mix) + processor.latency
    assert np.abs(out[processor.latency :] - offline).max() <= 1e-5
    assert not out[: processor.latency].any()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", [1, 37, 256, "random", "changing"])
def test_blocks_do_not_matter_at_any_rate(tiny_runtime: ModelRuntime, rate: int, kind: int | str) -> None:
    mix = noise(rate // 4)
    processor = prepared(make_separator(tiny_runtime.sibling()), rate)
    out = stream(processor, mix, sizes(kind))
    assert np.abs(out[processor.latency :] - separate_array(mix, rate, tiny_runtime.sibling())).max() <= 1e-5


@pytest.mark.parametrize("rate", RATES)
def test_the_future_cannot_change_the_past(tiny_runtime: ModelRuntime, rate: int) -> None:
    mix, cut = noise(6000), 3456
    other = mix.copy()
    other[cut:] = noise(6000 - cut, seed=1)
    outs = [
        stream(prepared(make_separator(tiny_runtime.sibling()), rate), x, sizes(64), flush=False)
        for x in (mix, other)
    ]
    assert np.array_equal(outs[0][:cut], outs[1][:cut])
    assert not np.array_equal(outs[0][cut:], outs[1][cut:])


@pytest.mark.parametrize("rate", [44_100, 48_000, 16_000, 96_000, 22_050, 47_999])
@pytest.mark.parametrize(("hop", "delay"), [(256, 0), (64, 0), (100, 37), (64, 200), (1, 0)])
def test_declared_latency_is_the_delay_of_an_impulse(rate: int, hop: int, delay: int) -> None:
    processor = prepared(make_separator(Identity(hop=hop, delay=delay), consistent=False), rate)
    assert processor.latency == processor.algorithmic_latency + processor.resampler_latency
    where = 4321
    mix = np.zeros((where + 3000, 2), dtype=np.float32)
    mix[where] = 1
    out = stream(processor, mix, sizes("random"))
    assert int(np.argmax(np.abs(out[:, 0, 0]))) == where + processor.latency


@pytest.mark.parametrize("rate", RATES)
def test_latency_is_no_longer_than_it_must_be(rate: int) -> None:
    """With one sample less, some output would be due before the model could have made it."""
    processor = make_separator(Identity())
    prepared(processor, rate)
    processor._latency -= 2  # one beyond the sample that counts as arrived when the next one begins
    with pytest.raises(RuntimeError, match="frames of stems are due"):
        for _ in range(rate):
            processor.process(np.zeros((1, 2), dtype=np.float32))


def test_a_hop_is_the_latency_at_the_model_s_rate(tiny_model: Path) -> None:
    processor = prepared(make_separator(tiny_model))
    assert (processor.latency, processor.algorithmic_latency, processor.resampler_latency) == (64, 64, 0)


@pytest.mark.parametrize(("block", "latency"), [(64, 0), (128, 0), (32, 32), (48, 48), (1000, 56), (1, 63)])
def test_promised_blocks_lower_the_latency(tiny_runtime: ModelRuntime, block: int, latency: int) -> None:
    processor = prepared(make_separator(tiny_runtime.sibling()))
    processor.align(block)
    assert processor.latency == latency
    mix = noise(20 * max(block, 64) // block * block)
    out = stream(processor, mix, sizes(block))
    assert np.array_equal(out[latency:], separate_array(mix, 44_100, tiny_runtime.sibling()))
    if block > 1:
        with pytest.raises(ValueError, match="not a multiple of the promised"):
            processor.process(mix[: block - 1])


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_stems_sum_to_the_delayed_mix(tiny_runtime: ModelRuntime, rate: int, channels: int) -> None:
    mix = np.clip(noise(8000, channels, level=0.4), -1, 1)
    processor = prepared(make_separator(tiny_runtime.sibling()), rate, channels)
    out = stream(processor, mix, sizes("random"))
    assert np.abs(out[processor.latency :].sum(axis=1) - mix).max() <= 1e-6


def test_without_the_option_they_need_not_sum(tiny_runtime: ModelRuntime) -> None:
    mix = noise(8000)
    assert np.abs(separate_array(mix, 44_100, tiny_runtime.sibling(), consistent=False).sum(axis=1) - mix).max() > 0.1


def test_shares_divide_the_residual() -> None:
    stems, mix = np.zeros((5, 4, 2), dtype=np.float32), noise(5)
    out = share_residual(stems, mix, np.array([0.5, 0.5, 0, 0], dtype=np.float32))
    assert np.array_equal(out[:, 0], mix / 2) and not out[:, 2:].any()


@pytest.mark.parametrize("shares", [(), (0.7, 0.1, 0.1, 0.1), (0.333, 0.333, 0.333, 0.0), (1.0, 0.0, 0.0, 0.0)])
def test_stems_sum_with_the_shares_of_the_card(shares: tuple[float, ...]) -> None:
    """A model that hears nothing: each stem is its share of the mix, and shares rounded in the card still make a whole."""
    model = Identity()
    model.shares = shares
    model.run = lambda mix: np.zeros((len(mix), 4, 2), dtype=np.float32)  # type: ignore[method-assign]
    mix = np.clip(noise(5000), -1, 1)
    stems = separate_array(mix, 48_000, make_separator(model))
    assert np.abs(stems.sum(axis=1) - mix).max() <= 1e-6
    expected = np.array(shares or (0.25,) * 4)
    assert np.abs(stems - mix[:, None] * expected[None, :, None] / expected.sum()).max() <= 1e-6


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_reset_is_bit_identical_to_fresh(tiny_runtime: ModelRuntime, rate: int) -> None:
    mix = noise(5000)
    used = prepared(make_separator(tiny_runtime.sibling()), rate)
    used.process(noise(3333, seed=1))
    used.reset()
    fresh = prepared(make_separator(tiny_runtime.sibling()), rate)
    assert np.array_equal(stream(used, mix, sizes(100)), stream(fresh, mix, sizes(100)))
    assert np.array_equal(stream(used, mix, sizes(100)), stream(fresh, mix, sizes(100)))  # flush resets too


@pytest.mark.parametrize("rate", RATES)
def test_flush_gives_what_silence_would(tiny_runtime: ModelRuntime, rate: int) -> None:
    mix = noise(2345)
    processor = prepared(make_separator(tiny_runtime.sibling()), rate)
    processor.process(mix)
    tail = processor.flush()
    assert len(tail) == processor.latency
    processor.process(mix)
    assert np.array_equal(tail, processor.process(np.zeros((processor.latency, 2), dtype=np.float32)))


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_saved_state_goes_on_bit_for_bit(tiny_runtime: ModelRuntime, rate: int) -> None:
    mix = noise(9000)
    processor = prepared(make_separator(tiny_runtime.sibling()), rate)
    processor.process(mix[:4001])
    state = processor.save_state()
    expected = processor.process(mix[4001:])
    other = prepared(make_separator(tiny_runtime.sibling()), rate)
    other.process(noise(100, seed=3))
    for target in (processor, other, other):  # twice: restoring must not hand out the saved arrays themselves
        target.restore_state(state)
        assert np.array_equal(target.process(mix[4001:]), expected)


def test_a_state_of_another_format_or_model_is_refused(tiny_runtime: ModelRuntime, mono_model: Path) -> None:
    state = prepared(make_separator(tiny_runtime.sibling())).save_state()
    with pytest.raises(StemplayError, match="another stream format"):
        prepared(make_separator(tiny_runtime.sibling()), 48_000).restore_state(state)
    with pytest.raises(StemplayError, match="does not belong to the model 'mono'"):
        prepared(make_separator(mono_model), 44_100).restore_state(state)


def test_mono_in_is_mono_out(tiny_runtime: ModelRuntime) -> None:
    mono = noise(5000, 1)
    stems = separate_array(mono, 44_100, tiny_runtime.sibling(), consistent=False)
    both = separate_array(np.repeat(mono, 2, axis=1), 44_100, tiny_runtime.sibling(), consistent=False)
    assert stems.shape == (5000, 4, 1)
    assert np.abs(stems[..., 0] - both.mean(axis=2)).max() <= 1e-6
    assert separate_array(mono[:, 0], 44_100, tiny_runtime.sibling()).shape == (5000, 4, 1)


def test_a_mono_model_plays_stereo(mono_model: Path) -> None:
    mix = noise(5000)
    stems = separate_array(mix, 48_000, mono_model)
    assert stems.shape == (5000, 2, 2)
    assert np.abs(stems.sum(axis=1) - mix).max() <= 1e-6


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 3e38])
def test_one_bad_sample_does_not_stay(tiny_runtime: ModelRuntime, poison: float) -> None:
    processor = prepared(make_separator(tiny_runtime.sibling()), 48_000)
    bad = noise(1000)
    bad[500] = poison
    with np.errstate(all="ignore"):
        processor.process(bad)
        processor.process(noise(2000, seed=1))
    out = processor.process(noise(2000, seed=2))
    assert np.isfinite(out).all() and np.abs(out).max() < 10


@settings(max_examples=25, deadline=None)
@given(
    rate=st.sampled_from([8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 47_999, 48_000, 88_200, 96_000]),
    channels=st.integers(1, 4),
    blocks=st.lists(st.integers(0, 900), min_size=1, max_size=8),
    which=st.sampled_from(["tiny", "mono"]),
)
def test_any_rate_channels_and_blocks(
    tiny_runtime: ModelRuntime, mono_model: Path, rate: int, channels: int, blocks: list[int], which: str
) -> None:
    runtime = tiny_runtime.sibling() if which == "tiny" else ModelRuntime(mono_model)
    mix = noise(sum(blocks), channels, level=0.1)
    processor = prepared(make_separator(runtime), rate, channels)
    cuts = iter(blocks)
    out = stream(processor, mix, iter(lambda: max(1, next(cuts, 1000)), None))
    assert out.shape == (len(mix) + processor.latency, len(processor.outputs), channels)
    assert np.isfinite(out).all()
    assert np.abs(out[processor.latency :].sum(axis=1) - mix).max(initial=0) <= 1e-6


# ---------------------------------------------------------------- without a model


@pytest.mark.parametrize("delay", [0, 1, 300])
def test_passthrough_keeps_the_contract(delay: int) -> None:
    mix = noise(2000)
    processor = prepared(Passthrough(delay=delay))
    out = stream(processor, mix, sizes("changing"))
    assert processor.latency == delay and len(out) == 2000 + delay
    assert np.abs(out[delay:].sum(axis=1) - mix).max() <= 1e-6
    assert not out[:delay].any()
    processor.process(mix[:100])
    state = processor.save_state()
    expected = processor.process(mix[100:])
    processor.restore_state(state)
    assert np.array_equal(processor.process(mix[100:]), expected)

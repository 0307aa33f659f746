"""The mixer: what each control means, that nothing clicks, and that blocks do not matter."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtaudio.audio.format import SOURCES, Audio, StemplayError
from rtaudio.engine.mixer import RAMP_S, Mixer, balance, linear_gain
from rtaudio.protocol.settings import MixerState, StemState

RATE = 44_100
RAMP = round(RAMP_S * RATE)


def sound(frames: int, channels: int = 2, seed: int = 0, level: float = 0.1) -> tuple[Audio, Audio]:
    """Four stems and a dry signal that is not their sum, so that tests can tell them apart."""
    rng = np.random.default_rng(seed)
    stems = (level * rng.standard_normal((frames, 4, channels))).astype(np.float32)
    return stems, (level * rng.standard_normal((frames, channels))).astype(np.float32)


def mix(state: MixerState | None, stems: Audio, dry: Audio, **options: Any) -> Audio:
    """The steady output under ``state``."""
    mixer = Mixer(SOURCES, dry.shape[1], RATE, options.get("max_block", 256), state)
    out = np.full_like(dry, np.nan)
    mixer.process(stems, dry, out)
    return out


def added(stems: Audio) -> Audio:
    return ((stems[:, 0] + stems[:, 1]) + stems[:, 2]) + stems[:, 3]


def strips(**stems: StemState) -> MixerState:
    return MixerState(stems, limiter=False)


gains = st.one_of(st.just(-math.inf), st.floats(-160, 24))
stem_states = st.builds(StemState, gain_db=gains, mute=st.booleans(), solo=st.booleans(), pan=st.floats(-1, 1))
states = st.builds(
    MixerState,
    stems=st.dictionaries(st.sampled_from(SOURCES), stem_states),
    dry=st.floats(0, 1),
    master_db=gains,
    limiter=st.booleans(),
    ceiling_db=st.floats(-40, 0),
    bypass=st.booleans(),
)


# ---------------------------------------------------------------- meaning


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_flat_faders_are_exactly_the_sum_of_the_stems(channels: int) -> None:
    stems, dry = sound(1000, channels)
    np.testing.assert_array_equal(mix(None, stems, dry), added(stems))


@settings(max_examples=50, deadline=None)
@given(state=states)
def test_a_steady_mix_is_what_the_controls_say(state: MixerState) -> None:
    state.limiter = False
    stems, dry = sound(300)
    solo = any(state.stems[name].solo for name in state.stems)
    expected = np.zeros_like(dry, dtype=np.float64)
    for i, name in enumerate(SOURCES):
        strip = state.stems.get(name, StemState())
        if strip.mute or (solo and not strip.solo) or strip.gain_db <= -144:
            continue
        sides = np.array([min(1, 1 - strip.pan), min(1, 1 + strip.pan)])
        expected += stems[:, i] * 10 ** (strip.gain_db / 20) * sides
    expected = (1 - state.dry) * expected + state.dry * dry
    expected *= 10 ** (state.master_db / 20) if state.master_db > -144 else 0
    if state.bypass:
        expected = dry
    np.testing.assert_allclose(
        mix(state, stems, dry), expected, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(expected).max())
    )


@settings(max_examples=30, deadline=None)
@given(state=states, factor=st.sampled_from([0.25, 0.5, 2.0]))
def test_without_the_limiter_the_mixer_is_linear(state: MixerState, factor: float) -> None:
    state.limiter = False
    (stems, dry), (others, other_dry) = sound(200, seed=1), sound(200, seed=2)
    one, two = mix(state, stems, dry), mix(state, others, other_dry)
    together = mix(state, (stems + factor * others).astype(np.float32), (dry + factor * other_dry).astype(np.float32))
    scale = max(1e-3, float(np.abs(one).max() + factor * np.abs(two).max()))
    np.testing.assert_allclose(together, one + factor * two, atol=4e-6 * scale)


@given(muted=st.sets(st.sampled_from(SOURCES)), soloed=st.sets(st.sampled_from(SOURCES)))
@settings(max_examples=40, deadline=None)
def test_mute_and_solo_sound_exactly_the_stems_they_should(muted: set[str], soloed: set[str]) -> None:
    state = strips(**{name: StemState(mute=name in muted, solo=name in soloed) for name in SOURCES})
    stems, dry = sound(100)
    heard = [name not in muted and (not soloed or name in soloed) for name in SOURCES]
    np.testing.assert_array_equal(mix(state, stems, dry), added(stems * np.array(heard, np.float32)[:, None]))


def test_muting_everything_is_exact_silence() -> None:
    stems, dry = sound(100, level=10)
    assert not mix(strips(**{name: StemState(mute=True) for name in SOURCES}), stems, dry).any()
    assert not mix(strips(**{name: StemState(gain_db=-math.inf) for name in SOURCES}), stems, dry).any()
    assert not mix(MixerState(master_db=-math.inf), stems, dry).any()


def test_a_soloed_stem_of_another_model_silences_nobody() -> None:
    stems, dry = sound(100)
    np.testing.assert_array_equal(mix(strips(piano=StemState(solo=True)), stems, dry), added(stems))


@pytest.mark.parametrize("pan", [-1.0, -0.3, 0.0, 0.5, 1.0])
def test_pan_is_a_balance_with_unity_in_the_middle(pan: float) -> None:
    stems, dry = sound(100)
    stems[:, 1:] = 0
    out = mix(strips(drums=StemState(pan=pan)), stems, dry)
    sides = np.array([1 - max(0, pan), 1 + min(0, pan)], np.float32)
    np.testing.assert_allclose(out, stems[:, 0] * sides, rtol=1e-6)
    assert balance(0.0, 2) == [1.0, 1.0] and balance(pan, 1) == [1.0]


def test_dry_is_the_input_and_wet_the_stems() -> None:
    stems, dry = sound(100)
    np.testing.assert_array_equal(mix(MixerState(dry=1.0), stems, dry), dry)
    np.testing.assert_array_equal(mix(MixerState(dry=0.0), stems, dry), added(stems))
    np.testing.assert_allclose(mix(MixerState(dry=0.25), stems, dry), 0.75 * added(stems) + 0.25 * dry, atol=1e-6)


def test_bypass_is_the_input_bit_for_bit_past_master_and_limiter() -> None:
    stems, dry = sound(100, level=3)
    state = MixerState(bypass=True, master_db=-40, ceiling_db=-20, stems={"drums": StemState(gain_db=20)})
    np.testing.assert_array_equal(mix(state, stems, dry), dry)


def test_the_strips_are_there_after_their_faders_for_outputs_of_their_own() -> None:
    stems, dry = sound(100)
    mixer = Mixer(SOURCES, 2, RATE, 256, strips(drums=StemState(mute=True), bass=StemState(gain_db=-6.0)))
    mixer.process(stems, dry, np.empty_like(dry))
    assert mixer.strips.shape == stems.shape and not mixer.strips[:, 0].any()
    np.testing.assert_allclose(mixer.strips[:, 1], stems[:, 1] * 10 ** (-6 / 20), rtol=1e-6)
    np.testing.assert_array_equal(mixer.strips[:, 2:], stems[:, 2:])


def test_the_inputs_are_left_alone() -> None:
    stems, dry = sound(100, level=5)
    kept = stems.copy(), dry.copy()
    mix(MixerState(dry=0.5, master_db=12), stems, dry)
    np.testing.assert_array_equal(stems, kept[0])
    np.testing.assert_array_equal(dry, kept[1])


# ---------------------------------------------------------------- ramps and blocks


@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(1, 900), states), min_size=1, max_size=4),
    cuts=st.lists(st.integers(1, 300), min_size=1, max_size=5),
    level=st.sampled_from([0.1, 3.0]),
)
def test_the_output_does_not_depend_on_the_blocks(
    changes: list[tuple[int, MixerState]], cuts: list[int], level: float
) -> None:
    """Every control changes at given samples; between them the sound is cut at will, also into more than was prepared for."""

    def play(cuts: list[int], max_block: int) -> Audio:
        mixer, out, at = Mixer(SOURCES, 2, RATE, max_block), np.full_like(dry, np.nan), 0
        for frames, state in changes:
            mixer.set_state(state)
            stop, turn = at + frames, 0
            while at < stop:
                end = min(stop, at + cuts[turn % len(cuts)])
                mixer.process(stems[at:end], dry[at:end], out[at:end])
                at, turn = end, turn + 1
        return out

    stems, dry = sound(sum(frames for frames, _ in changes), level=level)
    np.testing.assert_array_equal(play(cuts, 128), play([900], 900))


@settings(max_examples=60, deadline=None)
@given(before=states, between=states, after=states, gap=st.integers(1, 2 * RAMP))
@example(
    before=MixerState(),
    between=MixerState(master_db=-np.inf),
    after=MixerState(stems={"drums": StemState(gain_db=-np.inf)}, dry=1.0, master_db=-np.inf, bypass=True),
    gap=1,
)
def test_no_change_of_any_control_clicks(before: MixerState, between: MixerState, after: MixerState, gap: int) -> None:
    """On constant signals no step is larger than the longest way in one ramp, also when a ramp is interrupted."""
    for state in (before, between, after):
        state.limiter = False
    stems, dry = np.full((3 * RAMP + gap, 4, 2), 0.25, np.float32), np.full((3 * RAMP + gap, 2), -1.0, np.float32)
    mixer, out = Mixer(SOURCES, 2, RATE, 4096, before), np.empty_like(dry)
    for start, stop, state in ((0, RAMP, before), (RAMP, RAMP + gap, between), (RAMP + gap, len(out), after)):
        mixer.set_state(state)
        mixer.process(stems[start:stop], dry[start:stop], out[start:stop])
    # A product of straight lines changes by at most the sum of all: dry/wet 2 (from the stems' 1 to the input's -1), bypass 2, master 1,
    # and the four strips 0.25 each.
    highest = [max(linear_gain(x.gain_db) for x in (*s.stems.values(), StemState())) for s in (before, between, after)]
    masters = [max(1.0, linear_gain(s.master_db)) for s in (before, between, after)]
    assert np.abs(np.diff(out, axis=0)).max() <= 6.0 * max(highest) * max(masters) / RAMP * 1.01


def test_a_ramp_is_a_straight_line_of_ten_milliseconds_and_ends_exactly() -> None:
    mixer, out = Mixer(SOURCES, 2, RATE, 4096), np.empty((1000, 2), np.float32)
    stems, dry = np.zeros((1000, 4, 2), np.float32), np.zeros((1000, 2), np.float32)
    stems[:, 0] = 0.5
    mixer.set_state(strips(drums=StemState(mute=True)))
    mixer.process(stems, dry, out)
    np.testing.assert_allclose(out[:RAMP, 0], 0.5 * (1 - np.arange(1, RAMP + 1) / RAMP), atol=1e-6)
    assert not out[RAMP - 1 :].any()
    mixer.set_state(strips())
    mixer.process(stems, dry, out)
    np.testing.assert_array_equal(out[RAMP - 1 :], 0.5)


def test_the_first_state_needs_no_ramp_and_reset_jumps() -> None:
    stems, dry = sound(10)
    state = strips(drums=StemState(mute=True))
    mixer, out = Mixer(SOURCES, 2, RATE, 64), np.empty_like(dry)
    mixer.set_state(state)
    mixer.reset()
    mixer.process(stems, dry, out)
    np.testing.assert_array_equal(out, mix(state, stems, dry))


# ---------------------------------------------------------------- safety and meters


@settings(max_examples=40, deadline=None)
@given(state=states, seed=st.integers(0, 100))
def test_with_the_limiter_nothing_exceeds_the_ceiling_unless_bypassed(state: MixerState, seed: int) -> None:
    state.limiter, state.bypass = True, False
    stems, dry = sound(500, seed=seed, level=2)
    assert np.abs(mix(state, stems, dry)).max() <= 10 ** (state.ceiling_db / 20)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("bypass", [False, True])
@pytest.mark.parametrize("limiter", [False, True])
def test_a_bad_sample_never_gets_out_and_never_stays(bad: float, bypass: bool, limiter: bool) -> None:
    state = MixerState(dry=0.5, bypass=bypass, limiter=limiter, master_db=20, stems={"bass": StemState(mute=True)})
    mixer = Mixer(SOURCES, 2, RATE, 256, state)
    stems, dry = sound(256)
    stems[3, :, 0], dry[5] = bad, bad
    out = np.empty_like(dry)
    mixer.process(stems, dry, out)
    assert np.isfinite(out).all()
    mixer.limiter.reset()
    stems, dry = sound(256, seed=1)
    mixer.process(stems, dry, out)
    np.testing.assert_array_equal(out, mix(state, stems, dry))


def test_meters_give_peak_and_rms_since_the_last_take() -> None:
    mixer = Mixer(SOURCES, 2, RATE, 100, strips(bass=StemState(gain_db=-20.0)))
    stems, dry = sound(1000)
    out = np.empty_like(dry)
    for _ in range(2):
        mixer.process(stems, dry, out)
        meters, master = mixer.take_meters()
        for i, name in enumerate(SOURCES):
            strip = stems[:, i] * (0.1 if name == "bass" else 1.0)
            np.testing.assert_allclose(meters[name].peak, np.abs(strip).max(axis=0), rtol=1e-6)
            np.testing.assert_allclose(meters[name].rms, np.sqrt((strip**2).mean(axis=0)), rtol=1e-5)
            assert not meters[name].clipped
        np.testing.assert_allclose(master.peak, np.abs(out).max(axis=0), rtol=1e-6)
        np.testing.assert_allclose(master.rms, np.sqrt((out.astype(np.float64) ** 2).mean(axis=0)), rtol=1e-5)
    meters, master = mixer.take_meters()
    assert master.peak == master.rms == [0.0, 0.0] and meters["drums"].peak == [0.0, 0.0]


def test_the_clip_lamp_latches_until_it_is_reset() -> None:
    mixer = Mixer(SOURCES, 2, RATE, 256, MixerState(limiter=False))
    stems, dry = sound(100)
    out = np.empty_like(dry)
    stems[7, 2, 1] = 1.5
    mixer.process(stems, dry, out)
    stems[7, 2, 1] = 0.0
    for _ in range(3):
        meters, master = mixer.take_meters()
        mixer.process(stems, dry, out)
        assert [meters[name].clipped for name in SOURCES] == [False, False, True, False] and master.clipped
    mixer.reset_clips()
    meters, master = mixer.take_meters()
    assert not meters["other"].clipped and not master.clipped


def test_the_limiter_is_seen_working() -> None:
    mixer = Mixer(SOURCES, 2, RATE, 256, MixerState(ceiling_db=-6.0))
    stems, dry = np.full((256, 4, 2), 0.5, np.float32), np.zeros((256, 2), np.float32)
    out = np.empty_like(dry)
    assert mixer.limiter_db == 0.0
    mixer.process(stems, dry, out)
    assert mixer.limiter_db == pytest.approx(-6.0 - 20 * math.log10(2.0), abs=1e-4)
    mixer.take_meters()
    assert mixer.limiter_db < -12, "the interval just taken"
    for _ in range(2 * RATE // 256):
        mixer.process(stems * np.float32(0.01), dry, out)
    mixer.take_meters()
    mixer.take_meters()
    assert mixer.limiter_db == 0.0


@pytest.mark.parametrize(
    "state",
    [
        MixerState(dry=1.5),
        MixerState(dry=math.nan),
        MixerState(master_db=math.nan),
        MixerState(master_db=math.inf),
        MixerState(ceiling_db=3.0),
        MixerState({"drums": StemState(pan=2.0)}),
        MixerState({"drums": StemState(pan=math.nan)}),
        MixerState({"drums": StemState(gain_db=math.nan)}),
    ],
)
def test_values_out_of_range_are_refused_and_change_nothing(state: MixerState) -> None:
    mixer = Mixer(SOURCES, 2, RATE, 256)
    with pytest.raises(StemplayError) as error:
        mixer.set_state(state)
    assert str(error.value).endswith(".")
    stems, dry = sound(600)
    out = np.empty_like(dry)
    mixer.process(stems, dry, out)
    np.testing.assert_array_equal(out, added(stems))


def test_the_callback_keeps_no_memory_and_needs_little_for_a_moment() -> None:
    """Everything of a block's size exists beforehand; numpy's own work buffers come and go."""
    mixer = Mixer(SOURCES, 2, RATE, 256, MixerState(dry=0.3))
    stems, dry = sound(256, level=2)
    out = np.empty_like(dry)

    def play(blocks: int) -> int:
        """Bytes kept by our code; other threads of the tests, such as pytest-xdist's, allocate too."""
        for gain in np.linspace(-20, 0, blocks):
            mixer.set_state(strips(drums=StemState(gain_db=float(gain))))
            mixer.process(stems, dry, out)
        ours = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*rtaudio*")])
        return sum(statistic.size for statistic in ours.statistics("filename"))

    mixer.process(stems, dry, out)
    tracemalloc.start()
    try:
        before = play(10)
        tracemalloc.reset_peak()
        start, _ = tracemalloc.get_traced_memory()
        mixer.process(stems, dry, out)
        assert tracemalloc.get_traced_memory()[1] - start < 65_536
        assert play(50) - before < 1024
    finally:
        tracemalloc.stop()


def test_without_monitoring_no_input_is_heard_in_any_form_and_strips_go_on() -> None:
    rng = np.random.default_rng(4)
    stems, dry = (0.1 * rng.standard_normal(shape).astype(np.float32) for shape in ((512, 5, 2), (512, 2)))
    names = (*SOURCES, "instrument")
    for state in (
        MixerState(monitor=False),
        MixerState(monitor=False, dry=1.0),
        MixerState(monitor=False, bypass=True),
    ):
        mixer = Mixer(names, 2, RATE, 512, state, beside=1)
        out = np.empty((512, 2), np.float32)
        mixer.process(stems, dry, out)
        np.testing.assert_allclose(out, stems[:, 4], atol=1e-6)
        meters, _ = mixer.take_meters()
        assert min(meters["vocals"].peak) > 0.1

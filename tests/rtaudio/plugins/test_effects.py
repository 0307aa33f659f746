"""The built-in effects: what they do to sound, in any blocks, at any rate."""

from __future__ import annotations

import numpy as np
import pytest

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.effects import make_effect
from rtaudio.plugins.pitch import PitchShift
from rtaudio.plugins.registry import ISOLATED_EFFECTS
from rtaudio.protocol.parameters import EFFECTS, NOTE_LENGTHS, Parameter

RATE = 44_100
IN_CALLBACK = [id for id in EFFECTS if id not in ISOLATED_EFFECTS]


def noise(frames: int, channels: int = 2) -> Audio:
    return (0.1 * np.random.default_rng(0).standard_normal((frames, channels))).astype(np.float32)


def tone(hz: float, frames: int = RATE, rate: int = RATE) -> Audio:
    wave = 0.2 * np.sin(2 * np.pi * hz * np.arange(frames) / rate)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def effect(id: str, sample_rate: int = RATE, block: int = 256, channels: int = 2, **values: float) -> Plugin:
    made: Plugin = PitchShift() if id == "pitch" else make_effect(id)
    for name, value in values.items():
        made.set(name, value)
    made.prepare(sample_rate, block, channels)
    return made


def run(plugin: Plugin, audio: Audio, sizes: list[int]) -> Audio:
    out, start, k = audio.copy(), 0, 0
    while start < len(out):
        size = sizes[k % len(sizes)]
        assert plugin.process(out[start : start + size])
        start, k = start + size, k + 1
    return out


def level_db(audio: Audio) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(audio[len(audio) // 2 :] ** 2)) + 1e-12))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("id", IN_CALLBACK)
def test_an_effect_sounds_the_same_in_any_blocks(id: str, channels: int) -> None:
    sound = noise(6000, channels)
    whole = run(effect(id, channels=channels), sound, [256])
    for sizes in ([64], [1, 2, 3, 17, 256], [255, 1]):
        np.testing.assert_array_equal(run(effect(id, channels=channels), sound, sizes), whole)


@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
@pytest.mark.parametrize("id", IN_CALLBACK)
def test_an_effect_stays_finite_at_both_ends_of_every_parameter(id: str, rate: int) -> None:
    for parameter in EFFECTS[id].parameters:
        for value in (parameter.low, parameter.high):
            assert np.isfinite(run(effect(id, rate, **{parameter.id: value}), noise(2048), [256])).all()


@pytest.mark.parametrize("id", IN_CALLBACK)
def test_after_a_reset_an_effect_starts_from_silence(id: str) -> None:
    plugin, sound = effect(id), noise(4096)
    first = run(plugin, sound, [256])
    plugin.reset()
    np.testing.assert_allclose(run(plugin, sound, [256]), first, atol=2e-2 if id == "chorus" else 1e-6)  # its LFO runs on


@pytest.mark.parametrize("id", [id for id in IN_CALLBACK if id not in ("compressor", "gate")])
def test_every_parameter_is_heard(id: str) -> None:
    wet = {"low": 9, "mid": 9, "high": 9, "feedback": 60, "mix": 60, "depth": 60, "drive": 20}
    base = {p.id: min(wet.get(p.id, p.default), p.high) for p in EFFECTS[id].parameters}
    sound = noise(RATE)
    before = run(effect(id, **base), sound, [256])
    for parameter in EFFECTS[id].parameters:
        other = parameter.low if base[parameter.id] > (parameter.low + parameter.high) / 2 else parameter.high
        assert np.abs(run(effect(id, **base | {parameter.id: other}), sound, [256]) - before).max() > 1e-3, parameter.id


def test_the_equaliser_raises_its_bands_by_what_they_say() -> None:
    for band, hz in (("low", 30), ("mid", 1000), ("high", 15_000)):
        raised = level_db(run(effect("eq", **{band: 12.0}), tone(hz), [256])) - level_db(tone(hz))
        assert raised == pytest.approx(12, abs=1.0), band


def test_the_filters_take_away_their_side() -> None:
    assert level_db(run(effect("highpass", hz=1000), tone(100), [256])) < level_db(tone(100)) - 35
    assert level_db(run(effect("highpass", hz=100), tone(2000), [256])) == pytest.approx(level_db(tone(2000)), abs=0.2)
    assert level_db(run(effect("lowpass", hz=500), tone(5000), [256])) < level_db(tone(5000)) - 35


def test_the_compressor_turns_down_what_is_loud_by_its_ratio() -> None:
    loud = tone(440) * 4  # -2 dBFS peak
    quieter = level_db(run(effect("compressor", threshold=-22.0, ratio=4.0), loud, [256])) - level_db(loud)
    assert -18 < quieter < -11  # 20 dB above the threshold become 5
    assert level_db(run(effect("compressor", threshold=0.0), loud, [256])) == pytest.approx(level_db(loud), abs=0.3)


def test_the_gate_silences_what_is_below_its_threshold() -> None:
    quiet = tone(440) * 0.01
    assert level_db(run(effect("gate", threshold=-30.0, ratio=50.0), quiet, [256])) < level_db(quiet) - 60
    assert level_db(run(effect("gate", threshold=-80.0), quiet, [256])) == pytest.approx(level_db(quiet), abs=0.5)


def test_reverb_and_delay_at_no_mix_change_nothing() -> None:
    sound = noise(8192)
    for id in ("reverb", "delay", "chorus"):
        np.testing.assert_allclose(run(effect(id, mix=0.0), sound, [256]), sound, atol=1e-6)


def test_the_delay_repeats_after_its_time() -> None:
    impulse = np.zeros((RATE, 2), np.float32)
    impulse[100] = 0.5
    echo = run(effect("delay", time=250.0, feedback=0.0, mix=50.0), impulse, [256])
    assert int(np.abs(echo[2000:, 0]).argmax()) + 2000 == pytest.approx(100 + 0.25 * RATE, abs=1)


@pytest.mark.parametrize(
    ("bpm", "length", "seconds"), [(120, "1/4", 0.5), (90, "1/8 dotted", 0.5), (40, "1/1", 1.5), (400, "1/32", 0.01875)]
)
def test_the_delay_in_time_follows_the_tempo_by_halves_where_it_is_too_long(bpm: float, length: str, seconds: float) -> None:
    step = 1 + list(NOTE_LENGTHS).index(length)
    plugin = effect("delay", time=250.0, feedback=0.0, mix=50.0, sync=float(step))
    plugin.set_tempo(bpm)
    assert plugin.get("time") == 250.0  # what was set is kept
    run(plugin, np.zeros((RATE, 2), np.float32), [256])  # it glides there
    impulse = np.zeros((2 * RATE, 2), np.float32)
    impulse[100] = 0.5
    echo = run(plugin, impulse, [256])
    assert int(np.abs(echo[500:, 0]).argmax()) + 500 == pytest.approx(100 + seconds * RATE, abs=2)
    assert plugin.tail_s == pytest.approx(2.5 * seconds)


def test_a_turned_knob_does_not_click() -> None:
    plugin, sound = effect("gain"), tone(100, 4096)
    plugin.process(sound[:256])
    plugin.set("gain", -40.0)
    out = run(plugin, sound[256:], [64])
    steps = np.abs(np.diff(out[:, 0]))
    assert steps.max() < 1.5 * np.abs(np.diff(sound[:, 0])).max()
    assert np.abs(out[-100:]).max() < 0.01


@pytest.mark.parametrize("semitones", [-12, -5, 3, 12])
def test_the_pitch_shifter_is_within_five_cents(semitones: int) -> None:
    out = run(effect("pitch", semitones=float(semitones)), tone(440, 3 * RATE), [256])[RATE:, 0]
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out)), 1 << 19))
    found = spectrum.argmax() * RATE / (1 << 19)
    assert 1200 * abs(np.log2(found / (440 * 2 ** (semitones / 12)))) < 5


@pytest.mark.parametrize("block", [32, 256, 1000])
def test_the_pitch_shifter_at_zero_is_an_exact_delay(block: int) -> None:
    plugin, sound = effect("pitch", block=block), noise(RATE // 2)
    out = run(plugin, sound, [block])
    np.testing.assert_array_equal(out[plugin.latency :], sound[: len(sound) - plugin.latency])


def test_wrong_parameters_are_told_in_a_sentence() -> None:
    plugin = effect("reverb")
    with pytest.raises(StemplayError, match=r"Reverb has no parameter 'rom'; it has room, damping"):
        plugin.set("rom", 1.0)
    for value in (float("nan"), float("inf"), 1.5, -0.1, True, "0.5"):
        with pytest.raises(StemplayError, match="Room size is a number from 0 to 1"):
            plugin.set("room", value)  # type: ignore[arg-type]
    with pytest.raises(StemplayError, match="There is no effect 'verb'"):
        make_effect("verb")


def test_a_parameter_maps_to_a_position_and_back() -> None:
    for effect_ in EFFECTS.values():
        for p in effect_.parameters:
            assert p.normal(p.low) == 0.0 and p.normal(p.high) == pytest.approx(1.0)
            assert p.value(p.normal(p.default)) == pytest.approx(p.default)
            assert Parameter.from_json(p.to_json()) == p
            assert p.check(p.default) == pytest.approx(p.default)
            assert p.unit in p.text(p.default)

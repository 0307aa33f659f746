"""Meters of notes on sounds whose answers are known: pitch, restarts, tonal artefacts, distances of spectra, rainbowgrams."""

from __future__ import annotations

import numpy as np
import pytest

from models.rainbowgram import bin_frequencies, constant_q, phase_deviation, rainbowgram
from training.sing import note_metrics as metrics

RATE = 16_000
TIME = np.arange(64_000) / RATE


def tone(f0: float, harmonics: int = 6, fall: float = 0.6) -> np.ndarray:
    return 0.3 * sum(
        fall**k * np.sin(2 * np.pi * f0 * (k + 1) * TIME + k) for k in range(harmonics) if f0 * (k + 1) < 7_500
    )


@pytest.mark.parametrize("pitch", [28, 36, 48, 60, 72, 84, 96])
@pytest.mark.parametrize("detuned", [0.0, 7.0, -31.0])
def test_the_fundamental_is_read_to_a_cent(pitch: int, detuned: float) -> None:
    f0 = metrics.hertz(pitch) * 2 ** (detuned / 1200)
    found = metrics.fundamental(tone(f0), metrics.hertz(pitch))
    assert abs(metrics.cents(found, f0)) < 1
    noisy = tone(f0) * np.exp(-TIME) + 0.003 * np.random.default_rng(pitch).standard_normal(len(TIME))
    assert abs(metrics.cents(metrics.fundamental(noisy, metrics.hertz(pitch)), f0)) < 2


@pytest.mark.parametrize("f0", [55.0, 110.0, 440.0, 1_760.0])
def test_a_turn_of_the_phase_is_a_restart_and_a_clean_or_decaying_note_has_none(f0: float) -> None:
    clean = tone(f0)
    turned = np.where(TIME < 1.7, clean, -clean)
    assert metrics.restarts(clean, f0) == 0
    assert metrics.restarts(clean * np.exp(-3 * TIME), f0) == 0
    assert metrics.restarts(turned, f0) == 1
    assert metrics.restarts(np.where((TIME > 0.9) & (TIME < 2), -clean, clean), f0) == 2


def test_lines_at_multiples_of_the_stride_are_an_artefact_and_harmonics_are_not() -> None:
    clean = tone(metrics.hertz(61))
    hum = clean + 0.003 * np.sin(2 * np.pi * 187.5 * TIME) + 0.003 * np.sin(2 * np.pi * 562.5 * TIME)
    assert metrics.tonal_artefact(clean, metrics.hertz(61)) < -80
    expected = 10 * np.log10(2 * 0.003**2 / 2 / np.square(clean).mean())
    assert abs(metrics.tonal_artefact(hum, metrics.hertz(61)) - expected) < 1
    noise = clean + 0.01 * np.random.default_rng(0).standard_normal(len(TIME))
    assert metrics.tonal_artefact(noise, metrics.hertz(61)) < -45
    assert metrics.tonal_artefact(tone(250.0), 250.0) < -60, "its harmonics lie on the multiples and are its own"


def test_itakura_saito_is_no_distance_of_equals_and_knows_no_scale() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.random((2, 513, 20))
    assert metrics.itakura_saito(p, p) == 0
    assert metrics.itakura_saito(p, q) > 0
    assert metrics.itakura_saito(100 * p, 100 * q) == pytest.approx(metrics.itakura_saito(p, q), rel=1e-9)
    same = metrics.distances(tone(220.0), tone(220.0))
    assert set(same) == {"waveform", "magnitude", "log_spectrogram", "itakura_saito"} and not any(same.values())
    assert all(metrics.distances(tone(220.0), tone(233.0)).values())


def test_the_colour_of_a_rainbowgram_is_the_distance_from_the_bin() -> None:
    frequencies = bin_frequencies()
    k = 100
    inside = slice(40, 200)
    for offset, sign in ((0.0, 0), (0.3, 1), (-0.3, -1)):
        f = frequencies[k] * 2 ** (offset / 48)
        transform = constant_q(np.sin(2 * np.pi * f * TIME), RATE, frequencies)
        assert abs(np.abs(transform[k, inside]) - 1).max() < (0.01 if not sign else 0.1)
        assert np.argmax(np.abs(transform[:, 100])) == k
        turns = phase_deviation(transform, RATE, frequencies)[k, inside]
        np.testing.assert_allclose(turns, (f - frequencies[k]) * 256 / RATE, atol=1e-4)
        assert np.sign(np.round(turns.mean(), 5)) == sign
    noise = constant_q(np.random.default_rng(0).standard_normal(64_000), RATE, frequencies)
    assert phase_deviation(noise, RATE, frequencies)[250:, inside].std() > 0.15, "noise has every colour"


def test_silence_is_black_and_a_tone_is_one_bright_line() -> None:
    assert rainbowgram(np.zeros(16_000), RATE).max() == 0
    picture = rainbowgram(np.sin(2 * np.pi * 440 * TIME), RATE)
    assert picture.shape == (288, 251, 3) and picture.dtype == np.uint8
    row = picture[:, 120].max(1)
    brightest = 287 - int(np.argmax(row))
    assert abs(bin_frequencies()[brightest] / 440 - 1) < 0.01
    assert (row > 0).sum() < 60

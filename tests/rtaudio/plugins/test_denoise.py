"""The denoiser as an effect: exact in any blocks, late by what it says, silent in silence, and what it does above 8 kHz."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.catalog import find_model, load_card
from rtaudio.audio.format import Audio, StemplayError
from rtaudio.audio.resample import resample
from rtaudio.files.offline import separate_array
from rtaudio.plugins.denoise import MODEL, QUIET_S, Denoise
from rtaudio.plugins.registry import load_insert
from rtaudio.plugins.slot import FADE_S, Slot
from rtaudio.protocol.settings import InsertState

RATES = [16_000, 22_050, 44_100, 48_000, 96_000]


def voice_like(frames: int, rate: int) -> Audio:
    """Harmonics of a gliding pitch with two formants and pauses, up to 7 kHz."""
    time = np.arange(frames) / rate
    pitch = 140 + 25 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    sound = np.zeros(frames)
    for k in range(1, 40):
        hertz = k * pitch
        gain = np.exp(-(((hertz - 600) / 300) ** 2)) + 0.5 * np.exp(-(((hertz - 1700) / 500) ** 2)) + 0.01
        sound += gain * np.sin(k * phase) * (hertz < 7000)
    return (0.05 * sound * (np.sin(2 * np.pi * 2.5 * time) > -0.3))[:, None].astype(np.float32)


def noise(frames: int, channels: int = 2, seed: int = 0) -> Audio:
    return (0.05 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


def made(rate: int = 44_100, block: int = 512, channels: int = 2, **values: float) -> Denoise:
    plugin = Denoise()
    for id, value in values.items():
        plugin.set(id, value)
    plugin.prepare(rate, block, channels)
    return plugin


def run(plugin: Denoise | Slot, sound: Audio, sizes: list[int]) -> Audio:
    out, start, k = sound.copy(), 0, 0
    while start < len(out):
        part = out[start : start + sizes[k % len(sizes)]]
        assert plugin.process(part) is not False
        start, k = start + len(part), k + 1
    assert np.isfinite(out).all()
    return out


@pytest.mark.parametrize("rate", RATES)
def test_any_blocks_give_the_same_samples(rate: int) -> None:
    sound = voice_like(rate, rate) + noise(rate)
    whole = run(made(rate), sound, [512])
    np.testing.assert_allclose(run(made(rate), sound, [1, 37, 64, 256, 500, 13]), whole, atol=1e-6)
    assert np.abs(whole).max() > 0.01


@pytest.mark.parametrize("rate", RATES)
def test_it_is_what_the_model_makes_of_a_file_and_as_late_as_it_says(rate: int) -> None:
    sound = voice_like(2 * rate, rate) + noise(2 * rate, 1)
    plugin = made(rate, channels=1, air=0.0)
    out = run(plugin, np.concatenate([sound, np.zeros((plugin.latency, 1), np.float32)]), [256])[plugin.latency :]
    inside = resample(sound, rate, 16_000)
    voice = resample(separate_array(inside, 16_000, MODEL, consistent=False)[:, 0], 16_000, rate)[: len(out)]
    edge = rate // 50  # the file's edges are converted with what surrounds them
    np.testing.assert_allclose(out[edge:-edge], voice[edge:-edge], atol=2e-4)


@pytest.mark.parametrize("rate", RATES)
def test_without_an_amount_it_is_an_exact_delay(rate: int) -> None:
    plugin, sound = made(rate, amount=0.0), noise(rate)
    out = run(plugin, sound, [480, 32])
    np.testing.assert_array_equal(out[plugin.latency :], sound[: -plugin.latency])
    assert not out[: plugin.latency].any()
    assert plugin.latency < 0.0205 * rate


def test_a_microphone_on_two_channels_is_computed_once_and_each_channel_of_stereo_by_itself() -> None:
    rate = 48_000
    sound = np.repeat(voice_like(rate, rate), 2, axis=1) + noise(rate)
    stereo = run(made(rate), sound, [256])
    for channel in range(2):
        alone = np.repeat(sound[:, channel : channel + 1], 2, axis=1)
        np.testing.assert_allclose(run(made(rate), alone, [256]), stereo[:, [channel, channel]], atol=1e-6)
    late = np.concatenate([np.repeat(sound[:, :1], 2, axis=1), sound[:, ::-1]])  # alike for a second, then not
    out = run(made(rate), late, [256])
    np.testing.assert_allclose(out[:, 1], run(made(rate, channels=1), late[:, 1:], [256])[:, 0], atol=1e-6)


def test_a_voice_stays_and_noise_goes() -> None:
    rate = 48_000
    voice, hiss = voice_like(4 * rate, rate), noise(4 * rate, 1)
    plugin = made(rate, channels=1)
    out = run(plugin, voice + hiss, [256])[plugin.latency + rate :]
    clean, dirt = voice[rate : rate + len(out)], hiss[rate : rate + len(out)]

    def ratio(error: Audio) -> float:
        return 10 * float(np.log10(np.square(clean).sum() / np.square(error).sum()))

    assert ratio(out - clean) > ratio(dirt) + 3
    half = run(made(rate, channels=1, amount=50.0), voice + hiss, [256])[plugin.latency + rate :]
    np.testing.assert_allclose(half, 0.5 * (out + clean + dirt), atol=1e-5)


def test_above_8_khz_sound_follows_the_voice_or_goes() -> None:
    rate = 48_000
    hiss = noise(3 * rate, 1)

    def above(sound: Audio) -> float:
        spectrum = np.abs(np.fft.rfft(sound[rate:, 0])) ** 2
        return float(spectrum[np.fft.rfftfreq(len(sound) - rate, 1 / rate) > 9000].sum())

    assert above(run(made(rate, channels=1, air=0.0), hiss, [256])) < 1e-3 * above(hiss)
    assert above(run(made(rate, channels=1), hiss, [256])) < 0.3 * above(hiss), (
        "with no voice, noise above goes with noise below"
    )


def test_digital_silence_is_silent_after_a_tenth_of_a_second_and_noise_does_not_wake_old_sound() -> None:
    rate = 44_100
    sound = voice_like(rate, rate) + noise(rate, 1)
    plugin = made(rate, channels=1)
    out = run(plugin, np.concatenate([sound, np.zeros((2 * rate, 1), np.float32), sound]), [256])
    quiet = rate + plugin.latency + round((QUIET_S + 0.016 + 0.005) * rate)
    assert not out[quiet : 3 * rate].any() and np.abs(out[rate // 2 : rate]).max() > 0.01
    assert np.abs(out[3 * rate + plugin.latency :]).max() > 0.01


def test_absurd_input_does_not_stay_in_it() -> None:
    plugin, sound = made(channels=1), voice_like(44_100, 44_100)
    bad = sound.copy()
    bad[1000:1100], bad[2000] = np.nan, np.inf
    bad[3000:3100] = 1e30
    run(plugin, bad, [256])
    again = run(plugin, np.concatenate([np.zeros((88_200, 1), np.float32), sound]), [256])
    assert np.abs(again).max() < 1


def test_bypass_fades_and_keeps_the_latency() -> None:
    rate, block = 48_000, 256
    sound = voice_like(2 * rate, rate) + noise(2 * rate, 1)
    slot = Slot(made(rate, block, 1), "denoise-1", rate, block, 1)
    slot.jump()
    first = run(slot, sound[:rate], [block])
    slot.bypass = True
    second = run(slot, sound[rate:], [block])
    fade = round(FADE_S * rate) + block
    np.testing.assert_array_equal(second[fade:], sound[rate + fade - slot.latency : 2 * rate - slot.latency])
    joint = np.concatenate([first, second])[rate - block : rate + fade, 0]
    usual = max(np.abs(np.diff(x[:, 0])).max() for x in (sound, first))
    assert np.abs(np.diff(joint)).max() < 1.2 * usual


def test_in_its_process_it_adds_the_block_and_sounds_the_same() -> None:
    rate, block = 48_000, 256
    sound = np.repeat(voice_like(rate, rate), 2, axis=1) + noise(rate)
    inner = made(rate, block)
    alone = run(inner, sound, [block])
    plugin = load_insert(InsertState("denoise"), rate, block, 2, realtime=False)
    try:
        out, later = sound.copy(), plugin.latency - inner.latency
        for start in range(0, rate - rate % block, block):
            assert plugin.process(out[start : start + block])
        assert later >= block and later % block == 0
        end = rate - rate % block
        np.testing.assert_allclose(out[later:end], alone[: end - later], atol=1e-6)
    finally:
        plugin.close()


def test_only_a_live_denoiser_of_one_channel_will_do(tmp_path: Path) -> None:
    with pytest.raises(StemplayError, match="'demucs-open' is no live denoiser"):
        Denoise("demucs-open")
    with pytest.raises(StemplayError, match="There is no model"):
        Denoise(str(tmp_path / "nothing"))
    shutil.copytree(find_model(MODEL), tmp_path / "other")
    card = json.loads((tmp_path / "other" / "card.json").read_text(encoding="utf-8"))
    assert card["outputs"] == ["voice", "noise"] and load_card(MODEL).latency == 0
    (tmp_path / "other" / "card.json").write_text(json.dumps(card | {"outputs": ["noise", "voice"]}), encoding="utf-8")
    with pytest.raises(StemplayError):
        Denoise(str(tmp_path / "other"))

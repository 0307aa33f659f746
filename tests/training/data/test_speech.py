"""The speech denoiser (chapter 6, FUT-01): its size, its data, what it learns in seconds, and that it plays live."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import torch

from models.registry import make_network
from rtaudio.audio.format import StemplayError
from rtaudio.files.offline import separate_array
from training.cli import main
from training.data.config import MixingConfig
from training.data.speech import RATE, SNR_DB, MixedSpeech, SyntheticSpeech, mixed, validation_speech
from training.export.separator import export_separator
from training.separation.fit import FitOptions, fit
from training.separation.recipe import Recipe, read_recipe
from training.separation.sources import batch_source, validation_set
from training.separation.trainer import Budget, Intervals, SeparatorTrainer

ROOT = Path(__file__).resolve().parents[3]
CONFIG = MixingConfig(seconds=0.5, batch=3)


def snr(estimate: npt.NDArray[np.floating], truth: npt.NDArray[np.floating]) -> float:
    return float(10 * np.log10((truth**2).sum() / ((estimate - truth) ** 2).sum()))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny denoiser after some seconds of training, exported."""
    folder = tmp_path_factory.mktemp("denoiser")
    torch.set_num_threads(1)
    recipe = read_recipe("denoiser").tiny()
    fit(recipe, FitOptions(folder, budget=Budget(steps=140), workers=0, intervals=Intervals(1e9, 1e9, 1e9)))
    assert main(["export", str(folder / "best.safetensors"), "-o", str(folder / "model")]) == 0
    return folder / "model"


def test_the_preset_is_that_of_chapter_6() -> None:
    config = read_recipe("denoiser").network
    assert (config.hop / config.sample_rate, config.audio_channels) == (0.016, 1)
    with torch.device("meta"):
        network = make_network(replace(config, rescale=0.0))  # type: ignore[type-var]
    assert 14 < sum(w.numel() for w in network.parameters()) * 4 / 2**20 <= 15.5


def test_a_short_training_lifts_voices_and_tones_out_of_noise(trained: Path) -> None:
    gains = []
    for example in validation_speech():
        mix = example.sum(axis=0).T
        voice = separate_array(mix, RATE, trained)[:, 0, 0]
        gains.append(snr(voice, example[0, 0]) - snr(mix[:, 0], example[0, 0]))
    assert np.median(gains) > 1
    rng, time = np.random.default_rng(0), np.arange(2 * RATE) / RATE
    tone = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 8))
    assert isinstance(tone, np.ndarray)
    noise = rng.standard_normal(len(tone)) * tone.std()
    sound = (0.1 * (tone + noise)).astype(np.float32)[:, None]
    assert snr(separate_array(sound, RATE, trained)[:, 0, 0], 0.1 * tone) > snr(sound[:, 0], 0.1 * tone) + 0.5


def noisy_tones(
    rng: np.random.Generator, decibels: float, count: int = 8, frames: int = 8192
) -> npt.NDArray[np.float32]:
    """``(count, 2, 1, frames)``: tones of seven harmonics, and white noise that far below them."""
    time, order = np.arange(frames) / RATE, np.arange(1, 8)[:, None]
    hertz, phase = rng.uniform(120, 300, (count, 1, 1)), rng.uniform(0, 2 * np.pi, (count, 1, 1))
    tones = (0.1 / order * np.sin(order * (2 * np.pi * hertz * time + phase))).sum(axis=1)
    noise = rng.standard_normal(tones.shape) * tones.std() * 10 ** (-decibels / 20)
    return np.stack([tones, noise], axis=1)[:, :, None].astype(np.float32)


def test_a_short_training_on_noisy_tones_improves_unseen_ones_at_5_and_10_db(tmp_path: Path) -> None:
    """FUT-01: where the input is good already, too."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    recipe, steps, rng = read_recipe("denoiser").tiny(), 150, np.random.default_rng(0)
    network = make_network(recipe.network)
    trainer = SeparatorTrainer(
        recipe, network, [], tmp_path / "run", Budget(steps=steps), intervals=Intervals(1e9, 1e9, 1e9)
    )
    for _ in range(steps):
        trainer.step(torch.from_numpy(noisy_tones(rng, rng.uniform(0, 15))))
    export_separator(trainer.network, tmp_path / "model", name="tones")
    for decibels in (5.0, 10.0):
        voice, noise = noisy_tones(np.random.default_rng(1), decibels, 1, 2 * RATE)[0]
        heard = separate_array((voice + noise).T, RATE, tmp_path / "model")[:, 0, 0]
        start = RATE // 4  # the states begin empty
        assert snr((voice + noise)[0, start:], voice[0, start:]) == pytest.approx(decibels, abs=0.2)
        assert snr(heard[start:], voice[0, start:]) > decibels + 2


def test_it_plays_live_as_two_strips_that_sum_to_the_input(trained: Path, tmp_path: Path) -> None:
    sound = validation_speech(1)[0].sum(axis=0).T
    soundfile.write(tmp_path / "noisy.wav", sound, RATE, subtype="FLOAT")
    out = tmp_path / "out.wav"
    files = ["--input", str(tmp_path / "noisy.wav"), "--output", str(out), "--model", str(trained)]
    done = subprocess.run(
        [sys.executable, "-m", "rtaudio", "live", "--json", "--full-speed", *files],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    written, rate = soundfile.read(out, dtype="float32", always_2d=True)
    delay = facts["latency_samples"]
    assert rate == RATE and facts["misses"] == 0
    assert np.abs(written[delay : delay + len(sound), :1] - sound).max() < 1e-6


def test_evaluate_knows_an_enhancers_examples(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(trained), "--tiny"]) == 0
    assert "voice" in capsys.readouterr().out
    assert main(["evaluate", str(trained), "--split", "test"]) == 2


def batches_of(source: SyntheticSpeech | MixedSpeech) -> Iterator[npt.NDArray[np.float32]]:
    yield from (source.batch(number) for number in (0, 1, 0))


def test_batches_are_pure_functions_of_their_number(store: Path) -> None:
    for source in (SyntheticSpeech(CONFIG, 256, 0), MixedSpeech(store, CONFIG, 256, 0)):
        first, second, again = batches_of(source)
        assert first.shape == (3, 2, 1, 7936)
        assert np.array_equal(first, again) and not np.array_equal(first, second)
        assert np.isfinite(first).all() and first.std(axis=-1).min() > 1e-5


def test_the_noise_is_as_loud_as_drawn() -> None:
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(200):
        stems = mixed(rng, rng.standard_normal(4000), 5 * rng.standard_normal(4000))
        ratios.append(10 * np.log10(np.mean(stems[0] ** 2) / np.mean(stems[1] ** 2)))
    assert SNR_DB[0] - 1e-3 < min(ratios) < SNR_DB[0] + 2 and SNR_DB[1] - 2 < max(ratios) < SNR_DB[1] + 1e-3


def test_prepared_voices_are_split_between_training_and_validation(store: Path) -> None:
    recipe = replace(read_recipe("denoiser"), mixing=CONFIG)
    assert isinstance(batch_source(recipe, store, 0), MixedSpeech)
    assert len(validation_set(recipe, store)) == 32
    with pytest.raises(StemplayError, match="no voices"):
        batch_source(recipe, store / "nothing", 0)


def test_what_has_no_data_is_one_sentence() -> None:
    odd = Recipe.from_dict({"name": "x", "network": {"sources": ["voice", "noise"]}, "data": "synthetic"})
    with pytest.raises(StemplayError, match="no data for 2 channels of voice, noise at 44100 Hz"):
        batch_source(odd, Path(), 0)


def test_a_separator_is_no_enhancer(tmp_path: Path) -> None:
    config = replace(read_recipe("denoiser").network.tiny(), sources=("a", "b"))  # type: ignore[type-var]
    assert export_separator(make_network(config), tmp_path, name="x").kind == "separator"

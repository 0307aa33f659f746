"""Denoisers side by side: the scores, the delays, the methods of other packages, and the command."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rtaudio.audio.format import StemplayError
from training.cli import main
from training.commands.denoisers import synthetic_clips
from training.data.speech import RATE
from training.metrics.simple import projection_scores
from training.separation.denoisers import MOST_DELAY, Mono, delay_of, dtln_method, peers, rnnoise_method, score_denoiser


def later(samples: int, gain: float = 0.5):
    def run(mix: Mono) -> Mono:
        return gain * np.concatenate([np.zeros(samples, np.float32), mix])[: len(mix)]

    return run


@pytest.mark.parametrize("samples", [0, 160, 400])
def test_a_method_is_scored_without_its_delay(samples: int) -> None:
    clips = synthetic_clips()[:2]
    assert delay_of(later(samples), clips) == samples
    rows = score_denoiser(later(samples), clips, samples)
    for row, clip in zip(rows, clips, strict=True):
        sources = clip.stems[:, 0, RATE // 2 :]
        assert row.si_sdr == pytest.approx(projection_scores(sources.sum(axis=0), sources, 0).sdr, abs=0.01)
        assert 0 < row.stoi < 1
    perfect = {clip.stems.sum(axis=0)[0].tobytes(): clip.stems[0, 0] for clip in clips}
    rows = score_denoiser(lambda mix: np.concatenate([perfect[mix[:-MOST_DELAY].tobytes()], mix[-MOST_DELAY:]]), clips)
    assert all(row.si_sdr > 60 and row.stoi > 0.99 for row in rows)


def test_a_method_that_gives_nonsense_is_one_sentence() -> None:
    with pytest.raises(StemplayError, match="not numbers"):
        score_denoiser(lambda mix: mix * np.float32("nan"), synthetic_clips()[:1])


@pytest.mark.parametrize("make", [rnnoise_method, dtln_method])
def test_denoisers_of_other_packages_remove_noise(make) -> None:
    method = make()
    if method is None:
        pytest.skip("the package is not installed")
    hiss = (0.05 * np.random.default_rng(0).standard_normal(3 * RATE)).astype(np.float32)
    out = method(hiss)
    assert out[2 * RATE :].std() < 0.2 * hiss.std()
    clips = synthetic_clips()
    assert 0 < delay_of(method, clips[:2]) < MOST_DELAY


def test_the_command_prints_a_table_and_the_clips(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["denoisers", "--tiny"]) == 0
    printed = capsys.readouterr().out
    assert (
        "| noisy input |" in printed
        and "| denoise-voice |" in printed
        and "denoise-voice against noisy input:" in printed
    )
    assert all(f"| {name} |" in printed for name in peers())
    assert main(["denoisers", "--tiny", "--no-peers", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert set(rows) == {"noisy input", "denoise-voice"} and len(rows["denoise-voice"]) == 4
    gains = [new["si_sdr"] - old["si_sdr"] for new, old in zip(rows["denoise-voice"], rows["noisy input"], strict=True)]
    assert np.mean(gains) > 0.5
    assert main(["denoisers", "demucs-open", "--tiny"]) == 2
    assert "no denoiser of one channel" in capsys.readouterr().err


def test_without_data_it_is_one_sentence(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["denoisers", "--store", str(tmp_path)]) == 2
    assert "There are no voices" in capsys.readouterr().err

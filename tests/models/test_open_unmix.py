"""The spectrogram baseline (BSE-07): its size, its transform, masks that share the mix, and that it overfits one song."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.open_unmix import OpenUnmix, OpenUnmixConfig, Spectrum
from rtaudio.inference.runtime import ModelRuntime
from training.data.synthetic import synthetic_song
from training.export.separator import export_separator

TINY = OpenUnmixConfig().tiny()


def test_it_is_as_large_as_the_original() -> None:
    with torch.device("meta"):
        weights = sum(weight.numel() for weight in OpenUnmix().parameters())
    assert abs(weights * 4 / 2**20 - 136) < 1


@pytest.mark.parametrize("time", [100, 1024, 5001])
def test_the_transform_by_matrices_is_torchs_and_inverts(time: int) -> None:
    spectrum, x = Spectrum(512, 128), torch.randn(3, time)
    plain = spectrum(x)
    spectrum.matrices = True
    for ours, torchs in zip(spectrum(x), plain, strict=True):
        torch.testing.assert_close(ours, torchs, atol=2e-4, rtol=0)
    for matrices in (True, False):
        spectrum.matrices = matrices
        torch.testing.assert_close(spectrum.inverse(*plain, time), x, atol=1e-5, rtol=0)


def test_stems_sum_to_the_mix_by_the_ratio_of_powers() -> None:
    torch.manual_seed(0)
    mix = 0.1 * torch.randn(2, 2, 6000)
    with torch.no_grad():
        stems = OpenUnmix(TINY)(mix)
        claims = OpenUnmix(replace(TINY, wiener=False))(mix)
    torch.testing.assert_close(stems.sum(dim=1), mix, atol=1e-5, rtol=0)
    assert (claims.sum(dim=1) - mix).abs().max() > 0.01


def test_it_overfits_one_song() -> None:
    torch.manual_seed(0)
    song = torch.from_numpy(synthetic_song(3, 11_025))[None]
    net, mix = OpenUnmix(TINY), song.sum(dim=1)
    optimizer = torch.optim.Adam(net.parameters(), 5e-3)

    def sdr() -> float:
        with torch.no_grad():
            return float(10 * torch.log10(song.square().sum() / (net(mix) - song).square().sum()))

    before = sdr()
    for _ in range(20):
        loss = (net(mix) - song).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert sdr() > before + 5


def test_it_is_exported_as_a_chunk(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = OpenUnmix(TINY).eval()
    card = export_separator(net, tmp_path, name="masks", chunk=6000)
    assert (card.hop, card.states) == (6000, ())
    mix = (0.1 * np.random.default_rng(0).standard_normal((6000, 2))).astype(np.float32)
    with torch.no_grad():
        expected = net(torch.from_numpy(mix.T.copy())[None])[0].permute(2, 0, 1).numpy()
    assert np.abs(ModelRuntime(tmp_path).run(mix) - expected).max() < 1e-4
    assert not net.spectrum.matrices

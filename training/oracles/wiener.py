"""The multichannel Wiener filter (BSE-03) of the ``openunmix`` package: masks that also use a source's position in the stereo field."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from rtaudio.audio.format import StemplayError
from training.data.store import Stems
from training.oracles.stft import signal, spectra


@cache
def _filtering() -> ModuleType:
    """``openunmix.filtering`` without the rest of the package, which needs torchaudio (not available for CPUs)."""
    package = importlib.util.find_spec("openunmix")
    if package is None or not package.submodule_search_locations:
        raise StemplayError("The Wiener filter needs openunmix: pip install --no-deps openunmix.")
    path = Path(package.submodule_search_locations[0]) / "filtering.py"
    spec = importlib.util.spec_from_file_location("openunmix_filtering", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wiener(magnitudes: Tensor, mix: Tensor, iterations: int = 1) -> Tensor:
    """Post-filter estimated magnitudes so that the estimates sum to the mixture.

    Args:
        magnitudes: ``(sources, channels, bins, frames)``, not negative.
        mix: complex ``(channels, bins, frames)``.
        iterations: number of expectation-maximisation steps on the spatial covariances; 0 is the mask of magnitude ratios.

    Returns:
        Complex, shaped like ``magnitudes``.
    """
    # In float32 the library's inverse of a 2 x 2 matrix fails on sources that are panned but otherwise mono.
    estimates = _filtering().wiener(
        magnitudes.permute(3, 2, 1, 0).double().contiguous(),
        torch.view_as_real(mix.permute(2, 1, 0).to(torch.complex128).contiguous()),
        iterations,
        softmask=True,
    )
    # (frames, bins, channels, 2, sources)
    found = torch.view_as_complex(estimates.movedim(3, -1).contiguous()).permute(3, 2, 1, 0)
    # The remainder from the library's regularisation is shared equally.
    return (found + (mix - found.sum(dim=0)) / len(found)).to(mix.dtype)


def oracle_wiener(stems: Stems, iterations: int = 1, seconds: float = 20.0) -> Stems:
    """The filter with the true magnitudes, in pieces of ``seconds``, because covariances of a whole song do not fit into memory."""
    mix = stems.sum(axis=0)
    magnitudes, mixture = spectra(stems).abs(), spectra(mix)
    step = max(1, int(seconds * 44_100 / 1024))
    pieces = [
        wiener(magnitudes[..., start : start + step], mixture[..., start : start + step], iterations)
        for start in range(0, mixture.shape[-1], step)
    ]
    return signal(torch.cat(pieces, dim=-1), mix.shape[-1])

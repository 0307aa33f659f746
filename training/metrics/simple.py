"""Scores that need no library, and the mixture-consistent output that the engine plays.

Shape:
    numpy arrays or torch tensors ``(..., sources, channels, time)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

ACTIVE_POWER = 1e-6
"""Mean square below which a reference counts as silent and has no score (-60 dB full scale)."""


def make_consistent(stems: Tensor, mix: Tensor) -> Tensor:
    """Share the residual equally among the stems, so that they sum to ``mix (..., channels, time)``."""
    residual = mix - stems.sum(dim=-3)
    return stems + (residual / stems.shape[-3]).unsqueeze(-3)


def global_sdr(estimate: Tensor, reference: Tensor) -> Tensor:
    """``10 log10(sum s^2 / sum (s - e)^2)`` over channels and time: ``(..., channels, time)`` -> ``(...)`` dB.

    NaN where the reference is silent; a perfect estimate gives a large finite number (about 200 dB).
    """
    signal = reference.double().square().sum(dim=(-2, -1))
    error = (reference.double() - estimate.double()).square().sum(dim=(-2, -1))
    ratio = 10 * torch.log10(signal.clamp_min(1e-20) / error.clamp_min(1e-20 * signal.clamp_min(1e-20)))
    count = reference.shape[-1] * reference.shape[-2]
    return torch.where(signal / count > ACTIVE_POWER, ratio, torch.nan)


def with_accompaniment(stems: Tensor) -> Tensor:
    """Append the sum of all sources but the last (vocals) as a further source."""
    return torch.cat([stems, stems[..., :-1, :, :].sum(dim=-3, keepdim=True)], dim=-3)


def frame_sdr(estimate: Tensor, reference: Tensor, frame: int = 44_100) -> Tensor:
    """Median of the SDR over frames of ``frame`` samples, without silent frames (EQ-MUS-2): ``(...)`` dB.

    The incomplete last frame does not count. This *is* museval's SDR: its SDR of images has no distortion filter
    (``tests/training/metrics/test_museval.py``). Only silence differs: museval drops a frame for all sources if one is all zero.
    """
    count = reference.shape[-1] // frame

    def framed(x: Tensor) -> Tensor:
        return x[..., : count * frame].unflatten(-1, (count, frame)).transpose(-3, -2)

    scores = global_sdr(framed(estimate), framed(reference))
    return torch.from_numpy(np.asarray(_nanmedian(scores.numpy())))


def _nanmedian(scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Median over the last axis without NaN. Unlike torch's, it is the mean of the middle two. NaN if no value is left."""
    silent = np.isnan(scores).all(axis=-1)
    return np.where(silent, np.nan, np.nanmedian(np.where(silent[..., None], 0.0, scores), axis=-1))


@dataclass(frozen=True)
class Invariants:
    """SDR, SIR and SAR in dB (EQ-MUS-1)."""

    sdr: float
    sir: float
    sar: float


def projection_scores(estimate: npt.NDArray[Any], sources: npt.NDArray[Any], target: int) -> Invariants:
    """Scores that do not depend on the estimate's scale, by orthogonal projections (EQ-MUS-1, section A.2).

    Args:
        estimate: ``(time,)``.
        sources: ``(n_sources, time)``, linearly independent.
        target: index of the estimated source.

    Returns:
        The scores, infinite if their error is zero.
    """
    estimate, sources = np.asarray(estimate, np.float64), np.asarray(sources, np.float64)
    wanted = sources[target] * (estimate @ sources[target] / max(float(sources[target] @ sources[target]), 1e-300))
    weights = np.linalg.lstsq(sources @ sources.T, sources @ estimate, rcond=None)[0]
    explained = weights @ sources
    interference, artefacts = explained - wanted, estimate - explained
    return Invariants(
        sdr=_ratio_db(wanted, interference + artefacts),
        sir=_ratio_db(wanted, interference),
        sar=_ratio_db(explained, artefacts),
    )


def _ratio_db(signal: npt.NDArray[Any], error: npt.NDArray[Any]) -> float:
    """``10 log10`` of the power ratio. Errors at rounding level count as zero."""
    power, lost = float(signal @ signal), float(error @ error)
    if lost <= 1e-24 * power:
        return float("inf")
    return float(10 * np.log10(power / lost)) if power else float("-inf")

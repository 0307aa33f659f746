"""Randomized equivariant stabilization and the equivariance meter (thesis section 3.4.4, EQ-DMX-7, errata 34)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Separator = Callable[[Tensor], Tensor]
"""``(batch, channels, time)`` -> ``(batch, sources, channels, time)``, any length."""

MAX_SHIFT = 22_050


@torch.no_grad()
def stabilized(
    model: Separator,
    mix: Tensor,
    n_shifts: int = 10,
    max_shift: int = MAX_SHIFT,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Average of ``n_shifts`` separations of randomly delayed copies, each delayed back (RES; test time only, cost x n).

    Shifts are drawn uniformly from ``0 <= d < max_shift`` samples, without replacement; ``n_shifts = 0`` is the plain model.

    Raises:
        ValueError: more shifts than there are offsets.
    """
    if n_shifts == 0:
        return model(mix)
    if not 0 < n_shifts <= max_shift:
        raise ValueError(f"{n_shifts} shifts cannot be drawn from {max_shift} offsets without replacement")
    offsets = torch.randperm(max_shift, generator=generator)[:n_shifts].tolist()
    total: Tensor | None = None
    for offset in offsets:
        stems = model(F.pad(mix, (offset, max_shift - offset)))[..., offset : offset + mix.shape[-1]]
        total = stems if total is None else total + stems
    assert total is not None
    return total / n_shifts


@torch.no_grad()
def equivariance_error(model: Separator, mix: Tensor, shift: int, border: int) -> float:
    """Relative error between ``model(shift x)`` and ``shift(model x)``, ``border`` samples away from both ends (DMX-16)."""
    reference = model(F.pad(mix, (0, shift)))[..., : mix.shape[-1]]
    shifted = model(F.pad(mix, (shift, 0)))[..., shift:]
    inner = slice(border, mix.shape[-1] - border)
    difference = shifted[..., inner] - reference[..., inner]
    return float(difference.norm() / reference[..., inner].norm())

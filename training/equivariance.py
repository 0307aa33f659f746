"""How a separator answers to shifts in time (section 3.4.4): the meter (DMX-16) and randomised stabilisation (DMX-15).

A Demucs is equivariant only to shifts by multiples of its hop; averaging over random shifts makes it nearly so for all.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Separator = Callable[[Tensor], Tensor]
"""``(batch, channels, time)`` -> ``(batch, sources, channels, time)``."""


def shifted(separator: Separator, mix: Tensor, shift: int) -> Tensor:
    """Delay ``mix`` by ``shift`` samples, separate, and undo the delay."""
    return separator(F.pad(mix, (shift, 0)))[..., shift:]


@torch.no_grad()
def stabilised(separator: Separator, mix: Tensor, n: int = 10, *, seed: int = 0, max_shift: int = 22_050) -> Tensor:
    """Mean of ``n`` separations under random delays of 0 to ``max_shift - 1`` samples (EQ-DMX-7). Costs ``n`` times as much.

    Offline only: a live player cannot delay its input at random. ``n = 0`` is the plain output.
    """
    if n == 0:
        return separator(mix)
    shifts = torch.randint(max_shift, (n,), generator=torch.Generator().manual_seed(seed)).tolist()
    total = shifted(separator, mix, shifts[0])
    for shift in shifts[1:]:
        total = total + shifted(separator, mix, shift)
    return total / n


@torch.no_grad()
def equivariance_error(separator: Separator, mix: Tensor, shift: int, border: int = 0) -> float:
    """Relative error (ratio of norms) between separating the delayed mix and delaying the separated one.

    ``border`` samples at both ends are left out: there the zeros of the delay differ from what was before.
    """
    plain = separator(mix)
    stop = plain.shape[-1] - border
    error = (shifted(separator, mix, shift) - plain)[..., border:stop]
    return float(error.norm() / plain[..., border:stop].norm().clamp_min(1e-12))

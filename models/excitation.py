"""A comb of harmonics in frequency bands: what SING's decoder shapes, so that no note depends on phases learned by heart.

The thesis' decoder makes a note from windowed frames, 62.5 a second, and the LSTM must turn the phase of every partial on from frame
to frame (section 2.4.2). Where it does not, a partial stands still: it sounds at a multiple of 62.5 Hz, off pitch, and beats with what
is right (the restarts and the buzz of section 2.3.2). The key's frequency is known, so are its harmonics' phases at each frame: here
they are, spread over fixed frequency bands. The network gives each band a complex gain, which says how loud and how far from the
comb's phase, and need not change within a steady note. (A source and a filter, as in vocoders since Dudley, in the frames of SING.)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LEVEL = 0.1
"""Amplitude of a band's sinusoid at a gain of 1: keeps gains near the size of other activations."""


def harmonic_excitation(cycles: Tensor, moment: Tensor, bands: int, most: float) -> Tensor:
    """Phases of a fundamental's harmonics at a moment, in bands of equal width: ``(..., 2 * bands)``, cosines, then sines.

    A harmonic between the centres of two bands is in both, by its nearness. Bands far from any harmonic are 0. A band must be narrow
    enough that the lowest fundamental has at most two harmonics in reach of its centre.

    Args:
        cycles: of the fundamental in one time step, ``(...,)``.
        moment: time step, not always whole, at which the phase is wanted; broadcast against ``cycles``. All phases are 0 at 0.
        most: cycles a time step of half the sample rate; band ``b`` (from 1) has its centre at ``b * most / bands``.
    """
    spacing = most / bands
    centres = torch.arange(1, bands + 1, dtype=cycles.dtype, device=cycles.device) * spacing
    turns = cycles * moment
    turns = (turns - torch.floor(turns))[..., None]
    cycles = cycles[..., None]
    below = torch.floor(centres / cycles)
    parts = []
    for number in (below, below + 1):
        frequency = number * cycles
        audible = ((number >= 1) & (frequency < most)).to(cycles.dtype)
        share = F.relu(1 - (frequency - centres).abs() / spacing) * audible
        angle = turns * number
        angle = 2 * torch.pi * (angle - torch.floor(angle))
        parts.append(torch.cat([share * torch.cos(angle), share * torch.sin(angle)], dim=-1))
    return parts[0] + parts[1]


def shaped(gain: Tensor, excitation: Tensor) -> Tensor:
    """Complex product band by band; both and the result ``(..., 2 * bands)``, real parts first."""
    (gain_re, gain_im), (re, im) = gain.chunk(2, dim=-1), excitation.chunk(2, dim=-1)
    return torch.cat([gain_re * re - gain_im * im, gain_re * im + gain_im * re], dim=-1)


def band_basis(bands: int, kernel: int) -> Tensor:
    """What each band sounds like in a frame: sinusoids of its centre around the middle of the frame, ``(2 * bands, kernel)``.

    ``shaped(...) @ band_basis(...)`` is the real part of each band's complex value times its rotating phasor. Before any window.
    """
    time = torch.arange(kernel, dtype=torch.float64) - kernel / 2
    frequency = torch.arange(1, bands + 1, dtype=torch.float64) / (2 * bands)
    angle = 2 * torch.pi * frequency[:, None] * time
    return (LEVEL * torch.cat([torch.cos(angle), -torch.sin(angle)])).float()

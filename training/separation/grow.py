"""Initialises a larger causal Demucs, or a hybrid with one, from a smaller one: wider, or a level deeper. Masks become a hybrid.

Widening keeps the function (Net2Net, Chen et al. 2016): every channel of the larger network is a copy of a channel of the smaller one.
Layers whose input has copies divide their weight among the copies, unequally, so that these learn different things. A new innermost
level starts at random, and so does the recurrent part, which now works at another rate. If the old LSTM stays at its level
(``outer_lstm``), the output of the new level starts at zero, and the function stays the same here, too.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from models.demucs import CausalDemucs, CausalDemucsConfig
from models.hybrid import HybridDemucs, HybridDemucsConfig
from models.masks import CausalMasks, CausalMasksConfig
from rtaudio.audio.format import StemplayError


def grow(small: CausalDemucs, config: CausalDemucsConfig, seed: int = 0) -> CausalDemucs:
    """A network of the sizes of ``config`` that starts from the weights of ``small``.

    With equal depths, or with ``small``'s LSTM as its outer one, its output equals that of ``small`` up to rounding.

    Raises:
        StemplayError: a level of ``config`` is smaller, or it differs in more than width and depth.
    """
    _check(small, config)
    large = CausalDemucs(config)
    copies = _Copies(small, large, seed)
    state = large.state_dict()
    outer = config.outer_lstm and not small.config.outer_lstm
    for name, weight in small.state_dict().items():
        if "lstm." not in name:
            state[name] = copies.convolution(weight, name)
        elif outer:
            state[f"outer_{name}"] = copies.recurrent(weight, name)
        elif small.config.depth == config.depth:
            state[name] = copies.recurrent(weight, name)
    if outer:
        for kind in ("weight", "bias"):
            state[f"decoder.{config.depth - 1}.up.{kind}"].zero_()
    large.load_state_dict(state)
    return large.eval()


def grow_hybrid(small: HybridDemucs, config: HybridDemucsConfig, seed: int = 0) -> HybridDemucs:
    """A hybrid of the sizes of ``config`` whose waveform branch is grown from that of ``small`` and whose masks are the same.

    Masks of one frame per call may become masks of several. The new weights between frames start at zero.

    Raises:
        StemplayError: as in ``grow``, or the masks differ in more.
    """
    if replace(small.config.masks, call_frames=config.call_frames) != config.masks:
        raise StemplayError("The masks of a hybrid cannot grow, except in the frames per call.")
    if small.config.call_frames not in (1, config.call_frames):
        raise StemplayError("Masks of several frames per call must keep that number.")
    large = HybridDemucs(config)
    waves = grow(small.waves, config.waves, seed)
    large.waves.load_state_dict(waves.state_dict())
    large.masks.load_state_dict({**large.masks.state_dict(), **small.masks.state_dict()})
    width = small.link.out_features
    with torch.no_grad():
        large.link.weight.copy_(small.link.weight[torch.arange(large.link.out_features) % width])
    return large.eval()


def grow_masks(small: CausalMasks, config: CausalMasksConfig) -> CausalMasks:
    """The masks ``small``, which may also see running means from now on; the weights of these start at zero.

    Raises:
        StemplayError: they differ in more.
    """
    if small.config == config:
        return small
    if small.config.means or replace(small.config, means=config.means) != config:
        raise StemplayError("Masks cannot grow, except in running means: those of the larger network must have the same sizes.")
    large = CausalMasks(config)
    state, views = large.state_dict(), small.config.views
    with torch.no_grad():
        for name, weight in small.state_dict().items():
            if state[name].shape == weight.shape:
                state[name].copy_(weight)
                continue
            state[name].zero_()
            if name.startswith("local"):  # five bands, all views of each
                state[name].unflatten(1, (5, -1))[..., :views].copy_(weight.unflatten(1, (5, views)))
            else:
                state[name][:, : weight.shape[1]].copy_(weight)
    large.load_state_dict(state)
    return large.eval()


def hybrid_of_masks(small: CausalMasks, config: HybridDemucsConfig) -> HybridDemucs:
    """A hybrid of the sizes of ``config`` with finished masks; its waveform branch starts at random and is silent at first.

    Raises:
        StemplayError: as in ``grow_masks``.
    """
    large = HybridDemucs(config)
    large.masks.load_state_dict(grow_masks(small, config.masks).state_dict())
    with torch.no_grad():
        for weight in large.waves.decoder[0].up.parameters():
            weight.zero_()
    return large.eval()


def _check(small: CausalDemucs, config: CausalDemucsConfig) -> None:
    sizes = {name: getattr(config, name) for name in ("channels", "depth", "max_channels", "outer_lstm")}
    if replace(small.config, **sizes) != config:
        raise StemplayError("A network can grow in channels and depth only; everything else must be as in its recipe.")
    narrower = any(new < old for new, old in zip(config.widths, small.config.widths, strict=False))
    if narrower or config.depth < small.config.depth:
        raise StemplayError("A network can only grow: no level may become narrower or be removed.")
    if small.config.outer_lstm and (not config.outer_lstm or config.depth > small.config.depth):
        raise StemplayError("A network with two LSTMs must keep their levels.")
    if config.outer_lstm and not small.config.outer_lstm and config.depth != small.config.depth + 1:
        raise StemplayError("A second LSTM needs exactly one more level.")


class _Copies:
    """Maps each channel of the larger network to the channel of the smaller one that it copies, and transforms weights accordingly."""

    def __init__(self, small: CausalDemucs, large: CausalDemucs, seed: int) -> None:
        self.random = torch.Generator().manual_seed(seed)
        self.sound, self.stems = torch.arange(small.config.audio_channels), torch.arange(small.config.n_outputs)
        widths = zip(small.config.widths[1:], large.config.widths[1:], strict=False)
        self.levels = [torch.arange(new) % old for old, new in widths]

    def convolution(self, weight: Tensor, name: str) -> Tensor:
        """A tensor of an encoder or decoder block."""
        part, number, layer, kind = name.split(".")
        level = int(number)
        inner = self.levels[level]
        outer = self.levels[level - 1] if level else (self.sound if part == "encoder" else self.stems)
        if layer == "up":  # (in, out, kernel)
            return weight[outer] if kind == "bias" else self._divided(weight[:, outer], inner, 0)
        strided = part == "encoder" and layer == "conv"
        rows = inner if strided else _blocks(inner, len(weight))
        return weight[rows] if kind == "bias" else self._divided(weight[rows], outer if strided else inner, 1)

    def recurrent(self, weight: Tensor, name: str) -> Tensor:
        """A tensor of an LSTM, whose rows are four gates. Its level is the innermost common one, except for the outer LSTM."""
        copies = self.levels[-2] if name.startswith("outer_") else self.levels[-1]
        rows = _blocks(copies, len(weight))
        return weight[rows] if "bias" in name else self._divided(weight[rows], copies, 1)

    def _divided(self, weight: Tensor, copies: Tensor, dim: int) -> Tensor:
        """``weight`` for inputs ``copies`` along ``dim``. The shares of a channel's copies sum to one and are random for every output."""
        grown = weight.index_select(dim, copies)
        shape = [grown.shape[0], grown.shape[1]]
        shares = 0.5 + torch.rand(shape, generator=self.random)
        total = torch.zeros([len(weight) if i == 0 else weight.shape[1] for i in range(2)])
        total = total.index_add(dim, copies, shares)
        shares = shares / total.index_select(dim, copies)
        return grown * shares.reshape(*shape, *[1] * (grown.ndim - 2))


def _blocks(copies: Tensor, rows: int) -> Tensor:
    """``copies`` repeated for each block of ``rows``: the two halves of a GLU, the four gates of an LSTM."""
    old = int(copies.max()) + 1
    return torch.cat([copies + old * block for block in range(rows // old)])

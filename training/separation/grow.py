"""Initialises a larger causal Demucs, or a hybrid with one, from a smaller one: wider, or a level deeper.

Widening keeps the function (Net2Net, Chen et al. 2016): every channel of the larger network is a copy of one of the smaller, and
whatever listens to copies divides its weight among them, unequally, so that they learn different things. A new innermost level begins
at random, and with it the recurrent part, which now works at another rate. Unless the old LSTM stays where it was (``outer_lstm``):
then the new level begins by saying nothing, and again nothing changes.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from models.demucs import CausalDemucs, CausalDemucsConfig
from models.hybrid import HybridDemucs, HybridDemucsConfig
from rtaudio.audio.format import StemplayError


def grow(small: CausalDemucs, config: CausalDemucsConfig, seed: int = 0) -> CausalDemucs:
    """A network of the sizes of ``config`` that begins with what ``small`` learned.

    With equal depths, or with ``small``'s LSTM as its outer one, it gives what ``small`` gives, to rounding.

    Raises:
        StemplayError: ``config`` is smaller somewhere, or differs in more than width and depth.
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
    """A hybrid of the sizes of ``config`` whose waveforms grew from those of ``small`` and whose masks are its masks.

    Masks of one frame a call may become masks of several: what the first of these hear of the last begins at nothing.

    Raises:
        StemplayError: as ``grow``, or the masks differ in more.
    """
    if replace(small.config.masks, call_frames=config.call_frames) != config.masks:
        raise StemplayError("The masks of a hybrid do not grow, but for the frames of a call.")
    if small.config.call_frames not in (1, config.call_frames):
        raise StemplayError("Masks of several frames a call stay so.")
    large = HybridDemucs(config)
    waves = grow(small.waves, config.waves, seed)
    large.waves.load_state_dict(waves.state_dict())
    large.masks.load_state_dict({**large.masks.state_dict(), **small.masks.state_dict()})
    width = small.link.out_features
    with torch.no_grad():
        large.link.weight.copy_(small.link.weight[torch.arange(large.link.out_features) % width])
    return large.eval()


def _check(small: CausalDemucs, config: CausalDemucsConfig) -> None:
    sizes = {name: getattr(config, name) for name in ("channels", "depth", "max_channels", "outer_lstm")}
    if replace(small.config, **sizes) != config:
        raise StemplayError("A network can grow in channels and depth only; all else has to be as in its recipe.")
    narrower = any(new < old for new, old in zip(config.widths, small.config.widths, strict=False))
    if narrower or config.depth < small.config.depth:
        raise StemplayError("A network can only grow: no level may become narrower and none may go.")
    if small.config.outer_lstm and (not config.outer_lstm or config.depth > small.config.depth):
        raise StemplayError("A network with two LSTMs keeps them where they are.")
    if config.outer_lstm and not small.config.outer_lstm and config.depth != small.config.depth + 1:
        raise StemplayError("A second LSTM comes with one level more.")


class _Copies:
    """Which channel of the smaller network each channel of the larger one is a copy of, and what follows for the weights."""

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
        """A tensor of an LSTM, whose rows are four gates; its level is the innermost that both networks have, but for the outer one."""
        copies = self.levels[-2] if name.startswith("outer_") else self.levels[-1]
        rows = _blocks(copies, len(weight))
        return weight[rows] if "bias" in name else self._divided(weight[rows], copies, 1)

    def _divided(self, weight: Tensor, copies: Tensor, dim: int) -> Tensor:
        """``weight`` listening to ``copies`` along ``dim``: shares of a channel's copies sum to one, drawn for every listener."""
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

"""Builds a processor from a model. Its parts are listed in the order in which sound passes through them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rtaudio.audio.format import Audio
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.processors.base import Processor
from rtaudio.processors.chunked import ChunkedModel
from rtaudio.processors.frame_model import CausalModel, FrameModel, InBackground
from rtaudio.processors.passthrough import Passthrough
from rtaudio.processors.refine import SHARE, Refined, window_size
from rtaudio.processors.separator import SeparatorProcessor
from rtaudio.processors.silence_skip import SilenceSkipper
from rtaudio.processors.staggered import StaggeredModel

SONG_HOP = 1024
"""Smallest distance in samples of two sets of filters for files: faster than a set for every hop, and better on validation songs."""

Model = str | Path | ModelRuntime | FrameModel
"""A name in the zoo, a directory, a loaded model, or a frame model."""


def make_processor(model: str, consistent: bool = True, look_ahead_ms: float = 0.0) -> Processor:
    """Make a processor from a model's name; ``none`` is the pass-through. Raises StemplayError if there is no such model."""
    return Passthrough() if model == "none" else make_separator(model, consistent, look_ahead_ms=look_ahead_ms)


def make_separator(
    model: Model,
    consistent: bool = True,
    *,
    shares: Sequence[float] | Audio | None = None,
    look_ahead_ms: float = 0.0,
    for_files: bool = False,
    phases: int = 1,
) -> SeparatorProcessor:
    """Make a separator that takes blocks of any size at any rate.

    Args:
        consistent, shares: as in ``SeparatorProcessor``.
        look_ahead_ms: refine the stems with this look-ahead (``refine``), which adds as much latency; 0 for no refinement.
        for_files: refine with the longest look-ahead, if the model can be refined.
        phases: number of calls of a causal network for each hop (``staggered``); 1 for the network as it is.

    Raises:
        StemplayError: the model does not support these options.
    """
    network = make_frame_model(model, phases)  # frames in, frames of stems out, at the model's rate
    if for_files:
        network = refined_for_files(network)
    elif look_ahead_ms:
        network = refined_ms(network, look_ahead_ms)
    return SeparatorProcessor(network, consistent, shares)  # any block size, any rate, stems that sum to the mix


def make_frame_model(model: Model, phases: int = 1) -> FrameModel:
    """Make a frame model that rests in long silence (``silence``); a FrameModel is returned unchanged.

    A model without states is not causal: it works on overlapping chunks, in a thread of its own.
    """
    if isinstance(model, str | Path):
        model = ModelRuntime(model)
    if not isinstance(model, ModelRuntime):
        return model
    if phases > 1:
        return StaggeredModel(model, phases)
    if model.card.states:
        return SilenceSkipper(CausalModel(model))
    return InBackground(SilenceSkipper(ChunkedModel.from_runtime(model)))


def refined_ms(network: FrameModel, look_ahead_ms: float) -> FrameModel:
    """``network``, refined with this look-ahead. Raises StemplayError like ``Refined``."""
    return _resting(Refined(network, round(look_ahead_ms * network.rate / 1000), share=_share(network)))


def refined_for_files(network: FrameModel, share: float | None = None) -> FrameModel:
    """``network``, refined with the longest look-ahead; unchanged if it cannot be refined (overlapping chunks, enhancers).

    ``share``: replaces the one in the model's card.
    """
    if not getattr(network, "refinable", False):
        return network
    hops = max(1, SONG_HOP // network.hop)
    chosen = _share(network) if share is None else share
    return _resting(Refined(network, window_size(network.rate) // 2, hops=hops, share=chosen))


def _resting(refined: Refined) -> SilenceSkipper:
    """The wrapped network rests first. A few windows later all filters have become those of silence, so the whole can rest."""
    return SilenceSkipper(refined, settled=4 * window_size(refined.rate))


def _share(network: FrameModel) -> float | Sequence[float]:
    return getattr(network, "refining", ()) or SHARE

"""State dicts of the public ``demucs`` (versions 1 and 2) and ``denoiser`` packages as networks of ours.

Their layers are numbered in the order of their ``Sequential``, and the decoder starts at the innermost block; the tensors are the
same. Sizes are taken from the tensors. Rate, resampling and padding are parameters, since no tensor determines them. Nothing is
unpickled: a file that contains Python objects, such as a whole package of version 4, is refused.
"""

from __future__ import annotations

import itertools
import pickle
import re
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from models.aligned import AlignedDemucs, AlignedDemucsConfig
from models.demucs import Demucs, DemucsConfig
from rtaudio.audio.format import SOURCES, StemplayError

StateDict = dict[str, Tensor]
Network = TypeVar("Network", AlignedDemucs, Demucs)


def read_state_dict(path: Path) -> StateDict:
    """The tensors of a ``.th``/``.pt`` file (by ``weights_only``) or of safetensors.

    Raises:
        StemplayError: the file is missing, is not a dictionary of tensors, or contains Python objects.
    """
    if not path.is_file():
        raise StemplayError(f"There is no file {path}.")
    try:
        values: Any = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, SafetensorError) as error:
        raise StemplayError(
            f"{path} does not contain a plain state dict: save only the tensors, torch.save(network.state_dict(), FILE)."
        ) from error
    if isinstance(values, dict) and isinstance(values.get("state"), dict):
        values = values["state"]
    if not isinstance(values, dict) or not values or not all(isinstance(x, Tensor) for x in values.values()):
        raise StemplayError(f"{path} does not contain a state dict (tensors by name).")
    return {str(name): value.float() for name, value in values.items()}


def denoiser(state: StateDict, *, resample: int = 4, sample_rate: int = 16_000) -> AlignedDemucs:
    """A network of the ``denoiser`` package. Its output is the voice; the residual is the noise.

    Raises:
        StemplayError: the tensors belong to another network, or to a bidirectional one.
    """
    sizes = _sizes(state)
    if "lstm.linear.weight" in state:
        raise StemplayError("This denoiser is bidirectional: it cannot play live.")
    if sizes.pop("decoder_context") != 1:
        raise StemplayError("These are weights of demucs, not of a denoiser: its decoder has convolutions of kernel 1.")
    channels = sizes["audio_channels"]
    if state[f"decoder.{sizes['depth'] - 1}.2.weight"].shape[1] != channels:
        raise StemplayError("The numbers of input and output channels of this denoiser differ.")
    network = AlignedDemucs(
        AlignedDemucsConfig(**sizes, resample=resample, sample_rate=sample_rate, normalize=True, rescale=0.0)
    )
    return _filled(network, state, sizes["depth"])


def demucs(
    state: StateDict,
    *,
    resample: int = 2,
    sources: tuple[str, ...] = SOURCES,
    padded: bool = False,
    normalize: bool = True,
    sample_rate: int = 44_100,
) -> Demucs:
    """A network of the ``demucs`` package, version 1 or 2, or of the class ``Demucs`` of later versions without its newer layers.

    Args:
        resample: 2 for version 2, whose networks work at twice the rate; 1 for version 1.
        padded: the decoder's convolutions are padded, as in version 3 and later.
        normalize: normalise by the mean and deviation of the input, which the package does outside the network.

    Raises:
        StemplayError: the tensors belong to another network.
    """
    sizes = _sizes(state)
    outputs = state[f"decoder.{sizes['depth'] - 1}.{_second(state, 'decoder')}.weight"].shape[1]
    if outputs != len(sources) * sizes["audio_channels"]:
        raise StemplayError(f"These weights have {outputs} output channels, which does not fit the sources {', '.join(sources)}.")
    if sizes["lstm_layers"] and "lstm.linear.weight" not in state:
        raise StemplayError("These are weights of a denoiser, not of demucs: its LSTM has one direction.")
    config = DemucsConfig(
        **sizes, sources=sources, resample=resample, decoder_padding=padded, normalize=normalize,
        sample_rate=sample_rate, rescale=0.0,
    )  # fmt: skip
    return _filled(Demucs(config), state, sizes["depth"])


def _second(state: StateDict, part: str) -> str:
    """Index of a block's second convolution: 2, or 3 if the package has a norm in between."""
    return "3" if f"{part}.0.3.weight" in state else "2"


def _sizes(state: StateDict) -> dict[str, Any]:
    """The part of the configuration that follows from the shapes. The stride is half of the kernel, as in the packages."""
    try:
        depth = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("encoder."))
        first, mix = state["encoder.0.0.weight"], state[f"encoder.0.{_second(state, 'encoder')}.weight"]
        context = state["decoder.0.0.weight"]
        widths = [state[f"encoder.{i}.0.weight"].shape[0] for i in range(depth)]
    except (KeyError, ValueError, IndexError):
        raise StemplayError("These tensors are not those of a Demucs with 1x1 convolutions.") from None
    growth = widths[1] / widths[0] if depth > 1 else 2.0
    gate = {1: "relu", 2: "glu"}[mix.shape[0] // mix.shape[1]]
    capped = any(int(a * growth) != b for a, b in itertools.pairwise(widths))
    return {
        "channels": widths[0],
        "depth": depth,
        "kernel": first.shape[2],
        "stride": first.shape[2] // 2,
        "audio_channels": first.shape[1],
        "growth": growth,
        "max_channels": max(widths) if capped else None,
        "lstm_layers": sum(bool(re.fullmatch(r"lstm\.lstm\.weight_ih_l\d+", name)) for name in state),
        "encoder_activation": gate,
        "decoder_activation": gate,
        "decoder_context": context.shape[2],
    }


def _filled(network: Network, state: StateDict, depth: int) -> Network:
    names = {"encoder": ("mix", _second(state, "encoder")), "decoder": ("up", _second(state, "decoder"))}
    renamed = {}
    for name, value in state.items():
        part, *rest = name.split(".")
        if part in names and len(rest) == 3:
            second, place = names[part]
            block = int(rest[0]) if part == "encoder" else depth - 1 - int(rest[0])
            layer = {"0": "conv", place: second}.get(rest[1], rest[1])
            renamed[f"{part}.{block}.{layer}.{rest[2]}"] = value
        elif isinstance(network, Demucs):  # there the LSTM and its linear layer are siblings
            renamed[name.removeprefix("lstm.") if name.startswith(("lstm.lstm.", "lstm.linear.")) else name] = value
        else:
            renamed[name] = value
    try:
        network.load_state_dict(renamed)
    except RuntimeError as error:
        raise StemplayError(f"These tensors do not fit: {str(error).splitlines()[-1].strip()}") from error
    return network.eval()

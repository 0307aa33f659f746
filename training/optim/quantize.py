"""Weights with few bits (DMX-24): uniform steps with a scale for each output channel, packed without gaps.

A channel with largest magnitude ``s`` has steps ``f = 2 s / (2^bits - 1)``: ``q = round((w + s) / f)``, so no weight is off by more
than half a step. Vectors (biases, norms) stay float32: they are only a thousandth of the weights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save
from torch import Tensor

from models.network import SeparatorConfig
from models.registry import config_to_dict, kind_of
from rtaudio.audio.format import StemplayError
from training.data.store import write_atomic

SCALE = ".scale"
"""Suffix of a weight's name for its channels' scales."""
HEADER = "quantized"
"""The entry of a file's metadata that describes how its weights are packed."""
BITS = range(2, 9)


@dataclass(frozen=True)
class Packed:
    """A quantised tensor of ``shape``: ``codes`` are its numbers of ``bits`` bits, concatenated; ``scale`` is each row's largest weight."""

    codes: Tensor
    scale: Tensor
    shape: tuple[int, ...]
    bits: int


def quantize(weight: Tensor, bits: int) -> Packed:
    """``weight`` in ``bits`` bits, with a scale for each index of its first axis.

    Raises:
        StemplayError: ``bits`` is not between 2 and 8.
    """
    if bits not in BITS:
        raise StemplayError(f"Weights can have {BITS[0]} to {BITS[-1]} bits, not {bits}.")
    rows = weight.detach().float().reshape(len(weight), -1)
    scale = rows.abs().amax(dim=1)
    step = _step(scale, bits)
    numbers = torch.round((rows + scale[:, None]) / step[:, None].clamp_min(1e-38))
    codes = _pack(numbers.to(torch.uint8).numpy().reshape(-1), bits)
    return Packed(torch.from_numpy(codes), scale, tuple(weight.shape), bits)


def dequantize(packed: Packed) -> Tensor:
    """float32 tensor of the original shape."""
    numbers = _unpack(packed.codes.numpy(), packed.bits, math.prod(packed.shape))
    rows = torch.from_numpy(numbers).float().reshape(packed.shape[0], -1)
    step = _step(packed.scale, packed.bits)
    return (rows * step[:, None] - packed.scale[:, None]).reshape(packed.shape)


def _step(scale: Tensor, bits: int) -> Tensor:
    return 2 * scale / (2**bits - 1)


def _pack(numbers: npt.NDArray[np.uint8], bits: int) -> npt.NDArray[np.uint8]:
    if bits == 8:
        return numbers
    return np.packbits(np.unpackbits(numbers[:, None], axis=1)[:, 8 - bits :])


def _unpack(codes: npt.NDArray[np.uint8], bits: int, count: int) -> npt.NDArray[np.uint8]:
    if bits == 8:
        return codes
    found = np.zeros((count, 8), np.uint8)
    found[:, 8 - bits :] = np.unpackbits(codes, count=count * bits).reshape(count, bits)
    return np.packbits(found, axis=1)[:, 0]


def quantize_state(state: Mapping[str, Tensor], bits: int) -> dict[str, Tensor | Packed]:
    """Every tensor of two or more dimensions quantised, the others as they are."""
    return {name: quantize(w, bits) if w.dim() > 1 else w.detach().float() for name, w in state.items()}


def dequantize_state(state: Mapping[str, Tensor | Packed]) -> dict[str, Tensor]:
    """Inverse of ``quantize_state``, up to half a step."""
    return {name: dequantize(w) if isinstance(w, Packed) else w for name, w in state.items()}


def largest_error(state: Mapping[str, Tensor], packed: Mapping[str, Tensor | Packed]) -> float:
    """The largest error of any weight, in half steps of its channel: at most 1, up to rounding."""
    worst = 0.0
    for name, weight in state.items():
        code = packed[name]
        if isinstance(code, Packed):
            error = (dequantize(code) - weight.float()).abs().reshape(len(weight), -1).amax(dim=1)
            half = 0.5 * _step(code.scale, code.bits)
            worst = max(worst, float((error / half.clamp_min(1e-30))[half > 0].amax()) if (half > 0).any() else 0.0)
    return worst


def packed_size(shapes: Iterable[tuple[int, ...]], bits: int) -> int:
    """Bytes of weights of these ``shapes`` in ``bits`` bits, scales and vectors included; 32 bits are float32."""
    total = 0
    for shape in shapes:
        count = math.prod(shape)
        quantised = len(shape) > 1 and bits < 32
        total += -(-count * bits // 8) + 4 * shape[0] if quantised else 4 * count
    return total


def save_quantized(path: Path, state: Mapping[str, Tensor], config: SeparatorConfig, bits: int) -> None:
    """Write weights in ``bits`` bits as safetensors, atomically; ``training.runs.checkpoint`` reads them like any others."""
    tensors, quantized = packed_tensors(state, bits)
    header = {"network": kind_of(config), "config": json.dumps(config_to_dict(config)), HEADER: quantized}
    write_atomic(path, save(tensors, header))


def packed_tensors(state: Mapping[str, Tensor], bits: int) -> tuple[dict[str, Tensor], str]:
    """The tensors of a file of weights in ``bits`` bits, and the header's entry ``HEADER``; ``unpack_state`` takes both."""
    tensors: dict[str, Tensor] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for name, weight in quantize_state(state, bits).items():
        if isinstance(weight, Packed):
            tensors[name], tensors[name + SCALE], shapes[name] = weight.codes, weight.scale, weight.shape
        else:
            tensors[name] = weight.contiguous()
    return tensors, json.dumps({"bits": bits, "shapes": shapes})


def unpack_state(tensors: Mapping[str, Tensor], header: str) -> dict[str, Tensor]:
    """The float32 weights of ``packed_tensors``.

    Raises:
        ValueError, KeyError: the header and the tensors do not match.
    """
    values: dict[str, Any] = json.loads(header)
    bits, shapes = int(values["bits"]), values["shapes"]
    scales = {name + SCALE for name in shapes}
    return {
        name: dequantize(Packed(weight, tensors[name + SCALE], tuple(shapes[name]), bits)) if name in shapes else weight
        for name, weight in tensors.items()
        if name not in scales
    }

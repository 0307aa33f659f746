"""Converts weights of other implementations to our state dicts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.demucs import CausalDemucsConfig
from rtaudio.audio.format import StemplayError


def matmul_demucs(weights: Mapping[str, npt.NDArray[np.floating]], config: CausalDemucsConfig) -> dict[str, Tensor]:
    """State dict of ``CausalDemucs(config)`` from the matrices of a causal Demucs written as plain matrix products.

    In these, ``ew.i (kernel * in, out)`` and ``rw.i (in, 2 out)`` are encoder block i's strided and 1x1 convolution, ``dw.i
    (context * in, 2 in)`` and ``tw.i (in, kernel * out)`` decoder block i's convolution and transposed convolution, taps first;
    biases are ``eb``, ``rb``, ``db``, ``tb``, and the LSTM's names are torch's.

    Raises:
        StemplayError: a matrix is missing or has another size.
    """

    def tensor(name: str) -> Tensor:
        if name not in weights:
            raise StemplayError(f"The initial weights have no matrix {name!r}.")
        return torch.from_numpy(np.asarray(weights[name], np.float32))

    def convolution(matrix: Tensor, taps: int) -> Tensor:
        """``(taps * in, out)`` -> Conv1d's ``(out, in, taps)``."""
        return matrix.reshape(taps, -1, matrix.shape[1]).permute(2, 1, 0).contiguous()

    def transposed(matrix: Tensor, taps: int) -> Tensor:
        """``(in, taps * out)`` -> ConvTranspose1d's ``(in, out, taps)``."""
        return matrix.reshape(matrix.shape[0], taps, -1).permute(0, 2, 1).contiguous()

    state: dict[str, Tensor] = {}
    try:
        for i in range(config.depth):
            state[f"encoder.{i}.conv.weight"] = convolution(tensor(f"ew.{i}"), config.kernel)
            state[f"encoder.{i}.mix.weight"] = convolution(tensor(f"rw.{i}"), 1)
            state[f"decoder.{i}.conv.weight"] = convolution(tensor(f"dw.{i}"), config.decoder_context)
            state[f"decoder.{i}.up.weight"] = transposed(tensor(f"tw.{i}"), config.kernel)
            for theirs, ours in (
                ("eb", "encoder.{}.conv"),
                ("rb", "encoder.{}.mix"),
                ("db", "decoder.{}.conv"),
                ("tb", "decoder.{}.up"),
            ):
                state[f"{ours.format(i)}.bias"] = tensor(f"{theirs}.{i}")
    except RuntimeError as error:
        raise StemplayError(f"The initial weights do not have the sizes of this network: {error}.") from error
    for name in weights:
        if name.startswith("lstm."):
            state[f"lstm.{name}"] = tensor(name)
    return state


def read_matmul_demucs(path: Path, config: CausalDemucsConfig) -> dict[str, Tensor]:
    """``matmul_demucs`` of an ``.npz`` file (plain arrays; object arrays are refused)."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return matmul_demucs({name: archive[name] for name in archive.files}, config)
    except (OSError, ValueError) as error:
        raise StemplayError(f"{path} is not an archive of arrays: {error}.") from error

"""Weights and checkpoints on disk. Nothing here is ever unpickled: safetensors, or ``torch.load(weights_only=True)``."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from models.demucs import CausalDemucs
from models.network import Separator, SeparatorConfig
from models.registry import config_from_dict, config_to_dict, kind_of, make_network
from rtaudio.audio.format import StemplayError
from training.data.store import replacing, write_atomic
from training.optim.quantize import HEADER, unpack_state
from training.runs.import_matmul import read_matmul_demucs

StateDict = dict[str, Tensor]


def save_weights(path: Path, state: StateDict, config: SeparatorConfig, *, half: bool = False) -> None:
    """Write weights as safetensors with the network's configuration in the header; ``half`` stores float16. Atomic."""
    dtype = torch.float16 if half else torch.float32
    tensors = {name: tensor.detach().cpu().to(dtype).contiguous() for name, tensor in state.items()}
    write_atomic(path, save(tensors, {"network": kind_of(config), "config": json.dumps(config_to_dict(config))}))


def load_network(path: Path) -> Separator:
    """A network from ``save_weights``, float32, in evaluation mode.

    Raises:
        StemplayError: the file is missing, or does not contain weights of a known network.
    """
    state, config = load_weights(path)
    if config is None:
        raise StemplayError(f"{path} does not state which network its weights belong to.")
    network = make_network(config)
    _load(network, state, path)
    return network.eval()


def load_weights(path: Path) -> tuple[StateDict, SeparatorConfig | None]:
    """Tensors (float32, also from quantised files), and the configuration in the header or None."""
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        if HEADER in metadata:
            tensors = unpack_state(tensors, metadata[HEADER])
        state = {name: tensor.float() for name, tensor in tensors.items()}
        config = config_from_dict(json.loads(metadata["config"])) if "config" in metadata else None
    except (OSError, SafetensorError, ValueError, TypeError, KeyError) as error:
        raise StemplayError(f"{path} cannot be read as safetensors weights: {error}.") from error
    return state, config


def initialise(network: Separator, path: Path) -> None:
    """Start ``network`` from other weights: safetensors, or an ``.npz`` of matrices (``training.runs.import_matmul``)."""
    if not path.exists():
        raise StemplayError(f"There is no file {path} to start from.")
    state = _matrices(path, network) if path.suffix == ".npz" else load_weights(path)[0]
    _load(network, state, path)


def _matrices(path: Path, network: Separator) -> StateDict:
    if not isinstance(network, CausalDemucs):
        raise StemplayError(f"{path} contains matrices of a causal Demucs, but this is another kind of network.")
    return read_matmul_demucs(path, network.config)


def _load(network: Separator, state: StateDict, path: Path) -> None:
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise StemplayError(
            f"The weights in {path} do not fit the network: {str(error).splitlines()[-1].strip()}"
        ) from error


def save_checkpoint(path: Path, values: dict[str, Any]) -> None:
    """Write everything that a run needs to continue, atomically. ``values`` contains only tensors, numbers, strings, lists and dicts."""
    with replacing(path) as file:
        torch.save(values, file)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """A separator's checkpoint. Raises StemplayError as ``read_checkpoint`` does, or if it belongs to something else."""
    values = read_checkpoint(path)
    if not {"recipe", "step", "network", "optimizer", "ema"} <= set(values):
        raise StemplayError(f"{path} is not a Stemplay checkpoint.")
    return values


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Inverse of ``save_checkpoint``.

    Raises:
        StemplayError: there is no checkpoint, or it contains anything but plain values.
    """
    try:
        values: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError:
        raise StemplayError(f"There is no checkpoint {path} to continue from.") from None
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError) as error:
        raise StemplayError(f"{path} is not a Stemplay checkpoint.") from error
    return values

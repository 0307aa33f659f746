"""Exports a torch network in the shipped form: one ``model.onnx`` with named states, and its card.

All layers except the LSTMs are matrix products (``models.streaming``). States are bound by name, as exporters silently drop unused inputs.
``training.export.quantize_graph`` makes a graph int8.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import onnx
import torch
from torch import Tensor, nn

from models.card import (
    CARD_FILE,
    MODEL_FILE,
    CardError,
    ModelCard,
    TensorSpec,
    read_card,
    sha256_of,
    verify_file,
    write_card,
)
from models.network import SPEECH, Separator, StreamingSeparator
from models.open_unmix import Spectrum
from models.spectra import SpectralTransform
from training.export.quantize_graph import lift_constants, quantize_file

Precision = Literal["fp32", "int8"]
OPSET = 17
MAX_PARAMETERS = 480_000_000
"""The limit of a protobuf file is 2 GiB; a float32 network with more parameters does not fit into one ONNX file."""


class CausalFrame(nn.Module):
    """One hop of a streaming network with its state as flat tensors: the function of the ONNX graph.

    Shape:
        mix ``(hop, channels)`` and the named states in order -> stems ``(hop, n_sources, channels)`` and the next states.
    """

    def __init__(self, net: StreamingSeparator) -> None:
        super().__init__()
        self.net = net
        with export_mode(net):
            self.zero = net.initial_state(1)
        self.names = list(self.zero.named())

    def forward(self, mix: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        state = self.zero.replaced(dict(zip(self.names, states, strict=True)))
        stems, state = self.net.step_frames(mix[None], state)
        config = self.net.config
        return (stems.reshape(mix.shape[0], len(config.sources), config.audio_channels), *state.named().values())


class Chunk(nn.Module):
    """A whole chunk of a network that does not stream: ``(chunk, channels)`` -> ``(chunk, n_sources, channels)``, without state."""

    def __init__(self, net: Separator) -> None:
        super().__init__()
        self.net = net

    def forward(self, mix: Tensor) -> Tensor:
        stems: Tensor = self.net(mix.t()[None])[0]
        return stems.permute(2, 0, 1)


def export_separator(
    net: Separator,
    directory: str | Path,
    *,
    name: str,
    precision: Precision = "fp32",
    chunk: int | None = None,
    licence: str = "unspecified",
    data: tuple[str, ...] = (),
    quality: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    description: str = "",
    shares: tuple[float, ...] = (),
) -> ModelCard:
    """Write ``model.onnx`` and ``card.json`` into ``directory`` (made if missing), each atomically, and return the card.

    Args:
        chunk: samples in one call of a network that does not stream (live use overlaps chunks); not for causal networks.
        precision: ``int8`` quantises the weights of every matrix product per output channel, activations per call.

    Raises:
        CardError: the network is too large for one ONNX file, or ``chunk`` is missing or superfluous.
    """
    parameters = sum(p.numel() for p in net.parameters())
    if parameters > MAX_PARAMETERS:
        raise CardError(f"{parameters / 1e6:.0f} million parameters do not fit into one ONNX file of at most 2 GiB.")
    if (chunk is None) != isinstance(net, StreamingSeparator):
        raise CardError("A non-causal network needs a chunk length, and a causal one takes none.")
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    config = net.config
    frame = CausalFrame(net) if isinstance(net, StreamingSeparator) else Chunk(net)
    states = frame.zero.named() if isinstance(frame, CausalFrame) else {}
    hop = net.hop if chunk is None else chunk
    with temporary_model(target) as path:
        _trace(frame, torch.zeros(hop, config.audio_channels), states, path)
        if precision == "int8":
            quantize_file(path)
        stamp_rate(path, config.sample_rate)
        card = ModelCard(
            name=name,
            kind="enhancer" if tuple(config.sources) == SPEECH else "separator",
            sample_rate=config.sample_rate,
            channels=config.audio_channels,
            hop=hop,
            latency=net.latency if isinstance(net, StreamingSeparator) else 0,
            outputs=config.sources,
            states=tuple(TensorSpec(key, tuple(value.shape)) for key, value in states.items()),
            precision=precision,
            opset=OPSET,
            sha256=sha256_of(path),
            size=path.stat().st_size,
            parameters=parameters,
            licence=licence,
            data=data,
            quality=quality or {},
            training={"network": type(net).__name__, "config": config.to_dict(), **(training or {})},
            description=description,
            shares=shares,
        )
        publish_model(card, path, target)
    return card


def chunks_sentence(seconds: float) -> str:
    """For the card of a network that does not stream: a sentence that says so and states its latency.

    The engine overlaps chunks by a quarter and computes one while it collects the next (``rtaudio.processors``).
    """
    return f"It plays live only in overlapping chunks of {seconds:g} s, with a latency of {1000 * 1.75 * seconds:.0f} ms plus the device's."


def quantize_model(directory: str | Path, output: str | Path, *, name: str | None = None) -> ModelCard:
    """Quantise an exported float32 model to int8 and write it to another directory, without the measured quality.

    Raises:
        CardError: the source is damaged or not a float32 model, or the output is the source itself.
    """
    source, target = Path(directory), Path(output)
    card = read_card(source)
    path = verify_file(card, source)
    if card.precision != "fp32":
        raise CardError(f"The model {card.name!r} already has precision {card.precision}; only fp32 can be quantised.")
    if source.resolve() == target.resolve():
        raise CardError("The output must be another directory than that of the float32 model.")
    target.mkdir(parents=True, exist_ok=True)
    with temporary_model(target) as temporary:
        temporary.write_bytes(path.read_bytes())
        quantize_file(temporary)
        stamp_rate(temporary, card.sample_rate)
        card = replace(
            card,
            name=name or target.name,
            precision="int8",
            sha256=sha256_of(temporary),
            size=temporary.stat().st_size,
            quality={},
        )
        publish_model(card, temporary, target)
    return card


@contextmanager
def temporary_model(directory: Path) -> Iterator[Path]:
    """A temporary file beside its destination, removed if it was not moved there."""
    handle, name = tempfile.mkstemp(dir=directory, prefix=MODEL_FILE, suffix=".tmp")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def publish_model(card: ModelCard, path: Path, directory: Path) -> None:
    """Move the model, then its card, into place: after a crash in between the pair is refused; it is never wrong."""
    path.chmod(0o644)
    (directory / CARD_FILE).unlink(missing_ok=True)
    os.replace(path, directory / MODEL_FILE)
    write_card(card, directory)


@contextmanager
def export_mode(module: nn.Module) -> Iterator[None]:
    """Evaluation mode, with spectra computed by matrix products; both are restored afterwards."""
    spectra = [layer for layer in module.modules() if isinstance(layer, Spectrum)]
    transforms = [layer for layer in module.modules() if isinstance(layer, SpectralTransform)]
    was_training = module.training
    module.eval()
    for spectrum in spectra:
        spectrum.matrices = True
    for transform in transforms:
        transform.exporting = True
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer warns about every shape used in Python; here all are constants
            yield
    finally:
        module.train(was_training)
        for spectrum in spectra:
            spectrum.matrices = False
        for transform in transforms:
            transform.exporting = False


def _trace(module: nn.Module, mix: Tensor, states: dict[str, Tensor], path: Path) -> None:
    inputs = ["mix", *(f"state.{name}" for name in states)]
    outputs = ["stems", *(f"next.{name}" for name in states)]
    with export_mode(module):
        torch.onnx.export(
            module,
            (mix, *states.values()),
            str(path),
            input_names=inputs,
            output_names=outputs,
            opset_version=OPSET,
            dynamo=False,  # the old exporter's graph is smaller and needs no further package
            do_constant_folding=True,
        )
    model = onnx.load(str(path), load_external_data=False)
    graph = model.graph
    lift_constants(graph)
    path.write_bytes(model.SerializeToString())
    missing = set(inputs) - {value.name for value in graph.input}
    if missing:
        raise CardError(f"The exporter dropped the inputs {', '.join(sorted(missing))}: the network does not use them.")


def stamp_rate(path: Path, sample_rate: int) -> None:
    """Write the sample rate into the file too: no tensor contains it, and a card with another rate must be refused."""
    model = onnx.load(str(path), load_external_data=False)
    rest = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, {**rest, "sample_rate": str(sample_rate)})
    path.write_bytes(model.SerializeToString())

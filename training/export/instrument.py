"""Exports a trained ``Sing`` as an instrument for the engine: ``model.onnx`` computes one time step of any number of voices.

Look-up tables are part of the graph. Their inputs are weights over the rows, so values between two symbols (velocities, morphed
instruments) are mixtures of rows. In int8, the inputs of products have one scale per row (``training.export.quantize_rows``): with one
scale per tensor, as in ``quantize_dynamic``, voices would influence each other.
"""

from __future__ import annotations

import os
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import onnx
import torch

from models.card import CardError, ModelCard, TensorSpec, sha256_of
from models.sing import Sing, SingConfig, SingState
from training.export.quantize_rows import Moments, quantize_products
from training.export.separator import OPSET, Precision, export_mode, publish_model, stamp_rate, temporary_model
from training.export.voice_step import PRODUCTS, Input, VoiceStep, input_moments

STATES = tuple(f.name for f in fields(SingState))

CALIBRATION = 132
"""Number of notes for rounding int8 weights: two of each instrument of the shipped model."""


def export_instrument(
    sing: Sing,
    directory: str | Path,
    *,
    name: str,
    instruments: tuple[str, ...],
    sustains: tuple[bool, ...],
    ranges: tuple[tuple[int, int], ...],
    velocities: tuple[int, ...] = (25, 50, 75, 100, 127),
    precision: Precision = "fp32",
    calibration: int = CALIBRATION,
    licence: str = "unspecified",
    data: tuple[str, ...] = (),
    quality: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    description: str = "",
) -> ModelCard:
    """Write ``model.onnx`` and ``card.json`` into ``directory``, each atomically, and return the card.

    Args:
        instruments: names in the order of the table.
        sustains: for each instrument, whether it sounds as long as a key is held.
        ranges: for each instrument, the lowest and highest trained MIDI pitch.
        velocities: MIDI velocity of each row of the velocity table.
        calibration: number of notes that the network plays to find the statistics for rounding its weights (int8); 0 rounds each
        weight to the nearest value.

    Raises:
        CardError: the lists do not fit the network, or it has no time embedding.
    """
    config = sing.config
    facts = _facts(config, sustains, ranges, velocities)
    if len(instruments) != config.instruments:
        raise CardError(f"The network has {config.instruments} instruments; there must be a name for each.")
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    with temporary_model(target) as path:
        step = VoiceStep(sing)
        _trace(sing, step, path)
        if precision == "int8":
            hops = config.priming + config.samples() // config.stride
            _quantize(path, input_moments(step, sing.initial_state(calibration), hops) if calibration else {})
        stamp_rate(path, config.sample_rate)
        shapes = {
            key: tuple(value.shape[1:]) for key, value in zip(STATES, astuple(sing.initial_state(1)), strict=True)
        }
        card = ModelCard(
            name=name,
            kind="instrument",
            sample_rate=config.sample_rate,
            channels=1,
            hop=config.stride,
            latency=0,
            outputs=instruments,
            states=tuple(TensorSpec(key, shape) for key, shape in shapes.items()),
            precision=precision,
            opset=OPSET,
            sha256=sha256_of(path),
            size=path.stat().st_size,
            parameters=sum(p.numel() for p in sing.parameters()),
            licence=licence,
            data=data,
            quality=quality or {},
            training={"network": "Sing", "config": config.to_dict(), **facts, **(training or {})},
            description=description,
        )
        publish_model(card, path, target)
    return card


def _facts(
    config: SingConfig, sustains: tuple[bool, ...], ranges: tuple[tuple[int, int], ...], velocities: tuple[int, ...]
) -> dict[str, Any]:
    """The facts that the player needs besides the network. Raises CardError if they do not fit the network."""
    if not len(sustains) == len(ranges) == config.instruments or len(velocities) != config.velocities:
        raise CardError(
            f"The network has {config.instruments} instruments; there must be as many names, sustains and ranges."
        )
    if config.time_dim == 0:
        raise CardError("A network without time embedding cannot be played; it is for the ablation of Table 2.1 only.")
    return {
        "pitches": [config.lowest_pitch, config.lowest_pitch + config.pitches - 1],
        "velocities": list(velocities),
        "steps": config.steps,
        "sustains": list(sustains),
        "ranges": [list(pair) for pair in ranges],
    }


def _trace(sing: Sing, step: VoiceStep, path: Path) -> None:
    """Trace the network with two voices; the number of voices stays dynamic."""
    config, voices = sing.config, 2
    state = sing.initial_state(voices)
    symbols = [torch.zeros(voices, rows) for rows in (config.velocities, config.instruments, config.pitches)]
    inputs = ["velocity", "instrument", "pitch", "time", *(f"state.{name}" for name in STATES)]
    outputs = ["audio", *(f"next.{name}" for name in STATES)]
    with export_mode(sing):
        torch.onnx.export(
            step,
            (*symbols, torch.zeros(voices, dtype=torch.int64), *astuple(state)),
            str(path),
            input_names=inputs,
            output_names=outputs,
            dynamic_axes={name: {0: "voices"} for name in inputs + outputs},
            opset_version=OPSET,
            dynamo=False,
            do_constant_folding=True,
        )
    graph = onnx.load(str(path), load_external_data=False).graph
    for output in graph.output:  # the exporter omits the fixed axes of some outputs
        if output.name.startswith("next.") or output.name == "audio":
            shape = (config.stride,) if output.name == "audio" else tuple(getattr(state, output.name[5:]).shape[1:])
            if tuple(d.dim_value for d in output.type.tensor_type.shape.dim)[1:] != shape:
                _fix_shapes(path, config.stride, state)
                return


def _fix_shapes(path: Path, stride: int, state: SingState) -> None:
    """Write the known sizes of all outputs into the file."""
    model = onnx.load(str(path), load_external_data=False)
    for output in model.graph.output:
        shape = (stride,) if output.name == "audio" else tuple(getattr(state, output.name[5:]).shape[1:])
        dims = output.type.tensor_type.shape.dim
        for dim, size in zip(list(dims)[1:], shape, strict=True):
            dim.ClearField("dim_param")
            dim.dim_value = size
        dims[0].dim_param = "voices"
    path.write_bytes(model.SerializeToString())


def _quantize(path: Path, moments: Moments) -> None:
    """Quantise the weights of all products in ``PRODUCTS`` to 8 bits, in place."""

    def input_of(weight: str) -> Input | None:
        return next((kind for name, kind in PRODUCTS.items() if weight.startswith(name)), None)

    model = quantize_products(onnx.load(str(path), load_external_data=False), input_of, moments)
    with temporary_model(path.parent) as quantized:
        onnx.save(model, str(quantized))
        os.replace(quantized, path)

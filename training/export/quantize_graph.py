"""An exported graph in int8: ONNX Runtime's quantiser, and what it does not know of our products.

The quantiser of ONNX Runtime is imported here and nowhere else.
"""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from training.export.rounding import rounded_columns

BASIS = "/basis/"
"""In the names of products with ``models.spectra.FilterBasis``."""
EXACT = ("/analysis/", "/filtering/")
"""In the names of all other products of transforms, which stay float32: a spectrum spans more than 8 bits do."""
GAIN, NEIGHBOURS, IMAGINARY, REACH = 0.06, 0.01, 0.001, 20.0
"""Second moments of the factors of bands: of the gain that all bands share, of what differs from it and of the imaginary parts, and over
how many bands these stay alike. Within wide limits the numbers do not matter, but that neighbours are alike does."""


def quantize_file(path: Path) -> None:
    """Quantise the weights of products and LSTMs to int8 in place, per output channel; activations are quantised per call."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    products = [node for node in onnx.load(str(path), load_external_data=False).graph.node if node.op_type == "MatMul"]
    exact = [n.name for n in products if BASIS not in n.name and any(part in n.name for part in EXACT)]
    bases = [n.input[1] for n in products if BASIS in n.name]
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)  # it recommends a pre-processing step that only concerns dynamic shapes
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".int8")
    os.close(handle)
    try:
        quantize_dynamic(
            str(path),
            name,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul", "LSTM"],
            nodes_to_exclude=exact,
        )
        _round_bases(path, Path(name), bases)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
        logger.setLevel(level)


def lift_constants(graph: onnx.GraphProto) -> None:
    """Nodes of constants -> initializers: buffers that no weights file holds are exported as such nodes, which the quantiser passes by."""
    kept = []
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            graph.initializer.append(node.attribute[0].t)
            graph.initializer[-1].name = node.output[0]
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def _round_bases(source: Path, target: Path, names: list[str]) -> None:
    """Round the matrices ``names`` so that their errors make up for each other where the factors of neighbouring bands are alike.

    Each weight for itself, rounded to the nearest, leaves 21 dB between a stem and its error; this way it is 43 and more.
    """
    if not names:
        return
    weights = {tensor.name: tensor for tensor in onnx.load(str(source)).graph.initializer}
    model = onnx.load(str(target))
    results = {tensor.name: tensor for tensor in model.graph.initializer}
    for name in names:
        matrix = numpy_helper.to_array(weights[name])
        rounded, scale = rounded_columns(matrix, factor_moments(len(matrix) // 2))
        for key, values in ((f"{name}_quantized", rounded), (f"{name}_scale", scale)):
            results[key].CopyFrom(numpy_helper.from_array(values.reshape(tuple(results[key].dims)), key))
    target.write_bytes(model.SerializeToString())


def factor_moments(bands: int) -> npt.NDArray[np.float32]:
    """``(2 * bands, 2 * bands)``: what factors of bands are like, real parts before imaginary ones."""
    numbers = np.arange(bands)
    alike = np.exp(-np.abs(numbers[:, None] - numbers) / REACH)
    moments = np.zeros((2 * bands, 2 * bands))
    moments[:bands, :bands] = GAIN + NEIGHBOURS * alike
    moments[bands:, bands:] = IMAGINARY * alike
    return moments.astype(np.float32)

"""Quantises an exported graph to int8 with ONNX Runtime's quantiser, and treats our spectral products separately.

Only this module imports ONNX Runtime's quantiser.
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
"""Part of the names of products with ``models.spectra.FilterBasis``."""
EXACT = ("/analysis/", "/filtering/")
"""Part of the names of all other transform products, which stay float32: the range of a spectrum exceeds 8 bits."""
GAIN, NEIGHBOURS, IMAGINARY, REACH = 0.06, 0.01, 0.001, 20.0
"""Second moments of the bands' factors: of the gain common to all bands, of the deviations from it, and of the imaginary parts, and the
number of bands over which these are similar. The exact numbers hardly matter; the similarity of neighbouring bands does."""


def quantize_file(path: Path) -> None:
    """Quantise the weights of products and LSTMs to int8 in place, per output channel; activations are quantised per call."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    products = [node for node in onnx.load(str(path), load_external_data=False).graph.node if node.op_type == "MatMul"]
    exact = [n.name for n in products if BASIS not in n.name and any(part in n.name for part in EXACT)]
    bases = [n.input[1] for n in products if BASIS in n.name]
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)  # it recommends a pre-processing step that is only needed for dynamic shapes
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
    """Turn constant nodes into initializers: non-persistent buffers are exported as such nodes, which the quantiser ignores."""
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
    """Round the matrices ``names`` so that their errors cancel if the factors of neighbouring bands are similar.

    Rounding each weight to the nearest value leaves 21 dB between a stem and its error; this method leaves 43 dB and more.
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
    """Second moments of the bands' factors, ``(2 * bands, 2 * bands)``, real parts before imaginary ones."""
    numbers = np.arange(bands)
    alike = np.exp(-np.abs(numbers[:, None] - numbers) / REACH)
    moments = np.zeros((2 * bands, 2 * bands))
    moments[:bands, :bands] = GAIN + NEIGHBOURS * alike
    moments[bands:, bands:] = IMAGINARY * alike
    return moments.astype(np.float32)

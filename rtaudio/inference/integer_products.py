"""Tests whether ONNX Runtime sums products of 8-bit integers exactly on this processor.

ONNX Runtime multiplies unsigned by signed bytes with the processor's dot products (VNNI, AMX, SDOT). On x86
processors without them it adds pairs of products in 16 bits, which overflow if neighbouring weights are large. Its option
``session.x64quantprecision`` is exact, at some cost for instruments and hardly any for separators. It also slows down processors that do
not need it, so it is set only where it is needed. This is tested with a model that consists of one matrix product.
"""

from __future__ import annotations

import numpy as np

from rtaudio.inference.onnx_graph import OnnxGraph

ROWS, SIZE, COLUMNS = 4, 16, 16
LARGEST_INPUT, LARGEST_WEIGHT = 255, 127


def product_model() -> bytes:
    """An ONNX file: ``y (ROWS, COLUMNS) int32 = x (ROWS, SIZE) uint8 @ w``, with all weights at their maximum."""
    graph = OnnxGraph("product")
    weights = graph.constant(np.full((SIZE, COLUMNS), LARGEST_WEIGHT), "int8")
    product = graph.node("MatMulInteger", graph.input("x", (ROWS, SIZE), "uint8"), weights)
    graph.output("y", product, (ROWS, COLUMNS), "int32")
    return graph.encode()

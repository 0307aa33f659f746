"""Tests whether ONNX Runtime sums products of 8-bit integers exactly on this processor.

ONNX Runtime multiplies unsigned by signed bytes with the processor's dot products (VNNI, AMX, SDOT). On x86
processors without them it adds pairs of products in 16 bits, which overflow if neighbouring weights are large. Its option
``session.x64quantprecision`` is exact at half the speed, and also slows down processors that do not need it, so it is set only where
it is needed. This is tested with a model that consists of one matrix product.
"""

from __future__ import annotations

ROWS, SIZE, COLUMNS = 4, 16, 16
LARGEST_INPUT, LARGEST_WEIGHT = 255, 127
_UINT8, _INT8, _INT32 = 2, 3, 6


def product_model() -> bytes:
    """An ONNX file: ``y (ROWS, COLUMNS) int32 = x (ROWS, SIZE) uint8 @ w``, with all weights at their maximum.

    It is encoded by hand, because the ``onnx`` package is not a run-time dependency.
    """
    node = _text(1, "x") + _text(1, "w") + _text(2, "y") + _text(4, "MatMulInteger")
    sizes = _number(1, SIZE) + _number(1, COLUMNS)
    weights = sizes + _number(2, _INT8) + _text(8, "w") + _part(9, bytes([LARGEST_WEIGHT]) * (SIZE * COLUMNS))
    tensors = _part(11, _value("x", _UINT8, (ROWS, SIZE))) + _part(12, _value("y", _INT32, (ROWS, COLUMNS)))
    graph = _part(1, node) + _text(2, "product") + _part(5, weights) + tensors
    return _number(1, 8) + _part(7, graph) + _part(8, _text(1, "") + _number(2, 17))


def _value(name: str, kind: int, shape: tuple[int, ...]) -> bytes:
    sizes = b"".join(_part(1, _number(1, size)) for size in shape)
    return _text(1, name) + _part(2, _part(1, _number(1, kind) + _part(2, sizes)))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _part(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _part(field, value.encode())

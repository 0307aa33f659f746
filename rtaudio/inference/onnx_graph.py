"""Writes small ONNX graphs, so that ONNX Runtime can compute them in one call.

The ``onnx`` package is not a run-time dependency. What is needed of the format is simple: a message is a sequence of fields, each with
a number, a wire type and a value (onnx.proto of the ONNX project). ``rtaudio.inference.onnx_file`` reads it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

IR_VERSION, OPSET = 8, 17
"""Versions of the format and of the operators: old enough for every ONNX Runtime that is allowed."""
_DTYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9}
_INT, _INTS = 2, 7

Attribute = int | Sequence[int]


class OnnxGraph:
    """A graph that grows from its inputs to its outputs. Every method that adds something returns the name of the new tensor.

    Args:
        name: of the graph.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[tuple[str, Sequence[str], Sequence[str], dict[str, Attribute]]] = []
        self._names: dict[str, str] = {}  # of the tensors that are outputs
        self._constants: list[bytes] = []
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []
        self._count = 0

    def input(self, name: str, shape: Sequence[int], dtype: str = "float32") -> str:
        """Add an input."""
        self._inputs.append(_value(name, shape, dtype))
        return name

    def output(self, name: str, value: str, shape: Sequence[int], dtype: str = "float32") -> str:
        """Make the tensor ``value``, which a node computes, an output ``name``."""
        self._names[value] = name
        self._outputs.append(_value(name, shape, dtype))
        return name

    def constant(self, values: npt.ArrayLike, dtype: str = "float32") -> str:
        """Add a constant tensor; ``values`` are converted to ``dtype``."""
        array = np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<"))
        name = self._fresh()
        sizes = b"".join(_number(1, size) for size in array.shape)
        self._constants.append(sizes + _number(2, _DTYPES[dtype]) + _text(8, name) + _part(9, array.tobytes()))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Attribute) -> str:
        """Add an operator with one output."""
        return self.nodes(kind, 1, *inputs, **attributes)[0]

    def nodes(self, kind: str, count: int, *inputs: str, **attributes: Attribute) -> tuple[str, ...]:
        """Add an operator with ``count`` outputs."""
        found = tuple(self._fresh() for _ in range(count))
        self._nodes.append((kind, inputs, found, attributes))
        return found

    def cut(self, value: str, start: int, end: int, axis: int) -> str:
        """The part of ``value`` from ``start`` to ``end`` along one axis."""
        return self.node("Slice", value, *(self.constant([number], "int64") for number in (start, end, axis)))

    def shaped(self, value: str, *shape: int) -> str:
        """``value`` with another shape and the same elements."""
        return self.node("Reshape", value, self.constant(shape, "int64"))

    def encode(self) -> bytes:
        """The ONNX file."""
        graph = b"".join(_part(1, self._encoded(*node)) for node in self._nodes) + _text(2, self._name)
        graph += b"".join(_part(5, constant) for constant in self._constants)
        graph += b"".join(_part(11, value) for value in self._inputs)
        graph += b"".join(_part(12, value) for value in self._outputs)
        return _number(1, IR_VERSION) + _part(7, graph) + _part(8, _text(1, "") + _number(2, OPSET))

    def _encoded(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], attributes: dict[str, Attribute]
    ) -> bytes:
        names = b"".join(_text(1, self._names.get(name, name)) for name in inputs)
        names += b"".join(_text(2, self._names.get(name, name)) for name in outputs)
        return names + _text(4, kind) + b"".join(_part(5, _attribute(*each)) for each in attributes.items())

    def _fresh(self) -> str:
        self._count += 1
        return f"t{self._count}"


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    return _text(1, name) + b"".join(_number(8, number) for number in value) + _number(20, _INTS)


def _value(name: str, shape: Sequence[int], dtype: str) -> bytes:
    sizes = b"".join(_part(1, _number(1, size)) for size in shape)
    return _text(1, name) + _part(2, _part(1, _number(1, _DTYPES[dtype]) + _part(2, sizes)))


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # a negative number is its two's complement
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

"""Reads facts about an ONNX file from its protobuf fields, before ONNX Runtime loads it.

ONNX Runtime would resolve external data while it loads, and it reports neither operator sets nor domains. The ``onnx`` package is
not a run-time dependency. The format is simple: a message is a sequence of (field number, wire type, value), and only the fields in
``_NESTED`` contain messages that matter here. Weights are skipped, not copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


class NotOnnxError(Exception):
    """The bytes are not an ONNX model."""


@dataclass
class OnnxFacts:
    """``opsets``: domain -> version (the standard domain is ``""``). ``external``: names of other files that the model refers to."""

    opsets: dict[str, int] = field(default_factory=dict)
    external: list[str] = field(default_factory=list)
    has_graph: bool = False


_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EXTERNAL = 1

# message -> field number -> message of that field (onnx.proto of the ONNX project)
_NESTED: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "opset", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "training": {1: "graph", 2: "graph"},
    "tensor": {13: "entry"},
}
_MAX_DEPTH = 64


def read_facts(data: bytes) -> OnnxFacts:
    """Parse the file. Raises NotOnnxError if it is not protobuf, or has no graph or no operator set."""
    facts = OnnxFacts()
    _walk(memoryview(data), "model", facts, 0)
    if not facts.has_graph or not facts.opsets:
        raise NotOnnxError("it holds no graph")
    return facts


def _walk(data: memoryview, message: str, facts: OnnxFacts, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise NotOnnxError("it is nested too deeply")
    nested = _NESTED.get(message, {})
    texts: dict[int, str] = {}
    numbers: dict[int, int] = {}
    for number, value in _fields(data):
        if isinstance(value, int):
            numbers[number] = value
        elif number in nested:
            facts.has_graph |= nested[number] == "graph"
            _walk(value, nested[number], facts, depth + 1)
        elif message in ("opset", "entry"):
            texts[number] = bytes(value).decode("utf-8", "replace")
    if message == "opset":
        domain = "" if texts.get(1) == "ai.onnx" else texts.get(1, "")
        facts.opsets[domain] = max(numbers.get(2, 0), facts.opsets.get(domain, 0))
    if message == "entry" and texts.get(1) == "location":
        facts.external.append(texts.get(2, ""))
    if message == "tensor" and numbers.get(14) == _EXTERNAL and not facts.external:
        facts.external.append("an unnamed file")


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    position, end = 0, len(data)
    while position < end:
        key, position = _varint(data, position)
        wire = key & 7
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield key >> 3, value
            continue
        if wire == _BYTES:
            size, position = _varint(data, position)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise NotOnnxError("it is not a protobuf file")
        if position + size > end or key < 8:
            raise NotOnnxError("it is truncated or not a protobuf file")
        yield key >> 3, data[position : position + size] if wire == _BYTES else 0
        position += size


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise NotOnnxError("it is truncated or not a protobuf file")

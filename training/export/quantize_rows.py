"""int8 products for an exported graph, whose rows do not influence each other and which use the processor's integer dot products.

``quantize_dynamic`` rounds a whole tensor with one scale, so voices in a batch would influence each other. ``MatMulNBits`` has scales for
blocks of a few dozen weights, at less than half of the speed. Here each row of an input and each column of the weights has its own scale,
so the product itself is computed in integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from training.export.rounding import rounded_columns
from training.export.voice_step import Input

EXTENSION = "com.microsoft"
UNIT_STEP = 1 / 127
SILENT = 1e-20
"""The scale of a row of zeros."""


Moments = Mapping[str, npt.NDArray[np.float32]]


def quantize_products(model: ModelProto, input_of: Callable[[str], Input | None], moments: Moments) -> ModelProto:
    """Replace products with constant weights by products of 8-bit integers, in place, and return the model.

    Args:
        model: with products as ``MatMul`` of a tensor ``(rows, size)`` and an initializer ``(size, columns)``.
        input_of: maps an initializer's name to the kind of its product's input; None leaves the product unchanged.
        moments: second moments of products' inputs by the initializer's name, if known (``training.export.rounding``).
    """
    return _Rewriter(model, input_of, moments).run()


class _Rewriter:
    def __init__(self, model: ModelProto, input_of: Callable[[str], Input | None], moments: Moments) -> None:
        self.model, self.input_of, self.moments = model, input_of, moments
        self.graph = model.graph
        self.weights = {value.name: value for value in self.graph.initializer}
        self.nodes: list[NodeProto] = []
        self.rounded: dict[tuple[str, Input], tuple[str, str]] = {}

    def run(self) -> ModelProto:
        self._constants()
        old = list(self.graph.node)
        users: dict[str, list[NodeProto]] = {}
        for node in old:
            for name in node.input:
                users.setdefault(name, []).append(node)
        gone: set[int] = set()
        for node in old:
            if id(node) in gone:
                continue
            kind = self.input_of(node.input[1]) if node.op_type == "MatMul" and node.input[1] in self.weights else None
            if kind is None:
                self.nodes.append(node)
                continue
            bias = _bias_of(node, users, self.weights)
            if bias is not None:
                gone.add(id(bias))
            self._product(node, kind, bias)
        del self.graph.node[:]
        self.graph.node.extend(self.nodes)
        _drop_unused(self.graph)
        if all(entry.domain != EXTENSION for entry in self.model.opset_import):
            self.model.opset_import.append(helper.make_opsetid(EXTENSION, 1))
        return self.model

    def _constants(self) -> None:
        values: Mapping[str, npt.NDArray[np.generic] | np.generic] = {
            "rounding.unit_step": np.float32(UNIT_STEP),
            "rounding.one": np.float32(1),
            "rounding.middle": np.uint8(128),
            "rounding.silent": np.float32(SILENT),
            "rounding.positive_step": np.float32(1 / 255),
            "rounding.signed_step": np.float32(1 / 127),
            "rounding.column": np.array([-1, 1], np.int64),
        }
        self.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), k) for k, v in values.items())

    def _add(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def _round(self, x: str, kind: Input) -> tuple[str, str]:
        """Names of the rounded input and of its rows' scales (empty for inputs that need no scales)."""
        if (x, kind) in self.rounded:
            return self.rounded[x, kind]
        name = f"{x}.rounded"
        if kind == "unit":
            self._add("QuantizeLinear", [x, "rounding.unit_step", "rounding.middle"], name)
            self.rounded[x, kind] = name, ""
            return name, ""
        size = x if kind == "positive" else self._add("Abs", [x], f"{name}.size")
        largest = self._add("ReduceMax", [size], f"{name}.largest", axes=[1], keepdims=1)
        step = self._add("Mul", [largest, f"rounding.{kind}_step"], f"{name}.step")
        step = self._add("Max", [step, "rounding.silent"], f"{name}.scale")
        scaled = self._add("Div", [x, step], f"{name}.scaled")
        zero = ["rounding.middle"] if kind == "signed" else []
        self._add("QuantizeLinear", [scaled, "rounding.one", *zero], name)
        self.rounded[x, kind] = name, step
        return name, step

    def _product(self, node: NodeProto, kind: Input, bias: NodeProto | None) -> None:
        x, weight = node.input[0], node.input[1]
        rounded, step = self._round(x, kind)
        numbers, scale = rounded_columns(numpy_helper.to_array(self.weights[weight]), self.moments.get(weight))
        self.graph.initializer.extend(
            [numpy_helper.from_array(numbers, f"{weight}.rounded"), numpy_helper.from_array(scale, f"{weight}.scale")]
        )
        output = node.output[0] if bias is None else bias.output[0]
        addend = "" if bias is None else next(name for name in bias.input if name != node.output[0])
        middle = "" if kind == "positive" else "rounding.middle"
        inputs = [
            rounded,
            f"{weight}.rounded",
            "rounding.one" if step else "rounding.unit_step",
            f"{weight}.scale",
            middle,
            "",
        ]
        if not step:
            self._add("MatMulIntegerToFloat", [*inputs, addend] if addend else inputs[:5], output, EXTENSION)
            return
        plain = self._add("MatMulIntegerToFloat", inputs[: 5 if middle else 4], f"{output}.plain", EXTENSION)
        target = f"{output}.scaled" if addend else output
        self._add("Mul", [plain, step], target)
        if addend:
            self._add("Add", [target, addend], output)


def _bias_of(
    node: NodeProto, users: dict[str, list[NodeProto]], weights: Mapping[str, TensorProto]
) -> NodeProto | None:
    """The addition of a constant that is the only use of the product."""
    after = users.get(node.output[0], [])
    if len(after) == 1 and after[0].op_type == "Add" and any(name in weights for name in after[0].input):
        return after[0]
    return None


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [value for value in graph.initializer if value.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)

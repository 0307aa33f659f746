"""Weights rounded by what their inputs are like, and products of integers row by row."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from rtaudio.inference.runtime import sums_are_exact
from training.export.quantize_rows import quantize_products
from training.export.rounding import rounded_columns
from training.export.voice_step import Input

Matrix = np.ndarray


def inputs_that_go_together(rows: int, size: int, sources: int = 12) -> Matrix:
    rng = np.random.default_rng(0)
    mixed = rng.standard_normal((rows, sources)) @ rng.standard_normal((sources, size))
    return np.asarray(np.maximum(mixed + 0.1 * rng.standard_normal(mixed.shape), 0), np.float32)


def error_db(product: Matrix, exact: Matrix) -> float:
    return float(10 * np.log10(np.sum((product - exact) ** 2) / np.sum(exact**2)))


def test_rounding_by_the_inputs_loses_less_of_the_product_than_rounding_to_the_nearest() -> None:
    x, other = np.split(inputs_that_go_together(4000, 300), 2)
    weight = np.random.default_rng(1).standard_normal((300, 40)).astype(np.float32)
    found = {}
    for name, moments in (("nearest", None), ("inputs", x.T @ x)):
        numbers, scale = rounded_columns(weight, moments)
        assert numbers.dtype == np.int8 and numbers.min() >= -127
        found[name] = error_db(other @ (numbers * scale), other @ weight)
    assert found["inputs"] < found["nearest"] - 6


def test_a_column_of_zeros_and_an_input_that_never_occurs_are_no_trouble() -> None:
    weight = np.random.default_rng(1).standard_normal((20, 5)).astype(np.float32)
    weight[:, 2] = 0
    x = inputs_that_go_together(100, 20)
    x[:, 7] = 0
    numbers, scale = rounded_columns(weight, x.T @ x)
    assert not numbers[:, 2].any() and np.isfinite(scale).all()
    assert np.abs(numbers * scale - weight)[7].max() < scale.max()
    silent, _ = rounded_columns(weight, np.zeros((20, 20), np.float32))
    assert np.array_equal(silent, rounded_columns(weight)[0])


def product_model(weight: Matrix, bias: Matrix) -> onnx.ModelProto:
    size, columns = weight.shape
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", columns])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: onnx.ModelProto, x: Matrix) -> Matrix:
    ort = pytest.importorskip("onnxruntime")
    options = ort.SessionOptions()
    if not sums_are_exact():  # as the engine opens it
        options.add_session_config_entry("session.x64quantprecision", "1")
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


@pytest.mark.parametrize("kind", ["unit", "positive", "signed"])
def test_each_row_is_rounded_by_itself(kind: Input) -> None:
    rng = np.random.default_rng(2)
    weight = rng.standard_normal((96, 33)).astype(np.float32)
    bias = rng.standard_normal(33).astype(np.float32)
    x = rng.uniform(0 if kind == "positive" else -1, 1, (9, 96)).astype(np.float32)
    if kind != "unit":  # which has one scale, being of hidden states
        x *= np.logspace(-4, 4, 9, dtype=np.float32)[:, None]
        x[4] = 0
    model = quantize_products(product_model(weight, bias), lambda name: kind if name == "weight" else None, {})
    assert "MatMul" not in {node.op_type for node in model.graph.node}
    assert {value.data_type for value in model.graph.initializer if value.name == "weight.rounded"} == {
        TensorProto.INT8
    }
    together, exact = run(model, x), x @ weight + bias
    alone = np.concatenate([run(model, row[None]) for row in x])
    assert np.array_equal(together, alone)
    for row in range(len(x)):
        if x[row].any():
            assert error_db(together[row] - bias, exact[row] - bias) < -35
        else:
            np.testing.assert_allclose(together[row], bias, atol=1e-6)


def test_a_product_of_no_known_input_stays_as_it_is() -> None:
    rng = np.random.default_rng(3)
    weight, bias = rng.standard_normal((8, 4)).astype(np.float32), np.zeros(4, np.float32)
    model = quantize_products(product_model(weight, bias), lambda name: None, {})
    assert [node.op_type for node in model.graph.node] == ["MatMul", "Add"]
    x = rng.standard_normal((3, 8)).astype(np.float32)
    np.testing.assert_allclose(run(model, x), x @ weight, rtol=1e-5, atol=1e-6)

"""Graphs written by hand: valid files of the format, which compute what they say."""

from __future__ import annotations

import numpy as np
import onnx

from rtaudio.inference.onnx_file import read_facts
from rtaudio.inference.onnx_graph import OPSET, OnnxGraph
from rtaudio.inference.runtime import Stream, open_graph


def summing() -> bytes:
    """Adds each input to the sum of those before, and returns its second half, doubled; counts the calls."""
    graph = OnnxGraph("sum")
    x, before, calls = graph.input("x", (2, 4)), graph.input("state.sum", (2, 4)), graph.input("state.calls", (1,), "int64")
    total = graph.node("Add", x, before)
    graph.output("next.sum", total, (2, 4))
    graph.output("next.calls", graph.node("Add", calls, graph.constant([1], "int64")), (1,), "int64")
    _, half = graph.nodes("Split", 2, graph.node("Mul", total, graph.constant(2.0)), axis=-1)
    flat = graph.shaped(graph.cut(graph.node("Transpose", half, perm=[1, 0]), 1, 2, 0), 2)
    graph.output("y", flat, (2,))
    return graph.encode()


def stream() -> Stream:
    states = {"sum": ((2, 4), "float32"), "calls": ((1,), "int64")}
    return Stream(open_graph(summing()), {"x": ((2, 4), "float32")}, ("y", (2,)), states)


def test_a_graph_is_a_valid_file_that_other_readers_understand() -> None:
    model = onnx.load_from_string(summing())
    onnx.checker.check_model(model, full_check=True)
    assert [output.name for output in model.graph.output] == ["next.sum", "next.calls", "y"]
    assert read_facts(summing()).opsets == {"": OPSET}


def test_it_computes_and_its_states_go_on() -> None:
    running, x = stream(), np.arange(8, dtype=np.float32).reshape(2, 4)
    for count in (1, 2, 3):
        assert np.array_equal(running.run(x), 2 * count * x[:, 3])
    assert running.copy()["calls"] == 3 and np.array_equal(running.copy()["sum"], 3 * x)
    saved = running.copy()
    running.reset()
    assert np.array_equal(running.run(x), 2 * x[:, 3])
    running.put(saved)
    assert np.array_equal(running.run(x), 8 * x[:, 3])


def test_streams_share_a_session_and_no_state() -> None:
    first, second = stream(), stream()
    assert first._session is second._session
    x = np.ones((2, 4), np.float32)
    first.run(x)
    assert np.array_equal(second.run(x), [2, 2])

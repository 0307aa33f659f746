"""The model of one product by which a processor is asked whether it adds up exactly."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from models.catalog import find_model
from rtaudio.inference import integer_products, runtime


def test_the_model_written_by_hand_is_a_valid_file_and_asks_for_the_largest_sum() -> None:
    model = onnx.load_from_string(integer_products.product_model())
    onnx.checker.check_model(model, full_check=True)
    assert (numpy_helper.to_array(model.graph.initializer[0]) == 127).all()
    session = ort.InferenceSession(integer_products.product_model(), providers=["CPUExecutionProvider"])
    small = np.ones((integer_products.ROWS, integer_products.SIZE), np.uint8)  # nothing overflows here, on any processor
    assert (session.run(None, {"x": small})[0] == 127 * integer_products.SIZE).all()


def test_where_sums_overflow_an_instrument_is_loaded_with_the_exact_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    card = runtime.read_card(find_model("sing-gm"))
    data = (find_model("sing-gm") / "model.onnx").read_bytes()
    found = []
    for exact in (True, False):
        monkeypatch.setattr(runtime, "sums_are_exact", lambda exact=exact: exact)
        options = runtime.open_session(card, data, 1).get_session_options()
        try:
            found.append(options.get_session_config_entry("session.x64quantprecision"))
        except RuntimeError:
            found.append("")
    assert found == ["", "1"]

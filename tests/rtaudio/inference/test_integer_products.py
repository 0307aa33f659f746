"""The model of one product by which a processor is asked whether it adds up exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import soundfile
from onnx import numpy_helper

from models.catalog import find_model
from rtaudio import separate
from rtaudio.inference import integer_products, runtime

DEMO = Path(__file__).parents[3] / "demo" / "kimseye.ogg"


def test_the_model_written_by_hand_is_a_valid_file_and_asks_for_the_largest_sum() -> None:
    model = onnx.load_from_string(integer_products.product_model())
    onnx.checker.check_model(model, full_check=True)
    assert (numpy_helper.to_array(model.graph.initializer[0]) == 127).all()
    session = ort.InferenceSession(integer_products.product_model(), providers=["CPUExecutionProvider"])
    small = np.ones((integer_products.ROWS, integer_products.SIZE), np.uint8)  # nothing overflows here, on any processor
    assert (session.run(None, {"x": small})[0] == 127 * integer_products.SIZE).all()


@pytest.mark.parametrize("name", ["sing-gm", "demucs-live", "denoise-voice"])
def test_where_sums_overflow_a_model_is_loaded_with_the_exact_kernels(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    card = runtime.read_card(find_model(name))
    data = (find_model(name) / "model.onnx").read_bytes()
    found = []
    for exact in (True, False):
        monkeypatch.setattr(runtime, "sums_are_exact", lambda exact=exact: exact)
        options = runtime.open_session(card, data, 1).get_session_options()
        try:
            found.append(options.get_session_config_entry("session.x64quantprecision"))
        except RuntimeError:
            found.append("")
    assert found == ["", "1"]


@pytest.mark.parametrize("name", ["demucs-live", "demucs-open"])
def test_a_separator_is_heard_the_same_whatever_the_processor_multiplies_with(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without dot products, and without the exact kernels, stems were off by -6 to -12 dB of their own level."""
    mix, rate = soundfile.read(DEMO, dtype="float32", start=12 * 44_100, stop=14 * 44_100)
    stems = separate(mix, rate, model=name)
    monkeypatch.setattr(runtime, "sums_are_exact", lambda: False)
    exact = separate(mix, rate, model=name)
    assert np.mean((stems - exact) ** 2) < 1e-5 * np.mean(exact**2)

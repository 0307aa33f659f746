"""Loading an exported model: what is right runs, what is wrong is refused with one sentence before it can do harm."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.card import CARD_FILE, MODEL_FILE, TensorSpec, read_card, sha256_of, write_card
from rtaudio.audio.format import StemplayError
from rtaudio.inference.denormals import AVAILABLE, DenormalsAsZero, flushes
from rtaudio.inference.onnx_file import NotOnnxError, read_facts
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.processors.factory import make_separator
from tests.rtaudio.conftest import noise


@pytest.fixture
def broken(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(tiny_model, tmp_path / "broken"))


def change_card(directory: Path, **values: Any) -> None:
    """Other values in the card, and the hash of the file as it is now."""
    path = directory / MODEL_FILE
    write_card(
        replace(read_card(directory), **{"sha256": sha256_of(path), "size": path.stat().st_size, **values}), directory
    )


def edit_card(directory: Path, **values: Any) -> None:
    """The same without any check."""
    path = directory / CARD_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def change_file(directory: Path, change: Callable[[onnx.ModelProto], None]) -> None:
    """Another graph, with a card that vouches for it."""
    model = onnx.load(str(directory / MODEL_FILE))
    change(model)
    (directory / MODEL_FILE).write_bytes(model.SerializeToString())
    change_card(directory)


def write_file(directory: Path, data: bytes) -> None:
    (directory / MODEL_FILE).write_bytes(data)
    change_card(directory)


def externalise(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def externalise_constant(model: onnx.ModelProto) -> None:
    """Hidden in a constant of a sub-graph's node."""
    inner = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [1], [0.0])
    inner.ClearField("float_data")
    inner.data_location = onnx.TensorProto.EXTERNAL
    inner.external_data.add(key="location", value="hidden.bin")
    branch = onnx.helper.make_graph([onnx.helper.make_node("Constant", [], ["c"], value=inner)], "branch", [], [])
    model.graph.node.append(onnx.helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch))


def drop_state(model: onnx.ModelProto) -> None:
    value = next(v for v in model.graph.output if v.name == "next.lstm.h")
    model.graph.output.remove(value)


def rename_state(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        for index, name in enumerate(node.output):
            if name == "next.lstm.h":
                node.output[index] = "next.lstm.x"
    next(v for v in model.graph.output if v.name == "next.lstm.h").name = "next.lstm.x"


def set_opset(domain: str, version: int) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        if domain:
            model.opset_import.add(domain=domain, version=version)
        else:
            model.opset_import[0].version = version

    return change


def foreign_node(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "NoSuchOperator"


def states_without(directory: Path, name: str) -> tuple[TensorSpec, ...]:
    return tuple(s for s in read_card(directory).states if s.name != name)


def other_state(directory: Path, **values: Any) -> tuple[TensorSpec, ...]:
    return tuple(replace(s, **values) if s.name == "lstm.h" else s for s in read_card(directory).states)


REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no card": (lambda d: (d / CARD_FILE).unlink(), "There is no model"),
    "no file": (lambda d: (d / MODEL_FILE).unlink(), "has a card but no model.onnx"),
    "card is no JSON": (lambda d: (d / CARD_FILE).write_text("{"), "cannot be read"),
    "card is binary": (lambda d: (d / CARD_FILE).write_bytes(bytes(range(256))), "cannot be read"),
    "card is a list": (lambda d: (d / CARD_FILE).write_text("[]"), "is no JSON object"),
    "truncated file": (lambda d: (d / MODEL_FILE).write_bytes((d / MODEL_FILE).read_bytes()[:-100]), "truncated"),
    "wrong hash": (lambda d: edit_card(d, sha256="0" * 64), "does not have the hash"),
    "garbage": (lambda d: write_file(d, bytes(np.random.default_rng(0).bytes(5000))), "is not an ONNX file"),
    "empty file": (lambda d: (d / MODEL_FILE).write_bytes(b""), "truncated"),
    "empty file, card agrees": (lambda d: edit_card(d, size=0), "names 0 bytes"),
    "text": (lambda d: write_file(d, b"hello, I am a model\n" * 40), "is not an ONNX file"),
    "truncated, card agrees": (lambda d: write_file(d, (d / MODEL_FILE).read_bytes()[:-100]), "is not an ONNX file"),
    "external data": (lambda d: change_file(d, externalise), "from another file"),
    "hidden external data": (lambda d: change_file(d, externalise_constant), "from another file"),
    "unsupported domain": (lambda d: change_file(d, set_opset("org.example", 1)), "unsupported domain org.example"),
    "other opset": (lambda d: change_file(d, set_opset("", 16)), "operator set 16, not 17"),
    "future opset": (lambda d: (change_file(d, set_opset("", 99)), change_card(d, opset=99)), "reads up to"),
    "unknown operator": (lambda d: change_file(d, foreign_node), "cannot be loaded by ONNX Runtime"),
    "missing state": (lambda d: change_file(d, drop_state), "lacks the output next.lstm.h"),
    "other state": (lambda d: change_file(d, rename_state), "lacks the output next.lstm.h"),
    "state not in card": (
        lambda d: change_card(d, states=states_without(d, "lstm.h")),
        "has the input state.lstm.h, which",
    ),
    "state's shape": (
        lambda d: change_card(d, states=other_state(d, shape=(1, 2, 3))),
        "of shape 2 x 1 x 32, not 1 x 2 x 3",
    ),
    "state's type": (
        lambda d: change_card(d, states=other_state(d, dtype="float64")),
        r"of type tensor\(float\), not float64",
    ),
    "state's odd type": (lambda d: change_card(d, states=other_state(d, dtype="O")), "not O as its card says"),
    "wrong channels": (lambda d: change_card(d, channels=1), "input mix of shape 64 x 2, not 64 x 1"),
    "wrong hop": (lambda d: change_card(d, hop=128), "input mix of shape 64 x 2, not 128 x 2"),
    "wrong stems": (lambda d: change_card(d, outputs=("a", "b")), "output stems of shape 64 x 4 x 2, not 64 x 2 x 2"),
    "wrong rate": (lambda d: change_card(d, sample_rate=48_000), "works at 44100 Hz, not 48000 Hz as its card says"),
    "impossible rate": (lambda d: edit_card(d, sample_rate=44), "outside 4000 to 384000 Hz"),
    "missing field": (lambda d: edit_card(d, hop=None), "incomplete or malformed"),
    "other kind": (lambda d: change_card(d, kind="instrument"), "is of kind instrument, not a separator"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_file_that_does_not_match_its_card_is_refused(broken: Path, name: str) -> None:
    damage, sentence = REFUSALS[name]
    damage(broken)
    with pytest.raises(StemplayError, match=sentence) as caught:
        make_separator(broken)
    text = str(caught.value)
    assert "\n" not in text and text.endswith(".") and len(text) < 400
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_file_that_tells_no_rate_is_believed_its_card(broken: Path) -> None:
    change_file(broken, lambda model: model.ClearField("metadata_props"))
    change_card(broken, sample_rate=48_000)
    assert ModelRuntime(broken).card.sample_rate == 48_000


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    with pytest.raises(StemplayError, match="installed are"):
        ModelRuntime("no-such-model")


def test_it_loads_from_memory_and_opens_no_other_file(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ModelRuntime(tiny_model).card.name == "tiny"


def test_state_is_carried_copied_and_put_back(tiny_runtime: ModelRuntime) -> None:
    runtime = tiny_runtime.sibling()
    first, second = noise(64), noise(64, seed=1)
    runtime.run(first)
    state = runtime.get_state()
    expected = runtime.run(second)
    assert not np.array_equal(expected, tiny_runtime.sibling().run(second))  # the past matters
    for array in state.values():
        assert array.flags.writeable
    runtime.set_state(state)
    for array in state.values():
        array[...] = np.nan  # the runtime must have kept copies
    assert np.array_equal(runtime.run(second), expected)


def test_reset_and_sibling_start_from_silence(tiny_runtime: ModelRuntime) -> None:
    runtime, mix = tiny_runtime.sibling(), noise(64)
    expected = runtime.run(mix)
    sibling = runtime.sibling()
    assert not np.array_equal(runtime.run(mix), expected)
    assert np.array_equal(sibling.run(mix), expected)
    runtime.reset()
    assert np.array_equal(runtime.run(mix), expected)


def test_warming_up_leaves_no_trace(tiny_runtime: ModelRuntime) -> None:
    runtime = tiny_runtime.sibling()
    runtime.run(noise(64))
    before = runtime.get_state()
    runtime.warm_up(3)
    assert all(np.array_equal(before[name], value) for name, value in runtime.get_state().items())


def test_a_state_of_another_model_is_refused(tiny_runtime: ModelRuntime) -> None:
    state = tiny_runtime.get_state()
    state.pop("lstm.h")
    with pytest.raises(StemplayError, match="does not belong"):
        tiny_runtime.sibling().set_state(state)


def test_facts_of_a_real_file_are_those_that_onnx_reads(tiny_model: Path) -> None:
    data = (tiny_model / MODEL_FILE).read_bytes()
    facts = read_facts(data)
    assert facts.opsets == {i.domain: i.version for i in onnx.load_from_string(data).opset_import}
    assert facts.external == [] and facts.has_graph


def test_denormals_are_zero_while_a_model_runs_and_only_then() -> None:
    """In any thread, also one that is older than every session."""
    seen: list[tuple[bool, bool, bool]] = []

    def look() -> None:
        scope = DenormalsAsZero()
        before = flushes()
        with scope:
            inside = flushes()
        seen.append((before, inside, flushes()))

    look()
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [(False, AVAILABLE, False)] * 2


def test_opening_and_running_a_model_leaves_the_thread_s_arithmetic_alone(tiny_model: Path) -> None:
    runtime = ModelRuntime(tiny_model)
    assert not flushes()
    runtime.run(noise(64))
    assert not flushes()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        facts = read_facts(data)
    except NotOnnxError:
        return
    assert facts.has_graph and facts.opsets


@settings(max_examples=60, deadline=None)
@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_no_flipped_byte_breaks_the_reader(tiny_model: Path, position: float, value: int) -> None:
    data = bytearray((tiny_model / MODEL_FILE).read_bytes())
    data[int(position**8 * len(data))] = value  # mostly near the start, where the structure is
    try:
        read_facts(bytes(data))
    except NotOnnxError:
        pass

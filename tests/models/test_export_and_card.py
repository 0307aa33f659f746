"""Export: the file equals the network, the card equals the file, and anything else is refused (RT-10)."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from models import catalog
from models.card import CARD_FILE, MODEL_FILE, CardError, ModelCard, read_card, verify_file, write_card
from models.catalog import best_separator, find_model, model_names, separators, validation_sdr
from models.demucs import CausalDemucs, CausalDemucsConfig, Demucs, DemucsConfig
from training.export.separator import export_separator, quantize_model


@pytest.fixture(scope="module")
def net() -> CausalDemucs:
    torch.manual_seed(0)
    return CausalDemucs(CausalDemucsConfig(channels=16, depth=4)).eval()


@pytest.fixture(scope="module")
def exported(net: CausalDemucs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ModelCard]:
    directory = tmp_path_factory.mktemp("model")
    return directory, export_separator(net, directory, name="small")


def stream(directory: Path, card: ModelCard, mix: np.ndarray) -> np.ndarray:
    """All hops of ``(frames, channels)`` through the file, its states bound by name."""
    session = ort.InferenceSession(str(directory / MODEL_FILE), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    feed = {f"state.{state.name}": np.zeros(state.shape, state.dtype) for state in card.states}
    parts = []
    for start in range(0, len(mix), card.hop):
        outputs = dict(zip(names, session.run(None, {"mix": mix[start : start + card.hop], **feed}), strict=True))
        feed = {f"state.{state.name}": outputs[f"next.{state.name}"] for state in card.states}
        parts.append(outputs["stems"])
    return np.concatenate(parts)


def test_exported_equals_eager(net: CausalDemucs, exported: tuple[Path, ModelCard]) -> None:
    directory, card = exported
    mix = np.random.default_rng(0).standard_normal((card.hop * 60, 2)).astype(np.float32)
    with torch.no_grad():
        eager = net(torch.from_numpy(mix).t()[None])[0].permute(2, 0, 1).numpy()
    assert np.abs(stream(directory, card, mix) - eager).max() < 1e-5
    assert eager.std() > 1e-3


def test_card_describes_the_file(net: CausalDemucs, exported: tuple[Path, ModelCard]) -> None:
    directory, card = exported
    assert read_card(directory) == card
    assert verify_file(card, directory) == directory / MODEL_FILE
    assert card.parameters == sum(p.numel() for p in net.parameters())
    assert abs(card.size / 2**20 - card.parameters * 4 / 2**20) < 0.1
    assert onnx.load(str(directory / MODEL_FILE)).opset_import[0].version == card.opset


def test_int8_is_a_quarter_and_close(exported: tuple[Path, ModelCard], tmp_path: Path) -> None:
    directory, card = exported
    small = quantize_model(directory, tmp_path / "small-int8")
    assert small.precision == "int8"
    assert small.name == "small-int8"
    assert small.size < 0.5 * card.size
    for folder in (directory, tmp_path / "small-int8"):
        props = onnx.load(str(folder / MODEL_FILE)).metadata_props
        assert {p.key: p.value for p in props}["sample_rate"] == "44100"
    mix = np.random.default_rng(1).standard_normal((card.hop * 100, 2)).astype(np.float32) * 0.1
    reference, quantized = stream(directory, card, mix), stream(tmp_path / "small-int8", small, mix)
    assert 10 * np.log10((reference**2).sum() / ((reference - quantized) ** 2).sum()) > 25
    with pytest.raises(CardError, match="already"):
        quantize_model(tmp_path / "small-int8", tmp_path / "again")
    with pytest.raises(CardError, match="another directory"):
        quantize_model(directory, directory)


def test_a_non_causal_network_is_exported_as_a_chunk(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = Demucs(DemucsConfig(channels=4, depth=3)).eval()
    card = export_separator(net, tmp_path, name="chunk", chunk=4000)
    assert card.hop == 4000
    assert card.states == ()
    mix = np.random.default_rng(0).standard_normal((4000, 2)).astype(np.float32)
    with torch.no_grad():
        eager = net(torch.from_numpy(mix).t()[None])[0].permute(2, 0, 1).numpy()
    assert np.abs(stream(tmp_path, card, mix) - eager).max() < 1e-5


def test_a_network_that_no_file_holds_is_refused(tmp_path: Path) -> None:
    with torch.device("meta"):
        net = Demucs(DemucsConfig(rescale=0))
    with pytest.raises(CardError, match="2 GiB"):
        export_separator(net, tmp_path, name="thesis", chunk=44_100)


def test_chunk_length_goes_with_non_causal_networks_only(net: CausalDemucs, tmp_path: Path) -> None:
    with pytest.raises(CardError, match="chunk length"):
        export_separator(net, tmp_path, name="x", chunk=1000)


def copy(exported: tuple[Path, ModelCard], target: Path) -> Path:
    for name in (MODEL_FILE, CARD_FILE):
        (target / name).write_bytes((exported[0] / name).read_bytes())
    return target


def test_a_changed_truncated_or_missing_file_is_refused(exported: tuple[Path, ModelCard], tmp_path: Path) -> None:
    directory = copy(exported, tmp_path)
    path, card = directory / MODEL_FILE, exported[1]
    content = path.read_bytes()
    path.write_bytes(content[:-10])
    with pytest.raises(CardError, match="truncated"):
        verify_file(card, directory)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(CardError, match="hash"):
        verify_file(card, directory)
    path.unlink()
    with pytest.raises(CardError, match=r"no model\.onnx"):
        verify_file(card, directory)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "toaster"}, "kind"),
        ({"sample_rate": 1}, "sample rate"),
        ({"sample_rate": "fast"}, "malformed"),
        ({"channels": 0}, "channels"),
        ({"outputs": []}, "no outputs"),
        ({"outputs": ["a", "a"]}, "twice"),
        ({"version": 99}, "version"),
        ({"hop": 0}, "hop"),
        ({"surprise": 1}, "surprise"),
        ({"shares": [1.0]}, "one part"),
        ({"shares": [0.5, 0.5, 0.5, -0.5]}, "one part"),
        ({"shares": ["x", 0, 0, 0]}, "malformed"),
        ({"refining": [0.5]}, "one part"),
        ({"refining": [0.5, 0.5, 0.5, 1.5]}, "one part"),
        ({"states": [{"name": "x", "shape": [0], "dtype": "float32"}]}, "without elements"),
        ({"states": 3}, "malformed"),
        ({"hop": float("inf")}, "no finite number"),
        ({"hop": 256.5}, "malformed"),
        ({"hop": True}, "malformed"),
        ({"latency": 1 << 40}, "too large"),
        ({"size": 0}, "cannot be"),
        ({"shares": [float("nan")] * 4}, "no finite number"),
        ({"refining": [float("nan")] * 4}, "no finite number"),
        ({"quality": {"sdr": float("-inf")}}, "no finite number"),
        ({"outputs": ["a", "b", "c", "../../../tmp/x"]}, "'/'"),
        ({"outputs": ["a", "b", "c", "/x"]}, "'/'"),
        ({"outputs": ["a", "b", "c", "con"]}, "Windows"),
        ({"outputs": ["a", "b", "c", "<b>x</b>"]}, "'<'"),
        ({"outputs": ["a", "b", "c", "A"]}, "twice"),
        ({"outputs": ["a", "b", "c", "Mix"]}, "another strip"),
        ({"outputs": ["a", "b", "c", "x" * 65]}, "65 characters"),
        ({"name": "../x"}, "begins or ends|'/'"),
        ({"name": None}, "name"),
        ({"licence": ["CC0"]}, "licence"),
        ({"quality": "good"}, "quality"),
    ],
)
def test_a_card_that_cannot_be_true_is_refused(
    exported: tuple[Path, ModelCard], tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    directory = copy(exported, tmp_path)
    values = json.loads((directory / CARD_FILE).read_text())
    (directory / CARD_FILE).write_text(json.dumps({**values, **change}))
    with pytest.raises(CardError, match=sentence):
        read_card(directory)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}', "\x00\xff"])
def test_garbage_for_a_card_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / CARD_FILE).write_text(text, encoding="latin-1")
    with pytest.raises(CardError):
        read_card(tmp_path)


def test_cards_are_written_atomically(exported: tuple[Path, ModelCard], tmp_path: Path) -> None:
    write_card(exported[1], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [CARD_FILE]


def test_models_are_found_by_name_and_by_path(exported: tuple[Path, ModelCard]) -> None:
    directory, _ = exported
    assert find_model(directory) == directory
    assert find_model(directory / MODEL_FILE) == directory
    for name in model_names():
        assert find_model(name).name == name
    with pytest.raises(CardError, match="installed are"):
        find_model("no-such-model")


def test_a_retired_model_is_one_sentence_with_what_to_use_instead(tmp_path, monkeypatch):
    monkeypatch.setenv("STEMPLAY_MODELS_DIR", str(tmp_path))
    with pytest.raises(CardError, match=r"demucs-studio is no longer shipped: use demucs-live and look 17\.4 ms ahead"):
        find_model("demucs-studio")
    assert not set(catalog.RETIRED) & set(model_names())
    shutil.copytree(find_model("demucs-open"), tmp_path / "demucs-studio")
    assert find_model("demucs-studio") == tmp_path / "demucs-studio", "who has it installed keeps it"


@pytest.mark.parametrize("name", ["x" * 70_000, "a/" * 3000, "~nobody-of-that-name/model", "nul\0byte", ""])
def test_a_name_that_no_system_could_have_is_no_model(name: str) -> None:
    with pytest.raises(CardError, match="There is no model") as told:
        catalog.find_model(name)
    assert len(str(told.value)) < 600


@pytest.mark.parametrize("name", model_names())
def test_shipped_models_match_their_cards(name: str) -> None:
    directory = find_model(name)
    verify_file(read_card(directory), directory)


def test_the_best_installed_separator_plays_where_none_is_named(tmp_path, monkeypatch):
    assert catalog.default_separator() == "demucs-live"
    monkeypatch.setattr(catalog, "ZOO", tmp_path)
    (tmp_path / "demucs-open").mkdir()
    (tmp_path / "demucs-open" / "card.json").write_text("{}")
    assert catalog.default_separator() == "demucs-open", "as in a wheel, which has no weights for research only"


def test_the_separator_for_files_is_the_best_by_its_card() -> None:
    shipped = separators()
    scores = [validation_sdr(card) for card in shipped.values()]
    assert scores == sorted(scores, reverse=True) and all(card.kind == "separator" for card in shipped.values())
    assert best_separator() == next(iter(shipped)) and scores[0] > scores[-1] > 0
    card = next(iter(shipped.values()))
    for nothing in ({}, {"validation": 3.0}, {"validation": {"sdr_mean": "4"}}, {"validation": {"sdr_mean": math.nan}}):
        assert validation_sdr(replace(card, quality=nothing)) == -math.inf

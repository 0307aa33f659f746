"""The exported instrument against the network it was made from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rtaudio.audio.format import StemplayError
from rtaudio.instrument.model import InstrumentModel, VoiceState
from tests.sing_fixture import tiny_instrument, tiny_sing


def _note(model: InstrumentModel, rows: list[tuple[float, str, float]]) -> np.ndarray:
    velocity = np.stack([model.velocity_weights(v) for v, _, _ in rows])
    instrument = np.stack([model.instrument_weights({name: 1}) for _, name, _ in rows])
    pitch = np.stack([model.pitch_weights(p) for _, _, p in rows])
    state, blocks = model.initial_state(len(rows)), []
    for time in range(model.steps):
        audio, state = model.step(velocity, instrument, pitch, np.full(len(rows), time), state)
        blocks.append(audio)
    return np.concatenate(blocks[model.PRIMING :], axis=1)[:, : model.samples]


def test_exported_note_is_the_networks(tmp_path: Path) -> None:
    model = InstrumentModel(tiny_instrument(tmp_path))
    with torch.no_grad():
        expected = tiny_sing()(torch.tensor([2, 4]), torch.tensor([0, 1]), torch.tensor([10, 40])).numpy()
    found = _note(model, [(75, "organ", 46), (127, "piano", 76)])
    assert found.shape == (2, 64_000)
    assert np.abs(found - expected).max() < 1e-5


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_voices_do_not_influence_each_other(tmp_path: Path, precision: str) -> None:
    model = InstrumentModel(tiny_instrument(tmp_path, precision=precision))
    rows = [(100.0, "flute", 60.0), (30.0, "bass", 40.0), (61.0, "organ", 80.0)]
    together = _note(model, rows)
    alone = np.concatenate([_note(model, [row]) for row in rows])
    assert np.abs(together - alone).max() < 1e-5


def test_int8_stays_near(tmp_path: Path) -> None:
    rows = [(100.0, "flute", 60.0)]
    exact = _note(InstrumentModel(tiny_instrument(tmp_path / "a")), rows)
    rounded = _note(InstrumentModel(tiny_instrument(tmp_path / "b", precision="int8")), rows)
    error = exact - rounded
    assert 10 * np.log10(np.sum((exact - exact.mean()) ** 2) / np.sum(error**2)) > 20


def test_weights_between_symbols(tmp_path: Path) -> None:
    model = InstrumentModel(tiny_instrument(tmp_path))
    for velocity in range(1, 128):
        weights = model.velocity_weights(velocity)
        assert weights.min() >= 0 and abs(weights.sum() - 1) < 1e-6 and np.count_nonzero(weights) <= 2
        heard = float(weights @ np.array(model.velocities))
        assert abs(heard - min(max(velocity, 25), 127)) < 1e-4
    assert np.allclose(model.instrument_weights({"organ": 3, 2: 1}), [0.75, 0, 0.25, 0])
    assert model.pitch_weights(36)[0] == 1 and model.pitch_weights(200)[-1] == 1
    with pytest.raises(StemplayError, match="no instrument 'kazoo'"):
        model.instrument_weights({"kazoo": 1})


def test_states_are_taken_and_stacked(tmp_path: Path) -> None:
    model = InstrumentModel(tiny_instrument(tmp_path))
    state = model.initial_state(3)
    state.h[1] = 5
    both = VoiceState.stack([state.take([1]), state.take([0])])
    assert len(both) == 2 and both.h[0].max() == 5 and both.h[1].max() == 0


def test_what_contradicts_its_card_is_refused(tmp_path: Path) -> None:
    directory = tiny_instrument(tmp_path)
    card = json.loads((directory / "card.json").read_text())
    card["training"]["ranges"] = card["training"]["ranges"][:2]
    (directory / "card.json").write_text(json.dumps(card))
    with pytest.raises(StemplayError, match="contradicts itself"):
        InstrumentModel(directory)
    with pytest.raises(StemplayError, match="not an instrument"):
        InstrumentModel("demucs-live")

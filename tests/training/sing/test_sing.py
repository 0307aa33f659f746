"""SING's training: three stages, continuing as if never stopped, tables, publishing, on synthetic notes (NSY-04)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.catalog import find_model, load_card
from models.sing import NoteEncoder, Sing, SingConfig
from rtaudio.audio.format import StemplayError
from rtaudio.instrument.model import InstrumentModel
from training.cli import main
from training.data.note_store import NoteStore
from training.losses import NOTE_LOSSES
from training.sing.fit import Run, SingOptions, open_sing, sized_for
from training.sing.recipe import SingRecipe, read_sing_recipe
from training.sing.score import by_instrument, score_note, summary
from training.sing.stages import STAGES, StagePlan, Trainer


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notes")
    assert main(["prepare", "notes", "--synthetic", "-o", str(folder), "--pitches", "57-68", "--workers", "1"]) == 0
    return folder


def small(store: Path, **changes: int) -> SingConfig:
    return sized_for(SingConfig(hidden=24, channels=48, latent=8, layers=2, **changes), NoteStore(store))


def recipe(steps: int = 6, batch: int = 4) -> SingRecipe:
    plan = StagePlan(steps=steps, batch=batch, lr=3e-3, window=24)
    network = SingConfig(hidden=24, channels=48, latent=8, layers=2, bands=64)
    return SingRecipe("test", network, plan, plan, plan)


def test_the_recipes_are_the_thesis_and_ours() -> None:
    thesis = read_sing_recipe("sing-thesis")
    assert sum(w.numel() for w in Sing(SingConfig(hidden=8, channels=8)).parameters())  # sizes are configurable
    assert thesis.network == SingConfig()
    plans = [getattr(thesis, stage) for stage in STAGES]
    assert [(plan.lr, plan.batch, plan.window, plan.final_lr) for plan in plans] == [(3e-4, 256, 0, 1.0)] * 3
    assert [plan.epochs for plan in plans] == [50, 50, 20]
    ours = read_sing_recipe("sing-gm")
    assert (ours.network.hidden, ours.network.channels) == (256, 512)
    assert SingRecipe.from_dict(json.loads(json.dumps(ours.to_dict()))) == ours
    waveform = ours.with_loss("waveform")  # SING-14
    assert (waveform.autoencoder.loss, waveform.end_to_end.loss, waveform.sequence) == ("waveform",) * 2 + (
        ours.sequence,
    )
    shared = ours.within(30)
    assert sum(getattr(shared, stage).seconds for stage in STAGES) == pytest.approx(1800)
    for values, words in [
        ({"name": "x", "speed": 1}, "unknown entry 'speed'"),
        ({"name": "x", "sequence": {"lr": "fast"}}, "sequence.lr must be of type float"),
        ({"name": "x", "network": {"hidden": 0}}, "network cannot be"),
        ({}, "needs a name"),
    ]:
        with pytest.raises(StemplayError, match=words):
            SingRecipe.from_dict(values)


def test_each_stage_moves_its_own_parts_and_learns(store: Path) -> None:
    notes = NoteStore(store)
    torch.manual_seed(0)
    sing, encoder = Sing(small(store)), NoteEncoder(small(store))
    trainer = Trainer(sing, encoder, notes)

    def snapshot() -> dict[str, bytes]:
        parts = {"tables": sing.sequence, "decoder": sing.decoder, "encoder": encoder}
        return {name: b"".join(p.detach().numpy().tobytes() for p in part.parameters()) for name, part in parts.items()}

    moved = {}
    for stage in STAGES:
        before = snapshot()
        trainer.run(
            stage,
            StagePlan(steps=3, batch=4, lr=3e-3, window=24, loss="relative" if stage == STAGES[0] else "spectral"),
        )
        trainer.forget_position()
        moved[stage] = {name for name, value in snapshot().items() if value != before[name]}
    assert moved == {"autoencoder": {"decoder", "encoder"}, "sequence": {"tables"}, "end_to_end": {"tables", "decoder"}}

    first: list[float] = []
    learner = Trainer(sing, encoder, notes, lambda t: first.append(t.position.loss))
    last = learner.run("autoencoder", StagePlan(steps=300, batch=8, lr=3e-3, window=24, loss="relative"))
    assert last < 0.7 * first[0]


def test_the_last_stage_may_hear_more_of_how_notes_begin(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def windows(attack: float) -> set[int]:
        trainer = Trainer(Sing(small(store)), NoteEncoder(small(store)), NoteStore(store))
        starts: list[int] = []
        excitation = trainer.sing.excitation
        monkeypatch.setattr(
            trainer.sing,
            "excitation",
            lambda pitch, start, steps: starts.append(start) or excitation(pitch, start, steps),
        )
        trainer.run("end_to_end", StagePlan(steps=8, batch=2, window=24, attack=attack))
        return set(starts)

    assert windows(1.0) == {0}
    assert len(windows(0.0)) > 5


def test_an_epoch_counts_the_training_notes(store: Path) -> None:
    notes = NoteStore(store)
    trainer = Trainer(Sing(small(store)), NoteEncoder(small(store)), notes)
    trainer.run("sequence", StagePlan(epochs=1, batch=64))
    assert trainer.position.step == -(-len(notes.train) // 64) and len(notes.train) == 220


def test_a_stopped_run_continues_to_the_same_weights(store: Path, tmp_path: Path) -> None:
    said: list[str] = []
    whole = Run(recipe(), SingOptions(tmp_path / "whole", store), said.append)
    whole.fit()
    part = Run(recipe(), SingOptions(tmp_path / "part", store), said.append)
    after = part.trainer.after_step

    def stop(trainer: Trainer) -> None:
        after(trainer)
        trainer.stop_requested = trainer.position.stage == "sequence" and trainer.position.step == 4

    part.trainer.after_step = stop
    part.fit()
    assert part.done == ["autoencoder"] and part.trainer.position.step == 4
    rest = Run(recipe(), SingOptions(tmp_path / "part", store, resume=True), said.append)
    rest.fit()
    assert rest.done == list(STAGES)
    for (name, one), (_, other) in zip(whole.sing.state_dict().items(), rest.sing.state_dict().items(), strict=True):
        assert torch.equal(one, other), name
    assert any("s of audio a second" in line and "min left" in line for line in said)


def test_other_weights_can_begin_and_their_instruments_keep_their_rows(store: Path, tmp_path: Path) -> None:
    Run(recipe(2), SingOptions(tmp_path / "first", store), lambda _: None).fit()
    arguments = [
        "prepare",
        "notes",
        "--synthetic",
        "-o",
        str(tmp_path / "wider"),
        "--pitches",
        "55-70",
        "--workers",
        "1",
    ]
    assert main(arguments) == 0
    weights = tmp_path / "first" / "weights.safetensors"
    grown = Run(recipe(2), SingOptions(tmp_path / "second", tmp_path / "wider", init=weights), lambda _: None)
    old, _, _ = open_sing(weights)
    torch.testing.assert_close(grown.sing.sequence.instrument.weight, old.sequence.instrument.weight)
    torch.testing.assert_close(grown.sing.sequence.pitch.weight[2:14], old.sequence.pitch.weight)
    torch.testing.assert_close(grown.sing.sequence.pitch.weight[0], old.sequence.pitch.weight[0])
    with pytest.raises(StemplayError, match="cannot be read as weights of SING"):
        open_sing(store / "manifest.json")
    with pytest.raises(StemplayError, match="do not fit"):
        Run(read_sing_recipe("sing-gm"), SingOptions(tmp_path / "third", store, init=weights), lambda _: None)


def test_the_command_trains_and_publishes_an_instrument_that_plays(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = tmp_path / "run", tmp_path / "mini"
    arguments = ["sing", "fit", "--tiny", "--steps", "3", "--store", str(store), "-o", str(run)]
    assert main(arguments) == 0
    assert main(arguments) == 2
    assert "There is already a run in" in capsys.readouterr().err
    assert main(["sing", "release", str(run), "--store", str(store), "-o", str(out), "--note", "a test"]) == 0
    model = InstrumentModel(out)
    assert model.instruments == ("harmonic", "hollow", "noisy", "struck") and model.pitches == (57, 68)
    assert model.sustains == (True, True, True, False) and model.ranges[0] == (57, 68)
    quality = model.card.quality
    assert {"autoencoder_spectral", "spectral", "f0_median_cents", "restarts_per_note", "tonal_artefact_db"} <= set(
        quality
    )
    assert model.card.training["note"] == "a test" and (out / "weights.json").exists()
    assert (
        json.loads((out / "split.json").read_text())["test"] == json.loads((store / "split.json").read_text())["test"]
    )
    capsys.readouterr()
    assert main(["sing", "score", str(out), "--store", str(store)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["spectral"] == quality["spectral"] and set(again["instruments"]) == set(model.instruments)
    assert again["distances"]["itakura_saito"] > 0
    assert main(["sing", "speed", str(out)]) == 0
    table = capsys.readouterr().out
    assert "| 2133 | 243 MB |" in table and "| mini int8 |" in table and table.count("\n") == 6
    again = tmp_path / "again"
    arguments = [
        "export",
        str(out / "weights.safetensors"),
        "-o",
        str(again),
        "--precision",
        "int8",
        "--store",
        str(store),
    ]
    assert main(arguments) == 0
    exported = InstrumentModel(again)
    assert (
        exported.card.quality == quality
        and exported.ranges == model.ranges
        and exported.card.sha256 == model.card.sha256
    )
    assert main(["export", str(run / "weights.safetensors"), "-o", str(tmp_path / "bare")]) == 2
    assert "is needed, because it lists the instruments" in capsys.readouterr().err
    assert main(["sing", "release", str(run)]) == 2
    assert main(["sing", "fit", "nonsense"]) == 2
    assert main(["sing", "score", "nonsense"]) == 2
    assert main(["sing", "fit", "--store", str(tmp_path / "nowhere")]) == 2
    assert "prepare notes" in capsys.readouterr().err


def test_the_table_and_the_figure_of_the_thesis(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "tables"
    arguments = ["sing", "tables", "--tiny", "--steps", "2", "--store", str(store), "-o", str(out)]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert text.count("| SING") == 3 and text.count("| Autoencoder") == 2 and "(0.051)" in text
    rows = json.loads((out / "table-2.1.json").read_text())["rows"]
    assert len(rows) == 5 and all(len(row) == 4 and np.isfinite(row).all() for row in rows.values())
    for picture in ("figure-2.2.png", "embeddings.png"):
        assert (out / picture).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_describe_is_the_figure_of_the_architecture(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "sing"]) == 0
    text = capsys.readouterr().out
    for words in (
        "K=9, S=1, C=4096",
        "ConvTranspose1d K=1024, S=256, C=1",
        "63,747,927 weights, 243.2 MiB",
        "38,285,440",
        "265 steps",
    ):
        assert words in text
    assert main(["describe", "sing", "--depth", "3"]) == 2


def test_a_note_is_measured_against_its_recording() -> None:
    time = np.arange(64_000) / 16_000
    recording = 0.3 * np.sin(2 * np.pi * 440 * time)
    flat = 0.3 * np.sin(2 * np.pi * 440 * 2 ** (-20 / 1200) * time)
    turned = np.where(time < 1.5, recording, -recording)
    scores = [score_note("a", 69, flat, recording), score_note("b", 69, turned, recording)]
    assert scores[0].error == pytest.approx(-20, abs=0.5) and scores[0].harmonic
    assert (scores[1].restarts, scores[1].restarts_recorded) == (1, 0)
    both = summary(scores)
    assert both["notes"] == 2 and both["f0_within_10_cents"] == 0.5 and both["restarts_per_note"] == 0.5
    assert list(by_instrument(scores)) == ["a", "b"]
    quiet = score_note("c", 69, recording / 10, recording)
    assert quiet.level == pytest.approx(-20, abs=0.01) and quiet.spectral > 10 * score_note("c", 69, recording, recording).spectral
    assert summary([quiet])["level_error_db"] == pytest.approx(-20, abs=0.1)


def test_a_focused_run_draws_its_share_from_the_named_instruments(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes = NoteStore(store)
    sing = Sing(sized_for(SingConfig(hidden=8, layers=1, latent=4, channels=8), notes))
    trainer = Trainer(sing, NoteEncoder(sing.config), notes)
    drawn = np.concatenate([trainer._draw(StagePlan(batch=8, focus=("struck",), share=0.75)) for _ in range(40)])
    struck = np.mean(notes.instrument[drawn] == notes.instruments.index("struck"))
    assert 0.75 < struck < 0.9 and set(drawn) <= set(notes.train)
    arguments = ["sing", "fit", "--tiny", "--steps", "1", "--store", str(store), "-o", str(tmp_path / "run"), "--focus"]
    assert main([*arguments, "kazoo"]) == 2
    assert "no instrument kazoo; it has harmonic" in capsys.readouterr().err and not (tmp_path / "run").exists()
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "struck", "--share", "1.5"])


def test_the_multiscale_loss_hears_what_the_thesis_loss_does_not() -> None:
    time = torch.arange(32_000) / 16_000
    clean = 0.3 * torch.sin(2 * torch.pi * 440 * time)[None]
    beside = clean + 0.02 * torch.sin(2 * torch.pi * 460 * time)[None]
    assert NOTE_LOSSES["multiscale"](clean, clean) == 0
    assert NOTE_LOSSES["multiscale"](clean, -clean) == 0
    assert NOTE_LOSSES["multiscale"](beside, clean) > 1.3 * NOTE_LOSSES["spectral"](beside, clean)


def test_the_page_of_the_shipped_instrument_has_the_scores_of_its_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sing", "instruments", "sing-gm"]) == 0
    assert capsys.readouterr().out in (find_model("sing-gm") / "README.md").read_text(encoding="utf-8")
    making = json.loads((find_model("sing-gm") / "weights.json").read_text(encoding="utf-8"))["quality"]
    assert load_card("sing-gm").quality == {key: value for key, value in making.items() if key != "instruments"}

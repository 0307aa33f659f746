"""Training curves: logs as the trainers write them, read while they grow, and drawn."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from gui import theme
from gui.bridge import Bridge
from gui.curves.runs import Run, find_runs
from gui.pages.curves import CurvesPage
from rtaudio.audio.format import StemplayError

HEAD = "elapsed,loss,lr,step,valid_loss\n"


def write_log(folder: Path, text: str, version: int = 0) -> Path:
    """A run's CSV log."""
    path = folder / "csv" / f"version_{version}" / "metrics.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_log_of_the_trainer_itself_is_read(tmp_path: Path) -> None:
    """Not a copy of its format: the logger that the trainer uses writes it."""
    from lightning.fabric.loggers.csv_logs import CSVLogger

    logger = CSVLogger(tmp_path, name="csv", flush_logs_every_n_steps=1)
    logger.log_metrics({"loss": 0.5, "lr": 1e-3, "elapsed": 60.0}, 10)
    logger.log_metrics({"valid_loss": 0.4, "sdr_mean": 1.5, "elapsed": 90.0}, 15)
    run = Run(tmp_path)
    assert run.refresh() and not run.refresh()
    assert list(run.curves) == ["loss", "valid_loss", "sdr_mean", "lr"]
    assert (run.curves["valid_loss"].steps, run.curves["valid_loss"].minutes, run.curves["loss"].values) == (
        [15],
        [1.5],
        [0.5],
    )


def test_a_line_that_is_being_written_waits_for_the_next_look(tmp_path: Path) -> None:
    path = write_log(tmp_path, HEAD + "1.0,0.5,0.001,1,\n2.0,0.4")
    run = Run(tmp_path)
    run.refresh()
    assert run.curves["loss"].values == [0.5]
    path.write_text(HEAD + "1.0,0.5,0.001,1,\n2.0,0.4,0.001,2,\n3.0,nan,0.001,3,0.3\n")
    assert run.refresh()
    assert run.curves["loss"].values == [0.5, 0.4] and run.latest()["valid_loss"] == 0.3


def test_a_resumed_run_writes_steps_again_and_the_later_ones_count(tmp_path: Path) -> None:
    write_log(tmp_path, HEAD + "1,0.5,,1,\n2,0.4,,2,\n3,0.3,,3,\n", 2)
    write_log(tmp_path, HEAD + "3,0.7,,2,\n4,0.6,,4,\n", 10)
    run = Run(tmp_path)
    run.refresh()
    assert run.curves["loss"].steps == [1, 2, 3, 4] and run.curves["loss"].values == [0.5, 0.7, 0.3, 0.6]


def test_the_stages_of_sing_are_curves_of_their_own(tmp_path: Path) -> None:
    rows = [
        {"stage": "autoencoder", "step": 1, "seconds": 60.0, "loss": 2.0},
        {"stage": "sequence", "step": 1, "seconds": 3, "loss": 1},
    ]
    (tmp_path / "history.json").write_text(json.dumps(rows))
    run = Run(tmp_path)
    run.refresh()
    assert list(run.curves) == ["loss autoencoder", "loss sequence"]
    assert run.curves["loss autoencoder"].minutes == [1.0]


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '"x"', '{"validations": 3}', '[{"step": "x", "loss": null}]'])
def test_what_is_no_history_gives_no_curves(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.json").write_text(text)
    run = Run(tmp_path)
    run.refresh()
    assert run.curves == {}


def test_runs_are_found_beside_each_other(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_log(tmp_path / name, HEAD)
    (tmp_path / "empty").mkdir()
    assert [path.name for path in find_runs(tmp_path)] == ["a", "b"]
    assert find_runs(tmp_path / "a") == [tmp_path / "a"]
    with pytest.raises(StemplayError, match="no training run"):
        find_runs(tmp_path / "empty")


# ---------------------------------------------------------------- the page


@pytest.fixture
def page(bridge: Bridge, qtbot: QtBot) -> CurvesPage:
    page = CurvesPage(bridge)
    qtbot.addWidget(page)
    page.resize(1000, 600)
    page.show()
    return page


def drawn(page: CurvesPage) -> dict[str, list[float]]:
    """Name -> values of the curves in the plot."""
    return {item.name(): list(item.getOriginalDataset()[1]) for item in page.plot.getPlotItem().listDataItems()}


def test_a_folder_is_opened_and_drawn(
    page: CurvesPage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_log(tmp_path / "narrow", HEAD + "60,0.5,0.01,1,\n120,0.4,0.01,2,0.6\n")
    write_log(tmp_path / "wide", HEAD + "60,0.3,0.01,1,\n")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    qtbot.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    assert drawn(page) == {"narrow": [0.5, 0.4], "wide": [0.3]}
    assert "narrow: loss 0.4 at step 2" in page.told.text()
    page.list.item(1).setCheckState(Qt.CheckState.Unchecked)  # type: ignore[union-attr]
    assert list(drawn(page)) == ["narrow"]
    page.quantity.setCurrentText("valid_loss")
    assert drawn(page) == {"narrow": [0.6]}
    page.axis.setCurrentIndex(1)
    (item,) = page.plot.getPlotItem().listDataItems()
    assert list(item.getOriginalDataset()[0]) == [2.0]


def test_curves_grow_while_a_run_learns_and_the_choice_stays(page: CurvesPage, tmp_path: Path) -> None:
    path = write_log(tmp_path, HEAD + "60,0.5,0.01,1,0.7\n")
    page.open_folder(tmp_path)
    page.quantity.setCurrentText("valid_loss")
    path.write_text("elapsed,loss,lr,sdr_mean,step,valid_loss\n60,0.5,0.01,,1,0.7\n120,,,2.5,2,0.6\n")
    page.look()
    assert drawn(page) == {tmp_path.name: [0.7, 0.6]} and page.quantity.findText("sdr_mean") >= 0
    assert page._timer.isActive()
    page.hide()
    assert not page._timer.isActive()


def test_a_logarithmic_axis(page: CurvesPage, tmp_path: Path) -> None:
    write_log(tmp_path, HEAD + "60,0.1,0.01,1,\n120,0.001,0.01,2,\n")
    page.open_folder(tmp_path)
    page.logarithmic.setChecked(True)
    (item,) = page.plot.getPlotItem().listDataItems()
    assert list(item.getData()[1]) == pytest.approx([math.log10(0.1), math.log10(0.001)])


def test_a_folder_without_runs_is_told_and_the_old_curves_stay(page: CurvesPage, tmp_path: Path) -> None:
    write_log(tmp_path / "run", HEAD + "60,0.5,0.01,1,\n")
    page.open_folder(tmp_path / "run")
    (tmp_path / "empty").mkdir()
    page.open_folder(tmp_path / "empty")
    assert "no training run" in page.notice.text() and drawn(page) == {"run": [0.5]}


def test_the_plot_follows_the_theme(page: CurvesPage, qapp: QApplication) -> None:
    for name in ("light", "dark"):
        theme.apply(qapp, name)
        qapp.processEvents()
        assert page.plot.backgroundBrush().color().name() == theme.current().panel

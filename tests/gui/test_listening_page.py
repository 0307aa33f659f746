"""The listening page: every action, on a session that only remembers."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QAbstractButton, QComboBox, QFileDialog, QSlider, QWidget
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.pages import PAGES
from gui.pages.listening import ListeningPage
from tests.gui.conftest import FakeSession
from tests.gui.listening_fixture import answers, tone, write_test
from tests.gui.listening_stage import Stage


def test_the_page_stands_in_the_windows_table(bridge: Bridge, qtbot: QtBot) -> None:
    (page,) = [page for page in PAGES if page.key == "listening"]
    widget = page.make(bridge)
    qtbot.addWidget(widget)
    assert isinstance(widget, ListeningPage)


def test_opening_a_folder_lists_its_sheets(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_test(tmp_path, participants=2)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    stage.click(stage.page.start.open_button)
    picker = stage.page.start.picker
    assert [picker.itemText(i) for i in range(2)] == ["p1: 0 of 3 answered", "p2: 0 of 3 answered"]


def test_a_folder_that_is_no_test_is_told_in_a_sentence(stage: Stage, tmp_path: Path) -> None:
    stage.page.start.open_test(tmp_path)
    assert stage.page.error.isVisible() and "no listening test" in stage.page.error.text()
    assert not stage.page.start.sheets.isVisible()


def test_nobody_begins_without_saying_what_they_listen_with_and_hearing_the_check(stage: Stage, tmp_path: Path) -> None:
    stage.open(write_test(tmp_path))
    check = stage.page.check
    assert not check.begin_button.isEnabled()
    stage.click(check.devices.buttons[0])
    assert not check.begin_button.isEnabled()
    stage.click(check.check_button)
    assert stage.commands()[-2:] == ["seek", "play"] and stage.sought == 0.0
    assert check.begin_button.isEnabled()
    check.volume.setValue(-12)
    assert stage.session.desired.mixer.master_db == -12


def test_a_live_engine_that_sounds_as_well_is_told(
    stage: Stage, bridge: Bridge, session: FakeSession, tmp_path: Path
) -> None:
    stage.open(write_test(tmp_path))
    bridge.poll()
    assert stage.page.check.live_note.isVisible()
    session.report.state = "stopped"
    bridge.poll()
    assert not stage.page.check.live_note.isVisible()


def test_the_player_begins_in_silence_and_softly(stage: Stage, tmp_path: Path) -> None:
    stage.open(write_test(tmp_path))
    assert stage.commands()[0] == "pause" and "play" not in stage.commands()
    assert stage.session.desired.mixer.master_db == -20


def test_rating_by_mouse(stage: Stage, tmp_path: Path) -> None:
    stage.open(write_test(tmp_path))
    stage.begin()
    trials = stage.page.trials
    assert (
        trials is not None and trials.title.text() == "Sound 1 of 3" and trials.about.text() == "Listen to the vocals"
    )
    assert not trials.next_button.isEnabled() and trials.hint.text() == "Listen first"
    stage.click(trials.sound_buttons["sound"])
    assert stage.commands()[-1] == "play" and trials.sound_buttons["sound"].text() == "■  Stop"
    for rating, point in zip(trials.ratings, (4, 2), strict=True):
        assert trials.hint.text() == "Answer to go on"
        stage.click(rating.choices.buttons[point - 1])
    stage.click(trials.next_button)
    assert answers(tmp_path)[1]["ratings"] == {"quality": 4, "contamination": 2}
    assert trials.title.text() == "Sound 2 of 3" and [rating.value for rating in trials.ratings] == [0, 0]
    assert stage.commands()[-1] == "pause"


def test_rating_by_keys_to_the_end(stage: Stage, tmp_path: Path) -> None:
    stage.open(write_test(tmp_path))
    stage.begin()
    for first in (Qt.Key.Key_1, Qt.Key.Key_3, Qt.Key.Key_5):
        stage.key(Qt.Key.Key_P)
        stage.key(first)
        stage.key(Qt.Key.Key_2)
        stage.key(Qt.Key.Key_Return)
    rows = answers(tmp_path)[1:]
    assert [row["ratings"] for row in rows] == [{"quality": q, "contamination": 2} for q in (1, 3, 5)]
    assert all(row["plays"] == {"sound": 1} and row["headphones"] for row in rows)
    assert stage.page.done.isVisible() and "p1.jsonl" in stage.page.done.text.text()
    assert stage.session.closed
    stage.click(stage.page.done.again_button)
    assert stage.page.start.picker.currentText() == "p1: 3 of 3 answered"


def test_back_shows_what_was_answered_and_a_new_answer_replaces_it(stage: Stage, tmp_path: Path) -> None:
    stage.open(write_test(tmp_path))
    stage.begin()
    trials = stage.page.trials
    assert trials is not None and not trials.back_button.isEnabled()
    for key in (Qt.Key.Key_P, Qt.Key.Key_4, Qt.Key.Key_4, Qt.Key.Key_Return):
        stage.key(key)
    stage.click(trials.back_button)
    assert [rating.value for rating in trials.ratings] == [4, 4]
    stage.click(trials.ratings[0].choices.buttons[0])
    stage.key(Qt.Key.Key_Return)
    assert [row["ratings"]["quality"] for row in answers(tmp_path)[1:]] == [4, 1]


def test_a_break_ends_the_sound_and_the_test_goes_on_where_it_was(stage: Stage, tmp_path: Path) -> None:
    sheet = write_test(tmp_path)
    stage.open(sheet)
    stage.begin()
    for key in (Qt.Key.Key_P, Qt.Key.Key_3, Qt.Key.Key_3, Qt.Key.Key_Return):
        stage.key(key)
    assert stage.page.trials is not None
    stage.click(stage.page.trials.leave_button)
    assert stage.session.closed == 1 and stage.page.start.picker.currentText() == "p1: 1 of 3 answered"
    stage.open(sheet)
    stage.begin(headphones=False)
    assert stage.page.trials is not None and stage.page.trials.title.text() == "Sound 2 of 3"
    for key in (Qt.Key.Key_P, Qt.Key.Key_3, Qt.Key.Key_3, Qt.Key.Key_Return):
        stage.key(key)
    assert [row["headphones"] for row in answers(tmp_path)[1:]] == [True, False]


def test_an_answer_that_cannot_be_written_is_told_and_does_not_count(stage: Stage, tmp_path: Path) -> None:
    stage.open(write_test(tmp_path))
    stage.begin()
    (tmp_path / "answers" / "p1.jsonl").unlink()
    (tmp_path / "answers" / "p1.jsonl").mkdir()
    for key in (Qt.Key.Key_P, Qt.Key.Key_3, Qt.Key.Key_3, Qt.Key.Key_Return):
        stage.key(key)
    assert "cannot be written" in stage.page.error.text()
    assert stage.page.trials is not None and stage.page.trials.title.text() == "Sound 1 of 3"


def test_another_page_silences_the_sound(stage: Stage, tmp_path: Path) -> None:
    stage.open(write_test(tmp_path))
    stage.begin()
    stage.key(Qt.Key.Key_P)
    stage.page.hide()
    assert stage.commands()[-1] == "pause" and stage.page.trials is not None and stage.page.trials.playing == ""


# ---------------------------------------------------------------- ABX


def test_abx_needs_all_three_heard_and_a_choice(stage: Stage, tmp_path: Path) -> None:
    stage.open(write_test(tmp_path, "abx", 2))
    stage.begin()
    trials = stage.page.trials
    assert trials is not None and trials.hint.text() == "Listen to X, A, B first"
    stage.key(Qt.Key.Key_X)
    stage.key(Qt.Key.Key_A)
    stage.key(Qt.Key.Key_1)
    stage.key(Qt.Key.Key_Return)
    assert trials.hint.text() == "Listen to B first" and len(answers(tmp_path)) == 1
    stage.key(Qt.Key.Key_B)
    stage.key(Qt.Key.Key_B)  # stops it
    assert stage.commands()[-1] == "pause" and trials.playing == ""
    stage.click(trials.choice.buttons[1])
    stage.key(Qt.Key.Key_Return)
    assert answers(tmp_path)[1] | {"time": ""} == {
        "trial": "p1-0", "choice": "B", "plays": {"X": 1, "A": 1, "B": 1}, "headphones": True, "time": "",
    }  # fmt: skip
    assert trials.choice.value == -1


# ---------------------------------------------------------------- making a test


def test_a_test_is_made_from_folders_and_opened(
    stage: Stage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = stage.page.start.maker
    for number, name in enumerate(("Reference", "One", "Other")):
        for item in range(3):
            tone(tmp_path / name / f"{item}.wav", 300 + 50 * number, 0.05)
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, name=name: str(tmp_path / name))
        assert maker.make_button.isEnabled() == (number >= 2)
        stage.click(maker.add_button)
    maker.participants.setValue(2)
    maker.trials.setValue(4)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "test"), ""))
    with qtbot.waitSignal(maker.made):
        stage.click(maker.make_button)
        assert not maker.make_button.isEnabled()
    picker = stage.page.start.picker
    assert [picker.itemText(i) for i in range(picker.count())] == ["p1: 0 of 4 answered", "p2: 0 of 4 answered"]
    maker.systems.setCurrentRow(0)
    stage.click(maker.remove_button)
    maker.kind.setCurrentIndex(1)
    with qtbot.waitSignal(maker.failed):
        maker.make(tmp_path / "abx")
    assert stage.page.error.text().startswith("An ABX test needs three folders")


# ---------------------------------------------------------------- access


@pytest.mark.parametrize("kind", ["mos", "abx"])
def test_every_control_has_a_name_and_is_reached_by_tab(stage: Stage, tmp_path: Path, kind: str) -> None:
    stage.open(write_test(tmp_path, kind, 1))
    stage.begin()
    page = stage.page
    assert page.trials is not None
    for view in (page.start, page.check, page.trials, page.done):
        for widget in view.findChildren(QWidget):
            if isinstance(widget, QAbstractButton | QSlider | QComboBox):
                assert widget.accessibleName() or widget.text(), widget  # type: ignore[union-attr]
                alone = not isinstance(widget, QAbstractButton) or widget.group() is None  # arrows go through a group
                assert not alone or widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget
    stage.key(Qt.Key.Key_P if kind == "mos" else Qt.Key.Key_X)
    first = next(iter(page.trials.sound_buttons.values()))
    first.setFocus()
    seen: list[QWidget | None] = [first]
    while len(seen) < 30:
        stage.qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
        if page.focusWidget() in seen:
            break
        seen.append(page.focusWidget())
    answers_reached = page.trials.ratings[0].choices.buttons if kind == "mos" else page.trials.choice.buttons
    assert set(page.trials.sound_buttons.values()) <= set(seen)
    assert set(answers_reached) & set(seen) and page.trials.leave_button in seen
    order = [seen.index(first), min(seen.index(made) for made in answers_reached if made in seen)]
    assert order == sorted(order)

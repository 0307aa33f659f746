"""Markers and named loops: added, renamed, dragged, undone, and kept by the song's content wherever its file goes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QInputDialog
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.mixer_model import mixer_model_of
from gui.pages.player import PlayerPage
from gui.player.lanes.board import LaneBoard
from gui.player.marks import SongMarks
from gui.player.player_model import player_model_of
from gui.player.transport import TransportBar
from gui.song_notes import Marker, SavedLoop, SongNotes, notes_of
from gui.store import Store
from rtaudio.audio.format import StemplayError
from rtaudio.files.song_key import song_key
from rtaudio.protocol.reports import Transport
from tests.gui.conftest import FakeSession
from tests.gui.test_jobs import write_song

KEY = "ab" * 20


@pytest.fixture
def page(bridge: Bridge, session: FakeSession, tmp_path: Path, qtbot: QtBot) -> PlayerPage:
    """A song of 100 s at 30 s, whose key is known; with the transport bar, which has the keys."""
    song = write_song(tmp_path / "song.wav", seconds=2.0, rate=8000)
    bridge.configure(input=str(song))
    session.report.transport = Transport(str(song), True, 30.0, 100.0)
    picture = {"path": str(song), "share": 1.0, "rate": 8000, "channels": 2, "seconds": 100.0, "key": song_key(song)}
    player_model_of(bridge).picture = {**picture, "peaks": [[-0.5, 0.5, 0.3]] * 100}
    page = PlayerPage(bridge)
    qtbot.addWidget(page)
    page.layout().addWidget(TransportBar(bridge))  # type: ignore[union-attr]
    page.resize(1000, 600)
    page.show()
    bridge.poll()
    assert page.board.marks.key
    session.commands.clear()
    return page


@pytest.fixture
def marks(page: PlayerPage) -> SongMarks:
    return page.board.marks


def names(marks: SongMarks) -> list[tuple[float, str]]:
    return [(round(marker.at_s, 2), marker.name) for marker in marks.markers]


def kept(bridge: Bridge, marks: SongMarks) -> SongNotes:
    """What the file says."""
    return Store(bridge.store.folder).load_song(marks.key, "", 0.0)


def test_a_key_adds_a_marker_where_the_song_is_and_others_go_there(
    page: PlayerPage, marks: SongMarks, bridge: Bridge, session: FakeSession
) -> None:
    for at in (30.0, 50.0, 10.0):
        session.report.transport.position_s = at
        bridge.poll()
        QTest.keySequence(page, "Ctrl+M")
    assert names(marks) == [(10, "Marker 3"), (30, "Marker 1"), (50, "Marker 2")]
    assert kept(bridge, marks).markers == marks.markers
    session.report.transport.position_s = 30.2
    bridge.poll()
    for keys, at in (("Alt+Shift+Right", 50.0), ("Alt+Shift+Left", 10.0)):  # just after a marker: to the one before it
        QTest.keySequence(page, keys)
        assert session.commands[-1].args == {"position_s": at}
    assert marks.chosen is not None and marks.chosen.name == "Marker 3"
    session.report.transport.position_s = 5.0
    bridge.poll()
    QTest.keySequence(page, "Alt+Shift+Left")
    assert session.commands[-1].args == {"position_s": 0.0}


def test_a_marker_is_renamed_moved_and_deleted_by_keys_and_all_is_undone(
    page: PlayerPage, marks: SongMarks, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    undo = mixer_model_of(bridge).undo
    marks.add_marker()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("  Chorus\n", True))
    page.wave.setFocus()
    QTest.keyClick(page.wave, Qt.Key.Key_F2)
    QTest.keyClick(page.wave, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert names(marks) == [(30.1, "Chorus")] and page.tools.markers.itemText(1) == "0:30.1  Chorus"
    QTest.keyClick(page.wave, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    assert not marks.markers and not kept(bridge, marks).markers
    states = []
    while undo.canUndo():
        undo.undo()
        states.append(names(marks))
    assert states == [[(30.1, "Chorus")], [(30.0, "Chorus")], [(30.0, "Marker 1")], []]
    undo.redo()
    assert names(marks) == [(30.0, "Marker 1")] == [(m.at_s, m.name) for m in kept(bridge, marks).markers]


def test_a_flag_is_clicked_and_dragged(page: PlayerPage, marks: SongMarks, session: FakeSession) -> None:
    marks.add_marker(20.0, "Here")
    wave = page.wave
    y = round(wave.places.marker_row.center().y())
    x = round(wave.x_of(20.0)) + 4
    QTest.mouseClick(wave, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    assert session.commands[-1].args == {"position_s": 20.0} and names(marks) == [(20, "Here")]
    QTest.mousePress(wave, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    for share in (0.3, 0.6):
        QTest.mouseMove(wave, QPoint(round(share * wave.width()), y))
    QTest.mouseRelease(wave, Qt.MouseButton.LeftButton, pos=QPoint(round(0.6 * wave.width()), y))
    assert marks.markers[0].at_s == pytest.approx(60.0, abs=0.2)
    assert session.commands[-1].op == "seek" and len(session.commands) == 1, "a drag does not seek"


def test_a_loop_is_kept_chosen_from_the_list_changed_by_a_drag_and_ended(
    page: PlayerPage, marks: SongMarks, bridge: Bridge, session: FakeSession
) -> None:
    def play(start: float, end: float) -> None:
        session.report.transport.loop = (start, end)
        bridge.poll()

    QTest.keySequence(page, "Ctrl+L")
    assert not marks.loops, "there is none"
    play(20.0, 40.0)
    page.tools.keep.click()
    play(60.0, 70.0)
    QTest.keySequence(page, "Ctrl+L")
    QTest.keySequence(page, "Ctrl+L")
    marks.rename_loop(marks.loops[1], "Bridge")
    assert [(loop.start_s, loop.end_s, loop.name) for loop in marks.loops] == [(20, 40, "Loop 1"), (60, 70, "Bridge")]
    assert kept(bridge, marks).loops == marks.loops and not page.tools.keep.isEnabled()
    page.tools.loops.setCurrentIndex(1)
    page.tools.loops.activated.emit(1)
    assert session.commands[-1].args == {"start_s": 20.0, "end_s": 40.0}, "the playhead is inside already"
    session.report.transport.position_s = 90.0
    bridge.poll()
    QTest.keySequence(page, "Ctrl+Shift+L")
    assert [command.op for command in session.commands[-2:]] == ["set_loop", "seek"]
    play(20.0, 40.0)
    assert page.tools.loops.currentText().startswith("Loop 1")
    wave = page.wave
    at = [QPoint(round(wave.x_of(s)), round(wave.places.body.center().y())) for s in (40.0, 45.0, 50.0)]
    QTest.mousePress(wave, Qt.MouseButton.LeftButton, pos=at[0])
    QTest.mouseMove(wave, at[1])
    QTest.mouseMove(wave, at[2])
    QTest.mouseRelease(wave, Qt.MouseButton.LeftButton, pos=at[2])
    assert marks.loops[0].name == "Loop 1" and marks.loops[0].end_s == pytest.approx(50.0, abs=0.2)
    bar = QPoint(round(wave.x_of(65.0)), round(wave.places.loop_row.center().y()))
    QTest.mouseClick(wave, Qt.MouseButton.LeftButton, pos=bar)
    assert ("set_loop", {"start_s": 60.0, "end_s": 70.0}) in [(c.op, c.args) for c in session.commands[-2:]]
    page.tools.loops.activated.emit(0)
    assert session.commands[-1].args == {"start_s": None, "end_s": None}
    project = marks.for_project()
    assert project["regions"][1] == (60.0, 70.0, "Bridge") and len(project["regions"]) == 3, "and the loop that plays, which was changed"
    marks.remove_loop(marks.loops[0])
    mixer_model_of(bridge).undo.undo()
    assert len(marks.loops) == 2


def test_menus_do_what_they_say(page: PlayerPage, marks: SongMarks, session: FakeSession, bridge: Bridge) -> None:
    def act(board: LaneBoard, at: Marker | SavedLoop | float, number: int) -> None:
        board.menu_of(at).actions()[number].trigger()

    act(page.board, 12.5, 0)
    assert names(marks) == [(12.5, "Marker 1")]
    act(page.board, marks.markers[0], 0)
    assert session.commands[-1].args == {"position_s": 12.5}
    session.report.transport.loop = (10.0, 20.0)
    bridge.poll()
    act(page.board, 12.5, 1)
    act(page.board, marks.loops[0], 1)
    assert page.board.viewport.first_s == pytest.approx(9.0) and page.board.viewport.last_s == pytest.approx(21.0)
    act(page.board, marks.loops[0], 3)
    act(page.board, marks.markers[0], 2)
    assert not marks.loops and not marks.markers


def test_a_moved_song_keeps_its_markers_and_another_one_has_none(
    page: PlayerPage, marks: SongMarks, bridge: Bridge, session: FakeSession, tmp_path: Path, qtbot: QtBot
) -> None:
    marks.add_marker(20.0, "Here")
    undo = mixer_model_of(bridge).undo
    other = write_song(tmp_path / "other.wav", seconds=5.0, rate=8000)
    moved = tmp_path / "folder" / "renamed.wav"
    moved.parent.mkdir()
    shutil.move(session.report.transport.path, moved)
    for song, expected in ((other, []), (moved, [(20, "Here")])):
        bridge.configure(input=str(song))
        session.report.transport = Transport(str(song), True, 0.0, 100.0)
        bridge.poll()
        assert not marks.key or names(marks) == expected
        qtbot.waitUntil(lambda: bool(marks.key))
        assert names(marks) == expected
        if song == other:
            undo.undo()
            assert names(marks) == [], "the undone change was another song's"
    assert [path.name for path in (bridge.store.folder / "songs").iterdir()] == [f"{marks.key}.json"]
    assert [path.name for path in moved.parent.iterdir()] == [moved.name], "nothing is written beside the song"


def test_what_is_noted_before_the_song_is_read_is_kept(bridge: Bridge, session: FakeSession, tmp_path: Path, qtbot: QtBot) -> None:
    song = write_song(tmp_path / "song.wav", seconds=20.0, rate=8000)
    bridge.configure(input=str(song))
    session.report.transport = Transport(str(song), True, 3.0, 20.0)
    page = PlayerPage(bridge)
    qtbot.addWidget(page)
    bridge.poll()
    marks = page.board.marks
    assert not marks.key
    marks.add_marker(name="Early")
    qtbot.waitUntil(lambda: bool(marks.key))
    assert names(marks) == [(3, "Early")] and kept(bridge, marks).markers == marks.markers


# ---------------------------------------------------------------- files


def test_notes_are_kept_by_content_and_a_song_with_other_tags_takes_them_over(tmp_path: Path) -> None:
    store = Store(tmp_path)
    notes = SongNotes("/music/a.mp3", 61.5, [Marker(1.0, "Ä “1”")], [SavedLoop(1.0, 2.0, "b")])
    store.save_song(KEY, notes)
    assert store.load_song(KEY, "/elsewhere/b.mp3", 61.5) == notes
    taken = store.load_song("cd" * 20, "/music/a.mp3", 61.505)
    assert (taken.markers, taken.loops) == (notes.markers, notes.loops)
    for path, seconds in (("/music/a.mp3", 61.6), ("/music/b.mp3", 61.5)):
        assert store.load_song("cd" * 20, path, seconds).markers == []
    store.save_song("cd" * 20, SongNotes("/music/a.mp3", 61.5))
    assert store.load_song("cd" * 20, "/music/a.mp3", 61.5).markers == [], "emptied notes do not come back"
    with pytest.raises(StemplayError, match="no key"):
        store.save_song("../../etc/passwd", notes)
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    "values",
    [
        {"markers": [{"at_s": -1, "name": "a"}]}, {"markers": [{"at_s": float("nan"), "name": "a"}]}, {"markers": {}}, {"markers": [3]},
        {"markers": [{"at_s": True, "name": "a"}]}, {"markers": [{"at_s": 1, "name": 5}]}, {"markers": [{"at_s": 1, "name": "a" * 81}]},
        {"loops": [{"start_s": 2, "end_s": 2, "name": "a"}]}, {"loops": [{"start_s": 2, "name": "a"}]}, {"path": 3}, {"seconds": "x"},
        {"markers": [{"at_s": 1, "name": "a"}] * 2001},
    ],
)  # fmt: skip
def test_damaged_notes_are_set_aside_and_told(tmp_path: Path, values: dict[str, object]) -> None:
    with pytest.raises(StemplayError):
        notes_of(values)
    store = Store(tmp_path)
    file = tmp_path / "songs" / f"{KEY}.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"version": 1, **values}))
    assert store.load_song(KEY, "", 0.0) == SongNotes()
    assert store.notices and "damaged" in store.notices[0] and file.with_name(f"{KEY}.json.bad").exists()

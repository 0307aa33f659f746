"""The instrument's keyboard: mouse, fingers and the computer's keys play it, and no note hangs."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtGui import QEventPoint, QInputDevice, QPointingDevice, QTouchEvent
from PyQt6.QtWidgets import QApplication, QLineEdit, QMainWindow
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.instrument import envelope
from gui.instrument.keyboard import SOFTEST
from gui.instrument.notes import PIANO_KEYS
from gui.instrument.panel import InstrumentPanel
from gui.pages.instrument import InstrumentPage
from rtaudio.instrument.midi_dispatcher import curved
from rtaudio.midi.keyboard import KEYS
from tests.gui.conftest import FakeSession
from tests.gui.instrument_fixture import Left, drag, hanging, midi

# --- keyboard ------------------------------------------------------------------------------------------------------------


def test_the_mouse_plays_louder_the_lower_it_strikes(
    panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    keys = panel.keyboard
    low = keys.place_of(60).toPoint()
    qtbot.mousePress(keys, Left, pos=low)
    assert hanging(session) == {(0, 60)} and keys._notes.held == {60}
    qtbot.mouseRelease(keys, Left, pos=low)
    high = low
    high.setY(5)
    high.setX(high.x() - 6)
    qtbot.mousePress(keys, Left, pos=high)
    qtbot.mouseRelease(keys, Left, pos=high)
    (first, second) = [data for data in midi(session) if data[0] == 0x90]
    assert first[1] == 60 and first[2] > 100 and SOFTEST <= second[2] < 30
    assert not hanging(session)


def test_a_glide_ends_each_note_and_a_release_outside_the_last(
    panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    keys = panel.keyboard
    qtbot.mousePress(keys, Left, pos=keys.place_of(60).toPoint())
    for note in (62, 64):
        drag(keys, keys.place_of(note))
    assert hanging(session) == {(0, 64)}
    drag(keys, QPointF(-50, 900))
    assert not hanging(session)
    drag(keys, keys.place_of(65))
    assert hanging(session) == {(0, 65)}
    qtbot.mouseRelease(keys, Left, pos=QPointF(-50, 900).toPoint())
    assert not hanging(session)
    assert [data[1] for data in midi(session) if data[0] == 0x90] == [60, 62, 64, 65]


def test_fingers_play_chords(panel: InstrumentPanel, session: FakeSession) -> None:
    keys = panel.keyboard
    device = QPointingDevice(
        "screen",
        1,
        QInputDevice.DeviceType.TouchScreen,
        QPointingDevice.PointerType.Finger,
        QInputDevice.Capability.Position,
        5,
        0,
    )

    def touch(kind: QEvent.Type, state: QEventPoint.State) -> None:
        place = keys.mapToGlobal(keys.place_of(60))
        points = [QEventPoint(0, state, place, place)]
        QApplication.sendEvent(keys, QTouchEvent(kind, device, Qt.KeyboardModifier.NoModifier, points))

    touch(QEvent.Type.TouchBegin, QEventPoint.State.Pressed)
    assert hanging(session) == {(0, 60)}
    for number, note in ((1, 64), (2, 67)):  # PyQt makes no event of several points
        keys.finger(number, True, keys.place_of(note))
    assert len(hanging(session)) == 3
    keys.finger(1, False, keys.place_of(64))
    touch(QEvent.Type.TouchEnd, QEventPoint.State.Released)
    assert hanging(session) == {(0, 67)}
    touch(QEvent.Type.TouchCancel, QEventPoint.State.Released)
    assert not hanging(session)


def test_every_key_has_a_place_of_its_own_at_every_width(panel: InstrumentPanel) -> None:
    keys = panel.keyboard
    for width in (180, 640, 1200, 1900):
        keys.resize(width, 150)
        shown = keys.keys()
        for key in shown:
            found = keys.key_at(keys.place_of(key.note))
            assert found is not None and found[0] == key.note
        assert keys.first <= 60 <= shown[-1].note + 12 or width == 180


def test_the_computers_keys_play_where_the_focus_is_but_not_in_a_text(
    panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    qtbot.keyPress(panel.browser.list, Qt.Key.Key_A)
    qtbot.keyPress(panel.keyboard, Qt.Key.Key_E)
    assert hanging(session) == {(0, 60), (0, 63)}
    qtbot.keyClick(panel.keyboard, Qt.Key.Key_X)  # an octave up, while both are held
    qtbot.keyRelease(panel.keyboard, Qt.Key.Key_A)
    qtbot.keyRelease(panel.keyboard, Qt.Key.Key_E)
    assert not hanging(session)
    qtbot.keyClick(panel.keyboard, Qt.Key.Key_C)  # softer
    qtbot.keyPress(panel.keyboard, Qt.Key.Key_A)
    qtbot.keyRelease(panel.keyboard, Qt.Key.Key_A)
    assert [0x90, 72, 70] in midi(session) and panel.envelope.velocity.value() == 70
    session.commands.clear()
    qtbot.keyClicks(panel.browser.search, "sax")
    qtbot.keyClick(panel.keyboard, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert not midi(session) and panel.browser.search.text() == "sax"


def test_keys_are_those_of_the_terminal_and_curves_those_of_the_engine() -> None:
    assert PIANO_KEYS == KEYS
    for name, curve in envelope.CURVES.items():
        for velocity in (1, 30, 64, 100, 127):
            assert abs(127 * curve(velocity / 127) - curved(velocity, name)) <= 1


def test_the_pedal_is_the_space_bar_and_a_button(panel: InstrumentPanel, session: FakeSession, qtbot: QtBot) -> None:
    qtbot.keyClick(panel.keyboard, Qt.Key.Key_Space)
    assert midi(session) == [[0xB0, 64, 127]] and panel.pedal.isChecked()
    qtbot.mouseClick(panel.pedal, Left)
    assert midi(session)[-1] == [0xB0, 64, 0] and not panel.pedal.isChecked()


def test_notes_that_midi_plays_are_lit(panel: InstrumentPanel, session: FakeSession, bridge: Bridge) -> None:
    session.report.instrument.keys = [[3, 61], [0, 64]]
    bridge.poll()
    assert panel.keyboard.sounding == {61, 64}
    panel.keyboard.grab()


# --- nothing hangs -------------------------------------------------------------------------------------------------------


def hold_everything(panel: InstrumentPanel, qtbot: QtBot) -> None:
    qtbot.mousePress(panel.keyboard, Left, pos=panel.keyboard.place_of(55).toPoint())
    qtbot.keyPress(panel.keyboard, Qt.Key.Key_A)
    panel.notes.press(("touch", 0), 70, 90)


def test_hiding_the_page_ends_all_notes(
    instrument_page: InstrumentPage, panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    hold_everything(panel, qtbot)
    panel.notes.toggle_pedal()
    assert len(hanging(session)) == 3
    instrument_page.hide()
    assert not hanging(session) and midi(session)[-1] == [0xB0, 64, 0]


def test_closing_the_window_ends_all_notes_before_the_session_is_left(
    qtbot: QtBot, bridge: Bridge, session: FakeSession
) -> None:
    class Window(QMainWindow):
        def closeEvent(self, event) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
            self.hanging_at_close = hanging(session)
            event.accept()

    window, page = Window(), InstrumentPage(bridge)
    qtbot.addWidget(window)
    window.setCentralWidget(page)
    window.resize(1200, 640)
    window.show()
    qtbot.waitExposed(window)
    hold_everything(page.panel, qtbot)
    window.close()
    assert window.hanging_at_close == set() == hanging(session)


def test_a_window_that_loses_the_keyboard_ends_all_notes(
    instrument_page: InstrumentPage, panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    hold_everything(panel, qtbot)
    QApplication.sendEvent(instrument_page.window(), QEvent(QEvent.Type.WindowDeactivate))
    assert not hanging(session)


def test_focus_that_moves_ends_the_notes_of_the_computers_keys(
    panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    panel.keyboard.setFocus()
    qtbot.keyPress(panel.keyboard, Qt.Key.Key_A)
    QApplication.instance().focusChanged.emit(panel.keyboard, QLineEdit())  # type: ignore[union-attr]
    assert not hanging(session)


def test_two_that_hold_one_note_end_it_once(panel: InstrumentPanel, session: FakeSession) -> None:
    panel.notes.press(("key", "a"), 60, 80)
    panel.notes.press(("mouse", 0), 60, 90)
    panel.notes.release(("key", "a"))
    assert hanging(session) == {(0, 60)}
    panel.notes.release(("mouse", 0))
    assert not hanging(session)
    panel.notes.press(("mouse", 0), 60, 90)
    panel.use_channel(5)
    assert not hanging(session)

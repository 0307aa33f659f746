"""The instrument's page: what a person does reaches the session, and no note hangs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtGui import QEventPoint, QInputDevice, QPointingDevice, QTouchEvent
from PyQt6.QtWidgets import QApplication, QLineEdit, QMainWindow, QMenu
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.instrument import catalogue, shape
from gui.instrument.keyboard import SOFTEST
from gui.instrument.learn import learnable, target_title, targets
from gui.instrument.notes import PIANO_KEYS
from gui.instrument.pad import bilinear, place_of
from gui.instrument.panel import InstrumentPanel
from gui.pages.instrument import InstrumentPage
from models.catalog import load_card
from rtaudio.desired import control_range
from rtaudio.instrument.stage import curved
from rtaudio.messages import EngineConfig, InstrumentReport
from rtaudio.midi.keyboard import KEYS
from tests.gui.conftest import FakeSession

NAMES = list(load_card("sing-gm").outputs)
Left = Qt.MouseButton.LeftButton


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, session: FakeSession) -> Iterator[InstrumentPage]:
    session.report.instrument = InstrumentReport(model="sing-gm", instruments=NAMES)
    session.report.instrument.state = session.desired.instrument  # the engine agrees with every order at once
    bridge.poll()
    page = InstrumentPage(bridge)
    qtbot.addWidget(page)
    page.resize(1200, 640)
    page.show()
    qtbot.waitExposed(page)
    session.orders.clear()
    yield page
    page.hide()


@pytest.fixture
def panel(page: InstrumentPage) -> InstrumentPanel:
    return page.panel


def midi(session: FakeSession) -> list[list[int]]:
    return [order.args["data"] for order in session.orders if order.op == "midi"]


def hanging(session: FakeSession) -> set[tuple[int, int]]:
    """Notes that were begun and not ended."""
    down: set[tuple[int, int]] = set()
    for status, note, value in midi(session):
        if status >> 4 == 9 and value:
            down.add((status & 15, note))
        elif status >> 4 == 8:
            down.discard((status & 15, note))
    return down


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
        _drag(keys, keys.place_of(note))
    assert hanging(session) == {(0, 64)}
    _drag(keys, QPointF(-50, 900))
    assert not hanging(session)
    _drag(keys, keys.place_of(65))
    assert hanging(session) == {(0, 65)}
    qtbot.mouseRelease(keys, Left, pos=QPointF(-50, 900).toPoint())
    assert not hanging(session)
    assert [data[1] for data in midi(session) if data[0] == 0x90] == [60, 62, 64, 65]


def _drag(widget, point: QPointF) -> None:  # type: ignore[no-untyped-def]
    from PyQt6.QtGui import QMouseEvent

    where = widget.mapToGlobal(point)
    QApplication.sendEvent(
        widget, QMouseEvent(QEvent.Type.MouseMove, point, where, Left, Left, Qt.KeyboardModifier.NoModifier)
    )


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
    assert [0x90, 72, 70] in midi(session) and panel.shape.velocity.value() == 70
    session.orders.clear()
    qtbot.keyClicks(panel.browser.search, "sax")
    qtbot.keyClick(panel.keyboard, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert not midi(session) and panel.browser.search.text() == "sax"


def test_keys_are_those_of_the_terminal_and_curves_those_of_the_engine() -> None:
    assert PIANO_KEYS == KEYS
    for name, curve in shape.CURVES.items():
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
    page: InstrumentPage, panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    hold_everything(panel, qtbot)
    panel.notes.toggle_pedal()
    assert len(hanging(session)) == 3
    page.hide()
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
    page: InstrumentPage, panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    hold_everything(panel, qtbot)
    QApplication.sendEvent(page.window(), QEvent(QEvent.Type.WindowDeactivate))
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


# --- sounds --------------------------------------------------------------------------------------------------------------


def test_a_sound_is_found_by_family_and_by_search_and_played_at_once(
    panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    browser = panel.browser
    assert sorted(browser.names()) == sorted(NAMES)
    qtbot.keyClicks(browser.search, "flute")
    assert "flute" in browser.names() and len(browser.names()) < len(NAMES)
    qtbot.keyClick(browser.search, Qt.Key.Key_Return)
    flute = session.orders[-1]
    assert flute.op == "set_sound" and flute.args == {"channel": 0, "shares": {browser.names()[0]: 1.0}}
    browser.search.setText("no such thing")
    assert not browser.names() and "No sound" in browser.count.text()
    browser.search.clear()
    brass = browser.family.findText("Brass")
    browser.family.setCurrentIndex(brass)
    browser.family.activated.emit(brass)
    assert {sound.family for sound in catalogue.sounds("sing-gm") if sound.name in browser.names()} == {7}


def test_a_sound_chosen_elsewhere_is_marked_and_nothing_is_sent(
    panel: InstrumentPanel, session: FakeSession, bridge: Bridge
) -> None:
    session.report.instrument.state.shares = {"0": {NAMES[5]: 1.0}}
    panel._set_sound._last = -10.0
    bridge.poll()
    item = panel.browser.list.currentItem()
    assert item is not None and item.text() == catalogue.title_of(NAMES[5])
    assert not session.orders


def test_titles_and_mixtures_in_words() -> None:
    assert catalogue.title_of("acoustic-grand-piano") == "Acoustic grand piano"
    assert catalogue.shares_text({"flute": 3.0, "oboe": 1.0}) == "75\u202f% Flute, 25\u202f% Oboe"
    assert catalogue.shares_text({"flute": 1.0, "oboe": 0.001}) == "Flute"
    assert catalogue.sounds("demucs-live") == catalogue.sounds("nothing") == ()


# --- pad -----------------------------------------------------------------------------------------------------------------


def test_weights_of_the_corners_are_bilinear_and_come_back() -> None:
    assert bilinear(0, 0) == (1, 0, 0, 0) and bilinear(1, 0)[1] == bilinear(0, 1)[2] == bilinear(1, 1)[3] == 1
    for x, y in np.random.default_rng(0).random((20, 2)):
        assert sum(bilinear(x, y)) == pytest.approx(1)
        assert place_of(bilinear(x, y)) == pytest.approx((x, y))


def test_dragging_morphs_at_most_thirty_times_a_second_and_ends_where_it_ends(
    panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    pad = panel.morph.pad
    begun = time.monotonic()
    qtbot.mousePress(pad, Left, pos=pad.rect().center())
    for step in range(200):
        _drag(pad, QPointF(20 + step, 30))
    qtbot.mouseRelease(pad, Left, pos=pad.rect().center())
    qtbot.waitUntil(lambda: panel._set_sound._waiting is None)
    orders = [order for order in session.orders if order.op == "set_sound"]
    assert 1 <= len(orders) <= 2 + 30 * (time.monotonic() - begun)
    assert orders[-1].args["shares"] == panel.morph.shares()
    assert sum(orders[-1].args["shares"].values()) == pytest.approx(1, abs=1e-3)
    assert len(panel.morph.readout.text().split(",")) >= 2


def test_arrows_move_the_point_and_home_brings_it_back(
    panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    pad = panel.morph.pad
    qtbot.keyClick(pad, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(pad, Qt.Key.Key_Up)
    assert (pad.x_place, pad.y_place) == pytest.approx((0.4, 0.48))
    qtbot.keyClick(pad, Qt.Key.Key_Home)
    assert (pad.x_place, pad.y_place) == (0.5, 0.5)
    assert any(order.op == "set_sound" for order in session.orders)
    assert "%" in pad.accessibleDescription()


def test_corners_are_chosen_and_a_mixture_from_elsewhere_finds_its_place(
    panel: InstrumentPanel, session: FakeSession, bridge: Bridge
) -> None:
    box = panel.morph.corners[0]
    box.setCurrentIndex(box.findData("oboe"))
    box.activated.emit(box.currentIndex())
    assert "oboe" in session.orders[-1].args["shares"]
    panel._set_sound._last = -10.0
    session.report.instrument.state.shares = {"0": {"tuba": 0.25, "flute": 0.75}}
    bridge.poll()
    shares = {name: share for name, share in panel.morph.shares().items() if share > 0.001}
    assert shares == pytest.approx({"tuba": 0.25, "flute": 0.75})


# --- channels, touch, MIDI -----------------------------------------------------------------------------------------------


def test_each_channel_has_its_sound(panel: InstrumentPanel, session: FakeSession, bridge: Bridge, qtbot: QtBot) -> None:
    panel.channels.list.setCurrentRow(9)
    panel.play_sound({"tuba": 1.0})
    assert session.orders[-1].args == {"channel": 9, "shares": {"tuba": 1.0}}
    qtbot.keyPress(panel.keyboard, Qt.Key.Key_A)
    qtbot.keyRelease(panel.keyboard, Qt.Key.Key_A)
    assert [0x99, 60, 90] in midi(session) and [0x89, 60, 0] in midi(session)
    bridge.poll()
    line = panel.channels.list.item(9)
    assert line is not None and line.text().endswith("Tuba") and line.text().startswith("10")


def test_attack_release_and_curve_reach_the_engine(panel: InstrumentPanel, session: FakeSession, qtbot: QtBot) -> None:
    panel.shape.attack.setValue(500)
    panel.shape.release.setValue(1000)
    panel.shape.curve.setCurrentIndex(2)
    panel.shape.curve.activated.emit(2)
    state = session.desired.instrument
    assert state.attack_ms == pytest.approx(250) and state.release_ms == pytest.approx(4000) and state.curve == "hard"
    qtbot.mouseDClick(panel.shape.release, Left)
    qtbot.waitUntil(lambda: state.release_ms == 250)
    panel.shape.picture.grab()


def test_the_engines_times_are_shown_and_not_sent_back(
    panel: InstrumentPanel, session: FakeSession, bridge: Bridge
) -> None:
    session.report.instrument.state.release_ms = 1234.0
    for _, _, throttle in panel.shape._times.values():
        throttle._last = -10.0
    bridge.poll()
    assert panel.shape.release.milliseconds == pytest.approx(1234, rel=0.01) and not session.orders


def test_another_midi_input_is_configured(panel: InstrumentPanel, session: FakeSession) -> None:
    ports = panel.ports
    ports._found({"inputs": ["Keystation 49"]})
    index = ports.choice.findData("Keystation 49")
    ports.choice.setCurrentIndex(index)
    ports.choice.activated.emit(index)
    assert session.config.midi == "Keystation 49" and session.config.instrument == "sing-gm"


def test_a_missing_input_is_told_in_a_sentence(panel: InstrumentPanel, session: FakeSession, bridge: Bridge) -> None:
    session.report.instrument.midi = "The MIDI input 'X' is not there; it is used as soon as it is plugged in."
    session.report.instrument.ports = ["Y"]
    bridge.poll()
    assert "plugged in" in panel.ports.trouble.text() and panel.ports.open.text() == "Open: Y"


def test_everything_learnable_is_offered_and_learnt_by_right_click(
    panel: InstrumentPanel, session: FakeSession, bridge: Bridge, qtbot: QtBot
) -> None:
    strips = tuple(session.report.mixer.stems)
    for target in targets(session.report):
        control_range(target, strips)  # raises for what the engine would refuse
        assert target_title(target) != target
    learnable(panel.status, bridge, "mixer.dry")
    panel.status.customContextMenuRequested.emit(panel.status.rect().center())
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, QMenu) and "Dry/wet" in popup.actions()[0].text()
    popup.actions()[0].trigger()
    assert session.orders[-1].op == "learn" and session.orders[-1].args == {"target": "mixer.dry"}
    popup.close()


def test_learnt_controllers_are_listed_and_forgotten(
    panel: InstrumentPanel, session: FakeSession, bridge: Bridge, qtbot: QtBot
) -> None:
    learn = panel.learn
    panel.tabs.setCurrentWidget(learn)
    learn.choice.setCurrentIndex(learn.choice.findData("instrument.release_ms"))
    qtbot.mouseClick(learn.learn, Left)
    assert session.orders[-1].args == {"target": "instrument.release_ms"}
    session.report.instrument.learning = "instrument.release_ms"
    bridge.poll()
    assert "Release" in learn.hint.text() and learn.learn.text() == "Cancel"
    qtbot.mouseClick(learn.learn, Left)
    assert session.orders[-1].args == {"target": ""}
    session.report.instrument.learning = ""
    session.report.instrument.state.midi_map = [{"channel": 0, "control": 7, "target": "stem.vocals.gain_db"}]
    bridge.poll()
    item = learn.list.item(0)
    assert item is not None and "controller 7, channel 1" in item.text() and "Vocals" in item.text()
    learn.list.setCurrentRow(0)
    qtbot.mouseClick(learn.forget, Left)
    assert session.orders[-1].op == "forget" and session.orders[-1].args == {"target": "stem.vocals.gain_db"}
    qtbot.mouseClick(learn.forget_all, Left)
    assert session.orders[-1].args == {"target": ""}


def test_the_status_tells_what_the_instrument_reports(
    panel: InstrumentPanel, session: FakeSession, bridge: Bridge
) -> None:
    report = session.report.instrument
    report.notes, report.stolen, report.late, report.misses, report.delay_ms, report.primed = 7, 2, 3, 1, 9.34, 0.5
    report.load = {"p50": 0.1, "p99": 0.3}
    bridge.poll()
    texts = {name: label.text() for name, label in panel.status.labels.items()}
    assert texts["voices"] == "Voices 7 of 32" and texts["stolen"] == "Stolen 2" and texts["late"] == "Late 3"
    assert texts["latency"] == "9.3 ms to sound" and "10%" in texts["load"] and texts["primed"] == "50% prepared"


# --- without an instrument -----------------------------------------------------------------------------------------------


def test_an_engine_without_instrument_gets_one_by_a_button(qtbot: QtBot, bridge: Bridge, session: FakeSession) -> None:
    session.desired.config = EngineConfig(instrument="")
    session.report.instrument = InstrumentReport()
    page = InstrumentPage(bridge)
    qtbot.addWidget(page)
    page.show()
    bridge.poll()
    assert page.currentWidget() is page.empty
    qtbot.mouseClick(page.load, Left)
    assert session.config.instrument == "sing-gm" and page.currentWidget() is page.surface


@pytest.mark.parametrize("size", [(1240, 540), (1280, 700), (1920, 950)])
def test_the_surface_fits_without_scrolling(page: InstrumentPage, bridge: Bridge, size: tuple[int, int]) -> None:
    page.resize(*size)
    QApplication.processEvents()
    bridge.poll()
    bars = page.surface.verticalScrollBar(), page.surface.horizontalScrollBar()
    assert all(bar is not None and bar.maximum() == 0 for bar in bars)
    assert page.panel.keyboard.height() >= 90


def test_controls_have_names_for_assistive_tools(page: InstrumentPage) -> None:
    for widget in page.panel.findChildren(QLineEdit):
        if not widget.parent().inherits("QComboBox"):  # type: ignore[union-attr]
            assert widget.accessibleName()
    for box in (
        page.panel.keyboard,
        page.panel.morph.pad,
        *page.panel.morph.corners,
        page.panel.browser.list,
        page.panel.shape.attack,
    ):
        assert box.accessibleName()

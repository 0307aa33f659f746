"""The instrument's page: what a person chooses, drags and learns reaches the session, and what it reports is shown."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtWidgets import QApplication, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.inserts.library import library_of
from gui.instrument import catalogue
from gui.instrument.learn import targets
from gui.instrument.pad import bilinear, place_of
from gui.instrument.panel import InstrumentPanel
from gui.pages.instrument import InstrumentPage
from gui.widgets.learn import learnable, target_title
from rtaudio.protocol.checks import control_range
from rtaudio.protocol.reports import InstrumentReport
from rtaudio.protocol.settings import EngineConfig
from tests.gui.conftest import FakeSession
from tests.gui.instrument_fixture import NAMES, Left, drag, midi

# --- sounds --------------------------------------------------------------------------------------------------------------


def test_a_sound_is_found_by_family_and_by_search_and_played_at_once(
    panel: InstrumentPanel, session: FakeSession, qtbot: QtBot
) -> None:
    browser = panel.browser
    assert sorted(browser.names()) == sorted(NAMES)
    qtbot.keyClicks(browser.search, "flute")
    assert "flute" in browser.names() and len(browser.names()) < len(NAMES)
    qtbot.keyClick(browser.search, Qt.Key.Key_Return)
    flute = session.commands[-1]
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
    assert not session.commands


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
        drag(pad, QPointF(20 + step, 30))
    qtbot.mouseRelease(pad, Left, pos=pad.rect().center())
    qtbot.waitUntil(lambda: panel._set_sound._waiting is None)
    commands = [command for command in session.commands if command.op == "set_sound"]
    assert 1 <= len(commands) <= 2 + 30 * (time.monotonic() - begun)
    assert commands[-1].args["shares"] == panel.morph.shares()
    assert sum(commands[-1].args["shares"].values()) == pytest.approx(1, abs=1e-3)
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
    assert any(command.op == "set_sound" for command in session.commands)
    assert "%" in pad.accessibleDescription()


def test_corners_are_chosen_and_a_mixture_from_elsewhere_finds_its_place(
    panel: InstrumentPanel, session: FakeSession, bridge: Bridge
) -> None:
    box = panel.morph.corners[0]
    box.setCurrentIndex(box.findData("oboe"))
    box.activated.emit(box.currentIndex())
    assert "oboe" in session.commands[-1].args["shares"]
    panel._set_sound._last = -10.0
    session.report.instrument.state.shares = {"0": {"tuba": 0.25, "flute": 0.75}}
    bridge.poll()
    shares = {name: share for name, share in panel.morph.shares().items() if share > 0.001}
    assert shares == pytest.approx({"tuba": 0.25, "flute": 0.75})


# --- channels, touch, MIDI -----------------------------------------------------------------------------------------------


def test_each_channel_has_its_sound(panel: InstrumentPanel, session: FakeSession, bridge: Bridge, qtbot: QtBot) -> None:
    panel.channels.list.setCurrentRow(9)
    panel.play_sound({"tuba": 1.0})
    assert session.commands[-1].args == {"channel": 9, "shares": {"tuba": 1.0}}
    qtbot.keyPress(panel.keyboard, Qt.Key.Key_A)
    qtbot.keyRelease(panel.keyboard, Qt.Key.Key_A)
    assert [0x99, 60, 90] in midi(session) and [0x89, 60, 0] in midi(session)
    bridge.poll()
    line = panel.channels.list.item(9)
    assert line is not None and line.text().endswith("Tuba") and line.text().startswith("10")


def test_attack_release_and_curve_reach_the_engine(panel: InstrumentPanel, session: FakeSession, qtbot: QtBot) -> None:
    panel.envelope.attack.setValue(500)
    panel.envelope.release.setValue(1000)
    panel.envelope.curve.setCurrentIndex(2)
    panel.envelope.curve.activated.emit(2)
    state = session.desired.instrument
    assert state.attack_ms == pytest.approx(250) and state.release_ms == pytest.approx(4000) and state.curve == "hard"
    qtbot.mouseDClick(panel.envelope.release, Left)
    qtbot.waitUntil(lambda: state.release_ms == 250)
    panel.envelope.picture.grab()


def test_the_engines_times_are_shown_and_not_sent_back(
    panel: InstrumentPanel, session: FakeSession, bridge: Bridge
) -> None:
    session.report.instrument.state.release_ms = 1234.0
    for _, _, throttle in panel.envelope._times.values():
        throttle._last = -10.0
    bridge.poll()
    assert panel.envelope.release.milliseconds == pytest.approx(1234, rel=0.01) and not session.commands


def test_another_midi_input_is_configured(panel: InstrumentPanel, session: FakeSession) -> None:
    ports = panel.ports
    ports._found({"inputs": ["Keystation 49"]})
    index = ports.choice.findData("Keystation 49")
    ports.choice.setCurrentIndex(index)
    ports.choice.activated.emit(index)
    assert session.config.midi == "Keystation 49" and session.config.instrument == "sing-gm"


def test_a_missing_input_is_told_in_a_sentence(panel: InstrumentPanel, session: FakeSession, bridge: Bridge) -> None:
    session.report.instrument.midi = "The MIDI input 'X' is missing. As soon as it is plugged in, it is used."
    session.report.instrument.ports = ["Y"]
    bridge.poll()
    assert "plugged in" in panel.ports.trouble.text() and panel.ports.open.text() == "Open: Y"


def test_everything_learnable_is_offered_and_learned_by_right_click(
    panel: InstrumentPanel, session: FakeSession, bridge: Bridge, qtbot: QtBot
) -> None:
    strips = tuple(session.report.mixer.stems)
    for target in targets(session.report, library_of(bridge)):
        control_range(target, strips)  # raises for what the engine would refuse
        assert target_title(target) != target
    learnable(panel.status, bridge, "mixer.dry")
    panel.status.customContextMenuRequested.emit(panel.status.rect().center())
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, QMenu) and "Dry/wet" in popup.actions()[0].text()
    popup.actions()[0].trigger()
    assert session.commands[-1].op == "learn" and session.commands[-1].args == {"target": "mixer.dry"}
    popup.close()


def test_learned_controllers_are_listed_and_forgotten(
    panel: InstrumentPanel, session: FakeSession, bridge: Bridge, qtbot: QtBot
) -> None:
    learn = panel.learn
    panel.tabs.setCurrentWidget(learn)
    learn.choice.setCurrentIndex(learn.choice.findData("instrument.release_ms"))
    qtbot.mouseClick(learn.learn, Left)
    assert session.commands[-1].args == {"target": "instrument.release_ms"}
    session.report.instrument.learning = "instrument.release_ms"
    bridge.poll()
    assert "Release" in learn.hint.text() and learn.learn.text() == "Cancel"
    qtbot.mouseClick(learn.learn, Left)
    assert session.commands[-1].args == {"target": ""}
    session.report.instrument.learning = ""
    session.report.instrument.state.midi_map = [{"channel": 0, "control": 7, "target": "stem.vocals.gain_db"}]
    bridge.poll()
    item = learn.list.item(0)
    assert item is not None and "controller 7, channel 1" in item.text() and "Vocals" in item.text()
    learn.list.setCurrentRow(0)
    qtbot.mouseClick(learn.forget, Left)
    assert session.commands[-1].op == "forget" and session.commands[-1].args == {"target": "stem.vocals.gain_db"}
    qtbot.mouseClick(learn.forget_all, Left)
    assert session.commands[-1].args == {"target": ""}


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
def test_the_surface_fits_without_scrolling(
    instrument_page: InstrumentPage, bridge: Bridge, size: tuple[int, int]
) -> None:
    instrument_page.resize(*size)
    QApplication.processEvents()
    bridge.poll()
    bars = instrument_page.surface.verticalScrollBar(), instrument_page.surface.horizontalScrollBar()
    assert all(bar is not None and bar.maximum() == 0 for bar in bars)
    assert instrument_page.panel.keyboard.height() >= 90


def test_controls_have_names_for_assistive_tools(instrument_page: InstrumentPage) -> None:
    for widget in instrument_page.panel.findChildren(QLineEdit):
        if not widget.parent().inherits("QComboBox"):  # type: ignore[union-attr]
            assert widget.accessibleName()
    for box in (
        instrument_page.panel.keyboard,
        instrument_page.panel.morph.pad,
        *instrument_page.panel.morph.corners,
        instrument_page.panel.browser.list,
        instrument_page.panel.envelope.attack,
    ):
        assert box.accessibleName()


def test_soft_takeover_is_a_switch_of_each_controller(
    panel: InstrumentPanel, bridge: Bridge, session: FakeSession, qtbot: QtBot
) -> None:
    learn = panel.learn
    panel.tabs.setCurrentWidget(learn)
    knob, pad = {"channel": 0, "control": 20, "target": "mixer.dry"}, {"channel": 0, "note": 40, "target": "mixer.bypass"}
    session.report.instrument.state.midi_map = [knob | {"takeover": "pickup"}, pad]
    bridge.poll()
    assert not learn.soft.isEnabled()
    learn.list.setCurrentRow(0)
    assert learn.soft.isEnabled() and learn.soft.isChecked()
    qtbot.mouseClick(learn.soft, Left)
    assert session.commands[-1].op == "set_midi_map" and session.commands[-1].args == {"entries": [knob, pad]}
    session.report.instrument.state.midi_map = [knob, pad]
    bridge.poll()
    assert learn.list.currentRow() == 0 and not learn.soft.isChecked()
    qtbot.mouseClick(learn.soft, Left)
    assert session.commands[-1].args == {"entries": [knob | {"takeover": "pickup"}, pad]}
    learn.list.setCurrentRow(1)
    assert not learn.soft.isEnabled()  # a button has nothing to pick up

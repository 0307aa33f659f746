"""The mixer's page: what a person does reaches the session, what the engine says is shown."""

from __future__ import annotations

import copy
import math
from itertools import pairwise

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui import theme
from gui.bridge import Bridge
from gui.pages.mixer import MixerPage
from gui.widgets.fader import Fader
from gui.widgets.learn import learn_menu
from gui.widgets.strip import Strip
from rtaudio.protocol.reports import Meter
from rtaudio.protocol.settings import MixerState, StemState
from tests.gui.conftest import FakeSession

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(bridge: Bridge, qtbot: QtBot) -> MixerPage:
    bridge.poll()
    page = MixerPage(bridge)
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    bridge.poll()
    return page


@pytest.fixture
def vocals(page: MixerPage) -> Strip:
    return page.strips["vocals"]


def last(session: FakeSession) -> tuple[str, object]:
    command = session.commands[-1]
    return f"{command.args.get('stem', 'mixer')}.{command.args['field']}", command.args["value"]


def drag(fader: Fader, pixels: int, steps: int = 5) -> None:
    start = QPoint(fader.width() - 18, fader.height() // 2)
    QTest.mousePress(fader, LEFT, pos=start)
    for step in range(1, steps + 1):
        QTest.mouseMove(fader, start + QPoint(0, pixels * step // steps))
    QTest.mouseRelease(fader, LEFT, pos=start + QPoint(0, pixels))


def test_there_is_a_strip_for_each_stem_the_instrument_and_the_master(page: MixerPage) -> None:
    assert list(page.strips) == ["drums", "bass", "other", "vocals", "instrument"]
    assert [strip.name.text() for strip in page.strips.values()] == ["Drums", "Bass", "Other", "Vocals", "Instrument"]
    assert page.master.name.text() == "Master"
    assert len({strip.colour for strip in page.strips.values()}) == 5


def test_strips_follow_the_model(page: MixerPage, bridge: Bridge, session: FakeSession) -> None:
    session.report.mixer = MixerState(stems={"speech": StemState(gain_db=-3.0), "noise": StemState()})
    session.report.meters = {}
    bridge.poll()
    assert list(page.strips) == ["speech", "noise"]
    assert page.strips["speech"].entry.text() == "−3.0"


@pytest.mark.parametrize(
    ("button", "field", "after"), [("mute", "mute", True), ("solo", "solo", True), ("arm", "armed", False)]
)
def test_switches_reach_the_session(
    page: MixerPage, session: FakeSession, button: str, field: str, after: bool
) -> None:
    QTest.mouseClick(getattr(page.strips["vocals"], button), LEFT)
    assert last(session) == (f"vocals.{field}", after)
    QTest.mouseClick(getattr(page.strips["vocals"], button), LEFT)
    assert last(session) == (f"vocals.{field}", not after)


@pytest.mark.parametrize(("key", "field"), [("m", "mute"), ("s", "solo"), ("r", "armed")])
def test_letters_switch_the_strip_that_has_the_focus(vocals: Strip, session: FakeSession, key: str, field: str) -> None:
    vocals.fader.setFocus()
    QTest.keyClick(vocals.fader, key)
    assert last(session)[0] == f"vocals.{field}"


def test_dragging_the_fader(page: MixerPage, vocals: Strip, session: FakeSession) -> None:
    drag(vocals.fader, 60)
    name, value = last(session)
    assert name == "vocals.gain_db" and isinstance(value, float) and -20 < value < -2
    assert page.mixer_model.undo.count() == 1
    drag(vocals.fader, 2000)
    assert last(session) == ("vocals.gain_db", -math.inf)
    assert vocals.entry.text() == "−∞"
    page.undo_button.click()
    page.undo_button.click()
    assert last(session) == ("vocals.gain_db", 0.0)
    page.redo_button.click()
    assert last(session) == ("vocals.gain_db", value)


def test_a_grip_does_not_make_the_fader_jump(vocals: Strip, session: FakeSession) -> None:
    QTest.mouseClick(vocals.fader, LEFT, pos=QPoint(10, vocals.fader.height() - 20))
    assert not session.commands


def test_double_click_resets(vocals: Strip, session: FakeSession) -> None:
    vocals.entry.setText("-12")
    vocals.entry.setModified(True)
    QTest.keyClick(vocals.entry, Qt.Key.Key_Return)
    assert last(session) == ("vocals.gain_db", -12.0)
    QTest.mouseDClick(vocals.fader, LEFT)
    assert last(session) == ("vocals.gain_db", 0.0)


@pytest.mark.parametrize(("typed", "db"), [("-7,5 dB", -7.5), ("-inf", -math.inf), ("12", 12.0), ("99", 24.0)])
def test_typing_a_level(vocals: Strip, session: FakeSession, typed: str, db: float) -> None:
    vocals.entry.setFocus()
    vocals.entry.selectAll()
    QTest.keyClicks(vocals.entry, typed)
    QTest.keyClick(vocals.entry, Qt.Key.Key_Return)
    assert last(session) == ("vocals.gain_db", db)


def test_typing_nonsense_changes_nothing(vocals: Strip, session: FakeSession) -> None:
    vocals.entry.setFocus()
    vocals.entry.selectAll()
    QTest.keyClicks(vocals.entry, "loud")
    QTest.keyClick(vocals.entry, Qt.Key.Key_Return)
    assert not session.commands and vocals.entry.text() == "0.0"
    QTest.keyClicks(vocals.entry, "-3")
    QTest.keyClick(vocals.entry, Qt.Key.Key_Escape)
    assert not session.commands and vocals.entry.text() == "0.0"


def test_keys_and_wheel_move_in_steps(page: MixerPage, vocals: Strip, session: FakeSession) -> None:
    QTest.keyClick(vocals.fader, Qt.Key.Key_Down)
    assert last(session) == ("vocals.gain_db", -0.5)
    QTest.keyClick(vocals.fader, Qt.Key.Key_PageDown)
    assert last(session) == ("vocals.gain_db", -3.5)
    assert page.mixer_model.undo.count() == 1, "steps in quick succession are one gesture"
    QTest.keyClick(vocals.fader, Qt.Key.Key_Delete)
    assert last(session) == ("vocals.gain_db", 0.0)
    turn(vocals.fader, 120)
    assert last(session) == ("vocals.gain_db", 0.5)
    turn(vocals.fader, -120, Qt.KeyboardModifier.ShiftModifier)
    assert last(session) == ("vocals.gain_db", 0.4)


def turn(widget: Fader, angle: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    middle = QPointF(widget.width() / 2, widget.height() / 2)
    wheel = QWheelEvent(
        middle, middle, QPoint(), QPoint(0, angle), Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(widget, wheel)


def test_pan(page: MixerPage, vocals: Strip, session: FakeSession) -> None:
    QTest.keyClick(vocals.pan, Qt.Key.Key_PageDown)
    assert last(session) == ("vocals.pan", -0.25) and vocals.pan_label.text() == "L 25"
    QTest.mouseDClick(vocals.pan, LEFT)
    assert last(session) == ("vocals.pan", 0.0) and vocals.pan_label.text() == "C"


def test_master(page: MixerPage, session: FakeSession) -> None:
    QTest.keyClick(page.master.fader, Qt.Key.Key_Down)
    assert last(session) == ("mixer.master_db", -0.5)
    QTest.mouseClick(page.master.limiter, LEFT)
    assert last(session) == ("mixer.limiter", False)


def test_a_and_b_and_dry_wet(page: MixerPage, session: FakeSession) -> None:
    page.wet.setFocus()
    QTest.keyClick(page.wet, Qt.Key.Key_PageDown)
    name, dry = last(session)
    assert name == "mixer.dry" and dry == pytest.approx(0.1)
    QTest.mouseClick(page.compare, LEFT)
    assert last(session) == ("mixer.dry", 1.0) and page.compare.isChecked()
    QTest.mouseClick(page.compare, LEFT)
    assert last(session)[1] == pytest.approx(0.1) and not page.compare.isChecked()
    assert page.wet.value() == 90


def test_shortcuts_of_the_page(page: MixerPage, session: FakeSession, qtbot: QtBot) -> None:
    with qtbot.waitActive(page):
        page.activateWindow()
    QTest.keyClick(page, Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
    assert last(session) == ("vocals.mute", True)
    QTest.keyClick(page, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier)
    assert last(session) == ("drums.solo", True)
    QTest.keyClick(page, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert last(session) == ("mixer.dry", 1.0)


def test_muted_and_unsoloed_strips_are_dim_and_say_why(page: MixerPage, bridge: Bridge, session: FakeSession) -> None:
    QTest.mouseClick(page.strips["bass"].mute, LEFT)
    assert page.strips["bass"].fader.dimmed and page.strips["bass"].note.text() == "muted"
    QTest.mouseClick(page.strips["drums"].solo, LEFT)
    assert page.strips["vocals"].fader.dimmed and page.strips["vocals"].note.text() == "not soloed"
    assert not page.strips["drums"].fader.dimmed


def test_a_midi_controller_moves_the_fader(page: MixerPage, bridge: Bridge, session: FakeSession) -> None:
    session.report.mixer = copy.deepcopy(session.report.mixer)
    session.report.mixer.stems["vocals"].gain_db = -20.0
    bridge.poll()
    assert page.strips["vocals"].fader.value() == -200 and page.strips["vocals"].entry.text() == "−20.0"
    assert not session.commands, "what the engine says is not ordered again"


def test_a_flood_of_snapshots_does_not_make_a_dragged_fader_stutter(
    page: MixerPage, bridge: Bridge, session: FakeSession
) -> None:
    """Between any two moves of the mouse the engine reports an old place; the fader must follow the mouse alone, evenly."""
    fader = page.strips["vocals"].fader
    session.report.mixer = copy.deepcopy(session.report.mixer)  # stays at 0 dB, as an engine that is late
    start = QPoint(fader.width() - 18, fader.height() // 2)
    QTest.mousePress(fader, LEFT, pos=start)
    places = [fader.place_of(fader.value())]
    for step in range(1, 81):
        QTest.mouseMove(fader, start + QPoint(0, 2 * step))
        for _ in range(10):
            session.report.meters["vocals"] = Meter([step / 80] * 2, [step / 160] * 2)
            bridge.poll()
        places.append(fader.place_of(fader.value()))
    steps = [a - b for a, b in pairwise(places)]
    even = 2 / fader.travel()
    assert all(0 < step < 3 * even for step in steps), "never back, never a jump"
    assert page.mixer_model.undo.count() == 1
    QTest.mouseRelease(fader, LEFT, pos=start + QPoint(0, 160))
    bridge.poll()
    assert fader.place_of(fader.value()) == pytest.approx(places[-1]), "nor when it is let go"


def test_meters_rise_hold_fall_and_latch_clips(
    page: MixerPage, bridge: Bridge, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = page.strips["vocals"].meter
    now = [100.0]
    monkeypatch.setattr(meter, "_clock", lambda: now[0])
    session.report.meters["vocals"] = Meter([1.5, 0.5], [0.5, 0.25])
    bridge.poll()
    assert (
        meter.clipped
        and meter.peaks[0].level == pytest.approx(3.52, abs=0.01)
        and meter.rms[1].level == pytest.approx(-12.04, abs=0.01)
    )
    session.report.meters["vocals"] = Meter([0.0, 0.0], [0.0, 0.0])
    now[0] += 0.5
    bridge.poll()
    assert meter.peaks[0].level == pytest.approx(3.52 - 12.0, abs=0.01) and meter.held_db() == pytest.approx(
        3.52, abs=0.01
    )
    now[0] += 10
    bridge.poll()
    assert meter.peaks[0].level == -math.inf and meter.held_db() < 0 and meter.clipped, "the clip lamp stays lit"
    QTest.mouseClick(meter, LEFT)
    assert not meter.clipped


def test_a_clip_between_two_looks_is_not_lost(page: MixerPage, bridge: Bridge, session: FakeSession) -> None:
    meter = page.strips["vocals"].meter
    session.report.meters["vocals"] = Meter([0.1, 0.1], [0.1, 0.1], clipped=True)
    bridge.poll()
    assert meter.clipped
    QTest.mouseClick(meter, LEFT)
    bridge.poll()
    assert not meter.clipped, "the same latch does not light it again"
    session.report.meters["vocals"].clipped = False
    bridge.poll()
    session.report.meters["vocals"].clipped = True
    bridge.poll()
    assert meter.clipped


@pytest.mark.parametrize(
    ("strip", "target"), [("vocals", "stem.vocals.gain_db"), ("vocals", "stem.vocals.pan"), ("", "mixer.master_db")]
)
def test_midi_learn_from_a_strip(
    page: MixerPage, bridge: Bridge, session: FakeSession, strip: str, target: str
) -> None:
    session.report.instrument.model = "sing-gm"
    bridge.poll()
    found = page.strips[strip] if strip else page.master
    menu = learn_menu(found, bridge, found.targets())
    actions = [action for action in menu.actions() if action.text().startswith("MIDI learn")]
    actions[list(found.targets()).index(target)].trigger()
    assert (session.commands[-1].op, session.commands[-1].args) == ("learn", {"target": target})
    session.report.instrument.learning = target
    bridge.poll()
    assert found.note.text() == "move a control …"
    session.report.instrument.learning = ""
    bridge.poll()
    assert found.note.text() == " "


def test_strips_take_the_names_and_colours_of_a_stem_file_and_give_them_back(
    page: MixerPage, session: FakeSession, bridge: Bridge
) -> None:
    page.mixer_model.move("drums", "gain_db", -6.0)
    transport = session.report.transport
    longest = "A name that is much longer than any strip is wide, by far"
    transport.titles = {"drums": "Beats <b>", "bass": "", "other": longest, "vocals": "Vox"}
    transport.colours = {"drums": "#112233"}
    bridge.poll()
    drums, other = page.strips["drums"], page.strips["other"]
    assert [strip.name.text() for strip in page.strips.values()][:4] == ["Beats <b>", "Bass", longest, "Vox"]
    assert (drums.colour, page.strips["vocals"].colour) == ("#112233", theme.stem_colour("vocals"))
    assert drums.fader.accessibleName() == "Beats <b> level" and drums.fader.colour == "#112233"
    assert other.width() <= 188 and other.name.toolTip() == longest
    assert page.mixer_model.undo.canUndo(), "another song leaves the history of the mixer"
    transport.titles, transport.colours = {}, {}
    bridge.poll()
    assert page.strips["drums"].name.text() == "Drums" and page.strips["drums"].colour == theme.stem_colour("drums")

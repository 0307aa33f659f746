"""Effects in the window: slots on the strips, the browser, the editor; what a person does reaches the session."""

from __future__ import annotations

from typing import Any

import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt
from PyQt6.QtGui import QDropEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.insert_moves import slots_of
from gui.inserts.browser import BUILT_IN, INSTALLED, EffectBrowser
from gui.inserts.editor import MOST_ROWS, InsertEditor
from gui.inserts.library import PluginLibrary, library_of
from gui.inserts.rack import InsertRack
from gui.inserts.slot import MIME, InsertSlot
from gui.inserts.values import ChoiceBox, ParameterSlider, read
from gui.pages.mixer import MixerPage
from gui.widgets.learn import target_title
from gui.window import MainWindow
from rtaudio.protocol.parameters import EFFECTS, Parameter
from rtaudio.protocol.reports import InsertReport, Transport
from rtaudio.protocol.settings import InsertState
from tests.gui.conftest import FakeSession
from tests.gui.test_access import is_control, name_of

LEFT = Qt.MouseButton.LeftButton
ALT = Qt.KeyboardModifier.AltModifier
FLANGER = {
    "plugin": "lv2:http://x.org/flanger", "name": "Flanger", "maker": "Somebody", "category": "Modulation", "kind": "LV2", "editor": True,
    "parameters": [
        Parameter("depth", "Depth", "%", 0, 100, 50).to_json(),
        Parameter("mode", "Mode", "", 0, 2, 0, steps=3, labels=("Soft", "Hard", "Odd")).to_json(),
        Parameter("link", "Link", "", 0, 1, 1, steps=2).to_json(),
    ], "error": "",
}  # fmt: skip
CRASHING = {"plugin": "/x/Crash.vst3", "name": "Crash", "kind": "VST3", "error": "It crashed when it was loaded."}


@pytest.fixture
def library(bridge: Bridge) -> PluginLibrary:
    """What a scan has found; no job runs."""
    library = library_of(bridge)
    library._looked = True
    library._found({"plugins": [FLANGER, CRASHING]})
    return library


@pytest.fixture
def page(bridge: Bridge, session: FakeSession, library: PluginLibrary, qtbot: QtBot) -> MixerPage:
    bridge.poll()
    page = MixerPage(bridge)
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    bridge.poll()
    return page


def fill(session: FakeSession, bridge: Bridge, place: str = "vocals", *plugins: str) -> None:
    """Put effects into slots, as another window would, all running."""
    slots = [InsertState(plugin, f"{plugin[:3]}-{n}") for n, plugin in enumerate(plugins, 1)]
    bridge.send("set_inserts", strip=place, inserts=[vars(slot) for slot in slots])
    session.report.inserts[place] = [InsertReport(slot.key, slot.plugin, slot.plugin, "running") for slot in slots]
    bridge.poll()
    session.commands.clear()


def slot(page: MixerPage, place: str, number: int) -> InsertSlot:
    return page.racks[place].slots[number]


def last(session: FakeSession) -> tuple[str, dict[str, Any]]:
    return session.commands[-1].op, session.commands[-1].args


def order_of(session: FakeSession, place: str) -> list[str]:
    mixer = session.desired.mixer
    return [entry.plugin for entry in slots_of(mixer, place)]


# ---------------------------------------------------------------- slots


def test_every_strip_has_slots_and_shows_as_many_as_the_fullest_needs(page: MixerPage, session: FakeSession, bridge: Bridge) -> None:
    assert set(page.racks) == {*page.strips, "master", "input"}
    for rack in page.racks.values():
        assert [s.isHidden() for s in rack.slots] == [False, True, True, True]
    fill(session, bridge, "vocals", "reverb", "eq")
    assert [s.isHidden() for s in page.racks["bass"].slots] == [False, False, False, True]
    offers = [s.name.text() for s in page.racks["bass"].slots if s.name.isVisible()]
    assert offers == ["+ Effect"], "one button to add is enough"
    heights = {strip.fader.height() for strip in page.strips.values()}
    assert len(heights) == 1, "faders of one length"
    fill(session, bridge, "vocals", *["gain"] * 4)
    assert all(s.key for s in page.racks["vocals"].slots)


@pytest.mark.parametrize(
    ("status", "mark", "act"),
    [("running", "●", "Bypass"), ("bypassed", "○", "Switch"), ("loading", "…", "Bypass"), ("failed", "↻", "Start"),
     ("missing", "↻", "Start")],
)  # fmt: skip
def test_a_slot_tells_its_state_in_a_sign_and_in_words(
    page: MixerPage, session: FakeSession, bridge: Bridge, status: str, mark: str, act: str
) -> None:
    fill(session, bridge, "vocals", "reverb")
    session.desired.mixer.stems["vocals"].inserts[0].bypass = status == "bypassed"
    session.report.inserts["vocals"][0].status = status
    session.report.inserts["vocals"][0].message = "The plugin crashed." if status == "failed" else ""
    bridge.poll()
    shown = slot(page, "vocals", 0)
    assert shown.switch.text() == mark and shown.switch.accessibleName().startswith(act)
    assert shown.name.accessibleName() == "Vocals, effect 1: Reverb"
    if status == "failed":
        assert "The plugin crashed." in shown.name.accessibleDescription() and "The plugin crashed." in shown.switch.toolTip()
        QTest.mouseClick(shown.switch, LEFT)
        assert last(session) == ("restart_insert", {"strip": "vocals", "key": "rev-1"})
    assert bool(shown.name.accessibleDescription())


def test_one_click_bypasses_and_undo_takes_it_back(page: MixerPage, session: FakeSession, bridge: Bridge) -> None:
    fill(session, bridge, "bass", "reverb")
    QTest.mouseClick(slot(page, "bass", 0).switch, LEFT)
    assert last(session) == ("bypass_insert", {"strip": "bass", "key": "rev-1", "bypass": True})
    assert slot(page, "bass", 0).switch.text() == "○", "before the engine has confirmed it"
    page.undo_button.click()
    assert last(session)[1]["bypass"] is False


def test_keys_move_bypass_and_remove(page: MixerPage, session: FakeSession, bridge: Bridge) -> None:
    fill(session, bridge, "bass", "reverb", "eq", "gain")
    page.window().activateWindow()
    QTest.keyClick(slot(page, "bass", 0).name, Qt.Key.Key_Down, ALT)
    assert order_of(session, "bass") == ["eq", "reverb", "gain"]
    QTest.keyClick(slot(page, "bass", 1).name, Qt.Key.Key_Up, ALT)
    assert order_of(session, "bass") == ["reverb", "eq", "gain"]
    QTest.keyClick(slot(page, "bass", 0).name, Qt.Key.Key_Up, ALT)
    assert order_of(session, "bass") == ["reverb", "eq", "gain"], "it is first"
    QTest.keyClick(slot(page, "bass", 1).name, Qt.Key.Key_B)
    assert last(session) == ("bypass_insert", {"strip": "bass", "key": "eq-2", "bypass": True})
    QTest.keyClick(slot(page, "bass", 0).name, Qt.Key.Key_Delete)
    assert order_of(session, "bass") == ["eq", "gain"]
    QTest.keyClick(slot(page, "bass", 0).name, Qt.Key.Key_M)
    assert session.desired.mixer.stems["bass"].mute, "other letters are the strip's"
    page.undo_button.click()
    page.undo_button.click()
    assert order_of(session, "bass") == ["reverb", "eq", "gain"]


def drop(rack: InsertRack, place: str, key: str, at: QPoint) -> None:
    data = QMimeData()
    data.setData(MIME, f"{place}\n{key}".encode())
    event = QDropEvent(QPointF(at), Qt.DropAction.MoveAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    rack.dropEvent(event)


def test_effects_are_dragged_within_a_strip_and_to_another(page: MixerPage, session: FakeSession, bridge: Bridge) -> None:
    fill(session, bridge, "bass", "reverb", "eq", "gain")
    QApplication.processEvents()
    rack = page.racks["bass"]
    drop(rack, "bass", "rev-1", rack.slots[2].geometry().center())
    assert order_of(session, "bass") == ["eq", "gain", "reverb"]
    drop(rack, "bass", "rev-1", rack.slots[0].geometry().center())
    assert order_of(session, "bass") == ["reverb", "eq", "gain"]
    drop(page.racks["master"], "bass", "eq-2", QPoint(5, 5))
    assert order_of(session, "bass") == ["reverb", "gain"] and order_of(session, "master") == ["eq"]
    page.undo_button.click()
    assert order_of(session, "bass") == ["reverb", "eq", "gain"] and order_of(session, "master") == []
    drop(rack, "drums", "of-nobody", QPoint(5, 5))
    assert order_of(session, "bass") == ["reverb", "eq", "gain"]


def test_the_menu_of_a_slot(page: MixerPage, session: FakeSession, bridge: Bridge) -> None:
    fill(session, bridge, "bass", "reverb", "eq")
    session.report.inserts["bass"][0].editor = True
    bridge.poll()

    def act(text: str, number: int = 0) -> None:
        (action,) = [a for a in slot(page, "bass", number).menu().actions() if a.text() == text]
        assert action.isEnabled(), text
        action.trigger()

    act("Plugin's own window")
    assert last(session) == ("open_editor", {"strip": "bass", "key": "rev-1"})
    act("Bypass")
    assert last(session)[0] == "bypass_insert"
    act("Move down")
    assert order_of(session, "bass") == ["eq", "reverb"]
    act("Replace …")
    assert page.desk.browser is not None
    page.desk.browser.chosen.emit("delay")
    assert order_of(session, "bass") == ["delay", "reverb"]
    page.desk.browser.reject()
    act("Remove", 1)
    assert order_of(session, "bass") == ["delay"]
    disabled = {a.text() for a in slot(page, "bass", 0).menu().actions() if not a.isEnabled()}
    assert disabled == {"Plugin's own window", "Start again", "Move up", "Move down"}


def test_a_low_window_has_a_button_with_a_menu_instead(page: MixerPage, session: FakeSession, bridge: Bridge) -> None:
    fill(session, bridge, "vocals", "reverb")
    session.report.inserts["vocals"][0].status = "missing"
    session.report.inserts["vocals"][0].message = "There is no such plugin."
    page.resize(900, 300)
    QApplication.processEvents()
    bridge.poll()
    rack = page.racks["vocals"]
    assert all(s.isHidden() for s in rack.slots) and rack.small.isVisible() and rack.small.text() == "FX 1 !"
    assert "There is no such plugin." in rack.small.accessibleDescription()
    texts = [action.text() for action in rack.menu().actions()]
    assert texts == ["1. Reverb (missing)", "Add an effect …"]
    (remove,) = [a for menu in rack.menu().findChildren(QMenu) for a in menu.actions() if a.text() == "Remove"]
    remove.trigger()
    assert order_of(session, "vocals") == []
    QTest.mouseClick(rack.small, LEFT)
    assert page.desk.browser is not None and page.desk.browser.isVisible()


def test_the_input_has_slots_while_it_is_live(page: MixerPage, session: FakeSession, bridge: Bridge) -> None:
    assert session.config.input == "default" and page.input_strip.isVisible()
    session.report.mixer.monitor = False
    bridge.poll()
    assert "Monitor" in page.input_strip.hint.text()
    QTest.mouseClick(slot(page, "input", 0).name, LEFT)
    assert page.desk.browser is not None
    page.desk.browser.search.setText("reverb")
    page.desk.browser.choose()
    assert session.desired.mixer.input_inserts[0].plugin == "reverb"
    session.report.transport = Transport("/song.wav", True, 0.0, 10.0)
    bridge.poll()
    assert not page.input_strip.isVisible(), "a song comes in"


def test_the_strip_of_the_input_leads_to_a_microphone_that_is_heard(bridge: Bridge, session: FakeSession, qtbot: QtBot) -> None:
    """As a new user finds it: no song, no input, nothing monitored."""
    bridge.configure(input="none")
    session.report.mixer.monitor = False
    window = MainWindow(bridge)
    qtbot.addWidget(window)
    window.show()
    bridge.poll()
    window.show_page("mixer")
    page = window.pages["mixer"]
    assert isinstance(page, MixerPage)
    strip = page.input_strip
    assert strip.isVisible() and strip.choose.isVisible() and strip.monitor is not None and not strip.monitor.isVisible()
    assert not strip.denoise.isVisible()
    QTest.mouseClick(strip.choose, LEFT)
    assert window._settings is not None and window._settings.isVisible()
    window._settings.reject()
    bridge.configure(input="Headset", output="Headset")
    bridge.poll()
    assert not strip.choose.isVisible() and strip.monitor.isVisible() and "Monitor is off" in strip.hint.text()
    QTest.mouseClick(strip.monitor, LEFT)
    assert last(session) == ("set_mixer", {"field": "monitor", "value": True})
    bridge.poll()
    assert "before it is separated" in strip.hint.text()


def test_one_click_denoises_a_live_input_before_its_other_effects(page: MixerPage, session: FakeSession, bridge: Bridge) -> None:
    switch = page.input_strip.denoise
    fill(session, bridge, "input", "reverb")
    bridge.poll()
    assert switch.isVisible() and not switch.isChecked() and switch.accessibleName() == "Denoise the input"
    QTest.mouseClick(switch, LEFT)
    assert order_of(session, "input") == ["denoise", "reverb"] and switch.isChecked()
    bridge.poll()
    assert switch.isChecked()
    session.desired.mixer.input_inserts[0].bypass = session.report.mixer.input_inserts[0].bypass = True
    page.mixer_model.inserts.ahead.clear()
    bridge.poll()
    assert not switch.isChecked(), "a bypassed denoiser is off"
    QTest.mouseClick(switch, LEFT)
    assert not session.desired.mixer.input_inserts[0].bypass and switch.isChecked()
    QTest.mouseClick(switch, LEFT)
    assert order_of(session, "input") == ["reverb"] and not switch.isChecked()
    page.mixer_model.undo.undo()
    assert order_of(session, "input") == ["denoise", "reverb"]


# ---------------------------------------------------------------- browser


@pytest.fixture
def browser(library: PluginLibrary, qtbot: QtBot) -> EffectBrowser:
    browser = EffectBrowser(library, "Vocals")
    qtbot.addWidget(browser)
    browser.show()
    return browser


def test_search_and_categories(browser: EffectBrowser) -> None:
    assert browser.names()[: len(EFFECTS)] == list(EFFECTS) and browser.names()[-1] == FLANGER["plugin"]
    searches = {
        "reverb": ["reverb"], "ECHO": ["delay"], "voice front": ["compressor"], "somebody": [FLANGER["plugin"]], "xyz": [],
    }  # fmt: skip
    for words, found in searches.items():
        browser.search.setText(words)
        assert browser.names() == found
        assert browser.add_button.isEnabled() == bool(found)
    assert browser.count.text().startswith("Nothing matches.")
    browser.search.clear()
    plugin = FLANGER["plugin"]
    for category, some in ((BUILT_IN, "reverb"), (INSTALLED, plugin), ("Modulation", "chorus"), ("Modulation", plugin)):
        browser.category.setCurrentIndex(browser.category.findData(category))
        browser.category.activated.emit(browser.category.currentIndex())
        assert some in browser.names()
        assert ("reverb" in browser.names()) == (category == BUILT_IN)


def test_return_adds_what_the_arrows_have_marked(browser: EffectBrowser, qtbot: QtBot) -> None:
    browser.search.setText("filter")
    QTest.keyClick(browser.search, Qt.Key.Key_Down)
    with qtbot.waitSignal(browser.chosen) as chosen:
        QTest.keyClick(browser.search, Qt.Key.Key_Return)
    assert chosen.args == ["lowpass"] and not browser.isVisible()


def test_a_plugin_that_crashed_is_told_and_cannot_be_added(browser: EffectBrowser) -> None:
    browser.search.setText("crash")
    assert browser.names() == []
    texts = [item.text() for row in range(browser.list.count()) if (item := browser.list.item(row)) is not None]
    assert texts == ["Cannot be used", "Crash\nIt crashed when it was loaded."] and not browser.add_button.isEnabled()


def test_built_in_effects_are_there_while_plugins_are_looked_for(
    bridge: Bridge, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    real = bridge.job
    monkeypatch.setattr(bridge, "job", lambda name, **args: (asked.append({"job": name, **args}), real("nothing of the kind"))[1])
    library = library_of(bridge)
    browser = EffectBrowser(library, "Vocals")
    qtbot.addWidget(browser)
    assert browser.names() == list(EFFECTS) and library.busy and not browser.again.isEnabled()
    assert browser.count.text() == "Looking for installed plugins …"
    qtbot.waitUntil(lambda: not library.busy)
    assert "There is no job" in browser.count.text() and browser.names() == list(EFFECTS), "and when that fails"
    browser.again.click()
    assert asked == [{"job": "plugins"}, {"job": "plugins", "again": True}]
    qtbot.waitUntil(lambda: not library.busy)


@pytest.mark.parametrize("facts", [{}, {"plugins": 3}, {"plugins": [3, {"plugin": 3}, {}]}])
def test_nonsense_of_a_scan_is_no_plugin(library: PluginLibrary, facts: dict[str, Any]) -> None:
    library._found(facts)
    assert [listed.plugin for listed in library.listed] == list(EFFECTS)


def test_a_plugin_with_a_damaged_table_can_still_be_used(library: PluginLibrary) -> None:
    library._found({"plugins": [FLANGER | {"parameters": [{"id": "x", "low": "nan"}]}]})
    assert library.parameters(str(FLANGER["plugin"])) == ()


# ---------------------------------------------------------------- editor


@pytest.fixture
def editor(page: MixerPage, session: FakeSession, bridge: Bridge, library: PluginLibrary, qtbot: QtBot) -> InsertEditor:
    fill(session, bridge, "vocals", "highpass", "compressor")
    editor = InsertEditor(page.mixer_model, library, "vocals", "com-2")
    qtbot.addWidget(editor)
    editor.show()
    return editor


def slider(editor: InsertEditor, id: str) -> ParameterSlider:
    control = editor.rows[id].control
    assert isinstance(control, ParameterSlider)
    return control


def test_the_editor_has_a_named_control_for_each_parameter(editor: InsertEditor) -> None:
    assert editor.windowTitle() == "Vocals: Compressor" and list(editor.rows) == [p.id for p in EFFECTS["compressor"].parameters]
    controls = [w for w in editor.findChildren(QWidget) if is_control(w)]
    assert controls and all(name_of(w) and w.focusPolicy() & Qt.FocusPolicy.TabFocus for w in controls)
    assert slider(editor, "threshold").accessibleDescription() == "-20.0 dB"
    assert slider(editor, "attack").place(5.0) == pytest.approx(1000 * EFFECTS["compressor"].parameter("attack").normal(5.0), abs=1)


def test_values_are_typed_dragged_stepped_and_reset(editor: InsertEditor, page: MixerPage, session: FakeSession) -> None:
    entry = editor.rows["attack"].entry
    assert entry is not None
    entry.selectAll()
    QTest.keyClicks(entry, "50 ms")
    QTest.keyClick(entry, Qt.Key.Key_Return)
    assert last(session) == ("set_parameter", {"strip": "vocals", "key": "com-2", "parameter": "attack", "value": 50.0})
    entry.selectAll()
    QTest.keyClicks(entry, "5 s")
    QTest.keyClick(entry, Qt.Key.Key_Return)
    assert last(session)[1]["value"] == 100.0, "the most there is"
    entry.selectAll()
    QTest.keyClicks(entry, "loud")
    QTest.keyClick(entry, Qt.Key.Key_Return)
    assert entry.text() == "100 ms" and last(session)[1]["value"] == 100.0
    control = slider(editor, "threshold")
    start, steps = control.rect().center(), page.mixer_model.undo.count()
    QTest.mousePress(control, LEFT, pos=start)
    for k in range(1, 6):
        QTest.mouseMove(control, start + QPoint(8 * k, 0))
    QTest.mouseRelease(control, LEFT, pos=start + QPoint(40, 0))
    moved = last(session)[1]["value"]
    assert -20 < moved < 0 and page.mixer_model.undo.count() == steps + 1
    QTest.keyClick(control, Qt.Key.Key_Left)
    assert last(session)[1]["value"] < moved
    QTest.mouseDClick(control, LEFT, pos=start)
    assert last(session)[1]["value"] == -20.0
    page.mixer_model.undo.undo()
    assert last(session)[1]["value"] < moved
    editor.rest.click()
    assert session.desired.mixer.stems["vocals"].inserts[1].values == {"attack": 5.0, "threshold": -20.0}


def test_the_editor_follows_other_hands_and_closes_with_its_effect(editor: InsertEditor, bridge: Bridge, page: MixerPage) -> None:
    bridge.send("set_parameter", strip="vocals", key="com-2", parameter="ratio", value=20.0)
    bridge.send("bypass_insert", strip="vocals", key="com-2", bypass=True)
    bridge.poll()
    assert slider(editor, "ratio").value() == slider(editor, "ratio").maximum() and editor.panel.bypass.isChecked()
    bridge.send("set_inserts", strip="vocals", inserts=[])
    bridge.poll()
    assert not editor.isVisible()


def test_a_failed_effect_can_be_started_again_from_its_editor(editor: InsertEditor, session: FakeSession, bridge: Bridge) -> None:
    assert not editor.panel.again.isVisible() and not editor.panel.own.isVisible()
    session.report.inserts["vocals"][1].status, session.report.inserts["vocals"][1].message = "failed", "It hangs."
    bridge.poll()
    assert editor.panel.message.text() == "⚠ It hangs." and editor.panel.again.isVisible()
    editor.panel.again.click()
    assert last(session) == ("restart_insert", {"strip": "vocals", "key": "com-2"})


def test_parameters_learn_midi_controllers(editor: InsertEditor, session: FakeSession, bridge: Bridge) -> None:
    session.report.instrument.model = "sing-gm"
    bridge.poll()
    control = slider(editor, "ratio")
    control.customContextMenuRequested.emit(QPoint(5, 5))
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, QMenu)
    popup.actions()[0].trigger()
    assert last(session) == ("learn", {"target": "insert.vocals.com-2.ratio"})
    popup.close()
    session.report.instrument.learning = "insert.vocals.com-2.ratio"
    bridge.poll()
    assert editor.rows["ratio"].label.text() == "Ratio: move a control …"
    assert target_title("insert.vocals.reverb-1.room") == "Vocals: Reverb, Room size"


def test_a_plugins_editor_waits_for_the_scan_and_knows_choices_and_switches(
    page: MixerPage, session: FakeSession, bridge: Bridge, library: PluginLibrary, qtbot: QtBot
) -> None:
    fill(session, bridge, "vocals", str(FLANGER["plugin"]))
    session.report.inserts["vocals"][0].editor, session.report.inserts["vocals"][0].name = True, "Big Flanger"
    bridge.poll()
    library._plugins = ()
    page.desk.edit("vocals", "lv2-1")
    (editor,) = page.desk.editors.values()
    assert not editor.rows and "Looking" in editor.panel.note.text() and editor.windowTitle() == "Vocals: Big Flanger"
    library._found({"plugins": [FLANGER]})
    library.changed.emit()
    assert list(editor.rows) == ["depth", "mode", "link"]
    mode, link = editor.rows["mode"].control, editor.rows["link"].control
    assert isinstance(mode, ChoiceBox) and isinstance(link, ChoiceBox)
    assert [link.itemText(k) for k in range(link.count())] == ["Off", "On"] and link.currentText() == "On"
    mode.setCurrentIndex(1)
    mode.activated.emit(1)
    assert last(session)[1] == {"strip": "vocals", "key": "lv2-1", "parameter": "mode", "value": 1.0}
    QTest.keyClick(mode, Qt.Key.Key_Delete)
    assert last(session)[1]["value"] == 0.0
    editor.panel.own.click()
    assert last(session) == ("open_editor", {"strip": "vocals", "key": "lv2-1"})
    editor.reject()
    assert not page.desk.editors


def test_hundreds_of_parameters_are_searched(page: MixerPage, session: FakeSession, bridge: Bridge, library: PluginLibrary) -> None:
    many = [Parameter(f"p{k}", f"Knob {k}").to_json() for k in range(300)]
    library._found({"plugins": [FLANGER | {"parameters": many}]})
    fill(session, bridge, "bass", str(FLANGER["plugin"]))
    page.desk.edit("bass", "lv2-1")
    (editor,) = page.desk.editors.values()
    assert len(editor.rows) == MOST_ROWS and "300" in editor.panel.note.text()
    editor.panel.search.setText("knob 299")
    assert list(editor.rows) == ["p299"]
    editor.reject()


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("350", "ms", 350.0), ("0,5", "", 0.5), ("−3.5 dB", "dB", -3.5), ("1.2 kHz", "Hz", 1200.0), ("2k", "Hz", 2000.0),
     ("2 s", "ms", 2000.0),
     ("3:1", ": 1", 3.0), (".5", "", 0.5), ("", "", None), ("loud", "dB", None), ("1e999", "", None), ("nan", "", None)],
)  # fmt: skip
def test_what_a_person_may_type(text: str, unit: str, value: float | None) -> None:
    assert read(text, unit) == value

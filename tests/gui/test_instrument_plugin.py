"""A plugin as the instrument in the window: chosen, changed, missing, kept. The live part is in ``test_instrument_plugin_live.py``."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.insert_moves import PLAYED
from gui.inserts.browser import EffectBrowser, InstrumentBrowser
from gui.inserts.instrument import use_instrument
from gui.inserts.library import PluginLibrary, library_of
from gui.inserts.values import ParameterSlider
from gui.mixer_model import ECHO_S, MixerModel, mixer_model_of
from gui.pages.instrument import InstrumentPage
from gui.pages.mixer import MixerPage
from gui.presets import apply_preset, present_preset
from gui.session_store import SessionStore
from gui.settings.dialog import SettingsDialog
from gui.settings.draft import Draft
from gui.store import Store
from gui.widgets.learn import target_title
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.messages import command
from rtaudio.protocol.parameters import Parameter
from rtaudio.protocol.reports import InsertReport, InstrumentReport
from rtaudio.protocol.settings import EngineConfig, InsertState
from tests.gui.conftest import FakeSession
from tests.gui.instrument_fixture import hanging
from tests.gui.test_mixer_model import Clock
from tests.jack import ROOT
from tests.sing_fixture import tiny_instrument

LEFT = Qt.MouseButton.LeftButton
ORGAN, DRUMS = "lv2:urn:x:organ", "/x/Drums.vst3"
TONE = Parameter("tone", "Tone", "%", 0, 100, 50)
FOUND = [
    {"plugin": ORGAN, "name": "Big Organ", "maker": "Somebody", "kind": "LV2", "category": "Instrument Plugin", "instrument": True,
     "parameters": [TONE.to_json()], "error": ""},
    {"plugin": DRUMS, "name": "Drums", "kind": "VST3", "instrument": True, "error": "It crashed while it was loaded."},
    {"plugin": "lv2:urn:x:echo", "name": "Echo", "kind": "LV2", "error": ""},
]  # fmt: skip
PATIENCE_MS = 300_000


@pytest.fixture
def library(bridge: Bridge) -> PluginLibrary:
    library = library_of(bridge)
    library._looked = True
    library._found({"plugins": FOUND})
    return library


def play(session: FakeSession, bridge: Bridge, plugin: str = ORGAN, status: str = "running", message: str = "") -> None:
    """The engine plays this plugin."""
    if session.config.instrument != plugin:
        bridge.configure(instrument=plugin)
    session.report.instrument = InstrumentReport(
        model="Big Organ", state=session.desired.instrument,
        slot=InsertReport("instrument", plugin, "Big Organ" if status != "missing" else plugin, status, message),
    )  # fmt: skip
    session.report.mixer = session.desired.mixer
    bridge.poll()


@pytest.fixture
def page(bridge: Bridge, session: FakeSession, library: PluginLibrary, instrument_page: InstrumentPage) -> InstrumentPage:
    play(session, bridge)
    session.commands.clear()
    return instrument_page


def test_models_and_plugins_are_listed_searched_and_chosen(library: PluginLibrary, qtbot: QtBot) -> None:
    browser = InstrumentBrowser(library, "sing-gm")
    qtbot.addWidget(browser)
    browser.show()
    assert browser.names() == ["sing-gm", ORGAN] and browser.list.current_key() == "sing-gm", "no effects, and nothing that crashed"
    texts = [item.text() for row in range(browser.list.count()) if (item := browser.list.item(row)) is not None]
    assert texts[-2:] == ["Cannot be used", "Drums\nIt crashed while it was loaded."]
    QTest.keyClicks(browser.search, "somebody")
    with qtbot.waitSignal(browser.chosen) as chosen:
        QTest.keyClick(browser.search, Qt.Key.Key_Return)
    assert chosen.args == [ORGAN]


def test_an_instrument_is_no_effect_and_says_where_it_belongs(library: PluginLibrary, qtbot: QtBot) -> None:
    browser = EffectBrowser(library, "Vocals")
    qtbot.addWidget(browser)
    browser.search.setText("organ")
    assert browser.names() == [] and "page Instrument" in browser.list.item(1).text()  # type: ignore[union-attr]


def test_the_page_chooses_and_then_shows_the_plugins_parameters(
    instrument_page: InstrumentPage, library: PluginLibrary, bridge: Bridge, session: FakeSession
) -> None:
    panel = instrument_page.panel
    assert panel.model_cards[0].isVisible() and not panel.plugin_card.isVisible() and panel.envelope.attack.isEnabled()
    place = panel.keyboard.place_of(60).toPoint()
    QTest.mousePress(panel.keyboard, LEFT, pos=place)
    panel.pedal.click()
    assert hanging(session) == {(0, 60)}
    QTest.mouseClick(panel.choose, LEFT)
    assert panel.choosing is not None and not hanging(session), "no key is down when another instrument comes"
    panel.choosing.chosen.emit(ORGAN)
    assert session.config.instrument == ORGAN and not panel.notes.pedal
    play(session, bridge)
    assert panel.plugin_card.isVisible() and not any(card.isVisible() for card in panel.model_cards)
    assert list(panel.plugin.rows) == ["tone"] and panel.plugin.name.text() == "Big Organ" and not panel.plugin.bypass.isVisible()
    assert not panel.envelope.attack.isEnabled() and panel.status.labels["stolen"].isHidden()
    panel.choosing.reject()
    bridge.configure(instrument="sing-gm")
    session.report.instrument = InstrumentReport(model="sing-gm")
    bridge.poll()
    assert panel.model_cards[0].isVisible() and not panel.plugin_card.isVisible() and panel.envelope.attack.isEnabled()


def test_keys_pressed_while_another_instrument_comes_end(page: InstrumentPage, bridge: Bridge, session: FakeSession) -> None:
    keyboard = page.panel.keyboard
    QTest.mousePress(keyboard, LEFT, pos=keyboard.place_of(64).toPoint())
    page.panel.pedal.click()
    assert hanging(session)
    bridge.configure(instrument="sing-gm")  # from another window
    bridge.poll()
    assert not hanging(session) and not page.panel.notes.pedal and not page.panel.pedal.isChecked()


def test_a_parameter_is_turned_followed_and_undone(page: InstrumentPage, bridge: Bridge, session: FakeSession) -> None:
    control, undo = page.panel.plugin.rows["tone"].control, page.panel.plugin.mixer_model.undo
    assert isinstance(control, ParameterSlider)
    control.setFocus()
    QTest.keyClick(control, Qt.Key.Key_Right)
    sent = session.commands[-1]
    assert sent.op == "set_parameter" and sent.args["strip"] == sent.args["key"] == "instrument" and sent.args["value"] > 50
    assert session.desired.instrument.plugin.values == {"tone": sent.args["value"]}
    bridge.poll()  # the engine agrees
    bridge.send("set_parameter", strip="instrument", key="instrument", parameter="tone", value=90.0)
    bridge.poll()
    assert control.value() == control.place(90.0), "another hand"
    undo.undo()
    assert session.commands[-1].args["value"] == 50.0
    undo.redo()
    bridge.configure(instrument=DRUMS)
    bridge.poll()
    session.commands.clear()
    undo.undo()
    assert not session.commands, "what another plugin had does not turn this one's parameters"


def test_another_instrument_is_undone_with_what_was_turned_before(page: InstrumentPage, bridge: Bridge, session: FakeSession) -> None:
    moves, undo = page.panel.plugin.mixer_model.inserts, page.panel.plugin.mixer_model.undo
    assert moves.turn(*PLAYED, TONE, 80.0)
    bridge.send("set_instrument", field="plugin", value={"plugin": ORGAN, "key": "instrument", "values": {"tone": 80.0}, "state": "AAAA"})
    bridge.poll()
    use_instrument(bridge, "sing-gm")
    assert session.config.instrument == "sing-gm" and undo.undoText() == "Instrument: sing-gm"
    play(session, bridge, "sing-gm")
    use_instrument(bridge, "sing-gm")
    assert undo.count() == 2, "what plays already is no step"
    undo.undo()
    assert session.config.instrument == ORGAN
    assert session.desired.instrument.plugin == InsertState(ORGAN, "instrument", values={"tone": 80.0}, state="AAAA")
    play(session, bridge)
    undo.undo()
    assert session.desired.instrument.plugin.values == {"tone": 50.0}
    undo.redo()
    undo.redo()
    assert session.config.instrument == "sing-gm"


def test_an_instrument_chosen_in_the_settings_is_undone_alone(bridge: Bridge, session: FakeSession, library: PluginLibrary) -> None:
    play(session, bridge)
    model, draft = mixer_model_of(bridge), Draft(bridge)
    draft.choose(instrument="", client_name="other")
    draft._apply_if_possible()
    assert (session.config.instrument, session.config.client_name) == ("", "other") and model.undo.undoText() == "Instrument: none"
    model.undo.undo()
    assert (session.config.instrument, session.config.client_name) == (ORGAN, "other")
    assert not model.undo.canUndo()


def test_an_instrument_that_is_refused_is_no_step(bridge: Bridge, session: FakeSession, library: PluginLibrary) -> None:
    use_instrument(bridge, "/nowhere/at/all")
    assert session.config.instrument == "sing-gm" and not mixer_model_of(bridge).undo.canUndo()


def test_the_parameters_of_plugins_are_offered_to_midi_learn(
    page: InstrumentPage, bridge: Bridge, session: FakeSession, library: PluginLibrary
) -> None:
    learn = page.panel.learn
    page.panel.tabs.setCurrentWidget(learn)
    assert learn.choice.findText("Instrument: Big Organ, Tone") == learn.choice.findData("insert.instrument.instrument.tone") >= 0
    library._found({"plugins": [*FOUND, {"plugin": "/x/E.vst3", "name": "E", "kind": "VST3", "parameters": [TONE.to_json()], "error": ""}]})
    bridge.send("set_inserts", strip="vocals", inserts=[{"plugin": "/x/E.vst3", "key": "E-1"}, {"plugin": "reverb", "key": "reverb-1"}])
    session.report.instrument.state.midi_map = [{"target": "insert.instrument.instrument.tone", "control": 7, "channel": 0}]
    bridge.poll()
    assert learn.choice.findText("Vocals: E, Tone") >= 0 and learn.choice.findText("Vocals: Reverb, Room size") >= 0
    assert learn.list.item(0).text().startswith("Instrument: Big Organ, Tone")  # type: ignore[union-attr]
    learn.choice.setCurrentIndex(learn.choice.findData("insert.instrument.instrument.tone"))
    QTest.mouseClick(learn.learn, LEFT)
    assert session.commands[-1].args == {"target": "insert.instrument.instrument.tone"}


def test_what_was_just_turned_does_not_jump_back(bridge: Bridge, session: FakeSession, library: PluginLibrary) -> None:
    clock = Clock()
    model = MixerModel(bridge, clock)
    play(session, bridge)
    session.report.instrument.state = InstrumentReport().state  # an old report
    session.report.instrument.state.plugin = InsertState(ORGAN, "instrument")
    assert model.inserts.turn(*PLAYED, TONE, 80.0)
    bridge.poll()
    assert model.inserts.value(*PLAYED, TONE) == 80.0
    clock.now += 2 * ECHO_S
    bridge.poll()
    assert model.inserts.value(*PLAYED, TONE) == 50.0, "an engine that does not obey has the last word"


def test_letters_play_the_piano_on_the_plugins_controls_too(page: InstrumentPage, session: FakeSession) -> None:
    QTest.keyPress(page.panel.plugin.rows["tone"].control, Qt.Key.Key_A)
    assert hanging(session)
    QTest.keyRelease(page.panel.plugin.rows["tone"].control, Qt.Key.Key_A)
    assert not hanging(session)


@pytest.mark.parametrize(("status", "sign"), [("running", "♪"), ("loading", "…"), ("failed", "↻"), ("missing", "↻")])
def test_the_strip_says_what_plays_and_starts_it_again(
    bridge: Bridge, session: FakeSession, library: PluginLibrary, qtbot: QtBot, status: str, sign: str
) -> None:
    bridge.poll()
    page = MixerPage(bridge)
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    play(session, bridge, status=status, message="It is not there." if sign == "↻" else "")
    button, strip = page.instrument_button, page.strips["instrument"]
    assert button is not None and button.text() == sign
    assert strip.note.text() == ("organ" if status == "missing" else "Big Organ")
    assert not button.geometry().intersects(strip.name.geometry()) and button.isVisible()
    page.resize(1200, 300)
    bridge.poll()
    rack = page.racks["instrument"]
    assert strip.compact and not button.isVisible() and rack.small.text() == ("+ FX !" if sign == "↻" else "+ FX")
    (plugin,) = [menu for menu in rack.menu().findChildren(QMenu) if "Big Organ" in menu.title() or "organ" in menu.title()]
    assert [action.isEnabled() for action in plugin.actions() if action.text() == "Start again"] == [sign == "↻"]
    page.resize(1200, 700)
    bridge.poll()
    if sign == "↻":
        assert "It is not there." in button.accessibleDescription() and button.accessibleName().startswith("Start")
        QTest.mouseClick(button, LEFT)
        assert session.commands[-1] == command("restart_insert", strip="instrument", key="instrument")
        return
    actions = {action.text(): action for action in button.menu_of_actions().actions()}
    actions["Edit …"].trigger()
    assert list(page.desk.editors[PLAYED].rows) == ["tone"]
    actions["Choose an instrument …"].trigger()
    assert button.browser is not None
    button.browser.chosen.emit("sing-gm")
    button.browser.reject()
    assert session.config.instrument == "sing-gm"
    bridge.poll()
    assert not page.desk.editors, "its editor goes with it"


def test_without_an_instrument_the_page_offers_plugins_too(
    bridge: Bridge, session: FakeSession, library: PluginLibrary, qtbot: QtBot
) -> None:
    bridge.configure(instrument="")
    bridge.poll()
    page = InstrumentPage(bridge)
    qtbot.addWidget(page)
    page.show()
    QTest.mouseClick(page.choose, LEFT)
    assert page.panel.choosing is not None
    page.panel.choosing.chosen.emit(ORGAN)
    page.panel.choosing.reject()
    assert session.config.instrument == ORGAN


def test_the_settings_offer_plugins_beside_the_models(bridge: Bridge, session: FakeSession, library: PluginLibrary, qtbot: QtBot) -> None:
    bridge.poll()
    dialog = SettingsDialog(bridge)
    qtbot.addWidget(dialog)
    tab = dialog.instrument
    tab.plugin.click()
    assert tab.browser is not None
    tab.browser.chosen.emit(ORGAN)
    tab.browser.reject()
    assert tab.instrument.currentText() == "Big Organ" and not tab.voices.isEnabled() and not tab.card.isVisible()
    assert session.config.instrument == "sing-gm" and dialog.draft.changes() == {"instrument": ORGAN}, "not before Apply"
    dialog.reject()


def test_presets_and_sessions_keep_the_plugin_and_its_settings(
    bridge: Bridge, session: FakeSession, library: PluginLibrary, tmp_path: Path
) -> None:
    told: list[str] = []
    bridge.refused.connect(told.append)
    bridge.send("set_sound", channel=0, shares={"flute": 1.0})  # of SING; a plugin must not be asked for it
    play(session, bridge)
    bridge.send("set_parameter", strip="instrument", key="instrument", parameter="tone", value=75.0)
    session.desired.instrument.plugin.state = "eJwDAAAAAAE="
    bridge.poll()
    store = Store(tmp_path / "store")
    store.save_preset("Church", present_preset(bridge))
    saved = SessionStore(bridge).present()
    store.save_session(saved)
    again = Store(tmp_path / "store").load_session()
    assert again is not None and again.config.instrument == ORGAN
    assert again.instrument.plugin == InsertState(ORGAN, "instrument", False, {"tone": 75.0}, "eJwDAAAAAAE=")
    for start in ("sing-gm", ORGAN):
        bridge.configure(instrument=start)
        if start == ORGAN:
            bridge.send("set_parameter", strip="instrument", key="instrument", parameter="tone", value=5.0)
        bridge.poll()
        apply_preset(bridge, store.load_preset("Church"), "Church")
        assert session.config.instrument == ORGAN and not told
        assert session.desired.instrument.plugin == again.instrument.plugin


def test_settings_of_the_instrument_are_data_to_be_checked(bridge: Bridge, session: FakeSession, library: PluginLibrary) -> None:
    def refuses(sentence: str, op: str, **args: object) -> None:
        with pytest.raises(StemplayError, match=sentence):
            session.send(command(op, **args))

    played = {"strip": "instrument", "key": "instrument"}
    refuses("is the model sing-gm, not a plugin", "set_parameter", **played, parameter="tone", value=1.0)
    refuses("is the model sing-gm, not a plugin", "open_editor", **played)
    refuses("is the model sing-gm, not a plugin", "restart_insert", **played)
    play(session, bridge)
    refuses("is a number", "set_parameter", **played, parameter="tone", value="loud")
    refuses("These are settings of", "set_instrument", field="plugin", value={"plugin": DRUMS})
    refuses("no text of at most", "set_instrument", field="plugin", value={"plugin": ORGAN, "state": "x" * 100_000})
    refuses("has plugin, key", "set_instrument", field="plugin", value=3)
    assert session.desired.instrument.plugin == InsertState(ORGAN, "instrument")
    session.send(command("configure", config=vars(EngineConfig(instrument="sing-gm"))))
    session.send(command("configure", config=vars(EngineConfig(instrument=DRUMS))))
    assert session.desired.instrument.plugin == InsertState(DRUMS, "instrument"), "another plugin begins anew"


def test_the_target_of_a_controller_has_a_name() -> None:
    assert target_title("insert.instrument.instrument.tone") == "Instrument: tone"


# ---------------------------------------------------------------- a plugin's path


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("Gone.vst3", "There is no plugin"), ("notes.txt", "is no plugin: the name of a VST3 plugin ends in .vst3"),
     ("echo.py", "install its package with pip"), ("package", "install its package with pip"), ("Broken.vst3", "Broken")],
)  # fmt: skip
def test_a_path_that_is_no_plugin_is_told_in_a_sentence(
    bridge: Bridge, library: PluginLibrary, qtbot: QtBot, tmp_path: Path, name: str, sentence: str
) -> None:
    for file in ("notes.txt", "echo.py"):
        (tmp_path / file).write_text("x")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "pyproject.toml").write_text("")
    (tmp_path / "Broken.vst3").mkdir()
    browser = EffectBrowser(library, "Vocals")
    qtbot.addWidget(browser)
    taken: list[str] = []
    browser.chosen.connect(taken.append)
    browser.search.setText(str(tmp_path / name))
    assert "Return loads" in browser.count.text() and browser.add_button.isEnabled()
    QTest.keyClick(browser.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: browser.count.text().startswith("⚠"), timeout=PATIENCE_MS)
    assert sentence in browser.count.text() and not taken and not browser.result()
    browser.search.setText("reverb")
    assert not browser.count.text().startswith("⚠") and browser.names() == ["reverb"]
    browser.reject()


def test_an_effect_is_refused_as_an_instrument_by_its_path(bridge: Bridge, library: PluginLibrary, qtbot: QtBot) -> None:
    browser = InstrumentBrowser(library, "sing-gm")
    qtbot.addWidget(browser)
    browser._file = "lv2:urn:x:echo"
    library.examined.emit("lv2:urn:x:echo", "")
    assert browser.count.text() == "⚠ Echo is an effect, not an instrument."


def test_a_model_in_a_folder_can_be_chosen_and_is_listed_while_it_plays(library: PluginLibrary, qtbot: QtBot, tmp_path: Path) -> None:
    own, separator = tiny_instrument(tmp_path), ROOT / "models" / "zoo" / "demucs-live"
    browser = InstrumentBrowser(library, str(own))
    qtbot.addWidget(browser)
    assert browser.names() == ["sing-gm", str(own), ORGAN] and browser.list.current_key() == str(own)
    taken: list[str] = []
    browser.chosen.connect(taken.append)
    browser.take_file(str(separator))
    assert not taken and browser.count.text() == "⚠ demucs-live is a separator, not an instrument."
    browser.take_file(str(own))
    assert taken == [str(own)]

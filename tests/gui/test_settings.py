"""Settings: everything is tried on a draft; the sound hears of it with Apply, if it is possible at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui import theme
from gui.bridge import Bridge
from gui.player.monitor import feedback_risk
from gui.settings.card import card_html
from gui.settings.dialog import SettingsDialog
from gui.store import round_trip_key
from rtaudio.control.session import Session
from rtaudio.protocol.messages import to_dict
from rtaudio.protocol.reports import Latency, RemoteReport, SyncReport
from rtaudio.protocol.settings import EngineConfig, MixerState
from tests.gui.conftest import FakeSession
from tests.jack import JackServer

DEVICES = [
    {"label": "ALSA:Scarlett", "name": "Scarlett", "host_api": "ALSA", "inputs": 4, "outputs": 2, "rate": 48_000.0},
    {"label": "ALSA:Speakers", "name": "Speakers", "host_api": "ALSA", "inputs": 0, "outputs": 2, "rate": 44_100.0},
]
CARD = {
    "name": "big", "kind": "separator", "sample_rate": 44_100, "channels": 2, "hop": 441, "latency": 0, "outputs": ["drums"],
    "precision": "int8", "size": 1 << 20, "parameters": 2_000_000, "licence": "MIT & more", "data": ["songs <of ours>"],
    "quality": {"step": 3, "test": {"measured_on": "25 clips", "drums": 3.123456}}, "description": "A model.",
}  # fmt: skip


class FakeJob(QObject):
    """A background job whose answer is the test's."""

    progress, done, failed, ended = pyqtSignal(dict), pyqtSignal(dict), pyqtSignal(str), pyqtSignal()

    def __init__(self, name: str, args: dict[str, Any]) -> None:
        super().__init__()
        self.name, self.args, self.cancelled = name, args, False

    def cancel(self) -> None:
        if not self.cancelled:
            self.cancelled = True
            self.ended.emit()

    def answer(self, **facts: Any) -> None:
        self.done.emit(facts)
        self.ended.emit()

    def refuse(self, sentence: str) -> None:
        self.failed.emit(sentence)
        self.ended.emit()


class Jobs(list[FakeJob]):
    """All background jobs of a test, the latest last."""

    def latest(self, name: str) -> FakeJob:
        return next(job for job in reversed(self) if job.name == name)

    def open(self, name: str) -> list[FakeJob]:
        return [job for job in self if job.name == name and not job.cancelled]


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    made = Jobs()

    def job(self: Bridge, name: str, **args: Any) -> FakeJob:
        made.append(FakeJob(name, args))
        return made[-1]

    monkeypatch.setattr(Bridge, "job", job)
    monkeypatch.setattr("gui.settings.draft.SETTLE_MS", 0)
    return made


@pytest.fixture
def dialog(bridge: Bridge, jobs: Jobs, qtbot: QtBot) -> Iterator[SettingsDialog]:
    dialog = SettingsDialog(bridge)
    qtbot.addWidget(dialog)
    dialog.show()
    jobs.latest("devices").answer(devices=DEVICES, default={"input": "ALSA:Scarlett", "output": "ALSA:Speakers"})
    jobs.latest("midi_inputs").answer(inputs=["Keys"])
    jobs.latest("models").answer(models={"demucs-live": CARD, "big": CARD, "sing-gm": {**CARD, "kind": "instrument"}})
    yield dialog
    dialog.reject()


def expect(jobs: Jobs, qtbot: QtBot, device: float = 441.0, warning: str = "") -> FakeJob:
    """Answer the question for the latency of the newest choice."""
    before = len(jobs)
    qtbot.waitUntil(lambda: any(job.name == "latency" for job in jobs[before - 1 :]) or bool(jobs.open("latency")))
    job = jobs.latest("latency")
    config = job.args["config"]
    job.answer(
        latency=to_dict(Latency(441, 0, 882, device, 44_100)), rate=44_100, block=882, remark="", warning=warning,
        input="ALSA:Scarlett" if config["input"] == "default" else config["input"],
        output="ALSA:Speakers" if config["output"] == "default" else config["output"],
    )  # fmt: skip
    return job


def test_the_tabs_of_models_are_laid_out_alike_and_named_for_themselves(dialog: SettingsDialog) -> None:
    looks, names = set(), []
    for tab in (dialog.model, dialog.instrument):
        column = tab.layout()
        assert column is not None
        looks.add(
            (
                column.spacing(),
                tab.form.horizontalSpacing(),
                tab.form.verticalSpacing(),
                column.contentsMargins().left(),
            )
        )
        names.append(tab.card.accessibleName())
    assert len(looks) == 1, looks
    assert names == ["Card of the model", "Card of the instrument"]
    assert dialog.model.model.accessibleName() == "Model" and dialog.instrument.midi.accessibleName() == "MIDI input"
    assert dialog.model.model.values() == ["demucs-live", "big", "none"]
    assert dialog.instrument.instrument.values() == ["", "sing-gm"]


def test_everything_is_chosen_on_a_draft_and_applied_at_once(
    dialog: SettingsDialog, jobs: Jobs, session: FakeSession, qtbot: QtBot
) -> None:
    sound = dialog.sound
    assert "ALSA:Speakers" in sound.output.currentText() and not dialog.apply_button.isEnabled()
    sound.output.take("ALSA:Scarlett")
    sound.input.take("ALSA:Scarlett")
    sound.channels.take((3, 4))
    sound.rate.take(48_000)
    sound.block.take(512)
    dialog.model.model.take("big")
    dialog.model.consistent.click()
    dialog.model.look_ahead.setValue(30)
    dialog.model.model.take("none")
    assert dialog.model.look_ahead.text() == "no" and not dialog.model.look_ahead.isEnabled()
    dialog.model.model.take("big")
    dialog.model.look_ahead.setValue(17.4)
    dialog.instrument.midi.take("Keys")
    dialog.instrument.voices.setValue(16)
    assert not session.commands, "nothing touches the sound before Apply"
    dialog.model.model.take("demucs-live")  # the engine would refuse the other, which is not in the zoo
    qtbot.waitUntil(lambda: len(jobs.open("latency")) > 0)
    expect(jobs, qtbot)
    dialog.apply_button.click()
    assert [command.op for command in session.commands] == ["configure"]
    config = session.config
    assert (config.output, config.input, config.input_channels) == ("ALSA:Scarlett", "ALSA:Scarlett", (3, 4))
    assert (config.rate, config.block, config.model, config.consistent) == (48_000, 512, "demucs-live", False)
    assert config.look_ahead == 17.4
    assert (config.midi, config.voices, config.instrument) == ("Keys", 16, "sing-gm")
    assert not dialog.apply_button.isEnabled()


def test_the_latency_is_told_before_anything_is_applied(
    dialog: SettingsDialog, jobs: Jobs, bridge: Bridge, session: FakeSession, qtbot: QtBot
) -> None:
    expect(jobs, qtbot)
    assert dialog.sound.latency.text() == "40.0 ms"
    for part in ("model 10.0", "its work 20.0", "device 10.0", "estimate"):
        assert part in dialog.sound.latency_parts.text()
    key = round_trip_key("ALSA:Scarlett", "ALSA:Speakers", 44_100, 882)
    bridge.store.preferences.round_trips[key] = 882.0
    dialog.draft.expected_changed.emit()
    assert dialog.sound.latency.text() == "50.0 ms" and "measured" in dialog.sound.latency_parts.text()
    assert not session.commands


def test_a_model_that_does_not_fit_is_told_before_apply_and_may_be_tried(
    dialog: SettingsDialog, jobs: Jobs, session: FakeSession, qtbot: QtBot
) -> None:
    expect(jobs, qtbot)
    assert dialog.message.isHidden()
    asked = len(jobs)
    dialog.model.model.take("big")
    qtbot.waitUntil(lambda: len(jobs) > asked)
    expect(jobs, qtbot, warning="big is too slow for this machine.")
    assert dialog.message.text() == "big is too slow for this machine." and dialog.message.isVisible()
    assert not session.commands and dialog.apply_button.isEnabled()
    dialog.model.model.take("demucs-live")
    assert dialog.message.text() == "", "it was of the choice before"


def test_what_is_impossible_is_told_and_not_applied(
    dialog: SettingsDialog, jobs: Jobs, session: FakeSession, qtbot: QtBot
) -> None:
    expect(jobs, qtbot)
    dialog.sound.rate.take(96_000)
    dialog.apply_button.click()  # before the answer is there
    qtbot.waitUntil(lambda: jobs.latest("latency").args["config"]["rate"] == 96_000)
    assert not session.commands
    jobs.latest("latency").refuse("Speakers does not work at 96000 Hz.")
    assert dialog.sound.latency.text() == "Impossible"
    assert "96000" in dialog.message.text() and "has not changed" in dialog.message.text()
    assert not session.commands


def test_a_device_that_our_own_engine_holds_can_only_be_tried(
    dialog: SettingsDialog, jobs: Jobs, session: FakeSession, qtbot: QtBot
) -> None:
    expect(jobs, qtbot)
    dialog.sound.block.take(128)
    dialog.apply_button.click()
    qtbot.waitUntil(lambda: jobs.latest("latency").args["config"]["block"] == 128)
    jobs.latest("latency").refuse("Speakers does not work at 44100 Hz: Device unavailable.")
    assert session.config.block == 128


def test_an_engine_that_goes_back_is_followed(
    dialog: SettingsDialog, jobs: Jobs, session: FakeSession, bridge: Bridge, qtbot: QtBot
) -> None:
    expect(jobs, qtbot)
    before = session.config
    dialog.sound.block.take(128)
    qtbot.waitUntil(lambda: jobs.latest("latency").args["config"]["block"] == 128)
    expect(jobs, qtbot)
    dialog.apply_button.click()
    session.desired.config = before  # as a supervisor does it
    session.report.message = "No such device; the previous settings are used again."
    bridge.poll()
    assert "previous settings" in dialog.message.text()
    assert dialog.draft.config.block == before.block and not dialog.draft.dirty


def test_a_device_that_is_gone_stays_the_choice_and_says_so(
    bridge: Bridge, jobs: Jobs, session: FakeSession, qtbot: QtBot
) -> None:
    bridge.configure(output="ALSA:Old card {x}", input="ALSA:Old mic")
    dialog = SettingsDialog(bridge)
    qtbot.addWidget(dialog)
    jobs.latest("devices").answer(devices=DEVICES, default={"input": "", "output": ""})
    assert dialog.sound.output.currentText() == "ALSA:Old card {x} (not there now)"
    assert "not there" in dialog.sound.input.currentText()
    dialog.draft.refresh()
    jobs.latest("devices").refuse("The PortAudio library cannot be loaded.")
    assert "PortAudio" in dialog.message.text()
    dialog.reject()
    assert not dialog.draft._jobs, "nothing is asked for any more"


def test_the_level_is_that_of_the_choice_and_ends_with_it(dialog: SettingsDialog, jobs: Jobs) -> None:
    level = dialog.sound.level
    dialog.sound.input.take("ALSA:Scarlett")
    level.switch.click()
    meter = jobs.latest("meter")
    assert meter.args["input"] == "ALSA:Scarlett"
    meter.progress.emit({"peak": [0.5, 0.25]})
    assert "-6 dB" in level.bar.accessibleDescription()
    dialog.sound.channels.take((2,))
    assert meter.cancelled and not level.switch.isChecked()
    level.switch.click()
    dialog.reject()
    assert jobs.latest("meter").cancelled, "nothing listens when the dialog is closed"


def test_a_tone_is_played_on_the_chosen_output(dialog: SettingsDialog, jobs: Jobs, session: FakeSession) -> None:
    dialog.sound.output.take("ALSA:Scarlett")
    dialog.sound.tone_button.click()
    tone = jobs.latest("tone")
    assert tone.args["output"] == "ALSA:Scarlett"
    tone.progress.emit({"channel": "right", "share": 0.5})
    assert dialog.sound.tone_button.text() == "Right"
    dialog.sound.tone_button.click()
    assert tone.cancelled and dialog.sound.tone_button.text() == "Test tone" and not session.commands


def test_a_measured_round_trip_is_kept_for_the_pair_of_devices(
    dialog: SettingsDialog, jobs: Jobs, bridge: Bridge, qtbot: QtBot
) -> None:
    dialog.sound.input.take("ALSA:Scarlett")
    dialog.sound.output.take("ALSA:Speakers")
    qtbot.waitUntil(lambda: jobs.latest("latency").args["config"]["input"] == "ALSA:Scarlett")
    expect(jobs, qtbot)
    tab = dialog.round_trip
    tab.channel.setValue(2)
    tab.button.click()
    job = jobs.latest("loopback")
    assert job.args | {"rate": 0} == {
        "input": "ALSA:Scarlett", "output": "ALSA:Speakers", "rate": 0, "block": dialog.draft.config.block, "channel": 2,
    }  # fmt: skip
    job.answer(samples=500.0, ms=11.3, rate=44_100)
    assert "11.34 ms" in tab.result.text()
    assert bridge.store.preferences.round_trips == {"ALSA:Scarlett -> ALSA:Speakers @ 44100/882": 500.0}
    tab.button.click()
    jobs.latest("loopback").refuse("The round trip could not be measured; nothing came back.")
    tab.forget.click()
    assert not bridge.store.preferences.round_trips


def test_a_card_tells_scores_licence_and_data(dialog: SettingsDialog) -> None:
    html = card_html(CARD)
    for word in ("A model.", "2.0 M", "25 clips", "3.12", "MIT &amp; more", "songs &lt;of ours&gt;", "10.0 ms"):
        assert word in html
    assert "step" not in html
    dialog.tabs.setCurrentIndex(1)
    assert "A model." in dialog.model.card.toPlainText()
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    for name in ("light", "dark"):
        theme.apply(app, name)
        assert theme.PALETTES[name].muted_text in dialog.model.card.toHtml()
    research = html.index("For researchers")
    assert html.index("Licence") < research < html.index("25 clips"), "first what a musician wants to know"
    assert html.index("Drums 3.1") < research
    assert "missing" in card_html({"error": "card.json is missing."})


def test_a_song_that_was_loaded_stays_loaded(
    bridge: Bridge, jobs: Jobs, session: FakeSession, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "a {b}.wav").write_bytes(b"x")
    bridge.configure(input=str(tmp_path / "a {b}.wav"))
    dialog = SettingsDialog(bridge)
    qtbot.addWidget(dialog)
    assert dialog.sound.input.currentText() == "Song: a {b}.wav"
    dialog.sound.block.take(1024)
    expect(jobs, qtbot)
    qtbot.waitUntil(lambda: not dialog.draft.checking)
    dialog.apply_button.click()
    assert session.config.input.endswith("a {b}.wav") and session.config.block == 1024
    dialog.reject()


@pytest.mark.jack
def test_on_a_real_server_the_latency_that_was_expected_is_the_one_that_is_reported(
    jack_server: JackServer, qtbot: QtBot
) -> None:
    """Real lists, a real engine: chosen, foretold, applied; then an impossible choice, after which the sound goes on."""
    session = Session(EngineConfig(input="none", output="null", model="demucs-live"), MixerState(monitor=False))
    bridge = Bridge(session)
    bridge.start()
    dialog = SettingsDialog(bridge)
    qtbot.addWidget(dialog)
    dialog.show()
    patience = 60_000
    try:
        qtbot.waitUntil(lambda: dialog.draft.listed and bool(dialog.draft.cards), timeout=patience)
        dialog.sound.output.take("JACK:system")
        dialog.sound.input.take("JACK:system")
        dialog.sound.block.take(jack_server.period)
        qtbot.waitUntil(lambda: not dialog.draft.checking, timeout=patience)
        assert dialog.draft.expected is not None, dialog.draft.problem
        expected = dialog.draft.expected["latency"]
        assert expected["device"] >= 2 * jack_server.period
        assert bridge.snapshot.port == "" or "JACK" not in bridge.snapshot.port, "nothing is applied yet"
        dialog.apply_button.click()
        qtbot.waitUntil(lambda: "JACK" in bridge.snapshot.port and bridge.snapshot.state == "running", timeout=patience)
        reported = to_dict(bridge.snapshot.latency)
        work = reported.pop("pipelining") - expected.pop("pipelining")
        assert reported == pytest.approx(expected)
        assert work % jack_server.period == 0, "the time for the model is measured anew, in blocks"
        dialog.sound.rate.take(48_000)  # the server runs at another rate
        dialog.apply_button.click()
        qtbot.waitUntil(lambda: "48000" in dialog.message.text(), timeout=patience)
        frames = bridge.snapshot.frames
        qtbot.waitUntil(lambda: bridge.snapshot.frames > frames, timeout=patience)
        assert bridge.config.rate is None
    finally:
        dialog.reject()
        bridge.close()


def test_control_from_outside_is_chosen_on_the_draft_and_the_tempo_moves_at_once(
    dialog: SettingsDialog, jobs: Jobs, bridge: Bridge, session: FakeSession, qtbot: QtBot
) -> None:
    tab = dialog.control
    jobs.clear()
    dialog.draft.refresh()
    jobs.latest("midi_inputs").answer(inputs=["Keys"], outputs=["Lamps"])
    assert tab.output.values() == ["none", "default", "virtual", "Lamps"] and not tab.clock.isEnabled()
    tab.osc.setText(" 9000 ")
    tab.osc.editingFinished.emit()
    tab.output.take("Lamps")
    qtbot.mouseClick(tab.clock, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(tab.link, Qt.MouseButton.LeftButton)
    assert dialog.draft.changes() == {"osc": "9000", "midi_out": "Lamps", "midi_clock": True, "link": True}
    tab.output.take("none")
    assert not dialog.draft.config.midi_clock and not tab.clock.isEnabled()
    tab.tempo.setValue(97.0)
    assert session.commands[-1].op == "set_tempo" and session.commands[-1].args == {"bpm": 97.0}
    session.report.transport.tempo = 133.0
    session.report.remote = RemoteReport("127.0.0.1:9000", received=7, refused=2, message="There is no control /x.")
    session.report.sync = SyncReport(link=True, peers=3, outputs=["Lamps"])
    bridge.poll()
    assert tab.tempo.value() == 133.0 and [c.op for c in session.commands].count("set_tempo") == 1
    assert "127.0.0.1:9000: 7 packets, 2 refused. There is no control /x." in tab.osc_state.text()
    assert "Lamps" in tab.output_state.text() and tab.link_state.text().startswith("3 other programs")


def test_what_the_computer_plays_is_an_input_or_why_it_cannot_be(dialog: SettingsDialog, jobs: Jobs) -> None:
    sound = dialog.sound
    assert "computer" in sound.input.values()
    sound.input.take("computer")
    assert dialog.draft.config.input == "computer" and sound.computer.isHidden()
    dialog.draft.refresh()
    jobs.latest("devices").answer(devices=DEVICES, default={"input": "", "output": ""}, no_computer="It needs a cable.")
    assert not sound.computer.isHidden() and sound.computer.text() == "It needs a cable."
    assert sound.input.currentText() == "What this computer plays" and sound.channels.isEnabled()


def test_hearing_the_computer_howls_only_where_our_own_sound_is_part_of_it() -> None:
    config = EngineConfig(input="computer", output="default")
    assert not feedback_risk(config, "JACK Audio Connection Kit:system")
    assert feedback_risk(config, "Windows WASAPI:Speakers [Loopback] to Windows WASAPI:Speakers")

"""The session over the end of a window, and presets."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtWidgets import QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.mixer_model import mixer_model_of
from gui.presets import PresetMenu, apply_preset, present_preset
from gui.session_store import FIRST, SessionStore, restore
from gui.store import Preset, SavedSession, Store
from rtaudio.protocol.parameters import EFFECTS
from rtaudio.protocol.reports import Transport
from rtaudio.protocol.settings import EngineConfig, InsertState, InstrumentState, MixerState, StemState
from tests.gui.conftest import FakeSession
from tests.gui.test_jobs import write_song

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine of anybody is met."""
    monkeypatch.setenv("STEMPLAY_RUNTIME_DIR", str(tmp_path / "run"))


def same(config: EngineConfig) -> EngineConfig:
    return config


# ---------------------------------------------------------------- saving


def test_what_changes_is_saved_and_a_song_that_plays_is_no_change(bridge: Bridge, session: FakeSession) -> None:
    session_store = SessionStore(bridge)
    bridge.poll()
    path = bridge.store.folder / "session.json"
    session_store.look()
    first = path.stat().st_mtime_ns, path.read_bytes()
    session.report.transport = Transport("/song.wav", True, 0.0, 100.0)
    bridge.poll()
    session_store.look()
    for k in range(5):
        session.report.transport.position_s = 10.0 + k
        bridge.poll()
        session_store.look()
    assert (path.stat().st_mtime_ns, path.read_bytes()) == first
    bridge.send("set_stem", stem="bass", field="gain_db", value=-3.0)
    bridge.poll()
    session_store.look()
    saved = bridge.store.load_session()
    assert saved is not None and saved.mixer.stems["bass"].gain_db == -3.0 and saved.position_s == 14.0
    assert saved.config == bridge.config


def test_a_full_disk_is_told_once(bridge: Bridge, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    session_store = SessionStore(bridge)
    monkeypatch.setattr(
        "gui.store.os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    told: list[str] = []
    bridge.refused.connect(told.append)
    session_store.save()
    session_store.save()
    assert len(told) == 1 and "No space left" in told[0]


# ---------------------------------------------------------------- restoring


def test_a_first_start_hears_no_microphone(tmp_path: Path) -> None:
    session = restore(Store(tmp_path), same)
    assert session.config == FIRST and not session.snapshot().mixer.monitor


def test_the_command_line_comes_before_what_was_saved(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save_session(SavedSession(EngineConfig(input="ALSA:mic", output="null", block=512)))
    session = restore(store, lambda config: replace(config, input="none"))
    assert session.config.input == "none" and session.config.block == 512 and not store.notices


def test_a_missing_device_is_no_reason_not_to_open(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save_session(SavedSession(EngineConfig(input="ALSA:unplugged", output="ALSA:gone")))
    assert restore(store, same).config.output == "ALSA:gone", "the engine waits for it and says so"


def test_a_song_a_model_and_a_file_that_are_gone_are_told(tmp_path: Path) -> None:
    store = Store(tmp_path)
    song = str(tmp_path / "gone.wav")
    mixer = MixerState({"flute": StemState(mute=True)}, master_db=-7.0)
    store.save_session(SavedSession(EngineConfig(input=song, model=str(tmp_path / "no model"), block=512), mixer))
    session = restore(store, same)
    assert session.config.input == "none" and session.config.model == "demucs-live" and session.config.block == 512
    assert session.snapshot().mixer.master_db == -7.0
    assert "gone.wav" in store.notices[0] and "no model" in store.notices[1]
    store.save_session(SavedSession(EngineConfig(block=-3)))
    assert restore(Store(tmp_path), same).config == FIRST
    (tmp_path / "session.json").write_text("{")
    store = Store(tmp_path)
    assert restore(store, same).config == FIRST and ".bad" in store.notices[0]


LIFE = """
import json, sys, time
from PyQt6.QtCore import QCoreApplication
from gui.bridge import Bridge
from gui.session_store import SessionStore, restore
from gui.store import Store
from dataclasses import asdict, replace
app = QCoreApplication([])
store = Store()
bridge = Bridge(restore(store, lambda config: config), store=store)
bridge.start()
def wait(condition):
    end = time.monotonic() + 60
    while not condition(bridge.snapshot):
        assert time.monotonic() < end, bridge.snapshot
        app.processEvents()
        time.sleep(0.02)
if sys.argv[1] == "first":
    bridge.configure(input=sys.argv[2], output="null", model="none", instrument="")
    wait(lambda s: s.transport.path and s.state == "running")
    bridge.send("pause")
    bridge.send("set_stem", stem="vocals", field="mute", value=True)
    bridge.send("set_stem", stem="drums", field="armed", value=False)
    bridge.send("set_mixer", field="master_db", value=-4.5)
    bridge.send("set_loop", start_s=0.5, end_s=1.5)
    bridge.send("seek", position_s=1.25)
    wait(lambda s: not s.transport.playing and abs(s.transport.position_s - 1.25) < 0.05 and s.mixer.master_db == -4.5)
else:
    wait(lambda s: s.transport.path and s.state == "running" and s.transport.position_s > 0)
session_store = SessionStore(bridge)
print(json.dumps([asdict(session_store.present()), bridge.snapshot.transport.playing]))
session_store.save()
bridge.stop()
bridge.close()
"""


def test_a_second_process_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav")
    environment = os.environ | {"STEMPLAY_RUNTIME_DIR": str(tmp_path / "run"), "QT_QPA_PLATFORM": "offscreen"}
    (tmp_path / "run").mkdir(mode=0o700, exist_ok=True)

    def live(*arguments: str) -> tuple[dict[str, Any], bool]:
        done = subprocess.run(
            [sys.executable, "-c", LIFE, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True,
            timeout=150, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        session, playing = json.loads(done.stdout.splitlines()[-1])
        return session, playing

    (first, _), (session, playing) = live("first", str(song)), live("second")
    assert not playing
    assert abs(first.pop("position_s") - 1.25) < 0.05 and abs(session.pop("position_s") - 1.25) < 0.05
    assert session == first
    assert session["mixer"]["stems"]["vocals"]["mute"] and not session["mixer"]["stems"]["drums"]["armed"]
    assert session["loop"] == [0.5, 1.5] and session["mixer"]["master_db"] == -4.5


# ---------------------------------------------------------------- presets


def test_a_preset_moves_the_mixer_and_can_be_undone(bridge: Bridge, session: FakeSession) -> None:
    bridge.poll()
    mixer_model = mixer_model_of(bridge)
    bridge.send("set_stem", stem="vocals", field="mute", value=True)
    bridge.send("set_sound", channel=2, shares={"violin": 1.0})
    bridge.send("set_instrument", field="release_ms", value=900.0)
    bridge.send("set_midi_map", entries=[{"channel": 0, "control": 7, "target": "mixer.dry"}])
    session.report.instrument.state = session.desired.instrument
    session.report.instrument.model = "sing-gm"
    bridge.poll()
    menu = PresetMenu(bridge)
    menu.save("Karaoke")
    bridge.send("set_stem", stem="vocals", field="mute", value=False)
    bridge.send("set_mixer", field="master_db", value=-9.0)
    session.desired.instrument = session.report.instrument.state = InstrumentState()
    bridge.poll()
    menu.load("Karaoke")
    mixer = session.desired.mixer
    assert mixer.stems["vocals"].mute and mixer.master_db == 0.0
    assert session.desired.instrument.shares == {"2": {"violin": 1.0}}
    assert session.desired.instrument.release_ms == 900.0 and session.desired.instrument.midi_map
    assert not any(command.op == "configure" for command in session.commands), "no restart for the same models"
    mixer_model.undo.undo()
    assert not mixer.stems["vocals"].mute and mixer.master_db == -9.0


def test_a_preset_of_other_models_brings_them(bridge: Bridge, session: FakeSession) -> None:
    bridge.poll()
    preset = replace(present_preset(bridge), instrument_model="", voices=8)
    preset.mixer.stems.pop("instrument", None)
    preset.mixer.stems["bass"].solo = True
    preset.mixer.monitor = True
    bridge.send("set_mixer", field="monitor", value=False)
    apply_preset(bridge, preset)
    assert session.config.instrument == "" and session.config.voices == 8
    assert session.desired.mixer.stems["bass"].solo and not session.desired.mixer.monitor


def test_presets_are_managed_from_the_menu(bridge: Bridge, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    bridge.poll()
    menu = PresetMenu(bridge)
    names = bridge.store.preset_names
    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **k: ("Rock & roll", True))
    menu.ask_and_save()
    assert names() == ["Rock & roll"]
    menu.fill()
    assert menu.actions()[0].text() == "Rock && roll"
    monkeypatch.setattr(QMessageBox, "question", lambda *a: QMessageBox.StandardButton.No)
    before = (bridge.store.folder / "presets").stat().st_mtime_ns
    menu.ask_and_save()
    assert (bridge.store.folder / "presets").stat().st_mtime_ns == before, "not replaced without a yes"
    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **k: ("Jazz", True))
    menu.ask_and_rename("Rock & roll")
    assert names() == ["Jazz"]
    menu.ask_and_delete("Jazz")
    assert names() == ["Jazz"]
    monkeypatch.setattr(QMessageBox, "question", lambda *a: QMessageBox.StandardButton.Yes)
    menu.ask_and_delete("Jazz")
    assert not names()
    with qtbot.waitSignal(bridge.refused) as told:
        menu.load("Jazz")
    assert "Jazz" in told.args[0]


# ---------------------------------------------------------------- effects and plugins

EFFECTS_MIXER = MixerState(
    {"vocals": StemState(inserts=[InsertState("reverb", "reverb-1", True, {"room": 0.8}, "AAAA"), InsertState("/gone/Old.vst3", "Old-1")])},
    inserts=[InsertState("eq", "eq-1", values={"low": -3.0})], input_inserts=[InsertState("gate", "gate-1")],
)  # fmt: skip


def test_a_session_keeps_effects_their_values_and_plugins_that_are_gone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save_session(SavedSession(EngineConfig(input="ALSA:mic", output="null"), EFFECTS_MIXER))
    saved = store.load_session()
    assert saved is not None and saved.mixer == EFFECTS_MIXER
    mixer = restore(store, same).snapshot().mixer
    assert mixer.stems["vocals"].inserts == EFFECTS_MIXER.stems["vocals"].inserts and mixer.inserts == EFFECTS_MIXER.inserts
    assert mixer.input_inserts == EFFECTS_MIXER.input_inserts and not store.notices


def test_files_without_effects_still_open(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save_session(SavedSession(EngineConfig(output="null"), MixerState({"vocals": StemState(-3.0)})))
    path = tmp_path / "session.json"
    values = json.loads(path.read_text())
    for strip in (values["mixer"], values["mixer"]["stems"]["vocals"]):
        strip.pop("inserts")
    values["mixer"].pop("input_inserts")
    path.write_text(json.dumps(values))
    saved = store.load_session()
    assert saved is not None and saved.mixer.stems["vocals"] == StemState(-3.0) and not store.notices


def test_an_effect_of_a_newer_program_does_not_cost_the_faders(tmp_path: Path) -> None:
    store = Store(tmp_path)
    mixer = MixerState({"vocals": StemState(-9.0, inserts=[InsertState("vocoder")])}, inserts=[InsertState("eq")])
    store.save_session(SavedSession(EngineConfig(input="none", output="null", block=512), mixer))
    session = restore(store, same)
    assert session.snapshot().mixer.stems["vocals"] == StemState(-9.0) and session.config.block == 512
    assert "vocoder" in store.notices[0] and len(store.notices) == 1


@pytest.mark.parametrize(
    "slot", [3, {"plugin": 3}, {"plugin": "eq", "values": {"low": "loud"}}, {"plugin": "eq", "bypass": 1}, {"plugin": "eq", "values": []}]
)
def test_damaged_effects_are_damage_like_any_other(tmp_path: Path, slot: object) -> None:
    store = Store(tmp_path)
    store.save_session(SavedSession(mixer=MixerState({"vocals": StemState()})))
    path = tmp_path / "session.json"
    values = json.loads(path.read_text())
    values["mixer"]["stems"]["vocals"]["inserts"] = [slot]
    path.write_text(json.dumps(values))
    assert store.load_session() is None and ".bad" in store.notices[0]


def test_a_preset_brings_its_effects_and_one_undo_takes_them_back(bridge: Bridge, session: FakeSession) -> None:
    bridge.poll()
    model = mixer_model_of(bridge)
    model.inserts.add("vocals", "reverb")
    model.inserts.add("input", "gate")
    preset = present_preset(bridge)
    model.inserts.turn("vocals", "reverb-1", EFFECTS["reverb"].parameter("room"), 1.0)
    model.inserts.add("master", "eq")
    bridge.poll()
    before, steps = copy.deepcopy(session.desired.mixer), model.undo.count()
    apply_preset(bridge, preset, "dry")
    mixer = session.desired.mixer
    assert mixer.stems["vocals"].inserts == [InsertState("reverb", "reverb-1")] and not mixer.inserts and mixer.input_inserts
    assert model.undo.count() == steps + 1
    model.undo.undo()
    assert session.desired.mixer == before
    session.report.transport = Transport("/song.wav", True, 0.0, 10.0)
    bridge.poll()
    session.commands.clear()
    apply_preset(bridge, preset, "dry")
    assert "input" not in {command.args.get("strip") for command in session.commands}, "a song has no live input"


def test_a_preset_of_another_model_brings_its_effects(bridge: Bridge, session: FakeSession) -> None:
    bridge.poll()
    preset = Preset("none", mixer=EFFECTS_MIXER)
    apply_preset(bridge, preset)
    assert session.desired.mixer.stems["vocals"].inserts == EFFECTS_MIXER.stems["vocals"].inserts
    assert session.desired.mixer.inserts == EFFECTS_MIXER.inserts

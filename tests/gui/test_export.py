"""The dialog of the export: real songs, real files, a real cancel."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import rpp
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.player.export import ExportDialog
from gui.player.player_model import player_model_of
from models.catalog import best_separator, separators
from rtaudio.files.offline import separate_file
from rtaudio.files.stem_file import open_stems
from rtaudio.protocol.reports import Transport
from tests.gui.conftest import FakeSession
from tests.gui.test_jobs import PATIENCE, write_song
from tests.rtaudio.conftest import mono_model as mono_model
from tests.rtaudio.files.test_stem_file import FALCON
from tests.rtaudio.soundfiles import cut_short


@pytest.fixture
def dialog(bridge: Bridge, session: FakeSession, tmp_path: Path, qtbot: QtBot) -> ExportDialog:
    song = write_song(tmp_path / "song.wav")
    bridge.configure(input=str(song))
    session.report.transport = Transport(str(song), True, 0.0, 2.0)
    bridge.poll()
    bridge.store.preferences.export_folder = str(tmp_path / "out")
    dialog = ExportDialog(bridge)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_the_chosen_stems_are_written_as_separate_writes_them(
    dialog: ExportDialog, bridge: Bridge, tmp_path: Path, qtbot: QtBot
) -> None:
    assert list(dialog.stems) == ["drums", "bass", "other", "vocals"], "the instrument is no stem of a song"
    dialog.stems["drums"].click()
    dialog.stems["other"].click()
    dialog.format.setCurrentIndex(dialog.format.findData("flac"))
    assert dialog.chosen() == ["bass", "vocals"]
    dialog.export_button.click()
    assert dialog.close_button.text() == "Cancel" and not dialog.choices.isEnabled()
    qtbot.waitUntil(lambda: dialog.job is None, timeout=PATIENCE)
    assert dialog.bar.value() == dialog.bar.maximum() and "2 files" in dialog.message.text()
    folder = tmp_path / "out" / "song"
    best = best_separator()
    assert dialog.model.currentData() == best and best in dialog.model.currentText()
    expected = separate_file(tmp_path / "song.wav", tmp_path / "expected", best, format="flac", refine=True)
    assert sorted(path.name for path in folder.iterdir()) == ["bass.flac", "vocals.flac"]
    for name in ("bass", "vocals"):
        assert (folder / f"{name}.flac").read_bytes() == expected.files[name].read_bytes()
    assert dialog.show_button.isVisible()
    dialog.stems["drums"].click()
    assert "2 file(s)" in dialog.message.text() and "replaced" in dialog.message.text()
    assert bridge.store.preferences.export_format == "flac"


def test_the_model_can_be_chosen_and_brings_its_own_stems(
    dialog: ExportDialog, bridge: Bridge, tmp_path: Path, qtbot: QtBot, mono_model: Path
) -> None:
    names = [dialog.model.itemData(index) for index in range(dialog.model.count())]
    assert names == list(separators()) and len(names) >= 2, "the best first"
    bridge.configure(model=str(mono_model))
    other = ExportDialog(bridge)
    qtbot.addWidget(other)
    other.stems["vocals"].setChecked(False)
    other.model.setCurrentIndex(other.model.findData(names[1]))
    assert not other.stems["vocals"].isChecked() and other.stems["drums"].isChecked()
    other.model.setCurrentIndex(other.model.findData(str(mono_model)))
    assert list(other.stems) == ["speech", "noise"]
    other.stems["noise"].setChecked(False)
    other.folder.setText(str(tmp_path / "spoken"))
    other.export_button.click()
    qtbot.waitUntil(lambda: other.job is None, timeout=PATIENCE)
    assert [path.name for path in (tmp_path / "spoken").iterdir()] == ["speech.wav"], other.message.text()


def test_damaged_sound_is_told_by_player_and_export_in_the_same_sentence(
    dialog: ExportDialog, bridge: Bridge, tmp_path: Path, qtbot: QtBot
) -> None:
    path = cut_short(tmp_path / "cut.wav")
    told: list[str] = []
    player_model = player_model_of(bridge)
    player_model.told.connect(told.append)
    player_model.open(path)
    qtbot.waitUntil(lambda: bool(told and told[-1]), timeout=PATIENCE)
    assert "cut short" in told[-1]
    dialog.song = str(path)
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.job is None, timeout=PATIENCE)
    assert dialog.message.text().endswith(told[-1])


def test_a_cancelled_export_leaves_what_was_there(dialog: ExportDialog, tmp_path: Path, qtbot: QtBot) -> None:
    dialog.song = str(write_song(tmp_path / "long.wav", 300.0, 8000))
    folder = Path(dialog.folder.text())
    folder.mkdir(parents=True)
    (folder / "drums.wav").write_bytes(b"of old")
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.bar.value() > 0, timeout=PATIENCE)
    dialog.close_button.click()
    qtbot.waitUntil(lambda: dialog.job is None, timeout=PATIENCE)
    assert dialog.isVisible() and "Cancelled" in dialog.message.text()
    assert [path.name for path in folder.iterdir()] == ["drums.wav"]
    assert (folder / "drums.wav").read_bytes() == b"of old"


def test_a_cancelled_export_leaves_no_folder_that_was_not_there(
    dialog: ExportDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    dialog.song = str(write_song(tmp_path / "long.wav", 300.0, 8000))
    dialog.folder.setText(str(tmp_path / "new" / "deeper"))
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.bar.value() > 0, timeout=PATIENCE)
    assert (tmp_path / "new" / "deeper").is_dir()
    dialog.close_button.click()
    qtbot.waitUntil(lambda: dialog.job is None, timeout=PATIENCE)
    assert not (tmp_path / "new").exists()


def test_what_hinders_an_export_is_told_in_one_sentence(dialog: ExportDialog, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "file").touch()
    dialog.folder.setText(str(tmp_path / "file" / "below"))
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.job is None, timeout=PATIENCE)
    assert "Exporting into" in dialog.message.text() and dialog.message.text().endswith(".")
    for box in dialog.stems.values():
        box.setChecked(False)
    assert not dialog.export_button.isEnabled()


def stem_dialog(bridge: Bridge, session: FakeSession, tmp_path: Path, qtbot: QtBot) -> ExportDialog:
    song = tmp_path / "A song.stem.mp4"
    shutil.copy(FALCON, song)
    bridge.configure(input=str(song))
    with open_stems(song) as reader:
        titles = {strip: label.name for strip, label in reader.labels.items()}
        colours = {strip: label.colour for strip, label in reader.labels.items()}
    session.report.transport = Transport(str(song), True, 0.0, 6.0, loop=(1.0, 3.5), titles=titles, colours=colours)
    bridge.poll()
    bridge.store.preferences.export_folder = str(tmp_path / "out")
    dialog = ExportDialog(bridge)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_a_stem_file_is_exported_without_a_model_as_a_project_with_the_mixer_s_levels(
    bridge: Bridge, session: FakeSession, tmp_path: Path, qtbot: QtBot
) -> None:
    dialog = stem_dialog(bridge, session, tmp_path, qtbot)
    assert dialog.model.currentData() == "" and [box.text() for box in dialog.stems.values()] == ["Drums", "Bass", "Other", "Vox"]
    assert dialog.folder.text() == str(tmp_path / "out" / "A song")
    session.report.mixer.stems["drums"].gain_db, session.report.mixer.stems["bass"].mute = -6.0, True
    bridge.poll()
    dialog.project.setCurrentIndex(dialog.project.findData("reaper,dawproject"))
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.job is None, timeout=PATIENCE)
    assert "6 files" in dialog.message.text() and "tempo of the song is not known" in dialog.message.text()
    folder = tmp_path / "out" / "A song"
    stems = {f"{name}.wav" for name in ("drums", "bass", "other", "vocals")}
    assert {path.name for path in folder.iterdir()} == stems | {"A song.rpp", "A song.dawproject"}
    root = rpp.loads((folder / "A song.rpp").read_text(encoding="utf-8"))
    tracks = root.findall("TRACK")
    found = {child[0]: child[1:] for child in tracks[0].children if isinstance(child, list)}
    assert found["NAME"] == ["Drums"] and float(found["VOLPAN"][0]) == pytest.approx(10 ** (-6 / 20))
    assert ["MUTESOLO", "1", "0", "0"] in tracks[1].children
    assert [child[2:4] for child in root.children if isinstance(child, list) and child[0] == "MARKER"] == [
        ["1", "Loop"], ["3.5", ""],
    ]  # fmt: skip
    assert "6 file(s)" not in dialog.message.text()
    dialog.stems["bass"].click()
    assert "5 file(s)" in dialog.message.text()


def test_a_stem_file_needs_all_four_stems(dialog: ExportDialog, tmp_path: Path, qtbot: QtBot) -> None:
    dialog.format.setCurrentIndex(dialog.format.findData("stem.mp4"))
    assert not dialog.project.isEnabled() and dialog.export_button.isEnabled()
    dialog.stems["bass"].click()
    assert "all four" in dialog.message.text() and not dialog.export_button.isEnabled()
    dialog.stems["bass"].click()
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.job is None, timeout=PATIENCE)
    assert [path.name for path in (tmp_path / "out" / "song").iterdir()] == ["song.stem.mp4"], dialog.message.text()
    with open_stems(tmp_path / "out" / "song" / "song.stem.mp4") as reader:
        assert list(reader.labels) == ["drums", "bass", "other", "vocals"]

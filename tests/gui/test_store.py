"""What the window remembers: whole files, damaged files, files of other versions."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from gui import store as store_module
from gui.store import Preset, SavedSession, Store
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.settings import EngineConfig, InstrumentState, MixerState, StemState


def whole_session() -> SavedSession:
    return SavedSession(
        EngineConfig(input="ALSA:mic", rate=48_000, input_channels=(3, 4), routing={"drums": [3, 4]}, instrument="sing-gm"),
        MixerState({"vocals": StemState(-math.inf, True, False, 0.5, False)}, dry=0.25, monitor=False),
        InstrumentState({"0": {"violin": 1.0}}, 12.0, 300.0, "soft", [{"channel": 0, "control": 7, "target": "mixer.dry"}]),
        12.5,
        (1.0, 2.5),
    )  # fmt: skip


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "folder")
    assert store.load_session() is None
    store.save_session(whole_session())
    store.preferences.theme = "light"
    store.remember_song("/a.wav")
    store.remember_song("/b.wav")
    store.remember_song("/a.wav")
    again = Store(tmp_path / "new" / "folder")
    assert again.load_session() == whole_session()
    assert again.preferences.recent == ["/a.wav", "/b.wav"] and again.preferences.theme == "light"
    assert not again.notices
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    "damage",
    [b"", b"\x00\xff\xfe", b"{", b"[1]", b'{"version": "x"}', b'{"version": 1, "config": 5}',
     b'{"version": 1, "config": {"rate": "fast"}}', b'{"version": 1, "mixer": {"stems": {"drums": {"gain_db": "loud"}}}}',
     b'{"version": 1, "mixer": {"stems": [1]}}', b'{"version": 1, "loop": [1]}', b'{"version": -3}'],
)  # fmt: skip
def test_a_damaged_file_is_set_aside_with_a_sentence(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "session.json").write_bytes(damage)
    (tmp_path / "preferences.json").write_bytes(b"{" + damage)
    store = Store(tmp_path)
    assert store.load_session() is None
    assert (tmp_path / "session.json.bad").read_bytes() == damage
    assert not (tmp_path / "session.json").exists()
    assert len(store.notices) == 2 and all("kept as" in notice and notice.endswith(".") for notice in store.notices)
    store.save_session(whole_session())
    assert store.load_session() == whole_session()


def test_older_files_are_brought_up_to_date_and_newer_ones_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.save_session(whole_session())
    monkeypatch.setattr(store_module, "VERSION", 3)
    monkeypatch.setattr(
        store_module,
        "MIGRATIONS",
        {1: lambda v: {**v, "position_s": v["position_s"] + 1}, 2: lambda v: {**v, "loop": None}},
    )
    assert store.load_session() == replace(whole_session(), position_s=13.5, loop=None)
    monkeypatch.setattr(store_module, "VERSION", 1)
    (tmp_path / "session.json").write_text(json.dumps({"version": 9, "config": {"flux": 1}}))
    assert store.load_session() is None
    assert (tmp_path / "session.json.newer").exists() and "newer" in store.notices[-1]


def test_presets_are_saved_loaded_renamed_and_deleted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    preset = Preset("demucs-live", "sing-gm", 16, whole_session().mixer, whole_session().instrument)
    for name in ("Karaoke", "bass/only: ½ \\ ..", "überlaut"):
        store.save_preset(name, preset)
        assert store.load_preset(name) == preset
    assert store.preset_names() == ["bass/only: ½ \\ ..", "Karaoke", "überlaut"]
    assert all(path.parent == tmp_path / "presets" for path in tmp_path.rglob("*.json"))
    store.rename_preset("Karaoke", "Sing along")
    assert "Karaoke" not in store.preset_names() and store.load_preset("Sing along") == preset
    with pytest.raises(StemplayError, match="already"):
        store.rename_preset("Sing along", "überlaut")
    store.delete_preset("überlaut")
    for act in (lambda: store.load_preset("überlaut"), lambda: store.save_preset("  ", preset)):
        with pytest.raises(StemplayError):
            act()
    with pytest.raises(StemplayError, match="renamed"):
        store.rename_preset("nothing", "something")


def test_a_disk_that_refuses_is_told_and_the_old_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.save_session(whole_session())

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gui.store.os.fsync", full)
    with pytest.raises(StemplayError, match="No space left"):
        store.save_session(SavedSession())
    assert store.load_session() == whole_session()
    assert [path.name for path in tmp_path.iterdir()] == ["session.json"]


def test_a_song_whose_name_is_no_text_is_remembered(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = "/music/caf\udce9.wav"  # as Python names a file whose bytes are no UTF-8
    store.remember_song(path)
    again = Store(tmp_path)
    assert again.preferences.recent == [path] and not again.notices
    store.remember_song("/music/grün.wav")
    assert Store(tmp_path).preferences.recent == ["/music/grün.wav", path]

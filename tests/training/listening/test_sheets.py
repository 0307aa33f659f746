"""Sheets: complete, random, without names, and the same again from the same seed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from tests.training.listening.conftest import RATE, MakeSystems, write_tone
from training.listening.folders import Item, read_systems
from training.listening.sheets import Plan, make_abx, make_mos

SOURCES = ("drums", "bass", "other", "vocals")


def sheets_of(test: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((test / "sheets").glob("*.json"))]


def key_of(test: Path) -> dict:
    return json.loads((test / "key.json").read_text())


def test_a_hundred_notes_of_three_systems_are_three_hundred_trials_without_names(
    make_systems: MakeSystems, tmp_path: Path
) -> None:
    names = ("Ground truth", "WaveNet", "SING")
    test = tmp_path / "test"
    assert make_mos(read_systems(make_systems(names, 100)), test, Plan(participants=2, seed=5)) == 300
    one, two = sheets_of(test)
    key = key_of(test)["sounds"]
    for sheet in (one, two):
        sounds = [trial["sounds"]["sound"] for trial in sheet["trials"]]
        assert len(set(sounds)) == 300
        assert Counter(key[sound]["system"] for sound in sounds) == dict.fromkeys(names, 100)
        text = json.dumps(sheet)
        assert not any(word in text for word in (*names, "note 0"))
        assert sheet["questions"][0]["scale"]["1"].startswith(
            "Very annoying and objectionable distortion. Totally silent"
        )
    assert [trial["sounds"] for trial in one["trials"]] != [trial["sounds"] for trial in two["trials"]]
    by_system = [key[trial["sounds"]["sound"]]["system"] for trial in one["trials"]]
    assert by_system != sorted(by_system) and set(by_system[:20]) == set(names)


def test_the_same_seed_gives_the_same_test_and_another_another(make_systems: MakeSystems, tmp_path: Path) -> None:
    systems = read_systems(make_systems(("A", "B"), 6))
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        make_mos(systems, tmp_path / name, Plan(3, 4, seed))
    assert sheets_of(tmp_path / "one") == sheets_of(tmp_path / "again") != sheets_of(tmp_path / "other")


def test_thirty_eight_listeners_rate_twenty_samples_twice_each(make_systems: MakeSystems, tmp_path: Path) -> None:
    """LIS-03: tracks x sources x systems, each heard about equally often."""
    test = tmp_path / "test"
    systems = read_systems(make_systems(("Reference", "Demucs", "Conv-Tasnet", "Open-Unmix"), 10, SOURCES))
    assert systems.sources == SOURCES
    assert make_mos(systems, test, Plan(participants=38, per_participant=20)) == 20
    sheets = sheets_of(test)
    heard: Counter[str] = Counter()
    for sheet in sheets:
        sounds = [trial["sounds"]["sound"] for trial in sheet["trials"]]
        assert len(sounds) == len(set(sounds)) == 20
        assert [question["name"] for question in sheet["questions"]] == ["quality", "contamination"]
        assert all(
            trial["about"] == key_of(test)["sounds"][trial["sounds"]["sound"]]["source"]
            for trial in sheet["trials"][:2]
        )
        heard.update(sounds)
    assert len(heard) == 160 and max(heard.values()) - min(heard.values()) <= 1


def test_abx_orders_are_balanced_on_each_sheet_and_for_each_item(make_systems: MakeSystems, tmp_path: Path) -> None:
    test = tmp_path / "test"
    systems = read_systems(make_systems(("SING", "Truth", "WaveNet"), 20))
    assert make_abx(systems, "Truth", test, Plan(participants=10, seed=3)) == 20
    key = key_of(test)["sounds"]
    by_item: Counter[str] = Counter()
    orders = []
    for sheet in sheets_of(test):
        who = [{role: key[sound] for role, sound in trial["sounds"].items()} for trial in sheet["trials"]]
        assert all(trial["X"]["system"] == "Truth" and len({t["track"] for t in trial.values()}) == 1 for trial in who)
        orders.append(tuple(trial["A"]["system"] for trial in who))
        assert Counter(orders[-1]) == {"SING": 10, "WaveNet": 10}
        by_item.update(trial["X"]["track"] for trial in who if trial["A"]["system"] == "SING")
    assert set(by_item.values()) == {5}
    assert len(set(orders)) == 10


def test_loudness_differs_as_it_did_and_nothing_clips(tmp_path: Path) -> None:
    write_tone(tmp_path / "loud" / "a.wav", 100, 2.0, subtype="FLOAT")
    write_tone(tmp_path / "soft" / "a.wav", 100, 0.5, subtype="FLOAT")
    make_mos(read_systems([tmp_path / "loud", tmp_path / "soft"]), tmp_path / "test", Plan())
    peaks = {
        row["system"]: np.abs(soundfile.read(tmp_path / "test" / name)[0]).max()
        for name, row in key_of(tmp_path / "test")["sounds"].items()
    }
    assert peaks["loud"] == pytest.approx(10 ** (-1 / 20), rel=1e-3)
    assert peaks["loud"] / peaks["soft"] == pytest.approx(4.0, rel=1e-3)


def test_an_extract_is_the_loudest_place_of_the_first_system_for_all(tmp_path: Path) -> None:
    """Each system's own loudest place would compare different music."""
    for name, loud in (("Reference", 3.0), ("Other", 1.0)):
        audio = np.full(5 * RATE, 0.01)
        audio[round(loud * RATE) : round((loud + 1) * RATE)] = 0.5
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "song.wav", audio, RATE)
    make_mos(read_systems([tmp_path / "Reference", tmp_path / "Other"]), tmp_path / "test", Plan(extract=1.0))
    for name, row in key_of(tmp_path / "test")["sounds"].items():
        audio, _ = soundfile.read(tmp_path / "test" / name)
        assert len(audio) == RATE
        assert audio[RATE // 2] == pytest.approx(0.5 if row["system"] == "Reference" else 0.01, abs=1e-3)


def test_what_does_not_match_is_refused_in_a_sentence(make_systems: MakeSystems, tmp_path: Path) -> None:
    folders = make_systems(("A", "B", "C"), 2)
    (folders[1] / "note 001.wav").unlink()
    with pytest.raises(StemplayError, match="A has 'note 001' and B does not"):
        read_systems(folders)
    with pytest.raises(StemplayError, match="A comparison needs 2"):
        read_systems(folders[:1])
    (tmp_path / "empty").mkdir()
    with pytest.raises(StemplayError, match="no sound files"):
        read_systems([folders[0], tmp_path / "empty"])
    with pytest.raises(StemplayError, match="three folders"):
        make_abx(read_systems(folders[::2]), "A", tmp_path / "test", Plan())
    with pytest.raises(StemplayError, match="sheet of 9 trials"):
        make_mos(read_systems(folders[::2]), tmp_path / "test", Plan(per_participant=9))
    (tmp_path / "empty" / "x").touch()
    with pytest.raises(StemplayError, match="not empty"):
        make_mos(read_systems(folders[::2]), tmp_path / "empty", Plan())


def test_a_test_that_cannot_be_made_leaves_nothing_behind(make_systems: MakeSystems, tmp_path: Path) -> None:
    folders = make_systems(("A", "B"), 2)
    (folders[1] / "note 001.wav").write_bytes(b"no sound")
    with pytest.raises(StemplayError, match="cannot be read"):
        make_mos(read_systems(folders), tmp_path / "new" / "test", Plan())
    assert list((tmp_path / "new").iterdir()) == []


def test_items_are_sorted_by_track_and_then_as_the_thesis_sorts_sources(make_systems: MakeSystems) -> None:
    systems = read_systems(make_systems(("A", "B"), 2, ("vocals", "drums", "bass")))
    assert systems.items[:4] == (
        Item("track 00", "drums"),
        Item("track 00", "bass"),
        Item("track 00", "vocals"),
        Item("track 01", "drums"),
    )

"""Sheets, answers and the reel, without a window."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gui.listening.answers import Answer, AnswerLog
from gui.listening.reel import CHECK, PAUSE_S, Reel
from gui.listening.sheet import find_sheets, read_sheet
from rtaudio.audio.format import StemplayError
from tests.gui.listening_fixture import RATE, answers, tone, write_test
from training.cli import main as training
from training.listening.answers import read_answers


def test_answers_are_there_again_and_the_last_one_counts(tmp_path: Path) -> None:
    sheet = read_sheet(write_test(tmp_path))
    log = AnswerLog(sheet)
    log.begin(headphones=True)
    log.answer(sheet.trials[0], Answer({"quality": 3, "contamination": 4}, "", {"sound": 1}))
    log.answer(sheet.trials[0], Answer({"quality": 5, "contamination": 4}, "", {"sound": 2}))
    again = AnswerLog(sheet)
    assert (again.left, again.next_open()) == (2, 1)
    assert again.given["p1-0"].ratings["quality"] == 5
    head, *rows = answers(tmp_path)
    assert head["headphones"] is True and [row["trial"] for row in rows] == ["p1-0", "p1-0"]


def test_a_line_that_a_crash_cut_short_is_dropped(tmp_path: Path) -> None:
    sheet = read_sheet(write_test(tmp_path))
    log = AnswerLog(sheet)
    log.begin(headphones=True)
    log.answer(sheet.trials[0], Answer({"quality": 3, "contamination": 4}, "", {"sound": 1}))
    with log.path.open("ab") as file:
        file.write(b'{"trial": "p1-1", "rat')
    again = AnswerLog(sheet)
    assert again.left == 2
    again.answer(sheet.trials[1], Answer({"quality": 1, "contamination": 1}, "", {"sound": 1}))
    assert [row["trial"] for row in answers(tmp_path)[1:]] == ["p1-0", "p1-1"]


def test_answers_of_another_test_are_refused(tmp_path: Path) -> None:
    sheet = read_sheet(write_test(tmp_path))
    AnswerLog(sheet).begin(headphones=True)
    path = tmp_path / "answers" / "p1.jsonl"
    path.write_text(path.read_text().replace("cafe", "beef"))
    with pytest.raises(StemplayError, match="another test"):
        AnswerLog(sheet)


@pytest.mark.parametrize("damage", ["[]", "{}", '{"format": 2}', "\x00"])
def test_what_is_no_sheet_is_told(tmp_path: Path, damage: str) -> None:
    path = write_test(tmp_path)
    path.write_text(damage)
    with pytest.raises(StemplayError, match="not a sheet"):
        read_sheet(path)


@pytest.mark.parametrize("place", ["../../x.wav", "/x.wav", "C:\\x.wav"])
def test_a_sheet_plays_nothing_outside_its_test(tmp_path: Path, place: str) -> None:
    path = write_test(tmp_path)
    values = json.loads(path.read_text())
    values["trials"][0]["sounds"] = dict.fromkeys(values["trials"][0]["sounds"], place)
    path.write_text(json.dumps(values))
    with pytest.raises(StemplayError, match="not a sheet"):
        read_sheet(path)


def test_a_missing_sound_and_a_folder_without_sheets_are_told(tmp_path: Path) -> None:
    path = write_test(tmp_path)
    (tmp_path / "sounds" / "001sound.wav").unlink()
    with pytest.raises(StemplayError, match="lacks the file sounds"):
        read_sheet(path)
    with pytest.raises(StemplayError, match="no listening test"):
        find_sheets(tmp_path / "sounds")


def test_the_reel_holds_the_sounds_unchanged_with_pauses_between(tmp_path: Path) -> None:
    write_test(tmp_path)
    sounds = sorted((tmp_path / "sounds").glob("*.wav"))
    reel = Reel(tmp_path / "reel.wav", sounds)
    shares = list(reel.build())
    assert shares == sorted(shares) and shares[-1] == 1
    audio, rate = soundfile.read(reel.path)
    for sound in sounds:
        piece = reel.pieces[sound]
        start, end = round(piece.start * rate), round(piece.end * rate)
        np.testing.assert_allclose(audio[start:end], soundfile.read(sound)[0], atol=2e-6)
        assert not audio[end : end + round(PAUSE_S * rate)].any()


def test_the_check_is_as_loud_as_the_loudest_sound(tmp_path: Path) -> None:
    tone(tmp_path / "soft.wav", 300, level=0.05)
    tone(tmp_path / "loud.wav", 300, level=0.3)
    reel = Reel(tmp_path / "reel.wav", [tmp_path / "soft.wav", tmp_path / "loud.wav"])
    list(reel.build())
    piece = reel.pieces[CHECK]
    check = soundfile.read(reel.path)[0][round((piece.start + 0.2) * RATE) : round((piece.end - 0.2) * RATE)]
    assert np.sqrt(np.mean(check**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    assert np.abs(check).max() < 1


def test_mixed_rates_and_channels_come_to_the_best_of_them(tmp_path: Path) -> None:
    tone(tmp_path / "mono.wav", 300)
    soundfile.write(tmp_path / "stereo.wav", np.full((8000, 2), 0.1), 16_000)
    reel = Reel(tmp_path / "reel.wav", [tmp_path / "mono.wav", tmp_path / "stereo.wav"])
    list(reel.build())
    assert (soundfile.info(reel.path).samplerate, soundfile.info(reel.path).channels) == (16_000, 2)
    assert reel.pieces[tmp_path / "mono.wav"].seconds == pytest.approx(0.5)


def test_what_training_writes_the_window_reads_and_the_other_way_round(tmp_path: Path) -> None:
    """Neither imports the other: the files are all they share."""
    for number, system in enumerate(("Reference", "One", "Other")):
        for track in range(2):
            tone(tmp_path / system / f"{track}.wav", 300 + 50 * number, 0.05)
    folders = [str(tmp_path / name) for name in ("Reference", "One", "Other")]
    for kind in ("mos", "abx"):
        test = tmp_path / kind
        assert training(["listening", kind, *folders, "-o", str(test)]) == 0
        (path,) = find_sheets(test)
        sheet = read_sheet(path)
        assert (sheet.kind, len(sheet.trials)) == (kind, 6 if kind == "mos" else 2)
        log = AnswerLog(sheet)
        log.begin(headphones=True)
        for trial in sheet.trials:
            ratings = {question.name: 4 for question in sheet.questions}
            log.answer(trial, Answer(ratings, "A" if kind == "abx" else "", dict.fromkeys(sheet.roles, 1)))
        found = read_answers(test)
        assert len(found.choices if kind == "abx" else found.ratings) == len(sheet.trials)
        assert json.loads((test / "key.json").read_text())["test"] == sheet.test

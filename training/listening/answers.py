"""Answers of all listeners, with the systems' names restored: one row for each rating or choice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from training.listening.sheets import FORMAT


@dataclass(frozen=True)
class Rating:
    """One listener's rating, 1 to 5, of one sound. ``sound`` names system and item."""

    listener: str
    sound: str
    system: str
    source: str
    question: str
    value: int


@dataclass(frozen=True)
class Choice:
    """One ABX trial: the system that the listener found closer to the reference."""

    listener: str
    item: str
    chosen: str
    refused: str


@dataclass
class Answers:
    """A test with all its answers.

    Attributes:
        key: the contents of ``key.json``: kind, systems, sources, items.
        ratings, choices: the answers of a MOS or an ABX test.
        listeners: those who answered at least one trial with headphones. dropped: those who answered without, which does not count.
    """

    key: dict[str, Any]
    ratings: list[Rating]
    choices: list[Choice]
    listeners: list[str]
    dropped: list[str]


def read_answers(folder: Path, keep_loudspeakers: bool = False) -> Answers:
    """Read a test's folder. Answers given without headphones are left out, as in the thesis. Raises StemplayError."""
    key = _read_json(folder / "key.json", "this is not a listening test, or its key is kept elsewhere")
    answers = Answers(key, [], [], [], [])
    for path in sorted((folder / "answers").glob("*.jsonl")):
        header, given = read_log(path)
        if header.get("test") != key.get("test"):
            raise StemplayError(f"{path} belongs to another test.")
        if not given:
            continue
        listener = str(header["participant"])
        heard_well = {name: row for name, row in given.items() if row.get("headphones", header.get("headphones"))}
        if not keep_loudspeakers and len(heard_well) < len(given):
            answers.dropped.append(listener)
            given = heard_well
        if not given:
            continue
        answers.listeners.append(listener)
        trials = _sheet_trials(folder, listener)
        for name, row in given.items():
            _add(answers, listener, trials.get(name), row, path)
    return answers


def _add(answers: Answers, listener: str, trial: dict[str, str] | None, row: dict[str, Any], path: Path) -> None:
    try:
        assert trial is not None
        who = {role: answers.key["sounds"][sound] for role, sound in trial.items()}
        if answers.key["kind"] == "abx":
            chosen, refused = (who["A"], who["B"]) if {"A": True, "B": False}[row["choice"]] else (who["B"], who["A"])
            item = f"{chosen['track']}/{chosen['source']}"
            answers.choices.append(Choice(listener, item, chosen["system"], refused["system"]))
            return
        sound = who["sound"]
        for question, value in row["ratings"].items():
            if value not in (1, 2, 3, 4, 5):
                raise ValueError(value)
            name = f"{sound['system']}/{sound['track']}/{sound['source']}"
            answers.ratings.append(Rating(listener, name, sound["system"], sound["source"], question, value))
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError):
        raise StemplayError(f"{path} contains an answer that does not fit the test: {json.dumps(row)}.") from None


def read_log(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Header and the last answer to each trial of an answers file. A last line cut short by a crash does not count."""
    try:
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")[:-1]  # a line without a newline is incomplete
        rows = [json.loads(line) for line in lines if line]
        header = rows[0]
        if header["format"] != FORMAT:
            raise ValueError
        return header, {str(row["trial"]): row for row in rows[1:]}
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        raise StemplayError(f"{path} is not an answers file that this version understands.") from None


def _sheet_trials(folder: Path, participant: str) -> dict[str, dict[str, str]]:
    sheet = _read_json(folder / "sheets" / f"{participant}.json", "the sheet of these answers is missing")
    return {trial["id"]: trial["sounds"] for trial in sheet["trials"]}


def _read_json(path: Path, otherwise: str) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise ValueError
        return dict(values)
    except FileNotFoundError:
        raise StemplayError(f"There is no {path}: {otherwise}.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise StemplayError(f"{path} is not a file of a listening test that this version understands.") from None

"""Answers of one participant, one per line. Each is on disk before the next trial is shown; the last line about a trial counts.

A line that is incomplete after a crash is dropped when the file is opened again.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gui.listening.sheet import FORMAT, Sheet, Trial
from rtaudio.audio.format import StemplayError


@dataclass(frozen=True)
class Answer:
    """``ratings`` of a MOS trial by question, or the ``choice`` A or B of an ABX trial; ``plays`` counts how often each was played."""

    ratings: dict[str, int]
    choice: str
    plays: dict[str, int]


class AnswerLog:
    """``answers/PARTICIPANT.jsonl`` of a sheet, including earlier answers.

    Raises StemplayError if the file cannot be read or belongs to another test.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.path = sheet.folder / "answers" / f"{sheet.participant}.jsonl"
        self.headphones: bool | None = None
        self.given: dict[str, Answer] = {}
        if self.path.exists():
            self._read()

    @property
    def left(self) -> int:
        """Number of trials without an answer."""
        return sum(trial.id not in self.given for trial in self.sheet.trials)

    def next_open(self) -> int:
        """Index of the first trial without an answer; the number of trials when there is none."""
        open_ones = (index for index, trial in enumerate(self.sheet.trials) if trial.id not in self.given)
        return next(open_ones, len(self.sheet.trials))

    def begin(self, headphones: bool) -> None:
        """Set what the listener listens with from now on, and create the file."""
        self.headphones = headphones
        if not self.path.exists():
            head = {"format": FORMAT, "test": self.sheet.test, "participant": self.sheet.participant}
            self._append({**head, "kind": self.sheet.kind, "headphones": headphones})

    def answer(self, trial: Trial, answer: Answer) -> None:
        """Save an answer. Raises StemplayError if it cannot be written; it then does not count."""
        what: dict[str, Any] = {"choice": answer.choice} if self.sheet.kind == "abx" else {"ratings": answer.ratings}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._append(
            {"trial": trial.id, **what, "plays": answer.plays, "headphones": bool(self.headphones), "time": now}
        )
        self.given[trial.id] = answer

    def _append(self, row: dict[str, Any]) -> None:
        line = json.dumps(row, ensure_ascii=False) + "\n"
        try:
            self.path.parent.mkdir(exist_ok=True)
            with self.path.open("ab") as file:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StemplayError(f"The answer cannot be written to {self.path}: {error.strerror}.") from None

    def _read(self) -> None:
        try:
            data = self.path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            rows = [json.loads(line) for line in whole.splitlines()]
            if rows and (rows[0]["format"] != FORMAT or rows[0]["test"] != self.sheet.test):
                raise ValueError
            known = {trial.id for trial in self.sheet.trials}
            for row in rows[1:]:
                if row["trial"] not in known:
                    raise ValueError
                self.given[row["trial"]] = Answer(
                    dict(row.get("ratings", {})), str(row.get("choice", "")), row.get("plays", {})
                )
            if not rows:
                self.path.unlink()
            elif len(whole) < len(data):
                with self.path.open("r+b") as file:
                    file.truncate(len(whole))
        except OSError as error:
            raise StemplayError(f"{self.path} cannot be read: {error.strerror}.") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StemplayError(f"{self.path} contains the answers of another test: move it away first.") from None

"""A sheet of trials: the sounds that one participant hears, their order, and the questions. It contains no systems' names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.names import inside, is_file
from rtaudio.audio.format import StemplayError

FORMAT = 1
ROLES = {"mos": ("sound",), "abx": ("X", "A", "B")}
"""The sounds that a trial of each kind plays, in the order of their keys."""


@dataclass(frozen=True)
class Question:
    """A rating from 1 to 5; ``scale`` has the texts of the points that have one."""

    name: str
    text: str
    scale: dict[int, str]


@dataclass(frozen=True)
class Trial:
    """``sounds`` is role -> path relative to the test's folder; ``about`` what to listen for, such as ``vocals``, or empty."""

    id: str
    about: str
    sounds: dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """The contents of ``sheets/PARTICIPANT.json``; ``folder`` is the test's."""

    folder: Path
    kind: str
    test: str
    participant: str
    instructions: str
    questions: tuple[Question, ...]
    trials: tuple[Trial, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """``("sound",)`` or ``("X", "A", "B")``."""
        return ROLES[self.kind]

    @property
    def sounds(self) -> list[Path]:
        """All files of the trials in order, each once."""
        return [self.folder / name for name in dict.fromkeys(s for trial in self.trials for s in trial.sounds.values())]


def read_sheet(path: Path) -> Sheet:
    """Read and check a sheet; its sounds must exist. Raises StemplayError."""
    folder = path.parent.parent
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise ValueError
        sheet = Sheet(
            folder,
            str(values["kind"]),
            str(values["test"]),
            str(values["participant"]),
            str(values.get("instructions", "")),
            tuple(_question(row) for row in values["questions"]),
            tuple(Trial(str(row["id"]), str(row.get("about", "")), dict(row["sounds"])) for row in values["trials"]),
        )
        fits = sheet.trials and all(set(trial.sounds) == set(sheet.roles) for trial in sheet.trials)
        for name in (name for trial in sheet.trials for name in trial.sounds.values()):
            inside(folder, name)
        if not fits or sheet.participant != path.stem or bool(sheet.questions) != (sheet.kind == "mos"):
            raise ValueError
    except OSError as error:
        raise StemplayError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StemplayError(f"{path} is not a sheet of a listening test that this version understands.") from None
    for sound in sheet.sounds:
        if not is_file(sound):
            raise StemplayError(f"The test lacks the file {sound.relative_to(folder)}: copy its whole folder.")
    return sheet


def _question(row: dict[str, Any]) -> Question:
    return Question(str(row["name"]), str(row["text"]), {int(point): str(text) for point, text in row["scale"].items()})


def find_sheets(folder: Path) -> list[Path]:
    """The sheets of the test in ``folder``, sorted. Raises StemplayError if it is not a test."""
    sheets = sorted((folder / "sheets").glob("*.json"))
    if not sheets:
        raise StemplayError(f"There is no listening test in {folder}: it contains no folder named sheets.")
    return sheets

"""Small listening tests on the disk, written as docs/listening.md describes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

RATE = 8_000
QUALITY = {"name": "quality", "text": "Quality", "scale": {"1": "bad", "5": "perfect"}}
CONTAMINATION = {"name": "contamination", "text": "Contamination", "scale": {"1": "loud", "5": "none"}}


def tone(path: Path, hertz: float, seconds: float = 0.5, level: float = 0.25) -> None:
    """A sine as a mono file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE), RATE)


def write_test(folder: Path, kind: str = "mos", trials: int = 3, participants: int = 1, seconds: float = 0.5) -> Path:
    """A test with ``trials`` on each sheet; returns the first sheet. Tones of 400, 500, ... Hz."""
    roles = ("sound",) if kind == "mos" else ("X", "A", "B")
    rows = []
    for number in range(trials):
        names = {role: f"sounds/{number:03d}{role}.wav" for role in roles}
        for place, name in enumerate(names.values()):
            tone(folder / name, 400 + 100 * (number * len(roles) + place), seconds)
        rows.append({"about": "vocals" if kind == "mos" else "", "sounds": names})
    (folder / "sheets").mkdir()
    for participant in range(1, participants + 1):
        name = f"p{participant}"
        sheet = {
            "format": 1, "kind": kind, "test": "cafe", "participant": name, "instructions": "",
            "questions": [QUALITY, CONTAMINATION] if kind == "mos" else [],
            "trials": [{"id": f"{name}-{number}", **row} for number, row in enumerate(rows)],
        }  # fmt: skip
        (folder / "sheets" / f"{name}.json").write_text(json.dumps(sheet))
    return folder / "sheets" / "p1.json"


def answers(folder: Path, participant: str = "p1") -> list[dict]:
    """The lines of an answers file."""
    return [json.loads(line) for line in (folder / "answers" / f"{participant}.jsonl").read_text().splitlines()]

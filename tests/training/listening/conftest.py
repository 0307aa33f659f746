"""Small folders of sounds, and listeners whose ears we know."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

RATE = 8_000

MakeSystems = Callable[..., list[Path]]


def write_tone(path: Path, hertz: float, level: float = 0.3, seconds: float = 0.25, subtype: str = "PCM_16") -> None:
    """A sine with a length that people would not hear for long."""
    time = np.arange(round(seconds * RATE)) / RATE
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, level * np.sin(2 * np.pi * hertz * time), RATE, subtype=subtype)


@pytest.fixture
def make_systems(tmp_path: Path) -> MakeSystems:
    """``make_systems(names, tracks, sources)`` writes a folder a system and returns them."""
    return systems_in(tmp_path)


def systems_in(tmp_path: Path) -> MakeSystems:
    """``make_systems`` for another folder."""

    def make(names: tuple[str, ...], tracks: int, sources: tuple[str, ...] = ()) -> list[Path]:
        folders = []
        for number, name in enumerate(names):
            folders.append(tmp_path / "systems" / name)
            for track in range(tracks):
                for source in sources or ("",):
                    path = folders[-1] / (f"track {track:02d}/{source}.wav" if source else f"note {track:03d}.wav")
                    write_tone(path, 200 + 40 * number, 0.2 + 0.1 * number, seconds=0.02)
        return folders

    return make


Judge = Callable[[dict[str, Any], random.Random], Any]
"""The sounds of a trial by role, each with system, track and source -> ratings or a choice."""


def answer(
    test: Path, judge: Judge, participants: list[str] | None = None, *, headphones: bool = True, seed: int = 0
) -> None:
    """Fill in sheets as the window does."""
    key = json.loads((test / "key.json").read_text())
    for path in sorted((test / "sheets").glob("*.json")):
        if participants is not None and path.stem not in participants:
            continue
        rng = random.Random(f"{seed} {path.stem}")
        lines = [{"format": 1, "test": key["test"], "participant": path.stem, "headphones": headphones}]
        for trial in json.loads(path.read_text())["trials"]:
            result = judge({role: key["sounds"][sound] for role, sound in trial["sounds"].items()}, rng)
            lines.append({"trial": trial["id"], "choice" if key["kind"] == "abx" else "ratings": result})
        (test / "answers").mkdir(exist_ok=True)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (test / "answers" / f"{path.stem}.jsonl").write_text(text)

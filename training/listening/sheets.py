"""Sheets of trials without systems' names, which say who hears what in which order, and the key with the names (LIS-01, -02, -03).

A test is a folder: ``sheets/P.json`` for each participant, ``sounds/`` with anonymous names, and ``key.json`` for the evaluation.
The seed determines everything. docs/listening.md describes the files.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from rtaudio.audio.format import Audio, StemplayError
from training.listening.folders import Item, Systems, cut, loudest_window, read_sound

FORMAT = 1
CEILING = 10 ** (-1 / 20)
"""Peak of a whole test, -1 dBFS. All sounds have the same gain, so that their differences in loudness remain."""

Sound = tuple[str, Item]
"""A system and one of its items."""


@dataclass(frozen=True)
class Question:
    """One rating from 1 to 5; ``scale`` describes the ends, as the thesis does."""

    name: str
    text: str
    scale: dict[int, str]


SYNTHESIS = (
    Question(
        "quality",
        "How good does it sound?",
        {1: "Very annoying and objectionable distortion. Totally silent audio", 5: "Imperceptible distortion"},
    ),
)
"""Thesis section 2.5.3."""

SEPARATION = (
    Question(
        "quality",
        "Quality and absence of artifacts",
        {1: "many artifacts and distortion, content is hardly recognizable", 5: "perfect quality, no artifacts"},
    ),
    Question(
        "contamination",
        "Contamination by other sources",
        {1: "contamination is frequent and loud", 5: "no contamination"},
    ),
)
"""Thesis section 3.6.1."""


@dataclass(frozen=True)
class Plan:
    """The settings of a test.

    Attributes:
        participants: number of sheets. per_participant: number of trials on each, 0 for all.
        extract: seconds to take of each track, where the first system is loudest; 0 takes whole files.
        instructions: a sentence above the trials.
    """

    participants: int = 1
    per_participant: int = 0
    seed: int = 0
    extract: float = 0.0
    instructions: str = ""


@dataclass
class _Sheets:
    """Trials of all participants, still with systems' names."""

    kind: str
    questions: tuple[Question, ...]
    trials: list[list[dict[str, Sound]]] = field(default_factory=list)

    @property
    def sounds(self) -> list[Sound]:
        """Every sound that occurs in a trial, once."""
        return list(dict.fromkeys(sound for sheet in self.trials for trial in sheet for sound in trial.values()))


def make_mos(systems: Systems, folder: Path, plan: Plan, say: Callable[[str], None] = lambda text: None) -> int:
    """Make a MOS test in ``folder``; returns the number of trials on each sheet.

    Items with sources get the two ratings of chapter 3, others the one of chapter 2. Raises StemplayError.
    """
    rng = random.Random(plan.seed)
    cards: list[Sound] = [(system, item) for system in systems.names for item in systems.items]
    sheets = _Sheets("mos", SEPARATION if systems.sources else SYNTHESIS)
    for hand in deal(cards, plan.participants, plan.per_participant, rng):
        sheets.trials.append([{"sound": card} for card in hand])
    return _write(systems, sheets, folder, plan, rng, say)


def make_abx(
    systems: Systems, reference: str, folder: Path, plan: Plan, say: Callable[[str], None] = lambda text: None
) -> int:
    """Make an ABX test: which of the two other systems is closer to ``reference``? Returns the number of trials on each sheet.

    Which of them is A is random, but balanced on each sheet and, as far as possible, for each item.
    Raises StemplayError.
    """
    if reference not in systems.names or len(systems.names) != 3:
        raise StemplayError("An ABX test needs three folders: the reference and the two systems to compare.")
    rng = random.Random(plan.seed)
    one, other = (name for name in systems.names if name != reference)
    lean: Counter[Item] = Counter()
    sheets = _Sheets("abx", ())
    for hand in deal(list(systems.items), plan.participants, plan.per_participant, rng):
        flip = rng.randrange(2)
        by_need = sorted(hand, key=lambda item: (lean[item], rng.random()))
        first = set(by_need[: (len(hand) + flip) // 2])
        lean.update({item: 1 if item in first else -1 for item in hand})
        sheets.trials.append([_triplet(item, reference, one, other, item in first) for item in hand])
    return _write(systems, sheets, folder, plan, rng, say)


def _triplet(item: Item, reference: str, one: str, other: str, first: bool) -> dict[str, Sound]:
    a, b = (one, other) if first else (other, one)
    return {"X": (reference, item), "A": (a, item), "B": (b, item)}


def deal(cards: list[Any], participants: int, size: int, rng: random.Random) -> list[list[Any]]:
    """``size`` different random cards (0: all) for each participant.

    Cards are dealt from a shuffled deck, which is shuffled again when it is empty, so each card occurs about equally often.
    """
    size = size or len(cards)
    if not 1 <= size <= len(cards):
        raise StemplayError(f"A sheet of {size} trials is not possible: there are only {len(cards)} different ones.")
    deck: list[Any] = []
    hands = []
    for _ in range(participants):
        hand: list[Any] = []
        while len(hand) < size:
            if not any(card not in hand for card in deck):
                deck += rng.sample(cards, len(cards))
            index = next(i for i, card in enumerate(deck) if card not in hand)
            hand.append(deck.pop(index))
        hands.append(rng.sample(hand, size))
    return hands


def _write(
    systems: Systems, sheets: _Sheets, folder: Path, plan: Plan, rng: random.Random, say: Callable[[str], None]
) -> int:
    """Write the whole folder beside its destination and move it there when it is complete."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StemplayError(f"{folder} is not empty: a test needs a folder of its own.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    sounds = sheets.sounds
    codes = rng.sample(range(16**6), len(sounds))
    names = {sound: f"sounds/{code:06x}.wav" for sound, code in zip(sounds, codes, strict=True)}
    test = f"{rng.getrandbits(48):012x}"
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        part.chmod(0o755)
        gain = _write_sounds(systems, names, part, plan, say)
        key = _key(systems, sheets, names, plan) | {"test": test, "gain_db": round(20 * math.log10(gain), 2)}
        _write_json(part / "key.json", key)
        width = len(str(len(sheets.trials)))
        for number, trials in enumerate(sheets.trials, 1):
            participant = f"p{number:0{width}d}"
            _write_json(part / "sheets" / f"{participant}.json", _sheet(participant, test, trials, sheets, names, plan))
        if folder.is_dir():
            folder.rmdir()
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return len(sheets.trials[0])


def _sheet(
    participant: str, test: str, trials: list[dict[str, Sound]], sheets: _Sheets, names: dict[Sound, str], plan: Plan
) -> dict[str, Any]:
    """A participant's sheet, without systems and tracks. The source is included, since contamination cannot be judged without it."""
    rows = []
    for number, trial in enumerate(trials, 1):
        source = next(iter(trial.values()))[1].source
        rows.append(
            {"id": f"{participant}-{number:03d}", "about": source, "sounds": {k: names[v] for k, v in trial.items()}}
        )
    questions = [
        {"name": q.name, "text": q.text, "scale": {str(k): v for k, v in q.scale.items()}} for q in sheets.questions
    ]
    return {
        "format": FORMAT, "kind": sheets.kind, "test": test, "participant": participant, "instructions": plan.instructions,
        "questions": questions, "trials": rows,
    }  # fmt: skip


def _key(systems: Systems, sheets: _Sheets, names: dict[Sound, str], plan: Plan) -> dict[str, Any]:
    sounds = {
        name: {"system": system, "track": item.track, "source": item.source} for (system, item), name in names.items()
    }
    return {
        "format": FORMAT, "kind": sheets.kind, "seed": plan.seed, "systems": list(systems.names), "sources": list(systems.sources),
        "items": len(systems.items), "tracks": len({item.track for item in systems.items}), "extract_s": plan.extract,
        "sounds": sounds,
    }  # fmt: skip


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_sounds(
    systems: Systems, names: dict[Sound, str], folder: Path, plan: Plan, say: Callable[[str], None]
) -> float:
    """Write all sounds as 24-bit WAV with one common gain (1 if nothing is too loud); returns this gain."""
    starts: dict[str, float] = {}
    if plan.extract:
        model = systems.files[systems.names[0]]
        for track in {item.track for _, item in names}:
            starts[track] = loudest_window([path for item, path in model.items() if item.track == track], plan.extract)

    def read(sound: Sound) -> tuple[Audio, int]:
        system, item = sound
        audio, rate = read_sound(systems.files[system][item])
        return (cut(audio, rate, starts[item.track], plan.extract) if plan.extract else audio), rate

    peak = max(float(np.abs(read(sound)[0]).max(initial=0.0)) for sound in names)
    gain = min(1.0, CEILING / peak) if peak > 0 else 1.0
    if gain < 1:
        say(f"All sounds are {-20 * math.log10(gain):.1f} dB quieter, so that none of them clips.")
    (folder / "sounds").mkdir()
    for sound, name in names.items():
        audio, rate = read(sound)
        soundfile.write(folder / name, audio * np.float32(gain), rate, subtype="PCM_24")
    return gain

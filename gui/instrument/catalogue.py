"""The sounds of an instrument, sorted by General MIDI's sixteen families."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PyQt6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from models.card import CardError
from models.catalog import load_card

FAMILIES = (
    QT_TRANSLATE_NOOP("Families", "Piano"),
    QT_TRANSLATE_NOOP("Families", "Chromatic percussion"),
    QT_TRANSLATE_NOOP("Families", "Organ"),
    QT_TRANSLATE_NOOP("Families", "Guitar"),
    QT_TRANSLATE_NOOP("Families", "Bass"),
    QT_TRANSLATE_NOOP("Families", "Strings"),
    QT_TRANSLATE_NOOP("Families", "Ensemble"),
    QT_TRANSLATE_NOOP("Families", "Brass"),
    QT_TRANSLATE_NOOP("Families", "Reed"),
    QT_TRANSLATE_NOOP("Families", "Pipe"),
    QT_TRANSLATE_NOOP("Families", "Synth lead"),
    QT_TRANSLATE_NOOP("Families", "Synth pad"),
    QT_TRANSLATE_NOOP("Families", "Synth effects"),
    QT_TRANSLATE_NOOP("Families", "Ethnic"),
    QT_TRANSLATE_NOOP("Families", "Percussive"),
    QT_TRANSLATE_NOOP("Families", "Sound effects"),
)
OTHER = QT_TRANSLATE_NOOP("Families", "Other sounds")


@dataclass(frozen=True)
class Sound:
    """One instrument: ``name`` as the engine calls it, ``family`` a place in ``FAMILIES`` (their number: none of them).

    ``lowest`` and ``highest`` are the MIDI pitches it was trained on.
    """

    name: str
    family: int
    lowest: int = 0
    highest: int = 127

    @property
    def title(self) -> str:
        """The title for the user: ``acoustic-grand-piano`` is "Acoustic grand piano"."""
        words = self.name.replace("-", " ").replace("_", " ").strip()
        return words[:1].upper() + words[1:]


def family_title(family: int) -> str:
    """The family's name in the user's language."""
    return QCoreApplication.translate("Families", FAMILIES[family] if family < len(FAMILIES) else OTHER)


@lru_cache(maxsize=8)
def sounds(model: str) -> tuple[Sound, ...]:
    """The sounds of the instrument ``model`` (a name or a folder), in the order of its card; empty if there is no such card."""
    try:
        card = load_card(model)
    except CardError:
        return ()
    if card.kind != "instrument":
        return ()
    programs, ranges = card.training.get("programs"), card.training.get("ranges")
    count = len(card.outputs)
    programs = programs if isinstance(programs, list) and len(programs) == count else [8 * len(FAMILIES)] * count
    ranges = ranges if isinstance(ranges, list) and len(ranges) == count else [(0, 127)] * count
    return tuple(
        Sound(name, int(program) // 8, int(low), int(high))
        for name, program, (low, high) in zip(card.outputs, programs, ranges, strict=True)
    )


def title_of(name: str) -> str:
    """A sound's title, made from its name."""
    return Sound(name, 0).title


def shares_text(shares: dict[str, float]) -> str:
    """``Flute`` or ``60 % Flute, 40 % Oboe``, the largest share first."""
    total = sum(shares.values()) or 1.0
    parts = sorted(((share / total, name) for name, share in shares.items()), reverse=True)
    heard = [(share, name) for share, name in parts if round(100 * share) > 0]
    if len(heard) == 1:
        return title_of(heard[0][1])
    return ", ".join(f"{share:.0%} {title_of(name)}".replace("%", "\u202f%") for share, name in heard)

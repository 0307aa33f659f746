"""Maps General MIDI's 128 programs to the instruments of a model."""

from __future__ import annotations

from collections.abc import Sequence

from rtaudio.instrument.model import InstrumentModel


def program_table(model: InstrumentModel) -> dict[int, int]:
    """General MIDI program -> index of an instrument of ``model``, by its card's programs; without them the first one plays all."""
    known = model.card.training.get("programs")
    usable = isinstance(known, list) and len(known) == len(model.instruments) and all(isinstance(n, int) for n in known)
    return nearest_programs(known) if usable and known else dict.fromkeys(range(128), 0)


def nearest_programs(programs: Sequence[int]) -> dict[int, int]:
    """The instrument for each of the 128 General MIDI programs: ``{program: index}``.

    That is the program itself if the model has it, else the nearest one of its family of eight, else the nearest of all.

    Args:
        programs: General MIDI program of each instrument of the model, 0 to 127.
    """

    def distance(index: int, wanted: int) -> tuple[int, int]:
        return abs(programs[index] // 8 - wanted // 8), abs(programs[index] - wanted)

    return {wanted: min(range(len(programs)), key=lambda index: distance(index, wanted)) for wanted in range(128)}

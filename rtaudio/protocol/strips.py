"""Which strips a mixer has."""

from __future__ import annotations

INSTRUMENT = "instrument"
"""Name of the instrument's strip."""

MASTER, INPUT = "master", "input"
"""Names under which the inserts of the whole mix and of a live input are addressed; they are no strips of the mixer."""


def strip_names(stems: tuple[str, ...], instrument: bool) -> tuple[str, ...]:
    """A model's stems, then the instrument where there is one."""
    return (*stems, INSTRUMENT) if instrument else stems

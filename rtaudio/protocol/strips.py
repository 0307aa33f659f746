"""Which strips a mixer has."""

from __future__ import annotations

INSTRUMENT = "instrument"
"""Name of the instrument's strip."""


def strip_names(stems: tuple[str, ...], instrument: bool) -> tuple[str, ...]:
    """A model's stems, then the instrument where there is one."""
    return (*stems, INSTRUMENT) if instrument else stems

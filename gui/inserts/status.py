"""The state of an insert as text for the user."""

from __future__ import annotations

from gui.effect_words import status_title
from gui.insert_moves import InsertMoves

MARKS = {"running": "●", "bypassed": "○", "loading": "…", "failed": "↻", "missing": "↻"}
"""Symbol on the switch of a slot; it is never the only sign."""


def status_of(moves: InsertMoves, place: str, key: str) -> tuple[str, str]:
    """``(status, sentence)`` as in ``InsertReport``, including a bypass on its way to the engine and the case of a resting engine."""
    entry, report = moves.find(place, key), moves.report(place, key)
    wanted = "bypassed" if entry is not None and entry.bypass else "running"
    if report is None:
        return ("loading" if moves.bridge.snapshot.state in ("running", "starting") else wanted), ""
    return (wanted if report.status in ("running", "bypassed") else report.status), report.message


def sentence_of(status: str, message: str, misses: int = 0) -> str:
    """The state as text for tool tips and screen readers."""
    told = f"{status_title(status)}: {message}" if message else status_title(status)
    return told if not misses else f"{told} ({misses})"

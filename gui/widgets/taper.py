"""The taper of faders and meters: dB to position and back. No Qt.

Most of the travel covers the range used for mixing (0 to -20 dB); the bottom is silence.
"""

from __future__ import annotations

import math
from bisect import bisect_right

TOP_DB = 6.0
FLOOR_DB = -60.0
"""Below this level a fader is at its bottom: -inf."""

_CURVE = (
    (0.0, FLOOR_DB), (0.06, -50.0), (0.13, -40.0), (0.23, -30.0), (0.36, -20.0), (0.52, -12.0), (0.65, -6.0), (0.80, 0.0), (1.0, TOP_DB),
)  # fmt: skip

TICKS_DB = (6, 0, -6, -12, -20, -30, -40)
"""Labels of the scale; the bottom is labelled -inf."""


def place(db: float) -> float:
    """Position of ``db`` on the travel, 0 (bottom) to 1 (top)."""
    if not db > FLOOR_DB:  # also NaN
        return 0.0
    if db >= TOP_DB:
        return 1.0
    upper = next(i for i, (_, level) in enumerate(_CURVE) if level >= db)
    (x0, y0), (x1, y1) = _CURVE[upper - 1], _CURVE[upper]
    return x0 + (x1 - x0) * (db - y0) / (y1 - y0)


def level(position: float) -> float:
    """The dB at ``position`` of the travel; -inf at the bottom."""
    if position <= 0.0:
        return -math.inf
    if position >= 1.0:
        return TOP_DB
    upper = bisect_right([x for x, _ in _CURVE], position)
    (x0, y0), (x1, y1) = _CURVE[upper - 1], _CURVE[upper]
    return y0 + (y1 - y0) * (position - x0) / (x1 - x0)


def to_db(amplitude: float) -> float:
    """A linear amplitude in dB; -inf for silence and NaN."""
    return 20.0 * math.log10(amplitude) if amplitude > 0.0 and math.isfinite(amplitude) else -math.inf


def written(db: float) -> str:
    """``-6.0``, ``+3.5``, ``-inf``: with a true minus sign."""
    if db <= FLOOR_DB * 2.4 or math.isnan(db):
        return "−∞"
    text = f"{db:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def read(text: str) -> float | None:
    """The dB that a person typed (``-6``, ``−6,5 dB``, ``-inf``), or None if it is not a number."""
    plain = text.strip().lower().replace("−", "-").replace(",", ".").removesuffix("db").strip()
    if plain in ("-inf", "inf", "-∞", "∞", "off"):
        return -math.inf
    try:
        value = float(plain)
    except ValueError:
        return None
    return value if math.isfinite(value) else None

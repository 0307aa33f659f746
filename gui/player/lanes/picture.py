"""Draws columns of peaks into pictures: NumPy computes how much of each pixel is covered, a table of 256 colours paints it.

Only the columns in sight are painted, and a mute or another theme changes only the table.
"""

from __future__ import annotations

import functools

import numpy as np
from PyQt6.QtGui import QColor, QImage

from gui import theme
from gui.player.lanes.peaks import Columns

STEPS = 15
"""Shades of an edge. A pixel's number is ``16 * peaks + RMS``, each 0 to ``STEPS``."""
PALE = 0.45
"""How much of the background is in the colour of the peaks; the RMS has the full colour."""
FAINT = 0.72
"""The same for all of a lane that is not heard."""


def lane_picture(columns: Columns, height: int, colour: str, background: str, *, heard: bool = True, scale: float = 1.0) -> QImage:
    """A picture of ``len(columns)`` by ``height`` pixels, symmetrical about its middle; ``scale``: the level that fills the height."""
    count = len(columns)
    width = -(-max(1, count) // 4) * 4  # Qt wants lines of whole words
    pixels = np.zeros((height, width), np.uint8)
    if count:
        half = max(0.5, height / 2 - 1)
        rise = half * np.clip(columns / max(scale, 1e-6), -1.0, 1.0)
        line = (np.arange(height, dtype=np.float32) + 0.5 - height / 2)[:, None]
        peak = _covered(line, np.maximum(rise[:, 1], 0.5), np.minimum(rise[:, 0], -0.5))
        rms = _covered(line, rise[:, 2], -rise[:, 2])
        pixels[:, :count] = 16 * np.round(STEPS * peak).astype(np.uint8) + np.round(STEPS * rms).astype(np.uint8)
    image = QImage(pixels.tobytes(), width, height, width, QImage.Format.Format_Indexed8).copy(0, 0, max(1, count), height)
    image.setColorTable(colour_table(colour, background, heard))
    return image


def _covered(line: Columns, high: Columns, low: Columns) -> Columns:
    """Which share of each pixel lies between ``low`` and ``high``; up is negative in a picture."""
    covered: Columns = np.clip(line + high + 0.5, 0.0, 1.0) * np.clip(0.5 - low - line, 0.0, 1.0)
    return covered


@functools.lru_cache(maxsize=64)
def colour_table(colour: str, background: str, heard: bool) -> list[int]:
    """The colours of ``lane_picture``'s numbers."""
    full = colour if heard else theme.blend(colour, background, FAINT)
    pale = theme.blend(full, background, PALE)
    table = []
    for number in range(256):
        outer, inner = number // 16 / STEPS, number % 16 / STEPS
        table.append(QColor(theme.blend(theme.blend(background, pale, outer), full, inner)).rgb())
    return table

"""Colours and measures of the window, dark and light. Widgets ask here and never name a colour themselves."""

from __future__ import annotations

from dataclasses import dataclass

STEM_COLOURS = {
    "drums": "#e8833a",
    "bass": "#4d9de0",
    "other": "#53b77c",
    "vocals": "#d95d8b",
    "instrument": "#9d7fe0",
    "master": "#a9b2bd",
}
"""The same in both themes; always beside the name, never instead of it."""


@dataclass(frozen=True)
class Palette:
    """Colours by what they are for."""

    name: str
    window: str
    panel: str
    raised: str
    border: str
    text: str
    muted_text: str
    accent: str
    good: str
    warning: str
    bad: str
    on_accent: str


DARK = Palette(
    "dark",
    "#15181d",
    "#1c2027",
    "#262b34",
    "#353c47",
    "#e8ebef",
    "#9aa4b1",
    "#5aa9ff",
    "#4cc38a",
    "#f2b84b",
    "#f0616d",
    "#0b1016",
)
LIGHT = Palette(
    "light",
    "#f3f4f6",
    "#ffffff",
    "#eceef1",
    "#cdd2d9",
    "#1b2027",
    "#5a6472",
    "#1f6fd1",
    "#1f8a58",
    "#9a6700",
    "#c62f3c",
    "#ffffff",
)
PALETTES = {palette.name: palette for palette in (DARK, LIGHT)}

_current = DARK


def current() -> Palette:
    """The palette in use."""
    return _current


def use(name: str) -> Palette:
    """Choose ``dark`` or ``light``; whoever paints asks ``current`` again."""
    global _current
    _current = PALETTES[name]
    return _current


def stem_colour(name: str) -> str:
    """Colour of a strip; strips we do not know take the master's."""
    return STEM_COLOURS.get(name, STEM_COLOURS["master"])

"""Colours and sizes of the window, dark and light. Widgets get them here and never name a colour themselves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template

from PyQt6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from PyQt6.QtGui import QColor, QFont, QPalette
from PyQt6.QtWidgets import QApplication

STEM_COLOURS = {
    "drums": "#e8833a",
    "bass": "#4d9de0",
    "other": "#53b77c",
    "vocals": "#d95d8b",
    "instrument": "#9d7fe0",
    "master": "#a9b2bd",
}
"""Colours of the strips, the same in both themes. They are shown beside the name, never instead of it."""

AMBER, ON_AMBER = "#f2b84b", "#1b1608"
"""Colours of active mute and bypass switches and of the high part of meters, in both themes."""


@dataclass(frozen=True)
class Palette:
    """Colours by purpose."""

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
    "#8a5c00",
    "#c62f3c",
    "#ffffff",
)
PALETTES = {palette.name: palette for palette in (DARK, LIGHT)}

_current = DARK


def current() -> Palette:
    """The palette in use."""
    return _current


def use(name: str) -> Palette:
    """Choose ``dark`` or ``light``. Widgets that paint must call ``current`` again."""
    global _current
    _current = PALETTES[name]
    return _current


def stem_colour(name: str) -> str:
    """Colour of a strip; unknown strips have the master's."""
    return STEM_COLOURS.get(name, STEM_COLOURS["master"])


SPACE = 8
"""The grid of the layout in pixels; margins and gaps are multiples of it or its half."""

RADIUS = 8

FAMILIES = ("Inter", "SF Pro Text", "Segoe UI", "Noto Sans", "Cantarell", "DejaVu Sans")
"""Fonts, the best first; the first installed one is used."""

POINTS = 10.0
"""Size of body text."""


def stem_title(name: str) -> str:
    """The displayed name of a strip, translated if it is known."""
    known = _STEM_TITLES.get(name)
    return QCoreApplication.translate("Stems", known) if known else name[:1].upper() + name[1:]


_STEM_TITLES = {
    "drums": QT_TRANSLATE_NOOP("Stems", "Drums"),
    "bass": QT_TRANSLATE_NOOP("Stems", "Bass"),
    "other": QT_TRANSLATE_NOOP("Stems", "Other"),
    "vocals": QT_TRANSLATE_NOOP("Stems", "Vocals"),
    "instrument": QT_TRANSLATE_NOOP("Stems", "Instrument"),
    "master": QT_TRANSLATE_NOOP("Stems", "Master"),
    "input": QT_TRANSLATE_NOOP("Stems", "Input"),
}


def font(points: float = POINTS, bold: bool = False) -> QFont:
    """The window's font in a size."""
    chosen = QFont()
    chosen.setFamilies(list(FAMILIES))
    chosen.setPointSizeF(points)
    if bold:
        chosen.setWeight(QFont.Weight.DemiBold)
    return chosen


def blend(one: str, other: str, share: float) -> str:
    """A colour between two: ``share`` 0 is ``one``, 1 is ``other``."""
    a, b = QColor(one), QColor(other)
    mixed = [round(x + (y - x) * share) for x, y in zip(a.getRgb()[:3], b.getRgb()[:3], strict=True)]
    return QColor(*mixed).name()


def apply(app: QApplication, name: str) -> Palette:
    """Apply ``dark`` or ``light`` to the whole application. It may be called at any time."""
    palette = use(name)
    app.setStyle("Fusion")
    app.setFont(font())
    app.setPalette(_qt_palette(palette))
    app.setStyleSheet(stylesheet(palette))
    for widget in app.allWidgets():
        widget.update()
    return palette


def _qt_palette(colours: Palette) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for part, colour in {
        role.Window: colours.window, role.WindowText: colours.text, role.Base: colours.panel, role.AlternateBase: colours.raised,
        role.Text: colours.text, role.Button: colours.raised, role.ButtonText: colours.text, role.BrightText: colours.bad,
        role.ToolTipBase: colours.raised, role.ToolTipText: colours.text, role.PlaceholderText: colours.muted_text,
        role.Highlight: colours.accent, role.HighlightedText: colours.on_accent, role.Link: colours.accent,
    }.items():  # fmt: skip
        palette.setColor(part, QColor(colour))
    for part in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, part, QColor(blend(colours.muted_text, colours.window, 0.4)))
    return palette


def stylesheet(c: Palette) -> str:
    """``style.qss`` with the palette's colours."""
    colours = {name: value for name, value in asdict(c).items() if name != "name"}
    images = Path(__file__).with_name("images")
    colours |= {way: (images / f"{way}-{c.name}.svg").as_posix() for way in ("up", "down")}
    colours |= {
        "amber": AMBER,
        "on_amber": ON_AMBER,
        "hover": blend(c.raised, c.text, 0.08),
        "pressed": blend(c.raised, c.text, 0.16),
        "faint": blend(c.muted_text, c.window, 0.4),
        "scroll": blend(c.border, c.muted_text, 0.35),
        "bad_veil": blend(c.panel, c.bad, 0.16),
        "warning_veil": blend(c.panel, c.warning, 0.16),
        "accent_veil": blend(c.panel, c.accent, 0.12),
    }
    text = Path(__file__).with_name("style.qss").read_text(encoding="utf-8")
    return Template(text).substitute(colours)

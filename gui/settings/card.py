"""A model's card as a page to read: what it does, how well, from what data, under which licence."""

from __future__ import annotations

from html import escape
from typing import Any

from PyQt6.QtCore import QCoreApplication

from gui import theme

SKIPPED = ("step", "elapsed", "valid_loss", "score", "distances")
"""Numbers that mean something only to who trained the model."""


def card_html(card: dict[str, Any]) -> str:
    """The card as rich text for ``QTextBrowser``."""
    if "error" in card:
        return f"<p>{escape(card['error'])}</p>"
    muted = theme.current().muted_text
    ms = 1000 * (card["hop"] + card["latency"]) / card["sample_rate"]
    facts = [
        f"{card['parameters'] / 1e6:.1f} M {_tr('weights')}", f"{card['size'] / 2**20:.1f} MiB", card["precision"],
        f"{card['sample_rate'] / 1000:g} kHz", f"{_tr('hop')} {card['hop']} ({ms:.1f} ms)",
    ]  # fmt: skip
    parts = [f"<p><b>{escape(card['name'])}</b><br>{escape(card['description'])}</p>"]
    parts.append(f"<p style='color:{muted}'>{escape('  ·  '.join(facts))}</p>")
    parts.append(_heading(_tr("How well")) + _quality(card["quality"]))
    parts.append(_heading(_tr("Licence")) + f"<p>{escape(card['licence'])}</p>")
    data = "".join(f"<li>{escape(line)}</li>" for line in card["data"])
    parts.append(_heading(_tr("Learned from")) + f"<ul style='margin-left:-20px'>{data}</ul>")
    return "".join(parts)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Card", text)


def _heading(text: str) -> str:
    return f"<p style='margin-top:10px; margin-bottom:2px'><b>{escape(text)}</b></p>"


def _quality(quality: dict[str, Any]) -> str:
    """Scores as tables: one for each set they were measured on, the numbers that stand alone first."""
    if not quality:
        return f"<p>{escape(_tr('Nothing was measured.'))}</p>"
    alone = {name: value for name, value in quality.items() if not isinstance(value, dict)}
    tables = [("", alone)] if alone else []
    tables += [(name, value) for name, value in quality.items() if isinstance(value, dict) and name not in SKIPPED]
    return "".join(_table(name, values) for name, values in tables)


def _table(name: str, values: dict[str, Any]) -> str:
    title = values.get("measured_on") or name
    rows = [
        (key.replace("_", " "), f"{value:.3g}" if isinstance(value, float) else str(value))
        for key, value in values.items()
        if key not in (*SKIPPED, "measured_on") and not isinstance(value, dict | list)
    ]
    muted = theme.current().muted_text
    cells = "".join(
        f"<tr><td style='padding-right:16px'>{escape(key)}</td><td align='right'>{escape(value)}</td></tr>"
        for key, value in rows
    )
    return f"<p style='color:{muted}; margin-bottom:2px'>{escape(str(title))}</p><table>{cells}</table>" if rows else ""

"""A model's card as a readable page: what the model does, its quality, its data and its licence."""

from __future__ import annotations

from html import escape
from typing import Any

from PyQt6.QtCore import QCoreApplication

from gui import theme

SKIPPED = ("step", "elapsed", "valid_loss", "score", "distances")
"""Numbers that are only meaningful to the person who trained the model."""


def card_html(card: dict[str, Any]) -> str:
    """The card as rich text for ``QTextBrowser``: first what matters to musicians, then details for researchers."""
    if "error" in card:
        return f"<p>{escape(card['error'])}</p>"
    muted = theme.current().muted_text
    facts = [
        f"{card['parameters'] / 1e6:.1f} M {_tr('weights')}", f"{card['size'] / 2**20:.1f} MiB", card["precision"],
        f"{card['sample_rate'] / 1000:g} kHz", f"{_tr('hop')} {card['hop']}",
    ]  # fmt: skip
    parts = [f"<p><b>{escape(card['name'])}</b><br>{escape(card['description'])}</p>", _in_short(card)]
    parts.append(_heading(_tr("For researchers")))
    parts.append(f"<p style='color:{muted}'>{escape('  ·  '.join(facts))}</p>")
    parts.append(_quality(card["quality"]))
    data = "".join(f"<li>{escape(line)}</li>" for line in card["data"])
    parts.append(_heading(_tr("Learned from")) + f"<ul style='margin-left:-20px'>{data}</ul>")
    return "".join(parts)


def _in_short(card: dict[str, Any]) -> str:
    """The model's purpose, delay, quality and licence."""
    ms = 1000 * (card["hop"] + card["latency"]) / card["sample_rate"]
    rows = [(_tr("Delay"), _tr("{:.1f} ms, plus the time for the model").format(ms))]
    stems = [_stem_title(name) for name in card["outputs"]]
    if card.get("kind", "separator") == "instrument":
        rows.append((_tr("Sounds"), str(len(stems))))
    else:
        rows.append((_tr("Stems"), ", ".join(stems)))
        scores = _scores(card)
        if scores:
            told = ", ".join(f"{_stem_title(name)} {value:.1f}" for name, value in scores.items())
            rows.append((_tr("Quality"), _tr("{} dB; 3 dB more halve the error").format(told)))
    rows.append((_tr("Licence"), card["licence"]))
    cells = "".join(
        f"<tr><td style='padding-right:16px'>{escape(key)}</td><td>{escape(value)}</td></tr>" for key, value in rows
    )
    return f"<table>{cells}</table>"


def _stem_title(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _scores(card: dict[str, Any]) -> dict[str, float]:
    """dB of each stem in the last measurement, on songs that were not used for choosing; empty if there is none."""
    found: dict[str, float] = {}
    for values in card["quality"].values():
        if isinstance(values, dict) and all(isinstance(values.get(name), int | float) for name in card["outputs"]):
            found = {name: float(values[name]) for name in card["outputs"]}
    return found


def _tr(text: str) -> str:
    return QCoreApplication.translate("Card", text)


def _heading(text: str) -> str:
    return f"<p style='margin-top:10px; margin-bottom:2px'><b>{escape(text)}</b></p>"


def _quality(quality: dict[str, Any]) -> str:
    """Scores as tables, one for each set that they were measured on, after single numbers."""
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

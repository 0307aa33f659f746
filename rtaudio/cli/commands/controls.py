"""``python -m rtaudio controls``: list all controls, with their OSC addresses."""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

from rtaudio.protocol.checks import stem_names
from rtaudio.protocol.controls import NUMBER, SWITCH, InsertControl, fixed_targets, insert_controls, osc_address, row
from rtaudio.protocol.parameters import EFFECTS
from rtaudio.protocol.settings import DEFAULT_MODEL
from rtaudio.protocol.strips import INSTRUMENT

NAME = "controls"
HELP = "List all controls: OSC addresses, values, and whether a MIDI controller can learn them."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="M", help="whose stems to name (default: %(default)s)")
    parser.add_argument("--markdown", action="store_true", help="print the table of the documentation, for any stem")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    if args.markdown:
        print(markdown())
        return 0
    rows = listed((*stem_names(args.model), INSTRUMENT))
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    width, values = (max(len(entry[key]) for entry in rows) for key in ("address", "values"))
    for entry in rows:
        midi = "MIDI" if entry["midi"] else ""
        print(f"{entry['address']:<{width}}  {entry['values']:<{values}}  {midi:<4}  {entry['meaning']}".rstrip())
    return 0


def listed(strips: tuple[str, ...]) -> list[dict[str, Any]]:
    """All rows for these strips; the inserts' with ``KEY`` for the key of the slot, ``STRIP`` for its strip."""
    found = []
    for target in fixed_targets(strips, every=True):
        control = row(target)
        assert control is not None
        found.append({
            "target": target, "address": osc_address(target), "values": _values(control.kind, control.limits, control.unit),
            "midi": control.learnable, "meaning": control.words,
        })  # fmt: skip
    for effect in EFFECTS.values():
        for insert in insert_controls([("STRIP", f"{effect.id}-1", effect.id)]):
            found.append(_insert(effect.name, insert))
    return found


def _insert(name: str, insert: InsertControl) -> dict[str, Any]:
    parameter = insert.parameter
    if parameter is None:
        told = {"values": _values(SWITCH, (0.0, 1.0), ""), "midi": False, "meaning": f"{name}: bypass"}
    else:
        values = _values(NUMBER, (parameter.low, parameter.high), parameter.unit)
        if parameter.labels:
            values = f"{parameter.low:g} ({parameter.labels[0]}) to {parameter.high:g} ({parameter.labels[-1]})"
        told = {"values": values, "midi": True, "meaning": f"{name}: {parameter.name.lower()}"}
    return {"target": insert.target, "address": insert.address} | told


def _values(kind: str, limits: tuple[float, float], unit: str) -> str:
    if kind == SWITCH:
        return "0, 1 or nothing"
    if kind != NUMBER:
        return "1 or nothing"
    low, high = limits
    end = f"{unit}" if unit else ""
    if high >= 1e9:
        return f"from {low:g} {end}".strip()
    return (f"up to {high:g} {end}" if math.isinf(low) else f"{low:g} to {high:g} {end}").strip()


def markdown() -> str:
    """The table of the documentation."""
    lines = ["| OSC address | values | MIDI learn | what it is |", "|---|---|---|---|"]
    for entry in listed(("STEM",)):
        lines.append(f"| `{entry['address']}` | {entry['values']} | {'yes' if entry['midi'] else ''} | {entry['meaning']} |")
    return "\n".join(lines)

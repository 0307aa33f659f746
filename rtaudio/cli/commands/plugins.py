"""``python -m rtaudio plugins``: the built-in effects and the plugins of this machine."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.plugins.scan import Entry, find_plugin, known_plugins, look_at, scan
from rtaudio.protocol.insert_checks import is_foreign
from rtaudio.protocol.parameters import EFFECTS, Parameter

NAME = "plugins"
HELP = "List the built-in effects and the installed plugins, look for new ones, or show the parameters of one."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``plugins``."""
    parser.add_argument(
        "action", choices=("list", "scan", "info"), nargs="?", default="list",
        help="list: effects, and plugins found by the last scan (default); scan: look for plugins; info NAME: one of them",
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", nargs="?", help="info: an effect, a plugin's name, its path, lv2:URI or python:NAME")
    parser.add_argument("--again", action="store_true", help="scan: look at all plugins again, also at those that crashed")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what is asked for."""
    if (args.action == "info") != (args.name is not None):
        raise StemplayError("Use: plugins list, plugins scan [--again], or plugins info NAME.")
    if args.again and args.action != "scan":
        raise StemplayError("--again belongs to plugins scan.")
    if args.action == "info":
        _info(args.name, args.json)
        return 0
    entries = scan(args.again, _progress if sys.stderr.isatty() else None) if args.action == "scan" else known_plugins()
    if args.json:
        print(json.dumps([*_built_in(), *entries], ensure_ascii=False))
        return 0
    _list(entries)
    return 0


def _progress(done: int, total: int, name: str) -> None:
    print(f"\r\x1b[K{done} of {total}: {name[-60:]}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _built_in() -> list[Entry]:
    return [
        {"plugin": e.id, "name": e.name, "maker": "", "category": e.category, "kind": "built in", "editor": False, "instrument": False,
         "latency": 0,
         "error": "", "summary": e.summary, "parameters": [p.to_json() for p in e.parameters]}
        for e in EFFECTS.values()
    ]  # fmt: skip


def _list(entries: list[Entry]) -> None:
    print("Built-in effects:")
    for effect in EFFECTS.values():
        print(f"  {effect.id:<12} {effect.name}: {effect.summary}")
    working = [entry for entry in entries if not entry["error"]]
    print(f"\nPlugins ({len(working)}):" if working else "\nNo plugins are known; `plugins scan` looks for VST3, LV2 and Python plugins.")
    for entry in sorted(working, key=lambda x: (x["kind"], x["name"].casefold())):
        instrument = ", an instrument" if entry["instrument"] else ""
        print(f"  {entry['kind']:<10} {entry['name']}{instrument} ({entry['plugin']})")
    broken = [entry for entry in entries if entry["error"]]
    if broken:
        print(f"\nNot usable ({len(broken)}):")
    for entry in broken:
        print(f"  {entry['name']}: {entry['error']} ({entry['plugin']})")


def _info(name: str, as_json: bool) -> None:
    entry: dict[str, Any]
    if name in EFFECTS:
        entry = next(x for x in _built_in() if x["plugin"] == name)
    else:
        try:
            entry = find_plugin(name, known_plugins())
        except StemplayError:
            if not is_foreign(name):
                raise
            entry = look_at(name)[0]
    if entry["error"]:
        raise StemplayError(f"{entry['name']}: {entry['error']}")
    if as_json:
        print(json.dumps(entry, ensure_ascii=False))
        return
    maker = f" by {entry['maker']}" if entry["maker"] else ""
    print(f"{entry['name']}{maker}: {entry['kind']}{', ' + entry['category'] if entry['category'] else ''}.")
    if entry.get("summary"):
        print(entry["summary"])
    use = f"play --model {entry['plugin']}" if entry["instrument"] else f"--insert STRIP={entry['plugin']}"
    print(f"Use it with {use}")
    if entry.get("presets"):
        print(f"With a preset: {use}:preset=NAME, where NAME is one of {', '.join(entry['presets'])}.")
    for parameter in (Parameter.from_json(x) for x in entry["parameters"]):
        print(f"  {_describe(parameter)}")


def _describe(parameter: Parameter) -> str:
    ends = f"{parameter.text(parameter.low)} to {parameter.text(parameter.high)}"
    choices = ", ".join(parameter.labels) or ends
    return f"{parameter.id}: {parameter.name}, {choices} (default {parameter.text(parameter.default)})"

"""``python -m rtaudio plugins``: the built-in effects and the plugins of this machine, and whether these work."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.plugins.scan import Entry, find_plugin, known_plugins, look_at, scan
from rtaudio.plugins.trial import Trial, counted, markdown, try_all
from rtaudio.protocol.insert_checks import is_foreign
from rtaudio.protocol.parameters import EFFECTS, Parameter

NAME = "plugins"
HELP = "List the built-in effects and the installed plugins, look for new ones, try them, or show the parameters of one."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``plugins``."""
    parser.add_argument(
        "action", choices=("list", "scan", "info", "check"), nargs="?", default="list",
        help="list: effects, and plugins found by the last scan (default); scan: look for plugins; info NAME: one of them; "
        "check [NAME]: play one or all, turn their parameters, restore their states",
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", nargs="?", help="a plugin's name, its path, lv2:URI or python:NAME; info: or an effect")
    parser.add_argument("--again", action="store_true", help="scan, check: look at all plugins again, also at those that crashed")
    parser.add_argument("--markdown", action="store_true", help="check: print a table with a row for each package")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what is asked for."""
    if args.name is None if args.action == "info" else args.name is not None and args.action != "check":
        raise StemplayError("Use: plugins list, plugins scan [--again], plugins info NAME, or plugins check [NAME].")
    if args.again and args.action not in ("scan", "check"):
        raise StemplayError("--again belongs to plugins scan and plugins check.")
    if args.markdown and (args.action != "check" or args.json):
        raise StemplayError("--markdown belongs to plugins check, without --json.")
    if args.action == "info":
        _info(args.name, args.json)
        return 0
    if args.action == "check":
        return _check(args)
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


def _check(args: argparse.Namespace) -> int:
    """Try one plugin or all. Returns 1 if one that should work does not."""
    progress = _progress if sys.stderr.isatty() else None
    if args.name in EFFECTS:
        raise StemplayError(f"{args.name} is a built-in effect; plugins check tries plugins of others.")
    entries = scan(args.again, progress) if args.name is None else _looked_up(args.name)
    trials = try_all(entries, progress)
    if args.json:
        print(json.dumps([asdict(trial) for trial in trials], ensure_ascii=False))
    elif args.markdown:
        print(markdown(trials))
    else:
        _print_trials(trials, every=args.name is not None)
    return int(any(trial.error and trial.role != "tool" for trial in trials))


def _print_trials(trials: list[Trial], every: bool) -> None:
    for trial in trials:
        told = " ".join((trial.error, *trial.notes)).strip()
        if told or every:
            print(f"{trial.name}: {told or 'works.'} ({trial.plugin})")
    counts = counted(trials)
    print(
        f"{len(trials)} plugins: {counts['effect']} effects and {counts['instrument']} instruments work, {counts['tool']} are neither, "
        f"{counts['failed']} do not work."
    )


def _looked_up(name: str) -> list[Entry]:
    """What is known of a plugin, or found now if it has not been scanned. Raises StemplayError if there is none of this name."""
    try:
        return [find_plugin(name, known_plugins())]
    except StemplayError:
        if not is_foreign(name):
            raise
        return look_at(name)


def _info(name: str, as_json: bool) -> None:
    entry: dict[str, Any]
    entry = next(x for x in _built_in() if x["plugin"] == name) if name in EFFECTS else _looked_up(name)[0]
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

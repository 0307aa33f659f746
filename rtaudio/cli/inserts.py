"""The option ``--insert STRIP=PLUGIN:parameter=value,...`` of ``live``, ``separate`` and ``render``."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.plugins.rack import pack_state
from rtaudio.protocol.insert_checks import check_inserts, is_foreign, is_plugin_file, split_plugin
from rtaudio.protocol.parameters import EFFECTS, Parameter
from rtaudio.protocol.settings import InsertState
from rtaudio.protocol.strips import INSTRUMENT

PRESET = "preset"
"""What is written like a parameter, and names a preset of the plugin."""
EXAMPLE = "vocals=reverb:room=0.4,mix=30"

_PARAMETERS = re.compile(r"^(?P<plugin>.+?)(?::(?P<parameters>[^:=,]+=[^:=,]+(?:,[^:=,]+=[^:=,]+)*))?$", re.DOTALL)


def add_insert_option(group: argparse._ArgumentGroup | argparse.ArgumentParser, places: str) -> None:
    """Add ``--insert``. ``places`` says where inserts can be."""
    group.add_argument(
        "--insert", action="append", default=[], metavar="STRIP=PLUGIN[:PARAMETER=X,...]",
        help=f"an effect or plugin on {places}, for example {EXAMPLE}; may be repeated (`plugins list` shows what there is)",
    )  # fmt: skip


def parse_inserts(values: list[str], strips: tuple[str, ...]) -> dict[str, list[InsertState]]:
    """The inserts of each strip that the options name, in their order. Raises StemplayError for what cannot be.

    Args:
        strips: where inserts can be.
    """
    found: dict[str, list[InsertState]] = {}
    for value in values:
        strip, sign, rest = value.partition("=")
        strip = strip.strip()
        if not sign or not rest.strip():
            raise StemplayError(f"--insert is written like {EXAMPLE}, not {value!r}.")
        if strip not in strips:
            raise StemplayError(f"There are no inserts in {strip!r}; choose from {', '.join(strips)}.")
        found.setdefault(strip, []).append(_insert(rest.strip()))
    return {strip: check_inserts(strip, inserts) for strip, inserts in found.items()}


def _insert(text: str) -> InsertState:
    match = _PARAMETERS.match(text)
    assert match is not None  # its first part takes anything
    plugin, table = resolve(match["plugin"].strip())
    pairs = [pair.partition("=") for pair in match["parameters"].split(",")] if match["parameters"] else []
    preset = next((value.strip() for id, _, value in pairs if id.strip() == PRESET), "")
    if preset and PRESET not in {parameter.id for parameter in table}:
        return _with_preset(plugin, preset, [pair for pair in pairs if pair[0].strip() != PRESET])
    if not table and not all(_is_number(value) for _, _, value in pairs):  # it was never scanned, and a value is given by its name
        table = _table(plugin)
    return InsertState(plugin, values={id.strip(): _value(plugin, table, id.strip(), value.strip()) for id, _, value in pairs})


def instrument_with_preset(text: str) -> tuple[str, InsertState | None]:
    """An instrument's name from ``PLUGIN:preset=NAME``, and its settings (None without a preset). Raises StemplayError."""
    plugin, _, preset = text.partition(f":{PRESET}=")
    if not preset or not is_foreign(plugin):
        return text, None
    return plugin, replace(_with_preset(plugin, preset, []), key=INSTRUMENT)


def _with_preset(plugin: str, preset: str, pairs: list[tuple[str, str, str]]) -> InsertState:
    """``plugin`` as its preset sets it, changed by ``pairs``. Raises StemplayError."""
    if not is_foreign(plugin):
        raise StemplayError(f"{plugin} has no presets, and no parameter {PRESET!r}.")
    from rtaudio.plugins.scan import preset_of

    table, values, state = preset_of(plugin, preset)
    values |= {id.strip(): _value(plugin, table, id.strip(), value.strip()) for id, _, value in pairs}
    return InsertState(plugin, values=values, state=pack_state(state))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _table(plugin: str) -> tuple[Parameter, ...]:
    """The parameters of a plugin that no scan has seen; it is loaded in a process of its own. Raises StemplayError."""
    from rtaudio.plugins.scan import look_at

    entry = look_at(plugin)[0]
    if entry["error"]:
        raise StemplayError(f"{plugin} cannot be used: {entry['error']}")
    return tuple(Parameter.from_json(x) for x in entry["parameters"])


def resolve(name: str) -> tuple[str, tuple[Parameter, ...]]:
    """What ``name`` stands for, and its parameters as far as they are known without loading it.

    An effect's id, a plugin's path or URI, or the name of a plugin that the last scan found. Raises StemplayError.
    """
    if name in EFFECTS:
        return name, EFFECTS[name].parameters
    if is_plugin_file(name):
        path, inner = split_plugin(name)
        if not Path(path).exists():
            raise StemplayError(f"There is no plugin {path!r}.")
        name = str(Path(path).absolute()) + (f"::{inner}" if inner else "")
    from rtaudio.plugins.scan import find_plugin, known_plugins

    try:
        entry = find_plugin(name, known_plugins())
    except StemplayError:
        if is_foreign(name):
            return name, ()
        raise
    if entry["error"] and not is_foreign(name):
        raise StemplayError(f"{name} cannot be used: {entry['error']}")
    return str(entry["plugin"]), tuple(Parameter.from_json(x) for x in entry["parameters"])


def _value(plugin: str, table: tuple[Parameter, ...], id: str, text: str) -> float:
    """A number, or the text of one of a parameter's steps."""
    known: dict[str, Any] = {parameter.id: parameter for parameter in table}
    labels = [label.casefold() for label in known[id].labels] if id in known else []
    if text.casefold() in labels:
        return float(known[id].value(labels.index(text.casefold()) / max(1, len(labels) - 1)))
    try:
        return float(text)
    except ValueError:
        choices = f" or {', '.join(known[id].labels)}" if labels else ""
        raise StemplayError(f"{id} of {plugin} is a number{choices}, not {text!r}.") from None

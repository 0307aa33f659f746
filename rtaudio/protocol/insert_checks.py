"""Which inserts a strip may have; what is wrong is said in one sentence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.protocol.parameters import EFFECTS, MAX_SLOTS
from rtaudio.protocol.settings import InsertState, MixerState
from rtaudio.protocol.strips import INPUT, INSTRUMENT, MASTER

PLUGIN_FILES = (".vst3", ".component")
"""What a path to a plugin ends in: VST3, and Audio Units of macOS."""
PREFIXES = ("lv2:", "python:")
MAX_STATE = 1 << 16
"""Characters of a plugin's saved state: all slots together have to fit into a message between processes."""
MAX_VALUES = 4096
MAX_SIZE = 3 << 20
"""Bytes of all inserts in a message, which holds four times 2^20."""


def split_plugin(plugin: str) -> tuple[str, str]:
    """``PATH::NAME`` as path and name; the name is empty where the file holds one plugin."""
    path, _, name = plugin.partition("::")
    return path, name


def is_plugin_file(plugin: str) -> bool:
    """Whether ``plugin`` names a file (or bundle) of a plugin."""
    return Path(split_plugin(plugin)[0]).suffix.lower() in PLUGIN_FILES


def is_foreign(plugin: str) -> bool:
    """Whether ``plugin`` is not ours and therefore runs in a process of its own."""
    return is_plugin_file(plugin) or plugin.startswith(PREFIXES)


def check_plugin(plugin: Any) -> str:
    """The name of a plugin that may be put into a slot. Raises StemplayError for anything else."""
    if not isinstance(plugin, str) or not plugin or len(plugin) > 4096 or "\0" in plugin:
        raise StemplayError(f"An insert is the name of an effect or the path of a plugin, not {plugin!r:.80}.")
    if not is_foreign(plugin) and plugin not in EFFECTS:
        raise StemplayError(
            f"There is no effect {plugin!r:.80}; there are {', '.join(EFFECTS)}, and plugins by path (.vst3), lv2:URI or python:NAME."
        )
    return plugin


def check_parameter(plugin: str, parameter: Any, value: Any) -> float:
    """``value`` as a parameter of ``plugin`` may have it, as far as is known before the plugin is loaded. Raises StemplayError."""
    if not isinstance(parameter, str) or not parameter or len(parameter) > 256:
        raise StemplayError(f"A parameter has a name, not {parameter!r:.80}.")
    if plugin in EFFECTS:
        return EFFECTS[plugin].parameter(parameter).check(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= sys.float_info.max:
        raise StemplayError(f"The parameter {parameter!r:.80} of {plugin!r:.80} is a number, not {value!r:.80}.")
    return float(value)


def check_inserts(strip: str, inserts: Any) -> list[InsertState]:
    """The slots of ``strip``, in order, each with a key. Raises StemplayError for what cannot be."""
    if not isinstance(inserts, list):
        raise StemplayError(f"The inserts of {strip} are a list, not {inserts!r:.80}.")
    if len(inserts) > MAX_SLOTS:
        raise StemplayError(f"{strip} has {MAX_SLOTS} slots for inserts, not {len(inserts)}.")
    checked = [_check_insert(strip, entry) for entry in inserts]
    keys = [entry.key for entry in checked if entry.key]
    if len(set(keys)) < len(keys):
        raise StemplayError(f"Two inserts of {strip} have the same key.")
    for entry in checked:
        if not entry.key:
            stem = Path(split_plugin(entry.plugin)[0]).stem if is_plugin_file(entry.plugin) else entry.plugin
            entry.key = next(key for k in range(1, MAX_SLOTS + 2) if (key := f"{stem}-{k}") not in keys)
            keys.append(entry.key)
    return checked


def check_all(mixer: MixerState) -> None:
    """Check all inserts of ``mixer``, and give each a key. Raises StemplayError for what cannot be."""
    for strip in (*mixer.stems, MASTER, INPUT):
        set_inserts(mixer, strip, list(slots_of(mixer, strip)))


def _check_size(mixer: MixerState) -> None:
    """Raise StemplayError if all inserts together do not fit into a message between processes."""
    slots = [entry for strip in (*mixer.stems, MASTER, INPUT) for entry in slots_of(mixer, strip)]
    texts = [x for entry in slots for x in (entry.state, entry.plugin, entry.key, *entry.values)]
    size = sum(6 * len(text) if not text.isascii() else len(text) for text in texts) + 30 * len(texts)
    if size > MAX_SIZE:
        raise StemplayError("The inserts have too many settings together: remove one.")


def _check_insert(strip: str, entry: Any) -> InsertState:
    values = entry if isinstance(entry, dict) else vars(entry) if isinstance(entry, InsertState) else None
    if values is None or not set(values) <= {"plugin", "key", "bypass", "values", "state"}:
        raise StemplayError(f"An insert of {strip} has plugin, key, bypass, values and state, not {entry!r:.80}.")
    plugin = check_plugin(values.get("plugin"))
    key, bypass, state = values.get("key", ""), values.get("bypass", False), values.get("state", "")
    if not isinstance(key, str) or len(key) > 4200:
        raise StemplayError(f"The key of an insert is a text, not {key!r:.80}.")
    if not isinstance(bypass, bool):
        raise StemplayError(f"The bypass of an insert is on or off, not {bypass!r:.80}.")
    if not isinstance(state, str) or len(state) > MAX_STATE:
        raise StemplayError(f"The saved state of {plugin!r:.80} is no text of at most {MAX_STATE} characters.")
    parameters = values.get("values", {})
    if not isinstance(parameters, dict) or len(parameters) > MAX_VALUES:
        raise StemplayError(f"The parameters of {plugin!r:.80} are names and numbers, not {parameters!r:.80}.")
    return InsertState(plugin, key, bypass, {id: check_parameter(plugin, id, x) for id, x in parameters.items()}, state)


def check_instrument(plugin: str, entry: Any) -> InsertState:
    """Settings (``InsertState``, also as a dict) for ``plugin`` in place of the instrument. Raises StemplayError for what cannot be."""
    checked = _check_insert(INSTRUMENT, entry)
    if checked.plugin != plugin:
        raise StemplayError(f"These are settings of {checked.plugin!r:.80}, but the instrument is {plugin!r:.80}.")
    return InsertState(plugin, INSTRUMENT, False, checked.values, checked.state)


def instrument_settings(instrument: str, entry: InsertState) -> InsertState:
    """The settings to begin with where ``instrument`` plays: ``entry`` if they belong to it, or if a model plays, which needs none.

    Raises StemplayError if they are invalid.
    """
    if not is_foreign(instrument):
        return entry
    return check_instrument(instrument, entry) if entry.plugin == instrument else InsertState(instrument, INSTRUMENT)


def slots_of(mixer: MixerState, strip: Any) -> list[InsertState]:
    """The list of inserts of ``strip``, of ``master`` or of ``input``. Raises StemplayError if there is no such place."""
    if strip == MASTER:
        return mixer.inserts
    if strip == INPUT:
        return mixer.input_inserts
    if not isinstance(strip, str) or strip not in mixer.stems:
        raise StemplayError(f"There are no inserts in {strip!r:.80}; choose {', '.join([*mixer.stems, MASTER, INPUT])}.")
    return mixer.stems[strip].inserts


def insert_of(mixer: MixerState, strip: Any, key: Any) -> InsertState:
    """The insert ``key`` of ``strip``. Raises StemplayError if there is none."""
    for entry in slots_of(mixer, strip):
        if entry.key == key:
            return entry
    raise StemplayError(f"There is no insert {key!r:.80} in {strip}.")


def set_inserts(mixer: MixerState, strip: Any, inserts: Any) -> None:
    """Give ``strip`` these inserts. Raises StemplayError, and changes nothing, if it cannot have them."""
    slots = slots_of(mixer, strip)
    before, slots[:] = list(slots), check_inserts(str(strip), inserts)
    try:
        _check_size(mixer)
    except StemplayError:
        slots[:] = before
        raise


def bypass_insert(mixer: MixerState, strip: Any, key: Any, bypass: Any) -> None:
    """Switch the bypass of one insert. Raises StemplayError if there is none, or if ``bypass`` is not on or off."""
    if not isinstance(bypass, bool):
        raise StemplayError(f"The bypass of an insert is on or off, not {bypass!r:.80}.")
    insert_of(mixer, strip, key).bypass = bypass


def set_parameter(mixer: MixerState, strip: Any, key: Any, parameter: Any, value: Any) -> None:
    """Set one parameter of an insert. Raises StemplayError for what cannot be, as far as is known before the plugin is loaded."""
    put_value(insert_of(mixer, strip, key), parameter, value)


def put_value(entry: InsertState, parameter: Any, value: Any) -> None:
    """Set one value of a plugin's settings. Raises StemplayError for what cannot be, as far as is known before the plugin is loaded."""
    checked = check_parameter(entry.plugin, parameter, value)
    if parameter not in entry.values and len(entry.values) >= MAX_VALUES:
        raise StemplayError(f"{entry.plugin!r:.80} has too many parameters.")
    entry.values[parameter] = checked

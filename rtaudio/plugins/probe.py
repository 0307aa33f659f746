"""Examines one plugin: ``python -m rtaudio.plugins.probe PLUGIN`` prints its description as one line of JSON.

With ``PLUGIN PRESET`` it prints the parameters with the values that the preset gives them, and the plugin's state. Without arguments it
prints the latency of the plugin that a line of JSON on standard input names, with its settings (``latency_watch.py``).

It is a separate process, because plugins may crash, hang and print.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import time
from typing import Any

import numpy as np

from rtaudio.audio.format import StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.foreign import open_plugin
from rtaudio.plugins.latency_watch import LIMIT_S
from rtaudio.plugins.state_folder import remove_folders
from rtaudio.protocol.insert_checks import is_plugin_file, split_plugin
from rtaudio.system.realtime import lower_priority


def look(plugin: str) -> list[dict[str, Any]]:
    """The description of ``plugin``: one entry, or one for each plugin in a file. Raises StemplayError if it cannot be loaded."""
    if is_plugin_file(plugin) and not split_plugin(plugin)[1]:
        from rtaudio.plugins.vst3 import plugin_names

        names = plugin_names(plugin)
        if len(names) > 1:
            return [entry for name in names for entry in look(f"{plugin}::{name}")]
    loaded = open_plugin(plugin)
    loaded.prepare(44_100, 256, 2)
    return [_entry(plugin, loaded)]


def load_preset(plugin: str, preset: str) -> dict[str, Any]:
    """``parameters``, ``values`` (those that are not the default) and ``state`` (base64). Raises StemplayError for an unknown preset."""
    loaded = open_plugin(plugin)
    loaded.prepare(44_100, 256, 2)
    loaded.load_preset(preset)
    loaded.process(np.zeros((256, 2), np.float32))  # some plugins take over values as they play
    values = {p.id: loaded.get(p.id) for p in loaded.parameters}
    return {
        "parameters": [p.to_json() for p in loaded.parameters], "state": base64.b64encode(loaded.save_state()).decode(),
        "values": {p.id: values[p.id] for p in loaded.parameters if values[p.id] != p.default},
    }  # fmt: skip


def latency_of(wanted: dict[str, Any]) -> dict[str, Any]:
    """``latency`` of a ``plugin`` with its ``state`` (base64, may be empty) and ``values``, prepared for ``form``.

    Raises StemplayError if it cannot be loaded.
    """
    lower_priority()
    threading.Thread(target=_end_after, args=(LIMIT_S,), name="limit", daemon=True).start()  # whoever asked may be gone
    loaded = open_plugin(str(wanted["plugin"]))
    if wanted["state"]:
        loaded.restore_state(base64.b64decode(wanted["state"]))
    for id, value in wanted["values"].items():
        loaded.set(id, value)
    loaded.prepare(*(int(number) for number in wanted["form"]))
    return {"latency": loaded.latency}


def _end_after(seconds: float) -> None:
    time.sleep(seconds)
    os._exit(1)


def _entry(plugin: str, loaded: Plugin) -> dict[str, Any]:
    kind = "LV2" if plugin.startswith("lv2:") else "Python" if plugin.startswith("python:") else "VST3"
    if split_plugin(plugin)[0].lower().endswith(".component"):
        kind = "Audio Unit"
    return {
        "plugin": plugin, "name": loaded.name, "maker": loaded.maker, "category": loaded.category, "kind": kind,
        "editor": loaded.has_editor, "instrument": loaded.is_instrument,
        "presets": list(loaded.presets), "latency": loaded.latency, "parameters": [p.to_json() for p in loaded.parameters], "error": "",
    }  # fmt: skip


def main() -> None:
    """Entry point."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of plugins must not mix with ours
    try:
        result: dict[str, Any]
        if len(sys.argv) < 2:
            result = latency_of(json.loads(sys.stdin.readline()))
        else:
            result = {"found": look(sys.argv[1])} if len(sys.argv) < 3 else load_preset(sys.argv[1], sys.argv[2])
    except StemplayError as error:
        result = {"error": str(error)}
    out.write(json.dumps(result) + "\n")
    out.flush()
    remove_folders(os.getpid())
    os._exit(0)  # some plugins crash when they are unloaded


if __name__ == "__main__":
    main()

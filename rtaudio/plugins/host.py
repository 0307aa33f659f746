"""The host process of one plugin: ``python -m rtaudio.plugins.host``.

The first line on standard input names the plugin and the format. The answer on standard output describes the plugin (``isolated.py`` is
the other end). The process ends when its standard input is closed. Threads:

- *main* loads the plugin and shows its window, because third-party plugins require the main thread for both. It also answers commands and
reports the plugin's own changes.
- *audio* waits for datagrams and processes the new input.
- *commands* reads standard input.
"""

from __future__ import annotations

import base64
import contextlib
import faulthandler
import json
import os
import queue
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from rtaudio.audio.format import StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.foreign import open_plugin
from rtaudio.plugins.shared_rings import NOT_FINITE, SharedRings
from rtaudio.system.realtime import keep_memory, request_realtime, settle

PRIORITY = 50
"""Priority below the audio callback and above the model's thread, since the next block needs the answer."""
LOOK_S = 0.1
"""Seconds between two checks for the plugin's own changes."""
SAVE_S = 1.0
"""Seconds without a change after which the plugin's state is saved."""


class PluginHost:
    """Serves one engine."""

    def __init__(self, start: dict[str, Any], out: TextIO) -> None:
        self._out, self._lock = out, threading.Lock()
        self._block, self._channels, self._rate = int(start["block"]), int(start["channels"]), int(start["rate"])
        self._rings = SharedRings(Path(start["path"]), int(start["capacity"]), self._channels)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(("127.0.0.1", int(start["port"])))
        self.commands: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.plugin: Plugin = open_plugin(str(start["plugin"]))
        self.plugin.prepare(self._rate, self._block, self._channels)
        if start["state"]:
            self.plugin.restore_state(base64.b64decode(start["state"]))
        for id, value in start["values"].items():
            self.plugin.set(id, self.plugin.parameter(id).check(value))
        self._ids = [parameter.id for parameter in self.plugin.parameters]
        self._known = self._values()
        self._version = 0
        self._set: dict[int, float] = {}
        self._edited, self._saved, self._saved_at = False, b"", 0.0

    def run(self) -> None:
        """Serve until the process is ended."""
        for index, id in enumerate(self._ids):
            self._rings.values[index] = self._set[index] = self._known[id]
        self._write({
            "name": self.plugin.name, "editor": self.plugin.has_editor, "latency": self.plugin.latency,
            "parameters": [p.to_json() for p in self.plugin.parameters], "values": self._known,
            "port": self._socket.getsockname()[1],
        })  # fmt: skip
        threading.Thread(target=self._audio, name="audio", daemon=True).start()
        changed = 0.0
        while True:
            try:
                self._obey(self.commands.get(timeout=LOOK_S))
            except queue.Empty:
                changed = self._look(changed)

    # -- audio ------------------------------------------------------------------------------------------------------------

    def _audio(self) -> None:
        request_realtime(PRIORITY)
        audio = np.zeros((self._block, self._channels), np.float32)
        while True:
            with contextlib.suppress(OSError):  # the engine's end may be gone; then this process ends, too
                self._socket.recv(16)
            self._serve(audio)

    def _serve(self, audio: np.ndarray[Any, np.dtype[np.float32]]) -> None:
        rings = self._rings
        while True:
            self._take_values()
            if rings.follow():
                self.plugin.reset()
            rings.skip(self._block)
            position = rings.done
            n = min(rings.fed - position, self._block)
            if n <= 0:
                return
            part = audio[:n]
            rings.input_at(position, part)
            self.plugin.process(part)
            if not np.isfinite(part).all():
                rings.trouble = NOT_FINITE
                part.fill(0.0)
            rings.answer(position, part)
            if rings.waiting:
                with contextlib.suppress(OSError):
                    self._socket.send(b"d")

    def _take_values(self) -> None:
        if self._rings.version == self._version:
            return
        self._version = self._rings.version
        for index, id in enumerate(self._ids):
            value = float(self._rings.values[index])
            if value != self._set[index]:
                self._set[index] = value
                self._known[id] = value
                self.plugin.set(id, value)

    # -- main -------------------------------------------------------------------------------------------------------------

    def _obey(self, command: dict[str, Any]) -> None:
        if command["op"] == "editor":
            self._edited = True
            note = ""
            try:
                self.plugin.open_editor()
            except Exception as failure:  # the sound continues if the window does not open
                note = f"{self.plugin.name} cannot show its own window: {str(failure).rstrip('.') or type(failure).__name__}."
            self._write({"changed": {}, "note": note})
        elif command["op"] == "save":
            self._write({"state": base64.b64encode(self.plugin.save_state()).decode()})
        elif command["op"] == "restore":
            error = ""
            try:
                self.plugin.restore_state(base64.b64decode(command["state"]))
            except StemplayError as failure:
                error = str(failure)
            self._write({"restored": error})

    def _look(self, changed: float) -> float:
        """Report what the plugin's own window changed. Returns the time of the change, 0 once the state is saved."""
        now, values = time.monotonic(), self._values()
        news = {id: value for id, value in values.items() if value != self._known[id]}
        if news:
            self._known.update(news)
            self._write({"changed": news})
            return now
        if (changed or self._edited) and now - max(changed, self._saved_at) > SAVE_S:
            self._saved_at, state = now, self.plugin.save_state()
            if state != self._saved:
                self._saved = state
                self._write({"changed": {}, "saved": base64.b64encode(state).decode()})
            return 0.0
        return changed

    def _values(self) -> dict[str, float]:
        return {parameter.id: self.plugin.get(parameter.id) for parameter in self.plugin.parameters}

    def _write(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._out.write(json.dumps(message) + "\n")
            self._out.flush()


def _follow(host: PluginHost) -> None:
    """Read commands. End this process with the engine, whatever the plugin is doing."""
    try:
        for line in sys.stdin:
            host.commands.put(json.loads(line))
    finally:
        os._exit(0)


def main() -> None:
    """Entry point."""
    faulthandler.enable()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of plugins must not mix with our lines
    keep_memory()
    start = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent_while_loading, args=(os.getppid(),), daemon=True).start()
    try:
        host = PluginHost(start, out)
    except StemplayError as error:
        out.write(json.dumps({"error": str(error)}) + "\n")
        out.flush()
        os._exit(2)
    threading.Thread(target=_follow, args=(host,), name="commands", daemon=True).start()
    settle(host._block / host._rate)
    host.run()


def _end_with_parent_while_loading(parent: int) -> None:
    """A plugin that hangs while it is loaded must not outlive an engine that was killed."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    main()

"""The host process of one plugin: ``python -m rtaudio.plugins.host``.

The first line on standard input names the plugin and the format. The answer on standard output describes the plugin (``isolated.py`` is
the other end). The process ends when its standard input is closed. Threads:

- *main* loads the plugin and shows its window, because third-party plugins require the main thread for both. It also answers commands.
- *watch* reports the plugin's own changes.
- *latency* finds out whether changed parameters have changed a VST3 effect's latency (``latency_watch.py``).
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
import select
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from rtaudio.audio.format import StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.foreign import open_plugin
from rtaudio.plugins.latency_watch import LatencyWatch
from rtaudio.plugins.shared_rings import MIDI, NOT_FINITE, SharedRings, unpack_midi
from rtaudio.plugins.state_folder import remove_folders
from rtaudio.protocol.insert_checks import is_plugin_file
from rtaudio.system.realtime import keep_memory, request_realtime, settle

PRIORITY = 50
"""Priority below the audio callback and above the model's thread, since the next block needs the answer."""
LOOK_S = 0.1
"""Seconds between two checks for the plugin's own changes."""
SAVE_S = 1.0
"""Seconds without a change after which the plugin's state is saved."""


class Commands:
    """The engine's commands, in order.

    Attributes:
        again: called for ``editor`` while the main thread shows the window. It must close it: the command opens it again, in front.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.again: Callable[[], None] | None = None

    def put(self, command: dict[str, Any]) -> None:
        """Append a command."""
        if command["op"] == "editor" and self.again is not None:
            self.again()
        self._queue.put(command)

    def get(self) -> dict[str, Any]:
        """Wait for the next one."""
        return self._queue.get()


class PluginHost:
    """Serves one engine."""

    def __init__(self, start: dict[str, Any], out: TextIO, commands: Commands) -> None:
        self._out, self._lock = out, threading.Lock()
        self._block, self._channels, self._rate = int(start["block"]), int(start["channels"]), int(start["rate"])
        self._rings = SharedRings(Path(start["path"]), int(start["capacity"]), self._channels)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(("127.0.0.1", int(start["port"])))
        self._rings.remove_name()
        self.commands = commands
        self.plugin: Plugin = open_plugin(str(start["plugin"]))
        self.note = ""
        self._loaded_state = base64.b64decode(start["state"])
        if self._loaded_state:
            self.plugin.restore_state(self._loaded_state)
        for id, value in start["values"].items():
            self._set_first(id, value, bool(start["strict"]))
        self.plugin.prepare(self._rate, self._block, self._channels)  # after the values: latency may depend on them
        self._ids = [parameter.id for parameter in self.plugin.parameters]
        self._known = self._values()
        self._version = 0
        self._midi: list[tuple[int, bytes]] = []
        self._serials = np.zeros(len(self._ids), np.int64)
        self._edited, self._closed, self._saved, self._saved_at = False, False, b"", 0.0
        form = (self._rate, self._block, self._channels)
        self._first_latency = self.plugin.latency
        self._latency = LatencyWatch(str(start["plugin"]), form, self._first_latency, self._known)
        self._watches_latency = is_plugin_file(str(start["plugin"])) and not self.plugin.is_instrument and not start["strict"]

    def _set_first(self, id: str, value: float, strict: bool) -> None:
        """Set a saved value. One that this version of the plugin does not know is left out, unless ``strict``."""
        try:
            self.plugin.set(id, self.plugin.parameter(id).check(value))
        except StemplayError as error:
            if strict:
                raise
            self.note = f"A saved value was left out: {error}"

    def run(self) -> None:
        """Serve until the process is ended."""
        for index, id in enumerate(self._ids):
            self._rings.values[index] = self._known[id]
        self._write({
            "name": self.plugin.name, "instrument": self.plugin.is_instrument,
            "editor": self.plugin.has_editor, "latency": self.plugin.latency,
            "parameters": [p.to_json() for p in self.plugin.parameters], "values": self._known,
            "port": self._socket.getsockname()[1], "note": self.note or self.plugin.note,
        })  # fmt: skip
        threads = [(self._audio, "audio"), (self._watch, "watch")]
        if self._watches_latency:
            threads.append((self._follow_latency, "latency"))
        for target, name in threads:
            threading.Thread(target=target, name=name, daemon=True).start()
        while True:
            self._obey(self.commands.get())

    # -- audio ------------------------------------------------------------------------------------------------------------

    def _audio(self) -> None:
        try:
            self._work()
        except Exception:  # the engine quotes the last line
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    def _work(self) -> None:
        request_realtime(PRIORITY)
        audio = np.zeros((self._block, self._channels), np.float32)
        while True:
            word = b""
            with contextlib.suppress(OSError):  # the engine's end may be gone; then so will we be
                word = self._socket.recv(64)
            if not self._is_midi(word):
                self._serve(audio)

    def _is_midi(self, word: bytes) -> bool:
        """Keep a MIDI message for its block; False for a datagram that only wakes."""
        if word[:1] != MIDI:
            return False
        self._midi.append(unpack_midi(word))
        return True

    def _read_midi(self) -> None:
        """Read what waits in the socket. The messages of a block are sent before it is fed, but a block that is fed while the one before
        is computed is found without a datagram that wakes."""
        with contextlib.suppress(OSError):
            while select.select([self._socket], [], [], 0)[0]:
                self._is_midi(self._socket.recv(64))

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
            if self.plugin.is_instrument:
                self._read_midi()
                self._queue_midi(position, n)
            if not self.plugin.process(part):
                part.fill(0.0)
            if not np.isfinite(part).all():
                rings.trouble = NOT_FINITE
                part.fill(0.0)
            rings.answer(position, part)
            if rings.waiting:
                with contextlib.suppress(OSError):
                    self._socket.send(b"d")

    def _queue_midi(self, position: int, n: int) -> None:
        due = [(max(0, at - position), data) for at, data in self._midi if at < position + n]
        if due:
            self._midi = [(at, data) for at, data in self._midi if at >= position + n]
            self.plugin.queue_midi(due)

    def _take_values(self) -> None:
        if self._rings.version == self._version:
            return
        self._version = self._rings.version
        for index, value in self._rings.requests(self._serials):
            id = self._ids[index]
            self._known[id] = value
            self.plugin.set(id, value)

    # -- main -------------------------------------------------------------------------------------------------------------

    def _obey(self, command: dict[str, Any]) -> None:
        if command["op"] == "editor":
            self._edit()
        elif command["op"] == "save":
            self._write({"state": base64.b64encode(self.plugin.save_state()).decode()})
        elif command["op"] == "restore":
            error = ""
            try:
                self.plugin.restore_state(base64.b64decode(command["state"]))
            except StemplayError as failure:
                error = str(failure)
            self._write({"restored": error})

    def _edit(self) -> None:
        """Show the plugin's window until it is closed."""
        note = ""
        self._edited, self.commands.again = True, self.plugin.close_editor
        try:
            self.plugin.open_editor()
        except StemplayError as failure:
            note = str(failure)
        except Exception as failure:  # the sound continues if the window does not open
            note = f"{self.plugin.name} cannot show its own window: {str(failure).rstrip('.') or type(failure).__name__}."
        self.commands.again = None
        self._edited, self._closed = False, True
        self._write({"changed": {}, "note": note})

    def _watch(self) -> None:
        changed = 0.0
        while True:
            time.sleep(LOOK_S)
            with contextlib.suppress(Exception):  # the next look may go well
                self._rings.latency = self._reported()
                changed = self._look(changed)

    def _reported(self) -> int:
        """The plugin's latency: what it says, or if that is what it said when it was loaded, what the watch has found since."""
        said = self.plugin.latency
        return said if said != self._first_latency else self._latency.latency

    def _follow_latency(self) -> None:
        while True:
            time.sleep(LOOK_S)
            with contextlib.suppress(Exception):  # the next look may go well
                self._latency.look(dict(self._known), time.monotonic(), self._saved or self._loaded_state)

    def _look(self, changed: float) -> float:
        """Report what the plugin's own window changed. Returns the time of the change, 0 once the state is saved."""
        now, values = time.monotonic(), self._values()
        if self._closed:  # what was changed last is saved, too
            self._closed, changed = False, changed or now
        # What was set comes back in the plugin's own precision, of 32 bits; that is no change.
        news = {id: value for id, value in values.items() if np.float32(value) != np.float32(self._known[id])}
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


def _follow(commands: Commands) -> None:
    """Read commands; end with the engine, whatever a plugin is doing, also while it is loaded."""
    try:
        for line in sys.stdin:
            commands.put(json.loads(line))
    finally:
        remove_folders(os.getpid())
        os._exit(0)


def main() -> None:
    """Entry point."""
    faulthandler.enable()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of plugins must not mix with our lines
    keep_memory()
    start = json.loads(sys.stdin.readline())
    commands = Commands()
    threading.Thread(target=_follow, args=(commands,), name="commands", daemon=True).start()
    try:
        host = PluginHost(start, out, commands)
    except StemplayError as error:
        out.write(json.dumps({"error": str(error)}) + "\n")
        out.flush()
        os._exit(2)
    settle(int(start["block"]) / int(start["rate"]))
    host.run()


if __name__ == "__main__":
    main()

"""The engine's end of a plugin in a separate host process.

Sound goes through shared memory (``shared_rings.py``), one block late: while the callback plays the answer to the previous block, the
host processes this one. A datagram to a loopback socket wakes the host; sending it does not block on any system. Commands and reports
are lines of JSON on the host's standard input and output.

So a plugin that crashes, hangs or outputs NaN cannot harm the engine: ``process`` then has no answer, and the slot plays the dry sound.
For each host a thread, ``stemplay-plugin``, reads its reports and detects its end. A host that needs more than ``HANG_S`` for one
block is killed.
"""

from __future__ import annotations

import base64
import contextlib
import json
import queue
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, Any

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.shared_rings import MAX_PARAMETERS, NOT_FINITE, SharedRings, create_file, pack_midi
from rtaudio.plugins.state_folder import remove_folders
from rtaudio.protocol.insert_checks import is_plugin_file, split_plugin
from rtaudio.protocol.parameters import KEY, Parameter
from rtaudio.protocol.settings import InsertState
from rtaudio.system.child_process import child_environment

LOAD_S = 120.0
"""A plugin that is not loaded after so long is given up. Some load gigabytes of samples."""
MAX_LATENCY = 1 << 21
"""Frames; more than any rate needs for ten seconds."""
HANG_S = 1.0
"""A plugin that has not answered for so long is ended."""
OFFLINE_S = 30.0
"""The same where nothing plays in real time."""
ANSWER_S = 5.0
"""Seconds to wait for answers that do not concern the sound."""
LEAST_LAG_S = 0.0025
"""Shortest time, in seconds, in which two processes can exchange a block."""


class IsolatedPlugin(Plugin):
    """See the module's text.

    Args:
        state: which plugin, and what it is to be set to.
        realtime: False: ``process`` waits for the answer.
        saved: what ``save_state`` gave, to begin with.
        instrument: it is to be played by ``play``, and has to be an instrument; otherwise it has to be an effect.
    """

    def __init__(self, state: InsertState, realtime: bool, saved: bytes = b"", instrument: bool = False) -> None:
        self.is_instrument = instrument
        self._state, self._realtime, self._saved = state, realtime, saved
        self.name = Path(split_plugin(state.plugin)[0]).stem if is_plugin_file(state.plugin) else state.plugin
        self._loaded = False
        self.has_editor = False
        self._index: dict[str, int] = {}
        self._values: dict[str, float] = {}
        self._process: subprocess.Popen[str] | None = None
        self._rings: SharedRings | None = None
        self._replies: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._words: deque[str] = deque(maxlen=20)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._latency, self._lag, self._start = 0, 0, 0
        self._busy_since = 0.0
        self._closing = False
        self._changes: dict[str, float] = {}
        self._changed_state: bytes | None = None
        self._change_lock = threading.Lock()

    # -- life -------------------------------------------------------------------------------------------------------------

    def prepare(self, rate: int, block: int, channels: int) -> None:
        self._lag = 0 if self.is_instrument else block * max(1, -(-round(LEAST_LAG_S * rate) // block))
        self._silence = np.zeros((block, channels), np.float32)
        capacity = 8 * max(self._lag, block)
        path = create_file(capacity, channels)
        try:
            self._rings = SharedRings(path, capacity, channels)
            self._rings.waiting = self.is_instrument or not self._realtime
            self._spawn()
            self._say({
                "strict": not self._realtime, "state": base64.b64encode(self._saved).decode(),
                "plugin": self._state.plugin, "values": self._state.values, "rate": rate, "block": block,
                "channels": channels, "path": str(path), "capacity": capacity, "port": self._socket.getsockname()[1],
            })  # fmt: skip
            self._take_ready(self._reply(LOAD_S))
        except BaseException:
            self.close()
            raise
        self._rings.remove_name()

    def _spawn(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rtaudio.plugins.host"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", errors="replace", env=child_environment(),
        )  # fmt: skip
        for target, name in ((self._read, "plugin"), (self._listen, "plugin-stderr")):
            threading.Thread(target=target, args=(self._process,), name=f"stemplay-{name}", daemon=True).start()

    def _take_ready(self, reply: dict[str, Any]) -> None:
        if "error" in reply:
            raise StemplayError(str(reply["error"]))
        if bool(reply.get("instrument")) != self.is_instrument:
            kinds = ("an instrument", "an effect") if reply.get("instrument") else ("an effect", "an instrument")
            raise StemplayError(f"{reply.get('name')} is {kinds[0]}, not {kinds[1]}.")
        try:
            self.name, self.has_editor = str(reply["name"]), bool(reply["editor"])
            self.parameters = tuple(Parameter.from_json(x) for x in reply["parameters"][:MAX_PARAMETERS])
            self._values = {p.id: float(reply["values"][p.id]) for p in self.parameters}
            self._latency, self.note = int(reply["latency"]), str(reply.get("note", ""))
            if not 0 <= self._latency <= MAX_LATENCY:
                raise ValueError(f"it reports a latency of {self._latency} frames")
            self._socket.connect(("127.0.0.1", int(reply["port"])))
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, OSError) as error:
            raise StemplayError(f"The host of {self._state.plugin} does not answer sensibly: {error}.") from None
        self._loaded = True
        self._index = {p.id: i for i, p in enumerate(self.parameters)}
        self._socket.setblocking(False)
        assert self._rings is not None
        for id, index in self._index.items():
            self._rings.values[index] = self._values[id]

    def close(self) -> None:
        self._closing = True
        process = self._process
        if process is not None:
            with contextlib.suppress(OSError, ValueError):
                process.stdin.close()  # type: ignore[union-attr]
            try:
                process.wait(1.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5.0)
            remove_folders(process.pid)
        if self._rings is not None:
            self._rings.close()
        self._socket.close()

    # -- the audio callback -----------------------------------------------------------------------------------------------

    @property
    def latency(self) -> int:
        """The plugin's own latency, plus the block for the host's work."""
        return self._latency + self._lag

    @property
    def _and_now(self) -> str:
        """What happens to a strip without the plugin."""
        return " and is bypassed" if self._loaded and self._realtime else ""

    @property
    def reported_latency(self) -> int | None:
        rings = self._rings
        if rings is None or self.trouble or not rings.watched or rings.latency == self._latency:
            return None
        return rings.latency

    @property
    def tail_s(self) -> float:
        return 0.0 if self._state.plugin == KEY else 5.0  # plugins do not report it

    def process(self, audio: Audio) -> bool:
        rings = self._rings
        if rings is None or self.trouble:
            if not self._realtime:
                raise StemplayError(self.trouble)
            return False
        position = rings.fed
        rings.feed(audio)
        with contextlib.suppress(OSError):  # a full buffer has woken it already; a host that is gone is noticed elsewhere
            self._socket.send(b"b")
        wanted = position - self._lag
        if not self._realtime:
            self._wait(rings, wanted + len(audio))
        first = min(max(self._start - wanted, 0), len(audio))
        audio[:first] = 0.0  # silence before the beginning
        if first < len(audio) and not rings.fetch(wanted + first, audio[first:]):
            self._late()
            return False
        self._busy_since = 0.0
        if rings.trouble == NOT_FINITE:
            self.trouble = f"{self.name} gave samples that are not numbers and is bypassed."
            return False
        return True

    def play(self, audio: Audio, events: list[tuple[int, bytes]], patience: float) -> bool:
        """Fill ``audio`` ``(frames, channels)``, at most ``block`` frames, with what an instrument makes of MIDI ``events`` (offset and
        bytes). Waits for the answer, ``patience`` seconds at most, so it is not for the audio callback. Returns False if there is none.
        """
        rings = self._rings
        if rings is None or self.trouble:
            return False
        position, n = rings.fed, len(audio)
        for offset, data in events:
            with contextlib.suppress(OSError):
                self._socket.send(pack_midi(position + offset, data))
        rings.feed(self._silence[:n])
        with contextlib.suppress(OSError):
            self._socket.send(b"b")
        until = time.monotonic() + patience
        self._socket.settimeout(0.01)
        while not rings.fetch(position, audio):
            if self.trouble or time.monotonic() > until:
                self._late()
                return False
            with contextlib.suppress(OSError):
                self._socket.recv(16)
        self._busy_since = 0.0
        if rings.trouble == NOT_FINITE:
            self.trouble = f"{self.name} gave samples that are not numbers and is silent."
            return False
        return True

    def _late(self) -> None:
        now = time.monotonic()
        self._busy_since = self._busy_since or now
        if now - self._busy_since > HANG_S:
            self._give_up(f"{self.name} did not answer for {HANG_S:g} s and was ended{self._and_now.replace(' and', ', and')}.")

    def _wait(self, rings: SharedRings, position: int) -> None:
        """Wait, when not in real time, until the host has reached ``position`` or is gone."""
        self._socket.settimeout(0.05)
        until, done = time.monotonic() + OFFLINE_S, rings.done
        while rings.seen != rings.epoch or rings.done < position:
            if rings.done != done:
                until, done = time.monotonic() + OFFLINE_S, rings.done
            if time.monotonic() > until:
                self._give_up(f"{self.name} did not answer for {OFFLINE_S:g} s and was ended.")
            if self.trouble:
                raise StemplayError(self.trouble)
            with contextlib.suppress(OSError):
                self._socket.recv(16)

    def reset(self) -> None:
        if self._rings is not None:
            self._start = self._rings.fed
            self._rings.forget()
        self._busy_since = 0.0

    # -- parameters, state, editor ----------------------------------------------------------------------------------------

    def set(self, id: str, value: float) -> None:
        self._values[id] = self.parameter(id).check(value)
        if self._rings is not None:
            self._rings.set_value(self._index[id], self._values[id])
            with contextlib.suppress(OSError):
                self._socket.send(b"p")

    def get(self, id: str) -> float:
        self.parameter(id)
        return self._values[id]

    def save_state(self) -> bytes:
        """The plugin's saved state. Raises StemplayError if it does not answer."""
        self._say({"op": "save"})
        return base64.b64decode(self._reply(ANSWER_S, "state").get("state", ""))

    def restore_state(self, state: bytes) -> None:
        self._say({"op": "restore", "state": base64.b64encode(state).decode()})
        reply = self._reply(ANSWER_S, "restored")
        if reply["restored"]:
            raise StemplayError(str(reply["restored"]))

    def take_changes(self) -> tuple[dict[str, float], bytes | None]:
        with self._change_lock:
            changes, self._changes = self._changes, {}
            state, self._changed_state = self._changed_state, None
        return changes, state

    def open_editor(self) -> None:
        if self.trouble or not self.has_editor:
            raise StemplayError(self.trouble or f"{self.name} has no window of its own here.")
        self._say({"op": "editor"})

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise StemplayError(self.trouble or f"The host of {self.name} has ended.") from None

    def _reply(self, seconds: float, key: str = "") -> dict[str, Any]:
        """The next answer of the host that has ``key``. Raises StemplayError if none comes."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                reply = self._replies.get(timeout=left)
            except queue.Empty:
                break
            if not key or key in reply:
                return reply
            if "gone" in reply:
                raise StemplayError(str(reply["gone"]))
        if not key:
            self._give_up(f"{self.name} could not be loaded within {seconds:g} s.")
        raise StemplayError(self.trouble or f"{self.name} did not answer within {seconds:g} s.")

    # -- the thread that listens ------------------------------------------------------------------------------------------

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                message = json.loads(line)
                if "changed" in message:
                    self._take_change(message)
                elif isinstance(message, dict):
                    self._replies.put(message)
            except (ValueError, TypeError, AttributeError, StemplayError):
                continue
        process.stdout.close()
        status = process.wait()
        if not self._closing:
            self.trouble = self.trouble or f"{self.name} {_end(status, self._words)}{self._and_now}."
            self._replies.put({"error": self.trouble, "gone": self.trouble})

    def _take_change(self, message: dict[str, Any]) -> None:
        """Take over a change by the plugin's own window. Raises ValueError, TypeError or AttributeError if it is invalid."""
        self.note = str(message.get("note", self.note))
        known = {p.id: p for p in self.parameters}
        news = {str(id): known[id].check(x) for id, x in message["changed"].items() if id in known}
        state = base64.b64decode(message["saved"]) if "saved" in message else None
        with self._change_lock:
            self._values.update(news)
            self._changes.update(news)
            if state is not None:
                self._changed_state = state

    def _listen(self, process: subprocess.Popen[str]) -> None:
        stream: IO[str] | None = process.stderr
        assert stream is not None
        with stream:
            for line in stream:
                self._words.append(line.strip())

    def _give_up(self, sentence: str) -> None:
        """Kill the host. The audio callback may call it, as it only sends a signal and does not wait."""
        self.trouble = self.trouble or sentence
        if self._process is not None:
            self._process.kill()


def _end(status: int, words: deque[str]) -> str:
    """How a process ended, as text."""
    if status < 0:
        import signal

        with contextlib.suppress(ValueError):
            return f"crashed ({signal.Signals(-status).name})"
    said = next((word for word in reversed(words) if word), "")
    return f"ended{f' ({said[:120]})' if said else ''}"

"""MIDI inputs of this machine through mido and python-rtmidi: found by name, opened, and reopened after they were unplugged.

This runs in a process of its own (``rtaudio.midi.host``). python-rtmidi holds Python's global lock while it waits for a JACK server, the
server may wait for the engine's audio callback, and the callback would wait for the lock. For the same reason a JACK port is polled and
never calls Python from JACK's thread.

Linux has two MIDI systems, the ALSA sequencer and JACK; both are used. ``STEMPLAY_MIDI_BACKEND`` chooses one (``LINUX_ALSA``,
``UNIX_JACK``, ``MACOSX_CORE``, ``WINDOWS_MM``) or ``none``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.midi.held_notes import HeldNotes
from rtaudio.midi.message import MidiMessage, MidiParser

POLL_S = 0.5
"""Seconds between two checks of the list of ports."""

LIST_TIMEOUT = 10.0
VIRTUAL_NAME = "stemplay"
WORDS = ("default", "none", "virtual")

MESSAGE_S = 0.001
"""Seconds between two polls of a JACK port."""

Name = tuple[str, str]
"""API and port name."""


def backends() -> tuple[str, ...]:
    """RtMidi APIs to use, the most common first."""
    chosen = os.environ.get("STEMPLAY_MIDI_BACKEND", "")
    if chosen:
        return () if chosen == "none" else (chosen,)
    if sys.platform == "darwin":
        return ("MACOSX_CORE",)
    if sys.platform == "win32":
        return ("WINDOWS_MM",)
    return ("LINUX_ALSA", "UNIX_JACK") if os.path.exists("/dev/snd/seq") else ("UNIX_JACK",)


def stable_name(name: str) -> str:
    """A port's name without the numbers that ALSA and Windows change each time it is plugged in."""
    return re.sub(r"( \d+:\d+| \d+)$", "", name).strip()


class PortList:
    """Lists the inputs. It keeps one client per API open, because opening one for every check disturbs a JACK server."""

    def __init__(self, apis: Sequence[str] | None = None) -> None:
        self.apis = tuple(backends() if apis is None else apis)
        self._clients: dict[str, Any] = {}

    def names(self) -> list[Name]:
        """The present inputs without our own; empty if MIDI does not work."""
        found: list[Name] = []
        for api in self.apis:
            if api == "UNIX_JACK" and sys.platform == "linux" and not jack_may_run():
                self._drop(api)
                continue
            try:
                ports = self._client(api).get_ports()
            except Exception:  # RtMidi raises several kinds of errors; a server that died gets a new client next time
                self._drop(api)
                continue
            found += [(api, str(name)) for name in ports if not _ours(str(name))]
        return found

    def close(self) -> None:
        """Close the clients."""
        for api in list(self._clients):
            self._drop(api)

    def _client(self, api: str) -> Any:
        if api not in self._clients:
            self._clients[api] = self._open_client(api)
        return self._clients[api]

    def _open_client(self, api: str) -> Any:
        import rtmidi

        return rtmidi.MidiIn(rtapi=getattr(rtmidi, f"API_{api}"), name="stemplay-ports")

    def _drop(self, api: str) -> None:
        client = self._clients.pop(api, None)
        if client is not None:
            with contextlib.suppress(Exception):
                client.delete()


def _ours(name: str) -> bool:
    return "Midi Through" in name or name.startswith(("RtMidi Input", "RtMidiIn", "RtMidi Output", "RtMidiOut", "stemplay"))


def list_inputs() -> list[str]:
    """Names of the MIDI inputs of this machine. A child process lists them, because drivers write to standard error and may hang."""
    return ask_child("rtaudio.midi.ports", "inputs")


def ask_child(module: str, what: str) -> list[str]:
    """Names of the ports that a child process lists. Raises StemplayError if a driver hangs."""
    from rtaudio.system.child_process import child_environment

    try:
        child = subprocess.run(
            [sys.executable, "-m", module],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=LIST_TIMEOUT, env=child_environment(), check=False,
        )  # fmt: skip
        return [str(name) for name in json.loads(child.stdout)]
    except subprocess.TimeoutExpired:
        raise StemplayError(f"A MIDI driver did not respond when it was asked for its {what}.") from None
    except ValueError:
        return []


def jack_may_run() -> bool:
    """Whether files of a JACK server (jackd or PipeWire) exist. Without a server, libjack prints an error at each attempt to connect."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")) if sys.platform != "win32" else None
    memory = Path("/dev/shm")
    return (
        (runtime is not None and (runtime / "pipewire-0").exists())
        or any(memory.glob("jack_*"))
        or any(path.is_dir() for path in memory.glob("jack-*"))
    )


def find_input(wanted: str, names: Sequence[str], what: str = "MIDI input") -> str:
    """The port whose name is ``wanted``, or the only one that contains it (ignoring case). Raises StemplayError if there is none."""
    alike = [name for name in names if name == wanted or stable_name(name) == stable_name(wanted)]
    alike = alike or [name for name in names if wanted.lower() in name.lower()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise StemplayError(f"{wanted!r} matches several {what}s: {', '.join(alike)}.")
    there = f"there are {', '.join(names)}" if names else "there are none here"
    raise StemplayError(f"There is no {what} {wanted!r}; {there}.")


class Opened:
    """An open port. JACK ports deliver their messages in ``poll``; ports of other APIs call ``receive`` by themselves."""

    def __init__(self, name: Name, receive: Callable[[MidiMessage], None], virtual: bool = False) -> None:
        self.name, self._receive, self._parser, self._held = name, receive, MidiParser(), HeldNotes()
        api, port = name
        self.polled = api == "UNIX_JACK"
        self._port: Any = self._open_polled(port, virtual) if self.polled else self._open_calling(api, port, virtual)

    def _open_polled(self, port: str, virtual: bool) -> Any:
        import rtmidi

        opened = rtmidi.MidiIn(rtapi=rtmidi.API_UNIX_JACK, name=VIRTUAL_NAME, queue_size_limit=8192)
        opened.ignore_types(True, True, True)  # system exclusive, clock and active sensing
        if virtual:
            opened.open_virtual_port("midi_in")
        else:
            opened.open_port(opened.get_ports().index(port), name="midi_in")
        return opened

    def _open_calling(self, api: str, port: str, virtual: bool) -> Any:
        import mido

        options = (
            {"client_name": VIRTUAL_NAME, "virtual": True} if virtual else {}
        )  # mido opens a virtual port if only a client name is given
        return mido.Backend(f"mido.backends.rtmidi/{api}").open_input(port, callback=self._called, **options)

    def _called(self, message: Any) -> None:
        self._take(message.bytes())

    def poll(self) -> None:
        """Deliver waiting messages."""
        while (found := self._port.get_message()) is not None:
            self._take(found[0])

    def _take(self, data: Sequence[int]) -> None:
        now = time.monotonic()  # mido drops the driver's timestamp, and RtMidi on JACK has none within a period
        for message in self._parser.feed(data, now):
            self._held.take(message)
            self._receive(message)

    def end(self) -> None:
        """Release the notes, pedals and wheels that this port holds, and none of other inputs. Call it after ``close``."""
        for data in self._held.endings():
            self._take(data)

    def close(self) -> None:
        """Close the port, ignoring errors of a port that has vanished."""
        with contextlib.suppress(Exception):
            (self._port.close_port if self.polled else self._port.close)()
        if self.polled:
            with contextlib.suppress(Exception):
                self._port.delete()


class OpenPorts:
    """The open inputs, updated when devices are plugged in or unplugged.

    Args:
        choice: ``default`` (all inputs), ``virtual`` (a port of our own that others connect to) or a port's name.
        receive: gets each message, and messages that end the notes of a port that vanishes.
        apis: RtMidi APIs; None: those of ``backends``.
    """

    def __init__(self, choice: str, receive: Callable[[MidiMessage], None], apis: Sequence[str] | None = None) -> None:
        self.choice, self._receive = choice, receive
        self._list = PortList(apis)
        self._open: dict[Name, Opened] = {}
        self._refused: dict[Name, str] = {}
        self.trouble = ""

    @property
    def names(self) -> list[str]:
        """Names of the inputs that are open."""
        return [name for _, name in self._open]

    @property
    def polled(self) -> bool:
        """Whether any port must be polled."""
        return any(port.polled for port in self._open.values())

    def poll(self) -> None:
        """Deliver the messages of ports that must be polled."""
        for port in self._open.values():
            if port.polled:
                port.poll()

    def look(self) -> None:
        """Open new inputs; close inputs that have gone, and end their notes."""
        if self.choice == "virtual":
            if not self._open:
                self._open_virtual()
            return
        there = self._list.names()
        for name in [name for name in self._open if name not in there]:
            port = self._open.pop(name)
            port.close()
            port.end()
        for name in self._wanted(there):
            if name not in self._open:
                self._acquire(name)

    def close(self) -> None:
        """Close everything."""
        for port in self._open.values():
            port.close()
        self._open.clear()
        self._list.close()

    def _wanted(self, there: list[Name]) -> list[Name]:
        if self.choice == "default":
            return there
        try:
            found = find_input(self.choice, [name for _, name in there])
        except StemplayError:
            return []
        return [name for name in there if name[1] == found][:1]

    def _acquire(self, name: Name) -> None:
        try:
            self._open[name] = Opened(name, self._receive)
            self._refused.pop(name, None)
            self.trouble = ""
        except Exception as error:  # in use by another program (Windows), or already unplugged
            if name not in self._refused:
                self._refused[name] = str(error)
                self.trouble = f"The MIDI input {name[1]} cannot be opened: {str(error).rstrip('.')}."

    def _open_virtual(self) -> None:
        if not self._list.apis or sys.platform == "win32":
            self.trouble = "This system has no virtual MIDI ports."
            return
        name = (self._list.apis[0], VIRTUAL_NAME)
        self._open[name] = Opened(name, self._receive, virtual=True)


def end_notes() -> list[MidiMessage]:
    """Messages that end all notes after the listening process has died: pedals up, wheels centred, all notes off, on every channel."""
    now = time.monotonic()
    return [MidiMessage("control", channel, control, 0, now) for channel in range(16) for control in (64, 66, 123, 121)]


def main() -> None:
    """The child process of ``list_inputs``."""
    print_names(PortList())


def print_names(ports: PortList) -> None:
    """Print the names of a list as JSON, and close it."""
    try:
        print(json.dumps([name for _, name in ports.names()]), flush=True)
    finally:
        ports.close()  # a client that just vanishes can block a JACK server for up to a minute


if __name__ == "__main__":
    main()

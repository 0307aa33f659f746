"""MIDI outputs of this machine through python-rtmidi, opened by name and again after they were unplugged. See ``rtaudio.midi.ports``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.midi.ports import VIRTUAL_NAME, Name, PortList, find_input


class OutputList(PortList):
    """Lists the outputs."""

    def _open_client(self, api: str) -> Any:
        import rtmidi

        return rtmidi.MidiOut(rtapi=getattr(rtmidi, f"API_{api}"), name="stemplay-ports")


class OutputPorts:
    """The open outputs.

    Args:
        choice: ``default`` (all outputs), ``virtual`` (a port of our own that others connect to) or a port's name.
    """

    def __init__(self, choice: str, apis: Sequence[str] | None = None) -> None:
        self.choice = choice
        self._list = OutputList(apis)
        self._open: dict[Name, Any] = {}
        self.trouble = ""

    @property
    def names(self) -> list[str]:
        """Names of the outputs that are open."""
        return [name for _, name in self._open]

    def send(self, data: Sequence[int]) -> None:
        """Send a message to all; an output that fails is closed, and opened again if it comes back."""
        for name, port in list(self._open.items()):
            try:
                port.send_message(data)
            except Exception:  # RtMidi raises several kinds of errors
                self._close(self._open.pop(name))

    def look(self) -> None:
        """Open new outputs; close outputs that have gone."""
        if self.choice == "virtual":
            if not self._open:
                self._open_virtual()
            return
        there = self._list.names()
        for name in [name for name in self._open if name not in there]:
            self._close(self._open.pop(name))
        for name in self._wanted(there):
            if name not in self._open:
                self._acquire(name)

    def close(self) -> None:
        """Close everything."""
        for port in self._open.values():
            self._close(port)
        self._open.clear()
        self._list.close()

    @staticmethod
    def _close(port: Any) -> None:
        with contextlib.suppress(Exception):
            port.close_port()
        with contextlib.suppress(Exception):
            port.delete()

    def _wanted(self, there: list[Name]) -> list[Name]:
        if self.choice == "default":
            return there
        try:
            found = find_input(self.choice, [name for _, name in there], "MIDI output")
        except StemplayError:
            return []
        return [name for name in there if name[1] == found][:1]

    def _make(self, api: str) -> Any:
        import rtmidi

        return rtmidi.MidiOut(rtapi=getattr(rtmidi, f"API_{api}"), name=VIRTUAL_NAME)

    def _acquire(self, name: Name) -> None:
        try:
            port = self._make(name[0])
            port.open_port(port.get_ports().index(name[1]), name="midi_out")
        except Exception as error:  # in use by another program (Windows), or already unplugged
            self.trouble = f"The MIDI output {name[1]} cannot be opened: {str(error).rstrip('.')}."
            return
        self._open[name] = port
        self.trouble = ""

    def _open_virtual(self) -> None:
        if not self._list.apis or sys.platform == "win32":
            self.trouble = "This system has no virtual MIDI ports."
            return
        port = self._make(self._list.apis[0])
        port.open_virtual_port("midi_out")
        self._open[(self._list.apis[0], VIRTUAL_NAME)] = port


def list_outputs() -> list[str]:
    """Names of the MIDI outputs of this machine, listed by a child process as the inputs are."""
    from rtaudio.midi.ports import ask_child

    return ask_child("rtaudio.midi.output_ports", "outputs")


if __name__ == "__main__":
    from rtaudio.midi.ports import print_names

    print_names(OutputList())

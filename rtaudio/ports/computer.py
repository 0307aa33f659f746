"""What other programs of this computer play, as an input: ``--input computer``.

- Linux with JACK, or PipeWire and its JACK library: a child process, ``python -m rtaudio.ports.computer CLIENT``, connects the outputs of
  other clients that lead to the loudspeakers to our inputs too, and follows as programs come and go. While our own output is heard it takes
  their way to the loudspeakers away, for they would be heard twice; it gives it back in the end.
- Windows: the device ``[Loopback]`` of the loudspeakers, where PortAudio lists one, which it does with WASAPI from its next release on.
- macOS: a virtual cable, which others have written.

The child process is apart because it waits for the server, and so that it gives back what it took even if the engine is killed.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from typing import IO, Any, cast

from rtaudio.ports.base import DeviceMissingError
from rtaudio.ports.devices import Device

CABLES = ("blackhole", "loopback", "soundflower", "vb-cable", "cable output")
HOW = {
    "linux": "it needs a JACK server, or PipeWire with its JACK library (start Stemplay with pw-jack), and a program that plays there",
    "darwin": "it needs a virtual cable: install BlackHole, and choose it as the output in the system's sound settings",
    "win32": "it needs a device called Stereo Mix (Windows' sound settings, recording) or a virtual cable such as VB-CABLE",
}
LOOK_S = 0.25
GRACE_S = 3.0


def computer_device(devices: list[Device], system: str = sys.platform) -> Device:
    """The input device through which other programs are heard. Raises DeviceMissingError, and says what is needed."""
    usable = [device for device in devices if device.inputs > 0]
    found: list[Device] = []
    if system == "win32":
        heard = [device.name for device in devices if device.default_output] + [device.name for device in devices if device.outputs]
        loops = {device.name: device for device in usable if device.name.endswith("[Loopback]")}
        found = [loops[f"{name} [Loopback]"] for name in heard if f"{name} [Loopback]" in loops] + list(loops.values())
        found += [device for device in usable if "stereo mix" in device.name.casefold()]
    elif system != "darwin":
        found = [device for device in usable if "JACK" in device.host_api]
        found.sort(key=lambda device: device.name != "system")
        found += [device for device in usable if device.name.startswith("Monitor of")]
    if not found and system in ("darwin", "win32"):
        found = [device for device in usable if any(name in device.name.casefold() for name in CABLES)]
    if not found:
        raise DeviceMissingError(f"What this computer plays cannot be heard here: {HOW.get(system, HOW['linux'])}.")
    return found[0]


class Follower:
    """The child process that connects other programs to our inputs.

    Args:
        client: our own name on the JACK server.
    """

    def __init__(self, client: str) -> None:
        from rtaudio.system.child_process import child_environment

        self._lock = threading.Lock()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "rtaudio.ports.computer", client],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, env=child_environment(),
        )  # fmt: skip

    def monitoring(self, on: bool) -> None:
        """Take the way of other programs to the loudspeakers away, or give it back."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            pipe = cast(IO[str], self._child.stdin)
            pipe.write("take\n" if on else "give\n")
            pipe.flush()

    def stop(self) -> None:
        """Give everything back. Waits for it, some seconds at most."""
        with contextlib.suppress(OSError, ValueError):
            cast(IO[str], self._child.stdin).close()
        try:
            self._child.wait(GRACE_S)
        except subprocess.TimeoutExpired:  # the server is dead
            self._child.kill()
            self._child.wait()


class Wiring:
    """The connections between other clients, the loudspeakers and us.

    Args:
        client: a ``jack.Client``. ``ours``: the name of the client whose inputs are connected.
    """

    def __init__(self, client: Any, ours: str) -> None:
        self._client, self._ours = client, ours
        self._taken: dict[tuple[str, str], int] = {}
        self.taking = False

    def look(self) -> None:
        """Connect what plays now."""
        inputs = self._ports(f"{self._ours}:in_", is_input=True)
        if not inputs:
            return
        there = {port.name for port in self._client.get_ports(is_output=True)}
        self._taken = {pair: channel for pair, channel in self._taken.items() if pair[0] in there}
        playing = self._playing()
        for port in inputs:
            number = int(port.name.rpartition("_")[2])
            wanted = {source for (source, _), channel in {**self._taken, **playing}.items() if channel % len(inputs) == number}
            now = {source.name for source in self._client.get_all_connections(port)}
            for source in now - wanted:
                self._try(self._client.disconnect, source, port.name)
            for source in wanted - now:
                self._try(self._client.connect, source, port.name)
        if self.taking:
            for source, target in playing:
                self._try(self._client.disconnect, source, target)
            self._taken |= playing

    def give_back(self) -> None:
        """Restore the ways to the loudspeakers that were taken away."""
        for source, target in self._taken:
            self._try(self._client.connect, source, target)
        self._taken.clear()

    def _playing(self) -> dict[tuple[str, str], int]:
        """Output of another client, and the loudspeaker's port to which it leads -> the channel of that."""
        found = {}
        counts: dict[str, int] = {}
        for target in self._client.get_ports(is_audio=True, is_input=True, is_physical=True):
            device = target.name.partition(":")[0]
            channel = counts[device] = counts.get(device, -1) + 1
            for source in self._client.get_all_connections(target):
                if source.name.partition(":")[0] != self._ours:
                    found[source.name, target.name] = channel
        return found

    def _ports(self, start: str, **kind: bool) -> list[Any]:
        return [port for port in self._client.get_ports(is_audio=True, **kind) if port.name.startswith(start)]

    @staticmethod
    def _try(act: Any, source: str, target: str) -> None:
        with contextlib.suppress(Exception):  # one of them has gone meanwhile, or it is connected already
            act(source, target)


def main() -> None:
    """The child process: follow until standard input ends."""
    import jack

    client = jack.Client("stemplay-follower", no_start_server=True)
    client.activate()
    wiring, ending, lock = Wiring(client, sys.argv[1]), threading.Event(), threading.Lock()

    def read() -> None:
        for line in sys.stdin:
            with lock:
                wiring.taking = line.strip() == "take"
                if not wiring.taking:
                    wiring.give_back()
        ending.set()

    threading.Thread(target=read, name="parent", daemon=True).start()
    while not ending.wait(LOOK_S):
        with lock:
            wiring.look()
    wiring.give_back()
    client.deactivate()
    client.close()


if __name__ == "__main__":
    main()

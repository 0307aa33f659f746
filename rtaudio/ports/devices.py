"""Lists the sound devices. PortAudio's list does not change after its library has started, so a new child process makes each list.

``python -m rtaudio.ports.devices`` is this child process; it prints the list as JSON. A new engine process calls ``query_here`` directly.
 ``list_devices`` blocks for about half a second.
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass

from rtaudio.audio.format import StemplayError
from rtaudio.ports.base import DeviceMissingError

LIST_TIMEOUT = 15.0
"""Timeout in seconds, in case a driver hangs."""

DEFAULT_NAMES = ("default", "none", "null")
"""Values that ``--input`` and ``--output`` accept besides devices and files."""


@dataclass(frozen=True)
class Device:
    """An entry of PortAudio's list. Choose it by ``host_api`` and ``name``, because the index changes from list to list.

    ``inputs`` and ``outputs`` are numbers of channels; ``rate`` is the device's default rate in Hz.
    """

    index: int
    host_api: str
    name: str
    inputs: int
    outputs: int
    rate: float
    default_input: bool = False
    default_output: bool = False

    @property
    def label(self) -> str:
        """``HOSTAPI:NAME``, as ``--input`` and ``--output`` accept it."""
        return f"{short_api(self.host_api)}:{self.name}"


def short_api(host_api: str) -> str:
    """PortAudio's long names as one word: ``JACK Audio Connection Kit`` -> ``JACK``, ``Windows WASAPI`` -> ``WASAPI``."""
    words = [word for word in host_api.split() if word not in ("Windows", "Core")]
    return words[0] if words else host_api


def portaudio_hint() -> str:
    """The command that installs the PortAudio library on this system."""
    if sys.platform == "darwin":
        return "brew install portaudio"
    if sys.platform == "win32":
        return "pip install --force-reinstall sounddevice"
    return "sudo apt-get install libportaudio2 (or: sudo dnf install portaudio)"


def query_here() -> list[Device]:
    """PortAudio's list in this process, as it was when the library started. Raises DeviceMissingError if there is no PortAudio."""
    try:
        import sounddevice as sd
    except (OSError, ImportError) as error:
        raise DeviceMissingError(
            f"The PortAudio library cannot be loaded ({error}); install it with: {portaudio_hint()}"
        ) from None
    apis = sd.query_hostapis()
    found = []
    for index, entry in enumerate(sd.query_devices()):
        api = apis[entry["hostapi"]]
        found.append(
            Device(
                index, api["name"], entry["name"], entry["max_input_channels"], entry["max_output_channels"],
                float(entry["default_samplerate"]),
                api["default_input_device"] == index, api["default_output_device"] == index,
            )
        )  # fmt: skip
    return found


def list_devices(timeout: float = LIST_TIMEOUT) -> list[Device]:
    """The present devices, listed by a short-lived child process.

    Raises:
        DeviceMissingError: PortAudio is missing.
        StemplayError: the child crashed or hung in a driver.
    """
    from rtaudio.system.child_process import child_environment

    try:
        child = subprocess.run(
            [sys.executable, "-m", "rtaudio.ports.devices"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, env=child_environment(), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise StemplayError(
            f"An audio driver did not respond within {timeout:g} s when it was asked for its devices."
        ) from None
    try:
        answer = json.loads(child.stdout)
    except ValueError:
        words = child.stderr.decode(errors="replace").strip().splitlines()
        why = words[-1] if words else f"the audio library ended with status {child.returncode}"
        raise StemplayError(f"The devices could not be listed: {why}.") from None
    if "error" in answer:
        raise DeviceMissingError(answer["error"])
    return [Device(**entry) for entry in answer["devices"]]


def find_device(text: str, devices: list[Device], *, output: bool) -> Device:
    """Find a device by index, ``HOSTAPI:NAME`` or name (whole, or a part that only one device has).

    Raises DeviceMissingError with the most similar names.
    """
    usable = [d for d in devices if (d.outputs if output else d.inputs) > 0]
    if text.isdigit():
        chosen = [d for d in usable if d.index == int(text)]
    else:
        wanted = text.casefold()
        names = {d.index: [x.casefold() for x in (d.name, d.label, f"{d.host_api}:{d.name}")] for d in usable}
        chosen = [d for d in usable if wanted in names[d.index]]
        chosen = chosen or [d for d in usable if any(wanted in name for name in names[d.index])]
        if len(chosen) > 1:
            chosen = [d for d in chosen if d.default_output or d.default_input] or chosen
    if chosen:
        return chosen[0]
    kind = "output" if output else "input"
    raise DeviceMissingError(f"There is no {kind} device {text!r}; {near_names(text, usable, kind)}")


def near_names(text: str, devices: list[Device], kind: str) -> str:
    """The second half of a sentence: the devices most similar to ``text``."""
    labels = [d.label for d in devices]
    if not labels:
        return f"no {kind} device is present."
    by_name = {d.name.casefold(): d.label for d in devices} | {label.casefold(): label for label in labels}
    near = [by_name[x] for x in difflib.get_close_matches(text.casefold(), by_name, n=4, cutoff=0.4)]
    names = list(dict.fromkeys(near)) or labels[:6]
    return f"{'near it' if near else 'present'}: {', '.join(names)}."


def default_device(devices: list[Device], *, output: bool) -> Device | None:
    """The system's default sound card, else the first JACK device, else None."""
    usable = [d for d in devices if (d.outputs if output else d.inputs) > 0]
    preferred = [d for d in usable if d.default_output] if output else [d for d in usable if d.default_input]
    cards = [d for d in preferred if "JACK" not in d.host_api]
    servers = [d for d in usable if "JACK" in d.host_api]
    servers.sort(key=lambda d: (d.name != "system", not (d.default_output if output else d.default_input)))
    return next(iter(cards + servers), None)


def release_portaudio(limit: float = 2.0) -> None:
    """Disconnect from audio servers before the process ends, because a client that just vanishes can block a JACK server for seconds.

    Disconnecting hangs if the server is dead, so it runs in a thread of its own (*goodbye*) for at most ``limit`` seconds.
    """
    sounddevice = sys.modules.get("sounddevice")
    if sounddevice is not None:
        thread = threading.Thread(target=sounddevice._terminate, name="goodbye", daemon=True)
        thread.start()
        thread.join(limit)


def main() -> None:
    """Print the list as JSON on the original standard output. The output of drivers goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        answer: dict[str, object] = {"devices": [asdict(d) for d in query_here()]}
    except StemplayError as error:
        answer = {"error": str(error)}
    answers.write(json.dumps(answer))
    answers.flush()
    release_portaudio()
    os._exit(0)


if __name__ == "__main__":
    main()

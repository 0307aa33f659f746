"""Sound cards and sound servers through PortAudio (``sounddevice``): ALSA, JACK, PulseAudio, CoreAudio, WASAPI, ASIO and the rest.

The callback runs in a thread of the host's. When the server behind a stream dies, ``stop`` and ``close`` may hang for ever: an
engine lives in a process of its own for that reason.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import difflib
import math
from typing import Any

import numpy as np

from rtaudio.format import StemplayError
from rtaudio.ports.base import VARYING_BLOCK, Callback, DeviceMissingError, Port
from rtaudio.ports.drift import ClockBridge
from rtaudio.realtime import request_realtime

INSTALL = (
    "The PortAudio library is not installed: 'sudo apt-get install libportaudio2' (Debian, Ubuntu) or "
    "'sudo dnf install portaudio' (Fedora) brings it; on macOS and Windows it comes with the Python package sounddevice."
)
CALLBACK_PRIORITY = 60
"""As a clock's; JACK gives its clients a higher one, which is kept."""
PLAUSIBLE_LATENCY_S = 5.0
"""Hosts report garbage when nothing is wired."""


def load_portaudio(client_name: str = "stemplay") -> Any:
    """The ``sounddevice`` module, its JACK client name set before PortAudio initialises. Raises StemplayError without the library."""
    library = ctypes.util.find_library("portaudio")
    if library is not None:
        try:
            setter = ctypes.CDLL(library).PaJack_SetClientName
        except (OSError, AttributeError):
            pass  # a PortAudio without JACK
        else:
            load_portaudio.name = name = ctypes.create_string_buffer(client_name.encode())  # type: ignore[attr-defined]
            setter.argtypes = [ctypes.c_char_p]
            setter(name)  # PortAudio keeps the pointer, so the buffer must live
    try:
        import sounddevice
    except OSError:
        raise StemplayError(INSTALL) from None
    return sounddevice


def device_label(device: dict[str, Any], hostapis: Any) -> str:
    """``HOSTAPI:NAME``, the name that finds a device again; indices change from day to day."""
    return f"{hostapis[device['hostapi']]['name']}:{device['name']}"


def find_device(sounddevice: Any, wanted: str, kind: str) -> int:
    """Index of the device that ``wanted`` means.

    Args:
        wanted: an index, ``HOSTAPI:NAME``, a name or a part of one (case does not matter), or ``default``.
        kind: ``input`` or ``output``; only devices with such channels count.

    Raises:
        DeviceMissingError: there is none; the sentence lists what is near.
    """
    devices, hostapis = sounddevice.query_devices(), sounddevice.query_hostapis()
    usable = [i for i, d in enumerate(devices) if d[f"max_{kind}_channels"] > 0]
    if wanted == "default":
        default = sounddevice.default.device[kind == "output"]
        if default in usable:
            return int(default)
        if usable:
            return usable[0]
        raise DeviceMissingError(f"There is no {kind} device.")
    if wanted.isdigit():
        if int(wanted) in usable:
            return int(wanted)
        raise DeviceMissingError(f"There is no {kind} device with index {wanted}.")
    labels = {i: device_label(devices[i], hostapis) for i in usable}
    text = wanted.lower()
    tests = (
        lambda i: labels[i].lower() == text,
        lambda i: devices[i]["name"].lower() == text,
        lambda i: text in labels[i].lower(),
    )
    for test in tests:
        matches = [i for i in usable if test(i)]
        if matches:
            return matches[0]
    near = difflib.get_close_matches(wanted, list(labels.values()), 3, 0.3) or list(labels.values())[:3]
    raise DeviceMissingError(f"There is no {kind} device {wanted!r}; present: {', '.join(near) or 'none'}.")


class PortAudioPort(Port):
    """A duplex stream, an output alone, or an input and an output that have no common clock.

    Two different devices have two clocks (but for JACK's, which all follow its server): then the output is the master, and the
    input comes through a ``ClockBridge``.

    Args:
        output: device as for ``find_device``.
        input: the same, or None for an output-only port (a song plays).
        rate: Hz, None for the output device's own.
        block: frames a callback, 0 lets the host choose.
        in_channels: how many to open at least (two where the device has them); likewise ``out_channels``.
        bridged: whether input and output have different clocks; None: decide by the devices.

    Raises:
        DeviceMissingError: the device or its server is not there.
        StemplayError: PortAudio is missing, or the device refuses the rate or the channels.
    """

    def __init__(
        self,
        output: str = "default",
        input: str | None = None,
        rate: int | None = None,
        block: int = 256,
        *,
        in_channels: int = 2,
        out_channels: int = 2,
        client_name: str = "stemplay",
        bridged: bool | None = None,
    ) -> None:
        super().__init__()
        self._sd = sd = load_portaudio(client_name)
        self._out = find_device(sd, output, "output")
        self._in = None if input is None else find_device(sd, input, "input")
        devices, hostapis = sd.query_devices(), sd.query_hostapis()
        out = devices[self._out]
        self.rate = int(rate or out["default_samplerate"])
        self.out_channels = _channels(out, "output", out_channels)
        self.in_channels = 0
        self.name = device_label(out, hostapis)
        self.block, self.max_block = block, block or VARYING_BLOCK
        self._streams: list[Any] = []
        self._bridge: ClockBridge | None = None
        self._in_rate = self.rate
        if self._in is not None:
            source = devices[self._in]
            self.in_channels = _channels(source, "input", in_channels)
            if self._in != self._out:
                self.name = f"{device_label(source, hostapis)} to {self.name}"
            if bridged is None:
                jack = "JACK" in hostapis[out["hostapi"]]["name"]
                bridged = self._in != self._out and not (jack and source["hostapi"] == out["hostapi"])
        self._bridged = bool(bridged) and self._in is not None
        self._check()

    def _check(self) -> None:
        """Ask PortAudio whether the devices work like this. An input behind a bridge may have a rate of its own."""
        sd = self._sd
        try:
            sd.check_output_settings(self._out, self.out_channels, "float32", samplerate=self.rate)
            if self._in is None:
                return
            try:
                sd.check_input_settings(self._in, self.in_channels, "float32", samplerate=self.rate)
            except sd.PortAudioError:
                if not self._bridged:
                    raise
                self._in_rate = int(sd.query_devices(self._in)["default_samplerate"])
                sd.check_input_settings(self._in, self.in_channels, "float32", samplerate=self._in_rate)
        except (sd.PortAudioError, ValueError) as error:
            raise StemplayError(f"{self.name} does not work at {self.rate} Hz: {_reason(error)}.") from None

    def start(self, callback: Callback) -> None:
        sd = self._sd
        scheduled = _Scheduled(self, callback)
        common = {"blocksize": self.block, "dtype": "float32", "latency": "low"}
        master = common | {"samplerate": self.rate, "finished_callback": self.finished.set}
        try:
            if self._in is None:
                self._streams = [self._output_stream(scheduled, master)]
            elif self._bridged:
                self._streams = self._bridged_streams(scheduled, common, master)
            else:

                def duplex(indata: Any, outdata: Any, frames: int, time: Any, status: Any) -> None:
                    scheduled(indata, outdata, _xrun(status))

                pair, channels = (self._in, self._out), (self.in_channels, self.out_channels)
                self._streams = [sd.Stream(device=pair, channels=channels, callback=duplex, **master)]
            for stream in self._streams:
                stream.start()
        except sd.PortAudioError as error:
            raise DeviceMissingError(f"{self.name} does not start: {_reason(error)}.") from None
        self.device_latency = self._estimate()

    def _output_stream(self, callback: Callback, master: dict[str, Any]) -> Any:
        def output(outdata: Any, frames: int, time: Any, status: Any) -> None:
            callback(outdata[:, :0], outdata, _xrun(status))

        return self._sd.OutputStream(device=self._out, channels=self.out_channels, callback=output, **master)

    def _bridged_streams(self, callback: Callback, common: dict[str, Any], master: dict[str, Any]) -> list[Any]:
        """Input and output apart: one pushes into the bridge, the other pulls."""
        bridge = self._bridge = ClockBridge(self.in_channels, self._in_rate, self.rate, self.max_block, self.max_block)
        heard = np.zeros((self.max_block, self.in_channels), np.float32)

        def listen(indata: Any, frames: int, time: Any, status: Any) -> None:
            bridge.push(indata)

        def output(outdata: Any, frames: int, time: Any, status: Any) -> None:
            nonlocal heard
            if frames > len(heard):
                heard = np.zeros((frames, self.in_channels), np.float32)
            kept = bridge.pull(heard[:frames])
            callback(heard[:frames], outdata, _xrun(status) or not kept)

        sd = self._sd
        source = sd.InputStream(
            device=self._in, channels=self.in_channels, callback=listen, samplerate=self._in_rate, **common
        )
        return [source, sd.OutputStream(device=self._out, channels=self.out_channels, callback=output, **master)]

    def _estimate(self) -> float:
        """The host's own delay in samples, 0 where its report is not credible; a bridge adds its own."""
        seconds = 0.0
        for stream in self._streams:
            latency = stream.latency
            seconds += sum(latency) if isinstance(latency, tuple) else latency
        if not math.isfinite(seconds) or not 0 <= seconds <= PLAUSIBLE_LATENCY_S:
            seconds = 0.0
        return float(seconds) * self.rate + (self._bridge.latency if self._bridge is not None else 0.0)

    def stop(self) -> None:
        for stream in self._streams:
            stream.stop()

    def close(self) -> None:
        streams, self._streams = self._streams, []
        for stream in streams:
            stream.close()


def _xrun(status: Any) -> bool:
    return bool(status) and not status.priming_output


class _Scheduled:
    """The engine's callback, which first asks for realtime scheduling of the host's thread: not every host does."""

    def __init__(self, port: Port, callback: Callback) -> None:
        self._port, self._callback = port, callback

    def __call__(self, indata: Any, outdata: Any, xrun: bool) -> None:
        if not self._port.scheduling:
            self._port.scheduling = request_realtime(CALLBACK_PRIORITY)
        self._callback(indata, outdata, xrun)


def _channels(device: dict[str, Any], kind: str, wanted: int) -> int:
    """At least ``wanted``, at most what the device has; two where a pair exists. Raises StemplayError if it has fewer than asked."""
    have = int(device[f"max_{kind}_channels"])
    if wanted > max(2, have):
        raise StemplayError(f"The {kind} device {device['name']!r} has {have} channels, not {wanted}.")
    return min(max(wanted, 1), have)


def _reason(error: Exception) -> str:
    """PortAudio's text in its shortest form."""
    return str(error.args[0] if error.args else error).replace("\n", " ").rstrip(".")

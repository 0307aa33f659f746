"""Sound cards and sound servers through PortAudio (``sounddevice``): ALSA, JACK, PulseAudio, CoreAudio, WASAPI, ASIO and the rest.

The callback runs in a thread of the host. When the server of a stream dies, ``stop`` and ``close`` may hang for ever. For that reason the
engine has a process of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import difflib
import math
import sys
from time import perf_counter
from typing import Any

import numpy as np

from rtaudio.audio.format import StemplayError
from rtaudio.ports.base import VARYING_BLOCK, Callback, DeviceMissingError, Port
from rtaudio.ports.computer import Follower
from rtaudio.ports.drift import DriftCompensator
from rtaudio.ports.fifo_stream import CHANNELS, Chunks, FifoStream, ServerWatch, chunks_for
from rtaudio.system.realtime import keep_below, request_realtime

INSTALL = (
    "The PortAudio library is not installed: 'sudo apt-get install libportaudio2' (Debian, Ubuntu) or "
    "'sudo dnf install portaudio' (Fedora) installs it. On macOS and Windows the Python package sounddevice contains it."
)
PLAUSIBLE_LATENCY_S = 5.0
"""Largest credible latency in seconds; hosts report larger values if nothing is connected."""


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
            setter(name)  # PortAudio keeps the pointer, so the buffer must stay alive
    try:
        import sounddevice
    except OSError:
        raise StemplayError(INSTALL) from None
    return sounddevice


def jack_client_name(default: str) -> str:
    """The name that PortAudio has on the JACK server, which may have made another of ours."""
    library = ctypes.util.find_library("portaudio")
    name = ctypes.c_char_p()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        if library is not None and ctypes.CDLL(library).PaJack_GetClientName(ctypes.byref(name)) == 0 and name.value:
            return name.value.decode(errors="replace")
    return default


def follow_others(device: dict[str, Any], hostapis: Any, client_name: str) -> Follower | None:
    """What connects other programs to our inputs; None where ``device`` hears them by itself."""
    return Follower(jack_client_name(client_name)) if "JACK" in hostapis[device["hostapi"]]["name"] else None


def device_label(device: dict[str, Any], hostapis: Any) -> str:
    """``HOSTAPI:NAME``, by which a device can be found again; indices change."""
    return f"{hostapis[device['hostapi']]['name']}:{device['name']}"


def find_device(sounddevice: Any, wanted: str, kind: str) -> int:
    """Index of the device that ``wanted`` means.

    Args:
        wanted: an index, ``HOSTAPI:NAME``, a name or a part of one (case does not matter), or ``default``.
        kind: ``input`` or ``output``; only devices with such channels are considered.

    Raises:
        DeviceMissingError: there is none; the message lists similar devices.
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
    """One duplex stream, an output alone, or an output with an input on another clock (``rtaudio/ports/drift.py``).

    Args:
        output: device as for ``find_device``.
        input: likewise, or None for an output-only port (to play a song).
        rate: Hz, None for the output device's own.
        block: frames of a callback of the host; 0 lets the host choose.
        in_channels: smallest number of channels to open (two if the device has them); likewise ``out_channels``.
        others: hear what other programs play, through ``input`` (``rtaudio.ports.computer``).
        collect: play very short blocks several at a time where the host allows it (``rtaudio.ports.fifo_stream``). ``Port.block`` is then
            a multiple of ``block``.

    Raises:
        DeviceMissingError: the device or its server is missing.
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
        others: bool = False,
        collect: bool = False,
    ) -> None:
        super().__init__()
        self._others, self._client_name = others, client_name
        self._follower: Follower | None = None
        self._sd = sd = load_portaudio(client_name)
        out_index = find_device(sd, output, "output")
        in_index = None if input is None else find_device(sd, input, "input")
        devices, hostapis = sd.query_devices(), sd.query_hostapis()
        out = devices[out_index]
        self._device = out_index if in_index is None else (in_index, out_index)
        self.rate = int(rate or out["default_samplerate"])
        self.out_channels = _channels(out, "output", out_channels)
        self.in_channels = 0 if in_index is None else _channels(devices[in_index], "input", in_channels)
        self.name = device_label(out, hostapis)
        if in_index is not None and in_index != out_index:
            self.name = f"{device_label(devices[in_index], hostapis)} to {self.name}"
        self._one_clock = in_index is None or one_clock(devices[in_index], out, hostapis)
        self._device_block = block
        self._watch: ServerWatch | None = None
        self._fifos: FifoStream | None = None
        self._stream: Any = None
        self._input_stream: Any = None
        self._bridge: DriftCompensator | None = None
        self._in_rate = self.rate
        self._check()
        self._chunks = self._plan_chunks(out, hostapis) if collect else None
        self.block = block if self._chunks is None else self._chunks.chunk
        self.max_block = self.block or VARYING_BLOCK
        self.pipelining = 0 if self._chunks is None else self._chunks.delay
        keep_below()  # PortAudio's JACK client has its thread now

    @property
    def device_block(self) -> int:
        return self._device_block

    @property
    def unplayed(self) -> int:
        return 0 if self._fifos is None else self._fifos.unplayed

    def _plan_chunks(self, out: dict[str, Any], hostapis: Any) -> Chunks | None:
        """How blocks are collected on JACK; None if they are not. The server's period must be one block, or it takes several at once."""
        stereo = self.out_channels == CHANNELS and self.in_channels in (0, CHANNELS)
        jack = "JACK" in hostapis[out["hostapi"]]["name"] and sys.platform == "linux"
        chunks = chunks_for(self.rate, self._device_block) if stereo and jack and self._one_clock else None
        if chunks is None:
            return None
        self._watch = ServerWatch(self._client_name)
        if self._watch.period != chunks.block:
            self._watch.close()
            self._watch = None
            return None
        self._watch.changed = self._end_at_new_period
        return chunks

    def _end_at_new_period(self) -> None:
        """End the stream, whose FIFOs are made for the old period. The supervisor starts another engine."""
        self.error = f"The period of {self.name} has changed."
        self.finished.set()

    def _check(self) -> None:
        """Check with PortAudio that the devices support these settings. An input with another clock may keep its own rate."""
        sd = self._sd
        source, out = self._device if isinstance(self._device, tuple) else (None, self._device)
        try:
            sd.check_output_settings(out, self.out_channels, "float32", samplerate=self.rate)
            if source is None:
                return
            try:
                sd.check_input_settings(source, self.in_channels, "float32", samplerate=self.rate)
            except sd.PortAudioError:
                if self._one_clock:
                    raise
                self._in_rate = int(sd.query_devices(source)["default_samplerate"])
                sd.check_input_settings(source, self.in_channels, "float32", samplerate=self._in_rate)
        except (sd.PortAudioError, ValueError) as error:
            raise StemplayError(f"{self.name} does not work at {self.rate} Hz: {_reason(error)}.") from None

    def start(self, callback: Callback) -> None:
        try:
            self._open(_Scheduled(self, callback))
            if self._input_stream is not None:
                self._input_stream.start()
            self._stream.start()
        except self._sd.PortAudioError as error:
            raise DeviceMissingError(f"{self.name} does not start: {_reason(error)}.") from None
        self.device_latency = self._estimate()
        if self._others and isinstance(self._device, tuple):
            source = self._sd.query_devices(self._device[0])
            self._follower = follow_others(source, self._sd.query_hostapis(), self._client_name)

    def monitoring(self, on: bool) -> None:
        if self._follower is not None:
            self._follower.monitoring(on)

    def expected_latency(self) -> float:
        """The estimate of opened streams, without starting them; the host's defaults if a device is in use."""
        try:
            self._open(lambda indata, outdata, xrun: None)
            return self._estimate()
        except self._sd.PortAudioError:
            indices = self._device if isinstance(self._device, tuple) else (self._device,)
            ends = ("input", "output")[-len(indices) :]
            defaults = [
                float(self._sd.query_devices(index)[f"default_low_{end}_latency"])
                for end, index in zip(ends, indices, strict=True)
            ]
            return sum(x for x in defaults if 0 <= x <= PLAUSIBLE_LATENCY_S) * self.rate
        finally:
            self.close()
            self._bridge = None

    def _open(self, callback: Callback) -> None:
        if self._chunks is not None:
            self._open_fifos(self._chunks, callback)
        elif not self.in_channels:
            self._open_output(callback)
        elif self._one_clock:
            self._open_duplex(callback)
        else:
            self._open_bridged(callback)

    def _options(self, device: Any, channels: Any, callback: Any) -> dict[str, Any]:
        return {
            "samplerate": self.rate,
            "blocksize": self._device_block,
            "dtype": "float32",
            "latency": "low",
            "device": device,
            "channels": channels,
            "callback": callback,
        }

    def _open_duplex(self, callback: Callback) -> None:
        def duplex(indata: Any, outdata: Any, frames: int, time: Any, status: Any) -> None:
            callback(indata, outdata, _is_xrun(status))

        options = self._options(self._device, (self.in_channels, self.out_channels), duplex)
        self._stream = self._sd.Stream(**options, finished_callback=self.finished.set)

    def _open_output(self, callback: Callback) -> None:
        def output(outdata: Any, frames: int, time: Any, status: Any) -> None:
            callback(outdata[:, :0], outdata, _is_xrun(status))

        options = self._options(self._device, self.out_channels, output)
        self._stream = self._sd.OutputStream(**options, finished_callback=self.finished.set)

    def _open_fifos(self, chunks: Chunks, callback: Callback) -> None:
        def open_stream(latency: float) -> Any:
            channels = (self.in_channels, self.out_channels) if self.in_channels else self.out_channels
            kind = self._sd.Stream if self.in_channels else self._sd.OutputStream
            options = self._options(self._device, channels, None) | {"latency": latency}
            return kind(**options, finished_callback=self.finished.set)

        self._stream = self._fifos = FifoStream(self, open_stream, chunks, callback, self._watch)

    def _open_bridged(self, callback: Callback) -> None:
        """Open two streams; the input is converted to the output's clock."""
        bridge = DriftCompensator(self._in_rate, self.rate, self.in_channels, self.max_block, self.max_block)
        heard = np.zeros((4 * self.max_block, self.in_channels), np.float32)
        lost = [False]

        def incoming(indata: Any, frames: int, time: Any, status: Any) -> None:
            lost[0] |= _is_xrun(status)
            bridge.write(indata, perf_counter())

        def outgoing(outdata: Any, frames: int, time: Any, status: Any) -> None:
            slips, xrun = bridge.slips, _is_xrun(status) or lost[0]
            lost[0] = False
            block = heard[:frames] if frames <= len(heard) else np.zeros((frames, self.in_channels), np.float32)
            bridge.read(block, perf_counter())
            callback(block, outdata, xrun or bridge.slips > slips)

        self._bridge = bridge
        assert isinstance(self._device, tuple)
        in_device, out_device = self._device
        options = self._options(out_device, self.out_channels, outgoing)
        self._stream = self._sd.OutputStream(**options, finished_callback=self.finished.set)
        self._input_stream = self._sd.InputStream(
            **self._options(in_device, self.in_channels, incoming) | {"samplerate": self._in_rate}
        )

    def _estimate(self) -> float:
        """The host's own delay in samples, 0 if its report is not credible.

        On JACK, PortAudio often reports too little or invalid values. Then the delay of a duplex stream is taken as two periods, which
        an independent client measures: one of the server's cycle and one added by PortAudio. For an output alone it is one period.
        """
        latency = self._stream.latency
        seconds = sum(latency) if isinstance(latency, tuple) else latency
        if self._input_stream is not None:
            seconds += self._input_stream.latency
        if not math.isfinite(seconds) or not 0 <= seconds <= PLAUSIBLE_LATENCY_S:
            seconds = 0.0
        frames = float(seconds) * self.rate
        if "JACK" in self.name:
            frames = max(frames, (2 if self.in_channels else 1) * self._device_block)
        return frames + (self._bridge.latency if self._bridge is not None else 0.0)

    def stop(self) -> None:
        follower, self._follower = self._follower, None
        if follower is not None:
            follower.stop()
        for stream in (self._input_stream, self._stream):
            if stream is not None:
                stream.stop()

    def close(self) -> None:
        streams = (self._input_stream, self._stream)
        self._input_stream = self._stream = None
        for stream in streams:
            if stream is not None:
                stream.close()
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()


def one_clock(input: dict[str, Any], output: dict[str, Any], hostapis: Any) -> bool:
    """Whether two devices certainly share a clock and can be one duplex stream: the same device, or one JACK server."""
    if input["hostapi"] != output["hostapi"]:
        return False
    return input["name"] == output["name"] or "JACK" in hostapis[output["hostapi"]]["name"]


def _is_xrun(status: Any) -> bool:
    return bool(status) and not status.priming_output


class _Scheduled:
    """Wraps the engine's callback and first requests realtime scheduling for the host's thread, which not every host has."""

    def __init__(self, port: Port, callback: Callback) -> None:
        self._port, self._callback = port, callback

    def __call__(self, indata: Any, outdata: Any, xrun: int) -> None:
        if not self._port.scheduling:
            self._port.scheduling = request_realtime()
        self._callback(indata, outdata, xrun)


def _channels(device: dict[str, Any], kind: str, wanted: int) -> int:
    """``wanted`` channels, or two if the device has them and fewer are wanted. Raises StemplayError if the device has too few."""
    have = int(device[f"max_{kind}_channels"])
    if wanted > max(2, have):
        raise StemplayError(f"The {kind} device {device['name']!r} has {have} channels, not {wanted}.")
    return min(max(wanted, 1), have)


def _reason(error: Exception) -> str:
    """PortAudio's message without its prefix and code."""
    return str(error.args[0] if error.args else error).replace("\n", " ").rstrip(".")

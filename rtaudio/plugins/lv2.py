"""LV2 effects, if liblilv is installed. It runs in a host process only, because loading and running may crash or hang.

Control ports are the parameters. The plugin's own window is not shown.
"""

from __future__ import annotations

import ctypes
import json
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins import lilv, lv2_state
from rtaudio.plugins.base import Plugin
from rtaudio.protocol.parameters import Parameter
from rtaudio.system.x_errors import qt_without_screen

PREFIX = "lv2:"
_ATOM_BYTES = 8192
_UNIT_TEXTS = {
    "db": "dB", "hz": "Hz", "khz": "kHz", "ms": "ms", "s": "s", "pc": "%", "degree": "°", "semitone12TET": "semitones", "cent": "cents",
    "bpm": "BPM", "oct": "octaves", "mm": "mm", "cm": "cm", "m": "m",
}  # fmt: skip


class Lv2Plugin(Plugin):
    """One LV2 effect with one or two audio inputs and outputs. A mono effect runs once for each channel.

    Args:
        plugin: ``lv2:URI``.
    """

    def __init__(self, plugin: str) -> None:
        qt_without_screen()
        self._uri = plugin.removeprefix(PREFIX)
        self._plugin = lilv.find(self._uri)
        self.name = lilv.text(lilv.call("plugin_get_name", self._plugin)) or plugin
        self.maker = lilv.text(lilv.call("plugin_get_author_name", self._plugin))
        self.category = lilv.text(lilv.call("plugin_class_get_label", lilv.call("plugin_get_class", self._plugin)))
        required = lilv.features(self._plugin, "required")
        self._wishes = required | lilv.features(self._plugin, "optional")
        missing = required - lilv.HostFeatures.OFFERED
        if missing:
            names = ", ".join(sorted(name.rsplit("#")[-1].rsplit("/")[-1] for name in missing))
            raise StemplayError(f"{self.name} asks for something that this host does not offer: {names}.")
        self._inputs: list[int] = []
        self._outputs: list[int] = []
        self._atoms: list[tuple[int, bool]] = []
        self._others: list[int] = []
        self._controls: dict[str, int] = {}
        self._latency_port = -1
        self.parameters = tuple(self._read_ports())
        self._midi = next((place for place, (port, incoming) in enumerate(self._atoms) if incoming and self._takes_midi(port)), -1)
        synthesises = not self._inputs or lilv.is_of_class(self._plugin, f"{lilv.CORE}InstrumentPlugin")  # some have inputs, too
        self.is_instrument = synthesises and self._midi >= 0
        if not self._outputs or not (self._inputs or self.is_instrument):
            raise StemplayError(f"{self.name} is neither an effect nor an instrument: it has no audio output, or nothing to make it from.")
        self._events: list[tuple[int, bytes]] = []
        self._values = np.zeros(self._count, np.float32)
        for parameter in self.parameters:
            self._values[self._controls[parameter.id]] = parameter.default
        self._presets = lv2_state.presets(self._plugin)
        self.presets = tuple(self._presets)
        self._lock = threading.Lock()  # a plugin may not run while it is restored
        self._state_file: Path | None = None
        self._instances: list[Any] = []
        self._features: list[lilv.HostFeatures] = []
        self._channels, self._latency = 0, 0

    def _read_ports(self) -> list[Parameter]:
        plugin, parameters = self._plugin, []
        self._count = int(lilv.call("plugin_get_num_ports", plugin))
        for index in range(self._count):
            port = lilv.call("plugin_get_port_by_index", plugin, ctypes.c_uint32(index))
            incoming = lilv.is_a(plugin, port, f"{lilv.CORE}InputPort")
            if lilv.is_a(plugin, port, f"{lilv.CORE}AudioPort"):
                (self._inputs if incoming else self._outputs).append(index)
            elif lilv.is_a(plugin, port, f"{lilv.ATOM}AtomPort"):
                self._atoms.append((index, incoming))
            elif not lilv.is_a(plugin, port, f"{lilv.CORE}ControlPort"):
                self._others.append(index)
            elif incoming:
                parameter = _parameter(plugin, port)
                self._controls[parameter.id] = index
                parameters.append(parameter)
            elif lilv.has(plugin, port, f"{lilv.CORE}reportsLatency") or _designation(plugin, port) == f"{lilv.CORE}latency":
                self._latency_port = index
        return parameters

    def prepare(self, rate: int, block: int, channels: int) -> None:
        self.close()
        self._rate, self._channels = rate, channels
        wide = max(1, min(2, len(self._inputs) or 2, len(self._outputs)))
        runs = channels if wide == 1 and not self.is_instrument else 1
        self._features = [lilv.HostFeatures(rate, block) for _ in range(runs)]
        self._sound_in = np.zeros((max(channels, 2), block), np.float32)
        self._sound_out = np.zeros((max(channels, 2), block), np.float32)
        self._spare = np.zeros((len(self._inputs) + len(self._outputs) + len(self._others), block), np.float32)
        self._wide = wide
        self._buffers = [(np.zeros(_ATOM_BYTES // 4, np.uint32), incoming) for _, incoming in self._atoms]
        for run in range(runs):
            self._instances.append(self._instantiate(run, rate))
        self._restore_instances()
        self._activate()
        self._run(min(block, 64))
        if self._latency_port >= 0 and math.isfinite(self._values[self._latency_port]):
            self._latency = max(0, round(float(self._values[self._latency_port])))
        self.reset()

    def _instantiate(self, run: int, rate: int) -> Any:
        features = self._features[run]
        made = lilv.library().lilv_plugin_instantiate(self._plugin, float(rate), ctypes.cast(features.pointers, ctypes.c_void_p))
        if not made:
            raise StemplayError(f"{self.name} could not be started at {rate} Hz{lilv.why_not_loaded(self._plugin)}.")
        instance = made.contents
        features.worker.attach(instance)
        connect, handle = instance.descriptor.contents.connect_port, instance.handle
        spare = iter(self._spare)
        for ports, sound in ((self._inputs, self._sound_in), (self._outputs, self._sound_out)):
            for place, port in enumerate(ports):
                row = sound[place + run] if place < self._wide else next(spare)
                connect(handle, port, row.ctypes.data)
        for port in self._others:
            connect(handle, port, next(spare).ctypes.data)
        sound_ports = {*self._inputs, *self._outputs, *self._others, *(port for port, _ in self._atoms)}
        for port in set(range(self._count)) - sound_ports:
            connect(handle, port, self._values[port:].ctypes.data)
        for (port, _), (buffer, _) in zip(self._atoms, self._buffers, strict=True):
            connect(handle, port, buffer.ctypes.data)
        return made

    def _takes_midi(self, port: int) -> bool:
        node = lilv.call("plugin_get_port_by_index", self._plugin, ctypes.c_uint32(port))
        return bool(lilv.call("port_supports_event", self._plugin, node, lilv.uri(lilv.MIDI_EVENT)))

    def queue_midi(self, events: list[tuple[int, bytes]]) -> None:
        self._events += events

    def process(self, audio: Audio) -> bool:
        n = len(audio)
        if self.is_instrument and self._wide == 1:
            self._run(n)
            audio[...] = self._sound_out[0, :n, None]
            return True
        if self._channels == 1 and self._wide == 2:
            self._sound_in[:, :n] = audio.T
        else:
            self._sound_in[: self._channels, :n] = audio.T
        self._run(n)
        if self._channels == 1 and self._wide == 2:
            np.mean(self._sound_out[:2, :n], axis=0, out=audio[:, 0])
        else:
            audio[...] = self._sound_out[: self._channels, :n].T
        return True

    def _run(self, n: int) -> None:
        with self._lock:
            self._run_locked(n)

    def _run_locked(self, n: int) -> None:
        for made, features in zip(self._instances, self._features, strict=True):
            for buffer, incoming in self._buffers:  # an empty sequence as input, room for one as output
                buffer[:4] = (8, features.sequence, 0, 0) if incoming else (_ATOM_BYTES - 8, features.chunk, 0, 0)
            if self._midi >= 0 and self._events:
                _write_events(self._buffers[self._midi][0], self._events, features.midi_event)
            instance = made.contents
            instance.descriptor.contents.run(instance.handle, n)
            features.worker.answer()
        self._events = []

    def _activate(self) -> None:
        for made in self._instances:
            _optional(made.contents, "activate")

    def reset(self) -> None:
        for made in self._instances:  # activating again clears everything except the connections
            _optional(made.contents, "deactivate")
            _optional(made.contents, "activate")

    @property
    def latency(self) -> int:
        now = float(self._values[self._latency_port]) if self._latency_port >= 0 else 0.0
        return max(0, round(now)) if math.isfinite(now) else self._latency

    def set(self, id: str, value: float) -> None:
        self._values[self._controls[self.parameter(id).id]] = self.parameter(id).check(value)

    def get(self, id: str) -> float:
        parameter = self.parameter(id)
        return min(max(float(self._values[self._controls[id]]), parameter.low), parameter.high)

    def save_state(self) -> bytes:
        state: dict[str, Any] = {"values": {parameter.id: self.get(parameter.id) for parameter in self.parameters}}
        if self._instances and lv2_state.keeps_state(self._instances[0].contents):
            state |= lv2_state.save(self._plugin, self._instances[0], self._features[0])
        return json.dumps(state).encode()

    def restore_state(self, state: bytes) -> None:
        try:
            saved = json.loads(state)
            values = saved["values"] if isinstance(saved.get("values"), dict) else saved  # earlier versions kept the values alone
            wanted = {str(id): float(value) for id, value in values.items()}
            self._state_file = lv2_state.unpack(saved) if "turtle" in saved else None
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            raise StemplayError(f"The saved state of {self.name} is damaged.") from None
        for id, value in wanted.items():
            self._take_port(id, value)
        with self._lock:
            self._restore_instances()

    def _restore_instances(self) -> None:
        """Give all instances the state that was asked for, or else the default state of a plugin that wants one."""
        for made, features in zip(self._instances, self._features, strict=True):
            if self._state_file is not None:
                if not lv2_state.restore_file(self._state_file, made, features):
                    self.note = f"{self.name} did not take its saved state."
            elif lilv.LOAD_DEFAULT in self._wishes:
                lv2_state.restore_node(lilv.uri(self._uri), made, features, lambda *_: None)

    def load_preset(self, name: str) -> None:
        if name not in self._presets:
            there = f"its presets are {', '.join(self.presets)}" if self.presets else "it has none"
            raise StemplayError(f"{self.name} has no preset {name!r}; {there}.")
        with self._lock:
            for made, features in zip(self._instances, self._features, strict=True):
                lv2_state.restore_node(self._presets[name], made, features, self._take_port)

    def _take_port(self, symbol: str, value: float) -> None:
        if symbol in self._controls and math.isfinite(value):
            parameter = self.parameter(symbol)
            self._values[self._controls[symbol]] = min(max(value, parameter.low), parameter.high)

    def close(self) -> None:
        for made, features in zip(self._instances, self._features, strict=True):
            features.worker.close()
            _optional(made.contents, "deactivate")
            lilv.library().lilv_instance_free(made)
        self._instances = []


def _write_events(buffer: Any, events: list[tuple[int, bytes]], kind: int) -> None:
    """Append MIDI events to an empty LV2_Atom_Sequence; those for which there is no room are left out."""
    size = 16
    for frame, data in events:
        padded = -(-len(data) // 8) * 8
        if size + 16 + padded > _ATOM_BYTES:
            break
        place = size // 4
        buffer[place : place + 4] = (frame & 0xFFFFFFFF, 0, len(data), kind)
        buffer[place + 4 : place + 4 + padded // 4] = np.frombuffer(data.ljust(padded, b"\0"), np.uint32)
        size += 16 + padded
    buffer[0] = size - 8


def _optional(instance: Any, name: str) -> None:
    """Call ``activate`` or ``deactivate``, which are optional."""
    address = getattr(instance.descriptor.contents, name)
    if address:
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)(instance.handle)


def _designation(plugin: int, port: int) -> str:
    return lilv.text(lilv.call("port_get", plugin, port, lilv.uri(f"{lilv.CORE}designation")))


def _parameter(plugin: int, port: int) -> Parameter:
    """The table's row of a control port."""
    id = lilv.text(lilv.call("port_get_symbol", plugin, port))
    name = lilv.text(lilv.call("port_get_name", plugin, port)) or id
    default, low, high = lilv.port_range(plugin, port)
    low = low if low is not None and math.isfinite(low) else 0.0
    high = high if high is not None and math.isfinite(high) and high > low else low + 1.0
    default = default if default is not None and math.isfinite(default) else low
    default = min(max(default, low), high)
    unit = lilv.text(lilv.call("port_get", plugin, port, lilv.uri(f"{lilv.UNITS}unit"))).rsplit("#")[-1]
    unit = _UNIT_TEXTS.get(unit, "")
    if lilv.has(plugin, port, f"{lilv.CORE}toggled"):
        return Parameter(id, name, unit, 0.0, 1.0, float(default > 0), 2, labels=("Off", "On"))
    points = lilv.scale_points(plugin, port) if lilv.has(plugin, port, f"{lilv.CORE}enumeration") else []
    if len(points) == high - low + 1 and all(value == low + k for k, (value, _) in enumerate(points)):
        return Parameter(id, name, unit, low, high, default, len(points), labels=tuple(label for _, label in points))
    whole = lilv.has(plugin, port, f"{lilv.CORE}integer") or bool(points)
    steps = round(high - low) + 1 if whole and high - low < 10_000 else 0
    logarithmic = low > 0 and lilv.has(plugin, port, f"{lilv.PORT_PROPERTIES}logarithmic")
    return Parameter(id, name, unit, low, high, default, steps, logarithmic)

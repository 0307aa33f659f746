"""VST3 plugins (and Audio Units on macOS) through ``pedalboard``. It runs in a host process only, because loading may crash or hang.

While the plugin's window opens, the thread ``editor-title`` gives it the plugin's name.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.protocol.insert_checks import split_plugin
from rtaudio.protocol.parameters import Parameter
from rtaudio.system.window_title import retitle
from rtaudio.system.x_errors import qt_without_screen, survive_x_errors

MAX_LABELS = 64
"""Largest number of named values; a parameter with more is shown as a number."""

_TITLE = "Pedalboard"
"""The title that pedalboard gives every window."""
_CONTROLLERS = re.compile(r"MIDI Ch\. \d+ ")
"""DPF's names of the MIDI controllers of an instrument, 130 parameters for each of 16 channels. They are played by MIDI."""


class PedalboardPlugin(Plugin):
    """One plugin of a file.

    Args:
        plugin: ``PATH``, or ``PATH::NAME`` if a file contains several.
    """

    def __init__(self, plugin: str) -> None:
        import pedalboard

        survive_x_errors()
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            qt_without_screen()
        _leave_out_controllers()
        load: Any = pedalboard.load_plugin  # type: ignore[attr-defined]
        path, name = split_plugin(plugin)
        if not Path(path).exists():
            raise StemplayError(f"There is no plugin {path!r}.")
        names = plugin_names(path)
        if name and names and name not in names:
            raise StemplayError(f"{path} has no plugin {name!r}: it has {', '.join(names)}.")
        if not name and len(names) > 1:
            raise StemplayError(f"{path} has several plugins: choose one as {path}::NAME from {', '.join(names)}.")
        try:
            self._plugin: Any = load(path, plugin_name=name or None)
        except (ImportError, ValueError, RuntimeError) as error:
            raise StemplayError(f"{path} is no plugin that works here: {_first_line(error)}") from None
        self.name, self.maker = str(self._plugin.name), str(self._plugin.manufacturer_name)
        self.category = str(self._plugin.category).removeprefix("Fx|")
        self._native = dict(self._plugin.parameters)
        self.parameters = tuple(_parameter(id, native) for id, native in self._native.items())
        self.is_instrument = bool(self._plugin.is_instrument)
        self._events: list[tuple[bytes, float]] = []
        self.has_editor = sys.platform != "linux" or bool(os.environ.get("DISPLAY"))
        self._rate, self._block, self._channels, self._wide = 44_100, 0, 0, 0
        self._latency = 0
        self._missing = 0
        self._close_editor = threading.Event()

    def prepare(self, rate: int, block: int, channels: int) -> None:
        self._rate, self._block, self._channels = rate, block, channels
        if self.is_instrument:
            self._wide = 2
            self._play(block)
            self._latency = int(self._plugin.reported_latency_samples)
            self.reset()
            return
        for wide in dict.fromkeys((channels, 2, 1)):
            try:
                self._plugin.process(np.zeros((wide, block), np.float32), rate, block, reset=False)
            except ValueError as error:
                refusal = error
                continue
            self._wide = wide
            break
        else:
            raise StemplayError(f"{self.name} does not work with {channels} channels: {_first_line(refusal)}")
        self._latency = int(self._plugin.reported_latency_samples)
        self.reset()

    def queue_midi(self, events: list[tuple[int, bytes]]) -> None:
        self._events += [(data, (offset + 0.5) / self._rate) for offset, data in events]  # pedalboard rounds down

    def _play(self, n: int) -> Audio:
        """The next ``n`` frames of an instrument, in the channels of the stream."""
        events, self._events = self._events, []
        seconds = (n + 0.5) / self._rate  # which pedalboard rounds down to frames, in 32 bits
        out: Audio = self._plugin.process(events, seconds, self._rate, 2, max(self._block, n), reset=False).T
        return out if self._channels == 2 else out.mean(axis=1, keepdims=True)

    def process(self, audio: Audio) -> bool:
        n = len(audio)
        given = self._play(n) if self.is_instrument else self._call(audio)
        # pedalboard leaves the first frames out that a plugin with latency gives: they are silence here, for a constant delay.
        have = given.shape[0]
        if have < n and self._missing < self._latency:
            self._missing += n - have
            audio[: n - have] = 0.0
            audio[n - have :] = given
        else:
            audio[...] = given[-n:] if have >= n else np.concatenate([np.zeros((n - have, audio.shape[1]), np.float32), given])
        return True

    def _call(self, audio: Audio) -> Audio:
        if self._wide == self._channels:
            planar = np.ascontiguousarray(audio.T)
        elif self._wide == 2:
            planar = np.ascontiguousarray(np.repeat(audio, 2, axis=1).T)
        else:
            planar = audio.mean(axis=1, keepdims=True).T.copy()
        out: Audio = self._plugin.process(planar, self._rate, self._block, reset=False).T
        if self._wide == self._channels:
            return out
        return out.mean(axis=1, keepdims=True) if self._wide == 2 else np.repeat(out, self._channels, axis=1)

    def reset(self) -> None:
        self._plugin.reset()
        self._missing = 0
        self._events = []
        if self._latency == 0 and not self.is_instrument:  # the largest block, for which pedalboard must not prepare later
            self._plugin.process(np.zeros((self._wide, self._block), np.float32), self._rate, self._block, reset=False)

    @property
    def latency(self) -> int:
        """The present one. A change is known here while the plugin's own window is open; otherwise ``latency_watch.py`` finds it."""
        return int(self._plugin.reported_latency_samples)

    def set(self, id: str, value: float) -> None:
        parameter, native = self.parameter(id), self._native[id]
        value = parameter.check(value)
        native.raw_value = parameter.normal(value) if parameter.labels else _raw(native, value)

    def get(self, id: str) -> float:
        parameter, native = self.parameter(id), self._native[id]
        if parameter.labels:
            return parameter.value(float(native.raw_value))
        if native.type is float and native.min_value is not None:
            return min(max(float(getattr(self._plugin, id)), parameter.low), parameter.high)
        return float(native.raw_value)

    def save_state(self) -> bytes:
        return bytes(self._plugin.raw_state)

    def restore_state(self, state: bytes) -> None:
        try:
            self._plugin.raw_state = state
        except (ValueError, RuntimeError) as error:
            raise StemplayError(f"{self.name} does not take its saved state: {_first_line(error)}") from None

    def load_preset(self, name: str) -> None:
        """``name``: a file of the plugin's maker or of another host, ``.vstpreset``."""
        if not Path(name).is_file():
            raise StemplayError(f"There is no file {name!r}: a preset of {self.name} is a .vstpreset file.")
        try:
            self._plugin.load_preset(name)
        except (ValueError, RuntimeError, OSError) as error:
            raise StemplayError(f"{name} is no preset of {self.name}: {_first_line(error)}") from None

    def open_editor(self) -> None:
        self._close_editor.clear()
        closed = threading.Event()
        threading.Thread(target=retitle, args=(_TITLE, self.name, closed), name="editor-title", daemon=True).start()
        try:
            self._plugin.show_editor(self._close_editor)
        except RuntimeError as error:
            raise StemplayError(f"{self.name} cannot show its own window: {_first_line(error)}") from None
        finally:
            closed.set()

    def close_editor(self) -> None:
        self._close_editor.set()


def plugin_names(path: str) -> list[str]:
    """The names of the plugins in a file; empty if it cannot be read, which loading explains."""
    import pedalboard

    kind = pedalboard.VST3Plugin if path.lower().endswith(".vst3") else getattr(pedalboard, "AudioUnitPlugin", None)
    if kind is None:
        return []
    try:
        return list(kind.get_plugin_names_for_file(path))
    except (ImportError, ValueError, RuntimeError):
        return []


def _leave_out_controllers() -> None:
    """Extend the list of the parameters that pedalboard leaves out by DPF's controllers; JUCE's are there.

    pedalboard asks each parameter for a thousand texts, which for two thousand parameters takes a minute.
    """
    with contextlib.suppress(AttributeError, ImportError):  # in another version, loading takes longer
        from pedalboard import _pedalboard

        _pedalboard.PARAMETER_NAME_REGEXES_TO_IGNORE.add(_CONTROLLERS)


def _parameter(id: str, native: Any) -> Parameter:
    """The table's row of one of pedalboard's parameters."""
    name, unit = str(native.name), str(native.label or "")
    values = list(native.valid_values) if native.type in (str, bool) else []
    if 2 <= len(values) <= MAX_LABELS:
        labels = tuple("On" if x is True else "Off" if x is False else str(x) for x in values)
        low, high, steps = 0.0, float(len(values) - 1), len(values)
        default = round(float(native.raw_value) * high)
        return Parameter(id, name, unit, low, high, default, steps, labels=labels)
    low, high = native.min_value, native.max_value
    if native.type is not float or low is None or high is None or not low < high:
        return Parameter(id, name, unit, 0.0, 1.0, float(native.raw_value))
    default = low + (high - low) * float(native.raw_value)
    return Parameter(id, name, unit, float(low), float(high), float(default))


def _raw(native: Any, value: float) -> float:
    """The host's value from 0 to 1 for a value in the parameter's unit."""
    if native.type is float and native.min_value is not None:
        low, high = native.min_value, native.max_value
        try:
            return float(native.get_raw_value_for(value))
        except (ValueError, TypeError):
            return float((value - low) / (high - low))
    return value


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") + "."

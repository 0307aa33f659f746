"""The desired state: what the user wants the engine to do, as a value that outlives any engine process.

Commands are applied here first (and refused here, in one sentence), then sent to the engine; a fresh engine gets the whole value.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field, fields, replace
from numbers import Integral
from pathlib import Path
from typing import Any

from models.card import CardError
from models.catalog import load_card, model_names
from models.names import exists, is_file
from rtaudio.audio.format import SOURCES, StemplayError, StreamFormat
from rtaudio.protocol.messages import (
    MAX_DEADLINE,
    MAX_LOOK_AHEAD,
    VELOCITY_CURVES,
    Command,
    EngineConfig,
    InstrumentState,
    MixerState,
    StemState,
    command,
    from_dict,
    to_dict,
)
from rtaudio.protocol.strips import is_button, strip_names

Range = tuple[float, float]

_GAIN: Range = (-math.inf, 24.0)
_STEM_FIELDS: dict[str, Range | None] = {
    "gain_db": _GAIN,
    "mute": None,
    "solo": None,
    "pan": (-1.0, 1.0),
    "armed": None,
}
_MIXER_FIELDS: dict[str, Range | None] = {
    "dry": (0.0, 1.0), "master_db": _GAIN, "limiter": None, "ceiling_db": (-60.0, 0.0), "bypass": None,
    "monitor": None,
}  # fmt: skip
"""Allowed range of a number; None is a switch."""

INSTRUMENT_TIMES: dict[str, Range] = {"attack_ms": (0.0, 5000.0), "release_ms": (1.0, 20_000.0)}

MAX_CHANNELS = 64
MAX_VOICES = 256
RECORDING_FORMATS = ("wav", "flac")
OUTPUT_FILES = (".wav", ".flac")


def is_output_file(output: str) -> bool:
    """Whether ``output`` names a file to write rather than a device."""
    return Path(output).suffix.lower() in OUTPUT_FILES


def is_input_file(source: str) -> bool:
    """Whether ``source`` names a sound file: something with a path that is no device's name, or that exists."""
    return source not in ("default", "none") and (is_file(source) or _looks_like_path(source))


def _looks_like_path(text: str) -> bool:
    suffix = Path(text).suffix
    return "/" in text or "\\" in text or (1 < len(suffix) <= 5 and suffix[1:].isalnum() and ":" not in text)


def is_device(output: str) -> bool:
    """Whether ``output`` is played by PortAudio."""
    return output != "null" and not is_output_file(output)


def with_absolute_paths(order: Command) -> Command:
    """``order`` with the paths in it made absolute, for an engine that runs in another working directory than who asks."""
    args = dict(order.args)
    if order.op == "record" and args["directory"] and isinstance(args["directory"], str | Path):
        args["directory"] = str(Path(args["directory"]).absolute())
    elif order.op == "configure" and isinstance(args["config"], dict):
        check_config(from_dict(EngineConfig, args["config"]))
        args["config"] = {**args["config"], **_absolute(from_dict(EngineConfig, args["config"]))}
    return Command(order.op, args)


def _absolute(config: EngineConfig) -> dict[str, Any]:
    paths = {
        "input": is_input_file(config.input),
        "output": is_output_file(config.output),
        "model": exists(config.model),
        "instrument": bool(config.instrument) and exists(config.instrument),
    }
    for kind in ("model", "instrument"):
        paths[kind] &= getattr(config, kind) not in model_names()
    return {name: str(Path(getattr(config, name)).absolute()) for name, is_path in paths.items() if is_path}


def absolute_config(config: EngineConfig) -> EngineConfig:
    """``config`` with the paths of files and models made absolute."""
    return replace(config, **_absolute(config))


def stem_names(model: str) -> tuple[str, ...]:
    """Names of the stems that ``model`` gives, read from its card. Raises StemplayError if there is no such model."""
    if model == "none":
        return SOURCES
    try:
        return load_card(model).outputs
    except CardError as error:
        raise StemplayError(str(error)) from None


def strips_of(config: EngineConfig) -> tuple[str, ...]:
    """Names of the mixer's strips: the model's stems and the instrument. Raises StemplayError if there is no such model."""
    return strip_names(stem_names(config.model), bool(config.instrument))


def instrument_names(model: str) -> tuple[str, ...]:
    """What the instrument ``model`` can play, read from its card. Raises StemplayError if it is no instrument."""
    try:
        card = load_card(model)
    except CardError as error:
        raise StemplayError(str(error)) from None
    if card.kind != "instrument":
        raise StemplayError(f"The model {card.name!r} is a {card.kind}, not an instrument.")
    return card.outputs


def control_range(target: str, strips: tuple[str, ...]) -> Range | None:
    """What a MIDI controller moves ``target`` between: ``stem.NAME.gain_db``, ``stem.NAME.pan``, ``mixer.dry``,
    ``mixer.master_db``, ``instrument.attack_ms`` or ``instrument.release_ms``. None for a button (``rtaudio.midi.learned_buttons``). Raises
    StemplayError for anything else."""
    if not isinstance(target, str):
        raise StemplayError(f"A MIDI controller cannot move {target!r}.")
    kind, *rest = target.split(".")
    if is_button(target) and (kind != "stem" or rest[0] in strips):
        return None
    if kind == "stem" and len(rest) == 2 and rest[0] in strips and rest[1] in ("gain_db", "pan"):
        return (-60.0, 6.0) if rest[1] == "gain_db" else (-1.0, 1.0)
    ranges: dict[str, Range] = {
        "mixer.dry": (0.0, 1.0), "mixer.master_db": (-60.0, 6.0),
        "instrument.attack_ms": (0.0, 2000.0), "instrument.release_ms": (10.0, 4000.0),
    }  # fmt: skip
    if target not in ranges:
        raise StemplayError(f"A MIDI controller cannot move {target!r}.")
    return ranges[target]


def check_value(name: str, value: Any, limits: Range | None) -> float | bool:
    """``value`` as what the field holds. Raises StemplayError in one sentence."""
    if limits is None:
        if isinstance(value, bool):
            return value
        raise StemplayError(f"{name} is switched with true or false, not {value!r}.")
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise StemplayError(f"{name} takes a number, not {value!r}.")
    low, high = limits
    if not low <= value <= high:
        floor = f"from {low:g} " if math.isfinite(low) else ""
        told = f"{value:g}" if abs(value) < 1e300 else "that"  # whole numbers of JSON have no end
        raise StemplayError(f"{name} goes {floor}up to {high:g}, not {told}.")
    return float(value)


def _same_file(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return False


def _check_kinds(config: EngineConfig) -> None:
    for setting in fields(EngineConfig):
        value, like = getattr(config, setting.name), setting.default
        right = isinstance(value, type(like))
        if setting.name in ("rate", "block", "voices"):
            right = _whole(value) or (value is None and like is None)
        elif setting.name == "input_channels":
            right = isinstance(value, tuple | list) and all(map(_whole, value))
        elif setting.name == "routing":
            right = isinstance(value, dict) and all(
                isinstance(channels, tuple | list) and all(map(_whole, channels)) for channels in value.values()
            )
        if not right:
            raise StemplayError(f"The setting {setting.name} cannot be {value!r}.")


def _whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_config(config: EngineConfig) -> None:
    """Refuse what no engine could run on. Raises StemplayError in one sentence."""
    _check_kinds(config)
    StreamFormat(config.rate if config.rate is not None else 44_100, 2, config.block if config.block != 0 else 1)
    if any(channel < 1 for channel in config.input_channels):
        raise StemplayError("Input channels are counted from 1.")
    if is_input_file(config.input) and is_output_file(config.output) and _same_file(config.input, config.output):
        raise StemplayError(f"The output {config.output} would overwrite the song: choose another file.")
    stems = strips_of(config)
    if not 0 <= config.look_ahead <= MAX_LOOK_AHEAD:
        raise StemplayError(f"A look-ahead of {config.look_ahead:g} ms is not possible: choose 0 to {MAX_LOOK_AHEAD}.")
    if not 0 <= config.deadline <= MAX_DEADLINE:
        raise StemplayError(
            f"A deadline of {config.deadline:g} ms is not possible: choose up to {MAX_DEADLINE}, or 0 for what the model needs."
        )
    if config.look_ahead and config.model == "none":
        raise StemplayError("Without a model there are no stems to look ahead for.")
    if config.instrument:
        instrument_names(config.instrument)
    if not 1 <= config.voices <= MAX_VOICES:
        raise StemplayError(f"{config.voices} voices are not possible: choose 1 to {MAX_VOICES}.")
    for stem, channels in config.routing.items():
        if stem not in stems:
            raise StemplayError(f"There is no stem {stem!r} to route; the model gives {', '.join(stems)}.")
        if not channels or any(channel < 1 for channel in channels):
            raise StemplayError(f"The output channels of {stem} are numbers from 1 on, like 3,4.")
        if max(channels) > MAX_CHANNELS:
            raise StemplayError(f"Channel {max(channels)} for {stem} is too high: there are at most {MAX_CHANNELS}.")


@dataclass
class DesiredState:
    """Configuration, mixer, transport and recording as the user wants them.

    ``recording`` holds the arguments of the ``record`` command while a recording is wanted. ``position_s`` follows the engine's
    reports, so that a restarted engine goes on where the dead one was.
    """

    config: EngineConfig = field(default_factory=EngineConfig)
    mixer: MixerState = field(default_factory=MixerState)
    playing: bool = True
    position_s: float = 0.0
    loop: tuple[float, float] | None = None
    recording: dict[str, str] | None = None
    instrument: InstrumentState = field(default_factory=InstrumentState)

    def __post_init__(self) -> None:
        self.config, self.mixer = copy.deepcopy(self.config), copy.deepcopy(self.mixer)
        self.instrument = copy.deepcopy(self.instrument)
        self.fill_stems()

    def fill_stems(self) -> None:
        """Give each stem of the model a strip. Raises StemplayError if a strip is named that the model does not have."""
        names = strips_of(self.config)
        for name in self.mixer.stems:
            if name not in names:
                raise StemplayError(f"There is no stem {name!r}; the model gives {', '.join(names)}.")
        self.mixer.stems = {name: self.mixer.stems.get(name, StemState()) for name in names}

    def apply(self, order: Command) -> None:
        """Take ``order`` in. Raises StemplayError, and changes nothing, if it is impossible."""
        command(order.op, **order.args)
        getattr(self, f"_{order.op}", lambda: None)(**order.args)

    def _set_stem(self, stem: str, field: str, value: Any) -> None:
        if stem not in self.mixer.stems:
            raise StemplayError(f"There is no stem {stem!r}; the model gives {', '.join(self.mixer.stems)}.")
        if field not in _STEM_FIELDS:
            raise StemplayError(f"A stem has {', '.join(_STEM_FIELDS)}, but no {field!r}.")
        setattr(self.mixer.stems[stem], field, check_value(f"{field} of {stem}", value, _STEM_FIELDS[field]))

    def _set_mixer(self, field: str, value: Any) -> None:
        if field not in _MIXER_FIELDS:
            raise StemplayError(f"The mixer has {', '.join(_MIXER_FIELDS)}, but no {field!r}.")
        setattr(self.mixer, field, check_value(field, value, _MIXER_FIELDS[field]))

    def _play(self) -> None:
        self.playing = True

    def _pause(self) -> None:
        self.playing = False

    def _panic(self) -> None:
        self.playing = False

    def _seek(self, position_s: Any) -> None:
        self.position_s = float(check_value("The position", position_s, (0.0, 1e9)))

    def _set_loop(self, start_s: Any, end_s: Any) -> None:
        if start_s is None and end_s is None:
            self.loop = None
            return
        start, end = (float(check_value("A loop point", x, (0.0, 1e9))) for x in (start_s, end_s))
        if end <= start:
            raise StemplayError(f"A loop from {start:g} s to {end:g} s has no length.")
        self.loop = (start, end)

    def _set_deadline(self, ms: Any) -> None:
        value = float(check_value("The deadline", ms, (0.0, MAX_DEADLINE)))
        if value <= 0:
            raise StemplayError("The deadline of a running engine is a time above 0 ms.")
        self.config = replace(self.config, deadline=value)

    def _record(self, directory: Any, format: Any) -> None:
        if format not in RECORDING_FORMATS:
            raise StemplayError(f"Recordings are written as {' or '.join(RECORDING_FORMATS)}, not {format!r}.")
        if not isinstance(directory, str | Path) or not str(directory):
            raise StemplayError(f"A recording goes into a folder, not {directory!r}.")
        self.recording = {"directory": str(directory), "format": format}

    def _stop_recording(self) -> None:
        self.recording = None

    def _needs_instrument(self) -> tuple[str, ...]:
        if not self.config.instrument:
            raise StemplayError("This engine has no instrument: start it with one.")
        return instrument_names(self.config.instrument)

    def _midi(self, data: Any) -> None:
        self._needs_instrument()
        if not isinstance(data, list) or not data or not all(_whole(byte) and 0 <= byte < 256 for byte in data):
            raise StemplayError(f"A MIDI message is a list of bytes, not {data!r}.")

    def _set_sound(self, channel: Any, shares: Any) -> None:
        known = self._needs_instrument()
        if not _whole(channel) or not 0 <= channel < 16:
            raise StemplayError(f"A MIDI channel is 0 to 15, not {channel!r}.")
        if not isinstance(shares, dict) or not shares:
            raise StemplayError(f"A sound is instruments and their shares, not {shares!r}.")
        for name, share in shares.items():
            if name not in known:
                raise StemplayError(f"There is no instrument {name!r}; python -m rtaudio instruments lists them.")
            check_value(f"The share of {name}", share, (0.0, 1e6))
        if not sum(shares.values()) > 0:
            raise StemplayError("A sound needs at least one instrument with a share above 0.")
        self.instrument.shares[str(channel)] = {name: float(share) for name, share in shares.items()}

    def _set_instrument(self, field: Any, value: Any) -> None:
        self._needs_instrument()
        if field == "curve":
            if value not in VELOCITY_CURVES:
                raise StemplayError(f"A velocity curve is {', '.join(VELOCITY_CURVES)}, not {value!r}.")
        elif field == "record_folder":
            if not isinstance(value, str) or (value and not Path(value).is_absolute()):
                raise StemplayError(f"Recordings go into a folder that is named from the root on, not {value!r}.")
        elif field == "record_format":
            if value not in RECORDING_FORMATS:
                raise StemplayError(f"Recordings are written as {' or '.join(RECORDING_FORMATS)}, not {value!r}.")
        elif field in INSTRUMENT_TIMES:
            value = float(check_value(field, value, INSTRUMENT_TIMES[field]))
        else:
            known = ", ".join([*INSTRUMENT_TIMES, "curve", "record_folder", "record_format"])
            raise StemplayError(f"The instrument has {known}, but no {field!r}.")
        setattr(self.instrument, field, value)

    def _set_midi_map(self, entries: Any) -> None:
        self._needs_instrument()
        if not isinstance(entries, list):
            raise StemplayError(f"The learnt controllers are a list, not {entries!r}.")
        for entry in entries:
            kind = "note" if isinstance(entry, dict) and "note" in entry else "control"
            if not isinstance(entry, dict) or not {"channel", kind, "target"} <= set(entry):
                raise StemplayError(f"A learnt controller has channel, control (or note) and target, not {entry!r}.")
            if not all(_whole(entry[key]) and 0 <= entry[key] < 128 for key in ("channel", kind)):
                raise StemplayError(f"Channel and {kind} of a MIDI controller are 0 to 127, not {entry!r}.")
            if control_range(entry["target"], strips_of(self.config)) is not None and kind == "note":
                raise StemplayError(f"A key presses a button; it cannot move {entry['target']!r}.")
        self.instrument.midi_map = copy.deepcopy(entries)

    def _learn(self, target: Any) -> None:
        self._needs_instrument()
        if target:
            control_range(target, strips_of(self.config))

    def _forget(self, target: Any) -> None:
        self._needs_instrument()

    def _configure(self, config: Any) -> None:
        if not isinstance(config, dict):
            raise StemplayError(f"The engine's settings are names and values, not {config!r}.")
        unknown = set(config) - {f.name for f in fields(EngineConfig)}
        if unknown:
            raise StemplayError(f"The engine has no setting {', '.join(sorted(unknown))}.")
        wanted = from_dict(EngineConfig, config)
        check_config(wanted)
        kept = {name: strip for name, strip in self.mixer.stems.items() if name in strips_of(wanted)}
        if wanted.input != self.config.input:
            self.position_s, self.loop, self.playing = 0.0, None, True
        self.config = wanted
        self.mixer.stems = kept
        self.fill_stems()

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``from_json`` in another process."""
        return to_dict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> DesiredState:
        """Inverse of ``to_json``."""
        config = from_dict(EngineConfig, values["config"])
        mixer = from_dict(MixerState, values["mixer"])
        loop = values.get("loop")
        return cls(
            config, mixer, bool(values.get("playing", True)), float(values.get("position_s", 0.0)),
            tuple(loop) if loop else None, values.get("recording"),
            from_dict(InstrumentState, values.get("instrument", {})),
        )  # fmt: skip

"""Checks of configurations and their values. An invalid value raises an error of one sentence."""

from __future__ import annotations

import itertools
import math
from dataclasses import fields, replace
from numbers import Integral
from pathlib import Path
from typing import Any

from models.card import CardError
from models.catalog import load_card, model_names
from models.names import exists, is_file, is_stem_file
from rtaudio.audio.format import SOURCES, StemplayError, StreamFormat
from rtaudio.protocol.controls import COMPUTER, CONTROLS, NUMBER, learnable
from rtaudio.protocol.insert_checks import check_plugin, is_foreign
from rtaudio.protocol.messages import Command, from_dict
from rtaudio.protocol.settings import MAX_DEADLINE, MAX_LOOK_AHEAD, EngineConfig
from rtaudio.protocol.strips import strip_names

Range = tuple[float, float]



def _fields(prefix: str) -> dict[str, Range | None]:
    """Field -> allowed range of a number; None stands for a switch."""
    rows = [control for control in CONTROLS if control.target.startswith(prefix)]
    return {control.target.removeprefix(prefix): control.limits if control.kind == NUMBER else None for control in rows}


STEM_FIELDS = _fields("stem.*.")
MIXER_FIELDS = _fields("mixer.")
INSTRUMENT_TIMES: dict[str, Range] = {field: limits for field, limits in _fields("instrument.").items() if limits is not None}

MAX_CHANNELS = 64
MAX_VOICES = 256
RECORDING_FORMATS = ("wav", "flac")
OUTPUT_FILES = (".wav", ".flac")


def is_output_file(output: str) -> bool:
    """Whether ``output`` names a file to write rather than a device."""
    return Path(output).suffix.lower() in OUTPUT_FILES


def is_input_file(source: str) -> bool:
    """Whether ``source`` names a sound file: it looks like a path and not like a device's name, or it exists."""
    return source not in ("default", "none", COMPUTER) and (is_file(source) or _looks_like_path(source))


def plays_own_stems(config: EngineConfig) -> bool:
    """Whether the input is a stem file whose stems are played, without a model."""
    return config.own_stems and is_input_file(config.input) and is_stem_file(config.input)


def _looks_like_path(text: str) -> bool:
    suffix = Path(text).suffix
    return "/" in text or "\\" in text or (1 < len(suffix) <= 5 and suffix[1:].isalnum() and ":" not in text)


def osc_endpoint(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, of ``[IPV6]:PORT`` or of a port alone, which is on this machine only. Raises StemplayError."""
    host, sign, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if sign else "127.0.0.1"
    if not port.isascii() or not port.isdigit() or not 1 <= int(port[:6]) <= 65_535 or not host or len(text) > 300:
        raise StemplayError(f"OSC listens at a port such as 9000, or at HOST:PORT, not {text!r:.80}.")
    return host, int(port)


def is_device(output: str) -> bool:
    """Whether ``output`` is played by PortAudio."""
    return output != "null" and not is_output_file(output)


def with_absolute_paths(command: Command) -> Command:
    """``command`` with absolute paths, for an engine whose working directory differs from the caller's."""
    args = dict(command.args)
    if command.op == "record" and args["directory"] and isinstance(args["directory"], str | Path):
        args["directory"] = str(Path(args["directory"]).absolute())
    elif command.op == "configure" and isinstance(args["config"], dict):
        check_config(from_dict(EngineConfig, args["config"]))
        args["config"] = {**args["config"], **_absolute(from_dict(EngineConfig, args["config"]))}
    return Command(command.op, args)


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
    """Names of the stems of ``model``, read from its card. Raises StemplayError if there is no such model."""
    if model == "none":
        return SOURCES
    try:
        return load_card(model).outputs
    except CardError as error:
        raise StemplayError(str(error)) from None


def strips_of(config: EngineConfig) -> tuple[str, ...]:
    """Names of the mixer's strips: the model's stems, or those of a stem file, and the instrument.

    Raises StemplayError if there is no such model.
    """
    return strip_names(SOURCES if plays_own_stems(config) else stem_names(config.model), bool(config.instrument))


def instrument_names(model: str) -> tuple[str, ...]:
    """Names of the instruments that ``model`` can play, read from its card; none for a plugin, which has sounds of its own.

    Raises StemplayError if it is not an instrument.
    """
    if is_foreign(model):
        check_plugin(model)
        return ()
    try:
        card = load_card(model)
    except CardError as error:
        raise StemplayError(str(error)) from None
    if card.kind != "instrument":
        raise StemplayError(f"The model {card.name!r} is a {card.kind}, not an instrument.")
    return card.outputs


def control_range(target: str, strips: tuple[str, ...]) -> Range | None:
    """The range within which a MIDI controller moves ``target`` (``rtaudio.protocol.controls``), None for a button. Raises StemplayError
    for what no MIDI controller can move."""
    control = learnable(target, strips)
    return control.travel if control.kind == NUMBER else None


def check_value(name: str, value: Any, limits: Range | None) -> float | bool:
    """``value`` converted to the field's type. Raises StemplayError if it is invalid."""
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


def check_beats(beats: Any, numbers: Any) -> tuple[list[float], list[int]]:
    """The arguments of the command ``set_beats``, checked. Raises StemplayError."""
    if not isinstance(beats, list) or not isinstance(numbers, list) or len(beats) != len(numbers) or len(beats) > 100_000:
        raise StemplayError("Beats are a list of times, with the number of each in its bar.")
    times = [float(x) for x in beats if isinstance(x, int | float) and not isinstance(x, bool) and 0.0 <= x <= 1e6]
    whole = [x for x in numbers if type(x) is int and 1 <= x <= 64]
    if len(times) != len(beats) or len(whole) != len(numbers) or any(a >= b for a, b in itertools.pairwise(times)):
        raise StemplayError("Beats are increasing times in seconds, and their numbers in the bar count from 1.")
    return times, whole


def assign(state: Any, field: str, value: Any, fields: dict[str, Range | None]) -> None:
    """Set a field of ``state`` to a checked value. Raises StemplayError if there is no such field, or the value is invalid."""
    if not isinstance(field, str) or field not in fields:
        raise StemplayError(f"There is no control {field!r}; choose from {', '.join(fields)}.")
    setattr(state, field, check_value(field, value, fields[field]))


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
            right = is_whole(value) or (value is None and like is None)
        elif setting.name == "input_channels":
            right = isinstance(value, tuple | list) and all(map(is_whole, value))
        elif setting.name == "routing":
            right = isinstance(value, dict) and all(
                isinstance(channels, tuple | list) and all(map(is_whole, channels)) for channels in value.values()
            )
        if not right:
            raise StemplayError(f"The setting {setting.name} cannot be {value!r}.")


def is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_config(config: EngineConfig) -> None:
    """Check that an engine can run with ``config``. Raises StemplayError if it cannot."""
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
            f"A deadline of {config.deadline:g} ms is not possible: choose up to {MAX_DEADLINE}, or 0 for the time that the model needs."
        )
    if config.look_ahead and config.model == "none":
        raise StemplayError("A look-ahead needs a model, because without one there are no stems to refine.")
    if config.instrument:
        instrument_names(config.instrument)
    if config.osc:
        osc_endpoint(config.osc)
    if config.midi_clock and config.midi_out == "none":
        raise StemplayError("MIDI clock needs a MIDI output.")
    if not 1 <= config.voices <= MAX_VOICES:
        raise StemplayError(f"{config.voices} voices are not possible: choose 1 to {MAX_VOICES}.")
    for stem, channels in config.routing.items():
        if stem not in stems:
            raise StemplayError(f"There is no stem {stem!r} to route; the model's stems are {', '.join(stems)}.")
        if not channels or any(channel < 1 for channel in channels):
            raise StemplayError(f"The output channels of {stem} must be numbers from 1, such as 3,4.")
        if max(channels) > MAX_CHANNELS:
            raise StemplayError(f"Channel {max(channels)} for {stem} is too high: there are at most {MAX_CHANNELS}.")

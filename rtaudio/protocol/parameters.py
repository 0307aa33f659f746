"""Parameters of inserts, and the table of the built-in effects. Data only: what runs them is in ``rtaudio/plugins``."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from rtaudio.audio.format import StemplayError

DENOISE = "denoise"
"""The effect that has a button and an option of its own on a live input."""
KEY = "key"
"""The insert that transposes a stem of a song. It is not in the table of effects: the engine puts it where it belongs."""
MAX_SLOTS = 4
"""Inserts of one strip."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of an insert.

    Attributes:
        id: how commands and files name it. ``name``: how a person reads it.
        unit: of its value, for example ``dB``.
        low, high, default: its range and where it starts, in ``unit``.
        steps: how many values it can have; 0 for any value between ``low`` and ``high``.
        logarithmic: a control moves it by ratios, as frequencies and times are heard.
        labels: the text of each step, where it has texts.
    """

    id: str
    name: str
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    default: float = 0.0
    steps: int = 0
    logarithmic: bool = False
    labels: tuple[str, ...] = ()

    def check(self, value: Any) -> float:
        """``value`` as a number in range, on its step. Raises StemplayError otherwise."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not self.low <= value <= self.high:  # NaN fails, and whole numbers of any size compare exactly
            raise StemplayError(
                f"{self.name} is a number from {self.low:g} to {self.high:g}{' ' if self.unit else ''}{self.unit}, not {value!r:.80}."
            )
        return self.on_step(float(value))

    def on_step(self, value: float) -> float:
        """The nearest value that the parameter can have."""
        value = min(max(value, self.low), self.high)
        if self.steps < 2:
            return value
        size = (self.high - self.low) / (self.steps - 1)
        return self.low + round((value - self.low) / size) * size

    def normal(self, value: float) -> float:
        """``value`` as a position from 0 to 1."""
        if self.high <= self.low:
            return 0.0
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def value(self, normal: float) -> float:
        """Inverse of ``normal``, on the nearest step."""
        normal = min(max(normal, 0.0), 1.0)
        if self.logarithmic:
            return self.on_step(self.low * (self.high / self.low) ** normal)
        return self.on_step(self.low + normal * (self.high - self.low))

    def text(self, value: float) -> str:
        """``value`` for a person, with its unit."""
        if self.labels:
            return self.labels[min(round(self.normal(value) * (len(self.labels) - 1)), len(self.labels) - 1)]
        whole = self.steps > 1 and ((self.high - self.low) / (self.steps - 1)).is_integer()
        digits = 0 if whole or abs(value) >= 100 else 2 if not self.unit and self.high <= 1.0 else 1
        return f"{value:.{digits}f}{' ' if self.unit else ''}{self.unit}"

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``from_json``."""
        return asdict(self) | {"labels": list(self.labels)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Parameter:
        """Inverse of ``to_json``. Raises KeyError, TypeError or ValueError for anything else."""
        limits = {key: float(values[key]) for key in ("low", "high", "default")}
        if not all(math.isfinite(x) for x in limits.values()) or limits["low"] > limits["high"]:
            raise ValueError(f"The range of {values['id']!r} is not a range.")
        return cls(
            str(values["id"]), str(values["name"]), str(values.get("unit", "")), **limits,
            steps=int(values.get("steps", 0)), logarithmic=bool(values.get("logarithmic", False)) and limits["low"] > 0,
            labels=tuple(str(x) for x in values.get("labels", ())),
        )  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """A built-in effect: its name, its category and its parameters."""

    id: str
    name: str
    category: str
    summary: str
    parameters: tuple[Parameter, ...]

    def parameter(self, id: str) -> Parameter:
        """The parameter ``id``. Raises StemplayError if there is none."""
        return find_parameter(self.parameters, id, self.name)


def find_parameter(parameters: tuple[Parameter, ...], id: str, owner: str) -> Parameter:
    """The parameter ``id`` among ``parameters`` of ``owner``. Raises StemplayError if there is none."""
    for parameter in parameters:
        if parameter.id == id:
            return parameter
    known = ", ".join(p.id for p in parameters[:20]) or "no parameters"
    raise StemplayError(f"{owner} has no parameter {id!r}; it has {known}{', …' if len(parameters) > 20 else ''}.")


def _hz(id: str, name: str, default: float, low: float = 20.0, high: float = 16_000.0) -> Parameter:
    return Parameter(id, name, "Hz", low, high, default, logarithmic=True)


def _db(id: str, name: str, low: float, high: float, default: float = 0.0) -> Parameter:
    return Parameter(id, name, "dB", low, high, default)


def _ms(id: str, name: str, low: float, high: float, default: float) -> Parameter:
    return Parameter(id, name, "ms", low, high, default, logarithmic=True)


def _percent(id: str, name: str, default: float, high: float = 100.0) -> Parameter:
    return Parameter(id, name, "%", 0.0, high, default)


NOTE_LENGTHS: dict[str, float] = {
    "1/32": 1 / 8, "1/16 triplet": 1 / 6, "1/16": 1 / 4, "1/8 triplet": 1 / 3, "1/16 dotted": 3 / 8, "1/8": 1 / 2, "1/4 triplet": 2 / 3,
    "1/8 dotted": 3 / 4, "1/4": 1.0, "1/4 dotted": 3 / 2, "1/2": 2.0, "1/1": 4.0,
}  # fmt: skip
"""Lengths of notes in beats, for effects in time with the tempo."""


EFFECTS: dict[str, Effect] = {
    effect.id: effect
    for effect in (
        Effect("eq", "Three-band equaliser", "Equaliser", "Raises or lowers low, middle and high frequencies.", (
            _db("low", "Low", -18, 18), _hz("low_hz", "Low frequency", 150, 30, 1000),
            _db("mid", "Mid", -18, 18), _hz("mid_hz", "Mid frequency", 1000, 100, 10_000),
            Parameter("mid_q", "Mid Q", "", 0.2, 8.0, 0.7, logarithmic=True),
            _db("high", "High", -18, 18), _hz("high_hz", "High frequency", 5000, 1000, 16_000),
        )),
        Effect("highpass", "High-pass filter", "Equaliser", "Removes what is below a frequency: rumble, handling noise, wind.", (
            _hz("hz", "Frequency", 80, 20, 10_000),
        )),
        Effect("lowpass", "Low-pass filter", "Equaliser", "Removes what is above a frequency.", (
            _hz("hz", "Frequency", 8000, 100, 18_000),
        )),
        Effect("compressor", "Compressor", "Dynamics", "Makes loud passages quieter, so that a voice stays in front.", (
            _db("threshold", "Threshold", -60, 0, -20), Parameter("ratio", "Ratio", ": 1", 1.0, 20.0, 3.0, logarithmic=True),
            _ms("attack", "Attack", 0.1, 100, 5), _ms("release", "Release", 10, 1000, 120), _db("gain", "Make-up gain", 0, 24),
        )),
        Effect("gate", "Noise gate", "Dynamics", "Silences what is quieter than a threshold: hum and noise between phrases.", (
            _db("threshold", "Threshold", -90, 0, -50), Parameter("ratio", "Ratio", ": 1", 1.0, 50.0, 10.0, logarithmic=True),
            _ms("attack", "Attack", 0.1, 100, 1), _ms("release", "Release", 10, 1000, 100),
        )),
        Effect("gain", "Gain", "Dynamics", "Changes the level, and nothing else.", (_db("gain", "Gain", -60, 24),)),
        Effect("reverb", "Reverb", "Space", "Puts the sound into a room.", (
            Parameter("room", "Room size", "", 0.0, 1.0, 0.5), Parameter("damping", "Damping", "", 0.0, 1.0, 0.5),
            Parameter("width", "Width", "", 0.0, 1.0, 1.0), _percent("mix", "Mix", 25),
        )),
        Effect("delay", "Delay", "Space", "Repeats the sound as an echo.", (
            _ms("time", "Time", 10, 2000, 350), _percent("feedback", "Feedback", 35, 90), _percent("mix", "Mix", 25),
            Parameter("sync", "In time", "", 0, len(NOTE_LENGTHS), 0, steps=len(NOTE_LENGTHS) + 1, labels=("Off", *NOTE_LENGTHS)),
        )),
        Effect("chorus", "Chorus", "Modulation", "Doubles the sound with copies that drift in pitch.", (
            Parameter("rate", "Rate", "Hz", 0.05, 10.0, 1.0, logarithmic=True), _percent("depth", "Depth", 25),
            _ms("centre", "Centre delay", 1, 50, 7), _percent("feedback", "Feedback", 0, 90), _percent("mix", "Mix", 50),
        )),
        Effect("pitch", "Pitch shift", "Pitch", "Moves the pitch by semitones and keeps the tempo.", (
            Parameter("semitones", "Semitones", "semitones", -12.0, 12.0, 0.0, steps=25),
            Parameter("cents", "Fine", "cents", -50.0, 50.0, 0.0),
        )),
        Effect("denoise", "Voice denoiser", "Voice", "Keeps a voice and removes noise, hum, clicks, music and a crowd behind it.", (
            _percent("amount", "Amount", 100), _percent("air", "Above 8 kHz", 100),
        )),
        Effect("saturation", "Saturation", "Distortion", "Adds warmth, or distortion at high drive.", (
            _db("drive", "Drive", 0, 40, 12), _db("gain", "Output gain", -40, 12, -6),
        )),
    )
}  # fmt: skip
"""The effects that need no plugin, by their ids."""

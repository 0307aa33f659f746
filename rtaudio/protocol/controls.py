"""The table of all controls: what a MIDI controller can learn, what OSC addresses, and what either may set.

A *target* names a control: ``stem.vocals.gain_db``, ``mixer.dry``, ``transport.play``, ``insert.vocals.reverb-1.room``. Everything that
must know which controls there are reads ``CONTROLS``: MIDI learn and its buttons, the OSC server and its list of addresses, the window's
menus and the documentation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from rtaudio.audio.format import StemplayError
from rtaudio.audio.stretch import KEYS, SPEEDS
from rtaudio.protocol.parameters import EFFECTS, Parameter
from rtaudio.protocol.reports import Recording, Transport
from rtaudio.protocol.settings import InstrumentState, MixerState
from rtaudio.protocol.strips import INPUT, INSTRUMENT, MASTER

MAX_TARGET = 5000
"""Characters of a target."""

COMPUTER = "computer"
"""Name of the input that hears what other programs of this computer play (``rtaudio.ports.computer``)."""

NUMBER, SWITCH, TRIGGER = "number", "switch", "trigger"
TEMPO: tuple[float, float] = (20.0, 999.0)
"""Beats a minute that a tempo can have, those of Ableton Link."""
_GAIN = (-math.inf, 24.0)


@dataclass(frozen=True)
class Control:
    """A row of the table.

    Attributes:
        target: with ``*`` for the name of a strip.
        kind: ``number``; ``switch``, which is on or off; ``trigger``, which is pressed.
        limits: what a number may be. ``travel``: the part of it from one end of a MIDI controller to the other.
        unit: of the number. ``learnable``: whether a MIDI controller can move it.
        words: what it is, for the documentation.
    """

    target: str
    kind: str
    limits: tuple[float, float] = (0.0, 1.0)
    travel: tuple[float, float] = (0.0, 1.0)
    unit: str = ""
    learnable: bool = True
    words: str = ""


def _number(
    target: str, limits: tuple[float, float], words: str, unit: str = "", travel: tuple[float, float] | None = None,
    learnable: bool = True,
) -> Control:  # fmt: skip
    return Control(target, NUMBER, limits, travel or limits, unit, learnable, words)


CONTROLS: tuple[Control, ...] = (
    _number("stem.*.gain_db", _GAIN, "level of a strip", "dB", (-60.0, 6.0)),
    _number("stem.*.pan", (-1.0, 1.0), "place between left and right"),
    Control("stem.*.mute", SWITCH, words="mute"),
    Control("stem.*.solo", SWITCH, words="solo"),
    Control("stem.*.armed", SWITCH, words="whether the next recording has a file of it"),
    _number("mixer.master_db", _GAIN, "level of the mix", "dB", (-60.0, 6.0)),
    _number("mixer.dry", (0.0, 1.0), "0: the stems, 1: the input as it came"),
    Control("mixer.bypass", SWITCH, words="play the input as it came"),
    Control("mixer.monitor", SWITCH, words="play a live input"),
    Control("mixer.limiter", SWITCH, words="the limiter"),
    _number("mixer.ceiling_db", (-60.0, 0.0), "ceiling of the limiter", "dB", learnable=False),
    Control("mixer.click", SWITCH, words="a click at the beats of the song, of Link or of the tempo"),
    _number("mixer.click_db", _GAIN, "level of the click", "dB", (-60.0, 6.0)),
    _number("mixer.count_in", (0.0, 4.0), "count-in before a song starts, in whole bars", "bars"),
    Control("transport.play", SWITCH, words="play, or pause"),
    Control("transport.start", TRIGGER, words="to the start of the song"),
    Control("transport.record", SWITCH, words="record"),
    Control("transport.loop", TRIGGER, words="first press: start of a loop, second: its end, third: no loop"),
    Control("transport.panic", TRIGGER, learnable=False, words="silence at once"),
    _number("transport.position", (0.0, 1e9), "place in the song", "s", learnable=False),
    _number("transport.speed", SPEEDS, "tempo of the song as a ratio to its own; a MIDI controller moves it by whole percents"),
    _number("transport.key", KEYS, "key of the song; a MIDI controller moves it by whole semitones", "semitones"),
    _number("transport.tempo", TEMPO, "tempo of MIDI clock, Link and echoes in time", "BPM", (40.0, 240.0)),
    _number("instrument.attack_ms", (0.0, 5000.0), "attack of every note", "ms", (0.0, 2000.0)),
    _number("instrument.release_ms", (1.0, 20_000.0), "release of every note", "ms", (10.0, 4000.0)),
)
"""All controls but those of inserts, which their plugins know: ``insert.STRIP.KEY.PARAMETER``, and ``insert.STRIP.KEY.bypass``."""

_ROWS = {control.target: control for control in CONTROLS}
_PLACE = Control("insert.*", NUMBER, words="a parameter of an insert, as a place on its own scale")


def row(target: str) -> Control | None:
    """The row of ``target`` in the table, whatever its strip is called; None for an insert's, and for what is no control."""
    kind, *rest = target.split(".")
    if kind == "stem" and len(rest) == 2:
        target = f"stem.*.{rest[1]}"
    return _ROWS.get(target)


def is_button(target: str) -> bool:
    """Whether a MIDI controller presses ``target`` rather than moves it: ``stem.NAME.mute``, ``mixer.bypass``, ``transport.play``."""
    found = row(target)
    return found is not None and found.learnable and found.kind != NUMBER


def learnable(target: object, strips: tuple[str, ...]) -> Control:
    """The control that a MIDI controller can learn under this name; for a parameter of an insert 0 to 1, a place on its own scale.

    Raises StemplayError for anything else.
    """
    if not isinstance(target, str) or len(target) > MAX_TARGET:
        raise StemplayError(f"A MIDI controller cannot move {target!r:.80}.")
    kind, *rest = target.split(".")
    if kind == "insert" and len(rest) >= 3 and rest[0] in (*strips, MASTER, INPUT):
        return _PLACE
    found = row(target)
    if found is None or not found.learnable or (kind == "stem" and rest[0] not in strips):
        raise StemplayError(f"A MIDI controller cannot move {target!r:.80}.")
    return found


def fixed_targets(strips: Iterable[str], instrument: bool = True, every: bool = False) -> list[str]:
    """Targets of an engine with these strips, without those of inserts, in the order of the table, strip by strip.

    Args:
        instrument: whether there is one. ``every``: also those that no MIDI controller can learn.
    """
    rows = [control for control in CONTROLS if every or control.learnable]
    of_strips = [control.target for control in rows if control.target.startswith("stem.")]
    others = [control.target for control in rows if not control.target.startswith("stem.")]
    found = [target.replace("*", name, 1) for name in strips for target in of_strips]
    return found + [target for target in others if instrument or not target.startswith(f"{INSTRUMENT}.")]


def insert_target(strip: str, key: str, parameter: str) -> str:
    """The target of a parameter of an insert."""
    return f"insert.{strip}.{key}.{parameter}"


def osc_address(target: str, key: str = "") -> str:
    """The OSC address of a target: ``stem.vocals.gain_db`` is ``/stem/vocals/gain_db``.

    Args:
        key: of the insert, for one of its parameters: either may contain any characters, those that OSC reserves are written ``%2F``.
    """
    if key:
        kind, strip, rest = target.split(".", 2)
        parts = [kind, strip, key, rest.removeprefix(f"{key}.")]
    else:
        parts = target.split(".")
    return "/" + "/".join(quote(part, safe=".+-_~!$&'()=:;@") for part in parts)


@dataclass(frozen=True)
class InsertControl:
    """A control of an insert: a parameter, or (None) its bypass."""

    strip: str
    key: str
    parameter: Parameter | None

    @property
    def target(self) -> str:
        """``insert.STRIP.KEY.PARAMETER``."""
        return insert_target(self.strip, self.key, self.parameter.id if self.parameter is not None else "bypass")

    @property
    def address(self) -> str:
        """Its OSC address."""
        return osc_address(self.target, self.key)


def insert_controls(
    slots: Iterable[tuple[str, str, str]], table: Callable[[str], tuple[Parameter, ...]] = lambda plugin: effect_table(plugin)
) -> Iterator[InsertControl]:
    """Controls of inserts.

    Args:
        slots: strip, key and plugin of each. ``table``: the parameters of a plugin, as far as they are known.
    """
    for strip, key, plugin in slots:
        yield InsertControl(strip, key, None)
        for parameter in table(plugin):
            if parameter.id != "bypass":
                yield InsertControl(strip, key, parameter)


def effect_table(plugin: str) -> tuple[Parameter, ...]:
    """The parameters of a built-in effect; none for plugins of others, which are not loaded here."""
    return EFFECTS[plugin].parameters if plugin in EFFECTS else ()


def value_of(
    target: str, mixer: MixerState, transport: Transport, recording: Recording, instrument: InstrumentState
) -> float | bool | None:
    """The value of a control of the table, in its unit; None for what is only pressed and for what there is not.

    Whether a loop is set is the value of ``transport.loop``.
    """
    kind, *rest = target.split(".")
    found = row(target)
    if found is None or (kind == "stem" and rest[0] not in mixer.stems):
        return None
    if kind == "transport":
        told: dict[str, float | bool] = {
            "play": transport.playing, "record": recording.active, "loop": transport.loop is not None,
            "position": transport.position_s, "tempo": transport.tempo, "speed": transport.speed, "key": transport.key,
        }  # fmt: skip
        return told.get(rest[0])
    owner = mixer.stems[rest[0]] if kind == "stem" else mixer if kind == "mixer" else instrument
    value: float | bool = getattr(owner, rest[-1])
    return value


def place_in(control: Control, value: float | bool) -> float:
    """Where a controller stands that shows ``value``, 0 to 1 of its travel."""
    if control.kind != NUMBER:
        return float(value)
    low, high = control.travel
    return min(max((value - low) / (high - low), 0.0), 1.0)

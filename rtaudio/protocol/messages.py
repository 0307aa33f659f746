"""Messages between engine, supervisor and windows: commands, and settings and reports as plain JSON, no pickle."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from rtaudio.audio.format import StemplayError
from rtaudio.protocol.reports import (
    InsertReport,
    InstrumentReport,
    Interruption,
    Latency,
    Meter,
    Recording,
    RemoteReport,
    Snapshot,
    SyncReport,
    Transport,
)
from rtaudio.protocol.settings import InsertState, InstrumentState, MixerState, StemState

T = TypeVar("T")


@dataclass(frozen=True)
class Command:
    """One command to the engine: ``op`` from ``OPERATIONS`` with its arguments."""

    op: str
    args: dict[str, Any] = field(default_factory=dict)


OPERATIONS: dict[str, tuple[str, ...]] = {
    "set_stem": ("stem", "field", "value"),  # field of StemState
    "set_mixer": ("field", "value"),  # field of MixerState other than stems
    "set_inserts": ("strip", "inserts"),  # all slots of a strip, "master" or "input": a list of InsertState as dicts
    "bypass_insert": ("strip", "key", "bypass"),
    "set_parameter": ("strip", "key", "parameter", "value"),  # of an insert, in the parameter's unit
    "restart_insert": ("strip", "key"),  # load it afresh, after a failure
    "open_editor": (
        "strip",
        "key",
    ),  # the plugin's own window; strip and key "instrument" in these three: the plugin that MIDI plays
    "play": (),
    "pause": (),
    "seek": ("position_s",),
    "set_loop": ("start_s", "end_s"),  # both None ends the loop
    "set_tempo": ("bpm",),
    "set_speed": ("speed",),  # the song's tempo as a ratio to its own
    "set_key": ("semitones",),  # by which the song's pitched stems are transposed
    "set_beats": ("beats", "numbers"),  # of the song, for the click: seconds, and the number of each in its bar
    "record": ("directory", "format"),  # wav or flac
    "stop_recording": (),
    "set_deadline": ("ms",),  # as EngineConfig.deadline, but not 0, and without a restart: the sound fades over
    "reset_counters": (),
    "panic": (),  # silence now: the song pauses, notes end, processors are reset and rings cleared
    "midi": ("data",),  # the bytes of one message, as from an on-screen keyboard
    "set_sound": ("channel", "shares"),  # channel from 0; {instrument: share}
    "set_instrument": ("field", "value"),  # of InstrumentState, but not shares and midi_map
    "set_midi_map": ("entries",),  # all learned controllers at once, as in InstrumentState.midi_map
    "learn": ("target",),  # the next MIDI controller that moves is the target's; "" ends the waiting
    "forget": ("target",),
    "configure": ("config",),  # a whole EngineConfig as a dict
    "shutdown": (),
}
"""Table of commands and the names of their arguments."""


def command(op: str, **args: Any) -> Command:
    """Make a checked command. Raises StemplayError for an unknown operation or wrong arguments."""
    if op not in OPERATIONS:
        raise StemplayError(f"There is no command {op!r}; choose from {', '.join(sorted(OPERATIONS))}.")
    if set(args) != set(OPERATIONS[op]):
        raise StemplayError(
            f"The command {op} takes {', '.join(OPERATIONS[op]) or 'no arguments'}, not {', '.join(args) or 'none'}."
        )
    return Command(op, args)


def to_dict(value: Any) -> dict[str, Any]:
    """A dataclass of settings or reports as plain JSON values."""
    return asdict(value)


_NESTED: dict[str, type] = {
    "instrument": InstrumentReport, "state": InstrumentState, "latency": Latency, "master": Meter, "transport": Transport,
    "recording": Recording, "mixer": MixerState, "plugin": InsertState, "slot": InsertReport,
    "remote": RemoteReport, "sync": SyncReport,
}  # fmt: skip


def from_dict(kind: type[T], values: dict[str, Any]) -> T:
    """Inverse of ``to_dict``. Unknown keys are ignored (an older engine may meet a newer window), missing ones take defaults."""
    assert is_dataclass(kind)
    known = {f.name for f in fields(kind)}
    arguments = {key: value for key, value in values.items() if key in known}
    for key, value in arguments.items():
        if key in _NESTED and isinstance(value, dict):
            arguments[key] = from_dict(_NESTED[key], value)
    for key in ("inserts", "input_inserts"):
        if kind in (MixerState, StemState) and isinstance(arguments.get(key), list):
            arguments[key] = [from_dict(InsertState, x) for x in arguments[key]]
    if kind is MixerState:
        arguments["stems"] = {name: from_dict(StemState, x) for name, x in arguments.get("stems", {}).items()}
    if kind is Snapshot:
        arguments["meters"] = {name: from_dict(Meter, x) for name, x in arguments.get("meters", {}).items()}
        arguments["inserts"] = {
            name: [from_dict(InsertReport, x) for x in slots] for name, slots in arguments.get("inserts", {}).items()
        }
        for key, entry in (("recordings", Recording), ("interruptions", Interruption)):
            arguments[key] = [from_dict(entry, x) for x in arguments.get(key, [])]
    for key in ("input_channels", "loop"):
        if isinstance(arguments.get(key), list):
            arguments[key] = tuple(arguments[key])
    return kind(**arguments)

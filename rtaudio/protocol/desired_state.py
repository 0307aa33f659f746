"""The desired state: what the user wants the engine to do, as a value that outlives any engine process.

A command is applied to the desired state first, and refused there with one sentence if it is invalid. Then it is sent to the engine.
A new engine receives the whole desired state.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.audio.stretch import KEYS, SPEEDS
from rtaudio.audio.tempo import DEFAULT_BPM
from rtaudio.protocol.checks import (
    INSTRUMENT_TIMES,
    MIXER_FIELDS,
    RECORDING_FORMATS,
    STEM_FIELDS,
    check_beats,
    check_config,
    check_value,
    control_range,
    instrument_names,
    is_whole,
    strips_of,
)
from rtaudio.protocol.controls import TEMPO
from rtaudio.protocol.insert_checks import (
    bypass_insert,
    check_all,
    check_instrument,
    insert_of,
    instrument_settings,
    is_foreign,
    put_value,
    set_inserts,
    set_parameter,
)
from rtaudio.protocol.messages import Command, command, from_dict, to_dict
from rtaudio.protocol.settings import (
    MAX_DEADLINE,
    TAKEOVERS,
    VELOCITY_CURVES,
    EngineConfig,
    InstrumentState,
    MixerState,
    StemState,
)
from rtaudio.protocol.strips import INSTRUMENT


@dataclass
class DesiredState:
    """Configuration, mixer, transport and recording as the user wants them.

    ``speed`` and ``key``: as in ``Transport``; they belong to the song, like position and loop.
    ``recording`` holds the arguments of the ``record`` command while a recording is wanted. ``position_s`` follows the engine's
    reports, so that a restarted engine continues where the previous one stopped. ``beats`` and ``numbers`` are those of the song.
    """

    config: EngineConfig = field(default_factory=EngineConfig)
    mixer: MixerState = field(default_factory=MixerState)
    playing: bool = True
    position_s: float = 0.0
    loop: tuple[float, float] | None = None
    recording: dict[str, str] | None = None
    instrument: InstrumentState = field(default_factory=InstrumentState)
    tempo: float = DEFAULT_BPM
    speed: float = 1.0
    key: float = 0.0
    beats: list[float] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.config, self.mixer = copy.deepcopy(self.config), copy.deepcopy(self.mixer)
        self.instrument = copy.deepcopy(self.instrument)
        self.fill_stems()
        self.instrument.plugin = instrument_settings(self.config.instrument, self.instrument.plugin)

    def fill_stems(self) -> None:
        """Add a strip for each stem of the model, and a key to each insert.

        Raises StemplayError if the mixer has a strip that the model does not have, or an invalid insert.
        """
        names = strips_of(self.config)
        for name in self.mixer.stems:
            if name not in names:
                raise StemplayError(f"There is no stem {name!r}; the model's stems are {', '.join(names)}.")
        self.mixer.stems = {name: self.mixer.stems.get(name, StemState()) for name in names}
        check_all(self.mixer)

    def apply(self, cmd: Command) -> None:
        """Apply ``cmd``. Raises StemplayError, and changes nothing, if it is invalid."""
        command(cmd.op, **cmd.args)
        getattr(self, f"_{cmd.op}", lambda: None)(**cmd.args)

    def _set_stem(self, stem: str, field: str, value: Any) -> None:
        if stem not in self.mixer.stems:
            raise StemplayError(f"There is no stem {stem!r}; the model's stems are {', '.join(self.mixer.stems)}.")
        if field not in STEM_FIELDS:
            raise StemplayError(f"A stem has no field {field!r}, only {', '.join(STEM_FIELDS)}.")
        setattr(self.mixer.stems[stem], field, check_value(f"{field} of {stem}", value, STEM_FIELDS[field]))

    def _set_mixer(self, field: str, value: Any) -> None:
        if field not in MIXER_FIELDS:
            raise StemplayError(f"The mixer has no field {field!r}, only {', '.join(MIXER_FIELDS)}.")
        setattr(self.mixer, field, check_value(field, value, MIXER_FIELDS[field]))

    def _set_inserts(self, strip: Any, inserts: Any) -> None:
        set_inserts(self.mixer, strip, inserts)

    def _bypass_insert(self, strip: Any, key: Any, bypass: Any) -> None:
        bypass_insert(self.mixer, strip, key, bypass)

    def _set_parameter(self, strip: Any, key: Any, parameter: Any, value: Any) -> None:
        if (strip, key) == (INSTRUMENT, INSTRUMENT):
            self._needs_plugin()
            put_value(self.instrument.plugin, parameter, value)
            return
        set_parameter(self.mixer, strip, key, parameter, value)

    def _restart_insert(self, strip: Any, key: Any) -> None:
        if (strip, key) == (INSTRUMENT, INSTRUMENT):
            self._needs_plugin()
            return
        insert_of(self.mixer, strip, key)

    def _open_editor(self, strip: Any, key: Any) -> None:
        if (strip, key) == (INSTRUMENT, INSTRUMENT):
            self._needs_plugin()
            return
        insert_of(self.mixer, strip, key)

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

    def _set_tempo(self, bpm: Any) -> None:
        self.tempo = float(check_value("The tempo", bpm, TEMPO))

    def _set_speed(self, speed: Any) -> None:
        self.speed = float(check_value("The song's tempo", speed, SPEEDS))

    def _set_key(self, semitones: Any) -> None:
        self.key = float(check_value("The key", semitones, KEYS))

    def _set_beats(self, beats: Any, numbers: Any) -> None:
        self.beats, self.numbers = check_beats(beats, numbers)

    def _set_deadline(self, ms: Any) -> None:
        value = float(check_value("The deadline", ms, (0.0, MAX_DEADLINE)))
        if value <= 0:
            raise StemplayError("The deadline of a running engine must be more than 0 ms.")
        self.config = replace(self.config, deadline=value)

    def _record(self, directory: Any, format: Any) -> None:
        if format not in RECORDING_FORMATS:
            raise StemplayError(f"The format of recordings must be {' or '.join(RECORDING_FORMATS)}, not {format!r}.")
        if not isinstance(directory, str | Path) or not str(directory):
            raise StemplayError(f"A recording needs the path of a folder, not {directory!r}.")
        self.recording = {"directory": str(directory), "format": format}

    def _stop_recording(self) -> None:
        self.recording = None

    def _needs_instrument(self) -> tuple[str, ...]:
        if not self.config.instrument:
            raise StemplayError("This engine has no instrument. Start it with one.")
        return instrument_names(self.config.instrument)

    def _needs_plugin(self) -> str:
        self._needs_instrument()
        if not is_foreign(self.config.instrument):
            raise StemplayError(f"The instrument is the model {self.config.instrument}, not a plugin.")
        return self.config.instrument

    def _midi(self, data: Any) -> None:
        self._needs_instrument()
        if not isinstance(data, list) or not data or not all(is_whole(byte) and 0 <= byte < 256 for byte in data):
            raise StemplayError(f"A MIDI message must be a list of bytes, not {data!r}.")

    def _set_sound(self, channel: Any, shares: Any) -> None:
        known = self._needs_instrument()
        if not is_whole(channel) or not 0 <= channel < 16:
            raise StemplayError(f"A MIDI channel must be 0 to 15, not {channel!r}.")
        if not isinstance(shares, dict) or not shares:
            raise StemplayError(f"A sound must map instruments to shares, not be {shares!r}.")
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
                raise StemplayError(f"The velocity curve must be one of {', '.join(VELOCITY_CURVES)}, not {value!r}.")
        elif field == "record_folder":
            if not isinstance(value, str) or (value and not Path(value).is_absolute()):
                raise StemplayError(f"The folder for recordings must be an absolute path, not {value!r}.")
        elif field == "record_format":
            if value not in RECORDING_FORMATS:
                raise StemplayError(f"The format of recordings must be {' or '.join(RECORDING_FORMATS)}, not {value!r}.")
        elif field == "plugin":
            value = check_instrument(self._needs_plugin(), value)
        elif field == "takeover":
            if value not in TAKEOVERS:
                raise StemplayError(f"The takeover of controllers must be {' or '.join(TAKEOVERS)}, not {value!r:.80}.")
        elif field in INSTRUMENT_TIMES:
            value = float(check_value(field, value, INSTRUMENT_TIMES[field]))
        else:
            known = ", ".join([*INSTRUMENT_TIMES, "curve", "record_folder", "record_format", "plugin", "takeover"])
            raise StemplayError(f"The instrument has no field {field!r}, only {known}.")
        setattr(self.instrument, field, value)

    def _set_midi_map(self, entries: Any) -> None:
        self._needs_instrument()
        if not isinstance(entries, list):
            raise StemplayError(f"The learned controllers must be a list, not {entries!r}.")
        for entry in entries:
            kind = "note" if isinstance(entry, dict) and "note" in entry else "control"
            if not isinstance(entry, dict) or not {"channel", kind, "target"} <= set(entry):
                raise StemplayError(f"A learned controller needs channel, control (or note) and target, unlike {entry!r}.")
            if not all(is_whole(entry[key]) and 0 <= entry[key] < 128 for key in ("channel", kind)):
                raise StemplayError(f"Channel and {kind} of a MIDI controller must be 0 to 127, unlike in {entry!r}.")
            if control_range(entry["target"], strips_of(self.config)) is not None and kind == "note":
                raise StemplayError(f"A key can only press a button; it cannot move {entry['target']!r}.")
            if entry.get("takeover", "jump") not in TAKEOVERS:
                raise StemplayError(f"The takeover of controllers must be {' or '.join(TAKEOVERS)}, unlike in {entry!r:.200}.")
        self.instrument.midi_map = copy.deepcopy(entries)

    def _learn(self, target: Any) -> None:
        self._needs_instrument()
        if target:
            control_range(target, strips_of(self.config))

    def _forget(self, target: Any) -> None:
        self._needs_instrument()

    def _configure(self, config: Any) -> None:
        if not isinstance(config, dict):
            raise StemplayError(f"The engine's settings must map names to values, not be {config!r}.")
        unknown = set(config) - {f.name for f in fields(EngineConfig)}
        if unknown:
            raise StemplayError(f"The engine has no setting {', '.join(sorted(unknown))}.")
        wanted = from_dict(EngineConfig, config)
        check_config(wanted)
        kept = {name: strip for name, strip in self.mixer.stems.items() if name in strips_of(wanted)}
        if wanted.input != self.config.input:
            self.position_s, self.loop, self.playing, self.speed, self.key = 0.0, None, True, 1.0, 0.0
            self.beats, self.numbers = [], []
        self.config = wanted
        self.mixer.stems = kept
        self.fill_stems()
        self.instrument.plugin = instrument_settings(wanted.instrument, self.instrument.plugin)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, for ``from_json`` in another process."""
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
            from_dict(InstrumentState, values.get("instrument", {})), float(values.get("tempo", DEFAULT_BPM)),
            float(values.get("speed", 1.0)), float(values.get("key", 0.0)),
            *check_beats(values.get("beats", []), values.get("numbers", [])),
        )  # fmt: skip

"""Messages between engine, supervisor and windows: configuration, commands, snapshots. Plain JSON, no pickle.

The desired state (configuration and mixer) is a value that can be saved and sent to a fresh engine; a snapshot is what the
engine reports about itself thirty times a second, and losing one is harmless.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from models.catalog import default_separator
from rtaudio.audio.format import Audio, StemplayError

DEFAULT_MODEL = default_separator()
SILENT_PORT = "a clock without sound card"
"""Name of the port that discards its output."""
FULL_SPEED = "full speed"
"""Prefix of the name of a port that runs at full speed, without waiting for a clock."""

T = TypeVar("T")


@dataclass
class InsertState:
    """A plugin in a slot.

    Attributes:
        plugin: a built-in effect (``reverb``), the path of a plugin, ``lv2:URI`` or ``python:NAME``.
        key: names the slot in commands, unique in its strip; ``rtaudio.protocol.checks.check_inserts`` gives one where there is none.
        bypass: the sound passes without the effect, equally late.
        values: parameters that are not at their defaults, by their ids, in their units.
        state: what the plugin saved by itself, compressed and in base64.
    """

    plugin: str = ""
    key: str = ""
    bypass: bool = False
    values: dict[str, float] = field(default_factory=dict)
    state: str = ""


@dataclass
class InsertReport:
    """What sits in a slot.

    Attributes:
        key, plugin: as in ``InsertState``. ``name``: how a person reads it.
        status: ``loading``, ``running``, ``bypassed``, ``failed`` (dry until it is started again) or ``missing`` (could not be loaded).
        message: one sentence about a failure.
        latency: samples. ``misses``: blocks in which the plugin had no answer and the dry sound was played.
        editor: whether the plugin has a window of its own.
    """

    key: str = ""
    plugin: str = ""
    name: str = ""
    status: str = "loading"
    message: str = ""
    latency: int = 0
    misses: int = 0
    editor: bool = False


@dataclass
class StemState:
    """One strip of the mixer. ``pan`` runs from -1 (left) to 1 (right); the next recording has a file of each ``armed`` strip.

    ``inserts`` are its effects, before the fader.
    """

    gain_db: float = 0.0
    mute: bool = False
    solo: bool = False
    pan: float = 0.0
    armed: bool = True
    inserts: list[InsertState] = field(default_factory=list)


@dataclass
class MixerState:
    """All settings of the mixer. ``dry`` 0 plays only the stems, 1 only the (delayed) input; ``bypass`` plays the input unchanged.

    Without ``monitor`` a live input is not heard, be it as stems, dry or bypassed. Meters and recordings of the stems still work, and
    instruments are heard. A song from a file is always heard.
    ``inserts`` are effects on the whole mix, before the master fader; ``input_inserts`` are effects on a live input, before it is
    separated.
    """

    stems: dict[str, StemState] = field(default_factory=dict)
    dry: float = 0.0
    master_db: float = 0.0
    limiter: bool = True
    ceiling_db: float = -0.3
    bypass: bool = False
    monitor: bool = True
    inserts: list[InsertState] = field(default_factory=list)
    input_inserts: list[InsertState] = field(default_factory=list)


@dataclass
class InstrumentState:
    """Settings of the instrument.

    Attributes:
        shares: sound of each of the sixteen channels (``"0"`` to ``"15"``): instrument name -> share. Several instruments are a morph.
        attack_ms, release_ms: of every note's envelope.
        curve: velocity curve of the keys: ``linear``, ``soft`` (easy to play loud), ``hard`` or ``fixed`` (always 100).
        midi_map: controllers that were learned, as ``rtaudio.midi.learned_controls.MidiMap`` writes them.
        record_folder, record_format: of recordings that a controller's button starts. Without a folder the button cannot record.
        plugin: settings of the plugin that plays, or played last, in place of a model.
        takeover: of controllers learned from now on, one of ``TAKEOVERS``.
    """

    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    attack_ms: float = 0.0
    release_ms: float = 250.0
    curve: str = "linear"
    midi_map: list[dict[str, Any]] = field(default_factory=list)
    record_folder: str = ""
    record_format: str = "wav"
    plugin: InsertState = field(default_factory=InsertState)
    takeover: str = "pickup"


TAKEOVERS = ("pickup", "jump")
"""What a learned controller does that is not where its control is: nothing until it passes there (``pickup``), or move it (``jump``)."""
MAX_DEADLINE = 1000
"""Milliseconds."""
MAX_LOOK_AHEAD = 46
"""Milliseconds: half a window of ``rtaudio.processors.refine``."""
VELOCITY_CURVES = ("linear", "soft", "hard", "fixed")


@dataclass
class EngineConfig:
    """Settings of an engine. A change restarts the stream for a short time; files of finished recordings stay as they are.

    Attributes:
        input: device name or ``HOSTAPI:NAME`` or index as text, the path of a sound file, ``none``, or ``default``.
        output: the same, a ``.wav``/``.flac`` path to write, or ``null`` (a clock without a sound card); ``default`` picks sound
            card, then JACK, then ``null``.
        rate: device rate in Hz; None takes the device's own (or the file's).
        block: frames of one callback; 0 lets the host choose and vary.
        model: name in the zoo, or a directory with ``model.onnx`` and ``card.json``.
        consistent: share the residual so that the stems sum to the mix.
        deadline: ms that the model is given for a block, a part of the latency (``rtaudio.engine.deadline``); 0: as many as it needs,
            measured at the start.
        look_ahead: ms of look-ahead, and of added latency, for refining the stems (``rtaudio.processors.refine``); 0: no refinement.
        paced: with ``null`` or a file as output: follow the wall clock (True) or run at full speed (False).
        input_channels: 1-based device channels to listen to, () for the first two.
        routing: stem -> 1-based output channels of its own, beside the mix (``{"vocals": [3, 4]}``).
        loop: start a file input again at its end.
        seconds: at full speed, end after this many seconds of sound; 0: play all of it. (A paced engine is stopped by its caller.)
        instrument: what MIDI plays: a model (name in the zoo or a directory) or a plugin as in ``InsertState``; empty for none.
        midi: MIDI input: ``default`` (all), ``none``, ``virtual`` (a port of our own), or a port's name.
        voices: the largest number of simultaneous notes.
        analyse: analyse a file input in the background, so that the stems are exact at once after a seek. Costs as much as playing it.
        own_stems: if the input is a stem file (``.stem.mp4``), play its stems, without the model; otherwise its mix is separated.
        osc: ``HOST:PORT`` of a server for Open Sound Control (``rtaudio.control.osc``); a port alone is on this machine; empty for none.
        midi_out: MIDI output for the controllers' lights and motors and for the clock: ``none``, ``default`` (all), ``virtual`` (a port of
            our own), or a port's name. ``midi_clock``: send MIDI clock, start, stop and position there.
        link: share tempo and beat with other programs on the network through Ableton Link.
    """

    input: str = "default"
    output: str = "default"
    rate: int | None = None
    block: int = 256
    model: str = DEFAULT_MODEL
    consistent: bool = True
    look_ahead: float = 0.0
    deadline: float = 0.0
    paced: bool = True
    input_channels: tuple[int, ...] = ()
    routing: dict[str, list[int]] = field(default_factory=dict)
    loop: bool = False
    seconds: float = 0.0
    instrument: str = ""
    midi: str = "default"
    voices: int = 32
    analyse: bool = True
    own_stems: bool = True
    client_name: str = "stemplay"
    osc: str = ""
    midi_out: str = "none"
    midi_clock: bool = False
    link: bool = False


@dataclass
class Latency:
    """Samples at the device's rate; ``device`` is the host's estimate, the others are exact."""

    algorithmic: int = 0
    resampler: int = 0
    pipelining: int = 0
    device: float = 0.0
    rate: int = 44_100
    inserts: int = 0

    @property
    def engine(self) -> int:
        """The engine's own delay from input sample to output sample, exact and constant."""
        return self.algorithmic + self.resampler + self.pipelining + self.inserts

    def milliseconds(self) -> dict[str, float]:
        """``{"algorithmic", "resampler", "buffers", "inserts", "total"}`` in ms; buffers = pipelining + device."""
        ms = 1000.0 / self.rate
        return {
            "algorithmic": self.algorithmic * ms,
            "resampler": self.resampler * ms,
            "buffers": (self.pipelining + self.device) * ms,
            "inserts": self.inserts * ms,
            "total": (self.engine + self.device) * ms,
        }


@dataclass
class Transport:
    """Position of a file input, in seconds of the file. ``warnings``: problems of the file, one sentence each.

    For a stem file that plays its own stems, ``titles`` has the name of each (maybe empty) and ``colours`` those that have one
    (``#rrggbb``), by their strips.
    ``tempo``: beats a minute of MIDI clock, Link and echoes, whatever the input is.
    """

    path: str = ""
    playing: bool = False
    position_s: float = 0.0
    length_s: float = 0.0
    loop: tuple[float, float] | None = None
    analysed_s: float = 0.0
    warnings: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    colours: dict[str, str] = field(default_factory=dict)
    tempo: float = 120.0


@dataclass
class RemoteReport:
    """State of the OSC server.

    Attributes:
        address: where it listens, empty without one. ``clients``: who hears of changes.
        received: messages so far. ``refused``: those that were no message or could not be carried out.
        message: one sentence about the last of these, or why there is no server.
    """

    address: str = ""
    clients: list[str] = field(default_factory=list)
    received: int = 0
    refused: int = 0
    message: str = ""


@dataclass
class SyncReport:
    """What others share of tempo and controls.

    Attributes:
        link: whether Ableton Link runs. ``peers``: others in its session. ``beat``: now, while Link or the clock runs.
        outputs: open MIDI outputs. ``ticks``: of the MIDI clock so far. ``jitter_ms``: how late they were sent.
        sent: values sent to controllers' lights and motors.
        message: one sentence about what does not work.
    """

    link: bool = False
    peers: int = 0
    beat: float = 0.0
    outputs: list[str] = field(default_factory=list)
    ticks: int = 0
    jitter_ms: dict[str, float] = field(default_factory=dict)
    sent: int = 0
    message: str = ""


@dataclass
class Recording:
    """State of the recorder. ``error``: why a recording stopped by itself. ``files``: names of the files of a finished recording."""

    active: bool = False
    directory: str = ""
    seconds: float = 0.0
    dropped_blocks: int = 0
    error: str = ""
    files: list[str] = field(default_factory=list)


@dataclass
class Interruption:
    """An interruption of the sound while its engine was restarted.

    Attributes:
        reason: one sentence.
        after_s: seconds of sound before the interruption.
        gap_s: seconds without sound by the wall clock, so far if it still lasts.
    """

    reason: str = ""
    after_s: float = 0.0
    gap_s: float = 0.0


@dataclass
class Meter:
    """Linear peak and RMS of each channel since the previous snapshot; ``clipped`` latches until counters are reset."""

    peak: list[float] = field(default_factory=list)
    rms: list[float] = field(default_factory=list)
    clipped: bool = False


@dataclass
class InstrumentReport:
    """State of the instrument.

    Attributes:
        model: its name, empty without an instrument; ``instruments``: what it can play.
        notes: sounding now. ``keys``: ``[channel, pitch]`` of those whose key is down.
        ``stolen``: notes that gave way to others since the start.
        ports: open MIDI inputs. ``midi``: a sentence if one is missing.
        received: MIDI messages so far. ``misses``: blocks that were not ready in time.
        late: messages that came too late for their sample. ``dropped``: messages lost because too many arrived at once.
        load: rendering time over the time rendered. ``delay_ms``: from a message to its sample.
        learning: the control that waits for a MIDI controller. ``primed``: share of the notes that are in the note cache.
        state: the present settings.
        slot: what is known of the plugin that plays; its ``plugin`` is empty while a model plays.
    """

    model: str = ""
    instruments: list[str] = field(default_factory=list)
    notes: int = 0
    keys: list[list[int]] = field(default_factory=list)
    stolen: int = 0
    ports: list[str] = field(default_factory=list)
    midi: str = ""
    received: int = 0
    misses: int = 0
    late: int = 0
    dropped: int = 0
    load: dict[str, float] = field(default_factory=lambda: {"p50": 0.0, "p99": 0.0})
    delay_ms: float = 0.0
    learning: str = ""
    primed: float = 1.0
    state: InstrumentState = field(default_factory=InstrumentState)
    slot: InsertReport = field(default_factory=InsertReport)


@dataclass(frozen=True)
class TapAudio:
    """Sound that an engine has played, for displays. It is passed through a shared file (``rtaudio/tap``), never as JSON.

    Attributes:
        rate: Hz. ``start``: position of the first frame since the engine began.
        frames: ``(n, channels)``.
        life: identifies the engine process; positions of different engines are unrelated.
    """

    rate: int
    start: int
    frames: Audio
    life: str


@dataclass
class Snapshot:
    """The engine's report.

    ``state``: ``starting``, ``running``, ``stalled`` (no callbacks), ``waiting`` (for a device), ``stopped``, ``finished`` (a file ended).
    ``message`` is one sentence for the user. ``xruns`` counts those of the host, ``misses`` blocks for which the model was late.
    ``dsp_load`` is callback time over block time. ``model_load`` is worker time over the time that the worker is given
    (``latency.pipelining``); its ``own`` is the mean of the last half second, without the processor time of other programs.
    ``recordings`` are the finished ones, with their files; ``recording`` is the present or the last one. After a restart ``frames``,
    ``xruns``, ``misses`` and the instrument's counters are sums over all engines since the settings were last changed, and
    ``interruptions`` lists the gaps between engines.
    ``offer``: a longer deadline in ms (by one block) that would prevent misses; 0 if none is needed.
    ``resting``: nothing sounds and nothing changes; reports then come a few times a second.
    ``inserts``: what is in the slots of each strip, of ``master`` and of ``input``, where there is anything.
    ``tap`` is the file through which the engine's sound can be read (see ``Session.hear``), empty where there is none.
    ``remote`` is the OSC server, ``sync`` what is shared of tempo and controls.
    """

    sequence: int = 0
    time: float = 0.0
    state: str = "starting"
    message: str = ""
    rate: int = 0
    block: int = 0
    port: str = ""
    frames: int = 0
    xruns: int = 0
    misses: int = 0
    dsp_load: dict[str, float] = field(default_factory=lambda: {"p50": 0.0, "p99": 0.0})
    model_load: dict[str, float] = field(default_factory=lambda: {"p50": 0.0, "p99": 0.0})
    ring_fill: int = 0
    latency: Latency = field(default_factory=Latency)
    realtime: str = ""
    limiter_db: float = 0.0
    meters: dict[str, Meter] = field(default_factory=dict)
    master: Meter = field(default_factory=Meter)
    transport: Transport = field(default_factory=Transport)
    recording: Recording = field(default_factory=Recording)
    recordings: list[Recording] = field(default_factory=list)
    mixer: MixerState = field(default_factory=MixerState)
    instrument: InstrumentReport = field(default_factory=InstrumentReport)
    inserts: dict[str, list[InsertReport]] = field(default_factory=dict)
    restarts: int = 0
    interruptions: list[Interruption] = field(default_factory=list)
    offer: float = 0.0
    resting: bool = False
    tap: str = ""
    remote: RemoteReport = field(default_factory=RemoteReport)
    sync: SyncReport = field(default_factory=SyncReport)


@dataclass(frozen=True)
class Command:
    """One order to the engine: ``op`` from ``OPERATIONS`` with its arguments."""

    op: str
    args: dict[str, Any] = field(default_factory=dict)


OPERATIONS: dict[str, tuple[str, ...]] = {
    "set_stem": ("stem", "field", "value"),  # field of StemState
    "set_mixer": ("field", "value"),  # field of MixerState other than stems
    "set_inserts": ("strip", "inserts"),  # all slots of a strip, "master" or "input": a list of InsertState as dicts
    "bypass_insert": ("strip", "key", "bypass"),
    "set_parameter": ("strip", "key", "parameter", "value"),  # of an insert, in the parameter's unit
    "restart_insert": ("strip", "key"),  # load it afresh, after a failure
    "open_editor": ("strip", "key"),  # the plugin's own window; strip and key "instrument" in these three: the plugin that MIDI plays
    "play": (),
    "pause": (),
    "seek": ("position_s",),
    "set_loop": ("start_s", "end_s"),  # both None ends the loop
    "set_tempo": ("bpm",),
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
    """A dataclass of this module as plain JSON values."""
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

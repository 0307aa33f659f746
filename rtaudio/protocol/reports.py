"""What an engine reports about itself, thirty times a second: snapshots and their parts. Losing one is harmless."""

from __future__ import annotations

from dataclasses import dataclass, field

from rtaudio.audio.format import Audio
from rtaudio.protocol.settings import InstrumentState, MixerState

SILENT_PORT = "a clock without sound card"
"""Name of the port that discards its output."""
FULL_SPEED = "full speed"
"""Prefix of the name of a port that runs at full speed, without waiting for a clock."""


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
    ``speed``: the song's tempo as a ratio to its own. ``key``: semitones by which its pitched stems are transposed.
    ``beats``: how many beats of the song the click knows. ``counting``: whether the song waits for the end of its count-in.
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
    speed: float = 1.0
    key: float = 0.0
    beats: int = 0
    counting: bool = False


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
    ``elapsed``: seconds by the clock from the engine's first callback to the latest one.
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
    elapsed: float = 0.0
    remote: RemoteReport = field(default_factory=RemoteReport)
    sync: SyncReport = field(default_factory=SyncReport)

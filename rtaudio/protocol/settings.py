"""What the user sets: the configuration of an engine, its mixer, inserts and instrument.

They are values that can be saved, and sent to a fresh engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from models.catalog import default_separator

DEFAULT_MODEL = default_separator()


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
    ``click`` sounds at the beats, at ``click_db``, past the mix (``rtaudio.engine.click``); ``count_in`` is the number of bars of it
    before a song starts.
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
    click: bool = False
    click_db: float = -6.0
    count_in: float = 0.0


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
        link: share tempo and beat with other programs on the network through Ableton Link. ``link_start``: start and stop, too.
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
    link_start: bool = False

"""Builds an engine from a configuration: chooses port, source and processor. The only module that knows all kinds of each.

Importing this module loads no audio library; building an engine does. It runs in the main thread of the engine process.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from models.names import is_file
from rtaudio.audio.format import StemplayError, StreamFormat
from rtaudio.control.model_timing import given_frames
from rtaudio.engine.engine import Engine, stream_plan
from rtaudio.engine.recorder import Recorder
from rtaudio.files.sound_file import open_reader
from rtaudio.files.tempo_player import TempoPlayer
from rtaudio.plugins.registry import load_insert
from rtaudio.ports.base import DeviceMissingError, Port
from rtaudio.ports.computer import computer_device
from rtaudio.ports.devices import Device, default_device, find_device, query_here
from rtaudio.processors.base import Processor
from rtaudio.processors.own_stems import OwnStems
from rtaudio.protocol.checks import is_device, is_input_file, is_output_file, plays_own_stems
from rtaudio.protocol.controls import COMPUTER
from rtaudio.protocol.settings import EngineConfig, InstrumentState, MixerState
from rtaudio.protocol.strips import strip_names

if TYPE_CHECKING:
    from rtaudio.instrument.midi_dispatcher import MidiDispatcher

DEFAULT_RATE = 44_100
NO_DEVICE = (
    "There is no sound card and no JACK server, so nothing is heard. Connect a sound card or start JACK, and start again. "
    "Recording, export and output to a file work without one."
)


def resolve(config: EngineConfig) -> tuple[EngineConfig, str]:
    """``config`` with every ``default`` replaced by a device and no model for a stem file, and a sentence if nothing will be heard.

    ``default`` as output is the sound card, then the JACK server, then ``null``; as input the device of the same kind.

    Raises:
        DeviceMissingError: a device given by name is missing.
        StemplayError: the input file does not exist.
    """
    if plays_own_stems(config):
        config = replace(config, model="none", look_ahead=0.0)
    file_input = is_input_file(config.input)
    if file_input and not is_file(config.input):
        raise StemplayError(f"There is no file {config.input!r}.")
    live = not file_input and config.input != "none"
    if not is_device(config.output):
        return (_resolve_capture(config) if live else config), ""
    try:
        devices = _devices(config.client_name)
        heard = _with_others(devices) if config.input == COMPUTER and config.output == "default" else devices
        out = _pick(config.output, heard, output=True)
    except DeviceMissingError:
        if config.output != "default" or (live and config.input != "default"):
            raise
        devices, out = [], None
    if out is None:
        if live and config.input != "default":
            _pick(config.input, devices, output=False)
            return replace(config, output="null"), NO_DEVICE
        return replace(config, output="null", input=config.input if file_input else "none"), NO_DEVICE
    if not live:
        return replace(config, output=out.label), ""
    same = [device for device in devices if device.host_api == out.host_api]
    source = _pick(config.input, same, output=False) if config.input == "default" else None
    source = source or _pick(config.input, devices, output=False)
    if source is None:
        return (
            replace(config, output=out.label, input="none"),
            f"{out.label} plays, but there is no input device beside it.",
        )
    return replace(config, output=out.label, input=_named(config, source)), ""


def _resolve_capture(config: EngineConfig) -> EngineConfig:
    """Resolve a live input without an output device. With ``null`` as output, ``default`` is silence if there is no input device."""
    wanted = config.input != "default" or config.output != "null"
    try:
        source = _pick(config.input, _devices(config.client_name), output=False)
    except StemplayError:
        if wanted:
            raise
        source = None
    if source is None and wanted:
        raise DeviceMissingError("There is no input device.")
    return replace(config, input=_named(config, source) if source is not None else "none")


def _named(config: EngineConfig, source: Device) -> str:
    """How a resolved configuration names its input: what the computer plays is more than the device through which it comes."""
    return COMPUTER if config.input == COMPUTER else source.label


def _with_others(devices: list[Device]) -> list[Device]:
    """The devices on whose server our own sound can be told from that of others; all where there is no such server."""
    return [device for device in devices if "JACK" in device.host_api] or devices


def _devices(client_name: str) -> list[Device]:
    from rtaudio.ports.portaudio import load_portaudio  # imported late, because it starts the audio library

    load_portaudio(client_name)
    return query_here()


def _pick(text: str, devices: list[Device], *, output: bool) -> Device | None:
    if text == COMPUTER and not output:
        return computer_device(devices)
    return default_device(devices, output=output) if text == "default" else find_device(text, devices, output=output)


def open_port(config: EngineConfig, file_rate: int | None = None) -> Port:
    """The port of a resolved configuration. ``file_rate`` is the rate of a file input, used if no device determines the rate."""
    widest = max([2, *(channel for channels in config.routing.values() for channel in channels)])
    live = config.input != "none" and not is_input_file(config.input)
    devices = _devices(config.client_name) if live or is_device(config.output) else []
    source = _pick(config.input, devices, output=False) if live else None
    others = config.input == COMPUTER
    common: dict[str, Any] = {
        "in_channels": max((2, *config.input_channels)),
        "out_channels": widest,
        "client_name": config.client_name,
    }
    path = config.output if is_output_file(config.output) else None
    if is_device(config.output):
        from rtaudio.ports.portaudio import PortAudioPort

        out = find_device(config.output, devices, output=True)
        listen_to = str(source.index) if source is not None else None
        return PortAudioPort(str(out.index), listen_to, config.rate, config.block, others=others, collect=True, **common)
    if source is not None:
        from rtaudio.ports.capture import CapturePort

        return CapturePort(str(source.index), config.rate, config.block, path=path, others=others, **common)
    from rtaudio.ports.clock import ClockPort

    rate = config.rate or file_rate or DEFAULT_RATE
    return ClockPort(rate, config.block, channels=widest, path=path, paced=config.paced)


def make_dispatcher(config: EngineConfig, state: InstrumentState, port: Port, channels: int) -> MidiDispatcher | None:
    """The instrument of a configuration, or None without one. Raises StemplayError if it cannot be loaded."""
    if not config.instrument:
        return None
    from rtaudio.instrument.midi_dispatcher import MidiDispatcher

    return MidiDispatcher(config, state, port.rate, channels, max(1, port.max_block), port.realtime)


def build_engine(config: EngineConfig, mixer: MixerState, instrument: InstrumentState | None = None) -> Engine:
    """Build an engine that is ready to start. Slow, because it loads the model. A missing device is reported before that.

    Raises:
        DeviceMissingError: a device is missing; it may be connected later.
        StemplayError: the configuration cannot be played.
    """
    from rtaudio.processors.factory import (
        make_processor,  # imported late, because it loads ONNX Runtime
    )

    config, _ = resolve(config)
    from_file = is_input_file(config.input)
    file_rate = None
    if from_file:
        with open_reader(config.input) as reader:
            file_rate = reader.rate
    port = open_port(config, file_rate)
    try:
        own = plays_own_stems(config)
        processor = OwnStems() if own else make_processor(config.model, config.consistent, config.look_ahead)
        source = TempoPlayer(config.input, port.rate, 2, config.loop, own_stems=own) if from_file else None
        if source is not None:
            source.waits = not port.realtime
        channels = source.channels if source is not None else 1 if port.in_channels == port.out_channels == 1 else 2
        dispatcher = make_dispatcher(config, instrument or InstrumentState(), port, channels)
        recorder = Recorder(port.rate, channels, strip_names(processor.outputs, dispatcher is not None))
        analysis = _analysis(config, source, port) if source is not None else None
        fmt, align = stream_plan(port, source)
        deadline = 0
        if config.deadline or port.realtime:
            deadline = given_frames(config, processor, fmt, align)
        return Engine(
            config,
            copy.deepcopy(mixer),
            port=port,
            processor=processor,
            source=source,
            recorder=recorder,
            analysis=analysis,
            dispatcher=dispatcher,
            deadline=deadline,
            load_insert=load_insert,
        )
    except Exception:
        port.close()
        raise


def _analysis(config: EngineConfig, source: TempoPlayer, port: Port):  # type: ignore[no-untyped-def]
    """Background analysis of a song in real time, for exact seeks; otherwise None."""
    if not config.analyse or config.model == "none" or not port.realtime:
        return None
    from rtaudio.engine.song_analysis import SongAnalysis
    from rtaudio.inference.runtime import ModelRuntime
    from rtaudio.processors.factory import make_separator

    runtime = ModelRuntime(config.model)
    fmt = StreamFormat(port.rate, source.channels, port.max_block)

    def processor() -> Processor:
        return make_separator(runtime.sibling(), config.consistent, look_ahead_ms=config.look_ahead)

    return SongAnalysis(processor, source.samples, fmt, align=port.block)

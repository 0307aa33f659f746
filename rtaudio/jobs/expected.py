"""Checks settings without applying them: the expected latency, or why they are impossible."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models.card import CardError, ModelCard
from models.catalog import load_card
from rtaudio.audio.format import Audio, StemplayError, StreamFormat
from rtaudio.control.engine_factory import open_port, resolve
from rtaudio.control.model_timing import Needed, given_frames, needed
from rtaudio.engine.deadline_misses import NEAR
from rtaudio.files.sound_file import open_reader
from rtaudio.jobs import Facts, Report
from rtaudio.ports.base import Port
from rtaudio.processors.base import Processor
from rtaudio.processors.factory import make_processor, make_separator
from rtaudio.processors.frame_model import STEM_KINDS
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.checks import check_config, is_input_file, is_output_file
from rtaudio.protocol.messages import from_dict, to_dict
from rtaudio.protocol.reports import Latency
from rtaudio.protocol.settings import EngineConfig


class CardModel:
    """A FrameModel with the hop, rate and delay of a causal model's card, which cannot run. It serves to compute the latency."""

    def __init__(self, card: ModelCard) -> None:
        self.name, self.rate, self.channels, self.outputs = card.name, card.sample_rate, card.channels, card.outputs
        self.shares, self.hop, self.window, self.delay = card.shares, card.hop, card.hop, card.latency

    def run(self, mix: Audio) -> Audio:
        raise RuntimeError("A model's card cannot run.")

    def reset(self) -> None: ...
    def warm_up(self) -> None: ...
    def get_state(self) -> Facts:
        return {}

    def set_state(self, state: Facts) -> None: ...


def latency(report: Report, config: dict[str, Any]) -> Facts:
    """The latency of ``config`` as the engine would report it, and the devices that ``default`` means.

    ``warning``: a sentence if the model does not fit the block size or the deadline; else empty.

    Raises:
        DeviceMissingError, StemplayError: the settings are impossible.
    """
    wanted = from_dict(EngineConfig, config)
    check_config(wanted)
    meant, remark = resolve(replace(wanted, output="null") if is_output_file(wanted.output) else wanted)
    file_rate, channels = None, 0
    if is_input_file(meant.input):
        with open_reader(meant.input) as reader:
            file_rate, channels = reader.rate, 2
    port = open_port(meant, file_rate)
    try:
        expected, warning = compose(port, meant, channels)
    finally:
        port.close()
    return {
        "latency": to_dict(expected), "ms": expected.milliseconds(), "rate": port.rate, "block": port.device_block or port.max_block,
        "input": meant.input, "output": meant.output, "port": port.name, "remark": remark, "warning": warning,
    }  # fmt: skip


def compose(port: Port, config: EngineConfig, channels: int = 0) -> tuple[Latency, str]:
    """Hop, resampler, pipelining and device of ``config`` on a port that is not started, as ``rtaudio.engine.pipeline`` composes them, and
    a warning.

    In real time the model is timed under the present load of the machine; otherwise nothing runs.
    """
    measured = measures(config.model, config.look_ahead)  # raises for models that are not separators
    timed = port.realtime and config.model != "none"
    processor = make_processor(config.model, config.consistent, config.look_ahead) if timed else measured
    mono = port.in_channels == port.out_channels == 1
    fmt = StreamFormat(port.rate, channels or (1 if mono else 2), max(1, port.max_block))
    processor.prepare(fmt)
    if port.block:
        processor.align(port.block)
    found = needed(processor, fmt, port.block) if timed else Needed(fmt.block)
    chosen = config.deadline > 0 or (port.realtime and not timed)
    given = given_frames(config, processor, fmt, port.block) if chosen else found.frames
    device = port.expected_latency()
    buffers = given + port.pipelining
    latency = Latency(processor.algorithmic_latency, processor.resampler_latency, buffers, device, port.rate)
    return latency, misfit(config.model, found, given, fmt)


def misfit(model: str, found: Needed, given: int, fmt: StreamFormat) -> str:
    """A warning if the model does not fit the settings, or an empty string."""
    ms = 1000 / fmt.rate
    if found.share >= NEAR:
        return (
            f"{model} is too slow for this machine at blocks of {fmt.block} frames: it needs {found.share:.0%} of the time, measured now. "
            "Parts of the sound would play unseparated. Choose a larger block or another model."
        )
    if given < found.frames:
        return (
            f"{model} needs {found.frames * ms:.1f} ms at blocks of {fmt.block} frames, measured now; its deadline is {given * ms:.1f} ms: "
            "parts of the sound would play unseparated."
        )
    return ""


def measures(model: str, look_ahead_ms: float = 0.0) -> Processor:
    """A processor with the latency of ``model``. Raises StemplayError if there is no such separator, or if it cannot be refined."""
    if model == "none":
        return Passthrough()
    try:
        card = load_card(model)
    except CardError as error:
        raise StemplayError(str(error)) from None
    if card.kind not in STEM_KINDS:
        raise StemplayError(f"The model {card.name!r} is of kind {card.kind}, not a separator or enhancer.")
    return make_separator(CardModel(card) if card.states else model, look_ahead_ms=look_ahead_ms)

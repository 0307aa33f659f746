"""What settings would do, found out without starting anything: the latency to expect, or why they are impossible."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models.card import CardError, ModelCard
from models.catalog import load_card
from rtaudio.audiofile import open_reader
from rtaudio.build import make_processor, open_port, resolve
from rtaudio.desired import check_config, is_input_file, is_output_file
from rtaudio.format import Audio, StemplayError, StreamFormat
from rtaudio.jobs import Facts, Report
from rtaudio.messages import EngineConfig, Latency, from_dict, to_dict
from rtaudio.ports.base import Port
from rtaudio.processors.base import Processor
from rtaudio.processors.passthrough import Passthrough
from rtaudio.processors.separator import SeparatorProcessor
from rtaudio.timing import given_frames


class CardModel:
    """A FrameModel that has the measures of a causal model's card and never runs: all that latency depends on."""

    def __init__(self, card: ModelCard) -> None:
        self.name, self.rate, self.channels, self.outputs = card.name, card.sample_rate, card.channels, card.outputs
        self.shares, self.hop, self.window, self.delay = card.shares, card.hop, card.hop, card.latency

    def run(self, mix: Audio) -> Audio:
        raise RuntimeError("A card makes no sound.")

    def reset(self) -> None: ...
    def warm_up(self) -> None: ...
    def get_state(self) -> Facts:
        return {}

    def set_state(self, state: Facts) -> None: ...


def latency(report: Report, config: dict[str, Any]) -> Facts:
    """The composed latency of ``config``, as the engine would report it, and what ``default`` means in it.

    Raises:
        DeviceMissingError, StemplayError: the settings are impossible; one sentence.
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
        expected = compose(port, meant, channels)
    finally:
        port.close()
    return {
        "latency": to_dict(expected), "ms": expected.milliseconds(), "rate": port.rate, "block": port.max_block,
        "input": meant.input, "output": meant.output, "port": port.name, "remark": remark,
    }  # fmt: skip


def compose(port: Port, config: EngineConfig, channels: int = 0) -> Latency:
    """Hop, resampler, pipelining and device of ``config`` on a port that is not started, as ``rtaudio.pipeline`` composes them.

    Where the time for the model is to be measured, it is, with what else the machine does now; else nothing runs.
    """
    timed = port.realtime and not config.deadline
    if timed:
        measures(config.model, config.look_ahead)  # refuses what is no separator
        processor = make_processor(config.model, config.consistent, config.look_ahead)
    else:
        processor = measures(config.model, config.look_ahead)
    mono = port.in_channels == port.out_channels == 1
    fmt = StreamFormat(port.rate, channels or (1 if mono else 2), max(1, port.max_block))
    processor.prepare(fmt)
    if port.block:
        processor.align(port.block)
    given = given_frames(config, processor, fmt, port.block) if timed or config.deadline else fmt.block
    device = port.expected_latency()
    return Latency(processor.algorithmic_latency, processor.resampler_latency, given, device, port.rate)


def measures(model: str, look_ahead_ms: float = 0.0) -> Processor:
    """A processor with the latency of ``model``. Raises StemplayError if there is no such separator, or it cannot look ahead."""
    if model == "none":
        return Passthrough()
    try:
        card = load_card(model)
    except CardError as error:
        raise StemplayError(str(error)) from None
    if card.kind != "separator":
        raise StemplayError(f"The model {card.name!r} is of kind {card.kind}, not a separator.")
    return SeparatorProcessor(CardModel(card) if card.states else model, look_ahead_ms=look_ahead_ms)

"""Times a separator's hop on this machine, paced as in use and back to back, beside its two lower bounds (``bounds``)."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.card import ModelCard
from rtaudio.audio.format import StreamFormat
from rtaudio.bench.bounds import frame_operations
from rtaudio.bench.live import LOOK_AHEAD
from rtaudio.bench.machine import Machine
from rtaudio.bench.timing import ROUNDS, back_to_back, paced
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.processors.factory import make_frame_model, make_separator, refined_ms
from rtaudio.processors.frame_model import FrameModel


@dataclass(frozen=True)
class ModelCost:
    """Times of a frame (one hop) in ms, on one thread.

    Attributes:
        timing_only: the weights are random, for timing only.
        paced_*: one hop in each hop period, as in use; ``back_to_back_*``: one hop after the other.
        processor_p50_ms: back to back, including the sharing of the residual.
        refining_ms: p50 of the time that a look-ahead of 17.4 ms adds to a hop; None for models that cannot be refined.
        rtf: back to back p50 divided by the hop's length.
        **_bound_ms, ratio_*: see ``bounds``; None for unknown networks. ``ratio_to_bound``: p50 divided by the larger bound.
        rounds: of the timing that needed most; ``stable``: whether the p99 of every timing is stable.
        spread: the noise of each time, as a share (``Timing``).
    """

    name: str
    precision: str
    parameters: int
    size: int
    hop: int
    hop_ms: float
    timing_only: bool
    back_to_back_p50_ms: float
    back_to_back_p99_ms: float
    paced_p50_ms: float
    paced_p99_ms: float
    paced_p99_of_hop: float
    processor_p50_ms: float
    refining_ms: float | None
    rtf: float
    compute_bound_ms: float | None
    weights_bound_ms: float
    ratio_to_compute: float | None
    ratio_to_weights: float
    ratio_to_bound: float
    rounds: int
    stable: bool
    spread: dict[str, float]


def measure_model(model: str | Path, machine: Machine, seconds: float = 3.0, rounds: int = ROUNDS) -> ModelCost:
    """Time the frames of one model in rounds of about ``seconds`` (a third of it back to back). Raises StemplayError."""
    runtime = ModelRuntime(model)
    card = runtime.card
    period = card.hop / card.sample_rate
    frames = _noise(card)
    state = {"k": 0}

    def frame() -> None:
        runtime.run(frames[state["k"] % len(frames)])
        state["k"] += 1

    runtime.warm_up()
    gc.collect()
    gc.disable()
    refining_s = None
    try:
        timed = {
            "paced": paced(frame, period, seconds, rounds),
            "back_to_back": back_to_back(frame, seconds / 3, rounds),
            "processor": back_to_back(_processor_call(make_frame_model(runtime.sibling()), frames), seconds / 3, rounds),
        }
        if card.refinable:
            refining_s = _refining(make_frame_model(runtime.sibling()), frames, seconds)
    finally:
        gc.enable()
    operations = frame_operations(card)
    compute = operations / machine.gflops / 1e6 if operations else None
    weights = card.size / machine.read_gb_s / 1e6
    p50 = 1000 * timed["back_to_back"].p50
    p99 = 1000 * timed["paced"].p99
    noise = {f"{name}_p50_ms": t.p50_spread for name, t in timed.items()}
    noise |= {f"{name}_p99_ms": timed[name].p99_spread for name in ("paced", "back_to_back")}
    return ModelCost(
        name=card.name,
        precision=card.precision,
        parameters=card.parameters,
        size=card.size,
        hop=card.hop,
        hop_ms=1000 * period,
        timing_only=bool(card.training.get("timing_only", False)),
        back_to_back_p50_ms=p50,
        back_to_back_p99_ms=1000 * timed["back_to_back"].p99,
        paced_p50_ms=1000 * timed["paced"].p50,
        paced_p99_ms=p99,
        paced_p99_of_hop=p99 / 1000 / period,
        processor_p50_ms=1000 * timed["processor"].p50,
        refining_ms=1000 * refining_s if refining_s is not None else None,
        rtf=p50 / 1000 / period,
        compute_bound_ms=compute,
        weights_bound_ms=weights,
        ratio_to_compute=p50 / compute if compute else None,
        ratio_to_weights=p50 / weights,
        ratio_to_bound=p50 / max(weights, compute or 0.0),
        rounds=max(t.rounds for t in timed.values()),
        stable=all(t.stable for t in timed.values()),
        spread=noise,
    )


def _noise(card: ModelCard) -> list[Any]:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal((card.hop, card.channels)) * 0.1).astype(np.float32) for _ in range(16)]


def _processor_call(model: FrameModel, frames: list[Any]) -> Callable[[], object]:
    """Time a frame in the whole processor, including the sharing of the residual."""
    processor = make_separator(model)
    processor.prepare(StreamFormat(model.rate, model.channels, min(model.hop, 1 << 16)))
    return lambda: processor.process(frames[0])


def _refining(model: FrameModel, frames: list[Any], seconds: float) -> float:
    """Median seconds of a refined hop without the model's own time, back to back.

    The model's time is measured within each call, because the machine's speed may change between two separate runs.
    """
    refined, run = refined_ms(model, LOOK_AHEAD), model.run
    inside: list[float] = [0.0]
    spent: list[float] = []

    def timed(mix: Any) -> Any:
        started = time.perf_counter()
        stems = run(mix)
        inside[0] = time.perf_counter() - started
        return stems

    model.run = timed  # type: ignore[method-assign]
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(spent) < 20:
        started = time.perf_counter()
        refined.run(frames[len(spent) % len(frames)])
        spent.append(time.perf_counter() - started - inside[0])
    return float(np.median(spent))

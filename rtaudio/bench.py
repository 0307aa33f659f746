"""What a model costs on this machine: time of a frame, paced as in use and back to back, beside two lower bounds.

Both bounds are measured in the same run, on one thread: *compute*, the network's multiplications at the speed of a large
float32 matrix product; *weights*, the bytes of the weights at the speed at which memory is read. A frame cannot beat the
larger one, unless the weights stay in a cache (small networks) or are multiplied as 8-bit integers (int8 networks).

The thread that calls does everything; a child process measures the bounds, because the number of threads of a BLAS is fixed
when numpy is imported.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.card import ModelCard
from rtaudio.format import StreamFormat
from rtaudio.processors.separator import SeparatorProcessor
from rtaudio.runtime import ModelRuntime

ROOT = Path(__file__).resolve().parents[1]
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_MEMORY_FLOATS = 64 << 20  # 256 MiB: larger than any cache
_GEMM = 512


@dataclass(frozen=True)
class Machine:
    """Speed of one thread: float32 matrix products, and reading memory."""

    gflops: float
    read_gb_s: float
    load: float | None
    """Processes that wanted to run in the last minute, ours included; above the number of cores the times are worth little."""


@dataclass(frozen=True)
class ModelCost:
    """Times in ms a frame (one hop). ``timing_only``: random weights, made for the clock and not for ears."""

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
    rtf: float
    compute_bound_ms: float | None
    weights_bound_ms: float
    ratio_to_compute: float | None
    ratio_to_weights: float


def layer_sizes(config: dict[str, Any]) -> list[tuple[int, int, int]]:
    """The matrix products of one frame of a causal Demucs: (rows, inner size, columns), from the configuration in its card."""
    depth, stride, kernel = config["depth"], config["stride"], config["kernel"]
    limit = config["max_channels"] or 1 << 30
    hidden = [min(int(config["channels"] * config["growth"] ** i), limit) for i in range(depth)]
    widths = [config["audio_channels"], *hidden]
    gate = {"glu": 2, "relu": 1}
    sizes = []
    for i in range(depth):
        rows, narrow, wide = stride ** (depth - 1 - i), widths[i], widths[i + 1]
        sizes.append((rows, kernel * narrow, wide))
        if config["encoder_mix"]:
            sizes.append((rows, wide, wide * gate[config["encoder_activation"]]))
        sizes.append((rows, config["decoder_context"] * wide, wide * gate[config["decoder_activation"]]))
        out = narrow if i else config["audio_channels"] * len(config["sources"])
        sizes.append((rows, wide, kernel * out))
    sizes += [(1, 2 * widths[-1], 4 * widths[-1])] * config["lstm_layers"]
    if config.get("outer_lstm"):
        sizes += [(1, 2 * widths[-2], 4 * widths[-2])] * (stride * config["lstm_layers"])
    return sizes


def mask_sizes(config: dict[str, Any]) -> list[tuple[int, int, int]]:
    """The matrix products of one call of causal masks (``models.masks``); transforms are fast and left out."""
    rate, bands, centre = config["sample_rate"], 1, 0.0
    while centre < rate / 2:
        centre, bands = centre + max(config["spacing"], centre / config["q"]), bands + 1
    hidden, spread, local, wide = (config[name] for name in ("hidden", "spread", "local", "band_hidden"))
    outputs, views = config["audio_channels"] * len(config["sources"]), 4
    bins, seen = config["window"] // 2 + 1, config["seen_window"] // 2 + 1
    frames = config.get("call_frames", 1)
    ahead = [(1, hidden, frames * hidden), (bands, 5 * views, frames * local)] if frames > 1 else []
    frame = [
        (views, seen, bands),
        (1, views * bands, hidden),
        *[(1, 2 * hidden, 4 * hidden)] * config["layers"],
        (1, 2 * hidden, hidden),
        (1, hidden, bands * spread),
        (bands, 5 * views, local),
        (bands, local + spread + views, wide),
        (bands, wide, 2 * outputs),
        (4 * outputs, bands, bins),
        (2 * outputs, 2 * bins, config["hop_length"]),
    ]
    return [*frame * frames, *ahead]


def network_sizes(network: str, config: dict[str, Any]) -> list[tuple[int, int, int]]:
    """The matrix products of one hop of a network by its class. Raises KeyError for one that is not known here."""
    if network == "CausalMasks":
        return mask_sizes(config)
    waves = layer_sizes(config)
    if network == "CausalDemucs":
        return waves
    if network != "HybridDemucs":
        raise KeyError(network)
    frames = config.get("call_frames", 1)
    calls = config["hop_length"] * frames // config["stride"] ** config["depth"]
    link = (frames, config["hidden"], waves[-1][2] // 4)
    return [*waves * calls, *mask_sizes(config), link]


def frame_operations(card: ModelCard) -> int | None:
    """Multiplications and additions of one frame; None if the card is of a network whose sizes are not known here."""
    try:
        sizes = network_sizes(card.training["network"], card.training["config"])
        return sum(2 * rows * inner * columns for rows, inner, columns in sizes)
    except (KeyError, TypeError):
        return None


def measure_machine() -> Machine:
    """Measure in a child process whose BLAS has one thread; takes a second or two."""
    environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1"), "PYTHONPATH": str(ROOT)}
    code = "import json; from rtaudio.bench import measure_here; print(json.dumps(measure_here()))"
    child = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    gflops, read = json.loads(child.stdout)
    return Machine(gflops, read, os.getloadavg()[0] if hasattr(os, "getloadavg") else None)


def measure_here() -> tuple[float, float]:
    """(GFLOP/s of a matrix product, GB/s of reading memory) of this process, the best of several tries."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((_GEMM, _GEMM)).astype(np.float32) for _ in range(2))
    product = min(times(lambda: a @ b, 30))
    memory = np.ones(_MEMORY_FLOATS, dtype=np.float32)
    half = len(memory) // 2
    reading = min(times(lambda: np.dot(memory[:half], memory[half:]), 5))
    return 2 * _GEMM**3 / product / 1e9, memory.nbytes / reading / 1e9


def measure_model(model: str | Path, machine: Machine, seconds: float = 4.0) -> ModelCost:
    """Time the frames of one model for about ``seconds`` twice: paced, and back to back. Raises StemplayError."""
    runtime = ModelRuntime(model)
    card = runtime.card
    period = card.hop / card.sample_rate
    frames = _noise(card)
    state = {"k": 0}

    def frame() -> None:
        runtime.run(frames[state["k"] % len(frames)])
        state["k"] += 1

    runtime.warm_up()
    count = max(20, round(seconds / period))
    gc.collect()
    gc.disable()
    try:
        paced = times(frame, count, period)
        dense = times(frame, count)
        whole = times(_processor_call(runtime.sibling(), frames), count)
    finally:
        gc.enable()
    operations = frame_operations(card)
    compute = operations / machine.gflops / 1e6 if operations else None
    weights = card.size / machine.read_gb_s / 1e6
    p50 = 1000 * float(np.median(dense))
    paced_p99 = 1000 * float(np.quantile(paced, 0.99))
    return ModelCost(
        name=card.name,
        precision=card.precision,
        parameters=card.parameters,
        size=card.size,
        hop=card.hop,
        hop_ms=1000 * period,
        timing_only=bool(card.training.get("timing_only", False)),
        back_to_back_p50_ms=p50,
        back_to_back_p99_ms=1000 * float(np.quantile(dense, 0.99)),
        paced_p50_ms=1000 * float(np.median(paced)),
        paced_p99_ms=paced_p99,
        paced_p99_of_hop=paced_p99 / 1000 / period,
        processor_p50_ms=1000 * float(np.median(whole)),
        rtf=p50 / 1000 / period,
        compute_bound_ms=compute,
        weights_bound_ms=weights,
        ratio_to_compute=p50 / compute if compute else None,
        ratio_to_weights=p50 / weights,
    )


def _noise(card: ModelCard) -> list[Any]:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal((card.hop, card.channels)) * 0.1).astype(np.float32) for _ in range(16)]


def _processor_call(runtime: ModelRuntime, frames: list[Any]) -> Callable[[], object]:
    """A frame through the whole processor, the sharing of the residual included."""
    processor = SeparatorProcessor(runtime)
    processor.prepare(StreamFormat(runtime.card.sample_rate, runtime.card.channels, min(runtime.card.hop, 1 << 16)))
    return lambda: processor.process(frames[0])


def times(call: Callable[[], object], count: int, period: float = 0.0) -> list[float]:
    """Seconds of each of ``count`` calls; with a ``period``, each waits for its deadline as an audio callback does."""
    call()
    times = []
    deadline = time.perf_counter()
    for _ in range(count):
        if period:
            deadline = max(deadline + period, time.perf_counter())  # late once is not late for ever
            time.sleep(max(0.0, deadline - time.perf_counter()))
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return times


def as_json(
    machine: Machine, costs: list[ModelCost], voices: Sequence[Any] = (), latencies: dict[str, Any] | None = None
) -> str:
    """Everything, rounded to what the clock can tell: separators as ``models``, instruments and the latencies of their notes."""

    def tidy(values: dict[Any, Any]) -> dict[Any, Any]:
        return {
            key: tidy(value)
            if isinstance(value, dict)
            else float(f"{value:.4g}")
            if isinstance(value, float)
            else value
            for key, value in values.items()
        }

    return json.dumps(
        {
            "machine": tidy(asdict(machine)),
            "models": [tidy(asdict(cost)) for cost in costs],
            "instruments": [tidy(asdict(cost)) for cost in voices],
            "note_latency": {name: tidy(asdict(value)) for name, value in (latencies or {}).items()},
        }
    )

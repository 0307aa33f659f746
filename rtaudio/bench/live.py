"""Counts missed blocks: plays each model at each block size on a private JACK server, as a user would.

``python -m rtaudio live --json`` runs in a child process with a song as its input. The results are those that it reports at its end;
nothing is computed again. For each block size, a pass-through (``--model none``) plays before the models for the same time: its misses
are caused by the machine. Without ``jackd``, the engine's own clock requests the blocks instead of a sound server.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.bench.jack_server import JackServer, running, why_no_server
from rtaudio.bench.machine import ROOT
from rtaudio.bench.system_load import SystemLoadMonitor
from rtaudio.system.child_process import child_environment

SONG = ROOT / "demo" / "kimseye.ogg"
BLOCKS = (16, 64, 128, 256, 512, 1024, 2048, 4096)
RATES = (44_100,)
SECONDS = 10.0
LOOK_AHEAD = 17.4
"""Look-ahead of the refined variant in ms, with which the window's default model answers within 23 ms."""
PASS_THROUGH = "none"
DOUBTFUL = 0.005
"""Share of lost time from which the server itself is in doubt."""
PATIENCE_S = 120.0
"""Seconds to wait in addition to those to play, because loading a model on a busy machine takes long."""


@dataclass(frozen=True)
class Played:
    """The report of one run.

    Attributes:
        model: its name or directory; ``look_ahead``: ms, 0 without refinement.
        rate, block: format of the stream; ``server``: ``jack``, or ``clock`` if there is none.
        seconds: duration; ``blocks``: number of blocks. ``misses``: blocks for which the model was late. ``xruns``: those of the server.
        load: shares of its time that the model needed: ``p50``, ``p99``, ``own`` (without the time of other programs).
        latency_ms: the latencies in the report of ``live --json``, including ``total``.
        realtime: the priorities that the engine's threads got; ``message``: the engine's last message.
        steal: share of the processors' time that the host took meanwhile; None if unknown.
        elapsed: seconds by the clock in which ``blocks`` were played.
        server_lost: the share of its time that the server lost without any client, just before; None if unknown.
    """

    model: str
    look_ahead: float
    rate: int
    block: int
    server: str
    seconds: float
    blocks: int
    misses: int
    xruns: int
    load: dict[str, float]
    latency_ms: dict[str, float]
    realtime: str
    message: str
    steal: float | None
    elapsed: float = 0.0
    server_lost: float | None = None

    @property
    def missed(self) -> float:
        """The share of missed blocks."""
        return self.misses / max(1, self.blocks)

    @property
    def lost(self) -> float:
        """The share of ``elapsed`` for which the engine was not asked for sound: the server did not call, or went on without it."""
        return max(0.0, 1 - self.seconds / self.elapsed) if self.elapsed else 0.0


@dataclass(frozen=True)
class Plan:
    """What to play: every rate with every block with every variant, ``(model, look-ahead in ms)``, for ``seconds`` each."""

    variants: Sequence[tuple[str, float]]
    blocks: Sequence[int] = BLOCKS
    rates: Sequence[int] = RATES
    seconds: float = SECONDS
    song: Path = SONG

    def __post_init__(self) -> None:
        if not self.song.is_file():
            raise StemplayError(f"There is no song {str(self.song)!r} to play; name one with --song.")


def play_all(plan: Plan, tell: Callable[[Played], None] = lambda played: None) -> list[Played]:
    """Play the plan, at each rate and block the pass-through first. Calls ``tell`` with each finished run. Raises StemplayError."""
    found = []
    with _sigterm_as_exit():
        for rate in plan.rates:
            for block in plan.blocks:
                with _server(rate, block) as server:
                    lost = server.lost() if server else None
                    for model, look_ahead in [(PASS_THROUGH, 0.0), *plan.variants]:
                        played = play(model, look_ahead, rate, block, plan.seconds, plan.song, server)
                        found.append(replace(played, server_lost=lost))
                        tell(found[-1])
    return found


def play(
    model: str, look_ahead: float, rate: int, block: int, seconds: float, song: Path, server: JackServer | None
) -> Played:
    """One run. Raises StemplayError with the engine's own sentence if it could not play."""
    command = [sys.executable, "-m", "rtaudio", "live", "--json", "--input", str(song), "--loop", "--model", model]
    command += ["--output", "JACK" if server else "null", "--rate", str(rate), "--block", str(block)]
    command += ["--seconds", str(seconds), *(["--look-ahead", str(look_ahead)] if look_ahead else [])]
    environment = child_environment() | (server.environment if server else {})
    watch = SystemLoadMonitor(children=True)
    try:
        child = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + PATIENCE_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise StemplayError(f"{model} at blocks of {block} frames did not end, because the engine hangs.") from None
    if child.returncode:
        said = child.stderr.strip().splitlines()
        reason = said[-1] if said else f"exit code {child.returncode}"
        raise StemplayError(f"{model} could not play blocks of {block} frames at {rate} Hz: {reason}")
    return _from_facts(json.loads(child.stdout), model, look_ahead, "jack" if server else "clock", watch.end().steal)


def _from_facts(facts: dict[str, Any], model: str, look_ahead: float, server: str, steal: float | None) -> Played:
    return Played(
        model=model, look_ahead=look_ahead, rate=facts["rate"], block=facts["block"], server=server,
        seconds=facts["seconds"], blocks=facts["frames"] // max(1, facts["block"]), misses=facts["misses"],
        xruns=facts["xruns"], load=facts["model_load"], latency_ms=facts["latency_ms"], realtime=facts["realtime"],
        message=facts["message"], steal=steal, elapsed=facts["elapsed"],
    )  # fmt: skip


def server_doubts(runs: Sequence[Played]) -> list[str]:
    """A sentence for each format in which the server alone loses sound."""
    lost = {(run.rate, run.block): run.server_lost for run in runs if run.server_lost is not None and run.server_lost >= DOUBTFUL}
    return [
        f"At {rate} Hz and blocks of {block}, the JACK server without any client already lost {share:.1%} of its time: what was missed "
        "there is the machine's own."
        for (rate, block), share in lost.items()
    ]  # fmt: skip


@contextlib.contextmanager
def _server(rate: int, block: int) -> Iterator[JackServer | None]:
    """A private server that does not wait for its clients; None without ``jackd``."""
    if why_no_server():
        yield None
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        running(JackServer(Path(folder), rate, block, synchronous=False)) as up,
    ):
        yield up


@contextlib.contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """Make SIGTERM unwind the stack like Ctrl-C, so that no server is left running."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

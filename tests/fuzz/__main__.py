"""Runs every target in a process of its own and prints a table. Exit status 1 if one of them broke."""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import resource
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOUND = HERE / "found"
"""``found/TARGET/*``: what once broke something."""
HANG_S = 5.0
GROWTH_MB = 200.0
"""More memory than this after all its inputs is a leak."""
PACKAGES = ("rtaudio", "models", "gui", "training")


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("target", nargs="*", help="only these (default: all)")
    parser.add_argument("--runs", type=int, default=10_000, metavar="N", help="inputs of each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser


def seeds(target: str) -> list[bytes]:
    """What was found before, and a few beginnings."""
    kept = [path.read_bytes() for path in sorted((FOUND / target).glob("*"))]
    return [*kept, b"", bytes(range(64)), b"\xff" * 64, b"\x01\x02\x03\x05\x07\x0b" * 8]


def at_random(target: str, runs: int, seed: int) -> Iterable[bytes]:
    """The seeds, then bytes of any length, and the seeds with some of them changed."""
    own = random.Random(seed)
    known = seeds(target)
    yield from known
    for _ in range(max(0, runs - len(known))):
        if own.random() < 0.7:
            yield own.randbytes(own.randrange(4, 80))
        else:
            data = bytearray(own.choice(known) or b"\x00")
            for _ in range(own.randrange(1, 6)):
                data[own.randrange(len(data))] = own.randrange(256)
            yield bytes(data)


class Runner:
    """Counts what a target did, and says what broke it."""

    def __init__(self, target: str) -> None:
        from tests.fuzz.targets import TARGETS

        self.name, self.function = target, TARGETS[target]
        self.runs, self.slowest = 0, 0.0

    def one(self, data: bytes) -> None:
        """One input. Keeps it and raises if the target breaks, or takes longer than ``HANG_S``."""
        began = _work()
        try:
            self.function(data)
        except Exception:
            self._keep(data)
            raise
        spent = _work() - began
        self.runs += 1
        self.slowest = max(self.slowest, spent)
        if spent > HANG_S:
            self._keep(data)
            raise TimeoutError(f"{self.name} took {spent:.1f} s")

    def _keep(self, data: bytes) -> None:
        place = FOUND / self.name
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{hash(data) & 0xFFFFFFFF:08x}").write_bytes(data)


def _work() -> float:
    """Seconds of processor time, of decoders in processes of their own, too: a busy machine is no hang."""
    return sum(os.times()[:4])


def child(target: str, runs: int, seed: int) -> int:
    """One target in this process."""
    guided = importlib.util.find_spec("atheris") is not None
    if guided:
        import atheris

        with atheris.instrument_imports(include=list(PACKAGES)):
            runner = Runner(target)
    else:
        runner = Runner(target)
    for data in seeds(target):
        runner.one(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    try:
        if guided:
            _guided(runner, runs, seed)
        else:
            for data in at_random(target, runs, seed):
                runner.one(data)
    except Exception:
        traceback.print_exc()
        return 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    print(f"RESULT {runner.runs} {runner.slowest:.3f} {grown:.0f} {'coverage' if guided else 'random'}", flush=True)
    return 0 if grown < GROWTH_MB else 1


def _guided(runner: Runner, runs: int, seed: int) -> None:
    """By coverage. libFuzzer ends its process itself, so the result is told from within the last run."""
    import atheris

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def test_one(data: bytes) -> None:
        try:
            runner.one(data)
        except Exception:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        if runner.runs >= runs:
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
            print(f"RESULT {runner.runs} {runner.slowest:.3f} {grown:.0f} coverage", flush=True)
            os._exit(0 if grown < GROWTH_MB else 1)

    arguments = [
        "fuzz",
        f"-seed={seed}",
        "-max_len=256",
        f"-timeout={int(HANG_S) * 60}",
        "-rss_limit_mb=4096",
        "-verbosity=0",
    ]
    atheris.Setup(arguments, test_one)
    atheris.Fuzz()


def main() -> int:
    """Entry point."""
    args = options().parse_args()
    if args.child:
        return child(args.target[0], args.runs, args.seed)
    from tests.fuzz.targets import TARGETS

    unknown = [name for name in args.target if name not in TARGETS]
    if unknown:
        print(f"There is no target {unknown[0]!r}; choose from {', '.join(TARGETS)}.", file=sys.stderr)
        return 2
    print(f"{'target':<14}{'inputs':>8}{'slowest, s':>12}{'grown, MiB':>12}{'seconds':>9}  how", flush=True)
    broken = 0
    for name in args.target or TARGETS:
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz", "--child", name, "--runs", str(args.runs), "--seed", str(args.seed)],
            cwd=HERE.parents[1], capture_output=True, text=True, check=False,
        )  # fmt: skip
        result = next((line.split()[1:] for line in done.stdout.splitlines() if line.startswith("RESULT")), None)
        spent = time.monotonic() - began
        if done.returncode or result is None:
            broken += 1
            print(f"{name:<14}  broke after {spent:.0f} s:\n{done.stderr[-3000:]}", flush=True)
        else:
            inputs, slowest, grown, how = result
            print(f"{name:<14}{inputs:>8}{slowest:>12}{grown:>12}{spent:>9.0f}  {how}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs the soak and tells how it was. Exit status 1 if anything went wrong that no fault excuses."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path

from rtaudio.audio.format import StemplayError
from rtaudio.bench.jack_server import why_no_server
from tests.soak.faults import FAULTS, MAY_SILENCE, places
from tests.soak.stage import ROOT, Stage
from tests.soak.table import Evening, Incident, as_json, markdown
from tests.soak.takes import Takes
from tests.soak.watch import Watch

CALM_S = 3.0
"""The sound is whole again when it has played for so long without a gap."""
PATIENCE_S = 90.0
AUDIBLE_S = 0.2
"""Less is what a busy machine loses by itself; the table tells it all the same."""
GROWTH, SPARE_MB = 1.5, 60.0
"""More memory at the end than this, relative and absolute, is growth."""


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0, metavar="N", help="(default: %(default)s)")
    parser.add_argument(
        "--every", type=float, default=45.0, metavar="S", help="a fault every so many seconds (default: %(default)s)"
    )
    parser.add_argument(
        "--take", type=float, default=40.0, metavar="S", help="length of a recording (default: %(default)s)"
    )
    parser.add_argument("--block", type=int, default=256, metavar="N", help="frames (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the order of faults (default: %(default)s)"
    )
    parser.add_argument("--only", action="append", choices=sorted(FAULTS), help="only this fault; may be repeated")
    parser.add_argument("--song", type=Path, default=ROOT / "demo" / "kimseye.ogg", metavar="FILE")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep everything as JSON")
    return parser


def suffer(stage: Stage, watch: Watch, takes: Takes, name: str, began: float) -> Incident:
    """One fault, from its beginning until the sound is whole again."""
    at, before = time.monotonic(), watch.lost
    problem = FAULTS[name](stage, takes)
    over = time.monotonic()
    calm = max([gap.began + gap.seconds for gap in watch.gaps], default=0.0)
    while time.monotonic() - over < PATIENCE_S:
        calm = max([gap.began + gap.seconds for gap in watch.gaps if gap.began + gap.seconds > at], default=at)
        quiet = watch.silent_for < watch.threshold and time.monotonic() - max(calm, over) > CALM_S
        if quiet and watch.last.state == "running":
            break
        time.sleep(0.05)
    else:
        problem = "; ".join(
            filter(None, [problem, f"no sound {PATIENCE_S:g} s later: {watch.last.state} {watch.last.message}"])
        )
    gap = max(0.0, watch.lost - before)
    if gap > AUDIBLE_S and name not in MAY_SILENCE:
        problem = "; ".join(filter(None, [problem, f"{gap:.2f} s without sound"]))
    return Incident(name, at - began, gap, calm - at, problem)


def run(args: argparse.Namespace, folder: Path) -> Evening:
    """Play for ``args.hours`` with faults."""
    stage = Stage(folder, args.song, args.block, args.seed)
    incidents: list[Incident] = []
    try:
        stage.start()
        watch = Watch(
            stage.session,
            {"engine": lambda: stage.session.engine_pid, "window": lambda: stage.window and stage.window.pid},
        )
        takes = Takes(stage.session, places(folder), args.take)
        began = time.monotonic()
        watch.start()
        takes.start()
        waiting: list[str] = []
        while time.monotonic() - began < args.hours * 3600:
            time.sleep(args.every * stage.random.uniform(0.5, 1.5))
            if not waiting:
                waiting = list(args.only or FAULTS)
                stage.random.shuffle(waiting)
            incidents.append(suffer(stage, watch, takes, waiting.pop(), began))
            last = incidents[-1]
            print(
                f"{last.at / 60:6.1f} min  {last.name:<20} gap {last.gap:5.2f} s, well after {last.recovery:5.1f} s  {last.problem}",
                flush=True,
            )
        takes.stop()
        watch.stop()
        report, seconds = stage.session.snapshot(), time.monotonic() - began
        return Evening(
            seconds, report.frames, report.rate, report.xruns, report.misses, report.frames // args.block, report.restarts, stage.notes,
            watch.lost, incidents, takes.done, watch.held, watch.latencies,
        )  # fmt: skip
    finally:
        stage.stop()


def judge(evening: Evening) -> list[str]:
    """What no fault excuses."""
    found = [f"{i.name}: {i.problem}" for i in evening.incidents if i.problem and not i.problem.startswith("skipped")]
    unfinished = sum(take.unfinished for take in evening.takes)
    if unfinished:
        found.append(f"{unfinished} files were left unfinished")
    if any(take.lengths_differ for take in evening.takes):
        found.append("files of one take differ in length")
    if evening.lost and max(evening.lost) > 0.5:
        found.append(f"{max(evening.lost):.2f} s of a take were lost")
    for name in ("engine", "window"):
        series = [held.memory[name] for held in evening.held if name in held.memory]
        tenth = max(1, len(series) // 10)
        early, late = sorted(series[tenth : 2 * tenth + 1]), sorted(series[-tenth:])
        if (
            early
            and late
            and late[len(late) // 2] > max(GROWTH * early[len(early) // 2], early[len(early) // 2] + SPARE_MB)
        ):
            found.append(f"the {name} grew from {early[len(early) // 2]:.0f} to {late[len(late) // 2]:.0f} MiB")
    return found


def main() -> int:
    """Entry point."""
    args = options().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it early leaves no server behind
    reason = why_no_server()
    if reason:
        print(f"The soak needs a JACK server: {reason}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="stemplay-soak-") as name:
        try:
            evening = run(args, Path(name))
        except StemplayError as error:
            print(str(error), file=sys.stderr)
            return 1
    evening.problems = judge(evening)
    print("\n" + markdown(evening))
    if args.save:
        args.save.write_text(json.dumps(as_json(evening), indent=1))
    return 1 if evening.problems else 0


if __name__ == "__main__":
    sys.exit(main())

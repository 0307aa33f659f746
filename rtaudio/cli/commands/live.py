"""``python -m rtaudio live``: sound in, stems, mixer, sound out, until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import TextIO

from rtaudio.audio.format import StemplayError
from rtaudio.cli.commands.analyse import map_of
from rtaudio.cli.control_options import asked_bpm, asked_speed, greeting, outcome
from rtaudio.cli.live_options import add_arguments, check, configuration, loop_points, mixer_state
from rtaudio.cli.meter_line import MeterLine
from rtaudio.cli.status import status_dict, summary, where
from rtaudio.control.session import Session
from rtaudio.control.supervisor import refused
from rtaudio.protocol.checks import is_input_file
from rtaudio.protocol.messages import command
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import InstrumentState

__all__ = ["HELP", "NAME", "add_arguments", "follow", "run"]

NAME = "live"
HELP = "Separate live sound or a sound file while it plays. Ctrl-C ends it."

NOT_HEARD = "The live input is metered and recorded, but not heard: --monitor plays it. Use headphones then, because loudspeakers may howl."
RECORDINGS = "recordings"
"""Folder of recordings that are started from outside."""
FRAME_S = 1 / 15
"""Seconds between two checks of the engine."""


def run(args: argparse.Namespace) -> int:
    """Play until the end and print the results."""
    config, mixer = configuration(args), mixer_state(args)
    if args.seconds is not None and not args.seconds > 0:
        raise StemplayError(f"--seconds takes a number above 0, not {args.seconds:g}.")
    check(config, args.strict)
    place = InstrumentState(record_folder=os.path.abspath(RECORDINGS), record_format=args.record_format)
    session = Session(config, mixer, place, detached=args.detach)
    session.send(command("set_tempo", bpm=asked_bpm(args)))
    if (speed := asked_speed(args)) is not None:
        session.send(command("set_speed", speed=speed))
    if args.key is not None:
        session.send(command("set_key", semitones=args.key))
    if (args.click or args.count_in) and is_input_file(config.input):
        found = map_of(config.input, quiet=args.json)
        session.send(command("set_beats", beats=found.beats, numbers=found.numbers))
    if args.loop:
        start, end = loop_points(args.loop)
        session.send(command("set_loop", start_s=start, end_s=end))
    if args.record:
        session.send(command("record", directory=args.record, format=args.record_format))
    return _detach(session, args.json) if args.detach else _play(session, args)


def _play(session: Session, args: argparse.Namespace) -> int:
    stream = sys.stderr if args.json else sys.stdout
    try:
        session.start()
        follow(session, args.seconds, stream, adapt=args.adapt)
    except KeyboardInterrupt:
        pass
    finally:
        session.stop()
    report = session.snapshot()
    if args.json:
        print(json.dumps(status_dict(report), ensure_ascii=False))
    else:
        print(" ".join([summary(report), *outcome(report)]))
    return 1 if report.state == "stopped" and report.message else 0


def _detach(session: Session, as_json: bool) -> int:
    session.start()
    if session.joined:
        session.close()
        raise StemplayError("A detached engine is already running; `python -m rtaudio engine --stop` ends it.")
    while (report := session.snapshot()).state in ("starting", "stopped"):
        error = refused(report)
        if error is not None:
            session.stop()
            raise error
        time.sleep(FRAME_S)
    session.stay(True)
    told = status_dict(report) | {"engine_pid": session.engine_pid}
    session.close()
    if _unheard(report):
        print(NOT_HEARD, file=sys.stderr)
    print(json.dumps(told) if as_json else f"{where(report)} It plays on; `python -m rtaudio engine --stop` ends it.")
    return 0


def follow(session: Session, seconds: float | None, stream: TextIO | None = None, adapt: bool = False) -> None:
    """Show the meters until the sound has ended. Raises StemplayError if the engine cannot start.

    Args:
        adapt: apply the longer deadline that the engine offers against misses, and report it.
    """
    line = MeterLine(stream)
    greeted = ""
    warned: list[str] = []
    since: float | None = None
    taken = 0.0
    try:
        while True:
            report = session.snapshot()
            error = refused(report)
            if error is not None and since is None:
                raise error
            if report.transport.warnings != warned:
                warned = report.transport.warnings
                for sentence in warned:
                    line.say(sentence)
            if report.state in ("finished", "stopped"):
                return
            if report.state == "running" and report.port != greeted:
                greeted = report.port
                line.say(where(report))
                for sentence in greeting(report):
                    line.say(sentence)
                if _unheard(report):
                    line.say(NOT_HEARD)
            if report.state in ("running", "waiting") and since is None:
                since = time.monotonic()
            if seconds is not None and since is not None and _over(report, seconds, since):
                return
            if adapt and report.offer > taken:
                taken = report.offer
                session.send(command("set_deadline", ms=taken))
                line.say(f"The model was late. Its deadline is now {taken:.1f} ms, which adds one block of latency.")
            line.show(report)
            time.sleep(FRAME_S)
    finally:
        line.close()


def _unheard(report: Snapshot) -> bool:
    """Whether the input is live and not monitored."""
    return not (report.mixer.monitor or report.transport.path)


def _over(report: Snapshot, seconds: float, since: float) -> bool:
    """Whether so much sound has been played; the wall clock counts only while none is, as where a device has gone."""
    played = report.frames / report.rate if report.rate else 0.0
    return played >= seconds or (report.state != "running" and time.monotonic() - since >= seconds)

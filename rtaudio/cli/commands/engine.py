"""``python -m rtaudio engine``: run, show or stop the detached engine."""

from __future__ import annotations

import argparse
import json
import time

from rtaudio.audio.format import StemplayError
from rtaudio.cli.commands.live import follow
from rtaudio.cli.status import status, status_dict
from rtaudio.control.daemon import Daemon
from rtaudio.control.session import Session
from rtaudio.protocol.reports import Snapshot
from rtaudio.system.private_folder import runtime_directory

NAME = "engine"
HELP = "Run the daemon of a detached engine, or show or stop the running one."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--status", action="store_true", help="show the state of the running engine")
    group.add_argument("--watch", action="store_true", help="show its meters until Ctrl-C; the engine continues")
    group.add_argument("--stop", action="store_true", help="end it")
    parser.add_argument("--json", action="store_true", help="with --status: print it as JSON")


def run(args: argparse.Namespace) -> int:
    if not (args.status or args.watch or args.stop):
        if not Daemon(runtime_directory()).serve():
            raise StemplayError("A detached engine of yours is already running.")
        return 0
    session = Session.attach()
    if session is None:
        if args.json:
            print(json.dumps({"state": "stopped"}))
        else:
            print("No detached engine is running.")
        return 0 if args.stop else 1
    if args.stop:
        session.stop()
        print("The detached engine has ended.")
        return 0
    try:
        if args.watch:
            follow(session, seconds=None)
        else:
            _tell(_first_report(session), session, args.json)
    except KeyboardInterrupt:
        pass
    finally:
        session.close()
    return 0


def _first_report(session: Session) -> Snapshot:
    deadline = time.monotonic() + 2.0
    while session.snapshot().port == "" and time.monotonic() < deadline:
        time.sleep(0.02)
    return session.snapshot()


def _tell(report: Snapshot, session: Session, as_json: bool) -> None:
    if as_json:
        print(json.dumps(status_dict(report) | {"engine_pid": session.engine_pid}, indent=2))
    else:
        lines = status(report)
        lines["process"] = str(session.engine_pid)
        for name, text in lines.items():
            print(f"{name + ':':<12}{text}")

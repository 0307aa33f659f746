"""``python -m rtaudio doctor``: what is missing on this machine, and the command that fixes it."""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict

from rtaudio.cli.doctor import can_play, examine

NAME = "doctor"
HELP = "Say what is missing on this machine, and the command that fixes it. Exit code 0 when sound can play, else 1."

_MARKS = {"ok": "ok     ", "advice": "advice ", "missing": "MISSING"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``doctor``."""
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Run all checks and print the findings."""
    findings = examine()
    playable = can_play(findings)
    if args.json:
        known = {
            "can_play": playable,
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "python": platform.python_version(),
            "findings": [asdict(finding) for finding in findings],
        }
        print(json.dumps(known, indent=2, ensure_ascii=False))
        return 0 if playable else 1
    for finding in findings:
        print(f"{_MARKS[finding.state]}  {finding.name}: {finding.detail}")
        if finding.mend and finding.state != "ok":
            print(f"         -> {finding.mend}")
    print(
        "Sound can play."
        if playable
        else "Sound cannot play through a device yet, but files can be separated."
    )
    return 0 if playable else 1

"""The window's command line. An error that the user can fix is one sentence on standard error, with exit code 2.

Qt is imported only after the options and the display have been checked.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from rtaudio.audio.format import StemplayError

PROGRAM = sys.argv[0] if sys.argv[0].endswith(" gui") else "python -m gui"


class Parser(argparse.ArgumentParser):
    """Reports errors in one sentence, without the usage text."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message[:1].upper()}{message[1:].rstrip('.')}. ({PROGRAM} --help tells more.)\n")


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = Parser(
        prog=PROGRAM,
        description="Stemplay's window: mixer, views, instrument and player. It joins a running engine, or starts one.",
        epilog="Closing the window ends the sound, unless its menu says otherwise. If the window is killed, the sound continues.",
    )
    options.add_argument(
        "--model", metavar="M", help="separation model: an installed one, a directory, or none"
    )
    options.add_argument("--input", "-i", metavar="D", help="device, sound file, or none")
    options.add_argument(
        "--output", "-o", metavar="D", help="device, .wav or .flac file, null (no sound card), or default"
    )
    options.add_argument("--instrument", metavar="M", help="model of the instrument that MIDI plays, or none")
    options.add_argument(
        "--theme", choices=("dark", "light"), help="colours of the window (default: the last ones)"
    )
    options.add_argument("--report-start", action="store_true", help=argparse.SUPPRESS)  # for rtaudio bench --starts
    return options


def display_problem() -> str:
    """The reason why no window can be opened here, or "". Qt itself would abort the process."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return ""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return ""
    return "There is no display to open a window on: set DISPLAY, or use the command line (python -m rtaudio --help)."


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point. Returns the exit code."""
    args = parser().parse_args(arguments)
    try:
        problem = display_problem()
        if problem:
            raise StemplayError(problem)
        try:
            from gui.app import run
        except ImportError as error:
            raise StemplayError(
                f"The window cannot be loaded ({error}): `make gui` installs what it needs, or pip install -r requirements/gui.lock."
            ) from None
        return run(args)
    except StemplayError as error:
        print(str(error), file=sys.stderr)
        return 2

"""The command line: a table of sub-commands, each in a module of its own that is imported only when it is called.

A command's module has ``NAME``, ``HELP``, ``add_arguments(parser)`` and ``run(args) -> int``. An error that the user can fix is reported
as one sentence on standard error, with exit code 2.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import io
import os
import runpy
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from models.card import CardError
from rtaudio.audio.format import StemplayError
from rtaudio.system.realtime import keep_memory

COMMANDS: dict[str, str] = {
    "live": "separate live sound or a song while it plays",
    "separate": "separate a song into one file for each stem",
    "analyse": "print tempo, key, bars and chords of a song",
    "project": "separate a song, and write a project for REAPER and other programs",
    "gui": "open the window",
    "play": "play the instrument with a MIDI keyboard or the computer's keys",
    "render": "render a MIDI file as a sound file",
    "instruments": "list the instruments of a model",
    "devices": "list sound devices",
    "plugins": "list effects and plugins, and look for plugins",
    "controls": "list all controls: OSC addresses, values, MIDI learn",
    "models": "list, install and pack models",
    "bench": "measure how fast the models run here",
    "doctor": "say what is missing on this machine and how to fix it",
    "engine": "run, show or stop the detached engine",
}
"""Name -> one line for ``--help``; the code is in ``rtaudio/cli/commands/NAME.py``."""
WINDOW = "gui"
"""The only command whose code is not in this package."""

PROGRAM = "stemplay" if Path(sys.argv[0]).stem == "stemplay" else "python -m rtaudio"
"""The name by which this command line was called: the installed script, or the module."""


class Parser(argparse.ArgumentParser):
    """Reports errors in one sentence, without the usage text."""

    def error(self, message: str) -> NoReturn:
        sentence = message[:1].upper() + message[1:].rstrip(".")
        self.exit(2, f"{sentence}. ({self.prog} --help tells more.)\n")


def version() -> str:
    """The installed distribution's version, or that of a plain checkout."""
    try:
        return metadata.version("stemplay")
    except metadata.PackageNotFoundError:
        return "0 (not installed)"


def overview() -> str:
    """The text of ``--help``, made from the table without importing any command."""
    width = max(len(name) for name in COMMANDS) + 2
    rows = "\n".join(f"  {name:<{width}}{text}" for name, text in COMMANDS.items())
    more = f"{PROGRAM} COMMAND --help tells more about a command."
    return f"usage: {PROGRAM} COMMAND ...\n\nSeparates music into stems while it plays.\n\n{rows}\n\n{more}"


def load(name: str) -> ModuleType:
    """The module of a command. Raises StemplayError for an unknown name or a missing library."""
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(COMMANDS)}."
        raise StemplayError(f"There is no command {name!r}; {hint}")
    try:
        return importlib.import_module(f"rtaudio.cli.commands.{name}")
    except ModuleNotFoundError as error:
        raise StemplayError(
            f"The command {name} needs {error.name}, which is not installed; {PROGRAM} doctor says how to install it."
        ) from None


def dispatch(arguments: Sequence[str]) -> int:
    """Run one command. Raises StemplayError and CardError as they come."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return 0 if arguments else 2
    if arguments[0] in ("--version", "-V"):
        print(f"stemplay {version()}")
        return 0
    if arguments[0] == WINDOW:
        return _window(arguments[1:])
    module = load(arguments[0])
    parser = Parser(prog=f"{PROGRAM} {module.NAME}", description=module.HELP)
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(list(arguments[1:]))) or 0)


def _window(arguments: Sequence[str]) -> int:
    """Run the window's own command line as a program, because this package must not import it."""
    before, sys.argv = sys.argv, [f"{PROGRAM} {WINDOW}", *arguments]
    try:
        runpy.run_module("gui", run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 2
    except ModuleNotFoundError as error:
        if error.name != "gui":
            raise
        raise StemplayError("The window is not part of this installation.") from None
    finally:
        sys.argv = before
    return 0


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end a command as cleanly as Ctrl-C: no unfinished file is left."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kinds = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    before = [(kind, signal.signal(kind, end)) for kind in kinds]
    try:
        yield
    finally:
        for kind, handler in before:
            signal.signal(kind, handler)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point. Returns the exit code: 0, what the command says, 2 for bad input, 130 for Ctrl-C."""
    for name in ("stdout", "stderr"):  # the caller may have closed it, and file names may be invalid text
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the process ends
        elif isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape" if name == "stdout" else "backslashreplace")
    keep_memory()
    try:
        with interruptible():
            code = dispatch(sys.argv[1:] if arguments is None else arguments)
            sys.stdout.flush()
            return code
    except (StemplayError, CardError) as error:
        print(str(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # a reader such as `head` has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # for example if standard output is on a full disk
        print(f"{PROGRAM} stopped: {(error.strerror or str(error)).rstrip('.')}.", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1

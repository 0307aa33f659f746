"""The command line of training: a table of sub-commands, each in a module that is imported only when it is called.

A command's module has ``HELP``, ``add_arguments(parser)`` and ``run(args) -> int``. An error that the user can correct is reported as one
sentence on standard error, with exit code 2.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from models.card import CardError
from rtaudio.audio.format import StemplayError

COMMANDS: dict[str, str] = {
    "prepare": "decode and render the songs or notes to learn from",
    "fit": "train a network by a recipe",
    "sing": "train, score and publish SING, the instrument",
    "rainbowgram": "draw sounds: loudness, pitch and the drift of the phase",
    "f0": "measure how far each note of a rendered song is from its score, in cents",
    "join": "make a hybrid of a causal Demucs and causal masks that were trained separately",
    "release": "publish the best weights of a run, with a record of how they were made",
    "export": "export weights as a model that plays live",
    "import-weights": "make a model from weights of the public demucs or denoiser",
    "quantize": "make the int8 model of an exported one",
    "calibrate": "find the best way to share an exported model's residual among the stems",
    "evaluate": "score an exported model on songs with known stems",
    "denoisers": "score denoisers of voices beside RNNoise and DTLN",
    "score-songs": "score what finds beats, bars, key and chords, on rendered songs",
    "song-networks": "put the published networks for beats and chords into ONNX graphs",
    "compare": "train networks of several kinds with the same budget and score them beside oracles",
    "tables": "print the thesis' tables and figures with our results beside them",
    "describe": "list a network's layers and sizes",
    "listening": "make and evaluate listening tests, and pages to compare systems by ear",
    "bench": "measure training speed, and the exported model's speed against eager torch",
    "timing": "make networks with random weights for `python -m rtaudio bench`",
    "ablation": "train Demucs without each of its parts, with the same budget: Table 3.4",
    "grid": "train with several learning rates and widths, and sort by validation loss",
    "optim": "run the optimisers of chapters 4 and 5: sparse problems, AdaBatch, Adam and Adagrad",
    "pack": "put all that training on a rented machine without network needs into one folder",
    "aggregate": "compute mean and confidence interval over several evaluations",
}
"""Name -> one line for ``--help``; the code is in ``training/commands/NAME.py``."""

PROGRAM = "python -m training"


class Parser(argparse.ArgumentParser):
    """Reports an error in one sentence, without the usage text."""

    def error(self, message: str) -> NoReturn:
        sentence = message[:1].upper() + message[1:].rstrip(".")
        self.exit(2, f"{sentence}. (Details: {self.prog} --help)\n")


def overview() -> str:
    """The text of ``--help``."""
    rows = "\n".join(f"  {name:<15}{text}" for name, text in COMMANDS.items())
    return f"usage: {PROGRAM} COMMAND ...\n\nHow Stemplay's models are made.\n\n{rows}\n\n{PROGRAM} COMMAND --help describes one command."


def load(name: str) -> ModuleType:
    """The module of a command. Raises StemplayError for an unknown name or a missing library."""
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(COMMANDS)}."
        raise StemplayError(f"There is no command {name!r}; {hint}")
    try:
        return importlib.import_module(f"training.commands.{name.replace('-', '_')}")
    except ModuleNotFoundError as error:
        raise StemplayError(
            f"The command {name} needs {error.name}, which is not installed: install the project's [training] extra."
        ) from None


def dispatch(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(overview())
        return 0
    module = load(arguments[0])
    parser = Parser(prog=f"{PROGRAM} {arguments[0]}", description=module.HELP)
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(list(arguments[1:]))) or 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point. Returns the exit code: 0, 2 for bad input, 130 for Ctrl-C."""
    try:
        code = dispatch(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()  # raises BrokenPipeError here, not while the interpreter ends
        return code
    except (StemplayError, CardError) as error:
        print(str(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # a reader such as `head` closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def positive_int(text: str) -> int:
    """An argument type: an integer above 0."""
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def positive_float(text: str) -> float:
    """An argument type: a finite number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def share(text: str) -> float:
    """An argument type: a number above 0, at most 1."""
    value = positive_float(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share: a number above 0, at most 1")
    return value

"""``python -m training sing``: train, score and publish an instrument."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rtaudio.audio.format import StemplayError
from training.cli import positive_float, positive_int, share
from training.data.note_store import NoteStore
from training.sing.stages import STAGES

HELP = "train SING on a note set in three stages; score, publish and compare the models"
LOSSES = ("spectral", "waveform", "multiscale", "loudness")
ACTIONS = {
    "fit": "train by a recipe; Ctrl-C or SIGTERM stops it and writes a checkpoint",
    "score": "measure an exported instrument on the held-out pairs",
    "speed": "print Table 2.2 with a row for an exported instrument, whose speed is measured here",
    "release": "publish a run as an instrument that plays",
    "instruments": "print the scores of each instrument of a model, as its page has them",
    "tables": "train the five models of Table 2.1 in the same way and compare them",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``sing``."""
    parser.add_argument("action", choices=list(ACTIONS), help="; ".join(f"{k}: {v}" for k, v in ACTIONS.items()))
    parser.add_argument(
        "what", nargs="?", help="fit, tables: a recipe (default: sing-gm); score, speed: a model; release: a run"
    )
    parser.add_argument("--store", type=Path, default=Path("data/notes"), help="note set (default: data/notes)")
    parser.add_argument("-o", "--output", type=Path, help="folder to write into (default: runs/RECIPE)")
    parser.add_argument("--minutes", type=positive_float, help="budget in minutes, instead of the recipe's")
    parser.add_argument("--steps", type=positive_int, help="updates of each stage, instead of minutes; gives repeatable results")
    parser.add_argument("--loss", choices=LOSSES, help="loss of the first and the last stage, instead of the recipe's")
    parser.add_argument("--stage", action="append", choices=STAGES, help="train only this stage; may be repeated")
    parser.add_argument("--init", type=Path, metavar="WEIGHTS", help="start from weights of the same sizes")
    parser.add_argument(
        "--focus", metavar="NAMES", help="instruments, separated by commas, that the last stage draws more often"
    )
    parser.add_argument("--share", type=share, default=0.5, help="share of the notes that are drawn from --focus (default: .5)")
    parser.add_argument("--resume", action="store_true", help="continue the run in the folder, with its own recipe")
    parser.add_argument("--precision", choices=["fp32", "int8"], default="int8", help="precision of a release")
    parser.add_argument("--note", default="", help="a remark for the card of a release")
    parser.add_argument("--threads", type=positive_int, help="number of threads (default: torch's choice)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--tiny", action="store_true", help="train a small network for about 20 s, on synthetic notes if there is no note set"
    )


def run(args: argparse.Namespace) -> int:
    """Do one of ``ACTIONS``."""
    actions = {"fit": _fit, "score": _score, "speed": _speed, "release": _release, "tables": _tables, "instruments": _instruments}
    return actions[args.action](args)


def _store(args: argparse.Namespace, folder: Path) -> Path:
    """The note set. With ``--tiny``, if there is none, synthetic notes in the run's folder (NSY-04)."""
    if not args.tiny or (args.store / "manifest.json").exists():
        return Path(args.store)
    from training.data.notes import prepare_notes, synthetic_voices

    prepare_notes(synthetic_voices(tuple(range(57, 69))), folder / "notes", workers=1)
    return folder / "notes"


def _recipe(args: argparse.Namespace):  # type: ignore[no-untyped-def]
    from training.sing.recipe import read_sing_recipe

    recipe = read_sing_recipe(args.what or "sing-gm")
    if args.tiny:
        recipe = recipe.tiny()
    if args.loss:
        recipe = recipe.with_loss(args.loss)
    if args.minutes:
        recipe = recipe.within(args.minutes)
    if args.focus:
        recipe = recipe.focused(tuple(name.strip() for name in args.focus.split(",")), args.share)
    return recipe.in_steps(args.steps) if args.steps else recipe


def _fit(args: argparse.Namespace) -> int:
    import torch

    from training.sing.fit import CHECKPOINT, Run, SingOptions

    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = _recipe(args)
    folder = args.output or Path("runs") / (f"{recipe.name}-tiny" if args.tiny else recipe.name)
    if not args.resume and (folder / CHECKPOINT).exists():
        raise StemplayError(
            f"There is already a run in {folder}: continue it with --resume, or choose another folder with -o."
        )
    stages = tuple(stage for stage in STAGES if not args.stage or stage in args.stage)
    options = SingOptions(
        folder, _store(args, folder), stages, init=args.init, resume=args.resume, seed=args.seed, threads=args.threads
    )
    Run(recipe, options).fit()
    print(f"Weights and checkpoint in {folder}.")
    return 0


def _model(args: argparse.Namespace) -> Path:
    from models.card import CardError
    from models.catalog import find_model

    try:
        return find_model(args.what or "sing-gm")
    except CardError as error:
        raise StemplayError(str(error)) from None


def _score(args: argparse.Namespace) -> int:
    from training.sing.release import measure

    print(json.dumps(measure(_model(args), NoteStore(args.store)), indent=1))
    return 0


def _instruments(args: argparse.Namespace) -> int:
    from models.catalog import load_card
    from training.export.release import MAKING_FILE
    from training.sing.tables import instrument_table

    folder = _model(args)
    card = load_card(str(folder))
    try:
        scores = json.loads((folder / MAKING_FILE).read_text(encoding="utf-8"))["quality"]["instruments"]
        print(instrument_table(scores, dict(zip(card.outputs, card.training["sustains"], strict=True))))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StemplayError(f"{folder / MAKING_FILE} has no scores of instruments ({error}).") from None
    return 0


def _speed(args: argparse.Namespace) -> int:
    from rtaudio.files.offline import InstrumentNotes
    from training.sing.tables import notes_a_second, table_2_2

    notes = InstrumentNotes(_model(args))
    print(table_2_2(notes.model.card, notes_a_second(notes)), end="")
    return 0


def _release(args: argparse.Namespace) -> int:
    from training.sing.release import release_sing

    if not args.what or not args.output:
        raise StemplayError(
            "Name the run's folder, and with -o the folder to publish to, such as models/zoo/sing-gm."
        )
    making = {"note": args.note} if args.note else None
    card = release_sing(Path(args.what), args.output, NoteStore(args.store), precision=args.precision, making=making)
    print(f"{args.output}: {card.precision}, {card.size / 2**20:.1f} MiB")
    for key, value in card.quality.items():
        print(f"  {key:<28}{value}")
    return 0


def _tables(args: argparse.Namespace) -> int:
    import torch

    from training.sing.tables import make_tables

    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = _recipe(args)
    folder = args.output or Path("runs") / f"{recipe.name}-tables"
    print(make_tables(recipe, NoteStore(_store(args, folder)), folder, args.seed, print), end="")
    return 0

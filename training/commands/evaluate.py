"""``python -m training evaluate``: score a model beside baselines, or several methods (``--oracle``, ``--weights``)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from models.catalog import load_card
from models.network import SPEECH
from rtaudio.audio.format import SOURCES, StemplayError
from training.cli import positive_float, positive_int
from training.data import folder, speech
from training.data.splits import clips_of
from training.data.store import Collection, Stems
from training.data.synthetic import validation_songs
from training.metrics.pairs import duel
from training.metrics.summary import with_spread
from training.separation.evaluate import METRICS, Evaluation, evaluate, record_all
from training.separation.scoring import Result, read_scores

HELP = (
    "score an exported model through the player's own code path, or with --oracle and --weights several methods on the same songs; "
    "use `valid` to choose models and `test` only to report"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``evaluate``."""
    parser.add_argument("model", metavar="MODEL", nargs="?", help="name of a shipped model, or a directory")
    add_song_arguments(parser)
    _add_method_arguments(parser.add_argument_group("several methods on the same songs"))
    parser.add_argument(
        "--metric", choices=list(METRICS), default="global", help="SDR over whole songs, or the median of 1 s frames"
    )
    parser.add_argument(
        "--no-consistent", action="store_true", help="score the network's output without the shared residual"
    )
    parser.add_argument(
        "--refine", action="store_true", help="score the stems as `rtaudio separate` refines them, not as in live use"
    )
    parser.add_argument(
        "--look-ahead", type=positive_float, default=0.0, metavar="MS",
        help="score the stems as `live --look-ahead MS` refines them",
    )  # fmt: skip
    parser.add_argument(
        "--phases", type=positive_int, default=1, metavar="N",
        help="call the network N times per hop: N copies take turns and keep the newest part, for 1/N of the latency and N times the work",
    )  # fmt: skip
    parser.add_argument(
        "--against",
        metavar="EARLIER",
        help="also compare clip by clip with an earlier model: its name or directory (scored without --look-ahead), or a file of "
        "`evaluate --json` or `-o`",
    )
    parser.add_argument(
        "--record", metavar="WHAT", help="write the scores into the model's card under this description"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def _add_method_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--oracle",
        action="append",
        default=[],
        metavar="NAME",
        help="oracle to score: mixture, mix4, silence, irm, irm1, ibm, wiener, nmf, griffin-lim or all; may be repeated",
    )
    group.add_argument(
        "--weights", action="append", default=[], type=Path, metavar="FILE", help="weights of a run to score; may be repeated"
    )
    group.add_argument("--museval", action="store_true", help="also compute museval's SIR and SAR, which takes some seconds per song")
    group.add_argument("--data", metavar="WORDS", help="description of the songs, for the tables")
    group.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="folder to write each method's scores to, for `tables`"
    )


def add_song_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that choose the songs."""
    parser.add_argument(
        "--split",
        choices=["valid", "test", "train"],
        default="valid",
        help="part of the prepared songs to score (default: %(default)s)",
    )
    parser.add_argument("--store", type=Path, default=Path("data"), help="prepared data (default: data/)")
    parser.add_argument(
        "--collection",
        choices=["musdb", "stems-open", "stems"],
        default="musdb",
        help="prepared collection to score; whole songs are scored in clips, 30 s of each minute (default: %(default)s)",
    )
    parser.add_argument("--songs", type=Path, help="instead, a folder that has one folder of WAV stems for each song")
    parser.add_argument("--mapping", type=Path, help="with --songs: TOML or JSON file that maps patterns of file names to sources")
    parser.add_argument("--tiny", action="store_true", help="instead, a few synthetic songs")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of synthetic data: the songs of --tiny, or noise if there are no songs"
    )
    parser.add_argument("--limit", type=positive_int, help="score only this many songs")


def run(args: argparse.Namespace) -> int:
    """Evaluate and print the table."""
    if args.oracle or args.weights or args.output or args.museval:
        if args.refine:
            raise StemplayError("--refine takes one model, and excludes --oracle, --weights, --output and --museval.")
        if args.phases > 1:
            raise StemplayError("--phases takes one model, and excludes --oracle, --weights, --output and --museval.")
        if args.against:
            raise StemplayError("--against takes one model, and excludes --oracle, --weights, --output and --museval.")
        return run_methods(args)
    if args.model is None:
        raise StemplayError("Name a model, an oracle with --oracle, or weights with --weights.")
    card = load_card(args.model)
    if args.refine and not card.refinable:
        raise StemplayError(f"The stems of {card.name!r} cannot be refined: it is not a streaming separator.")
    if args.look_ahead and (args.refine or args.phases > 1):
        raise StemplayError("--look-ahead excludes --refine and --phases.")
    if args.phases > 1 and args.refine:
        raise StemplayError("--phases scores the stems of live use, so it excludes --refine.")
    about_speech = card.outputs == SPEECH
    songs = list(load_speech(args) if about_speech else load_songs(args))[: args.limit]

    def progress(name: str) -> None:
        print(f"  {name}", file=sys.stderr)

    def score(model: str) -> Evaluation:
        return evaluate(
            model, songs, sources=card.outputs if about_speech else SOURCES, metric=args.metric,
            rate=speech.RATE if about_speech else 44_100, consistent=not args.no_consistent, refine=args.refine,
            phases=args.phases, look_ahead_ms=args.look_ahead if model == args.model else 0.0, progress=progress,
        )  # fmt: skip

    result = score(args.model)
    if args.record:
        record_all(result, args.record)
    if args.json:
        print(json.dumps(result.to_dict()))
        return 0
    what = "residual shared" if result.consistent else "network's own output"
    what += "; refined" if args.refine else ""
    what += f"; looking {args.look_ahead:g} ms ahead" if args.look_ahead else ""
    what += f"; {args.phases} calls per hop" if args.phases > 1 else ""
    print(f"{result.text()}\nSDR in dB of {len(songs)} songs; {result.metric}; {what}; ± is the standard error over songs")
    if args.against:
        print(_against(result, args.against, score, args.metric))
    return 0


def _against(result: Evaluation, earlier: str, score: Callable[[str], Evaluation], metric: str) -> str:
    """Lines that compare ``result`` with an earlier model, clip by clip."""
    sources = list(next(iter(result.songs.values())))[:-1]  # without the accompaniment
    if earlier.endswith(".json"):
        old = read_scores(Path(earlier), metric, sources)
    else:
        old = {song: list(row.values())[:-1] for song, row in score(earlier).songs.items()}
    found = duel({song: list(row.values())[:-1] for song, row in result.songs.items()}, old, sources)
    lines = [f"against {earlier}, clip by clip: mean difference ± standard error in dB, clips won"]
    lines += [f"  {name:<10}{row.text()}" for name, row in found.items()]
    verdict = "better" if found["All"].better else "not shown to be better"
    return "\n".join([*lines, f"{verdict} (better means: by two standard errors, and on more than half of the clips)"])


def run_methods(args: argparse.Namespace) -> int:
    """Score oracles, weights and a model on the same songs; save and print the results."""
    from training.separation.methods import Methods
    from training.separation.scoring import score_methods

    methods = Methods(not args.no_consistent)
    for name in args.oracle:
        methods.add_oracle(name)
    for path in args.weights:
        methods.add_weights(path)
    if args.model:
        methods.add_model(args.model)
    if not methods.entries:
        raise StemplayError("Name a model, an oracle with --oracle, or weights with --weights.")
    songs = list(load_songs(args))[: args.limit]
    results = score_methods(
        methods.entries, songs, sources=SOURCES, full=args.museval,
        data=args.data or f"{len(songs)} {'synthetic' if args.tiny else args.songs or args.split} songs",
        progress=lambda name: print(f"  {name}", file=sys.stderr),
    )  # fmt: skip
    for result in results:
        result.notes = {**methods.notes[result.method], **result.notes}
        if args.output:
            result.write(args.output)
    print(methods_text(results))
    return 0


def methods_text(results: Sequence[Result]) -> str:
    """Two tables for each metric: medians and means over songs, each with its standard error."""
    lines = []
    for metric in results[0].scores:
        for what, summary in (("median", Result.summary), ("mean", Result.means)):
            lines.append(f"{metric} in dB, {what} over songs ± standard error ({results[0].data})")
            lines.append(f"{'':<28}" + "".join(f"{name:>15}" for name in ("All", *results[0].sources)))
            for result in results:
                cells = [with_spread(*pair) for pair in summary(result, metric).values()]
                lines.append(f"{result.title:<28}" + "".join(f"{cell:>15}" for cell in cells))
    return "\n".join(lines)


def load_speech(args: argparse.Namespace) -> Iterator[tuple[str, Stems]]:
    """``(name, stems)`` of an enhancer's examples: synthetic ones with ``--tiny``, else the voices kept for validation."""
    if args.songs is not None or args.split != "valid":
        raise StemplayError("An enhancer can only be scored on the voices that `prepare` kept for validation, or with --tiny.")
    examples = speech.validation_speech(seed=args.seed) if args.tiny else speech.stored_validation_speech(args.store)
    yield from ((f"voice {number}", example) for number, example in enumerate(examples))


def load_songs(args: argparse.Namespace) -> Iterator[tuple[str, Stems]]:
    """``(name, stems)`` of the songs that ``--tiny``, ``--songs`` or ``--split`` select."""
    if args.tiny:
        yield from ((f"synthetic {number}", song) for number, song in enumerate(validation_songs(3, seed=args.seed)))
    elif args.songs is not None:
        yield from folder.read_songs(args.songs, folder.read_mapping(args.mapping) if args.mapping else None)
    else:
        collection = Collection(args.store / args.collection, (args.split,))
        if not len(collection):
            raise StemplayError(
                f"There are no {args.split} songs in {args.store / args.collection}: run `python -m training prepare stems` first."
            )
        for index, item in enumerate(collection.items):
            for start, frames in clips_of(item.frames) if args.collection != "musdb" else [(0, item.frames)]:
                name = item.name if args.collection == "musdb" else f"{item.name} {start // 44_100 // 60}:00"
                yield name, collection.crop(index, start, frames)

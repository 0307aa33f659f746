"""``python -m training tables``: the thesis' tables with our rows added, its box plots and its pictures of spectra."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rtaudio.audio.format import SOURCES, StemplayError
from training.data.store import write_atomic

HELP = (
    "print tables of the thesis with our results beside its rows, each with the data it was measured on;"
    " `means` prints only our results, as means over clips, and compares them clip by clip with one of them;"
    " `boxes` draws Fig. A.1 to A.4, `mel` Fig. 1.3 and 3.1, `curve` a model's scores during training"
)
WHAT = ("2.1", "2.2", "3.1", "3.2", "3.3", "3.4", "A.2", "means", "boxes", "mel", "curve", "all")
GENERIC = ("2.1", "2.2", "3.2", "3.3", "3.4")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``tables``."""
    parser.add_argument("what", choices=WHAT, help="the table to print; `all` prints every table")
    parser.add_argument(
        "--results", type=Path, help="3.1, A.2, means, boxes: a folder of `evaluate -o` (without it, only the thesis' rows are printed)"
    )
    parser.add_argument(
        "--against", metavar="METHOD", help="means: count the clips on which each result is better than this one"
    )
    parser.add_argument(
        "--metric",
        choices=["global", "sdr", "sir", "sar"],
        default="global",
        help="means: the score (default: %(default)s)",
    )
    parser.add_argument("--notes", type=Path, help="2.1: table-2.1.json of `sing tables`")
    parser.add_argument("--instrument", help="2.2: an exported instrument; its speed is measured here")
    parser.add_argument("--listening", type=Path, help="3.2, 3.3: the folder of a listening test")
    parser.add_argument("--ablation", type=Path, help="3.4: ablation.json of `ablation`")
    parser.add_argument("--model", help="curve: a shipped separator, or the directory of a release")
    parser.add_argument("--song", type=Path, help="mel: a folder of WAV stems (default: a synthetic song)")
    parser.add_argument(
        "--estimates", type=Path, action="append", default=[], help="mel: a folder of estimated stems; may be repeated"
    )
    parser.add_argument(
        "--source", choices=SOURCES, default="bass", help="mel: the source that Fig. 3.1 shows (default: %(default)s)"
    )
    parser.add_argument("--start", type=float, default=0.0, help="mel: where Fig. 3.1 begins, in seconds")
    parser.add_argument(
        "--seconds", type=float, default=0.8, help="mel: length of Fig. 3.1 (default: %(default)s, as in the thesis)"
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("tables"), help="folder for pictures (default: tables/)"
    )
    parser.add_argument(
        "--tiny", action="store_true", help="3.1, A.2, boxes: use floors and a mask on synthetic songs as results"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of synthetic songs")
    parser.add_argument("--save", type=Path, metavar="FILE", help="file to write the text to, instead of printing it")


def run(args: argparse.Namespace) -> int:
    """Print or draw."""
    if args.tiny and args.results is None:
        with tempfile.TemporaryDirectory() as folder:
            args.results = Path(folder)
            _score_tiny(args.results, args.seed, full=args.what in ("A.2", "all"))
            return _run(args)
    return _run(args)


def _score_tiny(folder: Path, seed: int, full: bool) -> None:
    """Results of methods that need no training, on two synthetic songs."""
    from training.data.synthetic import validation_songs
    from training.separation.methods import Methods
    from training.separation.scoring import score_methods

    methods = Methods()
    for name in ("mixture", "mix4", "irm"):
        methods.add_oracle(name)
    songs = [(f"synthetic {number}", song) for number, song in enumerate(validation_songs(2, seed=seed))]
    for result in score_methods(methods.entries, songs, sources=SOURCES, full=full, data="2 synthetic songs"):
        result.write(folder)


def _run(args: argparse.Namespace) -> int:
    if args.what == "boxes":
        return _boxes(args)
    if args.what == "mel":
        return _mel(args)
    if args.what == "curve":
        return _curve(args)
    if args.what == "means":
        return _means(args)
    names = [name for name in TABLES if args.what in (name, "all")]
    return _give("\n".join(TABLES[name](args) for name in names), args.save)


def _give(text: str, path: Path | None) -> int:
    if path:
        write_atomic(path, text.encode())
    else:
        print(text, end="")
    return 0


def _means(args: argparse.Namespace) -> int:
    """Means over clips with their standard errors, and a comparison clip by clip with one of the results."""
    from training.separation.scoring import read_results
    from training.tables.layout import means_table

    if args.results is None:
        raise StemplayError("`means` needs a folder of `evaluate -o`: name it with --results.")
    results = read_results(args.results)
    old = next((result for result in results if result.method == args.against), None)
    if args.against and old is None:
        names = ", ".join(result.method for result in results)
        raise StemplayError(f"There is no result {args.against!r} in {args.results}; choose from {names}.")
    return _give(means_table([r for r in results if args.metric in r.scores], args.metric, old), args.save)


def _scores(name: str, metric: str) -> Callable[[argparse.Namespace], str]:
    def make(args: argparse.Namespace) -> str:
        from training.separation.scoring import read_results
        from training.tables.layout import block_of, markdown
        from training.tables.thesis import thesis_table

        results = read_results(args.results) if args.results else []
        if results and not any(metric in result.scores for result in results):
            raise StemplayError(f"The results in {args.results} have no {metric.upper()}: evaluate again with --museval.")
        return markdown(thesis_table(name), block_of(results, metric))

    return make


def _notes(args: argparse.Namespace) -> str:
    """Table 2.1: five models of ``sing tables``."""
    values = _json(args.notes, ("data", "rows"))
    return _with_rows("2.1", [(values["data"], values["rows"])] if values else [])


def _speed(args: argparse.Namespace) -> str:
    """Table 2.2. The exported instrument's row comes from its card and a measurement."""
    if args.instrument is None:
        return _with_rows("2.2", [])
    from models.catalog import find_model
    from rtaudio.files.offline import InstrumentNotes
    from training.sing.tables import notes_a_second, table_2_2

    notes = InstrumentNotes(find_model(args.instrument))
    return f"**{_title('2.2')}**\n\n{table_2_2(notes.model.card, notes_a_second(notes))}"


def _opinions(name: str) -> Callable[[argparse.Namespace], str]:
    def make(args: argparse.Namespace) -> str:
        if args.listening is None:
            return _with_rows(name, [])
        from training.listening.answers import read_answers
        from training.listening.tables import Report

        return Report(read_answers(args.listening)).text() + "\n"

    return make


def _ablation(args: argparse.Namespace) -> str:
    """Table 3.4: rows ``name -> [validation L1, test SDR]`` of the ablation runner."""
    values = _json(args.ablation, ("data", "rows"))
    return _with_rows("3.4", [(values["data"], values["rows"])] if values else [])


TABLES: dict[str, Callable[[argparse.Namespace], str]] = {
    "2.1": _notes,
    "2.2": _speed,
    "3.1": _scores("3.1", "sdr"),
    "3.2": _opinions("3.2"),
    "3.3": _opinions("3.3"),
    "3.4": _ablation,
    "A.2": lambda args: "\n".join(_scores(f"A.2-{metric.upper()}", metric)(args) for metric in ("sir", "sar")),
}


def _title(name: str) -> str:
    from training.tables.thesis import thesis_table

    return thesis_table(name).title


def _with_rows(name: str, ours: list[tuple[str, dict[str, Any]]]) -> str:
    from training.tables.layout import Block, markdown
    from training.tables.thesis import Row, thesis_table

    def cells(values: list[Any]) -> tuple[float | str, ...]:
        return tuple("-" if value is None else value if isinstance(value, str) else float(value) for value in values)

    blocks = [
        Block(f"Ours: {data}", tuple(Row(row, cells(values)) for row, values in rows.items())) for data, rows in ours
    ]
    return markdown(thesis_table(name), blocks)


def _json(path: Path | None, keys: tuple[str, ...]) -> dict[str, Any] | None:
    """The values in a file, or None without a file. Raises StemplayError if the file is invalid."""
    if path is None:
        return None
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if any(key not in values for key in keys):
            raise ValueError(f"it lacks {' or '.join(keys)}")
    except (OSError, ValueError, TypeError) as error:
        raise StemplayError(f"{path} cannot be read as results: {error}.") from None
    return values


def _curve(args: argparse.Namespace) -> int:
    """A separator's training curve: validation scores over the amount of audio."""
    from models.catalog import find_model
    from training.export.release import WEIGHTS_FILE, read_making
    from training.tables.figures import draw_curve

    if args.model is None:
        raise StemplayError("`curve` needs a shipped separator, or the directory of a release: name it with --model.")
    folder = Path(args.model) if Path(args.model).is_dir() else find_model(args.model)
    draw_curve(args.output / f"curve-{folder.name}.png", read_making(folder / WEIGHTS_FILE), folder.name)
    print(args.output / f"curve-{folder.name}.png")
    return 0


def _boxes(args: argparse.Namespace) -> int:
    """Fig. A.1 to A.4, one picture for each source."""
    from training.separation.scoring import read_results
    from training.tables.figures import draw_boxes

    if args.results is None:
        raise StemplayError("`boxes` needs a folder of `evaluate -o`: name it with --results.")
    results = sorted(read_results(args.results), key=lambda result: -result.summary("sdr")["All"][0])
    for number, source in enumerate(results[0].sources, 1):
        path = args.output / f"figure-A.{number}-{source}.png"
        draw_boxes(path, results, source)
        print(path)
    return 0


def _mel(args: argparse.Namespace) -> int:
    """Fig. 1.3: the mixture and its stems below 8 kHz; Fig. 3.1: a short piece of one source, true and estimated."""
    from training.data.folder import read_song
    from training.data.synthetic import synthetic_song
    from training.tables.figures import draw_mel_panels

    stems = read_song(args.song) if args.song else synthetic_song(3 + args.seed, 6 * 44_100)
    start = int(args.start * 44_100)
    if not 0 <= start < stems.shape[-1]:
        raise StemplayError(
            f"The song lasts {stems.shape[-1] / 44_100:.1f} s so it cannot be shown from {args.start} s on."
        )
    shown = stems[..., start : start + 8 * 44_100]
    draw_mel_panels(
        args.output / "figure-1.3.png", {"mixture": shown.sum(axis=0), **dict(zip(SOURCES, shown, strict=True))}
    )
    print(args.output / "figure-1.3.png")
    piece = slice(start, start + max(4096, int(args.seconds * 44_100)))
    number = SOURCES.index(args.source)
    panels = {f"{args.source}, true": stems[number, :, piece]}
    panels |= {folder.name: read_song(folder)[number, :, piece] for folder in args.estimates}
    if len(panels) > 1:
        draw_mel_panels(args.output / "figure-3.1.png", panels, high=2000.0)
        print(args.output / "figure-3.1.png")
    return 0

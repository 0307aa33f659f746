"""Many songs in one call of ``separate``, here or on a cluster: one progress bar, existing stems are kept, a failure stops no other."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from models.catalog import best_separator
from rtaudio.audio.format import StemplayError
from rtaudio.files.stem_output import output_files
from rtaudio.jobs.batch import Batch, Outcome, find_songs
from rtaudio.jobs.cluster import ClusterBatch
from rtaudio.protocol.checks import stem_names

DEFAULT_FOLDER = "separated"


def separate_many(args: argparse.Namespace) -> int:
    """Separate all songs; exit code 1 if one of them failed. Raises StemplayError for errors that concern all of them."""
    output = Path(args.output if args.output is not None else DEFAULT_FOLDER)
    known = stem_names(best_separator() if args.model is None else args.model)
    stems = known if args.stems is None else tuple(name.strip() for name in args.stems.split(","))
    unknown = [name for name in stems if name not in known]
    if unknown:
        raise StemplayError(f"The model has no stem {unknown[0]!r}; its stems are {', '.join(known)}.")
    output_files(output, stems, args.format)
    songs = find_songs(args.songs, output)
    options = {
        "model": args.model or "", "format": args.format, "consistent": not args.no_consistent,
        "refine": not args.no_refine, "strict": args.strict,
        "tempo": args.tempo, "key": args.key,
        "inserts": {stem: [asdict(insert) for insert in inserts] for stem, inserts in args.inserts.items()},
    }  # fmt: skip
    shown = not args.quiet and sys.stderr.isatty()
    with _bar(len(songs), shown) as (progress, write):

        def tell(outcome: Outcome) -> None:
            for sentence in outcome.done.get("warnings", []):
                write(f"{outcome.song.path.name}: {sentence}", sys.stderr)
            if outcome.state == "separated" and not args.json:
                write(str(outcome.song.folder), sys.stdout)
            elif outcome.state == "failed":
                write(f"Not separated: {outcome.error}", sys.stderr)

        common = {"again": args.again, "tell": tell, "progress": progress}
        batch: Batch | ClusterBatch
        if args.scheduler is not None:
            batch = ClusterBatch(args.scheduler, songs, output, stems, options, note=lambda text: write(text, sys.stderr), **common)
        else:
            batch = Batch(songs, stems, options, jobs=args.jobs or 1, **common)
        try:
            outcomes = batch.run()
        except KeyboardInterrupt:
            _summary(batch.outcomes, len(songs), sys.stderr)
            raise
    if args.json:
        print(json.dumps([_facts(outcome) for outcome in outcomes], ensure_ascii=False))
    else:
        _summary(outcomes, len(songs), sys.stdout)
    return 1 if any(outcome.state == "failed" for outcome in outcomes) else 0


def _facts(outcome: Outcome) -> dict[str, object]:
    song: dict[str, object] = {"song": str(outcome.song.path), "folder": str(outcome.song.folder), "state": outcome.state}
    return song | ({"error": outcome.error} if outcome.error else {}) | outcome.done


def _summary(outcomes: list[Outcome], total: int, stream: object) -> None:
    """Print the number of songs for each outcome, and repeat the failures, which are easily missed in a long list."""
    counts = {state: sum(outcome.state == state for outcome in outcomes) for state in ("separated", "kept", "failed")}
    text = f"{total} songs: {counts['separated']} separated, {counts['kept']} already there, {counts['failed']} failed"
    rest = total - sum(counts.values())
    print(f"{text}{f', {rest} not done' if rest else ''}.", file=stream)  # type: ignore[call-overload]
    for outcome in outcomes:
        if outcome.state == "failed":
            named = outcome.song.path.name in outcome.error
            print(f"  {outcome.error if named else f'{outcome.song.path}: {outcome.error}'}", file=sys.stderr)


@contextmanager
def _bar(total: int, shown: bool) -> Iterator[tuple[Callable[[float], None], Callable[..., None]]]:
    """A function that shows progress, and one that writes a line without disturbing the bar."""
    if not shown:
        yield lambda done: None, lambda text, stream: print(text, file=stream, flush=True)
        return
    from tqdm import tqdm

    form = "{l_bar}{bar}| {n:.1f}/{total} songs [{elapsed}<{remaining}]"
    with tqdm(total=total, file=sys.stderr, leave=False, bar_format=form) as bar:

        def progress(done: float) -> None:
            bar.update(done - bar.n)

        yield progress, lambda text, stream: bar.write(text, file=stream)

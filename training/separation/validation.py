"""Loss and SDR on the validation songs, which choose the model (DMX-20), of the mixture-consistent output that the engine plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from rtaudio.audio.format import StemplayError
from training.data.store import Collection, Stems
from training.metrics import global_sdr, make_consistent, mean_over_songs, mean_with_error, median_over_songs
from training.optim.parallel import reduce

if TYPE_CHECKING:
    from lightning.fabric import Fabric  # importing it takes seconds; who only exports or scores does without


@dataclass(frozen=True)
class Validation:
    """Scores on the validation songs, of the mixture-consistent output.

    Attributes:
        loss: mean L1 of the network's own output.
        sdr: source -> median over songs, dB.
        means: source -> mean over songs, dB. It changes less between validations than a median.
        song_mean, song_error: mean over songs and sources, by which models are chosen, and its standard error over songs, dB.
    """

    loss: float
    sdr: dict[str, float]
    means: dict[str, float]
    song_mean: float
    song_error: float

    @property
    def mean_sdr(self) -> float:
        """Mean over sources of the medians."""
        return float(np.mean(list(self.sdr.values())))

    def row(self) -> dict[str, float]:
        """The values for logs and ``history.json``."""
        return {
            "valid_loss": self.loss,
            **{f"sdr_{name}": sdr for name, sdr in self.sdr.items()},
            "sdr_mean": self.mean_sdr,
            **{f"song_mean_{name}": sdr for name, sdr in self.means.items()},
            "song_mean": self.song_mean,
            **({"song_error": self.song_error} if self.song_error == self.song_error else {}),  # one song has none
        }


def read_songs(store: Path, split: str = "valid") -> list[Stems]:
    """The whole songs ``(4, 2, time)`` of a split of the prepared MUSDB collection."""
    collection = Collection(store / "musdb", (split,))
    if not len(collection):
        raise StemplayError(f"There are no {split} songs in {store}: run `python -m training prepare stems` first.")
    return [collection.whole(index) for index in range(len(collection))]


@torch.no_grad()
def validate(
    network: nn.Module, songs: Sequence[Stems], sources: Sequence[str], fabric: Fabric | None = None
) -> Validation:
    """Score ``network`` on whole songs one by one, from the zero state, in float32. Processes share the songs."""
    network.eval()
    rank, world = (fabric.global_rank, fabric.world_size) if fabric is not None else (0, 1)
    device = fabric.device if fabric is not None else torch.device("cpu")
    rows = torch.zeros(len(songs), 1 + len(sources), dtype=torch.float64, device=device)
    for number in range(rank, len(songs), world):
        reference = torch.from_numpy(songs[number]).to(device)
        mix = reference.sum(dim=0)
        estimate: Tensor = network(mix[None])[0]
        rows[number, 0] = (estimate - reference).abs().mean()
        rows[number, 1:] = global_sdr(make_consistent(estimate, mix), reference)
    table = (rows if fabric is None else reduce(fabric, rows, "sum")).cpu().numpy()
    scores = table[:, 1:]
    return Validation(
        float(table[:, 0].mean()),
        dict(zip(sources, median_over_songs(scores), strict=True)),
        dict(zip(sources, mean_over_songs(scores), strict=True)),
        *mean_with_error(scores),
    )

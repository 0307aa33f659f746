"""Several processes for one run: which part of an update each computes, and how they stay in step.

An update is learned from ``accumulate`` batches of the stream. One process computes them one after the other; under ``torchrun`` the
processes share them. The stream, and with it every loss, is the same for any number of processes, up to the order of sums.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch

from rtaudio.audio.format import StemplayError

if TYPE_CHECKING:
    from lightning.fabric import Fabric


@dataclass(frozen=True)
class Share:
    """The part of every update that process ``rank`` of ``world`` computes.

    With at least as many batches as processes, each takes every ``world``-th batch. With fewer, several processes make the same
    batch and each learns from its own rows of it.

    Attributes:
        accumulate: batches of an update, over all processes.
        batch: examples of a batch.

    Raises:
        StemplayError: the work cannot be shared equally.
    """

    rank: int = 0
    world: int = 1
    accumulate: int = 1
    batch: int = 1

    def __post_init__(self) -> None:
        if self.accumulate % self.world and (self.world % self.accumulate or self.batch % self.processes_a_batch):
            raise StemplayError(
                f"{self.world} processes cannot share {self.accumulate} x {self.batch} examples equally: "
                "set --accumulate to a multiple of the number of processes."
            )

    @property
    def processes_a_batch(self) -> int:
        """How many processes share one batch."""
        return max(1, self.world // self.accumulate)

    @property
    def batches(self) -> int:
        """How many batches of an update this process uses."""
        return max(1, self.accumulate // self.world)

    @property
    def stride(self) -> int:
        """Distance in the stream between two successive batches of this process."""
        return min(self.world, self.accumulate)

    def start(self, update: int) -> int:
        """Index in the stream of this process' first batch of ``update``."""
        return update * self.accumulate + self.rank // self.processes_a_batch

    @property
    def rows(self) -> slice:
        """This process' examples of each batch that it uses."""
        count = self.batch // self.processes_a_batch
        first = self.rank % self.processes_a_batch * count
        return slice(first, first + count)


def make_fabric(device: str = "auto", loggers: Sequence[Any] = ()) -> Fabric:
    """Launched Fabric on ``device`` (``cpu``, ``cuda``, ``mps`` or the best available), with as many processes as torchrun started.

    Raises:
        StemplayError: there is no such device.
    """
    from lightning.fabric import Fabric  # takes seconds

    world, local = (int(os.environ.get(name, "1")) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    try:
        fabric = Fabric(
            accelerator=device,
            devices=local,
            num_nodes=world // local,
            strategy="ddp" if world > 1 else "auto",
            loggers=list(loggers),
        )
    except Exception as error:  # Lightning's own class, which is not public
        raise StemplayError(f"The device {device!r} cannot be used: {str(error).splitlines()[0]}") from error
    fabric.launch()
    return fabric


def reduce(fabric: Fabric, values: torch.Tensor, how: Literal["sum", "mean"]) -> torch.Tensor:
    """``values`` summed or averaged over all processes, which all must call it. With one process, ``values`` unchanged."""
    if fabric.world_size == 1:
        return values
    reduced = fabric.all_reduce(values, reduce_op=how)
    assert isinstance(reduced, torch.Tensor)
    return reduced


def agree(fabric: Fabric, elapsed: float, stop: bool) -> tuple[float, bool]:
    """The first process' clock, and whether any process was asked to stop. All processes base their decisions on these."""
    if fabric.world_size == 1:
        return elapsed, stop
    mine = [elapsed if fabric.is_global_zero else 0.0, float(stop)]
    both = reduce(fabric, torch.tensor(mine, dtype=torch.float64, device=fabric.device), "sum")
    return float(both[0]), float(both[1]) > 0

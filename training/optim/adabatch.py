"""AdaBatch for look-up tables in deep networks (thesis section 4.2; Algorithm 1 as a wrapper of any torch optimiser).

The mean over a batch divides the gradient of a row by the number of all samples, so a row that few samples look up learns slowly.
AdaBatch divides by the number of samples that look it up. Nothing is kept between updates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Table = nn.Embedding | nn.EmbeddingBag


def tables_of(network: nn.Module) -> list[Table]:
    """All trainable look-up tables of a network."""
    return [m for m in network.modules() if isinstance(m, Table) and m.weight.requires_grad]


def support_counts(rows: int, indices: Tensor, owners: Tensor | None = None) -> Tensor:
    """Number of samples that look up each row, ``(rows,)``; a sample that does so twice counts once.

    Args:
        indices: looked-up rows, of any shape.
        owners: the sample of each index, of the same shape; None if each index is from another sample.
    """
    flat = indices.reshape(-1).long()
    if owners is not None:
        flat = torch.unique(owners.reshape(-1).long() * rows + flat) % rows
    return torch.bincount(flat, minlength=rows)


class AdaBatch(torch.optim.Optimizer):
    """Wraps ``optimizer`` so that gradients of tables are means over the samples that have each row.

    A look-up counts when its gradient arrives. Batches between two steps count as one, provided that the loss is the mean over all of
    their samples. Gradients may be dense or sparse. ``close`` removes the hooks.

    Args:
        optimizer: does the update; its groups, state and checkpoints are also those of the wrapper.
        tables: look-up tables whose weights it updates, such as ``tables_of(network)``.
        reduce: sums a tensor over all processes; needed if these share a batch (ADB-23).

    Raises:
        ValueError: a table's weights are not among the optimiser's.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        tables: Iterable[Table],
        reduce: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(optimizer.param_groups, optimizer.defaults)
        self.inner, self.tables, self.reduce = optimizer, list(tables), reduce
        known = {id(p) for group in optimizer.param_groups for p in group["params"]}
        if any(id(table.weight) not in known for table in self.tables):
            raise ValueError("a table's weights are not among those of the optimiser")
        self._share()
        self._counts: list[Tensor | None] = [None] * len(self.tables)
        self._samples = [0] * len(self.tables)
        self._hooks = [
            table.register_forward_hook(self._watch(k), with_kwargs=True) for k, table in enumerate(self.tables)
        ]

    def _share(self) -> None:
        self.param_groups, self.state = self.inner.param_groups, self.inner.state

    def _watch(self, k: int) -> Callable[[nn.Module, Sequence[Any], dict[str, Any], Any], None]:
        def look(module: nn.Module, given: Sequence[Any], named: dict[str, Any], result: Any) -> None:
            if not result.requires_grad:
                return
            table = self.tables[k]
            indices = given[0] if given else named["input"]
            offsets = given[1] if len(given) > 1 else named.get("offsets")
            owners, samples = _owners(indices, offsets if isinstance(table, nn.EmbeddingBag) else None)
            found = support_counts(table.num_embeddings, indices.detach(), owners)

            def arrived(gradient: Tensor) -> None:  # only look-ups whose gradient arrives belong to the batch
                before = self._counts[k]
                self._counts[k] = found if before is None else before + found
                self._samples[k] += samples

            result.register_hook(arrived)

        return look

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Recondition the tables' gradients, then the optimiser's own update."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for k, table in enumerate(self.tables):
            counts = self._counts[k]
            if counts is not None and table.weight.grad is not None:
                both = torch.cat([counts, counts.new_tensor([self._samples[k]])])
                both = self.reduce(both) if self.reduce is not None else both
                _rescale(table.weight.grad, both[-1] / both[:-1].clamp_min(1))
        self._forget()
        self.inner.step()
        return loss

    def _forget(self) -> None:
        self._counts, self._samples = [None] * len(self.tables), [0] * len(self.tables)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients and the counts that belong to them."""
        self._forget()
        self.inner.zero_grad(set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimiser; AdaBatch itself has none."""
        return self.inner.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Inverse of ``state_dict``."""
        self.inner.load_state_dict(state_dict)
        self._share()

    def close(self) -> None:
        """Remove the hooks from the tables."""
        for hook in self._hooks:
            hook.remove()


def _owners(indices: Tensor, offsets: Tensor | None) -> tuple[Tensor | None, int]:
    """The sample of each index, and the number of samples: the first axis, or the bags that start at ``offsets``."""
    if offsets is not None:
        places = torch.arange(indices.numel(), device=indices.device)
        return torch.searchsorted(offsets, places, right=True) - 1, len(offsets)
    if indices.dim() < 2:
        return None, indices.numel()
    owners = torch.arange(len(indices), device=indices.device).reshape(-1, *[1] * (indices.dim() - 1))
    return owners.expand(indices.shape), len(indices)


def _rescale(gradient: Tensor, factor: Tensor) -> None:
    """Multiply each row by its factor, in place."""
    if gradient.is_sparse:
        rows = gradient._indices()[0]
        gradient._values().mul_(factor[rows].to(gradient.dtype).reshape(-1, *[1] * (gradient._values().dim() - 1)))
    else:
        gradient.mul_(factor.to(gradient.dtype).reshape(-1, *[1] * (gradient.dim() - 1)))

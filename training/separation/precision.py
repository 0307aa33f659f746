"""In which precision a training step computes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def products(precision: str) -> Iterator[None]:
    """Context in which float32 matrix products are exact, unless ``precision`` is ``fast``."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium" if precision == "fast" else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


class Forward(nn.Module):
    """The network at the recipe's precision. It is a module, so that the wrapper that shares gradients sees every pass.

    ``bf16``: everything between cast weights and the stems is bfloat16; autocast would widen at every bias (a third slower).

    Args:
        one_piece: cast the weights of each LSTM into one piece of memory. cuDNN needs that, and otherwise copies them there at every
            call. Default: on a CUDA GPU.
    """

    def __init__(self, network: nn.Module, precision: str, one_piece: bool | None = None) -> None:
        super().__init__()
        self.network, self.precision = network, precision
        on_cuda = any(weight.is_cuda for weight in network.parameters())
        wanted = precision == "bf16" and (on_cuda if one_piece is None else one_piece)
        self._pieces = _lstm_weights(network) if wanted else {}

    def forward(self, mix: Tensor) -> Tensor:
        if self.precision != "bf16":
            return self.network(mix)
        weights = {name: self._cast(name, weight) for name, weight in self.network.named_parameters()}
        stems: Tensor = torch.func.functional_call(self.network, weights, (mix.bfloat16(),))
        return stems.float()

    def _cast(self, name: str, weight: Tensor) -> Tensor:
        piece = self._pieces.get(name)
        return weight.bfloat16() if piece is None else _CastInto.apply(weight, piece.detach())


class _CastInto(torch.autograd.Function):
    """A weight, written into given memory of another type."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, memory: Tensor) -> Tensor:
        ctx.mark_dirty(memory)
        return memory.copy_(weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0].float(), None


def _lstm_weights(network: nn.Module) -> dict[str, Tensor]:
    """bfloat16 memory for the weights of each LSTM, in the order and the one piece that cuDNN asks for (on a GPU)."""
    memory: dict[str, Tensor] = {}
    for prefix, module in network.named_modules():
        if isinstance(module, nn.LSTM):
            twin = copy.deepcopy(module).bfloat16().requires_grad_(False)
            twin.flatten_parameters()
            memory |= {f"{prefix}.{name}" if prefix else name: weight.detach() for name, weight in twin.named_parameters()}
    return memory

"""Optimisers by name: Adam (torch's, or as the thesis writes it), Adagrad, and Muon for matrices with Adam for the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from training.optim.unified import Unified

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration. It need not converge, only bring all singular values near 1."""


def orthogonalised(matrix: Tensor, iterations: int = 5) -> Tensor:
    """The nearest matrix with all singular values about 1 (Newton-Schulz; Jordan 2024), of ``(..., rows, columns)``, in bfloat16."""
    x = matrix.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(iterations):
        square = x @ x.mT
        x = a * x + (b * square + c * (square @ square)) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised (Jordan 2024), for weights of two or more dimensions; Adam for the others.

    Convolutions are matrices of outputs by inputs and taps, recurrent weights one matrix a gate. Updates are scaled to Adam's usual
    size (Liu et al. 2025: 0.2 times the root of the larger side), so that one learning rate serves both.

    Args:
        parameters: names and weights, as from ``named_parameters``.
        weight_decay: decoupled decay of the matrices: they shrink by ``lr * weight_decay`` in each step.
        plain: decides by name which matrices use Adam all the same, such as the first and last layers.
    """

    def __init__(
        self, parameters: Iterable[tuple[str, nn.Parameter]], lr: float, *, momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999), weight_decay: float = 0.0, plain: Callable[[str], bool] = lambda name: False,
    ) -> None:  # fmt: skip
        groups: dict[str, dict[str, Any]] = {
            "adam": {"params": [], "kind": "adam"},
            "muon": {"params": [], "kind": "muon"},
            "gates": {"params": [], "kind": "gates"},
        }
        for name, weight in parameters:
            if weight.ndim < 2 or plain(name):
                groups["adam"]["params"].append(weight)
            else:
                groups["gates" if "lstm" in name else "muon"]["params"].append(weight)
        super().__init__(
            [g for g in groups.values() if g["params"]],
            {"lr": lr, "momentum": momentum, "betas": betas, "decay": weight_decay},
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update."""
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if group["kind"] == "adam":
                self._adam(group, weights)
            else:
                for weight in weights:
                    self._muon(group, weight)
        return loss

    def _adam(self, group: dict[str, Any], weights: list[nn.Parameter]) -> None:
        low, high = group["betas"]
        for weight in weights:
            state, gradient = self.state[weight], weight.grad
            assert gradient is not None
            if not state:
                state.update(step=torch.zeros(()), mean=torch.zeros_like(weight), square=torch.zeros_like(weight))
            state["step"] += 1
            count = float(state["step"])
            state["mean"].lerp_(gradient, 1 - low)
            state["square"].mul_(high).addcmul_(gradient, gradient, value=1 - high)
            scale = (state["square"] / (1 - high**count)).sqrt_().add_(1e-8)
            weight.addcdiv_(state["mean"], scale, value=-group["lr"] / (1 - low**count))

    def _muon(self, group: dict[str, Any], weight: nn.Parameter) -> None:
        state, gradient, decay = self.state[weight], weight.grad, group["momentum"]
        assert gradient is not None
        if not state:
            state["mean"] = torch.zeros_like(weight)
        state["mean"].lerp_(gradient, 1 - decay)
        direction = gradient.lerp(state["mean"], decay)  # Nesterov's momentum
        matrix = direction.reshape(4, -1, weight.shape[1]) if group["kind"] == "gates" else direction.flatten(1)
        update = orthogonalised(matrix)
        size = 0.2 * math.sqrt(max(matrix.shape[-2:]))
        weight.mul_(1 - group["lr"] * group["decay"])
        weight.add_(update.reshape(weight.shape), alpha=-group["lr"] * size)


NAMES = ("adam", "adam-thesis", "adagrad", "muon")
"""torch's Adam; Adam as chapter 5 writes it (5.4), Adagrad (5.3); Muon."""


def make_optimizer(name: str, network: nn.Module, lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
    """One of ``NAMES`` for all weights of ``network``. With Muon, its first and last layers, which touch samples, still use Adam."""
    if name != "muon":
        return plain_optimizer(name, network.parameters(), lr, fused=True)

    def plain(key: str) -> bool:
        return key.removeprefix("waves.").startswith(("encoder.0.conv.", "decoder.0.up."))

    return Muon(network.named_parameters(), lr, weight_decay=weight_decay, plain=plain)


def plain_optimizer(
    name: str, weights: Iterable[nn.Parameter], lr: float, *, fused: bool = False
) -> torch.optim.Optimizer:
    """One of ``NAMES`` except Muon, which needs the weights' names."""
    if name == "adam":
        return torch.optim.Adam(weights, lr, fused=fused or None)
    kinds = {"adam-thesis": "adam", "adagrad": "adagrad"}
    if name not in kinds:
        raise ValueError(f"the optimiser must be adam, muon, adam-thesis or adagrad, not {name!r}")
    return Unified(weights, kinds[name], lr, (0.0 if name == "adagrad" else 0.9, 0.999))

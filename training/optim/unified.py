"""Adagrad and Adam as one algorithm (thesis chapter 5), and the rule for a known number of steps.

``m = beta1 m + g;  v = beta2 v + g^2;  x = x - alpha_n m / sqrt(eps + v)``: Adagrad is ``beta2 = 1``. The sums are not normalised; Adam's
normalisation is part of ``alpha_n`` (EQ-ADP-1, -2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

KINDS = ("adam", "adam_exact", "adagrad")
"""The thesis' Adam (5.4), that of Kingma and Ba except for the place of eps (C.4), and Adagrad (C.3)."""


def check_settings(kind: str, alpha: float, beta1: float, beta2: float, eps: float) -> None:
    """Raises ValueError unless chapter 5 allows the values: ``0 <= beta1 < beta2 <= 1``, and ``beta2 < 1`` for Adam."""
    if kind not in KINDS:
        raise ValueError(f"the kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if not 0 <= alpha < math.inf:
        raise ValueError(f"the step size must be a number of at least 0, not {alpha}")
    if kind != "adagrad" and not 0 < beta2 < 1:
        raise ValueError(f"beta2 of Adam must be between 0 and 1, not {beta2}")
    if not 0 <= beta1 < (1.0 if kind == "adagrad" else beta2):
        raise ValueError(f"beta1 must be between 0 and beta2, not {beta1}")
    if not 0 < eps < math.inf:
        raise ValueError(f"eps must be above 0, not {eps}")


def step_size(kind: str, n: int, alpha: float, beta1: float, beta2: float) -> float:
    """``alpha_n`` of step n = 1, 2, ... (EQ-ADP-2). The thesis' Adam and the exact one differ by the factor ``1 - beta1^n``."""
    if kind == "adagrad":
        return (1 - beta1) * alpha
    root = math.sqrt(-math.expm1(n * math.log(beta2)) / (1 - beta2))
    if kind == "adam":
        return alpha * (1 - beta1) * root
    return alpha * root * (1 - beta1) / (1 - beta1**n)


class Unified(torch.optim.Optimizer):
    """Adam or Adagrad, with or without heavy-ball momentum, as chapter 5 writes them.

    Sparse gradients (``nn.Embedding(sparse=True)``): Adagrad without momentum updates only the rows with a gradient. The other kinds make
    the gradient dense, because their averages also decay in rows without one. The result always equals that of the dense gradient.

    Args:
        kind: one of ``KINDS``.
        lr: alpha.
        betas: momentum and memory; the second one is not used by Adagrad.
        eps: added inside the root.
        eps_outside: add the root of ``eps`` outside the root instead, as torch and (1.5) do (OPT-06).

    Raises:
        ValueError: ``0 <= beta1 < beta2 <= 1`` does not hold.
    """

    def __init__(
        self, params: Iterable[Any], kind: str = "adam", lr: float = 3e-4, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, *, eps_outside: bool = False,
    ) -> None:  # fmt: skip
        check_settings(kind, lr, *betas, eps)
        super().__init__(
            params, {"kind": kind, "lr": lr, "betas": tuple(betas), "eps": eps, "eps_outside": eps_outside}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every weight that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._update(group, weight, weight.grad)
        return loss

    def _update(self, group: dict[str, Any], weight: Tensor, gradient: Tensor) -> None:
        kind, (beta1, beta2), state = group["kind"], group["betas"], self.state[weight]
        if not state:
            state["step"] = torch.zeros(())
            state["square"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
            if beta1:
                state["momentum"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
        state["step"] += 1
        alpha = step_size(kind, int(state["step"]), float(group["lr"]), beta1, beta2)
        if gradient.is_sparse:
            gradient = gradient.coalesce()
            if kind == "adagrad" and not beta1:
                self._update_rows(group, weight, gradient, alpha)
                return
            gradient = gradient.to_dense()
        square = state["square"]
        if kind != "adagrad":
            square.mul_(beta2)
        square.addcmul_(gradient, gradient)
        if beta1:
            gradient = state["momentum"].mul_(beta1).add_(gradient)
        weight.addcdiv_(gradient, self._root(group, square), value=-alpha)

    def _update_rows(self, group: dict[str, Any], weight: Tensor, gradient: Tensor, alpha: float) -> None:
        rows, values = gradient.indices(), gradient.values()
        square = self.state[weight]["square"]
        place = tuple(rows)
        square.index_put_(place, values * values, accumulate=True)
        weight.index_put_(place, -alpha * values / self._root(group, square[place]), accumulate=True)

    @staticmethod
    def _root(group: dict[str, Any], square: Tensor) -> Tensor:
        if group["eps_outside"]:
            return square.sqrt().add_(math.sqrt(group["eps"]))
        return square.add(group["eps"]).sqrt_()


def finite_horizon(steps: int, alpha1: float = 1.0) -> tuple[float, float]:
    """``alpha = alpha1 / sqrt(N)`` and ``beta2 = 1 - 1 / N`` (section 5.5.3): Adam then converges like Adagrad.

    Raises:
        ValueError: fewer than two steps, or ``alpha1`` is not above 0.
    """
    if steps < 2 or not 0 < alpha1 < math.inf:
        raise ValueError(f"a horizon needs at least 2 steps and a step size above 0, not {steps} and {alpha1}")
    return alpha1 / math.sqrt(steps), 1 - 1 / steps


class FiniteHorizon(torch.optim.lr_scheduler.LRScheduler):
    """Sets step size and ``beta2`` for a known number of steps, for ``Unified`` and any optimiser with ``lr`` and ``betas``.

    The optimiser's own step size is used as alpha1, that of a single step. Call ``step`` after each update. With ``doubling`` the horizon
    doubles whenever it is reached, for runs of unknown length.

    Raises:
        ValueError: fewer than two steps; beta1 is not below the new beta2.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, steps: int, *, doubling: bool = False, last_epoch: int = -1
    ) -> None:
        self.steps, self.doubling = steps, doubling
        finite_horizon(steps)
        super().__init__(optimizer, last_epoch)

    @property
    def horizon(self) -> int:
        """The number of steps that is assumed now."""
        horizon = self.steps
        while self.doubling and horizon < self.last_epoch:
            horizon *= 2
        return horizon

    def get_lr(self) -> list[float | Tensor]:
        """Step sizes of the groups. Also sets their ``betas``."""
        share, beta2 = finite_horizon(self.horizon)
        for group in self.optimizer.param_groups:
            beta1 = group["betas"][0]
            if not beta1 < beta2:
                raise ValueError(f"a horizon of {self.horizon} steps needs beta1 below {beta2:g}, not {beta1:g}")
            group["betas"] = (beta1, beta2)
        return [base * share for base in self.base_lrs]

"""8-bit weights with a scale for each column; each weight compensates for the rounding errors of those before it.

Rounding to the nearest keeps every weight within half a step, but what counts is the product's error on typical inputs. If the inputs'
second moments are known, the rows that are not yet rounded are adjusted to compensate for the error of a rounded row, as far as the
inputs are correlated (optimal brain quantisation; Frantar et al. 2022, "GPTQ").
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BLOCK = 128
"""Number of rows that are rounded before the remaining rows are corrected."""
DAMPING = 0.003
"""Share of the inputs' mean power that is added to each input's power, since inputs that did not occur may occur later."""

Matrix = npt.NDArray[np.float32]


def column_scales(weight: Matrix) -> Matrix:
    """The step of each column, for which its largest weight is 127; 1 for a column of zeros."""
    largest = np.abs(weight).max(axis=0)
    return np.where(largest > 0, largest / 127, 1).astype(np.float32)


def rounded_columns(weight: Matrix, moments: Matrix | None = None) -> tuple[npt.NDArray[np.int8], Matrix]:
    """8-bit weights and the scale of each column.

    Args:
        weight: ``(size, columns)``, the right-hand side of a product.
        moments: ``X.T @ X`` of inputs ``X``, ``(size, size)``. Without it, each weight is rounded to the nearest value.
    """
    scale = column_scales(weight)
    if moments is None:
        return _nearest(weight / scale), scale
    order = np.argsort(-np.diag(moments))  # weak inputs compensate for strong ones, not the other way round
    rest = (weight / scale)[order].astype(np.float32)
    factor = _inverse_factor(moments[np.ix_(order, order)].astype(np.float64))
    result = np.empty(rest.shape, np.int8)
    for start in range(0, len(rest), BLOCK):
        stop = min(start + BLOCK, len(rest))
        lost = np.empty((stop - start, rest.shape[1]), np.float32)
        for row in range(start, stop):
            result[row] = _nearest(rest[row])
            lost[row - start] = (rest[row] - result[row]) / factor[row, row]
            rest[row + 1 : stop] -= factor[row, row + 1 : stop, None] * lost[row - start]
        rest[stop:] -= factor[start:stop, stop:].T @ lost
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return result[back], scale


def _nearest(weight: Matrix) -> npt.NDArray[np.int8]:
    return np.clip(np.rint(weight), -127, 127).astype(np.int8)


def _inverse_factor(moments: npt.NDArray[np.float64]) -> Matrix:
    """The upper Cholesky factor of the damped moments' inverse."""
    power = np.trace(moments) / len(moments)
    damped = moments + (DAMPING * power + 1e-12) * np.eye(len(moments))
    return np.linalg.cholesky(np.linalg.inv(damped)).T.astype(np.float32)

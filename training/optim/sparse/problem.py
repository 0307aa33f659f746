"""A sparse convex problem (thesis 4.1.1, ADB-01): samples with few features each, labels -1 and 1, a convex loss of ``x w``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.optimize import minimize
from scipy.special import expit

from rtaudio.audio.format import StemplayError
from training.optim.sparse.kernels import HINGE, LEAST_SQUARES, LOGISTIC

Vector = npt.NDArray[np.float64]
LOSSES = {"logistic": LOGISTIC, "least-squares": LEAST_SQUARES, "hinge": HINGE}
"""Names of the losses in EQ-ADB-1, and their numbers in the compiled loops."""


class Rows(NamedTuple):
    """CSR arrays in the form of the compiled loops: entry j of a row is ``levels[row] * values[j]``.

    Where all of a sample's entries are equal, as with binary features of norm 1, there are no values, and the loops read a third of the
    memory. Otherwise the levels are 1.
    """

    starts: npt.NDArray[np.uint64]
    columns: npt.NDArray[np.uint32]
    values: Vector | None
    levels: Vector


class Constants(NamedTuple):
    """The constants of a problem in chapter 4's theorems (EQ-ADB-9): ``mu Diag(p) <= F'' <= smooth Diag(p)``, ``f'' <= radius2 Id``."""

    mu: float
    smooth: float
    radius2: float


@dataclass(frozen=True)
class SparseProblem:
    """``F(w) = mean of loss(x w, y) + penalty / 2 * sum_k p_k w_k^2``.

    Features are stored by falling frequency: those that many samples share are adjacent in the cache, which makes the solvers twice as
    fast. ``to_user`` returns weights in the order of the file.

    Attributes:
        features: CSR ``(samples, features)``, float64, without stored zeros. The support of a sample is its stored entries (ERR-40).
        labels: ``(samples,)``, -1 or 1.
        loss: one of ``LOSSES``.
        penalty: lambda of EQ-SVR-6.
        places: column in ``features`` of each of the user's features.
    """

    features: sp.csr_matrix
    labels: Vector
    loss: str = "logistic"
    penalty: float = 0.0
    places: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    @classmethod
    def of(
        cls, features: Any, labels: Any, loss: str = "logistic", penalty: float = 0.0, *, normalise: bool = False
    ) -> SparseProblem:
        """Check and arrange a matrix (SciPy sparse or dense) of ``(samples, features)``.

        Args:
            normalise: scale each sample to norm 1, as in section 4.6.

        Raises:
            StemplayError: sizes do not agree, numbers are not finite, labels are not -1 or 1, or the loss is unknown.
        """
        x = sp.csr_matrix(features, dtype=np.float64, copy=True)
        y = np.asarray(labels, np.float64)
        _check(x, y, loss, penalty)
        x.sum_duplicates()
        x.eliminate_zeros()
        if normalise:
            norms = np.sqrt(np.asarray(x.multiply(x).sum(axis=1)).ravel())
            x.data /= np.repeat(np.where(norms > 0, norms, 1.0), np.diff(x.indptr))
        counts = np.bincount(x.indices, minlength=x.shape[1])
        places = np.empty(x.shape[1], np.int64)
        places[np.argsort(-counts, kind="stable")] = np.arange(x.shape[1])
        return cls(_placed(x, places), y, loss, penalty, places)

    def like(self, features: Any, labels: Any, *, normalise: bool = False) -> SparseProblem:
        """Other samples of the same problem, such as a test set, with features in the same columns."""
        x = sp.csr_matrix(features, dtype=np.float64, copy=True)
        y = np.asarray(labels, np.float64)
        _check(x, y, self.loss, self.penalty)
        if x.shape[1] != self.size:
            raise StemplayError(f"The samples have {x.shape[1]} features, and the problem has {self.size}.")
        other = SparseProblem.of(x, y, self.loss, self.penalty, normalise=normalise)
        back = np.argsort(other.places)
        return replace(other, features=_placed(other.features, self.places[back]), places=self.places)

    def rows(self, order: npt.NDArray[np.int64]) -> SparseProblem:
        """Some of the samples."""
        return replace(self, features=self.features[order], labels=self.labels[order])

    @property
    def samples(self) -> int:
        """Number of samples."""
        return int(self.features.shape[0])

    @property
    def size(self) -> int:
        """Number of features."""
        return int(self.features.shape[1])

    @property
    def arrays(self) -> Rows:
        """Arrays for the compiled loops. Columns and values are not copied if the types agree."""
        x = self.features
        lengths = np.diff(x.indptr)
        values: Vector | None = np.asarray(x.data)
        levels = np.ones(self.samples)
        levels[lengths > 0] = x.data[x.indptr[:-1][lengths > 0]]
        if np.array_equal(np.repeat(levels, lengths), x.data):
            values = None
        else:
            levels = np.ones(self.samples)
        return Rows(np.asarray(x.indptr, np.uint64), np.asarray(x.indices, np.int32).view(np.uint32), values, levels)

    @property
    def p(self) -> Vector:
        """Share of the samples that have each feature: ``P[k in S(f)]``, ``(features,)``."""
        return np.bincount(self.features.indices, minlength=self.size) / max(1, self.samples)

    @property
    def active(self) -> float:
        """Average number of features of a sample."""
        return float(self.features.nnz / max(1, self.samples))

    def to_user(self, w: Vector) -> Vector:
        """Weights in the original order of the features."""
        return w[self.places]

    def margins(self, w: Vector) -> Vector:
        """``x w`` of each sample."""
        return np.asarray(self.features @ w)

    def losses(self, w: Vector) -> Vector:
        """Loss of each sample, without penalty."""
        z = self.margins(w)
        if self.loss == "logistic":
            return np.logaddexp(0.0, -self.labels * z)
        if self.loss == "least-squares":
            return 0.5 * (z - self.labels) ** 2
        return np.maximum(0.0, 1.0 - self.labels * z)

    def objective(self, w: Vector) -> float:
        """F(w); infinite where numbers overflow."""
        with np.errstate(over="ignore", invalid="ignore"):
            value = float(np.mean(self.losses(w)))
            if self.penalty:
                value += 0.5 * self.penalty * float(self.p @ (w * w))
        return value if np.isfinite(value) else float("inf")

    def slopes(self, w: Vector) -> Vector:
        """Derivative of each sample's loss at its margin, ``(samples,)``."""
        z = self.margins(w)
        if self.loss == "logistic":
            return np.asarray(-self.labels * expit(-self.labels * z))
        if self.loss == "least-squares":
            return z - self.labels
        return np.where(self.labels * z < 1, -self.labels, 0.0)

    def gradient(self, w: Vector) -> Vector:
        """F'(w), ``(features,)``; a subgradient for the hinge."""
        gradient = np.asarray(self.features.T @ self.slopes(w)) / self.samples
        return gradient + self.penalty * self.p * w if self.penalty else gradient

    def error(self, w: Vector) -> float:
        """Share of samples on the wrong side; samples exactly on the border count half."""
        agree = np.sign(self.margins(w)) * self.labels
        return float(np.mean(agree < 0) + 0.5 * np.mean(agree == 0))

    def constants(self, curvature: tuple[float, float] | None = None) -> Constants:
        """mu, L and R^2 from the data (EQ-ADB-9), for binary uncorrelated features.

        Args:
            curvature: smallest and largest phi''. By default 1 and 1 for least squares, 0 and 1/4 for the logistic loss, for which the
            thesis says only that the smallest exists on any bounded set.
        """
        if curvature is None:
            if self.loss == "hinge":
                raise StemplayError("The hinge loss has no second derivative, so these constants do not exist.")
            curvature = (1.0, 1.0) if self.loss == "least-squares" else (0.0, 0.25)
        low, high = curvature
        norms = np.asarray(self.features.multiply(self.features).sum(axis=1)).ravel()
        p = self.p
        return Constants(low * (1 - float(p.max())), high * (1 + float(p.sum())), high * float(norms.max()))

    def optimum(self, steps: int = 600) -> tuple[Vector, float]:
        """Weights and value of the minimum by L-BFGS on all samples, from 0: F* of the figures.

        Raises:
            StemplayError: the loss is the hinge, which is not smooth.
        """
        if self.loss == "hinge":
            raise StemplayError("The minimum of the hinge loss cannot be computed here, because it is not smooth.")
        options = {"maxiter": steps, "maxfun": 4 * steps, "ftol": 1e-15, "gtol": 1e-10}
        found = minimize(self.objective, np.zeros(self.size), jac=self.gradient, method="L-BFGS-B", options=options)
        return np.asarray(found.x), float(found.fun)


def _placed(x: sp.csr_matrix, places: npt.NDArray[np.int64]) -> sp.csr_matrix:
    placed = sp.csr_matrix((x.data, places[x.indices].astype(np.int32), x.indptr), shape=x.shape)
    placed.sort_indices()
    return placed


def _check(x: sp.csr_matrix, y: Vector, loss: str, penalty: float) -> None:
    if loss not in LOSSES:
        raise StemplayError(f"There is no loss {loss!r}; choose from {', '.join(LOSSES)}.")
    if not 0 <= penalty < float("inf"):
        raise StemplayError(f"The penalty must be a finite number of at least 0, not {penalty}.")
    if y.ndim != 1 or x.shape[0] != len(y) or not len(y):
        raise StemplayError(
            f"There are {x.shape[0]} samples and {y.size} labels; each sample needs one label, and at least one sample is needed."
        )
    wrong = y[~np.isin(y, (-1.0, 1.0))]
    if len(wrong):
        raise StemplayError(f"Labels must be -1 or 1, but one is {wrong[0]:g}.")
    if not np.isfinite(x.data).all():
        raise StemplayError("Some features are infinite or not a number.")
    if x.nnz and float(np.abs(x.data).max()) > 1e100:
        raise StemplayError("Some features are larger than 1e100, so their squares cannot be computed.")

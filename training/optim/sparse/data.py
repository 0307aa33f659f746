"""Sparse data: libsvm files, and synthetic samples whose features differ in frequency as words do (ADB-16, ADB-18)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.optimize import brentq

from rtaudio.audio.format import StemplayError
from training.optim.sparse.problem import SparseProblem, Vector

MOST = 0.98
"""The largest probability of a feature."""
COMMON = 0.05
"""Features in more samples than this are drawn for each sample; for rarer ones the number of samples is drawn."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a data set.

    Attributes:
        samples, features: rows and columns; ``test`` and ``valid`` are further rows of the same kind.
        active: average number of features of a sample.
        power: p of the k-th feature falls as ``k ** -power``, up to ``most``.
        sharp: how much the classes differ in their features: a_k has the standard deviation ``sharp * p_k ** -telling``.
        telling: 0 if rare features distinguish the classes no better than frequent ones.
    """

    samples: int
    features: int
    active: float
    power: float = 1.0
    most: float = 0.9
    sharp: float = 0.2
    telling: float = 0.0
    test: int = 5000
    valid: int = 5000

    def __post_init__(self) -> None:
        if (
            min(self.samples, self.features, self.test, self.valid) < 1
            or not 0 < self.active < self.features * self.most
        ):
            raise StemplayError(
                f"{self.samples} samples of {self.features} features with {self.active:g} active ones cannot be drawn."
            )

    def scaled(self, share: float) -> Shape:
        """With ``share`` of the samples and of the features."""
        rows, columns = max(500, round(self.samples * share)), max(round(4 * self.active), round(self.features * share))
        kept = min(self.test, max(500, rows // 4))
        return Shape(rows, columns, self.active, self.power, self.most, self.sharp, self.telling, kept, kept)


SHAPES = {
    "small": Shape(20_000, 2_000, 26, 1.0, sharp=0.05, telling=0.4),
    "news20": Shape(19_996, 1_355_191, 455, 1.0, sharp=0.02, telling=0.4),
    "spam": Shape(92_189, 823_470, 155, 1.0, sharp=0.02, telling=0.4),
    "url": Shape(2_396_130, 3_231_961, 115, 1.2, sharp=0.03, telling=0.4),
}
"""Shapes by the name of the data set with these sizes (section 4.6); ``small`` is that of ADB-18."""


@dataclass(frozen=True)
class Parts:
    """The samples for training, for choosing step sizes, and for testing."""

    train: SparseProblem
    valid: SparseProblem
    test: SparseProblem
    name: str

    def describe(self) -> str:
        """One line: samples, features, active features."""
        t = self.train
        return (
            f"{self.name}: {t.samples} samples, {t.size} features, {t.active:.1f} active a sample,"
            f" {self.valid.samples} to choose on, {self.test.samples} to test"
        )


def frequencies(shape: Shape) -> Vector:
    """p of each feature in falling order: ``min(most, c k^-power)`` with c such that they sum to ``active``."""
    law = np.arange(1, shape.features + 1, dtype=np.float64) ** -shape.power
    found = brentq(
        lambda c: np.minimum(shape.most, np.exp(c) * law).sum() - shape.active, -50, np.log(shape.active / law[-1])
    )
    return np.minimum(shape.most, np.exp(found) * law)


def draw_features(rng: np.random.Generator, rows: int, p: Vector) -> sp.csr_matrix:
    """Binary independent features, present with probability ``p``, each sample scaled to norm 1."""
    over = np.flatnonzero(p > COMMON)
    common = int(over[-1]) + 1 if len(over) else 0
    heads = sp.csr_matrix(rng.random((rows, common)) < p[:common]) if common else sp.csr_matrix((rows, 0))
    counts = rng.binomial(rows, p[common:])
    columns = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    tails = sp.csr_matrix(
        (np.ones(len(columns)), (rng.integers(0, rows, len(columns), dtype=np.int32), columns)),
        shape=(rows, len(counts)),
    )
    x = sp.csr_matrix(sp.hstack([heads, tails], format="csr"), dtype=np.float64)
    x.sum_duplicates()
    active = np.diff(x.indptr)
    x.data = 1 / np.sqrt(np.repeat(active, active))
    return x


def synthetic(shape: Shape, seed: int, loss: str = "logistic", penalty: float = 0.0, name: str = "synthetic") -> Parts:
    """Two equally likely classes that have each feature with different probabilities: ``p_k (1 + a_k)`` and ``p_k (1 - a_k)``.

    As in text, no single feature decides, but the sum of many, both frequent and rare. Rare ones say more if ``telling`` is above 0.
    """
    rng = np.random.default_rng(seed)
    p = frequencies(shape)
    lean = np.clip(shape.sharp * p**-shape.telling * rng.standard_normal(len(p)), -0.9, 0.9)
    total = shape.samples + shape.valid + shape.test
    y = np.where(rng.random(total) < 0.5, 1.0, -1.0)
    order = np.argsort(np.argsort(-y, kind="stable"), kind="stable")  # from the order by class to the random order
    halves = [draw_features(rng, int((y == sign).sum()), np.minimum(MOST, p * (1 + sign * lean))) for sign in (1, -1)]
    return split(sp.csr_matrix(sp.vstack(halves))[order], y, (shape.valid, shape.test), loss, penalty, name)


def split(
    x: sp.csr_matrix, y: Vector, held: tuple[int, int], loss: str, penalty: float, name: str, *, normalise: bool = False
) -> Parts:
    """Parts of samples that are already in random order; the last samples are held out."""
    rows = x.shape[0] - sum(held)
    train = SparseProblem.of(x[:rows], y[:rows], loss, penalty, normalise=normalise)
    valid = train.like(x[rows : rows + held[0]], y[rows : rows + held[0]], normalise=normalise)
    return Parts(train, valid, train.like(x[rows + held[0] :], y[rows + held[0] :], normalise=normalise), name)


def read_libsvm(path: Path, features: int | None = None) -> tuple[sp.csr_matrix, npt.NDArray[np.float64]]:
    """Features and labels of a file in the format of libsvm, also compressed (``.gz``, ``.bz2``).

    Raises:
        StemplayError: the file is missing, truncated, or in another format.
    """
    from sklearn.datasets import load_svmlight_file

    try:
        _check_end(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # overflows while reading are errors
            x, y = load_svmlight_file(str(path), n_features=features)
    except FileNotFoundError:
        raise StemplayError(f"There is no file {path}.") from None
    except StemplayError:
        raise
    except MemoryError:
        raise StemplayError(f"{path} does not fit into memory.") from None
    except (OSError, EOFError, ValueError, OverflowError, Warning) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise StemplayError(f"{path} cannot be read as a libsvm file: {reason}.") from None
    if x.shape[0] == 0:
        raise StemplayError(f"{path} has no samples.")
    return sp.csr_matrix(x), np.asarray(y, np.float64)


def _check_end(path: Path) -> None:
    """Raises StemplayError if the file does not end with a complete line."""
    if path.suffix in (".gz", ".bz2"):
        return  # truncated ones cannot be unpacked
    with path.open("rb") as file:
        file.seek(0, 2)
        if file.tell():
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                raise StemplayError(f"{path} is truncated: its last line is incomplete.")


def from_files(
    path: Path, test: Path | None, seed: int, loss: str = "logistic", penalty: float = 0.0, keep: int = 0
) -> Parts:
    """Parts of one file (a tenth to choose step sizes, a fifth to test), or of a file and its test set; samples of norm 1.

    Args:
        keep: largest number of samples of the first file, chosen at random; 0 for all.
    """
    x, y = read_libsvm(path)
    if len(y) < 10:
        raise StemplayError(f"{path} has {len(y)} samples, but at least 10 are needed.")
    order = np.random.default_rng(seed).permutation(len(y))[: keep or None]
    x, y = x[order], y[order]
    if test is None:
        held = (len(y) // 10, len(y) // 5)
        return split(x, y, (max(1, held[0]), max(1, held[1])), loss, penalty, path.name, normalise=True)
    other, labels = read_libsvm(test)
    width = max(x.shape[1], other.shape[1])
    x.resize(x.shape[0], width)
    other.resize(other.shape[0], width)
    return split(
        sp.vstack([x, other], format="csr"), np.concatenate([y, labels]), (max(1, len(y) // 10), len(labels)),
        loss, penalty, path.name, normalise=True,
    )  # fmt: skip


def make_parts(name: str, seed: int, scale: float, loss: str, penalty: float = 0.0, **files: Any) -> Parts:
    """Data by name: one of ``SHAPES`` at ``scale``, or the path of a libsvm file.

    Raises:
        StemplayError: there is neither a shape nor a file of this name.
    """
    if name in SHAPES:
        shape = SHAPES[name].scaled(scale) if scale != 1 else SHAPES[name]
        label = f"synthetic data as {name}" + (f", {scale:g} of its size" if scale != 1 else "")
        return synthetic(shape, seed, loss, penalty, label)
    path = Path(name)
    if not path.exists():
        raise StemplayError(f"There is no data set {name!r}: name a libsvm file, or one of {', '.join(SHAPES)}.")
    return from_files(path, files.get("test"), seed, loss, penalty, files.get("keep", 0))

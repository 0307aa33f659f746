"""Transforms of short frames as matrix products, for graphs that run on a CPU.

ONNX Runtime's operator for the DFT takes several times as long, and one product with the matrix of the whole transform reads a megabyte
for each call. Here the transform is split in two stages (Cooley and Tukey 1965): sample ``n = columns * n1 + n2``, bin
``k = k1 + rows * k2``. Of the first stage's bins only ``k1 <= rows / 2`` are computed, as the sound is real. With these come, for each
``k1``, all ``k2``: of each pair ``k`` and ``size - k`` one, but for the first ``k1`` and the last (of an even number of rows), which have
both. What a complex product adds up, the matrix of the next stage adds up.

Bins are ordered by ``k1``, then ``k2``.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.signedinteger]


class SplitTransform(nn.Module):
    """The spectra of real frames of ``size`` samples, and the last ``hop`` samples of frames whose spectra were filtered.

    Attributes:
        bins: ``(k1, k2)``, which bin of the transform each is; those beyond ``size / 2`` are conjugates of those below.
        weights: ``(k1, k2)``, what each counts in a sum over the bins from 0 to ``size / 2``: 1, or a half where its pair is there too.
    """

    def __init__(self, size: int, hop: int) -> None:
        super().__init__()
        common, most = math.gcd(size, hop), max(1, math.isqrt(size // 4))  # with which both stages are alike in work
        self.columns = max(n for n in range(1, most + 1) if common % n == 0)
        self.size, self.rows = size, size // self.columns
        k1, k2 = np.arange(self.rows // 2 + 1), np.arange(self.columns)
        self.bins = k1[:, None] + self.rows * k2[None]
        paired = (2 * k1 % self.rows == 0)[:, None] & (2 * self.bins % size != 0)
        self.weights: Array = np.where(paired, 0.5, 1.0)
        self._keep_forward(k1, k2)
        self._keep_inverse(k1, k2, hop)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """``(..., size)`` -> real and imaginary part, ``(..., k1 * k2)`` each."""
        turned = self._turned(frames)
        shape = (*frames.shape[:-1], -1)
        real, imaginary = (turned @ self.get_buffer(name) for name in ("real", "imaginary"))
        return real.reshape(shape), imaginary.reshape(shape)

    def doubled(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """``forward``, each value once for both parts of a filter's: ``(..., k1 * 2 * k2)`` each."""
        turned = self._turned(frames)
        shape = (*frames.shape[:-1], -1)
        real, imaginary = (self.get_buffer(name).repeat(1, 2) for name in ("real", "imaginary"))
        return (turned @ real).reshape(shape), (turned @ imaginary).reshape(shape)

    def newest(self, filters: Tensor, real: Tensor, imaginary: Tensor) -> Tensor:
        """The last hop of each frame, filtered: ``(..., hop)``.

        Args:
            filters: spectra ``(..., k1 * 2 * k2)``: of each ``k1`` the real parts, then the imaginary ones.
            real, imaginary: of the frame, as from ``doubled``, of the same shape or one that is broadcast to it.
        """
        shape = (*filters.shape[:-1], len(self.bins), 2 * self.columns)
        x = (filters * real).reshape(shape) @ self.get_buffer("by_real")
        x = x + (filters * imaginary).reshape(shape) @ self.get_buffer("by_imaginary")
        # Once turned by cosines, once by sines: the last product adds up both.
        x = x.reshape(*shape[:-2], 1, -1) * self.get_buffer("turn_back")
        x = self.get_buffer("last") @ x.reshape(*shape[:-2], 4 * len(self.bins), self.columns)
        return x.reshape(*shape[:-2], -1)

    def _turned(self, frames: Tensor) -> Tensor:
        """The first stage: ``(..., k1, 4 * columns)``, both parts turned by cosines, then by sines."""
        shape = frames.shape[:-1]
        x = self.get_buffer("first") @ frames.reshape(*shape, self.rows, self.columns)
        x = x.reshape(*shape, len(self.bins), 1, 2 * self.columns) * self.get_buffer("turn")
        return x.reshape(*shape, len(self.bins), 4 * self.columns)

    def _keep_forward(self, k1: Numbers, k2: Numbers) -> None:
        cosine, sine = waves(np.outer(k1, np.arange(self.rows)), self.rows)
        self._keep("first", np.stack([cosine, -sine], axis=1).reshape(2 * len(k1), self.rows))
        cosine, sine = waves(np.outer(k1, k2), self.size)
        self._keep("turn", np.stack([cosine, cosine, sine, sine], axis=1).reshape(len(k1), 2, -1))
        cosine, sine = waves(np.outer(k2, k2), self.columns)
        self._keep("real", np.concatenate([cosine, sine, -sine, cosine]))
        self._keep("imaginary", np.concatenate([-sine, cosine, -cosine, -sine]))

    def _keep_inverse(self, k1: Numbers, k2: Numbers, hop: int) -> None:
        cosine, sine = waves(np.outer(k2, k2), self.columns)
        self._keep("by_real", np.block([[cosine, sine], [-sine, cosine]]))
        self._keep("by_imaginary", np.block([[-sine, cosine], [-cosine, -sine]]))
        cosine, sine = waves(np.outer(k1, k2), self.size)
        turn = np.stack([cosine, sine])[:, :, None]
        self._keep("turn_back", np.concatenate([turn, turn], axis=2).reshape(2, -1))
        newest = np.arange((self.size - hop) // self.columns, self.rows)
        cosine, sine = waves(np.outer(newest, k1), self.rows)
        counts = np.where(2 * k1 % self.rows == 0, 1 / self.size, 2 / self.size)[:, None]
        halves = [np.stack([cosine, -sine], axis=2) * counts, np.stack([-sine, -cosine], axis=2) * counts]
        self._keep("last", np.concatenate([half.reshape(len(newest), -1) for half in halves], axis=1))

    def _keep(self, name: str, values: Array) -> None:
        self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)), persistent=False)


def waves(product: Numbers, period: int) -> tuple[Array, Array]:
    """Cosine and sine of ``2 pi product / period``."""
    angle = (product % period) * (2 * np.pi / period)
    return np.cos(angle), np.sin(angle)

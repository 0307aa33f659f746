"""Spectra of frames that end with the newest sample: what a network sees of them, and how it filters them.

In an exported graph the transforms are products with small matrices (``models.fourier``), and the matrix of the bands is computed from
a few vectors, which ONNX Runtime does once, at loading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.fourier import Array, Numbers, SplitTransform, waves

FLOOR = 1e-5
"""Added to the powers before their logarithm: about 40 dB below what music has in a band."""


def views_of(channels: int) -> int:
    """In how many ways a network sees the sound: left, right, middle and side of stereo, mono once."""
    return 4 if channels == 2 else channels


class SpectralTransform(nn.Module):
    """Base of the transforms: constants that no weights file holds, and a form for export."""

    def __init__(self) -> None:
        super().__init__()
        self.exporting = False

    def keep(self, name: str, values: npt.NDArray[Any]) -> None:
        """A constant, float32."""
        self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)), persistent=False)

    def spectrum(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """``(..., size)`` -> real and imaginary part, ``(..., size / 2 + 1)`` each."""
        spectrum = torch.fft.rfft(frames)
        return spectrum.real, spectrum.imag


class Analysis(SpectralTransform):
    """``(batch, frames, channels, size)`` -> log powers of the bands, ``(batch, frames, views, bands)``.

    The window rises over all of the frame and falls within the last hop. Its scale gives white noise of variance 1 the same power
    with every length.

    Args:
        centres: of the bands, in Hz; neighbours overlap by half.
        channels: 2 for stereo, which is seen in four views, 1 for mono.
    """

    def __init__(self, size: int, hop: int, centres: Sequence[float], rate: int, channels: int = 2) -> None:
        super().__init__()
        self.channels = channels
        window = np.concatenate([_quarter(size - hop) ** 2, _quarter(hop)[::-1] ** 2])
        self.keep("window", window * 0.5 / np.sqrt(size))
        matrix = _bands(np.arange(size // 2 + 1), size, centres, rate)
        self.keep("matrix", matrix / np.maximum(matrix.sum(axis=0), 1e-6))
        self.split = SplitTransform(size, hop)
        bins = self.split.bins.reshape(-1)
        positions = _positions(np.minimum(bins, size - bins), size, centres, rate)
        self.keep("positions", np.stack([positions, np.ones_like(positions)], axis=1))
        self.keep("numbers", np.stack([np.ones(len(centres)), -np.arange(len(centres))]))
        self.keep("weights", self.split.weights.reshape(-1, 1))
        if channels == 2:
            self.keep("views", np.array([[1, 0], [0, 1], [0.5**0.5, 0.5**0.5], [0.5**0.5, -(0.5**0.5)]]))

    def forward(self, frames: Tensor, dtype: torch.dtype) -> Tensor:
        """The logarithms have the type ``dtype``."""
        frames = frames * self.get_buffer("window")
        if self.exporting:
            parts = list(self.split(frames))
            if self.channels == 2:
                parts = [self.get_buffer("views") @ part for part in parts]
            power = parts[0] * parts[0] + parts[1] * parts[1]
            matrix = _OnnxInterpolation.apply(self.get_buffer("positions"), self.get_buffer("numbers"))
            matrix = matrix * self.get_buffer("weights")
            matrix = matrix / matrix.sum(dim=0, keepdim=True).clamp_min(1e-6)
        else:
            real, imaginary = self.spectrum(frames)
            stereo = self.channels == 2
            power = torch.cat([_views(part) if stereo else part for part in (real, imaginary)]).square()
            power = power[: len(frames)] + power[len(frames) :]
            matrix = self.get_buffer("matrix")
        return torch.log(power.to(dtype) @ matrix.to(dtype) + FLOOR)


class FilterBasis(SpectralTransform):
    """Factors of bands -> spectra of filters as ``SplitTransform`` orders them: by far the largest product here, and one that 8 bits do
    for (``training.export.quantize_graph``)."""

    def __init__(self, matrix: Array) -> None:
        super().__init__()
        self.keep("matrix", matrix)

    def forward(self, factors: Tensor) -> Tensor:
        """``(..., 2 * bands)`` -> ``(..., k1 * 2 * k2)``."""
        return factors @ self.get_buffer("matrix")


class Filtering(SpectralTransform):
    """The newest hop of each frame through the filters of this frame and of the one before, faded over.

    A filter is a sum of causal ones, two for each band: that whose spectrum has the band as its real part, and the like for the
    imaginary part. Equal factors in all bands are a gain. No filter is longer than ``size - hop``, so a frame's spectrum gives the
    exact convolution (overlap-save): where two hops meet, both frames agree on what each filter makes, and nothing jumps.

    Shape:
        frames ``(batch, n, channels, size)``; factors ``(batch, n, outputs, 2 * bands)``, real parts before imaginary ones; state
        ``(batch, 1, outputs, ...)``; output ``(batch, n, outputs, hop)``.
    """

    def __init__(self, size: int, hop: int, centres: Sequence[float], rate: int) -> None:
        super().__init__()
        filters = _filters(size - hop, centres, rate)
        real, imaginary = _spectra(filters, np.arange(size // 2 + 1), size)
        self.keep("matrix", np.concatenate([real, imaginary], axis=1))
        self.split = SplitTransform(size, hop)
        real, imaginary = _spectra(filters, self.split.bins.reshape(-1), size)
        shape = (len(filters), *self.split.bins.shape)
        ordered = np.stack([real.reshape(shape), imaginary.reshape(shape)], axis=2)
        self.basis = FilterBasis(ordered.reshape(len(filters), -1))
        cosine, sine = waves(np.outer(np.arange(size // 2 + 1), np.arange(size - hop, size)), size)
        weights = _one_sided(size)
        self.keep("inverse", np.concatenate([cosine * weights, sine * -weights]))
        fade = (np.arange(hop) + 0.5) / hop
        self.keep("fades", np.stack([fade, 1 - fade]))

    def initial_state(self, batch: int, outputs: int) -> Tensor:
        """A filter that lets nothing through: its factors, or in an exported graph its spectrum, which is not computed twice."""
        matrix = self.basis.get_buffer("matrix")
        return matrix.new_zeros(batch, 1, outputs, matrix.shape[self.exporting])

    def forward(self, frames: Tensor, factors: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """See the class; also returns the next state."""
        if self.exporting:
            return self._split(frames, factors, state)
        dtype = factors.dtype
        real, imaginary = (part.to(dtype) for part in self.spectrum(frames))
        matrix, inverse, fades = (self.get_buffer(name).to(dtype) for name in ("matrix", "inverse", "fades"))
        filters = torch.cat([state.to(dtype), factors], dim=1) @ matrix
        newest, before = _Filtered.apply(filters, real, imaginary)
        return (newest @ inverse) * fades[0] + (before @ inverse) * fades[1], factors[:, -1:]

    def _split(self, frames: Tensor, factors: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The same by transforms in two stages."""
        filters = self.basis(factors)
        count, last = filters.shape[1], filters
        if count > 1:
            state, last = torch.cat([state, filters[:, :-1]], dim=1), filters[:, -1:]
        real, imaginary = (part[:, None, :, None] for part in self.split.doubled(frames))
        both = torch.cat([filters, state], dim=1).unflatten(2, (-1, frames.shape[2])).unflatten(1, (2, count))
        y = self.split.newest(both, real, imaginary) * self.get_buffer("fades")[:, None, None, None]
        newest, before = y.flatten(3, 4).split(1, dim=1)
        return (newest + before).squeeze(1), last


def interpolation(positions: Tensor, numbers: Tensor) -> Tensor:
    """``(bins, bands)``: the nearer a bin's position, counted in bands, the more it belongs to a band.

    ``positions (bins, 2)`` are followed by ones, ``numbers (2, bands)`` are ones and the negative numbers of the bands: the product is
    their distance.
    """
    return F.relu(1 - (positions @ numbers).abs())


class _OnnxInterpolation(torch.autograd.Function):
    """``interpolation`` in nodes that the exporter does not compute in advance."""

    @staticmethod
    def forward(ctx: Any, positions: Tensor, numbers: Tensor) -> Tensor:
        """See ``interpolation``."""
        return interpolation(positions, numbers)

    @staticmethod
    def symbolic(g: Any, positions: Any, numbers: Any) -> Any:
        """The same in nodes."""
        distance = g.op("Abs", g.op("MatMul", positions, numbers))
        matrix = g.op("Relu", g.op("Sub", g.op("Constant", value_t=torch.ones(())), distance))
        return matrix.setType(numbers.type().with_sizes([positions.type().sizes()[0], numbers.type().sizes()[1]]))


class _Filtered(torch.autograd.Function):
    """Spectra by each frame's filters and by those of the frame before, without the copies that autograd would keep.

    Shape:
        filters ``(batch, n + 1, outputs, 2 * bins)``, real and imaginary ``(batch, n, channels, bins)``, which have no gradient.
    """

    @staticmethod
    def forward(ctx: Any, filters: Tensor, real: Tensor, imaginary: Tensor) -> tuple[Tensor, Tensor]:
        """By the newest filters, and by those before."""
        ctx.save_for_backward(real, imaginary)
        shape = (*real.shape[:2], filters.shape[2], filters.shape[3])
        results = []
        for chosen in (filters[:, 1:], filters[:, :-1]):
            result = filters.new_empty(shape)
            _multiply(result, chosen, real, imaginary)
            results.append(result)
        return results[0], results[1]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """A product with the conjugate."""
        real, imaginary = ctx.saved_tensors
        newest, before = gradients
        batch, count, outputs, bins = newest.shape
        total = newest.new_empty(batch, count + 1, outputs, bins)
        total[:, :1] = 0
        _multiply(total[:, 1:], newest, real, -imaginary)
        _multiply(total[:, :-1], before, real, -imaginary, add=True)
        return total, None, None


def _multiply(out: Tensor, filters: Tensor, real: Tensor, imaginary: Tensor, add: bool = False) -> None:
    """The complex product, real parts before imaginary ones, into ``out`` or added to it; each source has ``real.shape[2]`` channels."""
    channels = real.shape[2]

    def parts(x: Tensor) -> tuple[Tensor, Tensor]:
        first, second = x.unflatten(2, (-1, channels)).chunk(2, dim=-1)
        return first, second

    (a, b), (x, y) = parts(filters), parts(out)
    real, imaginary = real[:, :, None], imaginary[:, :, None]
    if add:
        x.addcmul_(a, real)
        y.addcmul_(a, imaginary)
    else:
        torch.mul(a, real, out=x)
        torch.mul(a, imaginary, out=y)
    x.addcmul_(b, imaginary, value=-1)
    y.addcmul_(b, real)


def _views(x: Tensor) -> Tensor:
    """Left and right -> left, right, middle, side, along the third axis."""
    left, right = x[:, :, :1], x[:, :, 1:]
    return torch.cat([x, (left + right) * 0.5**0.5, (left - right) * 0.5**0.5], dim=2)


def _positions(bins: Numbers, size: int, centres: Sequence[float], rate: int) -> Array:
    """Where the bins of a transform of ``size`` lie, counted in bands."""
    return np.interp(bins * rate / size, centres, np.arange(len(centres)))


def _bands(bins: Numbers, size: int, centres: Sequence[float], rate: int) -> Array:
    """``(bins, bands)``: how much of each bin belongs to each band."""
    distance = _positions(bins, size, centres, rate)[:, None] - np.arange(len(centres))
    return np.maximum(1 - np.abs(distance), 0)


def _filters(taps: int, centres: Sequence[float], rate: int) -> Array:
    """``(2 * bands, taps)``: a causal filter for the real part of each band, and one for its imaginary part."""
    grid = 2 * taps
    matrix = _bands(np.arange(taps + 1), grid, centres, rate).T
    cosine, sine = waves(np.outer(np.arange(taps + 1), np.arange(taps)), grid)
    weights, end = _one_sided(grid), taps // 4
    envelope = np.concatenate([np.ones(taps - end), _quarter(end)[::-1] ** 2])
    envelope[1:] *= 2  # of an even response only the half after 0 is kept
    return np.asarray(np.concatenate([matrix @ (cosine * weights), matrix @ (sine * -weights)]) * envelope)


def _spectra(filters: Array, bins: Numbers, size: int) -> tuple[Array, Array]:
    """Real and imaginary part of the filters' spectra, ``(filters, bins)`` each."""
    cosine, sine = waves(np.outer(np.arange(filters.shape[1]), bins), size)
    return filters @ cosine, -(filters @ sine)


def _quarter(count: int) -> Array:
    """A quarter of a sine, rising."""
    return np.asarray(np.sin(np.pi / 2 * (np.arange(count) + 0.5) / max(1, count)))


def _one_sided(size: int) -> Array:
    """What the bins of a real signal count in its inverse transform, ``(size / 2 + 1, 1)``."""
    weights = np.full((size // 2 + 1, 1), 2 / size)
    weights[[0, -1]] /= 2
    return weights

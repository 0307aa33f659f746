"""Spectra of frames that end with the newest sample: what a network sees of them, and how it filters them.

Matrices that follow from a few vectors are computed from these. In an exported graph ONNX Runtime does so once, at loading: the file
would be megabytes larger with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

FLOOR = 1e-5
"""Added to the powers before their logarithm: about 40 dB below what music has in a band."""
VIEWS = 4
"""Left, right, middle, side."""


class SpectralTransform(nn.Module):
    """Base of the transforms: constants that no weights file holds, and a form for export."""

    def __init__(self) -> None:
        super().__init__()
        self.exporting = False

    def keep(self, name: str, values: np.ndarray[Any, Any]) -> None:
        """A constant, float32."""
        self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)), persistent=False)

    def keep_bands(self, size: int, centres: Sequence[float], rate: int) -> None:
        """What ``computed_bands`` needs: where the bins of a transform of ``size`` lie among the bands."""
        frequencies = np.arange(size // 2 + 1) * rate / size
        positions = np.interp(frequencies, centres, np.arange(len(centres)))
        self.keep("positions", np.stack([positions, np.ones_like(positions)], axis=1))
        self.keep("numbers", np.stack([np.ones(len(centres)), -np.arange(len(centres))]))

    def computed_bands(self) -> Tensor:
        """``(bins, bands)``: how much of each bin belongs to each band."""
        positions, numbers = self.get_buffer("positions"), self.get_buffer("numbers")
        matrix: Tensor = (
            _OnnxInterpolation.apply(positions, numbers) if self.exporting else interpolation(positions, numbers)
        )
        return matrix

    def spectrum(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """``(..., size)`` -> real and imaginary part, ``(..., size / 2 + 1)`` each."""
        if self.exporting:
            size = frames.shape[-1]
            parts = _OnnxDFT.apply(frames.reshape(-1, size))
            shape = (*frames.shape[:-1], size // 2 + 1)
            return parts[..., 0].reshape(shape), parts[..., 1].reshape(shape)
        spectrum = torch.fft.rfft(frames)
        return spectrum.real, spectrum.imag


class Analysis(SpectralTransform):
    """``(batch, frames, channels, size)`` -> log powers of the bands, ``(batch, frames, views, bands)``.

    The window rises over all of the frame and falls within the last hop. Its scale gives white noise of variance 1 the same power
    with every length.

    Args:
        centres: of the bands, in Hz; neighbours overlap by half.
    """

    def __init__(self, size: int, hop: int, centres: Sequence[float], rate: int) -> None:
        super().__init__()
        window = np.concatenate([_quarter(size - hop) ** 2, _quarter(hop)[::-1] ** 2])
        self.keep("window", window * 0.5 / np.sqrt(size))
        self.keep_bands(size, centres, rate)
        self.keep("matrix", self.computed_bands().numpy())

    def forward(self, frames: Tensor, dtype: torch.dtype) -> Tensor:
        """The logarithms have the type ``dtype``."""
        real, imaginary = self.spectrum(frames * self.get_buffer("window"))
        power = torch.cat([_views(real), _views(imaginary)]).square()
        power = power[: len(frames)] + power[len(frames) :]
        matrix = self.computed_bands() if self.exporting else self.get_buffer("matrix")
        matrix = matrix / matrix.sum(dim=0, keepdim=True).clamp_min(1e-6)
        return torch.log(power.to(dtype) @ matrix.to(dtype) + FLOOR)


class Filtering(SpectralTransform):
    """The newest hop of each frame through the filters of this frame and of the one before, faded over.

    A filter is a sum of causal ones, two for each band: that whose spectrum has the band as its real part, and the like for the
    imaginary part. Equal factors in all bands are a gain. No filter is longer than ``size - hop``, so a frame's spectrum gives the
    exact convolution (overlap-save): where two hops meet, both frames agree on what each filter makes, and nothing jumps.

    Shape:
        frames ``(batch, n, channels, size)``; factors ``(batch, n + 1, outputs, 2 * bands)``, real parts before imaginary ones; output
        ``(batch, n, outputs, hop)``.
    """

    def __init__(self, size: int, hop: int, centres: Sequence[float], rate: int) -> None:
        super().__init__()
        self.size, self.taps = size, size - hop
        grid = 2 * self.taps
        self.keep_bands(grid, centres, rate)
        self.keep("grid", np.arange(self.taps + 1)[:, None])
        self.keep("delays", np.arange(self.taps)[None])
        end = self.taps // 4
        envelope = np.concatenate([np.ones(self.taps - end), _quarter(end)[::-1] ** 2])
        envelope[1:] *= 2  # of an even response only the half after 0 is kept
        self.keep("envelope", envelope[None])
        self.keep("grid_weights", _one_sided(grid))
        self.keep("bins", np.arange(size // 2 + 1)[:, None])
        self.keep("newest", np.arange(size - hop, size)[None])
        self.keep("bin_weights", _one_sided(size))
        fade = (np.arange(hop) + 0.5) / hop
        self.keep("fades", np.stack([fade, 1 - fade]))
        self.keep("basis_matrix", self.computed_basis().numpy())
        self.keep("inverse_matrix", self.computed_inverse().numpy())

    def computed_basis(self) -> Tensor:
        """``(2 * bands, 2 * bins)``: the spectra of the filters, real parts before imaginary ones."""
        matrix = self.computed_bands().t()
        cosine, sine = self._waves("grid", "delays", 2 * self.taps)
        weights, envelope = self.get_buffer("grid_weights"), self.get_buffer("envelope")
        filters = torch.cat([matrix @ (cosine * weights), matrix @ (sine * -weights)]) * envelope
        cosine, sine = self._waves("bins", "delays", self.size)
        return torch.cat([filters @ cosine.t(), -(filters @ sine.t())], dim=1)

    def computed_inverse(self) -> Tensor:
        """``(2 * bins, hop)``: spectra to the last hop of their frame."""
        cosine, sine = self._waves("bins", "newest", self.size)
        weights = self.get_buffer("bin_weights")
        return torch.cat([cosine * weights, sine * -weights])

    def forward(self, frames: Tensor, factors: Tensor) -> Tensor:
        """See the class."""
        dtype = factors.dtype
        real, imaginary = (part.to(dtype) for part in self.spectrum(frames))
        basis = self.computed_basis() if self.exporting else self.get_buffer("basis_matrix")
        inverse = self.computed_inverse() if self.exporting else self.get_buffer("inverse_matrix")
        basis, inverse, fades = basis.to(dtype), inverse.to(dtype), self.get_buffer("fades").to(dtype)
        filters = factors @ basis
        if self.exporting:
            repeats = factors.shape[2] // frames.shape[2]
            real, imaginary = real.repeat(1, 1, repeats, 1), imaginary.repeat(1, 1, repeats, 1)
            newest, before = _filtered(filters[:, 1:], real, imaginary), _filtered(filters[:, :-1], real, imaginary)
            # One product for both, as its matrix does not fit into the caches.
            newest, before = (torch.cat([newest, before], dim=2) @ inverse).chunk(2, dim=2)
        else:
            newest, before = _Filtered.apply(filters, real, imaginary)
            newest, before = newest @ inverse, before @ inverse
        return newest * fades[0] + before * fades[1]

    def _waves(self, rows: str, columns: str, period: int) -> tuple[Tensor, Tensor]:
        """Cosine and sine of ``2 pi row column / period``."""
        first, second = self.get_buffer(rows), self.get_buffer(columns)
        pair: tuple[Tensor, Tensor] = (
            _OnnxWaves.apply(first, second, period) if self.exporting else waves(first, second, period)
        )
        return pair


def interpolation(positions: Tensor, numbers: Tensor) -> Tensor:
    """``(bins, bands)``: the nearer a bin's position, counted in bands, the more it belongs to a band.

    ``positions (bins, 2)`` are followed by ones, ``numbers (2, bands)`` are ones and the negative numbers of the bands: the product is
    their distance.
    """
    return F.relu(1 - (positions @ numbers).abs())


def waves(rows: Tensor, columns: Tensor, period: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of ``2 pi row column / period`` for whole numbers whose products are below 2^24, so exact in float32."""
    product = rows @ columns
    angle = (product - period * torch.floor(product / period)) * (2 * np.pi / period)
    return torch.cos(angle), torch.sin(angle)


class _OnnxDFT(torch.autograd.Function):
    """``rfft`` as real and imaginary part, and ONNX's operator for it, which torch's exporter does not know."""

    @staticmethod
    def forward(ctx: Any, frames: Tensor) -> Tensor:
        """``(n, size)`` -> ``(n, size / 2 + 1, 2)``."""
        return torch.view_as_real(torch.fft.rfft(frames))

    @staticmethod
    def symbolic(g: Any, frames: Any) -> Any:
        """The operator's nodes."""
        column = g.op("Unsqueeze", frames, g.op("Constant", value_t=torch.tensor([2])))
        spectrum = g.op("DFT", column, axis_i=1, onesided_i=1)
        rows, size = frames.type().sizes()
        return spectrum.setType(frames.type().with_sizes([rows, size // 2 + 1, 2]))


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


class _OnnxWaves(torch.autograd.Function):
    """``waves`` likewise."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, columns: Tensor, period: int) -> tuple[Tensor, Tensor]:
        """See ``waves``."""
        return waves(rows, columns, period)

    @staticmethod
    def symbolic(g: Any, rows: Any, columns: Any, period: int) -> Any:
        """The same in nodes."""

        def number(value: float) -> Any:
            return g.op("Constant", value_t=torch.tensor(value))

        product = g.op("MatMul", rows, columns)
        turns = g.op("Floor", g.op("Div", product, number(float(period))))
        rest = g.op("Sub", product, g.op("Mul", turns, number(float(period))))
        angle = g.op("Mul", rest, number(2 * np.pi / period))
        kind = rows.type().with_sizes([rows.type().sizes()[0], columns.type().sizes()[1]])
        return g.op("Cos", angle).setType(kind), g.op("Sin", angle).setType(kind)


class _Filtered(torch.autograd.Function):
    """``_filtered`` by each frame's filters and by those of the frame before, without the copies that autograd would keep.

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
    """``_filtered`` into ``out``, or added to it; each source has all ``real.shape[2]`` channels."""
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


def _filtered(filters: Tensor, real: Tensor, imaginary: Tensor) -> Tensor:
    """The complex product, real parts before imaginary ones."""
    a, b = filters.chunk(2, dim=-1)
    return torch.cat([a * real - b * imaginary, a * imaginary + b * real], dim=-1)


def _views(x: Tensor) -> Tensor:
    """Left and right -> left, right, middle, side, along the third axis."""
    left, right = x[:, :, :1], x[:, :, 1:]
    return torch.cat([x, (left + right) * 0.5**0.5, (left - right) * 0.5**0.5], dim=2)


def _quarter(count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A quarter of a sine, rising."""
    return np.asarray(np.sin(np.pi / 2 * (np.arange(count) + 0.5) / max(1, count)))


def _one_sided(size: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What the bins of a real signal count in its inverse transform, ``(size / 2 + 1, 1)``."""
    weights = np.full((size // 2 + 1, 1), 2 / size)
    weights[[0, -1]] /= 2
    return weights

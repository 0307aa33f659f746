"""Fourier transforms in graphs (``rtaudio.inference.onnx_graph``), as matrix products.

ONNX Runtime's own operator takes six times as long (``docs/by-hand.md``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtaudio.inference.onnx_graph import OnnxGraph

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fourier:
    """Transforms of ``size`` real samples in two or three sums (Cooley and Tukey).

    Sample ``middle * columns * t1 + columns * t2 + t3`` is in row ``t1``. Frequency ``f1 + steps * f2 + steps * middle * f3`` is in row
    ``middle * f1 + f2`` and column ``f3`` of a spectrum. Only ``f1`` up to half of ``steps`` are there, because the others are complex
    conjugates. Real and imaginary parts are side by side, ``(rows, 2 * columns)``.

    The sums are matrix products. Before the sum over ``t3`` (``forward``) or after that over ``f3`` (``backward``) each number is
    multiplied by a complex factor.
    """

    size: int
    columns: int
    middle: int = 1

    @property
    def steps(self) -> int:
        """Rows of samples, of ``middle * columns`` each."""
        return self.size // (self.middle * self.columns)

    @property
    def rows(self) -> int:
        """Rows of a spectrum."""
        return self._halves * self.middle

    @property
    def _halves(self) -> int:
        return self.steps // 2 + 1

    def forward(self, graph: OnnxGraph, samples: str, given: int, arrange: Matrix | None = None) -> str:
        """Samples ``(n, given, middle * columns)``, followed by zeros -> their spectra, ``(n, rows, 2 * columns)``.

        ``arrange``: a matrix by which the rows of the spectra are multiplied.
        """
        turn = _turn(-np.outer(np.arange(self._halves), np.arange(given)) / self.steps)
        down = np.stack((turn.real, turn.imag), axis=1).reshape(-1, given)
        numbers = graph.node("MatMul", graph.constant(down), samples)
        if self.middle > 1:
            turn = self._between(-1)  # (f1, f2, t2)
            both = np.stack((np.concatenate((turn.real, -turn.imag), 2), np.concatenate((turn.imag, turn.real), 2)), axis=2)
            sums = both.reshape(self._halves, -1, 2 * self.middle)
            numbers = graph.shaped(numbers, -1, self._halves, 2 * self.middle, self.columns)
            numbers = graph.node("MatMul", graph.constant(sums), numbers)
        across = _of_complex(_turn(-np.outer(np.arange(self.columns), np.arange(self.columns)) / self.columns))
        matrix = graph.constant(across if arrange is None else across @ arrange)
        return graph.node("MatMul", self._multiplied(graph, numbers), matrix)

    def backward(self, graph: OnnxGraph, spectra: str, across: Matrix, rows: range, late: int = 0) -> str:
        """Spectra -> ``rows`` of samples, ``(n, len(rows), middle * columns)``.

        Args:
            spectra: ``(n, self.rows, any)``.
            across: the matrix ``(any, 2 * columns)`` that makes ``(real, imaginary)`` of them.
            late: delay the signal by so many samples; it is periodic.
        """
        numbers = np.arange(self.columns)
        columns = _of_complex(_turn(np.outer(numbers, numbers - late) / self.columns))
        twice = graph.node("MatMul", spectra, graph.constant(np.tile(across @ columns, (1, 2))))
        turn = _turn(self._angles(late))  # numbers times cosines, and times sines: the next matrix adds what belongs together
        turned = graph.node("Mul", twice, graph.constant(np.hstack((turn.real, turn.real, turn.imag, turn.imag))))
        number = np.arange(self._halves)
        counted = np.where((number == 0) | (2 * number == self.steps), 1, 2)  # twice with their conjugates in the missing rows
        down = _turn(np.outer(rows, number) / self.steps) * counted / self.size
        parts = [down.real, -down.imag]
        if self.middle > 1:
            turned = graph.shaped(turned, -1, self._halves, 4 * self.middle, self.columns)
            turn = self._between(1).transpose(0, 2, 1)  # (f1, t2, f2)
            real = np.stack((turn.real, -turn.imag, -turn.imag, -turn.real), axis=3)
            imaginary = np.stack((turn.imag, turn.real, turn.real, -turn.imag), axis=3)
            sums = np.concatenate((real, imaginary), axis=1).reshape(self._halves, 2 * self.middle, -1)
            turned = graph.node("MatMul", graph.constant(sums), turned)
        else:
            parts += [-down.imag, -down.real]
        turned = graph.shaped(turned, -1, len(parts) * self._halves, self.middle * self.columns)
        return graph.node("MatMul", graph.constant(np.stack(parts, axis=2).reshape(len(rows), -1)), turned)

    def _between(self, sign: int) -> npt.NDArray[np.complex128]:
        """The matrix of the sum in the middle for each ``f1``, ``(f1, f2, t2)``."""
        frequency = np.arange(self._halves)[:, None] + self.steps * np.arange(self.middle)
        return _turn(sign * frequency[..., None] * np.arange(self.middle) / (self.steps * self.middle))

    def _angles(self, late: int) -> Matrix:
        """Of the factors before the sum over ``t3``, in turns, ``(rows, columns)``."""
        frequency = np.arange(self._halves)[:, None] + self.steps * np.arange(self.middle)
        return np.outer(frequency.ravel(), np.arange(self.columns) - late) / self.size

    def _multiplied(self, graph: OnnxGraph, numbers: str) -> str:
        """Complex numbers, ``n * rows * 2 * columns`` in all, times the factors, ``(n, rows, 2 * columns)``."""
        turn = _turn(-self._angles(0))
        numbers = graph.shaped(numbers, -1, self.rows, 2, self.columns)
        real, imaginary = graph.nodes("Split", 2, numbers, axis=2)
        crossed = graph.node("Concat", imaginary, real, axis=2)
        first = graph.node("Mul", numbers, graph.constant(np.stack((turn.real, turn.real), axis=1)))
        second = graph.node("Mul", crossed, graph.constant(np.stack((-turn.imag, turn.imag), axis=1)))
        return graph.shaped(graph.node("Add", first, second), -1, self.rows, 2 * self.columns)


def _turn(turns: Matrix) -> npt.NDArray[np.complex128]:
    """Complex numbers of size 1, from their angles in turns."""
    found: npt.NDArray[np.complex128] = np.exp(2j * np.pi * turns)
    return found


def _of_complex(matrix: npt.NDArray[np.complex128]) -> Matrix:
    """A complex matrix as a real one, for rows of real and imaginary parts side by side."""
    return np.block([[matrix.real, matrix.imag], [-matrix.imag, matrix.real]])


def columns_for(size: int) -> int:
    """The divisor of ``size`` nearest to its square root."""
    return min((n for n in range(1, size + 1) if size % n == 0), key=lambda n: abs(math.log(n * n / size)))

"""Transforms as matrix products in a graph: those of NumPy, for sizes with and without a sum in the middle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rtaudio.audio.format import Audio
from rtaudio.inference.fourier import Fourier, columns_for
from rtaudio.inference.onnx_graph import OnnxGraph
from rtaudio.inference.runtime import open_graph

SIZES = [(4096, 16, 16), (2048, 16, 16), (512, 16), (600, 15), (614, 1), (30, 5), (8, 2, 2)]
PLANS = [Fourier(*sizes) for sizes in SIZES]


def in_order(plan: Fourier, spectra: Audio) -> npt.NDArray[np.complex128]:
    """``(n, rows, 2 * columns)`` -> ``(n, size)``, NaN where nothing is."""
    numbers = spectra[..., : plan.columns] + 1j * spectra[..., plan.columns :]
    whole = np.full((len(spectra), plan.size), np.nan, np.complex128)
    for row in range(plan.rows):
        first, second = divmod(row, plan.middle)
        whole[:, first + plan.steps * second :: plan.steps * plan.middle] = numbers[:, row]
    return whole


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("whole", [True, False])
def test_forward_is_the_transform_of_samples_and_the_zeros_after_them(plan: Fourier, whole: bool) -> None:
    given = plan.steps if whole else max(1, plan.steps // 2)
    row = plan.middle * plan.columns
    samples = np.random.default_rng(0).standard_normal((3, given * row)).astype(np.float32)
    graph = OnnxGraph("forward")
    spectra = plan.forward(graph, graph.input("x", (3, given, row)), given)
    graph.output("y", spectra, (3, plan.rows, 2 * plan.columns))
    found = open_graph(graph.encode()).run(None, {"x": samples.reshape(3, given, row)})[0]
    exact = np.fft.fft(samples.astype(np.float64), plan.size)
    numbers = in_order(plan, found)
    conjugates = np.conj(np.roll(numbers[:, ::-1], 1, axis=1))
    assert np.nanmax(np.abs(numbers - exact)) < 1e-5 * np.abs(exact).max()
    assert not (np.isnan(numbers) & np.isnan(conjugates)).any(), "each frequency is there, or its opposite"


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("late", [0, 5])
def test_backward_returns_the_samples_delayed(plan: Fourier, late: int) -> None:
    row = plan.middle * plan.columns
    samples = np.random.default_rng(0).standard_normal((3, plan.size)).astype(np.float32)
    graph = OnnxGraph("there and back")
    spectra = plan.forward(graph, graph.input("x", (3, plan.steps, row)), plan.steps)
    rows = range(plan.steps // 2, plan.steps + 1)  # beyond the last is the first again
    back = plan.backward(graph, spectra, np.eye(2 * plan.columns), rows, late)
    graph.output("y", back, (3, len(rows), row))
    found = open_graph(graph.encode()).run(None, {"x": samples.reshape(3, plan.steps, row)})[0].reshape(3, -1)
    places = np.arange(rows.start * row, rows.stop * row) - late
    assert np.abs(found - samples[:, places % plan.size]).max() < 1e-5


def test_columns_are_a_divisor_near_the_square_root() -> None:
    assert [columns_for(size) for size in (256, 1024, 307, 1)] == [16, 32, 1, 1] and columns_for(300) in (15, 20)

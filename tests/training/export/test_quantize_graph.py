"""What is special about our graphs in int8."""

from __future__ import annotations

import numpy as np

from models.masks import CausalMasksConfig
from models.spectra import Filtering
from training.export.quantize_graph import factor_moments
from training.export.rounding import rounded_columns


def test_filters_of_eight_bits_are_exact_where_neighbouring_bands_are_alike() -> None:
    config = CausalMasksConfig()
    bands = config.bands()
    matrix = Filtering(config.window, config.hop_length, bands, config.sample_rate).basis.get_buffer("matrix").numpy()
    rng = np.random.default_rng(0)
    knots = np.linspace(0, len(bands) - 1, 12)
    gains = np.stack([np.interp(np.arange(len(bands)), knots, rng.uniform(0, 0.5, 12)) for _ in range(200)])
    factors = np.concatenate([gains, 0.02 * rng.standard_normal(gains.shape)], axis=1).astype(np.float32)

    def lost(moments: np.ndarray | None) -> float:
        """Decibels from the filters to what the rounded matrix makes wrong."""
        rounded, scale = rounded_columns(matrix, moments)
        exact = factors @ matrix
        error = factors @ (rounded * scale) - exact
        return float(10 * np.log10((exact**2).sum() / (error**2).sum()))

    assert lost(factor_moments(len(bands))) > lost(None) + 10

"""Refinement: Wiener filters computed from the stems' spectra. It needs look-ahead, which adds latency.

A small network is often right about the level of each source in a band, but wrong about its waveform. From the powers of its stems
follows a filter for each source, the ratio of its power to the sum of all (Wiener; thesis section 1.3.2; Open-Unmix does this with whole
songs). The mix through these filters is a second estimate with other errors. The output is a weighted mean of both.

A filter without look-ahead shifts the phases and does not help (measured: worse than the stems alone). A look-ahead of some milliseconds
leaves room for the part of the impulse response before time 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.inference.runtime import Stream, open_graph
from rtaudio.processors.frame_model import FrameModel
from rtaudio.processors.refine_graph import RefineGraph
from rtaudio.processors.residual import whole_shares

WINDOW_S = 0.093
"""Of the spectra: 4096 samples at 44.1 kHz."""
SHARE = 0.5
"""Share of the filtered mix in the output if the card does not say; the rest is the network's stems."""


class Refined:
    """Wraps a FrameModel and delays it by ``look_ahead`` samples: a weighted mean of its stems and the mix filtered by their power ratios.

    The output cross-fades from the filters of the previous hop to those of this one, so there is no step between hops. The taps reach
    ``look_ahead`` samples ahead and half a window back. Two taps at the same distance from 0 are weighted so that their weights sum to
    2, as in a zero-phase filter; what the tap ahead loses is added to the one behind. The filters sum to the delayed mix itself.

    Args:
        hops: number of the model's hops for each set of filters. More hops cost less time, but add latency in live use.
        share: of the filtered mix in the output, one for all stems or one for each.

    Raises:
        StemplayError: the model's frames overlap, it has a single stem, or the look-ahead is longer than half a window.
    """

    def __init__(
        self, inner: FrameModel, look_ahead: int, *, hops: int = 1, share: float | Sequence[float] = SHARE
    ) -> None:
        self.name, self.rate, self.channels, self.outputs = inner.name, inner.rate, inner.channels, inner.outputs
        self.shares, self.hop = inner.shares, hops * inner.hop
        self.window = self.hop
        self.delay = inner.delay + look_ahead
        self._inner = inner
        if inner.window != inner.hop:
            raise StemplayError(f"The model {inner.name!r} works in overlapping chunks: its stems cannot be refined.")
        stems = len(inner.outputs)
        if stems < 2:
            raise StemplayError(f"The model {inner.name!r} has a single stem, which cannot be refined.")
        size = window_size(inner.rate)
        if not 0 < look_ahead <= size // 2:
            longest = 1000 * (size // 2) / inner.rate
            raise StemplayError(f"The look-ahead must be more than 0 and at most {longest:.0f} ms.")
        residual = tuple(map(float, whole_shares(inner.shares, stems)))
        shares = tuple(map(float, np.broadcast_to(np.asarray(share, np.float64), (stems,))))
        graph = RefineGraph(stems, inner.channels, self.hop, inner.delay, look_ahead, size, residual, shares)
        self._stream = Stream(open_graph(graph.encode()), graph.inputs, ("refined", graph.inputs["stems"][0]), graph.states)

    def run(self, mix: Audio) -> Audio:
        """One hop: ``(hop, channels)`` -> ``(hop, n_sources, channels)``, ``delay`` samples late."""
        step = self._inner.hop
        parts = [self._inner.run(mix[start : start + step]) for start in range(0, self.hop, step)]
        return self._stream.run(mix, parts[0] if len(parts) == 1 else np.concatenate(parts))

    def reset(self) -> None:
        """Clear all state."""
        self._inner.reset()
        self._stream.reset()

    def warm_up(self) -> None:
        """Warm up the wrapped model."""
        self._inner.warm_up()

    def get_state(self) -> dict[str, Any]:
        """A deep copy of the state."""
        return {"inner": self._inner.get_state(), "refining": self._stream.copy()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what ``get_state`` returned."""
        self._inner.set_state(state["inner"])
        self._stream.put(state["refining"])


def window_size(rate: int) -> int:
    """Samples of the spectra at ``rate``: the power of two nearest to ``WINDOW_S``."""
    return int(1 << round(np.log2(WINDOW_S * rate)))

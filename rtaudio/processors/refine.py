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
import numpy.typing as npt

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.processors.frame_model import FrameModel
from rtaudio.processors.residual import whole_shares

WINDOW_S = 0.093
"""Of the spectra: 4096 samples at 44.1 kHz."""
SHARE = 0.5
"""Share of the filtered mix in the output if the card does not say; the rest is the network's stems."""
FLOOR = 1e-9
"""Added to each source's power, so that silent sources get equal shares."""
Spectra = npt.NDArray[np.complex64]


class Refined:
    """Wraps a FrameModel and delays it by ``look_ahead`` samples: a weighted mean of its stems and the mix filtered by their power ratios.

    The output cross-fades from the filters of the previous hop to those of this one, so there is no step between hops. The taps reach
    ``look_ahead`` samples ahead and half a window back. Two taps at the same distance from 0 are weighted so that their weights sum to
    2, as in a zero-phase filter; what the tap ahead loses is added to the one behind. The filters sum to the delayed mix itself.

    Args:
        hops: number of the model's hops for each set of filters. More hops cost less time, but add latency in live use.
        share: of the filtered mix in the output, one for all stems or one for each.

    Raises:
        StemplayError: the model's frames overlap, or the look-ahead is longer than half a window.
    """

    def __init__(
        self, inner: FrameModel, look_ahead: int, *, hops: int = 1, share: float | Sequence[float] = SHARE
    ) -> None:
        self.name, self.rate, self.channels, self.outputs = inner.name, inner.rate, inner.channels, inner.outputs
        self.shares, self.hop = inner.shares, hops * inner.hop
        self.window = self.hop
        self.delay = inner.delay + look_ahead
        self._inner, self._ahead = inner, look_ahead
        self._share = np.broadcast_to(np.asarray(share, np.float32), (len(inner.outputs),))[:, None]
        self._size = window_size(inner.rate)
        self._behind = self._size // 2
        if inner.window != inner.hop:
            raise StemplayError(f"The model {inner.name!r} works in overlapping chunks: its stems cannot be refined.")
        if not 0 < look_ahead <= self._behind:
            longest = 1000 * self._behind / inner.rate
            raise StemplayError(f"The look-ahead must be more than 0 and at most {longest:.0f} ms.")
        self._analysis = _analysis_window(self._size, max(min(self.hop, self._behind), look_ahead))
        self._weights = _tap_weights(self._behind, look_ahead)
        self._parts = -(-len(self._weights) // self.hop)
        self._fade = (np.arange(self.hop, dtype=np.float32) + 0.5) / self.hop
        self._residual_shares = whole_shares(inner.shares, len(inner.outputs))[:, None, None]
        self._rows = _Rows(len(inner.outputs), inner.channels, self._size, self._parts, self.hop)
        self._clear()

    def _clear(self) -> None:
        stems, channels, hop, delay = len(self.outputs), self.channels, self.hop, self._inner.delay
        self._mix = Window(channels, delay + max(2 * hop, self._ahead + hop))
        self._plain = Window(stems * channels, self._ahead + hop)
        self._whole = Window(stems * channels, self._size)  # summing to the mix: what the filters are made of
        self._heard: Spectra = np.zeros((self._parts, channels, hop + 1), np.complex64)
        self._filters: Spectra = np.zeros((2, stems - 1, self._parts, hop + 1), np.complex64)
        self._newest, self._filled = 0, False

    def run(self, mix: Audio) -> Audio:
        """One hop: ``(hop, channels)`` -> ``(hop, n_sources, channels)``, ``delay`` samples late."""
        step, hop, stems = self._inner.hop, self.hop, len(self.outputs)
        parts = [self._inner.run(mix[start : start + step]) for start in range(0, hop, step)]
        estimate = (parts[0] if len(parts) == 1 else np.concatenate(parts)).reshape(hop, -1)
        self._mix.append(mix.T)
        self._plain.append(estimate.T)
        heard = self._mix.last(2 * hop, self._inner.delay)  # as late as the network's stems
        self._whole.append(self._with_residual(self._plain.last(hop), heard[:, hop:]))
        self._heard[1:] = self._heard[:-1]
        np.fft.rfft(heard, axis=-1, out=self._heard[0])
        self._renew_filters()
        plain = self._plain.last(hop, self._ahead).reshape(stems, self.channels, hop)
        refined = self._filtered()
        refined -= plain
        refined *= self._share[..., None]
        out = np.empty((hop, stems, self.channels), np.float32)
        np.add(refined, plain, out=out.transpose(1, 2, 0))
        return out

    def _with_residual(self, estimate: Audio, heard: Audio) -> Audio:
        """Stems with the residual shared among them, so that they sum to the mix. ``(n_sources * channels, hop)``."""
        stems = estimate.reshape(len(self.outputs), self.channels, -1)
        rest = heard - stems.sum(axis=0)
        whole: Audio = (stems + self._residual_shares * rest).reshape(estimate.shape)
        return whole

    def _renew_filters(self) -> None:
        """Compute the filters of the newest window of stems, in parts of a hop, ``(n_sources - 1, parts, bins)``.

        The last source needs none: it is the delayed mix minus all others. The filters of the previous hop are kept, too.
        """
        stems, size, rows = len(self.outputs), self._size, self._rows
        np.multiply(self._whole.last(size), self._analysis, out=rows.windowed)
        np.fft.rfft(rows.windowed, axis=-1, out=rows.spectra)  # type: ignore[arg-type] # the stubs know float64
        squares = np.square(rows.spectra.view(np.float32)).reshape(stems, self.channels, -1)
        total = squares[:, 0]
        for channel in range(1, self.channels):
            total += squares[:, channel]
        powers = total[:, ::2] + total[:, 1::2]
        powers += np.float32(FLOOR)
        np.divide(powers[:-1], powers.sum(axis=0), out=rows.ratios.real)
        np.fft.irfft(rows.ratios, n=size, axis=-1, out=rows.response)  # type: ignore[arg-type] # as above
        end = self._ahead + self._behind
        np.multiply(
            rows.response[:, size - self._ahead :], self._weights[: self._ahead], out=rows.taps[:, : self._ahead]
        )
        np.multiply(rows.response[:, : self._behind], self._weights[self._ahead :], out=rows.taps[:, self._ahead : end])
        rows.padded[..., : self.hop] = rows.taps.reshape(stems - 1, self._parts, self.hop)
        newest = 1 - self._newest if self._filled else self._newest
        np.fft.rfft(rows.padded, axis=-1, out=self._filters[newest])
        if not self._filled:  # nothing to fade from
            self._filters[1 - newest] = self._filters[newest]
        self._newest, self._filled = newest, True

    def _filtered(self) -> Audio:
        """The hop that ended ``look_ahead`` samples ago, cross-faded from one set of filters to the next, by partitioned overlap-save.

        Returns ``(n_sources, channels, hop)``.
        """
        spectra = _summed(self._filters, self._heard)
        hops = np.fft.irfft(spectra, axis=-1)[..., self.hop :]
        old, new = hops[1 - self._newest], hops[self._newest]
        late = self._mix.last(self.hop, self._inner.delay + self._ahead)
        filtered = np.empty((len(self.outputs), self.channels, self.hop), np.float32)
        np.subtract(new, old, out=filtered[:-1])
        filtered[:-1] *= self._fade
        filtered[:-1] += old
        np.subtract(late, filtered[:-1].sum(axis=0), out=filtered[-1])
        return filtered

    def reset(self) -> None:
        """Clear all state."""
        self._inner.reset()
        self._clear()

    def warm_up(self) -> None:
        """Warm up the wrapped model."""
        self._inner.warm_up()

    def get_state(self) -> dict[str, Any]:
        """A deep copy of the state."""
        windows = [window.copy() for window in (self._mix, self._plain, self._whole)]
        filters = (self._filters.copy(), self._newest, self._filled)
        return {"inner": self._inner.get_state(), "windows": windows, "heard": self._heard.copy(), "filters": filters}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what ``get_state`` returned."""
        self._inner.set_state(state["inner"])
        self._mix, self._plain, self._whole = (window.copy() for window in state["windows"])
        self._heard = state["heard"].copy()
        filters, self._newest, self._filled = state["filters"]
        self._filters = filters.copy()


class _Rows:
    """Preallocated arrays for one hop's windows, spectra and taps."""

    def __init__(self, stems: int, channels: int, size: int, parts: int, hop: int) -> None:
        self.windowed = np.empty((stems * channels, size), np.float32)
        self.spectra: Spectra = np.empty((stems * channels, size // 2 + 1), np.complex64)
        self.ratios: Spectra = np.zeros((stems - 1, size // 2 + 1), np.complex64)
        self.response = np.empty((stems - 1, size), np.float32)
        self.taps = np.zeros((stems - 1, parts * hop), np.float32)
        self.padded = np.zeros((stems - 1, parts, 2 * hop), np.float32)


class Window:
    """The last ``size`` samples of ``rows`` signals, contiguous in memory; most calls move no samples."""

    def __init__(self, rows: int, size: int) -> None:
        self._size = self._end = size
        self._data = np.zeros((rows, 4 * size), np.float32)

    def append(self, samples: Audio) -> None:
        """Add ``(rows, n)``, n at most the size."""
        count = samples.shape[1]
        if self._end + count > self._data.shape[1]:
            self._data[:, : self._size] = self._data[:, self._end - self._size : self._end]
            self._end = self._size
        self._data[:, self._end : self._end + count] = samples
        self._end += count

    def last(self, count: int, ago: int = 0) -> Audio:
        """``(rows, count)``: the samples that ended ``ago`` samples ago; a view, until the next ``append``."""
        end = self._end - ago
        return self._data[:, end - count : end]

    def copy(self) -> Window:
        """A copy with the same samples."""
        other = Window(len(self._data), self._size)
        other._data[:, : self._size] = self.last(self._size)
        return other


def _summed(filters: Spectra, heard: Spectra) -> Spectra:
    """``(2, n, parts, bins)`` and ``(parts, channels, bins)`` -> ``(2, n, channels, bins)``: summed over the parts of each filter."""
    total: Spectra = filters[:, :, 0, None] * heard[0]
    product = np.empty_like(total)
    for part in range(1, len(heard)):
        np.multiply(filters[:, :, part, None], heard[part], out=product)
        np.add(total, product, out=total)
    return total


def window_size(rate: int) -> int:
    """Samples of the spectra at ``rate``: the power of two nearest to ``WINDOW_S``."""
    return int(1 << round(np.log2(WINDOW_S * rate)))


def _analysis_window(size: int, fall: int) -> Audio:
    """Rises over ``size - fall`` samples and falls over the rest, each as a squared sine."""
    rise, end = (np.sin(np.pi / 2 * (np.arange(n) + 0.5) / n) ** 2 for n in (size - fall, fall))
    window: Audio = np.concatenate((rise, end[::-1])).astype(np.float32)
    return window


def _tap_weights(behind: int, ahead: int) -> Audio:
    """For the taps from ``ahead`` samples before 0 to ``behind - 1`` after it: pairs weigh 2, the last quarter fades out."""
    lost = np.sin(np.pi / 2 * np.arange(1, ahead + 1) / ahead) ** 2  # of the taps ahead; all of it at the farthest
    after = np.full(behind, 2.0)
    after[0] = 1
    near = min(ahead, behind - 1)
    after[1 : near + 1] = 1 + lost[:near]
    end = behind // 4
    after[-end:] *= np.sin(np.pi / 2 * (np.arange(end)[::-1] + 0.5) / end) ** 2
    weights: Audio = np.concatenate(((1 - lost)[::-1], after)).astype(np.float32)
    return weights

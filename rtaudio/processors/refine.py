"""Stems refined by their own spectra, for those who can wait a little.

A network of ten minutes of music is often right about how loud each source is in a band and wrong about its waveform. So from the
powers of its stems follows a filter for each source, the ratio of its power to all (Wiener; thesis section 1.3.2, as Open-Unmix does
in whole songs); the mix through these filters is a second estimate, whose errors are others, and what comes out is between the two.

A filter that must not look ahead turns the phases, and helps nothing (measured: worse than the stems alone). With a look-ahead of some
milliseconds the echo of a filter before its time fits in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rtaudio.format import Audio, StemplayError
from rtaudio.processors.frame import CausalModel, FrameModel
from rtaudio.processors.residual import share_residual, whole_shares

WINDOW_S = 0.093
"""Of the spectra: 4096 samples at 44.1 kHz."""
SONG_HOP = 1024
"""Samples from one set of filters to the next, at least, where nobody waits: quicker than every hop, and on validation songs better."""
SHARE = 0.5
"""How much of the filtered mix is in the stems, the rest being the network's, where a card does not say."""
FLOOR = 1e-9
"""Added to each source's power: where all are silent they share equally."""

Spectra = npt.NDArray[np.complex64]


class Refined:
    """Another FrameModel, ``look_ahead`` samples later: its stems, drawn towards the mix filtered by the ratios of their powers.

    The filters of a hop and of the one before are faded, so nothing jumps where hops meet. Their taps reach ``look_ahead`` samples
    ahead and half a window back: those with a counterpart on the other side of 0 are weighted so that both weigh 2 together, as in a
    filter without any turn of phase, and what is missing ahead is put behind. All filters together are the delayed mix itself.

    Args:
        hops: of the model, from one set of filters to the next: more are quicker and, live, later.
        share: of the filtered mix in what comes out, for all stems or for each.

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
            raise StemplayError(f"A look-ahead is more than 0 and at most {longest:.0f} ms.")
        taps = self._behind + look_ahead
        self._transform = 1 << int(np.ceil(np.log2(taps + self.hop)))
        self._analysis = _analysis_window(self._size, max(min(self.hop, self._behind), look_ahead))
        self._weights = _tap_weights(self._behind, look_ahead)
        self._fade = (np.arange(self.hop, dtype=np.float32) + 0.5) / self.hop
        self._residual_shares = whole_shares(inner.shares, len(inner.outputs))
        self._clear()

    def _clear(self) -> None:
        stems, past = len(self.outputs), self._transform + self._inner.delay
        self._mix: Audio = np.zeros((past, self.channels), np.float32)
        self._stems: Audio = np.zeros((max(self._size, self.hop + self._ahead), stems, self.channels), np.float32)
        self._filters: Spectra | None = None

    def run(self, mix: Audio) -> Audio:
        """One hop: ``(hop, channels)`` -> ``(hop, n_sources, channels)``, ``delay`` samples late."""
        step = self._inner.hop
        stems = np.concatenate([self._inner.run(mix[start : start + step]) for start in range(0, self.hop, step)])
        self._mix = np.concatenate((self._mix[len(mix) :], mix), dtype=np.float32)
        heard = self._mix[: len(self._mix) - self._inner.delay]  # as late as the network's stems
        self._stems = np.concatenate((self._stems[len(stems) :], stems), dtype=np.float32)
        filters = self._new_filters(heard)
        before = filters if self._filters is None else self._filters
        self._filters = filters
        filtered = self._filtered(heard, before, filters)
        end = len(self._stems) - self._ahead
        plain = self._stems[end - self.hop : end]
        refined: Audio = plain + self._share * (filtered - plain)
        return refined

    def _new_filters(self, heard: Audio) -> Spectra:
        """The transforms of the filters that the newest window of stems asks for, ``(n_sources, bins)``.

        What the stems lack of the mix they get first, as in what is heard: powers are those of stems that sum to it.
        """
        stems = share_residual(self._stems[-self._size :], heard[-self._size :], self._residual_shares)
        spectra = np.fft.rfft(stems.T * self._analysis, axis=-1)  # (channels, sources, bins)
        powers = (spectra.real**2 + spectra.imag**2).sum(axis=0) + np.float32(FLOOR)
        response = np.fft.irfft(powers / powers.sum(axis=0), n=self._size, axis=-1)
        taps = np.concatenate((response[:, self._size - self._ahead :], response[:, : self._behind]), axis=1)
        return np.fft.rfft(taps * self._weights, n=self._transform, axis=-1).astype(np.complex64, copy=False)

    def _filtered(self, heard: Audio, before: Spectra, newest: Spectra) -> Audio:
        """The hop that ended ``look_ahead`` samples ago, faded from one set of filters to the next; by overlap-save.

        Returns ``(hop, n_sources, channels)``.
        """
        needed = self._ahead + self._behind - 1 + self.hop
        spectrum = np.fft.rfft(heard[-needed:].T, n=self._transform, axis=-1)
        old, new = (
            np.fft.irfft(spectrum[None] * filters[:, None], n=self._transform, axis=-1)[..., needed - self.hop : needed]
            for filters in (before, newest)
        )
        faded: Audio = (old + (new - old) * self._fade).astype(np.float32, copy=False)
        return np.moveaxis(faded, -1, 0)

    def reset(self) -> None:
        """Forget the past."""
        self._inner.reset()
        self._clear()

    def warm_up(self) -> None:
        """Warm the other model up."""
        self._inner.warm_up()

    def get_state(self) -> dict[str, Any]:
        """A deep copy."""
        filters = None if self._filters is None else self._filters.copy()
        return {
            "inner": self._inner.get_state(), "mix": self._mix.copy(), "stems": self._stems.copy(), "filters": filters
        }  # fmt: skip

    def set_state(self, state: dict[str, Any]) -> None:
        """Put back what ``get_state`` returned."""
        self._inner.set_state(state["inner"])
        self._mix, self._stems = state["mix"].copy(), state["stems"].copy()
        self._filters = None if state["filters"] is None else state["filters"].copy()


def window_size(rate: int) -> int:
    """Samples of the spectra at ``rate``: the power of two nearest to ``WINDOW_S``."""
    return int(1 << round(np.log2(WINDOW_S * rate)))


def refined_ms(inner: FrameModel, look_ahead_ms: float) -> FrameModel:
    """``inner``, refined with so much look-ahead; with 0 as it is. Raises StemplayError as ``Refined``."""
    if not look_ahead_ms:
        return inner
    return Refined(inner, round(look_ahead_ms * inner.rate / 1000), share=_share(inner))


def refined_for_files(inner: FrameModel, share: float | None = None) -> FrameModel:
    """``inner`` with the longest look-ahead, or as it is where its stems cannot be refined: chunks and enhancers.

    ``share``: instead of what the model's card says.
    """
    if not (isinstance(inner, CausalModel) and inner.refinable):
        return inner
    hops = max(1, SONG_HOP // inner.hop)
    return Refined(inner, window_size(inner.rate) // 2, hops=hops, share=_share(inner) if share is None else share)


def _share(inner: FrameModel) -> float | Sequence[float]:
    return (isinstance(inner, CausalModel) and inner.refining) or SHARE


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

"""What the callback plays when the model is late: the delayed dry mix, shared among the stems by their recent energy.

The shares sum to one, so the stems go on summing to the mix, a muted stem stays quiet in proportion and a soloed one is not
silent. Both changes are cross-faded over ``FADE`` samples: back to the model's stems by a true cross-fade; away from them,
where there is nothing left to fade out, by letting what distinguished the stem from its share at the last sample decay (these
differences sum to zero over the stems, so the mix itself is untouched).
"""

from __future__ import annotations

import numpy as np

from rtaudio.format import Audio

FADE = 64
SMOOTHING_S = 1.0
"""Time constant of the energies, seconds of audio with the model in time."""


class FailOpen:
    """Chooses between the model's stems and the shared dry mix, block by block.

    Args:
        stems, channels: shape of one frame.
        rate: Hz.
        max_block: the longest block.
    """

    def __init__(self, stems: int, channels: int, rate: int, max_block: int) -> None:
        self._rate = rate
        self._energy = np.full(stems, 1e-9, np.float64)
        self._shares = np.full((1, stems, 1), 1.0 / stems, np.float32)
        self._last = np.zeros((stems, channels), np.float32)
        self._last_dry = np.zeros((1, channels), np.float32)
        self._offset = np.zeros((stems, channels), np.float32)
        self._step = FADE  # samples since the last change, at most FADE
        self._failing = False
        rise = np.sin(np.linspace(0.0, np.pi / 2, FADE + 2)[1:-1]) ** 2
        self._rise = rise.astype(np.float32)[:, None, None]
        self._fall = (1.0 - rise).astype(np.float32)[:, None, None]
        self._work = np.zeros((max(FADE, max_block), stems, channels), np.float32)

    @property
    def failing(self) -> bool:
        """Whether the latest block was played from the dry mix."""
        return self._failing

    @property
    def shares(self) -> Audio:
        """Each stem's share of the dry mix, ``(S,)``, sum 1."""
        return self._shares[0, :, 0]

    def process(self, stems: Audio, dry: Audio, late: bool) -> None:
        """Finish one block in place.

        Args:
            stems: ``(n, S, C)``, the model's unless ``late``; holds what to play afterwards.
            dry: ``(n, C)``, the input of the same positions.
            late: the model's result is not there.
        """
        n = len(dry)
        if not n:
            return
        if late:
            self._fail(stems, dry)
        else:
            self._recover(stems, dry)
        self._step = min(FADE, self._step + n)
        self._last[:] = stems[-1]
        self._last_dry[:] = dry[-1]

    def _fail(self, stems: Audio, dry: Audio) -> None:
        np.multiply(dry[:, None, :], self._shares, out=stems)
        if not self._failing:
            self._failing, self._step = True, 0
            # Against the same sample's shared dry mix, so that the offsets of all stems sum to zero.
            np.multiply(self._last_dry, self._shares[0], out=self._offset)
            np.subtract(self._last, self._offset, out=self._offset)
        faded = min(len(dry), FADE - self._step)
        if faded > 0:
            work = self._work[:faded]
            np.multiply(self._fall[self._step : self._step + faded], self._offset, out=work)
            np.add(stems[:faded], work, out=stems[:faded])

    def _recover(self, stems: Audio, dry: Audio) -> None:
        if self._failing:
            self._failing, self._step = False, 0
        self._learn(stems)
        faded = min(len(dry), FADE - self._step)
        if faded > 0:
            fade = slice(self._step, self._step + faded)
            work = self._work[:faded]
            np.multiply(dry[:faded, None, :], self._shares, out=work)
            np.multiply(work, self._fall[fade], out=work)
            np.multiply(stems[:faded], self._rise[fade], out=stems[:faded])
            np.add(stems[:faded], work, out=stems[:faded])

    def _learn(self, stems: Audio) -> None:
        """Follow the stems' energies; the shares change slowly, so that they may change while playing."""
        n = len(stems)
        keep = float(np.exp(-n / (SMOOTHING_S * self._rate)))
        energy = np.einsum("nsc,nsc->s", stems, stems, dtype=np.float64) / n
        self._energy *= keep
        self._energy += (1.0 - keep) * energy
        total = float(self._energy.sum())
        if total > 1e-12:
            self._shares[0, :, 0] = self._energy / total

"""Fail-open: when the model is late, the delayed dry mix plays, shared among the stems.

Each stem's share is its part of the stems' recent energy, the least-squares estimate of a stem from the mix alone. The shares sum
to 1, so the stems still sum to the mix. A muted stem removes its usual part, and a soloed one is not silent.

No change makes a step; each is spread over ``FADE`` samples:

- from the model's stems to the shared mix: no late stems exist that could be faded out. The difference of stems and shares at the last
  sample is added and decays. These offsets sum to zero over the stems, so they do not change the mix;
- back to the model's stems: a cross-fade;
- where the song jumps (a seek): the step decays in stems and dry mix alike.

Only the audio callback uses this module.
"""

from __future__ import annotations

import math

import numpy as np

from rtaudio.audio.format import Audio

FADE = 64
"""Length of every transition in samples."""

SMOOTHING_S = 1.0
"""Time constant of the energies in seconds."""

FLOOR = 0.02
"""Smallest share of a stem, so that a soloed stem that was silent so far is not completely silent."""

_RISE = (np.sin(np.linspace(0.0, np.pi / 2, FADE + 2)[1:-1]) ** 2).astype(np.float32)
_FALL = (np.float32(1) - _RISE).astype(np.float32)


class Decay:
    """An offset that is added to a signal of frames of ``shape`` and decays over ``FADE`` samples."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._offset = np.zeros(shape, np.float32)
        self._curve = _FALL.reshape(-1, *(1,) * len(shape))
        self._work = np.zeros((FADE, *shape), np.float32)
        self._step = FADE

    def start(self, offset: Audio) -> None:
        """Restart with ``offset``, which must include the rest of the previous one."""
        self._offset[...] = offset
        self._step = 0

    def stop(self) -> None:
        """Add nothing more."""
        self._step = FADE

    def add(self, block: Audio) -> None:
        """Add the decaying offset to ``block``, in place."""
        n = min(len(block), FADE - self._step)
        if n > 0:
            work = np.multiply(self._curve[self._step : self._step + n], self._offset, out=self._work[:n])
            np.add(block[:n], work, out=block[:n])
            self._step += n


class FailOpen:
    """Chooses the stems of each block: the model's, or the shared dry mix.

    Args:
        n_stems, channels: of a frame.
        rate: Hz.
    """

    def __init__(self, n_stems: int, channels: int, rate: int) -> None:
        self._rate = rate
        self._energy = np.zeros(n_stems, np.float64)
        self.shares: Audio = np.full(n_stems, 1.0 / n_stems, np.float32)
        self._last_stems = np.zeros((n_stems, channels), np.float32)
        self._last_dry = np.zeros(channels, np.float32)
        self._miss = Decay((n_stems, channels))
        # A second layer for jumps, so that each layer keeps the sum by itself.
        self._heard_stems, self._heard_dry = np.zeros_like(self._last_stems), np.zeros_like(self._last_dry)
        self._stem_jump, self._dry_jump = Decay((n_stems, channels)), Decay((channels,))
        self._work = np.zeros((FADE, n_stems, channels), np.float32)
        self._back = FADE
        self._jumped = False
        self.failing = False

    def reset(self) -> None:
        """End all transitions, for a start after silence. The energies stay."""
        for last in (self._last_stems, self._last_dry, self._heard_stems, self._heard_dry):
            last.fill(0)
        for decay in (self._miss, self._stem_jump, self._dry_jump):
            decay.stop()
        self._back, self._jumped, self.failing = FADE, False, False

    def jump(self) -> None:
        """Announce that the next sample does not continue the last one."""
        self._jumped = True

    def process(self, stems: Audio, dry: Audio, late: bool) -> None:
        """Finish a block in place.

        Args:
            stems: ``(n, n_stems, channels)``: the model's, or anything if ``late``. Afterwards the stems to play.
            dry: ``(n, channels)``: the delayed input. Afterwards without the step of a jump.
        """
        if not len(dry):
            return
        if late:
            if not self.failing:
                self._fail()
            np.multiply(dry[:, None], self.shares[:, None], out=stems)
        else:
            self._learn(stems)
            self._cross_fade(stems, dry)
        self._miss.add(stems)
        self._last_stems[...] = stems[-1]
        self._last_dry[...] = dry[-1]
        if self._jumped:
            self._jumped = False
            self._stem_jump.start(self._heard_stems - stems[0])
            self._dry_jump.start(self._heard_dry - dry[0])
        self._stem_jump.add(stems)
        self._dry_jump.add(dry)
        self._heard_stems[...] = stems[-1]
        self._heard_dry[...] = dry[-1]

    def _fail(self) -> None:
        self.failing = True
        self._share_out()
        self._miss.start(self._last_stems - self.shares[:, None] * self._last_dry)

    def _cross_fade(self, stems: Audio, dry: Audio) -> None:
        if self.failing:
            self.failing, self._back = False, 0
        n = min(len(dry), FADE - self._back)
        if n > 0:
            step = slice(self._back, self._back + n)
            work = np.multiply(dry[:n, None], self.shares[:, None], out=self._work[:n])
            np.multiply(work, _FALL[step, None, None], out=work)
            np.multiply(stems[:n], _RISE[step, None, None], out=stems[:n])
            np.add(stems[:n], work, out=stems[:n])
            self._back += n

    def _learn(self, stems: Audio) -> None:
        keep = math.exp(-len(stems) / (SMOOTHING_S * self._rate))
        self._energy *= keep
        self._energy += (1.0 - keep) / len(stems) * np.einsum("nsc,nsc->s", stems, stems)

    def _share_out(self) -> None:
        """Compute shares from the energies. They stay constant until the next failure, so that levels do not fluctuate."""
        total = float(self._energy.sum())
        if total > 1e-12 and math.isfinite(total):
            share = FLOOR + (1.0 - FLOOR * len(self._energy)) * self._energy / total
            self.shares[:] = share / share.sum()

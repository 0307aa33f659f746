"""The mixer: strips with gain, mute, solo and pan, dry/wet, bypass, master and limiter, all ramped per sample.

Signal flow of one call, shapes ``(frames, ...)``::

    stems (S, C) --gain, mute/solo, pan--> strips (S, C), metered --sum--> * wet --+--> inserts --> * master --> limiter --+--> out, metered
    dry (C) ------------------------------------------------------------> * dry ---+                                       |
       └------------------------------------------- bypass: the input untouched, past master and limiter ------------------┘

The last ``beside`` strips (instruments) go straight to the master. Dry/wet and bypass choose between the input and its stems and do
not affect these strips.

- **Pan** is a balance: at ``pan`` the left channel is scaled by ``min(1, 1 - pan)`` and the right by ``min(1, 1 + pan)``. The
  centre is exactly unity, so flat faders give exactly the sum of the stems; no position is louder than the centre. Mono has no
  pan; beyond two channels only the first two take part.
- **Solo**: when any stem of this mixer is soloed, only stems soloed and not muted are heard.
- **Monitor** off takes the input out of the mix in every form (stems, dry, bypass); strips are metered and recorded all the same.
- **Dry/wet** is linear, because dry and wet are the same waveform when the stems sum to the input.
- **Inserts** of the master (``inserts``) process the sum before the master fader. What bypasses them is delayed by their latency.
  Inserts of the strips are applied before ``process`` is called.
- A new state takes effect over ``RAMP_S``: each coefficient moves linearly from its present value. Ramps count samples, so the output
  does not depend on the size of the blocks.
- A non-finite sample becomes silence.

Threads: ``process`` belongs to one thread (the audio callback). It never waits, and its arrays are preallocated.
``set_state``, ``take_meters`` and ``reset_clips`` may be called from any one other thread at any time and never block it.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.audio.limiter import Limiter
from rtaudio.protocol.reports import Meter
from rtaudio.protocol.settings import MixerState, StemState

RAMP_S = 0.010
"""Length of every ramp in seconds."""

SILENCE_DB = -144.0
"""A gain at or below this value in dB is exact silence."""

Floats = npt.NDArray[np.float64]


def linear_gain(db: float) -> float:
    """Convert a gain in dB to a factor; exactly 0 at or below ``SILENCE_DB``. Raises StemplayError for NaN or more than 60 dB."""
    if math.isnan(db) or db > 60.0:
        raise StemplayError(f"A gain of {db} dB is not possible: choose 60 dB or less, down to -inf.")
    return 0.0 if db <= SILENCE_DB else 10.0 ** (db / 20.0)


def balance(pan: float, channels: int) -> list[float]:
    """The pan law: the factor of each channel for ``pan`` from -1 (left) to 1 (right)."""
    if not -1.0 <= pan <= 1.0:
        raise StemplayError(f"A pan of {pan} is outside -1 (left) to 1 (right).")
    factors = [1.0] * channels
    if channels > 1:
        factors[0], factors[1] = min(1.0, 1.0 - pan), min(1.0, 1.0 + pan)
    return factors


class Ramp:
    """A vector of coefficients that moves linearly to its target in ``length`` samples, independent of the size of blocks."""

    def __init__(self, target: Floats, length: int, max_block: int) -> None:
        self._time = np.arange(1, length + 1, dtype=np.float64) / length
        self._start = target.copy()
        self._delta = np.zeros_like(target)
        self._target = target.copy()
        self._steady = target.astype(np.float32)[None]
        self._values = np.zeros((max_block, *target.shape), np.float32)
        self._exact = np.zeros((min(max_block, length), *target.shape), np.float64)
        self._done = length

    @property
    def steady(self) -> bool:
        """True when the target is reached: ``values`` then returns one row."""
        return self._done >= len(self._time)

    def set(self, target: Floats) -> None:
        """Start a ramp from the present value to ``target``."""
        if not self.steady:
            self._start += self._delta * (self._time[self._done - 1] if self._done else 0.0)
        else:
            self._start[...] = self._target
        self._target[...] = target
        np.subtract(self._target, self._start, out=self._delta)
        self._steady[0] = target
        self._done = 0 if self._delta.any() else len(self._time)

    def finish(self) -> None:
        """Jump to the target."""
        self._done = len(self._time)

    def values(self, n: int) -> Audio:
        """The next ``n`` rows as float32 ``(n, ...)``, or ``(1, ...)`` when steady. Valid until the next call."""
        if self.steady:
            return self._steady
        moving = min(n, len(self._time) - self._done)
        rows = self._values[:n]
        time = self._time[self._done : self._done + moving].reshape(-1, *(1,) * self._delta.ndim)
        exact = self._exact[:moving]
        np.multiply(time, self._delta, out=exact)
        np.add(exact, self._start, out=exact)
        rows[:moving] = exact  # casting inside a ufunc would allocate its buffers here
        self._done += moving
        if self.steady:
            rows[moving - 1 :] = self._steady
        return rows


class Targets:
    """The coefficients of a MixerState; made by the control thread, read by the callback."""

    def __init__(self, stems: tuple[str, ...], channels: int, state: MixerState) -> None:
        strips = [state.stems.get(name, StemState()) for name in stems]
        solo = any(strip.solo for strip in strips)
        heard = [not strip.mute and (strip.solo or not solo) for strip in strips]
        gains = [linear_gain(strip.gain_db) * on for strip, on in zip(strips, heard, strict=True)]
        pans = [balance(strip.pan, channels) for strip in strips]
        self.strips: Floats = np.array([[g * p for p in pan] for g, pan in zip(gains, pans, strict=True)], np.float64)
        if not 0.0 <= state.dry <= 1.0:
            raise StemplayError(f"A dry share of {state.dry} is outside 0 (only stems) to 1 (only the input).")
        heard_input = float(state.monitor)
        parts = [1.0 - state.dry, state.dry, float(state.bypass)]
        self.bus: Floats = np.array([*(part * heard_input for part in parts), linear_gain(state.master_db)], np.float64)
        if not -60.0 <= state.ceiling_db <= 0.0:
            raise StemplayError(f"A limiter ceiling of {state.ceiling_db} dB is outside -60 to 0.")
        self.limiter, self.ceiling_db = bool(state.limiter), float(state.ceiling_db)


class MasterInserts(Protocol):
    """What the mixer asks of the master's inserts (``rtaudio.plugins.rack.Rack``)."""

    @property
    def master_late(self) -> bool:
        """Whether they have latency, so that ``direct`` is needed."""

    def process_master(self, out: Audio) -> None:
        """Their work on ``(n, C)``, in place."""

    def direct(self, audio: Audio) -> None:
        """Delay ``(n, 2 C)``, in place, as much as they do."""


class _Bank:
    """Meter accumulators of one interval."""

    def __init__(self, strips: int, channels: int) -> None:
        self.peak = np.zeros((strips + 1, channels), np.float32)
        self.energy = np.zeros((strips + 1, channels), np.float64)
        self.frames = 0
        self.limiter_db = 0.0

    def clear(self) -> None:
        self.peak.fill(0)
        self.energy.fill(0)
        self.frames, self.limiter_db = 0, 0.0


class Mixer:
    """See the module's docstring.

    Args:
        stems: names of the strips, in the order of the stems' axis.
        channels: of dry, of each stem and of the output.
        rate: Hz.
        max_block: the largest block to prepare for; longer calls work, in pieces.
        state: what to start with, without a ramp; default flat.
        beside: number of strips at the end that dry/wet and bypass do not affect (instruments).
    """

    def __init__(
        self,
        stems: tuple[str, ...],
        channels: int,
        rate: int,
        max_block: int,
        state: MixerState | None = None,
        beside: int = 0,
    ) -> None:
        self._parts = len(stems) - beside
        self.inserts: MasterInserts | None = None
        self.stems, self.channels, self.rate, self.max_block = tuple(stems), channels, rate, max(1, max_block)
        self._targets = self._applied = Targets(self.stems, channels, state or MixerState())
        length = max(1, round(RAMP_S * rate))
        self._strip_ramp = Ramp(self._targets.strips, length, self.max_block)
        self._bus_ramp = Ramp(self._targets.bus, length, self.max_block)
        self.limiter = Limiter(rate, self.max_block, self._targets.ceiling_db)
        self.limiter.enabled = self._targets.limiter
        count = len(self.stems)
        self._strips = np.zeros((self.max_block, count, channels), np.float32)
        self._strips_view = self._strips[:0]
        self._square = np.zeros((self.max_block, count, channels), np.float32)
        self._work = np.zeros((self.max_block, channels), np.float32)
        self._beside = np.zeros((self.max_block, channels), np.float32)
        self._direct = np.zeros((self.max_block, 2 * channels), np.float32)
        self._block_peak = np.zeros((count + 1, channels), np.float32)
        self._block_energy = np.zeros((count + 1, channels), np.float32)
        self._energy = np.zeros((count + 1, channels), np.float64)
        self._bank, self._spare = _Bank(count, channels), _Bank(count, channels)
        self._clipped = [False] * (count + 1)
        self._limiter_held = 0.0

    # -- any controlling thread ---------------------------------------------------------------------------------------

    def set_state(self, state: MixerState) -> None:
        """Apply ``state`` from the next block on, with ramps. Stems that the state does not name are flat.

        Raises StemplayError, and keeps the old state, if a value is outside its range.
        """
        self._targets = Targets(self.stems, self.channels, state)

    def take_meters(self) -> tuple[dict[str, Meter], Meter]:
        """Meters of each strip (after fader and pan) and of the output since the previous call.

        If the callback writes at the same time, at most its current block is left out. A clip is never lost.
        """
        self._spare.clear()
        bank, self._bank = self._bank, self._spare
        self._spare = bank
        self._limiter_held = bank.limiter_db
        rms = np.sqrt(bank.energy / max(1, bank.frames))
        meters = [Meter(bank.peak[i].tolist(), rms[i].tolist(), self._clipped[i]) for i in range(len(self.stems) + 1)]
        return dict(zip(self.stems, meters[:-1], strict=True)), meters[-1]

    @property
    def limiter_db(self) -> float:
        """The limiter's deepest gain in dB (0 or negative) in the interval last taken and since."""
        return min(self._limiter_held, self._bank.limiter_db)

    def reset_clips(self) -> None:
        """Reset the clip indicators."""
        self._clipped[:] = [False] * len(self._clipped)

    # -- the audio callback -------------------------------------------------------------------------------------------

    @property
    def strips(self) -> Audio:
        """Each strip after fader, mute, solo and pan, ``(frames, S, C)``, of the latest call (of its last ``max_block`` frames).

        It is for stems routed to outputs of their own. The next call overwrites this view.
        """
        return self._strips_view

    @property
    def settled(self) -> bool:
        """Whether silence would pass without changing anything: no ramp is moving and the limiter is not releasing."""
        still = self._targets is self._applied and self._strip_ramp.steady and self._bus_ramp.steady
        return still and self.limiter.gain_db == 0.0

    def rest(self, n: int) -> None:
        """Like ``process`` for ``n`` frames of silence while ``settled``: only the meters are updated."""
        self._bank.frames += n

    def reset(self) -> None:
        """Jump to the latest state and reset the limiter, for a start from silence."""
        self._apply(self._targets)
        self._strip_ramp.finish()
        self._bus_ramp.finish()
        self.limiter.reset()

    def process(self, stems: Audio, dry: Audio, out: Audio) -> None:
        """Mix ``stems`` ``(n, S, C)`` and ``dry`` ``(n, C)`` into ``out`` ``(n, C)``. The inputs do not change."""
        if self._targets is not self._applied:
            self._apply(self._targets)
        with np.errstate(all="ignore"):
            for start in range(0, out.shape[0], self.max_block):
                cut = slice(start, start + self.max_block)
                self._process(stems[cut], dry[cut], out[cut])

    def _apply(self, targets: Targets) -> None:
        self._applied = targets
        self._strip_ramp.set(targets.strips)
        self._bus_ramp.set(targets.bus)
        self.limiter.enabled, self.limiter.ceiling_db = targets.limiter, targets.ceiling_db

    def _process(self, stems: Audio, dry: Audio, out: Audio) -> None:
        n, bank = out.shape[0], self._bank
        strips = self._strips_view = self._strips[:n]
        np.multiply(stems, self._strip_ramp.values(n), out=strips)
        self._measure(strips, self._square[:n], slice(0, -1))
        bus = self._bus_ramp.values(n)
        wet, direct, bypass, master = bus[:, 0:1], bus[:, 1:2], bus[:, 2:3], bus[:, 3:4]
        moving, work = bus.shape[0] > 1 or n == 1, self._work[:n]
        _sum_strips(strips[:, : self._parts], out)
        np.multiply(out, wet, out=out)
        if moving or direct[0, 0] != 0.0:
            np.multiply(dry, direct, out=work)
            np.add(out, work, out=out)
        beside = self._beside[:n]
        if strips.shape[1] > self._parts:
            _sum_strips(strips[:, self._parts :], beside)
            np.add(out, beside, out=out)
        if self.inserts is not None:
            self.inserts.process_master(out)
            if self.inserts.master_late:
                dry, beside = self._past_inserts(self.inserts, dry, beside)
        np.multiply(out, master, out=out)
        deepest = self.limiter.process(out)
        if moving or bypass[0, 0] != 0.0:
            # (1 - b) * mixed + b * dry: exact at both ends, so that ramp and rest agree to the bit.
            np.multiply(out, np.float32(1) - bypass, out=out)
            np.multiply(dry, bypass, out=work)
            np.add(out, work, out=out)
            if strips.shape[1] > self._parts:
                np.multiply(beside, bypass * master, out=work)
                np.add(out, work, out=out)
            _silence_non_finite(out, work)
        self._measure(out[:, None], work[:, None], slice(-1, None))
        np.maximum(bank.peak, self._block_peak, out=bank.peak)
        np.copyto(self._energy, self._block_energy)
        np.add(bank.energy, self._energy, out=bank.energy)
        bank.frames += n
        bank.limiter_db = min(bank.limiter_db, deepest)
        if np.maximum.reduce(self._block_peak, axis=None) > 1.0:
            for i, level in enumerate(self._block_peak.max(axis=1)):
                if level > 1.0:
                    self._clipped[i] = True

    def _past_inserts(self, inserts: MasterInserts, dry: Audio, beside: Audio) -> tuple[Audio, Audio]:
        """What may pass beside the master's inserts, as late as what they give."""
        both, channels = self._direct[: len(dry)], self.channels
        both[:, :channels], both[:, channels:] = dry, beside
        inserts.direct(both)
        return both[:, :channels], both[:, channels:]

    def _measure(self, audio: Audio, work: Audio, rows: slice) -> None:
        """Peak and energy of ``audio`` ``(n, k, C)`` into ``rows`` of the block's accumulators; replaces non-finite samples."""
        peak = self._block_peak[rows]
        np.abs(audio, out=work)
        np.maximum.reduce(work, axis=0, out=peak)
        if not math.isfinite(np.maximum.reduce(peak, axis=None)):
            np.nan_to_num(audio, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
            np.abs(audio, out=work)
            np.max(work, axis=0, out=peak)
        np.multiply(work, work, out=work)
        np.add.reduce(work, axis=0, out=self._block_energy[rows])


def _sum_strips(strips: Audio, out: Audio) -> None:
    """Sum ``(n, k, C)`` over its strips into ``out``, in order, without a temporary array."""
    if strips.shape[1] == 0:
        out.fill(0.0)
        return
    np.copyto(out, strips[:, 0])
    for i in range(1, strips.shape[1]):
        np.add(out, strips[:, i], out=out)


def _silence_non_finite(audio: Audio, work: Audio) -> None:
    """Set NaN and infinite samples of ``audio`` to 0. ``work`` has the same shape."""
    np.abs(audio, out=work)
    if not math.isfinite(work.max(initial=0.0)):
        np.nan_to_num(audio, copy=False, nan=0.0, posinf=0.0, neginf=0.0)

"""The inserts of one strip in series, with a total delay that the rack chooses.

A chain without slots is a delay. The sound continues through all changes:

- slots without latency are added and removed by fading between their dry and their wet sound, while the others keep playing;
- if the latency or the order changes, the whole chain fades to its dry sound, the slots are exchanged, the dry sound fades from the old
delay to the new one, and the chain fades in once its slots have output.

``process`` belongs to the audio callback. ``plan`` may be called by one other thread at any time.
"""

from __future__ import annotations

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.plugins.delay_line import DelayLine
from rtaudio.plugins.slot import FADE_S, Slot


class Plan:
    """The desired state of a chain: its slots in order, and the delay from its input to its output."""

    def __init__(self, slots: tuple[Slot, ...], total: int, block: int, channels: int, longest: int = 0) -> None:
        self.slots, self.total = slots, total
        self.latency = sum(slot.latency for slot in slots)
        self.pad = DelayLine(total - self.latency, block, channels)
        self.line = DelayLine(max(longest, total), 2 * block, channels) if slots or longest or total else None


class Chain:
    """See the module's text.

    Args:
        rate: Hz. ``block``: frames of the largest call. ``channels``: of the signal.
    """

    def __init__(self, rate: int, block: int, channels: int) -> None:
        self._block, self._channels = block, channels
        self._length = max(1, round(FADE_S * rate))
        self._steps = np.arange(1, block + 1, dtype=np.float32)[:, None] / self._length
        self._wanted = self._now = Plan((), 0, block, channels)
        self._pad = self._now.pad
        self._line: DelayLine | None = None  # the input, for the dry sound
        self._next: DelayLine | None = None  # a longer line, until it contains enough frames
        self._dry = np.zeros((block, channels), np.float32)
        self._old = np.zeros((block, channels), np.float32)
        self._level = 1.0  # 1: the slots are heard, 0: the dry sound
        self._before, self._moved = 0, 1.0  # the previous delay of the dry sound, and the progress of the fade to the present one
        self._warm = 0
        self._skipped = False

    # -- a control thread -------------------------------------------------------------------------------------------------

    def plan(self, slots: tuple[Slot, ...], total: int) -> None:
        """Change to these ``slots`` with a total delay of ``total`` frames (at least the sum of their latencies)."""
        if slots == self._wanted.slots and total == self._wanted.total:
            return
        longest = max(total, self._wanted.total, self._now.total)
        self._wanted = Plan(slots, total, self._block, self._channels, longest)

    def jump(self) -> None:
        """Apply the plan at once. Only while ``process`` is not being called."""
        self._now = self._wanted
        self._pad, self._line, self._next = self._now.pad, self._now.line, None
        self._level, self._moved, self._warm = 1.0, 1.0, 0
        for slot in self._now.slots:
            slot.jump()

    @property
    def settled(self) -> bool:
        """Whether the plan is fully applied."""
        return self._now is self._wanted and self._level == 1.0 and self._moved == 1.0

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots that are playing."""
        return self._now.slots

    @property
    def idle(self) -> bool:
        """Whether the chain does not change the sound at all."""
        return self.settled and not self._now.slots and self._now.total == 0

    # -- the audio callback -----------------------------------------------------------------------------------------------

    def process(self, audio: Audio) -> None:
        """Replace ``audio`` ``(n, channels)``, ``n`` at most ``block``, by the chain's output."""
        if self.idle:
            self._line = self._next = None
            return
        wanted = self._wanted
        if wanted is not self._now:
            self._prepare(wanted)
        n = len(audio)
        if self._line is not None and not (self._now.slots and self._now.total == 0 and self.settled):
            self._remember(self._line, audio)
            if self._level < 1.0 or self._leaving(wanted) or not self._now.slots:
                self._read_dry(self._line, n)
        else:
            self._skipped = True
        if self._now.slots:
            for slot in self._now.slots:
                slot.process(audio)
            if self._pad.longest:
                self._pad.push(audio)
                self._pad.read(self._pad.longest, self._old[:n])
                audio[...] = self._old[:n]
            self._fade(audio, n, wanted)
            self._warm = max(0, self._warm - n)
        elif self._line is not None:
            audio[...] = self._dry[:n]
        if wanted is not self._now:
            self._advance(wanted)

    def _remember(self, line: DelayLine, audio: Audio) -> None:
        """Store the input for the dry sound. A chain without latency needs it only during a change."""
        if self._skipped:
            self._skipped = False
            line.clear()
        line.push(audio)
        if self._next is not None:
            self._next.push(audio)
            if self._next.held >= self._next.longest + self._block:
                self._line, self._next = self._next, None

    def _leaving(self, wanted: Plan) -> bool:
        return wanted is not self._now and not self._gently(wanted)

    def _prepare(self, wanted: Plan) -> None:
        fresh = wanted.line
        if fresh is not None and fresh is not self._line and fresh is not self._next:
            if self._line is None:
                self._line = fresh
            elif max(self._line.longest, self._next.longest if self._next is not None else 0) < wanted.total:
                self._next = fresh
        if self._gently(wanted):
            for slot in self._now.slots:
                slot.leaving = slot not in wanted.slots

    def _gently(self, wanted: Plan) -> bool:
        """Whether only slots without latency are added or removed, and the others keep their order."""
        now = self._now
        if wanted.total != now.total or wanted.latency != now.latency or not now.slots:
            return False
        kept = [slot for slot in now.slots if slot in wanted.slots]
        changed = [slot for slot in (*now.slots, *wanted.slots) if slot not in kept]
        return kept == [slot for slot in wanted.slots if slot in kept] and not any(slot.latency for slot in changed)

    def _fade(self, audio: Audio, n: int, wanted: Plan) -> None:
        """Fade between the slots' sound and the dry sound."""
        target = 0.0 if self._leaving(wanted) or self._warm > 0 or self._moved < 1.0 else 1.0
        if self._level == 1.0 == target:
            return
        if self._level == 0.0 == target:
            audio[...] = self._dry[:n]
            return
        gain = self._level + (self._steps[:n] if target else -self._steps[:n])
        np.clip(gain, 0.0, 1.0, out=gain)
        audio -= self._dry[:n]
        audio *= gain
        audio += self._dry[:n]
        self._level = float(gain[-1, 0])

    def _read_dry(self, line: DelayLine, n: int) -> None:
        dry = self._dry[:n]
        line.read(self._now.total, dry)
        if self._moved < 1.0:
            old = self._old[:n]
            line.read(self._before, old)
            gain = np.minimum(self._moved + self._steps[:n], 1.0)
            dry -= old
            dry *= gain
            dry += old
            self._moved = float(gain[-1, 0])

    def _advance(self, wanted: Plan) -> None:
        """Exchange the slots when this is inaudible."""
        if self._gently(wanted):
            if all(slot.dry for slot in self._now.slots if slot not in wanted.slots):
                self._now = wanted
            return
        if (self._now.slots and self._level > 0.0) or self._moved < 1.0 or self._next is not None:
            return
        if self._line is not None and self._line.held < wanted.total + self._block:
            return
        self._before, self._moved = self._now.total, 1.0 if wanted.total == self._now.total else 0.0
        self._now, self._pad = wanted, wanted.pad
        self._level = 0.0 if wanted.slots else 1.0
        self._warm = wanted.total

    def clear(self) -> None:
        """Clear the sound so far, at once."""
        for slot in self._now.slots:
            slot.clear()
        for line in (self._line, self._next, self._pad):
            if line is not None:
                line.clear()

"""Explains in a sentence why blocks were not ready in time. No I/O, no thread.

The model's thread is late because the model needs too much time, or because other threads take the processor. Both increase the wall time
for a block of sound, but only the model increases the thread's own processor time. So this time, over the duration of the processed sound,
tells a slow model from a busy machine.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from rtaudio.protocol.settings import MAX_DEADLINE

LATE_SHARE = 0.02
"""Share of missed blocks between two checks above which the user is told."""

NEAR = 0.7
"""A model that needs more than this share of the available time counts as too slow: any small delay makes it late."""

LOOK_S = 0.5
"""Seconds of sound between two checks."""

RECENT_S = 4.0
"""Seconds of sound whose misses decide whether a longer deadline is offered."""

OFFER_SHARE = 0.005
"""Share of missed blocks above which a longer deadline is offered."""

FEWEST = 3
"""Number of missed blocks before a longer deadline is offered."""


@dataclass(frozen=True)
class CpuTime:
    """A worker's totals since its start: processed frames, and the seconds of processor time that they took."""

    frames: int = 0
    own_s: float = 0.0


@dataclass(frozen=True)
class Stream:
    """Facts about the stream on which the sentence depends, besides the counters.

    Attributes:
        rate: Hz. ``block``: frames that the worker is given at a time.
        burst: frames that the model processes together, in the call that completes them.
        given: the deadline in frames (``rtaudio.engine.deadline``); 0 for one block.
        separated: False if no model runs.
        plays: whether an instrument needs processor time, too.
        realtime: the system's answer to the worker's request for realtime priority.
        live: False if the callback waits for the model, so that nothing is missed.
    """

    rate: int
    block: int
    burst: int = 1
    given: int = 0
    separated: bool = True
    plays: bool = False
    realtime: str = ""
    live: bool = True

    @property
    def time_given(self) -> int:
        """The deadline in frames."""
        return self.given or self.block

    @property
    def next_ms(self) -> float:
        """A deadline of one block more than now, ms."""
        return 1000 * (self.time_given + self.block) / self.rate


class DeadlineMisses:
    """Checks the counters from time to time.

    Attributes:
        own: the worker's processor time over the duration of its sound, at the last check.
        offer: a deadline in frames that would reduce misses, one block more than now; 0 if none is needed or the model is too slow
            for any deadline.
    """

    def __init__(self) -> None:
        self.own = 0.0
        self.offer = 0
        self._recent: deque[tuple[int, int]] = deque()
        self._given = 0
        self._known = False
        self._frames = self._misses = 0
        self._spent = CpuTime()
        self._text = ""

    def look(self, stream: Stream, frames: int, misses: int, spent: CpuTime) -> str:
        """The sentence while more than ``LATE_SHARE`` of the blocks is missed, else "". ``frames`` and ``misses`` count from the start."""
        passed = frames - self._frames
        if passed < LOOK_S * stream.rate:
            return self._text
        newly = misses - self._misses
        share = newly * stream.block / passed
        before = self._spent if spent.frames >= self._spent.frames else CpuTime()  # a new pipeline counts from zero
        if spent.frames > before.frames:
            self._known = True
            self.own = max(0.0, spent.own_s - before.own_s) * stream.rate / (spent.frames - before.frames)
        self._frames, self._misses, self._spent = frames, misses, spent
        own = self.own if self._known else None
        self._consider(stream, passed, newly)
        self._text = _sentence(stream, min(share, 1.0), own) if share > LATE_SHARE else ""
        return self._text

    def _consider(self, stream: Stream, passed: int, missed: int) -> None:
        """Decide whether to offer one block more, by the misses of the last seconds with the present deadline."""
        if self._given != stream.time_given:
            self._given = stream.time_given
            self._recent.clear()
        self._recent.append((passed, missed))
        while sum(frames for frames, _ in self._recent) > RECENT_S * stream.rate:
            self._recent.popleft()
        frames, count = (sum(column) for column in zip(*self._recent, strict=True)) if self._recent else (0, 0)
        needed = stream.separated and stream.live and self._known and self.own < NEAR
        late = count >= FEWEST and count * stream.block > OFFER_SHARE * frames
        self.offer = stream.time_given + stream.block if needed and late and stream.next_ms <= MAX_DEADLINE else 0


def _sentence(stream: Stream, share: float, own: float | None) -> str:
    """``own``: as in ``DeadlineMisses``; None while the model has not finished its first sound."""
    if not stream.separated:
        return (
            f"This machine is too busy: {share:.0%} of the sound was not ready in time. "
            "Choose a larger block or end other programs."
        )
    heard = f"{share:.0%} of the sound plays unseparated"
    if own is None:
        return f"The model is late: {heard}. Choose a smaller model or a larger block, or end other programs."
    if own >= NEAR:
        return (
            f"The model is too slow here: {heard}, because the model needs {own:.0%} of the available time. "
            "Choose a smaller model or a larger block."
        )
    more = f"give the model one block more, a deadline of {stream.next_ms:.1f} ms"
    at_once = own * stream.burst / stream.time_given
    if at_once >= NEAR:
        return (
            f"The model has too little time: {heard}, because it processes {stream.burst} frames at once, "
            f"which takes {at_once:.0%} of its deadline. {more[0].upper()}{more[1:]}, or choose a smaller model."
        )
    hogs = "Other programs or the instrument's notes" if stream.plays else "Other programs"
    cure = f"End other programs or {more}"
    if "refused" in stream.realtime:
        cure += "; realtime priority helps too (python -m rtaudio doctor)"
    return f"{hogs} take the processor: {heard}, although the model needs only {own:.0%} of the available time. {cure}."

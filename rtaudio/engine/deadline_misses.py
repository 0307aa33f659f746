"""Explains in a sentence why blocks were not ready in time. Pure; owns no thread.

The model's thread is late because it has too much to do, or because it may not do it. Its wall time for a piece of sound grows with
both; its own processor time only with the model. So it is the own time, over the time of the sound that was worked on, that tells a
model that is too slow from a machine whose processor others have.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from rtaudio.protocol.messages import MAX_DEADLINE

LATE_SHARE = 0.02
"""Share of blocks missed between two looks above which the person is told."""

NEAR = 0.7
"""From this share of the time there is, a model's own work leaves too little room: any small delay makes it late."""

LOOK_S = 0.5
"""Seconds of sound between two looks."""

RECENT_S = 4.0
"""What was missed in the last seconds decides whether more time is offered."""

OFFER_SHARE = 0.005
"""Share of blocks missed above which it is."""

FEWEST = 3
"""Blocks missed before anything is offered."""


@dataclass(frozen=True)
class CpuTime:
    """What a worker has done since it began: frames that it worked on, and seconds of processor time that this took."""

    frames: int = 0
    own_s: float = 0.0


@dataclass(frozen=True)
class Stream:
    """What the sentence depends on beside the counters.

    Attributes:
        rate: Hz. ``block``: frames that the worker gets at once.
        burst: frames whose work the model does at once, in the call that completes them.
        given: frames whose time the worker has for it (``rtaudio.engine.deadline``); 0 for a block.
        separated: False where no model runs at all.
        plays: whether an instrument wants processor time too.
        realtime: what the system said when the worker asked for realtime priority.
        live: whether time passes by itself: where the callback waits for the model, nothing is missed.
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
        """Frames."""
        return self.given or self.block

    @property
    def next_ms(self) -> float:
        """One block more than now."""
        return 1000 * (self.time_given + self.block) / self.rate


class DeadlineMisses:
    """Looks at the counters now and then.

    Attributes:
        own: the worker's processor time over the time of its sound, at the last look.
        offer: frames that the worker would need to be given so that less is missed, one block more than now; 0 while all is well,
            and where the model is too slow for any deadline.
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
        """The sentence while more than ``LATE_SHARE`` of the sound is missed, else "". ``frames`` and ``misses`` since the start."""
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
        """Whether one block more is worth offering, by what was missed in the last seconds with the present deadline."""
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
    """``own``: as in ``DeadlineMisses``; None while the model has not done with its first sound yet."""
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
            f"The model is too slow here: {heard}, for its own work takes {own:.0%} of the time there is. "
            "Choose a smaller model or a larger block."
        )
    more = f"give the model one block more, a deadline of {stream.next_ms:.1f} ms"
    at_once = own * stream.burst / stream.time_given
    if at_once >= NEAR:
        return (
            f"The model has too little time: {heard}, for it works on {stream.burst} frames at once, "
            f"which takes {at_once:.0%} of the time it is given. {more[0].upper()}{more[1:]}, or choose a smaller model."
        )
    hogs = "Other programs or the instrument's notes" if stream.plays else "Other programs"
    cure = f"End other programs or {more}"
    if "refused" in stream.realtime:
        cure += "; realtime priority helps too (python -m rtaudio doctor)"
    return f"{hogs} take the processor: {heard}, though the model's own work takes only {own:.0%} of the time there is. {cure}."

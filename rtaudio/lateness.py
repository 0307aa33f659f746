"""Why blocks were not ready in time: the one sentence for a person. Pure; owns no thread.

The model's thread is late because it has too much to do, or because it may not do it. Its wall time for a piece of sound grows with
both; its own processor time only with the model. So it is the own time, over the time of the sound that was worked on, that tells a
model that is too slow from a machine whose processor others have.
"""

from __future__ import annotations

from dataclasses import dataclass

LATE_SHARE = 0.02
"""Share of blocks missed between two looks above which the person is told."""

NEAR = 0.7
"""From this share of the time there is, a model's own work leaves too little room: any small delay makes it late."""

LOOK_S = 0.5
"""Seconds of sound between two looks."""


@dataclass(frozen=True)
class Spent:
    """What a worker has done since it began: frames that it worked on, and seconds of processor time that this took."""

    frames: int = 0
    own_s: float = 0.0


@dataclass(frozen=True)
class Stream:
    """What the sentence depends on beside the counters.

    Attributes:
        rate: Hz. ``block``: frames that the worker gets at once, and has the time of one block for.
        burst: frames whose work the model does at once, in the call that completes them.
        separated: False where no model runs at all.
        plays: whether an instrument wants processor time too.
        realtime: what the system said when the worker asked for realtime priority.
    """

    rate: int
    block: int
    burst: int = 1
    separated: bool = True
    plays: bool = False
    realtime: str = ""


class Lateness:
    """Looks at the counters now and then. ``own`` is the worker's processor time over the time of its sound, at the last look."""

    def __init__(self) -> None:
        self.own = 0.0
        self._known = False
        self._frames = self._misses = 0
        self._spent = Spent()
        self._text = ""

    def look(self, stream: Stream, frames: int, misses: int, spent: Spent) -> str:
        """The sentence while more than ``LATE_SHARE`` of the sound is missed, else "". ``frames`` and ``misses`` since the start."""
        passed = frames - self._frames
        if passed < LOOK_S * stream.rate:
            return self._text
        share = (misses - self._misses) * stream.block / passed
        before = self._spent if spent.frames >= self._spent.frames else Spent()  # a new pipeline counts from zero
        if spent.frames > before.frames:
            self._known = True
            self.own = max(0.0, spent.own_s - before.own_s) * stream.rate / (spent.frames - before.frames)
        self._frames, self._misses, self._spent = frames, misses, spent
        own = self.own if self._known else None
        self._text = _sentence(stream, min(share, 1.0), own) if share > LATE_SHARE else ""
        return self._text


def _sentence(stream: Stream, share: float, own: float | None) -> str:
    """``own``: as in ``Lateness``; None while the model has not done with its first sound yet."""
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
    at_once = own * stream.burst / stream.block
    if at_once >= NEAR:
        return (
            f"The model is too slow for blocks of {stream.block} frames: {heard}, for it works on {stream.burst} frames at once, "
            f"which takes {at_once:.0%} of a block's time. Choose a larger block or a smaller model."
        )
    hogs = "Other programs or the instrument's notes" if stream.plays else "Other programs"
    cure = "End other programs or choose a larger block"
    if "refused" in stream.realtime:
        cure += "; realtime priority helps too (python -m rtaudio doctor)"
    return f"{hogs} take the processor: {heard}, though the model's own work takes only {own:.0%} of the time there is. {cure}."

"""The tempo that MIDI clock, Ableton Link and echoes share: beats on the machine's monotonic clock. No thread."""

from __future__ import annotations

import time

DEFAULT_BPM = 120.0


class Tempo:
    """Beats a minute, and where the beat is. Any thread may read or set it: the three numbers are replaced together."""

    def __init__(self, bpm: float = DEFAULT_BPM, now: float | None = None) -> None:
        self._anchor = (bpm, 0.0, time.monotonic() if now is None else now)

    @property
    def bpm(self) -> float:
        """Beats a minute."""
        return self._anchor[0]

    @property
    def anchor(self) -> tuple[float, float, float]:
        """Beats a minute, a beat, and the monotonic time in seconds at which it is."""
        return self._anchor

    def beat(self, now: float | None = None) -> float:
        """The beat at the monotonic time ``now`` (default: this moment)."""
        bpm, beat, at = self._anchor
        return beat + ((time.monotonic() if now is None else now) - at) * bpm / 60

    def time_of(self, beat: float) -> float:
        """The monotonic time at which ``beat`` is."""
        bpm, known, at = self._anchor
        return at + (beat - known) * 60 / bpm

    def set(self, bpm: float, now: float | None = None) -> None:
        """Another tempo from ``now`` on. The beat goes on from where it is."""
        now = time.monotonic() if now is None else now
        self._anchor = (bpm, self.beat(now), now)

    def place(self, beat: float, now: float | None = None) -> None:
        """Move the beat: it is ``beat`` at ``now``."""
        self._anchor = (self._anchor[0], beat, time.monotonic() if now is None else now)

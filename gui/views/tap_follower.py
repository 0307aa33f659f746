"""Follows one source of the engine's tap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gui.bridge import Bridge
from gui.views.analysis import Samples


@dataclass(frozen=True)
class NewSamples:
    """New sound: ``samples`` ``(n,)``, one channel. ``skipped``: number of frames missed before it; None after a change of engine."""

    rate: int
    samples: Samples
    skipped: int | None


class TapFollower:
    """Reads the new samples of one source for a view."""

    def __init__(self, bridge: Bridge, source: str = "mix") -> None:
        self._bridge, self.source = bridge, source
        self._life, self._next = "", 0

    def choose(self, source: str) -> None:
        """Follow another source, starting with its last seconds."""
        self.source, self._life = source, ""

    def read(self) -> NewSamples | None:
        """The new samples; None while there is no engine or no such source."""
        heard = self._bridge.hear(self.source, self._next if self._life else None)
        if heard is None:
            return None
        same = heard.life == self._life
        if not same and self._life:  # a restarted engine counts from 0 again
            self._life = ""
            heard = self._bridge.hear(self.source, None)
            if heard is None:
                return None
        skipped = heard.start - self._next if same else None
        self._life, self._next = heard.life, heard.start + len(heard.frames)
        return NewSamples(heard.rate, np.asarray(heard.frames.mean(axis=1, dtype=np.float32)), skipped)

"""Totals across restarts of the engine: sums of the counters of successive engines, and the gaps between them.

The supervisor uses it with its lock held. It owns no thread.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence

from rtaudio.protocol.reports import InstrumentReport, Interruption, Recording, Snapshot

COUNTERS = ("xruns", "misses")
INSTRUMENT_COUNTERS = ("stolen", "received", "misses", "late", "dropped")


class RestartTotals:
    """Sums since the settings were last changed. ``recordings`` are those made before that."""

    def __init__(self, recordings: Sequence[Recording] = ()) -> None:
        self._frames = 0
        self._counted = Snapshot()  # sums over earlier engines
        self._instrument = InstrumentReport()
        self._recordings = list(recordings)
        self._interruptions: list[Interruption] = []
        self._away: float | None = None  # time since which there is no sound, if the engine is gone
        self._latest = Snapshot()  # the latest report of the present engine
        self._moved = 0.0  # when its frame counter last increased

    def start_over(self) -> RestartTotals:
        """New totals for new settings, to which earlier counts do not apply. Recordings stay on the list."""
        return RestartTotals(self._all_recordings(self._latest))

    def forget_counters(self) -> None:
        """Reset the sums (``reset_counters``)."""
        self._counted = Snapshot()
        self._instrument = InstrumentReport()

    def follow(self, report: Snapshot, now: float | None = None) -> Snapshot:
        """The report of the present engine plus the totals of earlier ones. The argument is not changed."""
        now = time.monotonic() if now is None else now
        if report.frames > self._latest.frames:
            self._moved = now
            if self._away is not None:
                played = report.frames / report.rate if report.rate else 0.0
                self._interruptions[-1].gap_s = max(0.0, now - played - self._away)
                self._away = None
        if self._frames and report.rate and self._counted.rate not in (0, report.rate):
            self._frames = round(self._frames * report.rate / self._counted.rate)
            self._counted.rate = report.rate
        self._latest = report
        told = copy.copy(report)
        told.frames += self._frames
        for name in COUNTERS:
            setattr(told, name, getattr(report, name) + getattr(self._counted, name))
        told.instrument = copy.copy(report.instrument)
        for name in INSTRUMENT_COUNTERS:
            setattr(told.instrument, name, getattr(report.instrument, name) + getattr(self._instrument, name))
        return self.finish(told, now)

    def finish(self, told: Snapshot, now: float | None = None) -> Snapshot:
        """Update the lists of ``told``, which already has the sums, and return it."""
        now = time.monotonic() if now is None else now
        if self._away is not None:
            self._interruptions[-1].gap_s = now - self._away
        told.interruptions = copy.deepcopy(self._interruptions)
        told.recordings = copy.deepcopy(self._all_recordings(self._latest))
        return told

    def engine_lost(self, reason: str) -> None:
        """Record that the present engine is gone although no end was requested."""
        lost, self._latest = self._latest, Snapshot()
        if not lost.frames:
            return
        self._frames += lost.frames
        self._recordings += lost.recordings
        self._counted.rate = lost.rate
        for name in COUNTERS:
            setattr(self._counted, name, getattr(self._counted, name) + getattr(lost, name))
        for name in INSTRUMENT_COUNTERS:
            setattr(self._instrument, name, getattr(self._instrument, name) + getattr(lost.instrument, name))
        self._away = self._moved
        self._interruptions.append(Interruption(reason, self._frames / lost.rate if lost.rate else 0.0))

    def recorded(self, recording: Recording) -> None:
        """Add a recording of an earlier engine that has been finished."""
        self._recordings.append(recording)

    def _all_recordings(self, report: Snapshot) -> list[Recording]:
        return [*self._recordings, *report.recordings]

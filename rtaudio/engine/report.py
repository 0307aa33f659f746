"""A running engine's report: its snapshot, with one sentence for the user."""

from __future__ import annotations

import copy
import time
from dataclasses import replace

from rtaudio.engine.commands import EngineCommands
from rtaudio.engine.deadline_misses import DeadlineMisses, Stream
from rtaudio.ports.base import Port
from rtaudio.protocol.insert_checks import slots_of
from rtaudio.protocol.reports import InsertReport, InstrumentReport, Latency, Recording, Snapshot, SyncReport
from rtaudio.protocol.transpose import KEY_SLOT

STALLED_S = 1.0
"""Seconds without a callback after which a real-time port counts as stalled."""
LATE_S = 2.0
"""Seconds for which an interruption of a stretched song is told."""
FRESH_S = 0.5
"""Seconds after which the latest callback says nothing about the present."""


class EngineReport(EngineCommands):
    """The part of ``Engine`` that reports its state."""

    port: Port
    _phase: str
    _sequence: int
    _deadline_misses: DeadlineMisses
    _key_trouble: str = ""
    _late_blocks: int = 0
    _late_at: float = 0.0

    @property
    def latency(self) -> Latency:
        """The latency and its parts, see ``rtaudio.engine.engine``."""
        pipeline = self._callback.pipeline
        rate = pipeline.format.rate
        inserts = self.inserts.latency if self.inserts is not None else 0
        buffers, device = pipeline.given + self.port.pipelining, self.port.device_latency
        return Latency(pipeline.algorithmic, pipeline.resampler, buffers, device, rate, inserts)

    def snapshot(self) -> Snapshot:
        """The present state. Meters cover the time since the previous snapshot, so only one thread should call it."""
        callback, pipeline = self._callback, self._callback.pipeline
        meters, master = pipeline.mixer.take_meters()
        self._sequence += 1
        late = self._late()
        self._follow_plugins()
        return Snapshot(
            sequence=self._sequence,
            time=time.time(),
            state=self._describe(),
            message=self._message(late),
            rate=self.format.rate,
            block=self.port.device_block,
            port=self.port.name,
            frames=callback.frames,
            xruns=callback.xruns - self._base["xruns"],
            misses=self.misses - self._base["misses"],
            dsp_load=callback.load.summary(),
            model_load=pipeline.worker.load.summary() | {"own": self._deadline_misses.own},
            ring_fill=max(0, pipeline.inputs.end - pipeline.worker.position),
            latency=self.latency,
            realtime=self._realtime(),
            offer=1000 * self._deadline_misses.offer / self.format.rate,
            resting=self.resting,
            elapsed=max(0.0, callback.last_call - callback.first_call),
            limiter_db=pipeline.mixer.limiter_db,
            meters=meters,
            master=master,
            transport=self._transport(),
            recording=self.recorder.status if self.recorder is not None else Recording(),
            recordings=self.recorder.ended if self.recorder is not None else [],
            mixer=copy.deepcopy(self._state),
            inserts=self._report_inserts(),
            instrument=self.dispatcher.report() if self.dispatcher is not None else InstrumentReport(),
            sync=self.conductor.report() if self.conductor is not None else SyncReport(),
        )

    def _report_inserts(self) -> dict[str, list[InsertReport]]:
        """Reports of the inserts, without those that transpose."""
        reports = self.inserts.report() if self.inserts is not None else {}
        shown = {strip: [slot for slot in slots if slot.key != KEY_SLOT] for strip, slots in reports.items()}
        self._key_trouble = next(
            (slot.message for slots in reports.values() for slot in slots if slot.key == KEY_SLOT and slot.message), ""
        )
        return {strip: slots for strip, slots in shown.items() if slots}

    def _follow_plugins(self) -> None:
        """Take over what plugins changed by themselves, in their own windows."""
        if self.inserts is None:
            return
        for strip, changed in self.inserts.take_changes():
            with self._lock:
                slots = slots_of(self._state, strip)
                for place, entry in enumerate(slots):
                    if entry.key == changed.key:
                        slots[place] = replace(entry, values=entry.values | changed.values, state=changed.state)

    @property
    def resting(self) -> bool:
        """Whether nothing sounds and nothing changes: no song, recording or note."""
        moves = (self.source is not None and self.source.playing) or (
            self.recorder is not None and self.recorder.status.active
        )
        fresh = time.monotonic() - self._callback.last_call < FRESH_S
        return fresh and not moves and self._callback.pipeline.resting

    def _describe(self) -> str:
        if self._phase != "running":
            return self._phase
        if self._callback.song_ended or (self.port.finished.is_set() and not self.port.error):
            return "finished"
        if self.port.realtime and time.monotonic() - self._callback.last_call > STALLED_S:
            return "stalled"
        return "running"

    def _message(self, late: str) -> str:
        callback = self._callback
        message = self.port.error or callback.fault or callback.pipeline.worker.message
        if not message and self.analysis is not None:
            message = self.analysis.error
        message = message or self._key_trouble or self._tempo_trouble()
        if not message and self.dispatcher is not None:
            message = self.dispatcher.message
        return message or late or self._notice

    def _tempo_trouble(self) -> str:
        """Why the song is interrupted, or an empty string while it is not."""
        late, now = getattr(self.source, "late", 0), time.monotonic()
        if late != self._late_blocks:
            self._late_blocks, self._late_at = late, now
        if not late or now - self._late_at > LATE_S:
            return ""
        return "Another tempo takes more of the processor than there is: the song is interrupted. End other programs, or play it at 100%."

    def _late(self) -> str:
        """Why blocks are late, or an empty string while they are not."""
        callback, pipeline = self._callback, self._callback.pipeline
        worker, fmt = pipeline.worker, pipeline.format
        separated, plays = self.config.model != "none", self.dispatcher is not None
        stream = Stream(
            fmt.rate,
            fmt.block,
            worker.processor.burst,
            pipeline.given,
            separated,
            plays,
            worker.realtime,
            self.port.realtime,
        )
        missed = -(-self.misses // self._blocks_at_once)
        return self._deadline_misses.look(stream, callback.frames, missed, worker.spent)

    def _realtime(self) -> str:
        port, worker = self.port.scheduling, self._callback.pipeline.worker.realtime
        if port and worker and port != worker:
            return f"sound {port}; model {worker}"
        return port or worker

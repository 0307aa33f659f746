"""The audio callback: it always fills the buffer with finite samples, in time.

``AudioCallback.__call__`` runs in the port's thread. It never waits for another thread (except for the worker, if the port is not real
time), raises nothing, and counts errors. Control threads request actions by setting the attributes ``panic`` and ``replace``. The callback
fades the sound out before it carries them out.
"""

from __future__ import annotations

import queue
import time
from typing import TYPE_CHECKING

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.audio.load_meter import LoadMeter
from rtaudio.engine.pipeline import Pipeline

if TYPE_CHECKING:
    from rtaudio.engine.click import Click
    from rtaudio.engine.recorder import Recorder
    from rtaudio.files.song_player import FilePlayer
    from rtaudio.ports.base import Port
    from rtaudio.tap.buffer import TapBuffer

GATE_S = 0.005
"""Length of the gate's fade."""

PANIC_S = 0.25
"""Silence after a panic, in addition to the pipeline's own delay: long enough to end feedback."""

MAX_TAIL_S = 10.0
"""So long may echoes and reverb go on after the end of a song."""

Routes = list[tuple[int, list[int]]]
"""``[(index of the stem, 0-based output channels)]``."""


class FadeGate:
    """Fades all signals out and in with a linear ramp."""

    def __init__(self, rate: int) -> None:
        self._length = max(1, round(GATE_S * rate))
        self._level = self._length
        self.open = True

    @property
    def silent(self) -> bool:
        """Whether the fade-out is done."""
        return not self.open and self._level == 0

    @property
    def idle(self) -> bool:
        """Whether the gate is fully open and stays open."""
        return self.open and self._level == self._length

    def apply(self, *signals: Audio) -> None:
        """Apply the fade to ``signals``, all of the same ``n`` frames, in place."""
        if self.open and self._level == self._length:
            return
        n = len(signals[0])
        steps = np.arange(1, n + 1, dtype=np.float32) * (1 if self.open else -1) + self._level
        gain = np.clip(steps, 0, self._length) / np.float32(self._length)
        self._level = min(max(self._level + (n if self.open else -n), 0), self._length)
        for signal in signals:
            np.multiply(signal, gain.reshape(-1, *(1,) * (signal.ndim - 1)), out=signal)


class AudioCallback:
    """The function that a port calls for each block.

    Args:
        port: gives the channels and whether it is real time. Of its methods only ``complete`` is called.
        pipeline: the first one. Setting ``replace`` exchanges it.
        picks: 0-based input channel for each channel of the mix; empty without input.
        routes: stems with output channels of their own.
        source: plays instead of the port's input.
        recorder: gets the stems and the mix.
        tap: gets input, mix and strips while somebody listens.
        click: adds clicks to what is heard.
        limit: number of frames after which ``port.complete`` is called, 0 for no limit.

    Attributes:
        unfit: queue for the sizes of blocks that the pipeline was not prepared for.
    """

    def __init__(
        self,
        port: Port,
        pipeline: Pipeline,
        picks: list[int],
        routes: Routes,
        source: FilePlayer | None,
        recorder: Recorder | None,
        limit: int = 0,
        tap: TapBuffer | None = None,
        click: Click | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.replace: Pipeline | None = None
        self.panic = False
        self.unfit: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self.load = LoadMeter()
        self.frames = self.xruns = self.misses = self.faults = self.mended = 0
        self.first_call = self.last_call = time.monotonic()
        self.fault = ""
        self.song_ended = False
        self._port, self._picks, self._routes, self._source, self._recorder = port, picks, routes, source, recorder
        self._gate = FadeGate(pipeline.format.rate)
        self._hold = 0
        self._limit = limit
        self._tap, self._click = tap, click
        self._end: int | None = None
        self._clock = 0
        self._told = 0

    def __call__(self, indata: Audio, outdata: Audio, xruns: int) -> None:
        started = time.perf_counter()
        total = len(outdata)
        if not self.frames:
            self.first_call = time.monotonic()
        try:
            self.xruns += xruns
            self._check_size(total)
            start = 0
            while start < total:
                stop = min(start + self.pipeline.format.block, total)  # the pipeline may be another one after each part
                self._play(indata[start:stop], outdata[start:stop])
                start = stop
        except Exception as error:  # no exception may leave a callback; the snapshot reports it
            outdata.fill(0.0)
            self._note(error)
        self.frames += total
        inserts = self.pipeline.inserts
        if inserts is not None and not self.pipeline.realtime and (failure := inserts.failure):
            self._port.fail(failure)
        if 0 < self._limit <= self.frames:
            self._port.complete()
        self.last_call = time.monotonic()
        if total:
            self.load.add((time.perf_counter() - started) * self.pipeline.format.rate / total)

    def _check_size(self, n: int) -> None:
        """In real time, report a block that is larger than prepared for or breaks the promise of a fixed size."""
        pipeline = self.pipeline
        fits = n <= pipeline.format.block and not (pipeline.align and n % pipeline.align)
        if not fits and pipeline.realtime and n > self._told:
            self._told = n
            self.unfit.put(n)

    def _play(self, indata: Audio, outdata: Audio) -> None:
        n, pipeline = len(outdata), self.pipeline
        mixed, wet = pipeline.mixed[:n], pipeline.wet[:n]
        self._gate.open = not (self.panic or self.replace is not None or self._hold > 0)
        self._listen(indata, pipeline.source[:n])
        pipeline.feed(n)
        if pipeline.rested and self._gate.idle:
            pipeline.rest(n)
            outdata.fill(0.0)
        else:
            self._sound(n, mixed, wet, outdata)
        if self._click is not None:
            self._add_click(self._click, outdata)
        self._record(wet, mixed)
        if self._tap is not None and self._tap.on:
            self._show(pipeline.input[:n], mixed, wet)
        self._clock += n
        self._change(n)

    def _sound(self, n: int, mixed: Audio, wet: Audio, outdata: Audio) -> None:
        pipeline = self.pipeline
        try:
            if pipeline.render(n) and self._gate.open:
                self.misses += 1
            strips = pipeline.mixer.strips
        except Exception as error:
            self._note(error)
            pipeline.rescue(n)
            strips = wet[:, :0]
        self._gate.apply(mixed, wet, strips)
        self._speak(mixed, strips, outdata)

    # -- in ---------------------------------------------------------------------------------------------------------------

    def _listen(self, indata: Audio, block: Audio) -> None:
        """Fill ``block`` with new input. Raises nothing."""
        try:
            if self._source is not None:
                self._read_source(self._source, block)
            elif self._picks:
                for channel, pick in enumerate(self._picks):
                    block[:, channel] = indata[:, pick]
            else:
                block.fill(0.0)
            if not np.isfinite(block).all():
                self.mended += 1
                np.nan_to_num(block, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        except Exception as error:
            block.fill(0.0)
            self._note(error)

    def _read_source(self, source: FilePlayer, block: Audio) -> None:
        waits = 0
        if self._click is not None and self._click.counting:
            waits, over = self._click.wait(len(block), self._clock, self._delay, time.monotonic())
            self._read_part(source, block[:waits], 0)
            if over:
                source.play()
        self._read_part(source, block[waits:], waits)
        if not source.finished:
            self._end, self.song_ended = None, False
        elif self._end is None:
            self._end = self._clock + len(block)
        elif not self.song_ended and self._clock >= self._end + self.pipeline.delay + self._rings_out():
            self.song_ended = True
            self._port.complete()

    def _read_part(self, source: FilePlayer, part: Audio, offset: int) -> None:
        if not len(part):
            return
        source.read_into(part)
        switch = source.switched
        if switch is not None:
            self.pipeline.switch(switch.payload, smooth=not switch.fade)
        if self._click is not None:
            self._click.take(self._clock + offset, source.places)

    @property
    def _delay(self) -> int:
        """Frames from the input to the output."""
        return self.pipeline.delay + self.pipeline.insert_latency

    def _add_click(self, click: Click, outdata: Audio) -> None:
        try:
            if self._gate.open:
                click.render(outdata, self._clock, self._delay, time.monotonic(), self.pipeline.realtime)
            else:
                click.clear()
        except Exception as error:
            self._note(error)

    def _rings_out(self) -> int:
        """Frames for which inserts go on after the end of a song."""
        inserts = self.pipeline.inserts
        return 0 if inserts is None else inserts.latency + round(min(inserts.tail_s, MAX_TAIL_S) * self.pipeline.format.rate)

    # -- out --------------------------------------------------------------------------------------------------------------

    def _speak(self, mixed: Audio, strips: Audio, outdata: Audio) -> None:
        """Write the mix to the first two channels (or to one), and routed stems to theirs. Replaces invalid samples as a last resort."""
        channels, available = mixed.shape[1], outdata.shape[1]
        if available == 1 and channels > 1:
            np.mean(mixed, axis=1, keepdims=True, out=outdata)
        elif available:
            wide = min(channels, available)
            outdata[:, :wide] = mixed[:, :wide]
            outdata[:, wide:] = 0.0
            if channels == 1 and available > 1:
                outdata[:, 1] = mixed[:, 0]
        for stem, targets in self._routes if strips.shape[1] else ():
            if len(targets) == 1 and channels > 1:
                outdata[:, targets[0]] += strips[:, stem].mean(axis=1)
            else:
                for channel, target in enumerate(targets):
                    outdata[:, target] += strips[:, stem, min(channel, channels - 1)]
        if not np.isfinite(outdata).all():
            self.mended += 1
            np.nan_to_num(outdata, copy=False, nan=0.0, posinf=0.0, neginf=0.0)

    def _record(self, stems: Audio, mixed: Audio) -> None:
        if self._recorder is not None:
            try:
                self._recorder.push(stems, mixed, not self.pipeline.realtime)
            except Exception as error:
                self._note(error)

    def _show(self, heard: Audio, mixed: Audio, stems: Audio) -> None:
        assert self._tap is not None
        try:
            self._tap.push(self._clock, heard, mixed, stems)
        except Exception as error:
            self._note(error)

    # -- wishes -----------------------------------------------------------------------------------------------------------

    def _change(self, n: int) -> None:
        """Carry out a waiting panic or replacement once the gate is closed."""
        self._hold = max(0, self._hold - n)
        if not self._gate.silent:
            return
        if self.panic:
            self.panic = False
            self.pipeline.clear()
            self._hold = self.pipeline.delay + round(PANIC_S * self.pipeline.format.rate)
        fresh, self.replace = self.replace, None
        if fresh is not None:
            self.pipeline, self._told = fresh, 0
            self._hold = max(self._hold, fresh.delay)  # until then the new pipeline plays the silence before its first samples

    def _note(self, error: Exception) -> None:
        self.faults += 1
        text = str(error) if isinstance(error, StemplayError) else f"{type(error).__name__}: {error}"
        self.fault = f"The audio callback failed and played the input instead: {text.rstrip('.')}."

"""How the audio callback processes a block: input to the rings, output through fail-open and mixer.

A timeline counts samples from the pipeline's start; before it was silence. The block of ``n`` frames at position ``q`` stores its input at
``q`` and plays the input of ``q - delay``, with ``delay = processor.latency + given``. So the worker has the time of ``given`` frames (one
block or more, ``rtaudio/engine/deadline.py``) before its stems are fetched. The delay changes only on request (``give``); the sound then
cross-fades from the old position on the timeline to the new one.

After ``REST_S`` of silence at input and output, blocks skip mixer and fail-open, and the worker is told of new input less often.

The callback's thread calls everything here except the constructor, ``stop`` and ``give``. Arrays are preallocated. Only ``render`` may
wait, for the worker, if the port is not real time.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from rtaudio.audio.format import Audio, StreamFormat
from rtaudio.audio.ring import Ring
from rtaudio.engine.fail_open import FailOpen
from rtaudio.engine.mixer import Mixer
from rtaudio.engine.worker import Worker
from rtaudio.processors.base import Processor
from rtaudio.protocol.settings import MixerState
from rtaudio.protocol.strips import strip_names

FADE_S = 0.02
"""Length of the cross-fade from one delay to another."""

REST_S = 0.25
"""Silence, in addition to the delay, after which the pipeline rests."""

if TYPE_CHECKING:
    from rtaudio.instrument.player import InstrumentPlayer
    from rtaudio.plugins.rack import Rack


class Pipeline:
    """Rings, worker, fail-open and mixer for one stream format.

    Args:
        processor: it is prepared here and belongs to the worker from ``start`` to ``stop``.
        fmt: ``fmt.block`` is the largest block that can be in time.
        align: every block is a multiple of this number of frames; 0 if that cannot be promised.
        state: of the mixer.
        realtime: whether the callback must not wait.
        instrument: plays beside the stems, as one more strip.
        given: deadline of the worker in frames, whole blocks; 0 for one block.
        inserts: effects on the input, the strips and the master; they belong to the engine and outlive the pipeline.

    Raises:
        StemplayError: the processor cannot work in this format.
    """

    def __init__(
        self,
        processor: Processor,
        fmt: StreamFormat,
        align: int,
        state: MixerState,
        realtime: bool,
        instrument: InstrumentPlayer | None = None,
        given: int = 0,
        inserts: Rack | None = None,
    ) -> None:
        processor.prepare(fmt)
        if align:
            processor.align(align)
        self.format, self.align, self.realtime, self.instrument = fmt, align, realtime, instrument
        self.stems = strip_names(processor.outputs, instrument is not None)
        self.algorithmic, self.resampler = processor.algorithmic_latency, processor.resampler_latency
        self.given = max(1, -(-given // fmt.block)) * fmt.block
        self.delay = processor.latency + self.given
        keep = 2 * (self.delay + 2 * fmt.rate)
        n_stems, channels, block = len(processor.outputs), fmt.channels, fmt.block
        self.inputs = Ring(keep, (channels,))
        self.divided = processor.parts > 1
        """Whether the song brings its own stems."""
        wide = Ring(keep, (processor.parts * channels,)) if self.divided else self.inputs
        self._wide = wide
        self.ready = Ring(keep, (n_stems, channels), origin=-processor.latency)
        self.worker = Worker(processor, wide, self.ready, fmt.rate, block, align or 1, realtime)
        self.worker.given = self.given
        self.failopen = FailOpen(n_stems, channels, fmt.rate)
        self.mixer = Mixer(self.stems, channels, fmt.rate, block, state, beside=len(self.stems) - n_stems)
        self.inserts = self.mixer.inserts = inserts
        self.input = np.zeros((block, channels), np.float32)
        self.source = np.zeros((block, processor.parts * channels), np.float32) if self.divided else self.input
        self.dry = np.zeros((block, channels), np.float32)
        self.wet = np.zeros((block, len(self.stems), channels), np.float32)
        self._parts = n_stems
        self._before = (np.zeros((block, n_stems, channels), np.float32), np.zeros((block, channels), np.float32))
        self._fade = max(1, round(FADE_S * fmt.rate))
        self._wanted, self._older, self._faded = self.given, 0, 0
        self.mixed = np.zeros((block, channels), np.float32)
        self._silence = np.zeros((self.delay, channels), np.float32)
        self._jumps: deque[int] = deque()
        self._epoch = 0
        self.position = 0
        self._quiet = 0  # frames of silence in a row, in and out
        self.rested = False
        """Whether the block fed last may ``rest``."""
        self._dirty = True  # whether what was played last is still in the arrays
        self._fed = 0

    def start(self) -> None:
        """Start the worker."""
        self.worker.start()

    def stop(self, timeout: float | None = 2.0) -> bool:
        """Stop the worker; False if it is still busy after ``timeout`` seconds."""
        return self.worker.stop(timeout)

    def feed(self, n: int) -> None:
        """Store the ``n`` frames in ``source`` at ``position`` and tell the worker. Afterwards ``input`` holds their mix."""
        if self.divided:
            parts = self.source[:n].reshape(n, -1, self.format.channels)
            np.sum(parts, axis=1, out=self.input[:n])
            self._wide.write(self.position, self.source[:n], self._epoch)
        if self.inserts is not None:
            self.inserts.process_input(self.input[:n])
        self.inputs.write(self.position, self.input[:n], self._epoch)
        self.position += n
        if self.source[:n].any():
            self._quiet = 0
        self.rested = rested = self.resting
        if not rested or self.position - self._fed >= self.worker.silence:
            self._fed = self.position
            self.worker.feed(self.position, silent=rested)

    @property
    def resting(self) -> bool:
        """Whether input and output have been silent for a while and no change is under way."""
        if self._quiet < self.delay + (REST_S + self._tail_s) * self.format.rate or not self.realtime:
            return False
        still = not self._older and self._wanted == self.given and not self._jumps and self.mixer.settled
        return still and (self.instrument is None or self.instrument.resting)

    @property
    def insert_latency(self) -> int:
        """Frames that inserts add to ``delay``."""
        return self.inserts.latency if self.inserts is not None else 0

    @property
    def _tail_s(self) -> float:
        """Seconds in which an insert may be silent and sound once more: echoes have pauses."""
        return 0.0 if self.inserts is None or self.inserts.idle else self.inserts.tail_s

    def rest(self, n: int) -> None:
        """Play ``n`` frames of silence. It replaces ``render`` if ``rested`` is set."""
        if self._dirty:
            self._dirty = False
            for part in (self.wet, self.dry, self.mixed):
                part.fill(0.0)
        if self.instrument is not None:
            self.instrument.read(self.wet[:n, -1])
        self.mixer.rest(n)

    def switch(self, processor: Processor | None, smooth: bool) -> None:
        """Announce that the next input comes from another position of the song, where ``processor`` has caught up (None: reset).

        ``smooth``: spread the step of the input over some samples.
        """
        self.worker.switch(self.position, processor)
        if smooth:
            self._jumps.append(self.position)

    def render(self, n: int) -> bool:
        """Render the ``n`` frames that are due into ``mixed``; ``wet`` and ``dry`` hold stems and input.

        Returns whether the model was late for sound. Late silence does not count.
        """
        self._dirty = True
        if not self.realtime:
            self.worker.wait_until(self.position)
        if self._wanted != self.given and not self._older:
            self._older, self._faded = self._wanted - self.given, 0
            self.delay += self._older
            self.given = self.worker.given = self._wanted
        heard = self.position - n - self.delay
        wet, dry = self.wet[:n, : self._parts], self.dry[:n]
        self.inputs.read(heard, dry, self._epoch)
        late = not self.ready.read_into(heard, wet, self._epoch)
        missed = late and bool(dry.any())
        if self._older:
            self._fade_over(heard + self._older, wet, dry, late)
        done = 0
        while self._jumps and self._jumps[0] < heard + n:
            cut = max(self._jumps.popleft() - heard, done)
            self.failopen.process(wet[done:cut], dry[done:cut], late)
            self.failopen.jump()
            done = cut
        self.failopen.process(wet[done:], dry[done:], late)
        if self.instrument is not None:
            self.instrument.read(self.wet[:n, -1])
        if self.inserts is not None:
            self.inserts.process_strips(self.wet[:n], dry)
        self.mixer.process(self.wet[:n], dry, self.mixed[:n])
        if self.inserts is not None:
            self.inserts.align(self.wet[:n], self.mixer.strips)
        sounds = self.input[:n].any() or self.wet[:n].any() or self.mixed[:n].any()
        self._quiet = 0 if sounds else self._quiet + n
        return missed

    def give(self, frames: int) -> int:
        """Set the worker's deadline to ``frames``, in whole blocks; called by a control thread. Returns the resulting deadline."""
        frames = max(1, -(-frames // self.format.block)) * self.format.block
        longest = max(len(self._silence), self.delay - self.given + frames)
        self._silence = np.zeros((longest, self.format.channels), np.float32)
        self._wanted = frames
        return frames

    def _fade_over(self, before: int, wet: Audio, dry: Audio, late: bool) -> None:
        """Cross-fade ``wet`` and ``dry`` from the previous delay, unless its stems were late."""
        n = len(dry)
        old_wet, old_dry = (part[:n] for part in self._before)
        self.inputs.read(before, old_dry, self._epoch)
        if late or not self.ready.read_into(before, old_wet, self._epoch):
            self._older = 0
            self.failopen.jump()  # the step is spread over some samples
            return
        gain = np.minimum(np.arange(self._faded + 1, self._faded + n + 1, dtype=np.float32) / self._fade, 1)[:, None]
        for new, old in ((dry, old_dry), (wet, old_wet)):
            rising = gain.reshape(-1, *(1,) * (new.ndim - 1))
            new *= rising
            old *= 1 - rising
            new += old
        self._faded += n
        if self._faded >= self._fade:
            self._older = 0

    def rescue(self, n: int) -> None:
        """After a failure, copy the delayed input into ``mixed``."""
        self.inputs.read(self.position - n - self.delay, self.mixed[:n], self._epoch)

    def clear(self) -> None:
        """Drop all sound inside, so that earlier input is not heard. Latency and position stay."""
        self._epoch += 1
        self._jumps.clear()
        self.inputs.write(self.position - self.delay, self._silence[: self.delay], self._epoch)
        self.worker.clear(self.position, self._epoch)
        self.failopen.reset()
        self.mixer.reset()
        if self.inserts is not None:
            self.inserts.clear()

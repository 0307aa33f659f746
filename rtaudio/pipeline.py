"""What the audio callback does with one block: in to the rings, out through fail-open and mixer.

A timeline counts samples from the pipeline's beginning, before which was silence; everything lies at its place on it. The
block of ``n`` frames at position ``q`` puts its input at ``q`` and plays the input of ``q - delay``, with
``delay = processor.latency + block``: the worker, told of a block, has the time of one block until its stems are asked for. The
delay never changes while a pipeline lives.

The callback's thread calls everything here but the constructor and ``stop``. Arrays exist beforehand. The only thing ever waited
for is the worker, by ``render`` of a port that is not real time.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from rtaudio.failopen import FailOpen
from rtaudio.format import StreamFormat
from rtaudio.messages import MixerState
from rtaudio.mixer import Mixer
from rtaudio.processors.base import Processor
from rtaudio.ring import Ring
from rtaudio.strips import strip_names
from rtaudio.worker import Worker

if TYPE_CHECKING:
    from rtaudio.instrument.player import InstrumentPlayer


class Pipeline:
    """Rings, worker, fail-open and mixer for one stream format.

    Args:
        processor: anything; it is prepared here and belongs to the worker from ``start`` to ``stop``.
        fmt: ``fmt.block`` is the largest block that can be in time.
        align: frames that every block is a multiple of, 0 if that cannot be promised.
        state: of the mixer.
        realtime: whether the callback must not wait.
        instrument: plays beside the stems, as one more strip.

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
    ) -> None:
        processor.prepare(fmt)
        if align:
            processor.align(align)
        self.format, self.align, self.realtime, self.instrument = fmt, align, realtime, instrument
        self.stems = strip_names(processor.outputs, instrument is not None)
        self.algorithmic, self.resampler = processor.algorithmic_latency, processor.resampler_latency
        self.delay = processor.latency + fmt.block
        keep = 2 * (self.delay + fmt.rate)
        n_stems, channels, block = len(processor.outputs), fmt.channels, fmt.block
        self.inputs = Ring(keep, (channels,))
        self.ready = Ring(keep, (n_stems, channels), origin=-processor.latency)
        self.worker = Worker(processor, self.inputs, self.ready, fmt.rate, block, align or 1, realtime)
        self.failopen = FailOpen(n_stems, channels, fmt.rate)
        self.mixer = Mixer(self.stems, channels, fmt.rate, block, state, beside=len(self.stems) - n_stems)
        self.input = np.zeros((block, channels), np.float32)
        self.dry = np.zeros((block, channels), np.float32)
        self.wet = np.zeros((block, len(self.stems), channels), np.float32)
        self._parts = n_stems
        self.mixed = np.zeros((block, channels), np.float32)
        self._silence = np.zeros((self.delay, channels), np.float32)
        self._jumps: deque[int] = deque()
        self._epoch = 0
        self.position = 0

    def start(self) -> None:
        """Start the worker."""
        self.worker.start()

    def stop(self, timeout: float | None = 2.0) -> bool:
        """Stop the worker; False if it is still busy after ``timeout`` seconds."""
        return self.worker.stop(timeout)

    def feed(self, n: int) -> None:
        """Take the ``n`` frames in ``input`` in: they belong to ``position``."""
        self.inputs.write(self.position, self.input[:n], self._epoch)
        self.position += n
        self.worker.feed(self.position)

    def switch(self, processor: Processor | None, smooth: bool) -> None:
        """The next input is from elsewhere in the song: ``processor`` has caught up there (None: start afresh).

        ``smooth``: the input itself makes a step there, which is to be spread.
        """
        self.worker.switch(self.position, processor)
        if smooth:
            self._jumps.append(self.position)

    def render(self, n: int) -> bool:
        """Play what is due with the ``n`` frames fed last, into ``mixed``; ``wet`` and ``dry`` hold its parts.

        Returns whether the model was late for it.
        """
        if not self.realtime:
            self.worker.wait_until(self.position)
        heard = self.position - n - self.delay
        wet, dry = self.wet[:n, : self._parts], self.dry[:n]
        self.inputs.read(heard, dry, self._epoch)
        late = not self.ready.read_into(heard, wet, self._epoch)
        done = 0
        while self._jumps and self._jumps[0] < heard + n:
            cut = max(self._jumps.popleft() - heard, done)
            self.failopen.process(wet[done:cut], dry[done:cut], late)
            self.failopen.jump()
            done = cut
        self.failopen.process(wet[done:], dry[done:], late)
        if self.instrument is not None:
            self.instrument.read(self.wet[:n, -1])
        self.mixer.process(self.wet[:n], dry, self.mixed[:n])
        return late and heard + n > 0

    def rescue(self, n: int) -> None:
        """After a failure: the delayed input into ``mixed``, whatever else is broken."""
        self.inputs.read(self.position - n - self.delay, self.mixed[:n], self._epoch)

    def clear(self) -> None:
        """Forget all sound inside: what was fed so far will not be heard. Latency and position stay."""
        self._epoch += 1
        self._jumps.clear()
        self.inputs.write(self.position - self.delay, self._silence, self._epoch)
        self.worker.clear(self.position, self._epoch)
        self.failopen.reset()
        self.mixer.reset()

"""A separator as a processor: any block size, any device rate, stems that sum to the mix.

The signal flow: block -> channels and rate of the model -> FIFO -> model, a frame at a time -> rate and channels of the
device -> FIFO -> as many frames as came in. All positions are absolute sample counts, so the latency is one exact number:
the largest hold-back that occurs over a whole period of the two grids (``framed_latency``). It owns no thread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rtaudio.audio.format import Audio, StemplayError, StreamFormat, to_channels
from rtaudio.audio.resample import Resampler, framed_latency
from rtaudio.processors.base import Processor, State
from rtaudio.processors.frame_model import FrameModel, InBackground
from rtaudio.processors.residual import share_residual, whole_shares
from rtaudio.processors.silence import SilenceGain


class SeparatorProcessor(Processor):
    """Separates a mix into stems with a model.

    Args:
        model: a network that works frame by frame; ``rtaudio.processors.factory`` makes one from a model's name.
        consistent: share the residual ``mix - sum(stems)``, formed at the device's rate after alignment, so that the stems
            sum to the delayed mix.
        shares: ``(n_sources,)`` weights for the residual, summing to 1. None: those of the model's card, or equal ones if it has none.
    """

    def __init__(
        self,
        model: FrameModel,
        consistent: bool = True,
        shares: Sequence[float] | Audio | None = None,
    ) -> None:
        self._model = model
        self.outputs = tuple(self._model.outputs)
        self.consistent = consistent
        self.shares = whole_shares(self._model.shares if shares is None else shares, len(self.outputs))
        self._format: StreamFormat | None = None
        self._latency = self._aligned_block = 0
        self._pending: Audio
        self._dry: Audio
        self._gains: Audio
        self._ready: list[Audio]

    @property
    def model_rate(self) -> int:
        """The rate at which the network works, in Hz."""
        return self._model.rate

    @property
    def model_hop(self) -> int:
        """Samples of one call of the network, at ``model_rate``."""
        return self._model.hop

    @property
    def burst(self) -> int:
        """A hop of the network, or 1 if the network runs in a thread of its own."""
        model = self._model
        return 1 if isinstance(model, InBackground) else max(1, model.hop * self._require_format().rate // model.rate)

    @property
    def missing(self) -> int:
        """Number of frames that the network's next frame lacks."""
        lacking = self._model.window - len(self._pending)
        if self._to_model is not None:
            lacking = (lacking - 1) * self._to_model.down // self._to_model.up
        return max(1, lacking)

    def ahead(self) -> Audio | None:
        """The rest of the newest frame."""
        ready = self._whole()
        silent = max(0, self._latency - self._received)
        if not len(ready):
            return None
        stems = self._finished(ready, self._dry[: len(ready)], self._gains[: len(ready)])
        return np.concatenate((np.zeros((silent, *stems.shape[1:]), np.float32), stems)) if silent else stems

    @property
    def elsewhere_s(self) -> float:
        """Processor time of the network's own thread, if it has one."""
        return self._model.spent_s if isinstance(self._model, InBackground) else 0.0

    def prepare(self, fmt: StreamFormat) -> None:
        """Make converters for ``fmt``, warm up the model and reset."""
        model = self._model
        self._format = fmt
        self._inner_channels = min(fmt.channels, model.channels)  # what is converted between the rates
        same = fmt.rate == model.rate
        self._to_model = None if same else Resampler(fmt.rate, model.rate, self._inner_channels)
        self._to_device = None if same else Resampler(model.rate, fmt.rate, self._inner_channels * len(self.outputs))
        self._silence = SilenceGain(fmt.rate)
        self._aligned_block = 0
        if self._to_model is None or self._to_device is None:
            self._latency = self._hold_back(1) + 1  # a sample counts as arrived when the next one begins: one whole hop
        else:
            self._latency = framed_latency(self._to_model, self._to_device, model.hop, model.window, model.delay)
        model.reset()
        model.warm_up()
        self.reset()

    def align(self, block: int) -> None:
        """Promise that each call until the next ``prepare`` has a multiple of ``block`` frames; resets.

        Without rate conversion the latency falls from ``hop`` to ``hop - gcd(hop, block)``, which is 0 for blocks of whole hops. With
        conversion it stays the same.
        """
        if block < 1:
            raise ValueError(f"A block of {block} frames cannot be promised.")
        self._require_format()
        if self._to_model is None:
            self._aligned_block, self._latency = block, self._hold_back(block)
        self.reset()

    def process(self, block: Audio) -> Audio:
        """``(frames, channels)`` -> ``(frames, n_sources, channels)``, delayed by ``latency``."""
        fmt = self._require_format()
        if block.ndim != 2 or block.shape[1] != fmt.channels:
            raise ValueError(f"A block of shape {block.shape} is not (frames, {fmt.channels}).")
        if self._aligned_block and len(block) % self._aligned_block:
            raise ValueError(f"A block of {len(block)} frames is not a multiple of the promised {self._aligned_block}.")
        if not np.isfinite(block).all():  # it would stay in the recurrent state for ever
            block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        self._feed(block)
        silent = min(len(block), max(0, self._latency - self._received))
        self._received += len(block)
        stems = np.zeros((len(block), len(self.outputs), fmt.channels), dtype=np.float32)
        self._dry = np.concatenate((self._dry, block), dtype=np.float32)
        self._gains = np.concatenate((self._gains, self._silence.of(block)))
        count = len(block) - silent
        if count:
            stems[silent:] = self._finished(self._take(count), self._dry[:count], self._gains[:count])
            self._dry, self._gains = self._dry[count:], self._gains[count:]
        return stems

    def _finished(self, stems: Audio, dry: Audio, gains: Audio) -> Audio:
        """Convert stems to the device's channels, make them sum to ``dry`` if that is wanted, and silence them where ``dry`` is silent."""
        wet = to_device_channels(stems, self._require_format().channels)
        stems = share_residual(wet, dry, self.shares) if self.consistent else wet
        return stems if gains.min(initial=1) == 1 else stems * gains[:, None, None]

    def _feed(self, block: Audio) -> None:
        """Process a block of the device and append the stems to those that are ready."""
        model = self._model
        inner = to_channels(block, self._inner_channels)
        inner = inner if self._to_model is None else self._to_model.process(inner)
        self._pending = np.concatenate((self._pending, to_channels(inner, model.channels)), dtype=np.float32)
        while len(self._pending) >= model.window:
            stems = model.run(self._pending[: model.window])
            self._pending = self._pending[model.hop :]
            if not np.isfinite(stems).all():  # an absurd input: start again rather than stay broken
                model.reset()
                stems = np.zeros_like(stems)
            skip = min(self._skip, len(stems))
            self._skip -= skip
            self._push(stems[skip:])

    def _push(self, stems: Audio) -> None:
        stems = to_device_channels(stems, self._inner_channels)
        if self._to_device is not None:
            flat = self._to_device.process(stems.reshape(len(stems), self._to_device.channels))
            stems = flat.reshape(len(flat), len(self.outputs), self._inner_channels)
        self._ready.append(stems)

    def _take(self, count: int) -> Audio:
        """The next ``count`` frames of stems ``(count, n_sources, inner channels)``."""
        ready = self._whole()
        if len(ready) < count:
            raise RuntimeError(f"{count} frames of stems are due and only {len(ready)} are ready: _hold_back is wrong.")
        self._ready = [ready[count:]]
        return ready[:count]

    def _whole(self) -> Audio:
        """All stems that are ready, as one array."""
        if len(self._ready) != 1:
            self._ready = [np.concatenate(self._ready)]
        return self._ready[0]

    def flush(self) -> Audio:
        """Return the ``latency`` frames that are still inside, computed as if silence followed, and reset."""
        fmt = self._require_format()
        block = self._aligned_block or 1
        whole = -(-self._latency // block) * block  # in whole blocks, as all calls: what is due is only ready there
        tail = self.process(np.zeros((whole, fmt.channels), dtype=np.float32))[: self._latency]
        self.reset()
        return tail

    def reset(self) -> None:
        """Clear all state."""
        fmt = self._require_format()
        self._model.reset()
        for converter in (self._to_model, self._to_device):
            if converter is not None:
                converter.reset()
        self._received = 0
        self._skip = self._model.delay
        self._pending = np.zeros((0, self._model.channels), dtype=np.float32)
        self._dry = np.zeros((0, fmt.channels), dtype=np.float32)
        self._gains = np.zeros(0, dtype=np.float32)
        self._silence.reset()
        self._ready = [np.zeros((0, len(self.outputs), self._inner_channels), dtype=np.float32)]

    @property
    def latency(self) -> int:
        """Delay in samples at the device's rate."""
        self._require_format()
        return self._latency

    @property
    def algorithmic_latency(self) -> int:
        """The model's framing and look-ahead in device samples."""
        fmt, model = self._require_format(), self._model
        if self._to_model is None:
            return self._latency
        return -(-(model.window + model.delay) * fmt.rate // model.rate)

    def save_state(self) -> State:
        """A deep copy of the model's state, both converters and all FIFOs; exact at any rate."""
        return {
            "format": self._require_format(),
            "block": self._aligned_block,
            "model": self._model.get_state(),
            "converters": [c.get_state() for c in (self._to_model, self._to_device) if c is not None],
            "counts": (self._received, self._skip, self._silence.silent),
            "fifos": [self._pending.copy(), self._dry.copy(), self._gains.copy(), np.concatenate(self._ready)],
        }

    def restore_state(self, state: State) -> None:
        """Restore a copy of a state. Raises StemplayError if the state belongs to another model or format."""
        fmt = self._require_format()
        saved = state["format"]
        if (saved.rate, saved.channels, state["block"]) != (fmt.rate, fmt.channels, self._aligned_block):
            raise StemplayError("The saved state belongs to another stream format.")
        self._model.set_state(state["model"])
        converters = [c for c in (self._to_model, self._to_device) if c is not None]
        for converter, values in zip(converters, state["converters"], strict=True):
            converter.set_state(values)
        self._received, self._skip, self._silence.silent = state["counts"]
        self._pending, self._dry, self._gains, ready = (fifo.copy() for fifo in state["fifos"])
        self._ready = [ready]

    def _require_format(self) -> StreamFormat:
        if self._format is None:
            raise RuntimeError("Call prepare() first.")
        return self._format

    def _hold_back(self, block: int) -> int:
        """The largest number of frames inside after any call at the model's own rate, if each has a multiple of ``block`` frames.

        The number of frames in minus stems ready is periodic, and largest just before a frame of the model is complete. So one period
        of frames is examined. (With conversion a promised block size does not matter: ``framed_latency``.)
        """
        model = self._model
        settled = -(-(model.window + model.delay) // block) * block
        fed = settled + np.arange(0, math.lcm(block, model.hop), block, dtype=np.int64)
        frames = (fed - model.window) // model.hop + 1
        return int(np.max(fed - (frames * model.hop - model.delay)))


def to_device_channels(stems: Audio, channels: int) -> Audio:
    """Stems ``(frames, n_sources, n)`` with ``channels`` channels, by the rules of ``to_channels``."""
    frames, n_sources, have = stems.shape
    if have == channels:
        return stems
    return to_channels(stems.reshape(frames * n_sources, have), channels).reshape(frames, n_sources, channels)

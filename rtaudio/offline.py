"""Whole sounds and files through the same processors as live, at full speed. No thread is owned here.

Offline *is* streaming from the zero state, with the latency taken off at the end: stems are as long as the input and aligned
to the sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from rtaudio.format import Audio, StreamFormat
from rtaudio.processors.base import Processor
from rtaudio.processors.separator import SeparatorProcessor
from rtaudio.runtime import ModelRuntime

BLOCK = 16_384


def separate_array(
    mix: Audio, rate: int, model: str | Path | ModelRuntime | Processor, consistent: bool = True
) -> Audio:
    """Separate ``mix`` ``(frames, channels)`` at ``rate`` Hz into ``(frames, n_sources, channels)``.

    Args:
        model: name in the zoo, directory, a loaded runtime (reset first), or any processor.

    Raises:
        StemplayError: the model cannot be used, or rate or channels are impossible.
    """
    mix = np.asarray(mix, dtype=np.float32)
    mix = mix[:, None] if mix.ndim == 1 else mix
    processor = as_processor(model, consistent)
    processor.prepare(StreamFormat(rate, mix.shape[1], BLOCK))
    blocks = (mix[start : start + BLOCK] for start in range(0, len(mix), BLOCK))
    out = np.empty((len(mix), len(processor.outputs), mix.shape[1]), dtype=np.float32)
    written = 0
    for stems in aligned_stems(processor, blocks):
        out[written : written + len(stems)] = stems
        written += len(stems)
    return out


def aligned_stems(processor: Processor, blocks: Iterable[Audio]) -> Iterator[Audio]:
    """The stems of ``blocks`` with the latency taken off: in all as many frames as went in. The processor must be prepared."""
    skip = processor.latency
    for block in blocks:
        stems = processor.process(block)
        dropped = min(skip, len(stems))
        skip -= dropped
        yield stems[dropped:]
    yield processor.flush()[skip:]


def as_processor(model: str | Path | ModelRuntime | Processor, consistent: bool = True) -> Processor:
    """A processor for whatever names a model."""
    return model if isinstance(model, Processor) else SeparatorProcessor(model, consistent)

"""Non-causal networks in live use: overlapping chunks with a windowed cross-fade (RT-04).

A chunk starts every ``hop = chunk - overlap`` samples. Where two chunks overlap, one fades out while the next fades in with
weights that sum to 1, so that a model that changes nothing gives back its input. The latency is a whole
chunk, plus the time to compute it, for which ``InBackground`` adds another ``hop``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rtaudio.audio.format import SOURCES, Audio, StemplayError
from rtaudio.inference.runtime import ModelRuntime


class ChunkedModel:
    """A FrameModel (``rtaudio.processors.frame_model``) that applies a function to whole chunks.

    The first chunk starts at the first sample and does not fade in, so a sound of at most ``chunk - overlap`` samples is
    exactly what the function makes of it, padded with silence.

    Args:
        separate: ``(chunk, channels)`` -> ``(chunk, n_sources, channels)``, without memory.
        chunk, overlap: samples at ``rate``; ``0 <= overlap <= chunk / 2``.
    """

    def __init__(
        self,
        separate: Callable[[Audio], Audio],
        *,
        chunk: int,
        overlap: int,
        rate: int,
        channels: int = 2,
        outputs: tuple[str, ...] = SOURCES,
        name: str = "chunked",
        shares: tuple[float, ...] = (),
    ) -> None:
        if not 0 <= overlap <= chunk // 2:
            raise StemplayError(
                f"Chunks of {chunk} samples cannot overlap by {overlap}: at most half of a chunk is possible."
            )
        self.name, self.rate, self.channels, self.outputs = name, rate, channels, tuple(outputs)
        self.shares = shares
        self.hop, self.window, self.delay = chunk - overlap, chunk, 0
        self.overlap = overlap
        self._separate = separate
        self._fade_in = fade_in(overlap)[:, None, None]
        self._tail: Audio | None = None

    @classmethod
    def from_runtime(cls, runtime: ModelRuntime, overlap: int | None = None) -> ChunkedModel:
        """An exported model whose hop is its chunk and which has no states; a quarter of the chunk overlaps by default."""
        card = runtime.card
        if card.kind not in ("separator", "enhancer") or card.states:
            raise StemplayError(f"The model {card.name!r} is not a separator of whole chunks.")
        overlap = card.hop // 4 if overlap is None else overlap
        return cls(
            runtime.run,
            chunk=card.hop,
            overlap=overlap,
            rate=card.sample_rate,
            channels=card.channels,
            outputs=card.outputs,
            name=card.name,
            shares=card.shares,
        )

    def run(self, mix: Audio) -> Audio:
        """Process one chunk; return the ``hop`` samples that no later chunk changes."""
        stems = self._separate(mix)
        out = stems[: self.hop].copy()
        if self._tail is not None:
            out[: self.overlap] = out[: self.overlap] * self._fade_in + self._tail * (1 - self._fade_in)
        self._tail = stems[self.hop :].copy()
        return out

    def reset(self) -> None:
        """Forget the previous chunk."""
        self._tail = None

    def get_state(self) -> dict[str, Any]:
        """A deep copy of the previous chunk's end."""
        return {"tail": None if self._tail is None else self._tail.copy()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what ``get_state`` returned."""
        tail = state["tail"]
        self._tail = None if tail is None else tail.copy()

    def warm_up(self) -> None:
        """One chunk of silence; nothing is remembered of it."""
        self._separate(np.zeros((self.window, self.channels), dtype=np.float32))


def fade_in(overlap: int) -> Audio:
    """Weights ``(overlap,)`` of the newer chunk, rising as a squared sine; the older one has 1 minus them."""
    angle = (np.arange(overlap) + 0.5) * (np.pi / 2 / max(overlap, 1))
    weights: Audio = (np.sin(angle) ** 2).astype(np.float32)
    return weights

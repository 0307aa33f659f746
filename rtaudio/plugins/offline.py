"""Inserts on whole sounds: their latency is removed, and a failure is an error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins.chain import Chain
from rtaudio.plugins.registry import load_insert
from rtaudio.plugins.slot import Slot
from rtaudio.protocol.settings import InsertState

BLOCK = 1024
"""Frames of one call: a size that is usual for plugins."""


class OfflineInserts:
    """A chain of inserts for a sound that arrives in pieces.

    Args:
        inserts: in order. ``rate``: Hz. ``channels``: of the sound.

    Raises:
        StemplayError: a plugin cannot be loaded or does not work in this format.
    """

    def __init__(self, inserts: Sequence[InsertState], rate: int, channels: int) -> None:
        self._channels = channels
        self._chain = Chain(rate, BLOCK, channels)
        slots: list[Slot] = []
        try:
            for state in inserts:
                plugin = load_insert(state, rate, BLOCK, channels, realtime=False)
                slots.append(Slot(plugin, state.key, rate, BLOCK, channels, state.bypass))
        except Exception:
            _close(slots)
            raise
        self._skip = self.latency = sum(slot.latency for slot in slots)
        self._chain.plan(tuple(slots), self.latency)
        self._chain.jump()

    @property
    def tail_s(self) -> float:
        """Seconds that may still sound after the end."""
        return sum(slot.plugin.tail_s for slot in self._chain.slots if not slot.bypass)

    def process(self, audio: Audio) -> Audio:
        """Process the next piece ``(frames, channels)`` by all plugins. The first ``latency`` frames of the output are left out.

        Raises StemplayError if a plugin fails.
        """
        out = np.array(audio, np.float32, order="C")
        for start in range(0, len(out), BLOCK):
            self._chain.process(out[start : start + BLOCK])
        for slot in self._chain.slots:
            if slot.failure or slot.plugin.trouble:
                raise StemplayError(slot.failure or slot.plugin.trouble)
        dropped = min(self._skip, len(out))
        self._skip -= dropped
        return out[dropped:]

    def flush(self) -> Audio:
        """The remaining output, with which the output is as long as the input."""
        return self.process(np.zeros((self.latency, self._channels), np.float32))

    def close(self) -> None:
        """Close the plugins."""
        _close(self._chain.slots)

    def __enter__(self) -> OfflineInserts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _close(slots: Sequence[Slot]) -> None:
    for slot in slots:
        slot.plugin.close()


def apply_inserts(audio: Audio, rate: int, inserts: Sequence[InsertState]) -> Audio:
    """``audio`` ``(frames, channels)`` processed by ``inserts``, with the same length and timing. Raises StemplayError as above."""
    with OfflineInserts(inserts, rate, audio.shape[1]) as chain:
        return np.concatenate([chain.process(audio), chain.flush()])

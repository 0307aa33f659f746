"""A song from one of its frames on, at another tempo, computed ahead of where it is heard.

A ``Voice`` reads the song through a player of its own, so that loops, their fades and the end are those of ``song_player``, and gives what
it reads to a stretcher. Each stretched frame keeps its place in the song. One thread at a time may call ``fill``, and one ``take``.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import Audio
from rtaudio.audio.stretch import PIECE, Stretcher

CAPACITY = 1 << 16
"""Frames that a voice can hold; a power of two, so that places in the ring are a mask."""


END_FADE = np.float32(128)
"""Frames at the song's end that fade out."""


class Reader(Protocol):
    """What a voice asks of the player that reads the song for it."""

    samples: Audio
    length: int
    finished: bool
    block_start: int

    def read_into(self, out: Audio) -> None:
        """Fill ``out`` with the next frames."""

    @property
    def loop(self) -> tuple[int, int] | None:
        """First frame of the loop and the first frame after it, or None."""


@dataclass
class _Fed:
    """A piece of the song in the stretcher: where its sound begins and ends in the output, and its frames' places in the song."""

    start: float
    end: float
    places: npt.NDArray[np.float64]


class Voice:
    """See the module's text.

    Args:
        reader: stands at ``frame`` and plays. ``rate``: Hz.
        speed: the tempo as a ratio.

    Attributes:
        frame: the first one.
    """

    def __init__(self, reader: Reader, frame: int, rate: int, speed: float) -> None:
        self._reader, self.frame, self.rate = reader, frame, rate
        width = reader.samples.shape[1]
        self._stretcher = Stretcher(rate, width, speed, quick=width > 2)
        self._ring = np.zeros((CAPACITY, width), np.float32)
        self._places = np.zeros(CAPACITY, np.float64)
        self._piece = np.zeros((PIECE, width), np.float32)
        self._fed: deque[_Fed] = deque()
        self._nominal = 0.0  # output frames of all that was fed
        self._written = self._read = 0
        self._end: int | None = None  # output frames in all, once the song's end was fed
        self._stretcher.begin(reader.samples[max(0, frame - self._stretcher.pad) : frame])

    @property
    def speed(self) -> float:
        """The tempo as a ratio."""
        return self._stretcher.speed

    @property
    def ready(self) -> int:
        """Frames that can be taken."""
        return self._written - self._read

    @property
    def finished(self) -> bool:
        """Whether everything up to the song's end was taken."""
        return self._end is not None and self._read >= self._end

    @property
    def place(self) -> int:
        """The song's frame that is heard next."""
        if not self.ready:
            return self._reader.length if self.finished else self._last
        return min(round(float(self._places[self._read & (CAPACITY - 1)])), self._reader.length)

    _last = 0

    def spans(self, count: int) -> list[tuple[int, int, int, int]]:
        """Where the next ``count`` ready frames are in the song, as in ``FilePlayer.places``: one span, or two around a loop's seam."""
        count = min(count, self.ready)
        if not count:
            return []
        places = self._places[(self._read + np.arange(count)) & (CAPACITY - 1)]
        edges = [0, *(np.flatnonzero(np.diff(places) < 0) + 1).tolist(), count]
        found = []
        for first, stop in pairwise(edges):
            end = float(places[stop - 1]) + self.speed
            if stop == count and self.ready > count:  # exactly where the next block begins
                following = float(self._places[(self._read + count) & (CAPACITY - 1)])
                end = following if following >= places[stop - 1] else end
            found.append((first, stop - first, math.ceil(places[first]), math.ceil(end)))
        return found

    # -- who computes -----------------------------------------------------------------------------------------------------

    def fill(self, ahead: int, speed: Callable[[], float] | float) -> None:
        """Compute until ``ahead`` frames are ready, or the song's end is. ``speed``: the tempo wanted, asked before each piece."""
        while self.ready < min(ahead, CAPACITY - 8 * PIECE) and (self._end is None or self._written < self._end):
            self._stretcher.speed = speed() if callable(speed) else speed
            self._feed()

    def _feed(self) -> None:
        reader, piece = self._reader, self._piece
        reader.read_into(piece)
        places = self._where(reader.block_start)
        count = len(places)
        end = self._nominal + count / self._stretcher.speed
        if count:
            self._fed.append(_Fed(self._nominal, end, places))
            self._nominal = end
        if reader.finished and self._end is None:
            self._end = round(self._nominal)
        self._keep(self._stretcher.feed(piece))

    def _where(self, first: int) -> npt.NDArray[np.float64]:
        """Places of the frames read last: they run on, back into a loop, up to the song's end."""
        places = first + np.arange(PIECE, dtype=np.float64)
        loop = self._reader.loop
        if loop is not None and first < loop[1]:
            over = places >= loop[1]
            places[over] = loop[0] + (places[over] - loop[1]) % (loop[1] - loop[0])
            return places
        if self._end is not None:
            return places[:0]
        return places[places < self._reader.length]

    def _keep(self, audio: Audio) -> None:
        if self._end is not None:
            audio = audio[: max(0, self._end - self._written)]
            left = self._end - self._written - np.arange(len(audio), dtype=np.float32)[:, None]
            audio = audio * np.minimum(1.0, left / END_FADE)  # the stretcher spreads the end beyond the end
        count = len(audio)
        at = (self._written + np.arange(count)) & (CAPACITY - 1)
        self._ring[at] = audio
        self._places[at] = self._placed(count)
        self._written += count  # last: the other thread reads up to here

    def _placed(self, count: int) -> npt.NDArray[np.float64]:
        """Places in the song of the next ``count`` output frames."""
        out = np.full(count, float(self._reader.length))
        done = 0
        while done < count and self._fed:
            fed, at = self._fed[0], self._written + done
            stop = min(count, done + max(0, int(np.ceil(fed.end)) - at))
            if stop > done:
                steps = (np.arange(at, at + stop - done) - fed.start) * (len(fed.places) / (fed.end - fed.start))
                out[done:stop] = fed.places[np.clip(steps.astype(np.int64), 0, len(fed.places) - 1)]
                done = stop
            if done < count:
                self._fed.popleft()
        return out

    # -- who plays --------------------------------------------------------------------------------------------------------

    def take(self, out: Audio) -> int:
        """Fill the beginning of ``out`` with what is ready; returns its frames. It never waits."""
        count = min(len(out), self.ready)
        self.copy(out[:count])
        if count:
            self._last = self.place
            self._read += count
        return count

    def copy(self, out: Audio) -> int:
        """As ``take``, without moving on."""
        count = min(len(out), self.ready)
        start = self._read & (CAPACITY - 1)
        first = min(count, CAPACITY - start)
        out[:first] = self._ring[start : start + first]
        out[first:count] = self._ring[: count - first]
        return count

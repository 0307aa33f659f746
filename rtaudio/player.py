"""A song as a source of sound: play, pause, seek and loop with positions exact to the sample.

The whole song is decoded and converted to the device's rate when it is loaded (float32: 21 MB a minute for stereo at
44.1 kHz). Up to ``MEMORY_LIMIT`` bytes it lives in memory; a longer one lives in a temporary file mapped into memory, of which
a thread named ``stemplay-prefetch`` touches the next seconds before the callback needs them.

Every change is a fade of ``FADE_S`` (raised cosine), and none moves the timeline:

- **pause** plays on while it fades, then stands; **play** fades in from there. Frame 0 is never faded: a song starts as it is.
- **seek** takes effect at the first block boundary: that block's first sample is the sought frame, over which the old place
  fades out (or not: ``fade=False`` makes the samples exactly those of the song, for a caller that cross-fades later).
- **loop** A-B goes from frame B - 1 to frame A; before B the song fades into what precedes A, so that from A on the
  samples are the song's. Looping the whole song (A = 0) joins end and start unfaded. Beyond B the song plays on, and its end
  leads to A.

Threads: ``read_into`` belongs to the audio callback; it waits for nobody. The other methods belong to one control thread.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from rtaudio.audiofile import Reader, open_reader
from rtaudio.format import Audio, StemplayError, to_channels
from rtaudio.messages import Transport

FADE_S = 0.005
MEMORY_LIMIT = 1 << 29
"""Bytes up to which a decoded song is kept in memory (24 minutes of stereo at 44.1 kHz... 512 MiB)."""


@dataclass(frozen=True, eq=False)
class Switch:
    """A seek as the callback carries it out: the block that shows it begins with ``frame`` of the song.

    ``payload`` is whatever the seeker wants handed over at that very block, such as a prepared processor.
    """

    frame: int
    fade: bool = True
    payload: Any = None


@dataclass(frozen=True, eq=False)
class _Loop:
    start: int
    end: int


class FilePlayer:
    """A decoded song with a transport.

    Args:
        path: sound file.
        rate: Hz of the samples wanted.
        channels: wanted; mono is copied to all, see ``to_channels``.
        loop: play the whole song again and again.
        playing: start playing with the first block, or wait for ``play``.
        progress: called while loading with the share done, 0 to 1 (at most a hundred times).
    """

    def __init__(
        self,
        path: str | Path,
        rate: int,
        channels: int,
        loop: bool = False,
        *,
        playing: bool = True,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        samples = load_song(path, rate, channels, progress)
        self._set_up(samples, rate, str(path), loop, playing)

    @classmethod
    def from_samples(cls, samples: Audio, rate: int, loop: bool = False, *, playing: bool = True) -> FilePlayer:
        """A player of ``samples`` ``(frames, channels)`` that are already at ``rate``."""
        player = cls.__new__(cls)
        player._set_up(np.ascontiguousarray(samples, np.float32), rate, "", loop, playing)
        return player

    def _set_up(self, samples: Audio, rate: int, path: str, loop: bool, playing: bool) -> None:
        if not len(samples):
            raise StemplayError(f"{path or 'The song'} holds no sound.")
        self.samples, self.rate, self.path = samples, rate, path
        self.channels, self.length = samples.shape[1], len(samples)
        self._fade = max(1, round(FADE_S * rate))
        # Row k of the envelope is the gain k samples after silence: 0 at row 0, 1 at row `fade`.
        curve = np.sin(np.linspace(0.0, np.pi / 2, self._fade + 1)) ** 2
        curve[-1] = 1.0
        self._envelope = curve.astype(np.float32)[:, None]
        self._work = np.zeros((self._fade, self.channels), np.float32)
        self._playing = playing
        self._loop = _Loop(0, self.length) if loop else None
        self._pending = self._taken = Switch(0)
        self._position = 0
        self._level = self._fade if playing else 0
        self._tail_position = self._tail_left = 0
        self.finished = False
        self.switched: Switch | None = None
        self.block_start = 0

    # -- control thread -----------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Play from where it stands; from the start when the song has ended."""
        if self.finished:
            self.seek(0)
        self._playing = True

    def pause(self) -> None:
        """Fade out and stand still."""
        self._playing = False

    def seek(self, frame: int, fade: bool = True, payload: Any = None) -> Switch:
        """Go to ``frame`` (moved into the song) at the next block boundary; a later seek replaces one not yet carried out.

        A seek that meets the fade of the one before waits for its end, at most ``FADE_S``.
        """
        switch = Switch(min(max(0, int(frame)), self.length), fade, payload)
        self._pending = switch
        return switch

    seek_at_next_block = seek

    def set_loop(self, a: int | None, b: int | None) -> None:
        """Loop from frame ``a`` to just before frame ``b``; one None means the song's start or end, both end the loop.

        Raises StemplayError when less than two fades lie between them.
        """
        if a is None and b is None:
            self._loop = None
            return
        start, end = max(0, a or 0), min(self.length, self.length if b is None else b)
        shortest = min(2 * self._fade, self.length)
        if end - start < shortest:
            raise StemplayError(f"A loop must be at least {1000 * shortest / self.rate:.0f} ms long and end after it starts.")
        self._loop = _Loop(start, end)

    @property
    def playing(self) -> bool:
        """Whether the song moves (or will with the next block)."""
        return self._playing and not (self.finished and self._pending is self._taken)

    @property
    def position(self) -> int:
        """The frame that plays next."""
        pending = self._pending
        return self._position if pending is self._taken else pending.frame

    def transport(self) -> Transport:
        """The state for a snapshot. ``analysed_s`` is somebody else's to fill in."""
        loop = self._loop
        region = None if loop is None else (loop.start / self.rate, loop.end / self.rate)
        return Transport(self.path, self.playing, self.position / self.rate, self.length / self.rate, region)

    def close(self) -> None:
        """Let go of the song."""

    # -- audio callback -----------------------------------------------------------------------------------------------

    def read_into(self, out: Audio) -> None:
        """Fill ``out`` ``(n, channels)`` with the next ``n`` frames, silence where paused or ended.

        Afterwards ``block_start`` is the song's frame of ``out[0]`` and ``switched`` the ``Switch`` that took effect with this
        block, else None.
        """
        self._take_seek()
        self.block_start = self._position
        done, n = 0, out.shape[0]
        while done < n:
            done += self._segment(out[done:])

    def _take_seek(self) -> None:
        self.switched = None
        switch = self._pending
        if switch is self._taken or (switch.fade and self._tail_left):
            return
        heard = self._level > 0 and not self.finished
        self._tail_position, self._tail_left = self._position, self._fade if switch.fade and heard else 0
        if not heard and self._playing:
            self._level = 0 if switch.frame else self._fade
        self._position, self._taken, self.switched = switch.frame, switch, switch
        self.finished = False

    def _segment(self, out: Audio) -> int:
        """Fill the beginning of ``out`` with one stretch that needs one kind of treatment; returns its length."""
        playing = self._playing
        if playing and self._level == 0 and self._position == 0:
            self._level = self._fade
        loop, position = self._loop, self._position
        end = self.length if loop is None or position >= loop.end else loop.end
        if position >= end:
            if loop is not None:
                self._position = loop.start
                return 0
            self.finished, self._tail_left = True, 0
            out[:] = 0.0
            return len(out)
        if not playing and self._level == 0:
            self._tail_left = 0
            out[:] = 0.0
            return len(out)
        n = min(len(out), end - position)
        moving = self._level < self._fade or not playing
        if moving:
            n = min(n, self._fade - self._level if playing else self._level)
        if self._tail_left:
            n = min(n, self._tail_left)
        join = end - self._fade if loop is not None and end == loop.end and loop.start else end
        if position < join:
            n = min(n, join - position)
        out = out[:n]
        np.copyto(out, self.samples[position : position + n])
        if position >= join and loop is not None:
            self._blend(out, loop.start - (end - position), position - join, new_over_old=True)
        if self._tail_left:
            self._blend(out, self._tail_position, self._fade - self._tail_left, new_over_old=False)
            self._tail_position += n
            self._tail_left -= n
        if moving:
            self._shape(out, playing)
        self._position = position + n
        return n

    def _shape(self, out: Audio, rising: bool) -> None:
        """Apply the play/pause level, which moves one step a sample."""
        n, level = len(out), self._level
        if rising:
            np.multiply(out, self._envelope[level : level + n], out=out)
            self._level = level + n
        else:
            np.multiply(out, self._envelope[level : level - n if level > n else None : -1][:n], out=out)
            self._level = level - n

    def _blend(self, out: Audio, other: int, step: int, new_over_old: bool) -> None:
        """Cross-fade ``out`` with the song from frame ``other`` on, ``step`` samples into the fade.

        ``new_over_old``: ``out`` fades away into the other; else ``out`` fades in over the other.
        """
        n = len(out)
        rising, falling = self._envelope[step : step + n], self._envelope[self._fade - step : self._fade - step - n : -1]
        if step + n > self._fade:
            falling = self._envelope[self._fade - step :: -1][:n]
        work = self._work[:n]
        np.multiply(out, falling if new_over_old else rising, out=out)
        first, last = max(0, other), min(self.length, other + n)
        if last <= first:
            return
        part = slice(first - other, last - other)
        np.multiply(self.samples[first:last], (rising if new_over_old else falling)[part], out=work[part])
        np.add(out[part], work[part], out=out[part])


def load_song(
    path: str | Path, rate: int, channels: int, progress: Callable[[float], None] | None = None
) -> Audio:
    """Decode ``path`` and convert it to ``rate`` and ``channels``: float32 ``(frames, channels)``.

    Raises StemplayError for a file that is no sound.
    """
    with open_reader(path) as reader:
        blocks = list(_converted(reader, rate, channels))
    if not blocks:
        raise StemplayError(f"{path} holds no sound.")
    return np.concatenate(blocks)


def _converted(reader: Reader, rate: int, channels: int):
    resampler = soxr.ResampleStream(reader.rate, rate, channels, "float32") if reader.rate != rate else None
    for block in reader.blocks():
        block = to_channels(block, channels)
        yield resampler.resample_chunk(block) if resampler else block
    if resampler:
        yield resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True)

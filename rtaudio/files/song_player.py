"""A song as a source of sound: play, pause, seek and loop with positions exact to the sample.

The whole song is decoded and converted to the device's rate when it is loaded (``rtaudio/files/song.py`` says what memory that takes).

Every change is a fade of ``FADE_S`` (raised cosine), and none moves the timeline:

- **pause** plays on while it fades, then stands; **play** fades in from there. Frame 0 is never faded: a song starts as it is.
- **seek** takes effect at the first block boundary: that block's first sample is the sought frame, over which the old place
  fades out (or not: ``fade=False`` makes the samples exactly those of the song, for a caller that cross-fades later).
- **loop** A-B goes from frame B - 1 to frame A; before B the song fades into what precedes A, so that from A on the
  samples are the song's. Looping the whole song joins end and start unfaded. Whoever seeks to beyond B hears the song play
  on, and its end leads to A.
- At the **end** the song stands (``finished``) until a seek, from which it plays on, or ``play``, which starts it again.

Threads: ``read_into`` belongs to the audio callback; it waits for nobody. The other methods belong to one control thread. For a
song in a temporary file a thread named ``stemplay-prefetch`` keeps what plays next in the system's cache; it may wait for the
disk, and so may ``seek`` then.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.files.song import Song, load_song
from rtaudio.files.sound_file import Progress
from rtaudio.protocol.messages import Transport

FADE_S = 0.005

PREFETCH_S = 10.0
"""How far ahead of the playing position a song in a file is kept in the cache."""


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
        progress: called while loading with the share done, 0 to 1, about a hundred times at most.
    """

    def __init__(
        self,
        path: str | Path,
        rate: int,
        channels: int,
        loop: bool = False,
        *,
        playing: bool = True,
        progress: Progress | None = None,
    ) -> None:
        self._set_up(load_song(path, rate, channels, progress), rate, str(path), loop, playing)

    @classmethod
    def from_samples(cls, samples: Audio, rate: int, loop: bool = False, *, playing: bool = True) -> FilePlayer:
        """A player of ``samples`` ``(frames, channels)`` that are already at ``rate``."""
        player = cls.__new__(cls)
        player._set_up(Song(np.ascontiguousarray(samples, np.float32)), rate, "", loop, playing)
        return player

    def _set_up(self, song: Song, rate: int, path: str, loop: bool, playing: bool) -> None:
        if not len(song.samples):
            raise StemplayError(f"{path or 'The song'} holds no sound.")
        self._song, self.samples, self.rate, self.path, self.warnings = song, song.samples, rate, path, song.warnings
        self.length, self.channels = song.samples.shape
        self._fade = max(1, round(FADE_S * rate))
        # Row k is the gain k samples after silence: 0 at row 0, 1 at row `fade`.
        curve = np.sin(np.linspace(0.0, np.pi / 2, self._fade + 1)) ** 2
        curve[-1] = 1.0
        self._rising = curve.astype(np.float32)[:, None]
        self._falling = self._rising[::-1].copy()
        self._work = np.zeros((self._fade, self.channels), np.float32)
        self._playing = playing
        self._loop = self._active = _Loop(0, self.length) if loop else None  # wanted; obeyed by the callback
        self._pending = self._taken = Switch(0)
        self._position = 0
        self._level = self._fade if playing else 0
        self._tail_position = self._tail_left = 0
        self.finished = False
        self.switched: Switch | None = None
        self.block_start = 0
        self._closing = threading.Event()
        self._prefetcher: threading.Thread | None = None
        if song.on_disk:
            song.prefetch(0, round(PREFETCH_S * rate))
            self._prefetcher = threading.Thread(target=self._prefetch, name="stemplay-prefetch", daemon=True)
            self._prefetcher.start()

    # -- control thread -----------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Play from where it stands; from the start when the song has ended."""
        if self.finished and self._pending is self._taken:
            self.seek(0)
        self._playing = True

    def pause(self) -> None:
        """Fade out and stand still."""
        self._playing = False

    def seek(self, frame: int, fade: bool = True, payload: Any = None) -> Switch:
        """Go to ``frame`` (moved into the song) at the next block boundary; a later seek replaces one not yet carried out.

        A seek that meets the fade of the one before, or a loop's, waits for its end: at most ``FADE_S``.
        """
        switch = Switch(min(max(0, int(frame)), self.length), fade, payload)
        self._song.prefetch(switch.frame, switch.frame + self.rate)
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
        if start >= self.length:
            raise StemplayError(
                f"The loop starts at {start / self.rate:.2f} s, but the song ends at {self.length / self.rate:.2f} s."
            )
        shortest = min(2 * self._fade, self.length)
        if end - start < shortest:
            raise StemplayError(
                f"A loop must be at least {1000 * shortest / self.rate:.0f} ms long and end after it starts."
            )
        self._song.prefetch(start - self._fade, start + self.rate)
        self._loop = _Loop(start, end)

    @property
    def loop(self) -> tuple[int, int] | None:
        """First frame of the loop and the first behind it."""
        loop = self._loop
        return None if loop is None else (loop.start, loop.end)

    @property
    def fade(self) -> int:
        """Frames of a fade; a loop that changes within its last one is obeyed too late for it."""
        return self._fade

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
        return Transport(
            self.path, self.playing, self.position / self.rate, self.length / self.rate, region, warnings=self.warnings
        )

    def close(self) -> None:
        """End the thread and let go of the song; nobody may read any more."""
        self._closing.set()
        if self._prefetcher is not None:
            self._prefetcher.join()
        self._song.close()

    def _prefetch(self) -> None:
        """The thread."""
        ahead = round(PREFETCH_S * self.rate)
        while not self._closing.wait(0.5):
            position, loop = self.position, self._loop
            self._song.prefetch(position, position + ahead)
            if loop is not None and position < loop.end < position + ahead:
                self._song.prefetch(loop.start - self._fade, loop.start + ahead)

    # -- audio callback -----------------------------------------------------------------------------------------------

    def read_into(self, out: Audio) -> None:
        """Fill ``out`` ``(n, channels)`` with the next ``n`` frames, silence where paused or ended.

        Afterwards ``block_start`` is the song's frame of ``out[0]`` and ``switched`` the ``Switch`` that took effect with this
        block, else None.
        """
        self._take_loop()
        self._take_seek()
        self.block_start = self._position
        done, n = 0, out.shape[0]
        while done < n:
            done += self._segment(out[done:])

    def _take_seek(self) -> None:
        self.switched = None
        switch = self._pending
        heard = self._level > 0 and (not self.finished or self._tail_left > 0)
        if switch is self._taken or (switch.fade and heard and (self._tail_left or self._at_seam(self._active))):
            return
        self._tail_position, self._tail_left = self._position, self._fade if switch.fade and heard else 0
        if not heard:
            self._level = self._fade if self._playing and switch.frame == 0 else 0
        self._position, self._taken, self.switched = switch.frame, switch, switch
        if switch.frame == self.length and self._active is not None:
            self._position = self._active.start
        self.finished = False

    def _take_loop(self) -> None:
        """A loop that changes in the middle of a fade is obeyed after it."""
        wanted = self._loop
        if wanted is not self._active and not (self._level and (self._at_seam(self._active) or self._at_seam(wanted))):
            self._active = wanted

    def _restart(self, loop: _Loop) -> None:
        """From the song's end to a loop that ended before, once nothing of the old place sounds: fade in, as nothing leads there."""
        self._position, self.finished = loop.start, False
        if loop.start:
            self._tail_position, self._tail_left = self.length, self._fade

    def _seam(self, loop: _Loop) -> int:
        """The frame from which a loop's end fades into its beginning."""
        return loop.end if loop.start == 0 and loop.end == self.length else loop.end - self._fade

    def _at_seam(self, loop: _Loop | None) -> bool:
        return loop is not None and self._seam(loop) <= self._position < loop.end

    def _segment(self, out: Audio) -> int:
        """Fill the beginning of ``out`` with one stretch that needs one kind of treatment; returns its length."""
        playing = self._playing
        if playing and self._level == 0 and self._position == 0:
            self._level = self._fade
        if not playing and self._level == 0:
            self._tail_left = 0
        self._take_loop()
        loop, position = self._active, self._position
        if position >= self.length:
            if loop is not None and not self._tail_left:
                self._restart(loop)
                return 0
            self.finished = True
        ended = self.finished and position >= self.length
        if (ended and not self._tail_left) or (not playing and self._level == 0):
            out[:] = 0.0
            return len(out)
        end = loop.end if loop is not None and position < loop.end else self.length
        seam = self._seam(loop) if loop is not None and end == loop.end else end
        out = out[: self._stretch(len(out), end, seam, ended, playing)]
        n = len(out)
        if ended:
            out[:] = 0.0
        else:
            np.copyto(out, self.samples[position : position + n])
        if seam <= position < end and loop is not None:
            self._blend(out, loop.start - (end - position), position - seam, new_over_old=True)
        if self._tail_left:
            self._blend(out, self._tail_position, self._fade - self._tail_left, new_over_old=False)
            self._tail_position += n
            self._tail_left -= n
        if self._level < self._fade or not playing:
            self._shape(out, playing)
        if not ended:
            self._advance(position + n, loop)
        return n

    def _stretch(self, n: int, end: int, seam: int, ended: bool, playing: bool) -> int:
        """How many of ``n`` frames, from the present position on, need one kind of treatment."""
        if not ended:
            n = min(n, (seam if self._position < seam else end) - self._position)
        if self._tail_left:
            n = min(n, self._tail_left)
        if not playing:
            return min(n, self._level)
        return min(n, self._fade - self._level) if self._level < self._fade else n

    def _advance(self, position: int, loop: _Loop | None) -> None:
        self._position = position
        if loop is not None and position == loop.end:
            self._position = loop.start
        elif position == self.length:
            if loop is None:
                self.finished = True
            elif not self._tail_left:
                self._restart(loop)

    def _shape(self, out: Audio, rising: bool) -> None:
        """Apply the play/pause level, which moves one step a sample."""
        n, level = len(out), self._level
        if rising:
            np.multiply(out, self._rising[level : level + n], out=out)
            self._level = level + n
        else:
            first = self._fade - level
            np.multiply(out, self._falling[first : first + n], out=out)
            self._level = level - n

    def _blend(self, out: Audio, other: int, step: int, new_over_old: bool) -> None:
        """Cross-fade ``out`` with the song from frame ``other`` on, ``step`` samples into the fade.

        ``new_over_old``: ``out`` fades away into the other; else ``out`` fades in over the other.
        """
        n = len(out)
        rising, falling = self._rising[step : step + n], self._falling[step : step + n]
        work = self._work[:n]
        np.multiply(out, falling if new_over_old else rising, out=out)
        first, last = max(0, other), min(self.length, other + n)
        if last <= first:
            return
        part = slice(first - other, last - other)
        np.multiply(self.samples[first:last], (rising if new_over_old else falling)[part], out=work[part])
        np.add(out[part], work[part], out=out[part])

"""Plays a song as a source of sound: play, pause, seek and loop, exact to the sample.

The whole song is decoded and converted to the device's rate when it is loaded (``rtaudio/files/song.py`` says what memory that takes).

Every change is a fade of ``FADE_S`` (raised cosine). No fade shifts positions:

- **pause** fades out while the song plays on, then stops; **play** fades in from there. Frame 0 is never faded.
- **seek** takes effect at the next block boundary: that block's first sample is the requested frame, and the old position fades out
  over it. With ``fade=False`` the samples are exactly those of the song, for a caller that cross-fades later.
- **loop** A-B goes from frame B - 1 to frame A; before B the song fades into what precedes A, so that from A on the
  samples are the song's. Looping the whole song joins end and start without a fade. After a seek beyond B the song plays to its
  end and then continues at A.
- At the **end** the song stops (``finished``). A seek continues it from there, and ``play`` starts it from the beginning.

Threads: ``read_into`` belongs to the audio callback and never waits. The other methods belong to one control thread. For a
song in a temporary file the thread ``stemplay-prefetch`` keeps the next seconds in the system's cache. It may wait for the disk, and so may
``seek`` of such a song.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.files.song import Song, load_song, load_stems
from rtaudio.files.sound_file import Progress
from rtaudio.protocol.reports import Transport

FADE_S = 0.005

PREFETCH_S = 10.0
"""Seconds ahead of the playing position that are kept in the cache, for a song in a file."""


@dataclass(frozen=True, eq=False)
class Switch:
    """A seek for the callback: the block in which it takes effect begins with ``frame`` of the song.

    ``payload`` is handed over in the same block, for example a prepared processor. ``voice``: what plays from there on at another tempo
    (``tempo_player.py``).
    """

    frame: int
    fade: bool = True
    payload: Any = None
    voice: Any = None


@dataclass(frozen=True, eq=False)
class _Loop:
    start: int
    end: int


class FilePlayer:
    """A decoded song with a transport.

    Args:
        path: sound file.
        rate: Hz of the samples wanted.
        channels: of the output; see ``to_channels``. Stems have two.
        own_stems: play the stems of a stem file, side by side: ``read_into`` takes ``(n, parts * channels)``.
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
        own_stems: bool = False,
        progress: Progress | None = None,
    ) -> None:
        song = load_stems(path, rate, progress) if own_stems else load_song(path, rate, channels, progress)
        self._set_up(song, rate, str(path), loop, playing)

    @classmethod
    def from_samples(cls, samples: Audio, rate: int, loop: bool = False, *, playing: bool = True) -> Self:
        """A player of ``samples`` ``(frames, channels)`` that are already at ``rate``."""
        player = cls.__new__(cls)
        player._set_up(Song(np.ascontiguousarray(samples, np.float32)), rate, "", loop, playing)
        return player

    def _set_up(self, song: Song, rate: int, path: str, loop: bool, playing: bool) -> None:
        if not len(song.samples):
            raise StemplayError(f"{path or 'The song'} contains no sound.")
        self._song, self.samples, self.rate, self.path, self.warnings = song, song.samples, rate, path, song.warnings
        self.length, width = song.samples.shape
        self.channels, self.labels = width // song.parts, song.labels
        self._fade = max(1, round(FADE_S * rate))
        # Row k is the gain k samples after silence: 0 at row 0, 1 at row `fade`.
        curve = np.sin(np.linspace(0.0, np.pi / 2, self._fade + 1)) ** 2
        curve[-1] = 1.0
        self._rising = curve.astype(np.float32)[:, None]
        self._falling = self._rising[::-1].copy()
        self._work = np.zeros((self._fade, width), np.float32)
        self._playing = playing
        self._loop = self._active = _Loop(0, self.length) if loop else None  # the requested loop, and the one that the callback uses
        self._pending = self._taken = Switch(0)
        self._position = 0
        self._level = self._fade if playing else 0
        self._tail_position = self._tail_left = 0
        self.finished = False
        self.switched: Switch | None = None
        self.block_start = 0
        self.places: list[tuple[int, int, int, int]] = []
        """Of the block read last: where it holds the song. First frame in the block, frames, first frame of the song and the one after."""
        self._closing = threading.Event()
        self._prefetcher: threading.Thread | None = None
        if song.on_disk:
            song.prefetch(0, round(PREFETCH_S * rate))
            self._prefetcher = threading.Thread(target=self._prefetch, name="stemplay-prefetch", daemon=True)
            self._prefetcher.start()

    # -- control thread -----------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Play from the present position, or from the start if the song has ended."""
        if self.finished and self._pending is self._taken:
            self.seek(0)
        self._playing = True

    def pause(self) -> None:
        """Fade out and stop at the present position."""
        self._playing = False

    def wait(self) -> None:
        """Before the first block: do not play, and do not fade out what has not been heard."""
        self._playing, self._level = False, 0

    def seek(self, frame: int, fade: bool = True, payload: Any = None) -> Switch:
        """Go to ``frame`` (clipped to the song) at the next block boundary. It replaces an earlier seek that has not taken effect yet.

        During the fade of the previous seek or of a loop it waits for the end of the fade, at most ``FADE_S``.
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
        """First frame of the loop and the first frame after it, or None."""
        loop = self._loop
        return None if loop is None else (loop.start, loop.end)

    @property
    def fade(self) -> int:
        """Frames of a fade. A change of the loop within its last fade takes effect too late for this pass."""
        return self._fade

    @property
    def slack(self) -> int:
        """Frames before a loop's end within which a change of the loop comes too late for this pass."""
        return self._fade

    @property
    def playing(self) -> bool:
        """Whether the song plays, or will from the next block on."""
        return self._playing and not (self.finished and self._pending is self._taken)

    @property
    def speed(self) -> float:
        """The tempo as a ratio; ``TempoPlayer`` has others."""
        return 1.0

    @property
    def position(self) -> int:
        """The frame that plays next."""
        pending = self._pending
        return self._position if pending is self._taken else pending.frame

    def transport(self) -> Transport:
        """The state for a snapshot. The caller fills in ``analysed_s``."""
        loop = self._loop
        region = None if loop is None else (loop.start / self.rate, loop.end / self.rate)
        return Transport(
            self.path, self.playing, self.position / self.rate, self.length / self.rate, region, warnings=self.warnings,
            titles={strip: label.name for strip, label in self.labels.items()},
            colours={strip: label.colour for strip, label in self.labels.items() if label.colour},
        )  # fmt: skip

    def close(self) -> None:
        """End the thread and release the song, which must not be read any more."""
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
        """Fill ``out``, ``(n, channels)`` or that of all stems, with the next ``n`` frames, or silence if the song is paused or has ended.

        Afterwards ``block_start`` is the song's frame of ``out[0]`` and ``switched`` the ``Switch`` that took effect with this
        block, else None.
        """
        self._take_loop()
        self._take_seek()
        self.block_start = self._position
        done, n = 0, out.shape[0]
        self.places.clear()
        while done < n:
            before = self._position
            frames = self._segment(out[done:])
            if self._position != before and frames:
                self.places.append((done, frames, before, before + frames))
            done += frames

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
        """Take over the requested loop, after the fade if one is under way."""
        wanted = self._loop
        if wanted is not self._active and not (self._level and (self._at_seam(self._active) or self._at_seam(wanted))):
            self._active = wanted

    def _restart(self, loop: _Loop) -> None:
        """Continue at the loop's start after the song's end, with a fade-in."""
        self._position, self.finished = loop.start, False
        if loop.start:
            self._tail_position, self._tail_left = self.length, self._fade

    def _seam(self, loop: _Loop) -> int:
        """The frame at which the cross-fade from a loop's end to its start begins."""
        return loop.end if loop.start == 0 and loop.end == self.length else loop.end - self._fade

    def _at_seam(self, loop: _Loop | None) -> bool:
        return loop is not None and self._seam(loop) <= self._position < loop.end

    def _segment(self, out: Audio) -> int:
        """Fill the beginning of ``out`` with one segment of uniform treatment; returns its length."""
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
        """The number of frames, up to ``n``, from the present position on that need the same treatment."""
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

        ``new_over_old``: ``out`` fades out and the other fades in; otherwise the reverse.
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

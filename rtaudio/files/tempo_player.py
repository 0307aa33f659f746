"""A song player with a tempo. At the song's own tempo it is ``FilePlayer``, to the bit and at no cost.

At another tempo the song comes from a *voice* (``stretched.py``), which the thread ``stemplay-stretch`` computes ``AHEAD_S`` before it is
heard, so a new tempo is heard that much later. A voice begins at a frame of the song:

- **from the song to a voice**, and to another one after a change of the loop: the thread prepares it for a place a little ahead. When the
song arrives there, one fades into the other (``CROSS_S``).
- **back to the song's own tempo**: the song goes on where the voice is, with the same fade.
- **seek**: the thread that asks prepares the voice, while the old position plays on.

Pause, play, positions and ``switched`` are those of ``FilePlayer``. If the thread is too late, the sound fades out, and in again.

With ``waits`` (a port at full speed) ``read_into`` computes everything itself, so that the result is the same on any machine.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.audio.stretch import require_stretcher
from rtaudio.files.song import Song
from rtaudio.files.song_player import FilePlayer, Switch
from rtaudio.files.stretched import Voice
from rtaudio.protocol.reports import Transport

AHEAD_S = 0.1
CROSS_S = 0.02
MARGIN_S = 0.15
"""Seconds of the song within which a voice must be ready; doubled when it was not."""
TICK_S = 0.005
SPREAD = 64
"""Frames over which a step is spread when the thread is late."""


class TempoPlayer(FilePlayer):
    """See the module's text. Arguments as for ``FilePlayer``.

    Attributes:
        waits: whether ``read_into`` may wait.
        late: blocks for which the thread was late.
    """

    def _set_up(self, song: Song, rate: int, path: str, loop: bool, playing: bool) -> None:
        self.waits, self.late, self._speed = False, 0, 1.0
        self._voice: Voice | None = None
        self._next: Voice | None = None
        self._lock = threading.Lock()  # between the threads that prepare voices; the callback takes it not
        self._version = 0  # of what a voice is prepared for
        self._stale = False  # whether the present voice must be replaced
        self._margin = MARGIN_S
        self._cross = max(1, round(CROSS_S * rate))
        self._old = np.zeros((self._cross, song.samples.shape[1]), np.float32)  # what fades out
        self._old_done = self._old_frames = 0
        self._edge = np.zeros(song.samples.shape[1], np.float32)
        self._begun = False  # whether the callback has read
        self._stretcher: threading.Thread | None = None
        self._stirred = threading.Event()
        super()._set_up(song, rate, path, loop, playing)

    # -- control thread -----------------------------------------------------------------------------------------------

    @property
    def speed(self) -> float:
        """The tempo as a ratio: 0.5 is half as fast."""
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Change the tempo. Raises StemplayError if that needs a package that is not installed."""
        if speed != 1.0:
            require_stretcher()
        with self._lock:
            self._speed = speed
            if speed == 1.0:
                self._version, self._next = self._version + 1, None
        if speed != 1.0 and not self.waits:
            if self._stretcher is None:
                self._stretcher = threading.Thread(target=self._stretch_ahead, name="stemplay-stretch", daemon=True)
                self._stretcher.start()
            self._stirred.set()
            if not self._begun:  # the song is to begin at this tempo
                self.seek(self.position, fade=False)

    def seek(self, frame: int, fade: bool = True, payload: Any = None) -> Switch:
        """As ``FilePlayer.seek``; at another tempo it takes some 20 ms of computing."""
        if self._speed == 1.0 or self.waits:
            return super().seek(frame, fade, payload)
        frame = min(max(0, int(frame)), self.length)
        self._song.prefetch(frame - self.rate, frame + self.rate)
        voice = self._make_voice(frame)
        with self._lock:
            self._version, self._next = self._version + 1, None
            self._pending = switch = Switch(frame, fade, payload, voice)
        return switch

    def set_loop(self, a: int | None, b: int | None) -> None:
        """As ``FilePlayer.set_loop``; at another tempo it takes effect ``slack`` later."""
        super().set_loop(a, b)
        with self._lock:
            self._version, self._next, self._stale = self._version + 1, None, True

    @property
    def slack(self) -> int:
        """Frames of the song before its end within which a new loop would come too late for this pass."""
        return super().slack if self._speed == 1.0 else round((2 * self._margin + AHEAD_S) * self.rate)

    def transport(self) -> Transport:
        transport = super().transport()
        transport.speed = self._speed
        return transport

    def close(self) -> None:
        self._closing.set()
        self._stirred.set()
        if self._stretcher is not None:
            self._stretcher.join()
        super().close()

    # -- voices -------------------------------------------------------------------------------------------------------

    def _make_voice(self, frame: int) -> Voice:
        """A voice that begins at ``frame``, with its first sound."""
        reader = FilePlayer.from_samples(self.samples, self.rate)
        reader._loop = reader._active = loop = self._loop
        if frame >= self.length and loop is not None:
            frame = loop.start
        reader.seek(frame, fade=False)
        voice = Voice(reader, frame, self.rate, self._speed)
        voice.fill(1 if self.waits else self._ahead, lambda: self._speed)
        return voice

    @property
    def _ahead(self) -> int:
        return max(round(AHEAD_S * self.rate), 3 * self._largest)

    _largest = 0  # block

    def _stretch_ahead(self) -> None:
        """The thread."""
        while not self._closing.is_set():
            voice = self._voice
            if voice is None and self._speed == 1.0:
                self._stirred.clear()
                if self._speed == 1.0 and not self._closing.is_set():
                    self._stirred.wait()
                continue
            if voice is not None:
                voice.fill(self._ahead, lambda: self._speed)
            if self._speed != 1.0 and self._next is None and (voice is None or self._stale):
                self._prepare()
            time.sleep(TICK_S)

    def _prepare(self) -> None:
        """Make the next voice, for a place that the song will reach when it is ready."""
        with self._lock:
            if self._pending is not self._taken:
                return
            version, self._stale = self._version, False
        started = time.monotonic()
        frame, loop = self._position, self._loop
        if self._playing:
            ahead = frame + round(self._margin * self.rate)
            if loop is not None and frame < loop.end <= ahead:
                ahead = loop.start + (ahead - loop.end) % (loop.end - loop.start)
            frame = min(ahead, self.length - 1)
        voice = self._make_voice(frame)
        self._margin = max(MARGIN_S, 3 * (time.monotonic() - started))
        with self._lock:
            if version == self._version and self._speed != 1.0:
                self._next = voice

    # -- audio callback -----------------------------------------------------------------------------------------------

    def read_into(self, out: Audio) -> None:
        """As ``FilePlayer.read_into``."""
        switch, coming = self._pending, self._next
        stretches = self.waits and self._speed != 1.0
        if self._voice is None and coming is None and switch.voice is None and not stretches and not self._old_frames:
            self._begun = True
            super().read_into(out)
            return
        self._largest = max(self._largest, len(out))
        self.places.clear()
        jumped = self._jump(switch) if switch is not self._taken and (self._voice or switch.voice) else None
        first, done = self._position, 0
        if stretches:
            self._keep_up(jumped is not None)
        elif coming is not None and coming is self._next:
            done = self._arrive(coming, out)
        elif self._voice is not None and self._speed == 1.0:
            self._exchange(None)
        self._begun = True
        rest = out[done:]
        self._fill(rest, done)
        self._cross_fade(rest)
        self.block_start = first if jumped is not None or self._voice is not None else self.block_start
        self.switched = jumped or self.switched

    def _fill(self, out: Audio, offset: int = 0) -> None:
        """Fill ``out``, which begins ``offset`` frames into the block."""
        if self._voice is None:
            before = list(self.places)
            super().read_into(out)
            self.places[:] = before + [(offset + at, *place) for at, *place in self.places]  # type: ignore[misc]
        else:
            self.switched = None
            self._sound(self._voice, out, offset)

    def _jump(self, switch: Switch) -> Switch:
        heard = self._level > 0 and not self.finished
        if switch.fade and heard:
            self._hold()
        if not heard:
            self._level = self._fade if self._playing and switch.frame == 0 else 0
        self._voice, self._position, self._taken = switch.voice, switch.frame, switch
        self._tail_left, self.finished = 0, False
        if switch.frame == self.length and self._active is not None:
            self._position = self._active.start
        return switch

    def _keep_up(self, jumped: bool) -> None:
        """At full speed: the voice that there should be. ``jumped``: what sounded before fades out already."""
        if self._pending is not self._taken or (self._voice is not None and not self._stale):
            return
        self._stale = False
        if jumped or not self._begun:
            self._voice = self._make_voice(self._position)
        else:
            self._exchange(self._make_voice(self._position))

    def _arrive(self, coming: Voice, out: Audio) -> int:
        """Begin ``coming`` if its place is in this block; returns the frames before it, which are filled."""
        away, loop = coming.frame - self._position, self._loop
        if away < 0 and loop is not None and self._position < loop.end:
            away += loop.end - loop.start
        steps = round(away / (self._voice.speed if self._voice is not None else 1.0))
        if away < 0 or away > 3 * self._margin * self.rate:
            self._next, self._stale = None, True  # the song is past it: another one
            return 0
        if steps >= len(out):
            return 0
        self._fill(out[:steps])
        self._cross_fade(out[:steps])
        self._exchange(coming)
        return steps

    def _exchange(self, voice: Voice | None) -> None:
        """Go on with ``voice`` from here, or with the song as it is."""
        self._hold()
        if voice is not None:
            self._position = voice.frame
        self._voice = voice
        if self._next is voice:
            self._next = None

    def _sound(self, voice: Voice, out: Audio, offset: int) -> None:
        """Fill ``out`` with the voice, faded by play and pause."""
        n, playing = len(out), self._playing
        if playing and self._level == 0 and self._position == 0:
            self._level = self._fade
        wanted = n if playing else min(n, self._level)
        if self.waits:
            voice.fill(wanted, lambda: self._speed)
        self.places.extend((offset + at, frames, start, end) for at, frames, start, end in voice.spans(wanted))
        count = voice.take(out[:wanted])
        out[count:] = 0.0
        fading = min(count, self._fade - self._level if playing else self._level)
        if fading:
            self._shape(out[:fading], playing)
        if count < wanted and not voice.finished:
            self._starve(out, count)
        elif n:
            self._edge[:] = out[-1]
        if wanted:
            self._position = voice.place
            self.finished = voice.finished

    def _starve(self, out: Audio, count: int) -> None:
        self.late += 1
        self._level = 0
        spread = min(SPREAD, len(out) - count)
        edge = out[count - 1] if count else self._edge
        out[count : count + spread] = edge * np.linspace(1.0, 0.0, spread + 1, dtype=np.float32)[1:, None]
        self._edge[:] = out[-1]

    def _hold(self) -> None:
        """Keep the next frames of what sounds now, fading out."""
        self._old_done = self._old_frames = 0
        if self._level == 0 or self.finished:
            return
        if self._voice is not None:
            count = self._voice.copy(self._old)
        else:
            count = min(self._cross, self.length - self._position)
            self._old[:count] = self.samples[self._position : self._position + count]
        gain = np.cos(np.linspace(0.0, np.pi / 2, count + 2, dtype=np.float32)[1:-1]) ** 2
        self._old[:count] *= gain[:, None] * self._rising[self._level]
        self._old_frames = count

    def _cross_fade(self, out: Audio) -> None:
        """Let what sounded before fade into ``out``."""
        n, done, total = min(len(out), self._old_frames - self._old_done), self._old_done, self._old_frames
        if n <= 0:
            self._old_frames = 0
            return
        angle = np.linspace(0.0, np.pi / 2, total + 2, dtype=np.float32)[1 + done : 1 + done + n]
        out[:n] *= np.sin(angle)[:, None] ** 2
        out[:n] += self._old[done : done + n]
        self._old_done += n

"""The click and the count-in: short sounds at the beats, past the mixer, so that the stems keep summing to the mix.

The click is added to what is heard, after master and limiter, with its own level and its own switch. Recordings have none of it.

- **A song** whose beats are known (``set_beats``) clicks at them: at the very sample at which the beat is heard, through seeks and
  loops. Each block that is read from the song schedules the beats that are in it, for when the pipeline will have played it.
- **Link**: where a Link session gives the beat, the click follows its beats instead, while the song plays.
- **A live input** clicks at the tempo that is set.
- **Count-in**: before a song starts, some bars of clicks at the tempo of the place where it starts. It starts at the sample at which
  the next click would be. With Link it starts so that its bar is heard on the session's bar.

Threads: ``take``, ``render`` and ``clear`` belong to the audio callback and never wait. The others belong to the control threads; what they
set is replaced as a whole.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import Audio
from rtaudio.audio.tempo import Tempo

LENGTH_S, DECAY_S = 0.040, 0.007
ACCENT_HZ, BEAT_HZ = 1568.0, 1046.5
GAINS = {True: 0.9, False: 0.6}
LATE_S = 0.005
"""A click that is due so much too early is played at once, after a change of the delay; an older one is left out."""
RAMP_S = 0.010
GENTLE, JUMP_BEATS = 0.05, 0.1
"""Share of the distance to Link's beat that is corrected in a block: the callback's time is not even. Farther, the click jumps."""
METRE = 4
"""Beats of a bar where no song says so; also Link's."""
SAME_BEAT_S = 0.010
"""A song that starts so little behind a beat starts at it."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Beats of a song: their frames, increasing, and the number of each in its bar, from 1."""

    frames: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]

    @property
    def metre(self) -> int:
        """Beats of a bar."""
        return int(self.numbers.max(initial=METRE if not len(self.numbers) else 1))

    def at_speed(self, speed: float) -> Grid:
        """The beats of the song played at another tempo, in frames of what is heard."""
        return self if speed == 1.0 else Grid(np.rint(self.frames / speed).astype(np.int64), self.numbers)


@dataclass(frozen=True, eq=False)
class CountIn:
    """A count-in: its length in frames, its clicks (frames from its start, accent), and how many beats into its bar the song starts."""

    frames: int
    clicks: tuple[tuple[int, bool], ...]
    bars: int
    phase: float


NO_BEATS = Grid(np.zeros(0, np.int64), np.zeros(0, np.int64))


def grid_of(beats: list[float], numbers: list[int], rate: int) -> Grid:
    """Beats in seconds as a grid at ``rate``."""
    return Grid(np.rint(np.asarray(beats, np.float64) * rate).astype(np.int64), np.asarray(numbers, np.int64))


def plan_count_in(grid: Grid, frame: int, bars: int, rate: int, bpm: float) -> CountIn:
    """The count-in of ``bars`` bars before a song starts at ``frame``; at ``bpm`` where no beats are known."""
    metre = grid.metre
    if len(grid.frames) < 2:
        beat, period, number = float(frame), 60.0 * rate / bpm, 1
    else:
        at = int(np.searchsorted(grid.frames, frame - SAME_BEAT_S * rate))
        at = min(at, len(grid.frames) - 1)
        near = grid.frames[max(0, at - 1) : at + 2]
        period = float(np.diff(near).mean())
        beat, number = float(grid.frames[at]), int(grid.numbers[at])
        while beat < frame - SAME_BEAT_S * rate:  # beyond the last beat
            beat, number = beat + period, number % metre + 1
        steps = math.floor((beat - frame) / period + 1e-6)  # before the first one
        beat, number = beat - steps * period, (number - 1 - steps) % metre + 1
    length = round(bars * metre * period)
    clicks = []
    for back in range(bars * metre, 0, -1):
        place = round(beat - back * period - (frame - length))
        if 0 <= place < length:
            clicks.append((place, (number - 1 - back) % metre == 0))
    return CountIn(length, tuple(clicks), bars, (number - 1 - (beat - frame) / period) % metre)


def click_sound(rate: int, accent: bool) -> npt.NDArray[np.float32]:
    """One click, ``(frames,)``: a sine that dies away. Its first sample is not zero, so that its place is exact."""
    time = np.arange(1, round(LENGTH_S * rate) + 1) / rate
    wave = np.sin(2 * np.pi * (ACCENT_HZ if accent else BEAT_HZ) * time) * np.exp(-time / DECAY_S)
    fade = np.minimum(1.0, np.arange(len(time), 0, -1) / (0.2 * len(time)))
    return np.asarray(GAINS[accent] * wave * fade / np.abs(wave).max(), np.float32)


class Click:
    """See the module's docstring.

    Args:
        rate: Hz. ``tempo``: of the engine. ``linked``: whether Link places its beats. ``song``: whether a song plays, not a live input.
    """

    def __init__(self, rate: int, tempo: Tempo, *, linked: bool = False, song: bool = False) -> None:
        self.rate, self.tempo, self.linked, self._song = rate, tempo, linked, song
        self.grid = NO_BEATS
        self.heard_later = 0.0
        """Seconds from the callback to the ear: the device's latency."""
        self._sounds = {accent: click_sound(rate, accent) for accent in (True, False)}
        self._gain = 0.0  # wanted
        self._level = 0.0  # reached
        self._due: deque[tuple[int, bool]] = deque()  # on the timeline of the input
        self._sounding: list[tuple[npt.NDArray[np.float32], int]] = []  # sound, and the frame of it that is next
        self._beat: float | None = None
        self._wanted: CountIn | None = None
        self._counting: CountIn | None = None
        self._counted = 0
        self._moving = False

    # -- control threads ------------------------------------------------------------------------------------------------------

    def set_beats(self, beats: list[float], numbers: list[int]) -> None:
        """The song's beats in seconds, and the number of each in its bar."""
        self.grid = grid_of(beats, numbers, self.rate)

    def set_level(self, on: bool, db: float) -> None:
        """Switch the click, and set its level."""
        self._gain = 10.0 ** (db / 20.0) if on and db > -144.0 else 0.0

    def count_in(self, plan: CountIn | None) -> None:
        """Count in before the song; None ends it. The caller lets the song wait until ``take`` returns that it is over."""
        self._wanted = plan
        if plan is None:
            self._counting = None

    @property
    def counting(self) -> bool:
        """Whether a song waits for the end of its count-in."""
        return self._wanted is not None

    # -- the audio callback -----------------------------------------------------------------------------------------------------

    def wait(self, n: int, clock: int, delay: int, now: float) -> tuple[int, bool]:
        """Count on by the ``n`` frames of a block. Returns how many of them pass before the song starts, and whether it does in this block.

        Args:
            clock: the block's place on the timeline. ``delay``: frames from reading the song to hearing it. ``now``: monotonic time.
        """
        plan = self._wanted
        if plan is None:
            return 0, False
        if plan is not self._counting:
            self._counting, self._counted = plan, 0
            if self.linked:
                self._counted = plan.frames - self._until_bar(plan, delay, now)
            else:
                self._due.extend((clock + place, accent) for place, accent in plan.clicks)
        left = plan.frames - self._counted
        self._counted += n
        if left >= n:
            return n, False
        self._wanted = self._counting = None
        return max(0, left), True

    def _until_bar(self, plan: CountIn, delay: int, now: float) -> int:
        """Frames until the song must be read to be heard on the session's bar, after the bars of the count-in."""
        per_beat = 60.0 / self.tempo.bpm
        soonest = self.tempo.beat(now + delay / self.rate + self.heard_later) - plan.phase + plan.bars * METRE
        target = math.ceil(soonest / METRE) * METRE + plan.phase
        return max(0, round(((target - self.tempo.beat(now)) * per_beat - self.heard_later) * self.rate) - delay)

    def take(self, clock: int, places: list[tuple[int, int, int, int]]) -> None:
        """The block at ``clock`` holds these parts of the song: first frame in the block, frames, first frame of the song and its end."""
        self._moving = bool(places) or self.counting
        if self.linked:
            return
        grid = self.grid
        for offset, frames, start, end in places:
            first, last = np.searchsorted(grid.frames, (start, end))
            for index in range(int(first), int(last)):
                place = (int(grid.frames[index]) - start) * frames // max(1, end - start)
                self._due.append((clock + offset + place, int(grid.numbers[index]) == 1))

    def render(self, out: Audio, clock: int, delay: int, now: float, realtime: bool) -> None:
        """Add the clicks of the block at ``clock`` to ``out`` ``(n, channels)``; the song in it was read ``delay`` frames ago."""
        n = len(out)
        if self._song and not self.linked:
            starts = self._song_clicks(clock - delay, n)
        else:
            starts = self._tempo_clicks(n, now, realtime) if self._moving or not self._song else []
        if self._gain == 0.0 == self._level:
            self._sounding.clear()
            return
        for place, accent in starts:
            self._sounding.append((self._sounds[accent], -place))
        if self._sounding or self._level != self._gain:
            self._mix(out, n)

    def clear(self) -> None:
        """Forget what is due and what sounds."""
        self._due.clear()
        self._sounding.clear()

    def _song_clicks(self, heard: int, n: int) -> list[tuple[int, bool]]:
        """Clicks within the block that begins with the input's frame ``heard``."""
        found = []
        while self._due and self._due[0][0] < heard + n:
            place, accent = self._due.popleft()
            if place >= heard - LATE_S * self.rate:
                found.append((max(0, place - heard), accent))
        return found

    def _tempo_clicks(self, n: int, now: float, realtime: bool) -> list[tuple[int, bool]]:
        """Clicks at whole beats of the tempo."""
        bpm = self.tempo.bpm
        if realtime or self._beat is None:
            wanted = self.tempo.beat(now + self.heard_later) if realtime else 0.0
            away = wanted - self._beat if self._beat is not None else math.inf
            self._beat = wanted if abs(away) > JUMP_BEATS or self._beat is None else self._beat + GENTLE * away
        per_frame = bpm / (60.0 * self.rate)
        beat, found = math.ceil(self._beat - 1e-9), []
        while (place := round((beat - self._beat) / per_frame)) < n:
            found.append((max(0, place), beat % METRE == 0))
            beat += 1
        self._beat = max(self._beat + n * per_frame, math.nextafter(beat - 1, math.inf) if found else -math.inf)
        return found

    def _mix(self, out: Audio, n: int) -> None:
        steps = min(n, max(1, round(RAMP_S * self.rate)))
        gain = np.full(n, self._gain, np.float32)
        gain[:steps] = np.linspace(self._level, self._gain, steps + 1, dtype=np.float32)[1:]
        self._level = self._gain
        going = []
        for sound, place in self._sounding:
            first, skipped = max(0, -place), max(0, place)
            count = min(n - first, len(sound) - skipped)
            if count > 0:
                part = sound[skipped : skipped + count] * gain[first : first + count]
                out[first : first + count, :2] += part[:, None]
            if place + n < len(sound):
                going.append((sound, place + n))
        self._sounding = going
        np.clip(out, -1.0, 1.0, out=out)

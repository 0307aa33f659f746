"""Songs whose beats, bars, key and chords are known exactly: backing tracks of ``mma``, rendered with a General MIDI soundfont.

They score what finds beats, key and chords (``python -m training score-songs``). They were never trained on: none of the networks that
find beats and chords has seen a rendered song of ours. What they lack is a human who plays ahead of the beat, a voice and a mastered mix.
"""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import StemplayError
from training.data.arrange import MAJOR, MINOR, NOTES, Arrangement, write_midi
from training.data.midi import Take, render

RATE = 44_100
BARS = 24
LEAD_S = 0.7
"""Silence before the first beat: a song that begins with a beat at 0 would give its phase away."""

PROGRESSIONS = {
    False: ("I vi IV V", "I IV V I", "vi IV I V", "ii V I I"),
    True: ("i VI III VII", "i iv v i", "i VII VI V", "i iv VII III"),
}
"""Major and minor; a bar each. The second half of a song has the next one."""
ROMAN = {"I": 0, "II": 1, "III": 2, "IV": 3, "V": 4, "VI": 5, "VII": 6}


@dataclass(frozen=True)
class Recipe:
    """One song: groove of ``mma``, tempo in beats a minute, key (0 is C), mode and metre.

    ``beats``: of a bar. ``pulses``: of ``mma`` in one beat (3 for bars of 6/8, whose beat is a dotted quarter).
    """

    groove: str
    tempo: int
    key: int
    minor: bool = False
    beats: int = 4
    pulses: int = 1

    @property
    def name(self) -> str:
        return f"{self.groove}, {self.tempo} BPM, {key_name(self.key, self.minor)}, {self.beats} a bar"


@dataclass(frozen=True)
class Known:
    """A rendered song and its truth, in seconds. ``chords``: ``(start, end, label)`` with labels as ``C:maj``, ``A:min``."""

    recipe: Recipe
    samples: npt.NDArray[np.float32]
    beats: npt.NDArray[np.float64]
    downbeats: npt.NDArray[np.float64]
    chords: list[tuple[float, float, str]]


RECIPES = (
    Recipe("50sRock", 140, 7), Recipe("BasicRock", 116, 4), Recipe("BasicRock4", 92, 9, True), Recipe("BossaNova", 128, 5),
    Recipe("Folk", 104, 0), Recipe("PopBallad", 72, 2), Recipe("PopBallad1", 66, 11, True), Recipe("R&B", 84, 3),
    Recipe("Swing", 168, 10), Recipe("SwingWalk", 132, 8), Recipe("Ska", 152, 9), Recipe("SambaPlus", 108, 2, True),
    Recipe("Tango", 120, 4, True), Recipe("Trance", 138, 6, True), Recipe("March", 112, 5), Recipe("Polka", 124, 0),
    Recipe("Blues", 98, 7), Recipe("SlowJazz", 63, 1), Recipe("BlueGrass", 110, 2), Recipe("BoneyM", 122, 0, True),
    Recipe("CountryWaltz", 118, 7, beats=3), Recipe("JazzWaltz", 144, 5, beats=3), Recipe("RockWaltz", 96, 11, True, 3),
    Recipe("Waltz", 162, 10, beats=3), Recipe("68Swing", 210, 4, False, 2, 3), Recipe("68Swing1", 180, 9, True, 2, 3),
    Recipe("Jazz54", 150, 0, False, 5), Recipe("8Beat", 88, 1, True), Recipe("Metronome", 100, 0),
)[:28]  # fmt: skip
"""Tempi from 60 to 168, bars of 2, 3, 4 and 5 beats, all twelve keys."""


def key_name(key: int, minor: bool) -> str:
    """``Eb minor``."""
    return f"{NOTES[key]} {'minor' if minor else 'major'}"


def chord_names(recipe: Recipe) -> list[tuple[str, str]]:
    """For each bar the chord in ``mma``'s language and as a label."""
    scale = MINOR if recipe.minor else MAJOR
    lines = PROGRESSIONS[recipe.minor]
    first = RECIPES.index(recipe) if recipe in RECIPES else 0
    names = []
    for bar in range(BARS):
        line = lines[(first + bar // (BARS // 2)) % len(lines)].split()
        degree = line[bar % len(line)]
        root = NOTES[(recipe.key + scale[ROMAN[degree.upper()]]) % 12]
        minor = degree.islower()
        names.append((root + ("m" if minor else ""), f"{root}:{'min' if minor else 'maj'}"))
    return names


def render_song(recipe: Recipe, soundfont: Path) -> Known:
    """Render ``recipe``; stereo at 44.1 kHz. Raises StemplayError without ``mma`` or soundfont, or for a groove that is unknown."""
    if not soundfont.is_file():
        raise StemplayError(f"There is no soundfont {soundfont}: install one, on Debian with apt-get install fluid-soundfont-gm.")
    names = chord_names(recipe)
    plan = Arrangement(recipe.key, recipe.minor, recipe.tempo, recipe.groove, tuple(chord for chord, _ in names), (), 7)
    with tempfile.TemporaryDirectory() as folder:
        midi = Path(folder) / "song.mid"
        write_midi(plan, midi)
        stems = render(midi, Take(str(soundfont), seconds=600.0), rate=RATE)
    song = stems.sum(axis=0).T
    bar = 60.0 / recipe.tempo * recipe.beats * recipe.pulses
    end = round(BARS * bar * RATE)
    song = np.concatenate([np.zeros((round(LEAD_S * RATE), 2), np.float32), song[:end]])
    song *= 0.8 / max(1e-3, float(np.abs(song).max()))
    starts = LEAD_S + bar * np.arange(BARS)
    beats = (starts[:, None] + bar / recipe.beats * np.arange(recipe.beats)).ravel()
    chords = [(float(start), float(start + bar), label) for start, (_, label) in zip(starts, names, strict=True)]
    return Known(recipe, np.ascontiguousarray(song, np.float32), beats, starts, chords)


def slower(recipe: Recipe, tempo: int) -> Recipe:
    """The same song at another tempo."""
    return dataclasses.replace(recipe, tempo=tempo)

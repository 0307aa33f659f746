"""Random backing tracks: a random song form in the language of ``mma`` (Musical MIDI Accompaniment), which makes a MIDI file of it.

Sections repeat their chords, so a song has verses and choruses. Their positions are recorded, so that singing can be placed in them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mido
import numpy as np

from rtaudio.audio.format import StemplayError

LIBRARIES = (Path("/usr/share/mma/lib/stdlib"), Path("/usr/local/share/mma/lib/stdlib"))
NOTES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
QUALITIES = {MAJOR: ("", "m", "m", "", "7", "m", "m7b5"), MINOR: ("m", "m7b5", "", "m", "m", "", "7")}
PROGRESSIONS = (
    (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 4), (1, 4, 0, 0),
    (0, 3, 0, 4), (0, 2, 3, 4), (5, 1, 4, 0), (0, 6, 3, 0), (3, 4, 2, 5),
)  # fmt: skip
"""Degrees of the scale, from 0; each lasts one bar."""
BEATS_A_BAR = 4
NO_MUSIC = r"Intro|End|Fill|^None$|^Metronome"
"""Grooves that are not used: parts of other grooves, silence, or a click."""


@dataclass(frozen=True)
class Section:
    """``bars`` bars from bar ``start`` on; ``sung`` says whether a voice belongs there."""

    name: str
    start: int
    bars: int
    sung: bool


@dataclass(frozen=True)
class Arrangement:
    """The plan of a song: key (0 is C), scale, tempo in beats per minute, groove of ``mma`` and one chord per bar."""

    key: int
    minor: bool
    tempo: int
    groove: str
    chords: tuple[str, ...]
    sections: tuple[Section, ...]
    seed: int

    @property
    def scale(self) -> tuple[int, ...]:
        """Pitch classes of the song's scale."""
        return tuple((self.key + step) % 12 for step in (MINOR if self.minor else MAJOR))

    @property
    def bar_seconds(self) -> float:
        """Length of a bar in seconds."""
        return 60 * BEATS_A_BAR / self.tempo

    def text(self) -> str:
        """The song in ``mma``'s language."""
        bars = [f"{number} {chord}" for number, chord in enumerate(self.chords, 1)]
        return "\n".join([f"RndSeed {self.seed}", f"Tempo {self.tempo}", f"Groove {self.groove}", *bars]) + "\n"


def to_dict(arrangement: Arrangement) -> dict[str, Any]:
    """Plain values, for a file beside the song's MIDI file."""
    return asdict(arrangement)


def from_dict(values: dict[str, Any]) -> Arrangement:
    """Inverse of ``to_dict``, also after JSON has turned tuples into lists."""
    sections = tuple(Section(**section) for section in values["sections"])
    return Arrangement(**{**values, "chords": tuple(values["chords"]), "sections": sections})


@cache
def grooves() -> tuple[str, ...]:
    """Names of the installed grooves in 4/4 time; empty without ``mma``."""
    names: list[str] = []
    for library in LIBRARIES:
        for path in sorted(library.glob("*.mma")):
            text = path.read_text(encoding="latin-1")
            if not re.search(r"^\s*Time\s+[^4\s]", text, re.MULTILINE):
                found = re.findall(r"^DefGroove\s+(\S+)", text, re.MULTILINE)
                names += [name for name in found if not re.search(NO_MUSIC, name)]
    return tuple(dict.fromkeys(names))


def available() -> bool:
    """Whether ``mma`` and its grooves are installed."""
    return shutil.which("mma") is not None and bool(grooves())


def draw_arrangement(rng: np.random.Generator, names: tuple[str, ...]) -> Arrangement:
    """A random song of 20 to 36 bars: intro, verse and chorus (twice), ending."""
    key, minor = int(rng.integers(12)), bool(rng.random() < 0.4)
    scale = MINOR if minor else MAJOR

    def chords(bars: int) -> list[str]:
        progression = PROGRESSIONS[rng.integers(len(PROGRESSIONS))]
        names_ = [NOTES[(key + scale[degree]) % 12] + QUALITIES[scale][degree] for degree in progression]
        return (names_ * bars)[:bars]

    length = int(rng.choice([4, 8]))
    material = {
        "intro": chords(2),
        "verse": chords(length),
        "chorus": chords(length),
        "ending": [NOTES[key] + ("m" if minor else "")] * 2,
    }
    form = ["intro", "verse", "chorus", "verse", "chorus", "ending"]
    sections: list[Section] = []
    bars: list[str] = []
    for name in form:
        sections.append(Section(name, len(bars), len(material[name]), name in ("verse", "chorus")))
        bars += material[name]
    return Arrangement(
        key,
        minor,
        int(rng.integers(75, 145)),
        names[rng.integers(len(names))],
        tuple(bars),
        tuple(sections),
        int(rng.integers(1 << 30)),
    )


def write_midi(arrangement: Arrangement, path: Path, seconds: float = 60.0) -> None:
    """Let ``mma`` write ``arrangement`` as a MIDI file whose bass tracks have bass programs.

    Raises:
        StemplayError: ``mma`` is missing, or cannot play the arrangement.
    """
    program = shutil.which("mma")
    if program is None:
        raise StemplayError(
            "Backing tracks need mma (Musical MIDI Accompaniment): install it, on Debian with apt-get install mma."
        )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "song.mma"
        source.write_text(arrangement.text(), encoding="ascii")
        result = subprocess.run(
            [program, "-f", str(path.resolve()), str(source)],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    if result.returncode or not path.exists():
        reason = (result.stdout.strip() or result.stderr.strip() or "no output").splitlines()[-1]
        raise StemplayError(f"mma cannot play the groove {arrangement.groove}: {reason}")
    song = mido.MidiFile(path, clip=True)
    rng = np.random.default_rng(arrangement.seed)
    bass = int(rng.integers(32, 40))
    for track in song.tracks:
        if track.name.lower().startswith(("bass", "walk")):
            for message in track:
                if message.type == "program_change":
                    message.program = bass
    song.save(path)

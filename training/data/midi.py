"""Renders MIDI files as stems: drums, bass and other, with a General MIDI soundfont.

The song is rendered once for each stem, without the notes of the other stems, so the stems sum to the song. Every ``Take`` of a song
differs in soundfonts, key, tempo, drum kit and bass sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import mido
import numpy as np
import tinysoundfont

from rtaudio.audio.format import StemplayError
from training.data.store import Stems

DRUM_CHANNEL = 9
BASS_PROGRAMS = range(32, 40)
DRUM_KITS = (0, 0, 8, 16, 24, 25, 32, 40)
GROOVE_TO_GM = {22: 42, 26: 46, 58: 43}
"""Notes of Groove MIDI's electronic kit that General MIDI does not have, and the nearest ones that it has."""


@dataclass(frozen=True)
class Take:
    """One way to render a song.

    Attributes:
        soundfont: path of an ``.sf2`` or ``.sf3`` file.
        drums_from, bass_from: soundfonts of these stems, if they differ from ``soundfont``.
        transpose: semitones; drums are not transposed.
        tempo: speed factor.
        kit: program of the drum channel.
        bass: program that replaces the song's bass programs, or None to keep them.
        skip, seconds: which part of the song is kept.
        instruments: seed for replacing the other programs within their General MIDI family (pianos, guitars, ...), or None.
    """

    soundfont: str
    transpose: int = 0
    tempo: float = 1.0
    kit: int = 0
    bass: int | None = None
    skip: float = 0.0
    seconds: float = 90.0
    instruments: int | None = None
    drums_from: str | None = None
    bass_from: str | None = None

    def font(self, source: str) -> str:
        """Path of the soundfont that plays the stem ``source``."""
        return {"drums": self.drums_from, "bass": self.bass_from}.get(source) or self.soundfont

    def program(self, program: int) -> int:
        """The program that replaces ``program`` on a channel other than drums."""
        if program in BASS_PROGRAMS:
            return program if self.bass is None else self.bass
        if self.instruments is None:
            return program
        return 8 * (program // 8) + int(np.random.default_rng([self.instruments, program]).integers(8))


def draw_take(rng: np.random.Generator, soundfonts: list[Path], seconds: float) -> Take:
    """A random take. Half of the drums and of the basses come from a soundfont drawn for them alone."""

    def font() -> str:
        return str(soundfonts[rng.integers(len(soundfonts))])

    return Take(
        soundfont=font(),
        transpose=int(rng.integers(-5, 7)),
        tempo=float(rng.uniform(0.85, 1.18)),
        kit=int(rng.choice(DRUM_KITS)),
        bass=int(rng.integers(32, 40)) if rng.random() < 0.6 else None,
        skip=float(rng.uniform(0, 20)),
        seconds=seconds,
        instruments=int(rng.integers(1 << 30)) if rng.random() < 0.6 else None,
        drums_from=font() if rng.random() < 0.5 else None,
        bass_from=font() if rng.random() < 0.5 else None,
    )


def read_events(path: Path, take: Take) -> list[tuple[float, mido.Message]]:
    """``(seconds, message)`` in order, at the take's tempo, up to the take's end.

    Raises:
        StemplayError: it is not a MIDI file.
    """
    events = []
    now = 0.0
    try:
        for message in mido.MidiFile(path, clip=True):
            now += message.time / take.tempo
            if now > take.skip + take.seconds:
                break
            if not message.is_meta:
                events.append((now, message))
    except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
        raise StemplayError(f"{path} cannot be read as MIDI: {str(error) or 'it ends too early'}.") from error
    return events


def source_of(channel: int, program: int) -> str:
    """The stem of a note: ``drums``, ``bass`` or ``other``."""
    if channel == DRUM_CHANNEL:
        return "drums"
    return "bass" if program in BASS_PROGRAMS else "other"


def render(path: Path, take: Take, sources: tuple[str, ...] = ("drums", "bass", "other"), rate: int = 44_100) -> Stems:
    """Stems of one take, ``(len(sources), 2, time)`` float32. ``time`` is 0 if the song ends before ``skip``."""
    events = read_events(path, take)
    stems = [_render_source(events, take, source, rate) for source in sources]
    return np.stack(stems)[..., int(take.skip * rate) :]


@lru_cache(maxsize=8)
def _load(soundfont: str, rate: int) -> tuple[tinysoundfont.Synth, int]:
    """A synthesiser with its soundfont, loaded once per process, because some fonts take seconds to decode."""
    synth = tinysoundfont.Synth(samplerate=rate, gain=-6)
    return synth, synth.sfload(soundfont)


def _reset(synth: tinysoundfont.Synth, font: int, kit: int) -> None:
    """Stop all sound and restore General MIDI's power-on state on every channel."""
    for channel in range(16):
        drums = channel == DRUM_CHANNEL
        synth.sounds_off(channel)
        synth.control_change(channel, 121, 0)
        for controller, value in ((7, 100), (10, 64), (11, 127), (64, 0)):
            synth.control_change(channel, controller, value)
        synth.pitchbend(channel, 8192)
        synth.program_select(channel, font, 128 if drums else 0, kit if drums else 0, drums)
    synth.generate(4096)


def _render_source(events: list[tuple[float, mido.Message]], take: Take, source: str, rate: int) -> Stems:
    synth, font = _load(take.font(source), rate)
    _reset(synth, font, take.kit)
    programs = [0] * 16
    blocks = []
    position = 0
    for when, message in events:
        frames = int(when * rate) - position
        if frames > 0:
            blocks.append(np.frombuffer(bytes(synth.generate(frames)), np.float32))
            position += frames
        _play(synth, message, programs, take, source)
    if not blocks:
        return np.zeros((2, 0), np.float32)
    return np.concatenate(blocks).reshape(-1, 2).T


def _play(synth: tinysoundfont.Synth, message: mido.Message, programs: list[int], take: Take, source: str) -> None:
    """Send one message to the synthesiser if it concerns ``source``."""
    kind = message.type
    if kind == "program_change":
        programs[message.channel] = message.program
        if message.channel != DRUM_CHANNEL:
            synth.program_change(message.channel, take.program(message.program))
    elif kind == "control_change" and message.control < 120:
        synth.control_change(message.channel, message.control, message.value)
    elif kind == "pitchwheel":
        synth.pitchbend(message.channel, message.pitch + 8192)
    elif kind in ("note_on", "note_off"):
        if source_of(message.channel, programs[message.channel]) != source:
            return
        drums = message.channel == DRUM_CHANNEL
        note = GROOVE_TO_GM.get(message.note, message.note) if drums else message.note + take.transpose
        if not 0 <= note <= 127:
            return
        if kind == "note_on" and message.velocity > 0:
            synth.noteon(message.channel, note, message.velocity)
        else:
            synth.noteoff(message.channel, note)

"""Make the demo song: our own arrangement of an old song, rendered through a free soundfont under two a cappella sections.

    python demo/make_demo.py --voice DIR --soundfont FluidR3_GM.sf2 [--out demo/kimseye.ogg] [--stems DIR]

``DIR`` holds ``goekhan__02_Kimseye_6_meyan.ogg`` and ``goekhan__02_Kimseye_5_nakarat.ogg`` (see demo/LICENSE.md). The singer keeps a slow
bar of about 1.87 s; the arrangement follows the notes he holds: C minor, 4/4, one intro bar, ten bars of meyan, ten of nakarat.
Needs ``mido``, ``tinysoundfont``, ``soundfile``, ``soxr``. The same inputs give the same samples.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr
import tinysoundfont

Samples = npt.NDArray[np.float64]
RATE = 44_100
BAR = 1.87  # seconds, measured on the singing
BARS = 22
SECONDS = 40.0
TICKS = 480  # a quarter
BEAT_US = round(BAR / 4 * 1e6)

CHORDS = {
    "Cm": (36, (60, 63, 67)), "Fm": (41, (60, 65, 68)), "G7": (43, (59, 65, 67)), "G": (43, (59, 62, 67)),
    "Ab": (44, (60, 63, 68)), "Eb": (39, (58, 63, 67)),
}  # fmt: skip
"""Name -> bass note, three upper voices."""

INTRO = ["Cm"]
MEYAN = ["G", "Cm", "Cm", "Fm", "Ab", "G", "G7", "Fm", "Fm", "Cm"]
NAKARAT = ["Cm", "Cm", "Cm", "Fm", "Eb", "G", "G7", "Fm", "G7", "Cm"]
SONG = [*INTRO, *MEYAN, *NAKARAT, "Cm"]
REFRAIN = len(INTRO) + len(MEYAN)  # first bar with the full kit

# take, cents to raise, (from, to) in the take, a moment in it, and the bar of the song where that moment belongs
PHRASES = [
    ("goekhan__02_Kimseye_6_meyan.ogg", 24, (0.60, 12.22), 3.70, 3.0),
    ("goekhan__02_Kimseye_6_meyan.ogg", 24, (12.30, 19.95), 16.60, 10.0),
    ("goekhan__02_Kimseye_5_nakarat.ogg", 7, (0.50, 12.08), 3.62, 13.0),
    ("goekhan__02_Kimseye_5_nakarat.ogg", 7, (12.08, 18.90), 16.70, 20.0),
]

LEVELS = {"drums": -19.0, "bass": -20.0, "other": -21.0, "vocals": -17.5}
"""RMS of each stem over the song before the common gain, dB."""


class Part:
    """One instrument: notes in bars and beats, as a MIDI track."""

    def __init__(self, program: int, channel: int, volume: int, pan: int, seed: int) -> None:
        self.channel = channel
        self.events: list[tuple[int, mido.Message]] = []
        self.random = np.random.default_rng(seed)
        for control, value in ((7, volume), (10, pan)):
            self.events.append((0, mido.Message("control_change", channel=channel, control=control, value=value)))
        self.events.append((0, mido.Message("program_change", channel=channel, program=program)))

    def note(self, bar: int, beat: float, key: int, velocity: int, beats: float, loose: float = 0.006) -> None:
        """Add a note; ``loose`` is the spread of its start in beats, so that it sounds played."""
        start = round((bar * 4 + beat + abs(self.random.normal(0, loose))) * TICKS)
        velocity = int(np.clip(velocity + self.random.integers(-7, 8), 1, 127))
        on = mido.Message("note_on", channel=self.channel, note=key, velocity=velocity)
        off = mido.Message("note_off", channel=self.channel, note=key)
        self.events += [(start, on), (start + round(beats * TICKS), off)]

    def track(self) -> mido.MidiTrack:
        """The events as a track with delta times."""
        track, now = mido.MidiTrack(), 0
        for time, message in sorted(self.events, key=lambda event: event[0]):
            track.append(message.copy(time=time - now))
            now = time
        return track


def drums() -> list[Part]:
    """Half time under the meyan, a full beat with ghost notes in the nakarat, a fill at each end."""
    kit = Part(0, 9, 118, 64, seed=1)
    for bar in range(BARS - 1):
        full = bar >= REFRAIN
        for beat in (0, 1.5, 2) if full else (0, 2.5):
            kit.note(bar, beat, 36, 108, 0.3)
        for beat in (1, 3) if full else (2,):
            kit.note(bar, beat, 38, 104, 0.3)
        for eighth in range(8):
            kit.note(bar, eighth / 2, 46 if full and eighth == 7 else 42, 82 if eighth % 2 == 0 else 58, 0.2)
        if full:
            for beat in (1.75, 2.25, 3.75):
                kit.note(bar, beat, 38, 34, 0.2)
        else:
            kit.note(bar, 3.5, 37, 60, 0.2)
    for bar in (0, 1, REFRAIN, REFRAIN + 5, BARS - 1):
        kit.note(bar, 0, 49, 96, 2)
    kit.note(BARS - 1, 0, 36, 112, 0.3)
    for bar in (REFRAIN - 1, REFRAIN + 9):
        for step, key in enumerate((48, 48, 47, 45, 43, 41)):
            kit.note(bar, 2.5 + step / 4, key, 88 + 4 * step, 0.25)
    return [kit]


def bass() -> list[Part]:
    """A dotted figure on the root and the fifth, then eighths with octaves."""
    line = Part(33, 0, 116, 64, seed=2)
    for bar, chord in enumerate(SONG[:-1]):
        root = CHORDS[chord][0]
        fifth = root + 7 if root < 40 else root - 5
        if bar >= REFRAIN:
            for eighth, key in enumerate((root, root, root + 12, root, fifth, root, root + 12, fifth)):
                line.note(bar, eighth / 2, key, 104 if eighth % 4 == 0 else 88, 0.45)
        else:
            for beat, key, length in (
                (0, root, 1.4),
                (1.5, root, 0.5),
                (2, fifth, 1),
                (3, root + 12, 0.5),
                (3.5, fifth, 0.5),
            ):
                line.note(bar, beat, key, 98, length)
    line.note(BARS - 1, 0, 36, 104, 4)
    return [line]


def other() -> list[Part]:
    """Guitar arpeggio on the left, electric piano on the right, strings behind, a clean guitar's off-beats in the nakarat."""
    guitar, piano = Part(25, 1, 108, 34, seed=3), Part(4, 2, 100, 94, seed=4)
    strings, clean = Part(48, 3, 92, 64, seed=5), Part(27, 4, 92, 84, seed=6)
    for bar, chord in enumerate(SONG):
        root, (low, middle, high) = CHORDS[chord]
        last = bar == BARS - 1
        for eighth, key in enumerate((root + 12, low, middle, high, low + 12, high, middle, low)[: 1 if last else 8]):
            guitar.note(bar, eighth / 2, key, 92, 4 if last else 1.2)
        for key in (low, middle, high):
            strings.note(bar, 0, key, 72, 4.0)
            for beat, length in ((0, 1.4), (1.5, 2.2)) if not last else ((0, 4),):
                piano.note(bar, beat, key, 74, length)
            if bar >= REFRAIN and not last:
                for beat in (0.5, 1.5, 2.5, 3.5):
                    clean.note(bar, beat, key + 12, 70, 0.25)
    return [guitar, piano, strings, clean]


def render(parts: list[Part], soundfont: str) -> Samples:
    """Play the parts through the soundfont: ``(frames, 2)`` at 44.1 kHz."""
    song = mido.MidiFile(type=1, ticks_per_beat=TICKS)
    song.tracks.append(mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=BEAT_US)]))
    song.tracks += [part.track() for part in parts]
    synth = tinysoundfont.Synth(samplerate=RATE, gain=-6.0)
    font = synth.sfload(soundfont)
    blocks: list[Samples] = []
    now, done = 0.0, 0
    for message in song:
        now += message.time
        if (frames := round(now * RATE) - done) > 0:
            blocks.append(
                np.frombuffer(bytes(synth.generate(frames)), dtype=np.float32).reshape(-1, 2).astype(np.float64)
            )
            done += frames
        if message.type == "program_change":
            synth.program_select(
                message.channel, font, 128 if message.channel == 9 else 0, message.program, message.channel == 9
            )
        elif message.type == "control_change":
            synth.control_change(message.channel, message.control, message.value)
        elif message.type == "note_on":
            synth.noteon(message.channel, message.note, message.velocity)
        elif message.type == "note_off":
            synth.noteoff(message.channel, message.note)
    return fit(np.concatenate(blocks))


def fit(audio: Samples) -> Samples:
    """Cut or pad to the song's length."""
    frames = round(SECONDS * RATE)
    return np.pad(audio, ((0, max(0, frames - len(audio))), (0, 0)))[:frames]


def vocals(directory: Path) -> Samples:
    """The four phrases, tuned by resampling (at most 24 cents), placed on the bars, levelled and put into a small room."""
    line = np.zeros(round(SECONDS * RATE))
    for name, cents, (start, end), moment, bar in PHRASES:
        take, rate = sf.read(directory / name, dtype="float64", always_2d=True)
        ratio = 2 ** (cents / 1200)
        phrase = soxr.resample(take[round(start * rate) : round(end * rate), 0], rate * ratio, RATE)
        fade = np.minimum(1, np.arange(len(phrase)) / (0.02 * RATE))
        phrase = phrase * fade * np.minimum(1, np.arange(len(phrase))[::-1] / (0.15 * RATE))
        at = round((bar * BAR - (moment - start) / ratio) * RATE)
        phrase = level(phrase)
        phrase = phrase[: len(line) - at]
        line[at : at + len(phrase)] += phrase
    return room(line)


def level(voice: Samples) -> Samples:
    """Remove rumble under 80 Hz and even out loud and soft syllables: half of the distance to the phrase's level, in dB."""
    spectrum = np.fft.rfft(voice)
    hertz = np.fft.rfftfreq(len(voice), 1 / RATE)
    voice = np.fft.irfft(spectrum / (1 + (80 / np.maximum(hertz, 1e-3)) ** 4), len(voice))
    window = np.hanning(round(0.12 * RATE))
    envelope = np.sqrt(np.convolve(voice**2, window / window.sum(), "same"))
    loud = np.sqrt(np.mean(voice**2))
    return voice * np.clip((loud / np.maximum(envelope, 1e-4)) ** 0.5, 0.3, 2.0) / loud


def room(voice: Samples) -> Samples:
    """Stereo: the dry voice in the middle and a decorrelated, decaying tail 16 dB below it."""
    time = np.arange(round(1.1 * RATE)) / RATE
    tail = (
        np.random.default_rng(7).standard_normal((len(time), 2))
        * np.exp(-time / 0.28)[:, None]
        * (time > 0.018)[:, None]
    )
    size = 1 << (len(voice) + len(tail)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(voice, size)[:, None] * np.fft.rfft(tail, size, axis=0), size, axis=0)[: len(voice)]
    wet *= np.sqrt(np.mean(voice**2) / np.mean(wet**2)) * 10 ** (-16 / 20)
    return voice[:, None] + wet


def saturate(audio: Samples) -> Samples:
    """Round off the drums' peaks, or they alone would decide how loud the song can be."""
    knee = 6 * np.sqrt(np.mean(audio**2))
    return knee * np.tanh(2 * audio / knee) / 2


def write(path: Path, audio: Samples) -> None:
    """Write in short blocks (libsndfile's Vorbis encoder wants them short)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.2} if path.suffix == ".ogg" else {}
    with sf.SoundFile(path, "w", RATE, 2, **options) as file:
        for start in range(0, len(audio), 4096):
            file.write(audio[start : start + 4096])


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the demo song.")
    parser.add_argument("--voice", type=Path, required=True, help="directory with the a cappella sections")
    parser.add_argument("--soundfont", required=True, help="FluidR3_GM.sf2")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("kimseye.ogg"))
    parser.add_argument("--stems", type=Path, help="also write the stems here")
    args = parser.parse_args()
    stems = {"drums": render(drums(), args.soundfont), "bass": render(bass(), args.soundfont)}
    stems |= {"other": render(other(), args.soundfont), "vocals": vocals(args.voice)}
    stems["drums"] = saturate(stems["drums"])
    end = np.clip((SECONDS * RATE - np.arange(round(SECONDS * RATE))) / (1.5 * RATE), 0, 1)[:, None]
    for name, audio in stems.items():
        stems[name] = audio * end * 10 ** (LEVELS[name] / 20) / np.sqrt(np.mean(audio**2))
    mix = np.sum(list(stems.values()), axis=0)
    gain = 10 ** (-1 / 20) / np.abs(mix).max()
    write(args.out, mix * gain)
    for name, audio in stems.items():
        print(
            f"{name:7} {20 * np.log10(np.sqrt(np.mean((audio * gain) ** 2))):6.1f} dB RMS, peak {np.abs(audio * gain).max():.3f}"
        )
        if args.stems:
            write(args.stems / f"{name}.wav", audio * gain)
    loudness = 20 * np.log10(np.sqrt(np.mean((mix * gain) ** 2)))
    print(f"{args.out}: {SECONDS:.0f} s, mix {loudness:.1f} dB RMS, {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()

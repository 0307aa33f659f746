"""``python -m training prepare notes``: one recording for each velocity, instrument and pitch.

The format is NSynth's (NSY-01): 16 kHz mono, 3 s held and 1 s released, velocities 25, 50, 75, 100 and 127. Notes come from soundfonts,
from a folder in NSynth's own layout, or from a formula (NSY-04). Each instrument is one int16 file that training maps into memory, and
a JSON file that lists its notes. Both are written atomically, so an interrupted run continues where it stopped.
"""

from __future__ import annotations

import functools
import hashlib
import json
import multiprocessing
import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from tqdm import tqdm

from models.names import name_problem
from rtaudio.audio.format import StemplayError
from training.data.general_midi import PROGRAMS
from training.data.store import write_atomic
from training.signals import follow_parent

RATE = 16_000
NOTE_SAMPLES = 64_000
HELD_SAMPLES = 48_000
VELOCITIES = (25, 50, 75, 100, 127)
PEAK = 0.7
"""Level of an instrument's loud notes after normalisation."""
SILENT = 64 / 32768
"""A note that never exceeds this level counts as not playable."""
KEEP_FREE = 1 << 30
"""Bytes to keep free on the disk."""
VERSION = 1
"""Increase it when the same inputs would give different notes."""

Audio = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Voice:
    """One instrument to record.

    Attributes:
        name: its name in training and on the instrument's card.
        source: path of a soundfont or of an NSynth folder; empty for synthetic notes.
        preset: General MIDI program of a soundfont, NSynth's ``instrument_str``, or the synthetic kind.
        pitches: MIDI pitches to record.
        test: pitches held out of training (NSY-03).
    """

    name: str
    source: str
    preset: int | str
    pitches: tuple[int, ...]
    test: tuple[int, ...] = ()


def held_out(name: str, pitches: tuple[int, ...], seed: int) -> tuple[int, ...]:
    """The pitch-completion split (NSY-03): a tenth of an instrument's pitches with all velocities, drawn by ``seed`` and name."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return tuple(sorted(int(p) for p in rng.choice(pitches, round(len(pitches) / 10), replace=False)))


def soundfont_voices(fonts: list[Path], programs: tuple[int, ...], pitches: tuple[int, ...]) -> list[Voice]:
    """The given programs of every font. Names of instruments from the second and later fonts include the font's name.

    Raises:
        StemplayError: a soundfont is missing.
    """
    voices = []
    for k, font in enumerate(fonts):
        if not font.is_file():
            raise StemplayError(f"There is no soundfont {font}.")
        suffix = "." + re.sub(r"[^a-z0-9_-]+", "-", font.stem.lower()) if k else ""  # a name that files can have
        voices += [Voice(PROGRAMS[program] + suffix, str(font), program, pitches) for program in programs]
    return voices


def nsynth_voices(folder: Path) -> list[Voice]:
    """The instruments of a folder in NSynth's layout: ``examples.json`` and ``audio/*.wav``.

    If the folder contains the parts of NSynth, only ``nsynth-train`` is used (NSY-02): the other parts have other instruments, for which
    the look-up table has no trained rows.

    Raises:
        StemplayError: the folder has another layout, or two recordings of the same velocity, instrument and pitch (NSY-01).
    """
    if not (folder / "examples.json").exists() and (folder / "nsynth-train" / "examples.json").exists():
        folder = folder / "nsynth-train"
    pitches: dict[str, set[int]] = {}
    for name, pitch, _ in nsynth_notes(folder):
        pitches.setdefault(name, set()).add(pitch)
    return [Voice(name, str(folder), name, tuple(sorted(found))) for name, found in sorted(pitches.items())]


@functools.lru_cache(maxsize=1)
def nsynth_notes(folder: Path) -> dict[tuple[str, int, int], str]:
    """(instrument, pitch, velocity level) -> file name, for a folder in NSynth's layout."""
    try:
        examples = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
        notes: dict[tuple[str, int, int], str] = {}
        for key, value in examples.items():
            level = int(np.abs(np.subtract(VELOCITIES, int(value["velocity"]))).argmin())
            symbol = (str(value["instrument_str"]), int(value["pitch"]), level)
            if symbol in notes:
                raise StemplayError(
                    f"{folder} has two recordings of {symbol[0]}, pitch {symbol[1]}: {notes[symbol]} and {key}."
                )
            notes[symbol] = f"{key}.wav"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StemplayError(f"{folder} has no readable examples.json of NSynth's layout: {error}.") from None
    return notes


def synthetic_voices(pitches: tuple[int, ...]) -> list[Voice]:
    """Four instruments from formulas (NSY-04), for tests and first steps."""
    return [Voice(kind, "", kind, pitches) for kind in ("harmonic", "hollow", "noisy", "struck")]


def synthetic_note(kind: str, pitch: int, level: int) -> Audio:
    """``(64000,)``: harmonics with an envelope, and random phases for each symbol; f0 = 440 * 2^((pitch - 69) / 12) Hz."""
    rng = np.random.default_rng([zlib.crc32(kind.encode()), pitch, level])
    time = np.arange(NOTE_SAMPLES) / RATE
    f0 = 440 * 2 ** ((pitch - 69) / 12)
    brightness = 0.35 + 0.12 * level
    numbers = np.arange(1, 33, 2 if kind == "hollow" else 1)
    numbers = numbers[numbers * f0 < 0.45 * RATE]
    phases = rng.uniform(0, 2 * np.pi, len(numbers))
    levels = brightness ** numbers.astype(float)
    wav = (np.sin(2 * np.pi * f0 * np.outer(numbers, time) + phases[:, None]) * levels[:, None]).sum(0)
    if kind == "noisy":
        wav += 0.1 * rng.standard_normal(NOTE_SAMPLES)
    envelope = np.minimum(1, time / 0.02) * np.where(time < 3, 1.0, np.exp(-(time - 3) * 12))
    if kind == "struck":
        envelope = np.minimum(1, time / 0.003) * np.exp(-time * 3) * np.where(time < 3, 1.0, np.exp(-(time - 3) * 12))
    loudness = VELOCITIES[level] / 127
    return np.asarray(wav * envelope * loudness / np.abs(wav).max(), dtype=np.float32)


@functools.lru_cache(maxsize=1)
def _synth(font: str) -> tuple[Any, int]:
    """A synthesiser with its soundfont, loaded once per process, because some fonts take seconds to decode."""
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=RATE, gain=-6)
    return synth, synth.sfload(font)


def _soundfont_notes(voice: Voice) -> Iterator[tuple[int, int, Audio]]:
    synth, font = _synth(voice.source)
    synth.program_select(0, font, 0, int(voice.preset))

    def generate(frames: int) -> Audio:
        return np.frombuffer(bytes(synth.generate(frames)), np.float32).reshape(-1, 2).mean(1, dtype=np.float32)

    for pitch in voice.pitches:
        for level, velocity in enumerate(VELOCITIES):
            synth.sounds_off(0)
            generate(RATE // 10)  # the end of this note must not sound in the next one
            synth.noteon(0, pitch, velocity)
            held = generate(HELD_SAMPLES).copy()
            synth.noteoff(0, pitch)
            yield pitch, level, np.concatenate([held, generate(NOTE_SAMPLES - HELD_SAMPLES)])
    synth.sounds_off(0)


def _nsynth_audio(voice: Voice) -> Iterator[tuple[int, int, Audio]]:
    folder = Path(voice.source)
    notes = nsynth_notes(folder)
    for (name, pitch, level), file in sorted(notes.items()):
        if name != voice.preset:
            continue
        wav, rate = soundfile.read(folder / "audio" / file, dtype="float32", always_2d=True)
        if rate != RATE:
            raise StemplayError(f"{folder / 'audio' / file} has {rate} Hz; NSynth's notes have {RATE}.")
        mono = wav.mean(1)[:NOTE_SAMPLES]
        yield pitch, level, np.pad(mono, (0, NOTE_SAMPLES - len(mono)))


def _synthetic_notes(voice: Voice) -> Iterator[tuple[int, int, Audio]]:
    for pitch in voice.pitches:
        for level in range(len(VELOCITIES)):
            yield pitch, level, synthetic_note(str(voice.preset), pitch, level)


def _notes(voice: Voice) -> Iterator[tuple[int, int, Audio]]:
    kinds: dict[type, Callable[[Voice], Iterator[tuple[int, int, Audio]]]] = {int: _soundfont_notes, str: _nsynth_audio}
    return kinds[type(voice.preset)](voice) if voice.source else _synthetic_notes(voice)


def digest(voice: Voice) -> str:
    """Everything that the recording of an instrument depends on; the split is not part of it."""
    source = Path(voice.source) if voice.source else None
    stamp = None
    if source is not None:
        file = source if source.is_file() else source / "examples.json"
        stamp = (file.name, file.stat().st_size)
    text = json.dumps([VERSION, stamp, voice.preset, voice.pitches, VELOCITIES])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def record(voice: Voice, folder: Path) -> dict[str, Any]:
    """Record one instrument into ``folder``; returns the contents of its JSON file."""
    symbols, takes = [], []
    for pitch, level, wav in _notes(voice):
        symbols.append((pitch, level))
        takes.append(wav)
    audio = np.stack(takes)
    peaks = np.abs(audio).max(1)
    gain = PEAK / max(float(np.percentile(peaks, 98)), 1e-6) if isinstance(voice.preset, int) else 1.0
    audible = np.abs(audio[:, :HELD_SAMPLES]).max(1) * gain > SILENT
    whole = np.clip(audio * np.float32(gain * 32767), -32767, 32767).astype(np.int16)
    facts = {
        "name": voice.name,
        "digest": digest(voice),
        "source": Path(voice.source).name,
        "preset": voice.preset,
        "gain": round(gain, 6),
        "sustains": sustains(whole, audible),
        "pitch": [pitch for pitch, _ in symbols],
        "velocity": [level for _, level in symbols],
        "audible": [bool(value) for value in audible],
    }
    write_atomic(folder / f"{voice.name}.i16", whole.tobytes())
    write_atomic(folder / f"{voice.name}.json", json.dumps(facts).encode())
    return facts


def sustains(notes: npt.NDArray[np.int16], audible: npt.NDArray[np.bool_]) -> bool:
    """Whether most notes are as loud near the end of their three seconds as at the beginning (within 4 dB)."""
    begin, end = (notes[audible, a:b].astype(np.float32) for a, b in ((4_800, 12_800), (40_000, 48_000)))
    if not len(begin):
        return False
    fall = 10 * np.log10((np.square(begin).mean(1) + 1) / (np.square(end).mean(1) + 1))
    return bool(np.median(fall) < 4)


def check_disk(folder: Path, notes: int) -> None:
    """Raises StemplayError if ``notes`` more notes do not fit into ``folder``, which need not exist yet."""
    folder = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    needed = notes * NOTE_SAMPLES * 2
    free = shutil.disk_usage(folder).free
    if needed + KEEP_FREE > free:
        raise StemplayError(
            f"{notes} notes need {needed / 1e9:.1f} GB in {folder}; {free / 1e9:.1f} GB are free and {KEEP_FREE / 1e9:.1f} GB must stay "
            "free: choose fewer instruments or pitches, or another folder."
        )


def read_split(path: Path) -> dict[str, list[int]]:
    """Held-out pitches by instrument, from the ``split.json`` of a note set or of a published model."""
    try:
        split = json.loads(path.read_text(encoding="utf-8"))["test"]
        return {str(name): [int(pitch) for pitch in pitches] for name, pitches in split.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StemplayError(f"{path} is not a split of notes: {error}.") from None


def prepare_notes(
    voices: list[Voice],
    folder: Path,
    *,
    workers: int = 2,
    seed: int = 0,
    split: dict[str, list[int]] | None = None,
    also: Path | None = None,
) -> dict[str, Any]:
    """Record those of ``voices`` that are missing; returns the manifest.

    Args:
        also: a folder to which all notes will be written as WAV afterwards: there must be room for both.
        split: held-out pitches of instruments; those of other instruments are drawn with ``seed``.

    Raises:
        StemplayError: there is nothing to record, the disk is too small, or an input cannot be read.
    """
    if not voices:
        raise StemplayError("There are no instruments to record: name a soundfont or an NSynth folder.")
    given = split or {}
    voices = [
        replace(v, test=tuple(given[v.name]) if v.name in given else held_out(v.name, v.pitches, seed)) for v in voices
    ]
    done = {voice.name: facts for voice in voices if (facts := _recorded(voice, folder)) is not None}
    todo = [voice for voice in voices if voice.name not in done]
    _check_disks(folder, also, _count(todo), _count(voices))
    folder.mkdir(parents=True, exist_ok=True)
    if todo:
        (folder / "manifest.json").unlink(missing_ok=True)
        for torn in folder.glob(".*.part"):  # left behind by a killed run
            torn.unlink(missing_ok=True)
    for facts in _record_all(todo, folder, workers):
        done[facts["name"]] = facts
    facts_in_order = [done[voice.name] for voice in voices if any(done[voice.name]["audible"])]
    kept = {facts["name"] for facts in facts_in_order}
    manifest = {
        "version": VERSION,
        "complete": True,
        "sample_rate": RATE,
        "velocities": VELOCITIES,
        "seed": seed,
        "instruments": [facts["name"] for facts in facts_in_order],
        "programs": [facts["preset"] if isinstance(facts["preset"], int) else None for facts in facts_in_order],
        "sustains": [facts["sustains"] for facts in facts_in_order],
        "sources": sorted({facts["source"] or "synthetic" for facts in facts_in_order}),
    }
    test = {voice.name: voice.test for voice in voices if voice.name in kept}
    write_atomic(
        folder / "split.json", json.dumps({"test": test, "evaluation": evaluation_list(done, test, seed)}).encode()
    )
    write_atomic(folder / "manifest.json", json.dumps(manifest, indent=1).encode())
    return manifest


def _count(voices: list[Voice]) -> int:
    return sum(len(voice.pitches) * len(VELOCITIES) for voice in voices)


def _check_disks(folder: Path, also: Path | None, notes: int, all_notes: int) -> None:
    """Check for room before recording: ``notes`` in ``folder`` and ``all_notes`` in ``also``, on the same disk or on two."""
    if also is None:
        check_disk(folder, notes)
        return
    disks = [
        next(p for p in (place, *place.absolute().parents) if p.is_dir()).stat().st_dev for place in (folder, also)
    ]
    if disks[0] == disks[1]:
        check_disk(folder, notes + all_notes)
    else:
        check_disk(folder, notes)
        check_disk(also, all_notes)


def _recorded(voice: Voice, folder: Path) -> dict[str, Any] | None:
    """The recording of an earlier run; None if there is none or its inputs differ."""
    try:
        facts: dict[str, Any] = json.loads((folder / f"{voice.name}.json").read_text(encoding="utf-8"))
        size = (folder / f"{voice.name}.i16").stat().st_size
    except (OSError, ValueError):
        return None
    whole = size == len(facts.get("pitch", ())) * NOTE_SAMPLES * 2
    return facts if whole and facts.get("digest") == digest(voice) else None


def _record_all(todo: list[Voice], folder: Path, workers: int) -> Iterator[dict[str, Any]]:
    if workers == 1 or len(todo) < 2:
        for voice in tqdm(todo, "instruments", disable=not todo):
            yield record(voice, folder)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(todo)), mp_context=context, initializer=follow_parent) as pool:
        futures = [pool.submit(record, voice, folder) for voice in todo]
        try:
            for future in tqdm(as_completed(futures), "instruments", len(futures)):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def evaluation_list(
    recorded: dict[str, dict[str, Any]], test: dict[str, tuple[int, ...]], seed: int, count: int = 100
) -> list[tuple[str, int, int]]:
    """``count`` random test notes, (instrument, pitch, velocity level), the same for every score and listening test (NSY-05)."""
    rows = [
        (name, pitch, level)
        for name, pitches in test.items()
        for pitch, level, audible in zip(
            *(recorded[name][key] for key in ("pitch", "velocity", "audible")), strict=True
        )
        if pitch in pitches and audible
    ]
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    return [rows[k] for k in sorted(chosen)]


def instrument_names(manifest: dict[str, Any]) -> list[str]:
    """The instruments of a note set. Raises StemplayError if a name cannot be a file name, since files are named after them."""
    names = [str(name) for name in manifest["instruments"]]
    for name in names:
        problem = name_problem(name)
        if problem:
            raise StemplayError(f"The note set names the instrument {name[:80]!r}, which {problem}.")
    return names


def write_nsynth(folder: Path, target: Path) -> int:
    """Write a note set in NSynth's own layout (``examples.json`` and ``audio/*.wav``); returns the number of notes."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    names = instrument_names(manifest)
    all_facts = [json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in names]
    check_disk(target, sum(sum(facts["audible"]) for facts in all_facts))
    (target / "audio").mkdir(parents=True, exist_ok=True)
    examples: dict[str, dict[str, Any]] = {}
    for number, (name, facts) in enumerate(zip(names, all_facts, strict=True)):
        audio = np.memmap(folder / f"{name}.i16", np.int16, "r").reshape(-1, NOTE_SAMPLES)
        for row, (pitch, level) in enumerate(zip(facts["pitch"], facts["velocity"], strict=True)):
            if not facts["audible"][row]:
                continue
            key = f"{name}-{pitch:03d}-{VELOCITIES[level]:03d}"
            soundfile.write(target / "audio" / f"{key}.wav", audio[row], RATE, subtype="PCM_16")
            examples[key] = {
                "note_str": key,
                "note": len(examples),
                "instrument_str": name,
                "instrument": number,
                "pitch": pitch,
                "velocity": VELOCITIES[level],
                "sample_rate": RATE,
            }
    write_atomic(target / "examples.json", json.dumps(examples).encode())
    return len(examples)

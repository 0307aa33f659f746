"""Separates whole sounds and files with the same processors as live, at full speed. It owns no thread.

Offline separation streams from the zero state and removes the latency afterwards: stems are as long as the input and aligned to
the sample.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rtaudio.audio.format import SOURCES, Audio, StemplayError, StreamFormat
from rtaudio.audio.output_check import OutputCheck
from rtaudio.audio.stretch import KEYS, SPEEDS, require_stretcher, stretched, stretched_length
from rtaudio.files.sound_file import Reader, open_reader, require_undamaged
from rtaudio.files.stem_file import StemLabel, StemReader, open_stems, require_undamaged_stems
from rtaudio.files.stem_output import FORMATS, Output, StemOutput
from rtaudio.files.tags import read_tags
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.instrument.model import InstrumentModel
from rtaudio.processors.base import Processor
from rtaudio.processors.factory import make_frame_model, make_separator, refined_for_files
from rtaudio.protocol.checks import check_value
from rtaudio.protocol.settings import InsertState
from rtaudio.protocol.transpose import key_insert, pitched

BLOCK = 16_384
"""Frames of one call: enough that Python's overhead is negligible, few enough for a smooth progress bar."""

INTEGER_FORMATS = {"flac": 24, "alac.stem.mp4": 24}
"""Formats that round to integers, and their bits. WAV is written as 32-bit float."""
LOSSY_FORMATS = {"mp3": "MP3", "opus": "Opus", "stem.mp4": "AAC"}
"""Formats that keep what is heard, not the samples, and the names of their codecs."""

Model = str | Path | ModelRuntime | Processor


def separate_array(
    mix: Audio,
    rate: int,
    model: Model,
    consistent: bool = True,
    refine: bool = False,
    phases: int = 1,
    look_ahead_ms: float = 0.0,
) -> Audio:
    """Separate ``mix`` ``(frames, channels)`` (or ``(frames,)``) at ``rate`` Hz into ``(frames, n_sources, channels)``.

    Args:
        model: name in the zoo, directory, a loaded runtime (it is reset), or any processor.
        refine: as in ``separate_file``.
        phases: number of calls of a causal network for each hop, see ``StaggeredModel``; 1 for the network as it is.
        look_ahead_ms: refine with this much look-ahead, as live playing does.

    Raises:
        StemplayError: the model does not support these options, or rate or channels are invalid.
    """
    mix = np.asarray(mix, dtype=np.float32)
    mix = mix[:, None] if mix.ndim == 1 else mix
    processor = as_processor(model, consistent, refine, phases, look_ahead_ms)
    processor.prepare(StreamFormat(rate, mix.shape[1], BLOCK))
    blocks = (mix[start : start + BLOCK] for start in range(0, len(mix), BLOCK))
    out = np.empty((len(mix), len(processor.outputs), mix.shape[1]), dtype=np.float32)
    written = 0
    for stems in aligned_stems(processor, blocks, rate):
        out[written : written + len(stems)] = stems
        written += len(stems)
    return out


def filtered_array(mix: Audio, rate: int, model: str | Path | ModelRuntime) -> Audio:
    """Like ``separate_array``, but returns only ``mix`` through the refinement's filters. Only for separators that can be refined."""
    return separate_array(mix, rate, make_separator(refined_for_files(make_frame_model(model), share=1.0)))


def aligned_stems(processor: Processor, blocks: Iterable[Audio], rate: int) -> Iterator[Audio]:
    """The stems of ``blocks`` without the latency: as many frames in all as the input has.

    Args:
        processor: prepared for ``rate``.

    Raises:
        StemplayError: the model's output is invalid.
    """
    skip, check = processor.latency, OutputCheck(rate, processor.latency)
    for block in blocks:
        stems = processor.process(block)
        try:
            check(block, stems)
        except StemplayError as error:
            raise StemplayError(f"The model failed on this sound: {error}.") from None
        dropped = min(skip, len(stems))
        skip -= dropped
        yield stems[dropped:]
    yield processor.flush()[skip:]


def as_processor(
    model: Model, consistent: bool = True, refine: bool = False, phases: int = 1, look_ahead_ms: float = 0.0
) -> Processor:
    """Make a processor from a name, a path, a runtime or a processor."""
    if isinstance(model, Processor):
        return model
    return make_separator(model, consistent, for_files=refine, phases=phases, look_ahead_ms=look_ahead_ms)


@dataclass
class Separation:
    """Result of ``separate_file``.

    Attributes:
        rate, channels, frames: of the input and of each stem.
        latency: of the processor in samples at ``rate``; removed from the files.
        seconds: wall time.
        files: stem name -> file.
        clipped: stem name -> samples beyond full scale that an integer format clipped.
        warnings: problems of the song, one sentence each.
        labels: stem name -> name and colour, for stems that the song has itself.
    """

    rate: int
    channels: int
    frames: int
    latency: int
    seconds: float
    files: dict[str, Path]
    clipped: dict[str, int]
    warnings: list[str]
    labels: dict[str, StemLabel] = field(default_factory=dict)

    @property
    def rtf(self) -> float:
        """Wall time over duration (EQ-RT-1); 0 for an empty file."""
        return self.seconds * self.rate / self.frames if self.frames else 0.0


def separate_file(
    song: str | Path,
    directory: str | Path,
    model: Model | None,
    *,
    stems: Sequence[str] | None = None,
    format: str = "wav",
    consistent: bool = True,
    refine: bool = False,
    strict: bool = False,
    inserts: Mapping[str, Sequence[InsertState]] | None = None,
    tempo: float = 1.0,
    key: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> Separation:
    """Separate a sound file of any length into one file for each stem, ``directory/STEM.format``, in bounded memory.

    The formats ``stem.mp4`` and ``alac.stem.mp4`` are one file for all stems, ``directory/SONG.format``. Tags and cover of the song are
    copied; the name of the stem is added to the title. A file gets its name only when it is complete. Existing stems are replaced; the song
    itself never is.

    Args:
        model: as in ``separate_array``; None for the stems that the song has itself, if it is a stem file.
        stems: names of the stems to write; all if None.
        refine: refine the stems with the longest look-ahead (``rtaudio.processors.refine``), except for models that work in chunks
            and for enhancers.
        strict: refuse a damaged song before anything is written. Otherwise its readable part is separated, see ``Separation.warnings``.
        inserts: effects on stems, by the stems' names; their latency is removed, and what rings on after the song's end is left out.
        tempo: of the stems as a ratio to the song's, 0.5 to 1.5. The song is stretched before it is separated, as live.
        key: semitones by which all stems but the drums are transposed, -12 to 12.
        progress: called with (frames done, frames in all; 0 if unknown).

    Raises:
        StemplayError: the song, the model, a stem's name or the directory cannot be used.
    """
    started = time.perf_counter()
    if format not in FORMATS:
        raise StemplayError(f"There is no output format {format!r}; choose from {', '.join(FORMATS)}.")
    target, path = Path(directory), Path(song)
    if strict:
        (require_undamaged if model is not None else require_undamaged_stems)(song)
    check_tempo_and_key(tempo, key)
    with _open(song, model, consistent, refine, tempo) as source:
        reader, chosen = source.reader, _choose(source.outputs, stems)
        total = stretched_length(reader.frames, tempo)
        output = Output(target, path, chosen, format, reader.rate, reader.channels, total, read_tags(path), source.labels)
        frames = 0
        with StemOutput(output, _with_key(inserts or {}, chosen, key)) as files:
            for block in source.blocks:
                files.write({name: np.ascontiguousarray(block[:, source.outputs.index(name)]) for name in chosen})
                frames += len(block)
                if progress is not None:
                    progress(frames, total)
            files.flush()
        return Separation(
            rate=reader.rate,
            channels=reader.channels,
            frames=frames,
            latency=source.latency,
            seconds=time.perf_counter() - started,
            files=output.files,
            clipped=files.clipped,
            warnings=reader.warnings,
            labels=source.labels,
        )


@dataclass
class _Source:
    """Stems in blocks ``(frames, len(outputs), channels)``."""

    reader: Reader | StemReader
    outputs: tuple[str, ...]
    latency: int
    blocks: Iterator[Audio]
    labels: dict[str, StemLabel]


@contextmanager
def _open(song: str | Path, model: Model | None, consistent: bool, refine: bool, tempo: float) -> Iterator[_Source]:
    """The stems of a song by a model, or those that a stem file has."""
    if model is None:
        with open_stems(song) as stems:
            count, names = len(SOURCES), tuple(name for name in SOURCES if name in stems.labels)
            places = [SOURCES.index(name) for name in names]
            wide = stretched(stems.blocks(BLOCK), stems.rate, count * stems.channels, tempo)
            blocks: Iterator[Audio] = (block.reshape(len(block), count, -1)[:, places] for block in wide)
            yield _Source(stems, names, 0, blocks, stems.labels)
        return
    with open_reader(song) as reader:
        processor = as_processor(model, consistent, refine)
        processor.prepare(StreamFormat(reader.rate, reader.channels, BLOCK))
        mix = stretched(reader.blocks(BLOCK), reader.rate, reader.channels, tempo)
        blocks = aligned_stems(processor, mix, reader.rate)
        yield _Source(reader, processor.outputs, processor.latency, blocks, {})


def check_tempo_and_key(tempo: float, key: float) -> None:
    """Raise StemplayError if a song cannot have this tempo or key."""
    check_value("The song's tempo", tempo, SPEEDS)
    check_value("The key", key, KEYS)
    if tempo != 1.0 or key:
        require_stretcher()


def _with_key(inserts: Mapping[str, Sequence[InsertState]], stems: Sequence[str], key: float) -> Mapping[str, Sequence[InsertState]]:
    if not key:
        return inserts
    return {**inserts, **{name: [key_insert(key), *inserts.get(name, ())] for name in pitched(stems)}}


def _choose(outputs: tuple[str, ...], stems: Sequence[str] | None) -> list[str]:
    chosen = list(outputs) if stems is None else list(dict.fromkeys(stems))
    unknown = [name for name in chosen if name not in outputs]
    if unknown or not chosen:
        raise StemplayError(
            f"The model has no stem {', '.join(map(repr, unknown or ['']))}; its stems are {', '.join(outputs)}."
        )
    return chosen


class InstrumentNotes:
    """Renders whole notes of an exported instrument with the same steps as the engine.

    Args:
        model: name in the zoo or a directory.

    Attributes:
        instruments: names in the order of the table.

    Raises:
        StemplayError: the model is not an instrument, or cannot be used.
    """

    def __init__(self, model: str | Path) -> None:
        self.model = InstrumentModel(model)
        self.instruments = self.model.instruments

    def render(self, levels: Sequence[int], instruments: Sequence[int], pitches: Sequence[int]) -> Audio:
        """``(notes, samples)`` at the model's rate.

        Args:
            levels: rows of the velocity table; ``instruments``: of the instrument table; ``pitches``: MIDI numbers.
        """
        model, count = self.model, len(levels)
        velocity = np.eye(len(model.velocities), dtype=np.float32)[np.asarray(levels)]
        instrument = np.eye(len(model.instruments), dtype=np.float32)[np.asarray(instruments)]
        pitch = np.stack([model.pitch_weights(value) for value in pitches])
        state, parts = model.initial_state(count), []
        for step in range(model.PRIMING + model.samples // model.hop):
            audio, state = model.step(velocity, instrument, pitch, np.full(count, step, np.int64), state)
            if step >= model.PRIMING:
                parts.append(audio)
        return np.concatenate(parts, axis=1)

"""Separates whole sounds and files with the same processors as live, at full speed. It owns no thread.

Offline separation streams from the zero state and removes the latency afterwards: stems are as long as the input and aligned to
the sample.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtaudio.audio.format import Audio, StemplayError, StreamFormat
from rtaudio.audio.output_check import OutputCheck
from rtaudio.files.sound_file import FORMATS, create_writer, open_reader, require_undamaged
from rtaudio.files.writer import output_folder
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.instrument.model import InstrumentModel
from rtaudio.plugins.offline import OfflineInserts
from rtaudio.processors.base import Processor
from rtaudio.processors.factory import make_frame_model, make_separator, refined_for_files
from rtaudio.protocol.messages import InsertState

BLOCK = 16_384
"""Frames of one call: enough that Python's overhead is negligible, few enough for a smooth progress bar."""

INTEGER_FORMATS = {"flac": 24}
"""Formats that round to integers, and their bits. WAV is written as 32-bit float."""

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
    """

    rate: int
    channels: int
    frames: int
    latency: int
    seconds: float
    files: dict[str, Path]
    clipped: dict[str, int]
    warnings: list[str]

    @property
    def rtf(self) -> float:
        """Wall time over duration (EQ-RT-1); 0 for an empty file."""
        return self.seconds * self.rate / self.frames if self.frames else 0.0


def separate_file(
    song: str | Path,
    directory: str | Path,
    model: Model,
    *,
    stems: Sequence[str] | None = None,
    format: str = "wav",
    consistent: bool = True,
    refine: bool = False,
    strict: bool = False,
    inserts: Mapping[str, Sequence[InsertState]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Separation:
    """Separate a sound file of any length into one file for each stem, ``directory/STEM.format``, in bounded memory.

    A file gets its name only when it is complete. Existing stems are replaced; the song itself never is.

    Args:
        stems: names of the stems to write; all if None.
        refine: refine the stems with the longest look-ahead (``rtaudio.processors.refine``), except for models that work in chunks
            and for enhancers.
        strict: refuse a damaged song before anything is written. Otherwise its readable part is separated, see ``Separation.warnings``.
        inserts: effects on stems, by the stems' names; their latency is removed, and what rings on after the song's end is left out.
        progress: called with (frames done, frames in all; 0 if unknown).

    Raises:
        StemplayError: the song, the model, a stem's name or the directory cannot be used.
    """
    started = time.perf_counter()
    if format not in FORMATS:
        raise StemplayError(f"There is no output format {format!r}; choose from {', '.join(FORMATS)}.")
    target = Path(directory)
    if strict:
        require_undamaged(song)
    with open_reader(song) as reader:
        processor = as_processor(model, consistent, refine)
        chosen = _choose(processor.outputs, stems)
        processor.prepare(StreamFormat(reader.rate, reader.channels, BLOCK))
        frames = 0
        with ExitStack() as stack:  # an error discards all unfinished files
            effects = {
                name: stack.enter_context(OfflineInserts(states, reader.rate, reader.channels))
                for name, states in (inserts or {}).items()
                if name in chosen
            }
            stack.enter_context(output_folder(target))
            _keep_song(target, Path(song), chosen, format)
            paths = {name: target / f"{name}.{format}" for name in chosen}
            writers = {
                name: stack.enter_context(create_writer(path, reader.rate, reader.channels, format, reader.frames))
                for name, path in paths.items()
            }
            for stems_block in aligned_stems(processor, reader.blocks(BLOCK), reader.rate):
                for name, writer in writers.items():
                    stem = np.ascontiguousarray(stems_block[:, processor.outputs.index(name)])
                    writer.write(effects[name].process(stem) if name in effects else stem)
                frames += len(stems_block)
                if progress is not None:
                    progress(frames, reader.frames)
            for name, chain in effects.items():
                writers[name].write(chain.flush())
        return Separation(
            rate=reader.rate,
            channels=reader.channels,
            frames=frames,
            latency=processor.latency,
            seconds=time.perf_counter() - started,
            files=paths,
            clipped={name: writer.clipped for name, writer in writers.items()},
            warnings=reader.warnings,
        )


def _choose(outputs: tuple[str, ...], stems: Sequence[str] | None) -> list[str]:
    chosen = list(outputs) if stems is None else list(dict.fromkeys(stems))
    unknown = [name for name in chosen if name not in outputs]
    if unknown or not chosen:
        raise StemplayError(
            f"The model has no stem {', '.join(map(repr, unknown or ['']))}; its stems are {', '.join(outputs)}."
        )
    return chosen


def _keep_song(target: Path, song: Path, stems: list[str], format: str) -> None:
    """Raise StemplayError if a stem would replace the song."""
    for name in stems:
        path = target / f"{name}.{format}"
        if os.path.exists(path) and os.path.samefile(path, song):
            raise StemplayError(f"The stem {name} would overwrite the song {song}: choose another directory with -o.")


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

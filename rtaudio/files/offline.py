"""Whole sounds and files through the same processors as live, at full speed. No thread is owned here.

Offline *is* streaming from the zero state, with the latency taken off at the end: stems are as long as the input and aligned
to the sample.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtaudio.audio.format import Audio, StemplayError, StreamFormat
from rtaudio.audio.output_check import OutputCheck
from rtaudio.files.sound_file import FORMATS, create_writer, open_reader, require_undamaged
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.instrument.model import InstrumentModel
from rtaudio.processors.base import Processor
from rtaudio.processors.factory import make_frame_model, make_separator, refined_for_files

BLOCK = 16_384
"""Frames of one call: large enough that Python's part vanishes, small enough for a steady progress bar."""

INTEGER_FORMATS = {"flac": 24}
"""Formats that round, with their bits; WAV is written as 32-bit float."""

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
        phases: calls of a causal network in a hop, see ``Phases``; 1 as it is.
        look_ahead_ms: refine with so much look-ahead, as live playing does.

    Raises:
        StemplayError: the model cannot be used so, or rate or channels are impossible.
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
    """What refining draws the stems towards: ``mix`` filtered by their spectra; as ``separate_array``. Only of separators that stream."""
    return separate_array(mix, rate, make_separator(refined_for_files(make_frame_model(model), share=1.0)))


def aligned_stems(processor: Processor, blocks: Iterable[Audio], rate: int) -> Iterator[Audio]:
    """The stems of ``blocks`` with the latency taken off: in all as many frames as went in.

    Args:
        processor: prepared for ``rate``.

    Raises:
        StemplayError: the model gives what cannot be played.
    """
    skip, check = processor.latency, OutputCheck(rate, processor.latency)
    for block in blocks:
        stems = processor.process(block)
        try:
            check(block, stems)
        except StemplayError as error:
            raise StemplayError(f"The model is of no use for this sound: {error}.") from None
        dropped = min(skip, len(stems))
        skip -= dropped
        yield stems[dropped:]
    yield processor.flush()[skip:]


def as_processor(
    model: Model, consistent: bool = True, refine: bool = False, phases: int = 1, look_ahead_ms: float = 0.0
) -> Processor:
    """A processor for whatever names a model."""
    if isinstance(model, Processor):
        return model
    return make_separator(model, consistent, for_files=refine, phases=phases, look_ahead_ms=look_ahead_ms)


@dataclass
class Separation:
    """What ``separate_file`` did.

    Attributes:
        rate, channels, frames: of the input and of each stem.
        latency: of the processor in samples at ``rate``; taken off in the files.
        seconds: wall time.
        files: stem name -> file.
        clipped: stem name -> samples beyond full scale that an integer format clipped.
        warnings: what was wrong with the song, a sentence each.
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
    progress: Callable[[int, int], None] | None = None,
) -> Separation:
    """Separate a sound file of any length into one file a stem, ``directory/STEM.format``, in bounded memory.

    A file appears under its name only when it is complete. Existing stems are replaced; the song itself never is.

    Args:
        stems: names of the stems to write; all if None.
        refine: by the stems' own spectra, looking ahead as no live sound can (``rtaudio.processors.refine``); models in chunks and
            enhancers stay as they are.
        strict: refuse a damaged song before anything is written; else the sound that it has is separated, see ``Separation.warnings``.
        progress: called with (frames done, frames in all; 0 if unknown).

    Raises:
        StemplayError: one sentence; the song, the model, a stem's name or the directory cannot be used.
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
        _prepare_directory(target, Path(song), chosen, format)
        frames = 0
        with ExitStack() as stack:  # an error on the way discards every unfinished file
            paths = {name: target / f"{name}.{format}" for name in chosen}
            writers = {
                name: stack.enter_context(create_writer(path, reader.rate, reader.channels, format, reader.frames))
                for name, path in paths.items()
            }
            for stems_block in aligned_stems(processor, reader.blocks(BLOCK), reader.rate):
                for name, writer in writers.items():
                    writer.write(np.ascontiguousarray(stems_block[:, processor.outputs.index(name)]))
                frames += len(stems_block)
                if progress is not None:
                    progress(frames, reader.frames)
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


def _prepare_directory(target: Path, song: Path, stems: list[str], format: str) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in stems:
            path = target / f"{name}.{format}"
            if path.exists() and path.samefile(song):
                raise StemplayError(
                    f"The stem {name} would overwrite the song {song}: choose another directory with -o."
                )
    except OSError as error:
        raise StemplayError(f"The directory {target} cannot be made: {error.strerror}.") from None


class InstrumentNotes:
    """Whole notes of an exported instrument, by the same steps that the engine plays.

    Args:
        model: name in the zoo or a directory.

    Attributes:
        instruments: names in the order of the table.

    Raises:
        StemplayError: the model is no instrument, or cannot be used.
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

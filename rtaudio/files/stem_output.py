"""Where separated stems go: a sound file for each, or one stem file for all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from models.names import song_name
from rtaudio.audio.format import SOURCES, Audio, StemplayError, to_channels
from rtaudio.files.encoders import SOUND_FORMATS, export_writer
from rtaudio.files.stem_file import CHANNELS, StemLabel
from rtaudio.files.stem_writer import CODECS, StemWriter
from rtaudio.files.tags import Tags, printable
from rtaudio.files.writer import Writer, output_folder
from rtaudio.plugins.offline import OfflineInserts
from rtaudio.protocol.settings import InsertState

FORMATS = (*SOUND_FORMATS, *CODECS)
"""All formats, which are also the suffixes of the files."""

ALL = "stems"
"""Name of the one file of a stem format, among names of stems."""


def output_files(song: Path, stems: Sequence[str], format: str) -> dict[str, str]:
    """The files into which ``stems`` of ``song`` are written: ``{stem: name of the file}``, or one named like the song for all of them.

    Raises:
        StemplayError: there is no such format, or it does not hold these stems.
    """
    if format not in FORMATS:
        raise StemplayError(f"There is no output format {format!r}; choose from {', '.join(FORMATS)}.")
    if format in SOUND_FORMATS:
        return {stem: f"{stem}.{format}" for stem in stems}
    if set(stems) != set(SOURCES):
        raise StemplayError(f"A stem file has the stems {', '.join(SOURCES)}, all four, and not {', '.join(stems)}.")
    return {ALL: f"{song_name(song)}.{format}"}


@dataclass(frozen=True)
class Output:
    """What is written, and how.

    Attributes:
        folder: of the files, which exists. ``song``: the file that was separated. ``tags``: of the song.
        labels: names and colours of stems that have their own, by their strips.
    """

    folder: Path
    song: Path
    stems: Sequence[str]
    format: str
    rate: int
    channels: int
    frames: int
    tags: Tags
    labels: Mapping[str, StemLabel]

    @property
    def files(self) -> dict[str, Path]:
        """As ``output_files``."""
        return {name: self.folder / file for name, file in output_files(self.song, self.stems, self.format).items()}


class StemOutput:
    """Writes stems, block by block, with inserts on them. A context manager: an error discards all unfinished files."""

    def __init__(self, output: Output, inserts: Mapping[str, Sequence[InsertState]]) -> None:
        self._output, self._stack = output, ExitStack()
        self._effects: dict[str, OfflineInserts] = {}
        self._inserts = inserts
        self._writers: dict[str, Writer] = {}
        self._put: Callable[[dict[str, Audio]], None] = self._put_apart
        self._held: dict[str, Audio] = {}

    def __enter__(self) -> Self:
        output = self._output
        with ExitStack() as stack:
            for stem in output.stems:  # before the folder is made: plugins may be missing
                if self._inserts.get(stem):
                    effects = OfflineInserts(self._inserts[stem], output.rate, output.channels)
                    self._effects[stem] = stack.enter_context(effects)
            files = output.files
            stack.enter_context(output_folder(output.folder))
            for path in files.values():
                if os.path.exists(path) and os.path.samefile(path, output.song):
                    raise StemplayError(f"The file {path.name} would overwrite the song {output.song}: choose another directory with -o.")
            if output.format in CODECS:
                self._put = self._put_together
                self._held = {name: np.zeros((0, CHANNELS), np.float32) for name in SOURCES}
                path, tags = files[ALL], output.tags
                titled = replace(tags, title=tags.title or printable(song_name(output.song)))
                writer: Writer = StemWriter(path, output.rate, CODECS[output.format], output.labels, titled)
                self._writers[ALL] = stack.enter_context(writer)
            else:
                for stem, path in files.items():
                    self._writers[stem] = stack.enter_context(
                        export_writer(path, output.rate, output.channels, output.format, output.frames, self._tags(stem))
                    )
            self._stack = stack.pop_all()
        return self

    def _tags(self, stem: str) -> Tags:
        label = self._output.labels.get(stem)
        return self._output.tags.of_stem(label.name if label and label.name else stem.capitalize(), song_name(self._output.song))

    def write(self, stems: Mapping[str, Audio]) -> None:
        """Write a block ``(frames, channels)`` of each stem."""
        self._put({name: self._effects[name].process(stem) if name in self._effects else stem for name, stem in stems.items()})

    def flush(self) -> None:
        """Write what the inserts still hold."""
        self._put({name: effects.flush() for name, effects in self._effects.items()})

    @property
    def clipped(self) -> dict[str, int]:
        """Samples beyond full scale that the format clipped, for each file."""
        return {name: writer.clipped for name, writer in self._writers.items()}

    def _put_apart(self, stems: dict[str, Audio]) -> None:
        for name, stem in stems.items():
            self._writers[name].write(stem)

    def _put_together(self, stems: dict[str, Audio]) -> None:
        """Write as much as there is of all stems: inserts hold back the beginning of theirs."""
        for name, stem in stems.items():
            self._held[name] = np.concatenate([self._held[name], to_channels(stem, CHANNELS)])
        ready = min(len(stem) for stem in self._held.values())
        if ready:
            self._writers[ALL].write(np.concatenate([self._held[name][:ready] for name in SOURCES], axis=1))
            self._held = {name: stem[ready:] for name, stem in self._held.items()}

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)

"""The two networks that find beats and chords, from the files beside this module. ``networks/README.md`` says whose they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from rtaudio.inference.runtime import Graph

FOLDER = Path(__file__).parent / "networks"
CHUNK, OVERLAP = 2048, 256
"""Frames of the chord network that are processed together (48 s), and those on each side that are not kept: memory stays bounded."""

Rows = npt.NDArray[np.float32]


def beat_activations(spectrum: Rows) -> Rows:
    """``rtaudio.music.spectra.beat_spectrum`` to ``(frames, 3)``: probabilities of beat, downbeat and neither. Raises StemplayError."""
    return Graph(FOLDER / "beats.onnx").run("spectrum", spectrum)


class ChordNetwork:
    """The chord network; ``chunks`` of a song can be run one after the other, so that a caller may tell how far it is."""

    def __init__(self) -> None:
        self._graph = Graph(FOLDER / "chords.onnx")

    def chunks(self, frames: int) -> list[slice]:
        """Which frames of a song to compute at a time."""
        return [slice(start, min(start + CHUNK, frames)) for start in range(0, frames, CHUNK)]

    def run(self, cqt: Rows, cut: slice) -> Rows:
        """Probabilities ``(len(cut), 100)`` for these frames of ``rtaudio.music.spectra.constant_q``."""
        first = max(0, cut.start - OVERLAP)
        rows = self._graph.run("cqt", cqt[first : cut.stop + OVERLAP])
        return rows[cut.start - first : cut.stop - first]

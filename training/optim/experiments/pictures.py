"""Pictures of the experiments: mean over the seeds as a line, all seeds as a band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.data.store import replacing
from training.optim.experiments.simulations import HORIZONS

COLOURS = {"AB": "tab:blue", "MB": "tab:orange", "AG": "tab:green", "AF": "tab:purple", "HW": "tab:red", "SEQ": "black"}
NAMES = {"AB": "AdaBatch (AB)", "MB": "mini-batch (MB)", "AG": "Adagrad (AG)"}


def _figure(columns: int, height: float = 3.4) -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot.subplots(1, columns, figsize=(4.6 * columns + 0.4, height), layout="constrained", squeeze=False)


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot

    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=80)
    pyplot.close(figure)


def _band(axis: Any, x: Sequence[float], rows: Any, **style: Any) -> None:
    """Draw a line through the means of ``rows`` (seeds, points), and a band from the smallest to the largest."""
    values = np.array(rows, dtype=float)
    values[~np.isfinite(values)] = np.nan  # targets that were not reached are not drawn
    axis.plot(x, values.mean(axis=0), **style)
    axis.fill_between(x, values.min(axis=0), values.max(axis=0), color=style.get("color"), alpha=0.18, linewidth=0)


def _finish(axis: Any, title: str, x: str, y: str, legend: bool = True) -> None:
    axis.set_title(title, fontsize=9)
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    axis.grid(alpha=0.3, which="both")
    if legend:
        axis.legend(fontsize=7)


def draw_batches(path: Path, panels: Mapping[str, dict[str, dict[int, list[float]]]]) -> None:
    """Fig. 4.4: a panel for each title."""
    figure, axes = _figure(len(panels))
    for axis, (title, found) in zip(axes[0], panels.items(), strict=True):
        for method, rows in found.items():
            _band(
                axis,
                list(rows),
                np.array(list(rows.values())).T,
                color=COLOURS[method],
                marker="o",
                markersize=3,
                label=NAMES[method],
            )
        axis.set_xscale("log")
        _finish(axis, title, "batch size", "test loss after one pass")
    _save(figure, path)


def draw_convergence(path: Path, curves: dict[str, list[dict[str, Any]]], title: str) -> None:
    """Fig. 4.1, B.1, B.2, B.4: test loss over milliseconds and over samples, averaged over the seeds at equal checks."""
    figure, axes = _figure(2)
    for name, rows in curves.items():
        method, many = name.split(",")[0], not name.endswith("= 1") and "W" in name
        style = {"color": COLOURS[method], "linestyle": "--" if many else "-", "label": name, "linewidth": 1.3}
        points = min(len(row["loss"]) for row in rows)
        loss = [row["loss"][:points] for row in rows]
        seconds = 1000 * np.median([row["seconds"][:points] for row in rows], axis=0)
        _band(axes[0][0], list(seconds), loss, **style)
        _band(axes[0][1], rows[0]["samples"][:points], loss, **style)
    top = 1.15 * float(np.mean([row["loss"][0] for row in curves["SEQ"]]))
    for axis in axes[0]:
        axis.set_ylim(0, top)  # values outside the picture are worse than the start
    axes[0][0].set_xscale("symlog", linthresh=10)
    axes[0][0].set_xlim(left=0)
    _finish(axes[0][0], title, "milliseconds", "test loss")
    _finish(axes[0][1], title, "samples", "test loss", legend=False)
    _save(figure, path)


def draw_workers(
    path: Path, curves: dict[str, list[dict[str, Any]]], workers: list[int], title: str, to_target: Any
) -> None:
    """Fig. 4.3, B.3, B.5: time to a loss, and samples per second, over the number of workers."""
    figure, axes = _figure(2)
    for method in ("AB", "AF", "MB", "HW"):
        # With one worker there is nothing to share, so AF is AB.
        names = [f"{'AB' if method == 'AF' and w == 1 else method}, W = {w}" for w in workers]
        rows = [[1000 * to_target(name, s) for name in names] for s in range(len(curves["SEQ"]))]
        _band(axes[0][0], workers, rows, color=COLOURS[method], marker="o", label=method)
        if method == "AB":
            ideal = np.mean([row[0] for row in rows]) / np.array(workers)
            axes[0][0].plot(workers, ideal, color="grey", linestyle=":", label="ideal for AB")
        rates = [
            [c[s]["samples"][-1] / c[s]["seconds"][-1] / 1000 for c in (curves[name] for name in names)]
            for s in range(len(curves["SEQ"]))
        ]
        _band(axes[0][1], workers, rates, color=COLOURS[method], marker="o", label=method)
    for axis in axes[0]:
        axis.set_xticks(workers)
        axis.set_ylim(bottom=0)
    _finish(axes[0][0], title, "workers", "milliseconds to the common test loss")
    _finish(axes[0][1], title, "workers", "thousand samples a second")
    _save(figure, path)


def draw_svrg(path: Path, panels: Mapping[str, dict[str, dict[int, list[list[float]]]]]) -> None:
    """Fig. 4.2, B.6."""
    figure, axes = _figure(len(panels))
    for axis, (title, gaps) in zip(axes[0], panels.items(), strict=True):
        for method, rows in gaps.items():
            for k, (batch, curves) in enumerate(rows.items()):
                style = {
                    "color": COLOURS[method],
                    "linestyle": ("-", "--", "-.", ":")[k],
                    "label": f"{method}, B = {batch}",
                }
                _band(axis, range(len(curves[0])), curves, **style)
        axis.set_yscale("log")
        low, high = axis.get_ylim()
        axis.set_ylim(low / (high / low) ** 0.3, high)  # room for the legend, since lines are everywhere else
        _finish(axis, title, "passes", "training gap F - F*", legend=False)
        axis.legend(fontsize=6.5, loc="lower left", ncols=4)
    _save(figure, path)


def draw_horizons(path: Path, result: dict[str, Any]) -> None:
    """Measured gradients and their bounds."""
    figure, axes = _figure(2)
    for k, (name, rows) in enumerate(result["found"].items()):
        style = {"color": f"C{k}", "marker": "o", "markersize": 3, "label": name}
        for axis in axes[0]:
            _band(axis, HORIZONS, np.array([rows[n] for n in HORIZONS]).T, **style)
        axes[0][1].plot(HORIZONS, result["bounds"][name], color=f"C{k}", linestyle="--")
    first = np.mean(result["found"]["adam, beta1 = 0"][HORIZONS[0]])
    axes[0][0].plot(
        HORIZONS, first * np.sqrt(HORIZONS[0] / np.array(HORIZONS)), color="grey", linestyle=":", label="1/sqrt(N)"
    )
    for axis, title in zip(axes[0], ("measured", "measured, and the theorems' bounds (dashed)"), strict=True):
        axis.set_xscale("log")
        axis.set_yscale("log")
        _finish(axis, title, "steps N", "E |grad F(x_tau)|^2")
    _save(figure, path)


def draw_fixed(path: Path, result: dict[str, Any], sizes: dict[str, list[float]]) -> None:
    """The two halves of the horizon's rule, and the step sizes of the three kinds."""
    figure, axes = _figure(2)
    for k, (name, rows) in enumerate(result["found"].items()):
        _band(
            axes[0][0],
            HORIZONS,
            np.array([rows[n] for n in HORIZONS]).T,
            color=f"C{k}",
            marker="o",
            markersize=3,
            label=name,
        )
    axes[0][0].set_xscale("log")
    axes[0][0].set_yscale("log")
    _finish(axes[0][0], "Adam, beta1 = 0", "steps N", "E |grad F(x_tau)|^2")
    labels = {"adam": "the thesis' Adam (5.4)", "adam_exact": "Kingma and Ba (C.4)", "adagrad": "Adagrad (C.3)"}
    for kind, values in sizes.items():
        axes[0][1].plot(range(1, len(values) + 1), values, label=labels[kind])
    _finish(axes[0][1], "alpha_n, beta1 = 0.9, beta2 = 0.999", "step n", "alpha_n / alpha")
    _save(figure, path)


def draw_forgetting(path: Path, result: dict[str, Any], contained: dict[str, Any]) -> None:
    """F from a distant start; the largest weights of a sigmoid network divided by their bounds."""
    figure, axes = _figure(2)
    for k, (kind, rows) in enumerate(result["found"].items()):
        _band(axes[0][0], np.arange(len(rows[0])) * result["every"], rows, color=f"C{k}", label=kind)
    _finish(axes[0][0], "a far start, alpha = 0.1", "step", "F(x)")
    names = list(contained["found"])
    for k, part in enumerate(("first", "last")):
        values = [[run[part] / run[f"{part}_bound"] for run in contained["found"][name]] for name in names]
        for place, row in enumerate(values):
            axes[0][1].plot(
                [place + 0.15 * k] * len(row), row, "o", color=f"C{k}", label=f"{part} layer" if not place else None
            )
    axes[0][1].set_yscale("log")
    axes[0][1].axhline(1, color="grey", linestyle=":")
    axes[0][1].set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=7)
    _finish(axes[0][1], "containment", "", "largest weight over its bound")
    _save(figure, path)

"""The thesis' claims about its figures, tested on the measurements."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.optim.experiments.chapter4 import reached
from training.optim.experiments.claims import Claim, spread


def batch_claims(found: dict[str, dict[int, list[float]]], loss: str) -> list[Claim]:
    """Fig. 4.4."""
    v = {method: {batch: np.array(x) for batch, x in rows.items()} for method, rows in found.items()}
    sizes = sorted(v["AB"])
    mb, ab, ag = v["MB"], v["AB"], v["AG"]
    claims = [
        Claim(
            "Mini-batch SGD scales very badly as the batch grows.",
            [bool(x) for x in (mb[1000] > 1.1 * mb[50]) & (mb[200] > mb[50]) & (mb[50] > mb[1])],
            bool(mb[1000].mean() > mb[200].mean() > mb[50].mean()),
            f"loss {spread(mb[1])} at B = 1, {spread(mb[50])} at 50, {spread(mb[1000])} at 1000",
        ),
        Claim(
            "AdaBatch can even improve with larger batches, for the same number of samples.",
            [bool(x) for x in (np.minimum(ab[10], ab[50]) < ab[1]) & (ab[200] < mb[200])],
            bool(min(ab[10].mean(), ab[50].mean()) < ab[1].mean()),
            f"loss {spread(ab[1])} at B = 1, {spread(ab[50])} at 50, {spread(ab[1000])} at 1000",
        ),
    ]
    if loss == "logistic":
        gaps = {batch: ab[batch] - ag[batch] for batch in sizes}
        claims.append(
            Claim(
                "Adagrad is significantly better than AdaBatch on url, and the gap falls as the batch grows.",
                [bool(x) for x in np.all([gaps[b] > 0 for b in sizes], axis=0) & (gaps[200] < gaps[1])],
                bool(gaps[1].mean() > max(0.0, gaps[200].mean())),
                f"gap {spread(gaps[1])} at B = 1, {spread(gaps[50])} at 50, {spread(gaps[200])} at 200",
            )
        )
    else:
        claims.append(
            Claim(
                "With the least-mean-square loss on spam, constant-step SGD (AdaBatch) beats Adagrad.",
                [bool(x) for x in np.all([ab[b] < ag[b] for b in sizes[:3]], axis=0)],
                bool(np.mean([ab[b].mean() for b in sizes[:3]]) < np.mean([ag[b].mean() for b in sizes[:3]])),
                f"AdaBatch {spread(ab[50])} at B = 50, Adagrad {spread(ag[50])}",
            )
        )
    return claims


def target_of(curves: dict[str, list[dict[str, Any]]], seed: int) -> float:
    """A loss that all methods except mini-batch reach: slightly above the worst of their best losses."""
    return 1.01 * max(min(rows[seed]["loss"]) for name, rows in curves.items() if not name.startswith("MB"))


def convergence_claims(curves: dict[str, list[dict[str, Any]]], data: str) -> list[Claim]:
    """Fig. 4.1, B.1, B.2, B.4: claims for the largest number of workers."""
    most = max(int(name.rsplit(" ", 1)[1]) for name in curves if "W = " in name)
    seeds = range(len(curves["SEQ"]))
    need = {
        (method, over): np.array(
            [reached(curves[f"{method}, W = {most}"][s], target_of(curves, s), over) for s in seeds]
        )
        for method in ("AB", "MB", "HW")
        for over in ("samples", "seconds")
    }
    ab, mb, hw = (need[m, "samples"] for m in ("AB", "MB", "HW"))
    claims = [
        Claim(
            "AdaBatch needs fewer samples than mini-batch SGD.",
            [bool(x) for x in ab < mb], bool(ab.mean() < mb.mean()),
            f"samples to the common loss, W = {most}: AB {spread(list(ab))}, MB {spread(list(mb))}, HW {spread(list(hw))}",
        )
    ]  # fmt: skip
    ab, mb, hw = (1000 * need[m, "seconds"] for m in ("AB", "MB", "HW"))
    if data == "news20":
        text = "Wild AdaBatch reaches the goal the fastest on news20."
        holds, order = (ab < hw) & (ab < mb), bool(ab.mean() < min(hw.mean(), mb.mean()))
    else:
        text = "AdaBatch is competitive with Hogwild! (at most 1.5 times its time)."
        holds, order = ab < 1.5 * hw, bool(ab.mean() < 3 * hw.mean())
    claims.append(
        Claim(
            text, [bool(x) for x in holds], order,
            f"milliseconds, W = {most}: AB {spread(list(ab))}, MB {spread(list(mb))}, HW {spread(list(hw))}",
        )
    )  # fmt: skip
    return claims


def worker_claims(curves: dict[str, list[dict[str, Any]]], workers: list[int]) -> list[Claim]:
    """Fig. 4.3, B.3, B.5: claims from one worker to the largest number."""
    most = max(workers)
    seeds = range(len(curves["SEQ"]))
    rate = {
        name: np.array([rows[s]["samples"][-1] / rows[s]["seconds"][-1] for s in seeds])
        for name, rows in curves.items()
    }
    time_to = {
        count: np.array([reached(curves[f"AB, W = {count}"][s], target_of(curves, s), "seconds") for s in seeds])
        for count in (1, most)
    }
    faster = time_to[1] / np.maximum(time_to[most], 1e-9)
    more = rate[f"AB, W = {most}"] / rate["AB, W = 1"]
    owned = rate[f"AF, W = {most}"] / rate["AB, W = 1"]
    return [
        Claim(
            "The time to a given error falls nearly linearly with the workers.",
            [bool(x) for x in faster > 0.8 * most], bool(faster.mean() > 1),
            f"{most} workers are {spread(list(faster))} times as fast, and process {spread(list(more))} times the samples a second"
            f" ({spread(list(owned))} times if they share features)",
        ),
        Claim(
            "Hogwild! processes more samples a second than Wild AdaBatch.",
            [bool(x) for x in rate[f"HW, W = {most}"] > rate[f"AB, W = {most}"]],
            bool(rate[f"HW, W = {most}"].mean() > rate[f"AB, W = {most}"].mean()),
            f"thousand a second, W = {most}: HW {spread(list(rate[f'HW, W = {most}'] / 1000))},"
            f" AB {spread(list(rate[f'AB, W = {most}'] / 1000))}",
        ),
    ]  # fmt: skip


def svrg_claims(gaps: dict[str, dict[int, list[list[float]]]], data: str) -> list[Claim]:
    """Fig. 4.2, B.6: claims after the last epoch."""
    ends = {m: {b: np.array([curve[-1] for curve in rows]) for b, rows in v.items()} for m, v in gaps.items()}
    mb, ab = ends["MB"], ends["AB"]
    if data != "url":
        ratio = mb[50] / ab[50]
        return [
            Claim(
                f"On {data} mini-batch and AdaBatch differ less (by less than a factor of 3 at B = 50), and mini-batch can be better.",
                [bool(x) for x in (ratio < 3)], bool(ratio.mean() < 10),
                f"gap of mini-batch over that of AdaBatch at B = 50: {spread(list(ratio))}",
            )
        ]  # fmt: skip
    return [
        Claim(
            "The sample efficiency of mini-batch SVRG deteriorates as the batch grows.",
            [bool(x) for x in (mb[200] > mb[50]) & (mb[50] > mb[1])], bool(mb[200].mean() > mb[1].mean()),
            f"gap {spread(list(mb[1]))} at B = 1, {spread(list(mb[50]))} at 50, {spread(list(mb[200]))} at 200",
        ),
        Claim(
            "AdaBatch improves it.",
            [bool(x) for x in (ab[50] < ab[1]) & (ab[50] < mb[50])], bool(ab[50].mean() < mb[1].mean()),
            f"gap {spread(list(ab[1]))} at B = 1, {spread(list(ab[50]))} at 50, {spread(list(ab[200]))} at 200",
        ),
    ]  # fmt: skip

"""Measures the cost of inserts for a block of the audio callback: none, each built-in effect, isolated plugins, sixteen at once.

Times are those of the rack in a thread with the callback's priority, with one call in each block period, as in real time. The bound beside
them is the same effect in pedalboard alone, in one process and without fades, alignment or checks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.effects import make_effect
from rtaudio.plugins.foreign import open_plugin
from rtaudio.plugins.rack import Rack
from rtaudio.plugins.registry import ISOLATED_EFFECTS, load_insert
from rtaudio.protocol.insert_checks import check_all, is_foreign
from rtaudio.protocol.parameters import EFFECTS
from rtaudio.protocol.settings import InsertState, MixerState, StemState
from rtaudio.system.realtime import request_realtime, settle

RATE = 44_100
STRIPS = ("drums", "bass", "other", "vocals")
BLOCKS = (64, 256, 1024)
SIXTEEN = ("eq", "compressor", "reverb", "delay")


@dataclass(frozen=True)
class InsertCost:
    """Times of a block in microseconds.

    Attributes:
        alone: time of the same plugin without the rack, NaN if there is none. ``misses``: blocks without an answer.
    """

    what: str
    block: int
    p50: float
    p99: float
    alone: float
    misses: int
    latency: int


def measure_inserts(block: int, plugins: list[str], seconds: float) -> list[InsertCost]:
    """All rows for one block size. Raises StemplayError for a plugin that cannot be loaded.

    Args:
        plugins: other plugins to measure beside the built-in effects.
        seconds: duration of each row's measurement.
    """
    request_realtime()
    rows: list[tuple[str, list[str]]] = [("no insert", [])]
    rows += [(id, [id]) for id in EFFECTS if id not in ISOLATED_EFFECTS]
    rows += [(f"{name}, isolated", [name]) for name in (*(id for id in ISOLATED_EFFECTS if id in EFFECTS), *plugins)]
    rows.append(("sixteen built in", list(SIXTEEN) * 4))
    if plugins:
        rows.append((f"sixteen of {plugins[0]}, isolated", [plugins[0]] * 16))
    return [_measure(what, names, block, seconds) for what, names in rows]


def _measure(what: str, names: list[str], block: int, seconds: float) -> InsertCost:
    mixer = MixerState(stems={strip: StemState() for strip in STRIPS})
    for place, name in enumerate(names):
        mixer.stems[STRIPS[3 - place // 4]].inserts.append(InsertState(name))
    check_all(mixer)
    rack = Rack(STRIPS, RATE, block, 2, True, load_insert)
    rack.start(mixer)
    failed = [report.message for reports in rack.report().values() for report in reports if report.status == "missing"]
    if failed:
        rack.stop()
        raise StemplayError(failed[0])
    settle(block / RATE)
    sound = (0.1 * np.random.default_rng(0).standard_normal((block, 4, 2))).astype(np.float32)
    try:
        times = _paced(rack, sound, block, seconds)
        misses = sum(report.misses for reports in rack.report().values() for report in reports)
        latency = rack.latency
    finally:
        rack.stop()
    alone = _alone(names[0], block) if len(names) == 1 else float("nan")
    return InsertCost(what, block, float(np.percentile(times, 50)), float(np.percentile(times, 99)), alone, misses, latency)


def _paced(rack: Rack, sound: Audio, block: int, seconds: float) -> list[float]:
    """Microseconds of each call, with one call per block period."""
    strips, dry, out = sound.copy(), sound[:, 0].copy(), sound[:, 0].copy()
    times: list[float] = []
    due = time.monotonic()
    while len(times) * block / RATE < seconds:
        strips[...], dry[...], out[...] = sound, sound[:, 0], sound[:, 0]
        started = time.perf_counter()
        rack.process_strips(strips, dry)
        rack.process_master(out)
        times.append(1e6 * (time.perf_counter() - started))
        due += block / RATE
        time.sleep(max(0.0, due - time.monotonic()))
    return times[len(times) // 10 :]


def _alone(name: str, block: int, rounds: int = 400) -> float:
    """Median time of the plugin itself in this process."""
    if name.startswith("lv2:") or (is_foreign(name) and not name.lower().endswith(".vst3")):
        return float("nan")
    plugin: Plugin = open_plugin(name) if is_foreign(name) or name in ISOLATED_EFFECTS else make_effect(name)
    plugin.prepare(RATE, block, 2)
    sound = (0.1 * np.random.default_rng(0).standard_normal((block, 2))).astype(np.float32)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        plugin.process(sound.copy())
        times.append(1e6 * (time.perf_counter() - started))
    plugin.close()
    return float(np.median(times))


HEADER = "us a block                     | block |    p50 |    p99 | p99 of the block | in one process | times it | late | latency"


def row(cost: InsertCost) -> str:
    """One line of the table."""
    share = 100 * cost.p99 * 1e-6 * RATE / cost.block
    beside = "" if np.isnan(cost.alone) else f"{cost.alone:.0f}"
    ratio = "" if np.isnan(cost.alone) else f"{cost.p50 / cost.alone:.2f}"
    name = cost.what if len(cost.what) <= 30 else f"…{cost.what[-29:]}"
    return (
        f"{name:<30} | {cost.block:>5} | {cost.p50:>6.0f} | {cost.p99:>6.0f} | {share:>14.1f} % | {beside:>14} | {ratio:>8} | "
        f"{cost.misses:>4} | {cost.latency:>7}"
    )

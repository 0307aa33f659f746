"""Measures an instrument on this machine: voices, whole notes, the note cache, and the time from a key to its first sample."""

from __future__ import annotations

import gc
import importlib.util
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.card import ModelCard
from rtaudio.bench.machine import ROOT, Machine
from rtaudio.bench.timing import times
from rtaudio.instrument.model import InstrumentModel
from rtaudio.instrument.note_cache import note_batches, primed_states
from rtaudio.instrument.player import InstrumentPlayer
from rtaudio.instrument.synth import CACHE_BYTES, Synth
from rtaudio.midi.message import MidiMessage

THESIS_RATE = 11.75
"""Seconds of audio per second for whole notes on a CPU, according to the thesis (188 kHz at 16 kHz)."""

INT8_GAIN = 4.0
"""Ratio of the multiplications in an 8-bit instruction to those in a float32 one, on processors with dot products (VNNI, SDOT)."""

NOTES = (64, 256)
"""Numbers of whole notes rendered together. The faster one counts; eager torch has its own numbers, for which the same applies."""

COUNTS = (1, 2, 4, 8, 16, 32, 64, 96, 128)
DEVICE_RATE = 44_100
SOUNDING = 16
AUDIBLE = 1e-6


@dataclass(frozen=True)
class InstrumentCost:
    """The cost of an instrument, measured on one thread.

    Attributes:
        step_ms: by number of voices, the median time of the network's step for the next 16 ms of all of them.
        voices_half_core: number of voices whose steps fill half a core; ``synth_voices_half_core``: the same for the whole synthesis at
        44.1 kHz.
        notes_rate: seconds of audio per second for whole notes, ``NOTES`` together; ``notes_bound``: the rate if it were one matrix
        product, in int8 at ``INT8_GAIN`` times the speed of float32.
        eager_rate: ``notes_rate`` of the same network in eager torch; None without torch.
        cache_mib, cached_notes: memory and number of one instrument's primed notes.
    """

    name: str
    precision: str
    parameters: int
    timing_only: bool
    step_ms: dict[int, float]
    voices_half_core: float
    synth_voices_half_core: float
    notes_rate: float
    notes_bound: float | None
    eager_rate: float | None
    cache_mib: float
    cached_notes: int


@dataclass(frozen=True)
class NoteLatency:
    """The time from a MIDI message's arrival until its first sample is due at the output, in ms.

    Attributes:
        block: frames of a callback; ``declared_ms``: one block and the player's margin.
        resampler_ms: delay of the resampler. No other value includes it, because its filter's pre-ringing exceeds ``AUDIBLE`` at once.
        misses: blocks that were not ready.
    """

    block: int
    declared_ms: float
    resampler_ms: float
    p50_ms: float
    p99_ms: float
    largest_ms: float
    notes: int
    misses: int


def measure_instrument(model: str | Path, machine: Machine, seconds: float = 4.0) -> InstrumentCost:
    """Time one instrument. Raises StemplayError."""
    instrument = InstrumentModel(model)
    card = instrument.card
    gc.collect()
    gc.disable()
    try:
        each = seconds / len(COUNTS)
        step_ms = {count: 1000 * _step_time(instrument, count, each) for count in COUNTS}
        synth = {count: _synth_load(instrument, count, seconds) for count in (8, 32, 64)}
        notes = max(_notes_rate(instrument, count, seconds) for count in NOTES)
    finally:
        gc.enable()
    hop = card.hop / card.sample_rate
    memory, cached = cache_size(instrument)
    return InstrumentCost(
        name=card.name,
        precision=card.precision,
        parameters=card.parameters,
        timing_only=bool(card.training.get("timing_only", False)),
        step_ms=step_ms,
        voices_half_core=_crossing({count: value / 1000 / hop for count, value in step_ms.items()}, 0.5),
        synth_voices_half_core=_crossing(synth, 0.5),
        notes_rate=notes,
        notes_bound=notes_bound(card, machine.gflops),
        eager_rate=eager_rate(card),
        cache_mib=memory / 2**20,
        cached_notes=cached,
    )


def notes_bound(card: ModelCard, gflops: float) -> float | None:
    """The upper bound of whole-note rendering on one thread, in seconds of audio per second; None for an unknown network.

    Every step of a note, including priming, needs the network's products. ``gflops`` is the speed of one thread in large float32 ones.
    """
    operations = step_operations(card)
    if not operations:
        return None
    steps = float(card.training["steps"])
    heard = steps - InstrumentModel.PRIMING - 2  # hops of the note; the last two steps only finish it
    gain = INT8_GAIN if card.precision == "int8" else 1.0
    return card.hop / card.sample_rate * heard / (steps - 2) * gain * gflops * 1e9 / operations


def step_operations(card: ModelCard) -> int | None:
    """Multiplications and additions of one voice's step; None if the card does not have the sizes of a SING."""
    try:
        c = card.training["config"]
        size = c["velocity_dim"] + c["instrument_dim"] + c["pitch_dim"] + c["time_dim"]
        lstm = 4 * c["hidden"] * (size + c["hidden"] + (c["layers"] - 1) * 2 * c["hidden"])
        decoder = c["channels"] * (c["context"] * c["latent"] + 2 * c["channels"] + c["kernel"])
        decoder += 2 * c.get("bands", 0) * (c["channels"] + c["kernel"])
        return int(2 * (lstm + c["hidden"] * c["latent"] + decoder))
    except (KeyError, TypeError):
        return None


def cache_size(instrument: InstrumentModel) -> tuple[int, int]:
    """Bytes and number of the primed notes of the first instrument, at most as many as the synthesiser keeps."""
    sound = instrument.instrument_weights({0: 1})
    batches = list(note_batches(instrument, sound))
    one = next(iter(primed_states(instrument, sound, *(rows[:1] for rows in batches[0])).values())).nbytes
    count = min(sum(len(pitches) for _, pitches in batches), CACHE_BYTES // one)
    return count * one, count


def eager_rate(card: ModelCard) -> float | None:
    """Time whole notes of a network of the card's sizes in eager torch, in a separate process; None if that cannot run."""
    if importlib.util.find_spec("torch") is None or not (ROOT / "training").is_dir() or "config" not in card.training:
        return None
    config = json.dumps(card.training["config"])
    command = [sys.executable, "-m", "training", "bench", "--notes", config, "--threads", "1", "--json"]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return float(json.loads(child.stdout)["notes_rate"]) if child.returncode == 0 else None


def _symbols(instrument: InstrumentModel, count: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    eye = np.eye(len(instrument.velocities), dtype=np.float32)
    sounds = np.eye(len(instrument.instruments), dtype=np.float32)
    low, high = instrument.pitches
    pitches = np.stack([instrument.pitch_weights(p) for p in rng.integers(low, high + 1, count)])
    return eye[rng.integers(len(eye), size=count)], sounds[rng.integers(len(sounds), size=count)], pitches


def _step_time(instrument: InstrumentModel, count: int, seconds: float) -> float:
    """Seconds for a step of ``count`` voices."""
    symbols = _symbols(instrument, count)
    state = instrument.initial_state(count)
    moment = np.full(count, 20, np.int64)
    _, state = instrument.step(*symbols, moment, state)
    call = partial(instrument.step, *symbols, moment, state)
    first = times(call, 3)[-1]
    return float(np.median(times(call, max(10, min(400, round(seconds / first))))))


def _notes_rate(instrument: InstrumentModel, count: int, seconds: float) -> float:
    hop = instrument.hop / instrument.sample_rate
    steps = instrument.PRIMING + instrument.samples // instrument.hop
    heard = instrument.samples / instrument.hop / steps  # the cost includes the priming
    return count * hop * heard / _step_time(instrument, count, seconds)


def _synth_load(instrument: InstrumentModel, voices: int, seconds: float) -> float:
    """Share of a core that ``voices`` notes need in all: network, mixing, resampling to 44.1 kHz."""
    synth = Synth(instrument.sibling(), DEVICE_RATE, voices + 1)
    low, high = instrument.ranges[0]
    for k in range(voices):
        synth.handle(MidiMessage("note_on", k % 16, low + k % (high - low + 1), 100, 0.0))
    synth.render(2048)
    frames = int(min(seconds, 2.0) * DEVICE_RATE) // 256 * 256
    started = time.perf_counter()
    for _ in range(frames // 256):
        synth.render(256)
    return (time.perf_counter() - started) * DEVICE_RATE / frames


def _crossing(loads: dict[int, float], wanted: float) -> float:
    """The number at which the load is ``wanted``, interpolated between measured numbers, or extrapolated in proportion to the last."""
    counts, values = list(loads), list(loads.values())
    if wanted >= values[-1]:
        return counts[-1] * wanted / values[-1]
    return (
        float(np.interp(wanted, np.maximum.accumulate(values), counts))
        if wanted > values[0]
        else counts[0] * wanted / values[0]
    )


def measure_latency(model: str | Path, block: int = 256, notes: int = 60) -> NoteLatency:
    """Strike keys at random times while ``SOUNDING`` other notes sound, and find their first samples in the output.

    A thread of this process requests blocks at the pace of a device at 44.1 kHz. The other notes are panned to the left, so the right
    channel contains only the struck ones.
    """
    instrument = InstrumentModel(model)
    synth = Synth(instrument, DEVICE_RATE, SOUNDING + 16)
    sound = synth.channels[0].weights
    low, high = instrument.ranges[0]
    for velocities, pitches in note_batches(instrument, sound):
        synth.keep(primed_states(instrument, sound, velocities, pitches))
    synth.release_ms = 10.0
    player = InstrumentPlayer(synth, 2, block, realtime=True)
    player.start()
    gc.collect()
    gc.disable()  # as the engine does
    try:
        return _strike(player, range(low, high + 1), block, notes)
    finally:
        gc.enable()
        player.stop()


def _strike(player: InstrumentPlayer, keys: range, block: int, notes: int) -> NoteLatency:
    rng = np.random.default_rng(0)
    period = block / DEVICE_RATE
    gap = max(8, round(0.2 / period))
    strikes = {40 + gap * k: int(rng.integers(keys.start, keys.stop)) for k in range(notes)}
    player.push(MidiMessage("control", 0, 10, 0, time.monotonic()))
    player.push(MidiMessage("control", 1, 10, 127, time.monotonic()))
    found: list[float] = []
    struck: tuple[float, int] | None = None
    began = time.monotonic()
    out = np.zeros((block, 2), np.float32)
    for k in range(40 + gap * notes):
        due = began + k * period
        time.sleep(max(0.0, due - time.monotonic()))
        asked = time.monotonic()  # on a busy machine this is later than planned
        player.read(out)
        if k < 2 * SOUNDING and k % 2:
            player.push(MidiMessage("note_on", 0, keys[(k // 2 * 3) % len(keys)], 90, time.monotonic()))
        if k == 2 * SOUNDING + 4:
            player.reset()  # the first blocks fill caches and do not count
        loud = np.flatnonzero(np.abs(out[:, 1]) > AUDIBLE)
        if struck is not None and len(loud):
            found.append(asked + loud[0] / DEVICE_RATE - struck[0])
            player.push(MidiMessage("note_off", 1, struck[1], 0, time.monotonic()))
            struck = None
        if k % gap == 0 and k:  # renew the other notes
            player.push(MidiMessage("note_on", 0, keys[(k // gap * 5) % len(keys)], 90, time.monotonic()))
        if k in strikes:
            time.sleep(float(rng.uniform(0, 0.8)) * period)
            struck = (time.monotonic(), strikes[k])
            player.push(MidiMessage("note_on", 1, strikes[k], 100, struck[0]))
    p50, p99, most = (1000 * float(np.quantile(found, q)) for q in (0.5, 0.99, 1.0))
    resampler = 1000 * player.synth.latency / DEVICE_RATE
    return NoteLatency(block, 1000 * player.delay, resampler, p50, p99, most, len(found), player.misses)

"""Tries plugins: each is loaded in host processes as for real, played with changing blocks, turned at random, and its settings restored.

It needs no sound card and no real time. Whatever the plugin does, the trial goes on and says it in a sentence.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins.isolated import IsolatedPlugin
from rtaudio.plugins.scan import Entry, plugin_places
from rtaudio.protocol.insert_checks import split_plugin
from rtaudio.protocol.settings import InsertState

FIRST, SECOND = (44_100, 256, 2), (48_000, 64, 1)
"""Rate, block and channels of the two hosts of a trial."""
SIZES = (256, 100, 1, 17, 256)
"""Frames of the calls of the first, over and over."""
SECONDS = 1.0
TURNS = 8
"""Times that all parameters are set at random."""
LOUD = 1e-5
"""Samples below it, -100 dB, are silence."""
TOOL = "is neither an effect nor an instrument"
"""In the error of a plugin that has no audio input and takes no MIDI, or has no audio output."""
REST_S, SAMPLES_S, SLOW_S = 1.0, 4.0, 20.0
_NOTES = (36, 48, 60, 72)


@dataclass(frozen=True)
class Trial:
    """What became of one plugin.

    Attributes:
        role: ``effect``, ``instrument``, or ``tool``: neither, so that it has no place here.
        error: why it cannot be used, one sentence; "" for a plugin that works.
        notes: what else is to be said of one that works, a sentence each.
    """

    plugin: str
    name: str
    role: str
    error: str = ""
    notes: tuple[str, ...] = ()


def try_all(entries: list[Entry], progress: Callable[[int, int, str], None] | None = None) -> list[Trial]:
    """A trial of each plugin in ``entries``, two at a time.

    Args:
        progress: called with the number of finished plugins, the total, and the name of one.
    """
    done: list[Trial] = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for trial in pool.map(try_plugin, entries):
            done.append(trial)
            if progress is not None:
                progress(len(done), len(entries), trial.plugin)
    return done


def try_plugin(entry: Entry) -> Trial:
    """Try the plugin that a scan has described. Raises nothing."""
    plugin, name, error = str(entry["plugin"]), str(entry["name"]), str(entry["error"])
    role = "tool" if TOOL in error else "instrument" if entry["instrument"] else "effect"
    if error:
        return Trial(plugin, name, role, error)
    notes: list[str] = []
    try:
        saved, values = _first(plugin, role == "instrument", notes)
        if saved is not None:
            notes += _second(plugin, role == "instrument", saved, values)
    except StemplayError as failure:
        error = str(failure)
    except Exception as failure:  # a plugin of others may describe itself by anything; the other plugins are tried
        error = f"{name} could not be tried: {type(failure).__name__}: {failure}."
    return Trial(plugin, name, role, error, tuple(notes))


def _first(plugin: str, instrument: bool, notes: list[str]) -> tuple[bytes | None, dict[str, float]]:
    """Load and play it as it is, then turned at random. Returns its state (None: it failed when turned) and its values.

    Raises StemplayError if it does not work as it is.
    """
    with _host(plugin, instrument, FIRST) as host:
        if not _sounds(host):
            notes.append("It is silent as it is loaded.")
        try:
            rng = np.random.default_rng(1)
            for _ in range(TURNS):
                for parameter in host.parameters:
                    host.set(parameter.id, parameter.value(float(rng.random())))
                _peak(host, FIRST, SIZES, SECONDS / TURNS)
            return host.save_state(), {p.id: host.get(p.id) for p in host.parameters}
        except StemplayError as failure:
            notes.append(f"Turned at random: {failure}")
            return None, {}


def _sounds(host: IsolatedPlugin) -> bool:
    """Whether it gives any sound. An instrument may load samples or compute tables aside; nobody plays it within ``REST_S``."""
    until = time.monotonic() + (SAMPLES_S if host.is_instrument else 0.0)
    if host.is_instrument:
        time.sleep(REST_S)
    while _peak(host, FIRST, SIZES) < LOUD:
        if time.monotonic() >= until:
            return False
        time.sleep(0.1)
    return True


def _second(plugin: str, instrument: bool, saved: bytes, values: dict[str, float]) -> Iterator[str]:
    """Load it again with its state, in another format. Raises StemplayError if that does not work."""
    with _host(plugin, instrument, SECOND, saved) as host:
        for parameter in host.parameters:
            wanted, got = values.get(parameter.id, parameter.default), host.get(parameter.id)
            if abs(parameter.normal(wanted) - parameter.normal(got)) > 1e-3:
                yield f"Its state comes back with {parameter.name} at {parameter.text(got)} instead of {parameter.text(wanted)}."
        try:
            _peak(host, SECOND, (SECOND[1],), SECONDS / TURNS)
        except StemplayError as failure:
            yield f"With its state restored, {SECOND[0]} Hz, one channel: {failure}"


@contextlib.contextmanager
def _host(plugin: str, instrument: bool, form: tuple[int, int, int], saved: bytes = b"") -> Iterator[IsolatedPlugin]:
    host = IsolatedPlugin(InsertState(plugin), realtime=False, saved=saved, instrument=instrument)
    host.prepare(*form)
    try:
        yield host
    finally:
        host.close()


def _peak(host: IsolatedPlugin, form: tuple[int, int, int], sizes: tuple[int, ...], seconds: float = SECONDS) -> float:
    """Play it, an effect noise and an instrument four notes. The loudest sample. Raises StemplayError if it fails."""
    rate, block, channels = form
    rng, loudest, frames, call = np.random.default_rng(0), 0.0, 0, 0
    events = [(0, bytes((0x90, note, 100))) for note in _NOTES]
    until = time.monotonic() + SLOW_S
    while frames < seconds * rate:
        audio = (0.1 * rng.standard_normal((min(sizes[call % len(sizes)], block), channels))).astype(np.float32)
        answered = host.play(audio, events, 10.0) if host.is_instrument else host.process(audio)
        if not answered:
            raise StemplayError(host.trouble or f"{host.name} did not answer.")
        if time.monotonic() > until:
            raise StemplayError(f"{host.name} needs more than {SLOW_S:g} s for {seconds:g} s of sound.")
        loudest, frames, call, events = max(loudest, _loudness(audio)), frames + len(audio), call + 1, []
    if host.is_instrument:
        host.play(audio, [(0, bytes((0x80, note, 0))) for note in _NOTES], 10.0)
    return loudest


def _loudness(audio: Audio) -> float:
    return float(np.abs(audio).max())


def packages(plugins: list[str]) -> dict[str, str]:
    """What each plugin came with: the Debian package where dpkg knows it, else the name of its bundle or Python package."""
    where = plugin_places()
    found = {plugin: where.get(plugin) or Path(split_plugin(plugin)[0]) for plugin in plugins}
    found = {plugin: path.resolve() if path.is_absolute() else path for plugin, path in found.items()}  # bundles may be linked
    known = _debian(sorted({str(path) for path in found.values() if path.is_absolute()}))
    return {plugin: known.get(str(path).rstrip("/"), path.name) for plugin, path in found.items()}


def _debian(paths: list[str]) -> dict[str, str]:
    if not paths or shutil.which("dpkg-query") is None:
        return {}
    try:
        done = subprocess.run(
            ["dpkg-query", "-S", *(path.rstrip("/") for path in paths)], capture_output=True, text=True, errors="replace", timeout=60,
            stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (subprocess.TimeoutExpired, OSError):
        return {}
    rows = (line.partition(": ") for line in done.stdout.splitlines())
    return {path: names.split(",")[0].split(":")[0] for names, _, path in rows}


def markdown(trials: list[Trial]) -> str:
    """A table for docs: a row for each package."""
    of = packages([trial.plugin for trial in trials])
    rows: dict[str, list[Trial]] = {}
    for trial in trials:
        rows.setdefault(of[trial.plugin], []).append(trial)
    lines = ["| package | plugins | effects | instruments | tools, neither | do not work |", "|---|---|---|---|---|---|"]
    for package, those in sorted(rows.items()):
        counts = counted(those)
        lines.append(f"| {package} | {len(those)} | {counts['effect']} | {counts['instrument']} | {counts['tool']} | {_failures(those)} |")
    return "\n".join(lines)


def counted(trials: list[Trial]) -> dict[str, int]:
    """How many are ``effect``, ``instrument`` and ``tool``, and how many ``failed``."""
    counts: dict[str, int] = dict.fromkeys(("effect", "instrument", "tool", "failed"), 0)
    for trial in trials:
        counts[trial.role if not trial.error or trial.role == "tool" else "failed"] += 1
    return counts


def _failures(trials: list[Trial]) -> str:
    """How many do not work, and why."""
    reasons: dict[str, int] = {}
    for trial in trials:
        if trial.error and trial.role != "tool":
            reason = trial.error.replace(trial.name, "it").rstrip(".")
            reasons[reason] = reasons.get(reason, 0) + 1
    return "; ".join(f"{count}: {reason}" for reason, count in reasons.items()) or "0"

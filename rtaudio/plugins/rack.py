"""All inserts of an engine: a chain for each strip, for the master and for a live input, aligned in time.

**Latency compensation**: all strips and the dry sound are delayed to match the strip with the largest insert latency, so that stems sum to
the mix whatever is in their slots. The master's inserts come after the sum. Signals that bypass them or are recorded beside the mix are
delayed by their latency, too. The total is ``latency``.

Threads: ``set_state``, ``set_parameter``, ``restart`` and ``report`` belong to control threads. The thread ``stemplay-inserts`` loads
plugins, which takes a while, and closes removed ones. ``process_*`` and ``align`` belong to the audio callback.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import queue
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.chain import Chain
from rtaudio.plugins.slot import Slot
from rtaudio.protocol.insert_checks import MAX_STATE, is_foreign
from rtaudio.protocol.parameters import Parameter
from rtaudio.protocol.reports import InsertReport
from rtaudio.protocol.settings import InsertState, MixerState
from rtaudio.protocol.strips import INPUT, MASTER

MAX_UNPACKED = 1 << 24
"""Largest number of bytes of a plugin's state."""

Loader = Callable[[InsertState, int, int, int, bool], Plugin]
"""Maps ``(state, rate, block, channels, realtime)`` to a prepared plugin with the state's values."""


@dataclass
class _Entry:
    """One slot, as seen by the control threads."""

    state: InsertState
    slot: Slot | None = None
    error: str = ""
    loading: bool = True
    aligned: set[int] = field(default_factory=set)
    """Latencies, reported while it played, for which it was loaded again."""
    parameters: tuple[Parameter, ...] | None = None
    """Of the plugin when it was last loaded; None before."""


class Rack:
    """See the module's text.

    Args:
        strips: names of the mixer's strips, in order.
        rate: Hz. ``block``: frames of the largest call; longer ones work, in pieces. ``channels``: of each strip.
        realtime: if False, the caller may wait for plugins.
        load: makes a plugin from its state.
    """

    def __init__(self, strips: tuple[str, ...], rate: int, block: int, channels: int, realtime: bool, load: Loader) -> None:
        self.strips, self.rate, self.block, self.channels, self.realtime = strips, rate, block, channels, realtime
        self._load = load
        self._bpm: float | None = None
        self.chains = {name: Chain(rate, block, channels) for name in (*strips, MASTER, INPUT)}
        self._ordered = [self.chains[name] for name in strips]
        self._dry = Chain(rate, block, channels)
        self._strip = np.zeros((block, channels), np.float32)
        self._direct = Chain(rate, block, 2 * channels)
        self._beside = [Chain(rate, block, channels * len(strips)) for _ in range(2)]
        self._entries: dict[str, list[_Entry]] = {name: [] for name in self.chains}
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._leaving: list[tuple[str, Slot]] = []
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._version, self._seen = 0, 0  # of the plans, and of those after which all chains were idle
        self.latency_strips = self.latency_master = self.latency_input = 0

    # -- control threads --------------------------------------------------------------------------------------------------

    @property
    def latency(self) -> int:
        """Frames that all inserts add to the delay from the input to the output."""
        return self.latency_input + self.latency_strips + self.latency_master

    @property
    def tail_s(self) -> float:
        """Seconds that may still sound after the last input."""
        return max((sum(slot.plugin.tail_s for slot in chain.slots) for chain in self.chains.values()), default=0.0)

    @property
    def failure(self) -> str:
        """Why a plugin gives no sound any more, one sentence; empty while all work."""
        slots = (slot for chain in self.chains.values() for slot in chain.slots)
        return next((sentence for slot in slots if (sentence := slot.failure or slot.plugin.trouble)), "")

    @property
    def empty(self) -> bool:
        """Whether all slots are empty."""
        return not any(self._entries.values())

    def start(self, state: MixerState) -> None:
        """Load the plugins of ``state`` at once, before the first block. Raises StemplayError if one cannot be loaded off line."""
        self._take(state)
        for name in self._entries:
            self._load_missing(name)
        self._plan()
        for chain in self._every_chain():
            chain.jump()
        if not self.realtime:
            for entries in self._entries.values():
                for entry in entries:
                    if entry.error:
                        raise StemplayError(entry.error)
        self._thread = threading.Thread(target=self._serve, name="stemplay-inserts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close all plugins. The callback must have ended."""
        self._stopped = True
        self._work.put(None)
        if self._thread is not None:
            self._thread.join(5.0)
        for entries in self._entries.values():
            for entry in entries:
                if entry.slot is not None:
                    entry.slot.plugin.close()
        for _, slot in self._leaving:
            slot.plugin.close()

    def set_state(self, state: MixerState) -> None:
        """Change to the slots of ``state``. Plugins whose keys stay keep playing."""
        if self._take(state):
            self._work.put("load")

    def set_parameter(self, strip: str, key: str, parameter: str, value: float) -> None:
        """Set one parameter. Raises StemplayError for an unknown slot or parameter, or a value out of range."""
        with self._lock:
            entry = self._entry(strip, key)
            if entry.slot is not None:
                entry.slot.plugin.set(parameter, value)
            entry.state.values[parameter] = value

    def set_tempo(self, bpm: float) -> None:
        """Let all plugins, also those loaded later, know the tempo in beats a minute."""
        with self._lock:
            self._bpm = bpm
            for entry in (entry for entries in self._entries.values() for entry in entries):
                if entry.slot is not None:
                    entry.slot.plugin.set_tempo(bpm)

    def restart(self, strip: str, key: str) -> None:
        """Load the plugin of a slot again. Raises StemplayError for an unknown slot."""
        with self._lock:
            entry = self._entry(strip, key)
            if entry.slot is not None:
                entry.state.values.update(_values(entry.slot.plugin))
                self._leaving.append((strip, entry.slot))
            entry.slot, entry.error, entry.loading = None, "", True
        self._work.put("load")

    def plugin(self, strip: str, key: str) -> Plugin:
        """The plugin in a slot. Raises StemplayError if there is none, or if it is not loaded yet."""
        with self._lock:
            slot = self._entry(strip, key).slot
        if slot is None:
            raise StemplayError(f"The insert {key!r} of {strip} is not loaded.")
        return slot.plugin

    def parameters(self, strip: str, key: str) -> tuple[Parameter, ...]:
        """The parameters of the plugin in a slot, also while it is loaded again. Raises StemplayError if it was never loaded."""
        with self._lock:
            found = self._entry(strip, key).parameters
        if found is None:
            raise StemplayError(f"The insert {key!r} of {strip} is not loaded.")
        return found

    def take_changes(self) -> Iterator[tuple[str, InsertState]]:
        """The slots whose plugins changed their own settings since the last call: their strips, and their present states."""
        with self._lock:
            places = [(name, entry) for name, entries in self._entries.items() for entry in entries if entry.slot is not None]
        for name, entry in places:
            plugin = entry.slot.plugin if entry.slot is not None else None
            if plugin is None:
                continue
            values, state = plugin.take_changes()
            packed = pack_state(state) if state is not None else ""
            if len(packed) > MAX_STATE:
                plugin.note, packed = f"The settings of {plugin.name} beside its parameters are too large to be kept.", ""
            with self._lock:
                entry.state.values.update(values)
                entry.state.state = packed or entry.state.state
                changed = _copy(entry.state)
            if values or packed:
                yield name, changed
            latency = plugin.reported_latency
            if latency is not None and latency not in entry.aligned:  # once for each: a plugin that wavers must not restart for ever
                entry.aligned.add(latency)
                with contextlib.suppress(StemplayError):  # removed meanwhile
                    self.restart(name, changed.key)

    def report(self) -> dict[str, list[InsertReport]]:
        """Reports of the slots of each strip that has any."""
        with self._lock:
            return {name: [_report(entry) for entry in entries] for name, entries in self._entries.items() if entries}

    def _entry(self, strip: str, key: str) -> _Entry:
        for entry in self._entries.get(strip, []):
            if entry.state.key == key:
                return entry
        raise StemplayError(f"There is no insert {key!r} in {strip}.")

    def _take(self, state: MixerState) -> bool:
        """Compare the desired slots with the present ones. Returns whether anything must be loaded, closed or moved."""
        changed = False
        with self._lock:
            for name, wanted in inserts_of(state, self.strips):
                known = {_identity(entry.state): entry for entry in self._entries[name]}
                entries = [known.pop(_identity(x)) if _identity(x) in known else _Entry(_copy(x)) for x in wanted]
                for entry, new in zip(entries, wanted, strict=True):
                    _follow(entry, new)
                changed |= entries != self._entries[name]
                self._leaving += [(name, entry.slot) for entry in known.values() if entry.slot is not None]
                self._entries[name] = entries
        return changed

    # -- the thread that loads --------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while self._work.get() is not None:
            for quick in (True, False):  # built-in effects need not wait for plugins of others
                for name in self._entries:
                    self._load_missing(name, quick)
                self._plan()
            self._close_gone()

    def _load_missing(self, name: str, quick: bool = False) -> None:
        """Load what is waiting in a strip; only built-in effects if ``quick``."""
        for entry in tuple(self._entries[name]):
            if (quick and is_foreign(entry.state.plugin)) or not any(entry is other for other in self._entries[name]):
                continue
            if not entry.loading or self._stopped:
                continue
            with self._lock:
                state = _copy(entry.state)
            slot, error = self._make_slot(state)
            with self._lock:
                orphan = self._stopped or not any(entry is other for other in self._entries[name])
                if not orphan:
                    entry.slot, entry.error, entry.loading = slot, error, False
                if not orphan and slot is not None:  # whatever was asked for while it was loaded
                    entry.parameters = tuple(slot.plugin.parameters)
                    if self._bpm is not None:
                        slot.plugin.set_tempo(self._bpm)
                    slot.bypass = entry.state.bypass
                    for parameter, value in entry.state.values.items():
                        _set(slot.plugin, parameter, value)
            if orphan and slot is not None:
                slot.plugin.close()

    def _make_slot(self, state: InsertState) -> tuple[Slot | None, str]:
        """A slot with its plugin, or None and why there is none, in a sentence."""
        plugin: Plugin | None = None
        try:
            plugin = self._load(state, self.rate, self.block, self.channels, self.realtime)
            return Slot(plugin, state.key, self.rate, self.block, self.channels, state.bypass), ""
        except StemplayError as failure:
            error = str(failure)
        except Exception as failure:  # a plugin of others may raise anything; the sound goes on without it
            error = f"{state.plugin} could not be loaded: {type(failure).__name__}: {failure}."
        if plugin is not None:
            plugin.close()
        return None, error

    def _plan(self) -> None:
        """Give every chain its slots and its delay."""
        with self._lock:
            slots = {name: tuple(e.slot for e in entries if e.slot is not None) for name, entries in self._entries.items()}
        sums = {name: sum(slot.latency for slot in those) for name, those in slots.items()}
        self.latency_strips = max(sums[name] for name in self.strips)
        self.latency_master, self.latency_input = sums[MASTER], sums[INPUT]
        for name in self.strips:
            self.chains[name].plan(slots[name], self.latency_strips)
        for name in (MASTER, INPUT):
            self.chains[name].plan(slots[name], sums[name])
        self._dry.plan((), self.latency_strips)
        for chain in (self._direct, *self._beside):
            chain.plan((), self.latency_master)
        self._version += 1

    def _close_gone(self) -> None:
        """Close plugins that no chain plays any longer."""
        deadline = time.monotonic() + 2.0
        while self._leaving:
            with self._lock:
                gone = [(name, slot) for name, slot in self._leaving if not _plays(self.chains[name], slot)]
                if time.monotonic() > deadline:  # without callbacks nothing changes, and nothing is played either
                    gone = list(self._leaving)
                self._leaving = [item for item in self._leaving if item not in gone]
            for _, slot in gone:
                slot.plugin.close()
            time.sleep(0.01)

    def _every_chain(self) -> Iterator[Chain]:
        yield from (*self.chains.values(), self._dry, self._direct, *self._beside)

    # -- the audio callback -----------------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do at all."""
        return self._seen == self._version

    def process_input(self, audio: Audio) -> None:
        """Apply the inserts of the live input to ``(n, channels)``, in place."""
        if not self.idle:
            self._in_pieces(self.chains[INPUT], audio)

    def process_strips(self, strips: Audio, dry: Audio) -> None:
        """Apply the strips' inserts to ``(n, strips, channels)`` in place, and the same delay to the dry sound ``(n, channels)``."""
        if self.idle:
            return
        version = self._version
        for index, chain in enumerate(self._ordered):
            if not chain.idle:
                self._on_strip(chain, strips[:, index])
        self._in_pieces(self._dry, dry)
        if all(chain.idle for chain in self._every_chain()):
            self._seen = version

    def process_master(self, out: Audio) -> None:
        """Apply the inserts of the master to ``(n, channels)``, in place."""
        if not self.idle:
            self._in_pieces(self.chains[MASTER], out)

    @property
    def master_late(self) -> bool:
        """Whether ``direct`` has anything to do."""
        return not self._direct.idle

    def direct(self, audio: Audio) -> None:
        """Delay ``(n, 2 channels)``, which bypasses the master's inserts, to match their output."""
        self._in_pieces(self._direct, audio)

    def align(self, *strips: Audio) -> None:
        """Delay at most two signals ``(n, strips, channels)`` to match the output of the master's inserts."""
        for chain, signal in zip(self._beside, strips, strict=False):
            if not chain.idle and signal.shape[1]:
                self._in_pieces(chain, signal.reshape(len(signal), -1))

    def clear(self) -> None:
        """Clear the sound so far."""
        for chain in self._every_chain():
            chain.clear()

    def _on_strip(self, chain: Chain, audio: Audio) -> None:
        """Like ``_in_pieces``, by way of contiguous memory: NumPy is several times slower on the strided view of a strip."""
        for start in range(0, len(audio), self.block):
            part = audio[start : start + self.block]
            work = self._strip[: len(part)]
            work[...] = part
            chain.process(work)
            part[...] = work

    def _in_pieces(self, chain: Chain, audio: Audio) -> None:
        if len(audio) <= self.block:
            chain.process(audio)
            return
        for start in range(0, len(audio), self.block):
            chain.process(audio[start : start + self.block])


def inserts_of(state: MixerState, strips: tuple[str, ...]) -> Iterator[tuple[str, list[InsertState]]]:
    """The inserts of each strip, of the master and of the input."""
    for name in strips:
        yield name, state.stems[name].inserts if name in state.stems else []
    yield MASTER, state.inserts
    yield INPUT, state.input_inserts


def pack_state(state: bytes) -> str:
    """A plugin's saved state as text: compressed, base64."""
    return base64.b64encode(zlib.compress(state, 6)).decode() if state else ""


def unpack_state(state: InsertState) -> bytes:
    """Inverse of ``pack_state``. Raises StemplayError if the text is damaged."""
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(state.state.encode(), validate=True), MAX_UNPACKED)
        if unpacker.unconsumed_tail or not unpacker.eof:
            raise ValueError
        return data
    except (binascii.Error, UnicodeEncodeError, zlib.error, ValueError):
        raise StemplayError(f"The saved state of {state.plugin} is damaged.") from None


def _identity(state: InsertState) -> tuple[str, str, str]:
    """What makes a slot another one: its key, its plugin, and the state that was saved."""
    return state.key, state.plugin, state.state


def _copy(state: InsertState) -> InsertState:
    return InsertState(state.plugin, state.key, state.bypass, dict(state.values), state.state)


def _follow(entry: _Entry, new: InsertState) -> None:
    """Take over bypass and values of a slot that stays."""
    entry.state.bypass = new.bypass
    if entry.slot is None:
        entry.state.values.update(new.values)
        return
    entry.slot.bypass = new.bypass
    wanted = dict(new.values)
    if not new.state:  # what is not named is at its default
        wanted = {id: p.default for p in entry.slot.plugin.parameters if (id := p.id) in entry.state.values} | wanted
    for parameter, value in wanted.items():
        if entry.state.values.get(parameter) != value:
            _set(entry.slot.plugin, parameter, value)
    entry.state.values = dict(new.values)


def _set(plugin: Plugin, parameter: str, value: float) -> None:
    """Set the values of parameters that the plugin has. Values for other versions of it are kept but not used."""
    with contextlib.suppress(StemplayError):
        if plugin.get(parameter) != value:
            plugin.set(parameter, value)


def _values(plugin: Plugin) -> dict[str, float]:
    return {parameter.id: plugin.get(parameter.id) for parameter in plugin.parameters}


def _plays(chain: Chain, slot: Slot) -> bool:
    return any(slot is other for other in chain.slots)


def _report(entry: _Entry) -> InsertReport:
    state, slot = entry.state, entry.slot
    report = InsertReport(state.key, state.plugin, state.plugin)
    if slot is None:
        report.status = "loading" if entry.loading else "missing"
        report.message = entry.error
        return report
    plugin = slot.plugin
    report.message = slot.failure or plugin.trouble
    report.status = "failed" if report.message else "bypassed" if slot.bypass else "running"
    report.message = report.message or plugin.note
    report.name, report.latency, report.misses = plugin.name, slot.latency, slot.misses
    report.editor = bool(plugin.has_editor)
    return report

"""The engine: port -> ring -> worker -> ring -> mixer -> port.

Threads: ``_callback`` runs in the port's thread; it waits for nobody (except where time stands still, ``Port.realtime`` False),
raises nothing and always fills its buffer with finite samples. ``start``, ``stop``, ``send`` and ``snapshot`` belong to one or more
control threads, which may block. The model runs in the worker's thread (``rtaudio/worker.py``).

Latency: output at timeline position q plays input position ``q - L`` with ``L = processor.latency + block``: when the callback for
the block at p asks for the stems of ``[p - L, p - L + n)``, the worker has had the time of one block to process everything before
p, which reaches to ``p - processor.latency``. L never changes while the stream runs, whatever is late.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from rtaudio.failopen import FailOpen
from rtaudio.format import Audio, StemplayError, StreamFormat
from rtaudio.messages import Command, EngineConfig, Latency, MixerState, Recording, Snapshot, StemState, Transport
from rtaudio.metrics import LoadMeter
from rtaudio.mixer import Mixer
from rtaudio.ports.base import Port
from rtaudio.processors.base import Processor
from rtaudio.realtime import request_realtime
from rtaudio.ring import Ring
from rtaudio.worker import Worker

if TYPE_CHECKING:
    from rtaudio.analysis import SongAnalysis
    from rtaudio.player import FilePlayer
    from rtaudio.recorder import Recorder

CALLBACK_PRIORITY = 60
BACKLOG_S = 0.1
"""How far behind the worker may fall before it skips to the newest audio."""
PANIC_FADE = 256


class Engine:
    """One stream through one processor.

    Args:
        config: for routing and input channels; devices and models were opened by whoever built the parts.
        mixer: the faders to begin with.
        port, processor: where sound comes from and goes to, and what happens to it; the engine prepares and closes both.
        source: a song that plays instead of the port's input.
        recorder, analysis: optional helpers, started and stopped with the engine.

    Raises:
        StemplayError: the processor cannot work in this format, or the routing names what is not there.
    """

    def __init__(
        self,
        config: EngineConfig,
        mixer: MixerState,
        *,
        port: Port,
        processor: Processor,
        source: FilePlayer | None = None,
        recorder: Recorder | None = None,
        analysis: SongAnalysis | None = None,
    ) -> None:
        self.config, self.port, self.source, self.recorder, self.analysis = config, port, source, recorder, analysis
        channels = source.channels if source else 1 if port.in_channels == port.out_channels == 1 else 2
        self.format = StreamFormat(port.rate, channels, port.max_block)
        processor.prepare(self.format)
        if port.block:
            processor.align(port.block)
        self._processor, self.stems = processor, processor.outputs
        self._block = port.block or port.max_block
        self._delay = processor.latency + self._block
        self._mixer_state = mixer
        self._mixer = Mixer(self.stems, channels, port.rate, self._block, mixer)
        self._routes = _routes(config.routing, self.stems, port.out_channels)
        self._picks = _picks(config.input_channels, port.in_channels, channels)
        self._allocate(channels)
        backlog = max(round(BACKLOG_S * port.rate), 4 * self._block) if port.realtime else None
        self._worker = Worker(
            processor, self._inputs, self._stem_ring, port.rate, grain=port.block or 1, piece=self._block, backlog=backlog
        )
        self._sequence = 0
        self._state, self._message = "starting", ""

    def _allocate(self, channels: int) -> None:
        """Everything the callback touches exists before it runs."""
        n, s, rate = self._block, len(self.stems), self.format.rate
        keep = 2 * (self._delay + rate)
        self._inputs = Ring(keep, (channels,))
        self._stem_ring = Ring(keep, (s, channels), origin=-self._processor.latency)
        self._failopen = FailOpen(s, channels, rate, n)
        self._input = np.zeros((n, channels), np.float32)
        self._dry = np.zeros((n, channels), np.float32)
        self._stems = np.zeros((n, s, channels), np.float32)
        self._mixed = np.zeros((n, channels), np.float32)
        self._position = 0
        self._end: int | None = None
        self._gate, self._gate_until = 1.0, 0
        self.frames = self.xruns = self.misses = self.faults = 0
        self._fault = ""
        self._load = LoadMeter()
        self._realtime = ""
        self._warned = False

    # -- control threads -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the worker, the helpers and the port. Raises StemplayError if the device does not start."""
        self._worker.start()
        if self.analysis is not None:
            self.analysis.start()
        self.port.start(self._callback)
        self._state = "running"

    def stop(self) -> None:
        """Stop everything and finish files. The port may hang when its server died: then the process has to be killed."""
        if self.recorder is not None:
            self.recorder.stop()
        self.port.stop()
        if self.analysis is not None:
            self.analysis.stop()
        self._worker.stop()
        self.port.close()
        if self.source is not None:
            self.source.close()
        self._state = "stopped"

    @property
    def latency(self) -> Latency:
        """The composed number, see the module's text."""
        processor = self._processor
        return Latency(
            processor.algorithmic_latency,
            processor.resampler_latency,
            self._block,
            self.port.device_latency,
            self.format.rate,
        )

    def send(self, command: Command) -> None:
        """Obey ``command`` (not ``configure`` and ``shutdown``, which concern the process). Raises StemplayError if it cannot be."""
        handler = getattr(self, f"_do_{command.op}", None)
        if handler is None:
            raise StemplayError(f"A running engine cannot {command.op}.")
        handler(**command.args)

    def snapshot(self) -> Snapshot:
        """The present state; meters are those since the previous snapshot."""
        meters, master = self._mixer.take_meters()
        self._sequence += 1
        state, message = self._describe()
        return Snapshot(
            sequence=self._sequence,
            time=time.time(),
            state=state,
            message=message,
            rate=self.format.rate,
            block=self.port.block,
            port=self.port.name,
            frames=self.frames,
            xruns=self.xruns,
            misses=self.misses,
            dsp_load=self._load.summary(),
            model_load=self._worker.load.summary(),
            ring_fill=max(0, self._inputs.end - self._stem_ring.end - self._processor.latency),
            latency=self.latency,
            realtime=self._realtime or self._worker.realtime,
            limiter_db=self._mixer.limiter_db,
            meters=meters,
            master=master,
            transport=self._transport(),
            recording=self.recorder.status if self.recorder is not None else Recording(),
            mixer=self._mixer_state,
        )

    def _describe(self) -> tuple[str, str]:
        if self._state == "running" and (self.port.finished.is_set() or self._finished):
            return "finished", ""
        message = self._worker.message or self._fault
        if not message and self._failopen.failing:
            message = "The model is too slow for this machine at the moment: the delayed input plays instead."
        return self._state, message

    @property
    def _finished(self) -> bool:
        """Whether the song has ended and its last sample has left the mixer."""
        return self._end is not None and self._position >= self._end + self._delay

    def _transport(self) -> Transport:
        if self.source is None:
            return Transport()
        transport = self.source.transport()
        if self.analysis is not None:
            transport.analysed_s = self.analysis.analysed / self.format.rate
        return transport

    def _do_set_stem(self, stem: str, field: str, value: Any) -> None:
        if stem not in self.stems:
            raise StemplayError(f"There is no stem {stem!r}; this model gives {', '.join(self.stems)}.")
        state = self._mixer_state.stems.setdefault(stem, StemState())
        _assign(state, field, value, ("gain_db", "mute", "solo", "pan"))
        self._mixer.set_state(self._mixer_state)

    def _do_set_mixer(self, field: str, value: Any) -> None:
        _assign(self._mixer_state, field, value, ("dry", "master_db", "limiter", "ceiling_db", "bypass"))
        self._mixer.set_state(self._mixer_state)

    def _song(self) -> FilePlayer:
        if self.source is None:
            raise StemplayError("No song is loaded: the sound comes from a device.")
        return self.source

    def _do_play(self) -> None:
        if self.source is not None:
            self.source.play()

    def _do_pause(self) -> None:
        if self.source is not None:
            self.source.pause()

    def _do_seek(self, position_s: float) -> None:
        """With an analysed song the prepared processor takes over at the very block in which the song jumps."""
        song = self._song()
        frame = min(max(0, round(float(position_s) * self.format.rate)), song.length)
        prepared = None
        if self.analysis is not None and self.analysis.analysed >= frame:
            frame -= frame % self.analysis.grid
            prepared = self.analysis.prepare(frame)
        song.seek(frame, payload=prepared)

    def _do_set_loop(self, start_s: float | None, end_s: float | None) -> None:
        rate = self.format.rate
        self._song().set_loop(*(None if t is None else round(float(t) * rate) for t in (start_s, end_s)))

    def _do_record(self, directory: str, format: str) -> None:
        if self.recorder is None:
            raise StemplayError("This engine has no recorder.")
        self.recorder.start(directory, format)

    def _do_stop_recording(self) -> None:
        if self.recorder is not None:
            self.recorder.stop()

    def _do_reset_counters(self) -> None:
        self.xruns = self.misses = self.faults = 0
        self._fault = ""
        self._load.reset()
        self._worker.load.reset()
        self._mixer.reset_clips()

    def _do_panic(self) -> None:
        """Silence now: fade out, forget what is inside, come back when only new sound is left in the pipeline."""
        self._gate_until = self._position + self._delay + PANIC_FADE + self._block
        self._worker.swap(self._position + self._block, None)

    # -- the audio callback ----------------------------------------------------------------------------------------------

    def _callback(self, indata: Audio, outdata: Audio, xrun: bool) -> None:
        started = time.perf_counter()
        try:
            if not self._realtime and self.port.realtime:
                self._realtime = request_realtime(CALLBACK_PRIORITY)
            self.xruns += bool(xrun)
            for start in range(0, len(outdata), self._block):
                stop = start + self._block
                self._run_block(indata[start:stop], outdata[start:stop])
        except Exception as error:  # nothing may leave a callback; the person is told through the snapshot
            outdata[:] = 0.0
            self.faults += 1
            self._fault = f"The audio callback failed and played silence: {type(error).__name__}: {error}."
        finally:
            self._load.add((time.perf_counter() - started) * self.format.rate / max(1, len(outdata)))

    def _run_block(self, indata: Audio, outdata: Audio) -> None:
        n, position = len(outdata), self._position
        block, dry, stems, mixed = self._input[:n], self._dry[:n], self._stems[:n], self._mixed[:n]
        self._take_input(indata, block)
        self._inputs.write(position, block)
        self._position = position + n
        self._worker.notify(position + n)
        if not self.port.realtime:
            self._worker.wait_until(position + n)
        heard = position - self._delay
        late = not self._stem_ring.holds(heard, heard + n)
        if not late:
            self._stem_ring.read(heard, stems)
        elif heard + n > 0:
            self.misses += 1
        self._inputs.read(heard, dry)
        self._failopen.process(stems, dry, late)
        self._mixer.process(stems, dry, mixed)
        self._apply_gate(mixed, position)
        self._put_output(mixed, outdata)
        if self.recorder is not None:
            self.recorder.push(stems, mixed)
        self.frames += n

    def _take_input(self, indata: Audio, block: Audio) -> None:
        if self.source is not None:
            self.source.read_into(block)
            switch = self.source.switched
            if switch is not None and switch.payload is not None:
                self._worker.swap(self._position, switch.payload)
            if not self.source.finished:
                self._end = None
            elif self._end is None:
                self._end = self._position + len(block)
        elif self._picks:
            for channel, pick in enumerate(self._picks):
                block[:, channel] = indata[:, pick]
        else:
            block[:] = 0.0
        if not np.isfinite(block).all():
            np.nan_to_num(block, copy=False, nan=0.0, posinf=0.0, neginf=0.0)

    def _apply_gate(self, mixed: Audio, position: int) -> None:
        """The panic gate: a straight ramp of ``PANIC_FADE`` samples to its goal."""
        goal = 0.0 if position < self._gate_until else 1.0
        if self._gate == goal == 1.0:
            return
        steps = np.arange(1, len(mixed) + 1, dtype=np.float32)[:, None] / PANIC_FADE
        gain = np.clip(self._gate + (steps if goal > self._gate else -steps), min(goal, self._gate), max(goal, self._gate))
        mixed *= gain
        self._gate = float(gain[-1, 0])

    def _put_output(self, mixed: Audio, outdata: Audio) -> None:
        channels, have = mixed.shape[1], outdata.shape[1]
        if have == 1 and channels > 1:
            np.mean(mixed, axis=1, keepdims=True, out=outdata)
            return
        outdata[:] = 0.0
        outdata[:, : min(channels, have)] = mixed[:, :have]
        if channels == 1 and have > 1:
            outdata[:, 1] = mixed[:, 0]
        strips = self._mixer.strips
        for stem, targets in self._routes:
            for channel, target in enumerate(targets):
                outdata[:, target] += strips[:, stem, min(channel, channels - 1)]


def _assign(state: Any, field: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Set a field of the mixer's state to a value of its own type, in range. Raises StemplayError otherwise."""
    if field not in allowed:
        raise StemplayError(f"There is no control {field!r}; choose from {', '.join(allowed)}.")
    kind = type(getattr(state, field))
    if kind is bool:
        if not isinstance(value, bool):
            raise StemplayError(f"{field} is on or off, not {value!r}.")
    elif isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise StemplayError(f"{field} needs a number, not {value!r}.")
    limits = {"pan": (-1.0, 1.0), "dry": (0.0, 1.0), "gain_db": (-np.inf, 24.0), "master_db": (-np.inf, 24.0), "ceiling_db": (-60.0, 0.0)}
    low, high = limits.get(field, (-np.inf, np.inf))
    if not low <= value <= high:
        raise StemplayError(f"{field} of {value} is outside {low:g} to {high:g}.")
    setattr(state, field, kind(value))


def _routes(routing: dict[str, list[int]], stems: tuple[str, ...], channels: int) -> list[tuple[int, list[int]]]:
    """``[(stem index, 0-based output channels)]`` of a routing by name with 1-based channels."""
    routes = []
    for stem, targets in routing.items():
        if stem not in stems:
            raise StemplayError(f"There is no stem {stem!r} to route; this model gives {', '.join(stems)}.")
        if not targets or any(not 1 <= target <= channels for target in targets):
            raise StemplayError(f"Stem {stem} cannot go to channels {targets}: this output has channels 1 to {channels}.")
        routes.append((stems.index(stem), [target - 1 for target in targets]))
    return routes


def _picks(wanted: tuple[int, ...], available: int, channels: int) -> list[int]:
    """0-based input channel for each channel of the mix; mono goes to all. Empty without input."""
    if any(not 1 <= channel <= available for channel in wanted):
        raise StemplayError(f"Input channels {list(wanted)} are not there: this input has channels 1 to {available}.")
    if not available:
        return []
    chosen = [channel - 1 for channel in wanted] or list(range(min(channels, available)))
    return [chosen[min(i, len(chosen) - 1)] for i in range(channels)]

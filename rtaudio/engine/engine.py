"""The engine: port -> ring -> worker -> ring -> mixer -> port.

``Engine`` is what control threads see of it: it puts the parts together, passes commands on and reports. The sound itself is in
``rtaudio/engine/callback.py`` (the port's thread) and ``rtaudio/engine/worker.py`` (the model's thread).

Threads: ``start``, ``stop``, ``send`` and ``snapshot`` may block and belong to control threads; ``send`` may be called by several.
``Engine`` owns the thread ``stemplay-pipeline-builder``, which makes a new pipeline when the host begins to use blocks that the present
one was not made for.

Latency: output at timeline position q plays input position ``q - L`` with ``L = processor.latency + deadline`` (see
``rtaudio/engine/pipeline.py``). L does not change while the host keeps its block size, whatever is late, until a command gives the model
more time (``set_deadline``).
"""

from __future__ import annotations

import copy
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rtaudio.audio.format import StemplayError, StreamFormat
from rtaudio.engine.callback import AudioCallback
from rtaudio.engine.deadline import blocks_for
from rtaudio.engine.deadline_misses import DeadlineMisses, Stream
from rtaudio.engine.mixer import Mixer
from rtaudio.engine.pipeline import Pipeline
from rtaudio.engine.routing import assign, input_picks, output_routes
from rtaudio.midi.learned_buttons import LearnedButtons
from rtaudio.ports.base import Port
from rtaudio.processors.base import Processor
from rtaudio.protocol.messages import (
    Command,
    EngineConfig,
    InstrumentReport,
    Latency,
    MixerState,
    Recording,
    Snapshot,
    StemState,
    Transport,
)
from rtaudio.protocol.strips import strip_names
from rtaudio.tap.capture import Capture

if TYPE_CHECKING:
    from rtaudio.engine.recorder import Recorder
    from rtaudio.engine.song_analysis import SongAnalysis
    from rtaudio.files.song_player import FilePlayer
    from rtaudio.instrument.midi_dispatcher import MidiDispatcher

STALLED_S = 1.0
"""Without a callback for so long, a port of real time has stalled."""
FRESH_S = 0.5
"""A callback so long ago says nothing of now."""


class Engine:
    """One stream through one processor.

    Args:
        config: for routing and input channels; whoever built the parts has dealt with the rest.
        mixer: the faders to begin with; copied.
        port, processor: where sound comes from and goes to, and what happens to it. The engine prepares the processor and closes
            the port.
        source: a song that plays instead of the port's input.
        recorder, analysis: optional; stopped, and the analysis started, with the engine. The analysis must have been made for
            ``stream_plan(port)``.
        deadline: frames whose time the model gets, whole blocks (``rtaudio.engine.deadline``); 0 for one block.
        dispatcher: the instrument and its MIDI input, started and stopped with the engine; made for the rate of ``port``.

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
        dispatcher: MidiDispatcher | None = None,
        deadline: int = 0,
    ) -> None:
        self.config, self.port, self.source, self.recorder, self.analysis = config, port, source, recorder, analysis
        self.dispatcher, self._player = dispatcher, dispatcher.player if dispatcher is not None else None
        self.format, align = stream_plan(port, source)
        self.stems = strip_names(processor.outputs, dispatcher is not None)
        self._state = copy.deepcopy(mixer)
        routes = output_routes(config.routing, self.stems, port.out_channels)
        picks = input_picks(config.input_channels, port.in_channels, self.format.channels) if source is None else []
        heard = self._heard(mixer)
        pipeline = Pipeline(processor, self.format, align, heard, port.realtime, self._player, deadline)
        self.tap = Capture(self.format, self.stems)
        self._callback = AudioCallback(
            port, pipeline, picks, routes, source, recorder, round(config.seconds * port.rate), self.tap
        )
        self._lock = (
            threading.RLock()
        )  # of control threads among themselves; a learnt controller's order gives another one
        self._pipeline_builder = threading.Thread(target=self._keep, name="stemplay-pipeline-builder", daemon=True)
        self._learned_buttons = LearnedButtons()
        self._sequence = 0
        self._phase = "starting"
        self._notice = ""
        self._base = {"xruns": 0, "misses": 0, "faults": 0, "frames": 0}
        self._deadline_misses = DeadlineMisses()

    # -- life -------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the worker, the helpers and the port. Raises StemplayError if the device does not start."""
        self._pipeline.start()
        self._pipeline_builder.start()
        if self.dispatcher is not None:
            self.dispatcher.start(self._do_control)
        if self.analysis is not None:
            self.analysis.start()
        self.port.start(self._callback)
        self._callback.last_call = time.monotonic()
        self._phase = "running"

    def stop(self) -> None:
        """Stop everything and finish files. The port may hang when its server died: the process has to be killed then.

        May be called twice, and without ``start``.
        """
        if self._phase == "stopped":
            return
        started, self._phase = self._phase == "running", "stopped"
        if self.recorder is not None:
            self.recorder.stop()
        self.port.stop()
        if self.dispatcher is not None:
            self.dispatcher.stop()
        self._callback.unfit.put(None)
        if started:
            if self.analysis is not None:
                self.analysis.stop()
            self._pipeline_builder.join(5.0)
            self._pipeline.stop()
        self.port.close()
        if self.source is not None:
            self.source.close()

    @property
    def _pipeline(self) -> Pipeline:
        return self._callback.replace or self._callback.pipeline

    @property
    def _mixer(self) -> Mixer:
        return self._pipeline.mixer

    @property
    def latency(self) -> Latency:
        """The composed number, see the module's text."""
        pipeline = self._callback.pipeline
        rate = pipeline.format.rate
        return Latency(pipeline.algorithmic, pipeline.resampler, pipeline.given, self.port.device_latency, rate)

    def _keep(self) -> None:
        """The pipeline builder: give blocks of an unforeseen size a pipeline of their own. Latency changes once, between two fades."""
        while (size := self._callback.unfit.get()) is not None:
            old = self._callback.pipeline
            if not old.stop(timeout=None):
                continue
            block = max(old.format.block, 1 << (size - 1).bit_length())
            fmt = StreamFormat(old.format.rate, old.format.channels, min(block, 1 << 16))
            with self._lock:
                if self.analysis is not None:
                    self.analysis.stop()
                    self.analysis = None  # its states are of another alignment
                try:
                    state = self._heard(self._state)
                    fresh = Pipeline(
                        old.worker.processor, fmt, 0, state, self.port.realtime, self._player, given=old.given
                    )
                except Exception as error:
                    self._notice = f"The block size changed to {size} and the model cannot follow: {error}"
                    continue
                fresh.start()
                if self._player is not None:
                    self._player.block = fmt.block
                self._notice = f"The block size changed to {size}: the latency is now {fresh.delay} samples."
                self._callback.replace = fresh

    # -- commands ---------------------------------------------------------------------------------------------------------

    def send(self, command: Command) -> None:
        """Obey ``command`` (not ``configure`` and ``shutdown``, which concern the process).

        ``seek`` in an analysed song takes a fraction of a second, while the old place plays on. Raises StemplayError if the
        command cannot be obeyed.
        """
        handler = getattr(self, f"_do_{command.op}", None)
        if handler is None:
            raise StemplayError(f"A running engine cannot {command.op}.")
        with self._lock:
            handler(**command.args)

    def _do_set_stem(self, stem: str, field: str, value: Any) -> None:
        if stem not in self.stems:
            raise StemplayError(f"There is no stem {stem!r}; this model gives {', '.join(self.stems)}.")
        state = copy.deepcopy(self._state)
        assign(state.stems.setdefault(stem, StemState()), field, value, ("gain_db", "mute", "solo", "pan", "armed"))
        self._mixer.set_state(self._heard(state))
        self._state = state

    def _do_set_mixer(self, field: str, value: Any) -> None:
        state = copy.deepcopy(self._state)
        assign(state, field, value, ("dry", "master_db", "limiter", "ceiling_db", "bypass", "monitor"))
        self._mixer.set_state(self._heard(state))
        self._state = state

    def _do_set_deadline(self, ms: Any) -> None:
        pipeline = self._pipeline
        pipeline.give(blocks_for(float(ms) / 1000, pipeline.format) * pipeline.format.block)

    def _heard(self, state: MixerState) -> MixerState:
        """``state`` as the mixer obeys it: monitoring is a matter of live inputs only."""
        return state if self.source is None else replace(state, monitor=True)

    def _song(self) -> FilePlayer:
        if self.source is None:
            raise StemplayError("No song is loaded: the sound comes from a device.")
        return self.source

    def _do_play(self) -> None:
        self._song().play()

    def _do_pause(self) -> None:
        self._song().pause()

    def _do_seek(self, position_s: float) -> None:
        """With an analysed song, a processor that has caught up takes over at the very block in which the song jumps."""
        song = self._song()
        frame = min(max(0, round(float(position_s) * self.format.rate)), song.length)
        prepared = None
        if self.analysis is not None:
            frame -= frame % self.analysis.grid
            prepared = self.analysis.prepare(frame)
        # Unfaded, so that a model hears the song as it is; the callback spreads the step. Without one the old place fades into the new.
        song.seek(frame, fade=self.config.model == "none", payload=prepared)

    def _do_set_loop(self, start_s: float | None, end_s: float | None) -> None:
        """A loop takes effect at once: where its end has passed, or comes too soon for the loop's fade, the song goes back to its start."""
        rate, song = self.format.rate, self._song()
        song.set_loop(*(None if t is None else round(float(t) * rate) for t in (start_s, end_s)))
        loop = song.loop
        if loop is not None and song.position > loop[1] - song.fade - 2 * self.format.block:
            self._do_seek(loop[0] / rate)

    def _do_record(self, directory: str, format: str) -> None:
        if self.recorder is None:
            raise StemplayError("This engine has no recorder.")
        armed = [name for name in self.stems if self._state.stems.get(name, StemState()).armed]
        self.recorder.start(directory, format, armed)

    def _do_stop_recording(self) -> None:
        if self.recorder is not None:
            self.recorder.stop()

    def _do_reset_counters(self) -> None:
        callback = self._callback
        for name in ("xruns", "misses", "faults"):
            self._base[name] = getattr(callback, name)
        self._notice = callback.fault = ""
        callback.load.reset()
        self._pipeline.worker.load.reset()
        if self._player is not None:
            self._player.reset()
        self._mixer.reset_clips()

    def _do_panic(self) -> None:
        """Silence now, by a short fade, and the song pauses; processor and rings are emptied, new sound comes back after ``PANIC_S``."""
        self._callback.panic = True
        if self.source is not None:
            self.source.pause()
        if self.dispatcher is not None:
            self.dispatcher.panic()

    def _dispatcher(self) -> MidiDispatcher:
        if self.dispatcher is None:
            raise StemplayError("This engine has no instrument: start it with one.")
        return self.dispatcher

    def _do_midi(self, data: list[int]) -> None:
        self._dispatcher().receive(data)

    def _do_set_sound(self, channel: int, shares: dict[str, float]) -> None:
        self._dispatcher().set_sound(channel, shares)

    def _do_set_instrument(self, field: str, value: Any) -> None:
        self._dispatcher().set_field(field, value)

    def _do_set_midi_map(self, entries: list[dict[str, Any]]) -> None:
        self._dispatcher().set_map(entries)

    def _do_learn(self, target: str) -> None:
        self._dispatcher().learn(target)

    def _do_forget(self, target: str) -> None:
        self._dispatcher().forget(target)

    def _do_control(self, target: str, value: float | None) -> None:
        """A learnt controller moved: ``stem.NAME.FIELD``, ``mixer.FIELD``; or a button was pressed (None)."""
        kind, *rest = target.split(".")
        if value is None:
            self._press(target)
        elif kind == "stem" and len(rest) == 2:
            self.send(Command("set_stem", {"stem": rest[0], "field": rest[1], "value": value}))
        elif kind == "mixer" and len(rest) == 1:
            self.send(Command("set_mixer", {"field": rest[0], "value": value}))

    def _press(self, target: str) -> None:
        """What a press asks for; in the thread of the MIDI input, so that what is impossible becomes a sentence for the person."""
        recording = self.recorder.status if self.recorder is not None else Recording()
        with self._lock:
            try:
                for order in self._learned_buttons.orders(target, self._state, self._transport(), recording, self._dispatcher().state):
                    self.send(order)
            except StemplayError as error:
                self._notice = str(error)

    # -- report -----------------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The present state; meters are those since the previous snapshot, so only one thread should ask."""
        callback, pipeline = self._callback, self._callback.pipeline
        meters, master = pipeline.mixer.take_meters()
        self._sequence += 1
        late = self._late()
        return Snapshot(
            sequence=self._sequence,
            time=time.time(),
            state=self._describe(),
            message=self._message(late),
            rate=self.format.rate,
            block=self.port.block,
            port=self.port.name,
            frames=callback.frames,
            xruns=callback.xruns - self._base["xruns"],
            misses=callback.misses - self._base["misses"],
            dsp_load=callback.load.summary(),
            model_load=pipeline.worker.load.summary() | {"own": self._deadline_misses.own},
            ring_fill=max(0, pipeline.inputs.end - pipeline.worker.position),
            latency=self.latency,
            realtime=self._realtime(),
            offer=1000 * self._deadline_misses.offer / self.format.rate,
            resting=self.resting,
            limiter_db=pipeline.mixer.limiter_db,
            meters=meters,
            master=master,
            transport=self._transport(),
            recording=self.recorder.status if self.recorder is not None else Recording(),
            recordings=self.recorder.ended if self.recorder is not None else [],
            mixer=copy.deepcopy(self._state),
            instrument=self.dispatcher.report() if self.dispatcher is not None else InstrumentReport(),
        )

    @property
    def resting(self) -> bool:
        """Whether nothing sounds and nothing moves: no song, recording or note."""
        moves = (self.source is not None and self.source.playing) or (
            self.recorder is not None and self.recorder.status.active
        )
        fresh = time.monotonic() - self._callback.last_call < FRESH_S
        return fresh and not moves and self._callback.pipeline.resting

    def _describe(self) -> str:
        if self._phase != "running":
            return self._phase
        if self._callback.song_ended or (self.port.finished.is_set() and not self.port.error):
            return "finished"
        if self.port.realtime and time.monotonic() - self._callback.last_call > STALLED_S:
            return "stalled"
        return "running"

    def _message(self, late: str) -> str:
        callback = self._callback
        message = self.port.error or callback.fault or callback.pipeline.worker.message
        if not message and self.analysis is not None:
            message = self.analysis.error
        if not message and self.dispatcher is not None:
            message = self.dispatcher.message
        return message or late or self._notice

    def _late(self) -> str:
        """Why blocks are late, while they are."""
        callback, pipeline = self._callback, self._callback.pipeline
        worker, fmt = pipeline.worker, pipeline.format
        separated, plays = self.config.model != "none", self.dispatcher is not None
        stream = Stream(
            fmt.rate,
            fmt.block,
            worker.processor.burst,
            pipeline.given,
            separated,
            plays,
            worker.realtime,
            self.port.realtime,
        )
        return self._deadline_misses.look(stream, callback.frames, callback.misses, worker.spent)

    def _realtime(self) -> str:
        port, worker = self.port.scheduling, self._callback.pipeline.worker.realtime
        if port and worker and port != worker:
            return f"sound {port}; model {worker}"
        return port or worker

    def _transport(self) -> Transport:
        if self.source is None:
            return Transport()
        transport = self.source.transport()
        if self.analysis is not None:
            transport.analysed_s = self.analysis.analysed / self.format.rate
        return transport


def stream_plan(port: Port, source: FilePlayer | None = None) -> tuple[StreamFormat, int]:
    """The format in which an engine on ``port`` works, and the block that it promises its processors (0: none).

    Stereo, or mono where everything is.
    """
    mono = port.in_channels == port.out_channels == 1
    channels = source.channels if source is not None else 1 if mono else 2
    return StreamFormat(port.rate, channels, max(1, port.max_block)), port.block

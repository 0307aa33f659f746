"""The engine: port -> ring -> worker -> ring -> mixer -> port.

Control threads use ``Engine``, which puts the parts together, passes commands on and reports. The sound itself is processed in
``rtaudio/engine/callback.py`` (the port's thread) and ``rtaudio/engine/worker.py`` (the model's thread).

Threads: ``start``, ``stop``, ``send`` and ``snapshot`` may block and belong to control threads; ``send`` may be called by several.
``Engine`` owns the thread ``stemplay-pipeline-builder``, which makes a new pipeline when the host changes to blocks for which the present
one was not prepared.

Latency: output at timeline position q plays input position ``q - L`` with ``L = processor.latency + deadline`` (see
``rtaudio/engine/pipeline.py``). L changes only if the host changes its block size or a command changes the model's deadline
(``set_deadline``), not if the model is late.
"""

from __future__ import annotations

import copy
import threading
import time
from typing import TYPE_CHECKING

from rtaudio.audio.format import StreamFormat
from rtaudio.audio.tempo import Tempo
from rtaudio.engine.callback import AudioCallback
from rtaudio.engine.click import Click
from rtaudio.engine.conductor import Conductor, Score
from rtaudio.engine.deadline_misses import DeadlineMisses
from rtaudio.engine.pipeline import Pipeline
from rtaudio.engine.report import EngineReport
from rtaudio.engine.routing import input_picks, output_routes
from rtaudio.midi.learned_buttons import LearnedButtons
from rtaudio.plugins.rack import Loader, Rack
from rtaudio.ports.base import Port
from rtaudio.processors.base import Processor
from rtaudio.protocol.insert_checks import check_all
from rtaudio.protocol.settings import EngineConfig, MixerState
from rtaudio.protocol.strips import strip_names
from rtaudio.tap.buffer import TapBuffer

if TYPE_CHECKING:
    from rtaudio.engine.recorder import Recorder
    from rtaudio.engine.song_analysis import SongAnalysis
    from rtaudio.files.tempo_player import TempoPlayer
    from rtaudio.instrument.midi_dispatcher import MidiDispatcher


class Engine(EngineReport):
    """One stream through one processor.

    Args:
        config: its routing and input channels are used here; the caller has built the parts from the rest.
        mixer: the initial state of the mixer; copied.
        port, processor: the input and output, and the separator. The engine prepares the processor and closes the port.
        source: a song that plays instead of the port's input.
        recorder, analysis: optional; stopped, and the analysis started, with the engine. The analysis must have been made for
            ``stream_plan(port)``.
        deadline: time given to the model in frames, whole blocks (``rtaudio.engine.deadline``); 0 for one block.
        load_insert: makes the plugins of inserts; without it there are none.
        dispatcher: the instrument and its MIDI input, started and stopped with the engine; made for the rate of ``port``.

    Raises:
        StemplayError: the processor cannot work in this format, or the routing names an unknown stem or channel.
    """

    def __init__(
        self,
        config: EngineConfig,
        mixer: MixerState,
        *,
        port: Port,
        processor: Processor,
        source: TempoPlayer | None = None,
        recorder: Recorder | None = None,
        analysis: SongAnalysis | None = None,
        dispatcher: MidiDispatcher | None = None,
        deadline: int = 0,
        load_insert: Loader | None = None,
    ) -> None:
        self.config, self.port, self.source, self.recorder, self.analysis = config, port, source, recorder, analysis
        self.dispatcher, self._player = dispatcher, dispatcher.player if dispatcher is not None else None
        self.format, align = stream_plan(port, source)
        self.stems = strip_names(processor.outputs, dispatcher is not None)
        self._state = copy.deepcopy(mixer)
        check_all(self._state)
        routes = output_routes(config.routing, self.stems, port.out_channels)
        picks = input_picks(config.input_channels, port.in_channels, self.format.channels) if source is None else []
        self._load_insert = load_insert
        self.tempo, self.key = Tempo(), 0.0
        self.inserts = self._make_rack(self.format)
        heard = self._heard(mixer)
        pipeline = Pipeline(processor, self.format, align, heard, port.realtime, self._player, deadline, self.inserts)
        self.tap = TapBuffer(self.format, self.stems)
        self.click = Click(self.format.rate, self.tempo, linked=config.link, song=source is not None)
        self.click.set_level(mixer.click, mixer.click_db)
        self._callback = AudioCallback(
            port, pipeline, picks, routes, source, recorder, round(config.seconds * port.rate), self.tap, self.click
        )
        self._lock = (
            threading.RLock()
        )  # between control threads; reentrant, because the command of a learned controller may lead to another command
        self._pipeline_builder = threading.Thread(target=self._keep, name="stemplay-pipeline-builder", daemon=True)
        self._learned_buttons = LearnedButtons()
        self._sequence = 0
        self._phase = "starting"
        self._notice = ""
        self._base = {"xruns": 0, "misses": 0, "faults": 0}
        self._deadline_misses = DeadlineMisses()
        self.conductor = self._make_conductor()

    def _make_conductor(self) -> Conductor | None:
        """What keeps time with others, and the lights of controllers; None where nothing is shared. Raises StemplayError without Link."""
        config, dispatcher = self.config, self.dispatcher
        if not config.link and config.midi_out == "none":
            return None
        score = Score(self._transport, dispatcher.lights if dispatcher is not None else _no_lights, self.follow_tempo, self._play)
        return Conductor(self.tempo, score, link=config.link, start=config.link_start, output=config.midi_out, clock=config.midi_clock)

    def _play(self, playing: bool) -> None:
        """Another program of the Link session has started or stopped it."""
        with self._lock:
            (self._do_play if playing else self._do_pause)()

    def _make_rack(self, fmt: StreamFormat) -> Rack | None:
        if self._load_insert is None:
            return None
        rack = Rack(self.stems, fmt.rate, fmt.block, fmt.channels, self.port.realtime, self._load_insert)
        rack.set_tempo(self.tempo.bpm)
        return rack

    # -- life -------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the worker, the helpers and the port.

        Raises StemplayError if the device does not start, or off line if an insert cannot be loaded.
        """
        if self.inserts is not None:
            self.inserts.start(self._keyed(self._state))
        self._pipeline.start()
        self._pipeline_builder.start()
        if self.dispatcher is not None:
            self.dispatcher.start(self._do_control, self.place_of)
        if self.analysis is not None:
            self.analysis.start()
        self.click.heard_later = self.port.device_latency / self.format.rate
        self.port.start(self._callback)
        self._callback.last_call = time.monotonic()
        self._phase = "running"
        self.port.monitoring(self._state.monitor)
        if self.conductor is not None:
            self.conductor.start()

    def stop(self) -> None:
        """Stop everything and finish files. If the audio server has died, the port may hang; then the process must be killed.

        May be called twice, and without ``start``.
        """
        if self._phase == "stopped":
            return
        started, self._phase = self._phase == "running", "stopped"
        if self.conductor is not None:
            self.conductor.stop()
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
        if self.inserts is not None:
            self.inserts.stop()
        if self.source is not None:
            self.source.close()

    def _keep(self) -> None:
        """The pipeline builder: makes a new pipeline for blocks of an unexpected size. The latency changes once, between two fades."""
        while (size := self._callback.unfit.get()) is not None:
            old = self._callback.pipeline
            block = max(old.format.block, 1 << (size - 1).bit_length())
            fmt = StreamFormat(old.format.rate, old.format.channels, min(block, 1 << 16))
            rack = self._load_rack(fmt)
            if self._phase == "stopped" or not old.stop(timeout=None):
                if rack is not None:
                    rack.stop()
                continue
            with self._lock:
                fresh = self._rebuild(old, fmt, size, rack)
                if fresh is None:
                    continue
                former, self.inserts = self.inserts, fresh.inserts
                self._callback.replace = fresh
            if former is not None:
                self._close_former(former, fresh)

    def _load_rack(self, fmt: StreamFormat) -> Rack | None:
        """Inserts for ``fmt``. Loading may take a minute, so the present pipeline plays on, and commands are carried out meanwhile."""
        rack = self._make_rack(fmt)
        if rack is not None:
            with self._lock:
                state = copy.deepcopy(self._keyed(self._state))
            rack.start(state)
        return rack

    def _rebuild(self, old: Pipeline, fmt: StreamFormat, size: int, rack: Rack | None) -> Pipeline | None:
        """A started pipeline for ``fmt`` with the inserts ``rack``; None, and a notice, if there cannot be one."""
        if self.analysis is not None:
            self.analysis.stop()
            self.analysis = None  # its states are of another alignment
        try:
            state, processor = self._heard(self._state), old.worker.processor
            fresh = Pipeline(processor, fmt, 0, state, self.port.realtime, self._player, old.given, rack)
            if rack is not None:
                rack.set_state(self._keyed(self._state))  # what was asked for while they were loaded
        except Exception as error:
            if rack is not None:
                rack.stop()
            self._notice = f"The block size changed to {size} and the model cannot follow: {error}"
            return None
        fresh.start()
        if self._player is not None:
            self._player.block = fmt.block
        self._notice = f"The block size changed to {size}: the latency is now {fresh.delay + fresh.insert_latency} samples."
        return fresh

    def _close_former(self, rack: Rack, fresh: Pipeline) -> None:
        """Close the inserts of a pipeline that is replaced, once it is, or once nothing plays any more."""
        until = time.monotonic() + 2.0
        while self._callback.pipeline is not fresh and self._phase == "running" and time.monotonic() < until:
            time.sleep(0.01)
        rack.stop()


def _no_lights(afresh: bool = False) -> list[list[int]]:
    return []


def stream_plan(port: Port, source: TempoPlayer | None = None) -> tuple[StreamFormat, int]:
    """The format of an engine on ``port``, and the block size that it promises its processors (0: none).

    The format is stereo, or mono if input, output and song all are.
    """
    mono = port.in_channels == port.out_channels == 1
    channels = source.channels if source is not None else 1 if mono else 2
    return StreamFormat(port.rate, channels, max(1, port.max_block)), port.block

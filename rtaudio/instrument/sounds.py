"""Which sounds an instrument has: those of a SING model, which can be mixed and are warmed up, or whatever a plugin brings."""

from __future__ import annotations

from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.instrument.general_midi import program_table
from rtaudio.instrument.model import InstrumentModel
from rtaudio.instrument.note_cache import CacheWarmer
from rtaudio.instrument.player import InstrumentPlayer
from rtaudio.instrument.plugin_synth import PluginSynth
from rtaudio.instrument.synth import Synth
from rtaudio.instrument.voice import Array
from rtaudio.protocol.insert_checks import is_foreign
from rtaudio.protocol.settings import EngineConfig, InstrumentState


class SingSounds:
    """The instruments of a SING model."""

    def __init__(self, config: EngineConfig, state: InstrumentState, rate: int) -> None:
        self._model = InstrumentModel(config.instrument)
        self.name, self.instruments = self._model.card.name, tuple(self._model.instruments)
        self.synth = Synth(self._model, rate, config.voices, program_table(self._model))
        self.synth.attack_ms, self.synth.release_ms = state.attack_ms, state.release_ms
        self._warmer: CacheWarmer | None = None
        self._chosen: list[Array] = []

    def attach(self, player: InstrumentPlayer, state: InstrumentState) -> None:
        """Take up the saved sounds, before the start."""
        self._warmer = CacheWarmer(self._model.sibling(), player)
        for channel, shares in state.shares.items():
            self.synth.set_instrument(int(channel), self._model.instrument_weights(shares))
        self._chosen = [channel.weights for channel in self.synth.channels]

    def start(self) -> None:
        """Begin to prepare notes."""
        if self._warmer is not None:
            self._warmer.start(self._chosen)

    def stop(self) -> None:
        """End the thread that prepares notes."""
        if self._warmer is not None:
            self._warmer.stop()

    def choose(self, player: InstrumentPlayer, channel: int, shares: dict[str, float]) -> None:
        """Give a channel its sound. Raises StemplayError for an unknown name."""
        weights = self._model.instrument_weights(shares)
        player.enqueue(lambda synth: synth.set_instrument(channel, weights))
        self._prefer(channel, weights)

    def program(self, channel: int, program: int) -> dict[str, float] | None:
        """The sound that a program change chooses, or None if it chooses none. The message itself changes the synthesiser."""
        if program not in self.synth.programs:
            return None
        number = self.synth.programs[program]
        self._prefer(channel, self._model.instrument_weights({number: 1}))
        return {self.instruments[number]: 1.0}

    def _prefer(self, channel: int, weights: Array) -> None:
        """Prepare a channel's new sound before the sounds of other channels."""
        if (weights == self._chosen[channel]).all():
            return
        self._chosen[channel] = weights
        if self._warmer is not None:
            self._warmer.prime([weights, *self._chosen])

    @property
    def primed(self) -> float:
        """Share of the notes whose beginning is prepared."""
        return self._warmer.done if self._warmer is not None else 1.0

    @property
    def message(self) -> str:
        """Nothing ever fails here by itself."""
        return ""

    @property
    def plugin(self) -> PluginSynth:
        """Raises StemplayError, as no plugin plays."""
        raise StemplayError(f"{self.name} is a model, not a plugin.")


class PluginSounds:
    """A plugin, which has sounds of its own."""

    primed = 1.0
    instruments: tuple[str, ...] = ()

    def __init__(self, config: EngineConfig, state: InstrumentState, rate: int, realtime: bool) -> None:
        self.synth = PluginSynth(config.instrument, rate, realtime, state.plugin, hole=realtime)

    @property
    def name(self) -> str:
        """How a person reads the plugin."""
        return self.synth.name

    def attach(self, player: InstrumentPlayer, state: InstrumentState) -> None:
        """Nothing is to be prepared."""

    def start(self) -> None:
        """The plugin runs already, or is being loaded."""

    def stop(self) -> None:
        """End the plugin."""
        self.synth.close()

    def choose(self, player: InstrumentPlayer, channel: int, shares: dict[str, float]) -> None:
        """Raises StemplayError: its sounds are chosen in its own window or by program changes."""
        raise StemplayError(f"{self.name} has sounds of its own; send it program changes.")

    def program(self, channel: int, program: int) -> dict[str, float] | None:
        """The message itself goes to the plugin."""
        return None

    @property
    def message(self) -> str:
        """Why the plugin is silent."""
        return self.synth.message

    @property
    def plugin(self) -> PluginSynth:
        """What plays, as something with parameters and a state."""
        return self.synth


def make_sounds(config: EngineConfig, state: InstrumentState, rate: int, realtime: bool) -> Any:
    """The sounds of ``config.instrument``. Raises StemplayError if there is no such instrument."""
    return PluginSounds(config, state, rate, realtime) if is_foreign(config.instrument) else SingSounds(config, state, rate)

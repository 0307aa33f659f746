"""The data that a recipe learns from, and the songs that choose its best weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from models.network import SPEECH
from rtaudio.audio.format import SOURCES, StemplayError
from training.data import speech, synthetic
from training.data.batches import BatchSource, MixedSongs
from training.data.device import DeviceMixedSongs
from training.data.store import Stems
from training.data.thesis import EpochSongs, made_up_songs, stored_songs
from training.separation.recipe import Recipe
from training.separation.validation import read_songs


def batch_source(recipe: Recipe, store: Path, seed: int, device: torch.device | None = None) -> BatchSource:
    """The recipe's endless batches, mixed on ``device`` or, if that is None, with NumPy.

    Raises StemplayError if its data are missing, do not fit the network, or cannot be mixed on a device.
    """
    about_speech, hop = _check(recipe), recipe.network.hop
    if device is not None:
        if not mixes_on_devices(recipe):
            raise StemplayError(f"The data of the recipe {recipe.name} are made on the CPU alone: use --mix-on cpu.")
        return DeviceMixedSongs(store, recipe.mixing, hop, seed, device)
    if about_speech and recipe.made_up:
        return speech.SyntheticSpeech(recipe.mixing, hop, seed)
    if about_speech:
        return speech.MixedSpeech(store, recipe.mixing, hop, seed)
    if recipe.by_epochs:
        songs = made_up_songs() if recipe.made_up else stored_songs(store)
        return EpochSongs(songs, recipe.epochs, recipe.mixing.batch, recipe.frames, seed)
    if recipe.made_up:
        return synthetic.SyntheticSongs(recipe.mixing, hop, seed)
    return MixedSongs(store, recipe.mixing, hop, seed)


def mixes_on_devices(recipe: Recipe) -> bool:
    """Whether the recipe's examples can be mixed on a GPU: those of prepared songs without epochs."""
    return not (_check(recipe) or recipe.by_epochs or recipe.made_up)


def validation_set(recipe: Recipe, store: Path) -> Sequence[Stems]:
    """Songs ``(sources, channels, time)`` that no batch contains."""
    if _check(recipe):
        return speech.validation_speech() if recipe.made_up else speech.stored_validation_speech(store)
    return synthetic.validation_songs(3, 2.0) if recipe.made_up else read_songs(store)


def _check(recipe: Recipe) -> bool:
    """Whether the recipe is for speech. Raises StemplayError if there are no data for its network."""
    network = recipe.network
    known = {SOURCES: (2, 44_100), SPEECH: (1, speech.RATE)}
    sources = tuple(network.sources)
    if known.get(sources) != (network.audio_channels, network.sample_rate):
        raise StemplayError(
            f"There are no data for {network.audio_channels} channels of {', '.join(sources)} at {network.sample_rate} Hz: "
            "songs are in stereo at 44100 Hz, speech is mono at 16000 Hz."
        )
    if sources == SPEECH and recipe.by_epochs:
        raise StemplayError("Speech has no epochs: its data are 'prepared' or 'synthetic'.")
    return sources == SPEECH

"""Kinds of networks: each builds from its name, and its configuration survives a file."""

from __future__ import annotations

import json

import pytest
import torch

from models.network import StreamingSeparator
from models.registry import KINDS, config_from_dict, config_to_dict, kind_of, make_network
from rtaudio.audio.format import StemplayError
from training.separation.recipe import Recipe


@pytest.mark.parametrize("name", KINDS)
def test_a_configuration_survives_json_and_makes_its_network(name: str) -> None:
    config = KINDS[name].config().tiny()
    assert config_from_dict(json.loads(json.dumps(config_to_dict(config)))) == config
    network = make_network(config).eval()
    assert kind_of(network) == name
    assert isinstance(network, StreamingSeparator) == KINDS[name].streams
    mix = 0.1 * torch.randn(2, config.audio_channels, 3000)
    with torch.no_grad():
        assert network(mix).shape == (2, len(config.sources), config.audio_channels, 3000)


@pytest.mark.parametrize("name", KINDS)
def test_a_recipe_names_its_kind(name: str) -> None:
    recipe = Recipe.from_dict({"name": "x", "network": {"kind": name}})
    assert kind_of(recipe.network) == name
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_an_unknown_kind_is_one_sentence() -> None:
    with pytest.raises(StemplayError, match="no kind of network 'wave-u-net'; choose from"):
        Recipe.from_dict({"name": "x", "network": {"kind": "wave-u-net"}})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"kind": "causal-masks", "audio_channels": 3}, "mono or stereo"),
        ({"kind": "causal-masks", "window": 256}, "too short for a hop of 256"),
        ({"kind": "causal-masks", "window": 1025}, "even"),
        ({"kind": "causal-masks", "spacing": 0.0}, "at least 1 Hz"),
        ({"kind": "hybrid-demucs", "hop_length": 300}, "no multiple of the total stride"),
        ({"normalize": True}, "cannot normalise"),
    ],
)
def test_sizes_that_make_no_network_are_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(StemplayError, match=sentence):
        Recipe.from_dict({"name": "x", "network": values})

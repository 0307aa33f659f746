"""What an instrument's graph computes is ``Sing.step``, laid out anew."""

from __future__ import annotations

from dataclasses import astuple

import pytest
import torch
from torch.nn import functional as F

from models.sing import Sing, SingConfig
from training.export.voice_step import PRODUCTS, VoiceStep, input_moments


def network(bands: int) -> Sing:
    torch.manual_seed(4)
    config = SingConfig(
        instruments=3, pitches=40, lowest_pitch=30, hidden=24, latent=6, channels=40, bands=bands, steps=40
    )
    sing = Sing(config).eval()
    with torch.no_grad():
        sing.decoder.synthesis.weight.mul_(10)
        sing.decoder.synthesis.bias.fill_(0.01)  # type: ignore[union-attr]
        if bands:
            sing.decoder.gain.weight.normal_(std=0.3)
    return sing


@pytest.mark.parametrize("bands", [0, 128])
def test_every_step_is_the_networks(bands: int) -> None:
    sing = network(bands)
    step, config = VoiceStep(sing), sing.config
    velocity = F.one_hot(torch.tensor([0, 4, 2, 1, 3]), 5).float()
    instrument = torch.tensor([[1, 0, 0], [0, 0.5, 0.5], [0.2, 0.3, 0.5], [0, 0, 1], [0, 1, 0]])
    pitch = F.one_hot(torch.tensor([0, 39, 20, 10, 31]), 40).float()
    pitch[2, 21] = pitch[2, 20] = 0.5  # between two keys
    state, flat, loudest = sing.initial_state(5), astuple(sing.initial_state(5)), 0.0
    with torch.no_grad():
        for time in range(config.steps):
            moment = torch.full((5,), time)
            expected, state = sing.step(velocity, instrument, pitch, moment, state)
            audio, *flat = step(velocity, instrument, pitch, moment, *flat)  # type: ignore[assignment]
            torch.testing.assert_close(audio, expected, atol=1e-5, rtol=0)
            for found, wanted in zip(flat, astuple(state), strict=True):
                torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)
            loudest = max(loudest, float(audio.abs().max()))
    assert loudest > 0.1


def test_the_inputs_of_all_rounded_products_are_what_they_are_said_to_be() -> None:
    sing = network(64)
    step = VoiceStep(sing)
    notes, hops = 6, 20
    moments = input_moments(step, sing.initial_state(notes), hops)
    assert step.seen is None
    rounded = {name.rstrip("_") for name in PRODUCTS}
    assert {name for name in rounded if any(seen.startswith(name) for seen in moments)} == rounded
    for name, value in moments.items():
        assert value.shape == (len(getattr(step, name)),) * 2
        kind = next(kind for prefix, kind in PRODUCTS.items() if name.startswith(prefix))
        if kind == "unit":  # of hidden states: each within 1, in every one of the steps
            assert value.diagonal().max() <= notes * hops
        if kind == "positive":
            assert value.min() >= 0

"""LV2 effects of ``mda-lv2`` through liblilv, in their host processes."""

from __future__ import annotations

import numpy as np
import pytest

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins.isolated import IsolatedPlugin
from rtaudio.plugins.offline import apply_inserts
from rtaudio.plugins.scan import installed, look_at
from rtaudio.protocol.settings import InsertState

MDA = "lv2:http://drobilla.net/plugins/mda/"
RATE = 44_100

pytestmark = pytest.mark.skipif(not any(name.startswith(MDA) for name in installed()), reason="mda-lv2 and liblilv-0-0 are not installed")


def noise(frames: int, channels: int = 2) -> Audio:
    return (0.1 * np.random.default_rng(0).standard_normal((frames, channels))).astype(np.float32)


@pytest.mark.parametrize("name", ["Delay", "Leslie", "Ambience", "RezFilter"])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_lv2_effect_changes_the_sound_and_keeps_its_length(name: str, channels: int) -> None:
    sound = noise(20_000, channels)
    out = apply_inserts(sound, RATE, [InsertState(MDA + name)])
    assert out.shape == sound.shape and np.isfinite(out).all()
    assert np.abs(out - sound).max() > 0.01


def test_parameters_have_the_names_ranges_and_units_of_the_plugin() -> None:
    entry = look_at(MDA + "RePsycho")[0]
    assert (entry["name"], entry["kind"], entry["error"]) == ("MDA RePsycho!", "LV2", "")
    tune = entry["parameters"][0]
    assert (tune["name"], tune["unit"], tune["high"]) == ("Tune", "semitones", 1.0)
    assert "Maker" not in entry["maker"] and entry["category"]


def test_a_parameter_is_heard_and_its_state_comes_back() -> None:
    sound = noise(20_000)
    quiet = apply_inserts(sound, RATE, [InsertState(MDA + "Overdrive", values={"drive": 1.0})])
    assert np.abs(quiet - apply_inserts(sound, RATE, [InsertState(MDA + "Overdrive")])).max() > 0.01
    one, two = (IsolatedPlugin(InsertState(MDA + "Overdrive", values=v), False) for v in ({"drive": 1.0}, {}))
    try:
        for plugin in (one, two):
            plugin.prepare(RATE, 256, 2)
        two.restore_state(one.save_state())
        outs = []
        for plugin in (one, two):
            plugin.reset()
            block = noise(256)
            for _ in range(4):
                plugin.process(block)
            outs.append(block)
        np.testing.assert_allclose(outs[1], outs[0], atol=1e-6)
        with pytest.raises(StemplayError, match="damaged"):
            two.restore_state(b"nonsense")
    finally:
        one.close()
        two.close()


def test_an_instrument_is_refused_as_an_effect() -> None:
    assert look_at(MDA + "Piano")[0]["instrument"] is True
    with pytest.raises(StemplayError, match="MDA Piano is an instrument, not an effect"):
        apply_inserts(noise(1000), RATE, [InsertState(MDA + "Piano")])

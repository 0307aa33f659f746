"""Every kind of plugin through the same checks, as pluginval does at its strictness 5: rates, blocks, changing blocks, parameters at
random, state, silence. In its host process and off line, so that nothing depends on time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rtaudio.audio.format import Audio
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.registry import load_insert
from rtaudio.plugins.scan import installed
from rtaudio.protocol.settings import InsertState

MDA = "lv2:http://drobilla.net/plugins/mda/"
KINDS = ["eq", "compressor", "reverb", "pitch", "denoise", "vst3", "lv2"]
UNSAFE = {"crash", "sleep_ms", "not_a_number", "latency_frames"}
"""Parameters of the test plugin that are meant to go wrong."""

Make = Callable[..., Plugin]


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Make:
    kind: str = request.param
    name = kind
    if kind == "vst3":
        name = request.getfixturevalue("probe")
    elif kind == "lv2":
        name = f"{MDA}RezFilter"
        if name not in installed():
            pytest.skip("mda-lv2 and liblilv-0-0 are not installed")
    made: list[Plugin] = []

    def load(rate: int = 44_100, block: int = 256, channels: int = 2, values: dict[str, float] | None = None) -> Plugin:
        made.append(load_insert(InsertState(name, values=values or {}), rate, block, channels, realtime=False))
        return made[-1]

    request.addfinalizer(lambda: [plugin.close() for plugin in made])
    return load


def noise(frames: int, channels: int = 2, seed: int = 0) -> Audio:
    return (0.1 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


def run(plugin: Plugin, audio: Audio, sizes: list[int]) -> Audio:
    out, start, k = audio.copy(), 0, 0
    while start < len(out):
        part = out[start : start + sizes[k % len(sizes)]]
        assert plugin.process(part)
        start, k = start + len(part), k + 1
    assert np.isfinite(out).all()
    return out


def test_all_rates_and_block_sizes(make: Make) -> None:
    for rate, block, channels in ((44_100, 16, 2), (48_000, 512, 2), (96_000, 1024, 1), (192_000, 256, 2)):
        assert np.abs(run(make(rate, block, channels), noise(8 * 1024, channels), [block])).max() < 10


def test_blocks_that_change_change_nothing(make: Make) -> None:
    sound = noise(6000)
    whole = run(make(), sound, [256])
    plugin = make()
    np.testing.assert_allclose(run(plugin, sound, [256, 1, 2, 100, 255]), whole, atol=1e-5)


def test_parameters_at_random_give_finite_sound(make: Make) -> None:
    plugin, rng = make(), np.random.default_rng(1)
    safe = [p for p in plugin.parameters if p.id not in UNSAFE]
    for _ in range(30):
        for parameter in safe:
            plugin.set(parameter.id, parameter.value(float(rng.random())))
        run(plugin, noise(512), [256])
    for parameter in safe:
        assert parameter.low <= plugin.get(parameter.id) <= parameter.high


def test_the_state_comes_back_to_the_same_output(make: Make) -> None:
    plugin = make()
    safe = [p for p in plugin.parameters if p.id not in UNSAFE]
    values = {p.id: p.value(0.3) for p in safe}
    for id, value in values.items():
        plugin.set(id, value)
    run(plugin, noise(4096), [256])
    saved = plugin.save_state()
    other = make(values=values)
    if saved:
        other.restore_state(saved)
    other.reset()
    plugin.reset()
    for both in (plugin, other):
        run(both, np.zeros((22_050, 2), np.float32), [256])  # parameters have arrived where they glide to
        both.reset()
    np.testing.assert_allclose(run(other, noise(4096), [256]), run(plugin, noise(4096), [256]), atol=1e-4)


def test_silence_in_is_silence_out_after_a_reset(make: Make) -> None:
    plugin = make()
    run(plugin, noise(2048), [256])
    plugin.reset()
    assert np.abs(run(plugin, np.zeros((8192, 2), np.float32), [256])).max() < 1e-6

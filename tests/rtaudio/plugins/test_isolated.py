"""Plugins of others in host processes: whatever they do, the sound goes on. A real VST3 that misbehaves on request."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins.host import LOOK_S
from rtaudio.plugins.isolated import IsolatedPlugin
from rtaudio.plugins.rack import Rack
from rtaudio.plugins.registry import load_insert
from rtaudio.plugins.scan import installed
from rtaudio.plugins.slot import Slot
from rtaudio.protocol.settings import InsertState, MixerState, StemState

RATE, BLOCK = 44_100, 256


@pytest.fixture
def load(probe: str) -> Iterator[Callable[..., IsolatedPlugin]]:
    made: list[IsolatedPlugin] = []

    def load(realtime: bool = True, block: int = BLOCK, channels: int = 2, **values: float) -> IsolatedPlugin:
        plugin = IsolatedPlugin(InsertState(probe, values=values), realtime)
        made.append(plugin)
        plugin.prepare(RATE, block, channels)
        return plugin

    yield load
    for plugin in made:
        plugin.close()


def sine(frames: int) -> Audio:
    wave = 0.5 * np.sin(2 * np.pi * 220 * np.arange(frames) / RATE)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def play(slot: Slot, sound: Audio, block: int = BLOCK) -> Audio:
    """In real time: a block, then as long a pause."""
    out = sound.copy()
    due = time.monotonic()
    for start in range(0, len(out), block):
        slot.process(out[start : start + block])
        due += block / RATE
        time.sleep(max(0.0, due - time.monotonic()))
    return out


@pytest.mark.parametrize("block", [16, 64, 256, 1000])
def test_the_answer_comes_one_block_later_and_is_exact(load: Callable[..., IsolatedPlugin], block: int) -> None:
    plugin = load(realtime=False, block=block, gain=0.5)
    sound = sine(9000)
    out = sound.copy()
    for start in range(0, len(out), block):
        assert plugin.process(out[start : start + block])
    latency = plugin.latency
    assert latency == 64 + max(block, -(-110 // block) * block)
    np.testing.assert_allclose(out[latency:], 0.5 * sound[: len(sound) - latency], atol=1e-6)


def test_mono_sound_goes_through_a_stereo_plugin(load: Callable[..., IsolatedPlugin]) -> None:
    plugin = load(realtime=False, channels=1)
    sound = sine(4096)[:, :1].copy()
    out = sound.copy()
    for start in range(0, len(out), BLOCK):
        assert plugin.process(out[start : start + BLOCK])
    np.testing.assert_allclose(out[plugin.latency :], sound[: len(sound) - plugin.latency], atol=1e-6)


@pytest.mark.parametrize("fault", ["crash", "sleep_ms", "not_a_number", "kill"])
def test_a_plugin_that_misbehaves_is_replaced_by_the_dry_sound_within_its_block(load: Callable[..., IsolatedPlugin], fault: str) -> None:
    plugin = load()
    slot = Slot(plugin, "probe", RATE, BLOCK, 2)
    slot.jump()
    sound = sine(70 * RATE)
    first = play(slot, sound[:20_480])
    if fault == "kill":
        assert plugin._process is not None
        os.kill(plugin._process.pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    else:
        plugin.set(fault, 5000.0 if fault == "sleep_ms" else 1.0)
    out, limit = first, time.monotonic() + 60
    while len(out) < 90_112 or (not (slot.failure or plugin.trouble) and time.monotonic() < limit):
        out = np.concatenate([out, play(slot, sound[len(out) : len(out) + 5120])])
    # The plugin was neutral: that the dry sound took its place can be seen only in the report.
    np.testing.assert_allclose(out[slot.latency :], sound[: len(out) - slot.latency], atol=1e-6)
    told = slot.failure or plugin.trouble
    assert told.startswith("Probe ") and told.endswith("is bypassed.")
    assert {"crash": "crashed (SIGABRT)", "kill": "(SIGKILL)", "sleep_ms": "did not answer", "not_a_number": "not numbers"}[fault] in told
    assert slot.misses > 0


def test_a_plugin_that_is_late_for_a_moment_comes_back(load: Callable[..., IsolatedPlugin]) -> None:
    plugin = load()
    slot = Slot(plugin, "probe", RATE, BLOCK, 2)
    slot.jump()
    play(slot, sine(10_240))
    plugin.set("sleep_ms", 30.0)
    play(slot, sine(2560))
    plugin.set("sleep_ms", 0.0)
    assert slot.misses > 0
    play(slot, sine(40_960))
    for _ in range(60):  # a busy machine lets it be late again and again, but not for ever
        missed = slot.misses
        play(slot, sine(20_480))
        assert not slot.failure and not plugin.trouble
        if slot.misses <= missed + 2 and not slot.dry:
            break
    else:
        pytest.fail("it did not come back")


def test_off_line_a_crash_is_an_error(load: Callable[..., IsolatedPlugin]) -> None:
    plugin = load(realtime=False)
    plugin.set("crash", 1.0)
    with pytest.raises(StemplayError, match=r"Probe crashed \(SIGABRT\)"):
        for _ in range(20):
            plugin.process(sine(BLOCK))


def test_the_state_comes_back_to_the_same_sound(load: Callable[..., IsolatedPlugin]) -> None:
    one, two = load(realtime=False, gain=0.25, mode=1.0), load(realtime=False)
    for _ in range(3):
        one.process(sine(BLOCK))
    two.restore_state(one.save_state())
    outs = []
    for plugin in (one, two):
        plugin.reset()
        out = sine(4096)
        for start in range(0, len(out), BLOCK):
            plugin.process(out[start : start + BLOCK])
        outs.append(out[1024:])
    np.testing.assert_allclose(outs[1], outs[0], atol=1e-6)
    assert np.abs(outs[0][:, 1]).max() == 0 < np.abs(outs[0][:, 0]).max()


def test_a_value_that_was_set_does_not_come_back_as_a_change_of_the_plugins_own() -> None:
    """LV2 has 32 bits: .9 is .8999999762 there."""
    name = "lv2:http://drobilla.net/plugins/mda/RezFilter"
    if name not in installed():
        pytest.skip("mda-lv2 and liblilv-0-0 are not installed")
    plugin = IsolatedPlugin(InsertState(name), True)
    try:
        plugin.prepare(RATE, BLOCK, 2)
        first = plugin.parameters[0]
        value = first.low + 0.9 * (first.high - first.low)
        assert float(np.float32(value)) != value
        plugin.set(first.id, value)
        play(Slot(plugin, "filter", RATE, BLOCK, 2), sine(BLOCK * 40))
        time.sleep(4 * LOOK_S)
        assert plugin.take_changes() == ({}, None) and plugin.get(first.id) == value
    finally:
        plugin.close()


def test_the_parameters_are_a_table(load: Callable[..., IsolatedPlugin]) -> None:
    table = {p.id: p for p in load().parameters}
    assert (table["gain"].low, table["gain"].high, table["gain"].default) == (0.0, 2.0, 1.0)
    assert table["sleep_ms"].unit == "ms"
    assert table["mode"].labels == ("Both", "Left", "Right") and table["mode"].steps == 3


@pytest.mark.parametrize(
    ("plugin", "sentence"),
    [
        ("/nowhere/No.vst3", "There is no plugin"),
        ("lv2:urn:none", "no LV2 plugin|need the library"),
        ("python:none", "No installed package"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_a_sentence(plugin: str, sentence: str) -> None:
    made = IsolatedPlugin(InsertState(plugin), True)
    with pytest.raises(StemplayError, match=sentence):
        made.prepare(RATE, BLOCK, 2)


def test_a_file_with_one_plugin_takes_its_name_and_no_other(probe: str) -> None:
    plugin = IsolatedPlugin(InsertState(f"{probe}::Probe"), True)
    try:
        plugin.prepare(RATE, BLOCK, 2)
        assert plugin.name == "Probe"
    finally:
        plugin.close()
    with pytest.raises(StemplayError, match=r"Probe.vst3 has no plugin 'Nope': it has Probe\."):
        IsolatedPlugin(InsertState(f"{probe}::Nope"), True).prepare(RATE, BLOCK, 2)


def test_a_file_that_is_no_plugin_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "Fake.vst3").write_bytes(b"MZ" + bytes(1000))
    with pytest.raises(StemplayError, match="is no plugin that works here"):
        IsolatedPlugin(InsertState(str(tmp_path / "Fake.vst3")), True).prepare(RATE, BLOCK, 2)


def test_a_saved_value_that_this_version_does_not_know_is_left_out(probe: str) -> None:
    plugin = IsolatedPlugin(InsertState(probe, values={"gain": 0.5, "gone": 1.0}), realtime=True)
    try:
        plugin.prepare(RATE, BLOCK, 2)
        assert plugin.get("gain") == 0.5 and "has no parameter 'gone'" in plugin.note
    finally:
        plugin.close()
    with pytest.raises(StemplayError, match="has no parameter 'gone'"):
        IsolatedPlugin(InsertState(probe, values={"gone": 1.0}), realtime=False).prepare(RATE, BLOCK, 2)


def test_a_rack_that_is_stopped_while_it_loads_leaves_no_host(probe: str) -> None:
    rack = Rack(("vocals",), RATE, BLOCK, 2, True, load_insert)
    rack.start(MixerState())
    mixer = MixerState(stems={"vocals": StemState(inserts=[InsertState(probe, f"p{k}") for k in range(4)])})
    rack.set_state(mixer)
    time.sleep(0.15)
    rack.stop()
    until = time.monotonic() + 60
    command = ["pgrep", "-P", str(os.getpid()), "-f", "plugins.host"]
    while subprocess.run(command, capture_output=True, check=False).stdout:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert all(thread.name != "stemplay-inserts" for thread in threading.enumerate())


def test_nothing_stays_behind(load: Callable[..., IsolatedPlugin]) -> None:
    plugin = load()
    process = plugin._process
    assert process is not None and process.poll() is None
    files = list(Path("/dev/shm").glob("stemplay-plugin-*")) if Path("/dev/shm").is_dir() else []
    assert not any(file.stat().st_mtime > time.time() - 1 and file == plugin._rings.path for file in files)  # type: ignore[union-attr]
    plugin.close()
    assert process.poll() is not None
    assert not plugin._rings.path.exists()  # type: ignore[union-attr]

"""Inserts in an engine: alignment across strips, declared latency, commands. Effects are the real ones, the late plugin a real VST3."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from rtaudio.audio.format import SOURCES, Audio, StemplayError
from rtaudio.engine.engine import Engine
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.registry import load_insert
from rtaudio.ports.fake import FakePort
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.messages import Command, command
from rtaudio.protocol.settings import EngineConfig, InsertState, MixerState, StemState

NEUTRAL = [InsertState("gain"), InsertState("eq")]


def noise(frames: int) -> Audio:
    return np.random.default_rng(0).uniform(-0.2, 0.2, (frames, 2)).astype(np.float32)


def make(port: FakePort, mixer: MixerState, delay: int = 0) -> Engine:
    mixer.limiter = False
    engine = Engine(EngineConfig(), mixer, port=port, processor=Passthrough(delay=delay), load_insert=load_insert)
    engine.start()
    return engine


def on(strip: str, *inserts: InsertState) -> MixerState:
    if strip == "master":
        return MixerState(inserts=list(inserts))
    if strip == "input":
        return MixerState(input_inserts=list(inserts))
    return MixerState(stems={strip: StemState(inserts=list(inserts))})


@pytest.mark.parametrize("strip", ["vocals", "master", "input"])
@pytest.mark.parametrize("block", [64, 256])
def test_declared_latency_is_the_measured_impulse_delay(probe: str, strip: str, block: int) -> None:
    engine = make(port := FakePort(block=block), on(strip, InsertState(probe), *NEUTRAL), delay=100)
    impulse = np.zeros((6000, 2), np.float32)
    impulse[1234] = 0.5
    out = port.play(impulse)
    engine.stop()
    latency = engine.latency
    assert latency.inserts >= 64 + block and latency.engine == 100 + block + latency.inserts
    found = np.flatnonzero(np.abs(out[:, 0]) > 1e-6)
    assert list(found) == [1234 + latency.engine]


def test_stems_with_neutral_inserts_still_sum_to_the_mix(probe: str) -> None:
    """Some strips are late, some are not, the master is: all are aligned, dry and bypass as well."""
    for changed in ({}, {"dry": 0.5}, {"bypass": True}):
        mixer = MixerState(
            stems={"drums": StemState(inserts=[InsertState(probe)]), "bass": StemState(inserts=list(NEUTRAL)),
                   "vocals": StemState(inserts=[InsertState(probe, bypass=True)])},
            inserts=[InsertState(probe, values={"gain": 1.0})], **changed,  # type: ignore[arg-type]
        )  # fmt: skip
        engine = make(port := FakePort(block=128), mixer)
        sound = noise(8000)
        out = port.play(sound)
        engine.stop()
        delay = engine.latency.engine
        np.testing.assert_allclose(out[delay:], sound[: len(sound) - delay], atol=1e-6)


def test_any_blocks_give_the_same_sound() -> None:
    sound, outs = noise(5000), []
    for sizes in ([512], [64], [1, 500, 37]):
        mixer = on("vocals", InsertState("reverb"), InsertState("compressor"))
        mixer.inserts = [InsertState("eq", values={"low": 6.0})]
        engine = make(port := FakePort(block=0, max_block=512), mixer)
        outs.append(port.play(sound, sizes))
        engine.stop()
    for out in outs[1:]:
        np.testing.assert_allclose(out, outs[0], atol=1e-6)


def test_recorded_stems_and_the_mix_stay_in_line_when_the_master_is_late(probe: str) -> None:
    engine = make(port := FakePort(block=128), on("master", InsertState(probe)))
    seen = []
    push = engine._callback._record

    def keep(stems: Audio, mixed: Audio) -> None:
        seen.append((stems.sum(axis=1).copy(), mixed.copy()))
        push(stems, mixed)

    engine._callback._record = keep  # type: ignore[method-assign]
    port.play(noise(4000))
    engine.stop()
    stems, mixed = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    np.testing.assert_allclose(stems, mixed, atol=1e-6)


def wait(engine: Engine, port: FakePort, condition: object) -> None:
    """Tick until ``condition`` holds: plugins are loaded while the sound goes on."""
    until = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until, engine.snapshot().inserts
        port.tick(128)
        time.sleep(0.002)


def test_commands_add_move_bypass_and_remove_inserts_while_it_plays() -> None:
    engine = make(port := FakePort(block=128, realtime=False), MixerState())
    chain = engine.inserts.chains["vocals"]  # type: ignore[union-attr]
    engine.send(command("set_inserts", strip="vocals", inserts=[{"plugin": "reverb"}, {"plugin": "eq", "values": {"low": 3.0}}]))
    wait(engine, port, lambda: chain.settled and len(chain.slots) == 2)
    report = engine.snapshot()
    assert [x.key for x in report.inserts["vocals"]] == ["reverb-1", "eq-1"]
    assert [x.status for x in report.inserts["vocals"]] == ["running", "running"]
    first = chain.slots[1].plugin
    moved = list(reversed(report.mixer.stems["vocals"].inserts))
    engine.send(command("set_inserts", strip="vocals", inserts=[vars(x) for x in moved]))
    wait(engine, port, lambda: chain.settled and chain.slots[0].plugin is first)
    engine.send(command("bypass_insert", strip="vocals", key="eq-1", bypass=True))
    engine.send(command("set_parameter", strip="vocals", key="reverb-1", parameter="room", value=0.9))
    assert engine.snapshot().inserts["vocals"][0].status == "bypassed"
    assert chain.slots[1].plugin.get("room") == 0.9
    assert engine.snapshot().mixer.stems["vocals"].inserts[1].values == {"room": 0.9}
    engine.send(command("set_inserts", strip="vocals", inserts=[]))
    wait(engine, port, lambda: chain.idle)
    engine.stop()


def test_commands_are_carried_out_while_plugins_are_loaded_for_another_block_size() -> None:
    loading, loaded = threading.Event(), threading.Event()

    def load(state: InsertState, rate: int, block: int, channels: int, realtime: bool) -> Plugin:
        if block > 256:
            loading.set()
            assert loaded.wait(60)
        return load_insert(state, rate, block, channels, realtime)

    port, processor = FakePort(block=256, realtime=True), Passthrough()
    mixer = on("master", InsertState("gain", "g"))
    engine = Engine(EngineConfig(), mixer, port=port, processor=processor, load_insert=load)
    engine.start()
    try:
        first = engine._callback.pipeline
        port.tick(700)
        assert loading.wait(60)
        change = command("set_parameter", strip="master", key="g", parameter="gain", value=-60.0)
        sender = threading.Thread(target=engine.send, args=(change,), daemon=True)
        sender.start()
        sender.join(20)
        assert not sender.is_alive() and engine._callback.pipeline is first
        assert any(thread.name == "stemplay-model" for thread in threading.enumerate())  # the model plays on, too
        loaded.set()
        until = time.monotonic() + 60
        while engine._callback.pipeline is first:
            assert time.monotonic() < until
            port.tick(700)
            time.sleep(0.002)
        assert engine.inserts is not None and engine.inserts.plugin("master", "g").get("gain") == -60.0
    finally:
        loaded.set()
        engine.stop()


def test_what_cannot_be_is_refused_and_changes_nothing() -> None:
    engine = make(FakePort(block=128), on("vocals", InsertState("reverb")))
    before = engine.snapshot().mixer
    bad = [
        ("set_inserts", {"strip": "nobody", "inserts": []}, "There are no inserts in 'nobody'"),
        ("set_inserts", {"strip": "vocals", "inserts": [{"plugin": "verb"}]}, "There is no effect 'verb'"),
        ("set_inserts", {"strip": "vocals", "inserts": [{"plugin": "eq"}] * 5}, "4 slots"),
        ("set_inserts", {"strip": "vocals", "inserts": [{"plugin": "eq", "values": {"low": float("nan")}}]}, "Low is a number"),
        ("set_inserts", {"strip": "vocals", "inserts": "eq"}, "are a list"),
        ("set_inserts", {"strip": "vocals", "inserts": [{"plugin": "eq", "colour": 1}]}, "has plugin, key"),
        ("bypass_insert", {"strip": "vocals", "key": "reverb-1", "bypass": 1}, "on or off"),
        ("bypass_insert", {"strip": "vocals", "key": "reverb-7", "bypass": True}, "no insert 'reverb-7'"),
        ("set_parameter", {"strip": "vocals", "key": "reverb-1", "parameter": "room", "value": 2}, "from 0 to 1"),
        ("set_parameter", {"strip": "vocals", "key": "reverb-1", "parameter": "room", "value": 10**400}, "from 0 to 1"),
        ("open_editor", {"strip": "vocals", "key": "reverb-1"}, "no editor"),
    ]
    for op, args, sentence in bad:
        with pytest.raises(StemplayError, match=sentence):
            engine.send(command(op, **args))
    assert engine.snapshot().mixer == before
    engine.stop()


def test_a_missing_plugin_leaves_a_named_hole_and_the_rest_plays() -> None:
    port = FakePort(block=128, realtime=True)
    engine = make(port, on("vocals", InsertState("/nowhere/Gone.vst3", "gone"), InsertState("gain", "g", values={"gain": -60.0})))
    holes = engine.snapshot().inserts["vocals"]
    assert (holes[0].status, holes[1].status) == ("missing", "running")
    assert "There is no plugin '/nowhere/Gone.vst3'" in holes[0].message
    assert [x.key for x in engine.snapshot().mixer.stems["vocals"].inserts] == ["gone", "g"]
    engine.stop()


def test_panic_silences_echoes() -> None:
    engine = make(port := FakePort(block=128), on("master", InsertState("delay", values={"feedback": 90.0, "mix": 100.0, "time": 100.0})))
    port.play(noise(20_000))
    assert np.abs(port.play(np.zeros((6000, 2), np.float32))).max() > 0.01
    engine.send(command("panic"))
    port.play(np.zeros((44_100, 2), np.float32))
    assert np.abs(port.play(np.zeros((22_050, 2), np.float32))).max() < 1e-4
    engine.stop()


def test_the_master_fader_comes_after_the_inserts_of_the_master() -> None:
    """A compressor hears the same level wherever the fader is."""
    outs = []
    for fader in (0.0, -20.0):
        mixer = on("master", InsertState("compressor", values={"threshold": -40.0, "ratio": 10.0}))
        mixer.master_db = fader
        engine = make(port := FakePort(block=128), mixer)
        outs.append(port.play(noise(10_000)))
        engine.stop()
    np.testing.assert_allclose(outs[1], 0.1 * outs[0], atol=1e-6)


def test_every_strip_can_have_inserts() -> None:
    for strip in (*SOURCES, "master", "input"):
        engine = make(port := FakePort(block=128), on(strip, InsertState("gain", values={"gain": -60.0})))
        out = port.play(noise(2000))
        engine.stop()
        assert np.abs(out).max() < 0.21 * (0.001 if strip in ("master", "input") else 0.76)


def test_a_controller_is_followed_while_a_plugin_is_loaded_again() -> None:
    """As after a change of its latency: what is moved meanwhile was lost."""
    loads, gate = 0, threading.Event()

    def load(*arguments: Any) -> Plugin:
        nonlocal loads
        loads += 1
        assert loads == 1 or gate.wait(60)
        return load_insert(*arguments)

    mixer, target = on("vocals", InsertState("highpass", "hp-1")), "insert.vocals.hp-1.hz"
    engine = Engine(EngineConfig(), mixer, port=FakePort(block=64), processor=Passthrough(), load_insert=load)
    engine.start()
    try:
        rack = engine.inserts
        assert rack is not None and rack.plugin("vocals", "hp-1").get("hz") < 1000
        rack.restart("vocals", "hp-1")
        engine.send(Command("control", {"target": target, "value": 1.0}))
        assert engine.place_of(target) == 1.0
        gate.set()
        until = time.monotonic() + 60
        while [report.status for report in rack.report()["vocals"]] != ["running"]:
            assert time.monotonic() < until
            time.sleep(0.01)
        assert rack.plugin("vocals", "hp-1").get("hz") == pytest.approx(10_000.0)
    finally:
        gate.set()
        engine.stop()

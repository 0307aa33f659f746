"""The engine on a test clock: exact latency, exact dry path, any block size, nothing out of the callback."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.engine.callback import GATE_S, PANIC_S
from rtaudio.engine.engine import Engine
from rtaudio.files.song_player import FilePlayer
from rtaudio.ports.fake import FakePort
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, MixerState

RATE = 44_100


def noise(frames: int, channels: int = 2, seed: int = 0) -> Audio:
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)


def make(port: FakePort, processor: object | None = None, mixer: MixerState | None = None, **options: object) -> Engine:
    config = EngineConfig(**options)  # type: ignore[arg-type]
    engine = Engine(config, mixer or MixerState(), port=port, processor=processor or Passthrough())  # type: ignore[arg-type]
    engine.start()
    return engine


@pytest.mark.parametrize("delay", [0, 1, 100, 256])
@pytest.mark.parametrize("block", [1, 37, 64, 128, 256, 512, 1000])
def test_declared_latency_is_the_measured_impulse_delay(block: int, delay: int) -> None:
    port = FakePort(block=block)
    engine = make(port, Passthrough(delay=delay))
    mix = np.zeros((4000, 2), np.float32)
    mix[1234] = 0.5
    out = port.play(mix)
    engine.stop()
    assert int(np.abs(out[:, 0]).argmax()) == 1234 + engine.latency.engine
    assert engine.latency.engine == delay + block


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 700), min_size=1, max_size=12), dry=st.sampled_from([0.0, 1.0]))
def test_any_sequence_of_block_sizes_gives_the_delayed_input(sizes: list[int], dry: float) -> None:
    port = FakePort(block=0, max_block=512)
    engine = make(port, mixer=MixerState(dry=dry, limiter=False))
    mix = noise(6000)
    out = port.play(mix, sizes)
    engine.stop()
    delay = engine.latency.engine
    assert np.abs(out[delay:] - mix[: len(mix) - delay]).max() < (1e-6 if dry == 0 else 1e-9)
    assert np.abs(out[:delay]).max() == 0
    assert engine.snapshot().misses == 0


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 2), (2, 1), (1, 1), (8, 8)])
def test_channels_are_matched(inputs: int, outputs: int) -> None:
    port = FakePort(in_channels=inputs, out_channels=outputs)
    engine = make(port, mixer=MixerState(limiter=False))
    mix = noise(2560, inputs)
    out = port.play(mix)
    engine.stop()
    delay = engine.latency.engine
    heard = mix[: len(mix) - delay, : min(inputs, 2)]
    if outputs == 1:
        heard = heard.mean(axis=1, keepdims=True)
    elif inputs == 1:
        heard = np.repeat(heard, 2, axis=1)
    assert np.abs(out[delay:, : heard.shape[1]] - heard).max() < 1e-6
    assert not out[:, 2:].any()


@pytest.mark.parametrize("channels", [(3, 4), (4, 1), (2,)])
def test_the_chosen_input_channels_are_heard(channels: tuple[int, ...]) -> None:
    port = FakePort(in_channels=4)
    engine = make(port, input_channels=channels, mixer=MixerState(limiter=False))
    mix = noise(2560, 4)
    out = port.play(mix)
    engine.stop()
    delay = engine.latency.engine
    left, right = channels[0] - 1, channels[-1] - 1  # one channel goes to both sides
    assert np.abs(out[delay:] - mix[:-delay][:, [left, right]]).max() < 1e-6


def test_stems_are_routed_to_channels_of_their_own() -> None:
    port = FakePort(out_channels=6)
    engine = make(port, routing={"vocals": [3, 4], "drums": [6]}, mixer=MixerState(limiter=False))
    mix = noise(2560)
    out = port.play(mix)
    engine.stop()
    delay = engine.latency.engine
    assert np.abs(out[delay:, 2:4] - mix[:-delay] / 4).max() < 1e-6
    assert np.abs(out[delay:, 5] - mix[:-delay].mean(axis=1) / 4).max() < 1e-6  # one channel: mixed down
    assert not out[:, 4].any()


@pytest.mark.parametrize(
    "options",
    [{"routing": {"flute": [3]}}, {"routing": {"vocals": [9]}}, {"input_channels": (5,)}],
    ids=["stem", "channel", "input"],
)
def test_impossible_routing_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(StemplayError):
        make(FakePort(), **options)


def test_non_finite_input_never_reaches_the_output() -> None:
    port = FakePort()
    engine = make(port)
    mix = noise(2560)
    mix[700:900] = np.nan
    mix[900] = np.inf
    out = port.play(mix)
    engine.stop()
    assert np.isfinite(out).all()


class Broken(Passthrough):
    """Fails from the tenth call to the twentieth, in one of two ways."""

    calls = 0

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def process(self, block: Audio) -> Audio:
        self.calls += 1
        stems = super().process(block)
        if 10 <= self.calls < 20:
            if self.how == "raise":
                raise RuntimeError("on purpose")
            stems = np.full_like(stems, np.nan)
        return stems


@pytest.mark.parametrize("how", ["raise", "nan"])
def test_a_model_that_fails_is_replaced_by_the_dry_mix_and_comes_back(how: str) -> None:
    port = FakePort()
    engine = make(port, Broken(how), MixerState(limiter=False))
    mix = noise(256 * 60)
    out = port.play(mix)
    snapshot = engine.snapshot()
    engine.stop()
    delay = engine.latency.engine
    assert np.abs(out[delay:] - mix[:-delay]).max() < 1e-5
    assert 10 <= snapshot.misses <= 12
    assert snapshot.message == ""


def test_an_exception_in_the_callback_is_told_and_filled_with_silence() -> None:
    port = FakePort()
    engine = make(port)
    engine._mixer.process = None  # type: ignore[assignment, method-assign]
    out = port.tick(noise(256))
    assert not out.any()
    assert "callback failed" in engine.snapshot().message
    engine.stop()


def test_xruns_are_counted_apart_and_reset() -> None:
    port = FakePort()
    engine = make(port)
    port.tick(noise(256), xrun=True)
    assert engine.snapshot().xruns == 1
    assert engine.snapshot().misses == 0
    engine.send(command("reset_counters"))
    assert engine.snapshot().xruns == 0
    engine.stop()


def test_faders_mute_and_solo_reach_the_sound() -> None:
    port = FakePort()
    engine = make(port, mixer=MixerState(limiter=False))
    engine.send(command("set_stem", stem="vocals", field="mute", value=True))
    engine.send(command("set_mixer", field="master_db", value=-20.0))
    mix = noise(256 * 20)
    out = port.play(mix)
    engine.stop()
    delay = engine.latency.engine
    np.testing.assert_allclose(out[2560:], 0.075 * mix[2560 - delay : -delay], atol=1e-6)


@pytest.mark.parametrize(
    ("stem", "field", "value"),
    [
        ("flute", "mute", True),
        ("vocals", "mute", 1),
        ("vocals", "gain_db", "loud"),
        ("vocals", "pan", 2),
        ("vocals", "x", 1),
    ],
)
def test_impossible_commands_are_refused(stem: str, field: str, value: object) -> None:
    engine = make(FakePort())
    with pytest.raises(StemplayError):
        engine.send(command("set_stem", stem=stem, field=field, value=value))
    engine.stop()


def test_panic_pauses_the_song_for_the_next_engine_too() -> None:
    port, song = FakePort(in_channels=0), FilePlayer.from_samples(noise(44_100), 44_100)
    engine = Engine(EngineConfig(), MixerState(), port=port, processor=Passthrough(), source=song)
    engine.start()
    assert port.tick(1024).any() and engine.snapshot().transport.playing
    engine.send(command("panic"))
    for _ in range(30):
        port.tick(1024)
    transport = engine.snapshot().transport
    assert not transport.playing and 0 < transport.position_s < 0.5
    assert not port.tick(1024).any()
    engine.send(command("play"))
    assert any(port.tick(1024).any() for _ in range(10))
    engine.stop()
    desired = DesiredState(EngineConfig(input="none"), MixerState())
    desired.apply(command("panic"))
    assert not desired.playing


def test_panic_is_silent_at_once_and_new_sound_comes_back() -> None:
    port = FakePort()
    engine = make(port, Passthrough(delay=256), MixerState(limiter=False))
    mix = np.full((256 * 100, 2), 0.5, np.float32)
    port.play(mix[: 256 * 20])
    engine.send(command("panic"))
    out = port.play(mix)
    delay, fade = engine.latency.engine, round(GATE_S * RATE)
    steps = np.abs(np.diff(out, axis=0))
    assert out[0, 0] == pytest.approx(0.5, abs=0.01)
    assert steps.max() < 0.01
    assert not out[fade : fade + round(PANIC_S * RATE)].any()
    assert np.abs(out[-256:] - 0.5).max() < 1e-6
    fresh = noise(256 * 20)
    out = port.play(fresh)
    engine.stop()
    assert np.abs(out[delay:] - fresh[:-delay]).max() < 1e-6
    assert engine.snapshot().misses == 0


def test_a_song_plays_seeks_and_finishes() -> None:
    song = noise(RATE // 2)
    port = FakePort(in_channels=0)
    player = FilePlayer.from_samples(song, RATE)
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=Passthrough(), source=player)
    engine.start()
    first = port.play(np.zeros((2560, 0), np.float32))
    delay = engine.latency.engine
    assert np.abs(first[delay:] - song[: 2560 - delay]).max() < 1e-6
    engine.send(command("seek", position_s=0.25))
    second = port.play(np.zeros((2560, 0), np.float32))
    start = round(0.25 * RATE)
    fade = 300
    assert np.abs(second[delay + fade :] - song[start + fade : start + 2560 - delay]).max() < 1e-6
    port.play(np.zeros((RATE, 0), np.float32))
    assert engine.snapshot().state == "finished"
    engine.stop()


def test_without_a_model_a_seek_fades_from_the_old_place_into_the_new() -> None:
    """A model must hear the song as it is, and the step is spread behind it; without one nothing need overshoot."""
    song = np.full((RATE, 2), 0.5, np.float32)
    song[RATE // 2 :] = -0.5
    port = FakePort(in_channels=0)
    player = FilePlayer.from_samples(song, RATE)
    engine = Engine(
        EngineConfig(model="none"), MixerState(limiter=False), port=port, processor=Passthrough(), source=player
    )
    engine.start()
    port.play(np.zeros((2560, 0), np.float32))
    engine.send(command("seek", position_s=0.75))
    out = port.play(np.zeros((2560, 0), np.float32))
    engine.stop()
    assert (np.diff(out[:, 0]) <= 1e-6).all() and out[0, 0] == 0.5 and out[-1, 0] == -0.5
    assert np.abs(np.diff(out[:, 0])).max() < 0.02


def test_without_a_song_the_transport_is_refused() -> None:
    engine = make(FakePort())
    with pytest.raises(StemplayError, match="No song"):
        engine.send(command("seek", position_s=1.0))
    with pytest.raises(StemplayError, match="cannot"):
        engine.send(command("shutdown"))
    engine.stop()

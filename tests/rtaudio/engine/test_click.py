"""The click: at the very sample at which a beat is heard, through seeks, loops and latencies; the count-in; recordings have none of it."""

from __future__ import annotations

import numpy as np
import pytest

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.audio.tempo import Tempo
from rtaudio.engine.click import NO_BEATS, Click, grid_of, plan_count_in
from rtaudio.engine.engine import Engine
from rtaudio.files.song_player import FilePlayer
from rtaudio.files.tempo_player import TempoPlayer
from rtaudio.ports.fake import FakePort
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, MixerState

RATE = 44_100
BEATS = [0.1 + 0.2 * k for k in range(40)]
NUMBERS = [k % 4 + 1 for k in range(40)]


def song_with_marks() -> Audio:
    """8 s of silence with one negative sample at each beat; a click begins with a positive one."""
    song = np.zeros((8 * RATE, 2), np.float32)
    song[np.rint(np.array(BEATS) * RATE).astype(int)] = -0.25
    return song


def playing(port: FakePort, mixer: MixerState, delay: int = 0, *, begin: bool = True) -> Engine:
    source = FilePlayer.from_samples(song_with_marks(), RATE)
    engine = Engine(EngineConfig(model="none"), mixer, port=port, processor=Passthrough(delay=delay), source=source)
    engine.send(command("set_beats", beats=BEATS, numbers=NUMBERS))
    if begin:
        engine.send(command("play"))
    engine.start()
    return engine


def onsets(sound: Audio) -> list[int]:
    """Where clicks begin: a sound after 10 ms of silence."""
    loud = np.flatnonzero(np.abs(sound[:, 0]) > 1e-4)
    return [int(x) for x in loud[np.diff(loud, prepend=-RATE) > RATE // 100]]


def marks(sound: Audio) -> list[int]:
    return [int(x) for x in np.flatnonzero(sound[:, 0] < -0.2)]


def both(mixer: MixerState, moves: dict[int, str], **options: int) -> tuple[Audio, Audio]:
    """What is heard without and with the click; ``moves``: commands before a tick."""
    heard = []
    for on in (False, True):
        port = FakePort(block=options.get("block", 256))
        mixer.click = on
        engine = playing(port, mixer, options.get("delay", 0))
        parts = []
        for tick in range(options.get("ticks", 300)):
            if tick in moves:
                name, *values = moves[tick].split()
                arguments = dict(zip(("position_s",) if name == "seek" else ("start_s", "end_s"), map(float, values), strict=True))
                engine.send(command(name, **arguments))
            parts.append(port.tick(port.max_block))
        engine.stop()
        heard.append(np.concatenate(parts))
    return heard[0], heard[1]


@pytest.mark.parametrize(("block", "delay"), [(256, 0), (64, 100), (1000, 0)])
def test_the_click_is_at_the_sample_of_the_beat(block: int, delay: int) -> None:
    plain, clicked = both(MixerState(limiter=False, click_db=0.0), {}, block=block, delay=delay, ticks=80_000 // block)
    found = onsets(clicked - plain)
    assert found == marks(plain) and len(found) > 5


def test_the_click_follows_seeks_and_loops() -> None:
    moves = {40: "seek 2.63", 90: "set_loop 3.0 3.5"}
    plain, clicked = both(MixerState(limiter=False, click_db=0.0), moves, ticks=600)
    found = onsets(clicked - plain)
    assert found == marks(plain) and len(found) > 12


@pytest.mark.parametrize("speed", [0.5, 1.25])
def test_the_click_follows_the_tempo_and_a_loop_in_it(speed: float) -> None:
    port = FakePort(block=256)
    source = TempoPlayer.from_samples(np.zeros((8 * RATE, 2), np.float32), RATE)
    mixer = MixerState(limiter=False, click=True, click_db=0.0, count_in=1.0)
    engine = Engine(EngineConfig(model="none"), mixer, port=port, processor=Passthrough(), source=source)
    source.waits = True
    for name, values in (("set_beats", {"beats": BEATS, "numbers": NUMBERS}), ("set_loop", {"start_s": 0.0, "end_s": 1.6})):
        engine.send(command(name, **values))
    engine.send(command("set_speed", speed=speed))
    engine.send(command("play"))
    engine.start()
    sound = np.concatenate([port.tick(256) for _ in range(round(3.0 / speed * RATE / 256))])
    engine.stop()
    gaps = np.diff(onsets(sound)) / RATE
    assert len(gaps) >= 12 and np.abs(gaps - 0.2 / speed).max() < 0.004, "the bar before, the song, and the loop's seam"


def test_accents_are_on_downbeats() -> None:
    plain, clicked = both(MixerState(limiter=False, click_db=0.0), {}, ticks=300)
    click = (clicked - plain)[:, 0]
    loud = [float(np.abs(click[at : at + 400]).max()) for at in onsets(clicked - plain)]
    assert [level > 0.75 for level in loud[:6]] == [True, False, False, False, True, False]


def test_the_stems_and_recordings_have_no_click() -> None:
    port = FakePort()
    engine = playing(port, MixerState(limiter=False, click=True, click_db=0.0))
    for _ in range(100):
        port.tick(256)
    assert max(engine.snapshot().master.peak) < 0.3  # of the mix alone
    engine.stop()


@pytest.mark.parametrize("block", [256, 1000])
def test_a_bar_is_counted_in_and_the_song_starts_where_the_next_click_would_be(block: int) -> None:
    port = FakePort(block=block)
    engine = playing(port, MixerState(limiter=False, click=True, click_db=-20.0, count_in=1.0))
    heard = [port.tick(block) for _ in range(80 * 1024 // block)]
    assert not engine.snapshot().transport.counting
    engine.stop()
    sound = np.concatenate(heard)
    clicks = onsets(np.maximum(sound, 0.0))
    gaps = np.diff(clicks[:7])
    assert np.all(np.abs(gaps - 0.2 * RATE) <= 1)
    latency = 0.8 * RATE + engine.latency.engine
    assert marks(sound)[0] == round(latency + 0.1 * RATE)  # the song starts after four beats, to the sample
    assert clicks[4] - marks(sound)[0] in (0, 1)


def test_pause_ends_the_count_in() -> None:
    port = FakePort()
    engine = playing(port, MixerState(click=True, count_in=2.0))
    port.tick(256)
    assert engine.snapshot().transport.counting and engine.snapshot().transport.playing
    engine.send(command("pause"))
    before = engine.snapshot().transport
    for _ in range(400):
        port.tick(256)
    after = engine.snapshot().transport
    engine.stop()
    assert not before.playing and not after.playing and after.position_s == 0.0


def test_a_count_in_from_within_a_beat_keeps_the_beat() -> None:
    grid = grid_of(BEATS, NUMBERS, RATE)
    start = round((BEATS[6] + 0.05) * RATE)
    plan = plan_count_in(grid, start, 1, RATE, 120.0)
    places = [start - plan.frames + place for place, _ in plan.clicks]
    assert [abs(place - grid.frames[6] + k * 0.2 * RATE) <= 1 for k, place in enumerate(reversed(places))] == [True] * 4
    assert [accent for _, accent in plan.clicks] == [False, True, False, False]  # numbers 4 1 2 3


def test_without_beats_four_are_counted_at_the_tempo() -> None:
    plan = plan_count_in(NO_BEATS, 1234, 1, RATE, 90.0)
    assert plan.frames == round(4 * 60 / 90 * RATE)
    assert [accent for _, accent in plan.clicks] == [True, False, False, False]
    assert np.allclose(np.diff([place for place, _ in plan.clicks]), 60 / 90 * RATE, atol=1)


def test_a_live_input_clicks_at_the_tempo() -> None:
    port = FakePort()
    engine = Engine(EngineConfig(), MixerState(click=True, click_db=0.0), port=port, processor=Passthrough())
    engine.send(command("set_tempo", bpm=150.0))
    engine.start()
    sound = port.play(np.zeros((3 * RATE, 2), np.float32))
    engine.stop()
    assert onsets(sound) == [round(k * 0.4 * RATE) for k in range(8)]


def test_in_a_session_the_click_is_at_links_beats() -> None:
    tempo = Tempo(120.0, now=0.0)
    click = Click(RATE, tempo, linked=True, song=True)
    click.set_level(True, 0.0)
    click.heard_later = 0.02
    click.take(0, [(0, 256, 0, 256)])
    rng, blocks = np.random.default_rng(0), []
    for k in range(1000):
        out = np.zeros((256, 2), np.float32)
        now = k * 256 / RATE + rng.uniform(0, 0.002)  # a callback is never on time
        click.render(out, k * 256, 0, now, realtime=True)
        blocks.append(out)
    found = onsets(np.concatenate(blocks))
    beats = (np.array(found) / RATE + 0.02) / 0.5
    assert len(found) >= 11
    assert np.abs(beats - np.rint(beats)).max() * 0.5 < 0.002


@pytest.mark.parametrize("begun", [0.0, 0.37, 1.93])
@pytest.mark.parametrize("start_s", [0.1, 0.4, 0.55])
def test_in_a_session_the_song_starts_so_that_its_bar_is_heard_on_links_bar(begun: float, start_s: float) -> None:
    """On its downbeat, on a beat within a bar, and between two beats."""
    block, delay, later, bars = 256, 3000, 0.012, 2
    tempo = Tempo(300.0, now=0.0)  # that of the song
    tempo.place(2.7, now=0.0)
    click = Click(RATE, tempo, linked=True, song=True)
    click.heard_later = later
    plan = plan_count_in(grid_of(BEATS, NUMBERS, RATE), round(start_s * RATE), bars, RATE, tempo.bpm)
    assert plan.phase == pytest.approx((start_s - BEATS[0]) / 0.2, abs=1e-3), "beats into the bar"
    click.count_in(plan)
    clock = first = round(begun * RATE)
    while not (found := click.wait(block, clock, delay, clock / RATE))[1]:
        clock += block
    read = clock + found[0]
    heard = (read + delay) / RATE + later
    away = (tempo.beat(heard) - plan.phase + 2) % 4 - 2
    assert abs(away) * 60 / tempo.bpm < 1.5 / RATE, "to the sample"
    bar = 4 * 60 / tempo.bpm
    assert bars * bar - 1e-3 <= (read - first) / RATE < (bars + 1) * bar + 1e-3, "after the bars that are counted, on the next one"


@pytest.mark.parametrize(
    ("beats", "numbers"),
    [([1.0, 0.5], [1, 2]), ([1.0], [1, 2]), ([float("nan")], [1]), (["1"], [1]), ([1.0], [0]), ("1", "1"), ([1.0], [True])],
)
def test_what_are_no_beats_is_refused_in_a_sentence(beats: object, numbers: object) -> None:
    state = DesiredState()
    with pytest.raises(StemplayError, match=r"Beats are .*\."):
        state.apply(command("set_beats", beats=beats, numbers=numbers))
    assert state.beats == []


def test_beats_outlive_an_engine_but_not_their_song() -> None:
    state = DesiredState(EngineConfig(input="none"))
    state.apply(command("set_beats", beats=[0.5, 1.0], numbers=[1, 2]))
    again = DesiredState.from_json(state.to_json())
    assert (again.beats, again.numbers) == ([0.5, 1.0], [1, 2])
    again.apply(command("configure", config={"input": "default"}))
    assert again.beats == []

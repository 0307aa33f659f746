"""The tempo of a song: pitch, length, places, and no click whatever is changed while it plays."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from rtaudio.audio.format import Audio
from rtaudio.audio.stretch import stretched, stretched_length
from rtaudio.files.song_player import FilePlayer
from rtaudio.files.tempo_player import TempoPlayer

pytest.importorskip("pylibrb")
RATE = 44_100
BLOCK = 256
SECONDS = 2
HARMONICS = range(1, 30)


def tone(frequency: float, seconds: float = SECONDS) -> Audio:
    wave = 0.3 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)
    return wave.astype(np.float32)[:, None].repeat(2, 1)


def cents(audio: Audio, frequency: float) -> float:
    """How far the middle of ``audio`` is from a tone, by its spectrum with a parabola through the peak."""
    part = audio[len(audio) // 4 : 3 * len(audio) // 4, 0]
    size = 1 << 17
    level = np.log(np.abs(np.fft.rfft(part * np.hanning(len(part)), size)) + 1e-12)
    guess = round(frequency * size / RATE)
    peak = guess - 60 + int(np.argmax(level[guess - 60 : guess + 60]))
    a, b, c = level[peak - 1 : peak + 2]
    return float(1200 * np.log2((peak + 0.5 * (a - c) / (a - 2 * b + c)) * RATE / size / frequency))


def full_speed(samples: Audio, speed: float = 1.0, **options: bool) -> TempoPlayer:
    player = TempoPlayer.from_samples(samples, RATE, **options)
    player.waits = True
    player.set_speed(speed)
    return player


def blocks(player: FilePlayer) -> Iterator[Audio]:
    while True:
        block = np.full((BLOCK, 2), np.nan, np.float32)
        player.read_into(block)
        yield block


def whole(player: FilePlayer) -> Audio:
    parts = []
    for block in blocks(player):
        parts.append(block)
        if player.finished:
            return np.concatenate(parts)
    raise AssertionError


def wait_until(happened: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.002)


def largest_step(audio: Audio) -> float:
    return float(np.abs(np.diff(audio, axis=0)).max())


@pytest.mark.parametrize("speed", [0.5, 0.75, 1.1, 1.5])
def test_pitch_is_kept_within_five_cents_and_the_length_is_right_within_a_block(speed: float) -> None:
    song = sum(tone(110.0 * k) / k for k in HARMONICS)
    audio = whole(full_speed(song, speed))
    assert 0 <= len(audio) - SECONDS * RATE / speed < BLOCK
    assert all(abs(cents(audio, frequency)) < 1.0 for frequency in (110.0, 220.0, 440.0))
    assert np.sqrt(np.mean(audio[RATE : RATE + 10_000] ** 2)) == pytest.approx(np.sqrt(np.mean(song**2)), rel=0.1)


def test_the_song_as_it_is_passes_bit_for_bit_also_after_another_tempo() -> None:
    song = np.random.default_rng(0).normal(0, 0.1, (2 * RATE, 2)).astype(np.float32)
    player = full_speed(song)
    play = blocks(player)
    np.testing.assert_array_equal(next(play), song[:BLOCK])
    player.set_speed(0.8)
    for _ in range(20):
        next(play)
    player.set_speed(1.0)
    for _ in range(5):  # the fade
        next(play)
    at = player.position
    np.testing.assert_array_equal(next(play), song[at : at + BLOCK])


def test_places_are_those_of_the_song() -> None:
    player = full_speed(tone(440.0), 0.75)
    for count, _ in zip(range(1, 200), blocks(player), strict=False):
        assert player.position == pytest.approx(0.75 * count * BLOCK, abs=4)
    player.seek(RATE)
    next(blocks(player))
    assert player.switched is not None and player.switched.frame == RATE and player.block_start == RATE
    assert player.position == pytest.approx(RATE + 0.75 * BLOCK, abs=4)


def test_onsets_stay_where_they_belong_from_beginning_to_end() -> None:
    song, onsets = np.zeros((8 * RATE, 2), np.float32), np.arange(RATE, 8 * RATE, 2 * RATE)
    burst = np.random.default_rng(0).normal(0, 0.2, 400) * np.exp(-np.arange(400) / 60)
    for onset in onsets:
        song[onset : onset + 400] = burst[:, None]
    audio = np.concatenate(list(stretched(np.array_split(song, 500), RATE, 2, 0.9)))
    assert len(audio) == stretched_length(len(song), 0.9)
    for onset in onsets:
        at = round(onset / 0.9)
        energy = np.cumsum(audio[at - 2000 : at + 2000, 0] ** 2)
        assert abs(np.searchsorted(energy, energy[-1] / 2) - 2000) < 0.004 * RATE


CHANGES: dict[str, Callable[[TempoPlayer], object]] = {
    "slower": lambda player: player.set_speed(0.6),
    "much faster": lambda player: player.set_speed(1.5),
    "as it is": lambda player: player.set_speed(1.0),
    "seek": lambda player: player.seek(RATE),
    "pause": lambda player: player.pause(),
    "play": lambda player: player.play(),
    "loop": lambda player: player.set_loop(RATE, RATE + RATE // 2),
    "no loop": lambda player: player.set_loop(None, None),
}


@pytest.mark.parametrize("order", [
    ["slower", "much faster", "as it is", "slower"], ["slower", "seek", "pause", "play", "as it is"],
    ["loop", "slower", "much faster", "no loop", "as it is"], ["slower", "loop", "seek", "as it is"],
])  # fmt: skip
def test_nothing_clicks(order: list[str]) -> None:
    player = full_speed(tone(440.0), loop=True)
    play, parts = blocks(player), []
    for change in order:
        parts += [next(play) for _ in range(150)]
        CHANGES[change](player)
    parts += [next(play) for _ in range(400)]  # several rounds of the loop
    own = largest_step(tone(440.0))
    assert np.isfinite(parts).all() and largest_step(np.concatenate(parts)) < 1.3 * own


def test_loops_are_played_in_time_and_the_place_follows() -> None:
    player = full_speed(tone(440.0), 0.5)
    player.set_loop(RATE, RATE + RATE // 4)
    player.seek(RATE, fade=False)
    played = [player.position for _, _ in zip(range(400), blocks(player), strict=False)]
    assert min(played) >= RATE and max(played) < RATE + RATE // 4
    rounds = sum(later < earlier for earlier, later in itertools.pairwise(played))
    assert rounds == 400 * BLOCK * 0.5 // (RATE // 4)


def test_a_song_that_ended_can_be_played_again() -> None:
    player = full_speed(tone(440.0, 0.3), 1.5)
    whole(player)
    assert not player.playing and player.position == player.length
    player.play()
    assert largest_step(next(blocks(player))) > 0 and player.playing


def test_in_real_time_the_thread_prepares_what_is_heard() -> None:
    """Blocks are read as fast as the thread computes them, so that a busy machine only makes the test slower."""
    player = TempoPlayer.from_samples(tone(440.0), RATE, loop=True)
    play = blocks(player)

    def follow(count: int) -> list[Audio]:
        read = []
        for _ in range(count):
            wait_until(lambda: player._voice is None or player._voice.ready > 3 * BLOCK, "sound that is ready")
            read.append(next(play))
        return read

    try:
        parts = follow(20)
        player.set_speed(0.7)
        wait_until(lambda: player._next is not None, "a voice")
        parts += follow(60)
        assert player._voice is not None
        player.seek(RATE)
        parts += follow(30)
        player.set_loop(0, RATE)
        wait_until(lambda: player._next is not None, "a voice with the loop")
        parts += follow(60)
        player.set_speed(1.3)
        parts += follow(60)
        player.set_speed(1.0)
        parts += follow(20)
        assert player._voice is None and player.late == 0
        assert largest_step(np.concatenate(parts)) < 1.3 * largest_step(tone(440.0))
    finally:
        player.close()


def test_a_late_thread_fades_the_sound_out_and_in() -> None:
    player = TempoPlayer.from_samples(tone(440.0), RATE)
    try:
        player.set_speed(0.7)  # begins with a voice
        play, parts = blocks(player), []
        player._closing.set()  # the thread ends
        while not player.late:
            parts.append(next(play))
        parts.append(next(play))
        assert not parts[-1].any() and largest_step(np.concatenate(parts)) < 2 * largest_step(tone(440.0))
        assert player._voice is not None
        player._voice.fill(RATE, 0.7)
        parts += [next(play) for _ in range(20)]
        assert parts[-1].any() and largest_step(np.concatenate(parts)) < 2 * largest_step(tone(440.0))
    finally:
        player.close()

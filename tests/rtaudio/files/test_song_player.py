"""The file player: exact positions, no clicks, seeks that take effect with a block, songs too long for memory."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.files import song as song_module
from rtaudio.files.decoders import SoundFileDecoder
from rtaudio.files.song_player import FADE_S, FilePlayer

RATE = 44_100
FADE = round(FADE_S * RATE)


def noise(frames: int, seed: int = 0) -> Audio:
    return (0.2 * np.random.default_rng(seed).standard_normal((frames, 2))).astype(np.float32)


def take(player: FilePlayer, frames: int, cuts: tuple[int, ...] = (256,)) -> Audio:
    out, at, turn = np.full((frames, 2), np.nan, np.float32), 0, 0
    while at < frames:
        stop = min(frames, at + cuts[turn % len(cuts)])
        player.read_into(out[at:stop])
        at, turn = stop, turn + 1
    return out


# ---------------------------------------------------------------- plain playing


@given(cuts=st.lists(st.integers(1, 5000), min_size=1, max_size=5).map(tuple))
@settings(max_examples=30, deadline=None)
def test_a_song_plays_bit_for_bit_in_any_blocks_and_then_is_finished(cuts: tuple[int, ...]) -> None:
    samples = noise(4321)
    player = FilePlayer.from_samples(samples, RATE)
    np.testing.assert_array_equal(take(player, 4320, cuts), samples[:4320])
    assert not player.finished and player.position == 4320
    np.testing.assert_array_equal(take(player, 1000, cuts), np.vstack([samples[4320:], np.zeros((999, 2), np.float32)]))
    assert player.finished and player.position == player.length and not player.playing


def test_the_song_is_finished_with_the_block_that_holds_its_last_frame() -> None:
    player = FilePlayer.from_samples(noise(512), RATE)
    take(player, 256)
    assert not player.finished
    take(player, 256)
    assert player.finished


@pytest.mark.parametrize(("file_rate", "channels"), [(44_100, 1), (48_000, 2), (22_050, 1), (8000, 2)])
def test_a_file_is_converted_to_the_device(tmp_path: Path, file_rate: int, channels: int) -> None:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(file_rate) / file_rate)
    soundfile.write(tmp_path / "x.wav", np.repeat(wave[:, None], channels, axis=1), file_rate, subtype="FLOAT")
    shares: list[float] = []
    player = FilePlayer(tmp_path / "x.wav", RATE, 2, progress=shares.append)
    assert abs(player.length - RATE) <= RATE / file_rate and player.channels == 2 and shares[-1] == 1.0
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    got = take(player, RATE - 2000)[2000:]
    np.testing.assert_allclose(got, np.repeat(expected[2000 : 2000 + len(got), None], 2, axis=1), atol=2e-3)


def test_files_without_sound_are_refused_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_text("no sound")
    for path in (tmp_path / "x.wav", tmp_path / "missing.wav", tmp_path):
        with pytest.raises(StemplayError) as error:
            FilePlayer(path, RATE, 2)
        assert str(error.value).endswith(".")
    with pytest.raises(StemplayError):
        FilePlayer.from_samples(noise(0), RATE)


def test_damage_in_the_file_is_told(tmp_path: Path) -> None:
    samples = noise(1000)
    samples[5] = np.nan
    soundfile.write(tmp_path / "x.wav", samples, RATE, subtype="FLOAT")
    player = FilePlayer(tmp_path / "x.wav", RATE, 2)
    assert player.warnings == ["x.wav: 2 samples are not finite numbers and were replaced by silence."]
    assert not take(player, 1000)[5].any()


# ---------------------------------------------------------------- play and pause


def test_pause_and_play_fade_and_lose_no_sample() -> None:
    samples = noise(20_000)
    player = FilePlayer.from_samples(samples, RATE)
    take(player, 1000)
    player.pause()
    out = take(player, 1000, (77,))
    fade = np.cos(np.arange(FADE) / FADE * np.pi / 2)[:, None] ** 2
    np.testing.assert_allclose(out[:FADE], samples[1000 : 1000 + FADE] * fade, atol=1e-6)
    assert not out[FADE:].any() and player.position == 1000 + FADE and not player.playing
    player.play()
    again = take(player, 2000, (77,))
    start = 1000 + FADE
    np.testing.assert_allclose(again[:FADE], samples[start : start + FADE] * (1 - fade), atol=1e-6)
    np.testing.assert_array_equal(again[FADE:], samples[start + FADE : start + 2000])


def test_a_player_that_starts_paused_waits_at_the_first_frame_and_starts_unfaded() -> None:
    samples = noise(2000)
    player = FilePlayer.from_samples(samples, RATE, playing=False)
    assert not take(player, 300).any() and player.position == 0
    player.play()
    np.testing.assert_array_equal(take(player, 2000), samples)


def test_play_after_the_end_starts_again_and_seek_after_the_end_plays_on() -> None:
    samples = noise(2000)
    player = FilePlayer.from_samples(samples, RATE)
    take(player, 2500)
    player.play()
    np.testing.assert_array_equal(take(player, 2000), samples)
    player.seek(1000)
    player.play()
    out = take(player, 500)
    assert player.position == 1500 and not player.finished
    np.testing.assert_array_equal(out[FADE:], samples[1000 + FADE : 1500])


# ---------------------------------------------------------------- seek


def test_a_seek_takes_effect_with_the_next_block_and_hands_its_payload_over_once() -> None:
    samples = noise(40_000)
    player = FilePlayer.from_samples(samples, RATE)
    take(player, 512)
    payload = object()
    player.seek(100)
    asked = player.seek(30_000, payload=payload)
    assert player.position == 30_000 and player.transport().position_s == 30_000 / RATE
    out = np.empty((256, 2), np.float32)
    player.read_into(out)
    assert player.switched is asked and player.switched.payload is payload and player.block_start == 30_000
    fade = np.sin(np.arange(FADE) / FADE * np.pi / 2)[:, None] ** 2
    expected = samples[30_000 : 30_000 + FADE] * fade + samples[512 : 512 + FADE] * (1 - fade)
    np.testing.assert_allclose(out[:FADE], expected, atol=1e-6)
    np.testing.assert_array_equal(out[FADE:], samples[30_000 + FADE : 30_256])
    player.read_into(out)
    assert player.switched is None and player.block_start == 30_256
    np.testing.assert_array_equal(out, samples[30_256:30_512])


def test_a_seek_without_fade_is_the_song_from_its_first_sample_on() -> None:
    samples = noise(40_000)
    player = FilePlayer.from_samples(samples, RATE)
    take(player, 700)
    player.seek(20_000, fade=False)
    np.testing.assert_array_equal(take(player, 1000), samples[20_000:21_000])


def test_a_seek_while_paused_stays_silent_and_play_goes_on_from_there() -> None:
    samples = noise(40_000)
    player = FilePlayer.from_samples(samples, RATE)
    player.pause()
    take(player, 600)
    player.seek(20_000)
    assert not take(player, 500).any() and player.position == 20_000
    player.play()
    np.testing.assert_array_equal(take(player, 1000)[FADE:], samples[20_000 + FADE : 21_000])


def test_a_seek_outside_the_song_goes_to_its_nearest_end() -> None:
    samples = noise(5000)
    player = FilePlayer.from_samples(samples, RATE)
    player.seek(-7)
    take(player, 300)
    assert player.position == 300
    player.seek(1 << 40)
    out = take(player, 1000)
    assert player.finished and player.position == 5000 and not out[FADE:].any()


def test_the_callback_sees_either_the_old_or_the_new_position() -> None:
    """A thread seeks as fast as it can; every block must be one piece of the song, from one place."""
    samples = np.arange(1 << 20, dtype=np.float32)[:, None].repeat(2, axis=1)
    player = FilePlayer.from_samples(samples, RATE, loop=True)
    stop, sought = threading.Event(), []

    def seek() -> None:
        rng = np.random.default_rng(0)
        while not stop.is_set():
            frame = int(rng.integers(1 << 20))
            sought.append(player.seek(frame, fade=False, payload=frame))

    thread = threading.Thread(target=seek)
    thread.start()
    out, switches = np.empty((64, 2), np.float32), 0
    try:
        for _ in range(3000):
            player.read_into(out)
            start = player.block_start
            np.testing.assert_array_equal(out[:, 0], (start + np.arange(64)) % (1 << 20))
            if player.switched is not None:
                switches += 1
                assert player.switched.frame == player.switched.payload == start
    finally:
        stop.set()
        thread.join()
    assert switches > 0


# ---------------------------------------------------------------- loops


def test_looping_the_whole_song_joins_it_bit_for_bit() -> None:
    samples = noise(3001)
    player = FilePlayer.from_samples(samples, RATE, loop=True)
    np.testing.assert_array_equal(take(player, 10_000, (333, 1, 4000)), np.tile(samples, (4, 1))[:10_000])
    assert not player.finished


@given(
    start=st.integers(0, 2000),
    length=st.integers(2 * FADE, 3000),
    cuts=st.lists(st.integers(1, 1500), min_size=1, max_size=4).map(tuple),
)
@settings(max_examples=40, deadline=None)
def test_a_loop_repeats_with_its_exact_length_for_ever(start: int, length: int, cuts: tuple[int, ...]) -> None:
    samples = noise(6000)
    end = start + length
    player = FilePlayer.from_samples(samples, RATE)
    player.set_loop(start, end)
    turns = 30
    out = take(player, end + turns * length, cuts)
    assert player.position == start and not player.finished
    rounds = out[end:].reshape(turns, length, 2)
    plain = length - FADE
    np.testing.assert_array_equal(rounds[:, :plain], np.broadcast_to(samples[start : end - FADE], (turns, plain, 2)))
    fade = np.cos(np.arange(FADE) / FADE * np.pi / 2)[:, None] ** 2
    before = np.zeros((FADE, 2), np.float32)
    before[max(0, FADE - start) :] = samples[max(0, start - FADE) : start]
    np.testing.assert_allclose(rounds[-1, plain:], samples[end - FADE : end] * fade + before * (1 - fade), atol=1e-6)


def test_beyond_a_loop_the_song_plays_on_and_its_end_leads_into_the_loop() -> None:
    samples = noise(6000)
    player = FilePlayer.from_samples(samples, RATE)
    player.set_loop(1000, 2000)
    player.seek(5000, fade=False)
    np.testing.assert_array_equal(take(player, 1000), samples[5000:])
    assert player.position == 1000 and not player.finished
    np.testing.assert_array_equal(take(player, 700)[FADE:], samples[1000 + FADE : 1700])
    player.set_loop(None, None)
    np.testing.assert_array_equal(take(player, 4300), samples[1700:])
    assert player.finished


def test_half_open_loops_and_loops_that_are_too_short() -> None:
    player = FilePlayer.from_samples(noise(6000), RATE)
    player.set_loop(3000, None)
    assert player.transport().loop == (3000 / RATE, 6000 / RATE)
    player.set_loop(None, 2000)
    assert player.transport().loop == (0.0, 2000 / RATE)
    for a, b in ((1000, 1000 + 2 * FADE - 1), (3000, 2000), (7000, None)):
        with pytest.raises(StemplayError, match=r"loop (must be|starts at)"):
            player.set_loop(a, b)
    assert player.transport().loop == (0.0, 2000 / RATE)


# ---------------------------------------------------------------- anything at all

CYCLE = 2205
operations = st.one_of(
    st.tuples(st.just("play")),
    st.tuples(st.just("pause")),
    st.tuples(st.just("seek"), st.one_of(st.integers(0, 19 * CYCLE), st.just(20 * CYCLE))),
    st.tuples(st.just("set_loop"), st.integers(0, 9 * CYCLE), st.integers(10 * CYCLE, 20 * CYCLE)),
    st.tuples(st.just("set_loop"), st.none(), st.none()),
)


@given(
    steps=st.lists(st.tuples(st.integers(1, 4000), operations), max_size=12),
    cuts=st.lists(st.integers(1, 600), min_size=1, max_size=4).map(tuple),
    loop=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_nothing_that_is_done_to_the_transport_clicks(
    steps: list[tuple[int, tuple[Any, ...]]], cuts: tuple[int, ...], loop: bool
) -> None:
    """The song is a slow sine of whole cycles: a jump anywhere would stand out from the fades' slopes."""
    wave = 0.5 * np.sin(2 * np.pi * np.arange(20 * CYCLE) / CYCLE)
    player = FilePlayer.from_samples(wave[:, None].repeat(2, axis=1).astype(np.float32), RATE, loop)
    pieces = [take(player, 300, cuts)]
    for frames, (name, *arguments) in steps:
        getattr(player, name)(*arguments)
        pieces.append(take(player, frames, cuts))
        assert 0 <= player.position <= player.length
        if not player.playing and frames > 2 * FADE + max(cuts):
            assert not pieces[-1][-1].any()
    out = np.vstack(pieces)
    assert np.isfinite(out).all() and np.abs(out).max() <= 1.0
    assert np.abs(np.diff(out, axis=0)).max() < 0.03


# ---------------------------------------------------------------- long songs


@pytest.mark.parametrize("length_known", [True, False])
def test_a_song_too_long_for_memory_lives_in_a_file_and_plays_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length_known: bool
) -> None:
    samples = noise(200_000)
    soundfile.write(tmp_path / "x.wav", samples, RATE, subtype="FLOAT")
    monkeypatch.setattr(song_module, "MEMORY_LIMIT", 100_000)
    if not length_known:
        monkeypatch.setattr(
            SoundFileDecoder, "frames", property(lambda self: None, lambda self, value: None), raising=False
        )
    player = FilePlayer(tmp_path / "x.wav", RATE, 2)
    assert player._song.on_disk and player.samples.shape == samples.shape
    assert "stemplay-prefetch" in [thread.name for thread in threading.enumerate()]
    np.testing.assert_array_equal(take(player, 50_000), samples[:50_000])
    player.seek(150_000, fade=False)
    np.testing.assert_array_equal(take(player, 50_000), samples[150_000:])
    player.close()
    assert "stemplay-prefetch" not in [thread.name for thread in threading.enumerate()]
    np.testing.assert_array_equal(player.samples[-10:], samples[-10:])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_temporary_folder_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "x.wav", noise(200_000), RATE, subtype="FLOAT")
    monkeypatch.setattr(song_module, "MEMORY_LIMIT", 100_000)
    monkeypatch.setattr(song_module.tempfile, "TemporaryFile", lambda **_named: io.FileIO("/dev/full", "r+"))
    with pytest.raises(StemplayError, match="No space left on device") as error:
        FilePlayer(tmp_path / "x.wav", RATE, 2)
    assert str(error.value).endswith(".")

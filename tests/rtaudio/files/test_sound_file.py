"""Sound files that are read: what comes back, what is refused with one sentence."""

from __future__ import annotations

import builtins
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtaudio.audio.format import StemplayError
from rtaudio.files import decoders
from rtaudio.files.sound_file import in_steps, open_reader, read_audio
from tests.rtaudio.soundfiles import noise, one_sentence, tone


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [
        ("wav", "FLOAT"),
        ("wav", "DOUBLE"),
        ("aiff", "FLOAT"),
        ("caf", "FLOAT"),
        ("au", "FLOAT"),
        ("w64", "FLOAT"),
        ("rf64", "FLOAT"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_lossless_float_formats_come_back_bit_for_bit(tmp_path: Path, suffix: str, subtype: str, channels: int) -> None:
    audio, path = noise(70_001, channels), tmp_path / f"x.{suffix}"
    soundfile.write(path, audio, 48_000, subtype=subtype)
    got, rate = read_audio(path)
    assert rate == 48_000
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, audio)


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac"])
def test_blocks_are_the_same_sound_as_one_read(tmp_path: Path, suffix: str) -> None:
    """Reading an MP3 through soundfile in blocks mutes a frame at each block's start; that must not happen here."""
    path = tmp_path / f"x.{suffix}"
    soundfile.write(path, noise(150_000), 44_100)
    whole, _ = soundfile.read(path, dtype="float32")
    with open_reader(path) as reader:
        np.testing.assert_array_equal(np.concatenate(list(reader.blocks(1000))), whole)


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac"])
def test_compressed_formats_keep_length_and_alignment(tmp_path: Path, suffix: str) -> None:
    audio, path = tone(44_100), tmp_path / f"x.{suffix}"
    soundfile.write(path, audio, 44_100)
    with open_reader(path) as reader:
        got = np.concatenate(list(reader.blocks()))
        assert reader.decoder == "soundfile"
        assert reader.warnings == []
    assert len(got) == len(audio)
    np.testing.assert_allclose(got[2000:-2000], audio[2000:-2000], atol=0.02)


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the ffmpeg program makes the M4A file")


@pytest.fixture(scope="module")
def m4a(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("m4a")
    soundfile.write(folder / "x.wav", tone(44_100), 44_100)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", folder / "x.wav", "-b:a", "192k", folder / "song.m4a"],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return folder / "song.m4a"


def hide_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "av":
            raise ImportError("hidden")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)


@needs_ffmpeg
def test_m4a_is_read_by_pyav_aligned_and_without_the_encoders_padding(m4a: Path) -> None:
    pytest.importorskip("av")
    with open_reader(m4a) as reader:
        got = np.concatenate(list(reader.blocks(1000)))
        assert (reader.decoder, reader.rate, reader.channels, reader.frames) == ("PyAV", 44_100, 2, 44_100)
    assert len(got) == 44_100
    np.testing.assert_allclose(got[3000:-3000], tone(44_100)[3000:-3000], atol=0.02)


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["aac", "opus", "wma"])
def test_other_compressed_formats_are_read_whole(m4a: Path, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    subprocess.run(["ffmpeg", "-v", "error", "-i", m4a.with_name("x.wav"), path], check=True, stdin=subprocess.DEVNULL)
    got, rate = read_audio(path)
    assert abs(len(got) / rate - 1.0) < 0.1
    assert abs(np.sqrt(np.mean(np.square(got[4000:40_000]))) - 0.5 / np.sqrt(2)) < 0.02


@needs_ffmpeg
def test_m4a_is_read_by_the_ffmpeg_program_where_pyav_is_missing(m4a: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_pyav(monkeypatch)
    with open_reader(m4a) as reader:
        got = np.concatenate(list(reader.blocks()))
        assert reader.decoder == "ffmpeg"
    np.testing.assert_allclose(got[3000:41_000], tone(44_100)[3000:41_000], atol=0.02)


@needs_ffmpeg
def test_without_any_decoder_the_sentence_names_what_to_install(m4a: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_pyav(monkeypatch)
    monkeypatch.setattr(shutil, "which", lambda *_args, **_named: None)
    with pytest.raises(StemplayError) as error:
        open_reader(m4a)
    assert "PyAV" in one_sentence(error) and "ffmpeg" in str(error.value)


@needs_ffmpeg
def test_a_reader_closed_early_leaves_no_ffmpeg_behind(m4a: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_pyav(monkeypatch)
    reader = open_reader(m4a)
    assert isinstance(reader._decoder, decoders.FfmpegDecoder)
    reader.close()
    assert reader._decoder._process.returncode is not None


def test_blocks_have_at_most_the_size_asked_for_and_progress_ends_at_one(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, noise(200_000), 44_100, subtype="FLOAT")
    shares: list[float] = []
    with open_reader(path) as reader:
        sizes = [len(block) for block in reader.blocks(777, shares.append)]
    assert max(sizes) == 777 and min(sizes) > 0 and sum(sizes) == 200_000
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_progress_in_steps_is_called_seldom_and_ends_at_one() -> None:
    shares: list[float] = []
    tell = in_steps(shares.append, 10)
    for i in range(1001):
        tell(i / 1000)
    tell(1.0)
    assert 9 <= len(shares) <= 11 and shares == sorted(set(shares)) and shares[-1] == 1.0


def test_read_audio_converts_the_rate_aligned_at_the_first_sample(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, tone(48_000, 48_000), 48_000, subtype="FLOAT")
    got, rate = read_audio(path, 44_100)
    assert rate == 44_100 and abs(len(got) - 44_100) <= 1
    np.testing.assert_allclose(got[500:43_000], tone(44_100)[500:43_000], atol=1e-3)


def test_samples_that_are_not_numbers_become_silence_and_are_told(tmp_path: Path) -> None:
    audio = noise(1000)
    audio[3, 0], audio[4, 1], audio[5, 0] = np.nan, np.inf, -np.inf
    path = tmp_path / "x.wav"
    soundfile.write(path, audio, 44_100, subtype="FLOAT")
    with open_reader(path) as reader:
        got = np.concatenate(list(reader.blocks()))
        assert reader.warnings == ["x.wav: 3 samples are not finite numbers and were replaced by silence."]
    np.testing.assert_array_equal(got, np.where(np.isfinite(audio), audio, 0))


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "w64", "mp3"])
def test_a_file_cut_short_gives_what_is_there_and_says_so(tmp_path: Path, suffix: str) -> None:
    whole, cut = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    soundfile.write(whole, tone(88_200), 44_100)
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    expected, _ = read_audio(whole)
    with open_reader(cut) as reader:
        got = np.concatenate(list(reader.blocks()))
        (sentence,) = reader.warnings
    assert sentence.startswith(f"cut.{suffix}: it is ") and sentence.endswith("could be read.")
    assert 0.3 * len(expected) < len(got) < 0.6 * len(expected)
    safe = len(got) - 4000
    np.testing.assert_allclose(got[:safe], expected[:safe], atol=1e-6)


def test_a_whole_file_makes_no_remark(tmp_path: Path) -> None:
    for suffix in ("wav", "flac", "mp3", "ogg", "aiff"):
        path = tmp_path / f"x.{suffix}"
        soundfile.write(path, tone(30_000), 44_100)
        with open_reader(path) as reader:
            list(reader.blocks())
            assert reader.warnings == [], suffix


def test_what_is_no_sound_is_refused_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.mp3").write_text("This is no sound.\n" * 100)
    (tmp_path / "raw.raw").write_bytes(b"1234" * 100)
    (tmp_path / "head.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVE")
    soundfile.write(tmp_path / "silent.wav", np.zeros((0, 2), np.float32), 44_100)
    soundfile.write(tmp_path / "slow.wav", noise(10), 100)
    expected = {
        "missing.wav": "There is no file",
        "empty.wav": "is empty",
        "text.mp3": "not a sound file",
        "raw.raw": "not a sound file",
        "head.wav": "not a sound file",
        "silent.wav": "contains no sound",
        "slow.wav": "sample rate of 100 Hz",
        ".": "is a folder",
        "nul\0byte.wav": "",
    }
    for name, part in expected.items():
        with pytest.raises(StemplayError) as error:
            open_reader(tmp_path / name)
        assert part in one_sentence(error), name


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(StemplayError) as error:
        open_reader(tmp_path / "pipe.wav")
    assert "not a regular file" in one_sentence(error)


HEADS = [
    b"",
    b"RIFF\xff\xff\xff\x7fWAVEfmt ",
    b"fLaC\x00\x00\x00\x22",
    b"OggS\x00\x02",
    b"ID3\x04",
    b"\xff\xfb\x90\x64",
    b"FORM\x00\x00\x10\x00AIFFCOMM",
]
HEADS += [
    b"caff\x00\x01",
    b".snd\x00\x00\x00\x18",
    b"RF64\xff\xff\xff\xffWAVEds64",
    b"\x00\x00\x00\x18ftypM4A ",
    b"#EXTM3U\nhttp://127.0.0.1:9/x\n",
]


@settings(max_examples=25, deadline=None)  # most start ffmpeg; tests/fuzz tries thousands
@given(
    head=st.sampled_from(HEADS),
    body=st.binary(min_size=0, max_size=2000),
    suffix=st.sampled_from(["wav", "mp3", "flac", "ogg", "m4a", "raw", "xi", "txt"]),
)
def test_garbage_is_refused_with_one_sentence_or_read_as_finite_sound(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, body: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("garbage") / f"x.{suffix}"
    path.write_bytes(head + body)
    try:
        audio, rate = read_audio(path)
    except StemplayError as error:
        text = str(error)
        assert text.endswith(".") and "\n" not in text
        return
    assert rate > 0 and audio.ndim == 2 and len(audio) > 0 and np.isfinite(audio).all()


@settings(max_examples=20, deadline=None)
@given(
    place=st.integers(0, 3000),
    change=st.binary(min_size=1, max_size=40),
    suffix=st.sampled_from(["wav", "flac", "mp3", "ogg"]),
)
@example(place=33, change=b"\0\0", suffix="wav")  # a stream of no known codec
def test_a_damaged_file_never_raises_anything_but_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("damaged") / f"x.{suffix}"
    soundfile.write(path, noise(3000, 1), 44_100)
    data = bytearray(path.read_bytes())
    place = min(place, len(data) - 1)
    data[place : place + len(change)] = change
    path.write_bytes(data)
    try:
        audio, _ = read_audio(path)
    except StemplayError as error:
        assert str(error).endswith(".")
        return
    assert np.isfinite(audio).all()

"""Sound files: what is read, what is refused with one sentence, what a disk that misbehaves leaves behind."""

from __future__ import annotations

import builtins
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from rtaudio import decoders, writer
from rtaudio.audiofile import create_writer, in_steps, open_reader, read_audio
from rtaudio.format import Audio, StemplayError


def noise(frames: int, channels: int = 2, seed: int = 0) -> Audio:
    return (0.2 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


def tone(frames: int, rate: int = 44_100) -> Audio:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(frames) / rate)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def one_sentence(error: pytest.ExceptionInfo[StemplayError]) -> str:
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text and "Traceback" not in text, text
    return text


# ---------------------------------------------------------------- reading


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
        assert reader.warnings == ["x.wav: 3 samples are not numbers and were replaced by silence."]
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
        "silent.wav": "holds no sound",
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


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=40, deadline=None)
@given(
    place=st.integers(0, 3000),
    change=st.binary(min_size=1, max_size=40),
    suffix=st.sampled_from(["wav", "flac", "mp3", "ogg"]),
)
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


# ---------------------------------------------------------------- writing


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
def test_wav_is_written_bit_for_bit_levels_above_full_scale_included(tmp_path: Path, rate: int, channels: int) -> None:
    audio = noise(5000, channels) * 20
    with create_writer(tmp_path / "x.wav", rate, channels) as out:
        for block in np.array_split(audio, 7):
            out.write(block)
    got, got_rate = read_audio(tmp_path / "x.wav")
    assert got_rate == rate and out.clipped == 0
    np.testing.assert_array_equal(got, audio)
    assert soundfile.info(tmp_path / "x.wav").subtype == "FLOAT"


def test_flac_rounds_to_24_bit_and_counts_what_it_clips(tmp_path: Path) -> None:
    audio = noise(5000)
    audio[10], audio[11], audio[12] = 1.5, -1.5, -1.0
    with create_writer(tmp_path / "x.flac", 44_100, 2, "flac") as out:
        out.write(audio[:1000])
        out.write(audio[1000:])
    got, _ = read_audio(tmp_path / "x.flac")
    assert out.clipped == 4
    np.testing.assert_array_equal(got[10], np.float32(1 - 2**-23))
    np.testing.assert_array_equal(got[11:13], -1.0)
    assert np.abs(got - np.clip(audio, -1, 1 - 2.0**-23)).max() <= 2.0**-24
    assert soundfile.info(tmp_path / "x.flac").subtype == "PCM_24"


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_a_file_has_its_name_only_when_it_is_complete(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"x.{format}"
    out = create_writer(path, 44_100, 2, format)
    out.write(noise(100))
    assert [p.name for p in tmp_path.iterdir()] == [f"x.{format}.part"]
    out.close()
    assert [p.name for p in tmp_path.iterdir()] == [f"x.{format}"]
    with pytest.raises(RuntimeError, match="abandon"), create_writer(path, 44_100, 2, format) as out:
        out.write(noise(50))
        raise RuntimeError("abandon")
    assert [p.name for p in tmp_path.iterdir()] == [f"x.{format}"]
    assert len(read_audio(path)[0]) == 100


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_two_writers_of_one_name_keep_their_sound_apart(tmp_path: Path, format: str) -> None:
    first, second = (create_writer(tmp_path / f"x.{format}", 44_100, 2, format) for _ in range(2))
    first.write(noise(300))
    second.write(noise(200))
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"x.{format}.2.part", f"x.{format}.part"]
    first.close()
    assert len(read_audio(first.path)[0]) == 300
    second.close()
    assert len(read_audio(first.path)[0]) == 200 and len(list(tmp_path.iterdir())) == 1


def test_an_unfinished_wav_is_readable_up_to_the_last_sync(tmp_path: Path) -> None:
    out = create_writer(tmp_path / "x.wav", 44_100, 2)
    out.write(noise(300))
    out.sync()
    out.write(noise(7))
    audio, _ = soundfile.read(tmp_path / "x.wav.part", dtype="float32")
    np.testing.assert_array_equal(audio, noise(300))
    out.discard()
    assert not list(tmp_path.iterdir())


def test_a_wav_past_four_gigabytes_is_rf64_and_complete(tmp_path: Path) -> None:
    """A hole in the file stands for 4 GiB of sound; the sound after it must be found where it belongs."""
    out = create_writer(tmp_path / "x.wav", 44_100, 2)
    assert isinstance(out, writer.WavWriter)
    hole = (1 << 32) // 8 + 12_345
    try:
        out._raw.truncate(out.HEADER + 8 * hole)
    except OSError as error:
        out.discard()
        pytest.skip(f"no sparse files here: {error}")
    out._raw.seek(0, os.SEEK_END)
    out.frames = hole
    out.write(noise(500))
    out.close()
    if (tmp_path / "x.wav").stat().st_blocks * 512 > 1 << 20:
        pytest.fail("the test file is not sparse")
    with soundfile.SoundFile(tmp_path / "x.wav") as file:
        assert file.format == "RF64" and file.frames == hole + 500
        file.seek(hole)
        np.testing.assert_array_equal(file.read(dtype="float32"), noise(500))
    if ffprobe := shutil.which("ffprobe"):
        question = ["-v", "error", "-show_entries", "stream=duration_ts", "-of", "csv=p=0"]
        answer = subprocess.run([ffprobe, *question, tmp_path / "x.wav"], capture_output=True, text=True, check=True)
        assert int(answer.stdout) == hole + 500


@pytest.mark.parametrize("limit", [92 + 8 * 100 - 8 - 1, 92 + 8 * 100 - 8])
def test_the_switch_to_rf64_comes_exactly_at_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(writer, "RIFF_LIMIT", limit)
    with create_writer(tmp_path / "x.wav", 44_100, 2) as out:
        out.write(noise(100))
    magic, size = struct.unpack("<4sI", (tmp_path / "x.wav").read_bytes()[:8])
    assert (magic, size) == ((b"RIFF", 884) if limit >= 884 else (b"RF64", 0xFFFF_FFFF))
    np.testing.assert_array_equal(read_audio(tmp_path / "x.wav")[0], noise(100))


def test_writing_refuses_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("x.xyz", {"format": "xyz"}, "choose wav or flac"),
        ("nowhere/x.wav", {}, "cannot be written"),
        ("folder.wav", {}, "is a folder"),
        ("x.wav", {"frames_hint": 1 << 58}, "are free"),
        ("x.flac", {"format": "flac", "channels": 9}, "choose wav"),
    ]
    for name, options, part in cases:
        with pytest.raises(StemplayError) as error:
            create_writer(tmp_path / name, 44_100, **{"channels": 2, **options})
        assert part in one_sentence(error), name
    assert [p.name for p in tmp_path.iterdir()] == ["folder.wav"]


FILL_THE_DISK = """
import resource, signal, sys
import numpy as np
from rtaudio.audiofile import create_writer
from rtaudio.format import StemplayError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, format = sys.argv[1:]
out = create_writer(path, 44100, 2, format)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
rng = np.random.default_rng(0)
try:
    for _ in range(1000):
        out.write((0.2 * rng.standard_normal((1000, 2))).astype(np.float32))
except StemplayError as error:
    print(error)
out.close(keep=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on a file's size to be had")
@pytest.mark.parametrize("format", ["wav", "flac"])
def test_a_disk_that_refuses_leaves_a_readable_file_with_what_was_written(tmp_path: Path, format: str) -> None:
    """A real refusal by the system (EFBIG): the limit on file sizes of a child process."""
    path = tmp_path / f"x.{format}"
    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, path, format], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("cannot be written: File too large.") and done.stderr == ""
    rng = np.random.default_rng(0)
    expected = (0.2 * rng.standard_normal((20_000, 2))).astype(np.float32)
    with open_reader(path) as reader:
        got = np.concatenate(list(reader.blocks()))
    assert len(got) >= (6000 if format == "wav" else 4000)
    np.testing.assert_allclose(got, expected[: len(got)], atol=0 if format == "wav" else 2.0**-24)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on a file's size to be had")
@pytest.mark.parametrize("keep", [False, True])
def test_a_flac_whose_very_end_is_refused_is_removed_or_kept_as_asked(tmp_path: Path, keep: bool) -> None:
    code = FILL_THE_DISK.replace("50_000, 50_000", "25_000, 25_000").replace("range(1000)", "range(5)")
    code = code.replace(
        "out.close(keep=True)", f"try: out.close(keep={keep})\nexcept StemplayError as error: print(error)"
    )
    path = tmp_path / "x.flac"
    done = subprocess.run([sys.executable, "-c", code, path, "flac"], capture_output=True, text=True, check=True)
    assert "cannot be" in done.stdout and "File too large" in done.stdout
    assert [p.name for p in tmp_path.iterdir()] == (["x.flac"] if keep else [])

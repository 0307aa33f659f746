"""Sound files that are written: bit for bit, whole or not there, and what a disk that misbehaves leaves behind."""

from __future__ import annotations

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

from rtaudio.audio.format import StemplayError
from rtaudio.files import writer
from rtaudio.files.sound_file import create_writer, open_reader, read_audio
from tests.rtaudio.soundfiles import noise, one_sentence


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
from rtaudio.files.sound_file import create_writer
from rtaudio.audio.format import StemplayError
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

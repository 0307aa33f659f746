"""Stems as MP3, Opus, FLAC and WAV: at the first sample, as long as the song, with tags and cover as other programs read them."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
import soxr
from mutagen.flac import Picture

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.files.encoders import SOUND_FORMATS, export_writer
from rtaudio.files.offline import separate_file
from rtaudio.files.sound_file import read_audio
from rtaudio.files.stem_file import open_stems
from rtaudio.files.tags import LARGEST, LONGEST, Tags, read_tags
from rtaudio.files.writer import WavWriter
from rtaudio.processors.passthrough import Passthrough
from tests.rtaudio.files.test_stem_file import lag, sound

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
TAGS = Tags("Titel ä", "Artist", "Album", "Band", "3/9", "2020-01-02", "Dub", PNG)


def write(path: Path, audio: Audio, rate: int, format: str, tags: Tags = TAGS) -> Path:
    with export_writer(path, rate, audio.shape[1], format, len(audio), tags) as out:
        for start in range(0, len(audio), 997):
            out.write(audio[start : start + 997])
    return path


def probed(path: Path) -> dict[str, str]:
    """Tags as ffprobe reads them, of the file or of its first stream, with lower-case names."""
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)]
    facts = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    found = facts["streams"][0].get("tags", {}) | facts["format"].get("tags", {})
    return {name.lower(): text for name, text in found.items()}


@pytest.mark.parametrize("format", SOUND_FORMATS)
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_starts_at_the_first_sample_and_keeps_length_and_tags(format: str, rate: int, channels: int, tmp_path: Path) -> None:
    audio = sound(60_001)[:, :channels]
    path = write(tmp_path / f"stem.{format}", audio, rate, format)
    found, stored = read_audio(path)
    expected = audio if stored == rate else soxr.resample(audio, rate, stored)
    assert abs(len(found) - len(audio) * stored / rate) <= 1 and found.shape[1] == channels
    n = min(len(found), len(expected))
    assert lag(found[:n, 0], expected[:n, 0]) == 0
    if format in ("wav", "flac"):
        assert np.abs(found - audio).max() <= (0 if format == "wav" else 2.0**-24)
    assert read_tags(path) == TAGS
    told = probed(path)
    assert (told["title"], told["artist"], told["album"]) == ("Titel ä", "Artist", "Album")
    assert told["track"] == "3/9" and told["date"] == "2020-01-02" and told["genre"] == "Dub" and told["album_artist"] == "Band"


@pytest.mark.parametrize("cover", [PNG, JPEG])
@pytest.mark.parametrize("source", ["mp3", "flac", "opus", "wav", "ogg", "m4a"])
def test_tags_and_cover_of_any_song_go_into_its_stems(source: str, cover: bytes, tmp_path: Path) -> None:
    song = tmp_path / f"song.{source}"
    tags = Tags("Song", "Somebody", "Record", "", "4", "1999", "Ska", cover)
    plain = sound(20_000)[:, :2]
    if source == "ogg":
        soundfile.write(song, plain, 44_100)
        file = mutagen.File(song)
        picture = Picture()
        picture.data, picture.mime, picture.type = cover, "image/png", 3
        file["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]
        file.update(title="Song", artist="Somebody", album="Record", tracknumber="4", date="1999", genre="Ska")
        file.save()
    elif source == "m4a":
        from rtaudio.files.stem_writer import StemWriter

        with StemWriter(song, 44_100, "alac", {}, tags) as out:
            out.write(sound(20_000))
    else:
        write(song, plain, 44_100, source, tags)
    done = separate_file(song, tmp_path / "out", Passthrough(("drums", "vocals")), format="flac")
    for stem, path in done.files.items():
        assert read_tags(path) == Tags(f"Song ({stem.capitalize()})", "Somebody", "Record", "", "4", "1999", "Ska", cover)
    video = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", done.files["drums"], "-map", "0:v", "-c", "copy", "-f", "image2pipe", "-"],
        capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert video.stdout == cover


def test_a_song_without_tags_gives_the_stems_a_title(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "my song.wav", sound(1000)[:, :2], 44_100)
    done = separate_file(tmp_path / "my song.wav", tmp_path / "out", Passthrough(("other",)), format="mp3")
    assert read_tags(done.files["other"]) == Tags("my song (Other)")


def test_hostile_tags_are_cut_and_a_damaged_tag_keeps_nothing_from_being_separated(tmp_path: Path) -> None:
    hostile = Tags("a\x1b[31m" + "b" * 5000, cover=b"\xff\xd8\xff" + bytes(LARGEST))
    path = write(tmp_path / "song.wav", sound(5000)[:, :2], 44_100, "wav", hostile)
    found = read_tags(path)
    assert found.title.startswith("a[31mb") and len(found.title) == LONGEST and found.cover == b""
    largest = Tags("x", cover=JPEG + bytes(LARGEST - len(JPEG)))
    assert read_tags(write(tmp_path / "song.flac", sound(5000)[:, :2], 44_100, "flac", largest)) == largest
    data = bytearray(write(tmp_path / "song.mp3", sound(5000)[:, :2], 44_100, "mp3").read_bytes())
    data[10:200] = bytes(190)
    (tmp_path / "damaged.mp3").write_bytes(data)
    (tmp_path / "text.mp3").write_text("no sound")
    assert read_tags(tmp_path / "text.mp3") == read_tags(tmp_path / "none.wav") == Tags()
    done = separate_file(tmp_path / "damaged.mp3", tmp_path / "out", Passthrough(("other",)))
    assert done.files["other"].is_file() and done.frames > 0


def test_a_wav_stays_exact_and_one_of_more_than_4_gib_goes_without_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audio = sound(3000)[:, :2]
    path = write(tmp_path / "a.wav", audio, 44_100, "wav")
    assert np.array_equal(soundfile.read(path, dtype="float32")[0], audio) and soundfile.info(path).frames == 3000
    monkeypatch.setattr("rtaudio.files.writer.RIFF_LIMIT", 100)
    large = write(tmp_path / "b.wav", audio, 44_100, "wav")
    assert large.read_bytes()[:4] == b"RF64" and read_tags(large) == Tags()
    assert large.stat().st_size == WavWriter.HEADER + audio.nbytes


def test_a_disk_that_fills_while_tags_are_written_is_a_sentence_and_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    free = shutil.disk_usage(small_disk).free
    tags = Tags("x", cover=b"\xff\xd8\xff" + bytes(min(free, LARGEST) - 4096))
    for format in ("wav", "flac", "mp3"):
        with pytest.raises(StemplayError, match=r"cannot be (finished|written)"):
            write(small_disk / f"stem.{format}", sound(free // 32)[:, :2], 44_100, format, tags)
        assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("format", ["mp3", "opus"])
def test_an_impossible_number_of_channels_is_refused(format: str, tmp_path: Path) -> None:
    audio = np.zeros((1000, 300 if format == "opus" else 6), np.float32)
    with pytest.raises(StemplayError, match="cannot hold"):
        write(tmp_path / f"a.{format}", audio, 48_000, format)
    (tmp_path / "folder.mp3").mkdir()
    with pytest.raises(StemplayError, match="is a folder"):
        export_writer(tmp_path / "folder.mp3", 44_100, 2, "mp3", None, Tags())
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp3"]


def test_a_stem_file_keeps_the_song_s_tags(tmp_path: Path) -> None:
    song = write(tmp_path / "song.mp3", sound(20_000)[:, :2], 44_100, "mp3", TAGS)
    done = separate_file(song, tmp_path / "out", Passthrough(), format="alac.stem.mp4")
    assert {name: path.name for name, path in done.files.items()} == {"stems": "song.alac.stem.mp4"}
    assert read_tags(done.files["stems"]) == TAGS
    with open_stems(done.files["stems"]) as reader:
        assert sum(map(len, reader.blocks())) == done.frames

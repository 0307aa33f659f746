"""Stem files: one of Native Instruments is read, ours are read by independent readers, and all tracks are aligned to the sample."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stempeg
from mutagen.mp4 import Atoms

from rtaudio.audio.format import SOURCES, Audio, StemplayError
from rtaudio.files import stem_file, writer
from rtaudio.files.decoders import FfmpegDecoder
from rtaudio.files.sound_file import read_audio
from rtaudio.files.stem_file import StemLabel, labels_of, open_stems, read_labels, require_undamaged_stems, strips_for
from rtaudio.files.stem_writer import CODECS, LABELS, MASTERING, StemWriter, add_atom
from rtaudio.files.tags import Tags, read_tags

RATE = 44_100
FRAMES = 3 * RATE + 123
FALCON = Path(stempeg.__file__).parent / "data" / "The Easton Ellises - Falcon 69.stem.mp4"
"""A song of Native Instruments' own, which stempeg carries."""


def sound(frames: int = FRAMES) -> Audio:
    """Four stereo stems side by side, each with clicks at places of its own, over tones that an encoder keeps."""
    time = np.arange(frames)[:, None] / RATE
    tones = 0.05 * np.sin(2 * np.pi * np.array([110, 112, 220, 224, 330, 333, 440, 446])[None] * time)
    for stem in range(4):
        tones[5000 + 7001 * stem :: 30_011, 2 * stem : 2 * stem + 2] += 0.6
    return tones.astype(np.float32)


def write(
    path: Path, audio: Audio, format: str, rate: int = RATE, labels: dict[str, StemLabel] | None = None, tags: Tags | None = None
) -> Path:
    with StemWriter(path, rate, CODECS[format], labels or {}, tags or Tags()) as out:
        for start in range(0, len(audio), 5000):
            out.write(audio[start : start + 5000])
    return path


def read(path: Path, block: int = 1 << 16) -> Audio:
    with open_stems(path) as reader:
        found = np.concatenate(list(reader.blocks(block)))
        assert reader.warnings == [] and reader.frames in (0, len(found))
    return found


@pytest.fixture(scope="module", params=list(CODECS))
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    path = tmp_path_factory.mktemp("stems") / f"song.{request.param}"
    labels = {"other": StemLabel("Synth ♫", "#123abc")}
    return request.param, write(path, sound(), request.param, labels=labels, tags=Tags(title="A song", artist="Somebody", track="3/9"))


def lag(heard: Audio, wanted: Audio) -> int:
    """By how many samples ``heard`` is late, from -2000 to 2000."""
    size = 1 << 19
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size))
    found = np.fft.irfft(spectrum, size)
    around = np.concatenate([found[-2000:], found[:2001]])
    return int(np.argmax(around)) - 2000


# -- a file of Native Instruments -----------------------------------------------------------------------------------------


def test_a_file_of_native_instruments_is_read_as_an_independent_reader_does() -> None:
    expected, rate = stempeg.read_stems(str(FALCON), dtype=np.float32)
    with open_stems(FALCON) as reader:
        stems = np.concatenate(list(reader.blocks(10_000)))
        assert (reader.rate, reader.frames) == (rate, len(stems))
        assert reader.labels == {
            "drums": StemLabel("Drums", "#009e73"), "bass": StemLabel("Bass", "#d55e00"), "other": StemLabel("Other", "#cc79a7"),
            "vocals": StemLabel("Vox", "#56b4e9"),
        }  # fmt: skip
    for place in range(4):
        n = min(len(stems), expected.shape[1])
        assert n >= len(stems) - 2048
        assert np.abs(stems[:n, 2 * place : 2 * place + 2] - expected[place + 1, :n]).max() <= 1e-6


@pytest.mark.parametrize("block", [1, 977, 4096, 1 << 20])
def test_blocks_of_any_size_are_the_same(block: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.stem.mp4", sound(9000), "alac.stem.mp4")
    assert np.array_equal(read(path, block), read(path))


def test_without_pyav_the_ffmpeg_program_reads_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write(tmp_path / "a.stem.mp4", sound(30_000), "alac.stem.mp4")
    expected = read(path)
    monkeypatch.setitem(sys.modules, "av", None)
    with open_stems(path) as reader:
        assert reader._tracks[0].decoder == FfmpegDecoder.name
        assert np.array_equal(np.concatenate(list(reader.blocks())), expected)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(StemplayError, match="need PyAV"):
        open_stems(path)
    with pytest.raises(StemplayError, match="pip install av"):
        StemWriter(tmp_path / "b.stem.mp4", RATE, "aac", {}, Tags())


@pytest.mark.parametrize(
    ("names", "strips"),
    [
        (["Drums", "Bass", "Other", "Vox"], SOURCES),
        (["Vocals", "Synths", "Sub Bass", "Beats"], ("vocals", "other", "bass", "drums")),
        (["", "", "", ""], SOURCES),
        (["Guitar", "Strings", "Lead Voice", "Pad"], ("other", "drums", "vocals", "bass")),
        (["Drums A", "Drums B", "x", "y"], ("drums", "bass", "other", "vocals")),
        (["Bassoon"], ("bass",)),
        (["Vocals"], ("vocals",)),
    ],
)
def test_stems_find_their_strips_by_name_then_by_order(names: list[str], strips: tuple[str, ...]) -> None:
    assert strips_for(names) == strips


@pytest.mark.parametrize("facts", [None, [], "x", {}, {"stems": 3}, {"stems": {"name": "x"}}])
def test_an_atom_of_another_kind_says_nothing(facts: Any) -> None:
    assert labels_of(facts) == ()


def test_odd_names_and_colours_are_left_out() -> None:
    entries = [{"name": "a\n\x1b[31mb" + "c" * 100, "color": "red"}, {"name": 3, "color": ["#ffffff"]}, None, {"color": "#FFEEDD"}]
    labels = labels_of({"stems": entries})
    assert labels[0].name.startswith("a[31mbc") and len(labels[0].name) == 64
    assert [label.colour for label in labels] == ["", "", "", "#ffeedd"] and [label.name for label in labels[1:]] == ["", "", ""]


# -- our files ------------------------------------------------------------------------------------------------------------


def test_stempeg_and_ffprobe_read_names_colours_and_tags(ours: tuple[str, Path]) -> None:
    format, path = ours
    info = stempeg.Info(str(path))
    assert info.title_streams == ["Mix", "Drums", "Bass", "Synth ♫", "Vocals"]
    assert info.nb_samples_streams == [FRAMES] * 5
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    facts = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert [stream["codec_name"] for stream in facts["streams"]] == [CODECS[format]] * 5
    assert [stream["disposition"]["default"] for stream in facts["streams"]] == [1, 0, 0, 0, 0]
    tags = facts["format"]["tags"]
    assert (tags["title"], tags["artist"], tags["track"]) == ("A song", "Somebody", "3/9")
    with path.open("rb") as file:
        atom = Atoms(file).path(b"moov", b"udta", b"stem")[-1]
        told = json.loads(atom.read(file)[1])
    assert told == {
        "version": 1, "mastering_dsp": MASTERING,
        "stems": [
            {"name": "Drums", "color": "#009E73"}, {"name": "Bass", "color": "#D55E00"}, {"name": "Synth ♫", "color": "#123ABC"},
            {"name": "Vocals", "color": "#56B4E9"},
        ],
    }  # fmt: skip


def test_the_mastering_block_has_the_fields_of_native_instruments_own() -> None:
    with FALCON.open("rb") as file:
        theirs = json.loads(Atoms(file).path(b"moov", b"udta", b"stem")[-1].read(file)[1])["mastering_dsp"]
    assert {name: sorted(part) for name, part in MASTERING.items()} == {name: sorted(part) for name, part in theirs.items()}
    for name, part in MASTERING.items():
        assert {key: isinstance(value, bool) for key, value in part.items()} == {k: isinstance(v, bool) for k, v in theirs[name].items()}


def test_all_tracks_are_aligned_to_the_sample_in_two_readers(ours: tuple[str, Path]) -> None:
    format, path = ours
    wanted = sound()
    stems, _ = stempeg.read_stems(str(path), dtype=np.float32)
    own = read(path)
    mix, rate = read_audio(path)
    assert rate == RATE and len(own) == len(mix) == FRAMES
    expected = [wanted.reshape(FRAMES, 4, 2).sum(axis=1), *(wanted[:, 2 * k : 2 * k + 2] for k in range(4))]
    for track, signal in enumerate(expected):
        assert lag(stems[track, :FRAMES, 0], signal[:, 0]) == 0
        found = mix if track == 0 else own[:, 2 * track - 2 : 2 * track]
        assert lag(found[:, 1], signal[:, 1]) == 0
        error = np.abs(found - signal).max()
        assert error <= 2.0**-24 if format.startswith("alac") else error < 0.25


def test_lossless_stems_sum_to_the_mix(tmp_path: Path) -> None:
    path = write(tmp_path / "song.alac.stem.mp4", sound(30_000), "alac.stem.mp4")
    mix, _ = read_audio(path)
    assert np.abs(read(path).reshape(-1, 4, 2).sum(axis=1) - mix).max() <= 3 * 2.0**-23


@pytest.mark.parametrize("format", CODECS)
@pytest.mark.parametrize("rate", [22_050, 96_000])
@pytest.mark.parametrize("frames", [1, 1024, 5000])
def test_every_length_is_kept(format: str, rate: int, frames: int, tmp_path: Path) -> None:
    path = write(tmp_path / f"song.{format}", sound(frames), format, rate)
    found = read(path)
    assert len(found) == frames
    with open_stems(path) as reader:
        assert reader.rate == rate


def test_lossless_clips_at_full_scale_and_counts(tmp_path: Path) -> None:
    audio = np.zeros((3000, 8), np.float32)
    audio[100, 0] = 1.5
    with StemWriter(tmp_path / "a.stem.mp4", RATE, "alac", {}, Tags()) as out:
        out.write(audio)
    assert out.clipped == 2  # in the mix and in the drums
    assert read(tmp_path / "a.stem.mp4")[100, 0] == pytest.approx(1.0, abs=1e-6)


def test_a_cover_and_tags_survive_beside_the_stems(tmp_path: Path) -> None:
    cover = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100
    tags = Tags("Title", "Artist", "Album", "Band", "7", "2024", "Dub", cover)
    path = write(tmp_path / "a.stem.mp4", sound(8000), "stem.mp4", tags=tags)
    assert read_tags(path) == tags and read_labels(path) == tuple(LABELS.values()) and len(read(path)) == 8000


def test_an_impossible_rate_of_aac_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(StemplayError, match="AAC cannot hold 37000 Hz"):
        StemWriter(tmp_path / "a.stem.mp4", 37_000, "aac", {}, Tags())
    with pytest.raises(StemplayError, match="cannot be written"):
        StemWriter(tmp_path / "none" / "a.stem.mp4", RATE, "aac", {}, Tags())
    with pytest.raises(StemplayError, match="no sound"), StemWriter(tmp_path / "a.stem.mp4", RATE, "aac", {}, Tags()):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("codec", ["aac", "alac"])
@pytest.mark.parametrize("after", [0, 3000, 60_000])
def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    codec: str, after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0
    real = writer._write_all

    def fills(raw: Any, data: Any) -> None:
        nonlocal written
        written += len(data)
        if written > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(raw, data)

    monkeypatch.setattr(writer, "_write_all", fills)
    with pytest.raises(StemplayError, match="No space left"), StemWriter(tmp_path / "a.stem.mp4", RATE, codec, {}, Tags()) as out:
        for _ in range(20):
            out.write(sound(10_000))
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_is_not_at_the_end_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "copy.mp4"
    shutil.copy(FALCON, path)
    before = path.read_bytes()
    with path.open("r+b", buffering=0) as raw, pytest.raises(OSError, match="not at its end"):
        add_atom(raw, b"{}")
    assert path.read_bytes() == before


# -- what is no stem file, and damage -------------------------------------------------------------------------------------


def _cut(path: Path, out: Path, share: float) -> Path:
    data = path.read_bytes()
    out.write_bytes(data[: int(len(data) * share)])
    return out


def _named(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    for name, data, told in (
        ("empty", b"", "is empty"), ("text", b"no sound at all\n" * 100, "has no stems"),
        ("head", FALCON.read_bytes()[:300], "has no stems"),
    ):  # fmt: skip
        path = tmp_path / f"{name}.stem.mp4"
        path.write_bytes(data)
        yield path, told
    yield tmp_path / "none.stem.mp4", "There is no file"
    yield tmp_path, "is a folder"


def test_what_is_no_stem_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for path, told in _named(tmp_path):
        with pytest.raises(StemplayError, match=told):
            open_stems(path)


def test_a_song_with_one_track_is_refused(tmp_path: Path) -> None:
    import av

    path = tmp_path / "plain.stem.mp4"
    with av.open(str(path), "w", format="mp4") as out:
        track = out.add_stream("aac", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 4096), np.float32), format="fltp", layout="stereo")
        frame.sample_rate = RATE
        out.mux([*track.encode(frame), *track.encode(None)])
    with pytest.raises(StemplayError, match=r"has no stems.*--model"):
        open_stems(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_file_gives_what_it_holds_and_says_so(share: float, tmp_path: Path) -> None:
    path = _cut(FALCON, tmp_path / "cut.stem.mp4", share)  # its index is at its beginning
    with open_stems(path) as reader:
        found = np.concatenate(list(reader.blocks()))
        assert len(found) > 0 and np.isfinite(found).all()
        assert len(found) < reader.frames or share > 0.9
        assert reader.warnings
    with pytest.raises(StemplayError, match="damaged sound is refused"):
        require_undamaged_stems(path)


def test_a_file_whose_index_is_lost_is_refused(tmp_path: Path, ours: tuple[str, Path]) -> None:
    with pytest.raises(StemplayError, match="has no stems"):
        open_stems(_cut(ours[1], tmp_path / "cut.stem.mp4", 0.5))


def test_more_than_four_stems_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stem_file, "MOST", 3)
    with pytest.raises(StemplayError, match="more than 3 stems"):
        open_stems(FALCON)


def test_real_songs_without_the_atom_are_read(shared_data: Path) -> None:
    path = next(iter(sorted((shared_data / "musdb18-7s").rglob("*.stem.mp4"))), None)
    if path is None:
        pytest.skip("the short MUSDB18 is not there")
    with open_stems(path) as reader:
        stems = np.concatenate(list(reader.blocks()))
        assert set(reader.labels) == set(SOURCES) and {label.name for label in reader.labels.values()} == {""}
    mix, _ = read_audio(path)
    n = min(len(mix), len(stems))
    error = stems[:n].reshape(n, 4, 2).sum(axis=1) - mix[:n]
    assert np.mean(error**2) < 0.01 * np.mean(mix[:n] ** 2)

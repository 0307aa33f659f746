"""Projects for other programs: REAPER's is read by an independent parser, DAWproject's follows the order of its schema."""

from __future__ import annotations

import io
import json
import math
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rpp
import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.cli.main import main
from rtaudio.files.dawproject import write_dawproject
from rtaudio.files.project import Project, Track, check_markers, check_tempo, tracks_of
from rtaudio.files.reaper import quoted, write_reaper
from rtaudio.files.tags import Tags
from rtaudio.protocol.settings import MixerState, StemState
from tests.rtaudio.files.test_stem_file import FALCON

RATE = 44_100
MIXER = MixerState(
    stems={
        "drums": StemState(gain_db=-6.0, pan=-0.5), "bass": StemState(gain_db=12.0, mute=True), "other": StemState(solo=True, pan=1.0),
        "vocals": StemState(gain_db=-math.inf),
    },
    master_db=-3.0,
)  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    files = {}
    for k, name in enumerate(MIXER.stems):
        files[name] = tmp_path / f"{name}.wav"
        soundfile.write(files[name], np.full((RATE * 2, 2), k / 10, np.float32), RATE, subtype="FLOAT")
    return Project(
        "My song", RATE, 2, 2 * RATE, tracks_of(files, MIXER, {}), MIXER.master_db, [(0.0, 100.0), (3.0, 140.0)],
        [(1.5, 'Verse "one" it\'s'), (3.5, "Chorus <&>")], Tags("Title", "Artist", "Album", date="2024-05-06"),
    )  # fmt: skip


def lines(element: Any, name: str) -> list[list[str]]:
    """The lines of an element of rpp that begin with ``name``, without it."""
    return [list(child[1:]) for child in element.children if isinstance(child, list) and child[0] == name]


def test_reaper_has_stems_levels_tempo_and_markers(project: Project, tmp_path: Path) -> None:
    write_reaper(project, tmp_path / "song.rpp")
    root = rpp.loads((tmp_path / "song.rpp").read_text(encoding="utf-8"))
    assert root.tag == "REAPER_PROJECT"
    assert lines(root, "TEMPO") == [["100", "4", "4"]] and lines(root, "SAMPLERATE")[0][0] == "44100"
    assert float(lines(root, "MASTER_VOLUME")[0][0]) == pytest.approx(10 ** (-3 / 20))
    assert [line[1:3] for line in lines(root, "MARKER")] == [["1.5", 'Verse "one" it\'s'], ["3.5", "Chorus <&>"]]
    assert lines(root.find("TEMPOENVEX"), "PT") == [["0", "100", "1"], ["3", "140", "1"]]
    tracks = root.findall("TRACK")
    assert [lines(track, "NAME")[0][0] for track in tracks] == ["Drums", "Bass", "Other", "Vocals"]
    levels = [[float(value) for value in lines(track, "VOLPAN")[0][:2]] for track in tracks]
    assert levels == [[pytest.approx(10 ** (-6 / 20)), -0.5], [pytest.approx(10 ** (12 / 20)), 0], [1, 1], [0, 0]]
    assert [lines(track, "MUTESOLO")[0][:2] for track in tracks] == [["0", "0"], ["1", "0"], ["0", "1"], ["0", "0"]]
    for name, track in zip(MIXER.stems, tracks, strict=True):
        item = track.find("ITEM")
        assert float(lines(item, "POSITION")[0][0]) == 0 and float(lines(item, "LENGTH")[0][0]) == 2.0
        source = item.find("SOURCE")
        assert source.attrib == ["WAVE"] and lines(source, "FILE") == [[f"{name}.wav"]]
        assert (tmp_path / lines(source, "FILE")[0][0]).is_file()
    red, green, blue = 0x00, 0x9E, 0x73
    assert int(lines(tracks[0], "PEAKCOL")[0][0]) == 0x1000000 + red + (green << 8) + (blue << 16)


@pytest.mark.parametrize(
    ("text", "told"),
    [("plain", '"plain"'), ('a "b"', "'a \"b\"'"), ("a \"b\" 'c'", "`a \"b\" 'c'`"), ("\"'`", "`\"''`"), ("a\nb\x1b", '"a b"'), ("", '""')],
)
def test_names_in_reaper_are_one_token(text: str, told: str) -> None:
    assert quoted(text) == told


ORDER = {
    "Project": ("Application", "Transport", "Structure", "Arrangement"), "Transport": ("Tempo", "TimeSignature"), "Track": ("Channel",),
    "Channel": ("Mute", "Pan", "Volume"), "Arrangement": ("Lanes", "Markers", "TempoAutomation"), "Clip": ("Audio",), "Audio": ("File",),
    "TempoAutomation": ("Target", "RealPoint"),
}  # fmt: skip
"""Order of the elements in the published schema, of those that we use."""
REQUIRED = {
    "Project": {"version"}, "Application": {"name", "version"}, "Tempo": {"unit"}, "Pan": {"unit"}, "Volume": {"unit"}, "Clip": {"time"},
    "TimeSignature": {"numerator", "denominator"}, "Audio": {"channels", "sampleRate", "duration"}, "File": {"path"}, "Marker": {"time"},
    "RealPoint": {"time", "value"},
}  # fmt: skip
"""Attributes that the schema demands."""


def test_dawproject_follows_the_schema(project: Project, tmp_path: Path) -> None:
    write_dawproject(project, tmp_path / "song.dawproject")
    with zipfile.ZipFile(tmp_path / "song.dawproject") as archive:
        assert archive.testzip() is None
        root = ET.fromstring(archive.read("project.xml"))
        for element in root.iter():
            order = ORDER.get(element.tag)
            names = [child.tag for child in element]
            assert order is None or names == sorted(names, key=order.index)
            assert REQUIRED.get(element.tag, set()) <= set(element.attrib)
        keys = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(keys) == len(set(keys))
        used = [element.get(name) for element in root.iter() for name in ("track", "destination", "parameter") if element.get(name)]
        assert set(used) <= set(keys) and len(used) == 4 + 4 + 1
        names = set(archive.namelist()) - {"project.xml", "metadata.xml"}
        assert {element.get("path") for element in root.iter("File")} == names and len(names) == 4
        for k, name in enumerate(MIXER.stems):
            audio, rate = soundfile.read(io.BytesIO(archive.read(f"audio/{name}.wav")), dtype="float32")
            assert rate == RATE and audio.shape == (2 * RATE, 2) and np.all(audio == np.float32(k / 10))
        told = ET.fromstring(archive.read("metadata.xml"))
    assert [(element.tag, element.text) for element in told] == [
        ("Title", "Title"), ("Artist", "Artist"), ("Album", "Album"), ("Year", "2024"),
    ]  # fmt: skip


def test_dawproject_has_levels_tempo_and_markers_in_beats(project: Project, tmp_path: Path) -> None:
    write_dawproject(project, tmp_path / "song.dawproject")
    with zipfile.ZipFile(tmp_path / "song.dawproject") as archive:
        root = ET.fromstring(archive.read("project.xml"))
    channels = {track.get("name"): track.find("Channel") for track in root.iter("Track")}
    found = {}
    for name, channel in channels.items():
        assert channel is not None
        values = {part.tag: part.attrib for part in channel}
        volume = values["Volume"]
        assert volume["unit"] == "linear" and float(volume["value"]) <= float(volume["max"])
        found[name] = (float(volume["value"]), float(values["Pan"]["value"]), values["Mute"]["value"], channel.get("solo"))
    assert found == {
        "Drums": (pytest.approx(10 ** (-6 / 20)), 0.25, "false", "false"), "Bass": (pytest.approx(10 ** (12 / 20)), 0.5, "true", "false"),
        "Other": (1.0, 1.0, "false", "true"), "Vocals": (0.0, 0.5, "false", "false"),
        "Master": (pytest.approx(10 ** (-3 / 20)), 0.5, "false", "false"),
    }  # fmt: skip
    assert [(float(m.get("time", "")), m.get("name")) for m in root.iter("Marker")] == [
        (2.5, 'Verse "one" it\'s'), (pytest.approx(5 + 0.5 * 140 / 60), "Chorus <&>"),
    ]  # fmt: skip
    assert [(float(p.get("time", "")), float(p.get("value", ""))) for p in root.iter("RealPoint")] == [(0.0, 100.0), (5.0, 140.0)]
    clip = next(root.iter("Clip"))
    assert float(clip.get("duration", "")) == pytest.approx(2.0 * 100 / 60)


@pytest.mark.parametrize(("seconds", "beats"), [(0.0, 0.0), (3.0, 6.0), (4.0, 8.5), (6.0, 12.0)])
def test_beats_follow_the_tempo_map(seconds: float, beats: float) -> None:
    project = Project("x", RATE, 2, RATE, [], tempo=[(0.0, 120.0), (3.0, 150.0), (5.0, 60.0)])
    assert project.beats(seconds) == pytest.approx(beats)


@pytest.mark.parametrize(
    "points", [[(0.0, 10.0)], [(0.0, 1000.0)], [(-1.0, 120.0)], [("x", 120.0)], [(0.0, None)], [(math.nan, 120.0)], [(0.0, True)]]
)
def test_an_impossible_tempo_is_refused(points: Any) -> None:
    with pytest.raises(StemplayError, match="tempo"):
        check_tempo(points)


def test_tempos_and_markers_are_sorted() -> None:
    assert check_tempo([]) == [(0.0, 120.0)] and check_tempo([(4.0, 60.0), (1.0, 90.0)]) == [(0.0, 90.0), (4.0, 60.0)]
    assert check_markers([(2, "b\n"), (1, "a")]) == [(1.0, "a"), (2.0, "b")]
    with pytest.raises(StemplayError, match="marker"):
        check_markers([(math.inf, "a")])


def test_a_stem_that_cannot_be_read_leaves_no_project(tmp_path: Path) -> None:
    (tmp_path / "old.dawproject").write_text("keep")
    broken = Project("x", RATE, 2, RATE, [Track("Drums", tmp_path / "none.wav")])
    with pytest.raises(StemplayError, match="cannot be written"):
        write_dawproject(broken, tmp_path / "old.dawproject")
    with pytest.raises(StemplayError, match="cannot be written"):
        write_reaper(broken, tmp_path / "none" / "x.rpp")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old.dawproject", "keep")]


def test_the_command_writes_both_and_says_what_it_does_not_know(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    arguments = ["project", str(FALCON), "-o", str(folder), "--gain", "drums=-6", "--mute", "vocals", "--marker", "2.5=Drop", "--json"]
    assert main(arguments) == 0
    told = capsys.readouterr()
    facts = json.loads(told.out)
    assert set(facts["files"]) == {"drums", "bass", "other", "vocals", "reaper", "dawproject"}
    assert "tempo of the song is not known" in told.err and facts["notes"] == [told.err.strip()]
    root = rpp.loads(Path(facts["files"]["reaper"]).read_text(encoding="utf-8"))
    assert [lines(track, "NAME")[0][0] for track in root.findall("TRACK")] == ["Drums", "Bass", "Other", "Vox"]
    assert main([*arguments[:4], "--tempo", "100", "--tempo", "30=120", "--for", "reaper", "--format", "flac"]) == 0
    told = capsys.readouterr()
    assert told.err == "" and told.out.strip().endswith(".rpp")
    text = Path(told.out.strip()).read_text(encoding="utf-8")
    assert "PT 30 120 1" in text and "<SOURCE FLAC" in text and (folder / "drums.flac").is_file()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--for", "cubase"], "choose from reaper, dawproject"), (["--tempo", "fast"], "beats a minute"), (["--tempo", "5"], "outside 20"),
        (["--marker", "Chorus"], "32.5=Chorus"), (["--marker", "x=Chorus"], "number of seconds"), (["--mute", "Vox"], "no stem 'Vox'"),
        (["-o", ""], "--output"), (["--gain", "drums=loud"], "number of dB"),
    ],
)  # fmt: skip
def test_bad_input_is_a_sentence_before_anything_is_written(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["project", str(FALCON), "-o", str(tmp_path / "out"), *options]) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1 and not (tmp_path / "out").exists()

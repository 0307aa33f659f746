"""``--insert``: how it is written, and what it does to files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from rtaudio.audio.format import StemplayError
from rtaudio.cli.inserts import parse_inserts
from rtaudio.cli.main import main
from rtaudio.files.offline import separate_file
from rtaudio.protocol.settings import InsertState

PLACES = ("drums", "vocals", "master")


def test_effects_parameters_and_order_are_understood() -> None:
    found = parse_inserts(["vocals=eq:low=3,mid=-2.5", "vocals = reverb", "master=compressor:ratio=4"], PLACES)
    assert [(x.plugin, x.key, x.values) for x in found["vocals"]] == [("eq", "eq-1", {"low": 3.0, "mid": -2.5}), ("reverb", "reverb-1", {})]
    assert found["master"][0].values == {"ratio": 4.0}


def test_paths_uris_and_names_of_values_are_understood(probe: str, tmp_path: Path) -> None:
    from rtaudio.plugins.scan import scan

    scan(folders=[Path(probe).parent])
    texts = [f"vocals={probe}:gain=0.5,mode=Left", "master=probe:mode=right", "drums=lv2:http://example.org/a#b"]
    found = parse_inserts([*texts, f"drums={probe}::Probe:mode=Right"], PLACES)
    assert found["drums"][1].plugin == probe and found["drums"][1].values == {"mode": 2.0}
    assert found["vocals"][0].plugin == probe and found["vocals"][0].values == {"gain": 0.5, "mode": 1.0}
    assert found["master"][0].plugin == probe and found["master"][0].values == {"mode": 2.0}
    assert found["drums"][0].plugin == "lv2:http://example.org/a#b"


def test_values_have_names_before_any_scan(probe: str) -> None:
    assert parse_inserts([f"vocals={probe}:mode=left,gain=0.5"], PLACES)["vocals"][0].values == {"mode": 1.0, "gain": 0.5}
    with pytest.raises(StemplayError, match="is a number or Both, Left, Right, not 'Middle'"):
        parse_inserts([f"vocals={probe}:mode=Middle"], PLACES)
    with pytest.raises(StemplayError, match=r"lv2:urn:none cannot be used: .*(no LV2 plugin|need the library)"):
        parse_inserts(["vocals=lv2:urn:none:mode=Left"], PLACES)


def test_a_plugin_that_the_scan_found_unusable_is_told_by_its_name(tmp_path: Path) -> None:
    from rtaudio.plugins.scan import scan

    (tmp_path / "Broken.vst3").write_bytes(b"no plugin at all")
    scan(folders=[tmp_path])
    with pytest.raises(StemplayError, match=r"Broken cannot be used: .* is no plugin that works here"):
        parse_inserts(["vocals=Broken"], PLACES)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("vocals", "--insert is written like"), ("vocals=", "--insert is written like"), ("=reverb", "no inserts in ''"),
        ("voice=reverb", "no inserts in 'voice'"), ("vocals=verb", "no effect or plugin 'verb'"),
        ("vocals=reverb:rom=1", "no parameter 'rom'"), ("vocals=reverb:room=big", "is a number, not 'big'"),
        ("vocals=reverb:room=nan", "from 0 to 1"), ("vocals=/nowhere/X.vst3", "no plugin '/nowhere/X.vst3'"),
        ("vocals=revreb", r"plugins have names once `plugins scan` has found them, and did you mean reverb\?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(StemplayError, match=sentence):
        parse_inserts([text], PLACES)


def test_separated_stems_have_their_effects_and_their_length(tiny_model: Path, tmp_path: Path, probe: str) -> None:
    song = tmp_path / "song.wav"
    sf.write(song, np.random.default_rng(0).uniform(-0.3, 0.3, (20_000, 2)), 44_100, subtype="FLOAT")
    separate_file(song, tmp_path / "plain", tiny_model)
    inserts = parse_inserts([f"vocals={probe}:gain=0.5", "drums=reverb"], PLACES)
    separate_file(song, tmp_path / "changed", tiny_model, inserts=inserts)
    for stem in ("drums", "bass", "vocals"):
        before, after = (sf.read(tmp_path / folder / f"{stem}.wav", dtype="float32")[0] for folder in ("plain", "changed"))
        assert before.shape == after.shape
        if stem == "vocals":
            np.testing.assert_allclose(after, 0.5 * before, atol=1e-6)
        else:
            assert (np.abs(after - before).max() > 1e-3) == (stem == "drums")


def test_a_plugin_that_crashes_off_line_is_told_and_nothing_is_left(
    tiny_model: Path, tmp_path: Path, probe: str, capsys: pytest.CaptureFixture[str]
) -> None:
    song = tmp_path / "song.wav"
    sf.write(song, np.zeros((40_000, 2)), 44_100)
    out = str(tmp_path / "deep" / "out")
    status = main(["separate", str(song), "-o", out, "--model", str(tiny_model), "--insert", f"vocals={probe}:crash=1"])
    assert status == 2 and "Probe crashed" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


def test_an_insert_that_cannot_be_loaded_off_line_leaves_no_folder(tiny_model: Path, tmp_path: Path, probe: str) -> None:
    song, full = tmp_path / "song.wav", tmp_path / "full"
    sf.write(song, np.zeros((4000, 2)), 44_100)
    full.mkdir()
    (full / "mine.txt").write_text("kept")
    for folder in (tmp_path / "new" / "out", full):
        with pytest.raises(StemplayError, match="has no parameter 'none'"):
            separate_file(song, folder, tiny_model, inserts={"vocals": [InsertState(probe, values={"none": 1.0})]})
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["full", "mine.txt", "song.wav"]


def test_a_plugin_that_fails_at_full_speed_is_an_error_and_leaves_no_file(tmp_path: Path, probe: str) -> None:
    song = tmp_path / "song.wav"
    sf.write(song, np.zeros((200_000, 2)), 44_100)
    for insert in (f"master={probe}:crash=1", f"master={probe}:not_a_number=1", f"master={probe}:foo=1"):
        done = subprocess.run(
            [sys.executable, "-m", "rtaudio", "live", "--input", str(song), "--output", str(tmp_path / "out.wav"), "--full-speed",
             "--model", "none", "--insert", insert], capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode != 0 and "Probe" in done.stdout + done.stderr, insert
        assert "Traceback" not in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["song.wav"], insert


def test_a_rendered_song_rings_on(tmp_path: Path) -> None:
    import mido

    midi = mido.MidiFile()
    track = mido.MidiTrack()
    midi.tracks.append(track)
    track += [mido.Message("note_on", note=60, velocity=100), mido.Message("note_off", note=60, time=480)]
    midi.save(tmp_path / "a.mid")
    lengths = []
    for name, extra in (("dry.wav", []), ("wet.wav", ["--insert", "instrument=reverb:mix=60"])):
        assert main(["render", str(tmp_path / "a.mid"), "-o", str(tmp_path / name), "--rate", "16000", *extra]) == 0
        lengths.append(sf.info(tmp_path / name).frames)
    assert lengths[1] > lengths[0] + 16_000

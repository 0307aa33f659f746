"""Beats, bars, key and chords: of a rendered song whose truth is known, of silence, of damaged files; where they are kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soxr

from rtaudio.audio.format import StemplayError
from rtaudio.cli.main import main
from rtaudio.files.song_key import song_key
from rtaudio.music import spectra
from rtaudio.music.song_map import find
from rtaudio.music.store import load_map, save_map
from rtaudio.protocol.song_map import SongMap, chord_text, from_json, to_json
from tests.rtaudio.music import band
from training.data import arrange
from training.data.known_songs import RECIPES, Known, render_song

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
SECONDS = 14.0
BEATS, CHORDS = [0.5 * k for k in range(1, 13)], [(0.5, 2.5, "A:min"), (2.5, 8.0, "N")]
MAP = SongMap(8.0, 120.0, True, 4, BEATS, [k % 4 + 1 for k in range(12)], "A minor", 0.2, CHORDS)


@pytest.fixture(scope="module")
def rendered() -> tuple[Known, SongMap]:
    """A bossa nova of 14 s, and what is found in it."""
    if not arrange.available() or not SOUNDFONT.is_file():
        pytest.skip("mma or the soundfont Fluid R3 is not installed")
    recipe = next(each for each in RECIPES if each.groove == "BossaNova")
    song = render_song(recipe, SOUNDFONT)
    sound = np.asarray(soxr.resample(song.samples[: round(SECONDS * 44_100)].mean(axis=1), 44_100, spectra.RATE), np.float32)
    return song, find(sound)


def test_beats_and_bars_of_a_rendered_song_are_within_70_ms(rendered: tuple[Known, SongMap]) -> None:
    song, found = rendered
    for truth, guess in ((song.beats, found.beats), (song.downbeats, found.downbeats)):
        inside = truth[truth < SECONDS - 0.5]
        assert np.abs(np.array(guess)[:, None] - inside).min(axis=0).max() < 0.07
        assert abs(len(guess) - len(inside)) <= 3
    assert found.bpm == pytest.approx(song.recipe.tempo, abs=0.2) and found.metre == 4 and found.steady


def test_key_and_chords_of_a_rendered_song(rendered: tuple[Known, SongMap]) -> None:
    song, found = rendered
    assert found.key == "F major"
    truth = {start + 0.5: name for start, _, name in song.chords if start + 1 < SECONDS}
    heard = [found.chord_at(time).split(":")[0] == name.split(":")[0] for time, name in truth.items()]
    assert np.mean(heard) > 0.8


@pytest.mark.parametrize("bpm", [92.0, 112.0])
def test_beats_key_and_chords_of_a_band_made_of_formulas(bpm: float) -> None:
    sound, beats, chords = band.play(bpm, 8, spectra.RATE)
    found = find(sound)
    assert np.abs(np.array(found.beats)[:, None] - beats).min(axis=0).max() < 0.03 and len(found.beats) <= len(beats) + 3
    assert found.bpm == pytest.approx(bpm, abs=0.2) and found.steady and found.key == "C major"
    assert [(start, name) for start, _, name in found.chords if name != "N"][1:8] == [
        (pytest.approx(start, abs=0.15), name) for start, name in chords[1:]
    ]


@pytest.mark.parametrize("sound", [np.zeros(5 * spectra.RATE, np.float32), np.ones(100, np.float32), np.full(90_000, np.nan, np.float32)])
def test_what_is_no_music_has_no_beats(sound: np.ndarray) -> None:
    found = find(sound)
    assert (found.beats, found.key, found.chords) == ([], "", [])


def test_a_spectrum_of_constant_q_has_its_peak_at_the_note() -> None:
    time = np.arange(2 * spectra.RATE) / spectra.RATE
    rows = spectra.constant_q(np.sin(2 * np.pi * 440.0 * time).astype(np.float32))
    assert set(rows[10:-10].argmax(axis=1).tolist()) == {51 * 3}  # A4 is 51 semitones above F#0
    assert abs(spectra.find_tuning(np.sin(2 * np.pi * 440.0 * 2 ** (0.3 / 36) * time).astype(np.float32)) - 0.3) < 0.1


def test_a_map_is_kept_by_the_content_of_the_song(tmp_path: Path) -> None:
    one, other = tmp_path / "one.wav", tmp_path / "other.wav"
    one.write_bytes(b"sound")
    other.write_bytes(b"sound")
    save_map(song_key(one), MAP, tmp_path / "songs")
    assert load_map(song_key(other), tmp_path / "songs") == MAP
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.wav", "other.wav", "songs"]
    (tmp_path / "songs" / f"{song_key(one)}.json").write_text("[" * 100_000)
    assert load_map(song_key(one), tmp_path / "songs") is None


@pytest.mark.parametrize(
    "change",
    [{"beats": [2.0, 1.0], "numbers": [1, 2]}, {"beats": None}, {"numbers": [0] * 12}, {"bpm": float("nan")}, {"chords": [[0, 1]]},
     {"key": 7}, {"metre": True}, {"version": 99}, {"beats": [float("inf")], "numbers": [1]}],
)  # fmt: skip
def test_a_damaged_map_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(StemplayError, match=r"map of a? ?.*\."):
        from_json(json.loads(json.dumps({**to_json(MAP), **change})))


def test_places_of_a_map() -> None:
    assert from_json(json.loads(json.dumps(to_json(MAP)))) == MAP
    assert MAP.downbeats == [0.5, 2.5, 4.5]
    assert [MAP.nearest_bar(x) for x in (0.0, 1.6, 3.4, 7.9)] == [0.5, 2.5, 2.5, 7.9]
    assert [MAP.bar_of(x) for x in (0.2, 0.5, 2.4, 2.5)] == [(0, 0), (1, 1), (1, 4), (2, 1)]
    assert (MAP.chord_at(1.0), MAP.chord_at(3.0), MAP.chord_at(0.1)) == ("A:min", "", "")
    assert [chord_text(name) for name in ("A:min", "Bb:7", "C:maj", "N", "F:hdim7")] == ["Am", "Bb7", "C", "", "Fm7b5"]


@pytest.mark.parametrize("argument", ["nowhere.wav", "README.md", "."])
def test_what_is_no_song_is_said_in_a_sentence(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        raise SystemExit(main(["analyse", argument]))
    told = capsys.readouterr()
    assert end.value.code == 2 and told.err.count("\n") == 1 and "Traceback" not in told.err

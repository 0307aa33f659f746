"""Real layouts of data sets, in small: MUSDB18, MUSDB18-HQ, stems of one's own; and songs that are made: mma, rooms, singing."""

from __future__ import annotations

import json
from pathlib import Path

import av
import musdb
import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import SOURCES, StemplayError
from training.cli import main
from training.data import arrange, mastering, musdb18, singing
from training.data.folder import read_mapping, read_song
from training.data.jobs import find_soundfonts
from training.data.store import Collection, Manifest
from training.data.synthetic import synthetic_song

RATE = 44_100
VALID = "Actions - One Minute Smile"
FONTS = find_soundfonts()


def write_stem_file(path: Path, stems: np.ndarray) -> None:
    """A ``.stem.mp4`` like those of MUSDB18: AAC streams mixture, drums, bass, other, vocals."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4") as container:
        streams = [container.add_stream("aac", rate=RATE, layout="stereo", bit_rate=256_000) for _ in range(5)]
        for stream, sound in zip(streams, (stems.sum(0), *stems), strict=True):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound, np.float32), format="fltp", layout="stereo")
            frame.sample_rate = RATE
            for packet in (*stream.encode(frame), *stream.encode(None)):
                container.mux(packet)


def write_hq(folder: Path, stems: np.ndarray) -> None:
    """A song of MUSDB18-HQ: a folder of 16-bit WAV files."""
    folder.mkdir(parents=True)
    for name, sound in zip(("mixture", *SOURCES), (stems.sum(0), *stems), strict=True):
        soundfile.write(folder / f"{name}.wav", sound.T, RATE)


@pytest.mark.parametrize("hq", [False, True], ids=["MUSDB18", "MUSDB18-HQ"])
def test_musdb_in_both_layouts_is_split_decoded_and_stored(hq, tmp_path, monkeypatch):
    song = 0.5 * synthetic_song(1, RATE)
    for place in ("train/A - One", f"train/{VALID}", "test/B - Two"):
        if hq:
            write_hq(tmp_path / "db" / place, song)
        else:
            write_stem_file(tmp_path / "db" / f"{place}.stem.mp4", song)
    found = musdb18.songs(tmp_path / "db")
    assert {(s.name, s.split) for s in found} == {("A - One", "train"), (VALID, "valid"), ("B - Two", "test")}
    monkeypatch.chdir(tmp_path)
    command = "prepare stems --only musdb --data none --musdb db -o store --workers 1"
    assert main(command.split()) == 0
    collection = Collection(tmp_path / "store" / "musdb", ("valid",))
    assert [item.name for item in collection.items] == [VALID]
    kept, stored = RATE - 4096, collection.whole(0)
    delays = (0,) if hq else (0, 1024, 2048)  # what this test's AAC encoder puts before the sound
    errors = [np.abs(stored[..., delay : delay + kept] - song[..., :kept]).mean() for delay in delays]
    assert min(errors) < (0.001 if hq else 0.02)
    (track,) = musdb.DB(root=str(tmp_path / "db"), is_wav=hq, subsets="test").tracks
    if hq:
        theirs = np.stack([track.targets[source].audio.T for source in SOURCES])
        assert np.abs(theirs - musdb18.read_stems(found[-1].files[0].parent)).max() < 1e-4


def test_a_folder_that_is_no_musdb_is_one_sentence(tmp_path):
    with pytest.raises(StemplayError, match="neither MUSDB18 nor"):
        musdb18.songs(tmp_path)


def write_own_song(folder: Path) -> None:
    (folder / "drums").mkdir(parents=True)
    levels = {"drums/Kick 01": 0.1, "drums/Snare": 0.2, "Lead Vox": 0.3, "Rhodes": 0.05, "Final Mix": 0.9}
    for number, (name, level) in enumerate(levels.items()):
        rate = RATE if number != 3 else 22_050
        soundfile.write(folder / f"{name}.flac", np.full((rate, 1 + number % 2), level), rate)


MAPPING = """
drums = ["kick*", "snare*"]
vocals = ["*vox*"]
ignore = ["*mix*"]
other = ["*"]
"""


def test_stems_of_ones_own_are_assigned_by_patterns_summed_and_resampled(tmp_path, monkeypatch):
    write_own_song(tmp_path / "mine" / "song")
    (tmp_path / "map.toml").write_text(MAPPING)
    stems = read_song(tmp_path / "mine" / "song", read_mapping(tmp_path / "map.toml"))
    assert stems.shape == (4, 2, RATE)
    assert stems[:, :, RATE // 2] == pytest.approx(np.array([0.3, 0, 0.05, 0.3])[:, None].repeat(2, 1), abs=2e-3)
    with pytest.raises(StemplayError, match="name is not a source"):
        read_song(tmp_path / "mine" / "song")
    monkeypatch.chdir(tmp_path)
    command = "prepare stems --only stems --data none --stems mine --mapping map.toml -o store --workers 1"
    assert main(command.split()) == 0
    assert Manifest.read(tmp_path / "store" / "stems").items[0].split == "train"


@pytest.mark.parametrize("text", ["drums = 3", 'piano = ["*"]', "not toml"])
def test_a_wrong_mapping_is_one_sentence(text, tmp_path):
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(StemplayError, match=r"mapping|maps to"):
        read_mapping(tmp_path / "map.toml")


def song_of(seed: int = 3) -> arrange.Arrangement:
    return arrange.draw_arrangement(np.random.default_rng(seed), arrange.grooves() or ("Swing",))


def test_arrangements_repeat_their_chorus_and_stay_in_key():
    song = song_of()
    chorus = [song.chords[s.start : s.start + s.bars] for s in song.sections if s.name == "chorus"]
    assert len(chorus) == 2 and chorus[0] == chorus[1]
    roots = {
        next(
            i for i, n in enumerate(arrange.NOTES) if chord == n or (chord.startswith(n) and chord[len(n) :][:1] != "b")
        )
        for chord in song.chords
    }
    assert roots <= set(song.scale) and song == song_of() and song != song_of(4)
    assert [s.name for s in song.sections if s.sung] == ["verse", "chorus"] * 2


@pytest.mark.skipif(not arrange.available(), reason="mma is not installed")
def test_mma_plays_drums_bass_and_other_for_as_many_bars(tmp_path):
    import mido

    song = song_of()
    arrange.write_midi(song, tmp_path / "song.mid")
    played = mido.MidiFile(tmp_path / "song.mid", clip=True)
    bars = len(song.chords)
    assert played.length == pytest.approx(bars * song.bar_seconds, rel=0.15)
    names = {track.name.split("-")[0] for track in played.tracks}
    assert any(name.startswith("Drum") for name in names)


def test_a_room_is_stereo_and_dies_away():
    response = mastering.impulse_response(np.random.default_rng(0), 0.8)
    energy = np.square(response).sum(axis=0)
    assert response.shape == (2, int(0.8 * RATE)) and np.square(response).sum(axis=1) == pytest.approx([1, 1], abs=1e-3)
    assert energy[: RATE // 10].sum() > 100 * energy[-RATE // 10 :].sum()
    assert abs(np.corrcoef(response)[0, 1]) < 0.3


def test_an_amplifier_adds_overtones_within_its_band_and_keeps_the_level():
    time = np.arange(2 * RATE) / RATE
    clean = np.tile(0.05 * np.sin(2 * np.pi * 220 * time), (2, 1)).astype(np.float32)
    driven = mastering.amplified(clean, mastering.Amplifier(drive_db=24.0, lowest=40.0, highest=2_000.0, dry=0.0))
    assert driven.shape == clean.shape and driven.std() == pytest.approx(clean.std(), rel=0.02)
    level = np.abs(np.fft.rfft(driven[0] * np.hanning(driven.shape[1])))[[440, 1320, 2200, 13200]]  # bins of half a hertz
    assert level[1] > 0.1 * level[0] and level[2] > 0.02 * level[0] and level[3] < 0.01 * level[0]
    half = mastering.amplified(clean, mastering.Amplifier(24.0, 40.0, 2_000.0, dry=1.0))
    assert np.allclose(half, clean, atol=1e-6)
    assert not mastering.amplified(np.zeros_like(clean), mastering.Amplifier(24.0, 40.0, 2_000.0, 0.0)).any()


def test_a_finished_song_is_limited_by_one_gain_for_all_stems():
    song = 3 * synthetic_song(2, RATE)
    finish = mastering.draw_mastering(np.random.default_rng(1), 4)
    done = mastering.master_song(song, finish)
    assert done.shape == song.shape and np.abs(done.sum(0)).max() <= finish.peak * 1.001
    assert np.array_equal(done, mastering.master_song(song, finish))
    mix = song.sum(axis=0)
    gain = mastering.limiter_gain(mix, 0.9)
    assert gain.max() <= 1 and np.abs(mix * gain).max() <= 0.9001 and np.abs(np.diff(gain)).max() < 0.02
    assert np.array_equal(mastering.limiter_gain(0.1 * mix, 0.9), np.ones(RATE, np.float32))


def tone(hertz: float, seconds: float) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return sum(0.2 / k * np.sin(2 * np.pi * k * hertz * time) for k in (1, 2, 3)).astype(np.float32)


def test_phrases_are_cut_at_pauses():
    silence = np.zeros(RATE // 2, np.float32)
    voice = np.concatenate([tone(220, 2), silence, tone(330, 0.5), silence, tone(440, 3)])
    assert [round(len(piece) / RATE) for piece in singing.phrases(voice)] == [2, 3]
    assert singing.phrases(silence) == []


def test_a_voice_is_tuned_to_the_scale():
    in_tune = np.concatenate([tone(440 * 2 ** (step / 12), 1.0) for step in (0, 2, 4, 5, 7, 9, 11)])
    flat = np.concatenate([tone(440 * 2 ** ((step - 0.4) / 12), 1.0) for step in (0, 2, 4, 5, 7, 9, 11)])
    a_major = tuple((9 + step) % 12 for step in arrange.MAJOR)
    assert abs(singing.tuning(singing.pitch_classes(in_tune), a_major)) < 0.15
    assert singing.tuning(singing.pitch_classes(flat), a_major) == pytest.approx(0.4, abs=0.15)


def test_singing_is_in_verse_and_chorus_only_and_the_chorus_comes_again():
    song = song_of()
    frames = int((len(song.chords) + 1) * song.bar_seconds * RATE)
    recording = np.concatenate(
        [np.concatenate([tone(220 * 2 ** (k / 12), 1.8), np.zeros(RATE, np.float32)]) for k in (0, 2, 4)]
    )
    voice = singing.sing(song, recording, frames, np.random.default_rng(0))[0]
    loud = {}
    for section in song.sections:
        start, stop = (int((section.start + bars) * song.bar_seconds * RATE) for bars in (0, section.bars))
        loud.setdefault(section.name, []).append(voice[start:stop])
    assert np.abs(loud["intro"][0]).max() < 1e-6
    assert all(np.abs(part).max() > 0.05 for name in ("verse", "chorus") for part in loud[name])
    count = min(map(len, loud["chorus"]))
    assert np.abs(loud["chorus"][0][:count] - loud["chorus"][1][:count]).max() < 0.1
    first = np.flatnonzero(np.abs(loud["verse"][0]) > 0.02)[0]
    assert first < 0.15 * RATE


@pytest.mark.skipif(not FONTS or not arrange.available(), reason="mma or a soundfont is not installed")
def test_backing_tracks_with_singing_are_prepared(tmp_path, monkeypatch):
    voices = tmp_path / "raw" / "voice" / "makam"
    voices.mkdir(parents=True)
    for number in range(2):
        soundfile.write(voices / f"ann_{number}.ogg", np.concatenate([tone(220, 2), np.zeros(RATE)]), RATE)
    monkeypatch.chdir(tmp_path)
    small = min(FONTS, key=lambda path: path.stat().st_size)
    assert (
        main(f"prepare stems --only mma --data raw -o store --workers 1 --backing 1 --soundfont {small}".split()) == 0
    )
    collection = Collection(tmp_path / "store" / "mma")
    assert collection.manifest.sources == SOURCES and len(collection) >= 1
    assert (collection.whole(0)[:3].std(axis=(1, 2)) > 1e-3).sum() >= 2
    (tmp_path / "raw" / "midi" / "mma").mkdir(parents=True)
    song = song_of()
    arrange.write_midi(song, tmp_path / "raw" / "midi" / "mma" / "0000.mid")
    (tmp_path / "raw" / "midi" / "mma" / "0000.json").write_text(json.dumps(arrange.to_dict(song)))
    monkeypatch.setattr(arrange, "write_midi", None)  # a song that was played before needs no mma
    assert main(f"prepare stems --only mma --data raw -o again --workers 1 --soundfont {small}".split()) == 0
    assert len(Collection(tmp_path / "again" / "mma")) == 1

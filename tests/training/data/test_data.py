"""The store, splits, epochs, batches and the synthetic songs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from training.data import arrange, augment, folder
from training.data.batches import BatchStream, MixedSongs
from training.data.config import MixingConfig
from training.data.epoch import epoch, extracts_in
from training.data.splits import VALIDATION_SONGS, split_of
from training.data.store import Collection, Manifest, write_atomic, write_stems
from training.data.synthetic import SyntheticSongs, synthetic_song, validation_songs

RATE = 44_100


def test_validation_songs_do_not_train_and_test_songs_stay_test():
    assert len(set(VALIDATION_SONGS)) == len(VALIDATION_SONGS) == 14
    assert split_of("train", "ANiMAL - Rockshow") == "valid"
    assert split_of("train", "ANiMAL - Clinic A") == "train"
    assert split_of("dev", "ANiMAL - Rockshow") == split_of("test", "x") == "test"


def test_stored_stems_come_back_to_16_bits_of_their_own_peak(tmp_path):
    stems = np.random.default_rng(0).standard_normal((2, 2, 500)).astype(np.float32) * 0.01
    item = write_stems(tmp_path, "a/b: c", stems, split="train", group="g", bandwidth=1.0, sha256="0")
    manifest = Manifest("x", ("drums", "bass"), 2, "free", items=[item])
    manifest.write(tmp_path)
    collection = Collection(tmp_path)
    assert np.abs(collection.whole(0) - stems).max() <= np.abs(stems).max() / 32767
    assert np.array_equal(collection.crop(0, 490, 20)[..., 10:], np.zeros((2, 2, 10)))
    assert Manifest.read(tmp_path) == manifest
    assert len(Collection(tmp_path, ("valid",))) == 0


def test_a_missing_or_broken_manifest_is_one_sentence(tmp_path):
    with pytest.raises(StemplayError, match="prepare stems"):
        Manifest.read(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(StemplayError, match="cannot be read"):
        Manifest.read(tmp_path)


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    write_atomic(tmp_path / "x", b"old")
    with pytest.raises(TypeError):
        write_atomic(tmp_path / "x", "no bytes")  # type: ignore[arg-type]
    assert (tmp_path / "x").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "x"]


def test_an_epoch_has_every_extract_once_with_shifts_that_change():
    lengths = [int(20.5 * RATE), 11 * RATE, 5 * RATE]
    first, second = epoch(lengths, 0), epoch(lengths, 1)
    assert len(first) == extracts_in(20.5) + extracts_in(11) == 10 + 1
    assert {e.frames for e in first} == {10 * RATE}
    starts = sorted(e.start for e in first if e.song == 0)
    assert [start // RATE for start in starts] == list(range(10))
    assert all(e.start + e.frames <= lengths[e.song] for e in first)
    assert sorted(e.start for e in second if e.song == 0) != starts
    assert epoch(lengths, 0) == first
    with pytest.raises(ValueError):
        epoch(lengths, 0, keep=12 * RATE)


def test_batches_are_pure_functions_of_seed_and_index(store):
    config = MixingConfig(seconds=0.5, batch=6)
    source = MixedSongs(store, config, hop=256, seed=3)
    batch = source.batch(5)
    assert batch.shape == (6, 4, 2, 22_050 // 256 * 256)
    assert batch.dtype == np.float32 and np.isfinite(batch).all()
    assert np.array_equal(batch, MixedSongs(store, config, hop=256, seed=3).batch(5))
    assert not np.array_equal(batch, source.batch(6))
    assert not np.array_equal(batch, MixedSongs(store, config, hop=256, seed=4).batch(5))
    assert np.abs(augment.mixture(batch)).max() < 1.21


def test_only_the_chosen_collections_are_learned_from(store):
    named = MixedSongs(store, MixingConfig(collections=("musdb",)), hop=256, seed=0)
    assert named.planner.songs and not (named.planner.rendered or named.planner.voices or named.planner.drums)
    with pytest.raises(StemplayError, match="no collection 'must'"):
        MixedSongs(store, MixingConfig(collections=("must",)), hop=256, seed=0)
    with pytest.raises(StemplayError, match="prepare stems"):
        MixedSongs(store, MixingConfig(collections=("mma", "makam")), hop=256, seed=0)


def test_a_voice_at_a_speed_of_its_own_is_the_same_voice_at_another_pitch(tmp_path):
    time = np.arange(8 * RATE) / RATE
    tones = {"musdb": [np.zeros_like(time)] * 4, "makam": [0.2 * np.sin(2 * np.pi * 441 * time)]}
    for name, sounds in tones.items():
        manifest = Manifest(name, ("drums", "bass", "other", "vocals")[-len(sounds) :], 1, "free")
        stems = np.stack(sounds)[:, None].astype(np.float32)
        manifest.items.append(write_stems(tmp_path / name, "0", stems, split="train", group="0", bandwidth=2e4, sha256=""))
        manifest.write(tmp_path / name)
    config = MixingConfig(seconds=1.0, batch=24, coherent=0.0, singing=1.0, speed=0.0, rendered=0.0, voice_speed=0.2)
    batch = MixedSongs(tmp_path, config, hop=256, seed=0).batch(0)
    assert not batch[:, :3].any()
    heard = np.abs(np.fft.rfft(batch[:, 3, 0])).argmax(axis=1) * RATE / batch.shape[-1]
    assert 441 * 0.79 < heard.min() < 441 * 0.87 and 441 * 1.13 < heard.max() < 441 * 1.21
    still = MixedSongs(tmp_path, replace(config, voice_speed=0.0), hop=256, seed=0).batch(0)
    assert np.abs(np.fft.rfft(still[:, 3, 0])).argmax(axis=1) * RATE / still.shape[-1] == pytest.approx(441, abs=1.5)


def test_validation_songs_never_enter_a_batch(store):
    source = MixedSongs(store, MixingConfig(), hop=256, seed=0)
    assert [item.split for collection in source.planner.songs for item in collection.items] == ["train", "train"]


def test_a_stream_continues_where_it_is_told():
    source = SyntheticSongs(MixingConfig(seconds=0.1, batch=2), hop=64, seed=0)
    from_zero, from_two = iter(BatchStream(source)), iter(BatchStream(source, 2))
    next(from_zero), next(from_zero)
    assert np.array_equal(next(from_zero), next(from_two))


def test_without_recorded_songs_the_way_out_is_named(tmp_path):
    with pytest.raises(StemplayError, match="prepare stems"):
        MixedSongs(tmp_path, MixingConfig(), hop=256, seed=0)


def test_synthetic_songs_are_seeded_and_bands_tell_them_apart():
    song = synthetic_song(1, RATE)
    assert song.shape == (4, 2, RATE) and np.array_equal(song, synthetic_song(1, RATE))
    assert not np.array_equal(song, synthetic_song(2, RATE))
    spectrum = np.abs(np.fft.rfft(song.sum(axis=1)))
    assert (spectrum[1, :300] ** 2).sum() > 0.9 * (spectrum[1] ** 2).sum()
    assert (spectrum[0, 2000:] ** 2).sum() > 0.5 * (spectrum[0] ** 2).sum()
    assert np.abs(song).max() < 2 and (song.std(axis=(1, 2)) > 0.01).all()
    assert len(validation_songs(2)) == 2


def test_folders_of_wav_stems_load_and_instruments_are_summed(tmp_path):
    for name, level in (("drums", 0.1), ("piano", 0.2), ("guitar", 0.3), ("mixture", 0.9)):
        (tmp_path / "song").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "song" / f"{name}.wav", np.full((100, 2), level), RATE, subtype="FLOAT")
    mapping = tmp_path / "map.json"
    mapping.write_text(json.dumps({"piano": "other", "guitar": "other"}))
    ((name, stems),) = folder.read_songs(tmp_path, folder.read_mapping(mapping))
    assert name == "song" and stems.shape == (4, 2, 100)
    assert np.allclose(stems[:, 0, 0], [0.1, 0, 0.5, 0])
    with pytest.raises(StemplayError, match="name is not a source"):
        list(folder.read_songs(tmp_path))
    mapping.write_text(json.dumps({"piano": "keys"}))
    with pytest.raises(StemplayError, match="keys"):
        folder.read_mapping(mapping)
    with pytest.raises(StemplayError, match="no folders"):
        folder.song_folders(tmp_path / "nowhere")


def test_tilted_sources_have_other_spectra_below_and_above_and_none_otherwise():
    rng = np.random.default_rng(0)
    clicks = np.zeros((3, 4, 2, 1 << 15), np.float32)
    clicks[..., 0] = 1
    assert np.array_equal(augment.random_tilt(clicks, rng, 0.0), clicks)
    tilted = augment.random_tilt(clicks, rng, 1.0, range_db=6.0)
    assert tilted.dtype == np.float32 and tilted.shape == clicks.shape
    change = np.abs(np.fft.rfft(tilted))
    low, high = change[..., :12].mean(-1), change[..., -2000:].mean(-1)
    limit = 10 ** (6.2 / 20)
    assert (change < limit).all() and (change > 1 / limit).all(), "gains are within the range"
    assert np.abs(np.log(low / high)).max() > 0.3, "and differ between low and high"
    assert np.allclose(tilted[:, :, 0], tilted[:, :, 1]), "both channels are filtered alike"


def test_grooves_are_music_and_songs_come_back_from_their_files():
    assert not any(name in arrange.grooves() for name in ("None", "Metronome2", "Metronome4"))
    song = arrange.draw_arrangement(np.random.default_rng(1), ("Swing",))
    assert arrange.from_dict(json.loads(json.dumps(arrange.to_dict(song)))) == song

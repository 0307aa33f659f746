"""Recordings in Debian's packages, and what the denoiser learns from: who is heard in training, and who is not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from training.cli import main
from training.data.config import MixingConfig
from training.data.jobs import SOURCES_OF
from training.data.noises import MADE_UP
from training.data.packages import POOR, RECORDINGS, SPLITS, groups_of, packages, split_of_group
from training.data.plan import COLLECTIONS
from training.data.rooms import room_response
from training.data.speech import NOISE_KINDS, RATE, TEST_SNRS, TEST_VOICES, MixedSpeech, Recordings, clips_of_test
from training.data.splits import HELD_OUT_SINGERS, split_of_singer
from training.data.store import Collection
from training.separation.recipe import read_recipe
from training.separation.sources import batch_source, validation_set

SHARE = "usr/share"
FILES = {
    f"{SHARE}/ktuberling/sounds/fr/nose.wav": 3.0,
    f"{SHARE}/klettres/fr/alpha/a.wav": 2.0,
    f"{SHARE}/ktuberling/sounds/el/nose.wav": 4.0,
    f"{SHARE}/ktuberling/sounds/lt/nose.wav": 4.0,
    f"{SHARE}/ktuberling/sounds/{POOR[0].split()[1]}/nose.wav": 2.0,
    f"{SHARE}/tuxpaint/stamps/animals/cat.ogg": 2.0,
    f"{SHARE}/tuxpaint/stamps/animals/cat_desc_fr.ogg": 2.0,
    f"{SHARE}/tuxpaint/stamps/animals/cat_desc.ogg": 2.0,
    f"{SHARE}/tuxpaint/stamps/symbols/math/one.ogg": 2.0,
    f"{SHARE}/games/lincity-ng/sounds/TraficHigh2.wav": 3.0,
    f"{SHARE}/games/lincity-ng/sounds/SportsCroud1.wav": 3.0,
    f"{SHARE}/games/lincity-ng/sounds/Fire1.wav": 3.0,
    f"{SHARE}/asterisk/sounds/en_US_f_Allison/hello.wav": 2.0,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as packages are unpacked into, with a little noise in each file and one that is empty."""
    root = tmp_path_factory.mktemp("packages")
    rng = np.random.default_rng(0)
    for name, seconds in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, 0.1 * rng.standard_normal(int(seconds * 22_050)), 22_050)
    (root / SHARE / "ktuberling/sounds/fr/empty.wav").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def spoken(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store that ``prepare`` makes of them."""
    folder = tmp_path_factory.mktemp("store")
    line = ["prepare", "stems", "--data", str(root), "--packages", str(root), "-o", str(folder), "--workers", "1"]
    assert main([*line, "--only", "words,noises-copyleft"]) == 0
    return folder


def test_a_group_is_a_speaker_or_a_kind_of_noise(root: Path) -> None:
    words = {group: [path.name for path in paths] for group, paths in groups_of("words", root)}
    assert words == {
        "words el": ["nose.wav"],
        "words fr": ["a.wav", "nose.wav", "cat_desc_fr.ogg"],
        "words lt": ["nose.wav"],
    }
    noises = [group for group, _ in groups_of("noises-copyleft", root)]
    assert noises == ["lincity Fire", "lincity SportsCroud", "lincity Trafic", "stamps animals"]
    assert not list(groups_of("prompts-sharealike", root)), "the prompts are in another format"


def test_collections_of_packages_have_licences_and_splits(spoken: Path) -> None:
    assert {row.collection for row in RECORDINGS} <= set(SOURCES_OF) and set(SOURCES_OF) == set(COLLECTIONS)
    assert "GPL-2.0-or-later" in Collection(spoken / "words").manifest.licence and len(packages()) == len(
        set(packages())
    )
    splits = {
        split: [item.name for item in Collection(spoken / "words", (split,)).items]
        for split in ("train", "valid", "test")
    }
    assert splits == {"train": ["words fr"], "valid": ["words lt"], "test": ["words el"]}
    assert not set(SPLITS["valid"]) & set(SPLITS["test"]) and not {*SPLITS["valid"], *SPLITS["test"]} & set(POOR)
    assert [split_of_group(name) for name in ("words fr", "words lt", "words el")] == ["train", "valid", "test"]


def names(recordings: Recordings) -> set[str]:
    return {collection.items[index].name for collection, index in recordings.items}


def test_nobody_is_heard_in_two_splits(spoken: Path) -> None:
    config = MixingConfig(seconds=1.0, batch=4)
    heard = {split: MixedSpeech(spoken, config, 256, 0, split) for split in ("train", "valid", "test")}
    assert [sorted(names(source.voices)) for source in heard.values()] == [["words fr"], ["words lt"], ["words el"]]
    assert [sorted(names(source.noises)) for source in heard.values()] == [
        ["lincity Trafic", "stamps animals"], ["lincity Fire"], ["lincity SportsCroud"],
    ]  # fmt: skip
    for source in heard.values():
        first, again = source.batch(3), source.batch(3)
        assert first.shape == (4, 2, 1, 15_872) and np.array_equal(first, again) and np.isfinite(first).all()


def test_singers_are_held_out_where_they_are_listed_and_elsewhere_the_last_tenth() -> None:
    for collection, splits in HELD_OUT_SINGERS.items():
        for split, singers in splits.items():
            assert {split_of_singer(collection, singer, 0, 20) for singer in singers} == {split}
        assert split_of_singer(collection, "somebody", 19, 20) == "train"
    assert [split_of_singer("voices-open", "x", number, 5) for number in range(5)] == ["train"] * 4 + ["valid"]


def test_the_test_set_has_every_kind_at_every_level(spoken: Path, store: Path, tmp_path: Path) -> None:
    for name in ("words", "noises-copyleft"):
        shutil.copytree(spoken / name, tmp_path / name)
    shutil.copytree(store / "makam", tmp_path / "makam")
    clips = list(clips_of_test(tmp_path, count=1, seconds=1.0))
    assert len({clip.name for clip in clips}) == len(TEST_VOICES) * len(NOISE_KINDS) * len(TEST_SNRS)
    for clip in clips:
        voice, noise = clip.stems[:, 0]
        assert 10 * np.log10(np.mean(voice**2) / np.mean(noise**2)) == pytest.approx(clip.snr_db, abs=0.05)
        assert np.abs(voice + noise).max() < 0.96
    again = next(iter(clips_of_test(tmp_path, count=1, seconds=1.0)))
    np.testing.assert_array_equal(again.stems, clips[0].stems)


def test_the_recipe_of_the_shipped_denoiser_learns_from_free_collections(spoken: Path) -> None:
    recipe = read_recipe("denoise-voice")
    assert recipe.network.hop == 256 and recipe.network.sample_rate == RATE
    small = replace(recipe, mixing=replace(recipe.mixing, seconds=1.0, batch=2))
    assert isinstance(batch_source(small, spoken, 0), MixedSpeech) and len(validation_set(small, spoken)) == 32


@pytest.mark.parametrize("noise", MADE_UP)
def test_made_up_noises_sound_and_are_finite(noise) -> None:
    for seed in range(20):
        sound = noise(np.random.default_rng(seed), 3 * RATE, RATE)
        assert sound.shape == (3 * RATE,) and np.isfinite(sound).all() and sound.std() > 0
        np.testing.assert_array_equal(sound, noise(np.random.default_rng(seed), 3 * RATE, RATE))


def test_a_room_begins_with_the_direct_sound_and_decays() -> None:
    for seed in range(30):
        response = room_response(np.random.default_rng(seed), RATE, near=bool(seed % 2))
        power = np.square(response)
        assert response[0] == pytest.approx(1.0, abs=1e-6)
        assert power[len(power) // 2 :].sum() < 0.1 * power.sum() and power[1:].sum() > 0.001

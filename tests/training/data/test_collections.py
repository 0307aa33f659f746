"""Collections of stems with a licence: what is in them, what is held out, and what the weights may then be called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from models.demucs import CausalDemucs, CausalDemucsConfig
from rtaudio.audio.format import SOURCES, StemplayError
from training.cli import main
from training.data.batches import MixedSongs
from training.data.config import MixingConfig
from training.data.jobs import SOURCES_OF
from training.data.plan import COLLECTIONS
from training.data.splits import CLIP_SECONDS, HELD_OUT_OPEN_SONGS, clips_of
from training.data.store import Collection
from training.export.release import COPYLEFT, OWN, RESTRICTED, SHARE_ALIKE, licence_of
from training.export.separator import export_separator

RATE = 44_100
SONGS = {HELD_OUT_OPEN_SONGS[0]: SOURCES, "a": SOURCES, "no bass": ("drums", "other", "vocals")}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared collections of noise: songs for all and for research, and guitars."""
    root = tmp_path_factory.mktemp("raw")
    rng = np.random.default_rng(0)
    names = {f"stems-open/{song}/{stem}": 0 for song, stems in SONGS.items() for stem in stems}
    names |= {f"stems-research/band/{stem}": 0 for stem in SOURCES}
    names |= {"solo/guitar/sectoid_one": 0, "solo/guitar/muldjord_two": 0}
    for name in names:
        path = root / f"{name}.ogg"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal((2 * RATE, 2)), RATE)
    wanted = "stems-open,drums-open,voices-open,stems-research,guitar,guitar-sharealike"
    line = ["prepare", "stems", "--data", str(root), "-o", str(root / "store"), "--workers", "1", "--only", wanted]
    assert main(line) == 0
    return root / "store"


def items(store: Path, name: str, split: str = "train") -> list[str]:
    return [item.name for item in Collection(store / name, (split,)).items]


def test_songs_that_are_held_out_never_train_not_even_in_part(store: Path) -> None:
    held = HELD_OUT_OPEN_SONGS[0]
    assert items(store, "stems-open", "test") == [held]
    for name in ("stems-open", "drums-open", "voices-open"):
        assert held not in items(store, name) and "a" in items(store, name)


def test_a_song_without_a_bass_lends_its_drums_and_its_voices_alone(store: Path) -> None:
    assert items(store, "stems-open") == ["a"]
    assert items(store, "drums-open") == items(store, "voices-open") == ["a", "no bass"]
    drums = Collection(store / "drums-open")
    assert drums.manifest.sources == ("drums",) and drums.whole(0).shape[:2] == (1, 2) and drums.whole(0).std() > 0.05


def test_collections_have_licences_of_their_own(store: Path) -> None:
    assert "CC0" in Collection(store / "stems-open").manifest.licence
    assert "research" in Collection(store / "stems-research").manifest.licence
    assert items(store, "guitar") == ["sectoid_one"] and items(store, "guitar-sharealike") == ["muldjord_two"]
    assert Collection(store / "guitar").manifest.sources == ("other",)


def test_what_weights_may_be_called_follows_from_what_they_learned() -> None:
    assert set(SOURCES_OF) == set(COLLECTIONS) and {*RESTRICTED, *SHARE_ALIKE, *COPYLEFT, *OWN} <= set(COLLECTIONS)
    free = {
        "stems-open",
        "drums-open",
        "voices-open",
        "guitar",
        "makam",
        "freedoom",
        "mma",
        "groove",
        "openmsx",
        "prompts",
        "noises",
    }
    assert licence_of(free) == "CC BY 4.0"
    assert all(licence_of({*free, name}) == "CC BY-SA 4.0" for name in SHARE_ALIKE)
    assert all(licence_of({*free, *SHARE_ALIKE, name}) == "GPL-3.0-or-later" for name in COPYLEFT)
    assert "research" in licence_of({*COPYLEFT, "musdb"})
    assert all("research" in licence_of({*free, name, "stems"}, "mine") for name in RESTRICTED)
    assert licence_of({*free, "stems"}, "CC0") == "CC0"
    with pytest.raises(StemplayError, match="--licence"):
        licence_of({"stems"})


def test_solo_guitars_take_the_place_of_other_instruments_in_remixes(store: Path) -> None:
    def other(solos: float) -> np.ndarray:
        config = MixingConfig(seconds=0.5, batch=4, coherent=0.0, solos=solos, speed=0.0, collections=tuple(names))
        return MixedSongs(store, config, 256, 0).batch(0)[:, 2]

    names = ["stems-open", "guitar"]
    assert np.array_equal(other(0.0), other(0.0)) and not np.array_equal(other(0.0), other(1.0))


def test_of_whole_songs_the_first_half_of_each_minute_is_scored() -> None:
    assert clips_of(140 * RATE) == [(0, 30 * RATE), (60 * RATE, 30 * RATE), (120 * RATE, 20 * RATE)]
    assert clips_of(RATE) == [(0, RATE)] and CLIP_SECONDS == 30


@pytest.mark.long
def test_evaluate_scores_the_held_out_songs_and_counts_clips_against_an_earlier_model(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (0, 1):
        torch.manual_seed(seed)
        export_separator(CausalDemucs(CausalDemucsConfig(channels=4, depth=2)), tmp_path / str(seed), name=f"n{seed}")
    songs = ["--collection", "stems-open", "--split", "test", "--store", str(store)]
    assert main(["evaluate", str(tmp_path / "0"), *songs, "--json"]) == 0
    (tmp_path / "old.json").write_text(capsys.readouterr().out)
    assert main(["evaluate", str(tmp_path / "0"), *songs, "--against", str(tmp_path / "old.json")]) == 0
    out = capsys.readouterr().out
    assert "All       +0.00, 0 of 1" in out and "not shown to be better" in out and "mean" in out
    assert main(["evaluate", str(tmp_path / "1"), *songs, "--against", str(tmp_path / "0")]) == 0
    assert " of 1" in capsys.readouterr().out
    assert main(["evaluate", str(tmp_path / "1"), *songs, "--look-ahead", "10", "--against", str(tmp_path / "1")]) == 0
    out = capsys.readouterr().out
    assert "looking 10 ms ahead" in out and "All       +0.00 " not in out, "refined against not refined"
    assert main(["evaluate", str(tmp_path / "1"), *songs, "--look-ahead", "10", "--refine"]) == 2
    (tmp_path / "none.json").write_text("[]")
    for wrong in (["--against", str(tmp_path / "none.json")], ["--against", "0", "--oracle", "mix4"], ["--split", "valid"]):
        assert main(["evaluate", str(tmp_path / "1"), *songs, *wrong]) == 2

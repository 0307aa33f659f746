"""A little of ``make fuzz`` at each run: what once broke something, and some dozens of random inputs for every target."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.__main__ import FOUND, Runner, at_random, seeds
from tests.fuzz.mutate import ODD, Choices, damaged, mutated
from tests.fuzz.targets import TARGETS

SLOW = {"sound_heads": 25, "stem_files": 20, "recipes": 15}
RUNS = 60


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_from_outside_breaks_anything(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(target)
    monkeypatch.setattr(runner, "_keep", lambda data: None)
    for data in at_random(target, SLOW.get(target, RUNS), seed=7):
        runner.one(data)
    assert runner.runs >= SLOW.get(target, RUNS)


def test_what_was_found_is_tried_first() -> None:
    kept = [path for path in FOUND.glob("*/*") if path.is_file()]
    assert kept and all(path.parent.name in TARGETS for path in kept)
    for path in kept:
        assert path.read_bytes() in seeds(path.parent.name)


def test_a_target_that_breaks_is_told_and_its_input_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> None:
        assert data != b"bad"

    monkeypatch.setitem(TARGETS, "broken", broken)
    monkeypatch.setattr("tests.fuzz.__main__.FOUND", tmp_path)
    runner = Runner("broken")
    runner.one(b"good")
    with pytest.raises(AssertionError):
        runner.one(b"bad")
    (kept,) = (tmp_path / "broken").iterdir()
    assert kept.read_bytes() == b"bad" and runner.runs == 1


def test_damage_is_repeatable_and_leaves_the_pattern_alone() -> None:
    whole = {"a": [1, 2, {"b": "text"}], "c": 0.5}
    before = repr(whole), repr(ODD)
    for number in range(200):
        data = bytes((number * k) % 251 for k in range(1, 40))
        assert repr(mutated(whole, Choices(data))) == repr(mutated(whole, Choices(data)))
        assert damaged(b"abcdefgh" * 9, Choices(data)) == damaged(b"abcdefgh" * 9, Choices(data))
    assert (repr(whole), repr(ODD)) == before

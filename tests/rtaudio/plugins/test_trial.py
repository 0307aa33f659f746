"""``plugins check``: what works, and what does not and why; with the table of the docs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtaudio.plugins import trial
from rtaudio.plugins.scan import installed, look_at
from rtaudio.plugins.trial import Trial, counted, markdown, try_all

MDA = "lv2:http://drobilla.net/plugins/mda/"


def test_an_effect_an_instrument_and_a_failure_are_told_apart(late: str, beep: str, tmp_path: Path) -> None:
    broken = tmp_path / "Broken.vst3"
    broken.write_bytes(b"no plugin at all")
    told: list[int] = []
    entries = [look_at(name)[0] for name in (late, beep, str(broken))]
    trials = try_all(entries, lambda done, *_: told.append(done))
    assert [x.role for x in trials] == ["effect", "instrument", "effect"] and told == [1, 2, 3]
    assert [x.error for x in trials[:2]] == ["", ""] and "is no plugin that works here" in trials[2].error
    assert trials[0].notes == trials[1].notes == ()
    table = markdown(trials)
    assert table.count("\n") == 4 and "| Beep.vst3 | 1 | 0 | 1 | 0 | 0 |" in table and "| Late.vst3 | 1 | 1 | 0 | 0 | 0 |" in table


def test_an_lv2_effect_is_in_the_row_of_its_package() -> None:
    if f"{MDA}Leslie" not in installed():
        pytest.skip("mda-lv2 and liblilv-0-0 are not installed")
    metro = "lv2:http://lv2plug.in/plugins/eg-metro"
    trials = [*try_all([look_at(f"{MDA}Leslie")[0]]), Trial(metro, "Metronome", "tool", "It is neither an effect nor an instrument.")]
    assert trials[0] == Trial(f"{MDA}Leslie", "MDA Leslie", "effect")
    assert counted(trials) == {"effect": 1, "instrument": 0, "tool": 1, "failed": 0}
    row = next(line for line in markdown(trials).splitlines() if "mda" in line)
    assert row.split(" | ", 1)[1] == "1 | 1 | 0 | 0 | 0 |"


def test_what_fails_when_it_is_turned_is_noted(probe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SLOW_S", 0.5)  # one of its parameters makes it slow
    found = trial.try_plugin(look_at(probe)[0])
    assert found.error == "" and len(found.notes) == 1
    assert found.notes[0].startswith("Turned at random: Probe ")


def test_the_command_says_what_works(late: str, cache: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"STEMPLAY_CACHE_DIR": str(cache)}
        command = [sys.executable, "-m", "rtaudio", "plugins", "check", *args]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200, check=False)

    found = run(late, "--json")
    assert found.returncode == 0 and json.loads(found.stdout)[0]["plugin"] == late
    for args, sentence in (
        (["nothing"], "no effect or plugin 'nothing'"), (["eq"], "eq is a built-in effect"),
        ([late, "--json", "--markdown"], "--markdown belongs to plugins check, without --json."),
    ):  # fmt: skip
        failed = run(*args)
        assert failed.returncode == 2 and sentence in failed.stderr and "Traceback" not in failed.stderr

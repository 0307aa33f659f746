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
from rtaudio.plugins.trial import TOOL, Trial, counted, markdown, try_all

MDA = "lv2:http://drobilla.net/plugins/mda/"


def test_an_effect_and_a_failure_are_told_apart(late: str, tmp_path: Path) -> None:
    broken = tmp_path / "Broken.vst3"
    broken.write_bytes(b"no plugin at all")
    told: list[int] = []
    trials = try_all([look_at(name)[0] for name in (late, str(broken))], lambda done, *_: told.append(done))
    assert [x.role for x in trials] == ["effect", "effect"] and told == [1, 2]
    assert trials[0].error == "" and "is no plugin that works here" in trials[1].error
    assert all("with Latency at" in note for note in trials[0].notes)  # DPF has a parameter for it, which cannot be set
    table = markdown(trials)
    assert "| Late.vst3 | 1 | 1 | 0 | 0 | 0 |" in table and "| Broken.vst3 | 1 | 0 | 0 | 0 | 1: " in table


def test_lv2_plugins_are_in_the_row_of_their_package() -> None:
    if f"{MDA}Leslie" not in installed():
        pytest.skip("mda-lv2 and liblilv-0-0 are not installed")
    missing = "X asks for something that this host does not offer: event."
    trials = [
        Trial(f"{MDA}Leslie", "MDA Leslie", "effect"), Trial(f"{MDA}EPiano", "MDA ePiano", "instrument"),
        Trial(f"{MDA}Delay", "X", "effect", missing), Trial(f"{MDA}Dynamics", "Y", "tool", f"Y {TOOL}: it has no audio output."),
    ]  # fmt: skip
    assert counted(trials) == {"effect": 1, "instrument": 1, "tool": 1, "failed": 1}
    row = next(line for line in markdown(trials).splitlines() if "mda" in line)
    assert row.split(" | ", 1)[1] == "4 | 1 | 1 | 1 | 1: it asks for something that this host does not offer: event |"


@pytest.mark.slow
def test_what_fails_when_it_is_turned_is_noted(probe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SLOW_S", 0.5)  # one of its parameters makes it slow
    found = trial.try_plugin(look_at(probe)[0])
    assert found.error == "" and len(found.notes) == 1
    assert found.notes[0].startswith("Turned at random: Probe ")


def test_the_command_says_what_works(beep: str, cache: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"STEMPLAY_CACHE_DIR": str(cache)}
        command = [sys.executable, "-m", "rtaudio", "plugins", "check", *args]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200, check=False)

    found = run(beep, "--json")
    assert found.returncode == 0
    assert json.loads(found.stdout) == [{"plugin": beep, "name": "Beep", "role": "instrument", "error": "", "notes": []}]
    for args, sentence in (
        (["nothing"], "no effect or plugin 'nothing'"), (["eq"], "eq is a built-in effect"),
        ([beep, "--json", "--markdown"], "--markdown belongs to plugins check, without --json."),
    ):  # fmt: skip
        failed = run(*args)
        assert failed.returncode == 2 and sentence in failed.stderr and "Traceback" not in failed.stderr

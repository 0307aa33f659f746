"""The soak itself takes an hour (``make soak``); its arithmetic is tried here, and in a few seconds of it that every part works."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from rtaudio.bench.jack_server import why_no_server
from tests.soak import rehearsal
from tests.soak.__main__ import judge, options, run
from tests.soak.faults import FAULTS, MAY_SILENCE
from tests.soak.table import Evening, Incident, markdown
from tests.soak.takes import Take, check
from tests.soak.watch import Held


def evening(**changes: object) -> Evening:
    known: dict[str, object] = {
        "seconds": 3600.0, "frames": 158_760_000, "rate": 44_100, "xruns": 3, "misses": 62, "blocks": 620_156, "restarts": 4, "notes": 9,
        "lost_s": 6.1,
        "incidents": [Incident("engine killed", 10.0, 2.0, 2.5, ""), Incident("engine killed", 90.0, 4.0, 4.5, "")],
        "takes": [Take(40.0, 39.9, 6, 0, False)],
        "held": [Held(float(k), {"engine": 200.0 + k / 10}, {"engine": 20}, {"engine": 9}, 30.0) for k in range(100)],
        "latencies": {256: 3600.0},
    }  # fmt: skip
    return Evening(**(known | changes))  # type: ignore[arg-type]


def test_a_table_tells_gaps_losses_and_growth() -> None:
    told = markdown(evening())
    assert "| engine killed | 2 | 3.00, 4.00 | 3.5, 4.5 |" in told
    assert "62 of 620156 blocks (0.01%)" in told and "6.1 s, 6.0 s of it in faults, the longest 4.00 s" in told
    assert "0.10 s, of one take at most 0.10 s" in told and "engine 200 to 209 (at most 210)" in told


def test_what_no_fault_excuses_is_a_problem() -> None:
    assert judge(evening()) == []
    assert judge(evening(takes=[Take(40.0, 39.0, 6, 0, False)])) == ["1.00 s of a take were lost"]
    assert judge(evening(takes=[Take(40.0, 40.0, 6, 2, False)])) == ["2 files were left unfinished"]
    assert judge(evening(takes=[Take(40.0, 40.0, 6, 0, True)])) == ["files of one take differ in length"]
    grown = [Held(float(k), {"engine": 200.0 + 3 * k}, {}, {}, 30.0) for k in range(100)]
    assert "grew" in judge(evening(held=grown))[0]
    assert judge(evening(incidents=[Incident("disk full", 1.0, 0.0, 0.0, "skipped: no root")])) == []
    assert judge(evening(incidents=[Incident("disk full", 1.0, 0.0, 0.0, "never ended")])) == ["disk full: never ended"]


def test_takes_are_measured_by_their_files(tmp_path: Path) -> None:
    for name, seconds in (("mix", 2.0), ("drums", 2.0), ("mix-2", 1.0), ("drums-2", 1.0)):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(round(seconds * 8000)), 8000)
    assert check(tmp_path, 3.1) == Take(3.1, 3.0, 4, 0, False)
    soundfile.write(tmp_path / "bass-2.wav", np.zeros(4000), 8000)
    assert check(tmp_path, 3.1) == Take(3.1, 2.5, 5, 0, True)
    assert check(tmp_path / "none", 0.0) == Take(0.0, 0, 0, 0, False)


def test_only_what_must_interrupts_the_sound() -> None:
    assert set(FAULTS) > MAY_SILENCE and len(FAULTS) >= 11
    with pytest.raises(SystemExit):
        options().parse_args(["--only", "flood"])


@pytest.mark.slow
def test_a_minute_of_the_soak_has_no_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if why_no_server():
        pytest.skip(why_no_server())
    faults = [f"--only={name}" for name in ("engine killed", "model replaced", "window killed")]
    args = options().parse_args(["--hours", "0.01", "--every", "5", "--take", "8", *faults])
    found = run(args, tmp_path)
    assert len(found.incidents) >= 2 and found.takes and judge(found) == []


def test_a_rehearsal_tells_what_grew() -> None:
    order = rehearsal.plan(8, 0, lambda what: what != "key")
    assert order == rehearsal.plan(8, 0, lambda what: what != "key") != rehearsal.plan(8, 1, lambda what: what != "key")
    assert order.count("open a song") == 8 * rehearsal.AN_HOUR["open a song"] + 2 and "key" not in order
    last = order[order.index(rehearsal.USE_EVERYTHING) :]
    assert len(last) > len(order) / 9 and not set(last) & set(rehearsal.NEW_ENGINE), "an hour with one engine"
    names = ("window", "engine", "daemon")

    def held(number: int, threads: int, memory: float) -> Held:
        return Held(float(number), dict.fromkeys(names, memory), dict.fromkeys(names, 9), dict.fromkeys(names, threads), 0.0)

    counts: dict[str, Any] = {"objects": [9] * 100, "widgets": [9] * 100, "engines": [5] * 100}
    steady = rehearsal.Rehearsal(held=[held(k, 20, 200.0 + k % 3) for k in range(100)], **counts)
    assert rehearsal.judge(steady) == [] and "| engine | 201, 201, 202 | 20, 20, 20 | 9, 9, 9 |" in rehearsal.table(steady)
    grown = rehearsal.Rehearsal(held=[held(k, 20 + k // 8, 200.0 + k) for k in range(100)], **counts)
    assert len(rehearsal.judge(grown)) == 6 and "the window grew from 230 to 290 MiB" in rehearsal.judge(grown)
    grown.engines[:40], grown.used = [4] * 40, 60
    assert "the engine grew from 272 to 296 MiB" in rehearsal.judge(grown), "the last process alone, after everything was used once"


@pytest.mark.slow
def test_half_an_hour_of_a_rehearsal_grows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("looks at processes in /proc")
    monkeypatch.setattr("os.environ", os.environ.copy())  # the band's folders are its own
    found = rehearsal.run(rehearsal.options().parse_args(["--hours", "0.5", "--minutes", "2"]), tmp_path)
    assert found.problems == [] and found.done["open a song"] > 5

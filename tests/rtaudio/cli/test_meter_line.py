"""The engine's state as a line of text."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from rtaudio.cli.meter_line import FLOOR_DB, MeterLine, bar, compose, level_db
from rtaudio.protocol.reports import Meter, Snapshot, Transport
from rtaudio.protocol.settings import MixerState, StemState

RATE = 44_100
STEMS = ("drums", "bass", "other", "vocals")


def report(**changes: Any) -> Snapshot:
    meters = {name: Meter([0.5, 0.5], [0.1, 0.05]) for name in STEMS}
    mixer = MixerState(stems={name: StemState() for name in STEMS})
    return Snapshot(
        **{"state": "running", "rate": RATE, "frames": RATE, "port": "p", "meters": meters, "mixer": mixer, **changes}
    )


def test_the_line_tells_levels_counters_and_place() -> None:
    line = compose(report(xruns=3, misses=4, limiter_db=-1.2, transport=Transport("x", True, 61.0, 125.0)), 200, False)
    for part in ("1:01/2:05", "drums", "vocals", "-20", "xruns 3", "misses 4", "lim -1.2"):
        assert part in line
    assert "\x1b" not in line


def test_the_line_fits_into_any_terminal() -> None:
    for columns in (20, 60, 80, 100, 300):
        assert len(compose(report(), columns, False)) <= columns


def test_muted_soloed_and_clipped_stems_are_marked_in_text() -> None:
    changed = report()
    changed.mixer.stems["drums"].mute = changed.mixer.stems["bass"].solo = True
    changed.meters["other"].clipped = True
    line = compose(changed, 200, False)
    assert "-20M" in line and "-20S" in line and "-20!" in line


def test_silence_and_loudness_stay_within_the_bar() -> None:
    assert level_db(Meter()) == FLOOR_DB == level_db(Meter([0.0], [0.0]))
    assert level_db(Meter([1.0], [1.0])) == 0.0
    for db in np.linspace(-80, 20, 101):
        assert len(bar(float(db), 10)) == 10


def test_a_terminal_gets_one_redrawn_line_and_a_pipe_a_line_now_and_then() -> None:
    terminal, pipe = io.StringIO(), io.StringIO()
    drawn, plain = MeterLine(terminal, terminal=True), MeterLine(pipe, terminal=False)
    for k in range(20):
        drawn.show(report(frames=k * RATE))
        plain.show(report(frames=k * RATE))
    drawn.close()
    assert "\n" not in terminal.getvalue() and terminal.getvalue().count("\r") == 21
    assert pipe.getvalue().count("\n") == 1 and "\r" not in pipe.getvalue()
    plain.show(report(state="waiting", message="The card is gone."))
    plain.show(report(state="waiting", message="The card is gone."))
    assert pipe.getvalue().count("The card is gone.\n") == 1


def test_a_sentence_with_other_numbers_is_not_told_again_and_again() -> None:
    pipe = io.StringIO()
    line = MeterLine(pipe, terminal=False)
    for share in range(20):
        line.show(report(message=f"{share}% of the sound plays unseparated; give the model {share / 2} ms more."))
    line.show(report(message="The disk is full."))
    line.show(report(message="7% of the sound plays unseparated; give the model 9.5 ms more."))
    told = [each for each in pipe.getvalue().splitlines() if each.endswith(".")]
    assert [each[:3] for each in told] == ["0% ", "The", "7% "]


def test_colours_can_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    MeterLine(stream, terminal=True).show(report())
    assert "\x1b[3" not in stream.getvalue() and "drums" in stream.getvalue()

"""The list of controls, and that the documentation has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtaudio.cli.commands.controls import listed, markdown
from rtaudio.cli.main import main
from rtaudio.protocol.controls import CONTROLS, fixed_targets

PAGE = Path(__file__).resolve().parents[3] / "docs" / "control.md"


def test_the_page_has_the_table_that_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["controls", "--markdown"]) == 0
    printed = capsys.readouterr().out.strip()
    assert printed == markdown()
    text = PAGE.read_text(encoding="utf-8")
    between = text.partition("<!-- controls: begin")[2].partition("-->\n")[2].partition("\n<!-- controls: end -->")[0]
    assert between == printed, "python -m rtaudio controls --markdown prints what belongs there"


def test_every_control_has_a_row_and_every_address_is_another(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["controls", "--model", "none", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len({row["address"] for row in rows}) == len(rows) and all(row["meaning"] and row["values"] for row in rows)
    assert {row["target"] for row in rows} >= set(fixed_targets(("drums", "bass", "other", "vocals", "instrument"), every=True))
    assert len([row for row in listed(("x",)) if not row["address"].startswith("/insert/")]) == len(CONTROLS)
    assert main(["controls", "--model", "none"]) == 0
    assert "/stem/vocals/gain_db" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--osc", "70000"], "OSC listens at a port"),
        (["--midi-clock"], "--midi-out names it"),
        (["--midi-out", "no such port"], "There is no MIDI output 'no such port'"),
        (["--tempo", "1000"], "--tempo goes from 20 up to 999"),
        (["--tempo", "1"], "--input takes a file"),
        (["--tempo", "nan"], "--tempo takes a number"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_code_2(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--input", "none", "--output", "null", "--model", "none", *arguments]) == 2
    told = capsys.readouterr().err
    assert words in told and told.count("\n") == 1

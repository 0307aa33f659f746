"""The table of commands: help, hints, a version, and what is missing is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rtaudio.cli import main

ROOT = Path(__file__).resolve().parents[3]


def test_the_overview_needs_no_command_to_be_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main.importlib, "import_module", lambda name: 1 / 0)
    assert main.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in main.COMMANDS)


@pytest.mark.parametrize("name", sorted(set(main.COMMANDS) - {main.WINDOW}))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main.main([name, "--help"])
    assert end.value.code == 0 and f"python -m rtaudio {name}" in capsys.readouterr().out


def test_the_window_is_a_command_too_with_its_own_options() -> None:
    for arguments, code, words in (
        (["--help"], 0, "usage: python -m rtaudio gui"),
        (["--nonsense"], 2, "(python -m rtaudio gui --help tells more.)"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "rtaudio", "gui", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == code and words in done.stdout + done.stderr


def test_an_unknown_command_gets_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["seperate"]) == 2
    assert "did you mean separate?" in capsys.readouterr().err


def test_a_missing_library_is_named_and_leads_to_the_doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'soxr'", name="soxr")

    monkeypatch.setattr(main.importlib, "import_module", missing)
    assert main.main(["separate"]) == 2
    assert "soxr" in (told := capsys.readouterr().err) and "doctor" in told


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("stemplay ")

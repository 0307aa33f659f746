"""``python -m gui``: what a person can mend is one sentence and exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication

from gui.app import chosen
from gui.app_icon import app_icon
from gui.session_store import FIRST
from gui.start import parser
from rtaudio.protocol.checks import check_config

ROOT = Path(__file__).resolve().parents[2]


def launch(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    return subprocess.run(
        [sys.executable, "-m", "gui", *arguments],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="displays of X and Wayland")
def test_the_application_has_an_icon(qapp: QApplication) -> None:
    icon = app_icon()
    assert {size.width() for size in icon.availableSizes()} >= {16, 32, 256}
    image = icon.pixmap(32, 32).toImage()
    assert len({image.pixel(x, 20) for x in range(32)}) > 4, "it is drawn"


def test_without_a_display_there_is_one_sentence() -> None:
    done = launch()
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "display" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="displays of X and Wayland")
def test_a_display_that_is_not_there_is_no_abort() -> None:
    done = launch(DISPLAY=":4095")
    assert done.returncode == 2 and "No window can be opened here" in done.stderr and "Traceback" not in done.stderr


def test_bad_options_are_told_in_a_sentence(tmp_path: Path) -> None:
    own = {
        "QT_QPA_PLATFORM": "offscreen",
        "STEMPLAY_CONFIG_DIR": str(tmp_path),
        "STEMPLAY_RUNTIME_DIR": str(tmp_path / "run"),
    }
    for arguments, words in ((["--theme", "pink"], "pink"), (["--model", "nothing"], "nothing"), (["--foo"], "--foo")):
        done = launch(*arguments, **own)
        assert done.returncode == 2 and words in done.stderr and done.stderr.strip().count("\n") == 0, done.stderr


def test_help_needs_no_display() -> None:
    done = launch("--help")
    assert done.returncode == 0
    assert all(option in done.stdout for option in ("--model", "--input", "--output", "--instrument", "--theme"))


def test_options_become_the_configuration() -> None:
    args = parser().parse_args(["--input", "a.wav", "--output", "null", "--model", "none", "--instrument", "none"])
    config = chosen(FIRST, args)
    assert (config.input, config.output, config.model, config.instrument) == ("a.wav", "null", "none", "")
    assert chosen(FIRST, parser().parse_args([])) == FIRST
    check_config(FIRST)

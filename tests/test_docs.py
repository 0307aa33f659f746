"""What the documentation tells people to type works.

A fenced block tagged ``sh test`` or ``python test`` is executed, in the order of its page, in a folder that looks like the repository's
root but whose ``demo/kimseye.ogg`` lasts two seconds. ``sh test jack`` blocks get a real JACK server of their own and skip without jackd;
``sh test slow`` blocks run with the slow tests. Commands of training run in this process: torch and Lightning, of which each would import
the most, are here already. That ``python -m training`` is a program is tested in tests/training/test_commands.py.
Every other ``python -m rtaudio`` or ``python -m training`` line must at least name commands and options that exist.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import soundfile

from models.catalog import model_names
from tests.jack import JackServer

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "training/README.md")]
PAGES += [ROOT / "demo" / "LICENSE.md", ROOT / "examples" / "README.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
FENCE = re.compile(r"^```([a-z]+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEMO_SECONDS = 2


def blocks(page: Path) -> list[tuple[str, set[str], str]]:
    """``(language, tags, text)`` of each fenced block."""
    return [(m[1], set(m[2].split()), m[3]) for m in FENCE.finditer(page.read_text(encoding="utf-8"))]


KINDS = {"jack", "slow"}


def to_run(page: Path, *kind: str) -> list[tuple[str, str]]:
    """``(language, text)`` of the page's executable blocks of exactly this kind."""
    return [(language, text) for language, tags, text in blocks(page) if "test" in tags and tags & KINDS == set(kind)]


NAMED = r"`[^`/]+`"
PLACES = re.compile(rf"({NAMED}(?:(?:,| and|, and| or) {NAMED})*) (?:in|of) (?:{NAMED} (?:in|of) )?`([a-z][\w./-]*/[\w.-]+)`")
PLACE = re.compile(r"`((?:rtaudio|gui|models|training|tests|tools|examples|docs)/[\w./-]*)`")


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/extending.md", "docs/architecture.md"])
def test_every_file_that_a_page_names_exists(name: str) -> None:
    found = PLACE.findall((ROOT / name).read_text(encoding="utf-8"))
    assert len(found) > 10
    assert [place for place in found if "NAME" not in place and not (ROOT / place).exists()] == []


@pytest.mark.parametrize(("name", "least"), [("CONTRIBUTING.md", 4), ("docs/extending.md", 60)])
def test_every_name_is_in_the_file_that_a_page_gives_for_it(name: str, least: int) -> None:
    found = [
        (word.split("(")[0], place)
        for words, place in PLACES.findall((ROOT / name).read_text(encoding="utf-8"))
        for word in re.findall(r"`([^`]+)`", words)
        if (ROOT / place).is_file()
    ]
    assert len(found) >= least
    lacking = [(word, place) for word, place in found if word not in (ROOT / place).read_text(encoding="utf-8")]
    assert lacking == []


def executable(*kind: str) -> list[Path]:
    return [page for page in PAGES if to_run(page, *kind)]


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a short demo song, where ``python`` is this Python and finds the packages."""
    for song in (ROOT / "demo").glob("*.ogg"):
        with soundfile.SoundFile(song) as source:
            source.seek(8 * source.samplerate)
            audio = source.read(DEMO_SECONDS * source.samplerate)
            (tmp_path / "demo").mkdir(exist_ok=True)
            soundfile.write(tmp_path / "demo" / song.name, audio, source.samplerate, format="OGG", subtype="VORBIS")
    for song in (ROOT / "demo").glob("*.mid"):
        shutil.copy(song, tmp_path / "demo" / song.name)
    return tmp_path


TRAINING = re.compile(r"^python -m training ([^*<>|&;$]*?)$", re.MULTILINE)
"""A line that needs no shell."""


def run(language: str, text: str, place: Path, **extra: str) -> None:
    """Run a block; of one for the shell, each line that starts training here, and what is between them there."""
    if language == "python" and "from training" in text:
        with contextlib.chdir(place):
            exec(compile(text, "a page", "exec"), {"__name__": "__main__"})
    elif language == "python" or "\\\n" in text:
        run_process(language, text, place, **extra)
    else:
        for number, part in enumerate(TRAINING.split(text)):
            if number % 2:
                train(part, place)
            elif part.strip():
                run_process(language, part, place, **extra)


def train(line: str, place: Path) -> None:
    """``python -m training LINE``."""
    from training.cli import main

    with contextlib.chdir(place):
        assert main(shlex.split(line, comments=True)) == 0, line


def run_process(language: str, text: str, place: Path, **extra: str) -> None:
    environment = (
        os.environ
        | {"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        | extra
    )
    command = [sys.executable, "-c", text] if language == "python" else ["bash", "-euo", "pipefail", "-c", text]
    result = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL
    )
    assert result.returncode == 0, (
        f"{text}\n--- exit {result.returncode}\n{result.stdout[-2000:]}\n{result.stderr[-4000:]}"
    )


def run_page(page: Path, place: Path, *kind: str, **extra: str) -> None:
    if "demucs-live" not in model_names():
        pytest.skip("the shipped model demucs-live is not in this checkout")
    for language, text in to_run(page, *kind):
        assert language in ("sh", "python"), f"a {language} block cannot be executed"
        run(language, text, place, **extra)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("bash") is None, reason="the documentation's commands are written for bash")
@pytest.mark.parametrize("page", executable(), ids=page_id)
def test_what_the_page_says_works(page: Path, place: Path, runtime_directory: Path) -> None:
    run_page(page, place)


@pytest.mark.slow
@pytest.mark.parametrize("page", executable("slow"), ids=page_id)
def test_what_the_page_says_and_takes_long_works(page: Path, place: Path) -> None:
    run_page(page, place, "slow")


@pytest.mark.jack
@pytest.mark.parametrize("page", executable("jack"), ids=page_id)
def test_what_the_page_says_of_jack_works(page: Path, place: Path, jack_server: JackServer) -> None:
    run_page(page, place, "jack", **jack_server.environment)


# ---------------------------------------------------------------- lines that are not executed


MAIN = {"rtaudio": "rtaudio.cli.main", "training": "training.cli"}
"""Where each package has its command line."""


@cache
def help_of(package: str, command: str) -> str:
    """What ``--help`` prints, asked in this process: importing torch for each would take longer than all the rest."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()):
        try:
            code = import_module(MAIN[package]).main([command, "--help"])
        except SystemExit as ended:
            code = ended.code
    return "" if code else text.getvalue()


def command_lines(page: Path) -> list[tuple[str, str, list[str]]]:
    """``(package, command, options)`` of each line in a fenced or indented block that starts one of our programs."""
    found = []
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^(?: {4}|\$ )?python -m (?:rtaudio|training) .*$", text, re.MULTILINE):
        words = shlex.split(line.strip().removeprefix("$ "), comments=True)[2:]
        if len(words) > 1 and re.fullmatch("[a-z][a-z-]*", words[1]):
            found.append((words[0], words[1], [w.split("=")[0] for w in words[2:] if re.match("--?[a-z]", w)]))
    return found


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_and_options_that_the_page_names_exist(page: Path) -> None:
    for package, command, options in command_lines(page):
        usage = help_of(package, command)
        assert usage, f"python -m {package} {command} does not exist"
        for option in options:
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", usage), (
                f"python -m {package} {command} has no option {option}"
            )


PATH = re.compile(r"(?<![\w/.<])((?:rtaudio|gui|models|training|tests|examples|tools)/[\w/]*\w\.(?:py|toml|qss))\b")
MODULE = re.compile(r"``((?:rtaudio|gui|models|training)\.[a-z_.]*[a-z_])``")


ROOMS = ("rtaudio", "gui", "models", "training", "tests", "examples", "tools")


def test_files_and_modules_that_text_names_exist() -> None:
    """In pages, docstrings and comments: whoever looks there finds them."""
    lost = []
    for page in [*PAGES, *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]:
        text = page.read_text(encoding="utf-8")
        names = [name for name in PATH.findall(text) if not name.endswith("/NAME.py")]
        lost += [f"{page_id(page)}: {name}" for name in names if not (ROOT / name).exists()]
        for name in MODULE.findall(text) if page.suffix == ".py" else ():
            place = ROOT / name.replace(".", "/")
            if not any(path.exists() for path in (place, place.with_suffix(".py"), place.parent.with_suffix(".py"))):
                lost.append(f"{page_id(page)}: {name}")
    assert not lost, "\n".join(lost)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_tests_that_the_testing_page_names_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "testing.md").read_text(encoding="utf-8"))
    assert len(named) > 10
    for file, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), (
            f"{file} has no {test}"
        )


def test_the_glossary_stays_short_enough_to_be_read() -> None:
    terms = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)[1:]
    assert 20 < len(terms) <= 40 and terms[0] == "algorithmic latency"

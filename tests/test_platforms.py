"""Linux, macOS and Windows: what only POSIX has is asked for only where it is, and beside it stands what the others do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("rtaudio", "gui", "models", "training")

MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix", "crypt"}
"""Modules that Windows does not have."""
OF_OS = {
    "fork", "forkpty", "getuid", "geteuid", "getgid", "getegid", "getgroups", "killpg", "setsid", "setpgid", "getpgid", "nice", "chown",
    "mkfifo", "setpriority", "getpriority", "sched_getscheduler", "sched_setscheduler", "sched_getparam", "sched_param",
    "sched_setaffinity", "sched_getaffinity", "sched_yield", "statvfs", "getloadavg", "sysconf", "pread", "pwrite", "posix_spawn", "uname",
    "wait", "waitid", "wait3", "wait4", "WNOHANG", "openpty", "ttyname", "sync", "SCHED_FIFO", "SCHED_RR", "PRIO_PROCESS",
}  # fmt: skip
OF_SIGNAL = {
    "SIGKILL", "SIGHUP", "SIGSTOP", "SIGCONT", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGPIPE", "alarm", "setitimer",
    "pause", "pthread_kill", "pthread_sigmask", "sigwait",
}  # fmt: skip
GUARDS = re.compile(r"sys\.platform|os\.name|hasattr\(|getattr\((os|signal)|ImportError|AttributeError")
LINUX_TOOLS = {
    "rtaudio/system/realtime.py": "request_realtime() asks for the platform and calls one function for each",
    "rtaudio/bench/jack_server.py": "why_no_server() refuses on Windows before anything of it is called",
    "rtaudio/midi/keyboard.py": "the two classes of a terminal: the other one reads msvcrt",
}
"""Files whose guard stands elsewhere, and where."""


def posix_only(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            kind = {"os": OF_OS, "signal": OF_SIGNAL}.get(node.value.id)
            if kind is not None and node.attr in kind:
                yield node, f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Import):
            yield from ((node, name.name) for name in node.names if name.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            yield node, str(node.module)


def unguarded(path: Path) -> list[str]:
    """Places whose function, or whose module where they are in none, says nothing of platforms."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = []
    for node, name in posix_only(tree):
        line = node.lineno  # type: ignore[attr-defined]
        around = [f for f in functions if f.lineno <= line <= (f.end_lineno or 0)]
        scope = ast.get_source_segment(text, max(around, key=lambda f: f.lineno)) if around else text
        if not GUARDS.search(scope or ""):
            found.append(f"{path.name}:{line} {name}")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_what_only_posix_has_has_its_counterpart(package: str) -> None:
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        if str(path.relative_to(ROOT)).replace("\\", "/") not in LINUX_TOOLS:
            found += unguarded(path)
    assert not found, "\n".join(found)


def test_a_call_without_a_counterpart_is_found(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("import os, signal\ndef f(pid):\n    os.kill(pid, signal.SIGKILL)\ndef g():\n    return os.getuid()\n")
    assert unguarded(path) == ["bad.py:3 signal.SIGKILL", "bad.py:5 os.getuid"]
    path.write_text("import os, sys\ndef g():\n    return 0 if sys.platform == 'win32' else os.getuid()\n")
    assert unguarded(path) == []


IMPORT_ALL = """
import importlib, os, pathlib, pkgutil, signal, sys
for name in {of_os!r}:
    if hasattr(os, name): delattr(os, name)
for name in {modules!r}:
    sys.modules[name] = None
names = ["rtaudio", "models", "gui"] + [m.name for package in ("rtaudio", "models", "gui")
         for m in pkgutil.walk_packages([str(pathlib.Path({root!r}) / package)], package + ".")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""


def test_every_module_can_be_imported_where_posix_is_missing() -> None:
    """As on Windows: functions of ``os`` are gone and modules cannot be found. (What the standard library itself needs is left.)"""
    libraries = "import asyncio, multiprocessing.connection, concurrent.futures, tempfile, subprocess, ssl, platform, numpy, soundfile, "
    libraries += "onnxruntime, sounddevice, mido, rtmidi, soxr, samplerate, PyQt6.QtWidgets, pyqtgraph, torch, platformdirs, tqdm\n"
    keep = {"fork", "waitpid", "sched_getaffinity", "posix_spawn", "wait4", "WNOHANG", "uname", "sysconf"}
    script = libraries + IMPORT_ALL.format(of_os=sorted(OF_OS - keep), modules=sorted(MODULES - {"resource"}), root=str(ROOT))
    environment = {"QT_QPA_PLATFORM": "offscreen"}
    import os

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 150


def test_the_workflow_tries_three_systems_and_three_pythons_as_far_as_ours_does() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
    jobs = workflow["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert [system.split("-")[0] for system in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert len(matrix["python"]) == 3
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert matrix["python"][0] == oldest.removeprefix(">=")
    commands = " ".join(step.get("run", "") for step in jobs["test"]["steps"])
    for part in ("ruff check", "mypy", "lint-imports", "pytest"):
        assert part in commands, part
    assert ".ci/run" in " ".join(step.get("run", "") for step in jobs["whole"]["steps"])

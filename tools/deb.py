"""A Debian package of the window and the command line: ``make package``, or ``python tools/deb.py -o FOLDER``.

Everything Python is in ``/opt/stemplay/lib``, as ``pip install --target`` puts it there, so nothing of the system's Python is changed.
``/usr/bin/stemplay`` starts it. Sound and graphics libraries come from Debian; their names are those of the Makefile. Needs
``dpkg-deb``; the package is for the processor and the Python version that build it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (
    "libportaudio2", "libegl1", "libgl1", "libdbus-1-3", "libxkbcommon-x11-0", "libxcb-cursor0", "libxcb-icccm4",
    "libxcb-keysyms1", "fonts-dejavu-core",
)  # fmt: skip
UNUSED = (
    "PyQt6/Qt6/qml", "PyQt6/bindings", "bin", "numpy/**/tests", "onnxruntime/quantization", "onnxruntime/tools",
    "onnxruntime/transformers", "pyqtgraph/examples",
)  # fmt: skip
"""Parts of the wheels that no module of ours loads."""
LAUNCHER = """#!/usr/bin/python3
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from rtaudio.cli.main import main

sys.exit(main())
"""
DESKTOP = """[Desktop Entry]
Type=Application
Name=Stemplay
Comment=Separate music into stems while it plays
Exec=stemplay gui
Icon=stemplay
Categories=AudioVideo;Audio;Mixer;Music;
Keywords=stems;karaoke;separation;practice;
"""
CONTROL = """Package: stemplay
Version: {version}
Architecture: {architecture}
Maintainer: The Stemplay authors <stemplay@localhost>
Installed-Size: {kib}
Depends: {depends}
Recommends: jackd2 | pipewire-jack, ffmpeg
Section: sound
Priority: optional
Description: separates music into stems while it plays
 A causal hybrid Demucs separates a microphone, a line-in or a song into
 drums, bass, other and vocals in real time on an ordinary CPU. A mixer with
 faders, mute, solo and recording puts them together again. A MIDI keyboard
 plays SING, a neural synthesiser.
"""
ICON = """
import sys
from PyQt6.QtWidgets import QApplication
application = QApplication([])
from gui.app_icon import app_icon
sys.exit(not app_icon().pixmap(256, 256).save(sys.argv[1]))
"""


def build(output: Path, wheel: Path | None = None, libraries: bool = True) -> Path:
    """Build the package into the folder ``output`` and return its path.

    Args:
        wheel: of stemplay; None builds it from this checkout.
        libraries: whether the package holds what stemplay needs from the Python Package Index. Without them it is small and
            quickly built, and whoever starts it sees to it that Python finds them.

    Raises:
        subprocess.CalledProcessError: a step failed; its own words are on standard error.
    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="stemplay-deb-") as name:
        work, tree = Path(name), Path(name) / "tree"
        library = tree / "opt" / "stemplay" / "lib"
        wheel = wheel or _wheel(work)
        _install(wheel, library, libraries)
        # Nobody but root may write there later: without this every start would compile everything.
        compiler = [sys.executable, "-m", "compileall", "-q", "-j0", "--invalidation-mode", "unchecked-hash", "-s", str(tree), "-p", "/"]
        _run([*compiler, str(library)])
        _write(tree / "opt" / "stemplay" / "bin" / "stemplay", LAUNCHER, 0o755)
        (tree / "usr" / "bin").mkdir(parents=True)
        (tree / "usr" / "bin" / "stemplay").symlink_to("/opt/stemplay/bin/stemplay")
        _write(tree / "usr" / "share" / "applications" / "stemplay.desktop", DESKTOP)
        icon = tree / "usr" / "share" / "icons" / "hicolor" / "256x256" / "apps" / "stemplay.png"
        icon.parent.mkdir(parents=True)
        # The libraries of whoever builds come last: a package without libraries draws its icon with them.
        offscreen = {**os.environ, "PYTHONPATH": str(library), "QT_QPA_PLATFORM": "offscreen", "PYTHONDONTWRITEBYTECODE": "1"}
        _run([sys.executable, "-c", ICON, str(icon)], env=offscreen)
        licences = tree / "usr" / "share" / "doc" / "stemplay"
        licences.mkdir(parents=True)
        shutil.copy(ROOT / "LICENSE", licences / "copyright")
        _write(tree / "DEBIAN" / "control", _control(wheel, tree))
        package = output / f"stemplay_{_version(wheel)}_{_architecture()}.deb"
        _run(["dpkg-deb", "--root-owner-group", "-Zzstd", "-z3", "--build", str(tree), str(package)])
    return package


def _install(wheel: Path, library: Path, libraries: bool) -> None:
    locks = [option for lock in ("runtime", "gui") for option in ("-c", str(ROOT / "requirements" / f"{lock}.lock"))]
    what = [f"{wheel}[gui]", *locks] if libraries else ["--no-deps", str(wheel)]
    _run([*_pip("install"), "--no-compile", "--no-warn-conflicts", "--target", str(library), *what])
    for unused in [path for pattern in UNUSED for path in library.glob(pattern)]:
        shutil.rmtree(unused, ignore_errors=True)


def _wheel(work: Path) -> Path:
    """Built from a copy, for setuptools leaves folders behind where it builds."""
    source = work / "source"
    source.mkdir()
    for name in ("rtaudio", "gui", "models", "training", "demo"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    _run([*_pip("wheel"), "--no-deps", "-w", str(work), str(source)])
    (wheel,) = work.glob("*.whl")
    return wheel


def _control(wheel: Path, tree: Path) -> str:
    major, minor = sys.version_info[:2]
    python = (f"python3 (>= {major}.{minor})", f"python3 (<< {major}.{minor + 1})")
    kib = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink()) // 1024
    return CONTROL.format(
        version=_version(wheel), architecture=_architecture(), kib=kib, depends=", ".join((*python, *LIBRARIES))
    )


def _version(wheel: Path) -> str:
    return wheel.name.split("-")[1]


def _architecture() -> str:
    told = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, check=True, text=True)
    return told.stdout.strip()


def _pip(command: str) -> list[str]:
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", command]


def _run(command: list[str], env: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the Debian package.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build", metavar="FOLDER")
    if shutil.which("dpkg-deb") is None:
        print("A Debian package needs dpkg-deb, which is not here.", file=sys.stderr)
        return 2
    try:
        print(build(parser.parse_args().output))
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(map(str, error.cmd[:4]))} ... failed.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

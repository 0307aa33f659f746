"""A VST3 of our own, built once: it is late, and crashes, sleeps or gives NaN when a parameter asks for it (``native/probe.cpp``)."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rtaudio.plugins.scan import installed

NATIVE = Path(__file__).parent / "native"
DPF = Path("/usr/share/dpf/distrho")
BUILD = Path(__file__).parents[3] / "build" / "probe"
XLIB = Path("/usr/include/X11/Xlib.h")
KINDS = {"Probe": [], "Beep": ["-DPROBE_SYNTH"], "Late": ["-DPROBE_LATE"],
         "Panel": ["-DPROBE_PANEL", "-DHAVE_X11", str(DPF / "DistrhoUIMain.cpp")]}


def build_probe(name: str = "Probe") -> Path:
    """The bundle of ``native/NAME.cpp``; built anew when its source has changed. Skips where there is no compiler or no DPF."""
    compiler = shutil.which("g++")
    if sys.platform != "linux" or compiler is None or not DPF.is_dir():
        pytest.skip("g++ and dpf-source are needed to build the test plugin")
    if name == "Panel" and not XLIB.exists():
        pytest.skip("libx11-dev is needed to build the test plugin's window")
    sources = sorted(NATIVE.iterdir())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    bundle = BUILD / digest / f"{name}.vst3"
    library = bundle / "Contents" / f"{os.uname().machine}-linux" / f"{name}.so"
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        part = library.with_suffix(f".{os.getpid()}")
        subprocess.run(
            [compiler, "-std=gnu++14", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-w", f"-I{NATIVE}", f"-I{DPF}",
             "-DDISTRHO_PLUGIN_TARGET_VST3", *KINDS[name], str(DPF / "DistrhoPluginMain.cpp"),
             str(NATIVE / f"{name.lower()}.cpp"), "-o", str(part), *(["-lX11"] if name == "Panel" else [])],
            check=True,
        )  # fmt: skip
        part.replace(library)
    return bundle


@pytest.fixture(scope="session")
def probe() -> str:
    """The path of the built plugin."""
    return str(build_probe())


@pytest.fixture(scope="session")
def beep() -> str:
    """The path of the built instrument."""
    return str(build_probe("Beep"))


@pytest.fixture(scope="session")
def late() -> str:
    """The path of the built effect whose latency is a parameter (``native/late.cpp``)."""
    return str(build_probe("Late"))


@pytest.fixture(scope="session")
def panel() -> str:
    """The path of the probe with a window of its own (``native/panel.cpp``)."""
    return str(build_probe("Panel"))


@pytest.fixture
def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The LV2 effect of ``native/keeper.c``, in a bundle of its own, which is all that liblilv finds."""
    compiler = shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("gcc is needed to build the test plugin")
    bundle = tmp_path / "lv2" / "keeper.lv2"
    bundle.mkdir(parents=True)
    library = [compiler, "-std=gnu11", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-w"]
    subprocess.run([*library, str(NATIVE / "keeper.c"), "-o", str(bundle / "keeper.so")], check=True)
    shutil.copy(NATIVE / "keeper.ttl", bundle / "manifest.ttl")
    (bundle / "half.txt").write_text("0.5\n")
    monkeypatch.setenv("LV2_PATH", str(bundle.parent))
    if "lv2:urn:stemplay:keeper" not in installed():
        pytest.skip("liblilv-0-0 is not installed")
    return "lv2:urn:stemplay:keeper"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own for what scans remember."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("STEMPLAY_CACHE_DIR", str(folder))
    return folder

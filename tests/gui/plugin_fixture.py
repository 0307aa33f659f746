"""Plugins for tests of the window: a native one whose latency changes, and an installed package whose plugin turns its own parameter."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rtaudio.plugins.conftest import DPF

MDA = Path("/usr/lib/lv2/mda.lv2")
LATE = "lv2:urn:stemplay:late"
FOLLOWER = "python:follower"


def install_late(folder: Path) -> None:
    """Build ``native/late.lv2`` into ``folder``, which belongs into ``LV2_PATH``. Skips where there is no compiler."""
    compiler, headers = shutil.which("g++"), DPF / "src" / "lv2"
    if sys.platform != "linux" or compiler is None or not headers.is_dir():
        pytest.skip("g++ and dpf-source are needed to build the test plugin")
    bundle = folder / "late.lv2"
    shutil.copytree(Path(__file__).parent / "native" / "late.lv2", bundle)
    source, library = str(bundle / "late.cpp"), str(bundle / "late.so")
    subprocess.run([compiler, "-std=c++14", "-O1", "-fPIC", "-shared", f"-I{headers}", source, "-o", library], check=True)


def lone_piano(folder: Path) -> Path:
    """MDA's ePiano without its three dozen siblings, each of which a scan would load; returns ``folder``, for ``LV2_PATH``."""
    bundle = folder / "piano.lv2"
    bundle.mkdir(parents=True)
    for name in ("EPiano.so", "EPiano.ttl"):
        (bundle / name).symlink_to(MDA / name)
    (bundle / "manifest.ttl").write_text(
        "@prefix lv2: <http://lv2plug.in/ns/lv2core#> .\n@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
        "<http://drobilla.net/plugins/mda/EPiano> a lv2:Plugin ; lv2:binary <EPiano.so> ; rdfs:seeAlso <EPiano.ttl> .\n",
        encoding="utf-8",
    )
    return folder


def install_follower(folder: Path) -> None:
    """Write an installed package into ``folder``, which belongs into ``PYTHONPATH``: its plugin turns *echo* to where *lead* is."""
    (folder / "follower.py").write_text(
        "from rtaudio.plugins.base import Plugin\n"
        "from rtaudio.protocol.parameters import Parameter\n\n\n"
        "class Follower(Plugin):\n"
        "    name = 'Follower'\n"
        "    parameters = (Parameter('lead', 'Lead'), Parameter('echo', 'Echo'))\n\n"
        "    def __init__(self): self._values = {'lead': 0.0, 'echo': 0.0}\n"
        "    def prepare(self, rate, block, channels): pass\n"
        "    def reset(self): pass\n"
        "    def process(self, audio): return True\n"
        "    def get(self, id): return self._values[id]\n\n"
        "    def set(self, id, value):\n"
        "        self._values[id] = self.parameter(id).check(value)\n"
        "        if id == 'lead':\n"
        "            self._values['echo'] = self._values['lead']\n",
        encoding="utf-8",
    )
    about = folder / "follower-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: follower\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[stemplay.plugins]\nfollower = follower:Follower\n", encoding="utf-8")

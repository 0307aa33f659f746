"""Checks what this machine has and lacks for live sound, and names the command that fixes it. Owns no thread; takes a second or two."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.card import CardError, verify_file
from models.catalog import ZOO, find_model, load_card, model_names
from rtaudio.audio.format import StemplayError
from rtaudio.ports.devices import Device, list_devices

DISK_LOW = 2 << 30
"""Free space in bytes that is enough: an hour of four stems and a mix in float WAV takes 6.4 GB."""

PACKAGES: dict[str, dict[str, str]] = {
    "portaudio": {"apt": "libportaudio2", "dnf": "portaudio", "brew": "portaudio"},
    "jack": {"apt": "jackd2", "dnf": "jack-audio-connection-kit", "brew": "jack", "winget": "JackAudio.JACK2"},
    "ffmpeg": {"apt": "ffmpeg", "dnf": "ffmpeg-free", "brew": "ffmpeg", "winget": "Gyan.FFmpeg"},
    "lilv": {"apt": "liblilv-0-0", "dnf": "lilv", "brew": "lilv"},
    "alsa": {"apt": "libasound2", "dnf": "alsa-lib"},
}
"""Name of each part in each package manager."""

MANAGERS: dict[str, str] = {
    "apt": "sudo apt-get install {}", "dnf": "sudo dnf install {}", "brew": "brew install {}", "winget": "winget install {}",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``state`` is ``ok``, ``advice`` (works, could be better) or ``missing``; ``mend`` a command."""

    name: str
    state: str
    detail: str
    mend: str = ""
    needed: bool = False
    """Whether sound cannot play without it."""


def package_manager() -> str:
    """The system's package manager: ``apt``, ``dnf``, ``brew``, ``winget``, or an empty string."""
    programs = {"apt": "apt-get", "dnf": "dnf", "brew": "brew", "winget": "winget"}
    return next((name for name, program in programs.items() if shutil.which(program)), "")


def install(part: str, manager: str | None = None) -> str:
    """The command that installs ``part`` here, or advice if no known package manager has it."""
    manager = package_manager() if manager is None else manager
    package = PACKAGES[part].get(manager)
    return MANAGERS[manager].format(package) if package else f"install {part} with your system's package manager"


def examine() -> list[Finding]:
    """All findings, most important first. Never raises: a check that fails is a finding itself."""
    findings = []
    for check in CHECKS:
        try:
            findings += check()
        except Exception as error:  # the other checks must still run
            findings.append(Finding(check.__name__.strip("_"), "advice", f"could not be checked: {error}"))
    return findings


def can_play(findings: list[Finding]) -> bool:
    """Whether everything that sound needs is present."""
    return not any(finding.needed and finding.state == "missing" for finding in findings)


def _sound() -> list[Finding]:
    try:
        devices = list_devices()
    except StemplayError as error:
        return [
            Finding("PortAudio", "missing", str(error).split("; get it")[0], _portaudio_mend(), needed=True),
            Finding("sound device", "missing", "unknown without PortAudio", needed=True),
        ]
    library = Finding("PortAudio", "ok", f"{len(devices)} devices")
    if not any(device.outputs for device in devices):
        mend = "jackd -r -d dummy -r 44100 -p 256 &" if shutil.which("jackd") else install("jack")
        detail = "neither a sound card nor a JACK server: only files and `null` can play"
        return [library, Finding("sound device", "missing", detail, mend, needed=True)]
    return [library, Finding("sound device", "ok", _names(devices))]


def _portaudio_mend() -> str:
    if sys.platform.startswith("linux") or sys.platform == "darwin":
        return install("portaudio")
    return "pip install --force-reinstall sounddevice"


def _names(devices: list[Device]) -> str:
    labels = [device.label for device in devices if device.outputs]
    return ", ".join(labels[:4]) + (f" and {len(labels) - 4} more" if len(labels) > 4 else "")


def _servers() -> list[Finding]:
    jack = shutil.which("jackd") or shutil.which("pw-jack")
    found = [Finding("JACK", "ok", jack) if jack else Finding("JACK", "advice", "not installed", install("jack"))]
    if sys.platform.startswith("linux"):
        cards = Path("/proc/asound/cards")
        if not cards.exists():
            found.append(
                Finding("ALSA", "advice", "the kernel has no sound cards", "plug one in, or start a JACK server")
            )
        elif "no soundcards" in cards.read_text():
            found.append(Finding("ALSA", "advice", "no sound card is present", "plug one in, or start a JACK server"))
        else:
            found.append(Finding("ALSA", "ok", "sound cards present"))
    return found


def _realtime() -> list[Finding]:
    if not sys.platform.startswith("linux"):
        return [Finding("realtime priority", "ok", "given by the system to audio threads")]
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    if os.geteuid() == 0 or soft == -1 or soft >= 60:
        return [Finding("realtime priority", "ok", "allowed")]
    mend = "echo '@audio - rtprio 95' | sudo tee /etc/security/limits.d/audio.conf && sudo usermod -aG audio $USER, then log in again"
    return [Finding("realtime priority", "advice", f"limit {soft}, 60 would be good: clicks under load", mend)]


def _libraries() -> list[Finding]:
    wanted = {"onnxruntime": "ONNX Runtime", "soundfile": "soundfile", "samplerate": "samplerate", "soxr": "soxr"}
    found = [_library(module, name, needed=True) for module, name in wanted.items()]
    found.append(_library("rtmidi", "python-rtmidi", pip="python-rtmidi"))
    found += [_library("pythonosc", "OSC", pip="python-osc"), _library("link", "Ableton Link", pip="LinkPython-extern")]
    if importlib.util.find_spec("av") or shutil.which("ffmpeg"):
        found.append(Finding("MP3 and M4A", "ok", "PyAV" if importlib.util.find_spec("av") else "ffmpeg"))
    else:
        found.append(
            Finding("MP3 and M4A", "advice", "neither PyAV nor ffmpeg: some files cannot be read", "pip install av")
        )
    return found


def _plugins() -> list[Finding]:
    """What runs effects, and plugins of others."""
    from rtaudio.plugins.scan import known_plugins

    found = [_library("pedalboard", "effects and VST3"), _library("pylibrb", "pitch shift")]
    if ctypes.util.find_library("lilv-0"):
        found.append(Finding("LV2", "ok", "liblilv"))
    elif sys.platform.startswith("linux"):
        found.append(Finding("LV2", "advice", "liblilv is not installed", install("lilv")))
    working = sum(not entry["error"] for entry in known_plugins())
    found.append(Finding("plugins", "ok", f"{working} found by the last scan; `plugins scan` looks for new ones"))
    return found


def _library(module: str, name: str, *, needed: bool = False, pip: str = "") -> Finding:
    if importlib.util.find_spec(module):
        return Finding(name, "ok", "installed", needed=needed)
    return Finding(name, "missing" if needed else "advice", "not installed", f"pip install {pip or module}", needed)


def _models() -> list[Finding]:
    found = []
    for name in model_names():
        try:
            card = load_card(name)
            verify_file(card, find_model(name))
            found.append(Finding(f"model {name}", "ok", f"{card.size / 2**20:.1f} MiB, verified"))
        except CardError as error:
            found.append(
                Finding(f"model {name}", "missing", str(error), "git checkout -- models/zoo (or install again)", True)
            )
    if not found:
        mend = "get the repository with its folder models/zoo, or make one with python -m training"
        found.append(Finding("models", "missing", f"none in {ZOO}", mend, needed=True))
    return found


def _processor() -> list[Finding]:
    found = []
    flags = cpu_flags()
    if flags:
        vector = [
            name
            for name, flag in (("AVX2", "avx2"), ("AVX512", "avx512f"), ("VNNI", "vnni"), ("NEON", "asimd"))
            if any(flag in x for x in flags)
        ]
        if any("vnni" in flag or flag == "asimddp" for flag in flags):
            found.append(Finding("CPU", "ok", ", ".join(vector)))
        else:
            found.append(
                Finding("CPU", "advice", f"{', '.join(vector) or 'no vectors'}: int8 models run slower without VNNI")
            )
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor.exists():
        name = governor.read_text().strip()
        if name == "performance":
            found.append(Finding("CPU governor", "ok", name))
        else:
            mend = "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
            found.append(Finding("CPU governor", "advice", f"{name}: the clock may lag behind the load", mend))
    return found


def cpu_flags() -> set[str]:
    """The processor's features by Linux's names; empty if they cannot be read."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    for line in lines:
        if line.lower().startswith(("flags", "features")):
            return set(line.split(":", 1)[1].split())
    return set()


def _disk() -> list[Finding]:
    free = shutil.disk_usage(Path.cwd()).free
    minutes = free / (44_100 * 2 * 4 * 5) / 60
    detail = f"{free / 2**30:.1f} GiB free here: {minutes / 60:.1f} h of recorded stems"
    return [Finding("disk", "ok" if free > DISK_LOW else "advice", detail)]


CHECKS: tuple[Callable[[], list[Finding]], ...] = (_sound, _libraries, _plugins, _models, _servers, _realtime, _processor, _disk)

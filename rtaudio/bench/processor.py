"""Finds the processor's name and the vector units that matter to small networks, in each system's own way.

Linux lists both in ``/proc/cpuinfo``, macOS through ``sysctl``. Windows has the name in the registry and reports some units
(``IsProcessorFeaturePresent`` does not cover VNNI and AMX). The parsers are pure functions of these outputs.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

UNITS = {
    "avx2": "AVX2", "avx512f": "AVX-512", "avx_vnni": "AVX-VNNI", "avx512_vnni": "AVX-512 VNNI", "avx512_bf16": "AVX-512 BF16",
    "amx_int8": "AMX int8", "amx_bf16": "AMX BF16",
    "neon": "NEON", "asimd": "NEON", "asimddp": "dotprod", "i8mm": "i8mm", "bf16": "BF16", "sve": "SVE", "sme": "SME",
}  # fmt: skip
"""Linux' name of a flag -> our name, in the order of the output."""

_MACOS = {
    "hw.optional.avx2_0": "avx2", "hw.optional.avx512f": "avx512f", "hw.optional.avx512vnni": "avx512_vnni",
    "hw.optional.avx512bf16": "avx512_bf16", "hw.optional.neon": "neon", "hw.optional.AdvSIMD": "asimd",
    "hw.optional.arm.FEAT_DotProd": "asimddp", "hw.optional.arm.FEAT_I8MM": "i8mm", "hw.optional.arm.FEAT_BF16": "bf16",
    "hw.optional.arm.FEAT_SME": "sme",
}  # fmt: skip
_WINDOWS = {40: "avx2", 41: "avx512f", 19: "neon", 43: "asimddp", 46: "sve", 66: "i8mm", 68: "bf16", 70: "sme"}
"""Numbers of ``IsProcessorFeaturePresent`` (winnt.h)."""

_ARM_PARTS = {
    (0x41, 0xD03): "Arm Cortex-A53", (0x41, 0xD04): "Arm Cortex-A35", (0x41, 0xD05): "Arm Cortex-A55",
    (0x41, 0xD07): "Arm Cortex-A57", (0x41, 0xD08): "Arm Cortex-A72", (0x41, 0xD0B): "Arm Cortex-A76",
    (0x41, 0xD0C): "Arm Neoverse N1", (0x41, 0xD40): "Arm Neoverse V1", (0x41, 0xD49): "Arm Neoverse N2",
    (0x41, 0xD4F): "Arm Neoverse V2", (0xC0, 0xAC3): "Ampere-1",
}  # fmt: skip
"""(implementer, part) -> name, for cores that Linux does not name."""


@dataclass(frozen=True)
class Processor:
    """``units`` are names from ``UNITS``. ``virtual``: whether it runs under a hypervisor; None if the system does not report it."""

    name: str
    units: tuple[str, ...]
    virtual: bool | None = None


def units_of(flags: set[str]) -> tuple[str, ...]:
    """Our names of Linux' ``flags``, each once, in the order of ``UNITS``."""
    return tuple(dict.fromkeys(name for flag, name in UNITS.items() if flag in flags))


def parse_cpuinfo(text: str) -> Processor:
    """The first processor of Linux' ``/proc/cpuinfo``, on x86 or ARM. An ARM core without a name is looked up by its numbers."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, sign, value = line.partition(":")
        if sign:
            values.setdefault(key.strip().lower(), value.strip())
    flags = set((values.get("flags") or values.get("features") or "").split())
    name = values.get("model name", "")
    if "cpu part" in values and (not name or name.startswith("ARMv")):
        implementer, part = (int(values.get(key, "0"), 16) for key in ("cpu implementer", "cpu part"))
        known = _ARM_PARTS.get((implementer, part), f"ARM core {implementer:#x}/{part:#x}")
        name = f"{known} ({board})" if (board := values.get("model", "")) else known
    x86 = "flags" in values
    return Processor(name or platform.machine(), units_of(flags), "hypervisor" in flags if x86 else None)


def parse_sysctl(text: str) -> Processor:
    """Parse the output of macOS' ``sysctl hw.optional machdep.cpu kern.hv_vmm_present``."""
    values = dict(re.findall(r"^([\w.]+): (.*)$", text, re.MULTILINE))
    flags = {flag for key, flag in _MACOS.items() if values.get(key, "0").strip() == "1"}
    virtual = {"0": False, "1": True}.get(values.get("kern.hv_vmm_present", ""))
    return Processor(values.get("machdep.cpu.brand_string", platform.machine()).strip(), units_of(flags), virtual)


def this_processor() -> Processor:
    """The processor that this program runs on; only its architecture if the system reports nothing."""
    try:
        if sys.platform == "win32":
            return _windows()
        if sys.platform == "darwin":
            asked = ["sysctl", "hw.optional", "machdep.cpu", "kern.hv_vmm_present"]
            return parse_sysctl(subprocess.run(asked, capture_output=True, text=True, check=False).stdout)
        return parse_cpuinfo(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError):
        return Processor(platform.processor() or platform.machine(), ())


def _windows() -> Processor:
    import ctypes
    import winreg

    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:  # type: ignore[attr-defined,unused-ignore]
        name = str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()  # type: ignore[attr-defined,unused-ignore]
    present = ctypes.windll.kernel32.IsProcessorFeaturePresent  # type: ignore[attr-defined,unused-ignore]
    return Processor(name, units_of({flag for number, flag in _WINDOWS.items() if present(number)}))

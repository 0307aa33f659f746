"""The bench knows the machine: its name, its vector units, who else uses it, and when a p99 stands. Clocks are fake."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from rtaudio.bench import system_load, timing
from rtaudio.bench.machine import Machine, about_this, drift
from rtaudio.bench.processor import parse_cpuinfo, parse_sysctl
from rtaudio.bench.system_load import (
    ProcessorTimes,
    SystemLoad,
    SystemLoadMonitor,
    own_processor_seconds,
    parse_stat,
    read_processor_times,
)
from rtaudio.bench.text import about_lines

XEON = """processor\t: 0
vendor_id\t: GenuineIntel
model\t\t: 143
model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz
flags\t\t: fpu sse2 ht avx avx2 avx512f avx512bw hypervisor avx_vnni avx512_bf16 avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8
bugs\t\t: spectre_v1

processor\t: 1
model name\t: another
flags\t\t: fpu
"""
RYZEN = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD Ryzen 5 3600 6-Core Processor
flags\t\t: fpu sse2 ht avx f16c avx2 fma bmi2
"""
NEOVERSE = """processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes crc32 atomics fphp asimdhp cpuid asimdrdm asimddp sve i8mm bf16
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd40
CPU revision\t: 1
"""
RASPBERRY = """processor\t: 0
model name\t: ARMv7 Processor rev 3 (v7l)
Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm crc32
CPU implementer\t: 0x41
CPU part\t: 0xd08

Hardware\t: BCM2711
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""
UNKNOWN_ARM = "Features\t: fp asimd\nCPU implementer\t: 0x61\nCPU part\t: 0x022\n"


@pytest.mark.parametrize(
    ("text", "name", "units", "virtual"),
    [
        (
            XEON,
            "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz",
            ("AVX2", "AVX-512", "AVX-VNNI", "AVX-512 VNNI", "AVX-512 BF16", "AMX int8", "AMX BF16"),
            True,
        ),
        (RYZEN, "AMD Ryzen 5 3600 6-Core Processor", ("AVX2",), False),
        (NEOVERSE, "Arm Neoverse V1", ("NEON", "dotprod", "i8mm", "BF16", "SVE"), None),
        (RASPBERRY, "Arm Cortex-A72 (Raspberry Pi 4 Model B Rev 1.4)", ("NEON",), None),
        (UNKNOWN_ARM, "ARM core 0x61/0x22", ("NEON",), None),
    ],
)
def test_linux_tells_name_and_units(text: str, name: str, units: tuple[str, ...], virtual: bool | None) -> None:
    found = parse_cpuinfo(text)
    assert (found.name, found.units, found.virtual) == (name, units, virtual)


def test_macos_tells_name_and_units() -> None:
    apple = parse_sysctl(
        "hw.optional.neon: 1\nhw.optional.AdvSIMD: 1\nhw.optional.arm.FEAT_DotProd: 1\nhw.optional.arm.FEAT_I8MM: 1\n"
        "hw.optional.arm.FEAT_SME: 0\nmachdep.cpu.brand_string: Apple M2 Pro\nkern.hv_vmm_present: 0\n"
    )
    assert (apple.name, apple.units, apple.virtual) == ("Apple M2 Pro", ("NEON", "dotprod", "i8mm"), False)
    intel = parse_sysctl(
        "hw.optional.avx2_0: 1\nhw.optional.avx512f: 0\nmachdep.cpu.brand_string: Intel(R) Core(TM) i5-1038NG7 CPU @ 2.00GHz\n"
    )
    assert intel.units == ("AVX2",) and intel.name.endswith("2.00GHz")


def test_a_file_that_tells_nothing_leaves_the_architecture() -> None:
    assert parse_cpuinfo("").name and parse_cpuinfo("").units == ()


def test_this_machine_is_told_with_all_that_makes_runs_comparable() -> None:
    about = about_this()
    assert about.processor and about.cores >= 1 and about.system
    assert about.python == sys.version.split()[0]
    assert about.numpy and about.onnxruntime[0].isdigit()
    told = "\n".join(about_lines(about))
    assert all(part in told for part in (about.processor, about.onnxruntime, about.numpy, about.python))


# ---------------------------------------------------------------- who else uses it


def test_the_counters_of_all_processors() -> None:
    ticks = parse_stat("cpu  100 10 50 900 7 3 2 20 0 0\ncpu0 1 1 1\n", 100)
    assert ticks == ProcessorTimes(busy=1.65, steal=0.2)
    assert parse_stat("cpu 100 0 0 0 0 0 0\n", 100).steal is None  # before Linux 2.6.11
    for damaged in ("", "intr 1 2\n", "cpu 1\n"):
        with pytest.raises(ValueError):
            parse_stat(damaged, 100)


def test_what_others_took_is_all_but_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """10 s on 4 processors: 12 s of work of which 10 were ours, 4 s stolen."""
    ticks = iter([ProcessorTimes(100.0, 1.0), ProcessorTimes(112.0, 5.0)])
    own, now = iter([3.0, 13.0]), iter([50.0, 60.0])
    monkeypatch.setattr(system_load, "read_processor_times", lambda: next(ticks))
    monkeypatch.setattr(system_load, "own_processor_seconds", lambda: next(own))
    monkeypatch.setattr(system_load, "load_average", lambda: 0.3)
    monkeypatch.setattr(system_load, "time", SimpleNamespace(monotonic=lambda: next(now)))
    monkeypatch.setattr(system_load.os, "cpu_count", lambda: 4)
    found = SystemLoadMonitor().end()
    assert (found.cores, found.load) == (4, 0.3)
    assert found.others == pytest.approx(2 / 40) and found.steal == pytest.approx(4 / 40)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (SystemLoad(4, 0.3, 0.01, 0.0), []),
        (SystemLoad(4, None, 0.01, None), []),
        (SystemLoad(4, 2.5, 0.01, 0.0), ["load 2.5 on 4 cores"]),
        (SystemLoad(4, 0.1, 0.25, 0.0), ["Other programs took 25%"]),
        (SystemLoad(4, 0.1, 0.0, 0.07), ["took 7.0% of the processors' time (steal)"]),
        (SystemLoad(4, 2.5, 0.25, 0.07), ["busy before", "Other programs", "steal"]),
        (SystemLoad(4, 0.1, None, None), ["system does not report"]),
    ],
)
def test_a_busy_machine_is_a_warning(found: SystemLoad, words: list[str]) -> None:
    told = found.warnings()
    assert len(told) == len(words)
    for sentence, word in zip(told, words, strict=True):
        assert word in sentence


def test_a_program_beside_us_is_noticed_and_our_own_child_is_not() -> None:
    if read_processor_times() is None:
        pytest.skip("this system has no counters of its processors")
    burn = [sys.executable, "-c", "import sys, time\nwhile time.process_time() < 1.0: pass\nsys.stdin.read()"]
    before = own_processor_seconds()
    stranger = subprocess.Popen(burn, stdin=subprocess.PIPE)
    stranger_only = SystemLoadMonitor(children=True)
    while time_of(stranger.pid) < 0.9 and stranger.poll() is None:
        pass
    seen = stranger_only.end()  # it still runs: not one of our ended children
    stranger.communicate()
    assert seen.others is not None and seen.others > 0
    if sys.platform != "win32":  # which does not tell of children
        assert own_processor_seconds() - before >= 0.9, "an ended child counts as ours"


def time_of(pid: int) -> float:
    """Processor seconds of a process, on Linux; elsewhere enough to go on."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return 1.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_machine_that_became_slower_is_a_warning() -> None:
    before = Machine(130.0, 40.0, 0.1)
    assert drift(before, Machine(120.0, 42.0, 0.1)) == []
    (told,) = drift(before, Machine(90.0, 42.0, 0.1))
    assert "matrix products went from 130 to 90 GFLOP/s" in told
    assert len(drift(Machine(90.0, 20.0, 0.1), before)) == 2


# ---------------------------------------------------------------- when a p99 stands


def rounds_of(*p99s: float) -> Callable[[], list[float]]:
    """Rounds of a hundred calls of 1 s whose slowest takes as long as that."""
    given = iter(p99s)

    def measure() -> list[float]:
        slow = next(given)
        return [1.0] * 90 + [slow] * 10

    return measure


def test_three_rounds_that_agree_are_enough() -> None:
    found = timing.until_stable(rounds_of(2.0, 2.1, 2.05))
    assert (found.rounds, found.stable) == (3, True)
    assert found.p50 == 1.0 and found.p99 == pytest.approx(2.1)
    assert found.p50_spread == 0.0 and found.p99_spread == pytest.approx(0.05)


def test_rounds_go_on_until_the_last_three_agree_and_only_they_count() -> None:
    found = timing.until_stable(rounds_of(9.0, 2.0, 5.0, 2.0, 2.1, 2.0, 77.0))
    assert (found.rounds, found.stable) == (6, True)
    assert found.p99 < 2.2


def test_a_p99_that_never_stands_is_told_and_all_rounds_count() -> None:
    found = timing.until_stable(rounds_of(1.0, 2.0, 3.0, 4.0), most=4)
    assert (found.rounds, found.stable) == (4, False)
    assert found.p99 == pytest.approx(4.0) and found.p99_spread == pytest.approx(3.0)


def test_fewer_rounds_than_have_to_agree_are_not_stable() -> None:
    found = timing.until_stable(rounds_of(1.0, 1.0), most=2)
    assert (found.rounds, found.stable) == (2, False)


class Clock:
    """Time that passes only when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_paced_calls_wait_for_their_turn_and_a_late_one_delays_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    starts, costs = [], iter([0.25, *[0.25] * 2, 3.0, *[0.25] * 200])

    def call() -> None:
        starts.append(clock.now)
        clock.now += next(costs)

    found = timing.times(call, 6, period=1.0)
    assert found == [0.25, 0.25, 3.0, 0.25, 0.25, 0.25]
    assert starts[1:] == [1.25, 2.25, 3.25, 6.25, 7.25, 8.25]


def test_a_round_lasts_as_long_as_it_was_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)

    def call() -> None:
        clock.now += 0.01

    before = clock.now
    assert timing.back_to_back(call, 2.0).stable
    assert clock.now - before == pytest.approx(3 * 2.0, abs=0.2)
    before = clock.now
    assert timing.paced(call, 0.05, 2.0).stable
    assert clock.now - before == pytest.approx(3 * 2.0, abs=0.2)

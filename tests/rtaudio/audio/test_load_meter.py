"""Load figures with bounded memory, and what the system says about realtime priority."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtaudio.audio.load_meter import STEPS_PER_OCTAVE, LoadMeter
from rtaudio.system.realtime import request_realtime


@given(st.lists(st.floats(1e-4, 100.0), min_size=1, max_size=300), st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]))
def test_quantiles_are_right_within_a_step(loads: list[float], share: float) -> None:
    meter = LoadMeter()
    for load in loads:
        meter.add(load)
    exact = float(np.quantile(loads, share, method="inverted_cdf"))
    step = 2 ** (1 / STEPS_PER_OCTAVE)
    if share > 0:
        assert exact / step <= meter.quantile(share) <= exact * step
    assert meter.summary()["max"] == max(loads)


def test_absurd_loads_are_counted_at_the_ends() -> None:
    meter = LoadMeter()
    assert meter.summary() == {"p50": 0.0, "p99": 0.0, "max": 0.0}
    for load in (0.0, -1.0, 1e300):
        meter.add(load)
    assert meter.quantile(1.0) > 100
    meter.reset()
    assert meter.summary()["max"] == 0.0


def test_asking_for_realtime_priority_gives_one_sentence_and_never_fails() -> None:
    told: list[str] = []
    thread = threading.Thread(target=lambda: told.append(request_realtime(10)))
    thread.start()
    thread.join()
    assert told[0].split(":")[0] in ("granted", "refused")


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of Linux")
def test_threads_stay_below_those_of_the_sound_server() -> None:
    """In a process with a realtime thread that is not ours, as that of a JACK client: earlier and later threads come after it, in order."""
    code = """
import os, threading
from rtaudio.system.realtime import keep_below, request_realtime
done, told = threading.Event(), {}
def run(name, begin):
    begin()
    ready.set()
    done.wait()
    told[name] = os.sched_getparam(0).sched_priority
def start(name, begin):
    global ready
    ready = threading.Event()
    threads.append(threading.Thread(target=run, args=(name, begin)))
    threads[-1].start()
    ready.wait()
threads = []
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
except PermissionError:
    print("refused")
else:
    start("server", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5)))
    start("model", lambda: request_realtime(40))
    keep_below()
    start("callback", lambda: request_realtime(60))
    start("reports", lambda: request_realtime(5))
    done.set()
    [thread.join() for thread in threads]
    print(told["server"], told["callback"], told["model"], told["reports"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    if done.stdout.startswith("refused"):
        pytest.skip("no realtime priority here")
    assert done.stdout.split() == ["5", "4", "2", "1"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_refusal_tells_how_to_mend_it() -> None:
    """In a process that may not: no right, and a limit of 0."""
    code = (
        "import resource, os\n"
        "resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "from rtaudio.system.realtime import request_realtime\n"
        "print(request_realtime(10))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip("the other user cannot read this installation")
    assert done.stdout.startswith("refused: ") and "rtprio" in done.stdout


def test_settling_ends_garbage_collection_in_the_process_that_asks() -> None:
    code = (
        "import gc, sys\n"
        "from rtaudio.system.realtime import settle\n"
        "settle()\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 1000, sys.getswitchinterval())\n"
        "for block in (4096 / 44100, 64 / 44100, 16 / 96000):\n"
        "    settle(block)\n"
        "    print(round(1e6 * sys.getswitchinterval()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["False", "True", "0.0005", "500", "181", "30"]
    assert gc.isenabled()


def test_what_settling_kept_is_freed_at_the_end() -> None:
    """Else bindings made with nanobind complain of leaks when the program ends."""
    pytest.importorskip("pylibrb")
    code = "import pylibrb\nfrom rtaudio.system.realtime import settle\nsettle()\nsettle()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc alone")
def test_kept_memory_is_not_asked_for_again() -> None:
    """Without it each of these transforms gets a hundred pages by faults, wherever the heap's top is the only free memory."""
    code = (
        "import resource, numpy as np\n"
        "from rtaudio.system.realtime import keep_memory\n"
        "keep_memory()\n"
        "samples = np.ones((8, 4096), np.float32)\n"
        "for _ in range(20): np.fft.rfft(samples)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(100): np.fft.rfft(samples)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert int(done.stdout) < 500

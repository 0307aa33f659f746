"""The memory between an engine and a plugin's host: two ends in two processes, and nothing that stays behind."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from rtaudio.audio.format import StemplayError
from rtaudio.plugins import shared_rings
from rtaudio.plugins.shared_rings import SharedRings, create_file
from rtaudio.system.child_process import child_environment

CAPACITY, BLOCK, BLOCKS = 96, 32, 3000

DOUBLER = f"""
import sys
import numpy as np
from pathlib import Path
from rtaudio.plugins.shared_rings import SharedRings
rings = SharedRings(Path(sys.argv[1]), {CAPACITY}, 2)
print("up", flush=True)
part, seen = np.zeros(({BLOCK}, 2), np.float32), np.zeros(1, np.int64)
while rings.done < {BLOCK * BLOCKS}:
    rings.follow()
    if rings.fed - rings.done >= {BLOCK}:
        position = rings.done
        rings.input_at(position, part)
        part *= 2
        rings.answer(position, part)
        rings.version, rings.requests(seen)
print(seen[0], rings.values[0])
"""


def places() -> set[Path]:
    """What lies where such files are made."""
    folders = [Path(tempfile.gettempdir()), Path("/dev/shm")]
    return {path for folder in folders if folder.is_dir() for path in folder.glob("stemplay-plugin-*")}


def test_two_processes_exchange_sound_without_a_lock_and_leave_no_file() -> None:
    path = create_file(CAPACITY, 2)
    rings = SharedRings(path, CAPACITY, 2)
    other = subprocess.Popen(
        [sys.executable, "-c", DOUBLER, str(path)], stdout=subprocess.PIPE, text=True, env=child_environment()
    )  # fmt: skip
    with other:
        assert other.stdout is not None and other.stdout.readline() == "up\n"
        rings.remove_name()
        assert path not in places()
        sound, out = np.zeros((BLOCK, 2), np.float32), np.zeros((BLOCK, 2), np.float32)
        for k in range(BLOCKS):
            sound[...] = np.arange(2 * BLOCK).reshape(BLOCK, 2) + k
            rings.set_value(0, float(k))
            rings.feed(sound)
            while not rings.fetch(k * BLOCK, out):
                assert other.poll() is None
            assert np.array_equal(out, 2 * sound), k
        assert other.stdout.read().split() == [str(BLOCKS), str(BLOCKS - 1.0)]
    rings.close()


def test_a_name_that_was_never_opened_goes_with_the_engine() -> None:
    path = create_file(CAPACITY, 1)
    rings = SharedRings(path, CAPACITY, 1)
    rings.close()
    assert path not in places()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no file under Windows")
def test_no_room_is_told_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, small_disk: Path) -> None:
    monkeypatch.setattr(shared_rings, "MEMORY", small_disk)
    with pytest.raises(StemplayError, match="no room for the sound of a plugin"):
        create_file(1 << 20, 2)
    assert list(small_disk.iterdir()) == []

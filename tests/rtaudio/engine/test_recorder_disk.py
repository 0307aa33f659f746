"""The recorder and the disk: slow, stuck, full or gone, it can only ever hurt the recording, never the sound."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rtaudio.audio.format import SOURCES, Audio, StemplayError
from rtaudio.engine.recorder import Recorder
from rtaudio.files.sound_file import read_audio
from rtaudio.files.writer import WavWriter
from tests.rtaudio.recording import RATE, feed, names, sound, until

# ---------------------------------------------------------------- a slow disk


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that answers only while the event is set."""
    answers = threading.Event()
    append = WavWriter._append

    def slow(self: WavWriter, audio: Audio) -> None:
        answers.wait()
        append(self, audio)

    monkeypatch.setattr(WavWriter, "_append", slow)
    yield answers
    answers.set()


def test_a_stuck_disk_never_blocks_push_and_what_is_lost_is_silence_in_its_place(
    tmp_path: Path, stuck: threading.Event
) -> None:
    block, capacity = 1024, 1 << 14
    stems, mix = sound(40 * block)
    recorder = Recorder(RATE, 2, SOURCES, buffer_s=0)
    recorder.start(tmp_path)
    feed(recorder, stems[: 30 * block], mix[: 30 * block], block, wait=False)  # returns, though nothing is written
    dropped = 30 - capacity // block
    assert recorder.status.dropped_blocks == dropped
    stuck.set()
    until(lambda: recorder.status.seconds >= capacity / RATE)
    feed(recorder, stems[30 * block :], mix[30 * block :], block, wait=True)
    recorder.stop()
    assert recorder.status.error == "" and recorder.status.seconds == len(mix) / RATE
    expected, expected_stems = mix.copy(), stems.copy()
    expected[capacity : 30 * block] = 0
    expected_stems[capacity : 30 * block] = 0
    np.testing.assert_array_equal(read_audio(tmp_path / "mix.wav")[0], expected)
    for i, name in enumerate(SOURCES):
        np.testing.assert_array_equal(read_audio(tmp_path / f"{name}.wav")[0], expected_stems[:, i])


def test_blocks_lost_at_the_very_end_count_into_the_length(tmp_path: Path, stuck: threading.Event) -> None:
    block = 1024
    stems, mix = sound(20 * block)
    recorder = Recorder(RATE, 2, SOURCES, buffer_s=0)
    recorder.start(tmp_path)
    feed(recorder, stems, mix, block, wait=False)
    stuck.set()
    recorder.stop()
    audio, _ = read_audio(tmp_path / "mix.wav")
    assert len(audio) == len(mix) and recorder.status.dropped_blocks == 4
    np.testing.assert_array_equal(audio[: 16 * block], mix[: 16 * block])
    assert not audio[16 * block :].any()


def test_stop_gives_up_on_a_dead_disk_and_says_so(tmp_path: Path, stuck: threading.Event) -> None:
    recorder = Recorder(RATE, 2, SOURCES)
    recorder.start(tmp_path)
    feed(recorder, *sound(1000))
    recorder.stop(timeout=0.05)
    assert "has not responded" in recorder.status.error
    with pytest.raises(StemplayError):
        recorder.start(tmp_path)
    stuck.set()
    until(lambda: not recorder.status.active)
    assert recorder.status.error == ""
    assert len(read_audio(tmp_path / "mix.wav")[0]) == 1000


# ---------------------------------------------------------------- a full disk


def assert_stopped_and_kept(
    folder: Path, recorder: Recorder, stems: Audio, mix: Audio, format: str, reason: str
) -> None:
    status = recorder.status
    assert not status.active and reason in status.error and status.error.endswith(f"the recorded part is in {folder}.")
    lengths = set()
    for i, name in enumerate((*SOURCES, "mix")):
        audio, _ = read_audio(folder / f"{name}.{format}")
        lengths.add(len(audio))
        expected = mix if name == "mix" else stems[:, i]
        np.testing.assert_allclose(audio, expected[: len(audio)], atol=0 if format == "wav" else 2.0**-24, rtol=0)
    assert min(lengths) > 1000
    if format == "wav":
        assert lengths == {round(status.seconds * RATE)}
    assert not [name for name in names(folder) if name.endswith(".part")]


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_a_full_disk_ends_the_recording_and_keeps_what_was_written(small_disk: Path, format: str) -> None:
    stems, mix = sound(100_000)
    recorder = Recorder(RATE, 2, SOURCES)
    recorder.start(small_disk, format)
    feed(recorder, stems, mix)  # goes through to the end: push never fails
    until(lambda: not recorder.status.active)
    assert_stopped_and_kept(small_disk, recorder, stems, mix, format, "No space left on device")
    feed(recorder, stems, mix)
    recorder.stop()
    assert "No space left" in recorder.status.error, "the sentence stays until the next recording"


def test_a_limit_on_file_sizes_ends_the_recording_in_the_same_way(tmp_path: Path) -> None:
    """The full disk of those who may not mount one: a refusal by the system, whose limit is lowered for a moment."""
    resource = pytest.importorskip("resource", reason="no limits on file sizes here")
    stems, mix = sound(60_000)
    recorder = Recorder(RATE, 2, SOURCES)
    import signal

    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        recorder.start(tmp_path)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, old[1]))
        feed(recorder, stems, mix)
        until(lambda: not recorder.status.active)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert_stopped_and_kept(tmp_path, recorder, stems, mix, "wav", "File too large")


@pytest.mark.parametrize("failing", range(5))
def test_whichever_file_fails_all_end_at_the_same_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    stems, mix = sound(60_000)
    recorder = Recorder(RATE, 2, SOURCES)
    append, name = WavWriter._append, (*SOURCES, "mix")[failing]

    def fail(self: WavWriter, audio: Audio) -> None:
        if self.path.stem == name and self.frames > 20_000:
            self._raw.write(b"torn")  # half a frame got through
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(self, audio)

    monkeypatch.setattr(WavWriter, "_append", fail)
    recorder.start(tmp_path)
    feed(recorder, stems, mix)
    until(lambda: not recorder.status.active)
    assert_stopped_and_kept(tmp_path, recorder, stems, mix, "wav", os.strerror(errno.ENOSPC))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nobody remove a folder with open files")
def test_a_vanished_folder_ends_the_recording_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtaudio.engine.recorder.SYNC_S", 0.0)
    recorder = Recorder(RATE, 2, SOURCES)
    recorder.start(tmp_path / "stick")
    feed(recorder, *sound(5000))
    shutil.rmtree(tmp_path / "stick")
    until(lambda: not recorder.status.active)
    assert "has vanished" in recorder.status.error and recorder.status.error.count(".") <= 4
    feed(recorder, *sound(5000))
    recorder.stop()
    recorder.start(tmp_path / "again")
    assert recorder.status.error == ""
    feed(recorder, *sound(1000))
    recorder.stop()
    assert len(read_audio(tmp_path / "again" / "mix.wav")[0]) == 1000

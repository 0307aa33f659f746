"""The recorder: files aligned to the sample, and a disk that can only ever hurt the recording, never the sound."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from rtaudio.audiofile import read_audio
from rtaudio.engine import Engine
from rtaudio.format import SOURCES, Audio, StemplayError
from rtaudio.messages import EngineConfig, MixerState, Snapshot, command
from rtaudio.player import FilePlayer
from rtaudio.ports.fake import FakePort
from rtaudio.processors.passthrough import Passthrough
from rtaudio.recorder import Recorder
from rtaudio.writer import WavWriter

RATE = 44_100


def sound(frames: int, seed: int = 0) -> tuple[Audio, Audio]:
    rng = np.random.default_rng(seed)
    return (0.2 * rng.standard_normal((frames, 4, 2))).astype(np.float32), (
        0.2 * rng.standard_normal((frames, 2))
    ).astype(np.float32)


def feed(recorder: Recorder, stems: Audio, mix: Audio, block: int = 256, wait: bool = True) -> None:
    for at in range(0, len(mix), block):
        recorder.push(stems[at : at + block], mix[at : at + block], wait)


def until(condition: Any, timeout: float = 20.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("format", ["wav", "flac"])
@pytest.mark.parametrize("block", [1, 256, 1000, 5000])
def test_the_files_are_what_was_pushed(tmp_path: Path, format: str, block: int) -> None:
    stems, mix = sound(30_000 if block > 1 else 2000)
    recorder = Recorder(RATE, 2, SOURCES)
    assert not recorder.status.active
    recorder.push(stems, mix)  # before the start: nothing
    recorder.start(tmp_path / "new" / "folder", format)
    assert recorder.status.active and "stemplay-recorder" in [thread.name for thread in threading.enumerate()]
    feed(recorder, stems, mix, block)
    recorder.stop()
    recorder.push(stems, mix)  # after the end: nothing
    assert "stemplay-recorder" not in [thread.name for thread in threading.enumerate()]
    status = recorder.status
    assert (status.active, status.error, status.dropped_blocks, status.seconds) == (False, "", 0, len(mix) / RATE)
    folder = tmp_path / "new" / "folder"
    assert names(folder) == sorted(f"{name}.{format}" for name in (*SOURCES, "mix"))
    tolerance = 0 if format == "wav" else 2.0**-24
    for i, name in enumerate(SOURCES):
        audio, rate = read_audio(folder / f"{name}.{format}")
        assert rate == RATE
        np.testing.assert_allclose(audio, stems[:, i], atol=tolerance, rtol=0)
    np.testing.assert_allclose(read_audio(folder / f"mix.{format}")[0], mix, atol=tolerance, rtol=0)


def test_the_ring_goes_round_many_times(tmp_path: Path) -> None:
    stems, mix = sound(200_000)
    recorder = Recorder(RATE, 2, SOURCES, buffer_s=0.1)
    recorder.start(tmp_path)
    feed(recorder, stems, mix, 700)
    recorder.stop()
    np.testing.assert_array_equal(read_audio(tmp_path / "mix.wav")[0], mix)
    np.testing.assert_array_equal(read_audio(tmp_path / "other.wav")[0], stems[:, 2])


def test_a_second_recording_never_touches_the_first(tmp_path: Path) -> None:
    recorder = Recorder(RATE, 2, ("drums", "a/b", "mix"))
    for seed in (0, 1):
        stems, mix = sound(1000, seed)
        recorder.start(tmp_path)
        feed(recorder, stems[:, :3], mix)
        recorder.stop()
    first = ["a_b.wav", "drums.wav", "mix.wav", "mix_.wav"]
    assert names(tmp_path) == sorted(first + [name.replace(".wav", "-2.wav") for name in first])
    np.testing.assert_array_equal(read_audio(tmp_path / "mix.wav")[0], sound(1000, 0)[1])
    np.testing.assert_array_equal(read_audio(tmp_path / "mix-2.wav")[0], sound(1000, 1)[1])


def test_starting_twice_and_impossible_folders_are_refused_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    recorder = Recorder(RATE, 2, SOURCES)
    for folder, format in ((tmp_path / "file", "wav"), (tmp_path / "file" / "below", "wav"), (tmp_path, "mp3")):
        with pytest.raises(StemplayError) as error:
            recorder.start(folder, format)
        assert str(error.value).endswith(".")
    assert names(tmp_path) == ["file"]
    recorder.start(tmp_path / "good")
    with pytest.raises(StemplayError, match="under way"):
        recorder.start(tmp_path / "other")
    recorder.stop()
    recorder.stop()


def test_an_unfinished_recording_is_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed engine leaves: .part files whose header was brought up to date on the way."""
    monkeypatch.setattr("rtaudio.recorder.SYNC_S", 0.0)
    stems, mix = sound(20_000)
    recorder = Recorder(RATE, 2, SOURCES)
    recorder.start(tmp_path)
    feed(recorder, stems, mix)
    try:
        until(lambda: recorder.status.seconds == len(mix) / RATE)
        time.sleep(0.1)
        assert names(tmp_path) == sorted(f"{name}.wav.part" for name in (*SOURCES, "mix"))
        audio, _ = soundfile.read(tmp_path / "mix.wav.part", dtype="float32")
        np.testing.assert_array_equal(audio, mix)
    finally:
        recorder.stop()


def test_only_armed_strips_get_a_file_and_the_mix_always_does(tmp_path: Path) -> None:
    stems, mix = sound(5000)
    recorder = Recorder(RATE, 2, SOURCES)
    for folder, armed in (("two", ("vocals", "bass")), ("none", ())):
        recorder.start(tmp_path / folder, armed=armed)
        feed(recorder, stems, mix)
        recorder.stop()
        assert names(tmp_path / folder) == sorted(f"{name}.wav" for name in (*armed, "mix"))
        np.testing.assert_array_equal(read_audio(tmp_path / folder / "mix.wav")[0], mix)
    np.testing.assert_array_equal(read_audio(tmp_path / "two" / "bass.wav")[0], stems[:, 1])
    np.testing.assert_array_equal(read_audio(tmp_path / "two" / "vocals.wav")[0], stems[:, 3])
    with pytest.raises(StemplayError, match="kazoo"):
        recorder.start(tmp_path / "three", armed=("kazoo",))
    assert not (tmp_path / "three").exists()


def test_the_engine_records_what_is_armed_when_a_recording_begins(tmp_path: Path) -> None:
    port = FakePort()
    engine = Engine(
        EngineConfig(), MixerState(), port=port, processor=Passthrough(), recorder=Recorder(RATE, 2, SOURCES)
    )
    engine.start()
    engine.send(command("set_stem", stem="drums", field="armed", value=False))
    engine.send(command("record", directory=str(tmp_path), format="wav"))
    engine.send(command("set_stem", stem="bass", field="armed", value=False))  # for the next one
    port.play(sound(2560)[1])
    engine.send(command("stop_recording"))
    assert names(tmp_path) == ["bass.wav", "mix.wav", "other.wav", "vocals.wav"]
    assert not engine.snapshot().mixer.stems["bass"].armed
    with pytest.raises(StemplayError, match="on or off"):
        engine.send(command("set_stem", stem="bass", field="armed", value=1.0))
    engine.stop()


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
    assert "has not answered" in recorder.status.error
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
    assert not status.active and reason in status.error and status.error.endswith(f"kept in {folder}.")
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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not sys.platform.startswith("linux") or not shutil.which("mount"):
        pytest.skip("a tmpfs can be mounted on Linux only")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no right to mount a small disk: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


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
    monkeypatch.setattr("rtaudio.recorder.SYNC_S", 0.0)
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


# ---------------------------------------------------------------- beside the sound


def test_a_block_of_another_shape_is_silence_and_no_error(tmp_path: Path) -> None:
    stems, mix = sound(3000)
    recorder = Recorder(RATE, 2, SOURCES)
    recorder.start(tmp_path)
    recorder.push(stems[:1000], mix[:1000])
    recorder.push(stems[1000:2000, :2], mix[1000:2000])
    recorder.push(stems[2000:], mix[2000:])
    recorder.stop()
    mix[1000:2000] = 0
    np.testing.assert_array_equal(read_audio(tmp_path / "mix.wav")[0], mix)
    assert recorder.status.dropped_blocks == 1


def test_a_full_disk_leaves_the_engines_sound_untouched(small_disk: Path) -> None:
    """The same song through the engine with and without a recording that fills the disk."""
    mix = sound(80_000)[1]

    def play(recorder: Recorder | None) -> tuple[Audio, Snapshot]:
        port = FakePort()
        engine = Engine(EngineConfig(), MixerState(), port=port, processor=Passthrough(), recorder=recorder)
        engine.start()
        if recorder is not None:
            engine.send(command("record", directory=str(small_disk), format="wav"))
        out = port.play(mix)
        if recorder is not None:
            until(lambda: not recorder.status.active)
        snapshot = engine.snapshot()
        engine.stop()
        return out, snapshot

    recorder = Recorder(RATE, 2, SOURCES)
    out, snapshot = play(recorder)
    np.testing.assert_array_equal(out, play(None)[0])
    assert "No space left on device" in snapshot.recording.error and not snapshot.recording.active
    assert snapshot.recording.dropped_blocks == 0
    audio, _ = read_audio(small_disk / "mix.wav")
    assert 1000 < len(audio) < len(mix)
    np.testing.assert_array_equal(audio, out[: len(audio)])


def test_what_the_engine_records_is_what_it_plays(tmp_path: Path) -> None:
    mix, port = sound(30_000)[1], FakePort()
    engine = Engine(
        EngineConfig(), MixerState(), port=port, processor=Passthrough(), recorder=Recorder(RATE, 2, SOURCES)
    )
    engine.start()
    port.play(mix[:5120])
    engine.send(command("record", directory=str(tmp_path), format="wav"))
    out = port.play(mix[5120:20_480])
    engine.send(command("stop_recording"))
    port.play(mix[20_480:])
    engine.stop()
    audio = {name: read_audio(tmp_path / f"{name}.wav")[0] for name in (*SOURCES, "mix")}
    np.testing.assert_array_equal(audio["mix"], out)
    np.testing.assert_allclose(sum(audio[name] for name in SOURCES), out, atol=1e-6)


def test_without_monitoring_a_live_input_is_recorded_and_not_heard(tmp_path: Path) -> None:
    mix, port = sound(10_240)[1], FakePort()
    engine = Engine(
        EngineConfig(),
        MixerState(monitor=False),
        port=port,
        processor=Passthrough(),
        recorder=Recorder(RATE, 2, SOURCES),
    )
    engine.start()
    engine.send(command("record", directory=str(tmp_path), format="wav"))
    assert not port.play(mix).any()
    engine.send(command("stop_recording"))
    engine.send(command("set_mixer", field="monitor", value=True))
    assert np.abs(port.play(mix)).max() > 0.1
    engine.stop()
    assert np.abs(read_audio(tmp_path / "drums.wav")[0]).max() > 0.1
    assert not read_audio(tmp_path / "mix.wav")[0].any(), "the mix is what is heard"


def test_a_song_is_heard_whatever_is_said_of_monitoring() -> None:
    player = FilePlayer.from_samples(sound(10_240)[1], RATE)
    port = FakePort(in_channels=0)
    engine = Engine(EngineConfig(), MixerState(monitor=False), port=port, processor=Passthrough(), source=player)
    engine.start()
    heard = np.concatenate([port.tick(256) for _ in range(20)])
    engine.send(command("set_stem", stem="drums", field="gain_db", value=-3.0))
    later = np.concatenate([port.tick(256) for _ in range(10)])
    engine.stop()
    assert np.abs(heard).max() > 0.1 and np.abs(later).max() > 0.1

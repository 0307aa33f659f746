"""The engine's tap: what is read is what was played, to the sample, and nothing else."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rtaudio.audio.format import Audio, StreamFormat
from rtaudio.control.engine_host import EngineHost
from rtaudio.control.session import Session
from rtaudio.files.sound_file import create_writer, read_audio
from rtaudio.ports.fake import FakePort
from rtaudio.protocol.messages import command
from rtaudio.protocol.reports import TapAudio
from rtaudio.protocol.settings import EngineConfig
from rtaudio.tap import shared
from rtaudio.tap.buffer import TapBuffer
from rtaudio.tap.shared import TapReader, TapWriter
from tests.rtaudio.conftest import noise

PATIENCE = 60.0
RATE = 8_000


def wait_until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}"
        time.sleep(0.02)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[TapBuffer, TapWriter, TapReader]]:
    buffer = TapBuffer(StreamFormat(RATE, 2, 64), ("drums", "vocals"))
    writer = TapWriter(buffer, tmp_path)
    writer.publish()
    reader = TapReader(writer.path)
    yield buffer, writer, reader
    reader.close()
    writer.close()
    assert not list(tmp_path.iterdir())


def play(buffer: TapBuffer, position: int, sound: Audio) -> None:
    """``sound`` ``(n, 4, 2)``: mix, input, drums, vocals; pushed as the callback does."""
    if buffer.on:
        buffer.push(position, sound[:, 1], sound[:, 0], sound[:, 2:])


def test_what_is_read_is_what_was_played_in_any_cutting(pair: tuple[TapBuffer, TapWriter, TapReader]) -> None:
    buffer, writer, reader = pair
    assert reader.read("mix") is None  # nothing yet, but now it is wanted
    writer.publish()
    rng = np.random.default_rng(1)
    sound = noise(9 * RATE, 8).reshape(-1, 4, 2)
    position, mark = 0, 0
    heard: dict[str, list[Audio]] = {name: [] for name in buffer.sources}
    while position < len(sound):
        step = int(rng.integers(1, RATE // 2))
        play(buffer, position, sound[position : position + step])
        position += step
        if rng.random() < 0.7:
            writer.publish()
            news = [reader.read(name, after=mark) for name in buffer.sources]
            for found, kept in zip(news, heard.values(), strict=True):
                assert found is not None and found.start == mark and found.rate == RATE
                kept.append(found.frames)
            assert news[0] is not None
            mark += len(news[0].frames)
    for row, kept in enumerate(heard.values()):
        assert np.array_equal(np.concatenate(kept), sound[:mark, row])
    assert mark > 8 * RATE


def test_nothing_is_copied_before_it_is_wanted_nor_when_nobody_listens_any_more(
    pair: tuple[TapBuffer, TapWriter, TapReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer, writer, reader = pair
    assert not buffer.on and buffer._ring is None and not shared._sound_path(writer.path).exists()
    reader.read("mix")
    writer.publish()
    assert buffer.on
    later = time.monotonic() + shared.WANTED_S + 0.1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    writer.publish()
    assert not buffer.on


def test_a_writer_that_loses_the_processor_in_the_middle_does_not_send_the_reader_back_to_the_beginning(
    pair: tuple[TapBuffer, TapWriter, TapReader],
) -> None:
    buffer, writer, reader = pair
    reader.read("mix")
    writer.publish()
    play(buffer, 0, noise(1000, 8).reshape(-1, 4, 2))
    writer.publish()
    heard = reader.read("mix", 400)
    assert heard is not None and (heard.start, len(heard.frames)) == (400, 600)
    writer._whole[shared._STAMP] += 1
    assert reader.read("mix", 1000) is None
    writer._whole[shared._STAMP] += 1
    heard = reader.read("mix", 1000)
    assert heard is not None and heard.start == 1000


def test_a_gap_is_told_by_the_position(pair: tuple[TapBuffer, TapWriter, TapReader]) -> None:
    buffer, writer, reader = pair
    reader.read("mix")
    writer.publish()
    sound = noise(500, 8).reshape(-1, 4, 2)
    play(buffer, 1000, sound)
    writer.publish()
    play(buffer, 9000, sound[:100])
    writer.publish()
    found = reader.read("drums", after=1500)
    assert found is not None and found.start == 9000
    assert np.array_equal(found.frames, sound[:100, 2])


def test_a_dead_engine_and_a_source_that_is_not_there_give_nothing(
    pair: tuple[TapBuffer, TapWriter, TapReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer, writer, reader = pair
    reader.read("mix")
    writer.publish()
    play(buffer, 0, noise(500, 8).reshape(-1, 4, 2))
    writer.publish()
    assert reader.read("mix") is not None
    assert reader.read("kazoo") is None
    later = time.monotonic() + shared.DEAD_S + 0.1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert reader.read("mix") is None


def test_a_reader_beside_a_writer_in_full_flight_never_sees_a_torn_block(
    pair: tuple[TapBuffer, TapWriter, TapReader],
) -> None:
    """Sample number q holds q in all rows: whatever is read must count on without a step."""
    buffer, writer, reader = pair
    reader.read("mix")
    writer.publish()
    ending = threading.Event()

    def write() -> None:
        position = 0
        while not ending.is_set():
            count = np.arange(position, position + RATE // 2, dtype=np.float32) % 65_536
            play(buffer, position, np.broadcast_to(count[:, None, None], (len(count), 4, 2)))
            writer.publish()
            position += len(count)

    thread = threading.Thread(target=write)
    thread.start()
    read = 0
    deadline = time.monotonic() + PATIENCE
    try:
        while read < 40:
            assert time.monotonic() < deadline
            found = reader.read("vocals")
            if found is not None and len(found.frames):
                expected = (found.start + np.arange(len(found.frames))) % 65_536
                assert np.array_equal(found.frames[:, 0], expected.astype(np.float32))
                read += 1
    finally:
        ending.set()
        thread.join()


def test_a_full_disk_ends_the_tap_leaves_nothing_on_it_and_stops_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = EngineHost(io.BytesIO(), io.BytesIO())
    buffer = TapBuffer(StreamFormat(RATE, 2, 256), ("drums",))
    for error in (OSError(errno.ENOSPC, "No space left on device"), MemoryError()):
        host._tap = TapWriter(buffer, tmp_path)
        reader = TapReader(host._tap.path)
        assert host._publish() == str(reader.path)
        assert reader.read("mix") is None  # now the sound file is wanted

        def full(source: object, target: object, error: Exception = error) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(shared.os, "replace", full)
            assert host._publish() == "" and host._publish() == ""
        reader.close()
        assert list(tmp_path.iterdir()) == []


def test_a_killed_engines_files_are_swept(tmp_path: Path) -> None:
    stale = tmp_path / "tap-999999999-1"
    stale.write_bytes(b"x")
    Path(f"{stale}.sound").write_bytes(b"x")
    mine = tmp_path / f"tap-{os.getpid()}-1"
    mine.write_bytes(b"x")
    shared.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]


def test_the_callback_pays_for_a_listener_only() -> None:
    """No absolute time: only that a tap nobody listens to is never called."""
    from rtaudio.engine.callback import AudioCallback
    from rtaudio.engine.pipeline import Pipeline
    from rtaudio.processors.passthrough import Passthrough
    from rtaudio.protocol.settings import MixerState

    fmt = StreamFormat(RATE, 2, 64)
    port = FakePort(rate=RATE, block=64)
    pipeline = Pipeline(Passthrough(), fmt, 64, MixerState(), False)
    buffer = TapBuffer(fmt, pipeline.stems)
    callback = AudioCallback(port, pipeline, [0, 1], [], None, None, 0, buffer)
    pipeline.start()
    sound, out = noise(64), np.zeros((64, 2), np.float32)
    callback(sound, out, False)
    assert buffer.take()[1].size == 0
    buffer.listen(True)
    buffer.push = lambda *_: 1 / 0  # type: ignore[method-assign,assignment]
    callback(sound, out, False)
    assert callback.faults == 1 and np.isfinite(out).all()  # a broken tap is told, and the sound goes on
    pipeline.stop()


# --- the real engine -----------------------------------------------------------------------------------------------------


def collect(session: Session, source: str, frames: int) -> list[TapAudio]:
    """What ``source`` plays until ``frames`` frames of one life are there."""
    found: list[TapAudio] = []
    deadline = time.monotonic() + PATIENCE
    while sum(len(part.frames) for part in found) < frames:
        assert time.monotonic() < deadline, f"waited for {source}"
        part = session.hear(source, found[-1].start + len(found[-1].frames) if found else None)
        if part is not None and found and part.life != found[0].life:
            found = []
        if part is not None and len(part.frames):
            found.append(part)
        time.sleep(0.02)
    return found


def test_the_tap_of_an_engine_process_equals_its_files_and_outlives_it(tmp_path: Path, runtime_directory: Path) -> None:
    song, out = tmp_path / "song.wav", tmp_path / "out.wav"
    sound = noise(20 * RATE, seed=4)
    with create_writer(song, RATE, 2, "wav") as writer:
        writer.write(sound)
    session = Session(EngineConfig(input=str(song), output=str(out), model="none"))
    assert session.hear("mix") is None
    session.start()
    wait_until(lambda: session.snapshot().frames > 0, "sound")
    session.send(command("record", directory=str(tmp_path / "take"), format="wav"))
    wait_until(lambda: session.snapshot().recording.active, "the recording")
    taken = {name: collect(session, name, RATE // 2) for name in ("mix", "input", "drums")}
    session.close()
    assert session.hear("mix") is None
    played, _ = read_audio(out)
    for part in taken["mix"]:
        assert np.array_equal(part.frames, played[part.start : part.start + len(part.frames)])
    for part in taken["input"]:
        assert np.array_equal(part.frames, sound[part.start : part.start + len(part.frames)])
    stem, mix = (read_audio(tmp_path / "take" / f"{name}.wav")[0] for name in ("drums", "mix"))
    began = int(np.flatnonzero((played[:, 0] == mix[0, 0]) & (played[:, 1] == mix[0, 1]) & (mix[0, 0] != 0))[0])
    compared = 0
    for part in taken["drums"]:
        skip = max(0, began - part.start)
        kept = part.frames[skip:]
        assert np.array_equal(kept, stem[part.start + skip - began :][: len(kept)])
        compared += len(kept)
    assert compared > 1000 and np.abs(stem).max() > 0.01
    assert not list(runtime_directory.glob("tap-*"))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_engines_tap_falls_silent_and_the_next_ones_is_found(runtime_directory: Path) -> None:
    with Session(EngineConfig(input="none", output="null", model="none", rate=RATE)) as session:
        first = collect(session, "mix", 1000)[0].life
        pid = session.engine_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: session.engine_pid not in (pid, None), "another engine")
        wait_until(lambda: (part := session.hear("mix")) is not None and part.life != first, "its sound")
        assert collect(session, "input", 1000)[0].life != first
        assert len([path for path in runtime_directory.glob("tap-*") if path.suffix != shared.SOUND]) == 1


def test_a_detached_engine_is_heard_too(runtime_directory: Path) -> None:
    session = Session(EngineConfig(input="none", output="null", model="none", rate=RATE), detached=True)
    try:
        session.start()
        assert collect(session, "mix", 500)[0].rate == RATE
    finally:
        session.stop()
        session.close()


def test_after_the_end_of_a_song_what_is_played_is_still_heard(tmp_path: Path, runtime_directory: Path) -> None:
    """The instrument plays on, and a view draws it."""
    song = tmp_path / "song.wav"
    with create_writer(song, RATE, 2, "wav") as writer:
        writer.write(noise(RATE // 4, seed=5))
    with Session(EngineConfig(input=str(song), output="null", model="none", midi="none")) as session:
        wait_until(lambda: session.snapshot().state == "finished", "the end")
        collect(session, "mix", 1000)


@pytest.mark.parametrize("about", [{"rate": float("inf"), "channels": 2, "capacity": 9, "sources": []}, {}, {"rate": None}, [1]])
def test_a_file_that_does_not_say_what_is_in_it_is_no_tap(tmp_path: Path, about: object) -> None:
    text = json.dumps(about).encode()
    head = np.zeros(shared._HEAD, np.uint8)
    head[:8] = np.frombuffer(np.int64(shared._MAGIC).tobytes(), np.uint8)
    head[shared._TEXT : shared._TEXT + len(text)] = np.frombuffer(text, np.uint8)
    (tmp_path / "tap").write_bytes(head.tobytes())
    with pytest.raises(ValueError, match="no valid head"):
        TapReader(tmp_path / "tap")

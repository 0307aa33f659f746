"""The recorder: files aligned to the sample, each beside those that were there before."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import SOURCES, StemplayError
from rtaudio.engine.recorder import Recorder
from rtaudio.files.sound_file import read_audio
from tests.rtaudio.recording import RATE, feed, names, sound, until


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
    with pytest.raises(StemplayError, match="already running"):
        recorder.start(tmp_path / "other")
    recorder.stop()
    recorder.stop()


def test_an_unfinished_recording_is_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed engine leaves: .part files whose header was brought up to date on the way."""
    monkeypatch.setattr("rtaudio.engine.recorder.SYNC_S", 0.0)
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

"""The recorder in an engine: what is recorded is what is played, and what is heard does not depend on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rtaudio.audio.format import SOURCES, Audio, StemplayError
from rtaudio.engine.engine import Engine
from rtaudio.engine.recorder import Recorder
from rtaudio.files.song_player import FilePlayer
from rtaudio.files.sound_file import read_audio
from rtaudio.ports.fake import FakePort
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.messages import command
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import EngineConfig, MixerState
from tests.rtaudio.recording import RATE, names, sound, until


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
    with pytest.raises(StemplayError, match="true or false"):
        engine.send(command("set_stem", stem="bass", field="armed", value=1.0))
    engine.stop()


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

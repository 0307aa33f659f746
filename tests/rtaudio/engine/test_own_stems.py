"""A stem file in the engine: its own stems play, exact, without a model; transport, mixer, recording and reports as with any song."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.names import is_stem_file, song_name
from rtaudio.audio.format import SOURCES, Audio, StemplayError
from rtaudio.cli.main import main
from rtaudio.control.engine_factory import build_engine
from rtaudio.engine.engine import Engine
from rtaudio.files.song_player import FilePlayer
from rtaudio.files.sound_file import read_audio
from rtaudio.files.stem_file import StemLabel
from rtaudio.ports.fake import FakePort
from rtaudio.processors.own_stems import OwnStems
from rtaudio.protocol.checks import check_config, plays_own_stems, strips_of
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, MixerState, StemState
from tests.rtaudio.files.test_stem_file import FALCON, read, sound, write

RATE = 44_100
QUIET = MixerState(limiter=False)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = {"drums": StemLabel("Beats", "#102030"), "vocals": StemLabel("Voice")}
    return write(tmp_path_factory.mktemp("song") / "song.stem.mp4", sound(40_000), "alac.stem.mp4", labels=labels)


def play(song: Path, frames: int, mixer: MixerState = QUIET, block: int = 256, **options: object) -> tuple[Audio, Engine]:
    port = FakePort(block=block)
    source = FilePlayer(song, RATE, 2, own_stems=True)
    engine = Engine(EngineConfig(model="none", **options), mixer, port=port, processor=OwnStems(), source=source)  # type: ignore[arg-type]
    engine.start()
    out = port.play(np.zeros((frames, 2), np.float32))
    return out, engine


def stems_of(song: Path) -> Audio:
    return read(song).reshape(-1, 4, 2)


@pytest.mark.parametrize("block", [16, 256, 1000])
def test_the_mix_is_the_sum_of_the_stems_at_the_declared_latency(song: Path, block: int) -> None:
    out, engine = play(song, 20_000, block=block)
    engine.stop()
    delay = engine.latency.engine
    assert delay == block and engine.latency.algorithmic == engine.latency.resampler == 0
    assert np.abs(out[delay:] - stems_of(song).sum(axis=1)[: 20_000 - delay]).max() <= 1e-6


@pytest.mark.parametrize("strip", SOURCES)
def test_a_soloed_stem_is_that_of_the_file(song: Path, strip: str) -> None:
    out, engine = play(song, 20_000, MixerState(stems={strip: StemState(solo=True)}, limiter=False))
    engine.stop()
    own = stems_of(song)[:, SOURCES.index(strip)]
    assert np.abs(out[256:] - own[: 20_000 - 256]).max() <= 1e-6


@pytest.mark.parametrize("mixer", [MixerState(bypass=True, limiter=False), MixerState(dry=1.0, limiter=False)])
def test_bypass_and_dry_play_the_sum(song: Path, mixer: MixerState) -> None:
    out, engine = play(song, 10_000, mixer)
    engine.stop()
    assert np.abs(out[256:] - stems_of(song).sum(axis=1)[: 10_000 - 256]).max() <= 1e-6


def test_a_seek_lands_on_the_sample_in_every_stem(song: Path) -> None:
    port = FakePort(block=256)
    source = FilePlayer(song, RATE, 2, own_stems=True)
    mixer = MixerState(stems={"bass": StemState(solo=True)}, limiter=False)
    engine = Engine(EngineConfig(model="none"), mixer, port=port, processor=OwnStems(), source=source)
    engine.start()
    port.play(np.zeros((2560, 2), np.float32))
    engine.send(command("seek", position_s=20_000 / RATE))
    out = port.play(np.zeros((5120, 2), np.float32))
    engine.stop()
    heard, own = out[256 + source.fade : 256 + 4000], stems_of(song)[:, 1]
    assert np.abs(heard - own[20_000 + source.fade : 20_000 + 4000]).max() <= 1e-6
    assert engine.snapshot().misses == 0


def test_a_loop_repeats_all_stems(song: Path) -> None:
    port = FakePort(block=256)
    source = FilePlayer(song, RATE, 2, own_stems=True)
    engine = Engine(EngineConfig(model="none"), QUIET, port=port, processor=OwnStems(), source=source)
    engine.start()
    engine.send(command("set_loop", start_s=1000 / RATE, end_s=6000 / RATE))
    out = port.play(np.zeros((16_384, 2), np.float32))
    engine.stop()
    mix = stems_of(song).sum(axis=1)
    first, second = 256 + 6000, 256 + 11_000
    for start in (first, second):
        assert np.abs(out[start : start + 4000] - mix[1000:5000]).max() <= 1e-6


def test_panic_clears_and_the_song_goes_on_exactly(song: Path) -> None:
    port = FakePort(block=256)
    source = FilePlayer(song, RATE, 2, own_stems=True)
    engine = Engine(EngineConfig(model="none"), QUIET, port=port, processor=OwnStems(), source=source)
    engine.start()
    port.play(np.zeros((5120, 2), np.float32))
    engine.send(command("panic"))
    assert np.abs(port.play(np.zeros((RATE, 2), np.float32))[-2048:]).max() == 0
    engine.send(command("seek", position_s=0.0))
    engine.send(command("play"))
    out = port.play(np.zeros((10_240, 2), np.float32))
    engine.stop()
    mix = stems_of(song).sum(axis=1)
    assert np.abs(out[256:] - mix[: 10_240 - 256]).max() <= 1e-6


def test_the_report_has_names_and_colours(song: Path) -> None:
    _, engine = play(song, 512)
    transport = engine.snapshot().transport
    engine.stop()
    assert transport.titles == {"drums": "Beats", "bass": "Bass", "other": "Other", "vocals": "Voice"}
    assert transport.colours == {"drums": "#102030", "bass": "#d55e00", "other": "#cc79a7", "vocals": "#56b4e9"}


def test_a_configured_engine_needs_no_model_for_a_stem_file(song: Path, tmp_path: Path) -> None:
    config = EngineConfig(input=str(song), output=str(tmp_path / "out.wav"), paced=False, block=512)
    assert plays_own_stems(config) and strips_of(config) == SOURCES
    engine = build_engine(config, MixerState())
    assert isinstance(engine._pipeline.worker.processor, OwnStems) and engine.analysis is None
    engine.stop()
    separated = EngineConfig(input=str(song), output=str(tmp_path / "out.wav"), paced=False, block=512, own_stems=False)
    assert not plays_own_stems(separated)
    engine = build_engine(separated, MixerState())
    assert not isinstance(engine._pipeline.worker.processor, OwnStems) and not engine.snapshot().transport.titles
    engine.stop()


def test_names_of_stem_files() -> None:
    for path, name in (("A b.stem.mp4", "A b"), ("x/A.STEM.M4A", "A"), ("a.alac.stem.mp4", "a")):
        assert is_stem_file(path) and song_name(path) == name
    assert not is_stem_file("a.mp4") and song_name("a.b.mp3") == "a.b" and song_name(".stem.mp4") == ".stem"
    check_config(EngineConfig(input="song.stem.mp4", output="null", look_ahead=17.4))


def test_the_command_line_plays_records_and_converts_the_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, takes = tmp_path / "out.wav", tmp_path / "takes"
    arguments = ["live", "--input", str(FALCON), "--output", str(out), "--full-speed", "--mute", "drums", "--record", str(takes)]
    assert main(arguments) == 0
    assert "Vox" in capsys.readouterr().out
    own = stems_of(FALCON)
    bass, _ = soundfile.read(next(takes.rglob("bass.wav")), dtype="float32")
    n = min(len(bass), len(own)) - 512
    assert n > 5 * RATE and np.abs(bass[256 : 256 + n] - own[:n, 1]).max() <= 1e-6
    assert main([*arguments[:5], "--full-speed", "--rate", "48000"]) == 0
    mix, rate = read_audio(out)
    assert rate == 48_000 and abs(len(mix) / rate - len(own) / RATE) < 0.05 and np.abs(mix).max() > 0.1


def test_with_a_model_the_mix_is_separated(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    assert main(["live", "--input", str(FALCON), "--output", str(out), "--full-speed", "--seconds", "1", "--model", str(tiny_model)]) == 0
    mix, _ = read_audio(FALCON)  # the file's own mix, not the sum of its stems
    played, _ = read_audio(out)
    start = next(k for k in range(0, 4000) if np.abs(played[k:]).max(axis=1)[0] > 0)
    assert start > 256 and len(mix) > len(played)


@pytest.mark.parametrize("option", [["--mute", "Vox"], ["--gain", "kick=3"]])
def test_a_strip_that_is_not_there_is_named(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--input", str(FALCON), "--output", "null", "--full-speed", *option]) == 2
    told = capsys.readouterr().err
    assert "drums, bass, other, vocals" in told and told.count("\n") == 1


def test_a_song_that_only_claims_to_be_one_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "song.stem.mp4"
    soundfile.write(path, np.zeros((4000, 2), np.float32), RATE, format="WAV")
    assert main(["live", "--input", str(path), "--output", "null", "--full-speed"]) == 2
    told = capsys.readouterr().err
    assert "--model" in told and told.count("\n") == 1
    with pytest.raises(StemplayError, match="has no stems"):
        FilePlayer(path, RATE, 2, own_stems=True)
    assert main(["live", "--input", str(path), "--output", "null", "--full-speed", "--model", "none"]) == 0

"""Tempo and key through the whole engine at full speed: pitches by measurement, drums left alone, commands, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import SOURCES, Audio, StemplayError
from rtaudio.cli.main import main
from rtaudio.control.engine_host import resume_commands
from rtaudio.files.offline import separate_file
from rtaudio.files.stem_writer import CODECS, StemWriter
from rtaudio.files.tags import Tags
from rtaudio.plugins.key import KeyShift
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, InsertState, MixerState, StemState
from rtaudio.protocol.transpose import KEY_SLOT, pitched, with_key
from tests.rtaudio.files.test_tempo_player import RATE, cents, largest_step, tone

pytest.importorskip("pylibrb")
TONES = dict(zip(SOURCES, (220.0, 110.0, 440.0, 880.0), strict=True))


def in_blocks(plugin: KeyShift, audio: Audio, wishes: dict[int, float], block: int = 256) -> Audio:
    out = audio[: len(audio) // block * block].copy()
    for start in range(0, len(out), block):
        for at in [at for at in wishes if at <= start]:
            plugin.set("semitones", wishes.pop(at))
        assert plugin.process(out[start : start + block])
    return out


@pytest.mark.parametrize("semitones", [-12.0, -5.0, 0.5, 2.0, 12.0])
def test_the_key_is_right_within_five_cents(semitones: float) -> None:
    plugin = KeyShift()
    plugin.set("semitones", semitones)
    plugin.prepare(RATE, 256, 2)
    out = in_blocks(plugin, tone(440.0, 1.0), {})
    assert abs(cents(out[plugin.latency :], 440.0 * 2 ** (semitones / 12))) < 1.0


def test_changes_of_the_key_do_not_click_and_zero_is_an_exact_delay() -> None:
    plugin, song = KeyShift(), tone(440.0, 2.0)
    plugin.prepare(RATE, 256, 2)
    tenth = RATE // 10
    out = in_blocks(plugin, song, {5 * tenth: 2.0, 8 * tenth: -7.0, 9 * tenth: 7.0, 14 * tenth: 0.0})
    late = plugin.latency
    np.testing.assert_array_equal(out[late : 5 * tenth], song[: 5 * tenth - late])
    np.testing.assert_array_equal(out[17 * tenth : 19 * tenth], song[17 * tenth - late : 19 * tenth - late])
    assert largest_step(out[late:]) < 1.3 * largest_step(tone(440.0 * 2 ** (7 / 12)))


def test_what_is_transposed_stays_in_time() -> None:
    song, onset = np.zeros((RATE, 2), np.float32), RATE // 2
    song[onset : onset + 300] = (np.random.default_rng(0).normal(0, 0.3, 300) * np.exp(-np.arange(300) / 50))[:, None]
    for semitones in (-5.0, -2.0, 2.0, 5.0):
        plugin = KeyShift()
        plugin.set("semitones", semitones)
        plugin.prepare(RATE, 256, 2)
        out = in_blocks(plugin, song, {})[plugin.latency :]
        energy = np.cumsum(out[:, 0] ** 2)
        assert abs(np.searchsorted(energy, energy[-1] / 2) - onset - 30) < 0.005 * RATE


def test_drums_and_the_instrument_keep_their_pitch() -> None:
    assert pitched((*SOURCES, "instrument")) == ("bass", "other", "vocals")
    assert pitched(SOURCES, separated=False) == SOURCES
    mixer = MixerState(stems={"vocals": StemState(inserts=[InsertState("reverb", "reverb-1")])})
    keyed = with_key(mixer, 2.0, ("vocals",))
    assert [insert.key for insert in keyed.stems["vocals"].inserts] == [KEY_SLOT, "reverb-1"]
    assert with_key(mixer, 0.0, ("vocals",)) is mixer and len(mixer.stems["vocals"].inserts) == 1


@pytest.fixture(scope="module")
def stem_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stem file: a tone for each stem."""
    pytest.importorskip("av")
    path = tmp_path_factory.mktemp("song") / "tones.stem.mp4"
    with StemWriter(path, RATE, CODECS["alac.stem.mp4"], {}, Tags()) as writer:
        writer.write(np.concatenate([tone(TONES[name], 1.5) for name in SOURCES], axis=1))
    return path


@pytest.mark.slow
def test_a_song_is_recorded_at_another_tempo_and_key_with_its_drums_at_their_pitch(stem_song: Path, tmp_path: Path) -> None:
    told = main([
        "live", "--input", str(stem_song), "--output", "null", "--full-speed", "--tempo", "75%", "--key", "+3",
        "--record", str(tmp_path / "take"),
    ])  # fmt: skip
    assert told == 0
    for name, frequency in TONES.items():
        audio, rate = soundfile.read(next((tmp_path / "take").rglob(f"{name}.wav")), dtype="float32")
        wanted = frequency if name == "drums" else frequency * 2 ** (3 / 12)
        sounding = audio[np.abs(audio[:, 0]) > 0.01]
        assert rate == RATE and abs(len(sounding) - 1.5 * RATE / 0.75) < 0.1 * RATE
        assert abs(cents(audio[RATE // 2 : RATE * 3 // 2], wanted)) < 5.0


def test_files_have_the_length_of_the_tempo_and_the_pitch_of_the_key(stem_song: Path, tmp_path: Path) -> None:
    result = separate_file(stem_song, tmp_path, None, tempo=1.25, key=-2.0)
    assert result.frames == round(1.5 * RATE / 1.25)
    for name, path in result.files.items():
        audio, _ = soundfile.read(path, dtype="float32")
        assert len(audio) == result.frames
        assert abs(cents(audio, TONES[name] * (1.0 if name == "drums" else 2 ** (-2 / 12)))) < 5.0


def test_what_cannot_be_is_refused_in_one_sentence(stem_song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    song = ["--input", str(stem_song), "--output", "null"]
    wrong = [
        ["live", *song, "--tempo", "175%"], ["live", *song, "--tempo", "nan"], ["live", *song, "--key", "13"],
        ["live", *song, "--key", "up"], ["live", "--input", "none", "--tempo", "75%"], ["live", "--input", "none", "--key", "2"],
        ["play", "--tempo", "75%"], ["separate", str(stem_song), "--tempo", "2"], ["separate", str(stem_song), "--key", "-13"],
    ]  # fmt: skip
    for arguments in wrong:
        assert main(arguments) == 2, arguments
        error = capsys.readouterr().err.strip()
        assert error.endswith(".") and "\n" not in error


def test_the_desired_state_keeps_tempo_and_key_until_another_song() -> None:
    state = DesiredState(EngineConfig(input="song.wav", model="none"))
    state.apply(command("set_speed", speed=0.75))
    state.apply(command("set_key", semitones=-3))
    state = DesiredState.from_json(state.to_json())
    assert [command("set_speed", speed=0.75), command("set_key", semitones=-3.0)] == resume_commands(state)[1:3]
    for bad in (command("set_speed", speed=1.6), command("set_key", semitones="x"), command("set_speed", speed=float("nan"))):
        with pytest.raises(StemplayError):
            state.apply(bad)
    state.apply(command("configure", config={"input": "other.wav", "model": "none"}))
    assert (state.speed, state.key) == (1.0, 0.0)

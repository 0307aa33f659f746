"""Background jobs in child processes: real ones, from their first line to their end."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge

PATIENCE = 60_000


def write_song(path: Path, seconds: float = 2.0, rate: int = 22_050) -> Path:
    """Noise that swells, stereo."""
    rng = np.random.default_rng(3)
    frames = round(seconds * rate)
    swell = np.linspace(0.0, 0.5, frames)[:, None]
    soundfile.write(path, (swell * rng.uniform(-1, 1, (frames, 2))).astype(np.float32), rate, subtype="FLOAT")
    return path


def test_a_job_tells_what_came_out_and_ends_once(bridge: Bridge, qtbot: QtBot) -> None:
    job = bridge.job("models")
    ends: list[None] = []
    job.ended.connect(lambda: ends.append(None))
    with qtbot.waitSignals([job.done, job.ended], timeout=PATIENCE) as told:
        assert job.running
    cards = told.all_signals_and_args[0].args[0]["models"]
    assert cards["demucs-live"]["outputs"] == ["drums", "bass", "other", "vocals"]
    assert cards["sing-gm"]["kind"] == "instrument"
    assert len(ends) == 1


def test_what_cannot_be_done_is_told_in_one_sentence(bridge: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    for name, args, word in (
        ("overview", {"path": str(tmp_path / "none.wav")}, "none.wav"),
        ("export", {"song": str(tmp_path / "none.wav"), "folder": str(tmp_path)}, "none.wav"),
        ("latency", {"config": {"block": -4, "output": "null"}}, "block"),
        ("dance", {}, "dance"),
    ):
        with qtbot.waitSignal(bridge.job(name, **args).failed, timeout=PATIENCE) as told:
            pass
        assert word in told.args[0] and told.args[0].endswith(".") and "\n" not in told.args[0]
    assert not list(tmp_path.iterdir())


def test_the_overview_shows_where_the_song_is_loud(bridge: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav")
    with qtbot.waitSignal(bridge.job("overview", path=str(song), columns=50).done, timeout=PATIENCE) as told:
        pass
    facts = told.args[0]
    peaks = np.array(facts["peaks"])
    assert peaks.shape == (50, 3) and facts["seconds"] == 2.0
    assert abs(peaks[-1, 1] - 0.5) < 0.02 and abs(peaks[-1, 0] + 0.5) < 0.02
    assert peaks[0, 1] < 0.02
    np.testing.assert_allclose(peaks[25, 2], 0.25 / np.sqrt(3), atol=0.02)


def test_the_latency_expected_is_the_one_that_an_engine_then_reports(bridge: Bridge, qtbot: QtBot) -> None:
    from rtaudio.control.engine_factory import build_engine
    from rtaudio.protocol.messages import to_dict
    from rtaudio.protocol.settings import EngineConfig, MixerState

    for rate, block in ((44_100, 256), (48_000, 128), (44_100, 100)):
        # The time the model is given is fixed: what is found by timing it twice may differ by a block.
        config = EngineConfig(input="none", output="null", rate=rate, block=block, deadline=12.0)
        with qtbot.waitSignal(bridge.job("latency", config=to_dict(config)).done, timeout=PATIENCE) as told:
            pass
        engine = build_engine(config, MixerState())
        try:
            assert json.loads(json.dumps(to_dict(engine.latency))) == told.args[0]["latency"]
        finally:
            engine.stop()


def test_a_cancelled_job_leaves_nothing_and_says_nothing(bridge: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav", seconds=600.0, rate=8000)
    out = tmp_path / "stems"
    job = bridge.job("export", song=str(song), folder=str(out))
    answers: list[object] = []
    job.done.connect(answers.append)
    job.failed.connect(answers.append)
    with qtbot.waitSignal(job.progress, timeout=PATIENCE, check_params_cb=lambda told: told.get("done", 0) > 0):
        pass
    assert list(out.iterdir()), "it was at work"
    with qtbot.waitSignal(job.ended, timeout=PATIENCE):
        job.cancel()
    assert not answers and not out.exists(), "not even an empty folder is left"


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a process that hangs is made by SIGSTOP")
@pytest.mark.parametrize("closing", [False, True], ids=["cancelled", "the window closes"])
def test_who_kills_a_job_that_hangs_clears_what_it_made(
    bridge: Bridge, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closing: bool
) -> None:
    monkeypatch.setattr("gui.jobs.PATIENCE_MS", 200)
    song = write_song(tmp_path / "song.wav", seconds=600.0, rate=8000)
    out = tmp_path / "there" / "new" / "deeper"
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("stays")
    job = bridge.job("export", song=str(song), folder=str(out))
    with qtbot.waitSignal(job.progress, timeout=PATIENCE, check_params_cb=lambda told: told.get("done", 0) > 0):
        pass
    assert list(out.iterdir()), "it was at work"
    os.kill(job._process.processId(), signal.SIGSTOP)
    if closing:
        job.abandon(100)
    else:
        with qtbot.waitSignal(job.ended, timeout=PATIENCE):
            job.cancel()
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["mine.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="TerminateProcess asks nobody")
def test_a_job_that_is_told_to_end_clears_up_itself(bridge: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav", seconds=600.0, rate=8000)
    out = tmp_path / "stems"
    job = bridge.job("export", song=str(song), folder=str(out))
    with qtbot.waitSignal(job.progress, timeout=PATIENCE, check_params_cb=lambda told: told.get("done", 0) > 0):
        pass
    with qtbot.waitSignal(job.ended, timeout=PATIENCE):
        os.kill(job._process.processId(), signal.SIGTERM)
    assert not out.exists()

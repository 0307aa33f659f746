"""The conductor between a song and the clock, without ports: what the clock is told."""

from __future__ import annotations

from typing import Any

import pytest

from rtaudio.audio.tempo import Tempo
from rtaudio.engine.conductor import Conductor, Score
from rtaudio.midi.clock import ClockState
from rtaudio.protocol.reports import Transport
from tests.rtaudio.control.test_session import wait_until


class Stage:
    """A song at a place and a time of the test's, and what the clock was told."""

    def __init__(self, bpm: float = 120.0) -> None:
        self.song = Transport("/song.wav", False, 0.0, 100.0, tempo=bpm)
        self.told: list[ClockState] = []
        self.conductor = Conductor(
            Tempo(bpm, now=0.0), Score(lambda: self.song, lambda afresh: [], lambda: None), output="virtual", clock=True
        )
        assert self.conductor._output is not None
        self.conductor._output.follow = self.told.append  # type: ignore[method-assign]

    def at(self, now: float, **changes: Any) -> ClockState:
        self.song = Transport(**{**vars(self.song), **changes})
        if "tempo" in changes:
            self.conductor._tempo.set(changes["tempo"], now)
        self.conductor._follow_song(self.song, now)
        self.conductor._conduct()
        return self.told[-1]


def test_a_song_is_counted_from_its_beginning() -> None:
    stage = Stage()
    assert not stage.at(5.0).running
    state = stage.at(6.0, playing=True, position_s=0.5)
    assert state.running and state.jumps == 0 and state.beat_at(6.0) == pytest.approx(1.0)
    later = stage.at(7.0, position_s=1.502)  # two milliseconds ahead of the clock: followed gently
    assert later.jumps == 0 and 3.0 < later.beat_at(7.0) < 3.004


def test_a_seek_is_a_jump_and_a_pause_is_none() -> None:
    stage = Stage()
    stage.at(0.0, playing=True)
    seek = stage.at(1.0, position_s=30.0)
    assert seek.jumps == 1 and seek.beat_at(1.0) == pytest.approx(60.0)
    assert not stage.at(2.0, playing=False, position_s=31.0).running
    again = stage.at(9.0, playing=True, position_s=31.0)
    assert again.running and again.jumps == 1 and again.beat_at(9.0) == pytest.approx(62.0)


def test_another_tempo_is_no_jump_and_the_beat_goes_on() -> None:
    stage = Stage(120.0)
    stage.at(0.0, playing=True)
    stage.at(10.0, position_s=10.0)
    state = stage.at(10.0, tempo=60.0)
    assert state.jumps == 0 and state.beat_at(10.0) == pytest.approx(20.0)
    state = stage.at(12.0, position_s=12.0)
    assert state.jumps == 0 and state.beat_at(12.0) == pytest.approx(22.0)
    assert stage.at(13.0, position_s=50.0).beat_at(13.0) == pytest.approx(50.0)  # after a seek it is counted from the beginning again


def test_a_live_input_begins_with_the_clock() -> None:
    stage = Stage()
    state = stage.at(100.0, path="")
    assert state.running and state.beat_at(100.0) == 0.0 and stage.at(101.0).beat_at(101.0) == pytest.approx(2.0)


def test_what_a_library_raises_is_told_and_does_not_end_it() -> None:
    def broken() -> Transport:
        raise RuntimeError("no transport")

    conductor = Conductor(Tempo(), Score(broken, lambda afresh: [], lambda: None), output="none")
    conductor.start()
    try:
        wait_until(lambda: "RuntimeError: no transport" in conductor.report().message, "the sentence")
        assert conductor._thread.is_alive()
    finally:
        conductor.stop()

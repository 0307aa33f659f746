"""A seek in an analysed song plays at once what uninterrupted playing would play."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from rtaudio.audio.format import Audio, StreamFormat
from rtaudio.engine.song_analysis import SongAnalysis
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.processors.base import Processor
from rtaudio.processors.factory import make_frame_model, make_separator
from rtaudio.processors.passthrough import Passthrough
from rtaudio.processors.separator import SeparatorProcessor
from tests.rtaudio.conftest import noise

SONG_S = 3


@pytest.fixture(
    scope="module", params=[(44_100, 0), (48_000, 0), (16_000, 0), (44_100, 256)], ids=lambda p: f"{p[0]}-{p[1]}"
)
def analysed(request: pytest.FixtureRequest, tiny_runtime: ModelRuntime) -> Iterator[tuple[SongAnalysis, Audio, Audio]]:
    """(a finished analysis, the song, the stems of uninterrupted playing)."""
    rate, align = request.param
    fmt = StreamFormat(rate, 2, 256)
    song = noise(SONG_S * rate)

    def make() -> Processor:
        return make_separator(tiny_runtime.sibling())

    analysis = SongAnalysis(make, song, fmt, align=align)
    analysis.start()
    assert analysis.wait(120), "the analysis did not end"
    assert analysis.error == ""
    processor = make()
    processor.prepare(fmt)
    if align:
        processor.align(align)
    stems = np.concatenate([processor.process(song[i : i + 256]) for i in range(0, len(song) // 256 * 256, 256)])
    yield analysis, song, stems
    analysis.stop()


@pytest.mark.parametrize("part", [0.0, 0.001, 0.333, 0.334, 0.5, 0.77, 0.95])
def test_a_seek_equals_uninterrupted_playing_from_the_first_sample(
    analysed: tuple[SongAnalysis, Audio, Audio], part: float
) -> None:
    analysis, song, stems = analysed
    frame = int(part * len(song)) // analysis.grid * analysis.grid
    standby = analysis.prepare(frame)
    stop = min(frame + 20 * 256, len(stems) - 256)
    out = np.concatenate([standby.process(song[i : i + 256]) for i in range(frame, stop, 256)])
    assert len(out) and np.abs(out - stems[frame : frame + len(out)]).max() <= 1e-5


def test_the_whole_song_is_analysed_with_a_checkpoint_every_second(analysed: tuple[SongAnalysis, Audio, Audio]) -> None:
    analysis, song, _ = analysed
    assert analysis.analysed == len(song)
    assert len(analysis._positions) in (SONG_S - 1, SONG_S)
    assert all(position % analysis.grid == 0 for position in analysis._positions)


def test_standbys_do_not_share_their_state(analysed: tuple[SongAnalysis, Audio, Audio]) -> None:
    analysis, song, stems = analysed
    frame = len(song) // 2 // 256 * 256
    first, second = analysis.prepare(frame), analysis.prepare(frame)
    first.process(noise(2560, seed=9))
    assert np.abs(second.process(song[frame : frame + 256]) - stems[frame : frame + 256]).max() <= 1e-5


def test_memory_stays_bounded_and_seeks_exact(tiny_runtime: ModelRuntime) -> None:
    fmt = StreamFormat(44_100, 2, 256)
    song = noise(2 * 44_100)

    def make() -> Processor:
        return make_separator(tiny_runtime.sibling())

    analysis = SongAnalysis(make, song, fmt, interval_s=0.05, max_bytes=60_000)
    analysis.start()
    assert analysis.wait(120)
    assert 0 < analysis.checkpoint_bytes <= 60_000
    assert analysis._interval > 0.05 * 44_100
    processor = make()
    processor.prepare(fmt)
    stems = processor.process(song)
    frame = 77_777
    assert np.abs(analysis.prepare(frame).process(song[frame : frame + 999]) - stems[frame : frame + 999]).max() <= 1e-5


def test_a_seek_beyond_what_is_analysed_is_bounded(tiny_runtime: ModelRuntime) -> None:
    """Nothing is analysed yet: the standby has heard two seconds and works."""
    heard = []

    class Counting(SeparatorProcessor):
        def process(self, block: Audio) -> Audio:
            heard.append(len(block))
            return super().process(block)

    song = noise(20 * 16_000)
    analysis = SongAnalysis(lambda: Counting(make_frame_model(tiny_runtime.sibling())), song, StreamFormat(16_000, 2, 256))
    standby = analysis.prepare(19 * 16_000)
    assert sum(heard) == 2 * 16_000
    assert np.isfinite(standby.process(song[-256:])).all()


def test_stopping_is_prompt_and_the_thread_is_named() -> None:
    analysis = SongAnalysis(lambda: Passthrough(cost_s=0.01), noise(60 * 16_000), StreamFormat(16_000, 2, 256))
    analysis.start()
    analysis.start()
    assert sum(thread.name == "stemplay-analysis" for thread in threading.enumerate()) == 1
    analysis.stop()
    assert not any(thread.name == "stemplay-analysis" for thread in threading.enumerate())
    assert analysis.analysed < 60 * 16_000


def test_a_failure_is_told_not_raised() -> None:
    def make() -> Processor:
        raise ValueError("no model today")

    analysis = SongAnalysis(make, noise(1000), StreamFormat(16_000, 2, 256))
    analysis.start()
    assert analysis.wait(60)
    assert "no model today" in analysis.error and analysis.analysed == 0

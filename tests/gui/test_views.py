"""Live views: their mathematics against what is known, and the page on a session that plays what the test wants."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui import theme
from gui.bridge import Bridge
from gui.pages.views import ViewsPage
from gui.views.analysis import SILENT_DB, Outline, Scale, Spectrum, filter_bank, hz_to_mel, mel_to_hz
from gui.views.frame_rate import FASTEST_MS, FrameRateLimiter
from gui.views.live import RainbowView, SpectrogramView, WaveformView, note_name
from gui.views.rainbow import Rainbow
from gui.views.tap_follower import TapFollower
from models.rainbowgram import bin_frequencies, constant_q
from rtaudio.protocol.reports import TapAudio
from tests.gui.conftest import FakeSession

RATE = 44_100


def sine(hz: float, seconds: float = 1.0, level: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def pieces(sound: np.ndarray, seed: int = 0) -> list[np.ndarray]:
    cuts = np.sort(np.random.default_rng(seed).integers(0, len(sound), 25))
    return np.split(sound, cuts)


@pytest.mark.parametrize("name", ["mel", "log"])
def test_triangles_cover_the_band_and_a_tone_lies_in_its_row(name: str) -> None:
    scale = Scale.named(name, RATE)
    bank = filter_bank(scale, RATE, 4096)
    assert bank.min() == 0 and bank.max() <= 1
    bins = np.arange(2049) * RATE / 4096
    inside = (bins >= scale.frequency(1)) & (bins <= scale.frequency(scale.rows - 2))
    assert bank.sum(axis=0)[inside].min() > 0
    for hz in (1000.0, 440.0, 5000.0):
        columns = Spectrum(RATE, scale).feed(sine(hz))
        row = int(columns[30].argmax())
        assert abs(row - scale.row(hz)) <= 1.5
        assert abs(columns[30].max()) < 2.5  # dB of full scale


def test_silence_is_at_the_bottom_and_a_tenth_is_20_db_lower() -> None:
    scale = Scale.named("log", RATE)
    assert Spectrum(RATE, scale).feed(np.zeros(RATE, np.float32)).max() == pytest.approx(SILENT_DB)
    loud, soft = (Spectrum(RATE, scale).feed(sine(700, level=level))[30].max() for level in (1.0, 0.1))
    assert loud - soft == pytest.approx(20, abs=0.1)


def test_mel_scale() -> None:
    assert float(hz_to_mel(1000.0)) == pytest.approx(1000, abs=0.1)
    assert float(mel_to_hz(hz_to_mel(4321.0))) == pytest.approx(4321)


@pytest.mark.parametrize(
    "make", [lambda: Spectrum(RATE, Scale.named("log", RATE)), lambda: Outline(RATE), lambda: Rainbow(RATE)]
)
def test_columns_do_not_depend_on_how_the_sound_is_cut(make) -> None:  # type: ignore[no-untyped-def]
    sound = np.random.default_rng(2).standard_normal(RATE // 2).astype(np.float32)
    whole, parts = make(), make()
    cut = np.concatenate([parts.feed(piece) for piece in pieces(sound)])
    expected = whole.feed(sound)
    assert len(cut) == len(expected) > 20
    assert np.allclose(cut.astype(float), expected.astype(float), atol=1e-2 if expected.dtype != np.uint8 else 1.01)


def test_the_growing_rainbow_is_the_constant_q_transform() -> None:
    sound = sine(440.0, 1.5, 0.5) + sine(987.77, 1.5, 0.2)
    rainbow = Rainbow(RATE)
    found = rainbow.transform(sound)
    # Silence stands before the sound, so that the first frame ends a hop after its beginning; its middle is at ``lag``.
    padded = np.concatenate([np.zeros(2 * rainbow.lag + 1 - rainbow.hop, np.float32), sound])
    shifted = constant_q(padded[rainbow.lag % rainbow.hop :], RATE, bin_frequencies(), rainbow.hop)
    start = rainbow.lag // rainbow.hop
    mine = np.abs(found[60:80])
    theirs = np.abs(shifted[: rainbow.rows, start + 60 : start + 80].T)
    assert np.abs(mine - theirs).max() < 2e-3 * np.abs(shifted).max()
    assert int(mine[0].argmax()) == int(np.abs(bin_frequencies() - 440).argmin())


def test_a_steady_tone_keeps_its_hue_and_silence_is_black() -> None:
    rainbow = Rainbow(RATE)
    assert rainbow.feed(np.zeros(RATE, np.float32)).max() == 0
    columns = rainbow.feed(sine(float(bin_frequencies()[130]), 2.0))[-30:]
    row = columns[:, 130].astype(int)
    assert row.max() > 200 and np.ptp(row, axis=0).max() < 25


def test_names_of_notes() -> None:
    assert [note_name(hz) for hz in (440.0, 261.63, 27.5, 466.2)] == ["A4", "C4", "A0", "A♯4"]


def test_a_feed_follows_and_tells_of_gaps_and_of_another_life(bridge: Bridge, session: FakeSession) -> None:
    feed = TapFollower(bridge)
    assert feed.read() is None
    session.sound["mix"] = np.ones((1000, 2), np.float32)
    first = feed.read()
    assert first is not None and first.skipped is None and len(first.samples) == 1000
    session.sound["mix"] = np.ones((1500, 2), np.float32)
    second = feed.read()
    assert second is not None and second.skipped == 0 and len(second.samples) == 500
    session.sound["mix"] = np.ones((10 * RATE, 2), np.float32)
    third = feed.read()
    assert third is not None and third.skipped == 6 * RATE - 1500 and len(third.samples) == 4 * RATE


def test_a_feed_goes_on_with_an_engine_that_was_restarted(
    bridge: Bridge, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = TapFollower(bridge)
    session.sound["mix"] = np.ones((5000, 2), np.float32)
    assert feed.read() is not None
    fresh = np.full((700, 2), 0.5, np.float32)

    def hear(source: str, after: int | None = None, seconds: float = 4.0) -> TapAudio:
        start = min(after or 0, len(fresh))
        return TapAudio(RATE, start, fresh[start:], "another")

    monkeypatch.setattr(session, "hear", hear)
    new = feed.read()
    assert new is not None and new.skipped is None and len(new.samples) == 700
    again = feed.read()
    assert again is not None and again.skipped == 0 and not len(again.samples)


def test_the_pace_slows_when_drawing_costs_much() -> None:
    pace = FrameRateLimiter()
    for _ in range(15):
        with pace.work():
            begun = time.thread_time()
            while time.thread_time() - begun < 0.008:
                pass
        pace.look()
    assert pace.interval_ms > FASTEST_MS
    for _ in range(15):
        with pace.work():
            pass
        pace.look()
    assert pace.interval_ms == FASTEST_MS


# --- the page ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, session: FakeSession) -> ViewsPage:
    for name, hz in (("mix", 1000), ("vocals", 3000), ("instrument", 440)):
        session.sound[name] = np.stack([sine(hz, 3, 0.1)] * 2, axis=1)
    bridge.poll()
    page = ViewsPage(bridge)
    qtbot.addWidget(page)
    page.resize(900, 500)
    page.show()
    page._timer.stop()  # the test looks by itself
    return page


def brightest_row(page: ViewsPage) -> int:
    image = page.view.plot.image
    assert image is not None
    column = image.pixels[:, (image.next - 5) % image.columns].astype(np.int64)
    channels = np.stack([(column >> shift) & 255 for shift in (0, 8, 16)])
    value = channels.max(axis=0) if isinstance(page.view, RainbowView) else channels.sum(axis=0)
    return int(value.argmax())


def test_the_spectrogram_shows_a_tone_where_its_axis_says(page: ViewsPage) -> None:
    page.look()
    view = page.view
    assert isinstance(view, SpectrogramView)
    assert abs(brightest_row(page) - view.scale().row(1000)) <= 1.5
    page.source.setCurrentIndex(page.source.findData("vocals"))
    page.look()
    assert abs(brightest_row(page) - view.scale().row(3000)) <= 1.5
    page.scale.setCurrentIndex(page.scale.findData("mel"))
    page.look()
    assert view.scale().mel and abs(brightest_row(page) - view.scale().row(3000)) <= 1.5


def test_the_mouse_reads_frequency_level_and_age(page: ViewsPage) -> None:
    page.look()
    view = page.view
    assert isinstance(view, SpectrogramView)
    view.plot.pointed.emit(-0.5, view.scale().row(1000) + 0.5)
    assert "kHz (B5)" in page.readout.text() or "Hz (B5)" in page.readout.text()
    assert "0.5 s" in page.readout.text() and "dB" in page.readout.text()
    view.plot.left.emit()
    assert not page.readout.text()


def test_freezing_holds_the_picture_and_a_new_range_or_theme_repaints_it(
    page: ViewsPage, qtbot: QtBot, session: FakeSession
) -> None:
    page.look()
    image = page.view.plot.image
    assert image is not None
    qtbot.mouseClick(page.freeze, Qt.MouseButton.LeftButton)
    before = image.pixels.copy()
    session.sound["mix"] = np.concatenate([session.sound["mix"], np.zeros((RATE, 2), np.float32)])
    page.look()
    assert np.array_equal(image.pixels, before)
    page.range.setCurrentIndex(page.range.findData(40))
    assert not np.array_equal(image.pixels, before)
    ranged = image.pixels.copy()
    try:
        theme.use("light")
        page.view.follow_theme()
        assert not np.array_equal(image.pixels, ranged)
    finally:
        theme.use("dark")
        page.view.follow_theme()
    qtbot.mouseClick(page.freeze, Qt.MouseButton.LeftButton)
    page.look()
    assert not np.array_equal(image.pixels, ranged)


def test_rainbowgram_and_waveform_draw_the_source_chosen(page: ViewsPage, qtbot: QtBot) -> None:
    qtbot.mouseClick(page.buttons["rainbowgram"], Qt.MouseButton.LeftButton)
    assert isinstance(page.view, RainbowView) and page.source.currentData() == "instrument"
    page.look()
    assert abs(brightest_row(page) - int(np.abs(bin_frequencies() - 440).argmin())) <= 1
    qtbot.mouseClick(page.buttons["waveform"], Qt.MouseButton.LeftButton)
    assert isinstance(page.view, WaveformView)
    page.look()
    image = page.view.plot.image
    assert image is not None
    assert len(np.unique(image.pixels[:, image.next - 1])) <= 3  # background, line and its edge
    page.grab()


def test_a_page_without_sound_says_so(page: ViewsPage, session: FakeSession) -> None:
    session.sound.clear()
    session.report.state = "stopped"
    page.bridge.poll()
    for _ in range(31):
        page.look()
    assert "does not run" in page.readout.text()


def test_a_hidden_page_asks_for_nothing(page: ViewsPage) -> None:
    page.show()
    page.hide()
    assert not page._timer.isActive()

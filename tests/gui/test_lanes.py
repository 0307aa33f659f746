"""The song in lanes: peaks at any zoom, what is in sight, mute and solo from the lanes, and that only what changed is painted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PyQt6.QtGui import QColor, QPaintEvent, QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui import theme
from gui.bridge import Bridge
from gui.mixer_model import mixer_model_of
from gui.pages.player import PlayerPage
from gui.player.lanes.geometry import Geometry
from gui.player.lanes.peaks import Peaks
from gui.player.lanes.picture import lane_picture
from gui.player.lanes.viewport import CLOSEST_S, FOLLOW_TO, Viewport
from gui.player.player_model import player_model_of
from rtaudio.jobs.peaks import FACTOR, GRAIN, PeakLevels
from rtaudio.protocol.reports import Transport
from tests.gui.conftest import FakeSession
from tests.gui.test_jobs import write_song

RATE = 8000
STEMS = ["drums", "bass", "other", "vocals"]


def facts(sound: np.ndarray, **more: Any) -> dict[str, Any]:
    """What the job tells of ``(frames, 4, channels)``."""
    peaks = PeakLevels(sound.shape[1])
    peaks.add(sound)
    peaks.finish()
    told = {"stems": STEMS, "rate": RATE, "grain": GRAIN, "factor": FACTOR, "done": len(sound), "total": len(sound)}
    return {**told, "levels": peaks.news(), **more}


def stems(seconds: float) -> np.ndarray:
    """The first stem sounds in the first quarter, the second one in the second, and so on."""
    frames = round(seconds * RATE)
    sound = np.zeros((frames, 4, 1), np.float32)
    tone = 0.5 * np.sin(2 * np.pi * 100 * np.arange(frames) / RATE)
    for number in range(4):
        part = slice(number * frames // 4, (number + 1) * frames // 4)
        sound[part, number, 0] = tone[part]
    return sound


# ---------------------------------------------------------------- peaks and picture


def test_columns_of_any_zoom_are_those_of_the_samples() -> None:
    sound = np.random.default_rng(1).uniform(-0.8, 0.8, (200_000, 4, 1)).astype(np.float32)
    sound[150_000, 2] = 0.95
    told = facts(sound)
    peaks = Peaks.told(told, STEMS)
    assert peaks is not None
    peaks.add(told["levels"])
    assert peaks.known_s == pytest.approx(200_000 / RATE, abs=GRAIN / RATE) and peaks.loudest == pytest.approx(0.95, abs=0.01)
    for first, last, count in ((0.0, 25.0, 500), (18.0, 20.0, 900), (18.7, 18.8, 10), (0.0, 25.0, 3)):
        columns = peaks.columns("other", first, last, count)
        assert columns.shape == (count, 3)
        number = int((150_000 / RATE - first) / (last - first) * count)
        assert columns[max(0, number - 1) : number + 2, 1].max() == pytest.approx(0.95, abs=0.01), (first, last)
        assert (columns[:, 0] <= -columns[:, 2] + 0.8).all() and (columns[:, 1] >= columns[:, 2] - 0.02).all()
    assert len(peaks.columns("other", 0.0, 50.0, 1000)) in (500, 501), "only what is known"
    assert len(peaks.columns("piano", 0.0, 25.0, 10)) == 0
    assert len(peaks.columns("drums", 30.0, 35.0, 10)) == 0


def test_what_a_job_should_not_tell_is_left_out() -> None:
    assert Peaks.told({"rate": 0, "grain": 256, "factor": 4}, STEMS) is None
    assert Peaks.told({"rate": "8000"}, STEMS) is None
    peaks = Peaks(STEMS, RATE, GRAIN, FACTOR)
    peaks.add(["§"])
    peaks.add(["AAAA"])  # a part of a column
    assert peaks.known_s == 0.0


def test_a_lane_s_picture_is_symmetrical_has_its_colours_and_fades_where_it_is_not_heard() -> None:
    columns = np.array([[-1, 1, 0.5]] * 6 + [[0, 0, 0]] * 5, np.float32)
    image = lane_picture(columns, 101, "#ff0000", "#000000")
    assert (image.width(), image.height()) == (11, 101)
    rows = [QColor(image.pixel(2, y)).name() for y in range(101)]
    assert rows[50] == "#ff0000" and rows == rows[::-1] and rows[10] not in ("#000000", "#ff0000")
    assert QColor(image.pixel(8, 50)).name() != "#000000" and QColor(image.pixel(8, 45)).name() == "#000000", "silence is a line"
    faint = lane_picture(columns, 101, "#ff0000", "#000000", heard=False)
    assert 0 < QColor(faint.pixel(2, 50)).red() < 128
    assert not lane_picture(np.zeros((0, 3), np.float32), 5, "#ff0000", "#000000").isNull()


def test_lanes_share_the_height_without_a_gap() -> None:
    geometry = Geometry(800, 263, 4, markers=True, loops=True)
    edges = [(geometry.lane(k).top(), geometry.lane(k).bottom()) for k in range(4)]
    assert edges[0][0] == geometry.body.top() and edges[3][1] == geometry.body.bottom()
    assert all(edges[k][1] == edges[k + 1][0] for k in range(3))
    assert geometry.lane_at(edges[2][0]) == 2 and geometry.lane_at(3) is None


# ---------------------------------------------------------------- what is in sight


@pytest.fixture
def viewport(qapp: QApplication) -> Viewport:
    viewport = Viewport()
    viewport.width = 1000
    viewport.set_length(100.0)
    return viewport


def test_zoom_keeps_what_is_under_the_pointer_and_has_ends(viewport: Viewport) -> None:
    x = viewport.x_of(30.0)
    viewport.zoom_by(4.0, 30.0)
    assert viewport.span_s == 25.0 and viewport.x_of(30.0) == pytest.approx(x) and viewport.zoom == 4.0
    assert viewport.seconds_at(x) == pytest.approx(30.0)
    viewport.zoom_by(1e9, 30.0)
    assert viewport.span_s == CLOSEST_S
    viewport.zoom_by(1e-9, 30.0)
    assert (viewport.first_s, viewport.span_s) == (0.0, 100.0) and not viewport.zoomed
    viewport.show_part(40.0, 50.0)
    assert (viewport.first_s, viewport.last_s) == (39.0, 51.0)
    viewport.set_length(250.0)
    assert (viewport.first_s, viewport.span_s) == (0.0, 250.0), "another song is shown as a whole"


def test_it_follows_the_playhead_by_pages_but_not_against_the_hand(viewport: Viewport) -> None:
    turns: list[float] = []
    viewport.zoom_by(10.0, 0.0)
    viewport.changed.connect(lambda: turns.append(viewport.first_s))
    for tenth in range(0, 1000):
        viewport.follow(tenth / 10, playing=True)
        assert viewport.first_s <= tenth / 10 <= viewport.last_s
    assert 9 <= len(turns) <= 13, "a page, not a pixel, at a time"
    viewport.scroll_to(20.0)
    viewport.follow(95.0, playing=True)
    assert viewport.first_s == 20.0, "the person looks elsewhere"
    viewport.follow(21.0, playing=True)
    viewport.follow(29.9, playing=True)
    assert viewport.first_s == pytest.approx(29.9 - FOLLOW_TO * 10), "it follows again once the playhead was in sight"
    viewport.following = False
    viewport.follow(80.0, playing=True)
    assert viewport.first_s < 30.0


# ---------------------------------------------------------------- the page


@pytest.fixture
def page(bridge: Bridge, session: FakeSession, tmp_path: Path, qtbot: QtBot, qapp: QApplication) -> PlayerPage:
    """A song of 40 s whose stems are known."""
    theme.apply(qapp, "dark")
    song = tmp_path / "song.wav"
    song.touch()
    bridge.configure(input=str(song))
    session.report.transport = Transport(str(song), True, 10.0, 40.0, None, 20.0)
    mix = PeakLevels(1)
    mix.add(stems(40.0).sum(axis=1, keepdims=True))
    picture = {"path": str(song), "share": 1.0, "rate": RATE, "channels": 1, "seconds": 40.0, "grain": GRAIN, "factor": FACTOR}
    player_model_of(bridge).picture = {**picture, "levels": mix.news(), "peaks": [[-0.5, 0.5, 0.3]] * 100}
    page = PlayerPage(bridge)
    qtbot.addWidget(page)
    page.resize(1100, 640)
    page.show()
    bridge.poll()
    assert page.board.source.mix is not None
    give(page, stems(40.0))
    session.commands.clear()
    return page


def give(page: PlayerPage, sound: np.ndarray, total: int | None = None) -> None:
    """The job tells of these stems."""
    source = page.board.source
    source._job = job = object()  # type: ignore[assignment]
    told = facts(sound)
    source._take(job, told | ({"total": total} if total else {}), done=total is None)  # type: ignore[arg-type]
    source._job = None


def bright(page: PlayerPage, lane: int, share: float) -> bool:
    """Whether there is a waveform in a lane, at this share of the width."""
    area, image = page.wave.places.lane(lane), page.wave.grab().toImage()
    ratio = image.width() / page.wave.width()
    x, y = round(share * page.wave.width() * ratio), round((area.center().y() - area.height() * 0.2) * ratio)
    return QColor(image.pixel(x, y)).name() != theme.current().panel


def test_each_stem_is_in_its_lane_and_the_mix_is_where_stems_are_not_known(page: PlayerPage) -> None:
    for number in range(4):
        assert [bright(page, number, share) for share in (0.12, 0.4, 0.6, 0.9)] == [k == number for k in range(4)]
    page.board.source.stems = None
    page.board.source.share = 0.0
    give(page, stems(40.0)[: 20 * RATE], total=40 * RATE)
    assert not bright(page, 3, 0.4) and bright(page, 1, 0.4)
    image = page.wave.grab().toImage()
    middle = round(page.wave.places.body.center().y() * image.width() / page.wave.width())
    assert QColor(image.pixel(image.width() - 40, middle - 30)).name() != theme.current().panel, "the mix, over all lanes"
    assert page.board.source.share == 0.5


def test_a_click_on_a_head_mutes_shift_solos_and_both_are_undone(page: PlayerPage, bridge: Bridge, session: FakeSession) -> None:
    head, undo = page.board.heads.heads[3], mixer_model_of(bridge).undo
    assert [h.name.text() for h in page.board.heads.heads] == ["Drums", "Bass", "Other", "Vocals"]
    QTest.mouseClick(head, Qt.MouseButton.LeftButton, pos=QPoint(30, 6))
    assert session.desired.mixer.stems["vocals"].mute and head.mute.isChecked() and not page.wave.lanes[3].heard
    undo.undo()
    assert not session.desired.mixer.stems["vocals"].mute and page.wave.lanes[3].heard
    QTest.mouseClick(head, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, QPoint(30, 6))
    assert [lane.heard for lane in page.wave.lanes] == [False, False, False, True]
    QTest.keyClick(head.solo, Qt.Key.Key_S)
    assert all(lane.heard for lane in page.wave.lanes)
    QTest.keyClick(head.mute, Qt.Key.Key_M)
    assert session.desired.mixer.stems["vocals"].mute


def test_keys_choose_a_lane_mute_it_and_tell_a_screen_reader(page: PlayerPage, session: FakeSession) -> None:
    wave = page.wave
    wave.setFocus()
    QTest.keyClick(wave, Qt.Key.Key_M)
    assert not session.commands, "no lane is chosen"
    QTest.keyClick(wave, Qt.Key.Key_Down)
    QTest.keyClick(wave, Qt.Key.Key_Down)
    QTest.keyClick(wave, Qt.Key.Key_M)
    QTest.keyClick(wave, Qt.Key.Key_S)
    assert session.desired.mixer.stems["bass"].mute and session.desired.mixer.stems["bass"].solo
    assert "lane Bass, not heard" in wave.accessibleDescription() and "0:10 of 0:40" in wave.accessibleDescription()
    page.board.zoom(2)
    QTest.keyClick(wave, Qt.Key.Key_Up)
    assert "in sight" in wave.accessibleDescription() and "lane Drums" in wave.accessibleDescription()


def test_wheel_keys_and_buttons_zoom_and_scroll(page: PlayerPage, qtbot: QtBot) -> None:
    wave, viewport = page.wave, page.board.viewport

    def wheel(steps: int, modifier: Qt.KeyboardModifier) -> None:
        at = QPointF(wave.width() / 2, 60)
        QApplication.sendEvent(wave, QWheelEvent(
            at, QPointF(wave.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, 120 * steps), Qt.MouseButton.NoButton, modifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        ))  # fmt: skip

    wheel(2, Qt.KeyboardModifier.ControlModifier)
    assert viewport.zoom == pytest.approx(1.5**2) and viewport.x_of(20.0) == pytest.approx(wave.width() / 2, abs=1)
    assert page.board.bar.isVisible() and page.board.bar.maximum() > 0
    before = viewport.first_s
    wheel(-1, Qt.KeyboardModifier.ShiftModifier)
    assert viewport.first_s > before
    page.board.bar.setValue(0)
    assert viewport.first_s == 0.0
    page.tools.fit.click()
    assert not viewport.zoomed and not page.board.bar.isVisible() and not page.tools.fit.isEnabled()
    for keys in ("Ctrl++", "Ctrl+=", "Ctrl+-"):
        QTest.keySequence(page, keys)
    assert viewport.zoom == pytest.approx(1.5)
    QTest.keySequence(page, "Ctrl+0")
    assert not viewport.zoomed


class Painted(QObject):
    """Collects the areas that a widget is asked to paint."""

    def __init__(self) -> None:
        super().__init__()
        self.areas: list[int] = []

    def eventFilter(self, widget: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        if isinstance(event, QPaintEvent):
            self.areas.append(event.rect().width() * event.rect().height())
        return False


def test_while_it_plays_only_the_playhead_is_painted(page: PlayerPage, bridge: Bridge, session: FakeSession, qtbot: QtBot) -> None:
    QApplication.processEvents()
    page.wave.repaint()
    painted, pictures = Painted(), page.wave.canvas.painted
    page.wave.installEventFilter(painted)
    for step in range(20):
        session.report.transport.position_s = 10.0 + step / 5
        bridge.poll()
        QApplication.processEvents()
    whole = page.wave.width() * page.wave.height()
    assert len(painted.areas) >= 15 and max(painted.areas) < 0.08 * whole, "two stripes"
    assert page.wave.canvas.painted == pictures, "the waveforms are not drawn again"


def test_the_user_may_want_no_stems_and_another_song_ends_their_search(
    bridge: Bridge, session: FakeSession, tmp_path: Path, qtbot: QtBot
) -> None:
    bridge.store.preferences.layout["lanes"] = True
    songs = [write_song(tmp_path / f"{name}.wav", seconds=60.0, rate=RATE) for name in "ab"]
    bridge.configure(input=str(songs[0]))
    session.report.transport = Transport(str(songs[0]), True, 0.0, 60.0)
    page = PlayerPage(bridge)
    qtbot.addWidget(page)
    page.show()
    bridge.poll()
    source = page.board.source
    qtbot.waitUntil(lambda: source.working)
    first = source._job
    assert first is not None and page.tools.stems.isChecked() and "%" in page.tools.stems.text()
    bridge.configure(input=str(songs[1]))
    session.report.transport.path = str(songs[1])
    bridge.poll()
    assert first.cancelled and source.stems is None
    qtbot.waitUntil(lambda: source.working and source._job is not first)
    second = source._job
    page.tools.stems.click()
    assert second is not None and second.cancelled and not source.working and not source.wanted and page.tools.stems.text() == "Stems"
    bridge.store.preferences.layout["lanes"] = True
    bridge.configure(input=str(songs[1]), model="none")
    bridge.poll()
    assert not source.working, "without a model nothing can be separated"

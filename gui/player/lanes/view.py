"""The song's picture: times, markers, named loops, the waveforms of the stems (where they are unknown: of the mix), loop and playhead.

A click seeks, a drag sets the loop; edges of the loop, and markers, can be dragged; a click on a named loop plays it. Ctrl and the wheel
zoom, Shift and the wheel scroll. Keys: see ``gui.shortcuts.GESTURES``. Only what has changed is painted: while the song plays, two stripes
as wide as the playhead, until the page turns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from gui.player.lanes.canvas import Canvas, LaneStyle, paint_note
from gui.player.lanes.geometry import FOOT, LEAST_LANE, RULER, Geometry
from gui.player.lanes.overlay import HEAD, HINT, Overlay
from gui.player.lanes.source import StemSource
from gui.player.lanes.viewport import ZOOM_STEP, Viewport
from gui.player.marks import SongMarks
from gui.player.player_model import PlayerModel
from gui.player.seek import STEP_MS
from gui.player.times import clock
from gui.song_notes import Marker, SavedLoop
from rtaudio.protocol.reports import Snapshot

DRAG_PX = 5
GRIP_PX = 6
WHEEL = 120
"""What Qt calls one step of a wheel."""


class LaneView(QWidget):
    """See the module's docstring.

    Attributes:
        snap: moves the ends of loops that are dragged, for instance to the nearest bar; as it is, where they are let go.

    Signals:
        shaped(): the rows above the lanes have come or gone.
        lane_acted(int, str): a key for a lane: ``mute`` or ``solo``.
        rename_wanted(object): a Marker or a SavedLoop.
        menu_wanted(object, QPoint): of a Marker, a SavedLoop or a position in seconds; where on the screen.
    """

    shaped = pyqtSignal()
    lane_acted = pyqtSignal(int, str)
    rename_wanted = pyqtSignal(object)
    menu_wanted = pyqtSignal(object, QPoint)

    def __init__(self, model: PlayerModel, source: StemSource, marks: SongMarks, viewport: Viewport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.player_model, self.source, self.marks, self.viewport = model, source, marks, viewport
        self.snap: Callable[[float], float] = lambda seconds: seconds
        self.lanes: tuple[LaneStyle, ...] = ()
        self.lane: int | None = None
        """The lane that M and S apply to."""
        self.canvas = Canvas(source, viewport)
        self.setAccessibleName(self.tr("Picture of the song"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._pressed: float | None = None  # in seconds
        self._dragged: tuple[float, float] | None = None
        self._marker: tuple[Marker, float] | None = None
        self._hover: float | None = None
        self._shown: tuple[float, float] = (-1.0, -1.0)
        self._told = ""
        self._geometry = Geometry(1, 1)
        self._reshape()
        viewport.set_length(self.length)
        viewport.changed.connect(self.update)
        model.picture_changed.connect(self._resized_song)
        model.changed.connect(self._resized_song)
        source.changed.connect(self.update)
        marks.changed.connect(self._marks_changed)
        model.bridge.snapshot_changed.connect(self._follow)

    # -- places -------------------------------------------------------------------------------------------------------------

    @property
    def length(self) -> float:
        """Length of the song in seconds."""
        return self.player_model.transport.length_s

    @property
    def places(self) -> Geometry:
        """Where things are."""
        return self._geometry

    def seconds_at(self, x: float) -> float:
        """The position in the song at a pixel."""
        return self.viewport.seconds_at(x)

    def x_of(self, seconds: float) -> float:
        """The pixel of a position."""
        return self.viewport.x_of(seconds)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's names here and below
        return QSize(800, 260)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(160, RULER + FOOT + LEAST_LANE * max(3, len(self.lanes)))

    def show_lanes(self, lanes: Sequence[LaneStyle]) -> None:
        """Show these lanes, from above."""
        if tuple(lanes) != self.lanes:
            self.lanes = tuple(lanes)
            if self.lane is not None and self.lane >= len(self.lanes):
                self.lane = None
            self.updateGeometry()
            self._reshape()
            self.describe()

    def _reshape(self) -> None:
        geometry = Geometry(
            max(1, self.width()), max(1, self.height()), max(1, len(self.lanes)), bool(self.marks.markers), bool(self.marks.loops)
        )
        self.viewport.width = geometry.width
        if geometry != self._geometry:
            self._geometry = geometry
            self.shaped.emit()
        self.update()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._reshape()

    def _marks_changed(self) -> None:
        self._reshape()

    def _resized_song(self) -> None:
        self.viewport.set_length(self.length)
        self.update()

    # -- following ----------------------------------------------------------------------------------------------------------

    def _follow(self, snapshot: Snapshot) -> None:
        """Repaint what has moved by a pixel."""
        transport = snapshot.transport
        if transport.length_s != self.viewport.length_s:
            self.viewport.set_length(transport.length_s)
        if not self.isVisible():
            return
        self.viewport.follow(transport.position_s, transport.playing)
        shown = (round(self.x_of(transport.position_s)), round(self.x_of(transport.analysed_s)))
        if shown == self._shown:
            return
        before, self._shown = self._shown, shown
        for x in {before[0], shown[0]}:
            self._update_stripe(x)
        if shown[1] != before[1]:
            self.update(0, self.height() - FOOT, self.width(), FOOT)
        self.describe()

    def _update_stripe(self, x: float, right: int = HEAD + 2) -> None:
        if -HEAD <= x <= self.width() + HEAD:
            self.update(int(x) - HEAD - 1, 0, HEAD + 1 + right, self.height())

    def describe(self) -> None:
        """Tell a screen reader position, zoom and lane, once a second at most."""
        transport = self.player_model.transport
        text = self.tr("{} of {}").format(clock(transport.position_s), clock(transport.length_s))
        if self.viewport.zoomed:
            part = (clock(self.viewport.first_s), clock(self.viewport.last_s))
            text = f"{text}, {self.tr('{} to {} in sight').format(*part)}"
        if self.lane is not None and self.lane < len(self.lanes):
            lane = self.lanes[self.lane]
            text = f"{text}, {(self.tr('lane {}') if lane.heard else self.tr('lane {}, not heard')).format(lane.title or lane.name)}"
        if text != self._told:
            self._told = text
            self.setAccessibleDescription(text)

    # -- mouse --------------------------------------------------------------------------------------------------------------

    def under(self, x: float, y: float) -> Marker | SavedLoop | None:
        """The marker's flag or the named loop's bar at a point."""
        painter = QPainter()
        overlay = Overlay(painter, self._geometry, self.viewport, QRectF(self.rect()))
        if self._geometry.marker_row.contains(x, y):
            found = [m for m in self.marks.markers if -3 <= x - self.x_of(m.at_s) <= 24 or self._on_flag(m, x)]
            return min(found, key=lambda m: abs(x - self.x_of(m.at_s)), default=None)
        if self._geometry.loop_row.contains(x, y):
            hits = [loop for loop in self.marks.loops if overlay.loop_box(loop).left() <= x <= overlay.loop_box(loop).right()]
            return min(hits, key=lambda loop: loop.end_s - loop.start_s, default=None)
        return None

    def _on_flag(self, marker: Marker, x: float) -> bool:
        width = self.fontMetrics().horizontalAdvance(marker.name)
        return 0 <= x - self.x_of(marker.at_s) <= width

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is None or event.button() != Qt.MouseButton.LeftButton or not self.player_model.has_song:
            return
        at, hit = event.position().x(), self.under(event.position().x(), event.position().y())
        if isinstance(hit, Marker):
            self._marker, self._pressed = (hit, hit.at_s), None
            return
        if isinstance(hit, SavedLoop):
            self.marks.play_loop(hit)
            return
        self._pressed = self.seconds_at(at)
        for x, other in self._grips():  # an edge that is gripped moves, the other one stays
            if abs(at - x) <= GRIP_PX:
                self._pressed = other
        lane = self._geometry.lane_at(event.position().y())
        if lane is not None and len(self.lanes) > 1:
            self.choose_lane(lane)

    def _grips(self) -> list[tuple[float, float]]:
        """Pixels of the loop's edges, each with the seconds of the other edge."""
        loop = self.player_model.transport.loop
        return [(self.x_of(loop[0]), loop[1]), (self.x_of(loop[1]), loop[0])] if loop is not None else []

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is None:
            return
        at = event.position().x()
        self._move_hover(at)
        if self._marker is not None:
            marker, _ = self._marker
            if abs(at - self.x_of(marker.at_s)) >= DRAG_PX or self._marker[1] != marker.at_s:
                self._marker = (marker, self.seconds_at(at))
                self.update()
        elif self._pressed is not None and (self._dragged is not None or abs(at - self.x_of(self._pressed)) >= DRAG_PX):
            first, last = sorted((self._pressed, self.seconds_at(at)))
            self._dragged = (self.snap(first), self.snap(last))
            self.update()
        near = any(abs(at - x) <= GRIP_PX for x, _ in self._grips())
        over = self.under(at, event.position().y()) is not None
        self.setCursor(
            Qt.CursorShape.SizeHorCursor if near else Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor
        )

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        pressed, dragged, marker = self._pressed, self._dragged, self._marker
        self._pressed = self._dragged = self._marker = None
        if marker is not None:
            if marker[1] == marker[0].at_s:
                self.marks.choose_marker(marker[0])
            else:
                self.marks.move_marker(*marker)
        elif dragged is not None:
            self.marks.set_loop(*dragged)
        elif pressed is not None and event is not None:
            self.player_model.seek(self.seconds_at(event.position().x()))
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        hit = self.under(event.position().x(), event.position().y()) if event is not None else None
        if hit is not None:
            self._marker = None
            self.rename_wanted.emit(hit)
        else:
            self.mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:  # noqa: N802
        if event is None or not self.player_model.has_song:
            return
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            at: Marker | SavedLoop | float = self.marks.chosen or self.player_model.transport.position_s
            place = QPoint(round(min(max(0.0, self.x_of(self.player_model.transport.position_s)), self.width())), RULER)
        else:
            place = event.pos()
            at = self.under(place.x(), place.y()) or self.seconds_at(place.x())
        self.menu_wanted.emit(at, self.mapToGlobal(place))

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802
        if event is None:
            return
        turned = event.angleDelta().y() / WHEEL
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.viewport.zoom_by(ZOOM_STEP**turned, self.seconds_at(event.position().x()))
        elif self.viewport.zoomed and (event.modifiers() & Qt.KeyboardModifier.ShiftModifier or event.angleDelta().x()):
            self.viewport.scroll_to(self.viewport.first_s - (event.angleDelta().x() / WHEEL or turned) * self.viewport.span_s / 8)
        else:
            event.ignore()  # the page scrolls
            return
        event.accept()

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802
        self._move_hover(None)

    def _move_hover(self, x: float | None) -> None:
        for at in (self._hover, x):
            if at is not None:
                self.update(QRectF(at - HINT - 8, 0, 2 * HINT + 16, self.height()).toAlignedRect())
        self._hover = x

    # -- keys ---------------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        if event is None:
            return
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        act = self._acts(shift).get(Qt.Key(event.key()))
        if act is None or event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            super().keyPressEvent(event)
        else:
            act()

    def _acts(self, shift: bool) -> dict[Qt.Key, Callable[[], object]]:
        model, step, span, chosen = self.player_model, STEP_MS / 1000, self.viewport.span_s, self.marks.chosen
        acts: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_Left: lambda: model.nudge(-step), Qt.Key.Key_Right: lambda: model.nudge(step),
            Qt.Key.Key_Home: lambda: model.seek(0.0), Qt.Key.Key_End: lambda: model.seek(self.length),
            Qt.Key.Key_PageUp: lambda: self.viewport.scroll_to(self.viewport.first_s - span),
            Qt.Key.Key_PageDown: lambda: self.viewport.scroll_to(self.viewport.first_s + span),
            Qt.Key.Key_Up: lambda: self.step_lane(-1), Qt.Key.Key_Down: lambda: self.step_lane(1),
            Qt.Key.Key_A: model.set_a, Qt.Key.Key_B: model.set_b, Qt.Key.Key_Delete: model.clear_loop,
            Qt.Key.Key_Space: model.toggle_play,
        }  # fmt: skip
        if self.lane is not None:
            lane = self.lane
            acts[Qt.Key.Key_M] = lambda: self.lane_acted.emit(lane, "mute")
            acts[Qt.Key.Key_S] = lambda: self.lane_acted.emit(lane, "solo")
        if chosen is not None:
            acts[Qt.Key.Key_F2] = lambda: self.rename_wanted.emit(chosen)
            if shift:
                acts[Qt.Key.Key_Delete] = lambda: self.marks.remove_marker(chosen)
                acts[Qt.Key.Key_Left] = lambda: self.marks.move_marker(chosen, chosen.at_s - 0.1)
                acts[Qt.Key.Key_Right] = lambda: self.marks.move_marker(chosen, chosen.at_s + 0.1)
        return acts

    def choose_lane(self, number: int | None) -> None:
        """Let M and S apply to a lane."""
        if number != self.lane:
            self.lane = number
            self.describe()
            self.update()

    def step_lane(self, step: int) -> None:
        """Choose the lane below or above."""
        if self.lanes:
            first = 0 if step > 0 else len(self.lanes) - 1
            self.choose_lane(first if self.lane is None else min(max(0, self.lane + step), len(self.lanes) - 1))

    # -- painting -----------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        clip = event.rect() if event is not None else self.rect()
        transport, geometry, ratio = self.player_model.transport, self._geometry, self.devicePixelRatioF()
        painter = QPainter(self)
        pixmap = self.canvas.pixmap(geometry, self.lanes, ratio)
        painter.drawPixmap(QRectF(clip), pixmap, QRectF(clip.x() * ratio, clip.y() * ratio, clip.width() * ratio, clip.height() * ratio))
        overlay = Overlay(painter, geometry, self.viewport, QRectF(clip))
        if self.source.mix is None and not self.player_model.peaks():
            reading = self.player_model.pending
            paint_note(painter, geometry.body, self.tr("Looking through the song …") if reading else self.tr("The song is being loaded …"))
        overlay.loop(self._dragged or transport.loop, self.player_model.mark if self._dragged is None else None)
        overlay.loops(self.marks.loops, self.marks.playing_loop)
        overlay.markers(self.marks.markers, self.marks.chosen, self._marker)
        overlay.analysed(min(transport.analysed_s, self.length))
        if self.player_model.has_song and self.length:
            overlay.playhead(transport.position_s)
            if self._hover is not None:
                overlay.pointer(self._hover)
        overlay.frame(self.lane if len(self.lanes) > 1 else None, self.hasFocus())

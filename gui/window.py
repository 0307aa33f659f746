"""The main window: tabs and global buttons at the top, the page, transport and status bar at the bottom."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from PyQt6.QtCore import QEventLoop, QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui import health, theme
from gui.bridge import Bridge
from gui.mixer_model import mixer_model_of
from gui.pages import PAGES, first_page
from gui.pages.tabs import LabTab, page_tab
from gui.player.drop import SongDrop
from gui.player.player_model import player_model_of
from gui.player.recent import RecentMenu
from gui.player.transport import TransportBar
from gui.presets import PresetMenu
from gui.settings.dialog import SettingsDialog
from gui.shortcuts import TABLE, bind, translated
from gui.widgets.flow import FlowLayout
from gui.widgets.learn import learnable
from gui.widgets.notice import NoticeBar
from gui.widgets.plain import PlainLabel
from gui.widgets.statusbar import StatusBar
from gui.widgets.toggle import Toggle, polish
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.reports import Snapshot

SIZE = (1240, 760)
NARROW = 960
"""Width in pixels below which the tabs become a list."""


class MainWindow(QMainWindow):
    """Everything in one window.

    Args:
        bridge: the engine.

    Signals:
        closing(): the window is about to close.
    """

    closing = pyqtSignal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge, self.mixer_model = bridge, mixer_model_of(bridge)
        self.keep_playing = bridge.store.preferences.layout.get("keep_playing") is True
        if self.keep_playing:
            bridge.stay(True)
        self._restarts: int | None = None
        self._running: bool | None = None
        self._told = ""
        self._settings: SettingsDialog | None = None
        self.setWindowTitle("Stemplay")
        self._resize_as_left()
        self.setMinimumSize(480, 320)
        self.pages: dict[str, QWidget] = {}
        self.tabs: dict[str, QPushButton] = {}
        self._handlers = self._make_handlers()
        self.menu = self._make_menu()
        root = QWidget()
        root.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # a click beside the controls takes the focus from a text field
        column = QVBoxLayout(root)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.notice = NoticeBar(root)
        self.stack = QStackedWidget()
        self.status = StatusBar()
        self.status.cleared.connect(lambda: bridge.send("reset_counters"))
        self.status.asked.connect(lambda fact: self.notice.tell(fact.sentence, "good"))
        column.addWidget(self._make_header())
        self.notice.acted.connect(self._take_offer)
        column.addWidget(self.stack, 1)
        self.footer = QVBoxLayout()
        self.footer.setContentsMargins(0, 0, 0, 0)
        self.footer.addWidget(TransportBar(bridge))
        column.addLayout(self.footer)
        column.addWidget(self.status)
        self.notice.float_over(self.stack)
        self.setCentralWidget(root)
        bind(self, self._handlers)
        bridge.refused.connect(self.notice.tell)
        bridge.snapshot_changed.connect(self.show_snapshot)
        player_model_of(bridge).told.connect(self._pass_on)
        SongDrop(self, player_model_of(bridge))
        empty = bridge.config.input == "none" and not bridge.snapshot.transport.path
        self.show_page(first_page(bridge.store.preferences.page, empty))
        root.setFocus()
        self.show_snapshot(bridge.snapshot)
        for sentence in bridge.store.notices:
            self.notice.tell(sentence)
        bridge.store.notices.clear()

    # -- parts ----------------------------------------------------------------------------------------------------

    def _make_header(self) -> QWidget:
        header = QFrame()
        header.setProperty("role", "header")
        flow = FlowLayout(header, gap=12, row_gap=6)
        flow.setContentsMargins(20, 10, 16, 10)
        brand = PlainLabel("Stemplay")
        brand.setProperty("role", "brand")
        self._wide = [brand, self._make_tabs()]
        self._narrow = self._make_chooser()
        for part in (*self._wide, self._narrow):
            flow.addWidget(part)
        flow.push(self._make_controls())
        return header

    def _make_chooser(self) -> QComboBox:
        """The list that replaces the tabs if the window is narrow."""
        chooser = QComboBox()
        chooser.setAccessibleName(self.tr("Page"))
        for page in PAGES:
            chooser.addItem(f"{self.tr('Lab')}: {page.translated()}" if page.lab else page.translated(), page.key)
        chooser.activated.connect(lambda index: self.show_page(chooser.itemData(index)))
        chooser.hide()
        return chooser

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show tabs if there is room for them, else a list."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        for part in self._wide:
            part.setVisible(not narrow)
        self._narrow.setVisible(narrow)

    def _make_tabs(self) -> QWidget:
        box = QWidget()
        box.setAccessibleName(self.tr("Pages"))
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        group = QButtonGroup(self)
        group.setExclusive(True)
        lab = LabTab([page for page in PAGES if page.lab], self.show_page, lambda: self.tabs[self.page].setChecked(True))
        for page in PAGES:
            self.tabs[page.key] = tab = lab if page.lab else page_tab(page.translated())
            if not page.lab:
                tab.clicked.connect(lambda _, key=page.key: self.show_page(key))
            group.addButton(tab)
            row.addWidget(tab)
        return box

    def _make_controls(self) -> QWidget:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.bypass = Toggle(
            self.tr("Bypass"), "bypass", self.tr("Bypass"), self.tr("Hear the unprocessed input (Ctrl+B)")
        )
        self.bypass.clicked.connect(lambda on: self.mixer_model.put("", "bypass", on))
        learnable(self.bypass, self.bridge, "mixer.bypass")
        self.panic = QPushButton(self.tr("Panic"))
        self.panic.setProperty("kind", "panic")
        self.panic.setAccessibleName(self.tr("Panic"))
        self.panic.setToolTip(self.tr("Silence now: the song pauses, all notes end (Shift+Esc)"))
        self.panic.clicked.connect(lambda: self.bridge.send("panic"))
        self.power = QPushButton(self.tr("Start"))
        self.power.clicked.connect(self.toggle_power)
        self.more = QPushButton(self.tr("Menu"))
        self.more.setAccessibleName(self.tr("Menu"))
        self.more.clicked.connect(self._open_menu)
        for button in (self.bypass, self.panic, self.power, self.more):
            row.addWidget(button)
        return box

    def _make_handlers(self) -> dict[str, Callable[..., object]]:
        """The action of each shortcut and menu item of the window."""
        return {
            "bypass": lambda: self.bypass.click(),
            "panic": lambda: self.panic.click(),
            "power": self.toggle_power,
            "next_page": lambda: self._step_page(1),
            "previous_page": lambda: self._step_page(-1),
            "settings": self.open_settings,
            "theme": self.toggle_theme,
            "full_screen": self.toggle_full_screen,
            "help": lambda: self.show_page("help"),
            "tour": self.start_tour,
            "quit": self.close,
            "undo": self.mixer_model.undo.undo,
            "redo": self.mixer_model.undo.redo,
        }

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("Menu"))
        menu.addMenu(PresetMenu(self.bridge, self))
        menu.addMenu(RecentMenu(player_model_of(self.bridge), self))
        for name in ("settings", None, "undo", "redo", None, "theme", "full_screen", None, "help", "tour"):
            self._add_item(menu, name)
        self.keep_action = menu.addAction(self.tr("Keep playing when the window is closed"))
        assert self.keep_action is not None
        self.keep_action.setCheckable(True)
        self.keep_action.setChecked(self.keep_playing)
        self.keep_action.toggled.connect(self._keep)
        self._add_item(menu, "quit")
        return menu

    def _add_item(self, menu: QMenu, name: str | None) -> None:
        if name is None:
            menu.addSeparator()
            return
        key = next(key for key in TABLE if key.name == name)
        shown = QKeySequence(key.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
        action = menu.addAction(f"{translated(key.text)}\t{shown}")
        assert action is not None
        action.triggered.connect(lambda: self._handlers[name]())

    def _open_menu(self) -> None:
        corner = self.more.mapToGlobal(self.more.rect().bottomRight())
        self.menu.exec(corner - QPoint(self.menu.sizeHint().width() - 1, -4))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Return presses the button that has the focus, as Space does elsewhere; here Space plays."""
        focused = self.focusWidget()
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QAbstractButton):
            focused.click()
            return
        super().keyPressEvent(event)

    # -- pages ----------------------------------------------------------------------------------------------------

    def show_page(self, key: str) -> None:
        """Show a page, creating it if it was never shown."""
        if key not in self.pages:
            page = next(page for page in PAGES if page.key == key)
            self.pages[key] = page.make(self.bridge, self)
            self.stack.addWidget(self.pages[key])
            for name, act in (
                ("settings_wanted", self.open_settings), ("page_wanted", self.show_page),
                ("sentence_told", self.tell), ("tour_wanted", self.start_tour),
            ):  # fmt: skip
                if (wanted := getattr(self.pages[key], name, None)) is not None:
                    wanted.connect(act)
        self.stack.setCurrentWidget(self.pages[key])
        self.tabs[key].setChecked(True)
        self._narrow.setCurrentIndex(self._narrow.findData(key))

    @property
    def page(self) -> str:
        """Key of the visible page."""
        return next(key for key, widget in self.pages.items() if widget is self.stack.currentWidget())

    def tell(self, sentence: str) -> None:
        """Show a sentence."""
        self.notice.tell(sentence, "good")

    def start_tour(self) -> None:
        """Start the tour of the window, or end it."""
        from gui.tour import toggle_tour  # seldom needed

        toggle_tour(self, self.bridge.store.preferences)

    def _step_page(self, step: int) -> None:
        keys = [page.key for page in PAGES]
        self.show_page(keys[(keys.index(self.page) + step) % len(keys)])

    # -- engine to screen -----------------------------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Update everything outside the pages that depends on the engine."""
        self.status.show_facts(health.facts(snapshot))
        trouble = health.trouble(snapshot)
        self.notice.stand(trouble.sentence if trouble else "", trouble.level if trouble else "bad")
        self.notice.offer(health.offer(snapshot))
        self._tell_restarts(snapshot)
        self.bypass.show_on(self.mixer_model.state.bypass)
        running = snapshot.state != "stopped"
        if running != self._running:
            self._running = running
            self._dress_power(running)

    def _tell_restarts(self, snapshot: Snapshot) -> None:
        before, self._restarts = self._restarts, snapshot.restarts
        if before is not None and snapshot.restarts > before:
            told = snapshot.message or self.tr("It had crashed.")
            self.notice.tell(
                self.tr("The engine was restarted, with the same mixer. {}").format(told), "warning", 60_000
            )

    def _pass_on(self, sentence: str) -> None:
        """Show the player's message while it applies, if the player's page is not visible."""
        self.notice.withdraw(self._told)
        self._told = sentence
        if sentence and self.page != "player":
            self.notice.tell(sentence)

    def _dress_power(self, running: bool) -> None:
        self.power.setText(self.tr("Stop") if running else self.tr("Start"))
        self.power.setAccessibleName(self.tr("Stop the sound") if running else self.tr("Start the sound"))
        self.power.setToolTip(f"{self.power.accessibleName()} (Ctrl+E)")
        self.power.setProperty("kind", "plain" if running else "primary")
        polish(self.power)

    # -- person to engine -----------------------------------------------------------------------------------------

    def toggle_power(self) -> None:
        """Start the sound, or stop it."""
        self.power.setText(self.tr("Stopping …") if self._running else self.tr("Starting …"))
        self.power.setEnabled(False)
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)  # show the change first, as this takes a moment
        try:
            if self._running:
                self.bridge.stop()
            else:
                self.bridge.start()
        finally:
            self.power.setEnabled(True)
            self._dress_power(self._running is True)

    def _take_offer(self) -> None:
        """Give the model the longer time that the engine offers: the sound continues one block later."""
        ms = self.bridge.snapshot.offer
        if ms:
            self.bridge.send("set_deadline", ms=ms)

    def toggle_theme(self) -> None:
        """Switch between dark and light."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, "light" if theme.current().name == "dark" else "dark")

    def toggle_full_screen(self) -> None:
        """Switch full screen on or off."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def open_settings(self) -> None:
        """Open the settings as a modeless dialog, so that Panic can still be reached."""
        if self._settings is not None and self._settings.isVisible():
            self._settings.raise_()
            self._settings.activateWindow()
            return
        if self._settings is not None:
            self._settings.deleteLater()
        self._settings = SettingsDialog(self.bridge, self)
        self._settings.show()

    def _keep(self, keep: bool) -> None:
        self.keep_playing = keep
        self.bridge.stay(keep)

    def _resize_as_left(self) -> None:
        """Restore the last size, or the default one, limited to the screen."""
        layout = self.bridge.store.preferences.layout
        width, height = SIZE
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            width, height = int(layout.get("width", width)), int(layout.get("height", height))
        screen = self.screen()
        if screen is not None:
            room = screen.availableGeometry()
            width, height = min(width, room.width()), min(height, room.height())
        self.resize(width, height)
        if layout.get("maximized") is True:
            self.setWindowState(Qt.WindowState.WindowMaximized)

    def _remember(self) -> None:
        """Save size, page and theme. The window also closes if this fails."""
        kept, normal = self.bridge.store.preferences, self.normalGeometry()
        kept.theme, kept.page = theme.current().name, self.page
        kept.layout |= {"keep_playing": self.keep_playing, "maximized": self.isMaximized()}
        if normal.isValid():
            kept.layout |= {"width": normal.width(), "height": normal.height()}
        with contextlib.suppress(StemplayError):
            self.bridge.store.save_preferences()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Closing ends the sound, as in any player, unless the user wants it to continue."""
        self.closing.emit()
        self.hide()
        QApplication.processEvents(
            QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents
        )  # hide the window first, as this takes a moment
        self._remember()
        if not self.keep_playing:
            self.bridge.stop()
        self.bridge.close()
        if event is not None:
            event.accept()

"""The instrument's working surface: browser, morph pad, settings in tabs, keyboard. The page shows it when there is an instrument."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gui.bridge import Bridge
from gui.insert_moves import PLAYED
from gui.inserts.browser import InstrumentBrowser
from gui.inserts.editor import InsertPanel
from gui.inserts.instrument import choose_instrument
from gui.inserts.library import library_of
from gui.instrument.browser import Browser
from gui.instrument.catalogue import Sound, sounds
from gui.instrument.channels import ChannelMap, shares_of
from gui.instrument.envelope import ECHO_S, EnvelopePanel
from gui.instrument.keyboard import Keyboard
from gui.instrument.learn import LearnPanel
from gui.instrument.morph import MorphPanel
from gui.instrument.notes import ComputerKeys, Notes
from gui.instrument.ports import PortPanel
from gui.instrument.status import InstrumentStatus
from gui.instrument.throttle import Throttle
from gui.mixer_model import mixer_model_of
from gui.widgets.plain import PlainLabel
from rtaudio.protocol.insert_checks import is_foreign
from rtaudio.protocol.reports import Snapshot

OTHER_FAMILY = 16


class InstrumentPanel(QWidget):
    """See the module's docstring. All controls apply to one MIDI channel at a time."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.notes = Notes(bridge, self)
        self.computer = ComputerKeys(self.notes, self)
        self.keyboard = Keyboard(self.notes, self.computer)
        self.browser, self.morph, self.channels = Browser(), MorphPanel(), ChannelMap()
        self.envelope, self.ports, self.learn = EnvelopePanel(bridge, self.computer), PortPanel(bridge), LearnPanel(bridge)
        self.status = InstrumentStatus()
        self.plugin = InsertPanel(mixer_model_of(bridge), library_of(bridge), *PLAYED)
        self.choosing: InstrumentBrowser | None = None
        self._offered: tuple[str, tuple[str, ...]] = ("", ())
        self._sounds: tuple[Sound, ...] = ()
        self._shown: dict[str, float] = {}
        self._set_sound = Throttle(
            lambda channel, shares: bridge.send("set_sound", channel=channel, shares=shares), self
        )
        self._build()
        self.browser.chosen.connect(lambda name: self.play_sound({name: 1.0}))
        self.morph.morphed.connect(self.play_sound)
        self.channels.chosen.connect(self.use_channel)
        self._watch_keys()
        self.plugin.built.connect(self._watch_widgets)

    def choose_instrument(self) -> None:
        """Let the user choose another model or plugin."""
        self.notes.release_all()
        self.choosing = choose_instrument(self.bridge, self.window() or self)

    # -- the channel's sound ----------------------------------------------------------------------------------------------

    def play_sound(self, shares: dict[str, float]) -> None:
        """Change the sound of the present channel, also of its sounding notes."""
        self._shown = dict(shares)
        self._set_sound(self.notes.channel, shares)
        self._show_shares(shares)

    def use_channel(self, channel: int) -> None:
        """Play and change another channel."""
        self._set_sound.flush()
        self.notes.use_channel(channel)
        self.channels.show_channel(channel)
        self.title.setText(self.tr("Channel {0}").format(channel + 1))
        self._shown = {}
        self.show_snapshot(self.bridge.snapshot)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the engine's state."""
        report, config = snapshot.instrument, self.bridge.config
        self._offer(config.instrument, tuple(report.instruments))
        self._show_kind(is_foreign(config.instrument))
        self.keyboard_lights(report.keys)
        self.status.show_snapshot(snapshot, config.voices)
        self.envelope.show_state(report.state)
        self.channels.show_report(report)
        self.ports.show_snapshot(snapshot)
        self.learn.show_snapshot(snapshot)
        shares = shares_of(report, self.notes.channel)
        if shares and shares != self._shown and self._set_sound.quiet_s > ECHO_S and not self.morph.pad.dragging:
            self._shown = dict(shares)
            self._show_shares(shares)
        if (
            QApplication.activePopupWidget() is not None
        ):  # a menu took the keyboard: it will not tell us of the keys' release
            self.notes.release_kind("key")

    def keyboard_lights(self, keys: list[list[int]]) -> None:
        """Light the notes that the engine holds, from any source."""
        sounding = frozenset(note for _, note in keys)
        if sounding != self.keyboard.sounding:
            self.keyboard.sounding = sounding
            self.keyboard.update()

    def _show_shares(self, shares: dict[str, float]) -> None:
        names = [name for name, share in shares.items() if share > 0]
        self.browser.show_current(names[0] if len(names) == 1 else "")
        self.morph.show_shares(shares)
        main = max(shares, key=lambda name: shares[name])
        found = next((sound for sound in self._sounds if sound.name == main), None)
        ranged = (found.lowest, found.highest) if found is not None else (0, 127)
        if ranged != self.keyboard.range:
            self.keyboard.range = ranged
            self.keyboard.update()

    def _show_kind(self, plugin: bool) -> None:
        """A plugin has sounds and envelopes of its own: its parameters take the place of ours."""
        for card, wanted in ((self.plugin_card, plugin), *((card, not plugin) for card in self.model_cards)):
            if card.isHidden() == wanted:
                card.setVisible(wanted)
        self.envelope.allow_times(not plugin)

    def _offer(self, model: str, names: tuple[str, ...]) -> None:
        if (model, names) == self._offered:
            return
        self._offered = (model, names)
        known = {sound.name: sound for sound in sounds(model)}
        self._sounds = tuple(known.get(name, Sound(name, OTHER_FAMILY)) for name in names) or tuple(known.values())
        self.browser.offer(self._sounds)
        self.morph.offer(self._sounds)

    # -- building ---------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(12)
        self.title = PlainLabel(self.tr("Channel {0}").format(1))
        self.title.setProperty("role", "muted")
        self.model_cards = (_card(self.tr("Sounds"), self.browser, self.title), _card(self.tr("Morph"), self.morph))
        self.plugin_card = _card("", self.plugin)
        self.plugin_card.hide()
        top.addWidget(self.model_cards[0], 4)
        top.addWidget(self.model_cards[1], 5)
        top.addWidget(self.plugin_card, 9)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName(self.tr("Settings of the instrument"))
        pages = (self.tr("Touch"), self.tr("Channels"), self.tr("MIDI"), self.tr("Learn"))
        for title, widget in zip(pages, (self.envelope, self.channels, self.ports, self.learn), strict=True):
            self.tabs.addTab(widget, title)
        self.tabs.setMinimumWidth(300)
        self.tabs.currentChanged.connect(self._tab_shown)
        top.addWidget(self.tabs, 5)
        bar = QHBoxLayout()
        bar.setSpacing(8)
        bar.addWidget(self.status, 1)
        self.choose = QPushButton(self.tr("Instrument …"))
        self.choose.setToolTip(self.tr("Choose another instrument: a model, or an installed plugin"))
        self.choose.clicked.connect(self.choose_instrument)
        self.pedal = QPushButton(self.tr("Pedal"))
        self.pedal.setCheckable(True)
        self.pedal.setToolTip(self.tr("Sustain pedal (space bar, when the keyboard has the focus)"))
        self.pedal.clicked.connect(self.notes.toggle_pedal)
        self.notes.changed.connect(lambda: self.pedal.setChecked(self.notes.pedal))
        lower, higher = QPushButton(self.tr("Octave −")), QPushButton(self.tr("Octave +"))
        lower.setToolTip(self.tr("An octave lower (Z)"))
        higher.setToolTip(self.tr("An octave higher (X)"))
        lower.clicked.connect(lambda: self.computer.shift(-12))
        higher.clicked.connect(lambda: self.computer.shift(12))
        for button in (self.choose, self.pedal, lower, higher):
            bar.addWidget(button)
        layout = _Column(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(10)
        layout.addLayout(top, 5)
        layout.addLayout(bar)
        layout.addWidget(self.keyboard, 2)
        self.setMinimumSize(900, 460)

    def _tab_shown(self, number: int) -> None:
        if self.tabs.widget(number) is self.ports:
            self.ports.refresh()

    # -- the computer's keys ----------------------------------------------------------------------------------------------

    def _watch_keys(self) -> None:
        """Letters play wherever the focus is on this page, but not where text is typed."""
        self._watch_widgets()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_moved)

    def _watch_widgets(self) -> None:
        for widget in (self, *self.findChildren(QWidget)):
            if widget.focusPolicy() != Qt.FocusPolicy.NoFocus and not isinstance(widget, QLineEdit | QAbstractSpinBox):
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's names here and below
        if isinstance(event, QKeyEvent) and self._play_key(watched, event):
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        if event is None or not self._play_key(self, event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        if event is None or not self._play_key(self, event):
            super().keyReleaseEvent(event)

    def _play_key(self, watched: QObject | None, event: QKeyEvent) -> bool:
        """Whether the key belongs to the piano. With Ctrl, Alt or Meta it does not, but a release always counts."""
        kind = event.type()
        if kind == QEvent.Type.KeyRelease:
            return event.isAutoRepeat() or self.computer.release(event.key())
        chord = event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        if kind != QEvent.Type.KeyPress or chord:
            return False
        if event.key() == Qt.Key.Key_Space and watched is self.keyboard:
            if not event.isAutoRepeat():
                self.notes.toggle_pedal()
            return True
        if event.isAutoRepeat():
            return bool(self.computer.letter(event.key()))
        return self.computer.press(event.key())

    # -- nothing hangs ----------------------------------------------------------------------------------------------------

    def _focus_moved(self, old: QWidget | None, new: QWidget | None) -> None:
        self.notes.release_kind("key")

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.notes.release_all()


class _Column(QVBoxLayout):
    """A column that shrinks to its minimum before a scroll area scrolls. Texts that wrap would keep it at its preferred size."""

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        return False


def _card(title: str, content: QWidget, beside: QWidget | None = None) -> QFrame:
    card = QFrame()
    card.setProperty("card", True)
    card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
    layout = QVBoxLayout(card)
    layout.setContentsMargins(12, 10, 12, 12)
    layout.setSpacing(8)
    if title:
        heading = PlainLabel(title)
        heading.setProperty("role", "heading")
        row = QHBoxLayout()
        row.addWidget(heading)
        row.addStretch(1)
        if beside is not None:
            row.addWidget(beside)
        layout.addLayout(row)
    layout.addWidget(content, 1)
    return card

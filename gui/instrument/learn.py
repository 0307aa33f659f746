"""The list of learned MIDI controllers, and of the controls that can learn one."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt6.QtCore import QCoreApplication, Qt
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.bridge import Bridge
from gui.effect_words import plugin_title
from gui.insert_moves import PLAYED, places_of, slots_of
from gui.inserts.library import PluginLibrary, library_of
from gui.theme import stem_title
from gui.widgets.learn import target_title
from gui.widgets.plain import PlainLabel
from rtaudio.protocol.controls import fixed_targets, insert_target, is_button
from rtaudio.protocol.parameters import EFFECTS
from rtaudio.protocol.reports import InsertReport, Snapshot
from rtaudio.protocol.settings import InsertState

TARGET = Qt.ItemDataRole.UserRole
NOTES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Learn", text)


def targets(snapshot: Snapshot, library: PluginLibrary) -> dict[str, str]:
    """All targets of MIDI learn in this engine, and the user's names of them. Of a plugin they are known once it has been looked at."""
    found = {target: target_title(target) for target in fixed_targets(snapshot.mixer.stems)}
    for place, entry, report in _plugins(snapshot):
        for parameter in library.parameters(entry.plugin) or ():
            target = insert_target(place, entry.key, parameter.id)
            title = plugin_title(entry.plugin, report)
            found[target] = target_title(target) if entry.plugin in EFFECTS else f"{stem_title(place)}: {title}, {parameter.name}"
    return found


def _plugins(snapshot: Snapshot) -> Iterator[tuple[str, InsertState, InsertReport | None]]:
    """All effects in slots, and the plugin that plays the instrument, each with its place and what the engine says of it."""
    for place in places_of(snapshot.mixer):
        reports = {report.key: report for report in snapshot.inserts.get(place, [])}
        for entry in slots_of(snapshot.mixer, place):
            yield place, entry, reports.get(entry.key)
    slot = snapshot.instrument.slot
    if slot.plugin:
        yield PLAYED[0], InsertState(slot.plugin, PLAYED[1]), slot


def _entry(entry: dict[str, object]) -> str:
    channel = int(str(entry.get("channel", 0))) + 1
    if "note" in entry:
        return _tr("key {0}, channel {1}").format(note_name(int(str(entry["note"]))), channel)
    return _tr("controller {0}, channel {1}").format(entry.get("control"), channel)


def note_name(note: int) -> str:
    """Name of a MIDI note; 60 is C4."""
    return f"{NOTES[note % 12]}{note // 12 - 1}"


class LearnPanel(QWidget):
    """Lists the learned controllers, and can learn a controller for any target."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge, self._library = bridge, library_of(bridge)
        self._library.changed.connect(self._look)
        self._shown: tuple[object, ...] = ()
        self.choice = QComboBox()
        self.choice.setAccessibleName(self.tr("Control to learn"))
        self.choice.setMaxVisibleItems(20)
        self.learn = QPushButton(self.tr("Learn"))
        self.learn.clicked.connect(self._learn)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Learnt controllers"))
        self.hint = PlainLabel()
        self.hint.setProperty("role", "small")
        self.hint.setWordWrap(True)
        self.soft = QCheckBox(self.tr("Soft takeover"))
        self.soft.setToolTip(self.tr("The chosen controller has no effect until it reaches its control, so that nothing jumps."))
        self.soft.clicked.connect(self._set_takeover)
        self.forget = QPushButton(self.tr("Forget"))
        self.forget.clicked.connect(self._forget)
        self.forget_all = QPushButton(self.tr("Forget all"))
        self.forget_all.clicked.connect(lambda: bridge.send("forget", target=""))
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.choice, 1)
        top.addWidget(self.learn)
        bottom.addWidget(self.soft)
        bottom.addWidget(self.forget)
        bottom.addWidget(self.forget_all)
        bottom.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self.hint)
        layout.addWidget(self.list, 1)
        layout.addLayout(bottom)
        self.list.currentItemChanged.connect(lambda: self._allow())
        self._allow()

    def _look(self) -> None:
        """Show the state again: more is known of plugins."""
        self.show_snapshot(self._bridge.snapshot)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the engine's state."""
        report, wanted = snapshot.instrument, targets(snapshot, self._library)
        if self.isVisible():
            for _, entry, _ in _plugins(snapshot):
                self._library.know(entry.plugin)
        shown = (report.learning, tuple(wanted.items()), tuple(str(entry) for entry in report.state.midi_map))
        if shown == self._shown:
            return
        self._shown = shown
        if list(wanted.items()) != [(self.choice.itemData(i), self.choice.itemText(i)) for i in range(self.choice.count())]:
            kept = self.choice.currentData()
            self.choice.clear()
            for target, title in wanted.items():
                self.choice.addItem(title, target)
            self.choice.setCurrentIndex(max(0, self.choice.findData(kept)))
        kept_row = self.list.currentRow()
        self.list.clear()
        for known in report.state.midi_map:
            target = str(known.get("target"))
            item = QListWidgetItem(f"{wanted.get(target) or target_title(target)}  ←  {_entry(known)}")
            item.setData(TARGET, known.get("target"))
            self.list.addItem(item)
        self.list.setCurrentRow(min(kept_row, self.list.count() - 1))
        self.learn.setText(self.tr("Cancel") if report.learning else self.tr("Learn"))
        learning = wanted.get(report.learning) or target_title(report.learning)
        self.hint.setText(
            self.tr("Move a controller or press a button now, for {0}.").format(learning)
            if report.learning
            else self.tr("A right click on a fader, a knob, a slider or a button does the same. Buttons take keys, too.")
        )
        self._allow()

    def _learn(self) -> None:
        learning = self._bridge.snapshot.instrument.learning
        self._bridge.send("learn", target="" if learning else self.choice.currentData() or "")

    def _forget(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self._bridge.send("forget", target=item.data(TARGET))

    def _set_takeover(self, soft: bool) -> None:
        """Let the chosen controller take over softly, or jump."""
        entries = [dict(entry) for entry in self._bridge.snapshot.instrument.state.midi_map]
        row = self.list.currentRow()
        if 0 <= row < len(entries):
            entries[row].pop("takeover", None)
            self._bridge.send("set_midi_map", entries=[e | {"takeover": "pickup"} if soft and e is entries[row] else e for e in entries])

    def _allow(self) -> None:
        entries, row = self._bridge.snapshot.instrument.state.midi_map, self.list.currentRow()
        chosen = entries[row] if 0 <= row < len(entries) else {}
        self.soft.setEnabled(bool(chosen) and not is_button(str(chosen.get("target"))))
        self.soft.setChecked(chosen.get("takeover") == "pickup")
        self.forget.setEnabled(self.list.currentItem() is not None)
        self.forget_all.setEnabled(self.list.count() > 0)

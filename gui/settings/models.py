"""Which model takes the sound apart, which instrument MIDI plays; each with its card."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import QEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from gui.settings.card import card_html
from gui.settings.draft import Draft
from gui.settings.lists import Choice, Entry


class ModelTab(QWidget):
    """The separator."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draft = draft
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(10)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        self.model = Choice(self.tr("Model"), lambda value: draft.choose(model=value, routing={}))
        self.browse = QPushButton(self.tr("From a folder …"))
        self.browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.model, 1)
        row.addWidget(self.browse)
        form.addRow(self.tr("Model"), row)
        self.consistent = QCheckBox(self.tr("Stems sum to the input exactly"))
        self.consistent.setToolTip(self.tr("What the model leaves over is shared among the stems."))
        self.consistent.clicked.connect(lambda on: draft.choose(consistent=on))
        form.addRow("", self.consistent)
        column.addLayout(form)
        self.card = CardView(self.tr("Card of the model"))
        column.addWidget(self.card, 1)
        draft.changed.connect(self.show_draft)
        self.show_draft()

    def show_draft(self) -> None:
        """Models, and the card of the chosen one."""
        draft, config = self.draft, self.draft.config
        names = [name for name, card in draft.cards.items() if card.get("kind", "separator") == "separator"]
        entries: list[Entry] = [(name, name) for name in names]
        self.model.show_entries([*entries, (self.tr("None: equal parts of the input"), "none")], config.model)
        self.consistent.setChecked(config.consistent)
        self.consistent.setEnabled(config.model != "none")
        self.card.show_card(draft.cards.get(config.model))

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("A folder with model.onnx and card.json"))
        if folder:
            self.draft.add_model(folder)
            self.draft.choose(model=folder, routing={})


class InstrumentTab(QWidget):
    """The instrument and what plays it."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draft = draft
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(10)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(10)
        self.instrument = Choice(self.tr("Instrument"), lambda value: draft.choose(instrument=value))
        form.addRow(self.tr("Instrument"), self.instrument)
        self.midi = Choice(self.tr("MIDI input"), lambda value: draft.choose(midi=value))
        form.addRow(self.tr("MIDI input"), self.midi)
        self.voices = QSpinBox()
        self.voices.setRange(1, 256)
        self.voices.setFixedWidth(96)
        self.voices.setAccessibleName(self.tr("Voices"))
        self.voices.valueChanged.connect(lambda value: draft.choose(voices=value))
        form.addRow(self.tr("Voices"), self.voices)
        column.addLayout(form)
        self.card = CardView(self.tr("Card of the instrument"))
        column.addWidget(self.card, 1)
        draft.changed.connect(self.show_draft)
        self.show_draft()

    def show_draft(self) -> None:
        """Instruments and MIDI inputs."""
        draft, config = self.draft, self.draft.config
        names = [name for name, card in draft.cards.items() if card.get("kind") == "instrument"]
        entries: list[Entry] = [(self.tr("None"), ""), *((name, name) for name in names)]
        self.instrument.show_entries(entries, config.instrument)
        ports: list[Entry] = [
            (self.tr("All inputs, also those plugged in later"), "default"), (self.tr("None"), "none"),
            (self.tr("A port of our own, for other programs"), "virtual"), *((name, name) for name in draft.midi_inputs),
        ]  # fmt: skip
        self.midi.show_entries(ports, config.midi, self.tr("{} (not there now)"))
        self.voices.setValue(config.voices)
        for widget in (self.midi, self.voices):
            widget.setEnabled(bool(config.instrument))
        self.card.show_card(draft.cards.get(config.instrument))


class CardView(QTextBrowser):
    """Shows a card, in the colours of the theme."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._card: dict[str, Any] | None = None
        self._shown = ""
        self.hide()

    def show_card(self, card: dict[str, Any] | None) -> None:
        """Show it, unless it is in sight already; nothing for None."""
        self._card = card
        html = card_html(card) if card is not None else ""
        if html != self._shown:
            self._shown = html
            self.setHtml(html)
        self.setVisible(bool(html))

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange and hasattr(self, "_card"):
            self.show_card(self._card)

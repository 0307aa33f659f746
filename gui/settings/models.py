"""The choice of the separator and of the instrument that MIDI plays, each with its card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import QEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from gui.effect_words import plugin_title
from gui.inserts.browser import InstrumentBrowser
from gui.inserts.library import library_of
from gui.settings.card import card_html
from gui.settings.draft import Draft
from gui.settings.lists import Choice, Entry
from rtaudio.protocol.insert_checks import is_foreign
from rtaudio.protocol.settings import MAX_DEADLINE, MAX_LOOK_AHEAD


class CardTab(QWidget):
    """Rows of choices, and below them the card of the chosen model. Each tab implements ``make_rows`` and ``show_draft``."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draft = draft
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(10)
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(16)
        self.form.setVerticalSpacing(10)
        self.card = CardView()
        column.addLayout(self.form)
        column.addWidget(self.card, 1)
        self.make_rows()
        draft.changed.connect(self.show_draft)
        self.show_draft()

    def make_rows(self) -> None:
        """Fill ``form`` and set the accessible name of ``card``."""
        raise NotImplementedError

    def show_draft(self) -> None:
        """Show the draft's lists and choices."""
        raise NotImplementedError

    def choice(self, title: str, chosen: Callable[[Any], object], *beside: QWidget) -> Choice:
        """A row with a list and the widget ``beside`` it."""
        made = Choice(title, chosen)
        if not beside:
            self.form.addRow(title, made)
            return made
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(made, 1)
        for widget in beside:
            row.addWidget(widget)
        self.form.addRow(title, row)
        return made

    def models(self, kind: str) -> list[Entry]:
        """The models of a kind. A card without a kind is a separator's."""
        return [(name, name) for name, card in self.draft.cards.items() if card.get("kind", "separator") == kind]


class ModelTab(CardTab):
    """The separator."""

    def make_rows(self) -> None:
        """The model, and how its stems are processed."""
        draft = self.draft
        self.browse = QPushButton(self.tr("From a folder …"))
        self.browse.clicked.connect(self._browse)
        self.model = self.choice(self.tr("Model"), self._choose, self.browse)
        self.consistent = QCheckBox(self.tr("Stems sum to the input exactly"))
        self.consistent.setToolTip(self.tr("The residual of the model is divided among the stems."))
        self.consistent.clicked.connect(lambda on: draft.choose(consistent=on))
        self.form.addRow("", self.consistent)
        self.look_ahead = QDoubleSpinBox()
        self.look_ahead.setRange(0, MAX_LOOK_AHEAD)
        self.look_ahead.setDecimals(1)
        self.look_ahead.setSuffix(self.tr(" ms"))
        self.look_ahead.setSpecialValueText(self.tr("no"))
        self.look_ahead.setFixedWidth(96)
        self.look_ahead.setAccessibleName(self.tr("Look ahead"))
        self.look_ahead.setToolTip(
            self.tr("Cleaner stems, with this much more latency; 17 ms is a good value. For songs, or if latency does not matter.")
        )
        self.look_ahead.valueChanged.connect(lambda value: draft.choose(look_ahead=round(value, 1)))
        self.form.addRow(self.tr("Look ahead"), self.look_ahead)
        self.deadline = QDoubleSpinBox()
        self.deadline.setRange(0, MAX_DEADLINE)
        self.deadline.setDecimals(1)
        self.deadline.setSuffix(self.tr(" ms"))
        self.deadline.setSpecialValueText(self.tr("what it needs"))
        self.deadline.setFixedWidth(128)
        self.deadline.setAccessibleName(self.tr("Time for the model"))
        self.deadline.setToolTip(
            self.tr("Part of the latency, in whole blocks. Without a number, the model is timed on this machine.")
        )
        self.deadline.valueChanged.connect(lambda value: draft.choose(deadline=round(value, 1)))
        self.form.addRow(self.tr("Time for the model"), self.deadline)
        self.card.setAccessibleName(self.tr("Card of the model"))

    def show_draft(self) -> None:
        """Models, and the card of the chosen one."""
        config = self.draft.config
        none: Entry = (self.tr("None: equal parts of the input"), "none")
        self.model.show_entries([*self.models("separator"), none], config.model)
        self.consistent.setChecked(config.consistent)
        self.look_ahead.setValue(config.look_ahead)
        self.deadline.setValue(config.deadline)
        for widget in (self.consistent, self.look_ahead, self.deadline):
            widget.setEnabled(config.model != "none")
        self.card.show_card(self.draft.cards.get(config.model))

    def _choose(self, model: str) -> None:
        ahead = {"look_ahead": 0.0} if model == "none" else {}
        self.draft.choose(model=model, routing={}, deadline=0.0, **ahead)

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("A folder with model.onnx and card.json"))
        if folder:
            self.draft.add_model(folder)
            self.draft.choose(model=folder, routing={}, deadline=0.0)


class InstrumentTab(CardTab):
    """The instrument and its MIDI input."""

    def make_rows(self) -> None:
        """Instrument, MIDI input and voices."""
        draft = self.draft
        self.plugin = QPushButton(self.tr("Plugin …"))
        self.plugin.setToolTip(self.tr("Choose an installed VST3 or LV2 instrument"))
        self.plugin.clicked.connect(self._browse)
        self.browser: InstrumentBrowser | None = None
        self.instrument = self.choice(self.tr("Instrument"), lambda value: draft.choose(instrument=value), self.plugin)
        self.midi = self.choice(self.tr("MIDI input"), lambda value: draft.choose(midi=value))
        self.voices = QSpinBox()
        self.voices.setRange(1, 256)
        self.voices.setFixedWidth(96)
        self.voices.setAccessibleName(self.tr("Voices"))
        self.voices.valueChanged.connect(lambda value: draft.choose(voices=value))
        self.form.addRow(self.tr("Voices"), self.voices)
        self.card.setAccessibleName(self.tr("Card of the instrument"))

    def show_draft(self) -> None:
        """Instruments and MIDI inputs."""
        draft, config = self.draft, self.draft.config
        none = self.tr("None")
        entries: list[Entry] = [(none, ""), *self.models("instrument")]
        foreign = is_foreign(config.instrument)
        if foreign:
            listed = library_of(draft.bridge).entry(config.instrument)
            entries.append((listed.name if listed is not None else plugin_title(config.instrument), config.instrument))
        self.instrument.show_entries(entries, config.instrument)
        ports: list[Entry] = [
            (self.tr("All inputs, also those plugged in later"), "default"), (none, "none"),
            (self.tr("A port of Stemplay's own, for other programs"), "virtual"), *((name, name) for name in draft.midi_inputs),
        ]  # fmt: skip
        self.midi.show_entries(ports, config.midi, self.tr("{} (not there now)"))
        self.voices.setValue(config.voices)
        self.midi.setEnabled(bool(config.instrument))
        self.voices.setEnabled(bool(config.instrument) and not foreign)
        self.card.show_card(draft.cards.get(config.instrument))

    def _browse(self) -> None:
        """Choose among the installed plugins."""
        self.browser = InstrumentBrowser(
            library_of(self.draft.bridge), self.draft.config.instrument, self.window() or self
        )
        self.browser.chosen.connect(lambda name: self.draft.choose(instrument=name))
        self.browser.finished.connect(self.browser.deleteLater)
        self.browser.show()


class CardView(QTextBrowser):
    """Shows a card, in the colours of the theme."""

    def __init__(self) -> None:
        super().__init__()
        self._card: dict[str, Any] | None = None
        self._shown = ""
        self.hide()

    def show_card(self, card: dict[str, Any] | None) -> None:
        """Show the card, unless it is already shown; nothing for None."""
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

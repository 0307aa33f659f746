"""The page of training curves: what one run or several have learned so far, followed while they learn (TOOL-03)."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pyqtgraph as pg
from PyQt6.QtCore import QEvent, Qt, QTimer
from PyQt6.QtGui import QHideEvent, QShowEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.bridge import Bridge
from gui.curves.runs import Run, find_runs, rank
from gui.widgets.plain import PlainLabel
from rtaudio.audio.format import StemplayError

LOOK_MS = 2000
DASHES = (
    Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine, Qt.PenStyle.DashDotDotLine,
)  # fmt: skip
SYMBOLS = ("o", "s", "t", "d", "+")
FEW = 60
"""Curves with at most this many points show each point."""


class CurvesPage(QWidget):
    """Choose a folder, the runs in it, and one of the quantities they log."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Training curves"))
        self.runs: list[Run] = []
        self._build()
        self._dress()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)

    # -- building ---------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(16, 12, 16, 12)
        rows.setSpacing(10)
        rows.addLayout(self._make_bar())
        self.notice = PlainLabel(
            self.tr("Open the folder of a training run, or of several. Curves are updated while a run trains.")
        )
        self.notice.setWordWrap(True)
        self.notice.setProperty("role", "muted")
        rows.addWidget(self.notice)
        self.plot = pg.PlotWidget()
        self.plot.setAccessibleName(self.tr("Plot of the curves"))
        self.plot.setMinimumHeight(160)
        self.plot.getPlotItem().setMenuEnabled(False)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Runs that are shown"))
        self.list.setMinimumWidth(140)
        self.list.setMaximumWidth(280)
        self.list.itemChanged.connect(lambda _: self.draw())
        middle = QHBoxLayout()
        middle.addWidget(self.list)
        middle.addWidget(self.plot, 1)
        rows.addLayout(middle, 1)
        self.told = PlainLabel()
        self.told.setWordWrap(True)
        self.told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        rows.addWidget(self.told)

    def _make_bar(self) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setSpacing(8)
        self.open_button = QPushButton(self.tr("Open a run…"))
        self.open_button.setAccessibleName(self.tr("Open the folder of a training run"))
        self.open_button.clicked.connect(self._ask)
        bar.addWidget(self.open_button)
        bar.addSpacing(12)
        self.quantity = self._choice(bar, self.tr("Curve"), [])
        self.axis = self._choice(bar, self.tr("Over"), [(self.tr("steps"), "steps"), (self.tr("minutes"), "minutes")])
        self.logarithmic = QCheckBox(self.tr("Logarithmic"))
        self.logarithmic.setAccessibleName(self.tr("Logarithmic values"))
        self.logarithmic.toggled.connect(lambda _: self.draw())
        bar.addWidget(self.logarithmic)
        bar.addStretch(1)
        return bar

    def _choice(self, bar: QHBoxLayout, title: str, items: list[tuple[str, str]]) -> QComboBox:
        caption, box = PlainLabel(title), QComboBox()
        caption.setProperty("role", "muted")
        caption.setBuddy(box)
        box.setAccessibleName(title)
        box.setMinimumWidth(110)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for text, value in items:
            box.addItem(text, value)
        box.currentIndexChanged.connect(lambda _: self.draw())
        bar.addWidget(caption)
        bar.addWidget(box)
        return box

    # -- what happens ----------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Folder of a training run"))
        if folder:
            self.open_folder(Path(folder))

    def open_folder(self, folder: Path) -> None:
        """Show the runs in ``folder``; if there are none, the shown ones stay."""
        try:
            self.runs = [Run(path) for path in find_runs(folder)]
        except StemplayError as error:
            self.notice.setText(str(error))
            return
        self.notice.setText(str(folder))
        self.list.blockSignals(True)
        self.list.clear()
        for run in self.runs:
            item = QListWidgetItem(run.name)
            item.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            item.setCheckState(Qt.CheckState.Checked)
            self.list.addItem(item)
        self.list.blockSignals(False)
        self.list.setVisible(len(self.runs) > 1)
        self.look()

    def look(self) -> None:
        """Read new values of the runs; called by the timer."""
        if any([run.refresh() for run in self.runs]):
            self._offer()
            self.draw()

    @property
    def shown(self) -> list[Run]:
        """The ticked runs."""
        ticked = [self.list.item(row) for row in range(self.list.count())]
        return [
            run
            for run, item in zip(self.runs, ticked, strict=True)
            if item and item.checkState() == Qt.CheckState.Checked
        ]

    def _offer(self) -> None:
        """Fill the list of quantities; the chosen one stays."""
        names = sorted({name for run in self.runs for name in run.curves}, key=rank)
        if names == [self.quantity.itemText(i) for i in range(self.quantity.count())]:
            return
        chosen = self.quantity.currentText()
        self.quantity.blockSignals(True)
        self.quantity.clear()
        self.quantity.addItems(names)
        self.quantity.setCurrentIndex(max(0, self.quantity.findText(chosen)))
        self.quantity.blockSignals(False)

    def draw(self) -> None:
        """Draw the chosen quantity of the ticked runs, and write the last values as text."""
        item = self.plot.getPlotItem()
        item.clear()
        name, axis = self.quantity.currentText(), self.axis.currentData()
        item.setLogMode(y=self.logarithmic.isChecked())
        item.setLabel("bottom", self.tr("Minutes") if axis == "minutes" else self.tr("Steps"))
        item.setLabel("left", name)
        said = []
        shown = self.shown
        for number, run in enumerate(self.runs):  # a run keeps its colour and its dashes
            curve = run.curves.get(name)
            if curve is None or run not in shown:
                continue
            colour = pg.mkColor(list(theme.STEM_COLOURS.values())[number % 5])
            pen = pg.mkPen(colour, width=2, style=DASHES[number % len(DASHES)])
            symbol = SYMBOLS[number % len(SYMBOLS)] if len(curve.values) <= FEW else None
            x = curve.minutes if axis == "minutes" else curve.steps
            item.plot(
                x,
                curve.values,
                pen=pen,
                symbol=symbol,
                symbolBrush=colour,
                symbolPen=colour,
                symbolSize=6,
                name=escape(run.name),
            )
            text = self.tr("{run}: {name} {value} at step {step}")
            said.append(
                text.format(run=run.name, name=name, value=f"{curve.values[-1]:.5g}", step=f"{curve.steps[-1]:.0f}")
            )
        self.told.setText("\n".join(said))
        self.plot.setAccessibleDescription("; ".join(said))

    # -- looks -----------------------------------------------------------------------------------------------------------

    def _dress(self) -> None:
        """Apply the colours of the present theme."""
        colours = theme.current()
        self.plot.setBackground(colours.panel)
        item = self.plot.getPlotItem()
        for side in ("left", "bottom"):
            item.getAxis(side).setPen(colours.border)
            item.getAxis(side).setTextPen(colours.text)
            item.getAxis(side).enableAutoSIPrefix(False)
        item.showGrid(x=True, y=True, alpha=0.2)
        if item.legend is None:
            item.addLegend(offset=(-12, 12))
        item.legend.setLabelTextColor(colours.text)
        item.legend.setBrush(pg.mkBrush(colours.raised))
        self.draw()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 (Qt's name)
        if event is not None and event.type() == QEvent.Type.PaletteChange and hasattr(self, "told"):
            self._dress()
        super().changeEvent(event)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802
        self.look()
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        self._timer.stop()
        super().hideEvent(event)

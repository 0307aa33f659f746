"""The three live views: each turns new samples into columns and colours them for the palette in use."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from gui import theme
from gui.bridge import Bridge
from gui.views.analysis import SILENT_DB, Analyser, Outline, Scale, Spectrum
from gui.views.frame_rate import FrameRateLimiter
from gui.views.picture import Pixels, ScrollPlot, Ticks
from gui.views.rainbow import Rainbow
from gui.views.tap_follower import TapFollower

SECONDS = 10.0
NOTES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


def note_name(hz: float) -> str:
    """The name of the nearest note, with its octave (A4 is 440 Hz)."""
    number = round(69 + 12 * np.log2(max(hz, 1.0) / 440))
    return f"{NOTES[number % 12]}{number // 12 - 1}"


def hz_text(hz: float) -> str:
    """``440 Hz``, ``1.2 kHz``."""
    return f"{hz / 1000:.3g} kHz" if hz >= 1000 else f"{hz:.0f} Hz"


def packed(colours: npt.NDArray[np.uint8]) -> Pixels:
    """``(..., 3)`` of red, green and blue as 32-bit pixels ``(...)``."""
    wide = colours.astype(np.uint32)
    return np.asarray(0xFF00_0000 | wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2], np.uint32)


class LiveView(QWidget):
    """A scrolling picture of one source. ``advance`` adds new samples; ``frozen`` stops it.

    Signals:
        pointed(str): a description of the point under the mouse; empty if there is none.
    """

    pointed = pyqtSignal(str)
    analyser: Analyser | None = None

    def __init__(self, bridge: Bridge, source: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.follower, self.frame_rate, self.frozen = TapFollower(bridge, source), FrameRateLimiter(), False
        self.plot = ScrollPlot(self.frame_rate)
        self.rate = 0
        self._kept: npt.NDArray[Any] = np.zeros(0)
        self._theme = ""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self.plot.pointed.connect(self._point)
        self.plot.left.connect(lambda: self.pointed.emit(""))
        self._prepare(44_100)

    # -- what differs -----------------------------------------------------------------------------------------------------

    @abstractmethod
    def make_analyser(self, rate: int) -> Analyser: ...
    @abstractmethod
    def axis(self) -> tuple[str, Ticks]:
        """Name and ticks of the rows."""

    @abstractmethod
    def colour(self, columns: npt.NDArray[Any]) -> Pixels:
        """Columns of the analyser as pixels ``(k, height)``."""

    @abstractmethod
    def words(self, row: float, column: npt.NDArray[Any]) -> str:
        """The description of ``row`` of a column."""

    def height_in_pixels(self) -> int:
        """Rows of the picture."""
        assert self.analyser is not None
        return self.analyser.rows

    # -- what is the same -------------------------------------------------------------------------------------------------

    def choose(self, source: str) -> None:
        """Show another source from now on, with an empty picture."""
        self.follower.choose(source)
        self._prepare(self.rate)

    def advance(self) -> bool:
        """Add new samples. Returns False while there is no sound."""
        if self.frozen:
            return True
        with self.frame_rate.work():
            new = self.follower.read()
            if new is None:
                return False
            if new.rate != self.rate:
                self._prepare(new.rate)
            assert self.analyser is not None and self.plot.image is not None
            if new.skipped != 0:
                self.analyser.reset()
                missed = 0 if new.skipped is None else max(0, new.skipped) // self.analyser.hop
                self._append(self._blank(min(missed, self.plot.image.columns)))
            self._append(self.analyser.feed(new.samples))
        return True

    def repaint_all(self) -> None:
        """Colour the picture again after a change of palette or range."""
        image = self.plot.image
        if image is not None:
            image.pixels[...] = self.colour(self._kept).T
            image.update()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 (Qt's name)
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.follow_theme()

    def follow_theme(self) -> None:
        """Change to the palette in use, if it has changed."""
        if self.analyser is not None and self._theme != theme.current().name:
            self._theme = theme.current().name
            self.plot.paint_theme()
            self.plot.set_rows(*self.axis())
            self.repaint_all()

    def _prepare(self, rate: int) -> None:
        self.rate = rate
        self.analyser = analyser = self.make_analyser(rate)
        columns = round(SECONDS * rate / analyser.hop)
        self.plot.show_ring(columns, self.height_in_pixels(), SECONDS, analyser.lag / rate)
        self._kept = self._blank(columns)
        self._theme = ""
        self.follow_theme()

    def _blank(self, count: int) -> npt.NDArray[Any]:
        assert self.analyser is not None
        quiet = self.analyser.feed(np.zeros(0, np.float32))
        return np.zeros((count, *quiet.shape[1:]), quiet.dtype)

    def _append(self, columns: npt.NDArray[Any]) -> None:
        image = self.plot.image
        if image is None or not len(columns):
            return
        columns = columns[-image.columns :]
        places = (image.next + np.arange(len(columns))) % image.columns
        self._kept[places] = columns
        image.append(self.colour(columns))

    def _point(self, seconds: float, row: float) -> None:
        image = self.plot.image
        assert image is not None
        age = -(seconds + image.lag)
        if not 0 <= age < image.seconds or not 0 <= row < image.rows:
            self.pointed.emit("")
            return
        column = (image.next - 1 - int(age / image.seconds * image.columns)) % image.columns
        self.pointed.emit(f"{self.words(row, self._kept[column])}, {self.tr('{0:.1f} s ago').format(-seconds)}")


class SpectrogramView(LiveView):
    """Power over time and frequency (Fig. 1.3)."""

    def __init__(self, bridge: Bridge, source: str = "mix", parent: QWidget | None = None) -> None:
        self.scale_name, self.range_db = "log", 80.0
        self._table: Pixels = np.zeros(256, np.uint32)
        super().__init__(bridge, source, parent)
        self.setAccessibleName(self.tr("Spectrogram"))

    def set_scale(self, name: str) -> None:
        """Set the scale to ``mel`` or ``log``, with an empty picture."""
        self.scale_name = name
        self.choose(self.follower.source)

    def set_range(self, decibels: float) -> None:
        """Set how many dB below full scale the darkest colour is."""
        self.range_db = decibels
        self.repaint_all()

    def scale(self) -> Scale:
        return Scale.named(self.scale_name, self.rate)

    def make_analyser(self, rate: int) -> Analyser:
        return _Quantised(Spectrum(rate, Scale.named(self.scale_name, rate)))

    def axis(self) -> tuple[str, Ticks]:
        scale = self.scale()
        marks = (
            (500, 1000, 2000, 3000, 4000, 5000, 6000, 8000)
            if scale.mel
            else (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
        )
        ticks = [
            (scale.row(hz) + 0.5, f"{hz // 1000}k" if hz >= 1000 else f"{hz}")
            for hz in marks
            if scale.low < hz <= 1.001 * scale.high
        ]
        return self.tr("Hz, mel scale") if scale.mel else self.tr("Hz"), ticks

    def repaint_all(self) -> None:
        levels = SILENT_DB + 0.5 * np.arange(256)
        self._table = packed(colour_map()(np.clip(1 + levels / self.range_db, 0, 1)))
        super().repaint_all()

    def colour(self, columns: npt.NDArray[Any]) -> Pixels:
        return np.asarray(self._table[columns], np.uint32)

    def words(self, row: float, column: npt.NDArray[Any]) -> str:
        hz = float(self.scale().frequency(int(row)))
        level = SILENT_DB + 0.5 * float(column[int(row)])
        return f"{hz_text(hz)} ({note_name(hz)}), {f'{level:.0f} dB' if level > SILENT_DB else '−∞ dB'}"


class _Quantised:
    """Levels of a spectrum in half decibels from ``SILENT_DB`` on, as bytes, which the picture stores."""

    def __init__(self, spectrum: Spectrum) -> None:
        self._spectrum = spectrum
        self.rows, self.hop, self.lag, self.reset = spectrum.rows, spectrum.hop, spectrum.lag, spectrum.reset

    def feed(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        levels = self._spectrum.feed(samples)
        return np.asarray(np.clip(2 * (levels - SILENT_DB), 0, 255), np.uint8)


class RainbowView(LiveView):
    """Constant-Q picture of notes; the colour shows how far a tone is from its bin (Fig. 1.1 and 2.2). Silence is black."""

    def __init__(self, bridge: Bridge, source: str = "instrument", parent: QWidget | None = None) -> None:
        super().__init__(bridge, source, parent)
        self.setAccessibleName(self.tr("Rainbowgram"))

    def make_analyser(self, rate: int) -> Analyser:
        return Rainbow(rate)

    def axis(self) -> tuple[str, Ticks]:
        rows = self.height_in_pixels()
        frequencies = self._frequencies()
        ticks = [
            (48 * octave + 0.5, f"C{octave + 2}  {frequencies[48 * octave]:.0f}") for octave in range(-(-rows // 48))
        ]
        return self.tr("note, Hz"), ticks

    def _frequencies(self) -> npt.NDArray[np.float64]:
        assert isinstance(self.analyser, Rainbow)
        return self.analyser.frequencies

    def colour(self, columns: npt.NDArray[Any]) -> Pixels:
        return packed(columns)

    def words(self, row: float, column: npt.NDArray[Any]) -> str:
        hz = float(self._frequencies()[int(row)])
        return f"{hz_text(hz)} ({note_name(hz)})"


class WaveformView(LiveView):
    """The outline of the sound's pressure, full scale at top and bottom."""

    HEIGHT = 256

    def __init__(self, bridge: Bridge, source: str = "mix", parent: QWidget | None = None) -> None:
        super().__init__(bridge, source, parent)
        self.setAccessibleName(self.tr("Waveform"))

    def make_analyser(self, rate: int) -> Analyser:
        return Outline(rate)

    def height_in_pixels(self) -> int:
        return self.HEIGHT

    def axis(self) -> tuple[str, Ticks]:
        half = self.HEIGHT / 2
        texts = ((1.0, "0"), (0.5, "−6"), (0.25, "−12"), (0.0, "−∞"), (-0.25, "−12"), (-0.5, "−6"), (-1.0, "0"))
        return self.tr("dB of full scale"), [(half + half * place, text) for place, text in texts]

    def colour(self, columns: npt.NDArray[Any]) -> Pixels:
        half = self.HEIGHT / 2
        low, high = half + half * columns[:, :1] - 0.5, half + half * columns[:, 1:] + 0.5
        row = np.arange(self.HEIGHT)
        cover = np.clip(
            np.minimum(row + 1, high) - np.maximum(row, low), 0.0, 1.0
        )  # coverage of each pixel, so that edges are smooth
        back, front = (_rgb(name) for name in (theme.current().panel, theme.stem_colour(self.feed_colour())))
        return packed((back + cover[..., None] * (front - back)).astype(np.uint8))

    def feed_colour(self) -> str:
        """Name of the strip whose colour is drawn."""
        return "master" if self.follower.source == "mix" else self.follower.source

    def words(self, row: float, column: npt.NDArray[Any]) -> str:
        peak = float(np.abs(column).max())
        return self.tr("peak {0}").format(f"{20 * np.log10(peak):.1f} dB" if peak > 1e-6 else "−∞ dB")


def _rgb(name: str) -> npt.NDArray[np.float64]:
    colour = QColor(name)
    return np.array([colour.red(), colour.green(), colour.blue()], np.float64)


class _Map:
    """Colours of level 0 to 1, from the panel's colour upwards, so that silence does not stand out."""

    def __init__(self, name: str) -> None:
        dark = name == "dark"
        table = (
            pg.colormap.get("inferno" if dark else "CET-L17").getLookupTable(nPts=256, alpha=False).astype(np.float64)
        )
        share = np.clip(1 - np.arange(256) / 24, 0, 1)[:, None]
        self._table = (share * _rgb(theme.PALETTES[name].panel) + (1 - share) * table).astype(np.uint8)

    def __call__(self, levels: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
        return np.asarray(self._table[np.round(255 * levels).astype(np.intp)], np.uint8)


_maps: dict[str, _Map] = {}


def colour_map() -> _Map:
    """The colour map of the palette in use."""
    name = theme.current().name
    if name not in _maps:
        _maps[name] = _Map(name)
    return _maps[name]

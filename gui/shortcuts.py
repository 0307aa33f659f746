"""Every keyboard shortcut of the window in one table: ``bind`` makes them, the help page lists them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PyQt6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QWidget

SPAN = re.compile("1…([2-9])")
"""A row of number keys."""


@dataclass(frozen=True)
class Key:
    """One shortcut: its ``group`` heads a section of the help page, ``name`` is what ``bind`` looks for."""

    group: str
    name: str
    keys: tuple[str, ...]
    text: str


WINDOW = QT_TRANSLATE_NOOP("Shortcuts", "Window")
VIEWS = QT_TRANSLATE_NOOP("Shortcuts", "Views")
MIXER = QT_TRANSLATE_NOOP("Shortcuts", "Mixer")
LISTENING = QT_TRANSLATE_NOOP("Shortcuts", "Listening tests")
PLAYER = QT_TRANSLATE_NOOP("Shortcuts", "Song and recording")
PIANO = QT_TRANSLATE_NOOP("Shortcuts", "Instrument, wherever no text is typed")
FOCUS = QT_TRANSLATE_NOOP("Shortcuts", "Faders, knobs and buttons, when they have the focus")
WAVE = QT_TRANSLATE_NOOP("Shortcuts", "Picture of the song, when it has the focus")
EFFECTS = QT_TRANSLATE_NOOP("Shortcuts", "Slots of effects, when they have the focus")

TABLE: tuple[Key, ...] = (
    Key(WINDOW, "bypass", ("Ctrl+B",), QT_TRANSLATE_NOOP("Shortcuts", "Bypass: hear the unprocessed input")),
    Key(
        WINDOW,
        "panic",
        ("Shift+Esc",),
        QT_TRANSLATE_NOOP("Shortcuts", "Panic: silence now; the song pauses, all notes end"),
    ),
    Key(WINDOW, "power", ("Ctrl+E",), QT_TRANSLATE_NOOP("Shortcuts", "Start or stop the sound")),
    Key(WINDOW, "next_page", ("Ctrl+PgDown",), QT_TRANSLATE_NOOP("Shortcuts", "Next page")),
    Key(WINDOW, "previous_page", ("Ctrl+PgUp",), QT_TRANSLATE_NOOP("Shortcuts", "Page before")),
    Key(WINDOW, "settings", ("Ctrl+,",), QT_TRANSLATE_NOOP("Shortcuts", "Settings")),
    Key(WINDOW, "theme", ("Ctrl+T",), QT_TRANSLATE_NOOP("Shortcuts", "Dark or light")),
    Key(WINDOW, "full_screen", ("F11",), QT_TRANSLATE_NOOP("Shortcuts", "Full screen")),
    Key(WINDOW, "help", ("F1",), QT_TRANSLATE_NOOP("Shortcuts", "Help: all keys")),
    Key(WINDOW, "tour", ("Shift+F1",), QT_TRANSLATE_NOOP("Shortcuts", "Take the tour of the window")),
    Key(WINDOW, "quit", ("Ctrl+Q",), QT_TRANSLATE_NOOP("Shortcuts", "Close the window")),
    Key(PLAYER, "open_song", ("Ctrl+O",), QT_TRANSLATE_NOOP("Shortcuts", "Open a song")),
    Key(PLAYER, "play", ("Space", "Ctrl+Space"), QT_TRANSLATE_NOOP("Shortcuts", "Play or pause, where no text is typed")),
    Key(PLAYER, "to_start", ("Ctrl+Home",), QT_TRANSLATE_NOOP("Shortcuts", "To the start of the song")),
    Key(PLAYER, "back", ("Alt+Left",), QT_TRANSLATE_NOOP("Shortcuts", "Five seconds back")),
    Key(PLAYER, "forward", ("Alt+Right",), QT_TRANSLATE_NOOP("Shortcuts", "Five seconds on")),
    Key(PLAYER, "loop_a", ("Ctrl+[",), QT_TRANSLATE_NOOP("Shortcuts", "Point A: loop from here")),
    Key(PLAYER, "loop_b", ("Ctrl+]",), QT_TRANSLATE_NOOP("Shortcuts", "Point B: loop to here")),
    Key(PLAYER, "loop_off", ("Ctrl+\\",), QT_TRANSLATE_NOOP("Shortcuts", "End the loop")),
    Key(PLAYER, "loop_keep", ("Ctrl+L",), QT_TRANSLATE_NOOP("Shortcuts", "Keep the loop with the song")),
    Key(PLAYER, "loop_next", ("Ctrl+Shift+L",), QT_TRANSLATE_NOOP("Shortcuts", "Play the next loop that was kept")),
    Key(PLAYER, "marker_add", ("Ctrl+M",), QT_TRANSLATE_NOOP("Shortcuts", "Add a marker at the playhead")),
    Key(PLAYER, "marker_previous", ("Alt+Shift+Left",), QT_TRANSLATE_NOOP("Shortcuts", "To the marker before")),
    Key(PLAYER, "marker_next", ("Alt+Shift+Right",), QT_TRANSLATE_NOOP("Shortcuts", "To the next marker")),
    Key(PLAYER, "zoom_in", ("Ctrl++", "Ctrl+="), QT_TRANSLATE_NOOP("Shortcuts", "Show less of the song, larger")),
    Key(PLAYER, "zoom_out", ("Ctrl+-",), QT_TRANSLATE_NOOP("Shortcuts", "Show more of the song")),
    Key(PLAYER, "zoom_fit", ("Ctrl+0",), QT_TRANSLATE_NOOP("Shortcuts", "Show the whole song")),
    Key(PLAYER, "slower", ("Ctrl+Down",), QT_TRANSLATE_NOOP("Shortcuts", "Tempo 5 % slower")),
    Key(PLAYER, "faster", ("Ctrl+Up",), QT_TRANSLATE_NOOP("Shortcuts", "Tempo 5 % faster")),
    Key(PLAYER, "key_down", ("Ctrl+Shift+Down",), QT_TRANSLATE_NOOP("Shortcuts", "Key a semitone lower")),
    Key(PLAYER, "key_up", ("Ctrl+Shift+Up",), QT_TRANSLATE_NOOP("Shortcuts", "Key a semitone higher")),
    Key(PLAYER, "record", ("Ctrl+R",), QT_TRANSLATE_NOOP("Shortcuts", "Start or end a recording")),
    Key(PLAYER, "export", ("Ctrl+Shift+E",), QT_TRANSLATE_NOOP("Shortcuts", "Export the stems of the song")),
    Key(MIXER, "undo", ("Ctrl+Z",), QT_TRANSLATE_NOOP("Shortcuts", "Undo a mixer move, or a change of markers and loops")),
    Key(MIXER, "redo", ("Ctrl+Shift+Z", "Ctrl+Y"), QT_TRANSLATE_NOOP("Shortcuts", "Do it again")),
    Key(MIXER, "compare", ("Ctrl+D",), QT_TRANSLATE_NOOP("Shortcuts", "A/B: the original mix or the separated stems")),
    Key(MIXER, "mute_strip", ("Alt+1…9",), QT_TRANSLATE_NOOP("Shortcuts", "Mute strip 1 to 9")),
    Key(MIXER, "solo_strip", ("Alt+Shift+1…9",), QT_TRANSLATE_NOOP("Shortcuts", "Solo strip 1 to 9")),
    Key(VIEWS, "freeze", ("F",), QT_TRANSLATE_NOOP("Shortcuts", "Hold the picture, or let it go on")),
    Key(LISTENING, "play_sound", ("P",), QT_TRANSLATE_NOOP("Shortcuts", "Play or stop the sound")),
    Key(LISTENING, "play_x", ("X",), QT_TRANSLATE_NOOP("Shortcuts", "Play or stop the reference")),
    Key(LISTENING, "play_a", ("A",), QT_TRANSLATE_NOOP("Shortcuts", "Play or stop A")),
    Key(LISTENING, "play_b", ("B",), QT_TRANSLATE_NOOP("Shortcuts", "Play or stop B")),
    Key(LISTENING, "answer", ("1…5",), QT_TRANSLATE_NOOP("Shortcuts", "Rate from 1 to 5; or 1 for A, 2 for B")),
    Key(LISTENING, "next_trial", ("Return", "Enter"), QT_TRANSLATE_NOOP("Shortcuts", "Keep the answer, next sound")),
)
"""A page with shortcuts of its own adds lines with its own group here and calls ``bind``."""

GESTURES: tuple[Key, ...] = (
    Key(FOCUS, "step", ("↑", "↓"), QT_TRANSLATE_NOOP("Shortcuts", "A small step (half a dB)")),
    Key(FOCUS, "page", ("PgUp", "PgDown"), QT_TRANSLATE_NOOP("Shortcuts", "A large step (3 dB)")),
    Key(FOCUS, "ends", ("Home", "End"), QT_TRANSLATE_NOOP("Shortcuts", "Minimum and maximum")),
    Key(FOCUS, "reset", ("Del",), QT_TRANSLATE_NOOP("Shortcuts", "Back to 0 dB or the centre, like a double click")),
    Key(
        FOCUS,
        "letters",
        ("M", "S", "R"),
        QT_TRANSLATE_NOOP("Shortcuts", "Mute, solo, record arm of the strip in focus"),
    ),
    Key(FOCUS, "press", ("Return",), QT_TRANSLATE_NOOP("Shortcuts", "Press the button in focus")),
    Key(
        FOCUS,
        "fine",
        ("Shift",),
        QT_TRANSLATE_NOOP("Shortcuts", "Held while dragging or turning the wheel: fine steps"),
    ),
    Key(WAVE, "wave_move", ("←", "→", "Home", "End"), QT_TRANSLATE_NOOP("Shortcuts", "Five seconds back or on, to the start, to the end")),
    Key(WAVE, "wave_lane", ("↑", "↓"), QT_TRANSLATE_NOOP("Shortcuts", "Choose a lane")),
    Key(WAVE, "wave_mute", ("M", "S"), QT_TRANSLATE_NOOP("Shortcuts", "Mute or solo the chosen lane")),
    Key(WAVE, "wave_loop", ("A", "B", "Del"), QT_TRANSLATE_NOOP("Shortcuts", "Loop from here, to here, end the loop")),
    Key(WAVE, "wave_scroll", ("PgUp", "PgDown"), QT_TRANSLATE_NOOP("Shortcuts", "Scroll by a page")),
    Key(WAVE, "wave_rename", ("F2", "Shift+Del"), QT_TRANSLATE_NOOP("Shortcuts", "Rename or delete the chosen marker")),
    Key(WAVE, "wave_shift", ("Shift+←", "Shift+→"), QT_TRANSLATE_NOOP("Shortcuts", "Move the chosen marker by a tenth of a second")),
    Key(WAVE, "wave_wheel", ("Ctrl, Shift",), QT_TRANSLATE_NOOP("Shortcuts", "Held while turning the wheel: zoom, scroll")),
    Key(EFFECTS, "shift", ("Alt+Up", "Alt+Down"), QT_TRANSLATE_NOOP("Shortcuts", "Move the effect up or down")),
    Key(EFFECTS, "bypass_effect", ("B",), QT_TRANSLATE_NOOP("Shortcuts", "Bypass the effect, or switch it on again")),
    Key(EFFECTS, "remove", ("Del",), QT_TRANSLATE_NOOP("Shortcuts", "Remove the effect")),
    Key(
        PIANO,
        "piano",
        ("A W S E D …",),
        QT_TRANSLATE_NOOP("Shortcuts", "Play: a semitone each, from C"),
    ),
    Key(PIANO, "octave", ("Z", "X"), QT_TRANSLATE_NOOP("Shortcuts", "An octave lower or higher")),
    Key(PIANO, "velocity", ("C", "V"), QT_TRANSLATE_NOOP("Shortcuts", "Softer or louder")),
    Key(PIANO, "pedal", ("Space",), QT_TRANSLATE_NOOP("Shortcuts", "Sustain pedal, when the piano has the focus")),
    Key(
        PIANO,
        "morph",
        ("←", "→", "↑", "↓"),
        QT_TRANSLATE_NOOP("Shortcuts", "Move the point of the morph pad; with Shift in large steps"),
    ),
    Key(PIANO, "middle", ("Home",), QT_TRANSLATE_NOOP("Shortcuts", "The point of the morph pad back to the middle")),
)
"""Keys inside a control, which the controls handle themselves; listed for the help page."""


def translated(text: str) -> str:
    """A group or a description in the user's language."""
    return QCoreApplication.translate("Shortcuts", text)


def sequences(key: Key) -> list[str]:
    """The key sequences; ``1…9`` stands for nine of them, ``1…5`` for five."""
    found = []
    for text in key.keys:
        span = SPAN.search(text)
        found += [SPAN.sub(str(n), text) for n in range(1, int(span[1]) + 1)] if span else [text]
    return found


def bind(owner: QWidget, handlers: Mapping[str, Callable[..., object]], group: str | None = None) -> list[QShortcut]:
    """Make the shortcuts that ``handlers`` names, active in the window of ``owner`` (with ``group``: only while ``owner`` shows
    and has the focus within). The handler of a numbered key is called with its number from 0."""
    context = Qt.ShortcutContext.WindowShortcut if group is None else Qt.ShortcutContext.WidgetWithChildrenShortcut
    made = []
    for key in TABLE:
        if key.name not in handlers or (group is not None and key.group != group):
            continue
        numbered = any(SPAN.search(text) for text in key.keys)
        for number, text in enumerate(sequences(key)):
            shortcut = QShortcut(QKeySequence(text), owner)
            shortcut.setContext(context)
            handler = handlers[key.name]
            shortcut.activated.connect((lambda n=number, h=handler: h(n)) if numbered else (lambda h=handler: h()))
            made.append(shortcut)
    return made

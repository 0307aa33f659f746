"""The context menu of a control for MIDI learn: assign a controller, or remove it. ``learnable`` adds it to any control."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication, QPoint, Qt
from PyQt6.QtWidgets import QMenu, QWidget

from gui.bridge import Bridge
from gui.effect_words import plugin_title, translated
from gui.theme import stem_title
from gui.widgets.popup import pop_up
from rtaudio.protocol.parameters import EFFECTS


def learn_menu(parent: QWidget, bridge: Bridge, targets: dict[str, str]) -> QMenu:
    """A menu to learn and forget each of ``targets``: target of the command ``learn`` -> name for the user."""
    menu = QMenu(parent)
    menu.setAccessibleName(_tr("MIDI learn"))
    report = bridge.snapshot.instrument
    learned = {str(entry.get("target")) for entry in report.state.midi_map}
    for target, what in targets.items():
        waiting = report.learning == target
        learn = menu.addAction(_tr("Stop waiting for a controller") if waiting else _tr("MIDI learn: {}").format(what))
        forget = menu.addAction(_tr("Forget the controller of {}").format(what))
        assert learn is not None and forget is not None
        learn.setEnabled(bool(report.model))
        learn.triggered.connect(lambda _, t="" if waiting else target: bridge.send("learn", target=t))
        forget.setEnabled(target in learned)
        forget.triggered.connect(lambda _, t=target: bridge.send("forget", target=t))
        menu.addSeparator()
    if not report.model:
        note = menu.addAction(_tr("MIDI needs an instrument: choose one in the settings"))
        assert note is not None
        note.setEnabled(False)
    return menu


def learnable(widget: QWidget, bridge: Bridge, target: str) -> None:
    """Add the MIDI learn menu to ``widget``, for right click and the menu key."""
    widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    def show(place: QPoint) -> None:
        pop_up(learn_menu(widget, bridge, {target: target_title(target)}), widget.mapToGlobal(place))

    widget.customContextMenuRequested.connect(show)


def target_title(target: str) -> str:
    """The user's name of a learnable control: ``stem.vocals.gain_db`` is "Vocals: level"."""
    kind, *rest = target.split(".")
    if kind == "stem" and len(rest) == 2:
        fields = {"pan": _tr("pan"), "gain_db": _tr("level"), "mute": _tr("mute"), "solo": _tr("solo"), "armed": _tr("record arm")}
        return f"{stem_title(rest[0])}: {fields.get(rest[1], rest[1])}"
    if kind == "insert" and len(rest) >= 3:
        return _insert_title(rest[0], ".".join(rest[1:]))
    known = {
        "mixer.dry": _tr("Dry/wet"), "mixer.master_db": _tr("Master: level"), "mixer.bypass": _tr("Bypass"),
        "mixer.monitor": _tr("Monitor"), "mixer.limiter": _tr("Limiter"),
        "mixer.click": _tr("Click"), "mixer.click_db": _tr("Click: level"), "mixer.count_in": _tr("Click: count-in"),
        "instrument.attack_ms": _tr("Attack"), "instrument.release_ms": _tr("Release"),
        "transport.play": _tr("Play or pause"), "transport.start": _tr("To the start"), "transport.record": _tr("Record"),
        "transport.loop": _tr("Loop: A, B, off"), "transport.tempo": _tr("Tempo of clock and Link"),
        "transport.speed": _tr("Tempo of the song"), "transport.key": _tr("Key of the song"),
    }  # fmt: skip
    return known.get(target, target)


def _insert_title(place: str, name: str) -> str:
    """The user's name of the parameter ``KEY.PARAMETER``. The key of a built-in effect begins with its name."""
    key, _, parameter = name.partition(".")
    if key == place == "instrument":  # the plugin that plays, not an effect on it
        return f"{stem_title(place)}: {parameter}"
    plugin = key.rpartition("-")[0]
    titles = {p.id: translated(p.name) for p in EFFECTS[plugin].parameters} if plugin in EFFECTS else {}
    return f"{stem_title(place)}: {plugin_title(plugin) if plugin in EFFECTS else plugin or key}, {titles.get(parameter, parameter)}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("Learn", text)

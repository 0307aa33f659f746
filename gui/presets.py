"""Presets: named sounds. They are saved, loaded, renamed and deleted from a menu. Loading a mixer can be undone like any move."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtWidgets import QInputDialog, QMenu, QMessageBox, QWidget

from gui.bridge import Bridge
from gui.insert_moves import INPUT, places_of, slots_of
from gui.mixer_model import mixer_model_of
from gui.store import Preset
from gui.widgets.plain import plain
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.insert_checks import is_foreign
from rtaudio.protocol.messages import to_dict
from rtaudio.protocol.settings import StemState

MIXER_FIELDS = ("dry", "master_db", "limiter", "ceiling_db", "bypass")
"""Monitoring is left out: a preset must not open a microphone."""
STEM_FIELDS = tuple(entry.name for entry in fields(StemState) if entry.name != "inserts")


def present_preset(bridge: Bridge) -> Preset:
    """The present sound as a preset."""
    snapshot, config = bridge.snapshot, bridge.config
    return Preset(
        config.model,
        config.instrument,
        config.voices,
        copy.deepcopy(snapshot.mixer),
        replace(copy.deepcopy(snapshot.instrument.state), record_folder="", record_format="wav"),  # not part of the sound
    )


def apply_preset(bridge: Bridge, preset: Preset, name: str = "") -> None:
    """Load ``preset``. Other models restart the stream for a short time; otherwise only the mixer changes."""
    config = bridge.config
    wanted = {"model": preset.model, "instrument": preset.instrument_model, "voices": preset.voices}
    if any(getattr(config, key) != value for key, value in wanted.items()):
        if preset.model != config.model:
            wanted["routing"] = {}
        if not bridge.configure(**wanted):
            return
        _send_mixer(bridge, preset)
    else:
        _move_mixer(bridge, preset, name)
    if preset.instrument_model:
        _send_instrument(bridge, preset)


def _send_mixer(bridge: Bridge, preset: Preset) -> None:
    for strip, state in preset.mixer.stems.items():
        for name in STEM_FIELDS:
            bridge.send("set_stem", stem=strip, field=name, value=getattr(state, name))
    for field in MIXER_FIELDS:
        bridge.send("set_mixer", field=field, value=getattr(preset.mixer, field))
    for place in _places(bridge, preset):
        slots = [to_dict(entry) for entry in slots_of(preset.mixer, place)]
        bridge.send("set_inserts", strip=place, inserts=slots)


def _move_mixer(bridge: Bridge, preset: Preset, name: str) -> None:
    """Move the mixer through the mixer model, as one step of undo."""
    mixer_model = mixer_model_of(bridge)
    mixer_model.undo.beginMacro(QCoreApplication.translate("MixerModel", "Preset {}").format(name))
    for strip, state in preset.mixer.stems.items():
        for field in STEM_FIELDS:
            mixer_model.move(strip, field, getattr(state, field))
    for field in MIXER_FIELDS:
        mixer_model.move("", field, getattr(preset.mixer, field))
    for place in _places(bridge, preset):
        mixer_model.inserts.arrange(place, slots_of(preset.mixer, place))
    mixer_model.undo.endMacro()


def _places(bridge: Bridge, preset: Preset) -> list[str]:
    """Where the preset's effects go. With a song there is no live input, and its effects stay as they are."""
    song = bool(bridge.snapshot.transport.path)
    return [place for place in places_of(preset.mixer) if not (song and place == INPUT)]


def _send_instrument(bridge: Bridge, preset: Preset) -> None:
    state, plugin = preset.instrument, is_foreign(preset.instrument_model)
    for channel, shares in state.shares.items():
        if shares and not plugin:
            bridge.send("set_sound", channel=int(channel), shares=shares)
    for field in ("attack_ms", "release_ms", "curve"):
        bridge.send("set_instrument", field=field, value=getattr(state, field))
    bridge.send("set_midi_map", entries=state.midi_map)
    if plugin and state.plugin.plugin == preset.instrument_model:
        bridge.send("set_instrument", field="plugin", value=to_dict(state.plugin))


class PresetMenu(QMenu):
    """Menu of the presets and their actions."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.setTitle(self.tr("Presets"))
        self._rename, self._delete = QMenu(self.tr("Rename"), self), QMenu(self.tr("Delete"), self)
        self.aboutToShow.connect(self.fill)
        self.fill()

    def fill(self) -> None:
        """Fill the menu."""
        self.clear()
        names = self.bridge.store.preset_names()
        for name in names:
            self._add(self, name, partial(self.load, name))
        if names:
            self.addSeparator()
        self._add(self, self.tr("Save as …"), self.ask_and_save)
        for menu, act in ((self._rename, self.ask_and_rename), (self._delete, self.ask_and_delete)):
            menu.clear()
            self.addMenu(menu)
            menu.setEnabled(bool(names))
            for name in names:
                self._add(menu, name, partial(act, name))

    @staticmethod
    def _add(menu: QMenu, text: str, act: Callable[[], object]) -> None:
        action = menu.addAction(text.replace("&", "&&"))
        assert action is not None
        action.triggered.connect(lambda: act())

    def _try(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except StemplayError as error:
            self.bridge.refused.emit(str(error))
            return False
        finally:
            for sentence in self.bridge.store.notices:
                self.bridge.refused.emit(sentence)
            self.bridge.store.notices.clear()
        return True

    def load(self, name: str) -> None:
        """Load the preset."""
        self._try(lambda: apply_preset(self.bridge, self.bridge.store.load_preset(name), name))

    def save(self, name: str) -> None:
        """Save the present sound under this name."""
        self._try(lambda: self.bridge.store.save_preset(name, present_preset(self.bridge)))

    def ask_and_save(self) -> None:
        """Ask for a name and save; ask again before replacing a preset."""
        name, given = QInputDialog.getText(self.parentWidget(), self.tr("Save preset"), self.tr("Name"))
        name = name.strip()
        if not given or not name:
            return
        if name in self.bridge.store.preset_names() and not self._sure(
            self.tr("Replace the preset “{}”?").format(name)
        ):
            return
        self.save(name)

    def ask_and_rename(self, name: str) -> None:
        """Ask for a new name and rename the preset."""
        new, given = QInputDialog.getText(self.parentWidget(), self.tr("Rename preset"), self.tr("Name"), text=name)
        if given and new.strip():
            self._try(lambda: self.bridge.store.rename_preset(name, new))

    def ask_and_delete(self, name: str) -> None:
        """Ask, then delete the preset."""
        if self._sure(self.tr("Delete the preset “{}”?").format(name)):
            self._try(lambda: self.bridge.store.delete_preset(name))

    def _sure(self, question: str) -> bool:
        yes = QMessageBox.StandardButton.Yes
        return QMessageBox.question(self.parentWidget(), self.tr("Presets"), plain(question)) == yes

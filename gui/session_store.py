"""Saves the session while the window is open and when it closes, and restores it at the next start."""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

from PyQt6.QtCore import QObject, QTimer

from gui.bridge import Bridge, SessionLike, meet_engine
from gui.store import SavedSession, Store
from models.names import exists
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, MixerState

SAVE_MS = 4000
"""Interval between two checks for changes."""

FIRST = EngineConfig(input="none", instrument="sing-gm")
"""The configuration of a first start: with the instrument, and without a microphone, which might howl, until the user chooses one."""

LAST_ATTEMPT = 3
"""Of ``_attempts``."""

Asked = Callable[[EngineConfig], EngineConfig]
"""Applies the options of the command line to a configuration."""


def restore(store: Store, asked: Asked) -> SessionLike:
    """The running engine, else one that will start with the last session. What could not be restored is reported in ``store.notices``.

    A song is restored paused at its position. The engine waits for a missing device. Raises StemplayError for invalid options of
    the command line.
    """
    saved = store.load_session()
    if saved is None:
        return meet_engine(asked(FIRST), MixerState(monitor=False))
    for number, attempt in enumerate(_attempts(saved, store)):
        try:
            session = meet_engine(asked(attempt.config), attempt.mixer, attempt.instrument)
        except StemplayError as error:
            if number == LAST_ATTEMPT:
                raise
            told = f"The last session could not be restored completely: {error}"
            if told not in store.notices:  # an attempt that keeps the cause fails for the same reason
                store.notices.append(told)
            continue
        if not session.joined:
            _resume(session, saved)
        return session
    raise AssertionError("the last attempt returns or raises")


def _attempts(saved: SavedSession, store: Store) -> Iterator[SavedSession]:
    """Sessions to try, the best first: the saved one; the same without effects (one of a newer program is unknown); the same without
    missing models; that of a first start. A plugin that is not installed needs none of this: its slot says that it is missing."""
    config = saved.config
    if os.path.isabs(config.input) and not exists(config.input):
        store.notices.append(f"The song {config.input} does not exist any more.")
        config = replace(config, input="none")
    yield replace(saved, config=config)
    stems = {name: replace(strip, inserts=[]) for name, strip in saved.mixer.stems.items()}
    yield replace(saved, config=config, mixer=replace(saved.mixer, stems=stems, inserts=[], input_inserts=[]))
    plain = replace(config, model=FIRST.model, instrument=FIRST.instrument, routing={})
    yield SavedSession(plain, replace(saved.mixer, stems={}, inserts=[], input_inserts=[]))
    yield SavedSession(FIRST, MixerState(monitor=False))


def _resume(session: SessionLike, saved: SavedSession) -> None:
    """Restore the song at its position, paused."""
    if session.config.input != saved.config.input or not os.path.isabs(saved.config.input):
        return
    if saved.loop is not None:  # before the seek, because a new loop moves a song that is beyond it
        session.send(command("set_loop", start_s=saved.loop[0], end_s=saved.loop[1]))
    with contextlib.suppress(StemplayError):  # a file of another program may hold anything
        if saved.speed != 1.0:
            session.send(command("set_speed", speed=saved.speed))
        if saved.key != 0.0:
            session.send(command("set_key", semitones=saved.key))
    session.send(command("seek", position_s=saved.position_s))
    session.send(command("pause"))


class SessionStore(QObject):
    """Saves changes every few seconds, so that even a killed window loses little; ``save`` is also called at the end."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.bridge = bridge
        self._saved: SavedSession | None = None
        self._failed = ""
        self._timer = QTimer(self)
        self._timer.setInterval(SAVE_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def present(self) -> SavedSession:
        """The present session."""
        snapshot, before = self.bridge.snapshot, self._saved or SavedSession()
        song = snapshot.transport.path
        present = SavedSession(
            self.bridge.config,
            snapshot.mixer if snapshot.mixer.stems else before.mixer,
            snapshot.instrument.state if snapshot.instrument.model else before.instrument,
            snapshot.transport.position_s if song else before.position_s,
            snapshot.transport.loop if song else before.loop,
            snapshot.transport.speed if song else before.speed,
            snapshot.transport.key if song else before.key,
        )
        return copy.deepcopy(present)

    def look(self) -> None:
        """Save if something other than the song's position has changed."""
        present = self.present()
        if self._saved is None or replace(present, position_s=0.0) != replace(self._saved, position_s=0.0):
            self.save()

    def save(self) -> None:
        """Save. An error of the disk is reported once."""
        present = self.present()
        try:
            self.bridge.store.save_session(present)
            self._saved, self._failed = present, ""
        except StemplayError as error:
            if str(error) != self._failed:
                self._failed = str(error)
                self.bridge.refused.emit(self._failed)

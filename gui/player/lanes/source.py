"""Finds the waveforms of a song's stems for the lanes: from a background separation, or from the stems that the file has itself.

The separation runs in a process of its own at the lowest priority (``rtaudio.jobs.lanes``), and not in the engine: its callback would
wait for one more Python thread. The engine's meters are not drawn as it plays, either: they follow the faders, thirty a second, and only
where it has played. What is found is kept, so that a song is separated for its picture once.
"""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from gui.bridge import Bridge
from gui.jobs import Job
from gui.player.lanes.peaks import Peaks
from gui.player.player_model import PlayerModel, player_model_of
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.reports import Snapshot

MIX = "mix"


class StemSource(QObject):
    """The peaks of the song that is open. There is one for each bridge (``stem_source_of``); it works from the first time it is asked for.

    Signals:
        changed(): more is known, or it began or ended.
        told(str): one sentence: why there are no stems.
    """

    changed = pyqtSignal()
    told = pyqtSignal(str)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.bridge: Bridge = bridge
        self.player_model: PlayerModel = player_model_of(bridge)
        self.mix: Peaks | None = None
        """Peaks of the mix at all widths, once the whole song was read; its signal is called ``mix``."""
        self.stems: Peaks | None = None
        """Peaks of the stems, as far as they are known."""
        self.share = 0.0
        """Share of the song whose stems are known."""
        self._job: Job | None = None
        self._wanted: tuple[str, str, bool] | None = None  # song, model and consistency of what is known or under way
        self._mix_of = ""
        self._seen: tuple[object, ...] = ()
        bridge.snapshot_changed.connect(self._follow)
        self.player_model.picture_changed.connect(self.look)
        self.look()

    @property
    def wanted(self) -> bool:
        """Whether the user wants lanes of stems."""
        return self.bridge.store.preferences.layout.get("lanes", True) is not False

    @property
    def working(self) -> bool:
        """Whether stems are being found."""
        return self._job is not None

    def want(self, wanted: bool) -> None:
        """Separate songs for their pictures, or end that, also one that is under way."""
        self.bridge.store.preferences.layout["lanes"] = wanted
        try:
            self.bridge.store.save_preferences()
        except StemplayError as error:
            self.told.emit(str(error))
        self.look()
        self.changed.emit()

    def look(self) -> None:
        """Begin, go on or end, as the song, its model and the user's wish require."""
        picture, transport = self.player_model.picture, self.player_model.transport
        song = transport.path if picture.get("path") == transport.path and picture.get("share") == 1.0 else ""
        if song != self._mix_of:
            self._mix_of = song
            self.mix = Peaks.told(picture, [MIX]) if song else None
            if self.mix is not None:
                self.mix.add(picture.get("levels", ()))
            self.changed.emit()
        own = bool(transport.titles)
        model = "" if own else self.bridge.config.model
        possible = bool(song) and self.wanted and (own or model != "none")
        asked = (song, model, self.bridge.config.consistent) if possible else None
        if asked == self._wanted:
            return
        self._stop()
        self.stems, self.share = None, 0.0
        self.changed.emit()
        if asked is not None:
            self._start(*asked)

    def _follow(self, snapshot: Snapshot) -> None:
        config, transport = self.bridge.config, snapshot.transport
        seen = (transport.path, config.model, config.consistent, bool(transport.titles))
        if seen != self._seen:
            self._seen = seen
            self.look()

    def _start(self, song: str, model: str, consistent: bool) -> None:
        self._wanted = (song, model, consistent)
        self._job = job = self.bridge.job("lanes", path=song, model=model, consistent=consistent)
        job.progress.connect(lambda facts: self._take(job, facts))
        job.done.connect(lambda facts: self._take(job, facts, done=True))
        job.failed.connect(lambda sentence: self._failed(job, sentence))
        self.changed.emit()

    def _stop(self) -> None:
        job, self._job, self._wanted = self._job, None, None
        if job is not None:
            job.cancel()

    def _take(self, job: Job, facts: dict[str, Any], done: bool = False) -> None:
        if job is not self._job:
            return
        if self.stems is None:
            self.stems = Peaks.told(facts, [str(name) for name in facts.get("stems", ())])
        if self.stems is not None:
            self.stems.add(facts.get("levels", ()))
        total = facts.get("total") or 0
        self.share = 1.0 if done else min(1.0, facts.get("done", 0) / total) if total else 0.0
        if done:
            self._job = None
        self.changed.emit()

    def _failed(self, job: Job, sentence: str) -> None:
        if job is self._job:
            self._job = None
            self.told.emit(sentence)
            self.changed.emit()


def stem_source_of(bridge: Bridge) -> StemSource:
    """The stem source of a bridge, made when it is first asked for."""
    found = bridge.findChild(StemSource)
    return found if isinstance(found, StemSource) else StemSource(bridge)

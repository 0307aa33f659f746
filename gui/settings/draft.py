"""A draft of the settings. Nothing here affects the sound until ``apply``.

Child processes provide the possible choices (devices, MIDI inputs, models) and their consequences (the expected latency, or why a
choice is impossible).
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from gui.bridge import Bridge
from gui.jobs import Job
from gui.mixer_model import mixer_model_of
from gui.store import round_trip_key
from rtaudio.protocol.insert_checks import is_foreign
from rtaudio.protocol.messages import to_dict
from rtaudio.protocol.settings import EngineConfig

SETTLE_MS = 250
"""Delay from the last change to the request of the latency."""

BUSY = ("unavailable", "busy", "in use")
"""Words of a host whose device is taken: by our own engine, most likely, so only trying will tell."""


class Draft(QObject):
    """See the module's docstring.

    Signals:
        changed(): the choice, or a list of choices, has changed.
        expected_changed(): ``expected`` or ``problem`` of the present choice has changed.
        applied(): the settings were sent to the engine. told(str): a sentence for the user.
    """

    changed = pyqtSignal()
    expected_changed = pyqtSignal()
    applied = pyqtSignal()
    told = pyqtSignal(str)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.base: EngineConfig = bridge.config
        self.config: EngineConfig = replace(self.base)
        self.devices: list[dict[str, Any]] = []
        self.default = {"input": "", "output": ""}
        self.midi_inputs: list[str] = []
        self.midi_outputs: list[str] = []
        self.no_computer = ""
        """Why what this computer plays cannot be heard; empty if it can."""
        self.cards: dict[str, dict[str, Any]] = {}
        self.listed = False
        """Whether the devices are known."""
        self.expected: dict[str, Any] | None = None
        self.problem = ""
        self._asked: Job | None = None
        self._jobs: list[Job] = []
        self._applying = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self._ask)

    # -- lists --------------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Request the lists of choices."""
        devices = self._job("devices")
        devices.done.connect(self._take_devices)
        devices.failed.connect(self._no_devices)
        midi = self._job("midi_inputs")
        midi.done.connect(lambda facts: self._take_lists(midi_inputs=facts["inputs"], midi_outputs=facts.get("outputs", [])))
        own = [name for name in (self.config.model, self.config.instrument) if name not in ("", "none") and not is_foreign(name)]
        models = self._job("models", extra=own)
        models.done.connect(lambda facts: self._take_lists(cards=facts["models"]))
        self._timer.start()

    def add_model(self, folder: str) -> None:
        """Read the card of a model in a folder, so that it can be chosen."""
        job = self._job("models", extra=[*self.cards, folder])
        job.done.connect(lambda facts: self._take_lists(cards=facts["models"]))

    def _job(self, name: str, **args: Any) -> Job:
        job = self.bridge.job(name, **args)
        self._jobs.append(job)
        job.ended.connect(lambda: self._jobs.remove(job))
        return job

    def rest(self) -> None:
        """Stop all requests."""
        self._timer.stop()
        self._applying = False
        for job in list(self._jobs):
            job.cancel()

    def _take_devices(self, facts: dict[str, Any]) -> None:
        self._take_lists(devices=facts["devices"], default=facts["default"], no_computer=facts.get("no_computer", ""), listed=True)

    def _no_devices(self, sentence: str) -> None:
        self._take_lists(devices=[], listed=True)
        self.told.emit(sentence)

    def _take_lists(self, **lists: Any) -> None:
        for name, value in lists.items():
            setattr(self, name, value)
        self.changed.emit()

    def device(self, label: str, end: str) -> dict[str, Any] | None:
        """The entry of a device that is there; ``default`` means what it means now."""
        label = self.default[end] if label == "default" else label
        found = [d for d in self.devices if d["label"] == label and d[f"{end}s"] > 0]
        return found[0] if found else None

    # -- choices ------------------------------------------------------------------------------------------------------------

    @property
    def dirty(self) -> bool:
        """Whether there are choices that are not applied."""
        return bool(self.changes())

    def changes(self) -> dict[str, Any]:
        """The choices that differ from the settings when the dialog opened, or from those applied last."""
        before, now = asdict(self.base), asdict(self.config)
        return {name: getattr(self.config, name) for name in now if now[name] != before[name]}

    def choose(self, **changes: Any) -> None:
        """Change a choice."""
        chosen = replace(self.config, **changes)
        if chosen == self.config:
            return
        self.config = chosen
        self.changed.emit()
        self._forget_answer()
        self._timer.start()

    def _forget_answer(self) -> None:
        self.expected, self.problem = None, ""
        job, self._asked = self._asked, None
        if job is not None:
            job.cancel()
        self.expected_changed.emit()

    def _ask(self) -> None:
        self._forget_answer()
        self._asked = job = self._job("latency", config=to_dict(self.config))
        job.done.connect(lambda facts: self._answered(facts, ""))
        job.failed.connect(lambda sentence: self._answered(None, sentence))

    def _answered(self, facts: dict[str, Any] | None, problem: str) -> None:
        self.expected, self.problem, self._asked = facts, problem, None
        self.expected_changed.emit()
        if self._applying:
            self._applying = False
            self._apply_if_possible()

    @property
    def checking(self) -> bool:
        """Whether the result for the present choice is not known yet."""
        return self._timer.isActive() or self._asked is not None

    def round_trip_key(self) -> str:
        """Key of a round-trip measurement with the present choice; "" while that is not known."""
        facts = self.expected
        return round_trip_key(facts["input"], facts["output"], facts["rate"], facts["block"]) if facts else ""

    def round_trip(self) -> float | None:
        """Measured device latency of the present choice in samples, if there is a measurement."""
        return self.bridge.store.preferences.round_trips.get(self.round_trip_key())

    # -- applying -----------------------------------------------------------------------------------------------------------

    def apply(self) -> None:
        """Apply the settings as soon as they are known to be possible. Does not block."""
        if not self.checking:
            self._apply_if_possible()
            return
        self._applying = True
        if self._timer.isActive():
            self._timer.stop()
            self._ask()

    def _apply_if_possible(self) -> None:
        if self.problem and not any(word in self.problem.lower() for word in BUSY):
            self.told.emit(self.tr("{} The sound has not changed.").format(self.problem))
            return
        moves = mixer_model_of(self.bridge).inserts
        before, kept = self.bridge.config.instrument, moves.settings_of_played()
        if self.bridge.configure(**self.changes()):
            moves.remember_instrument(before, kept)
            self.base = self.bridge.config
            self.config = replace(self.base)
            self.told.emit("")
            self.applied.emit()
            self.changed.emit()

    def follow(self) -> None:
        """The engine's configuration changed without us (it went back to what played, or a song was opened): keep only what was
        chosen since."""
        now: EngineConfig = self.bridge.config
        if now != self.base:
            changes = self.changes()
            self.base = now
            self.config = replace(now, **changes)
            self.changed.emit()
            self._timer.start()

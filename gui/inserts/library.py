"""The effects for slots: the built-in ones at once, and installed plugins as soon as a background job has found them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from gui.bridge import Bridge
from gui.effect_words import translated
from gui.insert_moves import table_of
from gui.jobs import Job
from rtaudio.protocol.parameters import EFFECTS, Parameter


@dataclass(frozen=True)
class Listed:
    """One effect or plugin. ``kind`` is empty for a built-in effect; ``error`` says why a plugin cannot be used."""

    plugin: str
    name: str
    category: str
    summary: str = ""
    maker: str = ""
    kind: str = ""
    editor: bool = False
    parameters: tuple[Parameter, ...] = ()
    error: str = ""

    def matches(self, words: list[str]) -> bool:
        """Whether each of ``words`` (in lower case) occurs in its texts."""
        text = " ".join((self.name, self.category, self.summary, self.maker, self.kind, self.plugin)).lower()
        return all(word in text for word in words)


class PluginLibrary(QObject):
    """One for each bridge, see ``library_of``.

    Signals:
        changed(): the list has changed, or a search has started or ended. advanced(): the search has progressed, see ``progress``.
    """

    changed = pyqtSignal()
    advanced = pyqtSignal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.bridge = bridge
        self.problem = self.progress = ""
        self._plugins: tuple[Listed, ...] = ()
        self._job: Job | None = None
        self._looked = False

    @property
    def busy(self) -> bool:
        """Whether a search for plugins is in progress."""
        return self._job is not None

    @property
    def listed(self) -> tuple[Listed, ...]:
        """The built-in effects, then plugins by name."""
        own = (
            Listed(e.id, translated(e.name), translated(e.category), translated(e.summary), parameters=e.parameters)
            for e in EFFECTS.values()
        )
        return (*own, *self._plugins)

    def parameters(self, plugin: str) -> tuple[Parameter, ...] | None:
        """A plugin's table of parameters; None while it is not known."""
        if plugin in EFFECTS:
            return table_of(plugin)
        return next((listed.parameters for listed in self._plugins if listed.plugin == plugin and not listed.error), None)

    def look(self, again: bool = False) -> None:
        """Search for installed plugins, once; ``again``: examine also those that were found or failed before."""
        if self.busy or (self._looked and not again):
            return
        self._looked, self.problem = True, ""
        self._job = self.bridge.job("plugins", **({"again": True} if again else {}))
        self._job.progress.connect(self._advance)
        self._job.done.connect(self._found)
        self._job.failed.connect(self._failed)
        self._job.ended.connect(self._ended)
        self.changed.emit()

    def _advance(self, told: dict[str, Any]) -> None:
        done, total = told.get("done"), told.get("total")
        if isinstance(done, int) and isinstance(total, int):
            self.progress = self.tr("{0} of {1}: {2}").format(done, total, told.get("name", ""))
            self.advanced.emit()

    def _found(self, facts: dict[str, Any]) -> None:
        entries = facts.get("plugins")
        found = [listed for entry in (entries if isinstance(entries, list) else []) if (listed := _listed(entry)) is not None]
        self._plugins = tuple(sorted(found, key=lambda listed: listed.name.casefold()))

    def _failed(self, sentence: str) -> None:
        self.problem = sentence

    def _ended(self) -> None:
        self._job, self.progress = None, ""
        self.changed.emit()


def _listed(entry: Any) -> Listed | None:
    """A plugin from the job's report; None if the report is invalid."""
    if not isinstance(entry, dict) or not isinstance(entry.get("plugin"), str):
        return None
    texts = {key: str(entry.get(key) or "") for key in ("name", "maker", "category", "kind", "error")}
    try:
        parameters = tuple(Parameter.from_json(values) for values in entry.get("parameters") or [])
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        parameters = ()
    if entry.get("instrument") is True:
        texts["error"] = texts["error"] or "It is an instrument, not an effect."
    return Listed(
        entry["plugin"], texts["name"] or entry["plugin"], texts["category"], "", texts["maker"], texts["kind"] or "?",
        entry.get("editor") is True, parameters, texts["error"],
    )  # fmt: skip


def library_of(bridge: Bridge) -> PluginLibrary:
    """The library of a bridge, created on first use."""
    found = bridge.findChild(PluginLibrary)
    return found if isinstance(found, PluginLibrary) else PluginLibrary(bridge)

"""The effects for slots and the instruments: what is built in at once, and plugins as soon as a background job has found them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PyQt6.QtCore import QCoreApplication, QObject, pyqtSignal

from gui.bridge import Bridge
from gui.effect_words import translated
from gui.insert_moves import table_of
from gui.jobs import Job
from models.card import CardError
from models.catalog import load_card, model_names
from rtaudio.protocol.parameters import EFFECTS, Parameter


@dataclass(frozen=True)
class Listed:
    """One effect, plugin or instrument. ``kind`` is empty for what is built in; ``error`` says why a plugin cannot be used."""

    plugin: str
    name: str
    category: str
    summary: str = ""
    maker: str = ""
    kind: str = ""
    editor: bool = False
    parameters: tuple[Parameter, ...] = ()
    error: str = ""
    instrument: bool = False

    @property
    def text(self) -> str:
        """All its words, for a search."""
        return " ".join((self.name, self.category, self.summary, self.maker, self.kind, self.plugin))


class PluginLibrary(QObject):
    """One for each bridge, see ``library_of``.

    Signals:
        changed(): the list has changed, or a search has started or ended. advanced(): the search has progressed, see ``progress``.
        examined(str, str): a plugin that was asked for has been loaded; its name, and why it cannot be used, or "".
    """

    changed = pyqtSignal()
    advanced = pyqtSignal()
    examined = pyqtSignal(str, str)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.bridge = bridge
        self.problem = self.progress = ""
        self._plugins: tuple[Listed, ...] = ()
        self._asked: dict[str, tuple[Listed, ...]] = {}  # plugins outside the usual folders
        self._asking: dict[str, Job] = {}
        self._job: Job | None = None
        self._looked = False

    @property
    def busy(self) -> bool:
        """Whether a search for plugins is in progress."""
        return self._job is not None or bool(self._asking)

    @property
    def listed(self) -> tuple[Listed, ...]:
        """The built-in effects, then plugins by name, effects and instruments."""
        own = (
            Listed(e.id, translated(e.name), translated(e.category), translated(e.summary), parameters=e.parameters)
            for e in EFFECTS.values()
        )
        return (*own, *self.plugins)

    @property
    def plugins(self) -> tuple[Listed, ...]:
        """The plugins by name: those that the search has found, and those that were asked for."""
        found = {listed.plugin: listed for each in self._asked.values() for listed in each}
        found |= {listed.plugin: listed for listed in self._plugins}
        return tuple(sorted(found.values(), key=lambda listed: listed.name.casefold()))

    def entry(self, plugin: str) -> Listed | None:
        """What is known of a plugin; None while nothing is."""
        return next((listed for listed in self.plugins if listed.plugin == plugin), None)

    def parameters(self, plugin: str) -> tuple[Parameter, ...] | None:
        """A plugin's table of parameters; None while it is not known."""
        if plugin in EFFECTS:
            return table_of(plugin)
        listed = self.entry(plugin)
        return listed.parameters if listed is not None and not listed.error else None

    def look(self, again: bool = False) -> None:
        """Search for installed plugins, once; ``again``: examine also those that were found or failed before."""
        if self._job is not None or (self._looked and not again):
            return
        self._looked, self.problem = True, ""
        if again:
            self._asked.clear()
        self._job = self.bridge.job("plugins", **({"again": True} if again else {}))
        self._job.progress.connect(self._advance)
        self._job.done.connect(self._found)
        self._job.failed.connect(self._failed)
        self._job.ended.connect(self._ended)
        self.changed.emit()

    def examine(self, plugin: str) -> None:
        """Load one plugin, by its path or its full name, to learn what it is: ``examined`` tells when."""
        if plugin in self._asking:
            return
        self._asking[plugin] = job = self.bridge.job("plugin", plugin=plugin)
        job.done.connect(lambda facts: self._take_asked(plugin, facts))
        job.failed.connect(lambda sentence: self.examined.emit(plugin, sentence))
        job.ended.connect(lambda: self._asked_ended(plugin))
        self.changed.emit()

    def know(self, plugin: str) -> None:
        """Make its parameters known, if they are not: from the search, or by loading it if it lies outside the usual folders."""
        if not plugin or self.parameters(plugin) is not None or self.entry(plugin) is not None or plugin in self._asked:
            return
        self.look()
        if self._job is None:
            self.examine(plugin)

    def _take_asked(self, plugin: str, facts: dict[str, Any]) -> None:
        found = _all_listed(facts)
        self._asked[plugin] = found
        wrong = next((listed.error for listed in found if listed.error), "")
        told = wrong if found and all(listed.error for listed in found) else ""
        self.changed.emit()
        self.examined.emit(plugin, told)

    def _asked_ended(self, plugin: str) -> None:
        self._asking.pop(plugin, None)
        self._asked.setdefault(plugin, ())
        self.changed.emit()

    def _advance(self, told: dict[str, Any]) -> None:
        done, total = told.get("done"), told.get("total")
        if isinstance(done, int) and isinstance(total, int):
            self.progress = self.tr("{0} of {1}: {2}").format(done, total, told.get("name", ""))
            self.advanced.emit()

    def _found(self, facts: dict[str, Any]) -> None:
        self._plugins = _all_listed(facts)

    def _failed(self, sentence: str) -> None:
        self.problem = sentence

    def _ended(self) -> None:
        self._job, self.progress = None, ""
        self.changed.emit()


def _all_listed(facts: dict[str, Any]) -> tuple[Listed, ...]:
    entries = facts.get("plugins")
    return tuple(
        listed for entry in (entries if isinstance(entries, list) else []) if (listed := _listed(entry)) is not None
    )


def _listed(entry: Any) -> Listed | None:
    """A plugin from the job's report; None if the report is invalid."""
    if not isinstance(entry, dict) or not isinstance(entry.get("plugin"), str):
        return None
    texts = {key: str(entry.get(key) or "") for key in ("name", "maker", "category", "kind", "error")}
    try:
        parameters = tuple(Parameter.from_json(values) for values in entry.get("parameters") or [])
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        parameters = ()
    return Listed(
        entry["plugin"], texts["name"] or entry["plugin"], texts["category"], "", texts["maker"], texts["kind"] or "?",
        entry.get("editor") is True, parameters, texts["error"], entry.get("instrument") is True,
    )  # fmt: skip


@lru_cache(maxsize=1)
def instrument_models() -> tuple[Listed, ...]:
    """The installed models of the kind instrument."""
    found = []
    for name in model_names():
        try:
            card = load_card(name)
        except CardError:
            continue
        if card.kind == "instrument":
            about = QCoreApplication.translate("InstrumentBrowser", "Neural synthesiser with {} sounds").format(
                len(card.outputs)
            )
            found.append(Listed(name, name, about, card.description, instrument=True))
    return tuple(found)


def library_of(bridge: Bridge) -> PluginLibrary:
    """The library of a bridge, created on first use."""
    found = bridge.findChild(PluginLibrary)
    return found if isinstance(found, PluginLibrary) else PluginLibrary(bridge)

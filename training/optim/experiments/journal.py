"""The results of an experiment so far, in one file, so that an interrupted experiment can continue."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from training.data.store import write_atomic


class Journal:
    """Results of an experiment by name, written atomically after each result.

    Args:
        path: a JSON file; its folder is created.
        settings: the settings that the results depend on, as plain values.

    Raises:
        StemplayError: the file cannot be read, or belongs to other settings.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path, self.settings = path, json.loads(json.dumps(settings))
        self.results: dict[str, Any] = {}
        if path.exists():
            self._read()

    def _read(self) -> None:
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
            settings, results = values["settings"], values["results"]
            if not isinstance(results, dict):
                raise ValueError("its results are not a table")
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StemplayError(f"{self.path} cannot be read as results: {error}; delete it to start again.") from None
        if settings != self.settings:
            raise StemplayError(f"{self.path} contains results of other settings; choose another folder, or delete it.")
        self.results = results

    def get(self, name: str, make: Callable[[], Any]) -> Any:
        """The result ``name`` as plain values, computed if it does not exist."""
        if name not in self.results:
            self.results[name] = json.loads(json.dumps(make()))
            self.save()
        return self.results[name]

    def save(self) -> None:
        """Write all results."""
        text = json.dumps({"settings": self.settings, "results": self.results}, indent=0)
        write_atomic(self.path, text.encode())

"""Looks for plugins in the background."""

from __future__ import annotations

from pathlib import Path

from rtaudio.audio.format import StemplayError
from rtaudio.jobs import Facts, Report
from rtaudio.plugins.scan import look_at, scan
from rtaudio.protocol.insert_checks import is_foreign, is_plugin_file, split_plugin


def plugins(report: Report, again: bool = False) -> Facts:
    """All installed plugins, see ``rtaudio.plugins.scan``. ``again``: look at all of them afresh."""

    def progress(done: int, total: int, name: str) -> None:
        report.progress(done=done, total=total, name=name)

    return {"plugins": scan(again, progress)}


def plugin(report: Report, plugin: str) -> Facts:
    """One plugin by its path or full name, wherever it lies; several if the file holds several.

    Raises StemplayError if that is no plugin. One that cannot be loaded is reported with its ``error``.
    """
    file = Path(split_plugin(plugin)[0])
    if not is_foreign(plugin):
        if (file / "pyproject.toml").is_file() or file.suffix == ".py":
            raise StemplayError(
                f"{file} is Python: install its package with pip, then plugins of Python are listed after a new scan."
            )
        raise StemplayError(
            f"{file} is no plugin: the name of a VST3 plugin ends in .vst3, that of an Audio Unit in .component."
        )
    if is_plugin_file(plugin) and not file.exists():
        raise StemplayError(f"There is no plugin {file}.")
    return {"plugins": look_at(plugin)}

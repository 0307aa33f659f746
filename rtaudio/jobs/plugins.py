"""Looks for plugins in the background."""

from __future__ import annotations

from rtaudio.jobs import Facts, Report
from rtaudio.plugins.scan import scan


def plugins(report: Report, again: bool = False) -> Facts:
    """All installed plugins, see ``rtaudio.plugins.scan``. ``again``: look at all of them afresh."""

    def progress(done: int, total: int, name: str) -> None:
        report.progress(done=done, total=total, name=name)

    return {"plugins": scan(again, progress)}

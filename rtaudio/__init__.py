"""Stemplay's engine as a library.

    from rtaudio import Session, separate, separate_file

The names below are loaded when they are first used, so that importing a part of the package loads nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtaudio.audio.format import StemplayError, StreamFormat
    from rtaudio.control.session import Session
    from rtaudio.files.offline import separate_array as separate
    from rtaudio.files.offline import separate_file
    from rtaudio.processors.base import Processor
    from rtaudio.protocol.messages import command
    from rtaudio.protocol.reports import Snapshot
    from rtaudio.protocol.settings import EngineConfig, InstrumentState, MixerState, StemState

_PLACES = {
    "EngineConfig": "rtaudio.protocol.settings",
    "InstrumentState": "rtaudio.protocol.settings",
    "MixerState": "rtaudio.protocol.settings",
    "Processor": "rtaudio.processors.base",
    "Session": "rtaudio.control.session",
    "Snapshot": "rtaudio.protocol.reports",
    "StemState": "rtaudio.protocol.settings",
    "StemplayError": "rtaudio.audio.format",
    "StreamFormat": "rtaudio.audio.format",
    "command": "rtaudio.protocol.messages",
    "separate": "rtaudio.files.offline:separate_array",
    "separate_file": "rtaudio.files.offline",
}

__all__ = [
    "EngineConfig",
    "InstrumentState",
    "MixerState",
    "Processor",
    "Session",
    "Snapshot",
    "StemState",
    "StemplayError",
    "StreamFormat",
    "command",
    "separate",
    "separate_file",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, own = _PLACES[name].partition(":")
    return getattr(import_module(module), own or name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})

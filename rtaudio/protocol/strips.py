"""Which strips a mixer has, and which of its controls are buttons."""

from __future__ import annotations

INSTRUMENT = "instrument"
"""Name of the instrument's strip."""

MASTER, INPUT = "master", "input"
"""Names under which the inserts of the whole mix and of a live input are addressed; they are no strips of the mixer."""

STRIP_BUTTONS = ("mute", "solo", "armed")
MIXER_BUTTONS = ("bypass", "monitor", "limiter")
TRANSPORT_BUTTONS = ("play", "start", "record", "loop")


def strip_names(stems: tuple[str, ...], instrument: bool) -> tuple[str, ...]:
    """A model's stems, then the instrument where there is one."""
    return (*stems, INSTRUMENT) if instrument else stems


def is_button(target: str) -> bool:
    """Whether ``target`` is pressed, not moved: ``stem.NAME.mute``, ``mixer.bypass``, ``transport.play`` and their like."""
    kind, *rest = target.split(".")
    if kind == "stem":
        return len(rest) == 2 and rest[1] in STRIP_BUTTONS
    fields = {"mixer": MIXER_BUTTONS, "transport": TRANSPORT_BUTTONS}.get(kind, ())
    return len(rest) == 1 and rest[0] in fields

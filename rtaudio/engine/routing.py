"""Checks mixer values and converts routing: stems to output channels, input channels."""

from __future__ import annotations

from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.engine.callback import Routes

_LIMITS = {
    "pan": (-1.0, 1.0),
    "dry": (0.0, 1.0),
    "ceiling_db": (-60.0, 0.0),
    "gain_db": (None, 24.0),
    "master_db": (None, 24.0),
}


def assign(state: Any, field: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Set a field of the mixer's state to a value of its own type, in range. Raises StemplayError otherwise."""
    if field not in allowed:
        raise StemplayError(f"There is no control {field!r}; choose from {', '.join(allowed)}.")
    if isinstance(getattr(state, field), bool):
        if not isinstance(value, bool):
            raise StemplayError(f"{field} is on or off, not {value!r}.")
        setattr(state, field, value)
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise StemplayError(f"{field} needs a number, not {value!r}.")
    low, high = _LIMITS[field]
    if value > high or (low is not None and value < low):
        floor = "" if low is None else f"from {low:g} "
        raise StemplayError(f"{field} goes {floor}up to {high:g}, not {value:g}.")
    setattr(state, field, float(value))


def output_routes(routing: dict[str, list[int]], stems: tuple[str, ...], channels: int) -> Routes:
    """Routing by name with 1-based channels, as the callback wants it. Raises StemplayError for what is not there."""
    routes = []
    for stem, targets in routing.items():
        if stem not in stems:
            raise StemplayError(f"There is no stem {stem!r} to route; this model gives {', '.join(stems)}.")
        if not targets or any(not 1 <= target <= channels for target in targets):
            raise StemplayError(
                f"Stem {stem} cannot go to channels {targets}: this output has channels 1 to {channels}."
            )
        routes.append((stems.index(stem), [target - 1 for target in targets]))
    return routes


def input_picks(wanted: tuple[int, ...], available: int, channels: int) -> list[int]:
    """0-based input channel for each channel of the mix; mono goes to all. Empty without input."""
    if any(not 1 <= channel <= available for channel in wanted):
        raise StemplayError(f"Input channels {list(wanted)} are not there: this input has channels 1 to {available}.")
    if not available:
        return []
    chosen = [channel - 1 for channel in wanted] or list(range(min(channels, available)))
    return [chosen[min(i, len(chosen) - 1)] for i in range(channels)]

"""Converts routing settings to channel indices for the audio callback."""

from __future__ import annotations

from rtaudio.audio.format import StemplayError
from rtaudio.engine.callback import Routes


def output_routes(routing: dict[str, list[int]], stems: tuple[str, ...], channels: int) -> Routes:
    """Routing by name and 1-based channels as the callback's routes. Raises StemplayError for an unknown stem or channel."""
    routes = []
    for stem, targets in routing.items():
        if stem not in stems:
            raise StemplayError(f"There is no stem {stem!r} to route; this model's stems are {', '.join(stems)}.")
        if not targets or any(not 1 <= target <= channels for target in targets):
            raise StemplayError(
                f"Stem {stem} cannot be routed to channels {targets}: this output has channels 1 to {channels}."
            )
        routes.append((stems.index(stem), [target - 1 for target in targets]))
    return routes


def input_picks(wanted: tuple[int, ...], available: int, channels: int) -> list[int]:
    """0-based input channel for each channel of the mix; mono goes to all. Empty without input."""
    if any(not 1 <= channel <= available for channel in wanted):
        raise StemplayError(f"Input channels {list(wanted)} do not exist: this input has channels 1 to {available}.")
    if not available:
        return []
    chosen = [channel - 1 for channel in wanted] or list(range(min(channels, available)))
    return [chosen[min(i, len(chosen) - 1)] for i in range(channels)]

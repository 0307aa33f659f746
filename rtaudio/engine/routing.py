"""Routing in the form that the engine needs: stems to output channels, input channels."""

from __future__ import annotations

from rtaudio.audio.format import StemplayError
from rtaudio.engine.callback import Routes


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

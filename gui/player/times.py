"""Times as people read and write them."""

from __future__ import annotations


def clock(seconds: float, tenths: bool = False) -> str:
    """``m:ss``, or ``h:mm:ss`` from an hour on, with tenths if wanted; cut, not rounded, as a clock is."""
    parts = int(max(0.0, seconds) * 10 + 1e-6)
    whole, tenth = divmod(parts, 10)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{text}.{tenth}" if tenths else text


def parse_clock(text: str) -> float | None:
    """Seconds of ``1:23.4`` or ``83.4``; None for what is no time."""
    try:
        parts = [float(part) for part in text.strip().replace(",", ".").split(":")]
    except ValueError:
        return None
    if not 1 <= len(parts) <= 3 or any(not 0 <= part < 1e6 for part in parts):
        return None
    seconds = 0.0
    for part in parts:
        seconds = 60 * seconds + part
    return seconds

"""Where the demo song is."""

from __future__ import annotations

import sys
from pathlib import Path

NAME = "kimseye.ogg"


def demo_song() -> str:
    """The path of the demo song, in a clone of the repository or in an installed package; "" if it is not there."""
    root = Path(__file__).resolve().parents[2]
    places = (root / "demo", root / "share" / "stemplay", Path(sys.prefix) / "share" / "stemplay")
    return next((str(place / NAME) for place in places if (place / NAME).is_file()), "")

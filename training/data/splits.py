"""Which songs train, which choose the model, which are only reported (MUS-01)."""

from __future__ import annotations

VALIDATION_SONGS = (
    "Actions - One Minute Smile",
    "Clara Berry And Wooldog - Waltz For My Victims",
    "Johnny Lokke - Promises & Lies",
    "Patrick Talbot - A Reason To Leave",
    "Triviul - Angelsaint",
    "Alexander Ross - Goodbye Bolero",
    "Fergessen - Nos Palpitants",
    "Leaf - Summerghost",
    "Skelpolu - Human Mistakes",
    "Young Griffo - Pennies",
    "ANiMAL - Rockshow",
    "James May - On The Line",
    "Meaxic - Take A Step",
    "Traffic Experiment - Sirens",
)
"""The validation tracks of the ``musdb`` package. The thesis speaks of 16; the package's list has these 14, so 86 songs train."""


def split_of(folder: str, name: str) -> str:
    """``train``, ``valid`` or ``test`` of a MUSDB song, by its folder (``train``, or ``test`` / ``dev``) and its name."""
    if folder != "train":
        return "test"
    return "valid" if name in VALIDATION_SONGS else "train"

"""Which songs are for training, for choosing the model, and only for reporting (MUS-01)."""

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
"""The validation tracks of the ``musdb`` package. The thesis mentions 16; the package lists these 14, so 86 songs are for training."""


def split_of(folder: str, name: str) -> str:
    """``train``, ``valid`` or ``test`` of a MUSDB song, by its folder (``train``, or ``test`` / ``dev``) and its name."""
    if folder != "train":
        return "test"
    return "valid" if name in VALIDATION_SONGS else "train"


HELD_OUT_OPEN_SONGS = ("3.Sodium", "7.Francium")
"""Whole songs of ``stems-open`` that are never used for training: a second test set, whose recordings may be redistributed (CC0)."""

CLIP_SECONDS, CLIP_EVERY = 30, 60
"""In whole songs of a test set, the first half of each minute is scored, also of an incomplete last minute."""


def split_of_open(name: str) -> str:
    """``test`` for the songs of ``stems-open`` that are held out, ``train`` for the others."""
    return "test" if name in HELD_OUT_OPEN_SONGS else "train"


def clips_of(frames: int, rate: int = 44_100) -> list[tuple[int, int]]:
    """Start and length in samples of a song's clips: the first ``CLIP_SECONDS`` of every ``CLIP_EVERY``; the last may be shorter."""
    every, length = CLIP_EVERY * rate, CLIP_SECONDS * rate
    return [(start, min(length, frames - start)) for start in range(0, frames, every)]


HELD_OUT_SINGERS: dict[str, dict[str, tuple[str, ...]]] = {
    "makam": {"valid": ("goekhan",), "test": ("safiye",)},
    "mir1k": {"valid": ("titon",), "test": ("leon", "stool", "tammy", "yifen")},
    "ravdess": {"valid": ("19", "20"), "test": ("21", "22", "23", "24")},
}
"""Singers whom the denoiser does not hear in training (the separators do)."""


def split_of_singer(collection: str, singer: str, number: int, count: int) -> str:
    """``train``, ``valid`` or ``test`` for the denoiser. Of collections that are not listed, the last tenth is ``valid``."""
    listed = HELD_OUT_SINGERS.get(collection)
    if listed is None or count == 1:
        return "valid" if count > 1 and number >= count - max(1, count // 10) else "train"
    return next((split for split, singers in listed.items() if singer in singers), "train")

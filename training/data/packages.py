"""Recorded speech, noises and music in Debian's packages: where they lie, whose they are, and what is held out.

Games, learning programs and telephone exchanges bring hours of recordings with licences that Debian has checked. Nothing is downloaded:
install the packages, or unpack them into a folder (``dpkg -x PACKAGE.deb FOLDER``) and name it with ``prepare stems --packages FOLDER``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Recordings:
    """Files of one package.

    Attributes:
        collection: of the store, one for each kind and licence (``training.data.jobs``).
        package: Debian's name of it.
        pattern: of the files, below the root of the file system.
        group: file -> who speaks, or what kind of noise it is; empty: not used. A group is in one split only.
    """

    collection: str
    package: str
    pattern: str
    group: Callable[[Path], str]


def _folder(up: int = 1, prefix: str = "") -> Callable[[Path], str]:
    return lambda path: prefix + path.parents[up - 1].name


def _always(name: str) -> Callable[[Path], str]:
    return lambda path: name


def _prompt(path: Path) -> str:
    """The speaker, from a folder such as ``en_US_f_Allison``; recordings of silence are not used."""
    if path.parent.name == "silence":
        return ""
    folder = next(part for part in path.parts[::-1] if re.fullmatch(r"[a-z]{2}_[A-Z]{2}_[fm]_\w+", part))
    return folder.split("_")[-1]


def _stamp_speaker(path: Path) -> str:
    """Tux Paint's spoken descriptions: one speaker for each language. English has several, too few words each: not used."""
    found = re.search(r"_desc_([A-Za-z_]+)$", path.stem)
    return f"words {found[1]}" if found else ""


def _stamp_noise(path: Path) -> str:
    """Tux Paint's sounds of animals and things, without those that are spoken."""
    kind = path.parts[path.parts.index("stamps") + 1]
    return f"stamps {kind}" if "_desc" not in path.stem and kind in ("animals", "household", "vehicles", "town") else ""


def _city(path: Path) -> str:
    """LinCity's sounds by what they are of: ``TraficHigh2`` -> ``lincity Trafic``."""
    return "lincity " + re.sub(r"(High|Low|Med|Full|Empty)*\d*$", "", path.stem)


SHARE = "usr/share"
RECORDINGS: tuple[Recordings, ...] = (
    Recordings("prompts", "asterisk-core-sounds-ru-g722", f"{SHARE}/asterisk/sounds/ru_RU_f_*/**/*.g722", _prompt),
    *(
        Recordings(
            "prompts-sharealike",
            f"asterisk-core-sounds-{code}-g722",
            f"{SHARE}/asterisk/sounds/{code}_*/**/*.g722",
            _prompt,
        )
        for code in ("en", "es", "fr", "it")
    ),
    Recordings("words", "klettres-data", f"{SHARE}/klettres/*/*/*.[ow]*", _folder(2, "words ")),
    Recordings("words", "ktuberling-data", f"{SHARE}/ktuberling/sounds/*/*.[ow]*", _folder(1, "words ")),
    Recordings("words", "tuxpaint-stamps-default", f"{SHARE}/tuxpaint/stamps/**/*.ogg", _stamp_speaker),
    Recordings("noises", "sonic-pi-samples", f"{SHARE}/sonic-pi/samples/[aglmptv]*.flac", _always("sonic-pi")),
    Recordings("noises-copyleft", "tuxpaint-stamps-default", f"{SHARE}/tuxpaint/stamps/**/*.ogg", _stamp_noise),
    Recordings("noises-copyleft", "lincity-ng-data", f"{SHARE}/games/lincity-ng/sounds/*.wav", _city),
    Recordings(
        "noises-copyleft", "lincity-ng-data", f"{SHARE}/games/lincity-ng/music/*/*.ogg", _always("lincity music")
    ),
    Recordings("noises-copyleft", "colobot-common-sounds", f"{SHARE}/games/colobot/sounds/*.wav", _always("colobot")),
    Recordings(
        "noises-copyleft", "colobot-common-sounds", f"{SHARE}/games/colobot/music/*.ogg", _always("colobot music")
    ),
    Recordings("noises-copyleft", "extremetuxracer-data", f"{SHARE}/games/etr/music/*.ogg", _always("etr music")),
    Recordings("noises-copyleft", "oxygen-sounds", f"{SHARE}/sounds/Oxygen*.ogg", _always("oxygen")),
    Recordings(
        "noises-copyleft",
        "wesnoth-1.16-data",
        f"{SHARE}/games/wesnoth/*/data/core/sounds/ambient/*.ogg",
        _always("wesnoth ambient"),
    ),
    Recordings(
        "noises-sharealike", "asterisk-moh-opsound-g722", f"{SHARE}/asterisk/moh/*.g722", lambda path: path.stem
    ),
    Recordings(
        "noises-sharealike",
        "unknown-horizons",
        f"{SHARE}/unknown-horizons/content/audio/sounds/*.ogg",
        _always("horizons"),
    ),
    Recordings(
        "noises-sharealike",
        "unknown-horizons",
        f"{SHARE}/unknown-horizons/content/audio/music/*.ogg",
        _always("horizons music"),
    ),
)

SPLITS: dict[str, tuple[str, ...]] = {
    "valid": (
        "words lt", "words ca", "words it",
        "lincity Fire", "lincity Harbor", "lincity Pottery", "lincity WindMill", "etr music",
    ),
    "test": (
        "words el", "words da", "words uk",
        "lincity SportsCroud", "lincity Market", "lincity RailTrain", "lincity School", "wesnoth ambient", "horizons", "horizons music",
    ),
}  # fmt: skip
"""Speakers and kinds of noise that are only for validation, and only for the test; all others are for training."""


POOR = (
    "words fi", "words hu", "words pt", "words sv", "words gl", "words ro",
    "words sr", "words sr@ijekavian", "words sr@ijekavianlatin", "words sr@latin",
)  # fmt: skip
"""Not used: recorded at 8 kHz, or with a noise less than 35 dB below the voice, which a denoiser would learn to keep."""


def split_of_group(group: str) -> str:
    """``train``, ``valid`` or ``test``."""
    return next((split for split, groups in SPLITS.items() if group in groups), "train")


def groups_of(collection: str, root: Path) -> Iterator[tuple[str, tuple[Path, ...]]]:
    """Each group of a collection with its files below ``root``, in a fixed order."""
    found: dict[str, list[Path]] = {}
    for row in RECORDINGS:
        if row.collection == collection:
            for path in sorted(root.glob(row.pattern)):
                if (
                    path.suffix in SUFFIXES
                    and path.stat().st_size > EMPTY
                    and (group := row.group(path)) not in ("", *POOR)
                ):
                    found.setdefault(group, []).append(path)
    for group in sorted(found):
        yield group, tuple(found[group])


EMPTY = 1000
"""Bytes that a file needs to be worth reading: some prompts are empty."""
SUFFIXES = (".wav", ".ogg", ".oga", ".flac", ".g722")


def packages() -> list[str]:
    """Debian's names of all packages that are read."""
    return sorted({row.package for row in RECORDINGS})

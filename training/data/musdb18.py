"""MUSDB18 and MUSDB18-HQ as they are downloaded, listed by the ``musdb`` package with its layouts, names and split (MUS-01).

ROOT/train/ARTIST - TITLE.stem.mp4        MUSDB18: five AAC streams a file
ROOT/train/ARTIST - TITLE/vocals.wav ...  MUSDB18-HQ: a folder of WAV files a song
ROOT/test/...
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rtaudio.audio.format import SOURCES, StemplayError
from training.data import decode, folder
from training.data.store import Stems


@dataclass(frozen=True)
class Song:
    """A song and its location; ``split`` is ``train``, ``valid`` or ``test``."""

    name: str
    path: Path
    split: str

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that its stems are read from."""
        return (self.path,) if self.path.is_file() else tuple(self.path / f"{source}.wav" for source in SOURCES)


def is_hq(root: Path) -> bool:
    """Whether the folders hold WAV files (MUSDB18-HQ) rather than stem containers.

    Raises:
        StemplayError: there is neither.
    """
    if any(root.glob("t*/*.stem.mp4")):
        return False
    if any(root.glob("t*/*/vocals.wav")):
        return True
    raise StemplayError(f"{root} is neither MUSDB18 nor MUSDB18-HQ: its folders train and test contain no songs.")


def songs(root: Path) -> list[Song]:
    """All songs below ``root``. Raises StemplayError if there are none."""
    import musdb

    hq = is_hq(root)
    try:
        tracks = musdb.DB(root=str(root), is_wav=hq, subsets=["train", "test"]).tracks
        valid = set(musdb.DB(root=str(root), is_wav=hq, subsets="train", split="valid").tracks)
    except (OSError, ValueError, RuntimeError) as error:
        raise StemplayError(f"{root} cannot be read as MUSDB18: {error}.") from None
    held_out = {track.name for track in valid}
    found = []
    for track in tracks:
        path = Path(track.path)
        split = "test" if track.subset == "test" else "valid" if track.name in held_out else "train"
        found.append(Song(track.name, path.parent if hq and path.is_file() else path, split))
    return found


def read_stems(path: Path) -> Stems:
    """The four stems ``(4, 2, time)`` of one song, a container or a folder."""
    return folder.read_song(path) if path.is_dir() else decode.read_stem_file(path)

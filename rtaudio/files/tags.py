"""Tags of sound files: title, artist, album, track, date, genre and cover, read from a song and written into its stems.

Every tag comes from outside: texts are cut to ``LONGEST`` characters of printable text, and a cover of more than ``LARGEST`` bytes, or
one that is neither JPEG nor PNG, is left out. mutagen is imported where it is used, because every start of an engine imports this module.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

LONGEST = 500
LARGEST = 15 << 20
"""Bytes; a block of FLAC holds 16 MiB."""

_ID3 = {
    "title": "TIT2", "artist": "TPE1", "album": "TALB", "album_artist": "TPE2", "track": "TRCK", "date": "TDRC", "genre": "TCON",
}  # fmt: skip
_VORBIS = {
    "title": "title", "artist": "artist", "album": "album", "album_artist": "albumartist", "track": "tracknumber", "date": "date",
    "genre": "genre",
}  # fmt: skip
_MP4 = {"title": "©nam", "artist": "©ART", "album": "©alb", "album_artist": "aART", "date": "©day", "genre": "©gen"}


@dataclass(frozen=True)
class Tags:
    """Texts are empty where there is none. ``track`` is a number, or ``number/total``. ``cover``: an image, JPEG or PNG."""

    title: str = ""
    artist: str = ""
    album: str = ""
    album_artist: str = ""
    track: str = ""
    date: str = ""
    genre: str = ""
    cover: bytes = b""

    def of_stem(self, stem: str, song: str) -> Tags:
        """The tags of a stem: the song's, with the stem's name behind the title. ``song``: the title if there is none."""
        return replace(self, title=f"{self.title or printable(song)} ({printable(stem)})")


def read_tags(path: str | Path) -> Tags:
    """The tags of a song; none if its format has none, or if they cannot be read."""
    import mutagen

    try:
        return _read(mutagen.File(path))
    except Exception:  # tags are an extra: damaged ones, of any of a dozen formats, must not keep a song from being separated
        return Tags()


def _read(file: Any) -> Tags:
    from mutagen.id3 import ID3
    from mutagen.mp4 import MP4

    if file is None or not file.tags:
        return Tags()
    tags = file.tags
    if isinstance(tags, ID3):
        found = {name: _text(tags.get(frame)) for name, frame in _ID3.items()}
        covers = [frame.data for frame in tags.getall("APIC")]
    elif isinstance(file, MP4):
        found = {name: _text(tags.get(key)) for name, key in _MP4.items()}
        number = (tags.get("trkn") or [(0, 0)])[0]
        found["track"] = (f"{number[0]}/{number[1]}" if number[1] else str(number[0])) if number[0] else ""
        covers = [bytes(cover) for cover in tags.get("covr", [])]
    else:
        found = {name: _text(tags.get(key)) for name, key in _VORBIS.items()}
        covers = [picture.data for picture in _pictures(file)]
    usable = [cover for cover in covers if image_kind(cover) and len(cover) <= LARGEST]
    return Tags(**found, cover=usable[0] if usable else b"")


def _text(value: Any) -> str:
    """The first text of a tag, as one printable line."""
    value = getattr(value, "text", value)
    value = value[0] if isinstance(value, list | tuple) and value else value
    return printable(str(value)) if value else ""


def printable(text: str) -> str:
    """``text`` as one line of printable characters. The bytes of a file's name that are no text are left out."""
    return "".join(c for c in text if c.isprintable()).strip()[:LONGEST]


def _pictures(file: Any) -> Iterator[Any]:
    """The images of a FLAC or Ogg file."""
    from mutagen.flac import Picture

    yield from getattr(file, "pictures", [])
    for text in file.tags.get("metadata_block_picture") or []:
        with contextlib.suppress(Exception):  # as in ``read_tags``
            yield Picture(base64.b64decode(text))


def image_kind(image: bytes) -> str:
    """``image/jpeg``, ``image/png``, or nothing."""
    return "image/jpeg" if image[:3] == b"\xff\xd8\xff" else "image/png" if image[:8] == b"\x89PNG\r\n\x1a\n" else ""


def write_tags(file: Any, format: str, tags: Tags) -> None:
    """Write ``tags`` into a complete sound file, which is open for reading and writing.

    Args:
        format: ``wav`` (an ID3 chunk), ``flac``, ``mp3``, ``opus`` or ``mp4``.

    Raises:
        OSError: the disk refuses them. The file is damaged then.
    """
    import mutagen

    if tags == Tags():
        return
    file.seek(0)
    if format == "wav" and file.read(4) != b"RIFF":
        return  # RF64, which mutagen does not know
    file.seek(0)
    try:
        _WRITERS[format](file, tags)
    except mutagen.MutagenError as error:
        raise OSError(str(error)) from error


def _texts(tags: Tags) -> dict[str, str]:
    found = {field.name: getattr(tags, field.name) for field in fields(Tags) if field.name != "cover"}
    return {name: text for name, text in found.items() if text}


def _write_wav(file: Any, tags: Tags) -> None:
    from mutagen.wave import WAVE

    _write_id3(WAVE, file, tags)


def _write_mp3(file: Any, tags: Tags) -> None:
    from mutagen.mp3 import MP3

    _write_id3(MP3, file, tags)


def _write_id3(kind: Any, file: Any, tags: Tags) -> None:
    from mutagen import id3

    sound = kind(fileobj=file)
    if sound.tags is None:
        sound.add_tags()
    for name, text in _texts(tags).items():
        sound.tags.add(getattr(id3, _ID3[name])(encoding=3, text=[text]))
    if tags.cover:
        sound.tags.add(id3.APIC(encoding=3, mime=image_kind(tags.cover), type=3, desc="", data=tags.cover))
    file.seek(0)
    sound.save(fileobj=file)


def _picture(tags: Tags) -> Any:
    from mutagen.flac import Picture

    picture = Picture()
    picture.data, picture.type, picture.mime = tags.cover, 3, image_kind(tags.cover)
    return picture


def _write_flac(file: Any, tags: Tags) -> None:
    from mutagen.flac import FLAC

    sound = FLAC(fileobj=file)
    if sound.tags is None:
        sound.add_tags()
    for name, text in _texts(tags).items():
        sound.tags[_VORBIS[name]] = [text]
    if tags.cover:
        sound.add_picture(_picture(tags))
    file.seek(0)
    sound.save(fileobj=file)


def _write_opus(file: Any, tags: Tags) -> None:
    from mutagen.oggopus import OggOpus

    sound = OggOpus(fileobj=file)
    for name, text in _texts(tags).items():
        sound.tags[_VORBIS[name]] = [text]
    if tags.cover:
        sound.tags["metadata_block_picture"] = [base64.b64encode(_picture(tags).write()).decode("ascii")]
    file.seek(0)
    sound.save(fileobj=file)


def _write_mp4(file: Any, tags: Tags) -> None:
    from mutagen.mp4 import MP4, MP4Cover

    sound = MP4(fileobj=file)
    if sound.tags is None:
        sound.add_tags()
    for name, text in _texts(tags).items():
        if name in _MP4:
            sound.tags[_MP4[name]] = [text]
    number, _, total = tags.track.partition("/")
    if number.strip().isdecimal():
        sound.tags["trkn"] = [tuple(min(int(text), 0xFFFF) if text.strip().isdecimal() else 0 for text in (number, total))]
    if tags.cover:
        kind = MP4Cover.FORMAT_JPEG if image_kind(tags.cover) == "image/jpeg" else MP4Cover.FORMAT_PNG
        sound.tags["covr"] = [MP4Cover(tags.cover, imageformat=kind)]
    file.seek(0)
    sound.save(fileobj=file)


_WRITERS = {"wav": _write_wav, "mp3": _write_mp3, "flac": _write_flac, "opus": _write_opus, "mp4": _write_mp4}

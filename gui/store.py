"""The window's stored data: session, presets, preferences. JSON files, written atomically. No Qt, no thread.

The folder is the platform's for this user's settings, or ``STEMPLAY_CONFIG_DIR``. An invalid file is renamed to ``NAME.bad``
and reported in a sentence. Values missing in a file get their defaults. Each file has a version: ``MIGRATIONS`` updates older files, and
a file of a newer program is kept as ``NAME.newer``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import platformdirs

from gui.song_notes import SongNotes, notes_of, same_song
from models.names import exists
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.messages import from_dict, to_dict
from rtaudio.protocol.settings import DEFAULT_MODEL, EngineConfig, InsertState, InstrumentState, MixerState, StemState
from rtaudio.system.atomic_file import write_text

T = TypeVar("T")
Values = dict[str, Any]

VERSION = 1
MIGRATIONS: dict[int, Callable[[Values], Values]] = {}
"""``{n: f}``: ``f`` makes the values of a file of version ``n`` those of version ``n + 1``."""

RECENT = 12
"""Largest number of recent songs."""


@dataclass
class SavedSession:
    """The engine's desired state, restored when the window opens. ``loop``: in seconds; ``speed``, ``key``: of ``Transport``."""

    config: EngineConfig = field(default_factory=EngineConfig)
    mixer: MixerState = field(default_factory=MixerState)
    instrument: InstrumentState = field(default_factory=InstrumentState)
    position_s: float = 0.0
    loop: tuple[float, float] | None = None
    speed: float = 1.0
    key: float = 0.0


@dataclass
class Preset:
    """A named sound: models, mixer, instrument and learned controllers, without devices and song."""

    model: str = DEFAULT_MODEL
    instrument_model: str = ""
    voices: int = 32
    mixer: MixerState = field(default_factory=MixerState)
    instrument: InstrumentState = field(default_factory=InstrumentState)


@dataclass
class Preferences:
    """Settings of the window, not of the sound.

    Attributes:
        theme: ``dark`` or ``light``; ``page``: shown last; ``layout``: geometry and other state of the window, as texts and numbers.
        recent: songs, the latest first.
        recording_folder, recording_format: where recordings go; ``export_folder`` likewise. Empty: the music folder.
        snap_to_bars: whether loops begin and end at bars.
        round_trips: measured device latency in samples by ``round_trip_key``.
    """

    theme: str = "dark"
    page: str = ""
    layout: Values = field(default_factory=dict)
    recent: list[str] = field(default_factory=list)
    recording_folder: str = ""
    recording_format: str = "wav"
    export_folder: str = ""
    export_format: str = "wav"
    snap_to_bars: bool = True
    round_trips: dict[str, float] = field(default_factory=dict)


def round_trip_key(input: str, output: str, rate: int, block: int) -> str:
    """Key of a measured round trip: the devices, rate and block size to which it applies."""
    return f"{input} -> {output} @ {rate}/{block}"


def music_folder() -> Path:
    """Default folder for recordings and exports."""
    return Path(platformdirs.user_music_dir()) / "Stemplay"


class Store:
    """Reads and writes the files. ``notices`` collects sentences for the user; the code that shows them clears the list."""

    def __init__(self, folder: Path | None = None) -> None:
        configured = os.environ.get("STEMPLAY_CONFIG_DIR")
        self.folder = folder or Path(configured or platformdirs.user_config_dir("stemplay", appauthor=False))
        self.notices: list[str] = []
        self.preferences = self._load(Preferences, self.folder / "preferences.json") or Preferences()

    # -- the session --------------------------------------------------------------------------------------------------------

    def load_session(self) -> SavedSession | None:
        """The last saved session; None if there is none or it is invalid."""
        return self._load(SavedSession, self.folder / "session.json")

    def save_session(self, session: SavedSession) -> None:
        """Save the session. Raises StemplayError if the disk refuses."""
        self._save(session, self.folder / "session.json")

    def save_preferences(self) -> None:
        """Save ``preferences``. Raises StemplayError if the disk refuses."""
        self._save(self.preferences, self.folder / "preferences.json")

    def remember_song(self, path: str) -> None:
        """Move a song to the top of the recent ones and save."""
        others = [song for song in self.preferences.recent if song != path]
        self.preferences.recent = [path, *others][:RECENT]
        self.save_preferences()

    def forget_songs(self) -> None:
        """Clear the list of recent songs and save."""
        self.preferences.recent = []
        self.save_preferences()

    # -- songs --------------------------------------------------------------------------------------------------------------

    def load_song(self, key: str, path: str, seconds: float) -> SongNotes:
        """The notes about the song whose content has this ``key``.

        A song without notes takes over those of the file that was at the same place and as long, to 10 ms: the same song with other tags.
        """
        found = self._load(SongNotes, self._song(key))
        if found is None:
            found = SongNotes(path, seconds)
            for file in self._songs.glob("*.json") if path else ():
                if same_song(file, path, seconds) and (other := self._load(SongNotes, file)) is not None:
                    found.markers, found.loops = other.markers, other.loops
                    break
        return found

    def save_song(self, key: str, notes: SongNotes) -> None:
        """Save notes about a song. Raises StemplayError if the disk refuses."""
        self._save(notes, self._song(key))

    @property
    def _songs(self) -> Path:
        return self.folder / "songs"

    def _song(self, key: str) -> Path:
        if not re.fullmatch("[0-9a-f]{16,128}", key):
            raise StemplayError(f"{key!r} is no key of a song.")
        return self._songs / f"{key}.json"

    # -- presets ------------------------------------------------------------------------------------------------------------

    def preset_names(self) -> list[str]:
        """Names of the presets, sorted without regard to case."""
        with contextlib.suppress(OSError):
            return sorted((_name(path) for path in self._presets.glob("*.json")), key=str.casefold)
        return []

    def save_preset(self, name: str, preset: Preset) -> None:
        """Save ``preset``, replacing one of the same name."""
        self._save(preset, self._preset(name))

    def load_preset(self, name: str) -> Preset:
        """The preset of that name. Raises StemplayError if there is none (any more)."""
        preset = self._load(Preset, self._preset(name))
        if preset is None:
            raise StemplayError(f"The preset {name!r} is not there, or cannot be understood.")
        return preset

    def rename_preset(self, old: str, new: str) -> None:
        """Give it another name. Raises StemplayError if that is taken."""
        source, target = self._preset(old), self._preset(new)
        if target == source:
            return
        same = exists(target) and exists(source) and target.samefile(source)  # letters of another case, on some disks
        if exists(target) and not same:
            raise StemplayError(f"There is a preset {new.strip()!r} already.")
        try:
            os.replace(source, target)
        except OSError as error:
            raise StemplayError(f"The preset {old!r} cannot be renamed: {error.strerror}.") from None

    def delete_preset(self, name: str) -> None:
        """Remove it. Raises StemplayError if the disk refuses."""
        try:
            self._preset(name).unlink(missing_ok=True)
        except OSError as error:
            raise StemplayError(f"The preset {name!r} cannot be deleted: {error.strerror}.") from None

    @property
    def _presets(self) -> Path:
        return self.folder / "presets"

    def _preset(self, name: str) -> Path:
        name = name.strip()
        if not name or len(name) > 80:
            raise StemplayError("A preset needs a name of 1 to 80 characters.")
        return self._presets / f"{_file_name(name)}.json"

    # -- files --------------------------------------------------------------------------------------------------------------

    def _load(self, kind: type[T], path: Path) -> T | None:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError
            self._set_aside(path, "bad", f"cannot be read ({_words(error)})")
            return None
        if not isinstance(values, dict) or not isinstance(values.get("version"), int):
            self._set_aside(path, "bad", "is none of ours")
            return None
        version = values.pop("version")
        if version > VERSION:
            self._set_aside(path, "newer", f"was written by a newer Stemplay (version {version})")
            return None
        try:
            for step in range(version, VERSION):
                values = MIGRATIONS[step](values)
            return checked(kind, values)
        except (StemplayError, KeyError, TypeError, ValueError, AttributeError) as error:
            self._set_aside(path, "bad", f"is damaged ({_words(error)})")
            return None

    def _set_aside(self, path: Path, ending: str, why: str) -> None:
        kept = path.with_name(f"{path.name}.{ending}")
        try:
            os.replace(path, kept)
            self.notices.append(
                f"The file {path.name} {why}; it is kept as {kept.name}, and defaults are used instead."
            )
        except OSError:
            self.notices.append(f"The file {path} {why}; defaults are used instead.")

    def _save(self, value: Any, path: Path) -> None:
        text = json.dumps({"version": VERSION, **to_dict(value)}, indent=1, ensure_ascii=False)
        if not _encodable(text):  # names of files whose bytes are no text, for one
            text = json.dumps({"version": VERSION, **to_dict(value)}, indent=1)
        try:
            write_text(path, text + "\n")
        except OSError as error:
            raise StemplayError(f"{path} cannot be written: {_words(error)}.") from None


MIXER_KINDS = (MixerState, StemState, InsertState)


def checked(kind: type[T], values: Any) -> T:
    """``values`` as a dataclass whose every field has the type of its default. Raises StemplayError naming the first that has not."""
    assert is_dataclass(kind)
    if not isinstance(values, dict):
        raise StemplayError(f"{kind.__name__} cannot be {values!r}")
    if kind is SongNotes:
        return cast(T, notes_of(values))
    default = kind()
    found: Values = {}
    for entry in fields(kind):
        if entry.name in values:
            found[entry.name] = _checked_value(entry.name, values[entry.name], getattr(default, entry.name))
    if kind is MixerState:
        found["stems"] = {name: checked(StemState, strip) for name, strip in found.get("stems", {}).items()}
    if kind in (MixerState, StemState):
        for name in ("inserts", "input_inserts"):
            if name in found:
                found[name] = [checked(InsertState, slot) for slot in found[name]]
    if kind is InsertState:
        values = found.get("values", {})
        found["values"] = {str(name): _checked_value(str(name), value, 0.0) for name, value in values.items()}
    return kind(**found) if kind in (SavedSession, Preset, Preferences, *MIXER_KINDS) else from_dict(kind, found)


def _checked_value(name: str, value: Any, like: Any) -> Any:
    if is_dataclass(like) and not isinstance(like, type):
        return checked(type(like), value)
    if like is None or name == "rate":
        if name == "loop" and value is not None:
            start, end = value
            return float(start), float(end)
        right = value is None or (isinstance(value, int) and not isinstance(value, bool))
    elif isinstance(like, bool):
        right = isinstance(value, bool)
    elif isinstance(like, float):
        right = isinstance(value, int | float) and not isinstance(value, bool)
    elif isinstance(like, tuple):
        right = isinstance(value, list | tuple)
    else:
        right = isinstance(value, type(like)) and not isinstance(value, bool)
    if not right:
        raise StemplayError(f"{name} cannot be {value!r}")
    return tuple(value) if isinstance(like, tuple) else value


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _words(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{text}".splitlines()[0].rstrip(".") if text else type(error).__name__


def _file_name(name: str) -> str:
    """A name as a file of any system: what is not plain is written as ``%XX``."""
    return re.sub(r"[^\w \-]", lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), name)


def _name(path: Path) -> str:
    """Inverse of ``_file_name``."""
    data = re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), path.stem.encode())
    return data.decode(errors="replace")

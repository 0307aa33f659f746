"""Finds installed plugins in each system's usual places, examines each in a separate process, and keeps the results in a file.

A plugin that has not changed since the last scan is not loaded again, even if it crashed or hung, unless the user requests it.
The file is ``plugins.json`` in the user's cache folder; ``STEMPLAY_CACHE_DIR`` overrides the folder.
"""

from __future__ import annotations

import base64
import contextlib
import difflib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import platformdirs

from rtaudio.audio.format import StemplayError
from rtaudio.plugins.entry_points import PREFIX, python_plugins
from rtaudio.protocol.insert_checks import split_plugin
from rtaudio.protocol.parameters import EFFECTS, Parameter
from rtaudio.system.atomic_file import write_text
from rtaudio.system.child_process import child_environment

LIMIT_S = 90.0
"""A plugin that is not loaded after so long is ended and marked."""
VERSION = 4
_CRASHED = "It crashed while it was loaded."
_LISTING_S = 60.0

Entry = dict[str, Any]
"""``plugin, name, maker, category, kind, editor, instrument, latency, parameters, presets, error``; see ``rtaudio/plugins/probe.py``."""


def cache_file() -> Path:
    """The file with the result of the last scan."""
    return Path(os.environ.get("STEMPLAY_CACHE_DIR") or platformdirs.user_cache_dir("stemplay", appauthor=False)) / "plugins.json"


def plugin_folders() -> list[Path]:
    """The folders searched for VST3 plugins (and Audio Units); ``VST3_PATH`` adds folders."""
    home = Path.home()
    if sys.platform == "darwin":
        places = [root / "Library/Audio/Plug-Ins" / kind for root in (Path("/"), home) for kind in ("VST3", "Components")]
    elif sys.platform == "win32":
        common, local = os.environ.get("COMMONPROGRAMFILES"), os.environ.get("LOCALAPPDATA")
        places = [Path(common) / "VST3"] if common else []
        places += [Path(local) / "Programs/Common/VST3"] if local else []
    else:
        places = [home / ".vst3", Path("/usr/local/lib/vst3"), Path("/usr/lib/vst3")]
        places += sorted(Path("/usr/lib").glob("*/vst3"))
    extra = [Path(part) for part in os.environ.get("VST3_PATH", "").split(os.pathsep) if part]
    return [*extra, *places]


def installed(folders: list[Path] | None = None) -> list[str]:
    """Names of all third-party plugins on this machine. Kinds that are not supported here raise no error."""
    return sorted(plugin_places(folders))


def plugin_places(folders: list[Path] | None = None) -> dict[str, Path | None]:
    """The names of all third-party plugins, and the file or folder of each (None: a Python package)."""
    found: dict[str, Path | None] = {}
    for folder in folders if folders is not None else plugin_folders():
        found |= {str(path): path for suffix in (".vst3", ".component") for path in _below(folder, suffix)}
    found |= {f"python:{name}": None for name in python_plugins()}
    if folders is None:
        found |= {f"lv2:{uri}": bundle for uri, bundle in _lv2_bundles().items()}
    return found


def _below(folder: Path, suffix: str) -> Iterator[Path]:
    """Plugins in ``folder``, which are bundles or files; files inside a bundle are not listed."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.suffix.lower() == suffix:
            yield entry
        elif entry.is_dir() and not entry.is_symlink():
            yield from _below(entry, suffix)


def _lv2_bundles() -> dict[str, Path]:
    """The URIs of all LV2 plugins, and the folder of each."""
    code = "import json; from rtaudio.plugins import lilv; print(json.dumps(lilv.bundles()))"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=_LISTING_S, env=child_environment(),
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, OSError):
        return {}
    with contextlib.suppress(ValueError):  # without liblilv there is nothing
        return {uri: Path(bundle) for uri, bundle in json.loads(done.stdout).items()}
    return {}


def look_at(plugin: str, limit_s: float = LIMIT_S) -> list[Entry]:
    """The description of ``plugin``, found in a separate process. A plugin that cannot be loaded has an ``error``; raises nothing."""
    try:
        return [_checked(entry) for entry in _probe(limit_s, plugin)["found"]]
    except StemplayError as failure:
        return [_failed(plugin, str(failure))]
    except (ArithmeticError, AttributeError, ValueError, KeyError, TypeError):
        return [_failed(plugin, _CRASHED)]


def preset_of(plugin: str, preset: str, limit_s: float = LIMIT_S) -> tuple[tuple[Parameter, ...], dict[str, float], bytes]:
    """The parameters of ``plugin``, their values in ``preset`` (as far as they are not the default), and the plugin's state.

    Found in a separate process. Raises StemplayError if the plugin cannot be loaded or has no such preset.
    """
    try:
        found = _probe(limit_s, plugin, preset)
        parameters = tuple(Parameter.from_json(x) for x in found["parameters"])
        values = {str(id): float(value) for id, value in found["values"].items()}
        return parameters, values, base64.b64decode(found["state"], validate=True)
    except StemplayError as failure:
        raise StemplayError(f"{plugin} cannot be used: {failure}") from None
    except (ArithmeticError, AttributeError, ValueError, KeyError, TypeError):
        raise StemplayError(f"{plugin} cannot be used: {_CRASHED}") from None


def _probe(limit_s: float, *arguments: str) -> dict[str, Any]:
    """What ``probe.py`` prints. Raises StemplayError, or ValueError and such if it is not sensible."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "rtaudio.plugins.probe", *arguments], capture_output=True, text=True, errors="replace", timeout=limit_s,
            env=child_environment(), stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise StemplayError(f"It did not load within {limit_s:g} s and was ended.") from None
    except OSError as error:
        raise StemplayError(f"It could not be looked at: {error.strerror}.") from None
    result: dict[str, Any] = json.loads(done.stdout)
    if "error" in result:
        raise StemplayError(str(result["error"]))
    return result


def _failed(plugin: str, error: str) -> Entry:
    name = plugin.removeprefix("python:") if plugin.startswith("python:") else Path(plugin.rstrip("/")).stem
    kind = "LV2" if plugin.startswith("lv2:") else "Python" if plugin.startswith("python:") else "VST3"
    return _checked({"plugin": plugin, "name": name, "kind": kind, "error": error})


def _checked(entry: Any) -> Entry:
    """An entry with all its fields, of the right types. Raises ValueError, KeyError or TypeError if it is invalid."""
    texts = {key: str(entry.get(key, "")) for key in ("plugin", "name", "maker", "category", "kind", "error")}
    parameters = [Parameter.from_json(x).to_json() for x in entry.get("parameters", [])]
    switches = {key: bool(entry.get(key)) for key in ("editor", "instrument")}
    return {**texts, **switches, "latency": int(entry.get("latency", 0)), "parameters": parameters,
            "presets": [str(name) for name in entry.get("presets", [])]}  # fmt: skip


def scan(again: bool = False, progress: Callable[[int, int, str], None] | None = None, folders: list[Path] | None = None) -> list[Entry]:
    """All installed plugins; those already examined are taken from the cache.

    Args:
        again: examine all of them again, including those that crashed.
        progress: called with the number of finished plugins, the total, and the name of the next one.
        folders: folders to search for files instead of the usual places (without LV2).
    """
    known = {} if again else _read_cache()
    places = plugin_places(folders)
    names, stamps = sorted(places), _stamps(places)
    fresh = [name for name in names if known.get(name, {}).get("stamp") != stamps[name]]
    done = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, entries in zip(fresh, pool.map(look_at, fresh), strict=True):
            done += 1
            if progress is not None:
                progress(done, len(fresh), name)
            known[name] = {"stamp": stamps[name], "entries": entries}
    if fresh or set(known) - set(names):
        if folders is None:
            known = {name: known[name] for name in names}
        _write_cache(known)
    return [entry for name in names for entry in known[name]["entries"]]


def known_plugins() -> list[Entry]:
    """The result of the last scan, without a new one."""
    known = _read_cache()
    return [entry for name in sorted(known) for entry in known[name]["entries"]]


def _stamps(places: dict[str, Path | None]) -> dict[str, str]:
    """For each plugin a mark that changes when it is installed again."""
    times = {path: _newest(path) for path in dict.fromkeys(places.values()) if path is not None}
    return {name: times[path] if path is not None else _version(name) for name, path in places.items()}


def _version(plugin: str) -> str:
    entry = python_plugins().get(plugin.removeprefix(PREFIX))
    return f"{entry.dist.name} {entry.dist.version}" if entry is not None and entry.dist is not None else ""


def _newest(path: Path) -> str:
    """When the newest file of a bundle was changed, and how many there are."""
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    with contextlib.suppress(OSError):
        return f"{max(file.stat().st_mtime_ns for file in files)} {len(files)}"
    return ""


def _read_cache() -> dict[str, dict[str, Any]]:
    try:
        data = json.loads(cache_file().read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            return {}
        return {
            str(name): {"stamp": str(known["stamp"]), "entries": [_checked(entry) for entry in known["entries"]]}
            for name, known in data["plugins"].items()
        }
    except (ArithmeticError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_cache(known: dict[str, dict[str, Any]]) -> None:
    """Save the results atomically. If this is impossible, the next scan takes as long as this one."""
    with contextlib.suppress(OSError):
        write_text(cache_file(), json.dumps({"version": VERSION, "plugins": known}))


def find_plugin(text: str, entries: list[Entry]) -> Entry:
    """The plugin that ``text`` names: by its full name as in ``plugin``, or by its own name if this is unique. Raises StemplayError."""
    path, inner = split_plugin(text)
    for entry in entries:
        if entry["plugin"] == text or (inner and (entry["plugin"], entry["name"]) == (path, inner)):
            return entry
    named = [entry for entry in entries if entry["name"].casefold() == text.casefold()]
    if len(named) == 1:
        return named[0]
    if named:
        raise StemplayError(f"{len(named)} plugins are called {text!r}: {', '.join(entry['plugin'] for entry in named)}.")
    names = [*EFFECTS, *(entry["name"] for entry in entries if not entry["error"])]
    close = {name.casefold(): name for name in reversed(names)}
    alike = [close[x] for x in difflib.get_close_matches(text.casefold(), close, 3)]
    hint = f"did you mean {' or '.join(alike)}?" if alike else f"effects are {', '.join(EFFECTS)}."
    where = "the last `plugins scan` found none of this name" if entries else "plugins have names once `plugins scan` has found them"
    raise StemplayError(f"There is no effect or plugin {text!r}; {where}, and {hint}")

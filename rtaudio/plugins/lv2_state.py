"""What an LV2 plugin keeps beside its control ports (https://lv2plug.in/ns/ext/state), and its presets, through liblilv.

A state is kept as liblilv's own text (Turtle) and the files that the plugin wrote beside it. Files that a state only names, such as a
sample of the user's, stay where they are. Restored files lie in a private folder of the host process (``state_folder.py``).
"""

from __future__ import annotations

import base64
import binascii
import ctypes
import shutil
from collections.abc import Callable
from ctypes import CFUNCTYPE, c_char_p, c_double, c_float, c_int32, c_int64, c_uint32, c_void_p
from pathlib import Path, PurePosixPath
from typing import Any

from rtaudio.plugins import lilv
from rtaudio.plugins.state_folder import fresh_folder

STATE, PRESET = "http://lv2plug.in/ns/ext/state#", "http://lv2plug.in/ns/ext/presets#Preset"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
MAX_PRESETS = 1000
"""Presets of a plugin that are listed."""
_PREFIXES = {
    "atom": lilv.ATOM, "lv2": lilv.CORE, "pset": "http://lv2plug.in/ns/ext/presets#", "state": STATE,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}  # fmt: skip
"""What liblilv's text abbreviates without saying so."""
_SUBJECT, _FILE = "urn:stemplay:state", "state.ttl"
_SET_PORT = CFUNCTYPE(None, c_char_p, c_void_p, c_void_p, c_uint32, c_uint32)
_NUMBERS: dict[str, Any] = {"Float": c_float, "Double": c_double, "Int": c_int32, "Long": c_int64, "Bool": c_int32}

SetPort = Callable[[str, float], None]
"""Called with the symbol of a control port, and its value."""


def keeps_state(instance: Any) -> bool:
    """Whether a plugin has the interface to save and restore a state."""
    address = instance.descriptor.contents.extension_data
    return bool(address and CFUNCTYPE(c_void_p, c_char_p)(address)(f"{STATE}interface".encode()))


def save(plugin: int, made: Any, features: lilv.HostFeatures) -> dict[str, Any]:
    """The state of an instance without its ports: ``turtle`` and ``files`` (path below the state's folder to base64)."""
    folder = fresh_folder()
    try:
        state = lilv.call(
            "state_new_from_instance", plugin, made, features.map_pointer, None, None, None, str(folder).encode(), None, None,
            c_uint32(0), features.pointers,
        )  # fmt: skip
        if not state:
            return {}
        text = lilv.call(
            "state_to_string", lilv.world(), features.map_pointer, features.unmap_pointer, state, _SUBJECT.encode(), None
        )
        lilv.call("state_free", state)
        if not text:
            return {}
        turtle = ctypes.string_at(text).decode(errors="replace").replace(f"<{folder.as_uri()}/", "<")  # wherever it will be restored
        lilv.call("free", text)
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        return {"turtle": turtle, "files": {name: base64.b64encode(path.read_bytes()).decode() for name, path in files.items()}}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def unpack(saved: dict[str, Any]) -> Path:
    """Write what ``save`` returned into a folder of its own. Returns the file with the state. Raises ValueError if it is damaged."""
    turtle, files = saved["turtle"], saved.get("files", {})
    if not isinstance(turtle, str) or not isinstance(files, dict):
        raise ValueError("no state")
    folder = fresh_folder()
    for name, data in files.items():
        if not isinstance(name, str) or not isinstance(data, str) or "\\" in name or ":" in name or "\0" in name:
            raise ValueError("no file name")
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts or not parts.parts or name == _FILE:
            raise ValueError("a file outside the state's folder")
        path = folder.joinpath(*parts.parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.write_bytes(base64.b64decode(data, validate=True))
        except binascii.Error:
            raise ValueError("a damaged file") from None
    prefixes = "".join(f"@prefix {name}: <{uri}> .\n" for name, uri in _PREFIXES.items())
    (folder / _FILE).write_text(prefixes + turtle, encoding="utf-8")
    return folder / _FILE


def restore_file(file: Path, made: Any, features: lilv.HostFeatures) -> bool:
    """Give an instance the state in ``file`` (see ``unpack``). Returns False if it is damaged. The instance must not be running."""
    state = lilv.call("state_new_from_file", lilv.world(), features.map_pointer, lilv.uri(_SUBJECT), str(file).encode())
    return _restore(state, made, features, lambda *_: None)


def restore_node(node: int, made: Any, features: lilv.HostFeatures, set_port: SetPort) -> bool:
    """Give an instance the state of a preset, or a plugin's default state. Returns False if there is none.

    The instance must not be running.
    """
    return _restore(lilv.call("state_new_from_world", lilv.world(), features.map_pointer, node), made, features, set_port)


def _restore(state: int | None, made: Any, features: lilv.HostFeatures, set_port: SetPort) -> bool:
    if not state:
        return False
    kinds = {features.id(f"{lilv.ATOM}{name}"): kind for name, kind in _NUMBERS.items()}

    def take(symbol: bytes, _: int, value: int, size: int, kind: int) -> None:
        if kind in kinds and size == ctypes.sizeof(kinds[kind]):
            set_port(symbol.decode(errors="replace"), float(kinds[kind].from_address(value).value))

    lilv.call("state_restore", state, made, _SET_PORT(take), None, c_uint32(0), features.at_once)
    lilv.call("state_free", state)
    return True


def presets(plugin: int) -> dict[str, int]:
    """The presets of a plugin by their names, each as a node to ``restore_node``. Of several with one name, it is the first."""
    found: dict[str, int] = {}
    nodes = lilv.call("plugin_get_related", plugin, lilv.uri(PRESET))
    for node in lilv.each("nodes", nodes):
        preset = lilv.uri(lilv.text(node))  # the collection owns its nodes
        lilv.call("world_load_resource", lilv.world(), preset)
        name = lilv.text(lilv.call("world_get", lilv.world(), preset, lilv.uri(LABEL), None)).strip()
        if name and len(found) < MAX_PRESETS:
            found.setdefault(name, preset)
    return dict(sorted(found.items()))

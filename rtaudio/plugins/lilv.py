"""The part of liblilv that a host of LV2 effects needs, through ctypes. It uses the system's library: ``apt install liblilv-0-0``.

Specifications: https://lv2plug.in/ns/lv2core, /ns/ext/urid, /ns/ext/options, /ns/ext/buf-size, /ns/ext/atom.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_bool,
    c_char_p,
    c_double,
    c_float,
    c_int32,
    c_uint32,
    c_void_p,
)
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from rtaudio.audio.format import StemplayError
from rtaudio.plugins.lv2_worker import WORKER, Worker

CORE, UNITS = "http://lv2plug.in/ns/lv2core#", "http://lv2plug.in/ns/extensions/units#"
ATOM, URID = "http://lv2plug.in/ns/ext/atom#", "http://lv2plug.in/ns/ext/urid#"
OPTIONS, BUFFER, PARAMETERS = (
    "http://lv2plug.in/ns/ext/options#", "http://lv2plug.in/ns/ext/buf-size#", "http://lv2plug.in/ns/ext/parameters#",
)  # fmt: skip
MIDI_EVENT = "http://lv2plug.in/ns/ext/midi#MidiEvent"
LOAD_DEFAULT, SAFE_RESTORE = "http://lv2plug.in/ns/ext/state#loadDefaultState", "http://lv2plug.in/ns/ext/state#threadSafeRestore"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
PORT_PROPERTIES = "http://lv2plug.in/ns/ext/port-props#"
MAX_IN_LIBRARY = 10_000
MISSING = "LV2 plugins need the library liblilv-0 (Debian: apt install liblilv-0-0)."


class Feature(Structure):
    """LV2_Feature."""

    _fields_ = [("uri", c_char_p), ("data", c_void_p)]


class Descriptor(Structure):
    """The part of LV2_Descriptor that a host of effects calls."""

    _fields_ = [
        ("uri", c_char_p), ("instantiate", c_void_p), ("connect_port", CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)),
        ("activate", c_void_p), ("run", CFUNCTYPE(None, c_void_p, c_uint32)), ("deactivate", c_void_p), ("cleanup", c_void_p),
        ("extension_data", c_void_p),
    ]  # fmt: skip


class Instance(Structure):
    """LilvInstance."""

    _fields_ = [("descriptor", POINTER(Descriptor)), ("handle", c_void_p), ("pimpl", c_void_p)]


MAP = CFUNCTYPE(c_uint32, c_void_p, c_char_p)
UNMAP = CFUNCTYPE(c_void_p, c_void_p, c_uint32)


class UridMap(Structure):
    """LV2_URID_Map and LV2_URID_Unmap: one struct of handle and function."""

    _fields_ = [("handle", c_void_p), ("function", c_void_p)]


class Option(Structure):
    """LV2_Options_Option."""

    _fields_ = [
        ("context", c_int32), ("subject", c_uint32), ("key", c_uint32), ("size", c_uint32), ("type", c_uint32), ("value", c_void_p),
    ]  # fmt: skip


_POINTERS = (
    "world_new", "world_get_all_plugins", "new_uri", "plugins_get", "plugins_get_by_uri", "plugin_get_uri", "plugin_get_bundle_uri",
    "plugin_get_name", "plugin_get_author_name", "plugin_get_class", "plugin_class_get_label", "plugin_get_port_by_index",
    "port_get_symbol", "port_get_name", "plugins_begin", "plugins_next", "port_get_scale_points", "scale_points_begin",
    "scale_points_next", "scale_points_get", "scale_point_get_label", "scale_point_get_value", "port_get",
    "plugin_get_required_features", "plugin_get_optional_features", "nodes_begin", "nodes_next", "nodes_get", "plugin_instantiate",
    "plugin_get_related", "plugin_get_value", "plugin_get_library_uri", "world_get", "state_new_from_instance", "state_new_from_file",
    "state_new_from_world", "state_to_string",
)  # fmt: skip


@cache
def library() -> Any:
    """liblilv with its functions' types. Raises StemplayError if it is not installed."""
    for name in ("liblilv-0.so.0", ctypes.util.find_library("lilv-0"), "liblilv-0.0.dylib", "lilv-0.dll"):
        if name:
            try:
                lilv = ctypes.CDLL(name)
                break
            except OSError:
                continue
    else:
        raise StemplayError(MISSING)
    for name in _POINTERS:
        getattr(lilv, f"lilv_{name}").restype = c_void_p
    for name in ("node_as_string", "node_as_uri"):
        getattr(lilv, f"lilv_{name}").restype = c_char_p
    lilv.lilv_node_as_float.restype = c_float
    for name in ("port_supports_event", "plugins_is_end", "port_is_a", "port_has_property", "scale_points_is_end", "nodes_is_end"):
        getattr(lilv, f"lilv_{name}").restype = c_bool
    lilv.lilv_plugin_get_num_ports.restype = c_uint32
    lilv.lilv_plugin_instantiate.argtypes = [c_void_p, c_double, c_void_p]
    lilv.lilv_plugin_instantiate.restype = POINTER(Instance)
    return lilv


def call(name: str, *arguments: Any) -> Any:
    """Call ``lilv_NAME`` with pointers."""
    return getattr(library(), f"lilv_{name}")(*(c_void_p(x) if isinstance(x, int) else x for x in arguments))


@cache
def world() -> int:
    """The world of all LV2 plugins of this system (``LV2_PATH``)."""
    made: int = call("world_new")
    call("world_load_all", made)
    return made


@cache
def uri(text: str) -> int:
    """A node for ``text``."""
    made: int = call("new_uri", world(), text.encode())
    return made


def text(node: int | None) -> str:
    """A node as text; empty for a null node."""
    return (call("node_as_string", node) or b"").decode(errors="replace") if node else ""


def number(node: int | None) -> float | None:
    """A node as a number; None for a null node."""
    return float(call("node_as_float", node)) if node else None


def plugins() -> Iterator[int]:
    """All plugins."""
    every = call("world_get_all_plugins", world())
    yield from each("plugins", every)


def bundles() -> dict[str, str]:
    """The URI of each plugin, and the path of its bundle."""
    return {text(call("plugin_get_uri", plugin)): path(call("plugin_get_bundle_uri", plugin)) for plugin in plugins()}


def path(node: int) -> str:
    """A node with the URI of a file as a path."""
    return url2pathname(urlsplit(text(node)).path)


def find(plugin_uri: str) -> int:
    """The plugin with this URI. Raises StemplayError if it is not installed."""
    found = call("plugins_get_by_uri", call("world_get_all_plugins", world()), uri(plugin_uri))
    if not found:
        raise StemplayError(f"There is no LV2 plugin {plugin_uri}.")
    return int(found)


def each(kind: str, collection: int | None) -> Iterator[int]:
    """The members of one of liblilv's collections."""
    if not collection:
        return
    place = call(f"{kind}_begin", collection)
    while not call(f"{kind}_is_end", collection, place):
        yield call(f"{kind}_get", collection, place)
        place = call(f"{kind}_next", collection, place)


def is_of_class(plugin: int, kind: str) -> bool:
    """Whether a plugin says that it is of the class ``kind``, among others."""
    return any(text(node) == kind for node in each("nodes", call("plugin_get_value", plugin, uri(RDF_TYPE))))


def features(plugin: int, kind: str) -> set[str]:
    """URIs of the ``required`` or ``optional`` features that a plugin asks its host for."""
    return {text(node) for node in each("nodes", call(f"plugin_get_{kind}_features", plugin))}


def is_a(plugin: int, port: int, kind: str) -> bool:
    """Whether a port is of the class ``kind``."""
    return bool(call("port_is_a", plugin, port, uri(kind)))


def has(plugin: int, port: int, property: str) -> bool:
    """Whether a port has the property."""
    return bool(call("port_has_property", plugin, port, uri(property)))


def port_range(plugin: int, port: int) -> tuple[float | None, float | None, float | None]:
    """``(default, minimum, maximum)`` of a control port."""
    nodes = [c_void_p() for _ in range(3)]
    call("port_get_range", plugin, port, *(byref(node) for node in nodes))
    default, low, high = (number(node.value) for node in nodes)
    return default, low, high


def scale_points(plugin: int, port: int) -> list[tuple[float, str]]:
    """Named values in ascending order."""
    found = []
    for point in each("scale_points", call("port_get_scale_points", plugin, port)):
        value = number(call("scale_point_get_value", point))
        if value is not None:
            found.append((value, text(call("scale_point_get_label", point))))
    return sorted(found)


def why_not_loaded(plugin: int) -> str:
    """What is wrong with a plugin's library, to end a sentence; "" if it can be loaded and has the plugin. liblilv only prints it."""
    library = path(call("plugin_get_library_uri", plugin))
    try:
        descriptor = ctypes.CDLL(library).lv2_descriptor
    except (OSError, AttributeError) as error:
        return f": its library cannot be loaded ({str(error).removeprefix(f'{library}: ')})"
    descriptor.restype, descriptor.argtypes = POINTER(Descriptor), [c_uint32]
    wanted = text(call("plugin_get_uri", plugin)).encode()
    for index in range(MAX_IN_LIBRARY):
        found = descriptor(index)
        if not found:
            return ": its library has no plugin of this URI"
        if found.contents.uri == wanted:
            break
    return ""


class HostFeatures:
    """The features for an instance: URIDs, options, blocks of a bounded length, a worker. It must live as long as the instance."""

    OFFERED = frozenset(
        (f"{URID}map", f"{URID}unmap", f"{OPTIONS}options", f"{BUFFER}boundedBlockLength", f"{CORE}isLive", f"{CORE}inPlaceBroken",
         f"{CORE}hardRTCapable", f"{WORKER}schedule", LOAD_DEFAULT, SAFE_RESTORE)
    )  # fmt: skip

    def __init__(self, rate: int, block: int) -> None:
        self._ids: dict[bytes, int] = {}
        self._names: dict[int, Any] = {}  # buffers, whose addresses plugins keep
        self._map, self._unmap = MAP(self._id), UNMAP(lambda _, id: ctypes.addressof(self._names[id]) if id in self._names else None)
        self._map_data = UridMap(None, ctypes.cast(self._map, c_void_p))
        self._unmap_data = UridMap(None, ctypes.cast(self._unmap, c_void_p))
        self.sequence, self.chunk = self.id(f"{ATOM}Sequence"), self.id(f"{ATOM}Chunk")
        self.midi_event = self.id(MIDI_EVENT)
        self._numbers: list[Any] = [c_int32(1), c_int32(block), c_int32(block), c_float(rate)]
        keys = (f"{BUFFER}minBlockLength", f"{BUFFER}maxBlockLength", f"{BUFFER}nominalBlockLength", f"{PARAMETERS}sampleRate")
        kinds = (f"{ATOM}Int", f"{ATOM}Int", f"{ATOM}Int", f"{ATOM}Float")
        rows = [
            Option(0, 0, self.id(key), 4, self.id(kind), ctypes.cast(ctypes.pointer(value), c_void_p))
            for key, kind, value in zip(keys, kinds, self._numbers, strict=True)
        ]
        self._options = (Option * 5)(*rows, Option())
        self.worker = Worker()
        data: list[tuple[str, Any]] = [
            (f"{URID}map", self._map_data), (f"{URID}unmap", self._unmap_data), (f"{OPTIONS}options", self._options),
            (f"{BUFFER}boundedBlockLength", None), (f"{WORKER}schedule", self.worker.feature), (LOAD_DEFAULT, None),
        ]  # fmt: skip
        self._features = [Feature(name.encode(), ctypes.addressof(x) if x is not None else None) for name, x in data]
        self.pointers = (POINTER(Feature) * (len(data) + 1))(*map(ctypes.pointer, self._features))  # ends with NULL
        self.at_once = (POINTER(Feature) * len(data))(
            *(ctypes.pointer(feature) for feature, (name, _) in zip(self._features, data, strict=True) if name != f"{WORKER}schedule")
        )  # without the worker, by which a plugin would restore its state later

    @property
    def map_pointer(self) -> int:
        """Address of the LV2_URID_Map."""
        return ctypes.addressof(self._map_data)

    @property
    def unmap_pointer(self) -> int:
        """Address of the LV2_URID_Unmap."""
        return ctypes.addressof(self._unmap_data)

    def id(self, name: str) -> int:
        """The URID of a URI."""
        return self._id(None, name.encode())

    def _id(self, _: Any, name: bytes) -> int:
        if name not in self._ids:
            self._ids[name] = len(self._ids) + 1
            self._names[self._ids[name]] = ctypes.create_string_buffer(name)
        return self._ids[name]



"""Treats denormal numbers (too small for a normal float) as zero while a model runs.

After a loud passage, the states of a network decay into denormal numbers, with which a processor is several times slower (measured:
1.02 ms for a frame instead of 0.28 ms). ONNX Runtime's own option affects only the thread that opens the first session of the process,
and stays switched on there, where other code may rely on exact arithmetic. The engine's worker is another thread. Therefore this
module sets the mode in the calling thread, for the duration of one call, through the C library's floating-point environment.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable
from types import TracebackType

import numpy as np

# (system, machine) -> offset and width in bytes of the control word in fenv_t, and the bits to set in it
_X86, _ARM = 0x8040, 1 << 24  # flush results and take inputs as zero; FPCR.FZ
_LAYOUTS: dict[tuple[str, str], tuple[int, int, int]] = {
    ("linux", "x86_64"): (28, 4, _X86),
    ("linux", "aarch64"): (0, 4, _ARM),
    ("darwin", "x86_64"): (4, 4, _X86),
    ("darwin", "arm64"): (8, 8, _ARM),
}
_WINDOWS_FLUSH, _WINDOWS_MASK = 0x01000000, 0x03000000


class DenormalsAsZero:
    """Context manager that treats denormal numbers as zero in the calling thread, and restores the previous mode at its end.

    On systems without such a mode it does nothing. Several threads cannot share one: give each thread its own.
    """

    def __init__(self) -> None:
        self._before = ctypes.create_string_buffer(64)
        self._inside = ctypes.create_string_buffer(64)

    def __enter__(self) -> None:
        _enter(self._before, self._inside)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _leave(self._before)


Buffer = ctypes.Array[ctypes.c_char]


def _nothing(*_: Buffer) -> None:
    """Do nothing, on systems without such a mode."""


def _posix() -> tuple[Callable[[Buffer, Buffer], None], Callable[[Buffer], None]]:
    layout = _LAYOUTS.get((sys.platform, platform.machine()))
    if layout is None:
        return _nothing, _nothing
    offset, width, bits = layout
    library = ctypes.CDLL(None)
    if not hasattr(library, "fegetenv"):
        library = ctypes.CDLL("libm.so.6")
    get, put = library.fegetenv, library.fesetenv
    get.argtypes = put.argtypes = [ctypes.c_void_p]

    def enter(before: Buffer, inside: Buffer) -> None:
        get(before)
        whole = before.raw
        control = int.from_bytes(whole[offset : offset + width], sys.byteorder) | bits
        inside.raw = whole[:offset] + control.to_bytes(width, sys.byteorder) + whole[offset + width :]
        put(inside)

    def leave(before: Buffer) -> None:
        put(before)

    return enter, leave


def _windows() -> tuple[Callable[[Buffer, Buffer], None], Callable[[Buffer], None]]:
    control = ctypes.CDLL("ucrtbase")._controlfp_s
    control.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]

    def enter(before: Buffer, inside: Buffer) -> None:
        control(before, 0, 0)  # a mask of 0 only reads
        control(inside, _WINDOWS_FLUSH, _WINDOWS_MASK)

    def leave(before: Buffer) -> None:
        control(before, int.from_bytes(before.raw[:4], sys.byteorder), _WINDOWS_MASK)

    return enter, leave


def flushes() -> bool:
    """Whether denormal results are zero in the calling thread now."""
    return not float((np.array([1e-38], dtype=np.float32) * np.float32(0.01))[0])


def _choose() -> tuple[Callable[[Buffer, Buffer], None], Callable[[Buffer], None]]:
    """The functions for this system if a test shows that they work, else ``_nothing``."""
    try:
        enter, leave = _windows() if sys.platform == "win32" else _posix()
        before, inside = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
        enter(before, inside)
        works = flushes()
        leave(before)
    except (OSError, AttributeError):
        return _nothing, _nothing
    return (enter, leave) if works else (_nothing, _nothing)


_enter, _leave = _choose()
AVAILABLE = _enter is not _nothing
"""Whether this system has such a mode."""

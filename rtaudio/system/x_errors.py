"""X servers: plugins that find none, and errors of one.

Xlib answers an error by ending the process, unless the program has a handler of its own. Toolkits install one. JUCE, with which
pedalboard shows the windows of plugins, does so in complete applications only, and asks the owner of the selection ``_XSETTINGS_S0`` for
its settings even if there is none, as under a window manager without a settings daemon.
"""

from __future__ import annotations

import ctypes
import os
import sys

_TOLD = 10
"""Errors that are printed; a window may cause one with every event."""


class _ErrorEvent(ctypes.Structure):
    """XErrorEvent of Xlib.h."""

    _fields_ = [
        ("type", ctypes.c_int), ("display", ctypes.c_void_p), ("resource", ctypes.c_ulong), ("serial", ctypes.c_ulong),
        ("error", ctypes.c_ubyte), ("request", ctypes.c_ubyte), ("minor", ctypes.c_ubyte),
    ]  # fmt: skip


_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_ErrorEvent))
_installed: list[object] = []  # Xlib keeps a pointer to it


def survive_x_errors() -> None:
    """Print X errors instead of ending the process. Does nothing without an X display or Xlib."""
    if _installed or sys.platform in ("win32", "darwin") or not os.environ.get("DISPLAY"):
        return
    try:
        xlib = ctypes.CDLL("libX11.so.6")
    except OSError:
        return
    left = iter(range(_TOLD))

    def print_error(_: int, event: ctypes._Pointer[_ErrorEvent]) -> int:
        if next(left, None) is not None:
            error = event.contents
            print(f"X error {error.error} in request {error.request}.{error.minor}", file=sys.stderr, flush=True)
        return 0

    handler = _HANDLER(print_error)
    xlib.XSetErrorHandler.argtypes = [_HANDLER]
    xlib.XSetErrorHandler.restype = ctypes.c_void_p
    xlib.XSetErrorHandler(handler)
    _installed.append(handler)


def qt_without_screen() -> None:
    """Let a Qt application in this process, such as that of a plugin, do without a screen. Qt ends a process that has none.

    Call it before the plugin is loaded. Only where Qt is expected to find an X server; ``QT_QPA_PLATFORM`` of the user stays.
    """
    if sys.platform not in ("win32", "darwin"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

"""Gives a window of this process that a library made another title. X11 and Windows; elsewhere the title stays."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Iterator
from threading import Event
from typing import Any

POLL_S, LIMIT_S = 0.05, 60.0
"""Seconds between two looks for the window, and after which it is not looked for any more."""


def retitle(old: str, new: str, closed: Event) -> bool:
    """Wait for a window named ``old``, and name it ``new``. Returns False if there is no way, or if it is ``closed`` before.

    It blocks, and belongs to a thread of its own.
    """
    find = _windows_window if sys.platform == "win32" else _x11_window if sys.platform.startswith("linux") else None
    if find is None:
        return False
    until = time.monotonic() + LIMIT_S
    while not closed.wait(POLL_S) and time.monotonic() < until:
        if find(old, new):
            return True
    return False


def _windows_window(old: str, new: str) -> bool:
    user32 = ctypes.CDLL("user32")
    user32.FindWindowExW.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_wchar_p]
    user32.FindWindowExW.restype = ctypes.c_void_p
    user32.GetWindowThreadProcessId.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    user32.SetWindowTextW.argtypes = [ctypes.c_void_p, ctypes.c_wchar_p]
    found, owner = None, ctypes.c_ulong()
    while found := user32.FindWindowExW(None, found, None, old):
        user32.GetWindowThreadProcessId(found, ctypes.byref(owner))
        if owner.value == os.getpid():
            return bool(user32.SetWindowTextW(found, new))
    return False


def _x11_window(old: str, new: str) -> bool:
    try:
        x = ctypes.CDLL("libX11.so.6")
    except OSError:
        return False
    x.XOpenDisplay.restype = ctypes.c_void_p
    display = x.XOpenDisplay(None)
    if not display:
        return False
    screen = _X11(x, ctypes.c_void_p(display))
    try:
        for window in screen.windows():
            if screen.text(window, b"WM_NAME") == old and screen.number(window, b"_NET_WM_PID") == os.getpid():
                screen.name(window, new)
                return True
        return False
    finally:
        x.XCloseDisplay(ctypes.c_void_p(display))


class _X11:
    """The few functions of Xlib that this needs. A window may vanish at any time: ``survive_x_errors`` must have been called."""

    def __init__(self, x: Any, display: ctypes.c_void_p) -> None:
        self._x, self._display = x, display
        x.XDefaultRootWindow.restype = ctypes.c_ulong
        x.XInternAtom.restype = ctypes.c_ulong

    def _atom(self, name: bytes) -> ctypes.c_ulong:
        return ctypes.c_ulong(self._x.XInternAtom(self._display, name, 0))

    def windows(self, depth: int = 2) -> Iterator[int]:
        """Top-level windows, also those that a window manager has put into a frame."""
        yield from self._below(self._x.XDefaultRootWindow(self._display), depth)

    def _below(self, window: int, depth: int) -> Iterator[int]:
        root, parent, children, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.POINTER(ctypes.c_ulong)(), ctypes.c_uint()
        where = (ctypes.byref(root), ctypes.byref(parent), ctypes.byref(children), ctypes.byref(count))
        if not self._x.XQueryTree(self._display, ctypes.c_ulong(window), *where):
            return
        found = children[: count.value] if children else []
        if children:
            self._x.XFree(children)
        for child in found:
            yield child
            if depth > 1:
                yield from self._below(child, depth - 1)

    def _property(self, window: int, name: bytes) -> tuple[bytes, int]:
        kind, form, count, rest = ctypes.c_ulong(), ctypes.c_int(), ctypes.c_ulong(), ctypes.c_ulong()
        data = ctypes.c_void_p()
        outs = (ctypes.byref(value) for value in (kind, form, count, rest, data))
        self._x.XGetWindowProperty(
            self._display, ctypes.c_ulong(window), self._atom(name), ctypes.c_long(0), ctypes.c_long(256), 0, ctypes.c_ulong(0), *outs
        )  # fmt: skip
        if not data.value:
            return b"", 0
        size = ctypes.sizeof(ctypes.c_long) if form.value == 32 else form.value // 8  # Xlib gives 32 bits as longs
        found = ctypes.string_at(data.value, count.value * size)
        self._x.XFree(data)
        return found, form.value

    def text(self, window: int, name: bytes) -> str:
        """A property in UTF-8; empty without it."""
        return self._property(window, name)[0].decode(errors="replace")

    def number(self, window: int, name: bytes) -> int:
        """A property of 32 bits; 0 without it."""
        found, form = self._property(window, name)
        return int.from_bytes(found[: ctypes.sizeof(ctypes.c_long)], sys.byteorder) if form == 32 else 0

    def name(self, window: int, text: str) -> None:
        """Set both names."""
        data, kind = text.encode(), self._atom(b"UTF8_STRING")
        for name in (b"_NET_WM_NAME", b"WM_NAME"):
            self._x.XChangeProperty(self._display, ctypes.c_ulong(window), self._atom(name), kind, 8, 0, data, len(data))
        self._x.XFlush(self._display)

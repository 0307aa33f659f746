"""Work that an LV2 plugin schedules outside its ``run`` (https://lv2plug.in/ns/ext/worker), in the thread ``lv2-worker``."""

from __future__ import annotations

import ctypes
import queue
import threading
from collections import deque
from ctypes import CFUNCTYPE, POINTER, Structure, c_int32, c_uint32, c_void_p
from typing import Any

WORKER = "http://lv2plug.in/ns/ext/worker#"

_SCHEDULE = CFUNCTYPE(c_int32, c_void_p, c_uint32, c_void_p)
_RESPOND = CFUNCTYPE(c_int32, c_void_p, c_uint32, c_void_p)


class Schedule(Structure):
    """LV2_Worker_Schedule."""

    _fields_ = [("handle", c_void_p), ("schedule_work", c_void_p)]


class Interface(Structure):
    """LV2_Worker_Interface."""

    _fields_ = [
        ("work", CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p, c_uint32, c_void_p)),
        ("work_response", CFUNCTYPE(c_int32, c_void_p, c_uint32, c_void_p)), ("end_run", c_void_p),
    ]  # fmt: skip


class Worker:
    """Carries out the work that one instance schedules. It is made before the instance, as it is one of the instance's features."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._answers: deque[bytes] = deque()
        self._interface: Interface | None = None
        self._instance: int | None = None
        self._schedule_function, self._respond_function = _SCHEDULE(self._schedule), _RESPOND(self._respond)
        self.feature = Schedule(None, ctypes.cast(self._schedule_function, c_void_p))

    def attach(self, instance: Any) -> None:
        """Serve ``instance`` (LilvInstance) from now on, if it has the interface."""
        address = instance.descriptor.contents.extension_data
        if not address:
            return
        found = CFUNCTYPE(c_void_p, ctypes.c_char_p)(address)(f"{WORKER}interface".encode())
        if found:
            self._interface = ctypes.cast(found, POINTER(Interface)).contents
            self._instance = instance.handle
            threading.Thread(target=self._work, name="lv2-worker", daemon=True).start()

    def answer(self) -> None:
        """Pass the available results to the plugin. Called after its ``run`` by the same thread."""
        if self._interface is None:
            return
        while self._answers:
            data = self._answers.popleft()
            self._interface.work_response(self._instance, len(data), ctypes.create_string_buffer(data, len(data)))
        if self._interface.end_run:
            CFUNCTYPE(c_int32, c_void_p)(self._interface.end_run)(self._instance)

    def close(self) -> None:
        """Stop working."""
        self._jobs.put(None)

    def _schedule(self, _: Any, size: int, data: int) -> int:
        self._jobs.put(ctypes.string_at(data, size) if size else b"")
        return 0

    def _respond(self, _: Any, size: int, data: int) -> int:
        self._answers.append(ctypes.string_at(data, size) if size else b"")
        return 0

    def _work(self) -> None:
        assert self._interface is not None
        while (job := self._jobs.get()) is not None:
            buffer = ctypes.create_string_buffer(job, len(job))
            self._interface.work(self._instance, ctypes.cast(self._respond_function, c_void_p), None, len(job), buffer)

"""Numba helpers: compiled functions that are cached on disk and release the GIL, atomic counters, and a barrier between threads."""

# mypy: disable-error-code="call-arg, var-annotated"

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])

ARRIVED, GENERATION, STOP = 0, 16, 32
"""Indices of a barrier's counters, at least a cache line apart: workers that have arrived, barriers passed, whether to give up."""
SPINS = 2000
"""Number of checks of the barrier before the processor is yielded to others."""


def jit(*, fastmath: Any = False, inline: bool = False) -> Callable[[Function], Function]:
    """``numba.njit`` that releases the GIL. The machine code is cached beside the source or in the user's cache folder, if one of them is
    writable."""
    kind = "always" if inline else "never"

    def compile_(function: Function) -> Function:
        options = {"nogil": True, "fastmath": fastmath, "inline": kind}
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # no folder is writable: compile again in each process
            return njit(**options)(function)

    return compile_


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind = signature.args[0]
    array = context.make_array(kind)(context, builder, arguments[0])
    return cgutils.get_item_pointer(context, builder, kind, array, [arguments[1]], wraparound=False)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def atomic_add(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Add to an int64 counter, sequentially consistent; returns its previous value."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", _place(context, builder, signature, arguments), arguments[2], "seq_cst")

    return types.int64(array, types.intp, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def atomic_load(typing: Any, array: Any, index: Any) -> Any:
    """Read an int64 counter that another thread may change."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature, arguments)
        return builder.load_atomic(place, "seq_cst", 8, typ=ir.IntType(64))

    return types.int64(array, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def atomic_store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Set an int64 counter that other threads read."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[2], _place(context, builder, signature, arguments), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64), generate


# A function of the C library, or of Windows' kernel, that yields the processor to another thread.
_yield = types.ExternalFunction("SwitchToThread" if sys.platform == "win32" else "sched_yield", types.int32())


@jit()
def wait(barrier: npt.NDArray[np.int64], workers: int) -> bool:
    """Wait until all ``workers`` are here; False if the run was stopped meanwhile. Spins, because phases last microseconds."""
    if workers == 1:
        return bool(atomic_load(barrier, STOP) == 0)
    generation = atomic_load(barrier, GENERATION)
    if atomic_add(barrier, ARRIVED, 1) == workers - 1:
        atomic_store(barrier, ARRIVED, 0)
        atomic_add(barrier, GENERATION, 1)
        return True
    spins = 0
    while atomic_load(barrier, GENERATION) == generation:
        if atomic_load(barrier, STOP) != 0:
            return False
        spins += 1
        if spins > SPINS:
            _yield()
    return True


def new_barrier() -> npt.NDArray[np.int64]:
    """Counters for ``wait``."""
    return np.zeros(48, np.int64)


@jit()
def stop(barrier: npt.NDArray[np.int64]) -> None:
    """Make all waiting workers give up."""
    atomic_store(barrier, STOP, 1)

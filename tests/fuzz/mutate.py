"""Damages right values by the choices that a string of bytes makes: the same bytes, the same damage."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 0.5, -0.0, 1e308, 1e-320, float("nan"), float("inf"), float("-inf"),
    "", " ", "..", "../../x", "/etc/passwd", "CON", "a\x00b", "\ud800", "ü" * 300, "x" * 70_000, "mix", "none", "default", "<b>", "{}",
    [], [[]], {}, {"": None}, [0] * 1000, [None],
)  # fmt: skip
"""Values that programs trip over."""


class Choices:
    """Numbers out of bytes; zeros when they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def below(self, limit: int) -> int:
        """0 to ``limit - 1``."""
        if limit <= 1:
            return 0
        value = 0
        for _ in range(1 if limit <= 256 else 3):
            value = value << 8 | (self._data[self._at] if self._at < len(self._data) else 0)
            self._at += 1
        return value % limit

    def pick(self, values: Sequence[Any]) -> Any:
        """One of ``values``."""
        return values[self.below(len(values))]

    def rest(self) -> bytes:
        """What was not used."""
        return self._data[self._at :]


def mutated(value: Any, choices: Choices) -> Any:
    """A copy of a JSON value with one to four things changed somewhere in it."""
    fresh = json.loads(json.dumps(value))
    for _ in range(1 + choices.below(4)):
        fresh = _change(fresh, choices)
    return fresh


def _change(value: Any, choices: Choices) -> Any:
    if isinstance(value, dict) and value and choices.below(8):
        key = choices.pick(sorted(value, key=str))
        match choices.below(8):
            case 0:
                del value[key]
            case 1:
                value[choices.pick(("", "name", "shape", str(key) + " ", "__class__"))] = value.pop(key)
            case _:
                value[key] = _change(value[key], choices)
        return value
    if isinstance(value, list) and value and choices.below(8):
        at = choices.below(len(value))
        match choices.below(8):
            case 0:
                del value[at]
            case 1:
                value.extend(value[at : at + 1] * choices.pick((1, 2, 300)))
            case _:
                value[at] = _change(value[at], choices)
        return value
    if isinstance(value, str) and choices.below(2):
        at = choices.below(len(value) + 1)
        return value[:at] + choices.pick(("", "/", "..", "\n", "\x00", "9" * 30, "é")) + value[at + choices.below(3) :]
    if isinstance(value, int | float) and not isinstance(value, bool) and choices.below(2):
        return choices.pick((value + 1, -value, value * 1000, value // 2, 1e300))
    return copy.deepcopy(choices.pick(ODD))


def damaged(data: bytes, choices: Choices) -> bytes:
    """Bytes with one to six places overwritten, cut out, doubled or filled with edge values."""
    fresh = bytearray(data)
    for _ in range(1 + choices.below(6)):
        if not fresh:
            break
        at = choices.below(len(fresh)) if choices.below(2) else choices.below(min(len(fresh), 64))
        match choices.below(6):
            case 0:
                fresh[at] ^= 1 << choices.below(8)
            case 1:
                fresh[at : at + 4] = choices.pick(
                    (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80")
                )
            case 2:
                del fresh[at : at + 1 + choices.below(64)]
            case 3:
                fresh[at:at] = fresh[at : at + 1 + choices.below(64)]
            case 4:
                del fresh[at:]
            case _:
                fresh[at] = choices.below(256)
    return bytes(fresh)

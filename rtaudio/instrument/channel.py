"""The state of one MIDI channel: its sound, pedals, pitch bend, volume and pan (MIDI 1.0; RP-015 for the reset)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

BEND_RANGE = 2.0
"""Default pitch bend range in semitones; RPN 0 changes it."""

VIBRATO_HZ = 5.5
VIBRATO_DEPTH = 0.5
"""Depth of the vibrato in semitones at full modulation."""

_MODULATION, _DATA, _VOLUME, _PAN, _EXPRESSION, _DATA_FINE = 1, 6, 7, 10, 11, 38
_SUSTAIN, _SOSTENUTO, _NRPN_LOW, _NRPN_HIGH, _RPN_LOW, _RPN_HIGH = 64, 66, 98, 99, 100, 101


@dataclass
class Channel:
    """One of the sixteen channels. Values are MIDI's 0 to 127 unless stated otherwise.

    Attributes:
        weights: shares of the instruments, ``(instruments,)``.
        bend: semitones, range included; ``bend_range``: of a full bend.
        sustain, sostenuto: whether the pedals are down. ``caught``: notes that the sostenuto pedal holds.
    """

    weights: npt.NDArray[np.float32]
    volume: int = 100
    expression: int = 127
    pan: int = 64
    modulation: int = 0
    sustain: bool = False
    sostenuto: bool = False
    bend_wheel: int = 0
    bend_range: float = BEND_RANGE
    caught: set[int] = field(default_factory=set)
    _rpn: tuple[int, int] = (127, 127)

    @property
    def bend(self) -> float:
        """Pitch bend in semitones."""
        return self.bend_wheel / 8192 * self.bend_range

    def gains(self) -> tuple[float, float]:
        """Gains of left and right: volume and expression by the square law of General MIDI 2, constant-power pan."""
        level = (self.volume / 127) ** 2 * (self.expression / 127) ** 2
        angle = (max(self.pan, 1) - 1) / 126 * np.pi / 2
        return level * float(np.cos(angle)) * 2**0.5, level * float(np.sin(angle)) * 2**0.5

    def control(self, number: int, value: int) -> None:
        """Apply a control change to this state. The synthesiser applies the effect of pedals on notes."""
        if number == _MODULATION:
            self.modulation = value
        elif number == _VOLUME:
            self.volume = value
        elif number == _PAN:
            self.pan = value
        elif number == _EXPRESSION:
            self.expression = value
        elif number == _SUSTAIN:
            self.sustain = value >= 64
        elif number == _SOSTENUTO:
            self.sostenuto = value >= 64
        elif number in (_NRPN_LOW, _NRPN_HIGH):
            self._rpn = (127, 127)
        elif number == _RPN_HIGH:
            self._rpn = (value, self._rpn[1])
        elif number == _RPN_LOW:
            self._rpn = (self._rpn[0], value)
        elif self._rpn == (0, 0) and number == _DATA:
            self.bend_range = value + self.bend_range % 1
        elif self._rpn == (0, 0) and number == _DATA_FINE:
            self.bend_range = int(self.bend_range) + min(value, 99) / 100

    def reset(self) -> None:
        """Reset all controllers as RP-015 requires: volume, pan and sound do not change."""
        self.modulation, self.expression, self.bend_wheel = 0, 127, 0
        self.sustain = self.sostenuto = False
        self.caught.clear()
        self._rpn = (127, 127)

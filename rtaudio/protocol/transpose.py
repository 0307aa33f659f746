"""Which stems follow the key of a song, and how: an insert before all others of their strips, which no list of inserts shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rtaudio.protocol.parameters import KEY
from rtaudio.protocol.settings import InsertState, MixerState, StemState
from rtaudio.protocol.strips import INSTRUMENT

KEY_SLOT = "stemplay.key"
"""Key of the slot."""
UNPITCHED = ("drums",)
"""Stems that keep their pitch."""


def pitched(stems: Iterable[str], separated: bool = True) -> tuple[str, ...]:
    """The stems that follow the key: all but drums and instrument. Shares of a mix that is not ``separated`` all do."""
    return tuple(name for name in stems if name != INSTRUMENT and not (separated and name in UNPITCHED))


def key_insert(semitones: float) -> InsertState:
    """The insert that transposes a stem."""
    return InsertState(KEY, KEY_SLOT, values={"semitones": semitones})


def with_key(mixer: MixerState, semitones: float, stems: Iterable[str]) -> MixerState:
    """``mixer`` with that insert in the strips of ``stems``; at 0 semitones without, so that nothing is delayed and nothing computed."""
    if not semitones:
        return mixer
    strips = dict(mixer.stems)
    for name in stems:
        strip = strips.get(name, StemState())
        strips[name] = replace(strip, inserts=[key_insert(semitones), *strip.inserts])
    return replace(mixer, stems=strips)

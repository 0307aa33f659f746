"""The options of ``live`` and ``play`` for control from outside: OSC, MIDI outputs and clock, Ableton Link, the tempo."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import math
from dataclasses import dataclass
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.audio.stretch import KEYS, SPEEDS
from rtaudio.audio.tempo import DEFAULT_BPM
from rtaudio.midi.output_ports import list_outputs
from rtaudio.midi.ports import WORDS, find_input
from rtaudio.protocol.checks import check_value, osc_endpoint
from rtaudio.protocol.controls import TEMPO
from rtaudio.protocol.reports import Snapshot

LEAST_BPM = 20.0
"""Smaller numbers are ratios."""


@dataclass(frozen=True)
class Asked:
    """What ``--tempo`` says: beats a minute, or the tempo of the song as a ratio."""

    bpm: float | None = None
    speed: float | None = None


def add_control_options(parser: argparse.ArgumentParser, songs: bool = False) -> None:
    """Add the group. ``songs``: whether the command plays songs, which have a tempo of their own."""
    group = parser.add_argument_group("control from outside")
    group.add_argument(
        "--osc", default="", metavar="[HOST:]PORT",
        help="take Open Sound Control at this UDP port, from this machine only unless an address of it is named (default: off)",
    )  # fmt: skip
    group.add_argument(
        "--midi-out", default="none", metavar="PORT",
        help="MIDI output for controllers' lights and for the clock: name or part of it, default (all), virtual or none (default: none)",
    )  # fmt: skip
    group.add_argument("--midi-clock", action="store_true", help="send MIDI clock, start, stop and position to the MIDI output")
    group.add_argument("--link", action="store_true", help="share tempo and beat through Ableton Link (needs LinkPython-extern)")
    group.add_argument("--link-start", action="store_true", help="share start and stop through Link, too")
    group.add_argument(
        "--tempo", type=_bpm_or_speed, action="append", default=[], metavar="BPM",
        help=f"tempo of MIDI clock, Link and echoes in time (default: {DEFAULT_BPM:g})"
        + ("; or, with a percent sign or as a ratio, that of the song: 75%% or 0.75, from 50%% to 150%%" if songs else ""),
    )  # fmt: skip


def control_settings(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of EngineConfig for the arguments. Raises StemplayError."""
    if args.osc:
        osc_endpoint(args.osc)
    if args.midi_clock and args.midi_out == "none":
        raise StemplayError("--midi-clock needs a MIDI output: --midi-out names it.")
    if args.link and importlib.util.find_spec("link") is None:
        raise StemplayError("--link needs the package LinkPython-extern: pip install 'stemplay[link]' installs it.")
    if args.link_start and not args.link:
        raise StemplayError("--link-start shares start and stop through Link: it needs --link.")
    midi_out = args.midi_out
    if midi_out not in WORDS:
        midi_out = find_input(midi_out, list_outputs(), "MIDI output")
    return {"osc": args.osc, "midi_out": midi_out, "midi_clock": args.midi_clock, "link": args.link, "link_start": args.link_start}


def read_speed(text: str) -> float:
    """The tempo of a song, ``75%`` or ``0.75``, as a ratio. Raises StemplayError."""
    sentence = f"The tempo of a song is {SPEEDS[0]:.0%} to {SPEEDS[1]:.0%}, written 75% or 0.75, not {text!r:.40}."
    try:
        number = float(text.strip().removesuffix("%"))
    except ValueError:
        raise StemplayError(sentence) from None
    speed = number / 100 if text.strip().endswith("%") else number
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise StemplayError(sentence)
    return speed


def read_key(text: str) -> float:
    """A transposition in semitones, such as ``+2``. Raises StemplayError."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not KEYS[0] <= number <= KEYS[1]:
        raise StemplayError(f"The key is moved by {KEYS[0]:.0f} to +{KEYS[1]:.0f} semitones, such as +2, not {text!r:.40}.")
    return number


def _bpm_or_speed(text: str) -> Asked:
    with contextlib.suppress(ValueError):
        number = float(text)
        if not number < LEAST_BPM:
            return Asked(bpm=float(check_value("--tempo", number, TEMPO)))
    return Asked(speed=read_speed(text))


def asked_bpm(args: argparse.Namespace) -> float:
    """Beats a minute."""
    return next((asked.bpm for asked in reversed(args.tempo) if asked.bpm is not None), DEFAULT_BPM)


def asked_speed(args: argparse.Namespace) -> float | None:
    """The tempo of the song, None where none was asked for."""
    return next((asked.speed for asked in reversed(args.tempo) if asked.speed is not None), None)


def greeting(report: Snapshot) -> list[str]:
    """What is shared and listens, a sentence each."""
    told = []
    if report.remote.address:
        told.append(f"OSC is taken at {report.remote.address}; the command controls lists the addresses.")
    if report.sync.link:
        told.append(f"Ableton Link: {report.transport.tempo:.1f} BPM, {_count(report.sync.peers, 'other program')}.")
    if report.sync.outputs:
        told.append(f"MIDI to {', '.join(report.sync.outputs)}.")
    elif report.sync.message:
        told.append(report.sync.message)
    return told


def outcome(report: Snapshot) -> list[str]:
    """What came of it, a sentence each."""
    told, sync = [], report.sync
    if report.remote.address:
        told.append(f"OSC: {_count(report.remote.received, 'packet')}, {report.remote.refused} refused.")
    if sync.ticks and sync.jitter_ms:
        jitter = ", ".join(f"{name} {value:.2f}" for name, value in sync.jitter_ms.items())
        told.append(f"MIDI clock: {_count(sync.ticks, 'tick')} at {report.transport.tempo:.1f} BPM, late by {jitter} ms.")
    return told


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

"""``python -m rtaudio play``: a MIDI keyboard plays the instrument."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any, TextIO

from rtaudio.audio.format import StemplayError
from rtaudio.cli import live_options
from rtaudio.cli.control_options import add_control_options, asked_bpm, asked_speed, control_settings, greeting, outcome
from rtaudio.cli.inserts import instrument_with_preset
from rtaudio.cli.meter_line import level_db
from rtaudio.cli.status import status_dict, where
from rtaudio.control.session import Session
from rtaudio.control.supervisor import refused
from rtaudio.midi.keyboard import KEYS, TerminalKeys
from rtaudio.midi.ports import WORDS, find_input, list_inputs
from rtaudio.protocol.checks import INSTRUMENT_TIMES, MAX_VOICES, check_value, instrument_names
from rtaudio.protocol.messages import command
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import VELOCITY_CURVES, EngineConfig, InstrumentState

NAME = "play"
HELP = "Play the instrument with a MIDI keyboard or with the computer's keys. Ctrl-C ends it."

LOOK_S = 0.1
SAY_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``play``."""
    parser.add_argument(
        "--instrument",
        metavar="NAME",
        help="sound, or a mixture such as flute=2,violin=1 (default: the first; the command instruments lists all)",
    )
    parser.add_argument(
        "--model", default="sing-gm", metavar="M",
        help="an installed model, a directory, or a plugin: lv2:URI or a .vst3, also with :preset=NAME (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--midi", default="default", metavar="PORT",
        help="MIDI input: a name or a part of it, default (all), virtual (a port to connect to) or none",
    )  # fmt: skip
    parser.add_argument("--output", "-o", default="default", metavar="D", help="device, .wav or .flac file, or null")
    parser.add_argument("--rate", type=int, metavar="HZ", help="device rate (default: the device's own)")
    parser.add_argument("--block", type=int, default=256, metavar="N", help="frames of a block (default: %(default)s)")
    parser.add_argument(
        "--voices", type=int, default=32, help=f"largest number of simultaneous notes, up to {MAX_VOICES} (default: %(default)s)"
    )
    parser.add_argument(
        "--curve", choices=VELOCITY_CURVES, default="linear", help="velocity curve (default: %(default)s)"
    )
    parser.add_argument("--attack", type=float, default=0.0, metavar="MS", help="(default: %(default)s ms)")
    parser.add_argument("--release", type=float, default=250.0, metavar="MS", help="(default: %(default)s ms)")
    parser.add_argument("--seconds", type=float, metavar="N", help="stop after this much sound")
    parser.add_argument("--json", action="store_true", help="print the results as JSON at the end")
    add_control_options(parser)


def run(args: argparse.Namespace) -> int:
    """Play until Ctrl-C or ``--seconds`` and print the results."""
    if asked_speed(args) is not None:
        raise StemplayError("play has no song whose tempo could be changed; --tempo takes beats a minute here: 20 to 999.")
    args.model, settings = instrument_with_preset(args.model)
    session = Session(configuration(args), instrument=InstrumentState(plugin=settings) if settings else None)
    shares = sound(args.instrument, args.model)
    for channel in range(16) if shares else ():
        session.send(command("set_sound", channel=channel, shares=shares))
    for field, value in (("attack_ms", args.attack), ("release_ms", args.release), ("curve", args.curve)):
        session.send(command("set_instrument", field=field, value=value))
    session.send(command("set_tempo", bpm=asked_bpm(args)))
    stream = sys.stderr if args.json else sys.stdout
    keys = TerminalKeys(lambda data: session.send(command("midi", data=data)))
    try:
        session.start()
        follow(session, args.seconds, keys, stream)
    except KeyboardInterrupt:
        pass
    finally:
        keys.stop()
        session.stop()
    report = session.snapshot()
    print(json.dumps(status_dict(report), ensure_ascii=False) if args.json else _summary(report))
    return 1 if report.state == "stopped" and report.message else 0


def configuration(args: argparse.Namespace) -> EngineConfig:
    """Configuration and instrument for the arguments. Raises StemplayError."""
    if args.seconds is not None and not args.seconds > 0:
        raise StemplayError(f"--seconds takes a number above 0, not {args.seconds:g}.")
    check_value("--attack", args.attack, INSTRUMENT_TIMES["attack_ms"])
    check_value("--release", args.release, INSTRUMENT_TIMES["release_ms"])
    config = EngineConfig(
        input="none", output=args.output, rate=args.rate, block=args.block, model="none", analyse=False,
        instrument=args.model, midi=args.midi, voices=args.voices, **control_settings(args),
    )  # fmt: skip
    live_options.check(config)
    if args.midi not in WORDS:
        config.midi = find_input(args.midi, list_inputs())
    return config


def sound(choice: str | None, model: str) -> dict[str, float]:
    """Shares of the instruments from ``flute`` or ``flute=2,violin=1``. Raises StemplayError."""
    known = instrument_names(model)
    if not known:
        if choice is not None:
            raise StemplayError(f"{model} is a plugin, which has sounds of its own: leave --instrument out.")
        return {}
    shares: dict[str, float] = {}
    for part in (known[0] if choice is None else choice).split(","):
        name, sign, share = part.strip().partition("=")
        if name not in known:
            raise StemplayError(
                f"There is no instrument {name!r} in {model}; python -m rtaudio instruments lists them."
            )
        try:
            shares[name] = float(share) if sign else 1.0
        except ValueError:
            raise StemplayError(f"The share of {name} must be a number, not {share!r}.") from None
    return shares


def follow(session: Session, seconds: float | None, keys: TerminalKeys, stream: TextIO) -> None:
    """Show the meters until the end. Raises StemplayError if the engine cannot start."""
    since: float | None = None
    said = ""
    shown, begun = 0.0, 0
    while True:
        report = session.snapshot()
        error = refused(report)
        if error is not None and since is None:
            raise error
        if report.state in ("finished", "stopped"):
            return
        if report.instrument.slot.status == "missing":
            raise StemplayError(report.instrument.slot.message)
        loading = bool(report.instrument.slot.plugin) and report.instrument.slot.status == "loading"
        if report.state == "running" and since is None and not loading:
            begun = report.frames
            since = time.monotonic()
            _greet(report, keys, stream)
        if since is not None and seconds is not None and _over(report, begun, seconds, since):
            return
        sentence = report.message or report.instrument.midi
        now = time.monotonic()
        if since is not None and sentence and sentence != said:
            print(sentence, file=stream, flush=True)
        elif since is not None and report.instrument.notes and now - shown > SAY_S:
            print(_line(report), file=stream, flush=True)
            shown = now
        said = sentence
        time.sleep(LOOK_S)


def _greet(report: Snapshot, keys: TerminalKeys, stream: TextIO) -> None:
    played = report.instrument
    print(
        f"{where(report)} A key is heard {played.delay_ms:.1f} ms after it is struck, plus the device's own delay.",
        file=stream,
    )
    if played.ports:
        print(f"MIDI from {', '.join(played.ports)}.", file=stream)
    for sentence in greeting(report):
        print(sentence, file=stream)
    if keys.active:
        print(
            f"The keys {KEYS} play, too; z and x change the octave, c and v the velocity, space is the pedal.", file=stream
        )
        keys.start()
    stream.flush()


def _over(report: Snapshot, begun: int, seconds: float, since: float) -> bool:
    played = (report.frames - begun) / report.rate if report.rate else 0.0
    return played >= seconds or time.monotonic() - since >= seconds + 5


def _line(report: Snapshot) -> str:
    played = report.instrument
    return (
        f"{played.notes} notes, {level_db(report.master):.0f} dB, load {100 * played.load['p99']:.0f} % (p99), "
        f"{played.misses} misses, {report.xruns} xruns"
    )


def _summary(report: Snapshot) -> str:
    known: dict[str, Any] = status_dict(report)
    played = report.instrument
    text = f"{known['seconds']:.1f} s played, {report.xruns} xruns, {played.misses} blocks of the instrument missed."
    text = " ".join([text, *outcome(report)])
    return f"{text} {report.message}" if report.state == "stopped" and report.message else text

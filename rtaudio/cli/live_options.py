"""The options of ``python -m rtaudio live``, and the configuration and mixer that they describe."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from models.names import is_stem_file
from rtaudio.audio.format import SOURCES, StemplayError
from rtaudio.audio.stretch import require_stretcher
from rtaudio.cli.control_options import add_control_options, asked_speed, control_settings, read_key
from rtaudio.cli.inserts import add_insert_option, parse_inserts
from rtaudio.ports.base import DeviceMissingError
from rtaudio.ports.computer import computer_device
from rtaudio.ports.devices import DEFAULT_NAMES, default_device, find_device, list_devices
from rtaudio.protocol.checks import (
    check_config,
    check_value,
    is_device,
    is_input_file,
    is_output_file,
    plays_own_stems,
    stem_names,
)
from rtaudio.protocol.controls import COMPUTER
from rtaudio.protocol.insert_checks import set_inserts, slots_of
from rtaudio.protocol.parameters import DENOISE
from rtaudio.protocol.settings import DEFAULT_MODEL, MAX_DEADLINE, EngineConfig, InsertState, MixerState, StemState
from rtaudio.protocol.strips import INPUT, MASTER


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``live``."""
    sound = parser.add_argument_group("sound")
    _add_ends(sound)
    _add_model(sound)
    _add_mixer(parser.add_argument_group("mixer"))
    add_control_options(parser, songs=True)
    _add_run(parser.add_argument_group("run"))


def _add_ends(sound: argparse._ArgumentGroup) -> None:
    """Options for input and output."""
    sound.add_argument(
        "--input",
        "-i",
        default="default",
        metavar="D",
        help="device, sound file, computer (what other programs play), or none (default: the system's input)",
    )
    sound.add_argument(
        "--monitor", action="store_true",
        help="play a live input through the output device, which may howl; without this option it is only metered and recorded",
    )  # fmt: skip
    sound.add_argument(
        "--output",
        "-o",
        default="default",
        metavar="D",
        help="device, .wav or .flac file, or null (default: sound card, JACK, null)",
    )
    sound.add_argument(
        "--fallback",
        metavar="FILE",
        help="WAV or FLAC file to write if there is neither a sound card nor a JACK server",
    )
    sound.add_argument(
        "--rate", type=_whole("--rate"), metavar="HZ", help="device rate (default: the device's own, or the file's)"
    )
    sound.add_argument(
        "--block",
        type=_whole("--block"),
        default=256,
        metavar="N",
        help="frames of a block; 0 lets the host choose (default: %(default)s)",
    )
    sound.add_argument(
        "--input-channels",
        "--channels",
        type=_channels("--input-channels"),
        default=(),
        metavar="A,B",
        help="input channels to use, counted from 1",
    )
    sound.add_argument(
        "--loop",
        nargs="?",
        const="",
        metavar="A:B",
        help="repeat a file, or the section between two times in seconds",
    )
    sound.add_argument(
        "--key", type=read_key, metavar="N",
        help="transpose a file by semitones, -12 to +12; the drums keep their pitch (its tempo: --tempo 75%%)",
    )  # fmt: skip
    sound.add_argument(
        "--strict",
        action="store_true",
        help="refuse a damaged sound file instead of playing what can be read",
    )
    sound.add_argument("--full-speed", action="store_true", help="do not wait for the clock (output: a file or null)")


def _add_model(sound: argparse._ArgumentGroup) -> None:
    """Options for the model and its deadline."""
    sound.add_argument(
        "--model",
        metavar="M",
        help=f"installed model, a directory, or none (default: {DEFAULT_MODEL}; a stem file plays its own stems)",
    )
    sound.add_argument(
        "--no-consistent",
        action="store_true",
        help="do not divide the residual among the stems (they need not sum to the input)",
    )
    sound.add_argument(
        "--look-ahead", type=float, default=0.0, metavar="MS",
        help="refine the stems by their own spectra, with this much more latency; 17 is a good value (default: 0, off)",
    )  # fmt: skip
    sound.add_argument(
        "--deadline", type=_deadline, default=0.0, metavar="MS",
        help="time for the model, a part of the latency (default: auto, measured at the start)",
    )  # fmt: skip
    sound.add_argument(
        "--adapt", action="store_true", help="give the model one more block when it is late too often, and say so"
    )


def add_strip_options(mixer: argparse._ActionsContainer) -> None:
    """The options for the strips' levels."""
    mixer.add_argument(
        "--gain",
        action="append",
        default=[],
        metavar="STEM=DB",
        help="level of a stem, or of the whole mix with master=DB",
    )
    mixer.add_argument("--pan", action="append", default=[], metavar="STEM=X", help="-1 is left, 1 is right")
    mixer.add_argument("--mute", action="append", default=[], metavar="STEM")
    mixer.add_argument("--solo", action="append", default=[], metavar="STEM")


def _add_mixer(mixer: argparse._ArgumentGroup) -> None:
    add_strip_options(mixer)
    mixer.add_argument(
        "--dry", type=float, default=0.0, metavar="X", help="0: stems, 1: the delayed input (default: %(default)s)"
    )
    mixer.add_argument("--click", action="store_true", help="a click at the beats of the song, of Link or of --tempo, past the mix")
    mixer.add_argument("--click-level", type=float, default=-6.0, metavar="DB", help="level of the click (default: %(default)g)")
    mixer.add_argument("--count-in", type=int, default=0, metavar="BARS", help="count-in before a song, in bars, up to 4 (default: 0)")
    add_insert_option(mixer, "a stem, the master, or (input) a live input before it is separated")
    mixer.add_argument(
        "--denoise",
        action="store_true",
        help="remove the noise behind a voice in a live input, before all else (--insert input=denoise)",
    )
    mixer.add_argument("--bypass", action="store_true", help="play the delayed input unprocessed")
    mixer.add_argument(
        "--route",
        action="append",
        default=[],
        metavar="STEM=3,4",
        help="output channels of a stem, in addition to the mix",
    )


def _add_run(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--record", metavar="DIR", help="record stems and mix into a folder")
    group.add_argument("--record-format", choices=("wav", "flac"), default="wav", help="(default: %(default)s)")
    group.add_argument("--seconds", type=float, metavar="N", help="stop after this much sound")
    group.add_argument("--detach", action="store_true", help="leave the engine running; `engine --stop` ends it")
    group.add_argument("--json", action="store_true", help="print the results as JSON at the end")


def configuration(args: argparse.Namespace) -> EngineConfig:
    """The EngineConfig for the arguments. Raises StemplayError."""
    if args.block < 0 or args.block > 1 << 16:
        raise StemplayError(f"A block of {args.block} frames is outside 1 to {1 << 16} (0: chosen by the host).")
    if args.full_speed and is_device(args.output) and args.output != "default":
        raise StemplayError("--full-speed needs a file or null as output, because a device has its own clock.")
    if args.full_speed and args.input != "none" and not is_input_file(args.input):
        raise StemplayError("--full-speed needs a file as --input, because live sound has its own speed.")
    if args.loop is not None and not is_input_file(args.input):
        raise StemplayError("--loop needs a file as --input.")
    if (args.key is not None or asked_speed(args) is not None) and not is_input_file(args.input):
        raise StemplayError("The tempo and the key can be changed of a song: --input takes a file.")
    if args.key or asked_speed(args) not in (None, 1.0):
        require_stretcher()
    if args.strict and not is_input_file(args.input):
        raise StemplayError("--strict needs a file as --input.")
    if args.input_channels and (args.input == "none" or is_input_file(args.input)):
        raise StemplayError("--input-channels needs a device as --input.")
    if args.adapt and args.detach:
        raise StemplayError("--adapt does not work with --detach, because it must stay attached to the engine.")
    if args.record == "":
        raise StemplayError("--record takes a folder, not ''.")
    return EngineConfig(
        input=args.input,
        output=_output(args),
        rate=args.rate,
        block=args.block,
        model=DEFAULT_MODEL if args.model is None else args.model,
        own_stems=args.model is None,
        consistent=not args.no_consistent,
        look_ahead=args.look_ahead,
        deadline=args.deadline,
        paced=not args.full_speed,
        input_channels=args.input_channels,
        routing={stem: _channel_list(text, "--route") for stem, text in pairs(args.route, "--route", "3,4")},
        loop=args.loop == "",
        seconds=args.seconds or 0.0,
        analyse=args.detach,
        **control_settings(args),
    )


def _output(args: argparse.Namespace) -> str:
    """The output for the arguments: if no sound can be played, the ``--fallback`` file replaces ``default``."""
    output: str = args.output
    if args.fallback is not None and not is_output_file(args.fallback):
        raise StemplayError(f"--fallback takes a .wav or .flac file, not {args.fallback!r}.")
    if output != "default":
        return output
    if args.fallback is not None and not _can_be_heard():
        print(f"There is no sound card and no JACK server: writing {args.fallback} instead.", file=sys.stderr)
        return str(args.fallback)
    return "null" if args.full_speed else output


def _can_be_heard() -> bool:
    try:
        return default_device(list_devices(), output=True) is not None
    except DeviceMissingError:
        return False


def mixer_state(args: argparse.Namespace) -> MixerState:
    """The mixer for the arguments. Raises StemplayError for a stem that the model does not have, or an invalid value."""
    own = args.model is None and is_input_file(args.input) and is_stem_file(args.input)
    source = args.input if own else DEFAULT_MODEL if args.model is None else args.model
    mixer = MixerState(stems={name: StemState() for name in (SOURCES if own else stem_names(source))})
    set_strips(args, mixer, source)
    for place, inserts in parse_inserts(args.insert, (*mixer.stems, MASTER, INPUT)).items():
        slots_of(mixer, place)[:] = inserts
    if args.denoise:
        if is_input_file(args.input) or args.input == "none":
            raise StemplayError(
                "--denoise needs a live input; for a file: python -m rtaudio separate FILE --model denoise-voice."
            )
        set_inserts(mixer, INPUT, [InsertState(DENOISE), *mixer.input_inserts])
    if mixer.input_inserts and is_input_file(args.input):
        raise StemplayError("Inserts of the input need a live input; for a song, put them on its stems or on the master.")
    mixer.monitor = args.monitor or not may_howl(args)
    mixer.dry = float(check_value("--dry", args.dry, (0.0, 1.0)))
    mixer.bypass = args.bypass
    mixer.click = args.click
    mixer.click_db = float(check_value("--click-level", args.click_level, (float("-inf"), 24.0)))
    mixer.count_in = float(check_value("--count-in", args.count_in, (0.0, 4.0)))
    if mixer.count_in and not is_input_file(args.input):
        raise StemplayError("--count-in needs a song as --input.")
    return mixer


def set_strips(args: argparse.Namespace, mixer: MixerState, source: str) -> None:
    """Set levels by the options of ``add_strip_options``. ``source``: the model or file whose stems they are. Raises StemplayError."""

    def strip(name: str) -> StemState:
        if name not in mixer.stems:
            raise StemplayError(f"There is no stem {name!r}; the stems of {source} are {', '.join(mixer.stems)}.")
        return mixer.stems[name]

    for stem, text in pairs(args.gain, "--gain", "-6"):
        gain = float(
            check_value(f"The gain of {stem}", read_number(text, f"The gain of {stem}", "dB"), (float("-inf"), 24.0))
        )
        if stem == "master":
            mixer.master_db = gain
        else:
            strip(stem).gain_db = gain
    for stem, text in pairs(args.pan, "--pan", "0.5"):
        strip(stem).pan = float(check_value(f"The pan of {stem}", read_number(text, f"The pan of {stem}", ""), (-1.0, 1.0)))
    for name in _names(args.mute):
        strip(name).mute = True
    for name in _names(args.solo):
        strip(name).solo = True


def may_howl(args: argparse.Namespace) -> bool:
    """Whether sound from a device is played by a device, so that a microphone may pick up the loudspeakers."""
    return args.input != "none" and not is_input_file(args.input) and is_device(args.output)


def check(config: EngineConfig, strict: bool = False) -> None:
    """Check the names of files and devices before anything starts. Raises StemplayError.

    Args:
        strict: also refuse damaged sound.
    """
    check_config(config)
    from_file = is_input_file(config.input)
    if from_file:
        from rtaudio.files.sound_file import open_reader, require_undamaged
        from rtaudio.files.stem_file import open_stems, require_undamaged_stems

        own = plays_own_stems(config)
        if strict:
            (require_undamaged_stems if own else require_undamaged)(config.input)
        with open_stems(config.input) if own else open_reader(config.input):
            pass
    named = [
        (text, output)
        for text, output in ((config.input, False), (config.output, True))
        if text not in DEFAULT_NAMES and not (is_output_file(text) if output else from_file)
    ]
    if not named:
        return
    devices = list_devices()
    for text, output in named:
        if text == COMPUTER and not output:
            computer_device(devices)
        else:
            find_device(text, devices, output=output)


def pairs(values: list[str], option: str, example: str, key: str = "vocals") -> Iterator[tuple[str, str]]:
    """The parts of values like ``vocals=-6``. Raises StemplayError, with ``key`` and ``example``, for others."""
    for value in values:
        stem, sign, text = value.partition("=")
        if not sign or not stem or not text:
            raise StemplayError(f"{option} is written like {key}={example}, not {value!r}.")
        yield stem.strip(), text.strip()


def _names(values: list[str]) -> list[str]:
    return [name.strip() for value in values for name in value.split(",")]


def read_number(text: str, what: str, unit: str) -> float:
    """A number that was typed. Raises StemplayError."""
    try:
        return float(text)
    except ValueError:
        raise StemplayError(f"{what} is a number{' of ' + unit if unit else ''}, not {text!r}.") from None


def _channel_list(text: str, option: str) -> list[int]:
    try:
        channels = [int(part) for part in text.split(",")]
    except ValueError:
        channels = []
    if not channels or min(channels) < 1:
        raise StemplayError(f"{option} takes channels from 1 on, like 3,4, not {text!r}.")
    return channels


def _channels(option: str) -> Any:
    return lambda text: tuple(_channel_list(text, option))


def _whole(option: str) -> Any:
    def parse(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise StemplayError(f"{option} takes a whole number, not {text!r}.") from None

    return parse


def _deadline(text: str) -> float:
    if text == "auto":
        return 0.0
    value = read_number(text, "--deadline", "ms, or auto")
    if not 0 < value <= MAX_DEADLINE:
        raise StemplayError(f"--deadline takes ms above 0 and up to {MAX_DEADLINE}, or auto, not {text}.")
    return value


def loop_points(text: str) -> tuple[float, float]:
    start, sign, end = text.partition(":")
    if not sign:
        raise StemplayError(f"--loop is written like 10:20 (seconds), not {text!r}.")
    return read_number(start, "The loop's start", "seconds"), read_number(end, "The loop's end", "seconds")

"""``python -m rtaudio devices``: list sound devices."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from rtaudio.ports.base import DeviceMissingError
from rtaudio.ports.computer import computer_device
from rtaudio.ports.devices import Device, list_devices
from rtaudio.protocol.controls import COMPUTER

NAME = "devices"
HELP = "List sound devices by host API and name, as --input and --output of `live` take them."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(args: argparse.Namespace) -> int:
    devices = list_devices()
    if args.json:
        print(json.dumps([asdict(device) for device in devices], indent=2))
        return 0
    if not devices:
        print("There is no sound device. Start a JACK server, or use a file or `null` as output.")
        return 0
    width = max(len(device.label) for device in devices)
    for device in devices:
        print(_row(device, width))
    try:
        print(f"\n--input {COMPUTER} hears what other programs play, through {computer_device(devices).label}.")
    except DeviceMissingError as error:
        print(f"\n--input {COMPUTER}: {error}")
    return 0


def _row(device: Device, width: int) -> str:
    marks = [
        text for text, set_ in (("default in", device.default_input), ("default out", device.default_output)) if set_
    ]
    return (
        f"{device.index:>3}  {device.label:<{width}}  {device.inputs:>3} in {device.outputs:>3} out  "
        f"{device.rate:>8g} Hz  {', '.join(marks)}"
    ).rstrip()

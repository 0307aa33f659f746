"""Lists what is present on this machine: sound devices, MIDI inputs, models with their cards."""

from __future__ import annotations

from dataclasses import asdict

from models.card import CardError
from models.catalog import best_separator, load_card, model_names
from rtaudio.audio.format import StemplayError
from rtaudio.jobs import Facts, Report
from rtaudio.midi.output_ports import list_outputs
from rtaudio.midi.ports import list_inputs
from rtaudio.ports.computer import computer_device
from rtaudio.ports.devices import default_device, query_here


def devices(report: Report) -> Facts:
    """The present sound devices, and those that ``default`` and ``computer`` mean, or why the latter cannot be.

    Raises DeviceMissingError without PortAudio.
    """
    found = query_here()
    try:
        others = computer_device(found).label
    except StemplayError as error:
        others, why = "", str(error)
    else:
        why = ""
    chosen = {end: default_device(found, output=end == "output") for end in ("input", "output")}
    return {
        "devices": [asdict(device) | {"label": device.label} for device in found],
        "default": {end: device.label if device is not None else "" for end, device in chosen.items()},
        "computer": others, "no_computer": why,
    }


def midi_inputs(report: Report) -> Facts:
    """Names of the present MIDI inputs and outputs."""
    return {"inputs": list_inputs(), "outputs": list_outputs()}


def models(report: Report, extra: list[str] | None = None) -> Facts:
    """The cards of the shipped models and of those in ``extra`` (names or directories), by their names in ``EngineConfig``.

    A model whose card cannot be read has ``error`` instead. ``best`` is the separator for files.
    """
    cards = {}
    for name in dict.fromkeys([*model_names(), *(extra or [])]):
        try:
            cards[name] = asdict(load_card(name))
            del cards[name]["states"]
        except (CardError, StemplayError) as error:
            cards[name] = {"error": str(error)}
    return {"models": cards, "best": best_separator()}

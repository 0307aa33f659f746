"""What effects and plugins are called on the screen. The words of the built-in ones are here to be translated."""

from __future__ import annotations

import re

from PyQt6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from rtaudio.protocol.parameters import EFFECTS
from rtaudio.protocol.reports import InsertReport

WORDS = (
    QT_TRANSLATE_NOOP("Effects", "Three-band equaliser"),
    QT_TRANSLATE_NOOP("Effects", "Equaliser"),
    QT_TRANSLATE_NOOP("Effects", "Raises or lowers low, middle and high frequencies."),
    QT_TRANSLATE_NOOP("Effects", "Low"),
    QT_TRANSLATE_NOOP("Effects", "Low frequency"),
    QT_TRANSLATE_NOOP("Effects", "Mid"),
    QT_TRANSLATE_NOOP("Effects", "Mid frequency"),
    QT_TRANSLATE_NOOP("Effects", "Mid Q"),
    QT_TRANSLATE_NOOP("Effects", "High"),
    QT_TRANSLATE_NOOP("Effects", "High frequency"),
    QT_TRANSLATE_NOOP("Effects", "High-pass filter"),
    QT_TRANSLATE_NOOP("Effects", "Removes what is below a frequency: rumble, handling noise, wind."),
    QT_TRANSLATE_NOOP("Effects", "Frequency"),
    QT_TRANSLATE_NOOP("Effects", "Low-pass filter"),
    QT_TRANSLATE_NOOP("Effects", "Removes what is above a frequency."),
    QT_TRANSLATE_NOOP("Effects", "Compressor"),
    QT_TRANSLATE_NOOP("Effects", "Dynamics"),
    QT_TRANSLATE_NOOP("Effects", "Makes loud passages quieter, so that a voice stays in front."),
    QT_TRANSLATE_NOOP("Effects", "Threshold"),
    QT_TRANSLATE_NOOP("Effects", "Ratio"),
    QT_TRANSLATE_NOOP("Effects", "Attack"),
    QT_TRANSLATE_NOOP("Effects", "Release"),
    QT_TRANSLATE_NOOP("Effects", "Make-up gain"),
    QT_TRANSLATE_NOOP("Effects", "Noise gate"),
    QT_TRANSLATE_NOOP("Effects", "Silences what is quieter than a threshold: hum and noise between phrases."),
    QT_TRANSLATE_NOOP("Effects", "Gain"),
    QT_TRANSLATE_NOOP("Effects", "Changes the level, and nothing else."),
    QT_TRANSLATE_NOOP("Effects", "Reverb"),
    QT_TRANSLATE_NOOP("Effects", "Space"),
    QT_TRANSLATE_NOOP("Effects", "Puts the sound into a room."),
    QT_TRANSLATE_NOOP("Effects", "Room size"),
    QT_TRANSLATE_NOOP("Effects", "Damping"),
    QT_TRANSLATE_NOOP("Effects", "Width"),
    QT_TRANSLATE_NOOP("Effects", "Mix"),
    QT_TRANSLATE_NOOP("Effects", "Delay"),
    QT_TRANSLATE_NOOP("Effects", "Repeats the sound as an echo."),
    QT_TRANSLATE_NOOP("Effects", "Time"),
    QT_TRANSLATE_NOOP("Effects", "In time"),
    QT_TRANSLATE_NOOP("Effects", "Off"),
    QT_TRANSLATE_NOOP("Effects", "1/32"),
    QT_TRANSLATE_NOOP("Effects", "1/16 triplet"),
    QT_TRANSLATE_NOOP("Effects", "1/16"),
    QT_TRANSLATE_NOOP("Effects", "1/8 triplet"),
    QT_TRANSLATE_NOOP("Effects", "1/16 dotted"),
    QT_TRANSLATE_NOOP("Effects", "1/8"),
    QT_TRANSLATE_NOOP("Effects", "1/4 triplet"),
    QT_TRANSLATE_NOOP("Effects", "1/8 dotted"),
    QT_TRANSLATE_NOOP("Effects", "1/4"),
    QT_TRANSLATE_NOOP("Effects", "1/4 dotted"),
    QT_TRANSLATE_NOOP("Effects", "1/2"),
    QT_TRANSLATE_NOOP("Effects", "1/1"),
    QT_TRANSLATE_NOOP("Effects", "Feedback"),
    QT_TRANSLATE_NOOP("Effects", "Chorus"),
    QT_TRANSLATE_NOOP("Effects", "Modulation"),
    QT_TRANSLATE_NOOP("Effects", "Doubles the sound with copies that drift in pitch."),
    QT_TRANSLATE_NOOP("Effects", "Rate"),
    QT_TRANSLATE_NOOP("Effects", "Depth"),
    QT_TRANSLATE_NOOP("Effects", "Centre delay"),
    QT_TRANSLATE_NOOP("Effects", "Pitch shift"),
    QT_TRANSLATE_NOOP("Effects", "Pitch"),
    QT_TRANSLATE_NOOP("Effects", "Moves the pitch by semitones and keeps the tempo."),
    QT_TRANSLATE_NOOP("Effects", "Semitones"),
    QT_TRANSLATE_NOOP("Effects", "Voice denoiser"),
    QT_TRANSLATE_NOOP("Effects", "Voice"),
    QT_TRANSLATE_NOOP("Effects", "Keeps a voice and removes noise, hum, clicks, music and a crowd behind it."),
    QT_TRANSLATE_NOOP("Effects", "Amount"),
    QT_TRANSLATE_NOOP("Effects", "Above 8 kHz"),
    QT_TRANSLATE_NOOP("Effects", "Fine"),
    QT_TRANSLATE_NOOP("Effects", "Saturation"),
    QT_TRANSLATE_NOOP("Effects", "Distortion"),
    QT_TRANSLATE_NOOP("Effects", "Adds warmth, or distortion at high drive."),
    QT_TRANSLATE_NOOP("Effects", "Drive"),
    QT_TRANSLATE_NOOP("Effects", "Output gain"),
)  # fmt: skip
"""Names, categories, summaries and parameters in ``rtaudio.protocol.parameters.EFFECTS``; a test holds the two together."""


def translated(text: str) -> str:
    """A word of ``WORDS`` in the person's language; any other as it is."""
    return QCoreApplication.translate("Effects", text)


def plugin_title(plugin: str, report: InsertReport | None = None) -> str:
    """How a person reads ``plugin``, as an insert's state names it: by the engine's ``report`` where it knows the name."""
    if plugin in EFFECTS:
        return translated(EFFECTS[plugin].name)
    if report is not None and report.name and report.name != plugin:
        return report.name
    last = re.split(r"[/\\#:]", plugin.rstrip("/\\"))[-1]
    return re.sub(r"\.(vst3|component)$", "", last, flags=re.IGNORECASE) or plugin


STATUS = {
    "loading": QT_TRANSLATE_NOOP("Effects", "loading"),
    "running": QT_TRANSLATE_NOOP("Effects", "on"),
    "bypassed": QT_TRANSLATE_NOOP("Effects", "bypassed"),
    "failed": QT_TRANSLATE_NOOP("Effects", "failed"),
    "missing": QT_TRANSLATE_NOOP("Effects", "missing"),
}
"""By the ``status`` of a report."""


def status_title(status: str) -> str:
    """The state of an insert in a word."""
    return translated(STATUS.get(status, status))

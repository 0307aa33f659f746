"""Turns a snapshot into short facts for the status bar and the most important sentence. No widgets."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QCoreApplication

from gui.effect_words import plugin_title, status_title
from gui.theme import stem_title
from rtaudio.protocol.reports import SILENT_PORT, Snapshot

PLAIN, GOOD, WARNING, BAD = "plain", "good", "warning", "bad"

MARKS = "●❙■!…"
"""Symbols before the words of a state, which screen readers skip."""

BUSY, FULL = 0.7, 0.95
"""Shares of the available time from which a load is a warning, and from which it is too high."""


@dataclass(frozen=True)
class Fact:
    """An item of the status bar: its text, its severity, and the sentence that explains it."""

    key: str
    text: str
    level: str = PLAIN
    sentence: str = ""


def facts(snapshot: Snapshot) -> list[Fact]:
    """All items of the status bar, in their order."""
    sounding = snapshot.state in ("running", "stalled", "finished")
    found = [state_of(snapshot)]
    if sounding:
        found += [_device(snapshot), *_stream(snapshot), *_loads(snapshot), *_counters(snapshot), _realtime(snapshot)]
    if snapshot.restarts:
        found.append(
            Fact(
                "restarts",
                _tr("Restarts {}").format(snapshot.restarts),
                WARNING,
                _tr("How often the engine has been restarted."),
            )
        )
    return [fact for fact in found if fact.text]


def state_of(snapshot: Snapshot) -> Fact:
    """The fact about the engine's state."""
    said, again = snapshot.message, _tr("Start tries again.")
    table = {
        "paused": ("❙❙ " + _tr("Paused"), PLAIN, _paused_sentence(snapshot)),
        "running": ("● " + _tr("Playing"), GOOD, _tr("The engine is playing.")),
        "resting": ("● " + _tr("Ready"), GOOD, _tr("The engine runs, and there is nothing to hear: open a song or play a note.")),
        "starting": ("… " + _tr("Starting"), WARNING, said or _tr("The engine is starting.")),
        "stalled": (
            "! " + _tr("Stalled"),
            BAD,
            _tr(
                "The audio device has stopped asking for sound; if it does not come back, the engine is started again by itself."
            ),
        ),
        "waiting": (
            "! " + _tr("Waiting"),
            BAD,
            said or _tr("The audio device is missing; sound resumes as soon as it is back."),
        ),
        "finished": ("■ " + _tr("Finished"), PLAIN, said or _tr("The song has ended.")),
        "stopped": (
            "■ " + _tr("Stopped"),
            BAD if said else PLAIN,
            f"{said} {again}" if said else _tr("There is no sound: press Start."),
        ),
    }
    state = "paused" if _paused(snapshot) else "resting" if _resting(snapshot) else snapshot.state
    text, level, sentence = table.get(state, (state, WARNING, said))
    return Fact("state", text, level, sentence)


def _paused(snapshot: Snapshot) -> bool:
    """Whether the stream runs while its song is paused. The engine calls this running, a musician does not."""
    return snapshot.state == "running" and bool(snapshot.transport.path) and not snapshot.transport.playing


def _resting(snapshot: Snapshot) -> bool:
    return snapshot.state == "running" and snapshot.resting


def _paused_sentence(snapshot: Snapshot) -> str:
    found = [_tr("The song is paused; Play continues from here.")]
    if snapshot.instrument.model:
        found.append(_tr("The instrument can be played meanwhile."))
    return " ".join(found)


def trouble(snapshot: Snapshot) -> Fact | None:
    """The sentence to show permanently, if there is one: a bad state, else the engine's message."""
    state = state_of(snapshot)
    if state.level == BAD:
        return state
    if snapshot.state == "starting":
        return state if snapshot.restarts else None
    if snapshot.recording.error:
        return Fact("recording", snapshot.recording.error, BAD, snapshot.recording.error)
    if snapshot.message:
        return Fact("message", snapshot.message, WARNING, snapshot.message)
    if ailing := _ailing(snapshot):
        return Fact("inserts", ailing, WARNING, ailing)
    if offer(snapshot):
        return Fact(
            "offer",
            "",
            WARNING,
            _tr("Now and then the model is late, and the sound plays unseparated: the model needs a little more time."),
        )
    if snapshot.dsp_load.get("p50", 0.0) > FULL and not snapshot.resting:
        return Fact(
            "load", "", BAD, _tr("The sound needs more time than there is: choose a larger block in the settings.")
        )
    return None


def _ailing(snapshot: Snapshot) -> str:
    """The first insert that does not work, in a sentence."""
    for place, reports in snapshot.inserts.items():
        for report in reports:
            if report.status in ("failed", "missing"):
                told = report.message or status_title(report.status)
                return f"{stem_title(place)}, {plugin_title(report.plugin, report)}: {told}"
    return ""


def offer(snapshot: Snapshot) -> str:
    """Text of the button that offers a longer deadline against missed blocks; "" if none is needed."""
    if not snapshot.offer or snapshot.state != "running":
        return ""
    more = snapshot.offer - 1000 * snapshot.latency.pipelining / max(1, snapshot.rate)
    return _tr("Give it {:.1f} ms more").format(more)


def _device(snapshot: Snapshot) -> Fact:
    name = snapshot.port
    if name == SILENT_PORT:
        cure = _tr("Nothing is heard: connect a sound card or start JACK, and choose it in the settings.")
        return Fact("device", _tr("Silent: no sound card"), WARNING, cure)
    short = name if len(name) <= 40 else name[:38] + "…"
    return Fact("device", short, PLAIN, _tr("Sound goes through {}.").format(name))


def _stream(snapshot: Snapshot) -> list[Fact]:
    parts = snapshot.latency.milliseconds()
    given = 1000 * snapshot.latency.pipelining / snapshot.latency.rate
    block = _tr("{} frames").format(snapshot.block) if snapshot.block else _tr("any block")
    total = _tr(
        "The model holds sound back for {:.1f} ms, rate conversion for {:.1f} ms, effects and plugins for {:.1f} ms, "
        "the buffers for {:.1f} ms (of which the model gets {:.1f} ms to work)."
    )
    return [
        Fact("rate", f"{snapshot.rate / 1000:g} kHz", PLAIN, _tr("Sample rate of the device.")),
        Fact("block", block, PLAIN, _tr("Frames of one callback: fewer mean less latency and more work.")),
        Fact(
            "latency",
            _tr("{:.1f} ms").format(parts["total"]),
            PLAIN,
            _tr("Round trip from input to output.")
            + " "
            + total.format(parts["algorithmic"], parts["resampler"], parts["inserts"], parts["buffers"], given),
        ),
    ]


def _loads(snapshot: Snapshot) -> list[Fact]:
    found = []
    taken = snapshot.model_load.get("own", 1.0) < BUSY  # by other programs: the model itself would have enough time
    model_cure = (
        _tr("The model itself is fast enough, but other programs take the processor. Close some of them.")
        if taken
        else _tr("A smaller model or a larger block helps.")
    )
    for key, title, load, cure in (
        ("dsp", _tr("DSP"), snapshot.dsp_load, _tr("A larger block or fewer other programs help.")),
        ("model", _tr("Model"), snapshot.model_load, model_cure),
    ):
        typical, worst = load.get("p50", 0.0), load.get("p99", 0.0)
        level = BAD if typical > FULL else WARNING if typical > BUSY else PLAIN
        sentence = _tr("{} takes {:.0f} % of its time, and at most {:.0f} % in 99 of 100 blocks.").format(
            title, 100 * typical, 100 * worst
        )
        found.append(
            Fact(key, f"{title} {100 * typical:.0f} %", level, sentence if level == PLAIN else f"{sentence} {cure}")
        )
    return found


def _counters(snapshot: Snapshot) -> list[Fact]:
    xruns = _tr("The sound card had no samples {} times; a larger block helps. A click resets the counters.")
    misses = _tr("{} blocks were not ready in time and were played unseparated. A click resets the counters.")
    return [
        Fact(
            "xruns",
            _tr("Xruns {}").format(snapshot.xruns),
            WARNING if snapshot.xruns else PLAIN,
            xruns.format(snapshot.xruns),
        ),
        Fact(
            "misses",
            _tr("Misses {}").format(snapshot.misses),
            WARNING if snapshot.misses else PLAIN,
            misses.format(snapshot.misses),
        ),
    ]


def _realtime(snapshot: Snapshot) -> Fact:
    told = snapshot.realtime
    if not told:
        return Fact("realtime", "")
    if "refused" in told:
        return Fact("realtime", _tr("No realtime"), WARNING, _tr("Realtime priority: {}.").format(told.rstrip(".")))
    return Fact("realtime", _tr("Realtime"), PLAIN, _tr("Realtime priority: {}.").format(told.rstrip(".")))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Health", text)

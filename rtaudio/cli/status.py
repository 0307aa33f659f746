"""An engine's report as text and as JSON. No I/O, no thread."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rtaudio.protocol.reports import FULL_SPEED, SILENT_PORT, Snapshot, SyncReport


def status_dict(report: Snapshot) -> dict[str, Any]:
    """The dictionary that ``--json`` prints."""
    latency = report.latency
    known = {
        "state": report.state,
        "message": report.message,
        "notes": list(report.transport.warnings),
        "port": report.port,
        "rate": report.rate,
        "block": report.block,
        "frames": report.frames,
        "seconds": round(report.frames / report.rate, 3) if report.rate else 0.0,
        "elapsed": round(report.elapsed, 3),
        "xruns": report.xruns,
        "misses": report.misses,
        "latency_samples": latency.engine,
        "latency_ms": {name: round(value, 3) for name, value in latency.milliseconds().items()},
        "dsp_load": report.dsp_load,
        "model_load": report.model_load,
        "restarts": report.restarts,
        "interruptions": [
            {"reason": gap.reason, "after_s": round(gap.after_s, 3), "gap_s": round(gap.gap_s, 3)} for gap in report.interruptions
        ],
        "realtime": report.realtime,
        "recording": {"directory": report.recording.directory, "seconds": report.recording.seconds,
                      "dropped_blocks": report.recording.dropped_blocks, "error": report.recording.error},
        "recordings": [
            {"directory": take.directory, "files": take.files, "seconds": round(take.seconds, 3),
             "dropped_blocks": take.dropped_blocks, "error": take.error}
            for take in report.recordings
        ],
    }  # fmt: skip
    if report.inserts:
        known["inserts"] = {strip: [asdict(insert) for insert in inserts] for strip, inserts in report.inserts.items()}
    if report.remote.address:
        known["osc"] = asdict(report.remote)
    if report.sync != SyncReport():
        known["sync"] = asdict(report.sync) | {"tempo": report.transport.tempo}
    played = report.instrument
    if played.model:
        known["instrument"] = {
            "model": played.model, "ports": played.ports, "midi": played.midi, "notes": played.notes,
            "received": played.received,
            "stolen": played.stolen, "misses": played.misses, "late": played.late, "dropped": played.dropped,
            "load": played.load, "delay_ms": round(played.delay_ms, 3), "primed": round(played.primed, 3),
        }  # fmt: skip
    return known


def summary(report: Snapshot) -> str:
    """The same in a sentence or two."""
    known = status_dict(report)
    text = f"{known['seconds']:.1f} s played, {report.xruns} xruns, {report.misses} misses"
    if report.port.startswith(FULL_SPEED):  # nothing is due at a time: a load of what there is would mean nothing
        text += ", as fast as it goes."
    else:
        text += (
            f", load {100 * report.dsp_load.get('p99', 0.0):.0f} % of the callback (p99), "
            f"{100 * report.model_load.get('p99', 0.0):.0f} % of the model's time."
        )
    if report.restarts:
        times = "once" if report.restarts == 1 else f"{report.restarts} times"
        away = sum(gap.gap_s for gap in report.interruptions)
        text += f" The engine was started again {times}, {away:.1f} s without sound."
    return " ".join(
        [text, *recorded(report), *([report.message] if report.state == "stopped" and report.message else [])]
    )


def status(report: Snapshot) -> dict[str, str]:
    """How a running engine is, in lines for a person: name -> text."""
    song, ms, played = report.transport, report.latency.milliseconds(), report.instrument
    lines = {"state": report.state + (", at rest" if report.resting else ""), "sound": where(report)}
    if report.message:
        lines["message"] = report.message
    if song.path:
        loop = f", loop {_clock(song.loop[0])} to {_clock(song.loop[1])}" if song.loop else ""
        move = "plays" if song.playing else "paused"
        lines["song"] = f"{song.path}: {move}, {_clock(song.position_s)} of {_clock(song.length_s)}{loop}"
    lines["latency"] = (
        f"{ms['total']:.1f} ms: model {ms['algorithmic']:.1f}, rate conversion {ms['resampler']:.1f}, buffers {ms['buffers']:.1f}"
    )
    lines["load"] = (
        f"callback {100 * report.dsp_load.get('p50', 0.0):.0f} %, model {100 * report.model_load.get('p50', 0.0):.0f} % of its time "
        f"(p99 {100 * report.dsp_load.get('p99', 0.0):.0f} and {100 * report.model_load.get('p99', 0.0):.0f} %)"
    )
    lines["counters"] = f"{summary(report).split(',')[0]}, {report.xruns} xruns, {report.misses} misses, {report.restarts} restarts"
    lines["realtime"] = report.realtime or "not known"
    if played.model:
        inputs = ", ".join(played.ports) or "no input"
        lines["instrument"] = f"{played.model}, {played.notes} notes, {played.misses} misses, MIDI: {inputs}"
    if report.remote.address:
        remote = report.remote
        lines["osc"] = f"{remote.address}, {len(remote.clients)} clients, {remote.received} packets, {remote.refused} refused"
    if report.sync != SyncReport():
        sync = report.sync
        link = f", Link with {sync.peers} others" if sync.link else ""
        lines["tempo"] = f"{report.transport.tempo:.1f} BPM{link}, MIDI to {', '.join(sync.outputs) or 'nobody'}, {sync.ticks} ticks"
    if report.recording.active:
        lines["recording"] = f"{report.recording.seconds:.1f} s into {report.recording.directory}"
    return lines


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{seconds % 60:04.1f}"


def recorded(report: Snapshot) -> list[str]:
    """What recordings came to, a sentence each: only files that are there are told of."""
    told = [
        f"Recorded {take.seconds:.1f} s into {take.directory} ({', '.join(take.files)})." for take in report.recordings
    ]
    told += [take.error for take in report.recordings if take.error]
    last = report.recording
    if last.error and last.error not in told:
        told.append(last.error)
    elif last.active:
        told.append(f"A recording in {last.directory} could not be finished; the next start does.")
    return told


def where(report: Snapshot) -> str:
    """Which port plays, and how late."""
    milliseconds = report.latency.milliseconds()["total"]
    block = f"{report.block} frames" if report.block else "the host's blocks"
    if report.port == SILENT_PORT:
        return (
            f"Nothing is heard: {report.port} plays, at {report.rate} Hz, {block}, latency {milliseconds:.1f} ms. "
            "A sound card, a JACK server or a file (--output) is needed to hear it."
        )
    if report.port.startswith(FULL_SPEED):
        return f"At {report.port}: {report.rate} Hz, {block}, latency {milliseconds:.1f} ms."
    return f"Playing through {report.port} at {report.rate} Hz, {block}, latency {milliseconds:.1f} ms."

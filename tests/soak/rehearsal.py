"""Hours of a rehearsal in miniature: what a band does in ``--hours``, done in ``--minutes``, with a real engine and a real window.

Songs are opened and closed, damaged ones among them; loops, seeks, tempo and key where the engine has them, mutes, levels, effects,
recordings, notes and pages follow each other as fast as the time demands. At the end memory, threads and open files of window, engine and
daemon must be what they were in the beginning. ``python -m tests.soak.rehearsal --hours 8 --minutes 15``; exit code 1 if anything grew.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported

import numpy as np
import soundfile

from tests.soak.watch import Held, sample

ROOT = Path(__file__).resolve().parents[2]
AN_HOUR = {
    "open a song": 14, "open a damaged song": 1, "close the song": 4, "loop": 90, "end the loop": 30, "seek": 60, "play or pause": 40,
    "tempo": 60, "key": 20, "mute or solo": 90, "level": 120, "effect": 8, "record": 6, "note": 120, "page": 40, "undo": 20,
}  # fmt: skip
"""How often a band does what in an hour."""
NEW_ENGINE = "open a song", "open a damaged song", "close the song"
"""What may start another engine process. In the last hour nobody does it, so that one engine can be watched for an hour."""
USE_EVERYTHING = "use everything once"
"""At the start of the last hour, because what is used for the first time (a delay's buffer, a recorder) needs memory once."""
EFFECTS, STRIPS = ("reverb", "eq", "compressor", "delay"), ("drums", "vocals", "master")
LOOK_S = 2.0
SPARE_MB, SPARE_SHARE, SPARE_COUNT = 12.0, 0.06, 4
"""More than this at the end is growth: MiB and share of the memory, threads and open files (a job that runs has three pipes)."""
OPENED_S, LATE_S = 60.0, 10.0


@dataclass
class Rehearsal:
    """What was seen. ``engines``: the engine's process at each sample; ``reasons``: what the window said of restarts; ``used``: number of
    samples before everything was used once.

    ``objects``: Python's memory blocks in the window, ``widgets``: Qt's.
    """

    seconds: float = 0.0
    hours: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    held: list[Held] = field(default_factory=list)
    engines: list[int] = field(default_factory=list)
    used: int = 0
    restarts: int = 0
    reasons: list[str] = field(default_factory=list)
    objects: list[int] = field(default_factory=list)
    widgets: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.rehearsal", description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0, metavar="N", help="of the rehearsal (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=15.0, metavar="N", help="in which they are done (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the order of what is done (default: %(default)s)")
    parser.add_argument("--model", default="demucs-open", metavar="NAME", help="(default: %(default)s)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep everything as JSON")
    return parser


def plan(hours: float, seed: int, known: Callable[[str], bool] = lambda what: True) -> list[str]:
    """What is done, in an order that depends on the seed alone. ``known``: whether the engine can do it."""
    order = [what for what, often in AN_HOUR.items() if known(what) for _ in range(max(1, round(often * hours)))]
    generator = random.Random(seed)
    generator.shuffle(order)
    cut = round(len(order) * (1 - 1 / hours)) if hours > 1 else len(order)
    before, last = order[:cut], order[cut:]
    before += [what for what in last if what in NEW_ENGINE]
    generator.shuffle(before)
    return ["open a song", *before, *(["open a song", USE_EVERYTHING] if last else []), *(what for what in last if what not in NEW_ENGINE)]


def songs_in(folder: Path) -> list[Path]:
    """Songs of several rates and kinds."""
    folder.mkdir()
    made = [ROOT / "demo" / "kimseye.ogg"]
    for k, (rate, kind) in enumerate(((44_100, "wav"), (48_000, "flac"), (32_000, "wav"), (44_100, "ogg"))):
        times = np.arange(25 * rate) / rate
        noise = np.random.default_rng(k).standard_normal(len(times)) / 30
        left = np.sin(2 * np.pi * 110 * (k + 1) * times) / 4 + noise
        made.append(folder / f"song {k}.{kind}")
        soundfile.write(made[-1], np.stack([left, noise], axis=1), rate)
    return made


class Band:
    """The window and its engine; ``act`` does one thing, and processes Qt's events."""

    def __init__(self, folder: Path, model: str, seed: int) -> None:
        for name in ("STEMPLAY_RUNTIME_DIR", "STEMPLAY_STATE_DIR", "STEMPLAY_CONFIG_DIR", "STEMPLAY_CACHE_DIR"):
            os.environ[name] = str(folder / name.lower())
            Path(os.environ[name]).mkdir(mode=0o700)
        from gui.app import make_application
        from gui.bridge import Bridge, meet_engine
        from gui.pages import PAGES
        from gui.player.player_model import player_model_of
        from gui.session_store import SessionStore
        from gui.store import Store
        from gui.window import MainWindow
        from rtaudio.protocol.messages import OPERATIONS
        from rtaudio.protocol.settings import EngineConfig, MixerState

        self.app = make_application()
        self.random, self.operations = random.Random(seed + 1), OPERATIONS
        self.songs, self.pages = songs_in(folder / "songs"), [page.key for page in PAGES if not page.lab]
        self.damaged = folder / "damaged.mp3"
        self.damaged.write_bytes(b"no song" * 500)
        config = EngineConfig(input="none", output="null", block=512, model=model, instrument="sing-gm", midi="none")
        self.bridge = Bridge(meet_engine(config, MixerState(monitor=False)), store=Store())
        self.bridge.store.preferences.recording_folder = str(folder / "takes")
        self.window, self.player = MainWindow(self.bridge), player_model_of(self.bridge)
        self.window.resize(1240, 760)
        self.window.show()
        SessionStore(self.bridge)
        self.bridge.start()

    def known(self, what: str) -> bool:
        """Whether this engine can do it."""
        return {"tempo": "set_speed" in self.operations, "key": "set_key" in self.operations}.get(what, True)

    def wait(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Process events for this time, or until something is true; returns whether it is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.sendPostedEvents(None, 52)  # DeferredDelete, which Qt handles only in its own loop
            self.app.processEvents()
            if until is not None and until():
                return True
            time.sleep(0.004)
        return until is None

    @property
    def length(self) -> float:
        """Of the song, in seconds."""
        return self.player.transport.length_s

    def act(self, what: str) -> str:
        """Do it. Returns a problem, or ""."""
        return str(getattr(self, "_" + what.replace(" ", "_"))() or "")

    def _open_a_song(self) -> str:
        song = str(self.random.choice(self.songs))
        self.player.open(song)
        opened = self.wait(OPENED_S, lambda: self.player.transport.path == song and not self.player.pending)
        return "" if opened else f"{Path(song).name} was not opened: {self.bridge.snapshot.state} {self.bridge.snapshot.message}"

    def _open_a_damaged_song(self) -> str:
        told: list[str] = []
        self.player.told.connect(told.append)
        self.player.open(self.damaged)
        self.wait(OPENED_S, lambda: not self.player.pending)
        self.player.told.disconnect(told.append)
        return "" if any(told) else "a damaged song was opened without a word"

    def _close_the_song(self) -> None:
        self.player.close_song()

    def _loop(self) -> None:
        if self.player.has_song and self.length > 2:
            start = self.random.uniform(0, self.length - 2)
            self.player.set_loop(start, start + self.random.uniform(0.5, 2))

    def _end_the_loop(self) -> None:
        self.player.clear_loop()

    def _seek(self) -> None:
        self.player.seek(self.random.uniform(0, self.length or 1))

    def _play_or_pause(self) -> None:
        self.player.toggle_play()

    def _tempo(self) -> None:
        (name,) = self.operations["set_speed"]
        self.bridge.send("set_speed", **{name: self.random.choice((0.5, 0.75, 0.9, 1.0, 1.1, 1.5))})

    def _key(self) -> None:
        (name,) = self.operations["set_key"]
        self.bridge.send("set_key", **{name: self.random.randint(-6, 6)})

    def _mute_or_solo(self) -> None:
        stem = self.random.choice(list(self.window.mixer_model.state.stems))
        self.window.mixer_model.move(stem, self.random.choice(("mute", "solo")), self.random.random() < 0.5)

    def _level(self) -> None:
        stem = self.random.choice(list(self.window.mixer_model.state.stems))
        self.window.mixer_model.move(stem, "gain_db", self.random.uniform(-24, 6))

    def _effect(self) -> None:
        self._try_effect(self.random.choice(STRIPS), self.random.choice(EFFECTS))

    def _use_everything_once(self) -> None:
        for strip in STRIPS:
            for effect in EFFECTS:
                self._try_effect(strip, effect)
        for what in ("loop", "seek", "tempo", "key", "level", "record", "note", *("page" for _ in self.pages)):
            self.act(what)
        self.wait(1.0)

    def _try_effect(self, stem: str, effect: str) -> None:
        moves = self.window.mixer_model.inserts
        key = moves.add(stem, effect)
        self.wait(0.3)
        if key:
            moves.remove(stem, key)

    def _record(self) -> None:
        self.player.toggle_record()
        self.wait(0.4)
        if self.player.recording.active:
            self.player.toggle_record()

    def _note(self) -> None:
        note = self.random.randrange(40, 80)
        self.bridge.send("midi", data=[0x90, note, self.random.randrange(40, 120)])
        self.wait(0.02)
        self.bridge.send("midi", data=[0x80, note, 0])

    def _page(self) -> None:
        self.window.show_page(self.random.choice(self.pages))

    def _undo(self) -> None:
        self.window.mixer_model.undo.undo()

    @property
    def engine_pid(self) -> int | None:
        """Of the engine process."""
        found: int | None = getattr(self.bridge.session, "engine_pid", None)
        return found

    def daemon_pid(self) -> int:
        """Of the process that holds the engine."""
        return int(Path(f"/proc/{self.engine_pid}/stat").read_text().rsplit(")", 1)[1].split()[1])

    def close(self) -> None:
        """End window and engine."""
        self.bridge.stop()
        self.window.close()


def run(args: argparse.Namespace, folder: Path) -> Rehearsal:
    """Rehearse."""
    band, found = Band(folder, args.model, args.seed), Rehearsal()
    processes: dict[str, Callable[[], object]] = {"window": os.getpid, "engine": lambda: band.engine_pid, "daemon": band.daemon_pid}
    try:
        assert band.wait(OPENED_S, lambda: band.bridge.snapshot.state == "running"), "the engine did not start"
        for page in band.pages:
            band.window.show_page(page)
            band.wait(0.2)
        order = plan(args.hours, args.seed, band.known)
        began, sampled = time.monotonic(), 0.0
        for number, what in enumerate(order):
            if time.monotonic() - began > args.minutes * 60 + LATE_S:
                break  # a busy machine does less of it
            band.wait(max(0.001, began + args.minutes * 60 * number / len(order) - time.monotonic()))
            if (report := band.bridge.snapshot).restarts > len(found.reasons):
                found.reasons += [report.message or "nothing was said"] * (report.restarts - len(found.reasons))
            if problem := band.act(what):
                found.problems.append(problem)
            found.done[what] += 1
            if what == USE_EVERYTHING:
                found.used = len(found.held)
            if time.monotonic() - sampled > LOOK_S:
                sampled = time.monotonic()
                gc.collect()
                found.objects.append(sys.getallocatedblocks())
                found.widgets.append(len(band.app.allWidgets()))
                found.held.append(sample(processes, sampled - began))
                found.engines.append(band.engine_pid or 0)
        found.hours = args.hours * sum(found.done.values()) / len(order)
        found.seconds, found.restarts = time.monotonic() - began, band.bridge.snapshot.restarts
    finally:
        band.close()
    found.problems += judge(found)
    return found


def ends(series: list[float]) -> tuple[float, float]:
    """The medians of the second and of the last fifth: the first one fills caches."""
    fifth = max(1, len(series) // 5)
    return median(series[fifth : 2 * fifth] or series), median(series[-fifth:])


def series_of(found: Rehearsal, name: str, kind: str) -> list[float]:
    """What a process held. Of the engine, what its last process held after everything was used once: songs have processes of their own,
    which hold different amounts, those with a tempo or an effect more."""
    last = found.engines[-1] if found.engines else 0
    return [
        getattr(held, kind)[name]
        for number, (held, engine) in enumerate(zip(found.held, found.engines, strict=True))
        if name in getattr(held, kind) and (name != "engine" or (engine == last and number >= found.used))
    ]


def judge(found: Rehearsal) -> list[str]:
    """What grew."""
    told = [f"the engine restarted {found.restarts} times: {' / '.join(found.reasons)}"] if found.restarts else []
    for name in ("window", "engine", "daemon"):
        for kind, unit in (("memory", "MiB"), ("threads", "threads"), ("descriptors", "open files")):
            series = series_of(found, name, kind)
            if not series:
                told.append(f"nothing is known of the {name}")
                break
            early, late = ends(series)
            spare = max(SPARE_MB, SPARE_SHARE * early) if kind == "memory" else SPARE_COUNT
            if late > early + spare:
                told.append(f"the {name} grew from {early:.0f} to {late:.0f} {unit}")
    return told


def table(found: Rehearsal) -> str:
    """What it was, for a person."""
    lines = [f"{sum(found.done.values())} actions, those of {found.hours:.1f} h, in {found.seconds / 60:.1f} min: "
             + ", ".join(f"{what} {count}" for what, count in found.done.most_common()) + ".", "",
             "| process | memory, MiB: early, late, most | threads | open files |", "|---|---|---|---|"]  # fmt: skip
    for name in ("window", "engine", "daemon"):
        cells = []
        for kind in ("memory", "threads", "descriptors"):
            series = series_of(found, name, kind)
            cells.append("{:.0f}, {:.0f}, {:.0f}".format(*ends(series), max(series)) if series else "–")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    blocks, widgets = ("{:.0f}, {:.0f}".format(*ends([float(count) for count in counts])) for counts in (found.objects, found.widgets))
    lines += ["", f"In the window: memory blocks of Python {blocks}; widgets {widgets}."]
    lines += [f"Engine processes: {len(set(found.engines))}; restarts: {found.restarts}."]
    return "\n".join([*lines, *(f"PROBLEM: {problem}" for problem in found.problems)])


def as_json(found: Rehearsal) -> dict[str, object]:
    """Everything, as JSON values."""
    return vars(found) | {"done": dict(found.done), "held": [asdict(held) for held in found.held]}


def main() -> int:
    """Entry point."""
    args = options().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it early leaves no engine behind
    if not sys.platform.startswith("linux"):
        print("The rehearsal looks at its processes in /proc, which only Linux has.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="stemplay-rehearsal-") as name:
        found = run(args, Path(name))
    print(table(found))
    if args.save:
        args.save.write_text(json.dumps(as_json(found), indent=1))
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())

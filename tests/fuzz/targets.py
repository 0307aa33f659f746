"""What comes from outside, a function each: it takes any bytes, and whatever they are, what must hold holds.

A target may only be left by a return: a refusal in one sentence is caught here and looked at.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import json
import math
import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from gui.listening.sheet import read_sheet
from gui.store import Preset, Store
from models.card import CardError, card_from_dict, read_card
from models.catalog import find_model
from models.names import name_problem
from rtaudio.audio.format import SOURCES, StemplayError
from rtaudio.control.ipc import decode, read_message, write_message
from rtaudio.control.osc import OscControls, make_message, read_packet
from rtaudio.files.sound_file import open_reader
from rtaudio.files.stem_file import open_stems, read_labels
from rtaudio.files.stem_writer import StemWriter
from rtaudio.files.tags import Tags, read_tags
from rtaudio.files.take_recovery import finish_cut_off
from rtaudio.inference.onnx_file import NotOnnxError, read_facts
from rtaudio.midi.learned_controls import MidiMap
from rtaudio.midi.message import MidiParser
from rtaudio.midi.midi_file import read_midi
from rtaudio.plugins.rack import pack_state, unpack_state
from rtaudio.plugins.scan import VERSION, known_plugins
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import OPERATIONS, Command, from_dict, to_dict
from rtaudio.protocol.parameters import EFFECTS, Parameter
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import EngineConfig, InsertState, MixerState, StemState
from tests.fuzz.mutate import ODD, Choices, damaged, mutated
from training.separation.recipe import read_recipe

ROOT = Path(__file__).resolve().parents[2]
MOST_FRAMES = 1 << 21
"""A head may claim any length; so much of it is read."""

Target = Callable[[bytes], None]


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of its own; afterwards nothing half written may lie in it."""
    with tempfile.TemporaryDirectory(
        prefix="stemplay-fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None
    ) as name:
        yield Path(name)


def sentence(error: Exception) -> None:
    """A refusal is one line that ends like a sentence, and not too long to be read."""
    text = str(error)
    assert text and "\n" not in text.strip() and text.rstrip()[-1] in ".?!)'", repr(text)
    assert "Traceback" not in text


@functools.cache
def _card() -> Any:
    return json.loads((find_model("demucs-open") / "card.json").read_text())


def cards(data: bytes) -> None:
    """``card.json``."""
    choices = Choices(data)
    with folder() as place:
        if choices.below(4):
            text = json.dumps(mutated(_card(), choices), ensure_ascii=bool(choices.below(2))).encode(
                "utf-8", "surrogatepass"
            )
        else:
            text = damaged(json.dumps(_card()).encode(), choices)
        (place / "card.json").write_bytes(text)
        try:
            card = read_card(place)
        except CardError as error:
            sentence(error)
            return
        assert all(name_problem(name) is None for name in card.outputs)
        assert all(math.isfinite(share) and 0 <= share <= 1 for share in (*card.shares, *card.refining))
        assert card_from_dict(json.loads(json.dumps(to_dict(card))), "again") is not None


@functools.cache
def _onnx() -> bytes:
    from onnx import TensorProto, helper

    node = helper.make_node("Add", ["mix", "weight"], ["stems"], domain="")
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [2], [1.0, 2.0])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [64, 2]) for name in ("mix", "stems")]
    graph = helper.make_graph([node], "graph", ends[:1], ends[1:], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.example", 1)])
    outside = model.graph.initializer.add()
    outside.CopyFrom(weight)
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../weights.bin")
    found: bytes = model.SerializeToString()
    return found


def onnx_heads(data: bytes) -> None:
    """What an ONNX file says of itself."""
    with contextlib.suppress(NotOnnxError):
        facts = read_facts(damaged(_onnx(), Choices(data)))
        assert all(isinstance(version, int) for version in facts.opsets.values())


@functools.cache
def _midi() -> bytes:
    return (ROOT / "demo" / "chords.mid").read_bytes()


def midi_files(data: bytes) -> None:
    """Standard MIDI files, and those in RIFF or with MacBinary heads."""
    choices = Choices(data)
    whole = _midi()
    wrapped = (
        whole,
        b"RIFF" + (len(whole) + 12).to_bytes(4, "little") + b"RMIDdata" + len(whole).to_bytes(4, "little") + whole,
    )
    with folder() as place:
        path = place / "song.mid"
        path.write_bytes(damaged(choices.pick(wrapped), choices))
        try:
            events = read_midi(path)
        except StemplayError as error:
            sentence(error)
            return
        times = [event.time for event in events]
        assert all(math.isfinite(time) and time >= 0 for time in times) and times == sorted(times)
        assert all(0 <= event.channel < 16 for event in events)


def midi_bytes(data: bytes) -> None:
    """Whatever a MIDI input sends, in any portions, and what was learned from it."""
    choices, parser, learned = Choices(data), MidiParser(), MidiMap()
    learned.learn(choices.pick(("mixer.dry", "transport.play", "stem.drums.mute")))
    left = choices.rest()
    while left:
        count = 1 + choices.below(7)
        for message in parser.feed(left[:count], 0.0):
            assert 0 <= message.channel < 16 and 0 <= message.b < 128
            assert -8192 <= message.a < 8192
            moved = learned.take(message)
            assert moved is None or 0.0 <= moved[1] <= 1.0
            if message.kind != "bend":
                assert MidiParser().feed(message.bytes(), 0.0) == [message]
        left = left[count:]
    assert MidiMap(learned.entries()).entries() == learned.entries()


@functools.cache
def _sounds() -> tuple[tuple[str, bytes], ...]:
    sound = (0.1 * np.random.default_rng(0).standard_normal((3000, 2))).astype(np.float32)
    found = []
    for kind, subtype in (
        ("WAV", "FLOAT"),
        ("WAV", "PCM_16"),
        ("FLAC", "PCM_24"),
        ("OGG", "VORBIS"),
        ("AIFF", "PCM_16"),
        ("MP3", None),
        ("RF64", "PCM_24"),
    ):
        made = io.BytesIO()
        soundfile.write(made, sound, 44_100, format=kind, subtype=subtype)
        found.append((kind.lower(), made.getvalue()))
    return tuple(found)


@functools.cache
def _stem_file() -> bytes:
    with folder() as place:
        with StemWriter(place / "song.stem.mp4", 44_100, "aac", {}, Tags(title="A song", cover=b"\xff\xd8\xff" + bytes(50))) as out:
            out.write((0.1 * np.random.default_rng(0).standard_normal((3000, 8))).astype(np.float32))
        return (place / "song.stem.mp4").read_bytes()


def stem_files(data: bytes) -> None:
    """Stem files: their index, the atom of names and colours, tags and sound."""
    choices, whole = Choices(data), _stem_file()
    index = whole.rindex(b"moov") - 4
    start = index if choices.below(2) else 0  # often only the index, in which everything is that is believed
    whole = whole[:start] + damaged(whole[start:], choices)
    with folder() as place:
        path = place / "song.stem.mp4"
        path.write_bytes(whole)
        tags = read_tags(path)
        assert "\n" not in tags.title and len(tags.cover) <= len(whole)
        for label in read_labels(path):
            assert label.name.isprintable() and (not label.colour or len(label.colour) == 7)
        try:
            with open_stems(path) as reader:
                frames = 0
                for block in reader.blocks():
                    assert np.isfinite(block).all() and block.dtype == np.float32 and block.shape[1] == 8
                    frames += len(block)
                    if frames > MOST_FRAMES:
                        break
                assert set(reader.labels) <= set(SOURCES)
                for warning in reader.warnings:
                    assert warning.endswith(".") and "\n" not in warning
        except StemplayError as error:
            sentence(error)


def sound_heads(data: bytes) -> None:
    """Sound files of seven kinds."""
    choices = Choices(data)
    ending, whole = choices.pick(_sounds())
    with folder() as place:
        path = place / f"sound.{ending}"
        path.write_bytes(damaged(whole, choices))
        try:
            with open_reader(path) as reader:
                assert 1 <= reader.channels <= 64 and reader.rate > 0
                frames = 0
                for block in reader.blocks():
                    assert np.isfinite(block).all() and block.dtype == np.float32 and block.shape[1] == reader.channels
                    frames += len(block)
                    if frames > MOST_FRAMES:
                        break
                for warning in reader.warnings:
                    assert warning.endswith(".") and "\n" not in warning
        except StemplayError as error:
            sentence(error)


def _saved(kind: str) -> Any:
    with folder() as place:
        store = Store(place)
        if kind == "session":
            from gui.store import SavedSession

            store.save_session(SavedSession())
            return json.loads((place / "session.json").read_text())
        store.save_preset("x", Preset())
        return json.loads((place / "presets" / "x.json").read_text())


def _damaged_json(whole: Any, choices: Choices) -> bytes:
    if choices.below(4):
        return json.dumps(mutated(whole, choices)).encode()
    return damaged(json.dumps(whole).encode(), choices)


def sessions(data: bytes) -> None:
    """What the window kept: ``session.json`` and ``preferences.json``."""
    with folder() as place:
        (place / "session.json").write_bytes(_damaged_json(_kept("session"), Choices(data)))
        store = Store(place)
        session = store.load_session()
        for notice in store.notices:
            assert notice.endswith(".") and "\n" not in notice
        if session is None:
            assert (place / "session.json.bad").exists() or (place / "session.json.newer").exists()
            return
        try:
            DesiredState(session.config, session.mixer, instrument=session.instrument)
        except StemplayError as error:
            sentence(error)


@functools.cache
def _kept(kind: str) -> Any:
    return _saved(kind)


def presets(data: bytes) -> None:
    """A preset that somebody sent."""
    with folder() as place:
        (place / "presets").mkdir()
        (place / "presets" / "x.json").write_bytes(_damaged_json(_kept("preset"), Choices(data)))
        store = Store(place)
        try:
            preset = store.load_preset("x")
        except StemplayError as error:
            sentence(error)
            return
        store.save_preset("y", preset)
        assert sorted(path.name for path in (place / "presets").iterdir()) == ["x.json", "y.json"]


EXAMPLES: dict[str, Any] = {
    "stem": "drums", "field": "gain_db", "value": -6.0, "position_s": 3.0, "start_s": 1.0, "end_s": 2.0, "directory": "/tmp/takes",
    "format": "wav", "ms": 5.0, "data": [0x90, 60, 100], "channel": 0, "shares": {"violin": 1.0},
    "entries": [{"channel": 0, "control": 7, "target": "mixer.dry"}], "target": "transport.play", "config": to_dict(EngineConfig()),
    "strip": "vocals", "key": "reverb-1", "bypass": True, "parameter": "room", "bpm": 97.0, "speed": 0.75,
    "semitones": -3.0, "beats": [0.5, 1.0, 1.5], "numbers": [1, 2, 3],
    "inserts": [
        {"plugin": "reverb", "values": {"room": 0.5}}, {"plugin": "/x/Some.vst3", "key": "some", "bypass": True, "state": "eJwDAAAAAAE="},
        {"plugin": "lv2:urn:x", "values": {"gain": 2.0}},
    ],
}  # fmt: skip


@functools.cache
def _wanted() -> DesiredState:
    strips = {"vocals": StemState(inserts=[InsertState("reverb", values={"room": 0.3})])}
    return DesiredState(EngineConfig(input="none", output="null", instrument="sing-gm"), MixerState(strips, inserts=[InsertState("eq")]))


def plugin_scans(data: bytes) -> None:
    """What the last scan for plugins kept, and the saved states of plugins."""
    choices = Choices(data)
    entry = {
        "plugin": "/x/A.vst3", "name": "A", "maker": "B", "category": "C", "kind": "VST3", "editor": True, "instrument": False,
        "latency": 3, "error": "", "parameters": [EFFECTS["eq"].parameters[0].to_json(), EFFECTS["pitch"].parameters[0].to_json()],
    }  # fmt: skip
    kept = {"version": VERSION, "plugins": {"/x/A.vst3": {"stamp": "1", "entries": [entry]}}}
    with folder() as place:
        (place / "plugins.json").write_bytes(_damaged_json(kept, choices))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STEMPLAY_CACHE_DIR", str(place))
            for found in known_plugins():
                for parameter in (Parameter.from_json(values) for values in found["parameters"]):
                    assert parameter.low <= parameter.value(0.5) <= parameter.high
                    assert parameter.text(parameter.low)
    with contextlib.suppress(StemplayError):
        packed = damaged(pack_state(b"a state of some kind").encode(), choices) if choices.below(2) else choices.rest()
        unpack_state(InsertState("x", state=packed.decode("latin-1")))


def messages(data: bytes) -> None:
    """What comes through the socket: frames, commands and desired states. A refused command changes nothing."""
    choices = Choices(data)
    wanted = copy.deepcopy(_wanted())
    op = choices.pick(sorted(OPERATIONS))
    args = mutated({name: EXAMPLES[name] for name in OPERATIONS[op]} or {"x": 1}, choices)
    before = wanted.to_json()
    try:
        wanted.apply(Command(op, args))
    except StemplayError as error:
        sentence(error)
        assert wanted.to_json() == before, f"{op} was refused and obeyed"
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):  # the daemon reports it as invalid
        assert wanted.to_json() == before, f"{op} was not understood and obeyed"
    else:
        text = (
            json.dumps(wanted.to_json(), allow_nan=False)
            if op != "set_mixer" and op != "set_stem"
            else json.dumps(wanted.to_json())
        )
        DesiredState.from_json(json.loads(text))
    frame = io.BytesIO()
    write_message(frame, {"op": op, "args": before})
    with contextlib.suppress(ValueError):
        read_message(io.BytesIO(damaged(frame.getvalue(), choices)))
    with contextlib.suppress(ValueError, RecursionError):
        decode(choices.rest())
    with contextlib.suppress(StemplayError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError):  # as the daemon does
        DesiredState.from_json(mutated(before, choices))
    with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
        from_dict(Snapshot, mutated(to_dict(Snapshot()), choices))


def mappings(data: bytes) -> None:
    """Learnt controllers out of a file: what is taken is right, and what is not leaves everything as it was."""
    choices = Choices(data)
    entries = [
        {"channel": 0, "control": 7, "target": "mixer.dry"}, {"channel": 9, "note": 36, "target": "stem.drums.mute"},
        {"channel": 3, "control": 20, "target": "instrument.attack_ms"},
    ]  # fmt: skip
    wanted = copy.deepcopy(_wanted())
    try:
        wanted.apply(Command("set_midi_map", {"entries": mutated(entries, choices)}))
    except StemplayError as error:
        sentence(error)
        assert wanted.instrument.midi_map == []
    read = mutated(entries, choices)
    MidiMap(read if isinstance(read, list) else [])


@functools.cache
def _recipe() -> str:
    return (ROOT / "training" / "recipes" / "demucs-live.toml").read_text()


def recipes(data: bytes) -> None:
    """A recipe of a training run."""
    choices = Choices(data)
    lines = _recipe().splitlines()
    for _ in range(1 + choices.below(4)):
        at = choices.below(len(lines))
        key, sign, _ = lines[at].partition("=")
        if not sign or choices.below(4) == 0:
            lines[at] = damaged(lines[at].encode(), choices).decode("utf-8", "replace")
        else:
            odd = choices.pick(ODD)
            written = json.dumps(odd) if not isinstance(odd, float) or math.isfinite(odd) else repr(odd)
            lines[at] = f"{key}= {written}"
    with folder() as place:
        path = place / "fuzz.toml"
        path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
        try:
            read_recipe(str(path))
        except StemplayError as error:
            assert str(error)
        with contextlib.suppress(tomllib.TOMLDecodeError, ValueError):
            tomllib.loads(path.read_text())


def sheets(data: bytes) -> None:
    """A sheet of a listening test."""
    sheet = {
        "format": 1, "kind": "mos", "test": "t", "participant": "p1", "instructions": "listen",
        "questions": [{"name": "q", "text": "How?", "scale": {"1": "bad", "5": "good"}}],
        "trials": [{"id": "1", "sounds": {"sound": "sounds/a.wav"}}],
    }  # fmt: skip
    with folder() as place:
        (place / "sheets").mkdir()
        path = place / "sheets" / "p1.json"
        path.write_bytes(_damaged_json(sheet, Choices(data)))
        try:
            read_sheet(path)
        except StemplayError as error:
            sentence(error)


def notes(data: bytes) -> None:
    """Notes of takes that were cut off: only unfinished recordings are ever touched."""
    choices = Choices(data)
    with folder() as place:
        os.environ["STEMPLAY_STATE_DIR"] = str(place / "state")
        (place / "state").mkdir()
        takes = place / "takes"
        takes.mkdir()
        (takes / "precious.wav").write_bytes(b"RIFFprecious")
        sound = damaged(_sounds()[0][1], choices)
        (takes / "mix.wav.part").write_bytes(sound)
        note = {"pid": 1, "parts": [str(takes / "mix.wav.part")]}
        (place / "state" / "take-1.json").write_bytes(_damaged_json(note, choices))
        for found in finish_cut_off():
            assert found.sentence.endswith(".")
        assert (takes / "precious.wav").read_bytes() == b"RIFFprecious"
        names = {path.name for path in takes.iterdir()} - {"precious.wav"}
        assert len(names) == 1 or not sound, "what has sound is kept"
        assert not any(name.endswith(".tmp") for name in names), names
        shutil.rmtree(takes)


@functools.cache
def _osc_packets() -> list[bytes]:
    one = make_message("/insert/vocals/reverb-1/mix", 30.0)
    messages = [one, make_message("/stem/*/mute", True), make_message("/subscribe", 9001), make_message("/transport/position", 1.5, "x")]
    bundle = b"#bundle\0" + bytes(7) + b"\1" + b"".join(len(m).to_bytes(4, "big") + m for m in messages)
    return [*messages, bundle]


def osc_packets(data: bytes) -> None:
    """Datagrams of OSC: each is carried out by the engine's own checks, or refused in a sentence and counted."""
    choices = Choices(data)
    mixer = MixerState({"vocals": StemState(inserts=[InsertState("reverb", "reverb-1"), InsertState("lv2:urn:x", "lv2:urn:x-1")])})
    desired = DesiredState(EngineConfig(model="demucs-open"), mixer)
    report = Snapshot(mixer=desired.mixer)
    try:
        for address, arguments in read_packet(damaged(choices.pick(_osc_packets()), choices)):
            for cmd in OscControls().commands(address, arguments, report):
                desired.apply(cmd)
    except StemplayError as error:
        sentence(error)
    for address, value in OscControls().values(report).items():
        assert read_packet(make_message(address, value))[0][0] == address


TARGETS: dict[str, Target] = {
    function.__name__: function
    for function in (
        plugin_scans, cards, onnx_heads, midi_files, midi_bytes, sound_heads, stem_files, sessions, presets, messages, mappings, recipes,
        sheets, notes, osc_packets,
    )
}  # fmt: skip

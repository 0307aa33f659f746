"""MIDI without ports: bytes to messages, learned controllers, the computer's keyboard, names of ports."""

from __future__ import annotations

import random
import subprocess
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtaudio.audio.format import StemplayError
from rtaudio.midi import child as child_module
from rtaudio.midi import ports as ports_module
from rtaudio.midi.held_notes import HeldNotes
from rtaudio.midi.input import MidiInput
from rtaudio.midi.keyboard import TERMINAL_NOTE_S, ComputerKeyboard, TerminalKeys
from rtaudio.midi.learned_controls import MidiMap
from rtaudio.midi.message import KINDS, MidiMessage, MidiParser
from rtaudio.midi.ports import OpenPorts, end_notes, find_input, list_inputs, stable_name

seven = st.integers(0, 127)


def messages() -> st.SearchStrategy[MidiMessage]:
    def make(kind: str, channel: int, a: int, b: int, wheel: int) -> MidiMessage:
        if kind == "bend":
            return MidiMessage(kind, channel, wheel)
        return MidiMessage(kind, channel, a, 0 if kind in ("program", "touch") else b)

    return st.builds(
        make, st.sampled_from(sorted(KINDS.values())), st.integers(0, 15), seven, seven, st.integers(-8192, 8191)
    )


@given(st.lists(messages(), max_size=20), st.randoms())
def test_what_is_written_is_read_again_in_any_portions(sent: list[MidiMessage], rng: random.Random) -> None:
    data = [byte for message in sent for byte in message.bytes()]
    parser, found = MidiParser(), []
    while data:
        cut = rng.randint(1, 5)
        found += parser.feed(data[:cut])
        data = data[cut:]
    assert found == sent


@given(st.lists(messages(), max_size=20), st.randoms())
def test_running_status_and_real_time_bytes_change_nothing(sent: list[MidiMessage], rng: random.Random) -> None:
    data: list[int] = []
    status = 0
    for message in sent:
        wire = message.bytes()
        for byte in wire[1:] if wire[0] == status else wire:
            if rng.random() < 0.3:
                data.append(rng.choice([0xF8, 0xFA, 0xFC, 0xFE, 0xFF]))
            data.append(byte)
        status = wire[0]
    assert MidiParser().feed(data) == sent


@given(st.binary(max_size=300))
def test_any_bytes_are_survived_and_the_next_message_is_understood(noise: bytes) -> None:
    parser = MidiParser()
    for message in parser.feed(noise):
        assert 0 <= message.channel < 16 and 0 <= message.b < 128
    assert parser.feed([0x93, 60, 100]) == [MidiMessage("note_on", 3, 60, 100)]


def test_system_exclusive_is_passed_over_and_ends_the_running_status() -> None:
    parser = MidiParser()
    data = [0x90, 60, 100, 0xF0, 1, 2, 3, 0xF8, 4, 0xF7, 61, 100, 0x90, 62, 100]
    assert [message.a for message in parser.feed(data, 1.5)] == [60, 62]
    assert parser.feed([63, 1], 2.5) == [MidiMessage("note_on", 0, 63, 1, 2.5)]


def test_a_learned_controller_moves_its_target_until_it_is_forgotten() -> None:
    kept = MidiMap()
    turn = MidiMessage("control", 2, 74, 127)
    assert kept.take(turn) is None
    kept.learn("mixer.dry")
    assert kept.take(MidiMessage("note_on", 2, 74, 127)) is None
    assert kept.take(MidiMessage("control", 2, 123, 0)) is None  # all notes off is never learned
    assert kept.learning == "mixer.dry"
    assert kept.take(turn) == ("mixer.dry", 1.0) and kept.learning == ""
    again = MidiMap([*kept.entries(), {"channel": "x"}])  # as a session keeps it, with something of another version
    assert again.take(MidiMessage("control", 2, 74, 0)) == ("mixer.dry", 0.0)
    assert again.take(MidiMessage("control", 3, 74, 0)) is None
    again.learn("stem.drums.pan")
    again.take(turn)  # the same knob: it is the new target's alone
    assert again.entries() == [{"channel": 2, "control": 74, "target": "stem.drums.pan"}]
    again.forget("mixer.dry")
    assert again.entries()
    again.forget("")
    assert not again.entries()


def test_what_is_held_is_known_and_ended() -> None:
    held = HeldNotes()
    for data in (
        [0x90, 60, 90],
        [0x93, 61, 90],
        [0x90, 62, 90],
        [0x90, 62, 0],
        [0xB3, 64, 127],
        [0xB0, 64, 127],
        [0xB0, 64, 0],
    ):
        held.follow(data)
    assert held.endings() == [[0xB3, 64, 0], [0x80, 60, 0], [0x83, 61, 0]]
    assert held.endings() == []
    for data in (
        [0xE1, 0, 0],
        [0xE2, 0, 0],
        [0xE2, 0, 64],
        [0xB4, 1, 9],
        [0xB5, 66, 127],
        [0x95, 60, 90],
        [0xB5, 123, 0],
    ):
        held.follow(data)
    assert held.endings() == [[0xB5, 66, 0], [0xB1, 121, 0], [0xB4, 121, 0]]


def test_a_keyboard_that_is_gone_ends_its_own_notes_and_no_other_keyboards(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [("API", "left"), ("API", "right")]
    monkeypatch.setattr(ports_module.PortList, "names", lambda self: list(there))
    monkeypatch.setattr(ports_module.Opened, "_open_calling", lambda self, api, port, virtual: None)
    heard: list[list[int]] = []
    ports = OpenPorts("default", lambda message: heard.append(message.bytes()), apis=())
    ports.look()
    left, right = (ports._open[name] for name in there)
    for port, pitch in ((left, 40), (right, 70)):
        port._take([0x90, pitch, 90])
        port._take([0xB0 if port is left else 0xB1, 64, 127])
    heard.clear()
    del there[0]
    ports.look()
    assert heard == [[0xB0, 64, 0], [0x80, 40, 0]] and ports.names == ["right"]


def test_keys_play_where_they_were_pressed_even_after_an_octave_change() -> None:
    keys = ComputerKeyboard()
    assert keys.press("a") == [[0x90, 60, 90]] and keys.press("A") == []
    keys.press("x")
    assert keys.press("w") == [[0x90, 73, 90]]
    assert keys.release("a") == [[0x80, 60, 0]] and keys.release("a") == []
    assert keys.press("1") == [] and keys.press("") == []
    assert keys.press(" ") == [[0xB0, 64, 127]] and keys.press(" ") == [[0xB0, 64, 0]]
    assert keys.release_all() == [[0x80, 73, 0]]
    for _ in range(20):
        keys.press("v")
        keys.press("x")
    assert keys.press("'")[0][1:] == [113, 127]


def test_a_terminal_ends_notes_itself() -> None:
    sent: list[list[int]] = []
    keys = TerminalKeys(sent.append)
    keys.typed("a", 10.0)
    keys.typed("a", 10.5)  # held: the terminal repeats the key
    keys.tick(10.0 + TERMINAL_NOTE_S + 0.1)
    assert sent == [[0x90, 60, 90]]
    keys.tick(10.5 + TERMINAL_NOTE_S)
    assert sent[1:] == [[0x80, 60, 0]]


def test_a_port_is_found_by_its_name_or_a_part_of_it() -> None:
    names = ["Keystation 49:Keystation 49 MIDI 1 20:0", "nanoKONTROL:nanoKONTROL MIDI 1 24:0"]
    assert find_input("keystation", names) == names[0]
    assert find_input("nanoKONTROL:nanoKONTROL MIDI 1 32:0", names) == names[1]  # plugged in elsewhere
    with pytest.raises(StemplayError, match="several MIDI inputs"):
        find_input("midi", names)
    with pytest.raises(StemplayError, match="no MIDI input 'organ'; there are none here"):
        find_input("organ", [])
    assert stable_name("Piano 2") == "Piano" and stable_name("a:b 128:0") == "a:b"


def test_what_ends_notes_reaches_every_channel() -> None:
    ends = end_notes()
    assert {message.channel for message in ends} == set(range(16))
    assert {(message.a, message.b) for message in ends} == {(64, 0), (66, 0), (123, 0), (121, 0)}


def test_without_midi_the_input_says_so_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMPLAY_MIDI_BACKEND", "none")
    heard: list[MidiMessage] = []
    for choice, words in (("default", "no MIDI input"), ("Keystation", "'Keystation' is missing"), ("none", "")):
        port = MidiInput(choice, heard.append)
        port.start()
        deadline = time.monotonic() + 60
        while words not in port.message:
            assert time.monotonic() < deadline, port.message
            time.sleep(0.02)
        port.stop()
    assert not heard and list_inputs() == []


def test_a_midi_process_that_dies_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMPLAY_MIDI_BACKEND", "none")
    monkeypatch.setattr(child_module, "PAUSE_S", 0.01)
    port = MidiInput("default", lambda message: None)
    port.start()
    try:
        for _ in range(2):
            deadline = time.monotonic() + 60
            while not port._looked.is_set():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            child = port._child
            assert child is not None
            port._looked.clear()
            child.kill()
            child.wait()
        while not port._looked.is_set():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert port._child is not child
    finally:
        port.stop()


def test_a_midi_process_that_cannot_be_started_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMPLAY_MIDI_BACKEND", "none")
    monkeypatch.setattr(child_module, "PAUSE_S", 0.01)
    real, refusals = subprocess.Popen, [OSError(12, "Cannot allocate memory")] * 3

    def popen(*arguments: Any, **options: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return real(*arguments, **options)

    monkeypatch.setattr(child_module.subprocess, "Popen", popen)
    port = MidiInput("default", lambda message: None)
    told: set[str] = set()
    port.start()
    try:
        deadline = time.monotonic() + 60
        while not port._looked.is_set():
            told.add(port.message)
            assert time.monotonic() < deadline
            time.sleep(0.001)
    finally:
        port.stop()
    assert "MIDI input cannot be started: Cannot allocate memory." in told and not refusals

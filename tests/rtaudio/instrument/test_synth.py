"""The synthesiser on a tiny instrument: what is played is what sounds, and it always ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from rtaudio.instrument.model import InstrumentModel
from rtaudio.instrument.synth import Synth
from rtaudio.instrument.voice import LAST_CALL, LOOP_END, SEAM, Voice, find_loop
from tests.sing_fixture import tiny_instrument


@dataclass(frozen=True)
class Midi:
    kind: str
    a: int = 0
    b: int = 0
    channel: int = 0


def _likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation; a tiny random network gives much sound near the Nyquist frequency, which a shift rightly takes away."""
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> InstrumentModel:
    return InstrumentModel(tiny_instrument(tmp_path_factory.mktemp("tiny")))


def _on(note: int, velocity: int = 100, channel: int = 0) -> Midi:
    return Midi("note_on", note, velocity, channel)


def _off(note: int, channel: int = 0) -> Midi:
    return Midi("note_off", note, 0, channel)


def _level(audio: np.ndarray) -> float:
    return float(np.abs(audio).max(initial=0.0))


def test_first_samples_are_the_networks(model: InstrumentModel) -> None:
    synth = Synth(model, 16_000)
    audio = synth.render(2048, [(5, _on(60))])
    state = model.initial_state(1)
    weights = model.velocity_weights(100), model.instrument_weights({0: 1}), model.pitch_weights(60)
    blocks = []
    for time in range(model.PRIMING + 8):
        block, state = model.step(weights[0][None], weights[1][None], weights[2][None], np.array([time]), state)
        blocks.append(block[0])
    note = np.concatenate(blocks[model.PRIMING :])
    assert _level(audio[:5]) == 0
    ratio = audio[5:, 0] / note[:2043]
    assert np.ptp(ratio[np.abs(note[:2043]) > 1e-3]) < 1e-4


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 22_050])
def test_any_cutting_gives_the_same_sound(model: InstrumentModel, rate: int) -> None:
    def play(cuts: list[int]) -> np.ndarray:
        synth = Synth(model, rate)
        parts = [synth.render(300, [(7, _on(60)), (250, _on(90, 50))])]
        parts += [synth.render(count) for count in cuts]
        return np.concatenate(parts)

    whole = play([9000])
    assert _level(whole) > 0.005
    rng = np.random.default_rng(0)
    for cuts in ([256] * 35 + [40], [1] * 50 + [8950], sorted(rng.integers(1, 400, 20).tolist())):
        cuts = [*cuts, 9000 - sum(cuts)]
        assert np.abs(play(cuts) - whole).max() < 1e-5


def test_what_is_prepared_in_the_time_left_is_what_would_have_been_played(model: InstrumentModel) -> None:
    def play(prepared: bool) -> np.ndarray:
        synth, parts = Synth(model, 44_100), []
        for block in range(700):  # beyond the loop's beginning
            events = [(block % 100, _on(50 + block % 30))] if block % 40 == 0 and block < 200 else []
            parts.append(synth.render(256, events))
            if prepared:
                synth.prepare(256)
        return np.concatenate(parts)

    np.testing.assert_allclose(play(True), play(False), atol=1e-5)


def test_the_loops_of_a_chord_are_found_one_after_the_other_before_they_are_needed(
    model: InstrumentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[int] = []
    monkeypatch.setattr(
        Voice, "prepare_loop", lambda voice, old=Voice.prepare_loop: (found.append(part), old(voice))[1]
    )
    synth, part = Synth(model, 16_000), 0
    events = [(0, _on(48 + k)) for k in range(32)]
    for part in range(LOOP_END // 256 + 8):
        synth.render(256, events if part == 0 else ())
    assert len(found) == 32 and max(found.count(part) for part in found) <= 5, "a few in each part"
    assert found[-1] < LAST_CALL // 256, "and all in time"


def test_two_notes_are_the_sum_of_each(model: InstrumentModel) -> None:
    def play(notes: list[int]) -> np.ndarray:
        return Synth(model, 48_000).render(24_000, [(100, _on(note, 60 + note)) for note in notes])

    assert np.abs(play([50, 57]) - play([50]) - play([57])).max() < 1e-5


def test_keys_softer_than_the_softest_recording_are_quieter(model: InstrumentModel) -> None:
    levels = [_level(Synth(model, 16_000).render(4_000, [(0, _on(60, velocity))])) for velocity in (1, 5, 12, 25)]
    assert levels == sorted(levels) and levels[1] == pytest.approx(levels[3] / 5, rel=1e-3) and levels[0] > 0


def test_a_released_note_ends_and_a_held_one_goes_on(model: InstrumentModel) -> None:
    synth = Synth(model, 16_000)
    synth.render(16_000, [(0, _on(60))])
    for _ in range(9):
        assert _level(synth.render(16_000)) > 0.001
    synth.render(16_000, [(0, _off(60))])
    assert synth.active == 0
    assert _level(synth.render(1000)) == 0


def test_what_dies_away_ends_though_the_key_is_held(model: InstrumentModel) -> None:
    time = np.arange(LOOP_END)
    note = (np.sin(2 * np.pi * 220 / 16_000 * time) * np.exp(-time / 16_000)).astype(np.float32)
    loop = find_loop(note, sustains=False)
    assert loop.decay == pytest.approx(1 / 16_000, rel=0.05)
    onward = loop.read(0, 16_000)
    assert _level(onward[-2000:]) == pytest.approx(np.exp(-(LOOP_END + 15_000) / 16_000), rel=0.15)


def test_a_loop_has_neither_click_nor_beat() -> None:
    time = np.arange(LOOP_END)
    note = sum(np.sin(2 * np.pi * 221.7 * k / 16_000 * time) / k for k in (1, 2, 3)).astype(np.float32)
    loop = find_loop(note, sustains=True)
    onward = np.concatenate([note[-SEAM:], loop.read(0, 3 * len(loop.body))])
    steps = np.abs(np.diff(onward))
    assert steps.max() < 1.05 * np.abs(np.diff(note)).max()
    levels = np.sqrt(np.mean(onward[: len(onward) // 800 * 800].reshape(-1, 800) ** 2, axis=1))
    assert levels.std() / levels.mean() < 0.05


def _modulation(loop: np.ndarray, cycles: float) -> float:
    """Depth of the amplitude's change, ``cycles`` times a loop."""
    power = np.convolve(np.tile(loop, 3) ** 2, np.ones(400) / 400, "same")[len(loop) : 2 * len(loop)]
    level = np.sqrt(power)
    turn = np.exp(-2j * np.pi * cycles * np.arange(len(loop)) / len(loop))
    return float(2 * np.abs(np.mean(level * turn)) / level.mean())


@pytest.mark.parametrize("swells", [0.6, 1.3])
def test_a_slow_swell_does_not_come_back_with_every_loop_and_a_tremolo_stays(swells: float) -> None:
    time = np.arange(LOOP_END) / 16_000
    tone = np.sin(2 * np.pi * 221.7 * time) + 0.4 * np.sin(2 * np.pi * 443.4 * time + 1)
    note = 0.3 * tone * (1 + 0.2 * np.sin(2 * np.pi * swells * time)) * (1 + 0.1 * np.sin(2 * np.pi * 6 * time))
    body = find_loop(note.astype(np.float32), sustains=True).body
    assert max(_modulation(body, k) for k in (1, 2)) < 0.03
    tremolo = 6 * len(body) / 16_000
    assert max(_modulation(body, round(tremolo) + k) for k in (-1, 0, 1)) > 0.05
    loop = find_loop(note.astype(np.float32), sustains=True)
    both = np.concatenate([note[: LOOP_END - SEAM], loop.entry, loop.read(0, 3 * len(body))])
    assert np.abs(np.diff(both, 2)).max() < 1.1 * np.abs(np.diff(note, 2)).max(), "no step where the loop begins"


def test_sustain_and_sostenuto_pedals(model: InstrumentModel) -> None:
    synth = Synth(model, 16_000)
    synth.render(100, [(0, _on(60)), (10, Midi("control", 64, 127)), (20, _off(60)), (30, _on(62))])
    assert synth.pending == 2
    synth.render(100, [(0, Midi("control", 64, 0))])
    assert synth.pending == 1
    synth.render(100, [(0, Midi("control", 66, 127)), (10, _on(64)), (20, _off(62)), (30, _off(64))])
    assert synth.pending == 1
    synth.render(100, [(0, Midi("control", 66, 0))])
    assert synth.pending == 0


def test_bend_is_heard_in_its_range(model: InstrumentModel) -> None:
    synth = Synth(model, 16_000)
    channel = synth.channels[0]
    for number, value in ((101, 0), (100, 0), (6, 12)):
        synth.handle(Midi("control", number, value))
    synth.handle(Midi("bend", -8192))
    assert channel.bend == -12
    synth.handle(_on(72))
    low = synth.render(6000)[3000:, 0]
    plain = Synth(model, 16_000).render(3000, [(0, _on(72))])[1500:, 0]
    assert _likeness(low[0::2][:1400], plain[:1400]) > 0.97


def test_stealing_takes_released_notes_first(model: InstrumentModel) -> None:
    synth = Synth(model, 16_000, voices=8)
    synth.render(400, [(0, _on(40 + k)) for k in range(8)])
    synth.render(100, [(0, _off(45))])
    synth.render(400, [(0, _on(70))])
    assert synth.stolen == 1
    held = {voice.note for voice in synth._voices if not voice.released}
    assert held == {40, 41, 42, 43, 44, 46, 47, 70}
    synth.render(400, [(0, _on(71)), (1, _on(72))])
    assert synth.pending == 8


def test_sounding_notes_follow_a_morph(model: InstrumentModel) -> None:
    plain, morphed = Synth(model, 16_000), Synth(model, 16_000)
    for synth in (plain, morphed):
        synth.render(1000, [(0, _on(60))])
    morphed.set_instrument(0, model.instrument_weights({"flute": 1}))
    difference = np.abs(plain.render(4000) - morphed.render(4000))
    assert _level(difference[1024:]) > 1e-4


def test_notes_outside_the_trained_pitches_are_the_nearest_one_shifted(model: InstrumentModel) -> None:
    low = Synth(model, 16_000).render(4000, [(0, _on(24))])
    nearest = Synth(model, 16_000).render(2000, [(0, _on(36))])
    assert _likeness(low[0::2, 0][100:1900], nearest[100:1900, 0]) > 0.97


def test_ten_thousand_random_events_leave_nothing_behind(model: InstrumentModel) -> None:
    rng = np.random.default_rng(7)
    synth = Synth(model, 48_000, programs={0: 0, 73: 2})
    for _ in range(250):  # 10,000 events
        events = []
        for offset in sorted(rng.integers(0, 64, 40).tolist()):
            kind = rng.choice(["note_on", "note_on", "note_off", "note_off", "control", "bend", "program", "pressure"])
            a = int(rng.integers(-8192, 8192)) if kind == "bend" else int(rng.integers(0, 128))
            if kind == "control":
                a = int(rng.choice([1, 7, 10, 11, 64, 66, 6, 38, 100, 101, 120, 121, 123]))
            events.append((offset, Midi(str(kind), a, int(rng.integers(0, 128)), int(rng.integers(0, 16)))))
        audio = synth.render(64, events)
        assert np.isfinite(audio).all()
        assert sum(voice.falling < 0.05 for voice in synth._voices) <= 32
    for channel in range(16):
        synth.handle(Midi("control", 64, 0, channel))
        synth.handle(Midi("control", 66, 0, channel))
        synth.handle(Midi("control", 123, 0, channel))
    synth.render(48_000)
    assert synth.active == 0
    assert _level(synth.render(4800)) < 1e-6
    synth.render(100, [(0, _on(60))])
    synth.panic()
    assert _level(synth.render(4800)) == 0


def test_a_note_in_its_loop_follows_a_changed_sound(model: InstrumentModel) -> None:
    """The organ has sounded for four seconds when its channel becomes a flute: after a while it sounds as a flute does."""
    synth = Synth(model, 16_000)
    synth.render(64_000, [(0, _on(60))])
    stays = Synth(model, 16_000)
    stays.render(64_000, [(0, _on(60))])
    synth.set_instrument(0, model.instrument_weights({"flute": 1}))
    audio = np.concatenate([synth.render(256) for _ in range(250)])[:, 0]
    unchanged = stays.render(250 * 256)[:, 0]
    crossing = np.flatnonzero(np.abs(audio - unchanged) > 1e-4)[0]
    assert 0 < crossing < 32_000  # not at once, but soon
    largest = np.abs(np.diff(unchanged)).max() + np.abs(np.diff(audio[-16_000:])).max()
    assert np.abs(np.diff(audio)).max() < largest  # no click on the way
    flute = Synth(model, 16_000)
    flute.set_instrument(0, model.instrument_weights({"flute": 1}))
    flute.render(112_000, [(0, _on(60))])
    assert np.abs(flute.render(16_000)[:, 0] - audio[-16_000:]).max() < 1e-4  # at the same place of the same loop


@pytest.mark.parametrize("struck", [8_000, 64_000])  # while the network still computes the note, and in its loop
def test_a_held_note_that_becomes_a_piano_dies_away(model: InstrumentModel, struck: int) -> None:
    def hold(*sounds: str) -> Synth:
        synth = Synth(model, 16_000)
        for k, sound in enumerate(sounds):
            synth.set_instrument(0, model.instrument_weights({sound: 1}))
            synth.render(struck, [(0, _on(60))] if k == 0 else ())
        return synth

    synth, stays = hold("organ", "piano"), hold("organ", "organ")
    for _ in range(16):
        synth.render(16_000)
        stays.render(16_000)
    (voice,) = synth._voices
    assert voice.loop is not None and voice.loop.decay > 0 and not voice.sustains
    assert _level(synth.render(8_000)) < 0.3 * _level(stays.render(8_000))
    (other,) = stays._voices
    assert other.loop is not None and other.loop.decay == 0

"""The shipped instrument, as a user hears it: in tune, with its faults measured, and as its card says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.catalog import load_card
from rtaudio.cli.main import main
from rtaudio.instrument.model import InstrumentModel
from rtaudio.instrument.synth import Synth
from rtaudio.instrument.voice import LOOP_END
from rtaudio.midi.message import MidiMessage
from rtaudio.midi.midi_file import read_midi
from training.sing import note_metrics as metrics

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def model() -> InstrumentModel:
    return InstrumentModel("sing-gm")


def play(model: InstrumentModel, name: str, pitch: int, seconds: float, velocity: int = 100) -> np.ndarray:
    """The left channel at the model's rate."""
    synth = Synth(model, 16_000)
    synth.set_instrument(0, model.instrument_weights({name: 1}))
    synth.handle(MidiMessage("note_on", 0, pitch, velocity, 0.0))
    return synth.render(int(16_000 * seconds))[:, 0]


def test_the_card_says_what_was_measured() -> None:
    card = load_card("sing-gm")
    assert card.kind == "instrument" and card.licence.startswith("MIT") and len(card.outputs) >= 16
    quality = card.quality
    assert quality["f0_median_cents"] <= 10
    assert quality["spectral"] <= 1.5 * quality["autoencoder_spectral"]
    assert {
        "restarts_per_note",
        "restarts_per_note_recorded",
        "tonal_artefact_db",
        "tonal_artefact_db_recorded",
    } <= set(quality)
    assert sorted(card.training["programs"]) == list(card.training["programs"])


def pitch_errors(model: InstrumentModel, names: Iterable[str]) -> dict[str, float]:
    """Cents between the middle C that is asked and the one that sounds."""
    errors = {}
    for name in names:
        f0 = metrics.fundamental(play(model, name, 60, 2.5), metrics.hertz(60))
        errors[name] = abs(metrics.cents(f0, metrics.hertz(60)))
    return errors


def check_pitches(errors: dict[str, float]) -> None:
    # Choirs and ensembles waver, drums and bars have partials that are no harmonics: one number for their pitch says little.
    assert np.mean([error < 50 for error in errors.values()]) > 0.85, errors
    assert np.median(list(errors.values())) < 15, errors


def test_instruments_keep_the_pitch_that_is_asked(model: InstrumentModel) -> None:
    """Swapping the instrument alone leaves the pitch (SING-31): a quarter of them."""
    check_pitches(pitch_errors(model, model.instruments[::4]))


@pytest.mark.slow
def test_every_instrument_keeps_the_pitch_that_is_asked(model: InstrumentModel) -> None:
    check_pitches(pitch_errors(model, model.instruments))


VELOCITIES = (25, 30, 38, 50, 62, 75, 88, 100, 114, 127)
"""Those that were trained, and some between: what is interpolated must not cross louder or softer sounds."""


def wrongly_loud(model: InstrumentModel, numbers: range, velocities: Sequence[int]) -> list[tuple[str, np.ndarray]]:
    """Instruments that are too soft, too loud, or not louder where the key is struck harder, with their levels."""
    wrong = []
    for number in numbers:
        name, (low, high) = model.instruments[number], model.ranges[number]
        levels = []
        for velocity in velocities:
            note = play(model, name, min(max(60, low), high), 0.4, velocity)
            levels.append(20 * np.log10(np.sqrt(np.mean(note**2)) + 1e-9))
        steps = np.diff(levels)
        if not (levels[0] > -75 and -60 < levels[-1] < 0 and steps.min() > -1.5 and steps.sum() > 6):
            wrong.append((name, np.round(levels, 1)))
    return wrong


def test_louder_keys_sound_louder_and_every_instrument_sounds(model: InstrumentModel) -> None:
    """All instruments at both ends, some of them between."""
    every = range(len(model.instruments))
    assert not wrongly_loud(model, every, (VELOCITIES[0], VELOCITIES[-1]))
    assert not wrongly_loud(model, every[::10], VELOCITIES[1:-1])


@pytest.mark.slow
def test_every_instrument_is_louder_at_each_step_of_the_velocity(model: InstrumentModel) -> None:
    assert not wrongly_loud(model, range(len(model.instruments)), VELOCITIES)


def test_a_rendered_scale_is_the_scale(tmp_path: Path) -> None:
    out = tmp_path / "scale.wav"
    assert main(["render", str(ROOT / "demo" / "scale.mid"), "-o", str(out), "--rate", "16000"]) == 0
    wav = soundfile.read(out, always_2d=True)[0][:, 0]
    errors = []
    for event in read_midi(ROOT / "demo" / "scale.mid"):
        if event.kind == "note_on" and event.b:
            note = wav[int(16_000 * event.time) :]
            found = metrics.fundamental(note, metrics.hertz(event.a), start=0.2, stop=0.85)
            errors.append(abs(metrics.cents(found, metrics.hertz(event.a))))
    assert len(errors) == 15 and max(errors) < 50 and np.median(errors) < 15, errors


def test_a_held_note_goes_on_in_tune_and_a_struck_one_dies_away(model: InstrumentModel) -> None:
    held = play(model, "clarinet", 62, 7.0)
    early, late = held[16_000:32_000], held[90_000:106_000]
    assert 0.5 < np.sqrt(np.mean(late**2)) / np.sqrt(np.mean(early**2)) < 2
    assert abs(metrics.cents(metrics.fundamental(held[80_000:], metrics.hertz(62)), metrics.hertz(62))) < 50
    struck = play(model, "acoustic-grand-piano", 62, 7.0)
    assert np.sqrt(np.mean(struck[90_000:] ** 2)) < 0.2 * np.sqrt(np.mean(struck[:16_000] ** 2))


def test_loops_of_sustaining_instruments_neither_click_nor_beat(model: InstrumentModel) -> None:
    """Ten instruments held for eight seconds: no step at the seams, no swell at the loop's rate beyond what the note itself has."""
    names = [name for name, sustains in zip(model.instruments, model.sustains, strict=True) if sustains]
    clicks, swells = {}, {}
    for name in names[:: max(1, len(names) // 10)]:
        synth = Synth(model, 16_000)
        synth.set_instrument(0, model.instrument_weights({name: 1}))
        synth.handle(MidiMessage("note_on", 0, 60, 100, 0.0))
        wav = synth.render(8 * 16_000)[:, 0].astype(np.float64)
        (voice,) = synth._voices
        assert voice.loop is not None
        length = len(voice.loop.body)
        steps = np.abs(np.diff(wav, 2))
        seams = range(LOOP_END - 1_600, len(wav) - 1_700, length)
        clicks[name] = max(steps[seam : seam + 1_700].max() for seam in seams) / steps[16_000 : LOOP_END - 1_600].max()
        power = np.convolve(wav[LOOP_END:] ** 2, np.ones(800) / 800, "valid")[:length]
        level = np.sqrt(power)
        turn = np.exp(-2j * np.pi * np.arange(length) / length)
        swells[name] = 2 * np.abs(np.mean(level * turn)) / level.mean()
    assert max(clicks.values()) < 1.5, clicks
    assert max(swells.values()) < 0.08 and np.median(list(swells.values())) < 0.03, swells


def test_the_device_s_rate_adds_nothing_above_the_model_s_band(model: InstrumentModel) -> None:
    """At 44.1 and 48 kHz: images of what lies below 8 kHz would sound above it."""
    for rate in (44_100, 48_000):
        synth = Synth(model, rate)
        synth.set_instrument(0, model.instrument_weights({"trumpet": 1}))
        synth.handle(MidiMessage("note_on", 0, 60, 127, 0.0))
        wav = synth.render(2 * rate)[rate // 2 :, 0]
        power = np.abs(np.fft.rfft(wav * np.hanning(len(wav)))) ** 2
        above = int(8_100 * len(wav) / rate)
        assert 10 * np.log10(power[above:].sum() / power.sum()) < -80

"""SING against the thesis' numbers and its own streaming form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from models.excitation import harmonic_excitation
from models.sing import (
    NoteAutoencoder,
    NoteDecoder,
    NoteEncoder,
    SequenceGenerator,
    Sing,
    SingConfig,
    compression_factor,
    overlap_add,
    squared_hann,
)
from tests.sing_fixture import tiny_sing
from training.losses import NOTE_LOSSES, log_power, note_spectral_loss


def _count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_parameters_are_those_of_the_thesis() -> None:
    with torch.device("meta"):
        sing, encoder = Sing(SingConfig()), NoteEncoder(SingConfig())
    assert _count(sing) == 63_747_927
    assert round(_count(sing) * 4 / 2**20, 1) == 243.2
    assert _count(encoder) == 38_285_440
    assert _count(sing.sequence.lstm) == 21_118_976
    assert _count(sing.decoder) == 42_479_617


def test_lengths_go_there_and_back() -> None:
    config = SingConfig()
    assert config.frames(64_000) == 265 and config.samples() == 64_000 and config.priming == 13
    for seconds in range(1, 9):
        samples = seconds * 16_000 // 256 * 256
        assert config.samples(config.frames(samples)) == samples
    with pytest.raises(ValueError, match="whole number"):
        config.frames(1000)
    assert compression_factor() == 2133


def test_the_window_overlaps_to_one() -> None:
    window = squared_hann(1024, 256)
    raw = overlap_add(window.expand(1, 20, 1024), 256)[0]
    assert (raw[768:-768] - 1).abs().max() < 1e-6
    plain = torch.hann_window(1024, periodic=True).square()
    assert (window - 2 / 3 * plain).abs().max() < 1e-6
    assert (overlap_add(plain.expand(1, 20, 1024), 256)[0, 768:-768] - 1.5).abs().max() < 1e-6


def test_overlap_add_is_the_transposed_convolution() -> None:
    decoder = tiny_sing().decoder
    latents = torch.randn(2, 40, decoder.config.latent)
    with torch.no_grad():
        features = decoder.features(latents).transpose(1, 2)
        layer = decoder.synthesis
        expected = F.conv_transpose1d(features, layer.weight * decoder.window, layer.bias, stride=256)[:, 0, 1280:-1280]
        reference = torch.relu(decoder.conv(latents.transpose(1, 2)))
        reference = torch.relu(decoder.mix2(torch.relu(decoder.mix1(reference))))
        assert (features - reference).abs().max() < 1e-5
        assert (decoder(latents) - expected).abs().max() < 1e-6


def test_streamed_note_is_the_whole_note_and_sounds_after_fourteen_steps() -> None:
    sing = tiny_sing()
    symbols = torch.tensor([0, 3]), torch.tensor([1, 2]), torch.tensor([0, 48])
    velocity, instrument, pitch = (F.one_hot(index, n).float() for index, n in zip(symbols, (5, 4, 49), strict=True))
    with torch.no_grad():
        whole = sing(*symbols)
        state, blocks = sing.initial_state(2), []
        for step in range(265):
            audio, state = sing.step(velocity, instrument, pitch, torch.full((2,), step), state)
            blocks.append(audio)
    assert whole.shape == (2, 64_000)
    assert whole.std() > 0.01
    assert (torch.cat(blocks[13:], 1)[:, :64_000] - whole).abs().max() < 1e-5


def test_segments_of_the_sequence_are_the_whole_sequence() -> None:
    sequence = tiny_sing().sequence
    with torch.no_grad():
        symbols = sequence.embed(torch.tensor([1]), torch.tensor([2]), torch.tensor([3]))
        whole, _ = sequence(symbols)
        parts, state = [], None
        for start in range(0, 265, 32):
            part, state = sequence(symbols, state, start, min(start + 32, 265))
            parts.append(part)
    assert (torch.cat(parts, 1) - whole).abs().max() < 1e-6


def test_only_used_rows_learn_and_a_wrong_symbol_is_refused() -> None:
    sing = tiny_sing()
    sing(torch.tensor([1]), torch.tensor([2]), torch.tensor([5])).square().mean().backward()
    gradient = sing.sequence.instrument.weight.grad
    assert gradient is not None and (gradient.abs().sum(1) > 0).tolist() == [False, False, True, False]
    with pytest.raises(IndexError, match="instrument must be 0 to 3"):
        sing(torch.tensor([1]), torch.tensor([4]), torch.tensor([5]))


def test_without_time_embedding() -> None:
    config = SingConfig(instruments=2, pitches=3, hidden=8, channels=8, latent=4, time_dim=0)
    assert config.input_size == 26
    zero = torch.tensor([0])
    assert Sing(config)(zero, zero, zero).shape == (1, 64_000)


def test_log_power_is_numpys() -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, 64_000)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    frames = np.lib.stride_tricks.sliding_window_view(noise, 1024)[::256] * window
    expected = np.log(1 + np.abs(np.fft.rfft(frames)) ** 2).T
    found = log_power(torch.from_numpy(noise)[None])[0].numpy()
    assert found.shape == (513, 247)
    assert np.abs(found - expected).max() < 1e-5


def test_spectral_loss_knows_no_sign_and_nearly_no_phase() -> None:
    time = torch.arange(64_000, dtype=torch.float64) / 16_000
    tone = torch.sin(2 * torch.pi * 440 * time)[None]
    assert note_spectral_loss(tone, -tone) == 0
    for phase in (0.5, 1.0, torch.pi / 2):
        shifted = torch.sin(2 * torch.pi * 440 * time + phase)[None]
        assert note_spectral_loss(tone, shifted) < 1e-4
        error = float((tone - shifted).square().mean())
        assert error == pytest.approx(1 - np.cos(phase), abs=1e-3), (
            "the waveform loss hears the phase: 1 at a right angle"
        )
    assert note_spectral_loss(tone, torch.sin(2 * torch.pi * 445 * time)[None]) > 1e-2
    noise = torch.randn(1, 64_000, dtype=torch.float64) * 1e-3
    losses = [float(note_spectral_loss(tone, tone + noise, floor)) for floor in (1e-4, 1e-2, 1.0, 10.0)]
    assert losses == sorted(losses, reverse=True)


def test_spectral_loss_has_the_right_gradient() -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1, 2048, dtype=torch.float64, generator=generator).requires_grad_()
    y = torch.randn(1, 2048, dtype=torch.float64, generator=generator)
    (gradient,) = torch.autograd.grad(note_spectral_loss(x, y), x)
    direction = torch.randn(1, 2048, dtype=torch.float64, generator=generator)
    step = 1e-6
    with torch.no_grad():
        numeric = (note_spectral_loss(x + step * direction, y) - note_spectral_loss(x - step * direction, y)) / (
            2 * step
        )
    assert abs(float((gradient * direction).sum() / numeric) - 1) < 1e-5


@pytest.mark.parametrize(("loss", "factor"), [("spectral", 8), ("waveform", 100)])
def test_autoencoder_learns_one_note(loss: str, factor: float) -> None:
    """SING-13: width 64, D 16, Adam 1e-3, 300 steps on one synthetic second."""
    torch.manual_seed(0)
    config = SingConfig(channels=64, latent=16)
    time = torch.arange(15_872) / 16_000
    note = sum(0.5**k * torch.sin(2 * torch.pi * 220 * k * time) for k in (1, 2, 3))
    assert isinstance(note, torch.Tensor)
    note = (note * torch.exp(-2 * time))[None]
    model = NoteAutoencoder(NoteEncoder(config), NoteDecoder(config))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    losses = []
    for _ in range(300):
        value = NOTE_LOSSES[loss](model(note), note)
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < losses[0] / factor


def test_the_excitation_is_the_comb_of_the_key() -> None:
    """Unit gains give a sum of equal harmonics at the key's frequency, with nothing in between them and no line at the frame rate."""
    config = SingConfig(instruments=1, pitches=40, lowest_pitch=50, hidden=4, latent=4, channels=4, bands=256)
    sing = Sing(config)
    with torch.no_grad():
        for parameter in sing.decoder.parameters():
            parameter.zero_()
        sing.decoder.gain.bias[:256] = 1.0
        for key in (50, 57, 69, 77):
            f0 = 440 * 2 ** ((key - 69) / 12)
            note = sing(torch.tensor([0]), torch.tensor([0]), torch.tensor([key - 50]))[0].double().numpy()
            part = note[8_000:40_000]
            spectrum = np.abs(np.fft.rfft(part * np.blackman(len(part)))) / (0.42 * len(part) / 2)
            bins = np.arange(1, int(7_999 / f0) + 1) * f0 * len(part) / 16_000
            levels = np.array([spectrum[round(b) - 1 : round(b) + 2].max() for b in bins])
            assert levels.min() > 0.05 and levels.max() < 0.11, (key, levels)
            beside = spectrum.copy()
            for b in bins:
                beside[max(0, round(b) - 6) : round(b) + 7] = 0
            assert 20 * np.log10(beside.max() / levels.max()) < -36, key


def test_a_harmonic_between_two_bands_is_in_both() -> None:
    cycles, moment = torch.tensor([3.25]), torch.tensor([7.0])
    found = harmonic_excitation(cycles, moment, 128, 128.0)
    assert found.shape == (1, 256)
    for number in range(1, 39):
        frequency, angle = 3.25 * number, 2 * np.pi * 3.25 * number * 7
        band, share = int(frequency), frequency - int(frequency)
        for b, weight in ((band, 1 - share), (band + 1, share)):
            if weight and b <= 128:
                assert found[0, b - 1].item() == pytest.approx(weight * np.cos(angle), abs=1e-3)
                assert found[0, 127 + b].item() == pytest.approx(weight * np.sin(angle), abs=1e-3)
    assert (found[0, :2] == 0).all()
    assert (found[0, :128].square() + found[0, 128:].square() > 0).sum() < 80


def test_a_network_with_excitation_streams() -> None:
    torch.manual_seed(0)
    config = SingConfig(instruments=2, pitches=12, lowest_pitch=60, hidden=12, latent=6, channels=24, bands=64)
    sing = Sing(config).eval()
    v, i, p = (torch.tensor([k]) for k in (1, 0, 9))
    with torch.no_grad():
        sing.decoder.gain.bias.normal_()
        whole = sing(v, i, p)[0]
        state, parts = sing.initial_state(1), []
        for step in range(config.steps):
            weights = (torch.eye(5)[v], torch.eye(2)[i], torch.eye(12)[p])
            audio, state = sing.step(*weights, torch.tensor([step]), state)
            parts.append(audio[0])
    streamed = torch.cat(parts)[config.priming * 256 :][: config.samples()]
    assert config.lead == 11
    assert torch.allclose(streamed, whole[: len(streamed)], atol=1e-5) and whole.std() > 1e-2


@pytest.mark.parametrize(("loss", "learned"), [("spectral", True), ("waveform", False)])
def test_random_phases_make_the_waveform_loss_teach_silence(loss: str, learned: bool) -> None:
    """SING-21: notes of one symbol with a phase drawn each time; only the spectral loss finds their loudness."""
    rng = torch.Generator().manual_seed(0)
    time = torch.arange(8_192) / 16_000
    parts = torch.stack([torch.sin(2 * torch.pi * 440 * time), torch.cos(2 * torch.pi * 440 * time)])
    weights = torch.tensor([0.3, 0.1], requires_grad=True)
    optimizer = torch.optim.Adam([weights], 0.02)
    for _ in range(150):
        phases = 2 * torch.pi * torch.rand(16, 1, generator=rng)
        notes = torch.sin(2 * torch.pi * 440 * time + phases)
        value = NOTE_LOSSES[loss]((weights @ parts).expand(16, -1), notes)
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    amplitude = float(weights.detach().norm())
    assert abs(amplitude - 1) < 0.1 if learned else amplitude < 0.2


def test_velocities_begin_in_a_row() -> None:
    """So that the embedding between two neighbours passes no other level."""
    rows = SequenceGenerator(SingConfig(hidden=8, channels=8)).velocity.weight.detach()
    assert torch.all(rows[1:, 0] > rows[:-1, 0]) and torch.all(rows[:, 1:] == 0)

"""SING, the symbol-to-instrument neural generator (thesis chapter 2): velocity, instrument and pitch in, a note's waveform out.

``Sing`` is the synthesiser: look-up tables, an LSTM that takes one step for each 256 samples, and a decoder that turns the
LSTM's outputs into overlapping windowed frames (EQ-SING-1, -2). ``NoteEncoder`` is the other half of the autoencoder by which
training begins (EQ-SING-3). ``Sing.step`` is the streaming form: one time step of any number of voices, with the state carried.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.excitation import band_basis, harmonic_excitation, shaped
from models.streaming import StreamingLSTM

SYMBOL_SIZE = 30
"""Values of a note's symbolic input at each time step in the thesis, by which it counts the compression (SING-11)."""


@dataclass(frozen=True)
class SingConfig:
    """Sizes; the defaults are the thesis' (63,747,927 parameters, SING-10).

    Attributes:
        instruments, pitches, velocities: rows of the look-up tables.
        lowest_pitch: MIDI number of the first row of the pitch table.
        steps: time steps of a note, rows of the time table; 265 for 64,000 samples (SING-09).
        time_dim: size of the time embedding; 0 leaves it out (the ablation of Table 2.1).
        hidden, layers: of the LSTM.
        latent: size of the LSTM's output and of the autoencoder's code (D).
        channels: of the decoder's and encoder's convolutions.
        context: frames that the decoder's first convolution sees at once.
        kernel, stride: of the transposed convolution, in samples.
        bands: frequency bands of a harmonic excitation (``models.excitation``) that the decoder shapes and adds to what it synthesises
            itself; 0, as in the thesis, leaves it to the LSTM to turn the phases of a note on from frame to frame.
    """

    instruments: int = 1006
    pitches: int = 121
    lowest_pitch: int = 0
    velocities: int = 5
    velocity_dim: int = 2
    instrument_dim: int = 16
    pitch_dim: int = 8
    time_dim: int = 4
    steps: int = 265
    hidden: int = 1024
    layers: int = 3
    latent: int = 128
    channels: int = 4096
    context: int = 9
    kernel: int = 1024
    stride: int = 256
    sample_rate: int = 16_000
    bands: int = 0

    def __post_init__(self) -> None:
        if min(self.instruments, self.pitches, self.velocities, self.hidden, self.latent, self.channels) < 1:
            raise ValueError("each size must be at least 1")
        if self.kernel % self.stride or self.kernel < 2 * self.stride:
            raise ValueError(f"kernel {self.kernel} is no multiple of at least two strides of {self.stride}")

    @property
    def input_size(self) -> int:
        """Size of the LSTM's input, the concatenated embeddings: 30, 26 without time."""
        return self.velocity_dim + self.instrument_dim + self.pitch_dim + self.time_dim

    @property
    def crop(self) -> int:
        """Samples cut from each side of the decoder's raw output (1280 in the thesis, errata 13)."""
        return (self.context // 2) * self.stride + self.stride

    @property
    def lead(self) -> int:
        """Time steps from the middle of the frame that a step completes to that step: 11 in the thesis."""
        return self.context - 1 + (self.crop - self.kernel // 2) // self.stride

    @property
    def priming(self) -> int:
        """Steps before the first sample is complete: 13, so that step 14 gives the first 256 samples (EQ-RT-3)."""
        return self.crop // self.stride + self.context - 1

    def frames(self, samples: int) -> int:
        """Time steps for a note of ``samples`` (SING-09): ``8 + (samples + 2560 - 1024) / 256 + 1``."""
        if samples < self.stride or samples % self.stride:
            raise ValueError(f"a note of {samples} samples is no whole number of hops of {self.stride}")
        return self.context - 1 + (samples + 2 * self.crop - self.kernel) // self.stride + 1

    def samples(self, steps: int | None = None) -> int:
        """Samples of a note of ``steps`` time steps (all of them if None); inverse of ``frames``."""
        count = (self.steps if steps is None else steps) - self.context + 1
        return (count - 1) * self.stride + self.kernel - 2 * self.crop

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a card or a checkpoint."""
        return asdict(self)


def _pointwise(x: Tensor, layer: nn.Conv1d) -> Tensor:
    """A convolution of kernel 1 over channel-last frames, as a matrix product."""
    assert layer.bias is not None
    return x @ layer.weight[:, :, 0].t() + layer.bias


def squared_hann(kernel: int, stride: int) -> Tensor:
    """The periodic squared Hann window, scaled so that copies ``stride`` apart sum to 1 (SING-07, errata 12): ``(kernel,)``."""
    window = torch.hann_window(kernel, periodic=True, dtype=torch.float64).square()
    return (window / window.reshape(-1, stride).sum(0).mean()).float()


def compression_factor(config: SingConfig | None = None) -> int:
    """Samples of a note for each value of its symbolic input: 2133 in the thesis (SING-11)."""
    config = config or SingConfig()
    return config.samples() // config.input_size


@dataclass
class SingState:
    """What one step hands to the next, a row for each voice.

    Shape:
        h, c ``(voices, layers, hidden)``; context ``(voices, context - 1, latent)``; tail ``(voices, kernel - stride)``, without
        the bias.
    """

    h: Tensor
    c: Tensor
    context: Tensor
    tail: Tensor


class SequenceGenerator(nn.Module):
    """Tables, LSTM and linear layer: symbols -> latent sequence (section 2.4.1, SING-02 to -05)."""

    def __init__(self, config: SingConfig) -> None:
        super().__init__()
        self.config = config
        self.velocity = nn.Embedding(config.velocities, config.velocity_dim)
        with (
            torch.no_grad()
        ):  # in a row, so that what lies between two levels sounds between them; at random, paths to louder ones cross
            self.velocity.weight.zero_()
            self.velocity.weight[:, 0] = torch.linspace(-1.5, 1.5, config.velocities)
        self.instrument = nn.Embedding(config.instruments, config.instrument_dim)
        self.pitch = nn.Embedding(config.pitches, config.pitch_dim)
        self.time = nn.Embedding(config.steps, config.time_dim) if config.time_dim else None
        self.lstm = StreamingLSTM(config.input_size, config.hidden, config.layers)
        self.linear = nn.Linear(config.hidden, config.latent)

    def embed(self, velocity: Tensor, instrument: Tensor, pitch: Tensor) -> Tensor:
        """Indices ``(batch,)`` -> concatenated embeddings without time ``(batch, sizes)``.

        IndexError for an index out of range.
        """
        tables = {"velocity": self.velocity, "instrument": self.instrument, "pitch": self.pitch}
        for (name, table), index in zip(tables.items(), (velocity, instrument, pitch), strict=True):
            if index.numel() and (int(index.min()) < 0 or int(index.max()) >= table.num_embeddings):
                raise IndexError(f"{name} must be 0 to {table.num_embeddings - 1}, not {index.tolist()}")
        parts = [self.velocity(velocity), self.instrument(instrument), self.pitch(pitch)]
        return torch.cat(parts, dim=-1)

    def with_time(self, symbols: Tensor, start: int, stop: int) -> Tensor:
        """Repeat what ``embed`` gave over steps ``start`` to ``stop`` and add the time embedding: ``(batch, steps, input_size)``."""
        parts = [symbols[:, None].expand(-1, stop - start, -1)]
        if self.time is not None:
            parts.append(self.time.weight[start:stop][None].expand(len(symbols), -1, -1).to(symbols.dtype))
        return torch.cat(parts, dim=-1)

    def forward(
        self, symbols: Tensor, state: tuple[Tensor, Tensor] | None = None, start: int = 0, stop: int | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Codes of steps ``start`` to ``stop``: ``(batch, steps, latent)``, and the state for the next segment."""
        state = self.lstm.initial_state(len(symbols)) if state is None else state
        hidden, state = self.lstm(self.with_time(symbols, start, stop or self.config.steps), state)
        return self.linear(hidden), state

    def step(
        self,
        velocity: Tensor,
        instrument: Tensor,
        pitch: Tensor,
        time: Tensor,
        state: tuple[Tensor, Tensor],
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One step of voices with weights over the tables (see ``Sing.step``): ``(voices, 1, latent)`` and the next state."""
        parts = [velocity @ self.velocity.weight, instrument @ self.instrument.weight, pitch @ self.pitch.weight]
        if self.time is not None:
            parts.append(self.time(time))
        hidden, state = self.lstm(torch.cat(parts, dim=-1)[:, None], state)
        return self.linear(hidden), state


class NoteDecoder(nn.Module):
    """Latent sequence -> waveform (section 2.4.2, EQ-SING-2): context convolution, two 1x1, windowed overlap-add.

    With ``config.bands`` each frame also has a harmonic excitation, shaped by complex gains from the same features.
    """

    def __init__(self, config: SingConfig) -> None:
        super().__init__()
        self.config = config
        self.conv = nn.Conv1d(config.latent, config.channels, config.context)
        self.mix1 = nn.Conv1d(config.channels, config.channels, 1)
        self.mix2 = nn.Conv1d(config.channels, config.channels, 1)
        self.synthesis = nn.ConvTranspose1d(config.channels, 1, config.kernel, config.stride)
        self.window: Tensor
        self.register_buffer("window", squared_hann(config.kernel, config.stride), persistent=False)
        if config.bands:
            self.gain = nn.Conv1d(config.channels, 2 * config.bands, 1)
            nn.init.normal_(self.gain.weight, std=1e-3)
            assert self.gain.bias is not None
            nn.init.zeros_(self.gain.bias)
            with torch.no_grad():  # an even comb to begin with, audible: near silence the spectral loss is flat
                self.gain.bias[: config.bands] = 0.05
            self.basis: Tensor
            self.register_buffer("basis", band_basis(config.bands, config.kernel) * self.window, persistent=False)

    def features(self, latents: Tensor) -> Tensor:
        """``(batch, steps, latent)`` -> ``(batch, steps - context + 1, channels)``: what each frame is synthesised from.

        Written as products over channel-last frames: the form that a CPU streams and that int8 quantisers know.
        """
        assert self.conv.bias is not None
        steps = latents.shape[1] - self.config.context + 1
        x = torch.cat([latents[:, k : k + steps] for k in range(self.config.context)], dim=-1)
        x = F.relu(x @ self.conv.weight.permute(2, 1, 0).reshape(-1, self.config.channels) + self.conv.bias)
        for layer in (self.mix1, self.mix2):
            x = F.relu(_pointwise(x, layer))
        return x

    def frames(self, latents: Tensor, excitation: Tensor | None = None) -> Tensor:
        """Windowed frames before overlap-add: ``(batch, steps - context + 1, kernel)``, without the bias.

        Args:
            excitation: of each frame, ``(batch, steps - context + 1, 2 * bands)``; without it only what the decoder synthesises
                itself, as in the thesis, and as an autoencoder has it, which knows no key.
        """
        features = self.features(latents)
        frames = features @ (self.synthesis.weight[:, 0] * self.window)
        if excitation is None:
            return frames
        harmonics: Tensor = shaped(_pointwise(features, self.gain), excitation)
        return frames + harmonics @ self.basis

    def forward(self, latents: Tensor, excitation: Tensor | None = None) -> Tensor:
        """``(batch, steps, latent)`` -> ``(batch, samples)``, cropped to the note; ``excitation`` as in ``frames``."""
        assert self.synthesis.bias is not None
        raw = overlap_add(self.frames(latents, excitation), self.config.stride) + self.synthesis.bias
        return raw[:, self.config.crop : raw.shape[1] - self.config.crop]


def overlap_add(frames: Tensor, stride: int) -> Tensor:
    """``(batch, frames, kernel)`` -> ``(batch, (frames - 1) * stride + kernel)``: the sum of frames ``stride`` apart (SING-08)."""
    batch, count, kernel = frames.shape
    parts = frames.reshape(batch, count, kernel // stride, stride)
    blocks = sum(F.pad(parts[:, :, k], (0, 0, k, kernel // stride - 1 - k)) for k in range(kernel // stride))
    assert isinstance(blocks, Tensor)
    return blocks.reshape(batch, -1)


class NoteEncoder(nn.Module):
    """Waveform -> latent sequence (section 2.4.3, EQ-SING-3), almost the mirror of the decoder. Training only."""

    def __init__(self, config: SingConfig) -> None:
        super().__init__()
        self.config = config
        self.analysis = nn.Conv1d(1, config.channels, config.kernel, config.stride)
        self.mix1 = nn.Conv1d(config.channels, config.channels, 1)
        self.mix2 = nn.Conv1d(config.channels, config.channels, 1)
        self.code = nn.Conv1d(config.channels, config.latent, 1)
        self.window: Tensor
        self.register_buffer("window", torch.hann_window(config.kernel).square(), persistent=False)

    def forward(self, wav: Tensor) -> Tensor:
        """``(batch, samples)`` -> ``(batch, steps, latent)``; silence surrounds the note."""
        assert self.analysis.bias is not None
        margin = self.config.crop + (self.config.context // 2) * self.config.stride
        x = F.pad(wav, (margin, margin)).unfold(1, self.config.kernel, self.config.stride)
        x = F.relu(x @ (self.analysis.weight[:, 0] * self.window).t() + self.analysis.bias)
        for layer in (self.mix1, self.mix2):
            x = F.relu(_pointwise(x, layer))
        return _pointwise(x, self.code)


class Sing(nn.Module):
    """The synthesiser: sequence generator and decoder. ``wav(V, I, P) = dec(s(V, I, P))`` (EQ-SING-1)."""

    def __init__(self, config: SingConfig) -> None:
        super().__init__()
        self.config = config
        self.sequence = SequenceGenerator(config)
        self.decoder = NoteDecoder(config)
        keys = torch.arange(config.pitches, dtype=torch.float64) + config.lowest_pitch
        cycles = 440 * 2 ** ((keys - 69) / 12) * config.stride / config.sample_rate
        self.cycles: Tensor
        self.register_buffer("cycles", cycles.float(), persistent=False)

    def forward(self, velocity: Tensor, instrument: Tensor, pitch: Tensor) -> Tensor:
        """Whole notes. Index tensors ``(batch,)`` (pitch from the lowest trained) -> ``(batch, samples)`` (SING-01)."""
        latents, _ = self.sequence(self.sequence.embed(velocity, instrument, pitch))
        wav: Tensor = self.decoder(latents, self.excitation(pitch, 0, latents.shape[1]))
        return wav

    def excitation(self, pitch: Tensor, start: int, steps: int) -> Tensor | None:
        """What the decoder shapes in the frames of steps ``start`` to ``start + steps``; pitch indices ``(batch,)``; None without bands.

        ``(batch, steps - context + 1, 2 * bands)``.
        """
        config = self.config
        completing = torch.arange(start + config.context - 1, start + steps, dtype=torch.float32, device=pitch.device)
        return self._excitation(self.cycles[pitch][:, None], completing[None])

    def _excitation(self, cycles: Tensor, step: Tensor) -> Tensor | None:
        """Of the frames that the given steps complete."""
        config = self.config
        if not config.bands:
            return None
        return harmonic_excitation(cycles, step - config.lead, config.bands, config.stride / 2)

    def initial_state(self, voices: int) -> SingState:
        """Zeros: the state before a note."""
        config, zero = self.config, self.sequence.linear.weight.new_zeros
        return SingState(
            zero(voices, config.layers, config.hidden),
            zero(voices, config.layers, config.hidden),
            zero(voices, config.context - 1, config.latent),
            zero(voices, config.kernel - config.stride),
        )

    def step(
        self, velocity: Tensor, instrument: Tensor, pitch: Tensor, time: Tensor, state: SingState
    ) -> tuple[Tensor, SingState]:
        """One time step of every voice; rows do not influence each other.

        From the zero state at time 0, call number ``n`` (from 0) gives samples ``256 (n - 13)`` onwards; what the first 13 calls
        give is priming and not to be heard.

        Args:
            velocity, instrument, pitch: weights over the rows of each table, ``(voices, rows)``: one-hot for a trained symbol,
                mixed for what lies between (velocity levels, morphed instruments).
            time: step of each voice, int64 ``(voices,)``.

        Returns:
            ``(voices, stride)`` samples and the next state.
        """
        sequence, decoder, stride = self.sequence, self.decoder, self.config.stride
        assert decoder.synthesis.bias is not None
        code, (h, c) = sequence.step(
            velocity,
            instrument,
            pitch,
            time,
            (state.h.transpose(0, 1).contiguous(), state.c.transpose(0, 1).contiguous()),
        )
        latents = torch.cat([state.context, code], dim=1)
        excitation = self._excitation((pitch @ self.cycles)[:, None], time.to(pitch.dtype)[:, None])
        frame = decoder.frames(latents, excitation)[:, 0]
        frame = frame + F.pad(state.tail, (0, stride))
        tail = frame[:, stride:]
        return frame[:, :stride] + decoder.synthesis.bias, SingState(
            h.transpose(0, 1), c.transpose(0, 1), latents[:, 1:], tail
        )


class NoteAutoencoder(nn.Module):
    """Encoder and decoder: the first stage of training and the ceiling of quality (SING-13)."""

    def __init__(self, encoder: NoteEncoder, decoder: NoteDecoder) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, wav: Tensor) -> Tensor:
        """``(batch, samples)`` -> the same, reconstructed."""
        result: Tensor = self.decoder(self.encoder(wav))
        return result

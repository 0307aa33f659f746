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
        clock: harmonics of the key's frequency whose phases are given to LSTM and decoder at each step; 0, as in the thesis, leaves it
            to the LSTM to turn the phases of a note on from frame to frame. Where it turns them wrongly, notes drift, restart or buzz
            at the frame rate (section 2.3.2); the clock leaves only what differs from it to be learned.
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
    clock: int = 0

    def __post_init__(self) -> None:
        if min(self.instruments, self.pitches, self.velocities, self.hidden, self.latent, self.channels) < 1:
            raise ValueError("each size must be at least 1")
        if self.kernel % self.stride or self.kernel < 2 * self.stride:
            raise ValueError(f"kernel {self.kernel} is no multiple of at least two strides of {self.stride}")

    @property
    def input_size(self) -> int:
        """Size of the LSTM's input, in the thesis the concatenated embeddings: 30, 26 without time."""
        return self.velocity_dim + self.instrument_dim + self.pitch_dim + self.time_dim + 2 * self.clock

    @property
    def code_size(self) -> int:
        """Size of what the decoder reads at each step: the latent and the clock."""
        return self.latent + 2 * self.clock

    @property
    def crop(self) -> int:
        """Samples cut from each side of the decoder's raw output (1280 in the thesis, errata 13)."""
        return (self.context // 2) * self.stride + self.stride

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
        h, c ``(voices, layers, hidden)``; context ``(voices, context - 1, code_size)``; tail ``(voices, kernel - stride)``, without
        the bias.
    """

    h: Tensor
    c: Tensor
    context: Tensor
    tail: Tensor


def clock_phases(cycles: Tensor, time: Tensor, harmonics: int, most: float) -> Tensor:
    """Sine and cosine of the phase of each harmonic at each step: ``(..., 2 * harmonics)``.

    Args:
        cycles: of the fundamental in one step, ``(...,)``.
        time: step, broadcast against ``cycles``.
        most: cycles a step of half the sample rate; harmonics above it are 0.
    """
    numbers = torch.arange(1, harmonics + 1, dtype=cycles.dtype, device=cycles.device)
    turns = cycles * time
    turns = (turns - torch.floor(turns))[..., None] * numbers
    angle = 2 * torch.pi * (turns - torch.floor(turns))
    audible = (cycles[..., None] * numbers < most).to(cycles.dtype)
    return torch.cat([torch.sin(angle) * audible, torch.cos(angle) * audible], dim=-1)


class SequenceGenerator(nn.Module):
    """Tables, LSTM and linear layer: symbols -> latent sequence (section 2.4.1, SING-02 to -05)."""

    def __init__(self, config: SingConfig) -> None:
        super().__init__()
        self.config = config
        self.velocity = nn.Embedding(config.velocities, config.velocity_dim)
        self.instrument = nn.Embedding(config.instruments, config.instrument_dim)
        self.pitch = nn.Embedding(config.pitches, config.pitch_dim)
        self.time = nn.Embedding(config.steps, config.time_dim) if config.time_dim else None
        self.lstm = StreamingLSTM(config.input_size, config.hidden, config.layers)
        self.linear = nn.Linear(config.hidden, config.latent)
        self.cycles: Tensor
        keys = torch.arange(config.pitches, dtype=torch.float64) + config.lowest_pitch
        cycles = 440 * 2 ** ((keys - 69) / 12) * config.stride / config.sample_rate
        self.register_buffer("cycles", cycles.float(), persistent=False)

    def embed(self, velocity: Tensor, instrument: Tensor, pitch: Tensor) -> Tensor:
        """Indices ``(batch,)`` -> concatenated embeddings without time ``(batch, sizes)``, with a clock the cycles a step after them.

        IndexError for an index out of range.
        """
        tables = {"velocity": self.velocity, "instrument": self.instrument, "pitch": self.pitch}
        for (name, table), index in zip(tables.items(), (velocity, instrument, pitch), strict=True):
            if index.numel() and (int(index.min()) < 0 or int(index.max()) >= table.num_embeddings):
                raise IndexError(f"{name} must be 0 to {table.num_embeddings - 1}, not {index.tolist()}")
        parts = [self.velocity(velocity), self.instrument(instrument), self.pitch(pitch)]
        if self.config.clock:
            parts.append(self.cycles[pitch][:, None])
        return torch.cat(parts, dim=-1)

    def with_time(self, symbols: Tensor, start: int, stop: int) -> Tensor:
        """Repeat what ``embed`` gave over steps ``start`` to ``stop``, add time embedding and clock: ``(batch, steps, input_size)``."""
        clock = self.config.clock
        cycles, symbols = (symbols[:, -1:], symbols[:, :-1]) if clock else (None, symbols)
        parts = [symbols[:, None].expand(-1, stop - start, -1)]
        if self.time is not None:
            parts.append(self.time.weight[start:stop][None].expand(len(symbols), -1, -1).to(symbols.dtype))
        if cycles is not None:
            moments = torch.arange(start, stop, dtype=cycles.dtype, device=cycles.device)[None]
            parts.append(self._clock(cycles.expand(-1, stop - start), moments))
        return torch.cat(parts, dim=-1)

    def _clock(self, cycles: Tensor, time: Tensor) -> Tensor:
        return clock_phases(cycles, time, self.config.clock, self.config.stride / 2)

    def forward(
        self, symbols: Tensor, state: tuple[Tensor, Tensor] | None = None, start: int = 0, stop: int | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Codes of steps ``start`` to ``stop``: ``(batch, steps, code_size)``, and the state for the next segment."""
        state = self.lstm.initial_state(len(symbols)) if state is None else state
        inputs = self.with_time(symbols, start, stop or self.config.steps)
        hidden, state = self.lstm(inputs, state)
        return self._code(hidden, inputs), state

    def step(
        self,
        velocity: Tensor,
        instrument: Tensor,
        pitch: Tensor,
        time: Tensor,
        state: tuple[Tensor, Tensor],
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One step of voices with weights over the tables (see ``Sing.step``): ``(voices, 1, code_size)`` and the next state."""
        parts = [velocity @ self.velocity.weight, instrument @ self.instrument.weight, pitch @ self.pitch.weight]
        if self.time is not None:
            parts.append(self.time(time))
        if self.config.clock:
            parts.append(self._clock(pitch @ self.cycles, time.to(pitch.dtype)))
        inputs = torch.cat(parts, dim=-1)[:, None]
        hidden, state = self.lstm(inputs, state)
        return self._code(hidden, inputs), state

    def _code(self, hidden: Tensor, inputs: Tensor) -> Tensor:
        """What the decoder reads: the latent, and the clock as the LSTM had it."""
        latent: Tensor = self.linear(hidden)
        return torch.cat([latent, inputs[..., -2 * self.config.clock :]], dim=-1) if self.config.clock else latent


class NoteDecoder(nn.Module):
    """Latent sequence -> waveform (section 2.4.2, EQ-SING-2): context convolution, two 1x1, windowed overlap-add."""

    def __init__(self, config: SingConfig) -> None:
        super().__init__()
        self.config = config
        self.conv = nn.Conv1d(config.code_size, config.channels, config.context)
        self.mix1 = nn.Conv1d(config.channels, config.channels, 1)
        self.mix2 = nn.Conv1d(config.channels, config.channels, 1)
        self.synthesis = nn.ConvTranspose1d(config.channels, 1, config.kernel, config.stride)
        self.window: Tensor
        self.register_buffer("window", squared_hann(config.kernel, config.stride), persistent=False)

    def features(self, latents: Tensor) -> Tensor:
        """``(batch, steps, code_size)`` -> ``(batch, steps - context + 1, channels)``: what each frame is synthesised from.

        Codes of an encoder, ``(batch, steps, latent)``, have no clock; it is 0 then.
        Written as products over channel-last frames: the form that a CPU streams and that int8 quantisers know.
        """
        assert self.conv.bias is not None
        if latents.shape[2] < self.config.code_size:
            latents = F.pad(latents, (0, self.config.code_size - latents.shape[2]))
        steps = latents.shape[1] - self.config.context + 1
        x = torch.cat([latents[:, k : k + steps] for k in range(self.config.context)], dim=-1)
        x = F.relu(x @ self.conv.weight.permute(2, 1, 0).reshape(-1, self.config.channels) + self.conv.bias)
        for layer in (self.mix1, self.mix2):
            x = F.relu(_pointwise(x, layer))
        return x

    def frames(self, latents: Tensor) -> Tensor:
        """Windowed frames before overlap-add: ``(batch, steps - context + 1, kernel)``, without the bias."""
        return self.features(latents) @ (self.synthesis.weight[:, 0] * self.window)

    def forward(self, latents: Tensor) -> Tensor:
        """``(batch, steps, latent)`` -> ``(batch, samples)``, cropped to the note."""
        assert self.synthesis.bias is not None
        raw = overlap_add(self.frames(latents), self.config.stride) + self.synthesis.bias
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

    def forward(self, velocity: Tensor, instrument: Tensor, pitch: Tensor) -> Tensor:
        """Whole notes. Index tensors ``(batch,)`` (pitch from the lowest trained) -> ``(batch, samples)`` (SING-01)."""
        latents, _ = self.sequence(self.sequence.embed(velocity, instrument, pitch))
        wav: Tensor = self.decoder(latents)
        return wav

    def initial_state(self, voices: int) -> SingState:
        """Zeros: the state before a note."""
        config, zero = self.config, self.sequence.linear.weight.new_zeros
        return SingState(
            zero(voices, config.layers, config.hidden),
            zero(voices, config.layers, config.hidden),
            zero(voices, config.context - 1, config.code_size),
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
        frame = decoder.frames(latents)[:, 0]
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

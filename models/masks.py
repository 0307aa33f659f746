"""Masks on a spectrogram, live and without a sample of delay beyond the hop.

Open-Unmix (thesis section 1.3.2) decides from whole songs and delays by its windows. Here a frame ends where the call ends. The network
sees the powers of that frame in bands (in stereo left, right, middle, side) and gives every source a complex factor for each. They make a
causal filter (``models.spectra``); the last hop of the frame, filtered by it, is the output, faded over from the filter of the frame
before. Overlapping windows would have to wait for the next frame. What may not wait is less sharp, and still learns in minutes what a
network of waveforms learns in hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.network import NamedState, SeparatorConfig, StreamingSeparator
from models.spectra import FLOOR, Analysis, Filtering, views_of
from models.streaming import StreamingLSTM

MEAN_S = (0.25, 2.0)
"""Time constants of the running means, in seconds."""


@dataclass(frozen=True)
class CausalMasksConfig(SeparatorConfig):
    """Sizes; the defaults play at 44.1 kHz with a hop of 256 (5.8 ms).

    Attributes:
        hop_length: samples a frame and a call.
        window: samples that are filtered together, an even number; they end with the newest.
        seen_window: samples whose powers the network sees.
        spacing: distance of the bands in Hz, up to ``q`` times this; above, a band is a ``q``-th of its frequency.
        hidden, layers: of the LSTM over the frames.
        local, spread: features of a band, from the bands beside it and from the LSTM.
        band_hidden: width of the layer that joins them.
        call_frames: frames a call; all of them know what its last one shows.
        means: how many running means of the bands' powers the network also sees, which tell it of lasting noise: over .25 s, over 2 s.
        input_gain: as in ``models.demucs``.
    """

    audio_channels: int = 2
    sources: tuple[str, ...] = ("drums", "bass", "other", "vocals")
    sample_rate: int = 44_100
    hop_length: int = 256
    window: int = 1024
    seen_window: int = 2048
    spacing: float = 43.066
    q: float = 40.0
    hidden: int = 256
    layers: int = 2
    local: int = 12
    spread: int = 12
    band_hidden: int = 48
    call_frames: int = 1
    means: int = 0
    input_gain: float = 5.0

    @property
    def hop(self) -> int:
        """Samples a call."""
        return self.hop_length * self.call_frames

    @property
    def n_outputs(self) -> int:
        """Channels of all sources."""
        return len(self.sources) * self.audio_channels

    @property
    def views(self) -> int:
        """In how many ways the network sees the sound."""
        return views_of(self.audio_channels) * (1 + self.means)

    @property
    def keeps(self) -> list[float]:
        """How much of each running mean is left after a frame."""
        return [math.exp(-self.hop_length / (seconds * self.sample_rate)) for seconds in MEAN_S[: self.means]]

    def bands(self) -> list[float]:
        """Their centres in Hz, from 0 to half the sample rate."""
        centres = [0.0]
        while centres[-1] < self.sample_rate / 2:
            centres.append(centres[-1] + max(self.spacing, centres[-1] / self.q))
        return [*centres[:-1], self.sample_rate / 2]

    def tiny(self) -> Self:
        """Few bands, one narrow layer."""
        return replace(self, window=512, seen_window=1024, spacing=345.0, q=8.0, hidden=16, layers=1, spread=4)


class CausalMasks(StreamingSeparator):
    """``(batch, channels, time)`` -> ``(batch, sources, channels, time)`` in calls of whole hops, latency one hop."""

    def __init__(self, config: CausalMasksConfig | None = None) -> None:
        super().__init__()
        self.config: CausalMasksConfig = config or CausalMasksConfig()
        config = self.config
        _check(config)
        centres, hop, rate = config.bands(), config.hop_length, config.sample_rate
        self.analysis = Analysis(config.seen_window, hop, centres, rate, config.audio_channels)
        self.filtering = Filtering(config.window, hop, centres, rate)
        count, hidden, views = len(centres), config.hidden, config.views
        once = views_of(config.audio_channels) * count
        self.mean, self.scale = nn.Parameter(torch.zeros(once)), nn.Parameter(torch.full((once,), 0.3))
        self.squeeze, self.norm1 = nn.Linear(views * count, hidden), nn.LayerNorm(hidden)
        self.lstm = StreamingLSTM(hidden, hidden, config.layers)
        self.join, self.norm2 = nn.Linear(2 * hidden, hidden), nn.LayerNorm(hidden)
        self.spread = nn.Linear(hidden, count * config.spread)
        self.local = nn.Linear(5 * views, config.local)
        self.band1 = nn.Linear(config.local + config.spread + views, config.band_hidden)
        self.band_bias = nn.Parameter(torch.zeros(count * config.band_hidden))
        self.band2 = nn.Linear(config.band_hidden, 2 * config.n_outputs)
        self.base = nn.Parameter(torch.full((config.n_outputs,), 1 / len(config.sources)))
        """What a mask of nothing learned is: an equal share."""
        self.ahead = _zero_linear(hidden, config.call_frames * hidden) if config.call_frames > 1 else None
        self.local_ahead = _zero_linear(5 * views, config.call_frames * config.local) if self.ahead else None

    def initial_state(self, batch: int = 1) -> NamedState:
        """Silence since ever; the filter before the first frame lets nothing through."""
        config = self.config
        past = max(config.seen_window, config.window) - config.hop_length
        h, c = self.lstm.initial_state(batch)
        zeros = self.base.new_zeros
        once = views_of(config.audio_channels)
        return NamedState(
            past=zeros(batch, config.audio_channels, past),
            h=h,
            c=c,
            filters=self.filtering.initial_state(batch, config.n_outputs),
            means=zeros(batch, config.means, once, len(self.mean) // once),
        )

    def step_frames(self, x: Tensor, state: NamedState) -> tuple[Tensor, NamedState]:
        """``step`` in the channel-last layout."""
        y, _, state = self.step_and_tell(x, state)
        return y, state

    def step_and_tell(self, x: Tensor, state: NamedState) -> tuple[Tensor, Tensor, NamedState]:
        """``step_frames``, and between its results what the LSTM made of each frame: ``(batch, n, hidden)``."""
        frames, past = self._frames(x, state)
        features, means = self._see(frames, x.dtype, state)
        hidden, lstm = self._listen(features, state)
        y, filters = self._play(frames, features, hidden, state)
        return y, hidden, NamedState(past=past, h=lstm[0], c=lstm[1], filters=filters, means=means)

    def _frames(self, x: Tensor, state: NamedState) -> tuple[Tensor, Tensor]:
        """A frame for each hop of ``x``: ``(batch, n, channels, samples)``, float32 or better; and what the next call needs of it."""
        past, hop = state["past"], self.config.hop_length
        exact = torch.promote_types(x.dtype, torch.float32)  # there is no transform in bfloat16
        sound = torch.cat([past.to(exact), x.transpose(1, 2).to(exact) * self.config.input_gain], dim=2)
        size, kept = past.shape[2] + hop, sound.shape[2] - past.shape[2]
        if self.analysis.exporting:  # an unfold needs sizes that the exporter forgets
            starts = range(0, kept, hop)
            frames = torch.stack([sound[..., start : start + size] for start in starts], dim=1)
        else:
            frames = sound.unfold(2, size, hop).transpose(1, 2)
        return frames, sound[..., kept:]

    def _see(self, frames: Tensor, dtype: torch.dtype, state: NamedState) -> tuple[Tensor, Tensor]:
        """Features ``(batch, n, views, bands)``, and the next running means."""
        powers = self.analysis(frames[..., frames.shape[-1] - self.config.seen_window :], dtype)
        views = views_of(self.config.audio_channels)
        scale = self.scale.reshape(views, -1)
        features = (powers + self.mean.reshape(views, -1)) * scale
        if not self.config.means:
            return features, state["means"]
        above = (powers - math.log(FLOOR)) * scale  # nothing in silence, as the zero state
        count, means, seen = above.shape[1], [], [features]
        for number, keep in enumerate(self.config.keeps):
            before = state["means"][:, number].to(dtype)
            order = torch.arange(count, device=above.device, dtype=torch.float64)
            weights = torch.tril((1 - keep) * keep ** (order[:, None] - order).clamp_min(0)).to(dtype)
            fading = (keep ** (order + 1)).to(dtype)
            mean = (weights @ above.flatten(2)).reshape(above.shape) + fading[:, None, None] * before[:, None]
            means.append(mean[:, -1])
            seen.append(mean)
        return torch.cat(seen, dim=2), torch.stack(means, dim=1)

    def _listen(self, features: Tensor, state: NamedState) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What the LSTM makes of features ``(batch, n, hidden)``, and its next state."""
        squeezed = torch.tanh(self.norm1(self.squeeze(features.flatten(2))))
        y, lstm = self.lstm(squeezed, (state["h"], state["c"]))
        hidden = self.norm2(self.join(torch.cat([squeezed, y], dim=2)))
        if self.ahead is not None:
            last = F.relu(hidden)[:, self.config.call_frames - 1 :: self.config.call_frames]
            hidden = hidden + self.ahead(last).reshape(hidden.shape)
        return F.relu(hidden), lstm

    def _play(self, frames: Tensor, features: Tensor, hidden: Tensor, state: NamedState) -> tuple[Tensor, Tensor]:
        """The stems ``(batch, time, outputs)``, and what is kept of the last frame's filters."""
        newest = frames[..., frames.shape[-1] - self.config.window :]
        y, filters = self.filtering(newest, self._factors(features, hidden), state["filters"])
        y = y.transpose(2, 3).reshape(y.shape[0], -1, self.config.n_outputs)
        return y / self.config.input_gain, filters

    def _factors(self, features: Tensor, hidden: Tensor) -> Tensor:
        """``(batch, n, outputs, 2 * bands)``, real parts before imaginary ones. The bands come last throughout."""
        config, (batch, count, _, bands) = self.config, features.shape
        rows = features.flatten(0, 1)
        local = _beside(self.local, rows)
        if self.local_ahead is not None:
            last = features[:, config.call_frames - 1 :: config.call_frames].flatten(0, 1)
            local = local + _beside(self.local_ahead, last).reshape(batch * count, config.local, bands)
        spread = F.linear(hidden, _bands_last(self.spread.weight, bands), _bands_last(self.spread.bias, bands))
        joined = torch.cat([F.relu(local), spread.reshape(batch * count, -1, bands), rows], dim=1)
        bias = self.band_bias.reshape(bands, -1).t() + self.band1.bias[:, None]
        base = torch.stack([self.base, torch.zeros_like(self.base)], dim=1).flatten()
        factors = self.band2.weight @ F.relu(self.band1.weight @ joined + bias) + (self.band2.bias + base)[:, None]
        return factors.reshape(batch, count, config.n_outputs, 2 * bands)


def _beside(layer: nn.Linear, rows: Tensor) -> Tensor:
    """``layer`` of each band and the two on either side of it: ``(n, views, bands)`` -> ``(n, features, bands)``."""
    weight = layer.weight.reshape(len(layer.weight), -1, rows.shape[1]).transpose(1, 2)
    return F.conv1d(rows, weight, layer.bias, padding=weight.shape[2] // 2)


def _bands_last(x: Tensor, bands: int) -> Tensor:
    """Rows in the order of their bands -> features first."""
    return x.reshape(bands, len(x) // bands, -1).transpose(0, 1).reshape(x.shape)


def _zero_linear(size: int, outputs: int) -> nn.Linear:
    """Nothing, to begin with."""
    layer = nn.Linear(size, outputs, bias=False)
    nn.init.zeros_(layer.weight)
    return layer


def _check(config: CausalMasksConfig) -> None:
    if config.call_frames < 1:
        raise ValueError("A call has at least one frame.")
    if not 0 <= config.means <= len(MEAN_S):
        raise ValueError(f"There are up to {len(MEAN_S)} running means.")
    if config.audio_channels not in (1, 2):
        raise ValueError("Masks are for mono or stereo.")
    if config.spacing < 1 or config.q < 1:
        raise ValueError("Bands are at least 1 Hz apart, and spacing and q at least 1.")
    if config.window % 2 or config.seen_window % 2:
        raise ValueError("Windows have an even number of samples.")
    if 2 * config.hop_length > config.window or config.hop_length >= config.seen_window:
        raise ValueError(
            f"Windows of {config.window} and {config.seen_window} are too short for a hop of {config.hop_length}."
        )

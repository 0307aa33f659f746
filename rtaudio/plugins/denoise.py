"""The denoiser of voices (thesis chapter 6) as an effect: the network ``denoise-voice``, which works at 16 kHz, at any rate.

The sound goes to 16 kHz, through the network hop by hop, and back. What lies above 8 kHz the network does not hear: that band is the
dry sound minus what came back of it, and gets a gain that follows how much of its neighbour, 3 to 8 kHz, the network kept. A hop takes
the network a burst of a millisecond or more, so the effect runs in a host process.
"""

from __future__ import annotations

import numpy as np

from models.card import ModelCard
from rtaudio.audio.format import Audio, StemplayError
from rtaudio.audio.resample import Resampler, framed_latency
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.delay_line import DelayLine
from rtaudio.protocol.parameters import EFFECTS

MODEL = "denoise-voice"
NEIGHBOUR_HZ = 3000.0
"""From here to 8 kHz the network is watched for the gain of what lies above."""
FALL_S = 0.05
"""Time constant with which that gain falls; it rises at once."""
QUIET_S, REST_S = 0.09, 1.0
"""Seconds of digital silence after which the output is silent too, and after which the network rests."""
ABSURD = 1000.0
"""Samples are limited to this, 60 dB above full scale."""
GLIDE = 512
"""Frames in which the amount moves from 0 to 1."""


class Denoise(Plugin):
    """The built-in effect ``denoise``.

    ``model``: name or directory of an enhancer of one channel whose outputs are voice and noise.
    """

    def __init__(self, model: str = MODEL) -> None:
        effect = EFFECTS["denoise"]
        self.name, self.category, self.parameters = effect.name, effect.category, effect.parameters
        self._values = {p.id: p.default for p in self.parameters}
        self._runtime = ModelRuntime(model)
        _check(self._runtime.card)
        self._latency = 0
        self._ready: Audio
        self._pending: Audio
        self._gain: Audio
        self._late: Audio | None = None
        self._amount = np.float32(0)
        self._silent, self._alike = 0, True

    def prepare(self, rate: int, block: int, channels: int) -> None:
        card = self._runtime.card
        hop, same = card.hop, rate == card.sample_rate
        self._channels, self._hop = channels, hop
        self._networks = [self._runtime, *(self._runtime.sibling() for _ in range(channels - 1))]
        self._down = None if same else Resampler(rate, card.sample_rate, channels)
        self._up = None if same else Resampler(card.sample_rate, rate, 3 * channels)
        window = hop + card.latency
        self._latency = (
            window
            if self._down is None or self._up is None
            else framed_latency(self._down, self._up, hop, hop, card.latency)
        )
        self._line = DelayLine(self._latency, block, channels)
        self._dry = np.zeros((block, channels), np.float32)
        self._steps = np.arange(1, block + 1, dtype=np.float32)[:, None] / GLIDE
        self._quiet, self._rest = (round(seconds * card.sample_rate / hop) for seconds in (QUIET_S, REST_S))
        self._fall = float(np.exp(-hop / (FALL_S * card.sample_rate)))
        self._ramp = np.arange(1, hop + 1, dtype=np.float32)[:, None] / hop
        self._window = np.hanning(hop).astype(np.float32)[:, None]
        self._bins = np.fft.rfftfreq(hop, 1 / card.sample_rate) >= NEIGHBOUR_HZ
        for network in self._networks:
            network.warm_up()
        self.reset()

    def process(self, audio: Audio) -> bool:
        n = len(audio)
        if (
            not np.abs(audio).max(initial=0.0) < ABSURD
        ):  # also if it is not a number, which would stay in the network's state for ever
            np.clip(np.nan_to_num(audio, copy=False, nan=0.0), -ABSURD, ABSURD, out=audio)
        self._line.push(audio)
        dry = self._dry[:n]
        self._line.read(self._latency, dry)
        self._feed(audio)
        count = self._channels
        ready, self._ready = self._ready[:n], self._ready[n:]
        voice, heard, gain = (ready[:, k * count : (k + 1) * count] for k in range(3))
        wanted, air = (np.float32(self._values[id] / 100) for id in ("amount", "air"))
        voice = voice + air * gain * (dry - heard)
        if self._amount != wanted:
            move = self._steps[:n] if wanted > self._amount else -self._steps[:n]
            low, high = sorted((self._amount, wanted))
            amount = np.clip(self._amount + move, low, high)
            self._amount = np.float32(amount[-1, 0])
            audio[...] = dry + amount * (voice - dry)
        else:
            audio[...] = voice if wanted == 1 else dry + wanted * (voice - dry)
        return True

    def _feed(self, audio: Audio) -> None:
        """Take in a block; what comes out of the network is appended to what is ready."""
        inner = audio if self._down is None else self._down.process(audio)
        self._pending = np.concatenate((self._pending, inner), dtype=np.float32)
        made = []
        while len(self._pending) >= self._hop:
            made.append(self._one_hop(self._pending[: self._hop]))
            self._pending = self._pending[self._hop :]
        if made:
            out = np.concatenate(made)
            self._ready = np.concatenate((self._ready, out if self._up is None else self._up.process(out)))

    def _one_hop(self, mix: Audio) -> Audio:
        """``(hop, channels)`` -> ``(hop, 3 * channels)``: voice, what the network heard, and the gain of what lies above."""
        self._silent = 0 if mix.any() else self._silent + 1
        if self._silent > self._rest:
            voice = np.zeros_like(mix)
        else:
            voice = self._voice(mix)
            if self._silent >= self._quiet:
                voice *= 1 - self._ramp if self._silent == self._quiet else np.float32(0)
        # The network may be later than its hop: what it heard is then older than this hop.
        heard = mix
        if self._late is not None:
            both = np.concatenate((self._late, mix))
            heard, self._late = both[: self._hop], both[self._hop :]
        kept, had = (
            np.square(np.abs(np.fft.rfft(x * self._window, axis=0)[self._bins])).sum(axis=0) for x in (voice, heard)
        )
        follows = np.minimum(kept / (had + 1e-9), 1.0).astype(
            np.float32
        )  # of powers: where half is noise, most of what lies above is, too
        before, self._gain = self._gain, np.maximum(follows, self._gain * self._fall)
        gain = before + (self._gain - before) * self._ramp
        return np.concatenate((voice, heard, gain), axis=1, dtype=np.float32)

    def _voice(self, mix: Audio) -> Audio:
        """The voice in each channel. While all channels are the same, as of one microphone, one network does for all."""
        if self._alike and not (mix == mix[:, :1]).all():
            self._alike, state = False, self._networks[0].get_state()
            for network in self._networks[1:]:
                network.set_state(state)
        used = self._networks[:1] if self._alike else self._networks
        voices = []
        for channel, network in enumerate(used):
            voice = network.run(mix[:, channel : channel + 1])[:, 0]
            if not np.isfinite(voice).all():  # an absurd input: start again rather than stay broken
                network.reset()
                voice = np.zeros_like(voice)
            voices.append(voice)
        return np.repeat(voices[0], self._channels, axis=1) if self._alike else np.concatenate(voices, axis=1)

    def reset(self) -> None:
        for network in self._networks:
            network.reset()
        for converter in (self._down, self._up):
            if converter is not None:
                converter.reset()
        late = self._runtime.card.latency
        self._line.clear()
        self._pending = np.zeros((0, self._channels), np.float32)
        self._ready = np.zeros((self._latency, 3 * self._channels), np.float32)
        self._late = np.zeros((late, self._channels), np.float32) if late else None
        self._gain = np.zeros(self._channels, np.float32)
        self._alike, self._silent = True, 0
        self._amount = np.float32(self._values["amount"] / 100)

    @property
    def latency(self) -> int:
        return self._latency

    def set(self, id: str, value: float) -> None:
        self._values[id] = self.parameter(id).check(value)

    def get(self, id: str) -> float:
        self.parameter(id)
        return self._values[id]


def _check(card: ModelCard) -> None:
    """Raise StemplayError if the model is no denoiser of one channel."""
    if card.kind != "enhancer" or card.channels != 1 or card.outputs != ("voice", "noise") or not card.states:
        raise StemplayError(
            f"The model {card.name!r} is no live denoiser of one channel with the outputs voice and noise."
        )

"""Stems refined by their own spectra: exact whatever the blocks, as late as it says, still the mix in all, and better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import Audio, StemplayError, StreamFormat
from rtaudio.cli.main import main
from rtaudio.files.offline import separate_array
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.jobs.expected import measures
from rtaudio.processors.factory import make_processor, make_separator, refined_for_files
from rtaudio.processors.frame_model import FrameModel
from rtaudio.processors.refine import Refined, window_size
from rtaudio.processors.refine_graph import analysis_window, tap_weights
from rtaudio.processors.separator import SeparatorProcessor
from rtaudio.protocol.checks import check_config
from rtaudio.protocol.settings import EngineConfig
from tests.jack import ROOT

RATE = 44_100


class Leaky:
    """A FrameModel of two stems: each channel's sound belongs to one of them, and each stem has some of the other's."""

    name, rate, channels, outputs, shares = "leaky", RATE, 2, ("left", "right"), ()
    hop = window = 256

    def __init__(self, delay: int = 0, leak: float = 0.2) -> None:
        self.delay, self.leak = delay, leak
        self.past = np.zeros((delay, 2), np.float32)

    def run(self, mix: Audio) -> Audio:
        sound = np.concatenate((self.past, mix))
        now, self.past = sound[: len(mix)], sound[len(mix) :]
        stems = np.zeros((len(now), 2, 2), np.float32)
        for k in (0, 1):
            stems[:, k, k] = now[:, k] * (1 - self.leak)
            stems[:, k, 1 - k] = now[:, 1 - k] * self.leak
        return stems

    def reset(self) -> None:
        self.past = np.zeros((self.delay, 2), np.float32)

    def get_state(self) -> dict[str, Audio]:
        return {"past": self.past.copy()}

    def set_state(self, state: dict[str, Audio]) -> None:
        self.past = state["past"].copy()

    def warm_up(self) -> None: ...


def sound(seconds: float = 1.0) -> Audio:
    """Chords on the left, others on the right, over a little noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    both = [sum(np.sin(2 * np.pi * f * time) for f in chord) for chord in ((220, 440, 880), (311, 622, 1244))]
    noise = np.random.default_rng(0).normal(0, 0.003, (len(time), 2))
    return (0.1 * np.stack(both, axis=1) + noise).astype(np.float32)


def played(processor: SeparatorProcessor, mix: Audio, blocks: list[int], rate: int = RATE) -> Audio:
    processor.prepare(StreamFormat(rate, mix.shape[1], max(blocks)))
    parts, start, n = [], 0, 0
    while start < len(mix):
        parts.append(processor.process(mix[start : start + blocks[n % len(blocks)]]))
        start, n = start + blocks[n % len(blocks)], n + 1
    return np.concatenate((*parts, processor.flush()))[processor.latency :]


def error_db(stems: Audio, mix: Audio) -> float:
    truth = np.zeros_like(stems)
    for k in (0, 1):
        truth[:, k, k] = mix[:, k]
    steady = slice(RATE // 4, -RATE // 4)
    return float(10 * np.log10(np.mean((stems - truth)[steady] ** 2) / np.mean(truth[steady] ** 2)))


@pytest.mark.parametrize(("hops", "look_ahead"), [(1, 300), (1, 768), (4, 2048)])
@pytest.mark.parametrize("delay", [0, 100])
def test_leaks_fade_and_the_stems_still_sum_to_the_mix_at_the_declared_delay(
    delay: int, hops: int, look_ahead: int
) -> None:
    mix = sound()
    refined = Refined(Leaky(delay), look_ahead, hops=hops)
    assert refined.delay == delay + look_ahead and refined.hop == 256 * hops
    stems = played(make_separator(refined), mix, [1000])
    assert np.abs(stems.sum(axis=1) - mix).max() < 1e-5
    plain = played(make_separator(Leaky(delay)), mix, [1000])
    assert error_db(stems, mix) < error_db(plain, mix) - 3
    assert (
        error_db(played(make_separator(Refined(Leaky(delay), look_ahead, hops=hops, share=1.0)), mix, [999]), mix)
        < -20
    )


def by_definition(refined: Refined, mix: Audio, stems: Audio, share: Audio) -> Audio:
    """What ``Refined`` is to be, in float64 and one convolution a source: the whole signals ``(frames, channels)`` and
    ``(frames, n_sources, channels)``, of a model without delay whose stems sum to the mix -> the stems, ``look_ahead`` late."""
    ahead, hop, size = refined.delay, refined.hop, window_size(RATE)
    past = np.zeros((size, *stems.shape[1:]))
    padded, sound = np.concatenate((past, stems)), np.concatenate((past[:, 0], mix)).astype(np.float64)
    result, before = np.zeros(stems.shape), None
    for start in range(0, len(mix), hop):
        end = size + start + hop  # of this hop, in the padded signals
        spectra = np.fft.rfft(padded[end - size : end] * analysis_window(size, hop, ahead)[:, None, None], axis=0)
        powers = (np.abs(spectra) ** 2).sum(axis=2) + 1e-9
        response = np.fft.irfft(powers / powers.sum(axis=1, keepdims=True), n=size, axis=0)
        taps = np.concatenate((response[size - ahead :], response[: size // 2])) * tap_weights(size // 2, ahead)[:, None]
        before = taps if before is None else before
        piece = np.zeros((hop, *stems.shape[1:]))
        fade = ((np.arange(hop) + 0.5) / hop)[:, None]
        for k in range(stems.shape[1] - 1):
            heard = sound[end - hop - len(taps) + 1 : end]
            old, new = (
                np.stack([np.convolve(heard[:, c], t[:, k], "valid") for c in range(mix.shape[1])], axis=1) for t in (before, taps)
            )
            piece[:, k] = old + fade * (new - old)
        late = slice(end - hop - ahead, end - ahead)
        piece[:, -1] = sound[late] - piece[:, :-1].sum(axis=1)
        plain = padded[late]
        result[start : start + hop] = plain + share[:, None] * (piece - plain)
        before = taps
    return result


@pytest.mark.parametrize(
    ("hop", "hops", "look_ahead"),
    [(256, 1, 300), (256, 1, 767), (256, 4, 2048), (256, 1, 1), (300, 1, 768), (307, 1, 100), (4096, 1, 2048), (6000, 1, 48)],
)  # fmt: skip
def test_it_is_the_filter_that_its_definition_says(hop: int, hops: int, look_ahead: int) -> None:
    """For hops of any size: even and odd, primes, as long as a window and longer."""
    model = Leaky()
    model.hop = model.window = hop
    mix = sound(1.0)[: max(3, 10240 // (hop * hops)) * hop * hops]
    stems = model.run(mix)
    stems *= 1 + 0.3 * np.sin(np.arange(len(mix)) / 700)[:, None, None].astype(np.float32)
    stems += (mix[:, None] - stems.sum(axis=1, keepdims=True)) / 2
    model.run = lambda part: stems[_taken(counter, len(part))]  # type: ignore[method-assign]
    counter = [0]
    share = np.array([0.7, 0.4])
    refined = Refined(model, look_ahead, hops=hops, share=(0.7, 0.4))
    ours = np.concatenate([refined.run(part) for part in np.split(mix, len(mix) // refined.hop)])
    assert np.abs(ours - by_definition(refined, mix, stems, share)).max() < 1e-5 * np.abs(mix).max()


def test_many_channels_and_stems_are_refined_each_by_its_own_share() -> None:
    """Of a model with a delay, three stems, and one or five channels: every channel is what it would be if it were part of a pair."""
    rng = np.random.default_rng(1)
    for channels in (1, 5):
        mix = rng.normal(0, 0.1, (20 * 256, channels)).astype(np.float32)
        stems = (mix[:, None] * np.array([0.5, 0.3, 0.2], np.float32)[:, None]).astype(np.float32)
        model = Leaky()
        model.channels, model.outputs, model.shares = channels, ("a", "b", "c"), (0.2, 0.3, 0.5)  # type: ignore[misc,assignment]
        model.run = lambda part, stems=stems, counter=[0]: stems[_taken(counter, len(part))]  # type: ignore[method-assign,misc]
        refined = Refined(model, 500, share=(1.0, 0.5, 0.0))
        ours = np.concatenate([refined.run(part) for part in np.split(mix, 20)])
        expected = by_definition(refined, mix, stems, np.array([1.0, 0.5, 0.0]))
        assert np.abs(ours - expected).max() < 1e-5 * np.abs(mix).max()
        assert np.array_equal(ours[500:, 2], stems[:-500, 2]), "a share of nothing changes nothing"


def test_denormal_and_absurd_numbers_do_not_stay() -> None:
    """A hop that is not finite spoils what it touches; after a reset all is as before it."""
    refined, mix = Refined(Leaky(), 768), sound(0.1)[: 16 * 256]
    first = [refined.run(part) for part in np.split(mix, 16)]
    with np.errstate(all="ignore"):
        refined.run(np.full((256, 2), np.inf, np.float32))
    refined.reset()
    again = [refined.run(part) for part in np.split(mix, 16)]
    assert np.array_equal(np.concatenate(first), np.concatenate(again))


def _taken(counter: list[int], count: int) -> slice:
    counter[0] += count
    return slice(counter[0] - count, counter[0])


def test_any_blocks_give_the_same_and_silence_stays_silent() -> None:
    mix = sound(0.4)
    whole = played(make_separator(Refined(Leaky(), 768)), mix, [len(mix)])
    for blocks in ([256], [1, 700, 33], [5000]):
        assert np.abs(played(make_separator(Refined(Leaky(), 768)), mix, blocks) - whole).max() < 1e-5
    assert not played(make_separator(Refined(Leaky(), 768)), np.zeros_like(mix), [512]).any()


def test_an_impulse_comes_out_where_the_latency_says() -> None:
    processor = make_separator(Refined(Leaky(), 768))
    processor.prepare(StreamFormat(RATE, 2, 64))
    impulse = np.zeros((8192, 2), np.float32)
    impulse[3000] = 1
    out = np.concatenate([processor.process(part) for part in np.split(impulse, 128)]).sum(axis=1)
    assert np.argmax(np.abs(out[:, 0])) == 3000 + processor.latency
    assert processor.latency == 256 + 768
    processor.align(256)
    assert processor.latency == 768


def test_a_saved_state_goes_on_exactly() -> None:
    mix, processor = sound(0.5), make_separator(Refined(Leaky(100), 768))
    processor.prepare(StreamFormat(RATE, 2, 512))
    processor.process(mix[:9000])
    state = processor.save_state()
    first = processor.process(mix[9000:15000])
    processor.process(mix[:7000])
    processor.restore_state(state)
    assert np.array_equal(processor.process(mix[9000:15000]), first)


def test_hops_meet_without_a_step() -> None:
    """Second differences at the borders of hops are those of anywhere else."""
    mix = sound()
    for hops in (1, 4):
        refined = Refined(Leaky(), 768, hops=hops, share=1.0)
        stem = played(make_separator(refined), mix, [4096])[RATE // 4 : -RATE // 4, 0, 0].astype(np.float64)
        second = np.abs(np.diff(stem, 2))
        offset = (-(RATE // 4) - 1) % 256
        borders = np.mean([second[offset + d :: 256].mean() for d in (-1, 0)])
        assert borders < 1.2 * second.mean()


def test_what_cannot_be_refined_is_refused_and_for_files_left_alone() -> None:
    inner: FrameModel = Leaky()
    with pytest.raises(StemplayError, match="at most 46 ms"):
        Refined(inner, 2049)
    chunked = Leaky()
    chunked.window = 512
    alone = Leaky()
    alone.outputs = ("left",)  # type: ignore[assignment]
    with pytest.raises(StemplayError, match="single stem"):
        Refined(alone, 100)
    with pytest.raises(StemplayError, match="chunks"):
        Refined(chunked, 100)
    assert refined_for_files(chunked) is chunked
    for config, reason in (
        (EngineConfig(look_ahead=50.0), "choose 0 to 46"),
        (EngineConfig(look_ahead=-1.0), "choose 0 to 46"),
        (EngineConfig(look_ahead=float("nan")), "look.ahead"),
        (EngineConfig(look_ahead=10.0, model="none"), "no stems"),
    ):
        with pytest.raises(StemplayError, match=reason):
            check_config(config)


def test_the_shipped_separator_refines_live_and_files(tmp_path: Path) -> None:
    """The engine's processor, the expected latency and the files of `separate` agree on what it does."""
    processor, expected = make_processor("demucs-live", look_ahead_ms=17.4), measures("demucs-live", 17.4)
    for each in (processor, expected):
        each.prepare(StreamFormat(RATE, 2, 256))
        each.align(256)
    assert processor.latency == expected.latency == round(0.0174 * RATE)
    mix, _ = soundfile.read(ROOT / "demo" / "kimseye.ogg", frames=RATE, dtype="float32", always_2d=True)
    song = tmp_path / "song.wav"
    soundfile.write(song, mix, RATE, subtype="FLOAT")
    runtime = ModelRuntime("demucs-live")
    for arguments, refine in (([], True), (["--no-refine"], False)):
        stems = separate_array(mix, RATE, runtime, refine=refine)
        folder = tmp_path / f"{refine}"
        assert main(["separate", str(song), "-o", str(folder), "--quiet", *arguments]) == 0
        written, _ = soundfile.read(folder / "vocals.wav", dtype="float32", always_2d=True)
        assert np.abs(written - stems[:, 3]).max() < 1e-6
        assert np.abs(stems.sum(axis=1) - mix).max() < 1e-5
    assert np.abs(stems - separate_array(mix, RATE, runtime, refine=True)).max() > 1e-3

"""Weights of the public packages: with the same random weights our networks give what theirs give, offline, streamed and played."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors import safe_open

from models.aligned import AlignedDemucs, AlignedDemucsConfig
from models.card import read_card
from rtaudio.audio.format import StemplayError, StreamFormat
from rtaudio.files.offline import separate_array
from rtaudio.processors.factory import make_separator
from training.cli import main
from training.runs import import_demucs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from demucs.demucs import Demucs as PublicDemucs
    from denoiser.demucs import Demucs as PublicDenoiser

GOLDEN = Path(__file__).parents[1] / "golden"


def public_denoiser(**sizes: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    return PublicDenoiser(**{"hidden": 6, "depth": 3, **sizes}).eval()


def public_demucs(**sizes: Any) -> torch.nn.Module:
    """The package's class with the layers of versions 1 and 2 only."""
    torch.manual_seed(0)
    old = {"dconv_mode": 0, "norm_starts": 99, "gelu": False, "lstm_layers": 2, "context": 0, "resample": True}
    sizes = {"channels": 6, "depth": 3, **old, **sizes}
    return PublicDemucs(["drums", "bass", "other", "vocals"], **sizes).eval()


DENOISERS = [
    {},
    {"resample": 1},
    {"resample": 2, "depth": 4},
    {"depth": 4, "max_hidden": 10, "glu": False, "hidden": 5},
]


@pytest.mark.parametrize("sizes", DENOISERS)
@pytest.mark.parametrize("normalize", [True, False])
def test_a_denoiser_of_the_package_and_ours_agree_offline(sizes: dict[str, Any], normalize: bool) -> None:
    theirs = public_denoiser(normalize=normalize, **sizes)
    ours = import_demucs.denoiser(theirs.state_dict(), resample=sizes.get("resample", 4))
    object.__setattr__(ours.config, "normalize", normalize)
    for time in (1, 500, 3001):
        mix = 0.3 * torch.randn(2, 1, max(time, 2))
        with torch.no_grad():
            made = ours.offline(mix)
            assert (made[:, 0] - theirs(mix)).abs().max() < 1e-5
        assert (made.sum(dim=1) - mix).abs().max() < 1e-6


@pytest.mark.parametrize("sizes", DENOISERS)
def test_our_stream_of_a_denoiser_is_the_packages_whole(sizes: dict[str, Any]) -> None:
    """Without normalisation, whose statistics of the whole no stream has. A stream goes on: silence follows the sound."""
    theirs = public_denoiser(normalize=False, **sizes)
    found = import_demucs.denoiser(theirs.state_dict(), resample=sizes.get("resample", 4)).config
    ours = AlignedDemucs(AlignedDemucsConfig(**{**found.to_dict(), "sources": found.sources, "normalize": False}))
    ours.load_state_dict(import_demucs.denoiser(theirs.state_dict(), resample=found.resample).state_dict())
    mix = 0.3 * torch.randn(1, 1, 64 * ours.hop)
    longer = torch.nn.functional.pad(
        mix, (0, 4 * ours.valid_length(1) + ours.latency // ours.hop * ours.hop + ours.hop)
    )
    longer = longer[..., : longer.shape[-1] // ours.hop * ours.hop]
    with torch.no_grad():
        whole = theirs(longer)[..., : mix.shape[-1]]
        for hops in ([1], [3, 1, 2]):
            state, parts, start, n = ours.initial_state(), [], 0, 0
            while start < longer.shape[-1]:
                stop = start + hops[n % len(hops)] * ours.hop
                stems, state = ours.step(longer[..., start:stop], state)
                parts.append(stems)
                start, n = stop, n + 1
            live = torch.cat(parts, dim=-1)[:, 0, :, ours.latency :][..., : mix.shape[-1]]
            assert (live - whole).abs().max() < 1e-5
    assert whole.std() > 1e-4


def test_the_declared_latency_of_the_official_sizes() -> None:
    """37.3 ms are the span of a frame; exact resampling and whole calls of 16 ms make it 53.2 ms."""
    with torch.device("meta"):
        network = AlignedDemucs(AlignedDemucsConfig(rescale=0.0))
    assert sum(weight.numel() for weight in network.parameters()) == 18_867_937
    assert (network.hop, network.valid_length(1), network.hop + network.latency) == (256, 597, 851)


@pytest.mark.parametrize(
    "sizes",
    [{}, {"resample": False}, {"context": 1, "resample": False}, {"glu": False, "depth": 4}, {"audio_channels": 1}],
)
def test_a_demucs_of_the_package_and_ours_agree(sizes: dict[str, Any]) -> None:
    theirs = public_demucs(normalize=True, **sizes)
    state = theirs.state_dict()
    if sizes.get("context") != 1:  # as versions 1 and 2 numbered them
        state = {re.sub(r"(coder\.\d+)\.3\.", r"\1.2.", name): x for name, x in state.items()}
    ours = import_demucs.demucs(
        state, resample=2 if sizes.get("resample", True) else 1, padded=sizes.get("context") == 1
    )
    for time in (2000, 5000):
        mix = 0.3 * torch.randn(2, sizes.get("audio_channels", 2), time)
        with torch.no_grad():
            assert (ours(mix) - theirs(mix)).abs().max() < (
                1e-4 if time < 1000 else 1e-5
            )  # n against n - 1 in the deviation


@pytest.mark.parametrize(("name", "resample"), [("plain", 2), ("relu", 1)])
def test_version_2_of_demucs_gives_what_it_gave(name: str, resample: int) -> None:
    """Its class needs packages that must be compiled, so its weights, input and output of release 2.0.3 are kept in a file, which tells
    how they were made: context without padding, as in the thesis."""
    with safe_open(str(GOLDEN / "demucs-2.0.3.safetensors"), "pt") as file:
        kept = {key.removeprefix(f"{name}."): file.get_tensor(key) for key in file.keys() if key.startswith(name)}  # noqa: SIM118
    state = {key.removeprefix("state."): value for key, value in kept.items() if key.startswith("state.")}
    ours = import_demucs.demucs(state, resample=resample, normalize=False)
    assert (ours.config.decoder_context, ours.config.decoder_padding) == (3, False)
    with torch.no_grad():
        assert (ours(kept["mix"]) - kept["stems"]).abs().max() < 1e-6 < kept["stems"].abs().max()


def test_a_saved_denoiser_is_imported_and_plays_as_two_strips(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(public_denoiser().state_dict(), tmp_path / "dns.th")
    assert main(["import-weights", "denoiser", str(tmp_path / "dns.th"), "-o", str(tmp_path / "model")]) == 0
    assert "hop by hop" in capsys.readouterr().out
    card = read_card(tmp_path / "model")
    assert (card.kind, card.hop, card.outputs, card.shares) == ("enhancer", 16, ("voice", "noise"), (0.0, 1.0))
    ours = import_demucs.denoiser(public_denoiser().state_dict())
    assert card.latency == ours.latency
    mix = (0.1 * np.random.default_rng(0).standard_normal((4000, 1))).astype(np.float32)
    with torch.no_grad():
        expected = ours(torch.from_numpy(mix.T.copy())[None])[0].permute(2, 0, 1).numpy()
    stems = separate_array(mix, 16_000, tmp_path / "model")
    assert np.abs(stems - expected).max() < 1e-5 and np.abs(stems.sum(axis=1) - mix).max() < 1e-6
    processor = make_separator(tmp_path / "model")
    processor.prepare(StreamFormat(16_000, 1, 256))
    assert processor.latency == card.hop + card.latency


def test_a_saved_demucs_is_imported_as_chunks_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = public_demucs()
    torch.save({"state": theirs.state_dict()}, tmp_path / "demucs.th")
    command = ["import-weights", "demucs", str(tmp_path / "demucs.th"), "-o", str(tmp_path / "model")]
    assert main([*command, "--chunk-seconds", "0.1", "--licence", "as stated"]) == 0
    assert "in chunks" in capsys.readouterr().out
    card = read_card(tmp_path / "model")
    assert (card.kind, card.hop, card.states, card.licence) == ("separator", 4410, (), "as stated")
    assert "only in overlapping chunks" in card.description and "a latency of 175 ms" in card.description
    chunk = 0.1 * torch.randn(1, 2, 4410)
    soundfile.write(tmp_path / "song.wav", chunk[0, :, :3000].T.numpy(), 44_100, subtype="FLOAT")
    chunk[..., 3000:] = 0
    with torch.no_grad():
        expected = import_demucs.demucs(theirs.state_dict())(chunk)[0].permute(2, 0, 1).numpy()
    stems = separate_array(chunk[0, :, :3000].T.numpy(), 44_100, tmp_path / "model", consistent=False)
    assert np.abs(stems - expected[:3000]).max() < 1e-5


def test_what_cannot_be_used_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"klass": PublicDenoiser, "state": {}}, tmp_path / "package.th")
    (tmp_path / "text.th").write_text("no tensors")
    torch.save({"a": 1}, tmp_path / "numbers.th")
    torch.save(public_denoiser(causal=False).state_dict(), tmp_path / "both.th")
    torch.save(public_demucs().state_dict(), tmp_path / "demucs.th")
    torch.save(public_denoiser().state_dict(), tmp_path / "denoiser.th")
    torch.save(public_demucs(dconv_mode=1).state_dict(), tmp_path / "newer.th")
    for package, file, sentence in (
        ("denoiser", "package.th", "not contain a plain state dict"),
        ("demucs", "text.th", "not contain a plain state dict"),
        ("demucs", "missing.th", "no file"),
        ("demucs", "numbers.th", "tensors by name"),
        ("denoiser", "both.th", "bidirectional"),
        ("denoiser", "demucs.th", "bidirectional"),
        ("demucs", "denoiser.th", "have 1 output channels"),
        ("demucs", "newer.th", "Demucs"),
    ):
        assert main(["import-weights", package, str(tmp_path / file), "-o", str(tmp_path / "out")]) == 2
        error = capsys.readouterr().err
        assert sentence in error and error.count("\n") == 1, (file, error)
    with pytest.raises(StemplayError, match="does not fit the sources"):
        import_demucs.demucs(public_demucs().state_dict(), sources=("voice", "rest"))

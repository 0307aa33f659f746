"""The thesis' Demucs and the causal one: sizes, lengths, equivariance, causality, streaming (DMX-01..16, -28; RT-02)."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from models.demucs import CausalDemucs, CausalDemucsConfig, Demucs, DemucsConfig, EncoderBlock
from models.equivariance import equivariance_error, stabilized
from models.rescale import CONVOLUTIONS


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 648_548_208),
        ({"decoder_activation": "relu"}, 607_591_908),
        ({"lstm_layers": 0}, 648_548_208 - 430_185_600),
        ({"channels": 64}, 265_679_496),
        ({"channels": 80}, 415_094_568),
    ],
)
def test_parameter_counts_of_the_thesis(options: dict[str, object], parameters: int) -> None:
    with torch.device("meta"):
        net = Demucs(DemucsConfig(rescale=0, **options))  # type: ignore[arg-type]
    assert count(net) == parameters


def test_size_is_the_printed_one_in_gibibytes() -> None:
    assert math.isclose(648_548_208 * 4 / 2**30, 2.416, abs_tol=1e-3)


def test_encoder_channels_double_to_3200() -> None:
    assert DemucsConfig().widths == [2, 100, 200, 400, 800, 1600, 3200]


def test_options_of_the_ablation_change_the_count_as_computed() -> None:
    base = DemucsConfig(channels=8, depth=3)
    widths = base.widths[1:]
    relu = DemucsConfig(channels=8, depth=3, encoder_activation="relu")
    assert count(Demucs(base)) - count(Demucs(relu)) == sum(c * c + c for c in widths)
    plain = DemucsConfig(channels=8, depth=3, encoder_mix=False)
    assert count(Demucs(base)) - count(Demucs(plain)) == sum(2 * c * c + 2 * c for c in widths)
    context = DemucsConfig(channels=8, depth=3, decoder_context=1)
    assert count(Demucs(base)) - count(Demucs(context)) == sum(2 * 2 * c * c for c in widths)


def test_valid_lengths() -> None:
    net = Demucs(DemucsConfig(channels=2))
    assert [net.valid_length(n) for n in (441_000, 352_800, 1)] == [451_924, 365_908, 17_748]
    assert Demucs(DemucsConfig(channels=2, decoder_context=1)).valid_length(1) == 9_556
    for depth, span in ((3, 148), (4, 596), (5, 2388)):
        assert Demucs(DemucsConfig(channels=2, depth=depth, decoder_context=1)).valid_length(1) == span


@pytest.mark.parametrize("length", [1, 1000, 44_100, 100_003])
def test_any_length_comes_back(length: int) -> None:
    net = Demucs(DemucsConfig(channels=2, lstm_layers=1))
    assert net(torch.randn(1, 2, length)).shape == (1, 4, 2, length)


def test_an_identity_weighted_network_shifts_nothing() -> None:
    """Skips alone carry an impulse: its strongest response stays where it was."""
    config = DemucsConfig(
        channels=4, depth=1, decoder_context=1, lstm_layers=0, encoder_mix=False, rescale=0, normalize=False
    )
    net = Demucs(config)
    with torch.no_grad():
        for p in net.parameters():
            p.zero_()
        encoder, decoder = net.encoder[0], net.decoder[0]
        encoder.conv.weight[:, 0, 4] = 1.0
        decoder.conv.weight[:4, :, 0] = torch.eye(4)
        decoder.conv.bias[4:] = 20.0
        decoder.up.weight[0, 0, 4] = 1.0
    x = torch.zeros(1, 2, 400)
    padding = net.valid_length(400) - 400
    at = 200 - padding // 2
    x[0, 0, at] = 1.0
    assert int(net(x)[0, 0, 0].argmax()) == at


def test_sources_are_the_outer_index_of_the_last_layers_channels() -> None:
    net = CausalDemucs(CausalDemucsConfig(channels=4, depth=2))
    flat = torch.arange(8.0).expand(1, 3, 8)
    split = net.split_sources(flat)
    assert [split[0, s, c, 0].item() for s in range(4) for c in range(2)] == list(range(8))


def test_last_layer_has_no_activation_and_no_norm_is_inside() -> None:
    net = Demucs(DemucsConfig(channels=8, depth=3))
    y = net(torch.randn(1, 2, 5000))
    assert y.min() < 0 < y.max()
    assert not [m for m in net.modules() if "Norm" in type(m).__name__]


def test_gated_blocks_multiply_the_first_half_with_the_sigmoid_of_the_second() -> None:
    block = EncoderBlock(DemucsConfig(), 2, 3)
    x = torch.randn(1, 20, 3)
    assert block.mix is not None
    first, second = block.mix.valid(x.relu()).split(3, dim=2)
    torch.testing.assert_close(block.finish(x), first * torch.sigmoid(second))


def test_skips_carry_gradient_when_the_deep_path_is_cut() -> None:
    net = Demucs(DemucsConfig(channels=4, depth=2))
    with torch.no_grad():
        for p in net.decoder[1].parameters():
            p.zero_()
    net(torch.randn(1, 2, 2000)).square().sum().backward()
    assert net.encoder[0].conv.weight.grad.abs().sum() > 0  # type: ignore[union-attr, operator]


def test_normalisation_makes_the_offline_network_scale_equivariant() -> None:
    net = Demucs(DemucsConfig(channels=4, depth=2))
    x = torch.randn(1, 2, 4000)
    torch.testing.assert_close(net(3 * x), 3 * net(x), atol=2e-4, rtol=1e-3)


def test_silence_is_not_a_fixed_point_unlike_masking() -> None:
    assert CausalDemucs(CausalDemucsConfig(channels=4))(torch.zeros(1, 2, 1024)).abs().max() > 0


def test_rescaled_weights_have_the_geometric_mean_of_the_stds() -> None:
    torch.manual_seed(0)
    plain = Demucs(DemucsConfig(channels=16, depth=4, rescale=0))
    torch.manual_seed(0)
    scaled = Demucs(DemucsConfig(channels=16, depth=4))
    checked = 0
    for old, new in zip(plain.modules(), scaled.modules(), strict=True):
        if isinstance(old, CONVOLUTIONS):
            target = (0.1 * old.weight.std()).sqrt()
            assert abs(new.weight.std() - target) / target < 1e-5  # type: ignore[operator, union-attr]
            checked += 1
        if isinstance(old, nn.LSTM):
            assert torch.equal(old.weight_ih_l0, new.weight_ih_l0)  # type: ignore[arg-type, union-attr]
    assert checked == 16


def encoder_spread(rescale: float) -> float:
    torch.manual_seed(1)
    net = Demucs(DemucsConfig(channels=48, rescale=rescale, lstm_layers=0, normalize=False))
    spectrum = torch.fft.rfft(torch.randn(1, 2, 1 << 16))
    pink = torch.fft.irfft(spectrum / torch.arange(1, spectrum.shape[-1] + 1).sqrt())
    x = (pink / pink.std()).transpose(1, 2)
    stds = []
    with torch.no_grad():
        for block in net.encoder:
            x = block.finish(block.conv.valid(x))
            stds.append(x.std().item())
    return stds[0] / stds[-1]


def test_rescaling_keeps_features_of_one_order() -> None:
    assert encoder_spread(0) > 8
    assert encoder_spread(0.1) < 5


def test_stabilization_averages_and_leaves_equivariant_models_alone() -> None:
    def equivariant(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x, -x], dim=1)

    x = torch.randn(1, 2, 3000)
    torch.testing.assert_close(stabilized(equivariant, x, 5), equivariant(x))
    torch.manual_seed(0)
    net = Demucs(DemucsConfig(channels=4, depth=4, normalize=False)).eval()
    x = torch.randn(1, 2, 6000)
    generator = torch.Generator().manual_seed(1)
    exact = torch.stack([stabilized(net, x, 1, 256, generator) for _ in range(128)]).mean(0)

    def error(n: int) -> float:
        trials = [stabilized(net, x, n, 256, generator) for _ in range(4)]
        return sum(float((t - exact).norm() / exact.norm()) for t in trials) / len(trials)

    assert error(16) < 0.5 * error(1)
    with pytest.raises(ValueError, match="without replacement"):
        stabilized(net, x, 10, 5)


def test_equivariance_holds_for_multiples_of_the_stride_only() -> None:
    torch.manual_seed(0)
    net = CausalDemucs(CausalDemucsConfig(channels=4, depth=4, lstm_layers=0)).eval()
    x = torch.randn(1, 2, 16_384)
    assert equivariance_error(net, x, 256, 4096) < 1e-5
    assert equivariance_error(net, x, 1, 4096) > 0.05
    assert equivariance_error(net, x, 17, 4096) > 0.05


@pytest.mark.parametrize("options", [{}, {"decoder_context": 1}, {"lstm_layers": 0}, {"max_channels": 16, "depth": 3}])
def test_causal_streaming_equals_offline(options: dict[str, int]) -> None:
    net = CausalDemucs(CausalDemucsConfig(**{"channels": 8, "depth": 2, **options})).double()  # type: ignore[arg-type]
    hop = net.hop
    x = torch.randn(2, 2, hop * 50, dtype=torch.float64)
    offline = net(x)
    state, parts = net.initial_state(2), []
    for part in x.split([hop, 5 * hop, hop, 23 * hop, 20 * hop], dim=2):
        y, state = net.step(part, state)
        parts.append(y)
    assert (torch.cat(parts, 3) - offline).abs().max() < 1e-10


def test_causal_output_ignores_the_future_beyond_its_hop() -> None:
    net = CausalDemucs(CausalDemucsConfig(channels=8))
    x = torch.randn(1, 2, 256 * 20)
    changed = x.clone()
    changed[..., 256 * 10 :] = 0
    assert torch.equal(net(x)[..., : 256 * 10], net(changed)[..., : 256 * 10])


def test_causal_lengths_between_hops_are_padded_and_trimmed() -> None:
    net = CausalDemucs(CausalDemucsConfig(channels=8))
    x = torch.randn(1, 2, 1000)
    assert net(x).shape == (1, 4, 2, 1000)
    with pytest.raises(ValueError, match="multiple of the hop"):
        net.step(x, net.initial_state())


def test_a_causal_network_refuses_normalisation_by_the_whole_song() -> None:
    with pytest.raises(ValueError, match="normalise"):
        CausalDemucs(CausalDemucsConfig(normalize=True))


def test_state_has_names_and_goes_round() -> None:
    net = CausalDemucs(CausalDemucsConfig(channels=4, depth=2, decoder_context=1))
    _, state = net.step(torch.randn(1, 2, 64), net.initial_state())
    named = state.named()
    assert not [name for name in named if name.startswith("context")]  # a kernel of 1 has none
    again = net.initial_state().replaced(named)
    x = torch.randn(1, 2, 32)
    assert torch.equal(net.step(x, state)[0], net.step(x, again)[0])


@pytest.mark.parametrize("config", [DemucsConfig(channels=8), CausalDemucsConfig(max_channels=512)])
def test_configs_go_round_through_plain_values(config: DemucsConfig) -> None:
    assert type(config).from_dict(config.to_dict()) == config

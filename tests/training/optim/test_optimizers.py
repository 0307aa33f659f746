"""Muon: orthogonal updates, the same weights for Adam's part, and runs that resume."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.demucs import CausalDemucsConfig
from models.hybrid import HybridDemucsConfig
from models.network import SeparatorConfig
from models.registry import make_network
from training.cli import main
from training.optim.optimizers import Muon, make_optimizer, orthogonalised
from training.separation.recipe import Recipe

SMALL = CausalDemucsConfig(channels=4, depth=2)


@pytest.mark.parametrize("shape", [(32, 128), (128, 32), (4, 16, 64)])
def test_orthogonalised_matrices_keep_their_directions_and_have_singular_values_about_one(
    shape: tuple[int, ...],
) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    result = orthogonalised(matrix).float()
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.5 and values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    assert torch.nn.functional.cosine_similarity(result.flatten(), (left @ right).flatten(), dim=0) > 0.95


@pytest.mark.parametrize("config", [SMALL, HybridDemucsConfig().tiny()])
def test_vectors_and_layers_at_the_samples_move_as_by_adam(config: SeparatorConfig) -> None:
    torch.manual_seed(0)
    networks = [make_network(config), make_network(config)]
    networks[1].load_state_dict(networks[0].state_dict())
    mix = torch.randn(1, 2, 20 * config.hop)
    for network, name in zip(networks, ("adam", "muon"), strict=True):
        optimizer = make_optimizer(name, network, 1e-3)
        network(mix).square().mean().backward()
        optimizer.step()
    by_adam, by_muon = (network.state_dict() for network in networks)
    for name, weight in by_adam.items():
        plain = weight.ndim < 2 or name.removeprefix("waves.").startswith(("encoder.0.conv.", "decoder.0.up."))
        assert torch.allclose(weight, by_muon[name], atol=1e-7) == plain, name


def test_updates_have_about_the_size_of_adams() -> None:
    """So that one learning rate serves both (0.2 of it in root mean square; Liu et al. 2025)."""
    torch.manual_seed(0)
    for shape in ((64, 256), (256, 64, 3), (64, 64)):
        weight = torch.nn.Parameter(torch.zeros(shape))
        optimizer = Muon([("layer.weight", weight)], 1e-2)
        weight.grad = torch.randn(shape)
        optimizer.step()
        assert 0.1e-2 < float(weight.detach().square().mean().sqrt()) < 0.3e-2


def test_weight_decay_shrinks_matrices_alone() -> None:
    weights = {name: torch.nn.Parameter(torch.ones(shape)) for name, shape in (("a", (4, 4)), ("b", (4,)))}
    optimizer = Muon(weights.items(), 0.1, weight_decay=0.5)
    for weight in weights.values():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    assert torch.allclose(weights["a"], torch.full((4, 4), 0.95)) and torch.equal(weights["b"], torch.ones(4))


def test_the_state_comes_back_from_a_checkpoint(tmp_path: Path) -> None:
    assert main(["fit", "demucs-live", "--tiny", "--workers", "0", "--steps", "2", "-o", str(tmp_path)]) == 0
    saved = torch.load(tmp_path / "last.ckpt", weights_only=True)
    recipe = Recipe.from_dict(saved["recipe"])
    assert recipe.optim.optimizer == "muon"
    network = make_network(recipe.network)
    network.load_state_dict(saved["network"])
    optimizer = make_optimizer("muon", network, 1e-3)
    optimizer.load_state_dict(saved["optimizer"])
    momentum = [optimizer.state[weight]["mean"] for group in optimizer.param_groups[1:] for weight in group["params"]]
    assert len(momentum) > 10 and all(float(mean.abs().max()) > 0 for mean in momentum)


def test_what_a_recipe_cannot_mean_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="the optimiser must be adam, muon"):
        make_optimizer("sgd", make_network(SMALL), 1e-3)
    path = tmp_path / "mine.toml"
    for line in ('optimizer = "sgd"', 'loss = "l3"'):
        path.write_text(f'name = "mine"\n[optim]\n{line}\n')
        assert main(["fit", str(path), "--tiny"]) == 2
        assert "choose from" in capsys.readouterr().err

"""The trainer knows no network by name: every kind resumes to the bit, learns in both precisions, and every recipe builds."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.registry import KINDS, make_network
from training.runs.checkpoint import load_network
from training.separation.recipe import OptimConfig, Recipe, read_recipe, recipe_names
from training.separation.trainer import Budget, Intervals, SeparatorTrainer

NEVER = Intervals(1e9, 1e9, 1e9)


def recipe_of(kind, **optim):
    recipe = Recipe("test", network=KINDS[kind].config().tiny(), optim=OptimConfig(skip_seconds=0.0, **optim))
    return replace(recipe, mixing=replace(recipe.mixing, batch=2))


def trainer_of(recipe, folder):
    torch.manual_seed(0)
    return SeparatorTrainer(recipe, make_network(recipe.network), [], folder, Budget(steps=4), intervals=NEVER)


def examples(recipe, number):
    config = recipe.network
    frames = -(-8000 // config.hop) * config.hop
    shape = (2, len(config.sources), config.audio_channels, frames)
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(number))


def losses(trainer, first, count):
    """``count`` updates from two batches each, from update ``first`` on."""
    steps = range(first, first + count)
    return [
        trainer.step(examples(trainer.recipe, 2 * step), examples(trainer.recipe, 2 * step + 1))[0] for step in steps
    ]


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_resumes_to_the_bit_in_the_middle_of_accumulated_updates(kind, tmp_path):
    recipe = recipe_of(kind, precision="fp32", accumulate=2)
    uninterrupted = trainer_of(recipe, tmp_path / "a")
    whole = losses(uninterrupted, 0, 4)
    first = trainer_of(recipe, tmp_path / "b")
    begun = losses(first, 0, 2)
    first.save()
    second = trainer_of(recipe, tmp_path / "b")
    second.resume()
    assert begun + losses(second, second.state.step, 2) == whole
    assert len(set(whole)) == 4
    for name, weight in uninterrupted.network.state_dict().items():
        assert torch.equal(weight, second.network.state_dict()[name]), name
    loaded = load_network(tmp_path / "b" / "ema.safetensors")
    assert loaded.config == recipe.network


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_learns_with_rounded_products_as_in_float32(kind, tmp_path):
    found = {}
    for precision in ("fp32", "bf16", "fast"):
        trainer = trainer_of(recipe_of(kind, precision=precision), tmp_path / precision)
        found[precision] = [trainer.step(examples(trainer.recipe, 0))[0] for _ in range(4)]
        weights = list(trainer.network.parameters())
        assert all(weight.dtype == torch.float32 for weight in weights)
        assert all(weight.grad is not None for weight in weights), "a weight is cut off from the loss"
    for precision in ("bf16", "fast"):
        assert found[precision] == pytest.approx(found["fp32"], rel=0.05)
        assert found[precision][-1] < found[precision][0]
    assert torch.get_float32_matmul_precision() == "highest"


def test_without_averaging_the_weights_themselves_are_validated_and_training_goes_on(tmp_path):
    recipe = recipe_of("conv-tasnet", precision="fp32", ema=0.0)
    song = examples(recipe, 7)[0].numpy()
    trainer = trainer_of(recipe, tmp_path)
    trainer.songs = [song]
    trainer.step(examples(recipe, 0))
    trainer.check()
    assert trainer.network.training and trainer.ema is trainer.network
    saved = load_network(tmp_path / "best.safetensors").state_dict()
    assert all(torch.equal(weight, saved[name]) for name, weight in trainer.network.state_dict().items())


def test_two_batches_of_an_update_are_one_of_twice_the_size(tmp_path):
    recipe = recipe_of("causal-demucs", precision="fp32")
    a, b = examples(recipe, 0), examples(recipe, 1)
    apart = trainer_of(recipe, tmp_path / "a").step(a, b)
    together = trainer_of(recipe, tmp_path / "b").step(torch.cat([a, b]))
    assert apart == pytest.approx(together, rel=1e-5)


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_reads_builds_and_has_a_tiny_form(name):
    recipe = read_recipe(name)
    assert recipe.name == name.split("/")[-1]
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    tiny = recipe.tiny()
    assert sum(weight.numel() for weight in make_network(tiny.network).parameters()) < 1_000_000
    assert recipe.frames >= recipe.mixing.seconds * recipe.network.sample_rate - recipe.network.hop


def test_the_conv_tasnet_of_the_thesis_is_trained_and_evaluated_as_there():
    recipe = read_recipe("conv-tasnet-thesis")
    with torch.device("meta"):
        network = make_network(recipe.network)
    assert sum(weight.numel() for weight in network.parameters()) == 10_977_872
    assert recipe.network.chunk_seconds * recipe.network.sample_rate == 352_800
    assert (recipe.frames, recipe.epochs.extract, recipe.epochs.stride) == (88_200, 3.0, 1.0)
    assert (recipe.optim.epochs, recipe.optim.lr, recipe.optim.loss) == (360, 3e-4, "l1")
    assert recipe.optim.accumulate * recipe.mixing.batch == 64

"""AdaBatch around torch's optimisers: rows of look-up tables learn from the mean over the samples that have them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.sing import NoteEncoder, Sing, SingConfig
from training.data.note_store import NoteStore
from training.data.notes import prepare_notes, synthetic_voices
from training.optim.adabatch import AdaBatch, support_counts, tables_of
from training.sing.stages import StagePlan, Trainer


def loss_of(table: nn.Module, rows: Tensor, goal: Tensor) -> Tensor:
    return ((table(rows) - goal) ** 2).mean()


@pytest.mark.parametrize("sparse", [False, True])
def test_each_row_moves_by_the_mean_of_its_own_samples(sparse: bool) -> None:
    """Rows in 3, 1 and 0 of 4 samples, by hand; plain SGD moves them by 3/4, 1/4 and 0 of that."""
    torch.manual_seed(0)
    table = nn.Embedding(3, 1, sparse=sparse)
    before, goal = table.weight.detach().clone(), torch.tensor([[1.0], [2.0], [6.0], [5.0]])
    optimizer = AdaBatch(torch.optim.SGD(table.parameters(), 0.5), [table])
    loss_of(table, torch.tensor([0, 0, 0, 1]), goal).backward()
    optimizer.step()
    expected = before - torch.stack([before[0] - 3.0, before[1] - 5.0, torch.zeros(1)])
    assert torch.allclose(table.weight, expected, atol=1e-6)
    assert optimizer.state_dict()["state"] == {}, "AdaBatch has no memory"


def test_batches_of_one_and_rows_that_all_samples_have_are_left_alone() -> None:
    for rows in (torch.tensor([1]), torch.tensor([2, 2, 2])):
        torch.manual_seed(0)
        tables = [nn.Embedding(4, 2), nn.Embedding(4, 2)]
        tables[1].load_state_dict(tables[0].state_dict())
        optimizers = [
            torch.optim.SGD(tables[0].parameters(), 0.1),
            AdaBatch(torch.optim.SGD(tables[1].parameters(), 0.1), [tables[1]]),
        ]
        for table, optimizer in zip(tables, optimizers, strict=True):
            loss_of(table, rows, torch.ones(len(rows), 2)).backward()
            optimizer.step()
        assert torch.equal(tables[0].weight, tables[1].weight)


def test_a_sample_counts_once_for_a_row_however_often_it_looks_it_up() -> None:
    counts = support_counts(5, torch.tensor([[0, 0, 1], [1, 2, 2]]), torch.tensor([[0, 0, 0], [1, 1, 1]]))
    assert counts.tolist() == [1, 2, 1, 0, 0]
    bag = nn.EmbeddingBag(5, 1, mode="sum")
    with torch.no_grad():
        bag.weight.zero_()
    optimizer = AdaBatch(torch.optim.SGD(bag.parameters(), 1.0), [bag])
    out = bag(torch.tensor([0, 1, 1, 2]), torch.tensor([0, 2]))  # samples {0, 1} and {1, 2}
    (out * torch.tensor([[1.0], [3.0]])).mean().backward()
    optimizer.step()
    assert bag.weight.flatten().tolist() == [-1, -2, -3, 0, 0]
    table = nn.Embedding(5, 1)
    with torch.no_grad():
        table.weight.zero_()
    optimizer = AdaBatch(torch.optim.SGD(table.parameters(), 1.0), [table])
    table(torch.tensor([[0, 1], [1, 2]])).sum(dim=1).mean().backward()
    optimizer.step()
    assert table.weight.flatten().tolist() == [-1, -1, -1, 0, 0]


def test_batches_between_two_steps_are_one_batch() -> None:
    torch.manual_seed(0)
    rows, goal = torch.tensor([0, 1, 0, 2, 0, 1]), torch.randn(6, 2)
    tables = [nn.Embedding(4, 2), nn.Embedding(4, 2)]
    tables[1].load_state_dict(tables[0].state_dict())
    whole, parts = (AdaBatch(torch.optim.SGD(table.parameters(), 0.1), [table]) for table in tables)
    loss_of(tables[0], rows, goal).backward()
    whole.step()
    for part in (slice(0, 3), slice(3, 6)):
        (loss_of(tables[1], rows[part], goal[part]) / 2).backward()
    parts.step()
    assert torch.allclose(tables[0].weight, tables[1].weight, atol=1e-7)


def test_several_processes_agree_with_one() -> None:
    """Each has half of the batch; gradients are averaged and counts summed, as with several processes (ADB-23)."""
    torch.manual_seed(0)
    rows, goal = torch.tensor([0, 1, 0, 2, 0, 1]), torch.randn(6, 2)
    tables = [nn.Embedding(4, 2) for _ in range(2)]
    tables[1].load_state_dict(tables[0].state_dict())
    one = AdaBatch(torch.optim.SGD(tables[0].parameters(), 0.1), [tables[0]])
    loss_of(tables[0], rows, goal).backward()
    one.step()
    other_half = torch.cat([support_counts(4, rows[3:]), torch.tensor([3])])
    two = AdaBatch(torch.optim.SGD(tables[1].parameters(), 0.1), [tables[1]], reduce=lambda mine: mine + other_half)
    loss_of(tables[1], rows[:3], goal[:3]).backward()
    with torch.no_grad():
        reference = nn.Embedding.from_pretrained(tables[1].weight.detach().clone(), freeze=False)
    loss_of(reference, rows[3:], goal[3:]).backward()
    assert tables[1].weight.grad is not None and reference.weight.grad is not None
    tables[1].weight.grad.add_(reference.weight.grad).div_(2)
    two.step()
    assert torch.allclose(tables[0].weight, tables[1].weight, atol=1e-7)


def test_looking_up_without_gradients_and_clearing_them_counts_nothing() -> None:
    table = nn.Embedding(3, 1)
    optimizer = AdaBatch(torch.optim.SGD(table.parameters(), 1.0), [table])
    with torch.no_grad():
        table(torch.tensor([0, 1, 2]))
    loss_of(table, torch.tensor([0, 0]), torch.zeros(2, 1)).backward()
    optimizer.zero_grad()
    assert optimizer._samples == [0]
    loss = loss_of(table, torch.tensor([0, 0]), torch.zeros(2, 1))
    optimizer.zero_grad()  # after the forward pass, as many loops do
    loss.backward()
    assert optimizer._samples == [2] and optimizer._counts[0] is not None and optimizer._counts[0].tolist() == [2, 0, 0]
    optimizer.step()
    optimizer.close()
    loss_of(table, torch.tensor([0]), torch.zeros(1, 1)).backward()
    assert optimizer._samples == [0], "closed"
    with pytest.raises(ValueError, match="not among"):
        AdaBatch(torch.optim.SGD([nn.Parameter(torch.zeros(1))], 1.0), [table])


def test_its_checkpoint_is_the_optimisers_and_schedules_reach_it() -> None:
    torch.manual_seed(0)
    table = nn.Embedding(3, 1)
    optimizer = AdaBatch(torch.optim.Adam(table.parameters(), 0.1), [table])
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    loss_of(table, torch.tensor([0, 1]), torch.zeros(2, 1)).backward()
    optimizer.step()
    schedule.step()
    assert optimizer.inner.param_groups[0]["lr"] == pytest.approx(0.05)
    other = AdaBatch(torch.optim.Adam(table.parameters(), 0.1), [table])
    other.load_state_dict(optimizer.state_dict())
    assert other.inner.param_groups[0]["lr"] == pytest.approx(0.05) and other.param_groups is other.inner.param_groups
    assert float(other.state[table.weight]["step"]) == 1


def test_sings_tables_are_found_and_learn_in_all_stages(tmp_path: Path) -> None:
    prepare_notes(synthetic_voices((60, 61)), tmp_path / "notes", workers=1)
    store = NoteStore(tmp_path / "notes")
    config = SingConfig(
        instruments=len(store.instruments), pitches=2, lowest_pitch=60, hidden=8, layers=1, latent=4, channels=8
    )
    plan = StagePlan(steps=5, batch=6, window=20)
    ends = {}
    for adabatch in (False, True):
        torch.manual_seed(0)
        sing = Sing(config)
        assert [t.num_embeddings for t in tables_of(sing)] == [5, len(store.instruments), 2, 265]
        before = sing.sequence.instrument.weight.detach().clone()
        trainer = Trainer(sing, NoteEncoder(config), store)
        for stage in ("autoencoder", "sequence", "end_to_end"):
            trainer.run(stage, replace(plan, adabatch=adabatch, window=0 if stage == "sequence" else 20))
            trainer.forget_position()
        assert not torch.equal(before, sing.sequence.instrument.weight)
        assert not any(table._forward_hooks for table in tables_of(sing)), "no hook is left behind"
        ends[adabatch] = sing.sequence.instrument.weight.detach().clone()
    assert not torch.equal(ends[False], ends[True])

"""A network called several times a hop: less latency, exactly what as many shifted passes give, and the mix in all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rtaudio.audio.format import Audio, StemplayError, StreamFormat
from rtaudio.files.offline import separate_array
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.processors.factory import make_separator
from rtaudio.processors.frame_model import CausalModel
from rtaudio.processors.staggered import StaggeredModel


def noise(frames: int) -> Audio:
    return (np.random.default_rng(0).standard_normal((frames, 2)) * 0.1).astype(np.float32)


@pytest.mark.parametrize("count", [2, 4])
def test_each_part_of_a_hop_is_the_newest_of_a_pass_that_begins_there(tiny_runtime: ModelRuntime, count: int) -> None:
    hop = tiny_runtime.card.hop
    part, mix = hop // count, noise(40 * hop)
    phases = StaggeredModel(tiny_runtime.sibling(), count)
    ours = np.concatenate([phases.run(piece) for piece in np.split(mix, 40 * count)])
    for k in range(count):
        before = hop - (k + 1) * part  # silence that the pass of copy k begins with
        padded = np.concatenate((np.zeros((before, 2), np.float32), mix, np.zeros((hop - before, 2), np.float32)))
        model = CausalModel(tiny_runtime.sibling())
        whole = np.concatenate([model.run(piece) for piece in np.split(padded, 41)])[before : before + len(mix)]
        parts = [slice(i, i + part) for i in range(k * part, len(mix), hop)]
        assert max(np.abs(ours[at] - whole[at]).max() for at in parts) < 1e-5


def test_the_latency_is_a_part_of_a_hop_whatever_the_blocks_and_the_stems_sum_to_the_mix(
    tiny_runtime: ModelRuntime,
) -> None:
    mix, hop = noise(5000), tiny_runtime.card.hop
    offline = separate_array(mix, 44_100, tiny_runtime.sibling(), phases=2)
    assert np.abs(offline.sum(axis=1) - mix).max() < 1e-5
    for block in (1, 7, hop, 1000):
        processor = make_separator(StaggeredModel(tiny_runtime.sibling(), 2))
        processor.prepare(StreamFormat(44_100, 2, block))
        parts = [processor.process(mix[at : at + block]) for at in range(0, len(mix), block)]
        stems = np.concatenate((*parts, processor.flush()))
        assert processor.latency == hop // 2
        assert np.abs(stems[hop // 2 :] - offline).max() < 1e-5


def test_a_saved_state_goes_on_exactly(tiny_runtime: ModelRuntime) -> None:
    phases = StaggeredModel(tiny_runtime.sibling(), 2)
    pieces = np.split(noise(20 * phases.hop), 20)
    for piece in pieces[:7]:
        phases.run(piece)
    state = phases.get_state()
    first = [phases.run(piece) for piece in pieces[7:12]]
    phases.reset()
    phases.set_state(state)
    assert np.array_equal(np.concatenate([phases.run(piece) for piece in pieces[7:12]]), np.concatenate(first))


def test_what_cannot_be_called_more_often_is_refused(tiny_runtime: ModelRuntime, chunk_model: Path) -> None:
    with pytest.raises(StemplayError, match="cannot be divided by 3"):
        StaggeredModel(tiny_runtime, 3)
    with pytest.raises(StemplayError, match="not causal"):
        StaggeredModel(ModelRuntime(chunk_model), 2)

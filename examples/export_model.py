"""Export a network of one's own: weights made in torch become a model that plays live. Needs the extra ``training``.

    python examples/export_model.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch

from models.demucs import CausalDemucs, CausalDemucsConfig
from rtaudio import separate
from training.export.separator import export_separator

torch.manual_seed(0)
network = CausalDemucs(CausalDemucsConfig(channels=8, depth=3)).eval()  # your own weights: network.load_state_dict(...)
folder = Path(sys.argv[1]) / "my-model"
card = export_separator(network, folder, name="my-model", licence="CC0-1.0", data=("none: these weights are random",))
print(f"{card.name}: hop {card.hop}, {card.parameters} weights, {len(card.states)} states")

mix = np.random.default_rng(0).standard_normal((30_000, 2)).astype(np.float32) / 10
ours = separate(mix, 44_100, folder, consistent=False)
with torch.no_grad():
    theirs = network(torch.from_numpy(mix.T)[None])[0].permute(2, 0, 1).numpy()
print(f"largest difference between the exported model and torch: {abs(ours - theirs).max():.1e}")

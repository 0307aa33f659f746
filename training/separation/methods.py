"""Methods to score: oracles by name, trained weights, and exported models, each as a function of the true stems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.card import read_card
from models.catalog import find_model
from rtaudio.files.offline import separate_array
from training.data.store import Stems
from training.metrics import make_consistent
from training.oracles import ORACLES, find_oracle
from training.runs.checkpoint import load_network
from training.separation.scoring import Separate


class Methods:
    """A table of methods to score: ``entries`` for ``score_methods``, ``notes`` for the results.

    Args:
        consistent: share the residual of networks' estimates among them, as the engine does.
    """

    def __init__(self, consistent: bool = True) -> None:
        self.consistent = consistent
        self.entries: dict[str, tuple[str, Separate]] = {}
        self.notes: dict[str, dict[str, Any]] = {}

    def add_oracle(self, name: str) -> None:
        """Add an oracle or floor, or with ``all`` every one. Raises StemplayError for an unknown name."""
        for one in ORACLES if name == "all" else [name]:
            oracle = find_oracle(one)
            self.entries[one] = (oracle.title, oracle.estimate)
            self.notes[one] = {"knows": oracle.knows, "wav": False}

    def add_weights(self, path: Path) -> None:
        """Add a network's weights. The name is that of their folder, whose ``making.json`` becomes the notes.

        Raises:
            StemplayError: the file does not contain weights of a known network.
        """
        network = load_network(path)
        name = path.parent.name if path.stem in ("best", "ema", "weights") else path.stem

        @torch.no_grad()
        def separate(stems: Stems) -> Stems:
            mix = torch.from_numpy(stems.sum(axis=0))
            estimate = network(mix[None])[0]
            return np.asarray((make_consistent(estimate, mix) if self.consistent else estimate).numpy())

        making = path.parent / "making.json"
        notes = json.loads(making.read_text(encoding="utf-8")) if making.exists() else {}
        weights = sum(weight.numel() for weight in network.parameters())
        self.entries[name] = (notes.get("title", name), separate)
        self.notes[name] = {**notes, "weights": weights}

    def add_model(self, model: str) -> None:
        """Add an exported model, run by the player's own code. Raises StemplayError or CardError."""
        card = read_card(find_model(model))

        def separate(stems: Stems) -> Stems:
            mix = np.ascontiguousarray(stems.sum(axis=0).T)
            return separate_array(mix, 44_100, model, self.consistent).transpose(1, 2, 0)

        self.entries[card.name] = (f"{card.name} ({card.precision})", separate)
        self.notes[card.name] = {"wav": True, "weights": card.parameters}

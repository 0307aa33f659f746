"""The table of oracles and baselines by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from rtaudio.audio.format import StemplayError
from training.data.store import Stems
from training.oracles.griffin_lim import oracle_griffin_lim
from training.oracles.masks import ideal_binary_mask, ideal_ratio_mask
from training.oracles.nmf import oracle_nmf
from training.oracles.wiener import oracle_wiener


@dataclass(frozen=True)
class Oracle:
    """``estimate`` maps true stems to estimates, ``title`` is the row's name, and ``knows`` names what the method knows."""

    title: str
    knows: str
    estimate: Callable[[Stems], Stems]


def mixture(stems: Stems) -> Stems:
    """The mixture as the estimate of every source (BSE-11): the floor."""
    return np.repeat(stems.sum(axis=0, keepdims=True), len(stems), axis=0)


def equal_shares(stems: Stems) -> Stems:
    """A quarter of the mixture for each of four sources."""
    return np.asarray(mixture(stems) / len(stems), np.float32)


ORACLES: dict[str, Oracle] = {
    "mixture": Oracle("Mixture", "nothing", mixture),
    "mix4": Oracle("Mixture / 4", "nothing", equal_shares),
    "silence": Oracle("Silence", "nothing", np.zeros_like),
    "irm": Oracle("IRM oracle", "the true power spectrograms", ideal_ratio_mask),
    "irm1": Oracle("IRM oracle, magnitudes", "the true magnitude spectrograms", partial(ideal_ratio_mask, power=1.0)),
    "ibm": Oracle("IBM oracle", "which true source is the loudest in each bin", ideal_binary_mask),
    "wiener": Oracle("Multichannel Wiener oracle", "the true spectrograms", oracle_wiener),
    "nmf": Oracle("NMF oracle", "16 spectra a source, learned on the song's true sources", oracle_nmf),
    "griffin-lim": Oracle("Griffin-Lim oracle", "the true magnitudes, no phase", oracle_griffin_lim),
}


def find_oracle(name: str) -> Oracle:
    """Raises StemplayError for an unknown name."""
    if name not in ORACLES:
        near = difflib.get_close_matches(name, ORACLES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(ORACLES)}."
        raise StemplayError(f"There is no oracle {name!r}; {hint}")
    return ORACLES[name]

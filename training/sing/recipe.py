"""Recipes of SING: the network and the three stages of its training as a TOML file, or as a dictionary in a checkpoint."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from models.sing import SingConfig
from rtaudio.audio.format import StemplayError
from training.separation.recipe import section
from training.sing.stages import STAGES, StagePlan

RECIPES = Path(__file__).resolve().parents[1] / "recipes" / "sing"


@dataclass(frozen=True)
class SingRecipe:
    """Network and stages. The tables' sizes (instruments, pitches) follow the notes, whatever ``network`` says."""

    name: str
    network: SingConfig = field(default_factory=SingConfig)
    autoencoder: StagePlan = field(default_factory=lambda: StagePlan(epochs=50))
    sequence: StagePlan = field(default_factory=lambda: StagePlan(epochs=50))
    end_to_end: StagePlan = field(default_factory=lambda: StagePlan(epochs=20))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the TOML file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SingRecipe:
        """Inverse of ``to_dict``; missing values keep their defaults.

        Raises:
            StemplayError: an unknown name, or a value of the wrong kind.
        """
        extra = set(values) - {f.name for f in fields(cls)}
        if extra:
            raise StemplayError(f"The recipe has the unknown entry {sorted(extra)[0]!r}.")
        if not values.get("name"):
            raise StemplayError("A recipe needs a name.")
        given = {stage: section(StagePlan, values[stage], stage) for stage in STAGES if stage in values}
        try:
            return cls(
                name=str(values["name"]), network=section(SingConfig, values.get("network", {}), "network"), **given
            )
        except ValueError as error:
            raise StemplayError(f"The recipe's network cannot be built: {error}.") from None

    def within(self, minutes: float) -> SingRecipe:
        """The same recipe with this many minutes, divided among the stages in the recipe's proportions (equally if it uses epochs)."""
        shares = {stage: getattr(self, stage).seconds for stage in STAGES}
        if not all(share < float("inf") for share in shares.values()):
            shares = dict.fromkeys(STAGES, 1.0)
        total = sum(shares.values())
        plans = {
            stage: replace(getattr(self, stage), epochs=0, seconds=60 * minutes * share / total)
            for stage, share in shares.items()
        }
        return replace(self, **plans)

    def in_steps(self, steps: int) -> SingRecipe:
        """The same recipe with this many updates in each stage, which gives repeatable results."""
        plans = {s: replace(getattr(self, s), epochs=0, seconds=float("inf"), steps=steps) for s in STAGES}
        return replace(self, **plans)

    def with_loss(self, loss: str) -> SingRecipe:
        """The same recipe with ``loss`` on the waveform in the first and the last stage (SING-14); the second has none."""
        first, last = (replace(plan, loss=loss) for plan in (self.autoencoder, self.end_to_end))
        return replace(self, autoencoder=first, end_to_end=last)

    def focused(self, instruments: tuple[str, ...], share: float) -> SingRecipe:
        """The same recipe whose last stage draws ``share`` of its notes from some instruments."""
        return replace(self, end_to_end=replace(self.end_to_end, focus=instruments, share=share))

    def tiny(self) -> SingRecipe:
        """A small network with short stages, which takes seconds, not hours."""
        plan = StagePlan(seconds=6.0, batch=8, lr=3e-3, final_lr=0.2, window=40, loss=self.end_to_end.loss)
        network = replace(self.network, hidden=48, channels=96, latent=16, layers=2)
        first = replace(plan, begin=0.5, loss="spectral")
        return replace(self, network=network, autoencoder=first, sequence=replace(plan, window=0), end_to_end=plan)


def read_sing_recipe(recipe: str) -> SingRecipe:
    """A recipe by the name of a shipped one (``sing-gm``) or by the path of a TOML file.

    Raises:
        StemplayError: there is no such recipe, or it cannot be used.
    """
    path = Path(recipe)
    if path.suffix != ".toml":
        path = RECIPES / f"{recipe}.toml"
    try:
        return SingRecipe.from_dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
        raise StemplayError(f"There is no recipe {recipe!r}; the shipped ones are {known}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise StemplayError(f"{path} cannot be read as TOML: {error}.") from error

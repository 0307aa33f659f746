"""Recipes: all settings that determine what a run learns, as a TOML file with a table for each part."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import torch

from models.network import SeparatorConfig
from models.registry import DEFAULT_KIND, KINDS, config_to_dict, make_network
from rtaudio.audio.format import StemplayError
from training.data.config import MixingConfig
from training.data.thesis import EpochConfig

DataKind = Literal["prepared", "synthetic", "epochs", "synthetic-epochs"]
RECIPES = Path(__file__).resolve().parents[1] / "recipes"
Section = TypeVar("Section")


MOST, MOST_LAYERS = 1 << 20, 64
"""Largest allowed numbers in a network's configuration: of any kind (a rate, channels), and of layers of one kind."""
POSITIVE = frozenset(
    {
        "sample_rate",
        "channels",
        "audio_channels",
        "depth",
        "kernel",
        "stride",
        "hop_length",
        "window",
        "seen_window",
        "filters",
        "frames",
    }
    | {"call_frames", "resample", "hidden", "bottleneck", "blocks", "repeats"}
)
LAYERS = frozenset({"depth", "layers", "lstm_layers", "blocks", "repeats", "stacks", "local", "spread"})


@dataclass(frozen=True)
class OptimConfig:
    """The settings of the optimisation.

    Attributes:
        optimizer: ``adam``; ``adam-thesis`` and ``adagrad`` as in chapter 5; or ``muon``: orthogonalised momentum for matrices,
        Adam for the rest (``training.optim.optimizers``).
        lr: peak learning rate.
        warmup: steps of linear rise. Then a cosine falls to ``final`` of the peak over the budget, unless ``schedule`` is ``constant``.
        weight_decay: share by which a step with learning rate 1 would shrink the matrices (``muon`` only).
        epochs: default length of a run (only with data in epochs).
        accumulate: batches per update; processes share them (``training.optim.parallel``).
        ema: decay of the average of the weights that is validated and shipped. It rises from 0 in the first steps. 0: no average.
        clip: largest norm of the gradient, 0 for none.
        loss, spectral: waveform loss and the weight of the spectral term (DMX-12, DMX-13), of one or three ``windows``.
        distil: share of the teacher's stems in the target, if ``fit`` is given a teacher.
        consistent: share the residual ``mix - sum(stems)`` equally among the stems before the loss, as validation and engine do.
        skip_seconds: length of each example's start that does not count.
        precision: ``bf16`` computes with bfloat16 copies of float32 weights; ``fp32`` does not; ``fast`` is float32 whose products
        may be rounded internally (TF32, bfloat16) if this is faster on the hardware.
    """

    optimizer: Literal["adam", "adam-thesis", "adagrad", "muon"] = "adam"
    lr: float = 1e-3
    warmup: int = 100
    final: float = 0.02
    schedule: Literal["cosine", "constant"] = "cosine"
    weight_decay: float = 0.0
    accumulate: int = 1
    epochs: int = 0
    ema: float = 0.998
    clip: float = 1.0
    loss: Literal["l1", "l2", "log_mse", "si_snr", "l1_si_snr"] = "l1"
    spectral: float = 0.0
    windows: int = 1
    distil: float = 0.5
    consistent: bool = False
    skip_seconds: float = 0.2
    precision: Literal["bf16", "fp32", "fast"] = "bf16"
    compile: bool = False


@dataclass(frozen=True)
class Recipe:
    """Network, data and optimisation of a run.

    Attributes:
        data: ``prepared`` mixes songs endlessly as in ``mixing``; ``epochs`` follows the thesis as in ``epochs``, with the length and
        the batch of ``mixing``; ``synthetic`` and ``synthetic-epochs`` do the same with synthetic songs.
    """

    name: str
    network: SeparatorConfig = field(default_factory=KINDS[DEFAULT_KIND].config)
    data: DataKind = "prepared"
    mixing: MixingConfig = field(default_factory=MixingConfig)
    epochs: EpochConfig = field(default_factory=EpochConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the TOML file."""
        mixing = {**asdict(self.mixing), "collections": list(self.mixing.collections)}
        return {**asdict(self), "network": config_to_dict(self.network), "mixing": mixing}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """Inverse of ``to_dict``; missing values keep their defaults.

        Raises:
            StemplayError: an unknown name, or a value of the wrong kind.
        """
        extra = set(values) - {f.name for f in fields(cls)}
        if extra:
            raise StemplayError(f"The recipe has the unknown entry {sorted(extra)[0]!r}.")
        for table in ("network", "mixing", "epochs", "optim"):
            if not isinstance(values.get(table, {}), dict):
                raise StemplayError(f"The recipe's entry {table} must be a table, not {_short(values[table])!r}.")
        name, data = str(values.get("name", "")), values.get("data", "prepared")
        if data not in get_args(DataKind) or not name:
            raise StemplayError(f"A recipe needs a name, and its data must be one of {', '.join(get_args(DataKind))}.")
        return cls(
            name=name,
            network=network_section(values.get("network", {})),
            data=data,
            mixing=section(MixingConfig, values.get("mixing", {}), "mixing"),
            epochs=section(EpochConfig, values.get("epochs", {}), "epochs"),
            optim=section(OptimConfig, values.get("optim", {}), "optim"),
        )

    def tiny(self) -> Recipe:
        """The same recipe with a small network, synthetic songs and short examples, which takes seconds, not hours."""
        fewer: dict[str, Any] = {"ema": min(0.95, self.optim.ema), "accumulate": min(2, self.optim.accumulate)}
        fewer |= {"epochs": min(10, self.optim.epochs), "warmup": min(20, self.optim.warmup)}
        if self.optim.precision == "bf16":  # processors that must imitate it take up to ten times as long
            fewer["precision"] = "fp32"
        return replace(
            self,
            data="synthetic-epochs" if self.by_epochs else "synthetic",
            network=self.network.tiny(),
            mixing=replace(self.mixing, seconds=0.75, batch=4),
            epochs=replace(self.epochs, extract=1.75),
            optim=replace(self.optim, lr=3e-3, skip_seconds=min(0.1, self.optim.skip_seconds), **fewer),
        )

    @property
    def by_epochs(self) -> bool:
        """Whether the data are the thesis' epochs."""
        return "epochs" in self.data

    @property
    def made_up(self) -> bool:
        """Whether the songs are synthetic."""
        return "synthetic" in self.data

    @property
    def frames(self) -> int:
        """Samples of an epoch's example: ``seconds``, rounded up to the network's valid length or down to whole hops."""
        samples = int(self.mixing.seconds * self.network.sample_rate)
        with torch.device("meta"):
            network = make_network(self.network)
        if hasattr(network, "valid_length"):
            return int(network.valid_length(samples))
        return samples // self.network.hop * self.network.hop


def network_section(values: dict[str, Any]) -> SeparatorConfig:
    """The configuration from the table ``[network]``, whose ``kind`` is a name of ``models.registry`` (default: causal-demucs)."""
    rest = dict(values)
    kind = rest.pop("kind", DEFAULT_KIND)
    if not isinstance(kind, str) or kind not in KINDS:
        raise StemplayError(f"There is no kind of network {kind!r}; choose from {', '.join(KINDS)}.")
    for key, value in rest.items():
        most = MOST_LAYERS if key in LAYERS else MOST
        if isinstance(value, int | float) and not abs(value) <= most:  # also refuses NaN
            raise StemplayError(
                f"The recipe's entry network.{key} is {_short(value)}; its magnitude must be at most {most}."
            )
        if key in POSITIVE and isinstance(value, int | float) and value < 1:
            raise StemplayError(f"The recipe's entry network.{key} is {_short(value)}; it must be 1 or more.")
    config = section(KINDS[kind].config, rest, "network")
    try:
        with torch.device("meta"):
            make_network(config)
    except (ArithmeticError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        raise StemplayError(f"The recipe's network cannot be built: {_short(error)}") from None
    return config


def _short(value: object) -> str:
    """One line of at most 200 characters, because torch's messages are long."""
    return " ".join(str(value).split())[:200]


def section(kind: type[Section], values: dict[str, Any], name: str) -> Section:
    """A dataclass from a TOML table, with numbers and names checked."""
    defaults, hints = kind(), get_type_hints(kind)
    for key, value in values.items():
        if not hasattr(defaults, key):
            raise StemplayError(f"The recipe's table [{name}] has the unknown entry {key!r}.")
        default = getattr(defaults, key)
        if get_origin(hints[key]) is Literal and value not in get_args(hints[key]):
            known = ", ".join(map(str, get_args(hints[key])))
            raise StemplayError(f"The recipe's entry {name}.{key} cannot be {value!r}; choose from {known}.")
        if isinstance(default, tuple) and isinstance(value, list):
            values = {**values, key: tuple(value)}
            continue
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            continue
        if default is not None and value is not None and not isinstance(value, type(default)):
            raise StemplayError(
                f"The recipe's entry {name}.{key} must be of type {type(default).__name__}, not {value!r}."
            )
    return kind(**values)


def recipe_names() -> list[str]:
    """The shipped recipes, after those of a hybrid's branches. Recipes of ``compare`` and ``sing`` have their own commands."""
    paths = [*sorted(RECIPES.glob("branches/*.toml")), *sorted(RECIPES.glob("*.toml"))]
    return [path.relative_to(RECIPES).with_suffix("").as_posix() for path in paths]


def read_recipe(recipe: str) -> Recipe:
    """A recipe by the name of a shipped one (``demucs-live``) or by the path of a TOML file.

    Raises:
        StemplayError: there is no such recipe, or it cannot be used.
    """
    path = Path(recipe)
    if path.suffix != ".toml":
        path = RECIPES / f"{recipe}.toml"
    try:
        return Recipe.from_dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        known = ", ".join(recipe_names())
        raise StemplayError(f"There is no recipe {recipe!r}; the shipped ones are {known}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise StemplayError(f"{path} cannot be read as TOML: {error}.") from error

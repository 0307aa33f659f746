"""Claims of the thesis' figures, and whether the measurements agree with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

AGREES, ORDER, NOT = "agrees", "agrees in order only", "does not agree"


@dataclass(frozen=True)
class Claim:
    """A claim of the thesis, tested with each seed.

    Attributes:
        text: the claim.
        holds: whether the whole claim holds, one value for each seed.
        order: whether at least the order holds for the mean over the seeds.
        measured: the numbers, with their spread.
    """

    text: str
    holds: Sequence[bool]
    order: bool
    measured: str

    @property
    def verdict(self) -> str:
        """``agrees`` if it holds with every seed."""
        return AGREES if all(self.holds) else ORDER if self.order else NOT

    def line(self) -> str:
        """Readable text: verdict, claim and numbers."""
        return f"{self.verdict} ({sum(self.holds)} of {len(self.holds)} seeds): {self.text} Measured: {self.measured}."

    def to_dict(self) -> dict[str, object]:
        """Plain values."""
        return {
            "claim": self.text, "verdict": self.verdict, "seeds": len(self.holds), "seeds that agree": sum(self.holds),
            "measured": self.measured,
        }  # fmt: skip


def spread(values: Sequence[float], digits: int = 3) -> str:
    """``mean (smallest to largest)``, or "never" if all are infinite."""
    if min(values) == float("inf"):
        return "never"
    return f"{sum(values) / len(values):.{digits}g} ({min(values):.{digits}g} to {max(values):.{digits}g})"

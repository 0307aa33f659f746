"""Tables 2.2 (its MOS), 3.2 and 3.3 in the thesis' layout: its rows beside ours, each with the material it was measured on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rtaudio.audio.format import StemplayError
from training.listening.answers import Answers, Rating
from training.listening.statistics import LEAST_CORRELATION, Preference, mean_opinion, preference, unreliable
from training.tables.thesis import thesis_table

COLUMNS = ("All", "Drums", "Bass", "Other", "Vocals")

Rows = dict[str, tuple[str, ...]]
"""Name -> cells."""


def _thesis(name: str) -> Rows:
    """The rows of a table of opinions; each cell has a value and its interval."""
    return {
        row.name: tuple(
            f"{value:.2f} ± {width:.2f}".replace("± 0", "± ")
            for value, width in zip(row.values, row.spread or (), strict=True)
        )
        for row in thesis_table(name).rows
    }


THESIS_22: Rows = {row.name: (str(row.values[0]).replace("± 0", "± "),) for row in thesis_table("2.2").rows}
THESIS_32, THESIS_33 = _thesis("3.2"), _thesis("3.3")
THESIS_ABX = "69.7 ± 2.8 % of 1000 tests prefer SING to WaveNet (100 NSynth notes x 10 workers)"

ON_NSYNTH = "thesis: 100 NSynth test notes, 60 crowd workers each, crowdMOS"
ON_MUSDB = "thesis: MUSDB18 test, 8 s of each of 50 tracks, 38 listeners x 20"


class Report:
    """The evaluation of one test, as readable ``text()`` and as ``to_dict()`` for programs."""

    def __init__(self, answers: Answers, least: float = LEAST_CORRELATION) -> None:
        self.answers = answers
        self.abx = answers.key["kind"] == "abx"
        if not (answers.choices if self.abx else answers.ratings):
            raise StemplayError(
                "There are no answers to evaluate: no listener has finished a trial"
                + (" with headphones." if answers.dropped else ".")
            )
        self.rejected = {} if self.abx else unreliable(answers.ratings, least)
        self.ratings = [rating for rating in answers.ratings if rating.listener not in self.rejected]

    def text(self) -> str:
        """The tables."""
        if self.abx:
            return "\n".join([*self._abx_lines(), f"  {THESIS_ABX}", self._listeners()])
        if not self.answers.key["sources"]:
            lines = table(
                "Table 2.2, Mean Opinion Score", ("MOS",), [(ON_NSYNTH, THESIS_22), self._ours("quality", ("All",))]
            )
            return "\n".join([*lines, self._listeners()])
        parts = []
        for number, question, thesis in (("3.2", "quality", THESIS_32), ("3.3", "contamination", THESIS_33)):
            columns = self._columns()
            rows: Rows = {
                name: tuple(cells[COLUMNS.index(column)] if column in COLUMNS else "-" for column in columns)
                for name, cells in thesis.items()
            }
            title = f"Table {number}, {question} Mean Opinion Score"
            parts += [*table(title, columns, [(ON_MUSDB, rows), self._ours(question, columns)]), ""]
        return "\n".join([*parts, self._listeners()])

    def to_dict(self) -> dict[str, Any]:
        """Plain values: scores by question, system and column, or counts of the choices."""
        common: dict[str, Any] = {
            "measured_on": self._measured_on(),
            "rejected": self.rejected,
            "dropped": self.answers.dropped,
        }
        if self.abx:
            return common | {"preferences": {name: vars(value) for name, value in self.preferences().items()}}
        scores = {
            question: {
                system: {column: vars(self._score(question, system, column)) for column in self._columns()}
                for system in self.answers.key["systems"]
            }
            for question in dict.fromkeys(rating.question for rating in self.ratings)
        }
        return common | {"scores": scores}

    def preferences(self) -> dict[str, Preference]:
        """Share of each system over all trials. No listener is rejected, because a choice, unlike a rating, has no scale to misuse."""
        counts: Counter[str] = Counter(
            {name: 0 for choice in self.answers.choices for name in (choice.chosen, choice.refused)}
        )
        counts.update(choice.chosen for choice in self.answers.choices)
        trials = len(self.answers.choices)
        return {name: preference(count, trials) for name, count in counts.most_common()}

    def _abx_lines(self) -> list[str]:
        lines = [f"ABX: closer to the reference ({self._measured_on()})"]
        for name, value in self.preferences().items():
            low, high = (100 * bound for bound in value.exact)
            lines.append(
                f"  {100 * value.share:.1f} ± {100 * value.half:.1f} % of {value.trials} tests prefer {name}"
                f" (exact interval {low:.1f} to {high:.1f} %, p {value.p:.2g})"
            )
        return lines

    def _columns(self) -> tuple[str, ...]:
        return ("All", *(source.capitalize() for source in self.answers.key["sources"]))

    def _ours(self, question: str, columns: Sequence[str]) -> tuple[str, Rows]:
        rows = {
            system: tuple(self._score(question, system, column).text() for column in columns)
            for system in self.answers.key["systems"]
        }
        return self._measured_on(), rows

    def _score(self, question: str, system: str, column: str) -> Any:
        """``All`` pools the ratings of all sources, as in the thesis (ERR-32: it is not the mean of the other columns)."""

        def counts(rating: Rating) -> bool:
            return (rating.question, rating.system) == (question, system) and column.lower() in (
                "all",
                rating.source.lower(),
            )

        return mean_opinion([rating for rating in self.ratings if counts(rating)])

    def _measured_on(self) -> str:
        key = self.answers.key
        listeners = len(self.answers.listeners) - len(self.rejected)
        length = f"{key['extract_s']:g} s of each, " if key["extract_s"] else ""
        number = len(self.answers.choices) if self.abx else len({(r.listener, r.sound) for r in self.ratings})
        return f"ours: {key['tracks']} tracks, {length}{listeners} listeners, {number} {'choices' if self.abx else 'samples rated'}"

    def _listeners(self) -> str:
        told = []
        if self.rejected:
            names = ", ".join(f"{name} (r {value:.2f})" for name, value in sorted(self.rejected.items()))
            told.append(f"Left out, because their ratings do not correlate with those of the others: {names}.")
        if self.answers.dropped:
            told.append(f"Left out, because they were given without headphones: answers of {', '.join(self.answers.dropped)}.")
        return " ".join(told) or "No listener was left out."


def table(title: str, columns: Sequence[str], parts: Sequence[tuple[str, Rows]]) -> list[str]:
    """Lines: a title with the columns, then each part below a line that names the material it was measured on."""
    left = max(24, len(title) + 2, *(len(name) + 4 for _, rows in parts for name in rows))
    lines = [f"{title:<{left}}" + "".join(f"{column:>13}" for column in columns)]
    for measured, rows in parts:
        if rows:
            lines.append(f" {measured}")
        lines += [f"  {name:<{left - 2}}" + "".join(f"{cell:>13}" for cell in cells) for name, cells in rows.items()]
    return lines

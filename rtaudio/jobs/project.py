"""Projects for other programs, beside a song's stems: part of the job ``export`` and of ``python -m rtaudio project``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.names import song_name
from rtaudio.audio.format import StemplayError
from rtaudio.files.dawproject import SUFFIX as DAWPROJECT
from rtaudio.files.dawproject import write_dawproject
from rtaudio.files.offline import Separation
from rtaudio.files.project import USUAL_TEMPO, Project, check_markers, check_regions, check_tempo, tracks_of
from rtaudio.files.reaper import SUFFIX as REAPER
from rtaudio.files.reaper import write_reaper
from rtaudio.files.tags import read_tags
from rtaudio.protocol.settings import MixerState

KINDS: dict[str, tuple[str, Callable[[Project, Path], None]]] = {
    "reaper": (REAPER, write_reaper), "dawproject": (DAWPROJECT, write_dawproject),
}  # fmt: skip
"""Name -> suffix of the file, and what writes it."""

FORMATS = ("wav", "flac")
"""Of a project's stems: what all programs read, and without loss."""


@dataclass(frozen=True)
class ProjectPlan:
    """What a project has besides stems.

    Attributes:
        kinds: of ``KINDS``. ``mixer``: the levels.
        tempo: ``(seconds, beats a minute)``; empty if unknown.
        markers: ``(seconds, name)``. ``regions``: ``(start, end, name)`` in seconds.
    """

    kinds: Sequence[str]
    mixer: MixerState = field(default_factory=MixerState)
    tempo: Sequence[Any] = ()
    markers: Sequence[Any] = ()
    regions: Sequence[Any] = ()

    def check(self, format: str) -> None:
        """Raises StemplayError if there can be no such project with stems of this format."""
        for kind in self.kinds:
            if kind not in KINDS:
                raise StemplayError(f"There is no project format {kind!r}; choose from {', '.join(KINDS)}.")
        if self.kinds and format not in FORMATS:
            raise StemplayError(f"The stems of a project are {' or '.join(FORMATS)}, not {format}.")
        check_tempo(self.tempo)
        check_markers(self.markers)
        check_regions(self.regions)

    def files(self, song: str | Path) -> dict[str, str]:
        """Names of the projects' files, by their kinds."""
        return {kind: f"{song_name(song)}{KINDS[kind][0]}" for kind in self.kinds}


def write_projects(result: Separation, song: str | Path, folder: Path, plan: ProjectPlan) -> tuple[dict[str, Path], list[str]]:
    """Write the projects of ``plan`` into ``folder``, where the stems of ``result`` are. Returns the files, and sentences about them.

    Raises StemplayError.
    """
    tempo = check_tempo(plan.tempo)
    project = Project(
        song_name(song), result.rate, result.channels, result.frames, tracks_of(result.files, plan.mixer, result.labels),
        plan.mixer.master_db, tempo, check_markers(plan.markers), read_tags(song), check_regions(plan.regions),
    )  # fmt: skip
    files = {kind: folder / name for kind, name in plan.files(song).items()}
    for kind, path in files.items():
        KINDS[kind][1](project, path)
    return files, [] if plan.tempo else [f"The tempo of the song is not known: the project has {USUAL_TEMPO:g} beats a minute."]


def plan_of(values: Mapping[str, Any], mixer: MixerState) -> ProjectPlan:
    """A plan from JSON values: ``kinds``, ``tempo``, ``markers`` and ``regions``. Raises StemplayError for values of a wrong kind."""
    kinds, tempo, markers, regions = (values.get(name, []) for name in ("kinds", "tempo", "markers", "regions"))
    lists = all(isinstance(entries, list | tuple) for entries in (kinds, tempo, markers, regions))
    if not lists or not (
        all(isinstance(kind, str) for kind in kinds)
        and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in (*tempo, *markers))
        and all(isinstance(three, list | tuple) and len(three) == 3 for three in regions)
    ):
        raise StemplayError("A project is described by lists of formats, tempos, markers and regions.")
    return ProjectPlan(kinds, mixer, tempo, markers, regions)

"""The documentation as a website: ``make docs``, or ``python tools/website.py -o FOLDER``. Needs the extra ``docs``.

GitHub shows the pages where they lie in the repository; the site has them side by side. So they are staged first (``PAGES``), with
links that lead to the staged place, and then given to MkDocs, whose warnings are errors. Pages of programs, of the API and for listening
are made here. Nothing is fetched.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "LICENSE": "copying.md",
    "demo/LICENSE.md": "demo-licence.md",
    "docs/examples/README.md": "examples/index.md",
    "examples/README.md": "programs/index.md",
    "training/README.md": "training.md",
}
"""Where a file of the repository is on the site, beside ``docs/*.md``, the models' pages and the programs."""
ASSETS = ("docs/images", "docs/examples")
PLAYER = (
    ' <audio controls controlslist="nodownload noplaybackrate" preload="none" style="width: 84px; height: 36px; vertical-align: middle"'
    ' src="{}"></audio>'
)
"""Five players fit into a row of a table, with a button each."""
API = {
    "session": (
        "Play and control",
        ["rtaudio.control.session.Session", "rtaudio.protocol.settings", "rtaudio.protocol.messages", "rtaudio.protocol.reports"],
    ),
    "files": ("Separate and render files", ["rtaudio.files.offline", "rtaudio.files.midi_render"]),
    "processors": ("Processors", ["rtaudio.processors.base", "rtaudio.processors.factory", "rtaudio.processors.frame_model"]),
    "ports": ("Ports and the engine", ["rtaudio.ports.base", "rtaudio.engine.engine.Engine", "rtaudio.audio.format"]),
    "instrument": ("The instrument", ["rtaudio.instrument.synth", "rtaudio.instrument.model", "rtaudio.midi.midi_file"]),
    "models": ("Models", ["models.card", "models.catalog", "models.archive"]),
    "networks": ("Networks and export", ["models.registry", "models.network", "models.demucs", "training.export.separator"]),
}
"""Page -> its title and what is described on it, from the docstrings."""
LISTENING = "\n[Compare each stem with the song](../listening-page/index.html) on a page made by `python -m training listening page`.\n"
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```([a-z]+) (?:test|slow|jack).*$", re.MULTILINE)


def stage(folder: Path) -> None:
    """Write all pages and what they show into ``folder``, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    places = _places()
    for asset in ASSETS:
        target = folder / Path(asset).relative_to("docs")
        shutil.copytree(ROOT / asset, target, ignore=shutil.ignore_patterns("*.md"))
    for source, place in places.items():
        _write(folder / place, _page(source, place, places))
    for name, (title, modules) in API.items():
        parts = "\n\n".join(f"::: {module}" for module in modules)
        _write(folder / "api" / f"{name}.md", f"# {title}\n\n{parts}\n")
    _listening_page(folder / "listening-page")


def _places() -> dict[str, str]:
    """File of the repository -> page of the site."""
    places = dict(PAGES)
    places |= {f"docs/{page.name}": page.name for page in sorted((ROOT / "docs").glob("*.md"))}
    models = sorted(page.parent.name for page in (ROOT / "models" / "zoo").glob("*/README.md"))
    places |= {f"models/zoo/{name}/README.md": f"models/{name}.md" for name in models}
    places |= {f"examples/{path.name}": f"programs/{path.stem}.md" for path in sorted((ROOT / "examples").glob("*.py"))}
    return places


def _page(source: str, target: str, places: dict[str, str]) -> str:
    text = (ROOT / source).read_text(encoding="utf-8")
    if source.endswith(".py"):
        return f"# {Path(source).name}\n\n```python\n{text}```\n"
    if source == "LICENSE":
        return f"# GNU General Public License\n\n```text\n{text}```\n"

    def moved(match: re.Match[str]) -> str:
        image, words, aim = match.groups()
        if re.match(r"[a-z]+:|#", aim):
            return match[0]
        path, _, anchor = aim.partition("#")
        lies = os.path.normpath(Path(source).parent / path).replace(os.sep, "/")
        place = places.get(lies) or (lies.removeprefix("docs/") if lies.startswith(ASSETS) else None)
        if place is None:  # a file that is on no page
            return words
        relative = os.path.relpath(place, Path(target).parent).replace(os.sep, "/")
        link = f"{image}[{words}]({relative}{'#' + anchor if anchor else ''})"
        return link + (PLAYER.format(relative) if relative.endswith(".ogg") else "")

    shown = LINK.sub(moved, FENCE.sub(r"```\1", text))
    return shown + LISTENING if target == "examples/index.md" else shown


def _listening_page(folder: Path) -> None:
    """The page to compare by ear (docs/listening.md), of the demo song's stems: each beside the song."""
    systems = folder.with_name(".systems")
    for stem in ("drums", "bass", "other", "vocals"):
        for system, file in (("the song", "mixture"), ("demucs-live", stem)):
            target = systems / system / "kimseye" / f"{stem}.ogg"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / "docs" / "examples" / f"{file}.ogg", target)
    command = [sys.executable, "-m", "training", "listening", "page", str(systems / "the song"), str(systems / "demucs-live")]
    told = subprocess.run(
        [*command, "-o", str(folder), "--title", "A song and its stems"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if told.returncode:
        raise SystemExit(told.stderr)
    shutil.rmtree(systems)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the documentation's website.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build" / "site", metavar="FOLDER")
    parser.add_argument("--serve", action="store_true", help="show it at http://127.0.0.1:8000 instead of writing it")
    args = parser.parse_args()
    stage(ROOT / "build" / "site-pages")
    return mkdocs(["serve"] if args.serve else ["build", "--site-dir", str(args.output.absolute())])


def mkdocs(action: list[str], config: Path = ROOT / "mkdocs.yml") -> int:
    """Run MkDocs on the staged pages; returns its exit code, which is not 0 if it warned. (``--quiet`` would keep it from counting.)"""
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}  # the theme's advertisement of its successor
    command = [sys.executable, "-m", "mkdocs", *action, "--strict", "--config-file", str(config)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

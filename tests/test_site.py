"""The documentation's website: it is built without a warning, every page can be reached, and what it plays is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tools.website import mkdocs

ROOT = Path(__file__).resolve().parents[1]
pytest.importorskip("mkdocs")
pytest.importorskip("mkdocstrings")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    built = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "website.py"), "-o", str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=170
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class Targets(HTMLParser):
    """What a page links to and plays."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attributes if name in ("href", "src") and value]


def test_whatever_a_page_leads_to_or_plays_is_there(site: Path) -> None:
    lost = []
    for page in site.rglob("*.html"):
        targets = Targets()
        targets.feed(page.read_text(encoding="utf-8"))
        for target in targets.found:
            path = unquote(target.split("#")[0].split("?")[0])
            if path and not re.match(r"[a-z]+:|/", path) and page.name != "404.html" and not (page.parent / path).exists():
                lost.append(f"{page.relative_to(site)}: {target}")
    assert not lost, "\n".join(lost)


def test_examples_can_be_heard_programs_read_and_the_api_looked_up(site: Path) -> None:
    assert (site / "examples" / "index.html").read_text(encoding="utf-8").count("<audio") == 6 + 2 * 16
    assert "MixerState(stems=" in re.sub("<[^>]+>", "", (site / "programs" / "karaoke.html").read_text(encoding="utf-8"))
    session = (site / "api" / "session.html").read_text(encoding="utf-8")
    assert 'id="rtaudio.control.session.Session.snapshot"' in session
    assert (site / "listening-page" / "index.html").exists()


def test_the_search_finds_pages_and_functions(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    places = {entry["location"].split("#")[0] for entry in index["docs"]}
    assert {"live.html", "architecture.html", "api/processors.html"} <= places


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.md").write_text("[nowhere](nothing.md)")
    config = tmp_path / "mkdocs.yml"
    config.write_text("site_name: x\ndocs_dir: pages\n")
    assert mkdocs(["build", "--site-dir", str(tmp_path / "out")], config) != 0
    (pages / "index.md").write_text("somewhere")
    assert mkdocs(["build", "--site-dir", str(tmp_path / "out")], config) == 0

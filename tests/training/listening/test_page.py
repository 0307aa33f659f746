"""The page to compare by ear: complete, safe with any name, and nothing from the network."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from tests.training.listening.conftest import RATE, MakeSystems, write_tone
from training.cli import main
from training.listening.folders import read_systems
from training.listening.page import write_page
from training.listening.thumbnails import mel_filters, mel_levels


class Links(HTMLParser):
    """All tags, and whatever they point to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def targets(self) -> list[str]:
        return [value for _, attrs in self.tags for name, value in attrs.items() if name in ("src", "href") and value]


def test_there_is_a_player_for_each_system_and_track_and_every_link_leads_somewhere(
    make_systems: MakeSystems, tmp_path: Path
) -> None:
    page = write_page(
        read_systems(make_systems(("Reference", "Demucs"), 3, ("drums", "bass"))), tmp_path / "page", "Compare"
    )
    links = Links(page.read_text(encoding="utf-8"))
    assert len([tag for tag, _ in links.tags if tag == "audio"]) == 12
    assert len([tag for tag, _ in links.tags if tag == "img"]) == 12
    for target in links.targets():
        assert not re.match(r"[a-z]+:|/", target), target
        assert (page.parent / unquote(target)).is_file(), target
    text = page.read_text(encoding="utf-8")
    assert "headphones" in text and "turn the volume down" in text
    assert not re.search(r"https?://|@import|url\(", text)


def test_players_are_named_and_reached_by_keys(make_systems: MakeSystems, tmp_path: Path) -> None:
    text = write_page(read_systems(make_systems(("A", "B"), 1)), tmp_path / "page", "T").read_text(encoding="utf-8")
    links = Links(text)
    for tag, attrs in links.tags:
        if tag in ("audio", "button"):
            assert attrs.get("aria-label")
        assert "tabindex" not in attrs  # nothing is taken out of the order
        if tag == "img":
            assert attrs.get("alt") == ""  # its button says it
    assert ("audio", True) in [(tag, "controls" in attrs) for tag, attrs in links.tags]
    assert "<html lang=" in text


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows has no such names")
def test_names_are_escaped(tmp_path: Path) -> None:
    for system in ("A&B <b>", 'Q"uote%20'):
        write_tone(tmp_path / system / "x<script>alert(1)<\\script> #1?.wav", 300)
    folders = [tmp_path / "A&B <b>", tmp_path / 'Q"uote%20']
    page = write_page(read_systems(folders), tmp_path / "page", "<i>T</i>", pictures=False)
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text and "<i>T" not in text and "A&amp;B &lt;b&gt;" in text
    links = Links(text)
    assert len([tag for tag, _ in links.tags if tag == "script"]) == 1
    for target in links.targets():
        assert (page.parent / unquote(target)).is_file(), target


def test_sounds_that_lie_beside_the_page_are_not_copied(make_systems: MakeSystems) -> None:
    folders = make_systems(("A", "B"), 2)
    place = folders[0].parent
    before = sorted(place.rglob("*.wav"))
    page = write_page(read_systems(folders), place, "T", pictures=False)
    assert sorted(place.rglob("*.wav")) == before
    assert 'src="A/note%20000.wav"' in page.read_text(encoding="utf-8")


def test_mismatched_folders_and_strange_formats_are_one_sentence(
    make_systems: MakeSystems, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = make_systems(("A", "B"), 2)
    (folders[1] / "note 000.wav").unlink()
    assert main(["listening", "page", *map(str, folders), "-o", str(tmp_path / "page")]) == 2
    assert capsys.readouterr().err == "The folders do not match: A has 'note 000' and B does not; 1 such files.\n"
    assert not (tmp_path / "page").exists()


def test_a_tone_is_bright_in_its_mel_band() -> None:
    time = np.arange(RATE) / RATE
    levels = mel_levels(np.sin(2 * np.pi * 1000 * time)[:, None].astype(np.float32), RATE)
    band = int(np.argmax(mel_filters()[:, 64]))  # bin 64 of 1024 at 16 kHz is 1000 Hz
    assert int(levels.mean(1).argmax()) == band
    assert levels[band].max() > -6 and np.median(levels) < -60

"""A page to compare systems by ear: ``index.html``, sounds and pictures in one folder, opened from disk or any web server (LIS-04).

Nothing is loaded from the network, all links are relative, and the players work without the script.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from html import escape
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from rtaudio.audio.format import StemplayError
from training.data.store import write_atomic
from training.listening.folders import Item, Systems, read_sound
from training.listening.thumbnails import draw_mel

BROWSERS_PLAY = (".wav", ".flac", ".ogg", ".mp3")


def write_page(
    systems: Systems, folder: Path, title: str, *, pictures: bool = True, say: Callable[[str], None] = lambda text: None
) -> Path:
    """Write the page into ``folder``. Sounds that are not already there are copied. Returns the page's path.

    Raises StemplayError for a file that is not a sound, or that browsers cannot play.
    """
    links = {
        system: {item: _place(path, system, item, folder) for item, path in rows.items()}
        for system, rows in systems.files.items()
    }
    sections = []
    for number, item in enumerate(systems.items):
        cards = []
        for key, system in enumerate(systems.names, 1):
            path = folder / links[system][item]
            audio, rate = read_sound(path)
            picture = None
            if pictures:
                picture = Path("pictures") / links[system][item].with_suffix(".png")
                draw_mel(folder / picture, audio, rate)
            cards.append(_card(system, item, key, links[system][item], picture, len(audio) / rate))
        sections.append(_section(item, number, cards))
        say(item.name)
    page = folder / "index.html"
    write_atomic(page, _document(systems, title, sections).encode())
    return page


def _place(path: Path, system: str, item: Item, folder: Path) -> Path:
    """The link from the page to ``path``, relative to its folder."""
    if path.suffix.lower() not in BROWSERS_PLAY:
        raise StemplayError(f"{path} is in a format that not every browser plays: convert it to WAV or FLAC first.")
    if path.resolve().is_relative_to(folder.resolve()):
        return path.resolve().relative_to(folder.resolve())
    parts = (item.track, item.source + path.suffix) if item.source else (item.track + path.suffix,)
    link = Path(system, *parts)
    (folder / link).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, folder / link)
    return link


def _url(link: Path) -> str:
    return escape(quote(link.as_posix()))


def _card(system: str, item: Item, key: int, link: Path, picture: Path | None, seconds: float) -> str:
    name = escape(f"{system}: {item.name}")
    shown = ""
    if picture is not None:
        label = escape(f"Play {system}: {item.name}; the picture is its mel spectrogram up to 8 kHz")
        shown = f'<button class="picture" aria-label="{label}"><img src="{_url(picture)}" alt="" loading="lazy"><i></i></button>'
    kbd = f" <kbd>{key}</kbd>" if key < 10 else ""
    return (
        f'<li class="card"><h3>{escape(system)}{kbd}</h3>{shown}'
        f'<audio controls preload="none" src="{_url(link)}" aria-label="{name}, {seconds:.1f} seconds"></audio>'
        f'<p hidden>This file cannot be played: <a href="{_url(link)}">{escape(link.name)}</a></p></li>'
    )


def _section(item: Item, number: int, cards: list[str]) -> str:
    source = f"<small>{escape(item.source)}</small>" if item.source else ""
    return (
        f'<section data-source="{escape(item.source)}" aria-labelledby="item{number}">'
        f'<h2 id="item{number}">{escape(item.track)} {source}</h2>\n<ul class="systems">\n'
        + "\n".join(cards)
        + "\n</ul></section>"
    )


def _document(systems: Systems, title: str, sections: list[str]) -> str:
    web = files("training.listening") / "web"
    style, script = ((web / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    tracks = len({item.track for item in systems.items})
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<p>{tracks} tracks, the same extract of each from {len(systems.names)} systems: {escape(", ".join(systems.names))}.</p>
<p class="warning" role="note"><strong>Please use headphones, and turn the volume down before the first sound.</strong>
Systems may differ in loudness; their sounds are played unchanged.</p>
</header>
<main>
<div class="bar">
{_chips(systems.sources)}
<label>Volume <input id="volume" type="range" min="0" max="100" value="50"></label>
<label><input id="same" type="checkbox" checked> another system continues at the same position</label>
</div>
{chr(10).join(sections)}
</main>
<footer><p>Keys: <kbd>Tab</kbd> moves through the players, <kbd>1</kbd> to <kbd>9</kbd> play a system of the current track, <kbd>n</kbd> and
<kbd>p</kbd> go to the next and the previous track, the space bar plays and pauses.</p></footer>
<script>
{script}</script>
</body>
</html>
"""


def _chips(sources: tuple[str, ...]) -> str:
    if len(sources) < 2:
        return ""
    chips = "".join(
        f'<label class="chip"><input type="radio" name="source" value="{escape(value)}"{" checked" if not value else ""}>'
        f"<span>{escape(text)}</span></label>"
        for value, text in (("", "all"), *((source, source) for source in sources))
    )
    return f"<fieldset><legend>Source</legend>{chips}</fieldset>"

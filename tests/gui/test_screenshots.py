"""The camera: every page of the table gets its pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtGui import QImage

from gui import theme
from gui.bridge import Bridge
from gui.screenshots import SIZES, THEMES, Camera


def test_a_page_is_taken_in_each_theme_and_size(bridge: Bridge, tmp_path: Path) -> None:
    bridge.poll()
    camera = Camera(tmp_path / "new", bridge)
    try:
        camera.page("mixer")
    finally:
        camera.window.hide()
        theme.use("dark")
    assert len(camera.files) == len(SIZES) * len(THEMES)
    pictures = {path.stem: QImage(str(path)) for path in camera.files}
    for width, height in SIZES:
        dark, light = (pictures[f"mixer-{name}-{width}x{height}"] for name in THEMES)
        assert (dark.width(), dark.height()) == (width, height)
        assert dark.pixelColor(5, height // 2).lightness() < 80 < 180 < light.pixelColor(5, height // 2).lightness()


@pytest.mark.slow
def test_all_pictures_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gui.pages import PAGES
    from gui.screenshots import main

    for name in ("STEMPLAY_CONFIG_DIR", "STEMPLAY_CACHE_DIR", "STEMPLAY_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))  # what the camera sets is undone
    main([str(tmp_path)])
    taken = {path.name.split("-")[0] for path in tmp_path.glob("*.png")} - {"plugin"}  # where one is installed
    assert taken == {page.key for page in PAGES} | {"browser", "editor", "export", "instruments", *(f"settings{n}" for n in range(1, 5))}

"""Texts of files are replaced whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from rtaudio.system.atomic_file import write_text


def test_a_text_replaces_the_one_before_and_makes_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "é.json"
    write_text(path, "one\n")
    write_text(path, "two ♪\n")
    assert path.read_bytes() == "two ♪\n".encode()
    assert [child.name for child in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_file_is_private_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    write_text(tmp_path / "private", "")
    write_text(tmp_path / "shared", "", permissions=0o644)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("private", "shared")] == [0o600, 0o644]


def test_what_fails_leaves_the_old_text_and_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept.json"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\udc80")  # no text
    refused = OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(refused))
    with pytest.raises(OSError, match="No space"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == [path.name]


def test_a_folder_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write_text(tmp_path / "folder", "text")
    assert [child.name for child in tmp_path.iterdir()] == ["folder"]

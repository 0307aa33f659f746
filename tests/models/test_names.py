"""Names from files are data: none of them leads anywhere, and none is a device."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.names import LONGEST, exists, folded, inside, is_file, name_problem

GOOD = ("drums", "Lead 1 - square", "a.b", "Бас", "ギター", "e\u0301tude", "x" * LONGEST, "com10", "console")
BAD = ("", " ", ".", "..", "../../../tmp/x", "/etc/x", "a/b", "a\\b", "C:x", "x" * (LONGEST + 1), "con", "NUL.wav", "Com1", "lpt9.x.y",
       "x ", " x", "x.", ".x", "a\0b", "a\nb", "<b>x</b>", "a*b", "a?b", 'a"b', "a|b", "a\u202eb")  # fmt: skip


def test_names_of_files_everywhere() -> None:
    assert {name: name_problem(name) for name in GOOD} == dict.fromkeys(GOOD)
    assert [name for name in BAD if name_problem(name) is None] == []


@given(st.text(max_size=80))
def test_whatever_passes_is_one_component_of_a_path(name: str) -> None:
    if name_problem(name) is None:
        assert (Path("/base") / f"{name}.wav").parent == Path("/base")
        assert Path(name).name == name and "/" not in name and "\\" not in name and ":" not in name


def test_names_that_are_one_file_on_some_system() -> None:
    assert folded("Vocals") == folded("vocals") and folded("\u00e9") == folded("e\u0301")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/x", "C:/x", "C:x", "\\\\host\\x", "..\\x", ""])
def test_paths_that_lead_out_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        inside(Path("folder"), path)


def test_paths_inside_are_kept() -> None:
    assert inside(Path("folder"), "sounds/x.wav") == Path("folder/sounds/x.wav")


def test_what_no_system_could_have_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    assert exists(tmp_path) and exists(str(tmp_path / "a")) and is_file(tmp_path / "a") and not is_file(tmp_path)
    for name in ("x" * 5000, "a\0b", "\udc80\ud800", "/" * 3 + "y" * 300):
        assert not exists(name) and not is_file(tmp_path / name)

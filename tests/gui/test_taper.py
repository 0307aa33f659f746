"""The scale of faders and meters."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.widgets import taper
from gui.widgets.fader import decibels, tenths


@given(st.floats(taper.FLOOR_DB + 0.01, taper.TOP_DB))
def test_place_and_level_are_inverse(db: float) -> None:
    assert taper.level(taper.place(db)) == pytest.approx(db, abs=1e-6)


@given(st.floats(-200, 30), st.floats(-200, 30))
def test_louder_is_never_lower(one: float, other: float) -> None:
    assert (taper.place(one) <= taper.place(other)) == (taper.place(one) == taper.place(other) or one <= other)


def test_the_bottom_is_silence_and_most_travel_is_where_one_mixes() -> None:
    assert taper.level(0.0) == -math.inf and taper.place(-math.inf) == taper.place(math.nan) == 0.0
    assert taper.place(taper.TOP_DB + 10) == 1.0
    assert taper.place(0.0) - taper.place(-20.0) > 0.4


@given(st.integers(-600, 60))
def test_the_slider_holds_tenths_of_a_db(value: int) -> None:
    assert tenths(decibels(value)) == value


@pytest.mark.parametrize(
    ("text", "db"),
    [
        ("-6", -6.0), ("−6,5 dB", -6.5), ("+3", 3.0), ("-inf", -math.inf), ("−∞", -math.inf),
        ("loud", None), ("", None), ("nan", None), ("1e999", None),
    ],
)  # fmt: skip
def test_what_people_type_is_understood(text: str, db: float | None) -> None:
    assert taper.read(text) == db


@given(st.floats(-60, 24))
def test_what_is_written_can_be_read(db: float) -> None:
    read = taper.read(taper.written(db))
    assert read is not None and abs(read - db) <= 0.05001

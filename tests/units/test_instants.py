"""Instants: whole seconds UTC, and never a guessed time zone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.units import DAY_S, HOUR_S, YEAR_S, iso, parse_instant


def test_spans_are_what_they_say() -> None:
    assert (HOUR_S, DAY_S, YEAR_S) == (3_600, 24 * HOUR_S, 365 * DAY_S)


@given(st.integers(0, 4_102_444_800))
def test_an_instant_survives_its_text(at_s: int) -> None:
    assert parse_instant(iso(at_s)) == at_s


@pytest.mark.parametrize(
    ("text", "at_s"),
    [
        ("1970-01-01", 0), ("2024-01-31", 1_706_659_200), (" 2024-01-31 ", 1_706_659_200),
        ("2024-02-29T00:00:00Z", 1_709_164_800), ("2024-01-31T01:00:00+01:00", 1_706_659_200),
        ("1970-01-01T00:00:00.999Z", 0),
    ],
)  # fmt: skip
def test_known_instants(text: str, at_s: int) -> None:
    assert parse_instant(text) == at_s


@pytest.mark.parametrize(
    "text", ["2024-01-31T00:00:00", "2024-01-31 12:00", "2024-02-30", "tomorrow", "", "20240131T10"]
)
def test_what_is_unclear_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_instant(text)

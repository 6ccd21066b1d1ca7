"""Manual entries: two people, a limited time, and nothing instead of nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dynamic.errors import Refused
from dynamic.market.manual import ManualEntry, first_of
from dynamic.market.observation import Observation, Provenance

HOUR, NOW = 3_600, 1_700_000_000
ENTRY = ManualEntry("mvrv_z:BTC", 1.9, "ratio", "ana", "ben", NOW - HOUR, NOW, 48 * HOUR)


@pytest.mark.req("MI-02", "MI-16")
def test_mi_mvrv_chain() -> None:
    observed = Observation("mvrv_z:BTC", 2.0, "ratio", "coin metrics", NOW, NOW)
    assert first_of([None, observed, ENTRY.observation(NOW)]) == observed
    manual = first_of([None, None, ENTRY.observation(NOW)])
    assert manual is not None
    assert manual.value == 1.9
    assert manual.source.startswith("manual")
    assert manual.provenance is Provenance.FALLBACK
    assert first_of([None, None]) is None


@pytest.mark.req("MI-03")
@pytest.mark.parametrize(("hours", "is_there"), [(-2, False), (0, True), (47, True), (49, False)])
def test_mi_mvrv_manual_expiry(hours: int, is_there: bool) -> None:
    found = ENTRY.observation(NOW + hours * HOUR)
    assert (found is not None) == is_there
    if found is not None:
        assert (found.as_of_s, found.fetched_at_s) == (NOW - HOUR, NOW)
        assert "ana" in found.source


@pytest.mark.req("MI-03")
def test_mi_mvrv_manual_expiry_to_the_second() -> None:
    assert ENTRY.observation(NOW + 47 * HOUR) is not None
    assert ENTRY.observation(NOW + 47 * HOUR + 1) is None


@pytest.mark.req("MI-03")
@pytest.mark.parametrize(
    "change",
    [
        {"confirmed_by": "ana"},
        {"operator": ""},
        {"confirmed_by": ""},
        {"as_of_s": NOW + 1},
        {"as_of_s": NOW - 49 * HOUR},
    ],
)
def test_an_entry_needs_two_people_and_a_recent_past(change: dict[str, object]) -> None:
    with pytest.raises(Refused, match="mvrv_z:BTC"):
        replace(ENTRY, **change)  # type: ignore[arg-type]

"""MVRV Z against its definition, and against Glassnode's published series."""

from __future__ import annotations

import csv
import gzip
import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.market.zscore import CapMoments, mvrv_z_series

caps = st.floats(1.0, 1e13, allow_nan=False)


@given(st.lists(st.tuples(caps, caps), min_size=1, max_size=60))
def test_z_is_its_definition(days: list[tuple[float, float]]) -> None:
    for at, found in enumerate(mvrv_z_series(days)):
        past = [cap for cap, _ in days[: at + 1]]
        deviation = statistics.pstdev(past)
        if found is None:
            assert len(past) < 2 or deviation == pytest.approx(0.0, abs=1e-3 * max(past))
        elif deviation > 1e-6 * max(past):
            expected = (days[at][0] - days[at][1]) / deviation
            assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(st.lists(st.tuples(caps, caps), min_size=2, max_size=40), st.integers(1, 39))
def test_z_knows_no_future(days: list[tuple[float, float]], cut: int) -> None:
    assert mvrv_z_series(days)[:cut] == mvrv_z_series(days[:cut])


def test_z_is_undefined_without_a_deviation() -> None:
    assert mvrv_z_series([(5.0, 1.0)]) == [None]
    assert mvrv_z_series([(5.0, 1.0), (5.0, 2.0)]) == [None, None]
    assert CapMoments().deviation_usd() is None
    assert mvrv_z_series([(1.0, 0.0), (3.0, 3.0)])[1] == 0.0


def _column(path: Path, *names: str) -> dict[str, tuple[float, ...]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return {
            row["date_utc"]: tuple(float(row[name]) for name in names)
            for row in csv.DictReader(file)
        }


@pytest.mark.req("MI-02")
def test_z_agrees_with_the_reference_series(history_dir: Path) -> None:
    days = _column(history_dir / "btc_onchain_daily.csv.gz", "market_cap_usd", "realized_cap_usd")
    reference = _column(history_dir / "btc_mvrv_zscore_reference_daily.csv.gz", "mvrv_z_score")
    ours = dict(zip(days, mvrv_z_series([(a, b) for a, b in days.values()]), strict=True))
    pairs = [(ours[day], z[0], day) for day, z in reference.items() if ours.get(day) is not None]
    assert len(pairs) > 3_900
    assert statistics.correlation([p[0] for p in pairs], [p[1] for p in pairs]) >= 0.995
    late = [abs(p[0] - p[1]) for p in pairs if p[2] >= "2014"]
    assert statistics.median(late) < 0.06

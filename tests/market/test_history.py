"""Recorded rows: bad ones are named by file and line; nothing is known before its time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import Refused
from dynamic.market.history import (
    Series,
    Table,
    finite,
    index_0_100,
    joined,
    parse,
    positive,
    require_daily,
    require_past,
    usd_micro_price,
    wei_of_gwei,
)
from dynamic.market.observation import Provenance
from dynamic.market.recording import Assumed, Channel, Future, Point, Recording
from dynamic.units import DAY_S, parse_instant


def table(*rows: str, header: str = "date_utc,price_usd,chain") -> Table:
    return Table("f.csv", header.split(","), [row.split(",") for row in rows])


def prices(*rows: str, **more: str) -> Series:
    return parse(table(*rows, **more), ("close", "price_usd"), usd_micro_price)


def test_a_series_is_read_by_date() -> None:
    found = prices("2024-01-01,0.000001,a", "2024-01-03,93389.7326016949,b")
    assert found.at_s == (parse_instant("2024-01-01"), parse_instant("2024-01-03"))
    assert found.values == (1, 93_389_732_601)


def test_an_empty_cell_is_a_missing_day_and_zero_is_data() -> None:
    assert prices("2024-01-01,1,a", "2024-01-02,,a", "2024-01-03,2,a").values == (10**6, 2 * 10**6)
    rates = parse(table("2024-01-01,0,a", "2024-01-02,-0.001,a"), ("price_usd",), finite)
    assert rates.values == (0.0, -0.001)


@pytest.mark.req("MI-20")
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["2024-01-01,1,a", "2024-01-01,2,a"], "line 3: expected a date after .*duplicate"),
        (["2024-01-02,1,a", "2024-01-01,2,a"], "line 3: expected a date after .*step back"),
        (["2024-01-01,1,a", "2024-01-02,nan,a"], "line 3: expected a valid price_usd"),
        (["2024-01-01,0,a"], "line 2: expected a valid price_usd, found '0'"),
        (["2024-01-01,-1,a"], "line 2"),
        (["2024-01-01,x,a"], "line 2"),
        (["2024-01-01,1"], "line 2: expected 3 cells, found '2 cells'"),
        (["2024-13-01,1,a"], "line 2: expected an ISO date"),
        (["01/02/2024,1,a"], "line 2: expected an ISO date"),
        (["2024-01-01T00:00:00,1,a"], "line 2: expected an ISO date"),
    ],
)
def test_mi_sanitise_bad_rows_are_named(rows: list[str], message: str) -> None:
    with pytest.raises(Refused, match=message) as caught:
        prices(*rows)
    assert caught.value.message.startswith("f.csv")
    assert "\n" not in caught.value.message


def test_a_missing_column_names_what_is_there() -> None:
    with pytest.raises(Refused, match="column close or price_usd, found date_utc, x"):
        prices("2024-01-01,1", header="date_utc,x")
    with pytest.raises(Refused, match="found price_usd"):
        prices("1", header="price_usd")


def test_rows_of_other_markets_are_passed_over() -> None:
    rows = ("2024-01-01,1,a", "2024-01-01,2,b", "2024-01-02,3,b")
    assert parse(table(*rows), ("price_usd",), finite, {"chain": "b"}).values == (2.0, 3.0)


def test_gaps_and_future_dates_are_refused_where_days_must_follow() -> None:
    gap = prices("2024-01-01,1,a", "2024-01-03,1,a")
    with pytest.raises(Refused, match="one row a day, found 2024-01-03T00:00:00Z after 2024-01-01"):
        require_daily(gap)
    assert require_past(gap, parse_instant("2024-01-03")) == gap
    with pytest.raises(Refused, match="dates up to"):
        require_past(gap, parse_instant("2024-01-03") - 1)


def test_the_file_named_first_wins() -> None:
    one = Series("one", (DAY_S, 2 * DAY_S), (1, 2))
    other = Series("other", (0, DAY_S), (8, 9))
    assert joined([one, other]) == ((0, 8, "other"), (DAY_S, 1, "one"), (2 * DAY_S, 2, "one"))


def test_cells_keep_their_ranges() -> None:
    assert wei_of_gwei("604.68415487") == 604_684_154_870
    assert index_0_100("0") == 0
    for read, text in ((positive, "0"), (index_0_100, "101"), (index_0_100, "-1"), (finite, "inf"),
                       (wei_of_gwei, "0"), (wei_of_gwei, "nan")):  # fmt: skip
        with pytest.raises(ValueError, match="expected"):
            read(text)


# --- what is known when ---------------------------------------------------------------------------

channels = st.lists(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 10**6)), min_size=1, max_size=20,
             unique_by=lambda pair: pair[0]),
    min_size=1, max_size=4,
)  # fmt: skip


def recording(drawn: list[list[tuple[int, int]]]) -> Recording:
    return Recording(
        Channel(
            f"k:{place}", "usd",
            [Point(known * 10, known * 10 - 5, value, "test") for known, value in sorted(points)],
        )
        for place, points in enumerate(drawn)
    )  # fmt: skip


@given(channels, st.integers(-10, 600))
def test_nothing_is_known_before_its_time(drawn: list[list[tuple[int, int]]], now: int) -> None:
    found = {one.key: one for one in recording(drawn).observe(now)}
    for place, points in enumerate(drawn):
        known = [(known_s * 10, value) for known_s, value in sorted(points) if known_s * 10 <= now]
        one = found.get(f"k:{place}")
        if not known:
            assert one is None
        else:
            assert one is not None
            assert (one.fetched_at_s, one.value) == known[-1]


@given(channels, st.integers(0, 500), st.sampled_from(Future), st.integers(0, 99))
def test_changing_the_future_changes_no_past(
    drawn: list[list[tuple[int, int]]], after: int, mode: Future, seed: int
) -> None:
    one = recording(drawn)
    other = one.with_future(after, mode, random.Random(seed).shuffle)
    for now in range(0, after + 1, 7):
        assert one.observe(now) == other.observe(now)
    assert one.observe(after) == other.observe(after)
    if mode is Future.TRUNCATE:
        assert other.observe(10**6) == one.observe(after)
    else:
        for key in sorted(one.keys()):
            values = sorted(o.value for o in one.history(key, 10**6))
            assert values == sorted(o.value for o in other.history(key, 10**6))


def test_mvrv_is_derived_from_its_own_past_and_labelled() -> None:
    days = [(100.0, 80.0), (200.0, 90.0), (150.0, 100.0)]

    def channel(key: str, values: list[float]) -> Channel:
        return Channel(
            key, "usd", [Point(d * DAY_S, d * DAY_S, v, "s") for d, v in enumerate(values)]
        )

    one = Recording(
        [channel("market_cap:BTC", [a for a, _ in days]),
         channel("realized_cap:BTC", [b for _, b in days])]
    )  # fmt: skip
    scores = one.history("mvrv_z:BTC", 10**9)
    assert [s.as_of_s for s in scores] == [DAY_S, 2 * DAY_S]  # undefined on the first day
    assert scores[0].value == (200.0 - 90.0) / 50.0
    assert {s.provenance for s in scores} == {Provenance.DERIVED}
    assert "market cap" in scores[0].source


def test_an_assumption_stands_in_only_where_nothing_was_recorded() -> None:
    recorded = Channel("apy:x", "fraction", [Point(10 * DAY_S, 10 * DAY_S, 0.05, "seen")])
    one = Recording(
        [recorded],
        [Assumed("apy:x", 0.04, "fraction", "assumed"), Assumed("apy:y", 0.06, "fraction", "?")],
    )

    def at(now: int) -> dict[str, tuple[float, Provenance]]:
        return {o.key: (o.value, o.provenance) for o in one.observe(now)}

    before, seen, bridged, after = (at(day * DAY_S) for day in (9, 10, 13, 14))
    assert before["apy:x"] == after["apy:x"] == (0.04, Provenance.FALLBACK)
    assert seen["apy:x"] == bridged["apy:x"] == (0.05, Provenance.OBSERVED)
    assert before["apy:y"] == (0.06, Provenance.FALLBACK)
    with pytest.raises(Refused):
        one.span("apy:y")

"""Numbers for people: units, signs, and never more than the ledger has."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.app.api.wire import exact, money
from dynamic.app.dashboard import charts, show, svg
from dynamic.trading.views import Point

MICRO = st.integers(-(10**15), 10**15)


def read(text: str) -> Decimal:
    """Read back what the screen says."""
    for mark in ("$", ",", " %", " pp", "+"):
        text = text.replace(mark, "")
    return Decimal(text.replace("−", "-"))


@given(MICRO)
def test_a_screen_never_claims_more_than_the_ledger(micro: int) -> None:
    for places in (0, 2, 6):
        shown = read(show.usd(micro, places))
        assert shown <= Decimal(micro).scaleb(-6) < shown + Decimal(1).scaleb(-places)


@given(MICRO)
def test_the_exact_string_is_exact(micro: int) -> None:
    assert Decimal(exact(micro)).scaleb(6) == micro
    assert abs(Decimal(money(micro)).scaleb(6) - micro) < 1


@pytest.mark.req("DB-05")
@given(MICRO)
def test_a_loss_has_a_minus_and_its_colour(micro: int) -> None:
    text = show.signed_usd(micro)
    assert text.startswith("−") == (micro < 0)
    assert text.startswith("+") == (micro > 0)
    assert show.tone(micro) == ("loss" if micro < 0 else "gain" if micro > 0 else "flat")


@given(st.integers(-20_000, 20_000))
def test_basis_points_are_shown_whole(value: int) -> None:
    assert read(show.bps(value)) * 100 == value
    assert read(show.points(value)) * 100 == value


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (show.usd(None), "–"), (show.usd(0), "$0.00"), (show.usd(-1), "−$0.01"),
        (show.usd(1), "$0.00"), (show.percent(None), "–"), (show.percent(0.0), "0.00 %"),
        (show.percent(-0.0371), "−3.71 %"), (show.signed_percent(0.0412), "+4.12 %"),
        (show.signed_percent(0.0), "0.00 %"), (show.percent(-0.0), "0.00 %"),
        (show.percent(-1e-17), "0.00 %"), (show.brief("99172.859774662"), "99,172.859774"),
        (show.span(0), "0 s"),
        (show.span(200_000), "2 d 7 h"),
        (show.span(59), "59 s"), (show.span(60), "1 min"), (show.ago(100, 159), "just now"),
        (show.ago(100, 160), "1 min ago"), (show.ago(None, 1), "never"),
        (show.measure(None, "bps"), "not observed"), (show.measure(0, "count"), "0"),
        (show.measure(4_231, "bps"), "42.31 %"), (show.measure(84_000_000_000, "wei"), "84.0 gwei"),
        (show.measure(900, "s"), "15 min"), (show.amount("-1234567.890000"), "−1,234,567.890000"),
    ],
)  # fmt: skip
def test_writing(shown: str, wanted: str) -> None:
    assert shown == wanted


LINES = st.lists(
    st.tuples(st.integers(0, 10**6), st.floats(-1e6, 1e6)), min_size=2, max_size=900
).map(lambda rows: tuple(Point(at, value) for at, value in sorted(dict(rows).items())))


@given(LINES, st.integers(10, 400))
def test_thinning_keeps_the_ends_and_the_extremes(line: tuple[Point, ...], most: int) -> None:
    kept = charts.thin(line, most)
    assert len(kept) <= max(most, 2) + 1
    assert (kept[0], kept[-1]) == (line[0], line[-1])
    assert list(kept) == sorted(set(kept))
    for extreme in (min, max):
        assert extreme(p.value for p in kept) == extreme(p.value for p in line)


@given(LINES)
def test_a_chart_stays_on_its_canvas(line: tuple[Point, ...]) -> None:
    found = svg.Chart("x", "X", "usd", (svg.Line("x", 1, line),), thresholds=(0.0, 9.0))
    drawn = svg.chart(found, 100, 50)
    if len(line) < 2:
        assert "Not enough" in drawn
        return
    polyline = drawn.partition('<polyline class="line s1" points="')[2].partition('"')[0]
    for pair in polyline.split():
        x, y = (float(part) for part in pair.split(","))
        assert 0 <= x <= 100
        assert 0 <= y <= 50


def test_a_chart_escapes_its_names() -> None:
    line = svg.Line('"<b>', 1, (Point(0, 1.0), Point(1, 2.0)))
    assert "<b>" not in svg.chart(svg.Chart("x", '"<i>', "usd", (line,)))
    assert "<b>" not in svg.ring([("<b>", 0.5), ("y", 0.5)])

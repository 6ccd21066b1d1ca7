"""Nothing from outside is believed before it is checked."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import DataUnfit
from dynamic.market import sanitise

JUNK = [
    None, True, False, "", " 1", "1 ", "1,000", "0x10", "nan", "inf", "-inf", "NaN", "1e999", "١",
    "1_000", "<html>", [], {}, [1], float("nan"), float("inf"), b"1", "9" * 100, "--1", "1.",
]  # fmt: skip


@pytest.mark.req("MI-20")
@pytest.mark.parametrize("raw", JUNK, ids=lambda raw: repr(raw)[:12])
def test_mi_sanitise_junk(raw: object) -> None:
    for check in (
        lambda: sanitise.number("price:BTC", raw),
        lambda: sanitise.usd_micro_price("price:BTC", raw),
        lambda: sanitise.index_0_100("fear_greed", raw),
        lambda: sanitise.funding_per_8h("funding:BTC", raw),
        lambda: sanitise.instant("fear_greed", raw, 1_700_000_000, 60),
    ):
        with pytest.raises(DataUnfit, match=r"expected .* found .*dropped") as caught:
            check()
        assert caught.value.message.split(":")[0] in {"price", "fear_greed", "funding"}


@pytest.mark.req("MI-20")
@given(st.text() | st.floats() | st.integers() | st.booleans() | st.none())
def test_mi_sanitise_is_total(raw: object) -> None:
    """A check returns a finite number or raises DataUnfit; nothing else ever escapes it."""
    try:
        assert sanitise.number("x", raw).is_finite()
    except DataUnfit:
        assert not isinstance(raw, int) or isinstance(raw, bool) or abs(raw) >= 10**30


@pytest.mark.req("MI-20", "MI-01")
@pytest.mark.parametrize(
    ("raw", "micro"),
    [(88_927, 88_927_000_000), (21.14, 21_140_000), ("1498.64", 1_498_640_000),
     ("0.000001", 1), (0.9999999, 999_999)],
)  # fmt: skip
def test_prices_are_exact_and_rounded_down(raw: object, micro: int) -> None:
    assert sanitise.usd_micro_price("price:X", raw) == micro


@pytest.mark.req("MI-20")
@pytest.mark.parametrize("raw", [0, 0.0, "0", -1, "-0.01", 1e-7, 10**9, "1e12"])
def test_mi_sanitise_prices_out_of_range(raw: object) -> None:
    with pytest.raises(DataUnfit):
        sanitise.usd_micro_price("price:BTC", raw)


@pytest.mark.req("MI-05", "MI-17")
@pytest.mark.parametrize(("raw", "value"), [(0, 0), ("0", 0), (100, 100), ("64", 64), (50.0, 50)])
def test_mi_fng_within_bounds(raw: object, value: int) -> None:
    assert sanitise.index_0_100("fear_greed", raw) == value


@pytest.mark.req("MI-05")
@pytest.mark.parametrize("raw", [-1, 101, "101", 50.5, "1e3"])
def test_mi_fng_bounds(raw: object) -> None:
    with pytest.raises(DataUnfit, match="0 to 100"):
        sanitise.index_0_100("fear_greed", raw)


@pytest.mark.req("MI-04", "MI-17", "MI-20")
def test_mi_funding_is_a_decimal_per_8h() -> None:
    assert sanitise.funding_per_8h("funding:BTC", "0.00010000") == 0.0001
    assert sanitise.funding_per_8h("funding:BTC", 0.0) == 0.0
    assert sanitise.funding_per_8h("funding:TON", "0.0001", interval_h=4) == 0.0002
    for raw in ("0.11", -0.11, "1"):
        with pytest.raises(DataUnfit):
            sanitise.funding_per_8h("funding:BTC", raw)
    with pytest.raises(DataUnfit):
        sanitise.funding_per_8h("funding:BTC", "0.0001", interval_h=3)


@pytest.mark.req("MI-20")
@pytest.mark.parametrize(
    ("late_s", "is_fit"), [(0, True), (60, True), (61, False), (-(10**6), True)]
)
def test_mi_sanitise_clock_skew(late_s: int, is_fit: bool) -> None:
    now = 1_700_000_000
    if is_fit:
        assert sanitise.instant("x", str(now + late_s), now, 60) == min(now + late_s, now)
    else:
        with pytest.raises(DataUnfit):
            sanitise.instant("x", now + late_s, now, 60)


@pytest.mark.req("MI-20")
def test_mi_sanitise_bodies() -> None:
    assert sanitise.json_body("x", b'{"a": 1.5}', 100) == {"a": 1.5}
    assert sanitise.json_body("x", b"1" * 100, 100) == int("1" * 100)
    for body in (b"1" * 101, b"<html></html>", b'{"a": NaN}', b"[-Infinity]", b"\xff\xfe", b"",
                 b"[" * 100):  # fmt: skip
        with pytest.raises(DataUnfit):
            sanitise.json_body("x", body, 100)
    with pytest.raises(DataUnfit):
        sanitise.json_body("x", b"[" * 100_000, 10**7)


@pytest.mark.req("MI-20")
@pytest.mark.parametrize(
    ("found", "second", "is_believed"),
    [
        (125, None, True), (75, None, True),  # exactly 25 %
        (126, None, False), (74, None, False),
        (126, 126, True), (126, 120, True), (126, 119, False), (74, 74, True), (126, 100, False),
    ],
)  # fmt: skip
def test_mi_sanitise_price_jumps(found: int, second: int | None, is_believed: bool) -> None:
    scale = 10**6
    args = (
        "price:BTC", 100 * scale, found * scale,
        None if second is None else second * scale, 2_500, 500,
    )  # fmt: skip
    if is_believed:
        assert sanitise.confirm_jump(*args) == found * scale
    else:
        with pytest.raises(DataUnfit, match="second source"):
            sanitise.confirm_jump(*args)


def test_the_first_price_ever_needs_no_second_source() -> None:
    assert sanitise.confirm_jump("price:BTC", None, 7, None, 2_500, 500) == 7


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e20, max_value=1e20))
def test_a_float_is_read_as_it_is_written(raw: float) -> None:
    assert float(sanitise.number("x", raw)) == raw or math.isclose(raw, 0.0, abs_tol=1e-60)
    assert isinstance(sanitise.number("x", raw), Decimal)

"""Money and amounts: integers all the way, and strings that people can trust."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.units import (
    BPS,
    RAY,
    USD_MICRO,
    Amount,
    Asset,
    AssetKind,
    Rounding,
    bps_of,
    format_usd,
    fraction_to_ray,
    price_usd_micro,
    ratio_bps,
    usd_decimal,
    usd_micro,
    value_usd_micro,
)

USDC = Asset("USDC", 6, AssetKind.STABLE, "USDC")
WBTC = Asset("WBTC", 8, AssetKind.VOLATILE, "BTC")
WETH = Asset("WETH", 18, AssetKind.VOLATILE, "ETH")
MICRO = st.integers(-(10**18), 10**18)


@pytest.mark.req("PM-06")
def test_pm_decimal_a_tenth_and_two_tenths_are_three_tenths() -> None:
    parts = [USDC.amount("0.1"), USDC.amount("0.2")]
    assert sum(each.base_units for each in parts) == 300_000 == USDC.amount("0.3").base_units
    assert usd_micro("0.1") + usd_micro("0.2") == usd_micro("0.3") == 300_000
    assert 0.1 + 0.2 != 0.3  # what a float would have said


@pytest.mark.req("PM-06")
def test_pm_decimal_refuses_binary_floats_as_dollars() -> None:
    with pytest.raises(TypeError, match="float"):
        usd_micro(0.1)  # type: ignore[arg-type]


@given(MICRO)
def test_dollars_and_back_lose_nothing(micro: int) -> None:
    assert usd_micro(usd_decimal(micro)) == micro
    with localcontext() as context:
        context.prec = 3
        assert usd_micro(f"{Decimal(micro)}e-6") == micro


@pytest.mark.parametrize(
    ("text", "down", "up"),
    [("0.0000001", 0, 1), ("-0.0000001", -1, 0), ("1.9999999", 1_999_999, 2_000_000), (3, 3 * 10**6,
     3 * 10**6), (Decimal("400000.0"), 4 * 10**11, 4 * 10**11)],
)  # fmt: skip
def test_dollars_finer_than_a_micro_fall_as_named(
    text: str | int | Decimal, down: int, up: int
) -> None:
    assert usd_micro(text, Rounding.DOWN) == down
    assert usd_micro(text, Rounding.UP) == up


@given(st.integers(0, 10**30), st.integers(0, 10**12), st.sampled_from([6, 8, 18]))
def test_a_value_is_units_times_price(units: int, price: int, decimals: int) -> None:
    exact = Fraction(units * price, 10**decimals)
    down = value_usd_micro(units, price, decimals, Rounding.DOWN)
    up = value_usd_micro(units, price, decimals, Rounding.UP)
    assert down <= exact <= up
    assert up - down in (0, 1)


@given(st.integers(0, 10**24), st.integers(0, 10**24), st.integers(0, 10**12))
def test_values_floored_apart_never_exceed_the_whole(a: int, b: int, price: int) -> None:
    def worth(units: int) -> int:
        return value_usd_micro(units, price, 18, Rounding.DOWN)

    assert 0 <= worth(a + b) - worth(a) - worth(b) <= 1


@pytest.mark.parametrize(
    ("micro", "places", "text"),
    [
        (0, 2, "$0.00"), (1, 2, "$0.00"), (9_999, 2, "$0.00"), (10_000, 2, "$0.01"),
        (-1, 2, "-$0.01"), (-10_000, 2, "-$0.01"), (-10_001, 2, "-$0.02"),
        (1_234_500_000, 2, "$1,234.50"), (399_999_999_999, 0, "$399,999"),
        (999_999, 6, "$0.999999"), (-500_000, 0, "-$1"),
    ],
)  # fmt: skip
def test_format_shows_never_more_than_there_is(micro: int, places: int, text: str) -> None:
    assert format_usd(micro, places) == text


@given(MICRO, st.integers(0, 6))
def test_what_is_shown_is_never_above_the_truth(micro: int, places: int) -> None:
    shown = Fraction(format_usd(micro, places).replace("$", "").replace(",", ""))
    exact = Fraction(micro, USD_MICRO)
    assert exact - Fraction(1, 10**places) < shown <= exact


def test_a_price_is_quantised_once() -> None:
    assert price_usd_micro("65000.1234567", Rounding.DOWN) == 65_000_123_456
    assert price_usd_micro("65000.1234567", Rounding.UP) == 65_000_123_457
    assert price_usd_micro(0.1, Rounding.DOWN) == 100_000  # the float is a little above a tenth
    assert price_usd_micro(0.1, Rounding.UP) == 100_001
    assert price_usd_micro(Decimal("0.1"), Rounding.UP) == 100_000


def test_amounts_are_written_exactly() -> None:
    assert USDC.one == 1_000_000
    assert WBTC.amount("0.00000001").base_units == 1
    assert WBTC.amount("0.000000019").base_units == 1
    assert WBTC.amount("0.000000011", Rounding.UP).base_units == 2
    assert WETH.amount(3).base_units == 3 * 10**18
    assert str(Amount(WETH, 1)) == "0.000000000000000001 WETH"
    assert str(Amount(USDC, 400_000_000_000)) == "400000 USDC"
    assert str(Amount(USDC, 0)) == "0 USDC"
    assert str(Amount(WBTC, -150_000_000)) == "-1.5 WBTC"


@given(st.integers(0, 10**28))
def test_an_amounts_text_is_its_amount(units: int) -> None:
    text, symbol = str(Amount(WETH, units)).split()
    assert (WETH.amount(text).base_units, symbol) == (units, "WETH")


def test_ratios_at_their_edges() -> None:
    assert ratio_bps(0, 0, Rounding.UP) == 0
    assert ratio_bps(1, 3, Rounding.DOWN) == 3_333
    assert ratio_bps(1, 3, Rounding.UP) == 3_334
    assert ratio_bps(400, 1_000, Rounding.UP) == 4_000
    assert ratio_bps(400_001, 1_000_000, Rounding.UP) == 4_001
    with pytest.raises(ValueError, match="positive denominator"):
        ratio_bps(1, 0, Rounding.UP)


@given(st.integers(0, 10**18), st.integers(0, BPS))
def test_a_part_and_its_rest_are_the_whole(amount: int, bps: int) -> None:
    part = bps_of(amount, bps, Rounding.DOWN)
    assert part + bps_of(amount, BPS - bps, Rounding.UP) == amount
    assert 0 <= part <= amount


def test_fractions_become_rays() -> None:
    assert fraction_to_ray(Decimal("0.05"), Rounding.DOWN) == RAY // 20
    assert fraction_to_ray(0.5, Rounding.DOWN) == RAY // 2
    assert fraction_to_ray(0.05, Rounding.UP) - fraction_to_ray(0.05, Rounding.DOWN) == 1

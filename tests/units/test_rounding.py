"""Laws of rounding: exact, in the named direction, whatever the number's kind or the context."""

from __future__ import annotations

import decimal
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.units import BPS, RAY, USD_MICRO, WAD, Rounding, divide, quantise
from dynamic.units.rounding import Rounding as SameRounding

WHOLE = st.integers(-(10**40), 10**40)
POSITIVE = st.integers(1, 10**40)
SCALES = st.sampled_from([1, BPS, USD_MICRO, WAD, RAY])
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)


@given(WHOLE, POSITIVE)
def test_divide_is_the_nearest_integer_on_the_named_side(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    down = divide(numerator, denominator, Rounding.DOWN)
    up = divide(numerator, denominator, Rounding.UP)
    assert down <= exact < down + 1
    assert up - 1 < exact <= up
    assert (up == down) == (numerator % denominator == 0)


@given(WHOLE, POSITIVE)
def test_up_and_down_mirror_each_other(numerator: int, denominator: int) -> None:
    up = divide(numerator, denominator, Rounding.UP)
    assert up == -divide(-numerator, denominator, Rounding.DOWN)


@pytest.mark.parametrize(
    ("numerator", "denominator", "down", "up"),
    [(7, 2, 3, 4), (-7, 2, -4, -3), (8, 2, 4, 4), (0, 5, 0, 0), (1, 10**30, 0, 1), (-1, 3, -1, 0)],
)
def test_divide_at_its_edges(numerator: int, denominator: int, down: int, up: int) -> None:
    assert divide(numerator, denominator, Rounding.DOWN) == down
    assert divide(numerator, denominator, Rounding.UP) == up


@pytest.mark.parametrize("denominator", [0, -1, -(10**18)])
def test_a_denominator_below_one_is_refused(denominator: int) -> None:
    with pytest.raises(ValueError, match="positive denominator"):
        divide(1, denominator, Rounding.DOWN)


@pytest.mark.req("PM-06")
@given(st.one_of(FLOATS, DECIMALS), SCALES)
def test_quantise_is_exact_for_both_kinds(value: float | Decimal, scale: int) -> None:
    exact = Fraction(*value.as_integer_ratio()) * scale
    assert quantise(value, scale, Rounding.DOWN) == math.floor(exact)
    assert quantise(value, scale, Rounding.UP) == math.ceil(exact)


@pytest.mark.req("PM-06")
@given(DECIMALS, SCALES, st.integers(1, 12))
def test_a_decimal_context_changes_nothing(value: Decimal, scale: int, precision: int) -> None:
    """A library that sets three digits of precision must not cost us a cent."""
    exact = math.floor(Fraction(*value.as_integer_ratio()) * scale)
    with decimal.localcontext() as context:
        context.prec = precision
        context.rounding = decimal.ROUND_UP
        assert quantise(value, scale, Rounding.DOWN) == exact


@pytest.mark.parametrize("kind", [float, Decimal])
@pytest.mark.parametrize("word", ["nan", "inf", "-inf"])
def test_what_is_not_a_number_is_refused(kind: type[float | Decimal], word: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        quantise(kind(word), USD_MICRO, Rounding.DOWN)


def test_there_are_two_directions_and_no_default() -> None:
    assert [each.value for each in SameRounding] == ["down", "up"]
    with pytest.raises(TypeError):
        divide(1, 2)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        quantise(1.0, 2)  # type: ignore[call-arg]

"""The quoting engine: laws for all inputs, then the published numbers, then what it refuses."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dynamic.decision.quote import (
    DOCUMENTED,
    SHIPPING,
    Quote,
    QuoteInputs,
    QuotingParameters,
    half_spread_bps,
    horizon_volatility_bps,
    ladder,
    lean_bps,
    quote,
    size_share,
    whole,
)
from dynamic.errors import ConfigRefused, Refused
from dynamic.units import Rounding

SOFT, HARD = 4 / 6, 1.0
FAIR_TICKS = 1_050_000.0  # 1.05 in ticks of 0.000001
DCT = 10**9

ratios = st.floats(-1.5, 1.5)
volatilities = st.floats(0, 400)
unit = st.floats(0, 1)
asked = st.builds(
    QuoteInputs,
    fair_ticks=st.floats(100, 1e9),
    sigma_bps=volatilities,
    inventory_ratio=ratios,
    order_ratio=st.floats(0, 5),
    order_base_units=st.integers(0, 10**15),
    size_step_base_units=st.sampled_from([1, 7, 10**6]),
    toxicity=st.floats(0, 4),
    imbalance=st.floats(-1.5, 1.5),
    support=st.floats(0, 1.5),
    gas_bps=st.floats(0, 40),
    doubt_bps=st.sampled_from([0.0, 4.0]),
)
parameter_sets = st.sampled_from([SHIPPING, DOCUMENTED])


def ask_for(**changes: object) -> QuoteInputs:
    """A calm, flat desk, changed as named."""
    calm = QuoteInputs(
        fair_ticks=FAIR_TICKS,
        sigma_bps=10.0,
        inventory_ratio=0.0,
        order_ratio=0.05,
        order_base_units=1_000 * DCT,
    )
    return dataclasses.replace(calm, **changes)  # type: ignore[arg-type]


# --- laws ---------------------------------------------------------------------------------------


@pytest.mark.req("QT-20")
@given(asked, parameter_sets)
def test_qt_invariants_positive_ordered_whole_and_on_step(
    inputs: QuoteInputs, parameters: QuotingParameters
) -> None:
    made = quote(inputs, parameters)
    assert isinstance(made.bid_ticks, int)
    assert isinstance(made.ask_ticks, int)
    assert 0 < made.bid_ticks < made.fair_ticks < made.ask_ticks
    for size in (made.bid_base_units, made.ask_base_units):
        assert 0 <= size <= inputs.order_base_units
        assert size % inputs.size_step_base_units == 0


@pytest.mark.req("QT-20")
@given(asked, st.integers(-3_000, 3_000), st.integers(1, 500))
def test_qt_invariants_never_through_the_venues_book(
    inputs: QuoteInputs, offset: int, width: int
) -> None:
    best_bid = max(1, int(inputs.fair_ticks) + offset)
    booked = dataclasses.replace(inputs, best_bid_ticks=best_bid, best_ask_ticks=best_bid + width)
    made, free = quote(booked), quote(inputs)
    assert made.bid_ticks < best_bid + width
    assert made.ask_ticks > best_bid
    assert made.bid_ticks <= free.bid_ticks  # the book only pushes away from fair value
    assert made.ask_ticks >= free.ask_ticks


@pytest.mark.req("QT-05")
@given(asked, parameter_sets)
def test_qt_floor_no_side_nearer_than_fee_and_cushion_or_gas(
    inputs: QuoteInputs, parameters: QuotingParameters
) -> None:
    made = quote(inputs, parameters)
    cost = parameters.fee_bps + max(parameters.cushion_bps, inputs.gas_bps)
    nearest = min(made.bid_distance_bps, made.ask_distance_bps)
    assert nearest >= cost + inputs.doubt_bps
    # And in the prices that leave: a tick on the wrong side would give the floor away.
    assert made.bid_ticks <= made.fair_ticks * (1 - nearest / 1e4) + 1e-5
    assert made.ask_ticks >= made.fair_ticks * (1 + nearest / 1e4) - 1e-5
    assert max(made.bid_distance_bps, made.ask_distance_bps) <= made.cap_bps


@pytest.mark.req("QT-04")
@given(asked, ratios, parameter_sets)
def test_qt_skew_more_inventory_never_raises_a_quote(
    inputs: QuoteInputs, other: float, parameters: QuotingParameters
) -> None:
    less, more = sorted((inputs.inventory_ratio, other))
    short = quote(dataclasses.replace(inputs, inventory_ratio=less), parameters)
    long = quote(dataclasses.replace(inputs, inventory_ratio=more), parameters)
    assert long.bid_ticks <= short.bid_ticks
    assert long.ask_ticks <= short.ask_ticks
    assert long.fair_ticks == short.fair_ticks


@pytest.mark.req("QT-04")
@given(asked, parameter_sets)
def test_qt_skew_is_mirrored(inputs: QuoteInputs, parameters: QuotingParameters) -> None:
    mirror = dataclasses.replace(
        inputs, inventory_ratio=-inputs.inventory_ratio, imbalance=-inputs.imbalance
    )
    one, other = quote(inputs, parameters), quote(mirror, parameters)
    assert one.bid_distance_bps == other.ask_distance_bps
    assert one.ask_distance_bps == other.bid_distance_bps
    assert (one.bid_base_units, one.ask_base_units) == (other.ask_base_units, other.bid_base_units)


@pytest.mark.req("QT-04")
@given(asked, parameter_sets)
def test_qt_skew_spread_holds_two_half_spreads(
    inputs: QuoteInputs, parameters: QuotingParameters
) -> None:
    """Wherever the cap leaves room: leaning moves the quotes, it does not narrow them."""
    made = quote(inputs, parameters)
    assume(2 * made.half_spread_bps - made.floor_bps <= made.cap_bps)
    assert made.spread_bps >= 2 * made.half_spread_bps - 1e-9


@given(asked, volatilities)
def test_qt_half_spread_higher_volatility_is_never_narrower(
    inputs: QuoteInputs, other: float
) -> None:
    """At the shipping numbers, on both sides of the clamps."""
    calm, wild = sorted((inputs.sigma_bps, other))
    before = quote(dataclasses.replace(inputs, sigma_bps=calm))
    after = quote(dataclasses.replace(inputs, sigma_bps=wild))
    assert after.spread_bps >= before.spread_bps - 1e-9


@given(asked, unit)
def test_support_narrows_and_stays_above_the_floor(inputs: QuoteInputs, other: float) -> None:
    weak, strong = sorted((inputs.support, other))
    before = quote(dataclasses.replace(inputs, support=weak))
    after = quote(dataclasses.replace(inputs, support=strong))
    assert after.spread_bps <= before.spread_bps + 1e-9
    assert after.spread_bps >= 2 * after.floor_bps


@pytest.mark.req("QT-15")
@given(asked, st.floats(0.001, 1))
def test_qt_imbalance_skew_bid_heavy_moves_fair_value_up(
    inputs: QuoteInputs, imbalance: float
) -> None:
    flat = quote(dataclasses.replace(inputs, imbalance=0.0))
    heavy = quote(dataclasses.replace(inputs, imbalance=imbalance))
    assert heavy.fair_ticks > flat.fair_ticks
    assert heavy.bid_ticks >= flat.bid_ticks
    assert heavy.ask_ticks >= flat.ask_ticks
    # At most a quarter of the half-spread (C-37), and what is quoted of it.
    quotable = min(flat.half_spread_bps, flat.cap_bps)
    assert heavy.fair_ticks <= flat.fair_ticks * (1 + 0.25 * quotable / 1e4) + 1e-6


@given(asked)
def test_a_larger_order_never_gives_a_smaller_size(inputs: QuoteInputs) -> None:
    larger = dataclasses.replace(inputs, order_base_units=inputs.order_base_units * 2 + 1)
    assert quote(larger).bid_base_units >= quote(inputs).bid_base_units
    assert quote(larger).ask_base_units >= quote(inputs).ask_base_units


@given(st.floats(-1e15, 1e15), st.sampled_from([1, 10**6, 10**9]))
def test_whole_numbers_fall_as_named(estimate: float, scale: int) -> None:
    down, up = whole(estimate, scale, Rounding.DOWN), whole(estimate, scale, Rounding.UP)
    numerator, denominator = estimate.as_integer_ratio()
    assert down * denominator <= numerator * scale <= up * denominator
    assert up - down <= 1


@pytest.mark.req("QT-20")
@given(st.integers(10, 1_000), st.integers(1, 4_000))
@example(262, 105)  # the bid, in doubles, is 4172489.9999999995
@example(10, 3)  # the ask, in doubles, is 120030.00000000001
def test_qt_invariants_a_price_exactly_on_a_tick_stays_there(quarters: int, k: int) -> None:
    """Quarters of a bp of 40 000 ticks are whole ticks: noise of doubles must not cost another."""
    parameters = dataclasses.replace(DOCUMENTED, fee_bps=quarters / 4 - 2)
    inputs = ask_for(fair_ticks=40_000.0 * k, sigma_bps=0.0, order_ratio=1.0)
    made = quote(inputs, parameters)
    assert (made.bid_ticks, made.ask_ticks) == (
        (40_000 - quarters) * k, (40_000 + quarters) * k,
    )  # fmt: skip


# --- the published numbers ----------------------------------------------------------------------

# fair 1.05, tick 0.000001, gamma 0.1, fee 2, cushion 2, soft at 2/3 of hard
DOCUMENT_ROWS = """
case          sigma       q tau gas   h |      rho    delta    d_bid    d_ask      bid      ask
flat             10       0   0   0  .5 |        0   5.9531   5.9531   5.9531 1.049374 1.050626
long_soft        10     2/3   0   0  .5 |   5.3333   5.9531  11.2864   4.0000 1.048814 1.050420
short_soft       10    -2/3   0   0  .5 |  -5.3333   5.9531   4.0000  11.2864 1.049580 1.051186
long_hard        10       1   0   0  .5 |   7.0000   5.9531  12.9531   4.0000 1.048639 1.050420
long_soft_h1     10     2/3   0   0   1 |   8.6667   5.9531  14.6198   4.0000 1.048464 1.050420
toxic            10       0  .8   0  .5 |        0  10.7156  10.7156  10.7156 1.048874 1.051126
toxic_soft       10     2/3  .8   0  .5 |   5.3333  10.7156  16.0489   5.3822 1.048314 1.050566
gas              10       0   0  14  .5 |        0   5.9531  16.0000  16.0000 1.048320 1.051680
wild            200       0   0   0  .5 |        0 720.9531 300.0000 300.0000 1.018500 1.081500
sdk          4.2915   -.025   0   0  .5 |   -.1062   2.2031   4.0000   4.0000 1.049580 1.050420
"""
SHIPPING_ROWS = """
case          sigma       q tau gas  eta |     rho    delta    d_bid    d_ask      bid      ask
flat             10       0   0   0  .05 |       0  10.0080  10.0080  10.0080 1.048949 1.051051
long_soft        10     2/3   0   0  .05 | 10.6667  10.0080  20.6747   4.0000 1.047829 1.050420
short_soft       10    -2/3   0   0  .05 |-10.6667  10.0080   4.0000  20.6747 1.049580 1.052171
long_hard        10       1   0   0  .05 | 14.0000  10.0080  24.0080   4.0000 1.047479 1.050420
toxic            10       0  .8   0  .05 |       0  18.0145  18.0145  18.0145 1.048108 1.051892
toxic_soft       10     2/3  .8   0  .05 | 10.6667  18.0145  28.6811   7.3478 1.046988 1.050772
gas              10       0   0  14  .05 |       0  10.0080  16.0000  16.0000 1.048320 1.051680
stress           60       0   0   0  .05 |       0  18.7580  18.7580  18.7580 1.048030 1.051970
stress_soft      60     2/3   0   0  .05 |244.0000  18.7580 184.0000   4.0000 1.030680 1.050420
sdk          4.2915   -.025   0   0 .029 |  -.2125   9.8940   9.6815  10.1065 1.048983 1.051062
"""


def cases(table: str) -> list[object]:
    """One pytest case per row: numbers given, numbers expected."""
    rows = table.strip().splitlines()[1:]
    found = []
    for row in rows:
        given_text, _, expected_text = row.partition("|")
        name, *given_numbers = given_text.split()
        expected = [float(word) for word in expected_text.split()]
        found.append(pytest.param([float(Fraction(w)) for w in given_numbers], expected, id=name))
    return found


def check(made: Quote, expected: list[float]) -> None:
    """Compare with a published row: distances to its four places, prices to the tick."""
    *distances, bid, ask = expected
    found = (made.lean_bps, made.half_spread_bps, made.bid_distance_bps, made.ask_distance_bps)
    assert found == pytest.approx(distances, abs=5.1e-5)
    assert (made.bid_ticks / 1e6, made.ask_ticks / 1e6) == (bid, ask)


@pytest.mark.req("QT-01", "QT-02", "QT-04")
@pytest.mark.parametrize(("row", "expected"), cases(DOCUMENT_ROWS))
def test_qt_reservation_and_half_spread_golden_documents(
    row: list[float], expected: list[float]
) -> None:
    sigma, ratio, toxicity, gas, horizon_factor = row
    inputs = ask_for(
        sigma_bps=sigma, inventory_ratio=ratio, toxicity=toxicity, gas_bps=gas, order_ratio=1.0
    )
    check(quote(inputs, dataclasses.replace(DOCUMENTED, horizon_factor=horizon_factor)), expected)


@pytest.mark.req("QT-01", "QT-02", "QT-04")
@pytest.mark.parametrize(("row", "expected"), cases(SHIPPING_ROWS))
def test_qt_reservation_and_half_spread_golden_shipping(
    row: list[float], expected: list[float]
) -> None:
    sigma, ratio, toxicity, gas, order_ratio = row
    inputs = ask_for(
        sigma_bps=sigma,
        inventory_ratio=ratio,
        toxicity=toxicity,
        gas_bps=gas,
        order_ratio=order_ratio,
    )
    check(quote(inputs), expected)


def test_golden_at_the_depth_weighted_price() -> None:
    """Published beside the SDK's row: what a blend of the two prices would have quoted."""
    inputs = ask_for(
        sigma_bps=4.2915, inventory_ratio=-0.025, order_ratio=0.029, fair_ticks=1_026_923.0769
    )
    check(quote(inputs), [-0.2125, 9.8940, 9.6815, 10.1065, 1.025928, 1.027961])


@pytest.mark.req("QT-01")
@pytest.mark.parametrize(("horizon_factor", "lean"), [(0.5, 10.0), (1.0, 20.0)])
def test_qt_reservation_is_the_formula_and_fair_value_when_flat(
    horizon_factor: float, lean: float
) -> None:
    """r = S − q γ σ² h: with h = 1/2 the documents', with h = 1 the paper's (C-35)."""
    bare = QuotingParameters(horizon_factor=horizon_factor, skew_bps=0.0)
    long = quote(ask_for(sigma_bps=20.0, inventory_ratio=0.5), bare)
    assert long.lean_bps == pytest.approx(lean)
    assert quote(ask_for(), bare).lean_bps == 0.0


@pytest.mark.req("QT-02")
def test_qt_half_spread_is_stable_as_risk_aversion_vanishes() -> None:
    at = [
        half_spread_bps(10.0, 1.0, QuotingParameters(gamma_per_bps=gamma))
        for gamma in (1e-6, 1e-9, 1e-12, 1e-300, 0.0)
    ]
    assert at == pytest.approx([10.0] * 5, rel=1e-4)
    assert at[1] == pytest.approx(10.0, rel=1e-9)  # 1/κ + γσ²/2 − γ/2κ²: both terms are 5e-8
    assert half_spread_bps(10.0, 0.0, SHIPPING) == 10.0


@pytest.mark.req("QT-03")
def test_qt_units_are_bps_of_fair_value() -> None:
    assert half_spread_bps(20.0, 1.0, DOCUMENTED) == pytest.approx(20.9531, abs=5e-5)
    # The documents' numbers read as prices would stand 9 077 bps from a mid of 1.05.
    assert math.log1p(0.1) / 0.1 / 1.05 * 1e4 == pytest.approx(9_077, abs=1)


@pytest.mark.req("QT-03")
@pytest.mark.parametrize(("parameters", "order_ratio"), [(DOCUMENTED, 1.0), (SHIPPING, 0.05)])
@pytest.mark.parametrize("sigma_bps", range(41))
def test_qt_units_baseline_stays_within_100_bps_of_mid(
    parameters: QuotingParameters, order_ratio: float, sigma_bps: int
) -> None:
    made = quote(ask_for(sigma_bps=float(sigma_bps), order_ratio=order_ratio), parameters)
    assert 1.05 * 0.99 < made.bid_ticks / 1e6 < made.ask_ticks / 1e6 < 1.05 * 1.01


@pytest.mark.req("QT-03")
def test_qt_units_of_volatility() -> None:
    assert horizon_volatility_bps(0.22, 1) == pytest.approx(0.391759, abs=5e-7)
    assert horizon_volatility_bps(0.22, 120) == pytest.approx(4.2915, abs=5e-5)


@pytest.mark.parametrize(
    ("raw", "used"), [(0.0, 5.0), (4.999, 5.0), (5.0, 5.0), (5.001, 5.001), (119.999, 119.999),
                      (120.0, 120.0), (120.001, 120.0), (300.0, 120.0)],
)  # fmt: skip
def test_volatility_is_clamped(raw: float, used: float) -> None:
    assert quote(ask_for(sigma_bps=raw)).sigma_bps == used


@pytest.mark.req("QT-04")
def test_qt_skew_numbers() -> None:
    assert lean_bps(0.0, 10.0, SHIPPING) == 0.0
    assert lean_bps(0.1, 10.0, SHIPPING) == pytest.approx(0.1 * 100 * 0.1 + 4 * 0.15)
    assert lean_bps(7.0, 10.0, SHIPPING) == lean_bps(1.0, 10.0, SHIPPING) == pytest.approx(14.0)


@pytest.mark.req("QT-05")
def test_qt_floor_at_no_volatility_is_the_whole_spread() -> None:
    """With the documents' numbers: 2 bps fee and 2 bps cushion per side, 8 bps in all."""
    assert quote(ask_for(sigma_bps=0.0, order_ratio=1.0), DOCUMENTED).spread_bps == 8.0


@pytest.mark.req("QT-05")
@pytest.mark.parametrize(
    ("gas_bps", "floor_bps"), [(0.0, 4.0), (2.0, 4.0), (2.01, 4.01), (25.0, 27.0)]
)
def test_qt_floor_gas_replaces_the_cushion_when_dearer(gas_bps: float, floor_bps: float) -> None:
    assert quote(ask_for(gas_bps=gas_bps)).floor_bps == pytest.approx(floor_bps)


@pytest.mark.parametrize(("gas_bps", "size"), [(25.0, 1_000 * DCT), (25.01, 0)])
def test_gas_above_the_pause_leaves_no_size(gas_bps: float, size: int) -> None:
    made = quote(ask_for(gas_bps=gas_bps))
    assert (made.bid_base_units, made.ask_base_units) == (size, size)


@pytest.mark.req("QT-06")
@given(st.integers(0, 10**18), st.sampled_from([1, 3, 1_000]))
def test_qt_ladder_sums_to_the_size(steps: int, step: int) -> None:
    tiers = ladder(steps * step, SHIPPING.ladder_bps, step)
    assert sum(tiers) == steps * step
    assert all(tier >= 0 and tier % step == 0 for tier in tiers)
    assert tiers[0] == tiers[2] <= tiers[1]


@pytest.mark.req("QT-06")
@pytest.mark.parametrize(
    ("ratio", "bid", "ask"),
    [
        (0.0, (250, 500, 250), (250, 500, 250)),
        (SOFT, (250, 500, 250), (250, 500, 250)),
        (0.8333, (125.025, 250.05, 125.025), (250, 500, 250)),
        (1.0, (0, 0, 0), (250, 500, 250)),
        (-0.8333, (250, 500, 250), (125.025, 250.05, 125.025)),
        (-1.0, (250, 500, 250), (0, 0, 0)),
    ],
)
def test_qt_ladder_shrinks_the_exposing_side_only(
    ratio: float, bid: tuple[float, ...], ask: tuple[float, ...]
) -> None:
    made = quote(ask_for(inventory_ratio=ratio))
    for size, expected in ((made.bid_base_units, bid), (made.ask_base_units, ask)):
        tiers = ladder(size, SHIPPING.ladder_bps)
        assert [tier / DCT for tier in tiers] == pytest.approx(expected, abs=2e-9)


@pytest.mark.req("QT-06")
@pytest.mark.parametrize(
    ("ratio", "left"), [(SOFT, 1.0), (SOFT + 0.001, 0.997), (0.999, 0.003), (1.0, 0.0), (1.2, 0.0)]
)
def test_qt_ladder_share_is_linear_from_soft_to_hard(ratio: float, left: float) -> None:
    assert size_share(ratio, SOFT) == size_share(-ratio, SOFT) == pytest.approx(left)


@pytest.mark.req("QT-08")
def test_qt_defaults_equal_the_published_table() -> None:
    documented = {
        "gamma_per_bps": 0.1, "kappa_per_bps": 1.0, "horizon_s": 120, "sigma_bps_min": 5.0,
        "sigma_bps_max": 120.0, "horizon_factor": 0.5, "skew_bps": 2.0, "fee_bps": 2.0,
        "cushion_bps": 2.0, "ladder_bps": (2_500, 5_000, 2_500), "soft_ratio": 4 / 6,
    }  # fmt: skip
    shipping = {**documented, "kappa_per_bps": 0.1, "horizon_factor": 1.0, "skew_bps": 4.0}
    for name, value in documented.items():
        assert getattr(DOCUMENTED, name) == value, name
    for name, value in shipping.items():
        assert getattr(SHIPPING, name) == value, name


# --- what it refuses ----------------------------------------------------------------------------

NUMBERS = (
    "fair_ticks", "sigma_bps", "inventory_ratio", "order_ratio", "toxicity", "imbalance",
    "support", "gas_bps", "doubt_bps",
)  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_never_becomes_a_quote(name: str, value: float) -> None:
    with pytest.raises(Refused, match=name):
        ask_for(**{name: value})


@pytest.mark.parametrize(
    "changes",
    [
        {"fair_ticks": 0.0}, {"fair_ticks": -1.0}, {"fair_ticks": 1.1e15}, {"sigma_bps": -0.1},
        {"order_ratio": 1.1e6}, {"order_base_units": -1}, {"size_step_base_units": 0},
        {"best_bid_ticks": 100, "best_ask_ticks": 100},
        {"best_bid_ticks": 101, "best_ask_ticks": 100},
    ],
)  # fmt: skip
def test_impossible_inputs_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Refused):
        ask_for(**changes)


@pytest.mark.parametrize(
    "changes", [{"fair_ticks": 0.9}, {"gas_bps": 4_999.0}, {"best_ask_ticks": 1}]
)
def test_a_quote_that_would_not_be_one_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Refused):
        quote(ask_for(**changes))


def test_parameters_beyond_floats_are_refused_at_the_quote() -> None:
    with pytest.raises(Refused, match="no quote"):
        quote(ask_for(support=1.0), QuotingParameters(gamma_per_bps=1e308))


@pytest.mark.parametrize(
    "changes",
    [
        {"gamma_per_bps": -0.1}, {"kappa_per_bps": 0.0}, {"skew_bps": math.nan}, {"horizon_s": 0},
        {"soft_ratio": 1.0}, {"sigma_bps_min": 121.0}, {"support_weight": 1.01},
        {"ladder_bps": (2_500, 5_000, 2_499)}, {"ladder_bps": (12_000, -2_000)},
    ],
)  # fmt: skip
def test_parameters_the_formulas_cannot_mean_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigRefused):
        QuotingParameters(**changes)  # type: ignore[arg-type]

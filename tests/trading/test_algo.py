"""The SDK: its laws for all inputs, the published sample, and what it does with loose data."""

from __future__ import annotations

import dataclasses
import decimal
import inspect
import json
import math
import subprocess
import sys
from collections import UserDict
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dynamic.decision.quote import QuotingParameters
from dynamic.trading import algo
from dynamic.trading.algo import (
    DCTMarketMakerInputs,
    DCTMarketMakerModel,
    DCTMarketMakerQuote,
    DCTMarketMakerService,
    coerce_market_inputs,
)

SNIPPET = """\
from dynamic.trading.algo import DCTMarketMakerService, coerce_market_inputs

service = DCTMarketMakerService()
inputs = coerce_market_inputs({
    "mid_price": 1.05, "inventory": 4_750.0, "target_inventory": 5_000.0,
    "inventory_limit": 10_000.0, "volatility": 0.22, "ton_reference_price": 1.01,
    "onchain_depth": 15_000.0, "offchain_depth": 11_000.0, "recent_volume": 2_900.0,
})
quote = service.quote(inputs)
print(service.note_summary(quote))
"""
SAMPLE = {
    "mid_price": 1.05,
    "inventory": 4_750.0,
    "target_inventory": 5_000.0,
    "inventory_limit": 10_000.0,
    "volatility": 0.22,
    "ton_reference_price": 1.01,
    "onchain_depth": 15_000.0,
    "offchain_depth": 11_000.0,
    "recent_volume": 2_900.0,
}
REQUIRED = sorted(SAMPLE)
SERVICE = DCTMarketMakerService()
TOLERANCE_BPS = 1e-9  # of doubles, in sums of distances

amounts = st.floats(0, 1e9)
inputs = st.builds(
    DCTMarketMakerInputs,
    mid_price=st.floats(1e-6, 1e6),
    inventory=st.floats(-1e9, 1e9) | st.floats(0, 20_000),
    target_inventory=amounts | st.just(5_000.0),
    inventory_limit=st.floats(1e-3, 1e9) | st.just(10_000.0),
    volatility=st.floats(0, 20),
    ton_reference_price=st.floats(1e-6, 1e6),
    onchain_depth=amounts,
    offchain_depth=amounts,
    recent_volume=amounts,
    buy_pressure=st.floats(0, 1),
    sell_pressure=st.floats(0, 1),
    treasury_support=st.floats(0, 1),
    basis_adjustment=st.floats(-0.5, 0.5),
)


@st.composite
def near_reference(draw: st.DrawFn) -> DCTMarketMakerInputs:
    """A reference within a few percent of the mid, so that both sides of the gate are seen."""
    drawn = draw(inputs)
    basis = draw(st.floats(-0.03, 0.03))
    return dataclasses.replace(drawn, ton_reference_price=drawn.mid_price * (1 + basis))


desks = inputs | near_reference()


def quoted(desk: DCTMarketMakerInputs, **changes: float) -> DCTMarketMakerQuote:
    return SERVICE.quote(desk, **changes)


# --- laws, for all inputs -----------------------------------------------------------------------


@pytest.mark.req("QT-20")
@given(desks)
def test_qt_invariants_every_quote_is_well_formed(desk: DCTMarketMakerInputs) -> None:
    quote = quoted(desk)
    assert 0 < quote.bid_price < quote.fair_value < quote.ask_price < math.inf
    assert 0 <= quote.bid_size < math.inf
    assert 0 <= quote.ask_size < math.inf
    assert -1 <= quote.inventory_ratio <= 1
    assert quote.rebalance_required == (abs(quote.inventory_ratio) >= 1 / 3)
    assert all(note and "\n" not in note for note in quote.notes)
    # Prices are ticks of seven digits, rounded outward: at most two ticks, 0.02 bps, wider.
    printed_bps = (quote.ask_price - quote.bid_price) / quote.fair_value * 1e4
    assert quote.spread_bps - 1e-6 <= printed_bps <= quote.spread_bps + 0.021
    for price in (quote.bid_price, quote.ask_price):
        assert len(Decimal(repr(price)).normalize().as_tuple().digits) <= 8


@pytest.mark.req("QT-21")
@given(desks, st.floats(0, 1e9))
def test_overweight_gives_a_lower_bid_and_never_a_higher_ask(
    desk: DCTMarketMakerInputs, excess: float
) -> None:
    balanced = quoted(desk, inventory=desk.target_inventory)
    long = quoted(desk, inventory=desk.target_inventory + excess)
    assert long.bid_price <= balanced.bid_price
    assert long.ask_price <= balanced.ask_price
    assert long.fair_value <= balanced.fair_value


@pytest.mark.req("QT-21")
@given(st.floats(0.01, 1), st.floats(0, 1.2), st.floats(0, 1))
def test_overweight_gives_a_strictly_lower_bid_on_the_published_desk(
    ratio: float, volatility: float, support: float
) -> None:
    market = {"volatility": volatility, "treasury_support": support}
    balanced = SERVICE.quote(SAMPLE, inventory=5_000.0, **market)
    long = SERVICE.quote(SAMPLE, inventory=5_000.0 + ratio * 10_000.0, **market)
    assert long.bid_price < balanced.bid_price


@pytest.mark.req("QT-21")
@given(desks, amounts, amounts)
def test_more_depth_gives_no_smaller_sizes(
    desk: DCTMarketMakerInputs, onchain: float, offchain: float
) -> None:
    deeper = quoted(
        desk,
        onchain_depth=desk.onchain_depth + onchain,
        offchain_depth=desk.offchain_depth + offchain,
    )
    quote = quoted(desk)
    assert deeper.bid_size >= quote.bid_size
    assert deeper.ask_size >= quote.ask_size


@pytest.mark.req("QT-21")
@given(desks, st.floats(0, 20))
def test_higher_volatility_gives_no_narrower_spread(
    desk: DCTMarketMakerInputs, more: float
) -> None:
    wilder = quoted(desk, volatility=desk.volatility + more)
    assert wilder.spread_bps >= quoted(desk).spread_bps - TOLERANCE_BPS


@pytest.mark.req("QT-05", "QT-21")
@given(desks, st.floats(0, 1))
def test_treasury_support_narrows_down_to_the_cost_floor(
    desk: DCTMarketMakerInputs, other: float
) -> None:
    weak, strong = sorted((desk.treasury_support, other))
    before, after = quoted(desk, treasury_support=weak), quoted(desk, treasury_support=strong)
    assert after.spread_bps <= before.spread_bps + TOLERANCE_BPS
    assert after.spread_bps >= 2 * 4.0  # fee 2 and cushion 2 bps, on either side
    assert after.bid_price <= after.fair_value * (1 - 3.99e-4)
    assert after.ask_price >= after.fair_value * (1 + 3.99e-4)


@pytest.mark.req("QT-15", "QT-21")
@given(desks)
def test_buy_pressure_gives_no_smaller_ask_and_no_lower_fair_value(
    desk: DCTMarketMakerInputs,
) -> None:
    assume(desk.buy_pressure > desk.sell_pressure)
    bought = quoted(desk)
    even = quoted(desk, buy_pressure=desk.sell_pressure)
    sold = quoted(desk, buy_pressure=desk.sell_pressure, sell_pressure=desk.buy_pressure)
    assert bought.ask_size >= bought.bid_size
    assert bought.fair_value >= even.fair_value >= sold.fair_value


@pytest.mark.req("QT-17", "QT-21")
@given(desks, st.floats(1, 10), st.booleans())
@example(coerce_market_inputs(SAMPLE), 1.0, True)
@example(coerce_market_inputs(SAMPLE), 1.0, False)
def test_qt_hard_halt_at_the_limit_the_exposed_side_has_size_0(
    desk: DCTMarketMakerInputs, limits: float, is_long: bool
) -> None:
    held = desk.target_inventory + desk.inventory_limit * (limits if is_long else -limits)
    quote = quoted(desk, inventory=held)
    assume(abs(quote.inventory_ratio) == 1)  # a tiny limit beside a huge target may round away
    assert (quote.bid_size if is_long else quote.ask_size) == 0
    assert quote.rebalance_required


# --- the published sample -----------------------------------------------------------------------


def run(code: str) -> str:
    """Run code in a fresh interpreter of this environment."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.req("QT-21", "QT-22")
def test_qt_sdk_sample_runs_unchanged_and_prints_a_note() -> None:
    lines = run(SNIPPET).splitlines()
    assert lines
    assert all(line.startswith("• ") and len(line) > 2 for line in lines)


@pytest.mark.req("QT-22")
def test_qt_sdk_sample_golden() -> None:
    quote = SERVICE.quote(SAMPLE)
    assert (quote.bid_price, quote.ask_price) == (1.048983, 1.051062)
    assert (quote.bid_size, quote.ask_size) == (290.0, 290.0)
    assert quote.fair_value == 1.05
    assert quote.inventory_ratio == -0.025
    assert quote.rebalance_required is False
    assert quote.spread_bps == pytest.approx(9.6815 + 10.1065, abs=1e-4)
    assert len(quote.notes) == 1
    assert "396 bps above the TON reference" in quote.notes[0]


@pytest.mark.req("QT-21")
def test_the_sdk_loads_the_standard_library_only_and_quickly() -> None:
    code = (
        "import time; before = time.process_time()\n"
        "import dynamic.trading.algo, json, sys\n"
        "print(json.dumps([time.process_time() - before, sorted(sys.modules)]))"
    )
    elapsed_s, modules = json.loads(run(code))
    heavy = {
        "fastapi", "starlette", "uvicorn", "sqlalchemy", "psycopg", "web3", "ccxt", "numpy",
        "pydantic",
    }  # fmt: skip
    assert heavy & set(modules) == set()
    roots = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)
    # Site hooks of the environment may add their own; none of them is a declared dependency.
    assert {root for root in roots if not root.startswith("_")} <= {"dynamic", "sitecustomize"}
    assert elapsed_s < 1.0


@pytest.mark.req("QT-21")
def test_the_published_names_and_fields() -> None:
    assert [field.name for field in dataclasses.fields(DCTMarketMakerInputs)] == [
        "mid_price", "inventory", "target_inventory", "inventory_limit", "volatility",
        "ton_reference_price", "onchain_depth", "offchain_depth", "recent_volume",
        "buy_pressure", "sell_pressure", "treasury_support", "basis_adjustment",
    ]  # fmt: skip
    assert [field.name for field in dataclasses.fields(DCTMarketMakerQuote)] == [
        "bid_price", "ask_price", "bid_size", "ask_size", "spread_bps", "fair_value",
        "inventory_ratio", "notes", "rebalance_required",
    ]  # fmt: skip
    for name in ("build_inputs", "quote", "note_summary"):
        assert inspect.isfunction(getattr(DCTMarketMakerService, name))


# --- numbers at their boundaries ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("inventory", "ratio", "flag", "bid_size", "ask_size"),
    [
        (5_000.0, 0.0, False, 290.0, 290.0),
        (8_333.33, 0.333333, False, 290.0, 290.0),
        (8_333.34, 0.333334, True, 290.0, 290.0),
        (1_666.67, -0.333333, False, 290.0, 290.0),
        (1_666.66, -0.333334, True, 290.0, 290.0),
        (11_600.0, 0.66, True, 290.0, 290.0),
        (12_000.0, 0.7, True, 261.0, 290.0),
        (-2_000.0, -0.7, True, 290.0, 261.0),
        (15_000.0, 1.0, True, 0.0, 290.0),
        (15_001.0, 1.0, True, 0.0, 290.0),
        (-5_000.0, -1.0, True, 290.0, 0.0),
    ],
)
def test_inventory_at_every_boundary(
    inventory: float, ratio: float, flag: bool, bid_size: float, ask_size: float
) -> None:
    quote = SERVICE.quote(SAMPLE, inventory=inventory)
    assert quote.inventory_ratio == pytest.approx(ratio)
    assert quote.rebalance_required is flag
    assert (quote.bid_size, quote.ask_size) == pytest.approx((bid_size, ask_size), abs=2e-9)


def test_a_third_exactly_asks_for_rebalancing() -> None:
    assert SERVICE.quote(
        SAMPLE, inventory=3.0, target_inventory=0.0, inventory_limit=9.0
    ).rebalance_required
    assert SERVICE.quote(
        SAMPLE, inventory=0.0, target_inventory=3.0, inventory_limit=9.0
    ).rebalance_required


@pytest.mark.parametrize(
    ("volume", "onchain", "offchain", "size"),
    [
        (2_900.0, 15_000.0, 11_000.0, 290.0),
        (5_500.0, 15_000.0, 11_000.0, 550.0),
        (5_501.0, 15_000.0, 11_000.0, 550.0),
        (9_000.0, 4_000.0, 11_000.0, 200.0),
        (0.0, 15_000.0, 11_000.0, 0.0),
        (2_900.0, 0.0, 11_000.0, 0.0),
    ],
)
def test_the_lot_is_a_share_of_volume_or_of_the_thinner_depth(
    volume: float, onchain: float, offchain: float, size: float
) -> None:
    quote = SERVICE.quote(
        SAMPLE, recent_volume=volume, onchain_depth=onchain, offchain_depth=offchain
    )
    assert (quote.bid_size, quote.ask_size) == pytest.approx((size, size), abs=2e-9)


def test_a_doubted_reference_keeps_tight_sides_farther() -> None:
    """Beyond the gate each side's floor grows by 4 bps; a side that stood farther stays."""
    leaning = {**SAMPLE, "inventory": 11_000.0, "volatility": 1.0}
    trusted = SERVICE.quote(leaning, ton_reference_price=1.05)
    doubted = SERVICE.quote(leaning)
    assert trusted.ask_price == pytest.approx(1.05 * 1.0004)
    assert doubted.ask_price == pytest.approx(1.05 * 1.0008)
    assert doubted.spread_bps == pytest.approx(trusted.spread_bps + 4.0)
    assert doubted.fair_value == trusted.fair_value == 1.05
    assert "gate 100 bps" in "".join(doubted.notes)
    assert "gate" not in "".join(trusted.notes)


@pytest.mark.parametrize(("weight", "fair"), [(0.0, 1.05), (0.5, 1.05 * 0.9976), (1.0, 1.045)])
def test_a_near_reference_pulls_only_when_told_to(weight: float, fair: float) -> None:
    """1.05 against 1.0449976 is 48 bps; the pull is bounded by 50."""
    service = DCTMarketMakerService(
        DCTMarketMakerModel(QuotingParameters(basis_pull_weight=weight))
    )
    reference = 1.05 / 1.0048
    assert service.quote(SAMPLE, ton_reference_price=reference).fair_value == pytest.approx(
        fair, abs=1e-4
    )


def test_the_adjustment_shifts_fair_value_first() -> None:
    quote = SERVICE.quote(SAMPLE, basis_adjustment=0.01, ton_reference_price=1.0605)
    assert quote.fair_value == pytest.approx(1.0605)
    assert not any("reference" in note for note in quote.notes)  # measured after the shift


def test_full_support_halves_what_stands_above_the_floor() -> None:
    calm = {**SAMPLE, "inventory": 5_000.0, "ton_reference_price": 1.05}
    free = SERVICE.quote(calm)
    supported = SERVICE.quote(calm, treasury_support=1.0)
    assert supported.spread_bps - 8.0 == pytest.approx((free.spread_bps - 8.0) / 2)


@pytest.mark.parametrize("mid", [1.05e-12, 1.05e-6, 1.05, 10.5, 9_999_999.9, 1.05e12])
def test_prices_of_every_size_keep_seven_digits(mid: float) -> None:
    quote = SERVICE.quote(SAMPLE, mid_price=mid, ton_reference_price=mid)
    assert quote.bid_price / mid == pytest.approx(1 - 9.6815e-4, abs=1.01e-6)
    assert quote.ask_price / mid == pytest.approx(1 + 10.1065e-4, abs=1.01e-6)


def test_a_desks_own_decimal_context_changes_nothing() -> None:
    with decimal.localcontext() as context:
        context.prec = 3
        quote = SERVICE.quote(SAMPLE)
    assert quote == SERVICE.quote(SAMPLE)


# --- notes --------------------------------------------------------------------------------------


@pytest.mark.req("QT-22")
@given(desks)
def test_notes_are_never_empty_and_every_line_is_a_bullet(desk: DCTMarketMakerInputs) -> None:
    lines = SERVICE.note_summary(quoted(desk)).splitlines()
    assert lines
    assert all(line.startswith("• ") and line[2:].strip() for line in lines)


def test_a_calm_quote_says_all_normal() -> None:
    quote = SERVICE.quote(SAMPLE, ton_reference_price=1.05)
    assert quote.notes == ()
    assert SERVICE.note_summary(quote).startswith("• All normal")
    assert DCTMarketMakerModel().summarise_notes(quote).startswith("• All normal")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"inventory": 9_000.0}, "Inventory is 40% of its limit above target: rebalance"),
        ({"inventory": 12_000.0}, "bid size shrinks"),
        ({"inventory": -2_000.0}, "ask size shrinks"),
        ({"inventory": 15_000.0}, "no bid"),
        ({"inventory": -5_000.0}, "no ask"),
        ({"volatility": 7.0}, "priced as 120 bps"),
        ({"volatility": 3.0, "inventory": 10_000.0}, "Bid stands at its widest"),
        ({"buy_pressure": 0.4}, "Buy pressure prevails: fair value moved by +1.0 bps"),
        ({"sell_pressure": 0.4}, "Sell pressure prevails: fair value moved by -1.0 bps"),
        ({"treasury_support": 1.0}, "Treasury support at 100%"),
        ({"recent_volume": 0.0}, "nothing to quote for"),
        ({"inventory_limit": 280.0, "inventory": 5_000.0}, "exceeds the inventory limit"),
        ({"ton_reference_price": 1.10}, "455 bps below the TON reference"),
    ],
)
def test_each_reason_is_told(changes: dict[str, float], says: str) -> None:
    near = {**SAMPLE, "ton_reference_price": 1.05}
    assert says in SERVICE.note_summary(SERVICE.quote(near, **changes))


# --- loose data ---------------------------------------------------------------------------------


@given(st.dictionaries(st.sampled_from([*REQUIRED, "colour", "buy_pressure"]), st.floats(0.1, 9)))
def test_coercion_takes_exactly_what_it_knows(extra: dict[str, float]) -> None:
    data = {**SAMPLE, **extra, 7: "seven"}
    kept = dict(data)
    made = coerce_market_inputs(data)  # type: ignore[arg-type]
    assert data == kept
    for name, value in dataclasses.asdict(made).items():
        assert type(value) is float
        assert value == data.get(name, 0.0)


def test_overrides_win_and_nothing_is_mutated() -> None:
    first = coerce_market_inputs(SAMPLE)
    second = coerce_market_inputs(first, mid_price="2.10", colour="red")
    assert second == dataclasses.replace(first, mid_price=2.10)
    assert first.mid_price == SAMPLE["mid_price"] == 1.05
    assert coerce_market_inputs(None, **SAMPLE) == coerce_market_inputs(**SAMPLE) == first  # type: ignore[arg-type]
    assert coerce_market_inputs(UserDict(SAMPLE)) == first
    assert SERVICE.build_inputs(SAMPLE, mid_price=2.10) == second


@pytest.mark.parametrize(
    "value",
    [2, 2.0, Decimal(2), "2", " 2.0 ", "2e0", Fraction(2), np.float32(2), np.int64(2)],
)
def test_every_kind_of_number_becomes_a_float(value: object) -> None:
    made = coerce_market_inputs(SAMPLE, mid_price=value)
    assert made.mid_price == 2.0
    assert type(made.mid_price) is float


@pytest.mark.parametrize("name", ["mid_price", "sell_pressure"])
@pytest.mark.parametrize(
    "value", [True, False, None, "", "two", "1,05", b"2", [2.0], 2j, object(), np.bool_(True)]
)
def test_what_is_not_a_number_is_a_type_error_naming_the_field(name: str, value: object) -> None:
    with pytest.raises(TypeError, match=name):
        coerce_market_inputs({**SAMPLE, name: value})
    with pytest.raises(TypeError, match=name):
        coerce_market_inputs(SAMPLE, **{name: value})


@pytest.mark.parametrize("name", ["mid_price", "sell_pressure"])
@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, "nan", "-inf", "1e400", 10**400, Decimal("NaN"),
     Decimal("sNaN"), Decimal("Infinity"), Decimal("1e400")],
)  # fmt: skip
def test_what_is_not_finite_is_a_value_error_naming_the_field(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        coerce_market_inputs({**SAMPLE, name: value})


def test_missing_fields_are_named_in_order() -> None:
    with pytest.raises(KeyError, match=", ".join(REQUIRED)):
        coerce_market_inputs()
    with pytest.raises(KeyError, match="inventory, mid_price"):
        coerce_market_inputs(
            {k: v for k, v in SAMPLE.items() if k not in {"mid_price", "inventory"}}
        )
    with pytest.raises(KeyError, match="recent_volume"):
        SERVICE.quote({k: v for k, v in SAMPLE.items() if k != "recent_volume"}, mid_price=None)


@pytest.mark.parametrize("data", [[("mid_price", 1.05)], "mid_price", 3])
def test_what_is_neither_mapping_nor_inputs_is_a_type_error(data: object) -> None:
    with pytest.raises(TypeError, match="expected a mapping or market inputs"):
        coerce_market_inputs(data)  # type: ignore[arg-type]


# --- validation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mid_price", "inventory_limit", "ton_reference_price"])
@pytest.mark.parametrize("value", [0.0, -1e-9])
def test_prices_and_limit_must_be_above_zero(name: str, value: float) -> None:
    loose = coerce_market_inputs(SAMPLE, **{name: value})  # making inputs does not judge them
    for judge in (loose.validate, lambda: SERVICE.quote(loose)):
        with pytest.raises(ValueError, match=name):
            judge()


@pytest.mark.parametrize("name", ["onchain_depth", "offchain_depth", "recent_volume", "volatility"])
def test_depths_volume_and_volatility_may_be_zero_and_not_less(name: str) -> None:
    SERVICE.quote(SAMPLE, **{name: 0.0})
    with pytest.raises(ValueError, match=name):
        SERVICE.quote(SAMPLE, **{name: -1e-9})


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(DCTMarketMakerInputs)])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_inputs_made_by_hand_are_judged_too(name: str, value: float) -> None:
    by_hand = dataclasses.replace(coerce_market_inputs(SAMPLE), **{name: value})
    with pytest.raises(ValueError, match=name):
        DCTMarketMakerModel().generate_quote(by_hand)


@pytest.mark.parametrize(
    "changes", [{"basis_adjustment": -1.0}, {"basis_adjustment": 1e308, "mid_price": 1e308},
                {"mid_price": 1e-300}, {"mid_price": 1e300}],
)  # fmt: skip
def test_a_fair_value_that_is_no_price_is_a_value_error(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"expected|no quote"):
        SERVICE.quote(SAMPLE, **changes)


@given(st.fixed_dictionaries({name: st.floats(5e-324, 1.7e308) for name in REQUIRED}))
def test_any_finite_numbers_give_a_quote_or_a_value_error(numbers: dict[str, float]) -> None:
    try:
        quote = SERVICE.quote(numbers)
    except ValueError as error:
        assert "no quote" in str(error) or "expected" in str(error)  # noqa: PT017
    else:
        assert 0 < quote.bid_price < quote.ask_price < math.inf


# --- another model ------------------------------------------------------------------------------


class Stubborn:
    """A desk's own model: the same quote for everybody, and nothing to say."""

    def generate_quote(self, inputs: DCTMarketMakerInputs) -> DCTMarketMakerQuote:
        return DCTMarketMakerQuote(0.9, 1.1, 1.0, 1.0, 2_000.0, inputs.mid_price, 0.0, (), False)

    def summarise_notes(self, quote: DCTMarketMakerQuote) -> str:
        return ""


def test_a_desk_may_bring_its_own_model() -> None:
    service = DCTMarketMakerService(Stubborn())
    quote = service.quote(SAMPLE)
    assert quote.bid_price == 0.9
    assert service.note_summary(quote).startswith("• ")
    with pytest.raises(ValueError, match="mid_price"):
        service.quote(SAMPLE, mid_price=0.0)  # judged before any model sees it


def test_values_are_immutable() -> None:
    quote = SERVICE.quote(SAMPLE)
    with pytest.raises(dataclasses.FrozenInstanceError):
        quote.bid_price = 2.0  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        coerce_market_inputs(SAMPLE).mid_price = 2.0  # type: ignore[misc]


def test_the_service_starts_with_the_products_own_engine() -> None:
    assert isinstance(DCTMarketMakerService().model, algo.DCTMarketMakerModel)

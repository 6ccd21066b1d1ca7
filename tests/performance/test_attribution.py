"""The change of value is explained to the last unit, and a planted error is found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import DataUnfit, InvariantBroken
from dynamic.ledger.entry import Entry, EntryKind, Posting
from dynamic.performance.attribution import Attribution, Mark, attribute
from dynamic.performance.valuation import SCALE
from dynamic.units import WAD
from tests.planning.treasury import ASSETS, LP_SYMBOL, PT_SYMBOL, USD

PLACES = ("wallet", "aave_v3", "curve", "pendle_v2")
OTHERS = ("income:yield:aave_v3", "expense:gas", "expense:fees:oneinch", "trading:oneinch",
          "trading:curve", "equity:capital", "equity:correction", "expense:burn")  # fmt: skip
SYMBOLS = sorted(ASSETS)
AMOUNT = st.integers(-(10**21), 10**21)
Units = dict[tuple[str, str], int]


def entry(n: int, *postings: tuple[str, str, int]) -> Entry:
    return Entry(f"e{n}", 1, EntryKind.TRADE, "", f"r{n}", tuple(Posting(*p) for p in postings))


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    """Balanced entries of every shape the books know, and some they do not."""
    found = []
    for n in range(draw(st.integers(0, 5))):
        postings = []
        for symbol in draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=3, unique=True)):
            left = 0
            for _ in range(draw(st.integers(1, 2))):
                amount = draw(AMOUNT)
                left += amount
                place = draw(st.sampled_from(PLACES))
                postings.append((f"assets:{place}", symbol, amount))
            part = draw(AMOUNT)
            account = st.sampled_from((*OTHERS, *(f"assets:{p}" for p in PLACES)))
            postings.append((draw(account), symbol, part))
            postings.append((draw(account), symbol, -left - part))
        found.append(entry(n, *postings))
    return found


@st.composite
def marks(draw: st.DrawFn) -> tuple[Mark, Mark, list[Entry]]:
    """An opening mark, entries, and the closing mark they lead to, at other prices."""
    amounts = st.dictionaries(
        st.tuples(st.sampled_from(PLACES), st.sampled_from(SYMBOLS)), st.integers(0, 10**21),
        max_size=6,
    )  # fmt: skip
    price = st.integers(0, 10**12)
    rate = st.integers(0, 2 * WAD)
    prices, rates = [], []
    for _ in range(2):
        prices.append({symbol: draw(price) for symbol in ("BTC", "ETH", "USDC")})
        rates.append({symbol: draw(rate) for symbol in (PT_SYMBOL, LP_SYMBOL)})
    units: Units = draw(amounts)
    booked = draw(entries())
    after = dict(units)
    for one in booked:
        for posting in one.postings:
            if posting.account.startswith("assets:"):
                place = (posting.account[7:], posting.asset)
                after[place] = after.get(place, 0) + posting.base_units
    return Mark(0, units, prices[0], rates[0]), Mark(1, after, prices[1], rates[1]), booked


@pytest.mark.req("I-5", "PF-01")
@given(marks())
def test_the_residual_is_exactly_zero(given_marks: tuple[Mark, Mark, list[Entry]]) -> None:
    opening, closing, booked = given_marks
    found = attribute(opening, closing, booked, ASSETS)
    micros = found.usd_micro()
    assert sum(micros.values()) == found.total // SCALE
    assert all(
        abs(micros[name.rstrip("_")] * SCALE - getattr(found, name)) < SCALE
        for name in Attribution.__slots__
    )


@pytest.mark.req("I-5")
@given(marks(), st.sampled_from(SYMBOLS), st.sampled_from([1, -1]))
def test_one_unit_nobody_booked_is_found(
    given_marks: tuple[Mark, Mark, list[Entry]], symbol: str, error: int
) -> None:
    opening, closing, booked = given_marks
    closing = replace(
        closing, prices={s: p + 1 for s, p in closing.prices.items()},
        rates={s: r + 1 for s, r in closing.rates.items()},
    )  # fmt: skip
    attribute(opening, closing, booked, ASSETS)
    place = ("wallet", symbol)
    altered = {**closing.units, place: closing.units.get(place, 0) + error}
    with pytest.raises(InvariantBroken, match="attribution leaves"):
        attribute(opening, replace(closing, units=altered), booked, ASSETS)


@pytest.mark.req("I-5")
def test_a_forgotten_or_doubled_entry_is_found() -> None:
    prices = {"USDC": USD}
    earned = entry(1, ("assets:aave_v3", "USDC", 5), ("income:yield:aave_v3", "USDC", -5))
    opening = Mark(0, {("aave_v3", "USDC"): 100}, prices, {})
    closing = Mark(1, {("aave_v3", "USDC"): 105}, prices, {})
    assert attribute(opening, closing, [earned], ASSETS).usd_micro()["yield"] == 5
    for booked in ([], [earned, earned]):
        with pytest.raises(InvariantBroken):
            attribute(opening, closing, booked, ASSETS)


def test_each_part_has_its_own_cause() -> None:
    """A day by hand: BTC rises, the pool grows, a swap, gas, interest and a deposit."""
    opening = Mark(
        0, {("wallet", "WBTC"): 10**8, ("curve", LP_SYMBOL): 10**18,
            ("wallet", "USDC"): 1_000 * USD, ("wallet", "ETH"): 10**18,
            ("aave_v3", "USDC"): 500 * USD},
        {"BTC": 40_000 * USD, "ETH": 2_000 * USD, "USDC": USD}, {LP_SYMBOL: WAD},
    )  # fmt: skip
    booked = [
        entry(1, ("assets:wallet", "USDC", -400 * USD), ("expense:fees:oneinch", "USDC", USD),
              ("trading:oneinch", "USDC", 399 * USD), ("assets:wallet", "WBTC", 900_000),
              ("trading:oneinch", "WBTC", -900_000)),
        entry(2, ("assets:wallet", "ETH", -(10**15)), ("expense:gas", "ETH", 10**15)),
        entry(3, ("assets:aave_v3", "USDC", 2 * USD), ("income:yield:aave_v3", "USDC", -2 * USD)),
        entry(4, ("assets:wallet", "USDC", 50 * USD), ("equity:capital", "USDC", -50 * USD)),
        entry(5, ("income:realised", "USD", -7), ("equity:realised", "USD", 7)),
    ]  # fmt: skip
    closing = Mark(
        1, {("wallet", "WBTC"): 100_900_000, ("curve", LP_SYMBOL): 10**18,
            ("wallet", "USDC"): 650 * USD, ("wallet", "ETH"): 999 * 10**15,
            ("aave_v3", "USDC"): 502 * USD},
        {"BTC": 44_000 * USD, "ETH": 2_100 * USD, "USDC": USD}, {LP_SYMBOL: WAD + 10**15},
    )  # fmt: skip
    assert attribute(opening, closing, booked, ASSETS).usd_micro() == {
        "price": 4_100 * USD,  # 4 000 on the coin, 100 on the ether held at the start
        "yield": 2_001_000,  # interest, and the pool token's growth
        "fees": -USD,
        "slippage": -3 * USD,  # 0.009 BTC is 396 at the mark, 399 were paid
        "gas": -2_100_000,
        "flows": 50 * USD,
        "other": 0,
    }


def test_what_has_no_price_is_not_attributed() -> None:
    held = Mark(0, {("wallet", "WBTC"): 1}, {"BTC": 1}, {})
    with pytest.raises(DataUnfit, match="BTC"):
        attribute(held, Mark(1, {}, {}, {}), [], ASSETS)

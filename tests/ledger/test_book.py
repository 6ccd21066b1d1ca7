"""The book: balanced per asset, once per cause, never below zero."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import Conflict, InvariantBroken
from dynamic.ledger.book import Book
from dynamic.ledger.chart import (
    asset_account,
    check_account,
    fee_account,
    is_ours,
    location_of,
    trading_account,
    yield_account,
)
from dynamic.ledger.entry import Entry, EntryKind, Posting
from dynamic.ledger.posting import (
    capital_entry,
    correction_entry,
    gas_entry,
    realised_entry,
    settlement_entry,
    yield_entry,
)
from tests.ledger.ways import entries_of, given_away, histories, swap


@pytest.mark.req("LG-05", "I-1")
@given(histories)
def test_lg_balanced(history: list) -> None:
    entries = entries_of(history)
    book = Book.of(entries)
    book.check()
    for asset in {asset for _, asset in book.balances}:
        debits = sum(u for (_, a), u in book.balances.items() if a == asset and u > 0)
        paid = sum(-u for (_, a), u in book.balances.items() if a == asset and u < 0)
        assert debits == paid
    ours = {(a[7:], s): u for (a, s), u in book.balances.items() if a.startswith("assets:")}
    assert book.position_units() == ours
    assert all(units > 0 for units in ours.values())
    assert all(book.units(*position) == units for position, units in ours.items())


@given(histories)
def test_a_book_goes_on_from_its_balances(history: list) -> None:
    entries = entries_of(history)
    half = len(entries) // 2
    resumed = Book.from_balances(Book.of(entries[:half]).balances)
    for entry in entries[half:]:
        resumed.post(entry)
    assert resumed.balances == Book.of(entries).balances
    assert resumed.position_units() == Book.of(entries).position_units()


@given(histories, st.integers(0, 24))
def test_an_entry_is_booked_once_and_a_second_time_changes_nothing(
    history: list, which: int
) -> None:
    entries = entries_of(history)
    book = Book.of(entries)
    if not entries:
        return
    before = book.balances
    with pytest.raises(Conflict, match="already booked"):
        book.post(entries[which % len(entries)])
    assert book.balances == before


@pytest.mark.req("PM-06")
def test_pm_decimal() -> None:
    """0.1 and 0.2 USDC are exactly 0.3 USDC."""
    book = Book()
    book.post(capital_entry(1, "a", "wallet", "USDC", 100_000))
    book.post(capital_entry(2, "b", "wallet", "USDC", 200_000))
    assert book.units("wallet", "USDC") == 300_000
    assert isinstance(book.units("wallet", "USDC"), int)


def test_a_swap_meets_in_the_trading_account_and_its_fee_is_an_expense() -> None:
    entry = swap(
        5, "leg:1", "oneinch", ("wallet", "USDC", 1_000_000), ("wallet", "WETH", 400),
        ("wallet", "USDC", -3_000),
    )  # fmt: skip
    assert entry.entry_id == "trade:leg:1"
    assert set(entry.postings) == {
        Posting("assets:wallet", "USDC", -1_000_000),
        Posting("assets:wallet", "WETH", 400),
        Posting("expense:fees:oneinch", "USDC", 3_000),
        Posting("trading:oneinch", "USDC", 997_000),
        Posting("trading:oneinch", "WETH", -400),
    }


def test_a_deposit_that_loses_a_unit_shows_it() -> None:
    moved = [("wallet", "USDC", -1_000), ("aave_v3", "USDC", 999)]
    entry = settlement_entry(5, "leg:2", EntryKind.DEPOSIT, "aave_v3", moved)
    assert Posting("trading:aave_v3", "USDC", 1) in entry.postings
    moved = [("wallet", "USDC", -1_000), ("aave_v3", "USDC", 1_000)]
    whole = settlement_entry(5, "leg:3", EntryKind.DEPOSIT, "aave_v3", moved)
    assert len(whole.postings) == 2


def test_a_fee_in_an_asset_that_did_not_move_is_a_lie() -> None:
    moved = [("wallet", "USDC", -1_000), ("wallet", "WETH", 5)]
    with pytest.raises(InvariantBroken, match="did not move"):
        settlement_entry(5, "x", EntryKind.TRADE, "curve", moved, ("wallet", "DAI", 1))


@pytest.mark.parametrize(("units", "fits"), [(999, True), (1_000, True), (1_001, False)])
def test_a_position_ends_at_zero(units: int, fits: bool) -> None:
    book = Book()
    book.post(capital_entry(1, "c", "wallet", "ETH", 1_000))
    gas = gas_entry(2, "g", "wallet", "ETH", units)
    if fits:
        book.post(gas)
        assert book.units("wallet", "ETH") == 1_000 - units
        return
    with pytest.raises(InvariantBroken, match="would leave -1 base units of ETH"):
        book.post(gas)
    assert book.balances == {("assets:wallet", "ETH"): 1_000, ("equity:capital", "ETH"): -1_000}


def test_one_cause_is_booked_once_under_any_name() -> None:
    book = Book()
    book.post(capital_entry(1, "c", "wallet", "ETH", 5))
    with pytest.raises(Conflict, match="capital for c is already booked"):
        book.post(replace(capital_entry(2, "c", "wallet", "ETH", 5), entry_id="another"))
    with pytest.raises(Conflict):
        book.post(replace(capital_entry(2, "other", "wallet", "ETH", 5), entry_id="capital:c"))
    assert book.units("wallet", "ETH") == 5


def test_one_cause_may_have_its_trade_and_its_gas() -> None:
    book = Book()
    book.post(capital_entry(1, "c", "wallet", "ETH", 1_000))
    book.post(gas_entry(2, "leg", "wallet", "ETH", 1))
    book.post(swap(2, "leg", "oneinch", ("wallet", "ETH", 5), ("wallet", "USDC", 9)))
    with pytest.raises(Conflict, match="gas for leg is already booked"):
        book.post(gas_entry(3, "leg", "wallet", "ETH", 1))


@pytest.mark.req("LG-06")
def test_lg_kinds() -> None:
    """Hedges, fills, buybacks, burns, incentives, fees and gas all reach the books."""
    book = Book()
    book.post(capital_entry(1, "c", "wallet", "USDC", 10_000))
    book.post(capital_entry(1, "e", "wallet", "ETH", 10_000))
    spend, get = ("wallet", "USDC", 100), ("wallet", "TOK", 40)
    moved = [("wallet", "USDC", -100), ("wallet", "TOK", 40)]
    fee = ("wallet", "USDC", 2)
    book.post(settlement_entry(2, "h", EntryKind.HEDGE, "hyperliquid", moved))
    book.post(swap(3, "f", "mexc", spend, get, fee))
    book.post(settlement_entry(4, "b", EntryKind.BUYBACK, "ton_dex", moved, fee))
    book.post(given_away(5, "burn", EntryKind.BURN, "wallet", "TOK", 7))
    book.post(given_away(6, "inc", EntryKind.INCENTIVE, "wallet", "TOK", 5))
    book.post(gas_entry(7, "g", "wallet", "ETH", 9))
    assert book.balance("expense:fees:mexc", "USDC") == 2
    assert book.balance("expense:fees:ton_dex", "USDC") == 2
    assert book.balance("expense:burn", "TOK") == 7
    assert book.balance("expense:incentives", "TOK") == 5
    assert book.balance("expense:gas", "ETH") == 9
    assert book.position_units() == {
        ("wallet", "USDC"): 9_700, ("wallet", "TOK"): 108, ("wallet", "ETH"): 9_991,
    }  # fmt: skip


@pytest.mark.req("LG-07")
@pytest.mark.parametrize("gain", [1, -1, 123_456_789])
def test_lg_eod(gain: int) -> None:
    """A day's realised result is posted once and moves no position."""
    book = Book()
    book.post(realised_entry(86_400, "day:1", gain))
    assert book.balance("income:realised", "USD") == -gain
    assert book.position_units() == {}
    with pytest.raises(Conflict):
        book.post(realised_entry(86_400, "day:1", gain))


def test_losses_and_corrections_have_their_accounts() -> None:
    book = Book()
    book.post(capital_entry(1, "c", "curve", "LP", 100))
    book.post(yield_entry(2, "y", "curve", "LP", -3))
    book.post(correction_entry(3, "fix", "curve", "LP", 1, "dust sent by a stranger"))
    assert book.units("curve", "LP") == 98
    assert book.balance("income:yield:curve", "LP") == 3
    assert book.balance("equity:correction", "LP") == -1


@pytest.mark.parametrize(
    "build",
    [
        lambda: gas_entry(1, "r", "wallet", "ETH", 0),
        lambda: gas_entry(1, "r", "wallet", "ETH", -1),
        lambda: yield_entry(1, "r", "wallet", "ETH", 0),
        lambda: capital_entry(1, "r", "Wallet", "ETH", 1),
        lambda: capital_entry(1, "r", "wal let", "ETH", 1),
        lambda: settlement_entry(1, "r", EntryKind.TRADE, "v", []),
    ],
)
def test_what_moves_nothing_or_goes_nowhere_is_refused(build) -> None:
    with pytest.raises(InvariantBroken):
        build()


def test_only_accounts_of_the_chart_are_posted() -> None:
    odd = Entry("e", 1, EntryKind.TRADE, "", "r", (
        Posting("assets:wallet", "A", 1), Posting("suspense", "A", -1),
    ))  # fmt: skip
    with pytest.raises(InvariantBroken, match="'suspense'"):
        Book().post(odd)
    with pytest.raises(InvariantBroken):
        Book.from_balances({("assets:wallet", "A"): 1})
    with pytest.raises(InvariantBroken):
        Book.from_balances({("assets:wallet", "A"): -1, ("equity:capital", "A"): 1})


@given(st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True))
def test_accounts_and_locations_are_one_to_one(name: str) -> None:
    assert location_of(asset_account(name)) == name
    assert is_ours(asset_account(name))
    for make in (yield_account, fee_account, trading_account):
        assert check_account(make(name)) == make(name)
        assert not is_ours(make(name))


def test_the_location_of_an_expense_is_no_question() -> None:
    with pytest.raises(InvariantBroken):
        location_of("expense:gas")

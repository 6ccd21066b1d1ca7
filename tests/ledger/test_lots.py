"""Lots: first in, first out, and no micro-dollar of cost is lost."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import InvariantBroken
from dynamic.ledger.canonical import canonical_json
from dynamic.ledger.lots import Disposal, Lot, LotBook

moves = st.lists(
    st.tuples(
        st.booleans(), st.sampled_from(("WBTC", "WETH")), st.integers(1, 10**20),
        st.integers(0, 10**15),
    ),
    max_size=40,
)  # fmt: skip


@given(moves)
def test_units_and_cost_are_conserved(history: list[tuple[bool, str, int, int]]) -> None:
    book = LotBook()
    held, bought = {"WBTC": 0, "WETH": 0}, {"WBTC": 0, "WETH": 0}
    left: list[Disposal] = []
    for at_s, (buys, asset, units, usd) in enumerate(history):
        if buys:
            book.acquire(asset, units, usd, at_s, f"r{at_s}")
            held[asset] += units
            bought[asset] += usd
        elif held[asset]:
            left.append(book.dispose(asset, min(units, held[asset]), usd, at_s))
            held[asset] -= min(units, held[asset])
    for asset, units in held.items():
        assert book.units(asset) == units
        spent = sum(d.cost_usd_micro for d in left if d.asset == asset)
        assert spent + book.cost_usd_micro(asset) == bought[asset]
    for disposal in left:
        assert sum(lot.units for lot in disposal.consumed) == disposal.units
        times = [lot.acquired_at_s for lot in disposal.consumed]
        assert times == sorted(times)
        assert disposal.gain_usd_micro == disposal.proceeds_usd_micro - disposal.cost_usd_micro


@given(moves)
def test_lots_survive_their_payload(history: list[tuple[bool, str, int, int]]) -> None:
    book = LotBook()
    for at_s, (_, asset, units, usd) in enumerate(history):
        book.acquire(asset, units, usd, at_s, f"r{at_s}")
    again = LotBook.from_payload(json.loads(canonical_json(book.to_payload())))
    assert again.assets() == book.assets()
    assert [again.lots(a) for a in book.assets()] == [book.lots(a) for a in book.assets()]


def test_a_split_lot_rounds_its_cost_against_us() -> None:
    book = LotBook()
    book.acquire("WBTC", 3, 10, 1, "a")
    first = book.dispose("WBTC", 1, 4, 2)
    assert (first.cost_usd_micro, first.gain_usd_micro) == (4, 0)  # 10/3 rounded up
    assert book.lots("WBTC") == (Lot("WBTC", 2, 6, 1, "a"),)
    assert book.dispose("WBTC", 2, 7, 3).gain_usd_micro == 1
    assert book.assets() == ()


def test_the_oldest_leave_first() -> None:
    book = LotBook()
    book.acquire("WETH", 10, 100, 1, "old")
    book.acquire("WETH", 10, 300, 2, "new")
    sold = book.dispose("WETH", 15, 375, 3)
    assert sold.consumed == (Lot("WETH", 10, 100, 1, "old"), Lot("WETH", 5, 150, 2, "new"))
    assert sold.gain_usd_micro == 125
    assert book.newest("WETH", 5) == (Lot("WETH", 5, 150, 2, "new"),)


@pytest.mark.parametrize("units", [0, -1, 11])
def test_only_what_is_held_can_leave_and_a_refusal_changes_nothing(units: int) -> None:
    book = LotBook()
    book.acquire("WETH", 10, 100, 1, "a")
    with pytest.raises(InvariantBroken, match=r"1\.\.10 WETH"):
        book.dispose("WETH", units, 0, 2)
    assert book.lots("WETH") == (Lot("WETH", 10, 100, 1, "a"),)


@pytest.mark.parametrize(("units", "cost"), [(0, 1), (-1, 1), (1, -1)])
def test_a_lot_of_nothing_or_below_nothing_is_refused(units: int, cost: int) -> None:
    with pytest.raises(InvariantBroken):
        LotBook().acquire("WETH", units, cost, 1, "a")


@pytest.mark.parametrize("row", [[1, 2, 3], [1, 2, 3, 4], ["1", 2, 3, "r"], [1.5, 2, 3, "r"], []])
def test_a_payload_of_another_shape_is_refused(row: list[object]) -> None:
    with pytest.raises(InvariantBroken, match="expected a lot of WETH"):
        LotBook.from_payload({"WETH": [row]})

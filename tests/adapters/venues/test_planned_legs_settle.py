"""What the planner promises the paper venue keeps, and the books explain every unit of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from dynamic.adapters.venues.paper import PaperVenue
from dynamic.ledger.entry import Entry, EntryKind
from dynamic.ledger.posting import gas_entry, settlement_entry
from dynamic.performance.attribution import Mark, attribute
from dynamic.planning.fair_value import FairValue
from dynamic.planning.planner import plan
from dynamic.policy.proposal import Move
from dynamic.ports import Receipt
from tests.adapters.venues.world import funded, market, order
from tests.planning.test_planner import move_sets
from tests.planning.treasury import (
    ASSETS,
    CONTEXT,
    GAS,
    NOW_S,
    PRICES,
    RULES,
    UNITS,
    USD,
    proposal,
    situation,
)


def facts(venue: PaperVenue, now_s: int) -> FairValue:
    """Fair value as the treasury reads it from the venue's own facts."""
    found = {o.key: o.value for o in venue.observe(now_s)}
    exits = {k.rpartition(":")[2]: int(v) for k, v in found.items() if k.startswith("rate:")}
    mids = {k.rpartition(":")[2]: int(v) for k, v in found.items()
            if k.startswith(("virtual_price:", "pt_price:"))}  # fmt: skip
    return FairValue(ASSETS, PRICES, mids, exits)


def booked(ref: str, receipt: Receipt, venue: str) -> list[Entry]:
    """The entries of one receipt."""
    found = []
    if not receipt.reverted:
        moved = [(*m.position, m.base_units) for m in receipt.movements]
        fee = receipt.fee and (*receipt.fee.position, receipt.fee.base_units)
        found.append(settlement_entry(NOW_S, ref, EntryKind.TRADE, venue, moved, fee or None))
    gas = receipt.gas_units * receipt.gas_price_wei
    if gas:
        found.append(gas_entry(NOW_S, f"gas:{ref}", *GAS, gas))
    return found


@pytest.mark.req("RB-13", "RB-16", "I-5", "I-11")
@given(move_sets())
def test_every_planned_leg_settles_and_the_books_explain_it(moves: tuple[Move, ...]) -> None:
    venue = funded(capital=UNITS)
    before = dict(venue.balances(NOW_S))
    fair = facts(venue, NOW_S)
    found = plan(proposal(*moves), situation(before), fair, RULES, CONTEXT)
    if found is None:
        return
    entries: list[Entry] = []
    gas = 0
    for leg in found.legs:
        receipt = venue.send(order(leg.key, leg), NOW_S)
        assert receipt is not None
        assert not receipt.reverted, receipt.reason
        got = receipt.movements[1].base_units
        # The estimate sizes impact at exit value, the venue at the middle: a tenth of a bp apart.
        assert abs(got - leg.receive_units_expected) * 10**5 <= got + 2 * 10**5
        gas += receipt.gas_units * receipt.gas_price_wei
        entries += booked(leg.key, receipt, leg.venue)
    # The estimate is what was paid, rounded up to a micro-dollar.
    assert found.gas_cost_usd_micro == -(-gas * 2_000 * USD // 10**18)

    def mark(units: dict[tuple[str, str], int]) -> Mark:
        return Mark(NOW_S, units, PRICES, fair.exit_rates)

    after = dict(venue.balances(NOW_S))
    # Aave floors what may be claimed: that unit is booked as interest, by name.
    parked = {p: u for p, u in before.items() if p[0] == "aave_v3"}
    moved = sum(p.base_units for e in entries for p in e.postings if p.account == "assets:aave_v3")
    dust = after.get(("aave_v3", "USDC"), 0) - sum(parked.values()) - moved  # type: ignore[call-overload]
    assert -2 <= dust <= 0
    closing = {**after, ("aave_v3", "USDC"): sum(parked.values()) + moved}
    parts = attribute(mark({**before}), mark(closing), entries, ASSETS)  # type: ignore[dict-item]
    assert parts.price == parts.flows == parts.other == parts.yield_ == 0
    assert parts.gas < 0
    assert parts.fees <= 0


@given(move_sets())
def test_a_month_later_still_settles(moves: tuple[Move, ...]) -> None:
    venue = funded(capital=UNITS)
    later = NOW_S + 30 * 86_400
    venue.observe_market(market(later), later)
    held = dict(venue.balances(later))
    found = plan(
        proposal(*moves), situation(held, now_s=later), facts(venue, later), RULES, CONTEXT
    )
    for leg in found.legs if found else ():
        receipt = venue.send(replace(order(leg.key, leg), deadline_s=later), later)
        assert receipt is not None
        assert not receipt.reverted, receipt.reason

"""What nobody had named blocks; two people name it to the unit; then it does not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import Conflict, DataUnfit, Refused
from dynamic.policy.proposal import Position
from dynamic.protocols import aave_v3
from dynamic.units import RAY
from dynamic.workflows.correct import Correction, correct
from dynamic.workflows.instruments import AAVE, CASH
from dynamic.workflows.observe import INDEX, compare
from tests.workflows.conftest import Begin
from tests.workflows.world import Scripted, World

WBTC = Position("wallet", "WBTC")
SEEN = Correction(CASH, 1, ("ann", "bob"), "dust sent by a stranger, tx 0xabc")


def planted(begin: Begin, position: Position, units: int, days: int = 6) -> World:
    """A treasury that buys daily, and something moved behind its books."""
    world = begin()
    world.until(days)
    world.venue.deposit_capital(position, units, "planted")
    return world


def explain(world: World, correction: Correction) -> None:
    correct(correction, world.memory, world.io, world.mandate)


@pytest.mark.req("LG-04", "PM-08", "I-2")
@pytest.mark.parametrize(
    ("position", "units"),
    [(CASH, 1), (CASH, -1), (CASH, 10**9), (WBTC, 5), (WBTC, -5), (AAVE, 10**9), (AAVE, -(10**9))],
)
def test_a_planted_residue_blocks_until_two_people_explain_it(
    begin: Begin, position: Position, units: int
) -> None:
    world = planted(begin, position, units)
    blocked = world.day(7)
    (residue,) = blocked.residues.residues
    assert residue.position == tuple(position)
    assert not blocked.settled
    assert "ledger-residue" in world.duty.codes()

    told = Correction(position, residue.residue, ("ann", "bob"), "a stranger's gift")
    realised = world.memory.diary.realised_usd_micro
    explain(world, told)
    assert compare(world.memory, world.io, world.clock.now_s()).residues == ()
    assert (world.memory.diary.realised_usd_micro < realised) is (position == WBTC and units < 0)

    after = world.day(8)
    assert after.residues.residues == ()
    assert after.settled, "what was blocked goes on"
    assert after.marked is not None
    assert world.memory.lots.units("WBTC") == world.held("wallet", "WBTC")
    for number in range(9, 40):  # the interest of a corrected balance stays exactly ours
        assert world.day(number).residues.residues == ()
    world.check_books()


@pytest.mark.req("PF-01", "LG-06")
def test_a_correction_is_neither_a_gain_of_price_nor_a_flow(begin: Begin) -> None:
    world = planted(begin, CASH, -(10**9))
    assert world.day(7).marked is not None
    explain(world, replace(SEEN, base_units=-(10**9)))
    marked = world.cycle().marked
    assert marked is not None
    assert marked.attribution["other"] < -990_000_000
    assert marked.attribution["flows"] == 0
    rows = world.sql.reader().audit_events(1, 100_000)
    (note,) = [json.loads(row["payload"]) for row in rows if row["kind"] == "correction"]
    assert note["operators"] == ["ann", "bob"]
    assert (note["base_units"], note["reason"]) == ("-1000000000", SEEN.reason)


@pytest.mark.req("GV-09", "PM-08")
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (replace(SEEN, operators=("ann",)), Refused),
        (replace(SEEN, operators=("ann", "operator:Ann ")), Refused),
        (replace(SEEN, operators=("ann", "claude")), Refused),
        (replace(SEEN, reason="  "), Refused),
        (replace(SEEN, base_units=2), Conflict),
        (replace(SEEN, base_units=-1), Conflict),
        (replace(SEEN, base_units=0), Conflict),
        (replace(SEEN, position=WBTC), Conflict),
    ],
)
def test_what_is_not_the_residue_or_not_two_people_books_nothing(
    begin: Begin, wrong: Correction, error: type[Exception]
) -> None:
    world = planted(begin, CASH, 1, days=1)
    before = dict(world.memory.book.balances)
    with pytest.raises(error):
        explain(world, wrong)
    assert world.memory.book.balances == before
    assert not [e for e in world.sql.reader().entries(1_000) if e["kind"] == "correction"]


def test_an_order_in_flight_is_not_explained_away(begin: Begin) -> None:
    from dynamic.adapters.venues.faults import Fault

    world = begin(Scripted(lambda key, at_s: Fault.LOST_REPLY))
    world.cycle(world.first_s)
    world.sign("ann", "bob")
    world.cycle()
    with pytest.raises(Conflict, match="in flight"):
        explain(world, SEEN)


def test_without_the_index_lending_is_not_corrected(begin: Begin) -> None:
    world = planted(begin, AAVE, 10**6, days=1)
    venue = world.venue
    hidden = [o for o in venue.observe(world.clock.now_s()) if o.key != INDEX]
    world.io = replace(world.io, venue=_Blind(venue, hidden))
    with pytest.raises(DataUnfit, match="index"):
        explain(world, replace(SEEN, position=AAVE, base_units=10**6))


class _Blind:
    """A venue that does not tell its index."""

    def __init__(self, venue: object, seen: list[object]) -> None:
        self._venue, self._seen = venue, seen

    def __getattr__(self, name: str) -> object:
        return getattr(self._venue, name)

    def observe(self, now_s: int) -> list[object]:
        return self._seen


@pytest.mark.req("LG-04")
@given(st.integers(0, 10**15), st.integers(RAY, 3 * RAY))
def test_the_balance_behind_a_claim_is_the_only_one(scaled: int, index_ray: int) -> None:
    assert aave_v3.scaled_of_claim(aave_v3.claim(scaled, index_ray), index_ray) == scaled

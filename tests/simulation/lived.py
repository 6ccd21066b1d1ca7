"""A course lived to its end, with everything its store kept, and what must hold of any of them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dynamic.ledger.book import Book
from dynamic.ledger.entry import Entry, EntryKind
from dynamic.performance.valuation import SCALE, unit_value_scaled
from dynamic.planning.plan import Leg, LegKind, PlanState
from dynamic.policy.proposal import Position, Urgency
from dynamic.records import PlanRecord, StepRecord, StepState
from dynamic.trading.replaying import Course, Journey, Outcome
from dynamic.units import BPS, AssetKind
from dynamic.workflows.instruments import asset
from dynamic.workflows.memory import recover
from dynamic.workflows.observe import View
from dynamic.workflows.treasury_cycle import CycleReport

VOLATILE = ("WBTC", "WETH", "ETH")


@dataclass(frozen=True, slots=True)
class Lived:
    """The outcome, the views of its cycles, and what was stored."""

    outcome: Outcome
    views: dict[int, View]
    unmarked: tuple[CycleReport, ...]
    entries: tuple[Entry, ...]
    plans: tuple[PlanRecord, ...]
    steps: dict[str, StepRecord]
    held: dict[Position, int]  # what the venue says at the end
    evidence: dict[str, object]  # of the audit chains
    broken_links: dict[str, int]
    recovered_hash: str

    def settled(self) -> list[tuple[PlanRecord, Leg, StepRecord]]:
        """Every leg that settled, in the order it did."""
        found = [
            (record, leg, self.steps[leg.key])
            for record in self.plans
            for leg in record.plan.legs
            if leg.key in self.steps and self.steps[leg.key].state is StepState.SETTLED
        ]
        return sorted(found, key=lambda one: (one[2].at_s, one[0].plan.created_at_s))


def live(course: Course) -> Lived:
    """Live through a course and read back what it wrote."""
    journey = Journey(course)
    views: dict[int, View] = {}
    unmarked: list[CycleReport] = []
    try:
        for report in journey.cycles():
            views[report.at_s] = report.view
            if report.marked is None:
                unmarked.append(report)
        outcome = journey.finish(1.0)
        reader = journey.store.reader()
        plans = reader.plan_records([state.value for state in PlanState])
        steps = reader.last_steps({record.plan.plan_id for record in plans})
        return Lived(
            outcome, views, tuple(unmarked), tuple(reader.entry_records()), plans,
            {step.step_key: step for step in steps},
            dict(journey.treasury.venue.balances(course.span.last_s)),
            reader.verify_audit(), reader.linkage(),
            recover(journey.store.recover()).state_hash(),
        )  # fmt: skip
    finally:
        journey.close()


def check_everything(lived: Lived, volatile_bps_max: int, unattended_usd_micro: int) -> None:
    """Hold a life against every promise that needs no knowledge of its market."""
    tally = lived.outcome.tally
    assert tally.residues == 0
    assert tally.unmarked == len(lived.unmarked)
    for report in lived.unmarked:  # a gap in what was recorded: nothing is decided in it
        assert [d.reasoning.startswith("no price for") for d in report.decisions] == [True]
        assert report.settled == ()
    assert lived.recovered_hash == lived.outcome.state_hash
    assert lived.evidence["broken"] is None
    assert lived.evidence["tx_logs_broken"] is None
    assert set(lived.broken_links.values()) == {0}
    book = Book.of(lived.entries)
    book.check()
    assert {Position(*p): n for p, n in book.position_units().items()} == lived.held
    check_attribution(lived.outcome)
    assert check_cap(lived, volatile_bps_max) > 0
    assert check_receipts(lived) > 0
    check_rolling(lived, unattended_usd_micro)


def check_attribution(outcome: Outcome) -> None:
    """The parts of all changes add up to the NAV; all began with a flow.

    Exact below the micro-dollar, where `attribute` refuses any residual; written in whole ones,
    a step may differ from the difference of two floored NAVs by one.
    """
    gap = outcome.points[-1].nav_usd_micro - sum(outcome.attribution.values())
    assert 0 <= gap <= len(outcome.points)
    assert outcome.attribution["other"] == 0
    assert outcome.attribution["flows"] > 0


def check_cap(lived: Lived, volatile_bps_max: int) -> int:
    """After each leg that bought BTC or ETH, and its gas, the share is within the cap (GR-10).

    Returns how many legs were looked at.
    """
    book, looked = Book(), 0
    buys = {
        leg.key for _, leg, _ in lived.settled()
        if leg.receive.asset in VOLATILE and leg.spend.asset not in VOLATILE
    }  # fmt: skip
    for entry in lived.entries:
        book.post(entry)
        if entry.ref not in buys or entry.kind not in (EntryKind.TRADE, EntryKind.GAS):
            continue  # a leg's gas entry comes after the leg
        view, volatile, nav = lived.views[entry.at_s], 0, 0
        for (_, symbol), units in book.position_units().items():
            token = asset(symbol)
            value = units * unit_value_scaled(token, view.prices, view.exit_rates) // SCALE
            nav += value
            volatile += value if token.kind is AssetKind.VOLATILE else 0
        assert volatile * BPS <= volatile_bps_max * nav, (entry.ref, volatile / nav)
        looked += 1
    return looked


def check_receipts(lived: Lived) -> int:
    """Every settled leg brought at least its least, and spent exactly what it said."""
    looked = 0
    for _, leg, step in lived.settled():
        moved: dict[Position, int] = {}
        for place, symbol, units in json.loads(step.payload)["movements"]:
            moved[Position(place, symbol)] = int(units)
        assert moved[leg.spend] == -leg.spend_units
        assert moved[leg.receive] >= leg.receive_units_min > 0
        looked += 1
    return looked


def check_rolling(lived: Lived, unattended_usd_micro: int) -> None:
    """Nobody signed: then each direction's last 24 hours stay within the limit (GR-21).

    Directions are told here from the leg alone, by brute force over everything that settled.
    What two people signed beforehand (reductions the mandate demands) is not unattended.
    """
    moves = [
        (step.at_s, _direction(leg), leg.notional_usd_micro, record)
        for record, leg, step in lived.settled()
    ]
    for number, (at_s, direction, _, record) in enumerate(moves):
        attended = record.plan.signatures_required > 0
        if attended or record.plan.urgency in (Urgency.MANDATORY, Urgency.EMERGENCY):
            continue
        window = sum(
            notional for then, way, notional, _ in moves[: number + 1]
            if way == direction and then > at_s - 86_400
        )  # fmt: skip
        assert window <= unattended_usd_micro, (record.plan.plan_id, direction, window)


def _direction(leg: Leg) -> str:
    if leg.kind is LegKind.SWAP:
        return "buy" if leg.receive.asset in VOLATILE else "sell"
    return "in" if leg.kind is LegKind.DEPOSIT else "out"

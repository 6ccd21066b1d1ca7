"""No sequence of what people, the schedule and the world may do breaks an invariant (TD-07).

After every step: books are balanced and equal the venue, or the difference is named; nothing
was sent that was not signed for, nor begun under HALTED; purchases respect the caps; the audit
chain verifies.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dynamic.adapters.mandate_file import read_mandate
from dynamic.errors import Conflict, DataUnfit, Refused
from dynamic.planning.plan import PlanState
from dynamic.policy.proposal import Position
from dynamic.policy.situation import SwitchState
from dynamic.ports import Order
from dynamic.records import StepState
from dynamic.simulation.sample import SampleFeed
from dynamic.trading.capital import CapitalFlow
from dynamic.units import DAY_S
from tests.trading.stand import PEOPLE, WatchedVenue, World, build, plan_of

SAMPLE = SampleFeed(1)
MANDATE = read_mandate().under("replay")
NAMES = st.sampled_from(["ann", "bob", "otto", "claude"])
PRICES = ("price:BTC", "price:ETH", "price:USDC")


class Treasury(RuleBasedStateMachine):
    """One treasury, and everything that may happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.home = tempfile.TemporaryDirectory(prefix="dynamic-stateful-")
        self.flows = 0
        self.planted = 0
        self.world: World = build(SAMPLE, MANDATE, Path(self.home.name))
        venue = self.world.venue
        assert isinstance(venue, WatchedVenue)
        venue.when_sent = self._sent  # type: ignore[assignment]

    def teardown(self) -> None:
        """Close what the machine opened."""
        self.world.store.close()
        self.home.cleanup()

    def _sent(self, order: Order) -> None:
        """Look at the world in the instant an order leaves: the journal and signatures first."""
        world = self.world
        assert world.switch.state() is not SwitchState.HALTED
        reader = world.store.reader()
        (plan_id,) = {order.key.partition(":")[0]}
        record = reader.plan_record(plan_id)
        assert record.state is PlanState.EXECUTING
        states = [row["state"] for row in reader.steps(plan_id) if row["step_key"] == order.key]
        assert states == [StepState.INTENDED.value], "sent before it was journaled"
        people = {
            a.operator for a in reader.approval_records(plan_id)
            if a.approved and a.digest == record.plan.digest
        }  # fmt: skip
        assert len(people) >= record.plan.signatures_required
        assert "claude" not in people

    # --- what happens -----------------------------------------------------------------------

    @initialize(days=st.sampled_from([0, 1, 5, 20]))
    def begins(self, days: int) -> None:
        """Live for a while."""
        self.world.live(days)

    @rule(hours=st.sampled_from([1, 7, 24, 60]), name=NAMES, force=st.booleans())
    def time_passes_and_somebody_asks(self, hours: int, name: str, force: bool) -> None:
        """Ask for a rebalance."""
        self.world.go(hours=hours)
        try:
            self.world.service.rebalance(name, force, None)
        except DataUnfit:
            assert self.world.feed.hidden, "data was there"

    @rule(hours=st.sampled_from([1, 13, 24]))
    def schedule(self, hours: int) -> None:
        """Run the scheduled cycle."""
        self.world.go(hours=hours)
        try:
            self.world.engine.cycle()
        except DataUnfit:
            assert self.world.feed.hidden, "data was there"

    @rule(name=NAMES, approved=st.sampled_from([True, True, True, False]))
    def somebody_signs(self, name: str, approved: bool) -> None:
        """Sign, as whoever is there."""
        waiting = self.world.service.pending()
        if not waiting:
            return
        plan = plan_of(waiting[0])
        given = {s.operator for s in plan.signatures}
        is_proposer = waiting[0].actor == f"operator:{name}"
        try:
            result = self.world.service.decide(
                waiting[0].decision_id, name, approved, "seen", plan.digest
            )
        except Refused:
            assert name == "claude" or name in given or is_proposer
            return
        except Conflict:
            return  # too old to sign
        assert name not in given
        assert not is_proposer
        if not approved:
            assert result.state == "rejected"

    @rule(to=st.sampled_from([SwitchState.REDUCING, SwitchState.HALTED]))
    def stop(self, to: SwitchState) -> None:
        """Lower the switch."""
        before = self.world.switch.state()
        try:
            self.world.service.lower_switch("vera", to, "drill")
        except Conflict:
            assert (before, to) == (SwitchState.HALTED, SwitchState.REDUCING)

    @rule(name=st.sampled_from(PEOPLE))
    def somebody_raises(self, name: str) -> None:
        """Ask to raise it."""
        before, asked = self.world.switch.state(), self.world.service.switch().raise_asked_by
        try:
            after = self.world.service.raise_switch(name, SwitchState.ACTIVE, "over").state
        except Conflict:
            assert before is SwitchState.ACTIVE
            return
        if before is SwitchState.HALTED and after is SwitchState.ACTIVE:
            assert asked not in (None, name)

    @rule()
    def two_people_renew_the_policy(self) -> None:
        """Let the mandate's reductions run without waking anybody."""
        self.world.engine.renew_policy(self.world.clock.now_s() + 7 * DAY_S, PEOPLE)

    @rule(units=st.integers(1, 60_000_000_000))
    def deposit(self, units: int) -> None:
        """Pay capital in."""
        self._flow(units)

    @rule(units=st.integers(1, 30_000_000_000))
    def withdraw(self, units: int) -> None:
        """Take capital out."""
        self._flow(-units)

    def _flow(self, units: int) -> None:
        flow = CapitalFlow(f"flow-{self.flows}", "USDC", units, PEOPLE, "a flow")
        self.flows += 1
        try:
            assert self.world.service.record_capital(flow)
        except DataUnfit:
            assert self.world.feed.hidden
            return
        except (Refused, Conflict):
            assert units < 0, "a deposit was turned away"
            return
        assert not self.world.service.record_capital(flow)

    @rule(key=st.sampled_from(PRICES), bps=st.sampled_from([3_000, 6_000, 9_700, 11_000]))
    def prices_jump(self, key: str, bps: int) -> None:
        """Let a price crash, jump, or come back to what was recorded."""
        if key in self.world.feed.scaled_bps:
            del self.world.feed.scaled_bps[key]
        else:
            self.world.feed.scaled_bps[key] = bps

    @rule(key=st.sampled_from([*PRICES, "mvrv_z:BTC", "gas:ethereum"]))
    def a_value_goes_missing(self, key: str) -> None:
        """Hide a value, or show it again."""
        self.world.feed.hidden ^= {key}

    @rule(units=st.sampled_from([1, -1]))
    def the_venue_disagrees(self, units: int) -> None:
        """Plant a base unit behind the books' back, or take it away again."""
        if self.planted:
            units = -self.planted
        self.flows += 1
        try:
            self.world.venue.deposit_capital(
                Position("wallet", "USDC"), units, f"planted-{self.flows}"
            )
        except Refused:
            return  # there is not even one unit to take
        self.planted += units

    @rule()
    def restart(self) -> None:
        """Begin again from the store; nothing that was remembered is lost."""
        before = self.world.engine.inspect(lambda memory: memory.state_hash())
        self.world.restart()
        assert self.world.engine.inspect(lambda memory: memory.state_hash()) == before

    # --- what always holds ------------------------------------------------------------------

    @invariant()
    def books_are_the_venue_or_the_difference_is_named(self) -> None:
        """To the base unit, after every step."""
        self.world.engine.inspect(lambda memory: memory.book.check())
        found = self.world.service.reconcile().residues
        assert sum(residue.residue_units for residue in found) == self.planted
        assert len(found) == (1 if self.planted else 0)

    @invariant()
    def the_audit_chain_verifies(self) -> None:
        """And the books hang on it."""
        evidence = self.world.store.reader().verify_audit()
        assert evidence["holds"], evidence

    @invariant()
    def the_switch_was_never_raised_by_itself(self) -> None:
        """A broken invariant would have halted it under the engine's name."""
        assert "engine" not in self.world.service.switch().actor

    @invariant()
    def every_answer_can_be_given(self) -> None:
        """No state of the treasury makes a question fail in an unexpected way."""
        service = self.world.service
        assert service.health().store in ("ok", "empty")
        for question in (
            service.market, service.signal, service.portfolio, service.limits,
            lambda: service.performance("all"), lambda: service.decisions(5, 0), service.pending,
        ):  # fmt: skip
            try:
                question()
            except DataUnfit:
                assert service.health().store == "empty"

    @invariant()
    def purchases_respect_the_caps(self) -> None:
        """Right after a cycle that bought, no share stands above its limit."""
        report = self.world.engine.last
        if report is None or report.marked is None:
            return
        bought = any(leg.receive.asset in ("WBTC", "WETH") for leg in report.settled)
        if bought and report.at_s == self.world.clock.now_s():
            nav = report.marked.record
            cap = MANDATE.exposure.volatile_bps_max
            assert nav.volatile_usd_micro * 10_000 <= cap * nav.nav_usd_micro


BUDGET = settings(
    max_examples=12, stateful_step_count=18, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


@pytest.mark.req("TD-07", "I-1", "I-2", "GV-02")
class TestTreasury(Treasury.TestCase):  # type: ignore[name-defined, misc]
    """A few storms in every run."""

    settings = BUDGET


@pytest.mark.nightly
class TestTreasuryForLong(Treasury.TestCase):  # type: ignore[name-defined, misc]
    """Many, at night."""

    settings = settings(BUDGET, max_examples=1_000, stateful_step_count=40)

"""What people may do through the service, what they may not, and what is left behind either way."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from dynamic.errors import Conflict, DataUnfit, InvariantBroken, NotFound, Refused, StoreUnavailable
from dynamic.policy.mandate import Mandate
from dynamic.policy.situation import SwitchState
from dynamic.trading.views import DecisionView, RebalanceResult, RebalanceStatus
from dynamic.units import DAY_S
from tests.trading.conftest import Build
from tests.trading.stand import World, plan_of


@pytest.fixture
def waiting(world: World) -> DecisionView:
    """A plan of 240 000 that otto asked for; it needs two people."""
    assert world.service.rebalance("otto", False, None).status is RebalanceStatus.APPROVAL_REQUIRED
    (found,) = world.service.pending()
    return found


def kinds(world: World) -> list[str]:
    """The audit trail, newest first."""
    return [link.kind for link in world.service.audit(500)]


# --- approving ------------------------------------------------------------------------------------


@pytest.mark.req("GV-02", "C-54")
def test_gv_four_eyes(world: World, waiting: DecisionView) -> None:
    decide, digest = world.service.decide, plan_of(waiting).digest
    for name in ("otto", "operator:otto", " Otto "):
        with pytest.raises(Refused, match="someone else than the proposer"):
            decide(waiting.decision_id, name, True, "", digest)
    for name in ("rules", "claude", "engine", "claude-opus"):
        with pytest.raises(Refused, match="expected a person"):
            decide(waiting.decision_id, name, True, "", digest)
    first = decide(waiting.decision_id, "ada", True, "seen", digest)
    assert (first.state, first.signatures_given, first.signatures_required) == (
        "pending_approval", 1, 2,
    )  # fmt: skip
    for name in ("ada", "ADA", "operator:ada"):
        with pytest.raises(Refused, match="already signed"):
            decide(waiting.decision_id, name, True, "", digest)
    assert world.service.reconcile().residues == ()
    assert world.venue.balances(0).keys() == {("wallet", "USDC"), ("wallet", "ETH")}
    second = decide(waiting.decision_id, "amin", True, "seen", digest)
    assert (second.state, second.signatures_given) == ("done", 2)
    world.check_books()
    signed = [s.operator for s in plan_of(world.service.decision(waiting.decision_id)).signatures]
    assert signed == ["ada", "amin"]
    assert kinds(world).count("approval") == 2


@pytest.mark.req("GV-01")
def test_gv_queue_a_rejection_ends_it(world: World, waiting: DecisionView) -> None:
    result = world.service.decide(waiting.decision_id, "ada", False, "too much at once", None)
    assert (result.state, result.approved, result.signatures_given) == ("rejected", False, 0)
    assert world.service.pending() == []
    assert world.engine.plan() is None
    with pytest.raises(Conflict, match="rejected"):
        world.service.decide(waiting.decision_id, "amin", True, "", None)
    assert world.venue.balances(0).keys() == {("wallet", "USDC"), ("wallet", "ETH")}


@pytest.mark.req("GV-03")
def test_gv_plan_hash_a_signature_over_another_plan_is_a_conflict(
    world: World, waiting: DecisionView
) -> None:
    with pytest.raises(Conflict, match="changed"):
        world.service.decide(waiting.decision_id, "ada", True, "", "0" * 64)
    assert plan_of(world.service.pending()[0]).signatures == ()


@pytest.mark.req("GV-01", "GV-14")
def test_gv_stale_approval_a_plan_too_old_is_a_conflict(
    world: World, waiting: DecisionView
) -> None:
    world.go(days=1)
    with pytest.raises(Conflict, match="too old"):
        world.service.decide(waiting.decision_id, "ada", True, "", None)
    assert world.engine.plan() is None
    assert plan_of(world.service.decision(waiting.decision_id)).state == "expired"


@pytest.mark.req("GV-14")
def test_gv_stale_approval_prices_that_moved_void_what_was_signed(
    world: World, waiting: DecisionView
) -> None:
    """The last signature comes after the market has left the plan's band; nothing is sent."""
    world.service.decide(waiting.decision_id, "ada", True, "", None)
    world.feed.scaled_bps = {"price:USDC": 9_700}
    result = world.service.decide(waiting.decision_id, "amin", True, "", None)
    assert result.state == "expired"
    assert "USDC moved" in result.message
    assert world.venue.balances(0).keys() == {("wallet", "USDC"), ("wallet", "ETH")}


def test_a_decision_without_a_plan_or_without_a_name(deployed: World) -> None:
    held = next(d for d in deployed.service.decisions(50, 0) if d.plan is None)
    with pytest.raises(Conflict, match="no plan"):
        deployed.service.decide(held.decision_id, "ada", True, "", None)
    with pytest.raises(NotFound):
        deployed.service.decide("d77-7", "ada", True, "", None)


def test_signatures_stand_where_the_market_cannot_be_seen(
    world: World, waiting: DecisionView
) -> None:
    """The feed fails as the last person signs: said, not lost; the next cycle carries it out."""
    world.service.decide(waiting.decision_id, "ada", True, "", None)

    def fails() -> None:
        raise DataUnfit("expected a market, found none")

    world.feed.when_asked = fails
    result = world.service.decide(waiting.decision_id, "amin", True, "", None)
    assert (result.state, result.signatures_given) == ("approved", 2)
    assert "waits for the next cycle: expected a market" in result.message
    world.feed.when_asked = lambda: None
    world.engine.cycle()
    assert plan_of(world.service.decision(waiting.decision_id)).state == "done"
    world.check_books()


# --- asking for a cycle ---------------------------------------------------------------------------


@pytest.mark.req("AP-04", "RB-19")
def test_ap_rebalance_with_a_plan_in_hand_is_a_conflict(
    world: World, waiting: DecisionView
) -> None:
    result = world.service.rebalance("olga", True, None)
    assert result.status is RebalanceStatus.CONFLICT
    assert result.decision_id == waiting.decision_id
    assert len(world.service.decisions(50, 0)) == 1


@pytest.mark.req("RB-19")
def test_rb_mutex_of_two_asking_at_once_one_is_told_so(world: World) -> None:
    """The second asks while the first's cycle looks at the market."""
    inside, go_on = threading.Event(), threading.Event()
    results: list[RebalanceResult] = []

    def pause() -> None:
        inside.set()
        assert go_on.wait(20)

    world.feed.when_asked = pause
    first = threading.Thread(
        target=lambda: results.append(world.service.rebalance("otto", False, None))
    )
    first.start()
    assert inside.wait(20)
    with pytest.raises(Conflict, match="running"):
        world.engine.cycle_for(_ask("olga"))
    go_on.set()
    world.feed.when_asked = lambda: None
    first.join(20)
    assert [r.status for r in results] == [RebalanceStatus.APPROVAL_REQUIRED]
    assert len(world.service.decisions(50, 0)) == 1


def _ask(name: str) -> object:
    from dynamic.workflows.decide import Ask

    return Ask(name)


@pytest.mark.req("RB-19")
def test_rb_mutex_many_threads_one_decision(world: World) -> None:
    """However they fall, one asks and the others are told: never two plans."""
    barrier = threading.Barrier(6)
    results: list[RebalanceResult] = []

    def ask(number: int) -> None:
        barrier.wait(20)
        results.append(world.service.rebalance(f"otto{number}", True, None))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    found = sorted(r.status.value for r in results)
    assert found == ["approval_required", *["conflict"] * 5]
    assert len(world.service.pending()) == 1
    world.check_books()


@pytest.mark.req("AP-04")
def test_ap_rebalance_small_plans_need_nobody(make: Build, mandate: Mandate) -> None:
    """Where authority reaches as far as the plan, it is carried out at once."""
    wide = replace(mandate.authority, unattended_usd_micro_max=300_000_000_000)
    anomaly = replace(mandate.anomaly, move_bps_max=10_000)
    advisor = replace(mandate.advisor, ask_move_bps=10_000)
    world = make(replace(mandate, authority=wide, anomaly=anomaly, advisor=advisor))
    result = world.service.rebalance("otto", False, None)
    assert result.status is RebalanceStatus.ACCEPTED
    assert plan_of(world.service.decision(str(result.decision_id))).state == "done"
    assert plan_of(world.service.decision(str(result.decision_id))).signatures_required == 0
    assert result.plan is not None
    world.check_books()


def test_where_only_the_advisor_asks_its_words_are_shown(make: Build, mandate: Mandate) -> None:
    wide = replace(mandate.authority, unattended_usd_micro_max=300_000_000_000)
    anomaly = replace(mandate.anomaly, move_bps_max=10_000)
    world = make(replace(mandate, authority=wide, anomaly=anomaly))
    world.service.rebalance("otto", False, None)
    (waiting,) = world.service.pending()
    assert plan_of(waiting).signatures_required == 1
    assert plan_of(waiting).binding_limits == ()
    assert waiting.advice.startswith("ask: moves 6000 bps of NAV")


@pytest.mark.req("AP-04")
def test_ap_rebalance_with_nothing_to_do(deployed: World) -> None:
    deployed.go(hours=1)
    result = deployed.service.rebalance("otto", False, None)
    assert (result.status, result.plan) == (RebalanceStatus.NOTHING_TO_DO, None)
    assert result.decision_id is not None
    assert "rebalance-asked" in kinds(deployed)


@pytest.mark.req("AP-04", "GR-27")
def test_ap_rebalance_denied_says_rule_observed_and_limit(make: Build, mandate: Mandate) -> None:
    """A mandate under which the first plan has more legs than a day may see."""
    world = make(replace(mandate, trades=replace(mandate.trades, per_day_max=1)))
    result = world.service.rebalance("otto", False, None)
    assert result.status is RebalanceStatus.DENIED
    assert result.findings
    assert all(f.rule and f.message for f in result.findings)
    assert result.plan is None
    assert world.venue.balances(0).keys() == {("wallet", "USDC"), ("wallet", "ETH")}


@pytest.mark.req("GR-28", "C-18")
def test_gr_force_skips_triggers_and_no_limit(deployed: World) -> None:
    """An hour after the last plan no trigger holds; force asks all the same, limits stay."""
    deployed.go(hours=1)
    quiet = deployed.service.rebalance("otto", False, None)
    assert quiet.status is RebalanceStatus.NOTHING_TO_DO
    deployed.feed.scaled_bps = {"price:BTC": 9_000}
    forced = deployed.service.rebalance("otto", True, None)
    view = deployed.service.decision(str(forced.decision_id))
    assert view.trigger == "operator"
    assert "cooling down" not in view.reasoning or forced.status is RebalanceStatus.NOTHING_TO_DO
    # Forced again and again, the caps of the mandate hold.
    for _ in range(4):
        deployed.service.rebalance("otto", True, None)
        deployed.sign_all()
        deployed.go(hours=1)
    seen = {limit.rule: limit for limit in deployed.service.limits()}
    assert seen["volatile-cap"].observed <= seen["volatile-cap"].limit
    assert seen["position-cap"].observed <= seen["position-cap"].limit


@pytest.mark.req("GR-28", "GR-21")
def test_gr_force_never_replaces_a_signature(world: World) -> None:
    result = world.service.rebalance("otto", True, None)
    assert result.status is RebalanceStatus.APPROVAL_REQUIRED
    assert world.venue.balances(0).keys() == {("wallet", "USDC"), ("wallet", "ETH")}
    with pytest.raises(Refused):
        world.service.decide(str(result.decision_id), "otto", True, "", None)


@pytest.mark.req("GR-24")
def test_max_slippage_only_tightens(make: Build) -> None:
    def bounds(bps: int | None) -> list[int]:
        result = make().service.rebalance("otto", False, bps)
        assert result.plan is not None
        return [leg.slippage_bps_max for leg in result.plan.legs]

    usual = bounds(None)
    assert max(usual) == 100
    assert bounds(10_000) == usual, "asking for more gives no more"
    assert bounds(60) == [min(theirs, 60) for theirs in usual]
    strict = make().service.rebalance("otto", False, 1)
    assert strict.status is RebalanceStatus.NOTHING_TO_DO, "too strict to be filled: not planned"
    assert "required" in strict.message


# --- the switch -----------------------------------------------------------------------------------


@pytest.mark.req("DB-12", "GV-09")
def test_the_stop_is_at_once_with_reason_and_audit_row(deployed: World) -> None:
    seen = deployed.service.lower_switch("vera", SwitchState.HALTED, "prices look wrong")
    assert (seen.state, seen.actor, seen.reason) == (
        SwitchState.HALTED, "vera", "prices look wrong",
    )  # fmt: skip
    newest = deployed.service.audit(1)[0]
    assert (newest.kind, newest.actor) == ("switch", "vera")
    assert "prices look wrong" in newest.payload
    with pytest.raises(Conflict):
        deployed.service.lower_switch("vera", SwitchState.ACTIVE, "up again")
    assert deployed.switch.state() is SwitchState.HALTED


@pytest.mark.req("I-19", "C-22")
def test_halted_starts_nothing_and_carries_nothing_out(world: World, waiting: DecisionView) -> None:
    world.service.lower_switch("vera", SwitchState.HALTED, "drill")
    assert world.service.rebalance("olga", True, None).status is RebalanceStatus.CONFLICT
    world.service.decide(waiting.decision_id, "ada", True, "", None)
    world.service.decide(waiting.decision_id, "amin", True, "", None)
    assert world.store.reader().steps(plan_of(waiting).plan_id) == [] or all(
        row["state"] == "abandoned" for row in world.store.reader().steps(plan_of(waiting).plan_id)
    )
    assert world.venue.balances(0).keys() == {("wallet", "USDC"), ("wallet", "ETH")}
    world.check_books()


@pytest.mark.req("C-22", "GV-09")
def test_two_people_raise_from_halted(deployed: World) -> None:
    service = deployed.service
    service.lower_switch("vera", SwitchState.HALTED, "drill")
    asked = service.raise_switch("ann", SwitchState.ACTIVE, "drill is over")
    assert (asked.state, asked.raise_asked_by) == (SwitchState.HALTED, "ann")
    again = service.raise_switch(" Ann ", SwitchState.ACTIVE, "really")
    assert again.state is SwitchState.HALTED, "one person twice is one person"
    with pytest.raises(Refused):
        service.raise_switch("claude", SwitchState.ACTIVE, "looks fine")
    with pytest.raises(Refused):
        service.raise_switch("bob", SwitchState.ACTIVE, "  ")
    raised = service.raise_switch("bob", SwitchState.ACTIVE, "drill is over")
    assert (raised.state, raised.raise_asked_by) == (SwitchState.ACTIVE, None)
    assert {"Ann", "bob"} <= {name.strip() for name in raised.actor.split(",")}
    with pytest.raises(Conflict):
        service.raise_switch("bob", SwitchState.ACTIVE, "once more")
    assert kinds(deployed)[:3] == ["switch", "switch-asked", "switch-asked"]


@pytest.mark.req("C-22")
@pytest.mark.parametrize("what", ["another goal", "a day", "a stop", "a restart"])
def test_a_wish_to_raise_does_not_outlive_what_it_was_said_about(
    deployed: World, what: str
) -> None:
    service = deployed.service
    service.lower_switch("vera", SwitchState.HALTED, "drill")
    to = SwitchState.REDUCING if what == "another goal" else SwitchState.ACTIVE
    service.raise_switch("ann", to, "drill is over")
    if what == "a day":
        deployed.clock.move_to(deployed.clock.now_s() + DAY_S)
    elif what == "a stop":
        deployed.switch.lower(SwitchState.HALTED, "engine", "a broken invariant", 0)
    elif what == "a restart":
        deployed.restart()
    seen = deployed.service.raise_switch("bob", SwitchState.ACTIVE, "yes")
    assert (seen.state, seen.raise_asked_by) == (SwitchState.HALTED, "bob")


@pytest.mark.req("C-22")
def test_one_person_raises_from_reducing(deployed: World) -> None:
    deployed.service.lower_switch("vera", SwitchState.REDUCING, "wait and see")
    assert deployed.service.health().status == "degraded"
    raised = deployed.service.raise_switch("ann", SwitchState.ACTIVE, "seen enough")
    assert raised.state is SwitchState.ACTIVE


@pytest.mark.req("DB-12", "NF-01")
def test_the_stop_works_without_the_database(
    deployed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_batch: object) -> None:
        raise StoreUnavailable("the database cannot be used")

    monkeypatch.setattr(deployed.store, "commit", closed)
    seen = deployed.service.lower_switch("vera", SwitchState.HALTED, "no database")
    assert seen.state is SwitchState.HALTED


@pytest.mark.req("C-04")
def test_the_emergency_policy_needs_two_people_and_ends(deployed: World) -> None:
    engine, now_s = deployed.engine, deployed.clock.now_s()
    days = deployed.mandate.authority.policy_signature_days
    for people in ((), ("ann",), ("ann", "Ann "), ("ann", "claude")):
        with pytest.raises(Refused, match="two distinct people"):
            engine.renew_policy(now_s + DAY_S, people)
    with pytest.raises(Refused, match=f"{days} days"):
        engine.renew_policy(now_s + days * DAY_S + 1, ("ann", "bob"))
    engine.renew_policy(now_s + days * DAY_S, ("ann", "bob"))
    assert kinds(deployed)[0] == "policy-signed"


# --- keys, crashes --------------------------------------------------------------------------------


@pytest.mark.req("AP-14")
def test_a_key_is_claimed_once_and_remembers_its_answer(world: World) -> None:
    claim, route = world.service.claim, "POST /portfolio/rebalance"
    assert claim("k1", route, "otto", "digest") is None
    held = claim("k1", route, "otto", "digest")
    assert held is not None
    assert (held.status, held.body) == (0, "")
    world.service.remember("k1", route, "otto", 202, '{"status":"accepted"}')
    world.restart()
    known = world.service.claim("k1", route, "otto", "another digest")
    assert known is not None
    assert (known.request_digest, known.status, known.body) == (
        "digest", 202, '{"status":"accepted"}',
    )  # fmt: skip
    assert world.service.claim("k1", route, "olga", "digest") is None, "keys are each person's own"


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.req("RE-01", "LG-02")
def test_a_death_between_venue_and_books_while_paying_in_is_not_a_residue(world: World) -> None:
    """The next process finds other prices; it books what was really moved."""
    commit = world.store.commit

    def dies(_batch: object) -> None:
        raise Killed

    world.store.commit = dies  # type: ignore[method-assign, assignment]
    with pytest.raises(Killed):
        world.engine.cycle()
    world.store.commit = commit  # type: ignore[method-assign]
    world.go(days=1)
    world.restart()
    world.deploy()
    world.check_books()


@pytest.mark.req("I-19")
def test_a_broken_invariant_halts_even_where_the_switch_cannot_be_written(
    deployed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailable("switch: now HALTED, its file was removed")

    def lie(_memory: object) -> None:
        raise InvariantBroken("two and two are five")

    monkeypatch.setattr(deployed.switch, "lower", full)
    with pytest.raises(InvariantBroken, match="five"):
        deployed.engine.inspect(lie)


def test_notes_are_links_of_the_chain(deployed: World) -> None:
    deployed.service.note("vera", "sign-in-refused", "a wrong token")
    newest = deployed.service.audit(1)[0]
    assert (newest.kind, newest.actor) == ("sign-in-refused", "vera")
    assert "a wrong token" in newest.payload
    deployed.check_books()

"""Decide: one reason to act becomes one judged plan, or a stated reason not to.

    sizing says sell            MANDATORY      the mandate itself demands less risk
    a PT has matured            MAINTENANCE    redeem it
    the gas reserve is low      MAINTENANCE    fill it
    sizing says buy             DISCRETIONARY  in daily steps, after the 48 h watch over the base
    the base is off its weights DISCRETIONARY  weekly, on drift, or when new cash lies idle

Every proposal goes the same way: advisor, guardrails, plan, gas budgets. Nothing here sends.
"""

from dataclasses import dataclass, replace
from typing import Final

from dynamic.decision.advice import advise_applied
from dynamic.decision.allocate import Request, propose
from dynamic.decision.maintain import maintain
from dynamic.decision.sizing import Action, Exposure, Sizing, SizingMemory, size
from dynamic.errors import DataUnfit, Refused
from dynamic.ledger.canonical import canonical_json, text_digest
from dynamic.performance.decisions import DecisionClass
from dynamic.planning.costs import gas_cost_usd_micro
from dynamic.planning.gas_timing import percentile_wei
from dynamic.planning.plan import LegKind, Plan, PlanState
from dynamic.planning.planner import PlanContext, plan
from dynamic.policy.finding import Finding
from dynamic.policy.gas import gas_findings
from dynamic.policy.guardrails import Denial, Permit, judge
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Position, Proposal, Urgency
from dynamic.policy.situation import Situation
from dynamic.ports import Ports
from dynamic.protocols.pendle_v2 import first_maturity, symbol_of
from dynamic.records import DecisionOutcome, DecisionRecord, PlanRecord
from dynamic.signals.signal import AllocationSignal, Trigger
from dynamic.signals.triggers import Standing, should_rebalance
from dynamic.units import DAY_S, format_gwei
from dynamic.workflows.measure import Buckets, buckets, follow
from dynamic.workflows.memory import Memory
from dynamic.workflows.observe import View, assess
from dynamic.workflows.parameters import SWAP_VENUE, Parameters, plan_rules
from dynamic.workflows.payloads import finding, previewed, proposed, signalled

_SCALE_BPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Ask:
    """A person asks for a rebalance; `force` skips drift and time triggers, no limit (C-18)."""

    operator: str
    force: bool = False
    slippage_bps_max: int | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything one decision is made with; `ask` where a person asked for it."""

    view: View
    memory: Memory
    io: Ports
    mandate: Mandate
    parameters: Parameters
    signal: AllocationSignal
    residues: int
    ask: Ask | None = None

    @property
    def actor(self) -> str:
        """Who proposes: the rules, or the person who asked."""
        return "rules" if self.ask is None else f"operator:{self.ask.operator}"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How one pass ended: what was proposed, what became of it, and why."""

    outcome: DecisionOutcome
    trigger: str
    reasoning: str
    proposal: Proposal | None = None
    advice: dict[str, object] | None = None
    findings: tuple[Finding, ...] = ()
    plan: Plan | None = None
    moved_usd_micro: int | None = None  # what authority was asked for, rolling sums included


def decide(desk: Desk, number: int) -> DecisionRecord:
    """Make one decision, write it down with everything it was made of, and return it."""
    memory, io, now_s = desk.memory, desk.io, desk.view.snapshot.at_s
    decision_id = f"d{memory.diary.cycle_no}-{number}"
    situation = assess(
        desk.view, memory, desk.mandate, io.switch.state(), desk.signal.phase.value,
        desk.residues, now_s,
    )  # fmt: skip
    held = buckets(situation.values_usd_micro)
    found = _weigh(desk, situation, decision_id, held)
    payload = {
        "advice": found.advice,
        "allocation_bps": held.bps(),
        "findings": [finding(f) for f in found.findings],
        "moved_usd_micro": found.moved_usd_micro,
        "preview": None if found.plan is None else previewed(found.plan, situation, desk.view.fair),
        "proposal": None if found.proposal is None else proposed(found.proposal),
        "signal": signalled(desk.signal),
    }
    record = DecisionRecord(
        decision_id, now_s, desk.actor, found.trigger, desk.signal.phase.value,
        desk.signal.mode.value, found.outcome, desk.signal.confidence, found.reasoning,
        desk.view.snapshot.snapshot_id, desk.mandate.digest,
        None if found.plan is None else found.plan.plan_id, canonical_json(payload),
    )  # fmt: skip
    _write(desk, record, found, situation)
    return record


def _weigh(desk: Desk, situation: Situation, decision_id: str, held: Buckets) -> _Verdict:
    """Find the first reason to act, and lead it through every door."""
    unpriced = [str(p) for p in situation.units if p not in situation.values_usd_micro]
    if unpriced or not situation.units:
        what = f"no price for {', '.join(unpriced)}" if unpriced else "nothing is held yet"
        return _Verdict(DecisionOutcome.HELD, Trigger.NONE.value, f"{what}: nothing is decided")
    sized, after = _size(desk, situation, held)
    desk.memory.sizing = after
    situation = replace(
        situation,
        drawdown_paused=after.is_paused,
        tactical_target_usd_micro=sized.target_usd_micro,
    )
    proposal, trigger, why = _propose(desk, situation, sized, held)
    if proposal is None:
        return _Verdict(DecisionOutcome.HELD, trigger, f"{why}; {sized.reason}")
    return _judge(desk, situation, proposal, decision_id, sized)


def _size(desk: Desk, situation: Situation, held: Buckets) -> tuple[Sizing, SizingMemory]:
    """Ask the sizing; what it would remember is the caller's to keep."""
    return size(
        desk.signal.ladder_bps,
        desk.signal.allows_increase,
        Exposure(
            situation.nav_usd_micro,
            held.btc + held.eth,  # the gas reserve is not for sale
            situation.volatile_values_usd_micro,
            situation.now_s // DAY_S,
            _sale_gas_usd_micro(desk, situation),
        ),
        desk.memory.sizing,
        desk.mandate,
    )


def must_reduce(desk: Desk) -> bool:
    """Say whether the mandate demands a sale now, whatever else is in hand; remembers nothing."""
    situation = assess(
        desk.view, desk.memory, desk.mandate, desk.io.switch.state(), desk.signal.phase.value,
        desk.residues, desk.view.snapshot.at_s,
    )  # fmt: skip
    if any(place not in situation.values_usd_micro for place in situation.units):
        return False
    sized, _ = _size(desk, situation, buckets(situation.values_usd_micro))
    return sized.action is Action.SELL


def _sale_gas_usd_micro(desk: Desk, situation: Situation) -> int:
    """Return the gas of one sale; 0 where gas is not known, as nothing can be sent then anyway."""
    price, wei = situation.prices.get("ETH"), situation.gas_price_wei
    if price is None or wei is None:
        return 0
    units = desk.parameters.costs.gas_of(LegKind.SWAP.value, SWAP_VENUE)
    return gas_cost_usd_micro(units, wei, price.usd_micro)


def _propose(
    desk: Desk, situation: Situation, sized: Sizing, held: Buckets
) -> tuple[Proposal | None, str, str]:
    """Ask each reason in order; the first that proposes something wins."""
    signal, mandate = desk.signal, desk.mandate
    pt = symbol_of(first_maturity(situation.now_s))
    crossed = signal.trigger.value if signal.trigger is not Trigger.NONE else None
    if sized.action is Action.SELL:
        request = Request(
            crossed or sized.cause, Urgency.MANDATORY,
            trade_usd_micro=-sized.trade_usd_micro, rebalances_base=False, fixed_rate_asset=pt,
        )  # fmt: skip
        return _named(propose(signal, situation, mandate, request), request, sized.reason)
    gas = situation.gas_price_wei
    if gas is None or gas > mandate.gas.price_wei_max:
        cap = f"limit {format_gwei(mandate.gas.price_wei_max)}"
        shown = "unknown" if gas is None else f"{format_gwei(gas)}, {cap}"
        return None, Trigger.NONE.value, f"waits for cheaper gas: {shown}"
    upkeep = maintain(situation, mandate)
    if upkeep is not None:
        return upkeep, upkeep.trigger, upkeep.reasoning
    if sized.action is Action.BUY and situation.now_s >= desk.memory.diary.delayed_until_s:
        request = Request(
            crossed or Trigger.SIZING.value,
            trade_usd_micro=sized.trade_usd_micro, rebalances_base=False, fixed_rate_asset=pt,
        )  # fmt: skip
        proposal = propose(signal, situation, mandate, request)
        if proposal is not None:
            return proposal, request.trigger, sized.reason
    return _rebalance(desk, situation, pt, held)


def _rebalance(
    desk: Desk, situation: Situation, pt: str, held: Buckets
) -> tuple[Proposal | None, str, str]:
    """Bring the base to its weights when a trigger says so; the tactical side stays put."""
    shares = held.bps()
    spot = {"btc": shares["btc"], "eth": shares["eth"], "cash": 0}
    target = {**spot, "base_yield": _SCALE_BPS - sum(spot.values())}
    diary = desk.memory.diary
    quiet = desk.signal
    if quiet.trigger is not Trigger.NONE:
        quiet = replace(quiet, trigger=Trigger.NONE)
    prices_wei = [wei for _, wei in diary.gas_wei_by_day] if diary.waits_for_gas else []
    call = should_rebalance(
        quiet,
        Standing(
            situation.now_s, held.as_dict(), target, diary.last_rebalance_at_s,
            diary.last_review_at_s, situation.gas_price_wei,
            percentile_wei(prices_wei, desk.mandate.gas.low_percentile), diary.waits_for_gas,
        ),
        desk.parameters.rebalance,
    )  # fmt: skip
    first = diary.base_deployed_at_s is None
    ask = desk.ask
    forced = ask is not None and ask.force
    if not call.is_due and not first and not forced:
        return None, Trigger.NONE.value, call.reason
    diary.waits_for_gas = False  # it is tried now; where gas is still too dear it waits again
    if call.trigger is Trigger.WEEKLY_REVIEW:
        diary.last_review_at_s = situation.now_s
    trigger = Trigger.FIRST_RUN if first else Trigger.OPERATOR if forced else call.trigger
    request = Request(
        trigger.value,
        actor=desk.actor,
        trade_usd_micro=0,
        rebalances_base=True,
        fixed_rate_asset=pt,
    )
    return _named(propose(desk.signal, situation, desk.mandate, request), request, call.reason)


def _named(
    proposal: Proposal | None, request: Request, why: str
) -> tuple[Proposal | None, str, str]:
    return proposal, request.trigger, why


def _judge(
    desk: Desk, situation: Situation, proposal: Proposal, decision_id: str, sized: Sizing
) -> _Verdict:
    """Lead a proposal through advisor, guardrails, planner and gas budgets."""
    memory, mandate, now_s = desk.memory, desk.mandate, situation.now_s
    dossier = _dossier(desk, sized)
    advice = desk.io.advisor.advise(proposal, situation, dossier)
    said: dict[str, object] = {
        "verdict": advice.verdict.value, "scale_bps": advice.scale_bps,
        "delay_s": advice.delay_s, "reasoning": advice.reasoning, "advisor": advice.advisor,
        "cited": dict(advice.cited),
    }  # fmt: skip
    advised = advise_applied(proposal, advice, mandate.advisor.delay_s)
    if advised.proposal is None:
        if advised.delay_s:
            memory.diary.delayed_until_s = now_s + advised.delay_s
        if "gas_price_wei" in advice.cited:
            memory.diary.waits_for_gas = True
        return _Verdict(
            DecisionOutcome.HELD, proposal.trigger, f"advisor: {advice.reasoning}", proposal, said
        )
    verdict = judge(advised.proposal, situation, mandate, person_asked=advised.asks_person)
    if isinstance(verdict, Denial):
        return _Verdict(
            DecisionOutcome.DENIED, proposal.trigger, verdict.message, advised.proposal, said,
            verdict.findings,
        )  # fmt: skip
    return _plan(desk, situation, verdict, decision_id, sized, said)


def _dossier(desk: Desk, sized: Sizing) -> dict[str, str]:
    """Return the numbered facts an advisor may cite; what is missing is absent."""
    snapshot = desk.view.snapshot
    facts = {
        "confidence": repr(desk.signal.confidence),
        "signal": desk.signal.reasoning,
        "sizing": sized.reason,
    }
    for key in ("funding:BTC", "funding:ETH", "fear_greed", "mvrv_z:BTC"):
        found = snapshot.fresh(key)
        if found is not None:
            facts[key] = repr(found.value)
    prices = sorted(wei for _, wei in desk.memory.diary.gas_wei_by_day)
    if prices:
        facts["gas_median_30d_wei"] = str(prices[len(prices) // 2])
    return facts


def _plan(
    desk: Desk,
    situation: Situation,
    permit: Permit,
    decision_id: str,
    sized: Sizing,
    said: dict[str, object],
) -> _Verdict:
    proposal = permit.proposal
    rules = plan_rules(
        desk.mandate,
        desk.parameters.costs,
        situation.nav_usd_micro,
        None if desk.ask is None else desk.ask.slippage_bps_max,
    )
    current = buckets(situation.values_usd_micro).bps()
    context = PlanContext(
        f"p{decision_id[1:]}", decision_id, permit.signatures_required,
        desk.signal.risk_level.value, current, _target_bps(current, situation, permit),
    )  # fmt: skip
    try:
        made = plan(proposal, situation, desk.view.fair, rules, context)
    except (DataUnfit, Refused) as error:
        return _Verdict(DecisionOutcome.HELD, proposal.trigger, error.message, proposal, said)
    if made is None:
        why = "no leg is worth its gas"
        return _Verdict(DecisionOutcome.HELD, proposal.trigger, why, proposal, said)
    spent = desk.memory.diary.gas_usd_micro_in_month_of(situation.now_s)
    over = gas_findings(
        made.gas_cost_usd_micro, made.gross_usd_micro, spent,
        situation.nav_usd_micro, proposal.urgency, desk.mandate.gas,
        pays_emergency_price=(situation.gas_price_wei or 0) > desk.mandate.gas.price_wei_max,
    )  # fmt: skip
    if over:
        desk.memory.diary.waits_for_gas = True
        why = f"waits for cheaper gas: {'; '.join(f.message for f in over)}"
        return _Verdict(DecisionOutcome.HELD, proposal.trigger, why, proposal, said, over)
    outcome = (
        DecisionOutcome.PENDING_APPROVAL if made.requires_approval else DecisionOutcome.PLANNED
    )
    return _Verdict(
        outcome, proposal.trigger, f"{sized.reason}; {desk.signal.reasoning}", proposal, said,
        permit.notices, made, permit.notional_usd_micro,
    )  # fmt: skip


def _target_bps(current: dict[str, int], situation: Situation, permit: Permit) -> dict[str, int]:
    """Return where the buckets stand if every move arrives at the least it accepts."""
    values = dict(situation.values_usd_micro)
    for move in permit.proposal.moves:
        held = situation.units.get(move.spend, 0)
        worth = situation.values_usd_micro.get(move.spend, 0)
        moved = worth * move.spend_units // held if held else 0
        values[move.spend] = values.get(move.spend, 0) - moved
        values[move.receive] = values.get(move.receive, 0) + moved
    return buckets(values).bps() if values else current


def _write(desk: Desk, record: DecisionRecord, found: _Verdict, situation: Situation) -> None:
    """Make the decision durable, and its plan the plan in hand."""
    memory, now_s = desk.memory, record.at_s
    batch = memory.batch()
    batch.decisions.append(record)
    memory.note(
        batch, "decision", record.actor,
        {
            "decision": record.decision_id, "digest": text_digest(record.payload),
            "outcome": record.outcome.value, "plan": record.plan_id,
            "snapshot": record.snapshot_id, "trigger": record.trigger,
        },
        now_s,
    )  # fmt: skip
    if found.plan is not None:
        made = found.plan
        state = PlanState.PENDING_APPROVAL if made.requires_approval else PlanState.APPROVED
        memory.diary.proposer = record.actor
        memory.diary.planned_prices = dict(desk.view.prices)
        memory.plan = PlanRecord(made, state, now_s, made.valid_until_s)
        memory.approvals, memory.steps = [], {}
        batch.plans.append(memory.plan)
        if any(m.receive.asset in ("WBTC", "WETH") for m in found.proposal.moves):  # type: ignore[union-attr]
            memory.sizing = replace(memory.sizing, bought_day=now_s // DAY_S)
        follow(
            record.decision_id, _about(made), _after(made, situation), dict(situation.units),
            memory, batch, now_s,
        )  # fmt: skip
        if made.requires_approval:
            text = f"plan {made.plan_id} waits for {made.signatures_required} signatures"
            desk.io.notifier.alert("warning", "approval-needed", text, now_s)
    if record.outcome is DecisionOutcome.DENIED:
        desk.io.notifier.alert("warning", "denied", record.reasoning, now_s)
    memory.seal(batch)
    desk.io.store.commit(batch)


def _about(made: Plan) -> DecisionClass:
    volatile = any("WBTC" in (leg.spend.asset, leg.receive.asset) or "WETH" in (
        leg.spend.asset, leg.receive.asset) for leg in made.legs)  # fmt: skip
    return DecisionClass.TACTICAL if volatile else DecisionClass.YIELD


def _after(made: Plan, situation: Situation) -> dict[Position, int]:
    """Return the units the plan leads to, at the least each leg accepts."""
    units = dict(situation.units)
    for leg in made.legs:
        units[leg.spend] = units.get(leg.spend, 0) - leg.spend_units
        units[leg.receive] = units.get(leg.receive, 0) + leg.receive_units_min
    return units

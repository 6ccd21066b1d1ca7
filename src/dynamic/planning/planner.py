"""Planner: permitted moves become ordered, priced, bounded legs.

    plan : Proposal x Situation x FairValue x PlanRules  ->  Plan

    1. withdraw, redeem      cash is released first
    2. swaps that sell       then risk is sold
    3. swaps that buy        then bought, in clips
    4. deposits              and the rest is put to work

Funds are simulated leg by leg on the *least* each leg may bring, so no leg ever spends what
an earlier one only hoped for; `after` names the legs whose money it needs. A plan does at
most what was permitted: flows may be netted, shrunk or skipped, never enlarged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dynamic.errors import Refused
from dynamic.ledger.canonical import digest as canonical_digest
from dynamic.planning.costs import gas_cost_usd_micro
from dynamic.planning.fair_value import FairValue, min_out
from dynamic.planning.flows import Flow, fold, is_parked, slippage_bps
from dynamic.planning.plan import Leg, LegKind, Plan
from dynamic.planning.rules import PlanRules
from dynamic.policy.proposal import Position, Proposal, Urgency
from dynamic.policy.situation import Situation
from dynamic.protocols.pendle_v2 import PREFIX, maturity_of
from dynamic.units import BPS, WAD, Rounding

# Keeping the gas tank filled and redeeming what matured are worth doing below the minimum leg.
_ANY_SIZE: Final = (Urgency.MAINTENANCE, Urgency.EMERGENCY)


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What a plan records about its decision; the planner only copies it."""

    plan_id: str
    decision_id: str
    signatures_required: int
    risk_level: str
    current_bps: Mapping[str, int]
    target_bps: Mapping[str, int]


@dataclass(slots=True)
class _Draft:
    """A plan in the making: its legs, and the money they leave in the hub."""

    situation: Situation
    fair: FairValue
    rules: PlanRules
    plan_id: str
    any_size: bool
    funds: int
    legs: list[Leg] = field(default_factory=list)
    released: list[tuple[str, int]] = field(default_factory=list)  # (leg, funds after it)
    released_usd_micro: int = 0
    spent_usd_micro: int = 0
    slippage_usd_micro: int = 0
    gas_units: int = 0


def plan(
    proposal: Proposal,
    situation: Situation,
    fair: FairValue,
    rules: PlanRules,
    context: PlanContext,
) -> Plan | None:
    """Plan permitted moves; None where nothing is left that is worth a leg.

    Raises DataUnfit where a price or rate is missing, Refused where a move spends more than
    is held or insists on a price that the stated costs cannot meet.
    """
    _refuse_overspending(proposal, situation)
    out, into = fold(proposal.moves, fair, rules)
    draft = _Draft(
        situation, fair, rules, context.plan_id, proposal.urgency in _ANY_SIZE,
        situation.units.get(rules.hub, 0),
    )  # fmt: skip
    withdrawals = [f for p, f in out.items() if p.location != rules.hub.location]
    sells = [f for p, f in out.items() if p.location == rules.hub.location]
    buys = [f for p, f in into.items() if p.location == rules.hub.location]
    deposits = [f for p, f in into.items() if p.location != rules.hub.location]
    for flow in withdrawals + sells:
        _release(draft, flow)
    drawn = 0
    for flow in buys + deposits:
        drawn = _spend(draft, flow, drawn)
    return _sealed(draft, proposal, context) if draft.legs else None


def _refuse_overspending(proposal: Proposal, situation: Situation) -> None:
    spent: dict[Position, int] = {}
    for move in proposal.moves:
        spent[move.spend] = spent.get(move.spend, 0) + move.spend_units
    for position, units in spent.items():
        held = situation.units.get(position, 0)
        if units > held:
            raise Refused(f"expected to spend at most {held} of {position}, found {units}")


def _kind(position: Position, *, leaving: bool, draft: _Draft) -> LegKind:
    if position.location == draft.rules.hub.location:
        return LegKind.SWAP
    if not leaving:
        return LegKind.DEPOSIT
    matured = position.asset.startswith(PREFIX) and draft.situation.now_s >= maturity_of(
        position.asset
    )
    return LegKind.REDEEM if matured else LegKind.WITHDRAW


def _clips(units: int, notional: int, clip_max: int | None) -> list[int]:
    """Cut units into equal clips, each within the limit; they sum to the whole exactly."""
    count = 1 if clip_max is None else max(1, -(-notional // max(clip_max, 1)))
    each, rest = divmod(units, count)
    return [each + (1 if n < rest else 0) for n in range(count)]


def _clip_max(draft: _Draft, position: Position, venue: str) -> int | None:
    """Return the largest clip: by impact anywhere, by the tactical limit for volatile assets."""
    rules = draft.rules
    by_impact = rules.costs.venue(venue).size_usd_micro_max(rules.impact_bps_max)
    if draft.fair.assets[position.asset].kind != "volatile":
        return by_impact
    return min(rules.clip_usd_micro_max, by_impact or rules.clip_usd_micro_max)


def _worth_it(draft: _Draft, notional: int, gas_units: int) -> bool:
    """Return whether a leg is worth its gas (RB-14); without a gas price only its size counts."""
    if draft.any_size:
        return notional > 0
    rules, gas_price, eth = draft.rules, draft.situation.gas_price_wei, draft.fair.prices.get("ETH")
    least = rules.leg_usd_micro_min
    if gas_price is not None and eth is not None:
        gas = gas_cost_usd_micro(gas_units, gas_price, eth)
        least = max(least, gas * rules.leg_gas_multiple_min)
    return notional >= least


def _release(draft: _Draft, flow: Flow) -> None:
    """Add the legs that turn a position into hub units."""
    position, hub = flow.position, draft.rules.hub
    kind = _kind(position, leaving=True, draft=draft)
    venue = draft.rules.swap_venue if kind is LegKind.SWAP else position.location
    notional = draft.fair.usd_micro(position.asset, flow.spend_units, Rounding.UP)
    if not _worth_it(draft, notional, draft.rules.costs.gas_of(kind, venue)):
        return
    previous: tuple[str, ...] = ()
    limit = None if kind is LegKind.REDEEM else _clip_max(draft, position, venue)
    for units in _clips(flow.spend_units, notional, limit):
        leg = _leg(draft, kind, venue, (position, hub), units, flow, previous)
        draft.funds += leg.receive_units_min
        draft.released.append((leg.key, draft.funds))
        previous = (leg.key,)


def _spend(draft: _Draft, flow: Flow, drawn: int) -> int:
    """Add the legs that turn hub units into a position; return the hub units drawn so far."""
    position, hub = flow.position, draft.rules.hub
    kind = _kind(position, leaving=False, draft=draft)
    venue = draft.rules.swap_venue if kind is LegKind.SWAP else position.location
    total = min(flow.spend_units, draft.funds - drawn)
    notional = draft.fair.usd_micro(hub.asset, total, Rounding.UP) if total > 0 else 0
    if total <= 0 or not _worth_it(draft, notional, draft.rules.costs.gas_of(kind, venue)):
        return drawn
    previous: tuple[str, ...] = ()
    for units in _clips(total, notional, _clip_max(draft, position, venue)):
        after = _funded_by(draft, drawn, drawn + units) + previous
        leg = _leg(draft, kind, venue, (hub, position), units, flow, after)
        drawn += units
        previous = (leg.key,)
    return drawn


def _funded_by(draft: _Draft, start: int, end: int) -> tuple[str, ...]:
    """Name the releases whose money lies between two points of the funding line."""
    names: list[str] = []
    before = draft.situation.units.get(draft.rules.hub, 0)
    for key, upto in draft.released:
        if before < end and upto > start:
            names.append(key)
        before = upto
    return tuple(names)


def _leg(
    draft: _Draft,
    kind: LegKind,
    venue: str,
    route: tuple[Position, Position],
    units: int,
    flow: Flow,
    after: tuple[str, ...],
) -> Leg:
    """Price one leg: expected after costs, least from our fair value and the permit's price."""
    spend, receive = route
    fair, rules = draft.fair, draft.rules
    notional = fair.usd_micro(spend.asset, units, Rounding.UP)
    gas = rules.costs.gas_of(kind, venue)
    slippage = slippage_bps(flow.position, fair, rules)
    if is_parked(flow.position, rules) or kind is LegKind.REDEEM:
        expected, least, cost, slippage = units, units, 0, 0
        if kind is LegKind.REDEEM:
            expected = least = fair.exchanged(spend.asset, units, receive.asset, at_exit=True)
    else:
        costs = rules.costs.venue(venue)
        cost = costs.cost_usd_micro(notional)
        taken = costs.fee_bps * (WAD // BPS) + costs.loss_wad(notional)
        middle = fair.exchanged(spend.asset, units, receive.asset, at_exit=False)
        expected = middle * max(WAD - taken, 0) // WAD
        sound = fair.exchanged(spend.asset, units, receive.asset, at_exit=True)
        least = max(min_out(sound, slippage), flow.least(units))
    if expected < least:
        raise Refused(
            f"{kind} {spend} to {receive}: costs leave {expected} units, "
            f"at least {least} are required; nothing was planned"
        )
    leg = Leg(
        f"{draft.plan_id}:{len(draft.legs) + 1}", kind, venue, spend, units, receive,
        expected, least, notional, gas, slippage, after,
    )  # fmt: skip
    draft.legs.append(leg)
    if spend == rules.hub:
        draft.spent_usd_micro += notional
    else:
        draft.released_usd_micro += notional
    draft.slippage_usd_micro += cost
    draft.gas_units += gas
    return leg


def _sealed(draft: _Draft, proposal: Proposal, context: PlanContext) -> Plan:
    """Close the draft: costs, validity, and the digest that approvals bind to."""
    situation, rules = draft.situation, draft.rules
    gas_usd_micro = 0
    if situation.gas_price_wei is not None and "ETH" in draft.fair.prices:
        gas_usd_micro = gas_cost_usd_micro(
            draft.gas_units, situation.gas_price_wei, draft.fair.prices["ETH"]
        )
    ttl_s = rules.approval_ttl_s if context.signatures_required else rules.plan_ttl_s
    # A dollar that is released and spent again moved once.
    gross = max(draft.released_usd_micro, draft.spent_usd_micro)
    unsigned = Plan(
        context.plan_id, context.decision_id, proposal.trigger, proposal.urgency,
        tuple(draft.legs), situation.now_s, situation.now_s + ttl_s, _touched_prices(draft),
        dict(context.current_bps), dict(context.target_bps), gross,
        gas_usd_micro, draft.slippage_usd_micro, context.signatures_required,
        context.risk_level, rules.mandate_digest, "",
    )  # fmt: skip
    return _with_digest(unsigned)


def _touched_prices(draft: _Draft) -> dict[str, int]:
    """Return the prices this plan depends on; others may move without voiding it."""
    assets = draft.fair.assets
    symbols = {p.asset for leg in draft.legs for p in (leg.spend, leg.receive)}
    touched = {assets[symbol].underlying for symbol in symbols}
    return {symbol: usd for symbol, usd in draft.fair.prices.items() if symbol in touched}


def _with_digest(unsigned: Plan) -> Plan:
    content = plan_content(unsigned)
    fields = {name: getattr(unsigned, name) for name in Plan.__slots__ if name != "digest"}
    return Plan(**fields, digest=canonical_digest(content))


def estimate_gas_costs(plan: Plan, gas_price_wei: int, eth_price_usd_micro: int) -> int:
    """Return what the plan's gas costs in usd_micro at this gas and ETH price, rounded up."""
    return gas_cost_usd_micro(
        sum(leg.gas_units for leg in plan.legs), gas_price_wei, eth_price_usd_micro
    )


def plan_content(plan: Plan) -> dict[str, object]:
    """Return everything an approval binds to, in canonical JSON's own types."""
    content: dict[str, object] = {
        name: getattr(plan, name) for name in Plan.__slots__ if name not in {"digest", "legs"}
    }
    content["legs"] = [leg_content(leg) for leg in plan.legs]
    return content


def leg_content(leg: Leg) -> list[object]:
    """Return one leg as a list of JSON's own types, in the order of its fields."""
    return [
        leg.key,
        leg.kind.value,
        leg.venue,
        str(leg.spend),
        leg.spend_units,
        str(leg.receive),
        leg.receive_units_expected,
        leg.receive_units_min,
        leg.notional_usd_micro,
        leg.gas_units,
        leg.slippage_bps_max,
        list(leg.after),
    ]

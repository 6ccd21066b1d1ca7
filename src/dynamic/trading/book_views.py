"""Views of the books and the decisions: what is held, what was decided, what was booked.

rows of the store + the last mark  ->  views        money stays exact, nothing is invented
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from dynamic.adapters.storage.reader import ReadStore
from dynamic.market.observation import Provenance
from dynamic.performance.metrics import NavPoint, windows
from dynamic.planning.plan import Leg
from dynamic.policy.authority import signatures_needed
from dynamic.policy.mandate import Mandate
from dynamic.records import PlanRecord, StepState
from dynamic.trading.views import (
    BucketView,
    DecisionView,
    EntryView,
    FindingView,
    LegView,
    LimitState,
    LimitView,
    OutcomeView,
    PlanView,
    PostingView,
    SignatureView,
)
from dynamic.units import BPS
from dynamic.workflows.instruments import asset
from dynamic.workflows.measure import Buckets

BUCKETS: Final = ("base_yield", "btc", "eth", "cash")
NOT_OBSERVED: Final = {
    Provenance.FALLBACK: "Stand-ins a person chose beforehand",
    Provenance.STALE: "Too old to trade on",
    Provenance.SYNTHETIC: "From a generator, not from a market",
}


def whole(base_units: int, symbol: str) -> str:
    """Write base units as an exact decimal of whole tokens."""
    decimals = 6 if symbol == "USD" else asset(symbol).decimals
    text = f"{Decimal(base_units).scaleb(-decimals):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def bucket_views(
    values: Mapping[str, int], target_bps: Mapping[str, int]
) -> tuple[BucketView, ...]:
    """Return each bucket against its target; shares are floored and their rest goes to cash."""
    total = sum(values.values())
    held = Buckets(**{name: values.get(name, 0) for name in BUCKETS})
    shares = held.bps() if total > 0 else dict.fromkeys(BUCKETS, 0)
    return tuple(
        BucketView(name, values.get(name, 0), shares[name], target_bps.get(name))
        for name in BUCKETS
    )


def returns(points: list[NavPoint]) -> dict[str, float | None]:
    """Return the time-weighted returns over 24h, 7d, 30d and all."""
    return windows(points, points[-1].at_s) if points else {}


def entry_view(row: Mapping[str, Any]) -> EntryView:
    """Return one entry with its postings."""
    return EntryView(
        row["entry_id"], row["at_s"], row["kind"], row["narration"], row["ref"],
        tuple(posting_view(p["account"], p["asset"], p["base_units"]) for p in row["postings"]),
    )  # fmt: skip


def posting_view(account: str, symbol: str, base_units: int) -> PostingView:
    """Return one line of an entry or one balance."""
    return PostingView(account, symbol, whole(base_units, symbol), base_units)


def decision_view(row: Mapping[str, Any], reader: ReadStore, mandate: Mandate) -> DecisionView:
    """Return one decision with everything that followed from it."""
    payload = _parsed(row["payload"])
    signal, advice = payload["signal"], payload["advice"]
    plan = None
    if row["plan_id"] is not None:
        record = reader.plan_record(row["plan_id"])
        origin = Origin(
            row["actor"],
            binding_limits(payload, record.plan.signatures_required, mandate),
            unknowns(reader.snapshot(row["snapshot_id"])),
            {leg["key"]: leg for leg in payload["preview"]},
        )
        plan = plan_view(record, origin, reader)
    return DecisionView(
        decision_id=row["decision_id"],
        at_s=row["at_s"],
        actor=row["actor"],
        trigger=row["trigger"],
        phase=row["phase"],
        mode=row["mode"],
        outcome=row["outcome"],
        confidence=row["confidence"],
        reasoning=row["reasoning"],
        snapshot_id=row["snapshot_id"],
        mandate_digest=row["mandate_digest"],
        target_bps=signal["target_bps"],
        facts=_facts(signal, payload["allocation_bps"]),
        advice="" if advice is None else f"{advice['verdict']}: {advice['reasoning']}",
        findings=tuple(finding_view(f) for f in payload["findings"]),
        plan=plan,
        outcomes=tuple(
            OutcomeView(o["horizon_d"], o["due_at_s"], o["value_added_usd_micro"])
            for o in reader.outcomes(row["decision_id"])
        ),
    )


def _facts(signal: Mapping[str, Any], allocation: Mapping[str, int]) -> dict[str, str]:
    held = ", ".join(f"{name} {share / 100:.2f} %" for name, share in allocation.items())
    return {
        "signal": signal["reasoning"],
        "ladder share of the tactical layer": f"{signal['ladder_bps'] / 100:.2f} %",
        "buying allowed by the ladder": "yes" if signal["allows_increase"] else "no",
        "risk level": signal["risk_level"],
        "held before": held,
    }


def finding_view(found: Mapping[str, Any]) -> FindingView:
    """Return one objection; what is not a number stands in its message."""
    return FindingView(
        found["rule"], _number(found["observed"]), _number(found["limit"]), found["unit"],
        found["message"],
    )  # fmt: skip


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


@dataclass(frozen=True, slots=True)
class Origin:
    """What a plan's decision says of it: who proposed it, what binds, what nobody has observed.

    `previews` holds each leg's sentence and balances, by its key.
    """

    proposer: str
    binding_limits: tuple[LimitView, ...]
    unknowns: tuple[str, ...]
    previews: Mapping[str, Mapping[str, Any]]


def plan_view(record: PlanRecord, origin: Origin, reader: ReadStore) -> PlanView:
    """Return a plan as its approver must see it."""
    plan = record.plan
    journal: dict[str, Mapping[str, Any]] = {}
    for step in reader.steps(plan.plan_id):
        journal[step["step_key"]] = step
    legs = tuple(
        _leg_view(leg, journal.get(leg.key), origin.previews[leg.key]) for leg in plan.legs
    )
    return PlanView(
        plan_id=plan.plan_id,
        digest=plan.digest,
        state=record.state.value,
        proposer=origin.proposer,
        created_at_s=plan.created_at_s,
        expires_at_s=record.expires_at_s,
        legs=legs,
        gross_usd_micro=plan.gross_usd_micro,
        gas_cost_usd_micro=plan.gas_cost_usd_micro,
        slippage_cost_usd_micro=plan.slippage_cost_usd_micro,
        worst_case_usd_micro=_worst_case(record),
        signatures_required=plan.signatures_required,
        signatures=tuple(
            SignatureView(a["operator"], bool(a["approved"]), a["notes"], a["at_s"])
            for a in reader.approvals(plan.plan_id)
        ),
        risk_level=plan.risk_level,
        current_bps=plan.current_bps,
        target_bps=plan.target_bps,
        binding_limits=origin.binding_limits,
        unknowns=origin.unknowns,
        reason=record.reason,
    )


def _leg_view(leg: Leg, step: Mapping[str, Any] | None, seen: Mapping[str, Any]) -> LegView:
    state, receipt = "waiting", {}
    if step is not None:
        state = step["state"]
        if state != StepState.INTENDED.value:
            receipt = _parsed(step["payload"])
    received = None
    for location, symbol, units in receipt.get("movements", ()):
        if (location, symbol) == tuple(leg.receive):
            received = whole(int(units), symbol)
    return LegView(
        key=leg.key,
        kind=leg.kind.value,
        venue=leg.venue,
        spend_asset=leg.spend.asset,
        spend_amount=whole(leg.spend_units, leg.spend.asset),
        receive_asset=leg.receive.asset,
        receive_amount_min=whole(leg.receive_units_min, leg.receive.asset),
        notional_usd_micro=leg.notional_usd_micro,
        gas_units=leg.gas_units,
        slippage_bps_max=leg.slippage_bps_max,
        state=state,
        tx_id=receipt.get("tx_id"),
        settled_at_s=receipt.get("settled_at_s"),
        received_amount=received,
        reason=receipt.get("reason", ""),
        sentence=seen["sentence"],
        before=_balances(leg, seen, 0),
        after=_balances(leg, seen, 1),
    )


def _balances(leg: Leg, seen: Mapping[str, Any], when: int) -> str:
    """Write both balances of a leg's preview, before it (0) or after it (1)."""
    return ", ".join(
        f"{whole(int(seen[side][when]), place.asset)} {place.asset} in {place.location}"
        for side, place in (("spend", leg.spend), ("receive", leg.receive))
    )


def _worst_case(record: PlanRecord) -> int:
    """Return what every leg at its least, and all the gas, would cost, rounded up."""
    lost = sum(-(-leg.notional_usd_micro * leg.slippage_bps_max // BPS) for leg in record.plan.legs)
    return lost + record.plan.gas_cost_usd_micro


def binding_limits(
    payload: Mapping[str, Any], signatures_required: int, mandate: Mandate
) -> tuple[LimitView, ...]:
    """Return the limits that made people necessary: authority's, and what asked for a look.

    Where only the advisor asked, none: its words stand in the decision's advice.
    """
    authority, moved = mandate.authority, payload.get("moved_usd_micro")
    found: list[LimitView] = []
    if signatures_required and (moved is None or signatures_needed(moved, authority)):
        alone = moved is None or moved <= authority.one_person_usd_micro_max
        label, limit = (
            ("Moved without a signature, 24 h included", authority.unattended_usd_micro_max)
            if alone
            else ("Moved on one signature, 24 h included", authority.one_person_usd_micro_max)
        )
        state = LimitState.UNKNOWN if moved is None else LimitState.WARN
        found.append(LimitView("authority", label, "authority", moved, limit, "usd_micro", state))
    for notice in payload["findings"]:
        observed, asks_at = _number(notice["observed"]), _number(notice["limit"])
        if asks_at is None:  # a limit in words stands among the decision's findings
            continue
        found.append(
            LimitView(
                notice["rule"], notice["message"], "authority", observed, asks_at, notice["unit"],
                LimitState.UNKNOWN if observed is None else LimitState.WARN,
            )
        )  # fmt: skip
    return tuple(found)


def unknowns(snapshot: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Say in plain words what the plan stands on that nobody has observed."""
    said = ["What the venue will really fill: its costs are assumptions of the mandate."]
    if snapshot is None:
        return (*said, "The market it was decided on: its snapshot is not stored.")
    payload = _parsed(snapshot["payload"])
    kinds: dict[str, list[str]] = {}
    for key, reading in sorted(payload["readings"].items()):
        kinds.setdefault(reading[5], []).append(key)
    for provenance, words in NOT_OBSERVED.items():
        if provenance.value in kinds:
            said.append(f"{words}: {', '.join(kinds[provenance.value])}.")
    if payload["missing"]:
        said.append(f"Missing altogether: {', '.join(payload['missing'])}.")
    return tuple(said)


def _parsed(payload: object) -> dict[str, Any]:
    found = json.loads(payload) if isinstance(payload, str) else payload
    assert isinstance(found, dict)
    return found

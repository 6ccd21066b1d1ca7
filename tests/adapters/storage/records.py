"""Small whole records, and a batch with one of everything."""

from __future__ import annotations

from dynamic.ledger.audit import AuditChain
from dynamic.ledger.posting import capital_entry
from dynamic.planning.plan import Leg, LegKind, Plan, PlanState
from dynamic.policy.proposal import Position, Urgency
from dynamic.records import (
    ApprovalRecord,
    Batch,
    DecisionOutcome,
    DecisionRecord,
    NavRecord,
    OutcomeRecord,
    PlanRecord,
    SnapshotRecord,
    StepRecord,
    StepState,
    TxLogRecord,
)
from tests.ledger.ways import swap

AT_S = 1_700_000_000


def plan(name: str = "p1", decision: str = "d1", digest: str = "ab" * 32) -> Plan:
    leg = Leg(
        f"{name}:1", LegKind.SWAP, "oneinch", Position("wallet", "USDC"), 10**9,
        Position("wallet", "WETH"), 5 * 10**17, 49 * 10**16, 1_000_000_000, 180_000, 50, ("x",),
    )  # fmt: skip
    return Plan(
        name, decision, "hourly", Urgency.DISCRETIONARY, (leg,), AT_S, AT_S + 1_800,
        {"ETH": 2_000_000_000}, {"wallet:USDC": 10_000}, {"wallet:USDC": 9_900}, 1_000_000_000,
        5_000_000, 1_000_000, 1, "low", "cd" * 32, digest,
    )  # fmt: skip


def plan_record(
    state: PlanState = PlanState.PENDING_APPROVAL, name: str = "p1", decision: str = "d1"
) -> PlanRecord:
    return PlanRecord(plan(name, decision), state, AT_S, AT_S + 1_800, "")


def decision(name: str = "d1", plan_id: str | None = "p1", snapshot: str = "s1") -> DecisionRecord:
    return DecisionRecord(
        name, AT_S, "rules", "hourly", "accumulation", "normal", DecisionOutcome.PLANNED, 0.75,
        "MVRV Z 1.2", snapshot, "cd" * 32, plan_id, '{"x":1}',
    )  # fmt: skip


def snapshot(name: str = "s1", payload: str = '{"BTC":42}') -> SnapshotRecord:
    return SnapshotRecord(name, AT_S, payload, False)


def tx_log(key: str = "k1", status: str = "proposed", amount: int = 10**9) -> TxLogRecord:
    return TxLogRecord(
        f"log-{key}", "swap", "p1:1", amount, "USDC", status, "engine", '{"leg":1}', AT_S, key
    )


def step(state: StepState, key: str = "p1:1", plan_id: str = "p1") -> StepRecord:
    return StepRecord(key, plan_id, 1, state, AT_S, "{}")


def whole_batch(chain: AuditChain | None = None) -> Batch:
    """One of everything, as one cycle would write it."""
    chain = chain or AuditChain()
    return Batch(
        audit=[chain.append(AT_S, "cycle", "engine", {"n": n, "ä": "é\n"}) for n in range(3)],
        snapshots=[snapshot()],
        decisions=[decision()],
        plans=[plan_record()],
        approvals=[ApprovalRecord("p1", "ab" * 32, "alice", True, "fine", AT_S)],
        steps=[step(StepState.INTENDED)],
        entries=[
            capital_entry(AT_S, "fund", "wallet", "USDC", 4 * 10**11),
            swap(
                AT_S, "p1:1", "oneinch", ("wallet", "USDC", 10**9), ("wallet", "WETH", 5 * 10**17)
            ),
        ],
        tx_logs=[tx_log()],
        navs=[NavRecord(AT_S, 4 * 10**11, 10**9, 4 * 10**11, 0, '{"by":{}}')],
        outcomes=[OutcomeRecord("d1", 30, AT_S + 30 * 86_400, None, None)],
        states={"signal": '{"phase":"accumulation"}', "lots": lambda: "{}"},
    )

"""Records: what a workflow writes down, exactly once, before or after it acts.

Everything in one `Batch` becomes durable together or not at all. Payloads are canonical
JSON (sorted keys, no spaces, no floats for money), so a digest means the same everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from dynamic.ledger.audit import AuditEvent
from dynamic.ledger.entry import Entry
from dynamic.planning.plan import Plan, PlanState

__all__ = [
    "ApprovalRecord", "AuditEvent", "Batch", "DecisionOutcome", "DecisionRecord", "NavRecord",
    "OutcomeRecord", "PlanRecord", "Recovered", "SnapshotRecord", "StepRecord", "StepState",
    "TxLogRecord",
]  # fmt: skip


class DecisionOutcome(StrEnum):
    """How a decision cycle ended."""

    HELD = "held"
    DENIED = "denied"
    PLANNED = "planned"
    PENDING_APPROVAL = "pending_approval"
    HALTED = "halted"


class StepState(StrEnum):
    """A step's journal. `INTENDED` is written before anything is sent."""

    INTENDED = "intended"
    SETTLED = "settled"  # and booked, in the same batch
    REVERTED = "reverted"  # final, without effect but gas
    ABANDONED = "abandoned"  # nothing was ever sent


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """A market snapshot that a decision was made on."""

    snapshot_id: str
    at_s: int
    payload: str
    is_synthetic: bool


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision, its reasons and everything needed to recompute it."""

    decision_id: str
    at_s: int
    actor: str
    trigger: str
    phase: str
    mode: str
    outcome: DecisionOutcome
    confidence: float
    reasoning: str
    snapshot_id: str
    mandate_digest: str
    plan_id: str | None
    payload: str  # signal, proposal, advice, findings, allocation before


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A plan and where it stands; upserted by plan_id."""

    plan: Plan
    state: PlanState
    updated_at_s: int
    expires_at_s: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """One person's yes or no over one digest."""

    plan_id: str
    digest: str
    operator: str
    approved: bool
    notes: str
    at_s: int


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One line of a step's journal; (step_key, state) is unique."""

    step_key: str
    plan_id: str
    leg_no: int
    state: StepState
    at_s: int
    payload: str


@dataclass(frozen=True, slots=True)
class TxLogRecord:
    """A row of tx_logs; `idempotency_key` is unique in the database."""

    log_id: str
    kind: str
    ref_id: str
    amount: int
    asset: str
    status: str
    actor: str
    meta: str
    created_at_s: int
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class NavRecord:
    """One mark of the treasury: value, where it sits, why it changed, and the benchmarks."""

    at_s: int
    nav_usd_micro: int
    volatile_usd_micro: int
    high_water_usd_micro: int
    drawdown_bps: int
    payload: str  # values by position and bucket, attribution since the last mark, benchmarks


@dataclass(frozen=True, slots=True)
class OutcomeRecord:
    """What became of a decision after `horizon_d` days, against doing nothing."""

    decision_id: str
    horizon_d: int
    due_at_s: int
    measured_at_s: int | None
    value_added_usd_micro: int | None


@dataclass(slots=True)
class Batch:
    """What one workflow step wants to be durable, together."""

    audit: list[AuditEvent] = field(default_factory=list)
    snapshots: list[SnapshotRecord] = field(default_factory=list)
    decisions: list[DecisionRecord] = field(default_factory=list)
    plans: list[PlanRecord] = field(default_factory=list)
    approvals: list[ApprovalRecord] = field(default_factory=list)
    steps: list[StepRecord] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    tx_logs: list[TxLogRecord] = field(default_factory=list)
    navs: list[NavRecord] = field(default_factory=list)
    outcomes: list[OutcomeRecord] = field(default_factory=list)
    # Engine memory by name, upserted. A callable is asked when the batch is written, so that a
    # group commit writes out only the last of many.
    states: dict[str, str | Callable[[], str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a process finds when it starts; recovery is reading this and going on."""

    audit_seq: int
    audit_hash: str
    states: dict[str, str]
    balances: dict[tuple[str, str], int]  # (account, asset) -> base units
    open_plans: tuple[PlanRecord, ...]
    plan_steps: tuple[StepRecord, ...]  # the last journal line of each step of the open plans
    approvals: tuple[ApprovalRecord, ...]  # of the open plans

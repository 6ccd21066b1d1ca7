"""Views: the answers a treasury gives to whoever asks, exact and without a clock of their own.

    store + engine  --trading.service-->  views  -->  API (JSON), dashboard (HTML), CLI

Money is an int of usd_micro, amounts are exact decimal strings beside their base units,
instants are seconds UTC. `None` always means "not known"; zero is a value. Fractions
(returns, weights in series) are estimates and therefore floats. Screens round; views don't.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from dynamic.market.observation import Provenance
from dynamic.policy.situation import SwitchState


class Point(NamedTuple):
    """One point of a line: instant and value."""

    at_s: int
    value: float


@dataclass(frozen=True, slots=True)
class ReadingView:
    """One market value with where it came from (MI-19)."""

    key: str
    value: float
    unit: str
    source: str
    as_of_s: int
    fetched_at_s: int
    provenance: Provenance
    age_s: int


@dataclass(frozen=True, slots=True)
class MarketView:
    """The market as the last decision saw it; `None` is missing, and named in `missing`."""

    snapshot_id: str
    at_s: int
    btc_price_usd_micro: int | None
    eth_price_usd_micro: int | None
    mvrv_z: float | None
    funding_rates_8h: Mapping[str, float]
    fear_greed: int | None
    phase: str
    readings: tuple[ReadingView, ...]
    missing: tuple[str, ...]
    is_synthetic: bool


@dataclass(frozen=True, slots=True)
class MarketHistory:
    """The lines behind the four market charts, oldest first; thresholds come from the mandate."""

    prices: Mapping[str, tuple[Point, ...]]  # USD by symbol
    mvrv: tuple[Point, ...]
    funding: Mapping[str, tuple[Point, ...]]  # per 8 h, by symbol
    fear_greed: tuple[Point, ...]
    mvrv_thresholds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class BucketView:
    """One bucket (base_yield, btc, eth, cash) against its target."""

    bucket: str
    value_usd_micro: int
    weight_bps: int
    target_bps: int | None

    @property
    def drift_bps(self) -> int | None:
        """Weight minus target."""
        return None if self.target_bps is None else self.weight_bps - self.target_bps


@dataclass(frozen=True, slots=True)
class PositionView:
    """One holding (PM-05)."""

    protocol: str
    asset: str
    amount: str  # exact decimal of whole tokens
    base_units: int
    value_usd_micro: int
    apy: float | None
    entered_at_s: int | None
    current_return: float | None


@dataclass(frozen=True, slots=True)
class PortfolioView:
    """What the treasury holds now, from the ledger at the last prices."""

    at_s: int
    total_usd_micro: int
    cash_usd_micro: int
    volatile_usd_micro: int
    buckets: tuple[BucketView, ...]
    positions: tuple[PositionView, ...]
    return_24h: float | None
    return_7d: float | None
    return_30d: float | None
    last_rebalance_at_s: int | None
    phase: str
    drawdown_bps: int
    high_water_usd_micro: int
    var_95_1d_usd_micro: int | None
    gas_24h_usd_micro: int
    gas_30d_usd_micro: int
    base_apy: float | None = None  # of the base layer as it stands, blended by value


class LimitState(StrEnum):
    """Where an observation stands against its limit."""

    OK = "ok"
    WARN = "warn"
    BREACH = "breach"
    UNKNOWN = "unknown"  # not observed, therefore not permitted


@dataclass(frozen=True, slots=True)
class LimitView:
    """One guardrail: observed and limit share `unit` (bps, usd_micro, s, wei, count, score).

    `is_floor` is true where the limit is the least allowed (a TVL floor), false for a cap.
    The overview's figures look for the last stage of the group `drawdown` and for the rules
    `var-95-1d` and `month-gas`; its short list for the groups `budgets` and `exposure`.
    """

    rule: str
    label: str
    group: str  # exposure, drawdown, budgets, authority, costs, data, protocols, exits
    observed: int | None
    limit: int
    unit: str
    state: LimitState
    is_floor: bool = False


@dataclass(frozen=True, slots=True)
class FindingView:
    """A guardrail's objection (GR-27); what is no number stands in `message` alone."""

    rule: str
    observed: int | None
    limit: int | None
    unit: str
    message: str


@dataclass(frozen=True, slots=True)
class LegView:
    """One leg of a plan and what became of it."""

    key: str
    kind: str
    venue: str
    spend_asset: str
    spend_amount: str
    receive_asset: str
    receive_amount_min: str
    notional_usd_micro: int
    gas_units: int
    slippage_bps_max: int
    state: str  # waiting, intended, settled, reverted, abandoned
    tx_id: str | None = None
    settled_at_s: int | None = None
    received_amount: str | None = None
    reason: str = ""
    sentence: str = ""  # what its signer reads
    before: str = ""  # both balances when it was planned
    after: str = ""  # and after it, at the least it may bring


@dataclass(frozen=True, slots=True)
class SignatureView:
    """One person's yes or no."""

    operator: str
    approved: bool
    notes: str
    at_s: int


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan as its approver must see it: what leaves, the worst case, what binds."""

    plan_id: str
    digest: str
    state: str
    proposer: str
    created_at_s: int
    expires_at_s: int
    legs: tuple[LegView, ...]
    gross_usd_micro: int
    gas_cost_usd_micro: int
    slippage_cost_usd_micro: int
    worst_case_usd_micro: int  # most that executing it may cost, every leg at its minimum
    signatures_required: int
    signatures: tuple[SignatureView, ...]
    risk_level: str
    current_bps: Mapping[str, int]
    target_bps: Mapping[str, int]
    binding_limits: tuple[LimitView, ...] = ()
    unknowns: tuple[str, ...] = ()  # what nobody has observed, in plain words
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """What a decision was worth after some days, against doing nothing."""

    horizon_d: int
    due_at_s: int
    value_added_usd_micro: int | None


@dataclass(frozen=True, slots=True)
class DecisionView:
    """One decision with its reasons."""

    decision_id: str
    at_s: int
    actor: str
    trigger: str
    phase: str
    mode: str
    outcome: str
    confidence: float
    reasoning: str
    snapshot_id: str
    mandate_digest: str
    target_bps: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)  # the signal's inputs, as it saw them
    advice: str = ""
    findings: tuple[FindingView, ...] = ()
    plan: PlanView | None = None
    outcomes: tuple[OutcomeView, ...] = ()


class RebalanceStatus(StrEnum):
    """How a request to rebalance ended."""

    ACCEPTED = "accepted"
    APPROVAL_REQUIRED = "approval_required"
    DENIED = "denied"
    NOTHING_TO_DO = "nothing_to_do"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class RebalanceResult:
    """The answer to a request to rebalance."""

    status: RebalanceStatus
    message: str
    decision_id: str | None = None
    plan: PlanView | None = None
    findings: tuple[FindingView, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """The answer to an approval or a rejection."""

    decision_id: str
    plan_id: str
    state: str
    approved: bool
    signatures_given: int
    signatures_required: int
    message: str


@dataclass(frozen=True, slots=True)
class BenchmarkView:
    """One benchmark on the same capital and days, as a line of USD."""

    name: str  # static_yield, btc_hold, static_60_40
    label: str
    total_return: float | None
    max_drawdown: float | None
    sharpe: float | None
    series: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class TradeView:
    """One executed leg."""

    at_s: int
    kind: str
    venue: str
    spent: str
    received: str
    notional_usd_micro: int
    gas_usd_micro: int
    decision_id: str


@dataclass(frozen=True, slots=True)
class TargetView:
    """A published target beside its corrected arithmetic (PF-19)."""

    name: str
    months: int
    claimed_usd: int
    corrected_usd: int
    note: str


@dataclass(frozen=True, slots=True)
class PerformanceView:
    """What the treasury earned over one range; estimates are None where the range is too short."""

    time_range: str
    since_s: int
    until_s: int
    total_return: float | None
    gain_usd_micro: int
    apy: float | None
    is_apy_annualised_short: bool
    sharpe: float | None
    max_drawdown: float | None
    win_rate: float | None
    turnover_usd_micro: int
    gas_usd_micro: int
    equity: tuple[Point, ...]  # USD
    drawdown: tuple[Point, ...]  # fraction, never above zero
    benchmarks: tuple[BenchmarkView, ...]
    trades: tuple[TradeView, ...]
    attribution_usd_micro: Mapping[str, int]
    targets: tuple[TargetView, ...] = ()
    money_weighted: float | None = None  # a year, from 30 days on; feels when money came
    target_verdict: str = "unknown"  # the APY's: too_early, below, within or above
    gas_share_of_gain: float | None = None  # None where nothing was gained before gas


@dataclass(frozen=True, slots=True)
class PostingView:
    """One line of an entry."""

    account: str
    asset: str
    amount: str
    base_units: int


@dataclass(frozen=True, slots=True)
class EntryView:
    """One balanced entry of the ledger."""

    entry_id: str
    at_s: int
    kind: str
    narration: str
    ref: str
    postings: tuple[PostingView, ...]


@dataclass(frozen=True, slots=True)
class ResidueView:
    """A difference between the books and the venue, to the base unit."""

    location: str
    asset: str
    ledger_units: int
    observed_units: int
    named_units: int
    residue_units: int


@dataclass(frozen=True, slots=True)
class ReconciliationView:
    """Books against venues; one unnamed base unit blocks new risk."""

    at_s: int
    positions_checked: int
    residues: tuple[ResidueView, ...]


@dataclass(frozen=True, slots=True)
class AuditView:
    """One link of the audit chain."""

    seq: int
    at_s: int
    kind: str
    actor: str
    payload: str
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class SwitchView:
    """The switch, who set it and why; `raise_asked_by` waits for a second person."""

    state: SwitchState
    since_s: int | None
    actor: str
    reason: str
    raise_asked_by: str | None = None


@dataclass(frozen=True, slots=True)
class SourceView:
    """One source of market data."""

    name: str
    ok: bool
    last_ok_at_s: int | None
    latency_ms: int | None
    age_s: int | None


@dataclass(frozen=True, slots=True)
class HealthView:
    """Whether the service can do its work; `mode_label` says which clock it lives on."""

    status: str  # healthy, degraded, unhealthy
    ai_status: str
    protocols_status: str
    store: str
    switch: SwitchState
    sources: tuple[SourceView, ...]
    at_s: int
    mode_label: str  # "paper", "paper · replay 2021-03-04"
    is_synthetic: bool
    mandate_digest: str
    version: str


@dataclass(frozen=True, slots=True)
class StoredReply:
    """What was answered under an idempotency key; status 0 means the first call has not ended."""

    request_digest: str
    status: int
    body: str

"""The shapes the product promised: market data, signal, portfolio, plan, performance.

Numbers are JSON numbers; where one is money its exact decimal stands beside it in
`*_exact`. What is not known is null and named in `missing`; it is never zero.
"""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from dynamic.app.api.wire import exact, money, schema, wire
from dynamic.market.observation import Provenance
from dynamic.signals.modes import external_risk
from dynamic.signals.signal import AllocationSignal, RiskLevel
from dynamic.trading.views import (
    BucketView,
    LimitView,
    MarketView,
    PlanView,
    PortfolioView,
    PositionView,
)
from dynamic.units import BPS, iso

if TYPE_CHECKING:  # made at run time, from the views

    class PositionViewModel(BaseModel): ...

    class BucketViewModel(BaseModel): ...

    class LimitViewModel(BaseModel): ...

else:
    PositionViewModel = schema(PositionView)
    BucketViewModel = schema(BucketView)
    LimitViewModel = schema(LimitView)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Provenanced(_Model):
    """Where one value came from."""

    source: str
    as_of: str
    fetched_at: str
    stale: bool
    provenance: str
    unit: str
    age_s: int


class MarketData(_Model):
    """The market as the last decision saw it."""

    btc_price: float | None
    eth_price: float | None
    mvrv_z_score: float | None
    funding_rate: float | None = Field(description="BTC, fraction per 8 hours")
    fear_greed_index: int | None
    market_phase: str
    timestamp: str
    btc_price_exact: str | None
    eth_price_exact: str | None
    funding_rates: dict[str, float]
    fields: dict[str, Provenanced]
    missing: list[str]
    snapshot_id: str
    synthetic: bool


class Targets(_Model):
    """Fractions of NAV; they sum to one."""

    base_yield: float
    tactical: float
    cash: float


class TacticalDetail(_Model):
    """The tactical layer by asset, fractions of NAV."""

    btc: float
    eth: float


class SignalModel(_Model):
    """The recommended allocation."""

    mode: str
    target_allocations: Targets
    target_detail: TacticalDetail
    confidence: float = Field(ge=0, le=1)
    reasoning: str
    trigger: str
    recommended_actions: list[str]
    risk_level: str = Field(description="low, medium or high; extreme is high with a flag")
    risk_flags: list[str]
    market_phase: str
    timestamp: str


class Allocations(_Model):
    """Weights of NAV per bucket, now and wanted."""

    current: dict[str, float]
    target: dict[str, float]
    drift: dict[str, float]


class Balances(_Model):
    """The same treasury by protocol (the second of two views over one ledger)."""

    total_value_usd: float
    aave_usdc: float
    pendle_pt: float
    curve_lp: float
    usdc_cash: float
    btc: float
    eth: float
    gas_reserve: float
    volatile_usd: float
    market_phase: str
    last_updated: str


class PortfolioStatus(_Model):
    """What the treasury holds: positions, and balances by protocol, from the same ledger."""

    total_value_usd: float
    total_value_usd_exact: str
    positions: list[PositionViewModel]
    allocations: Allocations
    buckets: list[BucketViewModel]
    balances: Balances
    cash_available: float
    cash_available_exact: str
    last_rebalance: str | None
    market_phase: str
    performance_24h: float | None
    performance_7d: float | None
    performance_30d: float | None
    drawdown: float
    var_95_1d_usd: float | None
    base_apy: float | None
    timestamp: str


class Transaction(_Model):
    """One leg, as it will be sent."""

    tx_type: str
    protocol: str
    from_asset: str
    to_asset: str
    amount: str
    amount_min: str
    estimated_gas: int
    slippage_tolerance: float
    state: str
    tx_id: str | None
    sentence: str
    before: str
    after: str


class RebalancingPlan(_Model):
    """What will be sent, and not one unit more."""

    plan_id: str
    current_allocations: dict[str, float]
    target_allocations: dict[str, float]
    required_transactions: list[Transaction]
    estimated_gas_cost: float
    estimated_slippage: float
    requires_approval: bool
    risk_level: str
    digest: str
    gross_usd_exact: str
    worst_case_usd_exact: str
    signatures_required: int
    signatures_given: int
    state: str
    expires_at: str
    binding_limits: list[LimitViewModel]
    unknowns: list[str]


class RebalanceReply(_Model):
    """The answer to a request to rebalance."""

    status: str
    message: str
    decision_id: str | None
    plan: RebalancingPlan | None
    transactions: list[Transaction]


def market_data(view: MarketView) -> dict[str, Any]:
    """Shape the market."""
    btc, eth = view.btc_price_usd_micro, view.eth_price_usd_micro
    return {
        "btc_price": None if btc is None else money(btc),
        "eth_price": None if eth is None else money(eth),
        "mvrv_z_score": view.mvrv_z,
        "funding_rate": view.funding_rates_8h.get("BTC"),
        "fear_greed_index": view.fear_greed,
        "market_phase": view.phase,
        "timestamp": iso(view.at_s),
        "btc_price_exact": None if btc is None else exact(btc),
        "eth_price_exact": None if eth is None else exact(eth),
        "funding_rates": dict(view.funding_rates_8h),
        "fields": {
            reading.key: {
                "source": reading.source,
                "as_of": iso(reading.as_of_s),
                "fetched_at": iso(reading.fetched_at_s),
                "stale": reading.provenance is Provenance.STALE,
                "provenance": reading.provenance.value,
                "unit": reading.unit,
                "age_s": reading.age_s,
            }
            for reading in view.readings
        },
        "missing": list(view.missing),
        "snapshot_id": view.snapshot_id,
        "synthetic": view.is_synthetic,
    }


def signal_data(signal: AllocationSignal) -> dict[str, Any]:
    """Shape the signal; extreme risk is `high` with a flag (C-42)."""
    target = {key: bps / BPS for key, bps in signal.target_bps.items()}
    risk_level, risk_flags = external_risk(signal.risk_level)
    return {
        "mode": signal.mode.value,
        "target_allocations": {
            "base_yield": target["base_yield"],
            "tactical": (signal.target_bps["btc"] + signal.target_bps["eth"]) / BPS,
            "cash": target["cash"],
        },
        "target_detail": {"btc": target["btc"], "eth": target["eth"]},
        "confidence": signal.confidence,
        "reasoning": signal.reasoning,
        "trigger": signal.trigger.value,
        "recommended_actions": list(signal.recommended_actions),
        "risk_level": risk_level,
        "risk_flags": list(risk_flags),
        "market_phase": signal.phase.value,
        "timestamp": iso(signal.at_s),
    }


def portfolio_data(view: PortfolioView) -> dict[str, Any]:
    """Shape the holdings, both ways (PM-04)."""
    return {
        "total_value_usd": money(view.total_usd_micro),
        "total_value_usd_exact": exact(view.total_usd_micro),
        "positions": [wire(position) for position in view.positions],
        "allocations": {
            "current": {b.bucket: b.weight_bps / BPS for b in view.buckets},
            "target": {
                b.bucket: b.target_bps / BPS for b in view.buckets if b.target_bps is not None
            },
            "drift": {b.bucket: b.drift_bps / BPS for b in view.buckets if b.drift_bps is not None},
        },
        "buckets": [wire(bucket) for bucket in view.buckets],
        "balances": _balances(view),
        "cash_available": money(view.cash_usd_micro),
        "cash_available_exact": exact(view.cash_usd_micro),
        "last_rebalance": None
        if view.last_rebalance_at_s is None
        else iso(view.last_rebalance_at_s),
        "market_phase": view.phase,
        "performance_24h": view.return_24h,
        "performance_7d": view.return_7d,
        "performance_30d": view.return_30d,
        "drawdown": -view.drawdown_bps / BPS,
        "var_95_1d_usd": (
            None if view.var_95_1d_usd_micro is None else money(view.var_95_1d_usd_micro)
        ),
        "base_apy": view.base_apy,
        "timestamp": iso(view.at_s),
    }


def _balances(view: PortfolioView) -> dict[str, Any]:
    def worth(protocol: str, *assets: str) -> float:
        return money(
            sum(
                position.value_usd_micro
                for position in view.positions
                if position.protocol == protocol and (not assets or position.asset in assets)
            )
        )

    return {
        "total_value_usd": money(view.total_usd_micro),
        "aave_usdc": worth("aave_v3"),
        "pendle_pt": worth("pendle_v2"),
        "curve_lp": worth("curve"),
        "usdc_cash": worth("wallet", "USDC"),
        "btc": worth("wallet", "WBTC", "BTC"),
        "eth": worth("wallet", "WETH"),
        "gas_reserve": worth("wallet", "ETH"),
        "volatile_usd": money(view.volatile_usd_micro),
        "market_phase": view.phase,
        "last_updated": iso(view.at_s),
    }


def plan_data(plan: PlanView) -> dict[str, Any]:
    """Shape a plan."""
    return {
        "plan_id": plan.plan_id,
        "current_allocations": {key: bps / BPS for key, bps in plan.current_bps.items()},
        "target_allocations": {key: bps / BPS for key, bps in plan.target_bps.items()},
        "required_transactions": transactions(plan),
        "estimated_gas_cost": money(plan.gas_cost_usd_micro),
        "estimated_slippage": money(plan.slippage_cost_usd_micro),
        "requires_approval": plan.signatures_required > 0,
        "risk_level": external_risk(RiskLevel(plan.risk_level))[0],
        "digest": plan.digest,
        "gross_usd_exact": exact(plan.gross_usd_micro),
        "worst_case_usd_exact": exact(plan.worst_case_usd_micro),
        "signatures_required": plan.signatures_required,
        "signatures_given": sum(1 for each in plan.signatures if each.approved),
        "state": plan.state,
        "expires_at": iso(plan.expires_at_s),
        "binding_limits": [wire(limit) for limit in plan.binding_limits],
        "unknowns": list(plan.unknowns),
    }


def transactions(plan: PlanView | None) -> list[dict[str, Any]]:
    """Shape the legs of a plan."""
    return [
        {
            "tx_type": leg.kind,
            "protocol": leg.venue,
            "from_asset": leg.spend_asset,
            "to_asset": leg.receive_asset,
            "amount": leg.spend_amount,
            "amount_min": leg.receive_amount_min,
            "estimated_gas": leg.gas_units,
            "slippage_tolerance": leg.slippage_bps_max / BPS,
            "state": leg.state,
            "tx_id": leg.tx_id,
            "sentence": leg.sentence,
            "before": leg.before,
            "after": leg.after,
        }
        for leg in (plan.legs if plan else ())
    ]

"""What the signal room says, and what it remembers between cycles.

    estimate : MarketSnapshot x SignalState x parameters  ->  AllocationSignal x SignalState

Weights leave this room as integers of basis points that sum to exactly 10 000.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """The market's phase (S1), and UNKNOWN where its inputs are missing."""

    ACCUMULATION = "accumulation"
    EUPHORIA = "euphoria"
    TOP = "top"
    BEAR = "bear"
    UNKNOWN = "unknown"


class Mode(StrEnum):
    """How the treasury stands (C-56)."""

    CONSERVATIVE = "conservative"
    TACTICAL = "tactical"
    AGGRESSIVE = "aggressive"
    HEDGE = "hedge"


class RiskLevel(StrEnum):
    """Internal risk levels; the API's first version shows EXTREME as high plus a flag (C-42)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    EXTREME = "extreme"


class Trigger(StrEnum):
    """The closed list of reasons to act."""

    FIRST_RUN = "first_run"
    MVRV_BELOW_0 = "mvrv<0"
    MVRV_ABOVE_0 = "mvrv>0"
    MVRV_ABOVE_3 = "mvrv>3"
    MVRV_ABOVE_3_5 = "mvrv>3.5"
    MVRV_ABOVE_5 = "mvrv>5"
    MVRV_ABOVE_7 = "mvrv>7"
    MVRV_ABOVE_9 = "mvrv>9"
    PHASE_CHANGE = "phase_change"
    DRIFT = "drift>5%"
    WEEKLY_REVIEW = "weekly_review"
    LOW_GAS = "low_gas"
    VOLATILE_CAP = "volatile_cap"
    DRAWDOWN_STAGE = "drawdown_stage"
    SIZING = "sizing"
    MATURITY = "maturity"
    GAS_RESERVE = "gas_reserve"
    CAPITAL_FLOW = "capital_flow"
    OPERATOR = "operator"
    EMERGENCY = "emergency"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AllocationSignal:
    """The recommended allocation at one instant.

    `target_bps` has the keys base_yield, btc, eth, cash and sums to 10 000 of NAV;
    `ladder_bps` is the ladder's share of the tactical layer before sizing (6 000 = 60 %).
    """

    at_s: int
    phase: Phase
    mode: Mode
    target_bps: Mapping[str, int]
    ladder_bps: int
    confidence: float
    reasoning: str
    trigger: Trigger
    recommended_actions: tuple[str, ...]
    risk_level: RiskLevel
    allows_increase: bool

"""Advice: the seat of the model, which can only hold, reduce, delay or ask.

A proposal passes the advisor before the guardrails see it again. Whatever the advisor says,
`apply_advice` can only remove or shrink moves, or ask for a person; it can never add a
move, raise an amount, or lower an approval.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """All an advisor can say."""

    PROCEED = "proceed"
    HOLD = "hold"
    REDUCE = "reduce"
    DELAY = "delay"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Advice:
    """One verdict with its reasons; `scale_bps` (0..10 000) applies to REDUCE only."""

    verdict: Verdict
    scale_bps: int
    delay_s: int
    reasoning: str
    advisor: str  # rules/1, claude-...
    cited: Mapping[str, str]

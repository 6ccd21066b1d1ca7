"""Advice: the seat of the model, which can only hold, reduce, delay or ask.

    apply_advice : Proposal x Advice x is_reduction  ->  Advised(proposal or None, asks, delay)

A proposal passes the advisor before the guardrails see it again. Whatever the advisor says,
`apply_advice` can only remove or shrink moves, or ask for a person; it can never add a
move, raise an amount, or lower an approval (AI-09, AI-10). A reduction of risk the mandate
demands is beyond its reach: it can neither hold, shrink nor delay one (AI-11).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from dynamic.policy.proposal import Move, Proposal, Urgency
from dynamic.units import BPS


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


@dataclass(frozen=True, slots=True)
class Advised:
    """What advice made of a proposal. None holds it; `asks_person` joins the judge's own asking."""

    proposal: Proposal | None
    asks_person: bool = False
    delay_s: int = 0


def advise_applied(proposal: Proposal, advice: Advice, delay_s_max: int) -> Advised:
    """Apply advice whole: the proposal, whether a person is asked, how long to wait.

    A delay is at most `delay_s_max`; beyond the closed list of verdicts there is only HOLD.
    """
    if proposal.urgency is not Urgency.DISCRETIONARY:
        return Advised(proposal)
    if advice.verdict is Verdict.DELAY:
        return Advised(None, delay_s=min(max(advice.delay_s, 0), delay_s_max))
    return Advised(apply_advice(proposal, advice), advice.verdict is Verdict.ASK)


def apply_advice(proposal: Proposal, advice: Advice) -> Proposal | None:
    """Return what remains of a proposal: the same moves or smaller ones, or None.

    Shrunk spends are rounded down, the least received is kept in proportion and rounded up, so
    no move ever gets a worse price than it was proposed with.
    """
    if proposal.urgency is not Urgency.DISCRETIONARY:
        return proposal
    match advice.verdict:
        case Verdict.PROCEED | Verdict.ASK:
            return proposal
        case Verdict.REDUCE:
            scale_bps = min(max(advice.scale_bps, 0), BPS)
            moves = tuple(m for m in (_shrunk(m, scale_bps) for m in proposal.moves) if m)
            return replace(proposal, moves=moves) if moves else None
        case Verdict.HOLD | Verdict.DELAY:
            return None


def _shrunk(move: Move, scale_bps: int) -> Move | None:
    units = move.spend_units * scale_bps // BPS
    if units <= 0:
        return None
    least = -(-move.receive_units_min * units // move.spend_units)
    return replace(move, spend_units=units, receive_units_min=least)

"""Payloads: what a decision was made of, in canonical JSON's own types, for its record.

finding, proposed, previewed, signalled : value -> object that `canonical_json` can write
"""

from dynamic.planning.fair_value import FairValue
from dynamic.planning.plan import Plan
from dynamic.planning.preview import preview
from dynamic.policy.finding import Finding
from dynamic.policy.proposal import Proposal
from dynamic.policy.situation import Situation
from dynamic.signals.signal import AllocationSignal


def finding(found: Finding) -> dict[str, object]:
    """Write one objection."""
    return {
        "rule": found.rule, "observed": found.observed, "limit": found.limit,
        "unit": found.unit, "message": found.message,
    }  # fmt: skip


def proposed(proposal: Proposal) -> dict[str, object]:
    """Write what was put on the table; units as text, exact."""
    return {
        "key": proposal.key,
        "actor": proposal.actor,
        "urgency": proposal.urgency.value,
        "moves": [
            [str(m.spend), str(m.spend_units), str(m.receive), str(m.receive_units_min)]
            for m in proposal.moves
        ],
    }


def previewed(made: Plan, situation: Situation, fair: FairValue) -> list[dict[str, object]]:
    """Write what a signer reads of each leg: its sentence, and both balances before and after."""
    return [
        {
            "key": leg.key,
            "sentence": leg.sentence,
            "spend": [str(leg.spend.before_units), str(leg.spend.after_units)],
            "receive": [str(leg.receive.before_units), str(leg.receive.after_units)],
        }
        for leg in preview(made, situation.units, fair)
    ]


def signalled(signal: AllocationSignal) -> dict[str, object]:
    """Write the signal a decision was made on."""
    return {
        "phase": signal.phase.value,
        "mode": signal.mode.value,
        "target_bps": dict(signal.target_bps),
        "ladder_bps": signal.ladder_bps,
        "confidence": signal.confidence,
        "reasoning": signal.reasoning,
        "trigger": signal.trigger.value,
        "recommended_actions": list(signal.recommended_actions),
        "risk_level": signal.risk_level.value,
        "allows_increase": signal.allows_increase,
    }

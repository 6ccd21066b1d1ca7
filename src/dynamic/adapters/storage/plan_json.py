"""A plan as canonical JSON and back, field by field, so that a restarted process has the same."""

import json
from typing import Any

from dynamic.errors import InvariantBroken
from dynamic.ledger.canonical import canonical_json
from dynamic.planning.plan import Leg, LegKind, Plan
from dynamic.policy.proposal import Position, Urgency


def plan_to_json(plan: Plan) -> str:
    """Write a plan, all of it."""
    payload = {name: getattr(plan, name) for name in Plan.__dataclass_fields__}
    payload["legs"] = [
        {name: getattr(leg, name) for name in Leg.__dataclass_fields__} for leg in plan.legs
    ]
    return canonical_json(payload)


def plan_from_json(text: str) -> Plan:
    """Read what `plan_to_json` wrote; anything else raises InvariantBroken."""
    try:
        payload: dict[str, Any] = json.loads(text)
        payload["legs"] = tuple(_leg(leg) for leg in payload["legs"])
        payload["urgency"] = Urgency(payload["urgency"])
        return Plan(**payload)
    except (KeyError, TypeError, ValueError) as error:
        raise InvariantBroken(f"a stored plan cannot be read: {error!r}") from error


def _leg(payload: dict[str, Any]) -> Leg:
    payload["kind"] = LegKind(payload["kind"])
    payload["spend"] = Position(*payload["spend"])
    payload["receive"] = Position(*payload["receive"])
    payload["after"] = tuple(payload["after"])
    return Leg(**payload)

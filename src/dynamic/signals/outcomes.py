"""Outcomes: when to look back at a sale and ask whether it came too early or too late (SG-26).

due : executed at x horizons in days  ->  one check per horizon

early  the price rose after the sale: selling later would have paid more
late   it fell: the sale saved money
even   it stands within the given tolerance
"""

from collections.abc import Sequence
from typing import NamedTuple

from dynamic.units import DAY_S


class Check(NamedTuple):
    """One look back at a decision, `horizon_d` days after it was executed."""

    decision_id: str
    horizon_d: int
    due_at_s: int


def due(decision_id: str, executed_at_s: int, horizons_d: Sequence[int]) -> tuple[Check, ...]:
    """Return the checks that an executed sale schedules, nearest first."""
    return tuple(
        Check(decision_id, days, executed_at_s + days * DAY_S) for days in sorted(set(horizons_d))
    )

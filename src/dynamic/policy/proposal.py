"""What every mouth must put on the table: moves, by name, with the units they spend.

A rule, a person and Claude all propose in this shape, and all enter by the same door,
`policy.guardrails.judge`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Position(NamedTuple):
    """A place and an asset: `aave_v3:USDC`, `wallet:WBTC`."""

    location: str
    asset: str

    def __str__(self) -> str:
        return f"{self.location}:{self.asset}"


class Urgency(StrEnum):
    """Why this must not wait; only MANDATORY and EMERGENCY escape the daily trade count (C-15)."""

    DISCRETIONARY = "discretionary"
    MANDATORY = "mandatory"  # risk reduction the mandate itself demands
    MAINTENANCE = "maintenance"  # redeem at maturity, gas reserve
    EMERGENCY = "emergency"  # under the pre-signed emergency policy


@dataclass(frozen=True, slots=True)
class Move:
    """Spend `spend_units` of one position into another, whatever the route.

    `receive_units_min` is the least we accept, from our own fair value, rounded up.
    """

    spend: Position
    spend_units: int
    receive: Position
    receive_units_min: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """Moves proposed together, by one actor, for one reason."""

    key: str
    actor: str  # rules, claude, operator:<name>
    trigger: str
    urgency: Urgency
    moves: tuple[Move, ...]
    reasoning: str

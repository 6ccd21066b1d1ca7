"""Entries: every movement leaves one place and reaches another, to the base unit.

An entry balances to zero *per asset*. A swap therefore passes through the `trading`
accounts, one line per asset, and no rounding account exists.
"""

from dataclasses import dataclass
from enum import StrEnum

from dynamic.errors import InvariantBroken


class EntryKind(StrEnum):
    """Why something moved; NAV attribution reads it."""

    CAPITAL = "capital"  # deposits and withdrawals by the owner
    TRADE = "trade"
    DEPOSIT = "deposit"
    WITHDRAW = "withdraw"
    REDEEM = "redeem"
    YIELD = "yield"
    GAS = "gas"
    FEE = "fee"
    CORRECTION = "correction"
    HEDGE = "hedge"
    BUYBACK = "buyback"
    BURN = "burn"
    INCENTIVE = "incentive"
    REALISED = "realised"  # memo of the day's realised result; no position moves


@dataclass(frozen=True, slots=True)
class Posting:
    """Some base units of one asset into (+) or out of (-) one account."""

    account: str
    asset: str
    base_units: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Postings that belong together. `ref` names the step, accrual or flow it books, once."""

    entry_id: str
    at_s: int
    kind: EntryKind
    narration: str
    ref: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        sums: dict[str, int] = {}
        for posting in self.postings:
            sums[posting.asset] = sums.get(posting.asset, 0) + posting.base_units
        odd = {asset: total for asset, total in sums.items() if total}
        if odd or not self.postings:
            raise InvariantBroken(f"entry {self.entry_id} does not balance: {odd or 'no postings'}")

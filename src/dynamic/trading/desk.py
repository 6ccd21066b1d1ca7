"""The treasury's SDK: five awaitable operations over one paper treasury (PM-07).

    manager = PortfolioManager(treasury.service(setting))
    state   = await manager.get_current_state()             what is held, to the base unit
    target  = await manager.calculate_target_allocation()   what the ladder and the cushion leave
    result  = await manager.execute_rebalancing("ann")      one cycle, asked for by a person
    earned  = await manager.get_performance_metrics("30d")
    booked  = await manager.record_transaction(Transaction(...))    the owner's capital flow

The core is synchronous; each call runs in a worker thread and returns an immutable value.
Nothing is decided here: limits, approvals and the switch hold as they do at the API. Importing
this module loads the standard library and the values it returns, no database and no server.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING

from dynamic.errors import Refused
from dynamic.trading.views import PerformanceView, PortfolioView, RebalanceResult

if TYPE_CHECKING:
    from dynamic.trading.capital import CapitalFlow
    from dynamic.trading.service import PaperService


class TransactionKind(StrEnum):
    """Which way the owner's capital flows."""

    DEPOSIT = "deposit"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One flow of the owner's capital, in whole tokens exactly written.

    `key` names it for ever: recorded twice, it has one effect. A deposit needs one person, a
    withdrawal two distinct ones; both say why.
    """

    key: str
    kind: TransactionKind
    amount: Decimal | str | int
    operators: tuple[str, ...]
    reason: str
    asset: str = "USDC"


@dataclass(frozen=True, slots=True)
class TransactionReceipt:
    """What was booked; `was_booked_before` where this key had its effect already."""

    key: str
    asset: str
    base_units: int
    was_booked_before: bool


@dataclass(frozen=True, slots=True)
class TargetAllocation:
    """Where the treasury wants to stand, in bps of NAV by bucket; they sum to 10 000.

    `objections` are the caps such a target would break; a judge would never permit it.
    """

    at_s: int
    phase: str
    mode: str
    target_bps: Mapping[str, int]
    current_bps: Mapping[str, int]
    reasoning: str
    objections: tuple[str, ...] = ()


class PortfolioManager:
    """The five operations; errors are those of `dynamic.errors`."""

    def __init__(self, service: "PaperService") -> None:
        self._service = service

    async def get_current_state(self) -> PortfolioView:
        """Return the holdings at the last mark; DataUnfit before the first one."""
        return await asyncio.to_thread(self._service.portfolio)

    async def calculate_target_allocation(self) -> TargetAllocation:
        """Return the target after sizing; DataUnfit before the first cycle."""
        return await asyncio.to_thread(self._target)

    async def execute_rebalancing(
        self, operator: str, *, force: bool = False, max_slippage_bps: int | None = None
    ) -> RebalanceResult:
        """Run one cycle for a person; a plan that needs signatures waits for other people."""
        return await asyncio.to_thread(self._service.rebalance, operator, force, max_slippage_bps)

    async def get_performance_metrics(self, time_range: str = "30d") -> PerformanceView:
        """Measure 24h, 7d, 30d, 90d, 1y or all; Refused for anything else."""
        return await asyncio.to_thread(self._service.performance, time_range)

    async def record_transaction(self, transaction: Transaction) -> TransactionReceipt:
        """Move and book the owner's capital, once per key.

        Raises Refused (amount, asset, too few people), Conflict (the key had another amount; a
        plan is in hand or the switch halted, for withdrawals), DataUnfit without a price.
        """
        return await asyncio.to_thread(self._record, transaction)

    def _target(self) -> TargetAllocation:
        from dynamic.policy.risk import RiskAnalyzer

        signal, held = self._service.signal(), self._service.portfolio()
        wanted = {b.bucket: b.target_bps for b in held.buckets if b.target_bps is not None}
        against = RiskAnalyzer(self._service.mandate).validate_allocation(wanted)
        return TargetAllocation(
            at_s=held.at_s,
            phase=signal.phase.value,
            mode=signal.mode.value,
            target_bps=wanted,
            current_bps={b.bucket: b.weight_bps for b in held.buckets},
            reasoning=signal.reasoning,
            objections=tuple(finding.message for finding in against),
        )

    def _record(self, transaction: Transaction) -> TransactionReceipt:
        flow = flow_of(transaction)
        is_new = self._service.record_capital(flow)
        return TransactionReceipt(flow.key, flow.asset, flow.base_units, not is_new)


def flow_of(transaction: Transaction) -> "CapitalFlow":
    """Return the flow in base units, exactly; Refused where it is no amount of that asset."""
    from dynamic.trading.capital import CapitalFlow
    from dynamic.workflows.instruments import asset

    written = transaction.amount
    if isinstance(written, float | bool) or not isinstance(written, Decimal | str | int):
        raise Refused(f"expected an exact amount, found {written!r}; nothing was moved")
    try:
        whole = Decimal(written)
    except InvalidOperation:
        raise Refused(f"expected an exact amount, found {written!r}; nothing was moved") from None
    decimals = asset(transaction.asset).decimals
    if not whole.is_finite() or whole <= 0:
        raise Refused(f"expected a positive amount, found {written}; nothing was moved")
    numerator, denominator = whole.as_integer_ratio()
    units, rest = divmod(numerator * 10**decimals, denominator)
    if rest:
        raise Refused(f"{transaction.asset} has {decimals} decimals, found {written}")
    sign = 1 if transaction.kind is TransactionKind.DEPOSIT else -1
    return CapitalFlow(
        transaction.key, transaction.asset, sign * units, transaction.operators, transaction.reason
    )

"""Capital: what the owner pays in or takes out, moved and booked once per key.

    move_capital : flow -> venue, then the books under the same key, with an audit row

A deposit needs one person. A withdrawal is money that does not come back by itself: two
distinct people sign for it whatever its size, it never takes what a plan in hand may be about
to spend, and a halted treasury pays nothing out. Neither is a gain or a loss: the
time-weighted return leaves flows out, and the peak is scaled with them (PM-10).

In paper the engine moves the pretend money itself. A process that dies between venue and books
leaves a residue, which blocks new risk until the same flow is recorded once more.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dynamic.errors import Conflict, DataUnfit, Refused
from dynamic.policy.approval import people
from dynamic.policy.proposal import Position
from dynamic.policy.situation import SwitchState
from dynamic.workflows.fund import fund
from dynamic.workflows.instruments import CASH, WALLET, asset
from dynamic.workflows.memory import Memory
from dynamic.workflows.observe import observe

if TYPE_CHECKING:
    from dynamic.trading.paper import PaperTreasury

DEPOSITED: Final = ("ETH", "USDC", "WBTC", "WETH")  # what a wallet may be paid in


@dataclass(frozen=True, slots=True)
class CapitalFlow:
    """Base units of one asset into (+) or out of (-) the wallet; `key` names the flow for ever."""

    key: str
    asset: str
    base_units: int
    operators: tuple[str, ...]
    reason: str

    @property
    def position(self) -> Position:
        """Where it arrives or leaves."""
        return Position(WALLET, self.asset)

    @property
    def ref(self) -> str:
        """What its ledger entry refers to."""
        return f"{self.key}:{self.position}"


def check_flow(flow: CapitalFlow) -> None:
    """Refuse a flow that nobody could book or nobody may order; one line, nothing moved."""
    if not flow.key.strip() or not flow.reason.strip():
        raise Refused("capital: expected a key and a reason, found none; nothing was moved")
    if flow.base_units == 0:
        raise Refused("capital: expected an amount, found 0 base units; nothing was moved")
    found = len(people(flow.operators))
    needed = 1 if flow.base_units > 0 else 2
    if found < needed:
        raise Refused(
            f"capital: expected {needed} distinct people, found {found}; nothing was moved"
        )
    allowed = DEPOSITED if flow.base_units > 0 else (CASH.asset,)
    if flow.asset not in allowed:
        raise Refused(
            f"capital: expected {' or '.join(allowed)}, found {flow.asset}; nothing was moved"
        )


def move_capital(flow: CapitalFlow, memory: Memory, treasury: "PaperTreasury") -> None:
    """Move one flow and book it, under one key.

    Raises Refused for a flow out of order, Conflict while a plan is in hand or the switch is
    halted (withdrawals), DataUnfit where no price values it.
    """
    check_flow(flow)
    io = treasury.io
    now_s = io.clock.now_s()
    if flow.base_units < 0:
        _may_leave(flow, memory, treasury)
    view = observe(memory, io, treasury.mandate, now_s)
    underlying = asset(flow.asset).underlying
    if underlying not in view.prices:
        raise DataUnfit(f"expected a price of {underlying}, found none; nothing was moved")
    if not treasury.venue.deposit_capital(flow.position, flow.base_units, flow.key):
        _went_as_asked(flow, memory, treasury, now_s)
    batch = memory.batch()
    payload = {
        "key": flow.key, "asset": flow.asset, "base_units": str(flow.base_units),
        "operators": list(flow.operators), "reason": flow.reason,
    }  # fmt: skip
    memory.note(batch, "capital", ",".join(flow.operators), payload, now_s)
    io.store.commit(batch)
    fund({flow.position: flow.base_units}, dict(view.prices), flow.key, memory, io)


def _went_as_asked(
    flow: CapitalFlow, memory: Memory, treasury: "PaperTreasury", now_s: int
) -> None:
    """Refuse to book a flow that an earlier process moved under this key in another amount."""
    there = treasury.venue.balances(now_s).get(flow.position, 0)
    unbooked = there - memory.book.units(*flow.position)
    if unbooked != flow.base_units:
        raise Conflict(
            f"capital: {flow.key} has moved before, and {unbooked} base units of {flow.asset} are "
            f"not booked, found {flow.base_units}; nothing was booked"
        )


def _may_leave(flow: CapitalFlow, memory: Memory, treasury: "PaperTreasury") -> None:
    if treasury.io.switch.state() is SwitchState.HALTED:
        raise Conflict("capital: the switch is halted; nothing was moved")
    if memory.plan is not None:
        raise Conflict(
            f"capital: plan {memory.plan.plan.plan_id} is {memory.plan.state.value} and may need "
            "the cash; nothing was moved"
        )
    held = memory.book.units(*flow.position)
    if held < -flow.base_units:
        raise Refused(
            f"capital: expected at most {held} base units of {flow.asset} in the wallet, "
            f"found {-flow.base_units}; nothing was moved"
        )

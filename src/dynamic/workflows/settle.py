"""Settle: turn one final receipt into entries, lots and a tx_logs row, in one batch.

    receipt -> settlement entry + gas entry + lots + past moves + tx_logs

Nothing here decides anything. What a reverted order burnt in gas is booked all the same.
"""

import uuid
from datetime import UTC, datetime
from typing import Final

from dynamic.ledger.canonical import canonical_json
from dynamic.ledger.entry import EntryKind
from dynamic.ledger.posting import gas_entry, realised_entry, settlement_entry
from dynamic.planning.plan import Leg, LegKind
from dynamic.policy.proposal import Position
from dynamic.ports import Receipt
from dynamic.protocols import aave_v3
from dynamic.records import Batch, TxLogRecord
from dynamic.units import DAY_S, AssetKind, Rounding, value_usd_micro
from dynamic.workflows.instruments import AAVE, GAS, asset
from dynamic.workflows.memory import Memory

_KINDS: Final = {
    LegKind.SWAP: EntryKind.TRADE,
    LegKind.DEPOSIT: EntryKind.DEPOSIT,
    LegKind.WITHDRAW: EntryKind.WITHDRAW,
    LegKind.REDEEM: EntryKind.REDEEM,
}
_LOG_NAMESPACE: Final = uuid.UUID("5f0c2a58-6d3c-5e0b-9a53-0d1d4b7e7a10")


def settle(leg: Leg, receipt: Receipt, prices: dict[str, int], memory: Memory, now_s: int) -> Batch:
    """Book one final receipt. `prices` are usd_micro by underlying, for the cost of lots.

    What really happened is booked whatever is known of prices: a lot whose price is missing
    takes the value its leg was planned at.
    """
    batch = memory.batch()
    realised = 0
    if not receipt.reverted:
        _book_movements(leg, receipt, memory, batch, now_s)
        realised = _book_lots(leg, receipt, prices, memory, now_s)
        _track_lending(leg, memory)
    gas = receipt.gas_units * receipt.gas_price_wei
    gas_usd_micro, gas_valued_by = 0, "price"
    if gas:
        memory.post(batch, gas_entry(now_s, leg.key, GAS.location, GAS.asset, gas))
        gas_usd_micro, gas_valued_by = _burn(gas, prices, memory, now_s)
        _count_gas(gas_usd_micro, memory, now_s)
    memory.diary.realised_usd_micro += realised
    batch.tx_logs.append(_log(leg, receipt, realised, gas_usd_micro, gas_valued_by, now_s))
    return batch


def _burn(gas: int, prices: dict[str, int], memory: Memory, now_s: int) -> tuple[int, str]:
    """Take burnt gas out of its lots; return its usd_micro, rounded up, and what valued it.

    Without a price of ETH it counts at the last daily close, and before the first close at
    what it had cost: gas of unknown price is never free in the month's budget.
    """
    price = prices.get("ETH")
    valued_by = "price"
    if price is None and memory.diary.closes:
        price, valued_by = memory.diary.closes[-1][2], "last close"
    decimals = asset(GAS.asset).decimals
    proceeds = 0 if price is None else value_usd_micro(gas, price, decimals, Rounding.DOWN)
    disposal = memory.lots.dispose(GAS.asset, gas, proceeds, now_s)
    if price is None:
        return disposal.cost_usd_micro, "cost"
    return value_usd_micro(gas, price, decimals, Rounding.UP), valued_by


def _book_movements(leg: Leg, receipt: Receipt, memory: Memory, batch: Batch, now_s: int) -> None:
    fee = None
    if receipt.fee is not None and receipt.fee.base_units:
        fee = (*receipt.fee.position, receipt.fee.base_units)
    moved = [(*m.position, m.base_units) for m in receipt.movements]
    words = f"{leg.kind.value} {leg.spend} to {leg.receive} at {leg.venue}"
    memory.post(
        batch, settlement_entry(now_s, leg.key, _KINDS[leg.kind], leg.venue, moved, fee, words)
    )


def _book_lots(
    leg: Leg, receipt: Receipt, prices: dict[str, int], memory: Memory, now_s: int
) -> int:
    """Move lots, first in first out; return the realised gain in usd_micro.

    Dollars are cash, and cash has no lots; everything else is bought and sold by lot.
    """
    spent, received = asset(leg.spend.asset), asset(leg.receive.asset)
    got = _moved(receipt, leg.receive)
    if spent.symbol == received.symbol:
        return 0
    if spent.kind is AssetKind.STABLE:
        price = prices.get(spent.underlying)
        cost = leg.notional_usd_micro
        if price is not None:
            cost = value_usd_micro(leg.spend_units, price, spent.decimals, Rounding.UP)
        memory.lots.acquire(received.symbol, got, cost, now_s, leg.key)
        return 0
    price = prices.get(received.underlying) if received.kind is not AssetKind.CLAIM else None
    proceeds = leg.notional_usd_micro
    if price is not None:
        proceeds = value_usd_micro(got, price, received.decimals, Rounding.DOWN)
    disposal = memory.lots.dispose(spent.symbol, leg.spend_units, proceeds, now_s)
    if received.kind is not AssetKind.STABLE:
        memory.lots.acquire(received.symbol, got, proceeds, now_s, leg.key)
    return disposal.gain_usd_micro


def _track_lending(leg: Leg, memory: Memory) -> None:
    """Keep our own scaled balance, so that the interest we book is ours to compute."""
    diary = memory.diary
    if leg.receive == AAVE:
        diary.scaled += aave_v3.supplied_scaled(leg.spend_units, diary.yield_index_ray)
    elif leg.spend == AAVE:
        diary.scaled -= aave_v3.withdrawn_scaled(
            leg.spend_units, diary.scaled, diary.yield_index_ray
        )


def _count_gas(usd_micro: int, memory: Memory, now_s: int) -> None:
    """Add to this calendar month's gas, the budget of RB-15."""
    diary, moment = memory.diary, datetime.fromtimestamp(now_s, UTC)
    month = moment.year * 12 + moment.month
    if month != diary.month:
        diary.month, diary.month_gas_usd_micro = month, 0
    diary.month_gas_usd_micro += usd_micro


def _moved(receipt: Receipt, position: Position) -> int:
    return sum(m.base_units for m in receipt.movements if m.position == position)


def proposed_log(leg: Leg, now_s: int) -> TxLogRecord:
    """Return the tx_logs row that stands before anything is sent (PE-15)."""
    return _row(leg, f"{leg.key}:proposed", "proposed", {"venue": leg.venue}, now_s)


def _log(
    leg: Leg,
    receipt: Receipt,
    realised_usd_micro: int,
    gas_usd_micro: int,
    gas_valued_by: str,
    now_s: int,
) -> TxLogRecord:
    meta = {
        "tx": receipt.tx_id,
        "venue": leg.venue,
        "reason": receipt.reason,
        "receive": list(leg.receive),
        "received_units": str(_moved(receipt, leg.receive)),
        "notional_usd_micro": leg.notional_usd_micro,
        "realised_usd_micro": realised_usd_micro,
        "gas_usd_micro": gas_usd_micro,
        "gas_valued_by": gas_valued_by,
    }
    return _row(leg, leg.key, "reverted" if receipt.reverted else "settled", meta, now_s)


def _row(leg: Leg, key: str, status: str, meta: dict[str, object], now_s: int) -> TxLogRecord:
    return TxLogRecord(
        log_id=str(uuid.uuid5(_LOG_NAMESPACE, key)),
        kind=leg.kind.value,
        ref_id=leg.key,
        amount=leg.spend_units,
        asset=leg.spend.asset,
        status=status,
        actor="engine",
        meta=canonical_json(meta),
        created_at_s=now_s,
        idempotency_key=key,
    )


def close_day(memory: Memory, batch: Batch, now_s: int) -> None:
    """Post the realised result of the UTC day that ended (LG-07)."""
    diary, day = memory.diary, now_s // DAY_S
    if diary.realised_day == day:
        return
    if diary.realised_usd_micro:
        ref = f"realised:{diary.realised_day}"
        memory.post(batch, realised_entry(now_s, ref, diary.realised_usd_micro))
    diary.realised_day, diary.realised_usd_micro = day, 0

"""Fund: book what the owner puts in, once, with its lots and its effect on the peak.

The venue has already received it; the books follow under the same key.
"""

from dynamic.decision.sizing import with_flow
from dynamic.ledger.posting import capital_entry
from dynamic.policy.proposal import Position
from dynamic.ports import Ports
from dynamic.units import AssetKind, Rounding, value_usd_micro
from dynamic.workflows.instruments import asset
from dynamic.workflows.memory import Memory


def fund(
    amounts: dict[Position, int], prices: dict[str, int], key: str, memory: Memory, io: Ports
) -> None:
    """Book base units paid in (+) at each position under `key`.

    `prices` are usd_micro by underlying: what a lot of a volatile asset cost, and what the
    flow is worth to the peak (rounded up).
    """
    now_s = io.clock.now_s()
    batch = memory.batch()
    worth = 0
    for position, units in amounts.items():
        token = asset(position.asset)
        ref = f"{key}:{position}"
        memory.post(batch, capital_entry(now_s, ref, *position, units))
        value = value_usd_micro(units, prices[token.underlying], token.decimals, Rounding.UP)
        worth += value
        if token.kind is not AssetKind.STABLE:
            memory.lots.acquire(token.symbol, units, value, now_s, ref)
    memory.sizing = with_flow(memory.sizing, memory.last_nav_usd_micro, worth)
    if memory.diary.funded_at_s is None:
        memory.diary.funded_at_s = now_s
    memory.seal(batch)
    io.store.commit(batch)

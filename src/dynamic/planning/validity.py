"""Validity: why a plan that was sound when made must not be sent any more.

A plan is void when its time is over, when any reference price has moved by more than the
mandate allows, when a reference price is not known, or when the mandate itself changed.
What we do not know, we do not send on.
"""

from collections.abc import Mapping

from dynamic.ledger.canonical import digest as canonical_digest
from dynamic.planning.plan import Plan
from dynamic.planning.planner import plan_content
from dynamic.policy.situation import Situation
from dynamic.units import BPS, format_usd, iso


def is_void(
    plan: Plan, situation: Situation, *, mandate_digest: str, price_move_bps_max: int
) -> str | None:
    """Say why the plan may not be sent, or None. Exactly at a limit it still may."""
    if situation.now_s > plan.valid_until_s:
        return f"expired at {iso(plan.valid_until_s)}, asked at {iso(situation.now_s)}"
    if situation.now_s < plan.created_at_s:
        return f"made at {iso(plan.created_at_s)}, asked at {iso(situation.now_s)}: wrong clock"
    if mandate_digest != plan.mandate_digest:
        return "the mandate changed since the plan was made"
    prices = {symbol: fact.usd_micro for symbol, fact in situation.prices.items()}
    return price_moved(plan.reference_prices, prices, price_move_bps_max)


def price_moved(
    reference: Mapping[str, int], now: Mapping[str, int], price_move_bps_max: int
) -> str | None:
    """Say which price left its band around the reference, or None."""
    for symbol, was in reference.items():
        price = now.get(symbol)
        if price is None or was <= 0:
            return f"the price of {symbol} is not known"
        if abs(price - was) * BPS > price_move_bps_max * was:
            return (
                f"{symbol} moved from {format_usd(was)} to {format_usd(price)}, "
                f"more than {price_move_bps_max} bps"
            )
    return None


def is_authentic(plan: Plan) -> bool:
    """Return whether the plan still is, field by field, what its digest was taken over."""
    return canonical_digest(plan_content(plan)) == plan.digest

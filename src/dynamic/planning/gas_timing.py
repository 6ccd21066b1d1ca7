"""Gas timing: what can wait waits for cheap gas; what must not wait never does (RB-08).

Low is below the 25th percentile of the last thirty days, or below the mandate's absolute
figure. Both numbers are handed in.
"""

from collections.abc import Sequence

from dynamic.policy.proposal import Urgency


def percentile_wei(history_wei: Sequence[int], percent: int) -> int | None:
    """Return the nearest-rank percentile of past gas prices; None without history."""
    if not history_wei:
        return None
    rank = max(1, -(-len(history_wei) * percent // 100))
    return sorted(history_wei)[rank - 1]


def is_gas_low(gas_price_wei: int | None, quarter_wei: int | None, low_wei: int) -> bool:
    """Return whether gas is strictly below its quarter or the absolute figure; unknown is not."""
    if gas_price_wei is None:
        return False
    return gas_price_wei < low_wei or (quarter_wei is not None and gas_price_wei < quarter_wei)


def should_wait_for_low_gas(
    urgency: Urgency, gas_price_wei: int | None, quarter_wei: int | None, low_wei: int
) -> bool:
    """Return whether a plan of this urgency waits; only discretionary ones ever do."""
    return urgency is Urgency.DISCRETIONARY and not is_gas_low(gas_price_wei, quarter_wei, low_wei)

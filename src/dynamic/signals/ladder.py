"""The ladder: what share of the tactical layer each MVRV Z-score leaves in BTC and ETH.

    m < 0           10 000 bps   everything (accumulation)
    0 <= m <= 3      6 000 bps   S1's normal holding
    3 <  m <= 3.5    held        whatever was held before, never more than the 6 000
    m > 3.5          4 500 bps   a quarter of the holding sold
    m > 5            3 000 bps   half
    m > 7            1 980 bps   two thirds
    m > 9                0 bps   out

The sell steps are cumulative shares of the 60 % holding, not of the layer (C-06): 0.60 x 0.75,
x 0.50, x 0.33, x 0, which is the one reading that never buys on the way up. "> x" is strict
and "0 to 3" inclusive, as S1 writes them. Shares and levels come from the mandate.
"""

import functools
from typing import Final, NamedTuple

from dynamic.errors import ConfigRefused
from dynamic.market.crossing import Level
from dynamic.signals.parameters import Ladder, Layers
from dynamic.units import BPS

LEVEL_SCALE: Final = 1_000  # levels are thousandths of a Z-score
SELL_STEPS: Final = 4  # 3.5, 5, 7 and 9: each has its trigger in the closed list


class Rungs(NamedTuple):
    """The ladder compiled for comparison: levels as exact floats, lowest first."""

    levels: tuple[Level, ...]  # accumulation, gap, then each sell step
    sell_shares_bps: tuple[int, ...]
    accumulation_bps: int
    euphoria_bps: int


@functools.lru_cache(maxsize=16)
def _compiled(
    accumulation_milli: int,
    gap_milli: int,
    sells: tuple[tuple[int, int], ...],
    shares: tuple[int, int],
    hysteresis_milli: int,
    confirmation_milli: int,
) -> Rungs:
    confirmation = confirmation_milli / LEVEL_SCALE
    hysteresis = hysteresis_milli / LEVEL_SCALE
    # The hysteresis guards the steps that sell. At 0 and at 3 the confirmation alone applies:
    # S1 buys "below 0" and C-07 says "m <= 3", both as they stand.
    levels = (
        Level(accumulation_milli / LEVEL_SCALE, 0.0, confirmation, is_above_inclusive=True),
        Level(gap_milli / LEVEL_SCALE, 0.0, confirmation),
        *(Level(milli / LEVEL_SCALE, hysteresis, confirmation) for milli, _ in sells),
    )
    return Rungs(levels, tuple(share for _, share in sells), *shares)


def rungs(ladder: Ladder) -> Rungs:
    """Compile the mandate's ladder; the same numbers give the same object."""
    if len(ladder.sell_above_milli) != SELL_STEPS or len(ladder.sell_share_bps) != SELL_STEPS:
        raise ConfigRefused(
            f"expected {SELL_STEPS} sell steps with their shares, found levels"
            f" {ladder.sell_above_milli} and shares {ladder.sell_share_bps}"
        )
    sells = tuple(zip(ladder.sell_above_milli, ladder.sell_share_bps, strict=True))
    return _compiled(
        ladder.accumulation_below_milli,
        ladder.gap_above_milli,
        sells,
        (ladder.accumulation_share_bps, ladder.euphoria_share_bps),
        ladder.hysteresis_milli,
        ladder.confirmation_milli,
    )


def share_bps(mvrv_z: float, ladder: Ladder, held_bps: int | None = None) -> int:
    """Return the table's share of the tactical layer at one Z-score, memory aside.

    `held_bps` is the former target, for the gap; None means there was none, and the gap then
    gives the normal holding as a ceiling that nothing is bought up to.
    """
    rung = rungs(ladder)
    zero, gap, *sells = rung.levels
    if mvrv_z < zero.at:
        return rung.accumulation_bps
    if mvrv_z <= gap.at:
        return rung.euphoria_bps
    for level, share in zip(reversed(sells), reversed(rung.sell_shares_bps), strict=True):
        if mvrv_z > level.at:
            return share
    return rung.euphoria_bps if held_bps is None else min(held_bps, rung.euphoria_bps)


def target_bps(ladder_bps: int, layers: Layers) -> dict[str, int]:
    """Spread NAV over base_yield, btc, eth and cash; sums to exactly 10 000.

    BTC and ETH round down; what the tactical layer does not hold in them earns the base yield.
    """
    spot = layers.tactical_bps * ladder_bps
    btc = spot * layers.btc_share_bps // (BPS * BPS)
    eth = spot * (BPS - layers.btc_share_bps) // (BPS * BPS)
    return {
        "base_yield": BPS - btc - eth - layers.cash_bps,
        "btc": btc,
        "eth": eth,
        "cash": layers.cash_bps,
    }

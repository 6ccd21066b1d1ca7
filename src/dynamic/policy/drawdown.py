"""Drawdown: how far below the high-water mark we stand, and what the mandate demands there.

    NORMAL  < 10 %  WARN  < 15 %  REDUCE (target x 0.5)  < 20 %  EXIT (sell, pause, people resume)

A stage begins exactly at its number (C-62). Comparisons are exact integers, nothing is rounded.
"""

from enum import IntEnum

from dynamic.policy.sections import Drawdown

_BPS = 10_000


class Stage(IntEnum):
    """How deep; a higher stage demands more."""

    NORMAL = 0
    WARN = 1
    REDUCE = 2
    EXIT = 3


def drawdown_bps(nav_usd_micro: int, high_water_usd_micro: int) -> int:
    """Return the loss from the mark in bps, rounded up (against us); never negative."""
    lost = high_water_usd_micro - nav_usd_micro
    if lost <= 0 or high_water_usd_micro <= 0:
        return 0
    return -(-lost * _BPS // high_water_usd_micro)


def stage_of(nav_usd_micro: int, high_water_usd_micro: int, limits: Drawdown) -> Stage:
    """Return the stage, exact at its boundary: a loss of precisely 15 % is REDUCE."""
    lost = (high_water_usd_micro - nav_usd_micro) * _BPS
    if lost >= limits.exit_bps * high_water_usd_micro > 0:
        return Stage.EXIT
    if lost >= limits.reduce_bps * high_water_usd_micro > 0:
        return Stage.REDUCE
    if lost >= limits.warn_bps * high_water_usd_micro > 0:
        return Stage.WARN
    return Stage.NORMAL


def target_multiplier_bps(stage: Stage, is_paused: bool, limits: Drawdown) -> int:
    """Return what the volatile target is multiplied by; a pause ends only by people."""
    if is_paused or stage is Stage.EXIT:
        return 0
    return limits.reduce_multiplier_bps if stage is Stage.REDUCE else _BPS

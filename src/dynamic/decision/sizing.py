"""Sizing: how much of the ladder's share is really held, decided before the fall.

    cushion = NAV - (1 - floor) x peak                 never below zero
    cap     = multiple x cushion                       USD of volatile assets
    target  = min(ladder share of NAV, cap, 40 % of NAV)

The peak is the treasury's own, flow-adjusted, and never ages: the limit it defends does not
age either. The way back in is stated by the formula: yield and gains reopen the cushion
`multiple` times over, and MVRV below zero lifts the ladder itself. Selling is immediate and
whole; buying happens in daily steps and only where the phase allows it.

Three modes stand side by side in every report:

    ladder    the ladder as written: target = ladder share
    stages    and C-62's stages, taken literally: x 0.5 at -15 %, out at -20 % until people resume
    default   the cushion above, with the same stages as a backstop it should never reach

The floor (18 %) is 20 % less what a treasury that acts once a day overshoots in a fall. The
multiple is 1 / 0.202: in the worst hour on record a 50/50 mix lost 20.2 % (2020-03-12 10:00 UTC),
so that from anywhere above the floor one missed hourly cycle does not break the limit. Twelve
missed ones could: the worst day lost 48 %. Source: Black and Jones, "Simplifying Portfolio
Insurance" (1987); what other numbers cost is in docs/adr/0005. Rounding: targets and buys down,
peaks and sells up.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from dynamic.policy.drawdown import Stage, drawdown_bps, stage_of, target_multiplier_bps
from dynamic.policy.mandate import Mandate
from dynamic.signals.signal import Trigger
from dynamic.units import BPS, Rounding, bps_of, divide, format_usd


class Action(StrEnum):
    """What the sizing asks for."""

    HOLD = "hold"
    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True)
class SizingMemory:
    """What sizing remembers. `is_buying` lasts until the target is reached or forbidden."""

    peak_usd_micro: int = 0
    ladder_bps: int | None = None
    is_buying: bool = False
    is_paused: bool = False  # since -20 %; only people resume
    bought_day: int = -1  # UTC day of the last buy, or of the eve of buying
    target_usd_micro: int | None = None  # what ladder, cushion and limit left, last time


@dataclass(frozen=True, slots=True)
class Exposure:
    """The treasury at this instant, in usd_micro.

    `tactical` is what the ladder may buy and sell; `volatile` counts the gas reserve too, and
    is what the hard limit is held against. `day` is the UTC day since 1970; `sale_gas` is what
    the gas of one sale costs now.
    """

    nav: int
    tactical: int
    volatile: int
    day: int
    sale_gas: int = 0


@dataclass(frozen=True, slots=True)
class Sizing:
    """What to hold, and the trade that leads there; `reason` quotes its numbers."""

    action: Action
    target_usd_micro: int
    trade_usd_micro: int
    stage: Stage
    cause: str  # from the closed list of triggers
    reason: str


def with_flow(memory: SizingMemory, nav_usd_micro: int, flow_usd_micro: int) -> SizingMemory:
    """Scale the peak by a capital flow, rounded up: a deposit is no gain, a payout no loss."""
    if nav_usd_micro <= 0:
        return replace(memory, peak_usd_micro=max(nav_usd_micro + flow_usd_micro, 0))
    scaled = memory.peak_usd_micro * (nav_usd_micro + flow_usd_micro)
    return replace(memory, peak_usd_micro=divide(scaled, nav_usd_micro, Rounding.UP))


def size(
    ladder_bps: int,
    allows_increase: bool,
    exposure: Exposure,
    memory: SizingMemory,
    mandate: Mandate,
) -> tuple[Sizing, SizingMemory]:
    """Decide what share of NAV to hold in BTC and ETH, and the trade towards it.

    `ladder_bps` is the ladder's share of the tactical layer (6 000 = 60 %). Stages, cushion
    and the hard limit only ever lower what follows from it.
    """
    nav = exposure.nav
    peak = max(memory.peak_usd_micro, nav)
    stage = stage_of(nav, peak, mandate.drawdown)
    is_paused = memory.is_paused or stage is Stage.EXIT
    cap = _cap(nav, peak, mandate)
    target = _target(ladder_bps, cap, stage, is_paused, exposure, mandate)
    has_crossed = memory.ladder_bps is not None and ladder_bps != memory.ladder_bps
    sell, cause = _sell(target, cap, has_crossed, stage, is_paused, exposure, mandate)
    wants = target - exposure.tactical if allows_increase and not (sell or is_paused) else 0
    is_buying = wants >= mandate.trades.leg_usd_micro_min and (
        memory.is_buying
        or has_crossed
        or memory.ladder_bps is None
        or wants * BPS > mandate.trades.drift_bps * nav
    )
    bought_day = memory.bought_day if memory.is_buying else exposure.day - 1
    days = exposure.day - bought_day
    buy = min(wants, _buy_max(nav, days, mandate)) if is_buying and days > 0 else 0
    # A step that was crossed stays crossed until its sale has been carried out.
    after = replace(
        memory,
        peak_usd_micro=peak,
        ladder_bps=memory.ladder_bps if sell else ladder_bps,
        is_buying=is_buying,
        is_paused=is_paused,
        bought_day=bought_day,
        target_usd_micro=target,
    )
    action = Action.SELL if sell else Action.BUY if buy else Action.HOLD
    reason = (
        f"ladder {ladder_bps} bps of the tactical layer, "
        f"drawdown {drawdown_bps(nav, peak)} bps, cap {format_usd(min(cap, nav), 0)}, "
        f"target {format_usd(target, 0)}, held {format_usd(exposure.tactical, 0)} "
        f"of {format_usd(nav, 0)}"
    )
    return Sizing(action, target, sell or buy, stage, cause, reason), after


def _cap(nav: int, peak: int, mandate: Mandate) -> int:
    """Return the most volatile value the cushion carries; the whole NAV where none applies."""
    if mandate.sizing.mode != "default":
        return nav
    floor = bps_of(peak, BPS - mandate.sizing.floor_bps, Rounding.UP)
    return bps_of(max(nav - floor, 0), mandate.sizing.cushion_multiple_bps, Rounding.DOWN)


def _target(
    ladder_bps: int, cap: int, stage: Stage, is_paused: bool, exposure: Exposure, mandate: Mandate
) -> int:
    layer = bps_of(exposure.nav, mandate.treasury.tactical_bps, Rounding.DOWN)
    ladder = bps_of(layer, ladder_bps, Rounding.DOWN)
    staged = target_multiplier_bps(stage, is_paused, mandate.drawdown)
    limits = mandate.exposure
    reserve = exposure.volatile - exposure.tactical
    allowed_bps = bps_of(limits.volatile_bps_max, staged, Rounding.DOWN)
    room = bps_of(exposure.nav, max(allowed_bps - limits.order_headroom_bps, 0), Rounding.DOWN)
    return max(min(bps_of(ladder, staged, Rounding.DOWN), cap, room - reserve), 0)


def _sell(
    target: int,
    cap: int,
    has_crossed: bool,
    stage: Stage,
    is_paused: bool,
    exposure: Exposure,
    mandate: Mandate,
) -> tuple[int, str]:
    """Return the value to sell now, in one whole step, and why; (0, none) if nothing."""
    nav, held = exposure.nav, exposure.tactical
    excess = held - target
    band = mandate.sizing.cushion_band_bps * nav
    reasons = (
        (is_paused or (stage is Stage.REDUCE and excess * BPS > band), Trigger.DRAWDOWN_STAGE),
        (_asks_trim(exposure, mandate), Trigger.VOLATILE_CAP),
        (has_crossed, Trigger.PHASE_CHANGE),
        ((held - cap) * BPS > band, Trigger.SIZING),
        (excess * BPS > mandate.trades.drift_bps * nav, Trigger.DRIFT),
    )
    cause = next((trigger for holds, trigger in reasons if holds), Trigger.NONE)
    if cause is Trigger.NONE:
        return 0, cause.value
    if cause is Trigger.VOLATILE_CAP:
        trimmed = bps_of(nav, mandate.exposure.volatile_trim_to_bps, Rounding.DOWN)
        excess = max(excess, exposure.volatile - trimmed)
    excess = min(excess, held)
    if excess < mandate.exposure.trim_excess_usd_micro_min and not is_paused:
        return 0, Trigger.NONE.value
    return max(excess, 0), cause.value


def _asks_trim(exposure: Exposure, mandate: Mandate) -> bool:
    """Whether prices alone have led so far above the hard limit that it is worth a sale (C-02)."""
    limits = mandate.exposure
    above = exposure.volatile * BPS - limits.volatile_bps_max * exposure.nav
    least = max(limits.trim_excess_usd_micro_min, limits.trim_gas_multiple * exposure.sale_gas)
    return above > 0 and above >= least * BPS


def _buy_max(nav: int, days: int, mandate: Mandate) -> int:
    """Return the most that may be bought now: a step for each day since the last purchase.

    Days on which gas was too dear are made up for, so that dear gas makes fewer and larger
    purchases, never smaller ones. One per cent below unattended authority, because the least
    accepted and the fee must fit under it as well.
    """
    step = bps_of(nav, mandate.sizing.buy_bps_per_day_max, Rounding.DOWN) * days
    unattended = mandate.authority.unattended_usd_micro_max
    return min(
        max(step, mandate.trades.leg_usd_micro_min), bps_of(unattended, 9_900, Rounding.DOWN)
    )

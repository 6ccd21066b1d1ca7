"""Targets: what was promised, recomputed, with the corrected sum beside it (C-19, C-20).

The published table takes a whole year of base interest into six months: 15,600 USD instead
of 7,800. Both are shown; neither is typed in, so nobody can update one and forget the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dynamic.units import BPS

_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Target:
    """One scenario: its gain in usd_micro, and the same in bps of all capital, floored."""

    name: str
    base_usd_micro: int
    tactical_usd_micro: int
    gain_usd_micro: int
    gain_bps: int


@dataclass(frozen=True, slots=True)
class Plans:
    """What the targets assume: capital, its layers, the base yield and the horizon."""

    capital_usd_micro: int
    base_bps: int
    base_apy_bps: int
    months: int


def interest_usd_micro(principal_usd_micro: int, apy_bps: int, months: int) -> int:
    """Return simple interest over months, as the published table counts it, floored."""
    return principal_usd_micro * apy_bps * months // (BPS * _MONTHS)


def target(name: str, plans: Plans, tactical_gain_bps: int, *, as_published: bool) -> Target:
    """Return one scenario; as published it counts twelve months of interest."""
    base = plans.capital_usd_micro * plans.base_bps // BPS
    months = _MONTHS if as_published else plans.months
    earned = interest_usd_micro(base, plans.base_apy_bps, months)
    tactical = (plans.capital_usd_micro - base) * tactical_gain_bps // BPS
    gain = earned + tactical
    return Target(name, earned, tactical, gain, gain * BPS // plans.capital_usd_micro)


def targets(plans: Plans) -> dict[str, tuple[Target, Target]]:
    """Return (as published, corrected) for the conservative and the optimistic scenario.

    Conservative: the tactical layer gains half. Optimistic: it doubles.
    """
    return {
        name: (
            target(name, plans, gain_bps, as_published=True),
            target(name, plans, gain_bps, as_published=False),
        )
        for name, gain_bps in (("conservative", 5_000), ("optimistic", 10_000))
    }


def blended_apy(lent_usd_micro: Mapping[str, int], apys: Mapping[str, float]) -> float | None:
    """Return what the base layer earns in all, by value (C-20); None where a part is not known."""
    whole = sum(lent_usd_micro.values())
    if not whole or not apys.keys() >= lent_usd_micro.keys():
        return None
    return sum(amount * apys[name] for name, amount in lent_usd_micro.items()) / whole

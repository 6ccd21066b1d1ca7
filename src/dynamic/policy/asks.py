"""Asks: what is permitted only if a person looks at it first.

    Ask : Case -> findings; any finding raises the signatures to at least one

An ask never denies and never lowers: it is how unusual moves (GR-29) and middle-sized
protocols (GR-14: 10 M to 1 B) wait for a person.
"""

from collections.abc import Callable
from typing import Final

from dynamic.policy.case import Case
from dynamic.policy.finding import Finding
from dynamic.policy.proposal import Urgency
from dynamic.units import DAY_S, HOUR_S

Ask = Callable[[Case], tuple[Finding, ...]]
_BPS = 10_000


def tvl_not_automatic(case: Case) -> tuple[Finding, ...]:
    """A protocol below the automatic TVL takes money only after a person agreed."""
    if not case.enters:
        return ()
    least, found = case.mandate.protocol_limits.tvl_automatic_usd_micro_min, []
    for location in sorted({m.move.receive.location for m in case.moves if m.enters}):
        fact = case.situation.protocols.get(location)
        if fact is not None and fact.tvl_usd_micro is not None and fact.tvl_usd_micro < least:
            found.append(Finding("tvl-automatic", fact.tvl_usd_micro, least, "usd_micro", location))
    return tuple(found)


def unusual_size(case: Case) -> tuple[Finding, ...]:
    """One discretionary move that is large for this treasury."""
    limit, nav = case.mandate.anomaly.move_bps_max, case.situation.nav_usd_micro
    if case.proposal.urgency is not Urgency.DISCRETIONARY:
        return ()
    return tuple([
        Finding("unusual-size", -(-m.notional * _BPS // nav), limit, "bps", m.route)
        for m in case.moves
        if nav > 0 and m.notional * _BPS > limit * nav
    ])  # fmt: skip


def unusual_frequency(case: Case) -> tuple[Finding, ...]:
    """More moves within an hour than this treasury ever needs."""
    if not case.moves or case.is_preauthorised:
        return ()
    since = case.situation.now_s - HOUR_S
    recent = sum([p.at_s > since for p in case.situation.past_moves]) + len(case.moves)
    limit = case.mandate.anomaly.moves_per_hour_max
    return (Finding("unusual-frequency", recent, limit, "moves"),) if recent > limit else ()


def unusual_hour(case: Case) -> tuple[Finding, ...]:
    """A person proposing at an hour at which people here do not."""
    if not case.moves or not case.proposal.actor.startswith("operator:"):
        return ()
    if case.proposal.urgency is Urgency.EMERGENCY:
        return ()
    hours, hour = case.mandate.anomaly, case.situation.now_s % DAY_S // HOUR_S
    first, last = hours.operator_hour_first, hours.operator_hour_last
    usual = first <= hour <= last if first <= last else hour >= first or hour <= last
    return () if usual else (Finding("unusual-hour", hour, f"{first} to {last}", "hour"),)


ASKS: Final[tuple[Ask, ...]] = (tvl_not_automatic, unusual_size, unusual_frequency, unusual_hour)

"""Listings: which protocols and assets are on the allow-list, and what an entry must satisfy.

The judge and the allocator ask the same functions, so what is proposed is what passes. A fact
that is unknown refuses entry; leaving is never refused here.
"""

from dynamic.policy.finding import Finding
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Position
from dynamic.policy.sections import Listing
from dynamic.policy.situation import ProtocolFact, Situation

SWAP_VENUE_ROLE = "swap"
_HUNDRED_PERCENT = 10_000


def listing_of(position: Position, mandate: Mandate) -> Listing | None:
    """Return the listing that lets us hold `position`; None where nothing does.

    The wallet may hold what a listed swap venue trades; an asset ending in * names a family.
    """
    if position.location == "wallet":
        for listing in mandate.protocols.values():
            if listing.role == SWAP_VENUE_ROLE and covers(listing, position.asset):
                return listing
        return None
    listed = mandate.protocols.get(position.location)
    if listed is None or listed.role == SWAP_VENUE_ROLE or not covers(listed, position.asset):
        return None
    return listed


def covers(listing: Listing, asset: str) -> bool:
    """Say whether a listing names an asset, or its family."""
    if asset in listing.assets:
        return True
    return any(name[-1] == "*" and asset.startswith(name[:-1]) for name in listing.assets)


def deny_entry(
    position: Position, after_usd_micro: int, situation: Situation, mandate: Mandate
) -> list[Finding]:
    """Report all that speaks against holding `after_usd_micro` at a protocol."""
    fact = situation.protocols.get(position.location)
    where = str(position)
    if fact is None:
        return [Finding("protocol-known", "nothing", "its facts", "facts", where)]
    limits, found = mandate.protocol_limits, []
    score = _score(fact, mandate.protocols.get(position.location))
    if fact.is_paused is not False:
        shown = "unknown" if fact.is_paused is None else "paused"
        found.append(Finding("protocol-open", shown, "open", "state", where))
    if score is None or score > limits.risk_score_max:
        shown_score = "unknown" if score is None else score
        found.append(Finding("risk-score", shown_score, limits.risk_score_max, "of 10", where))
    if fact.provenance not in mandate.data.new_risk_provenance:
        takes = " or ".join(mandate.data.new_risk_provenance)
        found.append(Finding("protocol-provenance", str(fact.provenance), takes, "kind", where))
    _at_least(found, "tvl", fact.tvl_usd_micro, limits.tvl_usd_micro_min, where)
    _at_least(found, "pool-tvl", fact.pool_tvl_usd_micro, limits.pool_tvl_usd_micro_min, where)
    _at_least(found, "exit-capacity", fact.exit_capacity_24h_usd_micro, after_usd_micro, where)
    pool = fact.pool_tvl_usd_micro or 0
    if pool and after_usd_micro * _HUNDRED_PERCENT > limits.pool_share_bps_max * pool:
        share = -(-after_usd_micro * _HUNDRED_PERCENT // pool)
        found.append(Finding("pool-share", share, limits.pool_share_bps_max, "bps", where))
    return found


def room_usd_micro(position: Position, situation: Situation, mandate: Mandate) -> int:
    """Return up to how much `position` may be worth after a deposit; 0 where entry is refused."""
    fact = situation.protocols.get(position.location)
    if fact is None or listing_of(position, mandate) is None:
        return 0
    if deny_entry(position, 0, situation, mandate):
        return 0
    pool, leave = fact.pool_tvl_usd_micro, fact.exit_capacity_24h_usd_micro
    if pool is None or leave is None:
        return 0
    return min(pool * mandate.protocol_limits.pool_share_bps_max // _HUNDRED_PERCENT, leave)


def _score(fact: ProtocolFact, listing: Listing | None) -> int | None:
    """The worse of what is observed and what we listed; unknown stays unknown."""
    if fact.risk_score is None or listing is None:
        return None
    return max(fact.risk_score, listing.risk_score)


def _at_least(found: list[Finding], rule: str, value: int | None, least: int, where: str) -> None:
    if value is None:
        found.append(Finding(rule, "unknown", least, "usd_micro", where))
    elif value < least:
        found.append(Finding(rule, value, least, "usd_micro", where))

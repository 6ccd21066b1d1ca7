"""Risk at a glance: the analyzer behind which the room's answers stand together (GR-17).

    validate_allocation    does a target respect the caps
    calculate_var          what a bad day may cost
    check_concentration    which positions are above the cap, and which must be trimmed
    assess_protocol_risk   may money enter a protocol, and why not

It holds a mandate and nothing else; every answer is recomputed from what is handed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dynamic.policy.case import WALLET, exposure_usd_micro
from dynamic.policy.finding import Finding
from dynamic.policy.listing import deny_entry, listing_of
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Position
from dynamic.policy.situation import Situation
from dynamic.policy.var import Returns, Var, value_at_risk
from dynamic.units import AssetKind

_BPS = 10_000
VOLATILE_BUCKETS = ("btc", "eth")


@dataclass(frozen=True, slots=True)
class Concentration:
    """One position's share of NAV, rounded up."""

    position: Position
    share_bps: int
    is_above_cap: bool
    must_trim: bool


@dataclass(frozen=True, slots=True)
class RiskAnalyzer:
    """The risk questions people and pages ask, under one mandate."""

    mandate: Mandate

    def validate_allocation(self, target_bps: Mapping[str, int]) -> tuple[Finding, ...]:
        """Report what speaks against a target over base_yield, btc, eth, cash (bps of NAV)."""
        found = []
        if sum(target_bps.values()) != _BPS:
            found.append(Finding("target-sum", sum(target_bps.values()), _BPS, "bps"))
        for bucket, share in target_bps.items():
            if share < 0:
                found.append(Finding("target-sign", share, 0, "bps", bucket))
        limits = self.mandate.exposure
        volatile = sum(target_bps.get(bucket, 0) for bucket in VOLATILE_BUCKETS)
        if volatile > limits.volatile_bps_max:
            found.append(Finding("volatile-cap", volatile, limits.volatile_bps_max, "bps"))
        for bucket in VOLATILE_BUCKETS:
            share = target_bps.get(bucket, 0)
            if share > limits.position_bps_max:
                found.append(Finding("position-cap", share, limits.position_bps_max, "bps", bucket))
        return tuple(found)

    def calculate_var(
        self,
        returns: Returns,
        exposures_usd_micro: Sequence[int],
    ) -> tuple[Var, ...] | None:
        """State the mandate's VaR over at most its window of the latest days."""
        var = self.mandate.var
        latest = returns[-var.window_days :]
        return value_at_risk(latest, exposures_usd_micro, var.confidence_bps, var.horizon_days)

    def check_concentration(self, situation: Situation) -> tuple[Concentration, ...]:
        """Measure every position but the stables at home, largest share first."""
        nav, limits = situation.nav_usd_micro, self.mandate.exposure
        if nav <= 0:
            return ()
        found = []
        for position in situation.values_usd_micro:
            asset = situation.assets.get(position.asset)
            if position.location == WALLET and asset is not None and asset.kind is AssetKind.STABLE:
                continue
            held = exposure_usd_micro(position, situation) * _BPS
            found.append(
                Concentration(
                    position,
                    -(-held // nav),
                    held > limits.position_bps_max * nav,
                    held > limits.position_trim_bps * nav,
                )
            )
        return tuple(sorted(found, key=lambda c: (-c.share_bps, c.position)))

    def assess_protocol_risk(
        self, position: Position, after_usd_micro: int, situation: Situation
    ) -> tuple[Finding, ...]:
        """Report what speaks against holding an amount at a protocol; empty means it may enter."""
        if listing_of(position, self.mandate) is None:
            found = Finding("allow-list", str(position), "a listed protocol and asset", "place")
            return (found, *deny_entry(position, after_usd_micro, situation, self.mandate))
        return tuple(deny_entry(position, after_usd_micro, situation, self.mandate))

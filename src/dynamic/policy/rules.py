"""The rules: each looks at one limit, reports where it is hit, and can only remove permission.

    Rule : Case -> findings, none where the limit holds

Limits are inclusive unless a row says otherwise: 40.00 % passes, 40.01 % does not. A rule that
meets something unknown reports it; absence is never permission. Moves that only lower risk
meet fewer rules, because a limit must not prevent safety (C-15).
"""

from collections.abc import Callable
from typing import Final

from dynamic.policy.authority import amount_usd_micro, signatures_for
from dynamic.policy.case import WALLET, Case, exposure_usd_micro, slippage_bps_max
from dynamic.policy.drawdown import Stage, stage_of
from dynamic.policy.finding import Finding
from dynamic.policy.listing import deny_entry, listing_of
from dynamic.policy.proposal import Position, Urgency
from dynamic.policy.sections import clip_usd_micro_max
from dynamic.policy.situation import SwitchState
from dynamic.units import DAY_S, AssetKind

Findings = tuple[Finding, ...]
Rule = Callable[[Case], Findings]
NONE: Final[Findings] = ()
BPS = 10_000


def _up_bps(part: int, whole: int) -> int:
    """Share in bps, rounded up; a share of nothing is beyond every limit."""
    return -(-part * BPS // whole) if whole > 0 else 10**9


# --- may we act at all --------------------------------------------------------------------------


def switch(case: Case) -> Findings:
    """HALTED sends nothing; REDUCING raises no exposure (I-18)."""
    state = case.situation.switch
    if state is SwitchState.ACTIVE:
        return NONE
    if state is SwitchState.REDUCING:
        if not (case.acquires or case.enters):
            return NONE
        return (Finding("switch", "raises exposure", "reducing only", "state"),)
    return (Finding("switch", str(state), str(SwitchState.ACTIVE), "state"),)


def well_formed(case: Case) -> Findings:
    """A move spends something of one position into another, for at least something."""
    found = [
        Finding(
            "well-formed", f"{m.spend_units} -> {m.receive_units_min}", "positive units", "units",
            f"{m.spend} -> {m.receive}",
        )
        for m in case.proposal.moves
        if m.spend_units <= 0 or m.receive_units_min <= 0 or m.spend == m.receive
    ]  # fmt: skip
    found += [Finding("asset-known", a, "a known asset", "asset", a) for a in case.unknown_assets]
    if case.situation.nav_usd_micro <= 0:
        found.append(Finding("nav-known", case.situation.nav_usd_micro, 1, "usd_micro"))
    return tuple(found)


def urgency_claim(case: Case) -> Findings:
    """An exemption is only for what lowers risk, and only for a reason that exists."""
    urgency = case.proposal.urgency
    if urgency is Urgency.DISCRETIONARY:
        return NONE
    if urgency is Urgency.MAINTENANCE:
        return _maintenance_claim(case)
    found = []
    if case.acquires:
        found.append(
            Finding("urgency-claim", f"{urgency} acquires volatile", "reductions", "claim")
        )
    entering = sum([m.notional for m in case.moves if m.enters])
    freed = sum([m.notional for m in case.moves if m.releases or m.leaves])
    if entering > freed:
        found.append(Finding("urgency-claim", entering, freed, "usd_micro", "entered, of freed"))
    if urgency is Urgency.EMERGENCY and not case.has_emergency_ground:
        found.append(Finding("emergency-ground", len(set(case.situation.emergency_triggers)),
                             case.mandate.emergency.triggers_min, "triggers"))  # fmt: skip
    return tuple(found)


def _maintenance_claim(case: Case) -> Findings:
    """Maintenance redeems claims and fills the gas reserve; nothing else."""
    reserve = case.mandate.treasury.gas_reserve_usd_micro
    bought = sum([m.notional for m in case.moves if m.acquires])
    found = [
        Finding("urgency-claim", f"maintenance buys {m.move.receive}", "native gas only", "claim")
        for m in case.moves
        if m.acquires and m.move.receive != Position(WALLET, "ETH")
    ]
    if bought and bought + exposure_usd_micro(Position(WALLET, "ETH"), case.situation) > reserve:
        found.append(Finding("urgency-claim", bought, reserve, "usd_micro", "gas reserve"))
    if any(m.enters for m in case.moves):
        found.append(Finding("urgency-claim", "maintenance enters", "redemptions", "claim"))
    return tuple(found)


def residue(case: Case) -> Findings:
    """A difference between books and chain blocks new risk until it is named (PM-08)."""
    if case.situation.open_residues and (case.acquires or case.enters):
        return (Finding("open-residue", case.situation.open_residues, 0, "residues"),)
    return NONE


# --- prices and balances ------------------------------------------------------------------------


def price_known(case: Case) -> Findings:
    """Every asset touched has a price."""
    return tuple([Finding("price-known", "missing", "a price", "price", k) for k in case.unpriced])


def price_fresh(case: Case) -> Findings:
    """Every price leaned on is young enough; one from the future is a lie."""
    now_s, limit_s = case.situation.now_s, case.mandate.data.age_s_max["price"]
    return tuple([
        Finding("price-fresh", now_s - fact.observed_at_s, limit_s, "s", key)
        for key, fact in case.facts.items()
        if not 0 <= now_s - fact.observed_at_s <= limit_s
    ])  # fmt: skip


def price_provenance(case: Case) -> Findings:
    """New risk leans on observed prices; a reduction may lean on a little less."""
    data = case.mandate.data
    takes = data.new_risk_provenance if case.acquires or case.enters else data.reduction_provenance
    return tuple([
        Finding("price-provenance", str(fact.provenance), " or ".join(takes), "kind", key)
        for key, fact in case.facts.items()
        if fact.provenance not in takes
    ])  # fmt: skip


def balance(case: Case) -> Findings:
    """Never spend more than is held, counting what the same proposal frees at the least."""
    units: dict[Position, int] = {}
    for m in case.proposal.moves:
        units[m.spend] = units.get(m.spend, 0) - m.spend_units
        units[m.receive] = units.get(m.receive, 0) + m.receive_units_min
    held = case.situation.units
    return tuple([
        Finding("balance", -change, held.get(position, 0), "base units", str(position))
        for position, change in units.items()
        if change < 0 and held.get(position, 0) + change < 0
    ])  # fmt: skip


def min_receive(case: Case) -> Findings:
    """The least we accept stays near our own fair value (GR-24); more than fair is no quote."""
    found = []
    for m in case.moves:
        limit = slippage_bps_max(m, case.mandate.slippage)
        allowed = limit * m.notional + 2 * BPS  # both roundings, a micro-dollar each
        if (m.notional - m.received) * BPS > allowed:
            lost = _up_bps(m.notional - m.received, m.notional)
            found.append(Finding("min-receive", lost, limit, "bps", m.route))
        elif (m.received - m.notional) * BPS > allowed:
            gain = -_up_bps(m.received - m.notional, m.notional)
            found.append(Finding("min-receive", gain, -limit, "bps", m.route))
    return tuple(found)


# --- what may be held ---------------------------------------------------------------------------


def _raises_volatile(case: Case) -> bool:
    return case.volatile_after > case.situation.volatile_values_usd_micro


def _is_upkeep(case: Case) -> bool:
    """Say whether this only fills the gas reserve, which `urgency_claim` has verified (GR-05)."""
    return case.proposal.urgency is Urgency.MAINTENANCE


def volatile_cap(case: Case) -> Findings:
    """No order ends above the cap; one that lowers the share is welcome even while above (C-02)."""
    limit = case.mandate.exposure.volatile_bps_max
    if not case.acquires or case.volatile_after * BPS <= limit * case.nav_after:
        return NONE
    if not _raises_volatile(case):
        return NONE
    return (Finding("volatile-cap", _up_bps(case.volatile_after, case.nav_after), limit, "bps"),)


def drawdown_stage(case: Case) -> Findings:
    """After -15 % the cap is multiplied; after -20 % or a pause nothing is bought (C-62)."""
    if not (case.acquires and _raises_volatile(case)) or _is_upkeep(case):
        return NONE
    s, limits = case.situation, case.mandate.drawdown
    stage = stage_of(s.nav_usd_micro, s.high_water_usd_micro, limits)
    if stage < Stage.REDUCE and not s.drawdown_paused:
        return NONE
    paused = s.drawdown_paused or stage is Stage.EXIT
    cap = case.mandate.exposure.volatile_bps_max
    limit = 0 if paused else cap * limits.reduce_multiplier_bps // BPS
    if case.volatile_after * BPS <= limit * case.nav_after:
        return NONE
    return (Finding("drawdown-stage", _up_bps(case.volatile_after, case.nav_after), limit, "bps"),)


def phase_unknown(case: Case) -> Findings:
    """Without a phase nothing volatile is added (SG-20), but the gas to leave with."""
    if _is_upkeep(case):
        return NONE
    if case.situation.phase == "unknown" and case.acquires and _raises_volatile(case):
        before = case.situation.volatile_values_usd_micro
        return (Finding("phase-unknown", case.volatile_after, before, "usd_micro"),)
    return NONE


def position_cap(case: Case) -> Findings:
    """No deposit or purchase ends above the cap per protocol and asset; home stables are free."""
    if not (case.enters or case.acquires):
        return NONE
    grown: dict[Position, int] = {}
    for m in case.moves:
        grown[m.move.receive] = grown.get(m.move.receive, 0) + m.notional
        grown[m.move.spend] = grown.get(m.move.spend, 0) - m.notional
    s, limit, found = case.situation, case.mandate.exposure.position_bps_max, []
    for position, change in grown.items():
        if change <= 0:
            continue
        if position.location == WALLET and s.assets[position.asset].kind is AssetKind.STABLE:
            continue
        after = exposure_usd_micro(position, s) + change
        if after * BPS > limit * case.nav_after:
            found.append(Finding("position-cap", _up_bps(after, case.nav_after), limit, "bps",
                                 str(position)))  # fmt: skip
    return tuple(found)


def tactical_clip(case: Case) -> Findings:
    """One tactical order moves at most its share of the tactical layer (GR-13)."""
    turns = [m for m in case.moves if m.acquires or m.releases]
    if not turns:
        return NONE
    mandate = case.mandate
    limit = clip_usd_micro_max(case.situation.nav_usd_micro, mandate.treasury, mandate.exposure)
    return tuple([
        Finding("tactical-clip", m.notional, limit, "usd_micro", m.route)
        for m in turns
        if m.notional > limit
    ])  # fmt: skip


def staged_deploy(case: Case) -> Findings:
    """The tactical layer waits until the base has stood its watch without alerts (PM-13)."""
    if not case.acquires or _is_upkeep(case):
        return NONE
    s, watch_s = case.situation, case.mandate.authority.staged_deploy_s
    if s.base_deployed_at_s is None:
        return (Finding("staged-deploy", "base layer not deployed", f"{watch_s} s after it", "s"),)
    found = []
    if s.now_s - s.base_deployed_at_s < watch_s:
        found.append(Finding("staged-deploy", s.now_s - s.base_deployed_at_s, watch_s, "s"))
    if s.open_alerts:
        found.append(Finding("staged-deploy", s.open_alerts, 0, "alerts"))
    return tuple(found)


# --- where it may go ----------------------------------------------------------------------------


def allow_list(case: Case) -> Findings:
    """Only listed protocols, and only the assets they are listed for (GR-16, C-64)."""
    found = []
    for m in case.proposal.moves:
        found += [
            Finding("allow-list", str(place), "a listed protocol and asset", "place", str(place))
            for place in (m.spend, m.receive)
            if listing_of(place, case.mandate) is None
            and (place is m.receive or place.location != WALLET)
        ]
    return tuple(found)


def entry(case: Case) -> Findings:
    """Money enters only what is open, big enough, safe enough and leavable (GR-14, GR-15, C-03)."""
    if not case.enters:
        return NONE
    grown: dict[Position, int] = {}
    for m in case.moves:
        if m.enters:
            grown[m.move.receive] = grown.get(m.move.receive, 0) + m.notional
    found: list[Finding] = []
    for position, added in grown.items():
        after = exposure_usd_micro(position, case.situation) + added
        found += deny_entry(position, after, case.situation, case.mandate)
    return tuple(found)


# --- how much, how often, at what gas ------------------------------------------------------------


def trade_count(case: Case) -> Findings:
    """Ten discretionary trades per UTC day; reductions the mandate demands are exempt (C-15)."""
    if case.proposal.urgency is not Urgency.DISCRETIONARY or not case.legs:
        return NONE
    today, limit = case.situation.now_s // DAY_S, case.mandate.trades.per_day_max
    made = sum([p.is_discretionary and p.at_s // DAY_S == today for p in case.situation.past_moves])
    if made + case.legs <= limit:
        return NONE
    return (Finding("trade-count", made + case.legs, limit, "trades"),)


def gas_price(case: Case) -> Findings:
    """Gas is known and under its cap; pre-authorised reductions may pay more (C-16)."""
    if not case.proposal.moves:
        return NONE
    price, gas = case.situation.gas_price_wei, case.mandate.gas
    limit = gas.emergency_price_wei_max if case.is_preauthorised else gas.price_wei_max
    if price is None:
        return (Finding("gas-price", "missing", f"{limit} wei", "wei"),)
    return () if 0 <= price <= limit else (Finding("gas-price", price, limit, "wei"),)


def ceiling(case: Case) -> Findings:
    """Beyond the last tranche nothing is permitted, however many sign (I-17)."""
    if signatures_for(case) is not None:
        return NONE
    limit = case.mandate.authority.ceiling_usd_micro_max
    return (Finding("authority", amount_usd_micro(case), limit, "usd_micro"),)


RULES: Final[tuple[Rule, ...]] = (
    switch, well_formed, urgency_claim, residue, price_known, price_fresh, price_provenance,
    balance, min_receive, volatile_cap, drawdown_stage, phase_unknown, position_cap, tactical_clip,
    staged_deploy, allow_list, entry, trade_count, gas_price, ceiling,
)  # fmt: skip

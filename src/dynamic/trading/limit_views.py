"""Views of the limits: every number of the mandate that binds today, observed beside allowed.

An observation that is missing shows as unknown, and unknown is not permitted.
"""

from dataclasses import replace
from typing import Final

from dynamic.adapters.storage.reader import ReadStore
from dynamic.errors import DataUnfit
from dynamic.market.quality import limit_s
from dynamic.market.snapshot import MarketSnapshot
from dynamic.policy.authority import rolling_usd_micro
from dynamic.policy.case import BUY, IN, OUT, SELL
from dynamic.policy.drawdown import drawdown_bps
from dynamic.policy.exits import exits
from dynamic.policy.mandate import Mandate
from dynamic.policy.risk import RiskAnalyzer
from dynamic.policy.situation import Situation
from dynamic.trading import market_views
from dynamic.trading.engine import Engine
from dynamic.trading.views import LimitState, LimitView
from dynamic.units import BPS, DAY_S
from dynamic.workflows.memory import Memory
from dynamic.workflows.observe import assess, read
from dynamic.workflows.parameters import SWAP_VENUE

WARN_SHARE_BPS: Final = 8_000
WATCHED: Final = (
    "price:BTC", "price:ETH", "price:USDC", "mvrv_z:BTC", "fear_greed", "funding:BTC"
)  # fmt: skip


def cap(
    rule: str, label: str, group: str, observed: int | None, limit: int, unit: str,
    *, is_floor: bool = False,
) -> LimitView:  # fmt: skip
    """Return one limit; it warns from four fifths of a cap on."""
    state = LimitState.OK
    if observed is None:
        state = LimitState.UNKNOWN
    elif observed < limit if is_floor else observed > limit:
        state = LimitState.BREACH
    elif not is_floor and observed * BPS >= limit * WARN_SHARE_BPS and limit > 0:
        state = LimitState.WARN
    return LimitView(rule, label, group, observed, limit, unit, state, is_floor)


def limits(engine: Engine, reader: ReadStore) -> list[LimitView]:
    """Return every guardrail, observed against limit, from what is stored and remembered.

    Raises DataUnfit before the first cycle. Ages are counted to now: a loop that stands still
    shows here.
    """
    row, decisions = reader.latest_snapshot(), reader.decisions(1)
    if row is None:
        raise DataUnfit("expected a market snapshot, found none: no cycle has run yet")
    snapshot = market_views.snapshot_of(row)
    phase = decisions[0]["phase"] if decisions else "unknown"
    mandate, io, now_s = engine.treasury.mandate, engine.treasury.io, engine.now_s

    def look(memory: Memory) -> tuple[Situation, int]:
        residues = len(engine.compare().residues)
        situation = assess(
            read(snapshot, memory), memory, mandate, io.switch.state(), phase, residues, now_s
        )
        return situation, memory.diary.gas_usd_micro_in_month_of(now_s)

    situation, month_gas = engine.inspect(look)
    return [
        *_exposure(situation, mandate),
        *_drawdown(situation, mandate),
        *_authority(situation, mandate),
        *_costs(situation, month_gas, mandate),
        *_protocols(situation, mandate),
        *_exits(situation, snapshot, mandate),
        *_data(snapshot, situation, mandate),
    ]


def _exposure(s: Situation, m: Mandate) -> list[LimitView]:
    if not s.values_usd_micro.keys() >= s.units.keys() or s.nav_usd_micro <= 0:
        limit = m.exposure.volatile_bps_max  # a share of a NAV nobody knows is not known
        return [cap("volatile-cap", "Volatile assets of NAV", "exposure", None, limit, "bps")]
    nav = s.nav_usd_micro
    found = [
        cap("volatile-cap", "Volatile assets of NAV", "exposure",
            -(-s.volatile_values_usd_micro * BPS // nav), m.exposure.volatile_bps_max, "bps"),
    ]  # fmt: skip
    for each in RiskAnalyzer(m).check_concentration(s):
        one = cap("position-cap", f"{each.position} of NAV", "exposure", each.share_bps,
                  m.exposure.position_bps_max, "bps")  # fmt: skip
        # What prices alone lead above the cap may stay up to the trim (C-01); nothing is added.
        is_drift = each.is_above_cap and not each.must_trim
        found.append(replace(one, state=LimitState.WARN) if is_drift else one)
    if s.tactical_target_usd_micro is not None:
        held = sum(v for p, v in s.values_usd_micro.items() if p.asset in ("WBTC", "WETH"))
        found.append(
            cap("sizing", "BTC and ETH against ladder and cushion", "exposure", held,
                s.tactical_target_usd_micro + nav * m.trades.drift_bps // BPS, "usd_micro")
        )  # fmt: skip
    return found


def _drawdown(s: Situation, m: Mandate) -> list[LimitView]:
    found: list[LimitView] = []
    fall = None
    if s.values_usd_micro.keys() >= s.units.keys():
        fall = drawdown_bps(s.nav_usd_micro, s.high_water_usd_micro)
    for rule, label, limit in (
        ("drawdown-warn", "Drawdown: people are warned", m.drawdown.warn_bps),
        ("drawdown-reduce", "Drawdown: volatile target halved", m.drawdown.reduce_bps),
        ("drawdown-exit", "Drawdown: all volatile sold", m.drawdown.exit_bps),
    ):
        one = cap(rule, label, "drawdown", fall, limit, "bps")
        # A stage is reached at its number, not beyond it.
        found.append(replace(one, state=LimitState.BREACH) if fall == limit else one)
    return found


def _authority(s: Situation, m: Mandate) -> list[LimitView]:
    authority, now_s = m.authority, s.now_s
    found = []
    for name, label in (
        (BUY, "buys"), (SELL, "sales"), (IN, "into protocols"), (OUT, "out of protocols"),
    ):  # fmt: skip
        moved = rolling_usd_micro(s.past_moves, name, now_s, authority.rolling_window_s)
        limit = authority.unattended_usd_micro_max
        one = cap(f"rolling-{name}", f"Moved in 24 h: {label}", "authority", moved, limit,
                  "usd_micro")  # fmt: skip
        if one.state is LimitState.BREACH and moved <= authority.ceiling_usd_micro_max:
            one = replace(one, state=LimitState.WARN)  # people have signed for it
        found.append(one)
    today = now_s - now_s % DAY_S
    trades = sum(1 for p in s.past_moves if p.at_s >= today and p.is_discretionary)
    limit = m.trades.per_day_max
    found.append(cap("trade-count", "Discretionary trades today", "authority", trades, limit,
                     "trades"))  # fmt: skip
    return found


def _costs(s: Situation, month_gas: int, m: Mandate) -> list[LimitView]:
    gas = m.gas
    budget = s.nav_usd_micro * gas.month_bps_max // BPS
    return [
        cap("gas-price", "Gas price", "costs", s.gas_price_wei, gas.price_wei_max, "wei"),
        cap("month-gas", "Gas this month", "budgets", month_gas, budget, "usd_micro"),
    ]


def _protocols(s: Situation, m: Mandate) -> list[LimitView]:
    bounds, found = m.protocol_limits, list[LimitView]()
    held: dict[str, int] = {}
    for position, value in s.values_usd_micro.items():
        held[position.location] = held.get(position.location, 0) + value
    for name, fact in sorted(s.protocols.items()):
        if name not in m.treasury.base_split_bps:
            continue
        found += [
            cap("tvl-floor", f"{name}: TVL", "protocols", fact.tvl_usd_micro,
                bounds.tvl_usd_micro_min, "usd_micro", is_floor=True),
            cap("pool-tvl-floor", f"{name}: pool TVL", "protocols", fact.pool_tvl_usd_micro,
                bounds.pool_tvl_usd_micro_min, "usd_micro", is_floor=True),
            cap("risk-score", f"{name}: risk score", "protocols", fact.risk_score,
                bounds.risk_score_max, "score"),
        ]  # fmt: skip
        pool = fact.pool_tvl_usd_micro
        share = None if not pool else -(-held.get(name, 0) * BPS // pool)
        found.append(cap("pool-share", f"{name}: our part of the pool", "protocols", share,
                         bounds.pool_share_bps_max, "bps"))  # fmt: skip
    analyzer = RiskAnalyzer(m)
    for place, value in sorted(s.values_usd_micro.items()):
        if place.location in m.treasury.base_split_bps:
            against = analyzer.assess_protocol_risk(place, value, s)
            found.append(cap("entry", f"{place}: objections to entering", "protocols",
                             len(against), 0, "objections"))  # fmt: skip
    return found


def _exits(s: Situation, snapshot: MarketSnapshot, m: Mandate) -> list[LimitView]:
    """Return how long each position takes to leave and what that costs; unknown is too slow."""
    seen = snapshot.fresh(f"exit_capacity_24h:{SWAP_VENUE}")
    swaps = {} if seen is None else {p.asset: int(seen.value) for p in s.values_usd_micro}
    away = [e for e in exits(s, m, swaps) if e.exit_s != 0]
    found, bounds = list[LimitView](), m.exits
    for each in away:
        found += [
            cap("exit-time", f"{each.position}: time to leave", "exits", each.exit_s,
                bounds.normal_s_max, "s"),
            cap("exit-slippage", f"{each.position}: slippage on the way out", "exits",
                each.slippage_bps, bounds.slippage_bps_max, "bps"),
        ]  # fmt: skip
    times = [each.exit_s for each in away]
    known = [time for time in times if time is not None]
    slowest = max(known, default=0) if len(known) == len(times) else None
    one = cap("exit-emergency", "Slowest position in an emergency", "exits", slowest,
              bounds.emergency_s_max, "s")  # fmt: skip
    if one.state is LimitState.BREACH:  # flagged for that day; no rule forbids to hold it
        one = replace(one, state=LimitState.WARN)
    return [*found, one]


def _data(snapshot: MarketSnapshot, s: Situation, m: Mandate) -> list[LimitView]:
    found = []
    for key in WATCHED:
        seen = snapshot.reading(key)
        age = None if seen is None else max(s.now_s - seen.as_of_s, 0)
        limit = limit_s(key, m.data.age_s_max)
        found.append(cap(f"age:{key}", f"Age of {key}", "data", age, limit, "s"))
    found.append(
        cap("open-residue", "Unexplained differences", "data", s.open_residues, 0, "residues")
    )
    return found

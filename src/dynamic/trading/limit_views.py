"""Views of the limits: every number of the mandate that binds today, observed beside allowed.

An observation that is missing shows as unknown, and unknown is not permitted.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from dynamic.errors import DataUnfit
from dynamic.market.quality import limit_s
from dynamic.policy.authority import rolling_usd_micro
from dynamic.policy.case import BUY, IN, OUT, SELL
from dynamic.policy.situation import Situation
from dynamic.trading.views import LimitState, LimitView
from dynamic.units import BPS, DAY_S
from dynamic.workflows.memory import Memory
from dynamic.workflows.observe import assess

if TYPE_CHECKING:
    from dynamic.trading.service import PaperService

WARN_SHARE_BPS = 8_000
GWEI = 10**9


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


def limits(service: "PaperService") -> list[LimitView]:
    """Return every guardrail, observed against limit."""
    engine = service.engine
    report = engine.last
    if report is None:
        raise DataUnfit("expected a cycle of this process, found none: limits are not observed yet")
    situation, month_gas = engine.inspect(_looked(service))
    found = [
        *_exposure(situation, service),
        *_authority(situation, service),
        *_costs(situation, month_gas, service),
        *_protocols(situation, service),
    ]
    ages = service.mandate.data.age_s_max
    for key in ("price:BTC", "price:ETH", "price:USDC", "mvrv_z:BTC", "fear_greed", "funding:BTC"):
        seen = report.view.snapshot.reading(key)
        age = None if seen is None else max(report.at_s - seen.as_of_s, 0)
        found.append(cap(f"age:{key}", f"Age of {key}", "data", age, limit_s(key, ages), "s"))
    found.append(
        cap("open-residue", "Unexplained differences", "data", len(report.residues.residues), 0,
            "residues")
    )  # fmt: skip
    return found


def _looked(service: "PaperService") -> Callable[[Memory], tuple[Situation, int]]:
    engine, report = service.engine, service.engine.last
    assert report is not None

    def look(memory: Memory) -> tuple[Situation, int]:
        situation = assess(
            report.view, memory, service.mandate, engine.treasury.io.switch.state(),
            report.signal.phase.value, len(report.residues.residues), report.at_s,
        )  # fmt: skip
        return situation, memory.diary.month_gas_usd_micro

    return look


def _exposure(s: Situation, service: "PaperService") -> list[LimitView]:
    m, nav = service.mandate, max(s.nav_usd_micro, 1)
    found = [
        cap("volatile-cap", "Volatile assets of NAV", "exposure",
            -(-s.volatile_values_usd_micro * BPS // nav), m.exposure.volatile_bps_max, "bps"),
    ]  # fmt: skip
    for position, value in sorted(s.values_usd_micro.items(), key=lambda item: -item[1]):
        if str(position) == "wallet:USDC":
            continue
        share = -(-value * BPS // nav)
        found.append(
            cap("position-cap", f"{position} of NAV", "exposure", share,
                m.exposure.position_bps_max, "bps")
        )  # fmt: skip
    lost = max(s.high_water_usd_micro - s.nav_usd_micro, 0)
    fall = -(-lost * BPS // max(s.high_water_usd_micro, 1))
    for rule, label, limit in (
        ("drawdown-warn", "Drawdown: people are warned", m.drawdown.warn_bps),
        ("drawdown-reduce", "Drawdown: volatile target halved", m.drawdown.reduce_bps),
        ("drawdown-exit", "Drawdown: all volatile sold", m.drawdown.exit_bps),
    ):
        found.append(cap(rule, label, "drawdown", fall, limit, "bps"))
    if s.tactical_target_usd_micro is not None:
        held = sum(v for p, v in s.values_usd_micro.items() if p.asset in ("WBTC", "WETH"))
        found.append(
            cap("sizing", "BTC and ETH against ladder and cushion", "exposure", held,
                s.tactical_target_usd_micro + nav * m.trades.drift_bps // BPS, "usd_micro")
        )  # fmt: skip
    return found


def _authority(s: Situation, service: "PaperService") -> list[LimitView]:
    authority, now_s = service.mandate.authority, s.now_s
    found = [
        cap(f"rolling-{name}", f"Moved in 24 h: {label}", "authority",
            rolling_usd_micro(s.past_moves, name, now_s, authority.rolling_window_s),
            authority.unattended_usd_micro_max, "usd_micro")
        for name, label in (
            (BUY, "buys"), (SELL, "sales"), (IN, "into protocols"), (OUT, "out of protocols"),
        )
    ]  # fmt: skip
    today = now_s - now_s % DAY_S
    trades = sum(1 for p in s.past_moves if p.at_s >= today and p.is_discretionary)
    limit = service.mandate.trades.per_day_max
    found.append(cap("trade-count", "Discretionary trades today", "authority", trades, limit,
                     "trades"))  # fmt: skip
    return found


def _costs(s: Situation, month_gas: int, service: "PaperService") -> list[LimitView]:
    gas = service.mandate.gas
    budget = s.nav_usd_micro * gas.month_bps_max // BPS
    return [
        cap("gas-price", "Gas price", "costs", s.gas_price_wei, gas.price_wei_max, "wei"),
        cap("month-gas", "Gas this month", "budgets", month_gas, budget, "usd_micro"),
    ]


def _protocols(s: Situation, service: "PaperService") -> list[LimitView]:
    limits_, found = service.mandate.protocol_limits, []
    held: Mapping[str, int] = {}
    for position, value in s.values_usd_micro.items():
        held = {**held, position.location: held.get(position.location, 0) + value}
    for name, fact in sorted(s.protocols.items()):
        if name not in service.mandate.treasury.base_split_bps:
            continue
        found += [
            cap("tvl-floor", f"{name}: TVL", "protocols", fact.tvl_usd_micro,
                limits_.tvl_usd_micro_min, "usd_micro", is_floor=True),
            cap("pool-tvl-floor", f"{name}: pool TVL", "protocols", fact.pool_tvl_usd_micro,
                limits_.pool_tvl_usd_micro_min, "usd_micro", is_floor=True),
            cap("risk-score", f"{name}: risk score", "protocols", fact.risk_score,
                limits_.risk_score_max, "score"),
        ]  # fmt: skip
        pool = fact.pool_tvl_usd_micro
        share = None if not pool else -(-held.get(name, 0) * BPS // pool)
        found.append(cap("pool-share", f"{name}: our part of the pool", "protocols", share,
                         limits_.pool_share_bps_max, "bps"))  # fmt: skip
    return found

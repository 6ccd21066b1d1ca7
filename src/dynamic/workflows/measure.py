"""Measure: mark the treasury, explain the change to the last unit, and score old decisions.

    mark   : view -> NavRecord      NAV, attribution since the last mark, the three benchmarks
    review : due outcomes           decisions 1, 7, 30 and 90 days ago, against doing nothing

A treasury with a position that cannot be priced is not marked: an unknown value is not zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dynamic.errors import DataUnfit, InvariantBroken
from dynamic.ledger.canonical import canonical_json
from dynamic.ledger.entry import Entry, EntryKind, Posting
from dynamic.performance.attribution import Mark, attribute, nav_scaled
from dynamic.performance.benchmarks import Benchmarks
from dynamic.performance.decisions import HORIZONS_D, DecisionClass, Tracked, due, measure, track
from dynamic.performance.valuation import SCALE, unit_value_scaled
from dynamic.policy.drawdown import drawdown_bps
from dynamic.policy.proposal import Position
from dynamic.protocols.pendle_v2 import PREFIX, maturity_of
from dynamic.records import Batch, NavRecord, OutcomeRecord
from dynamic.units import BPS, DAY_S, WAD, AssetKind
from dynamic.workflows.instruments import AAVE, CASH, GAS, registry
from dynamic.workflows.memory import Memory
from dynamic.workflows.observe import View

STATIC_YIELD_BPS = 650  # PF-08: the first benchmark is named by its yield


@dataclass(frozen=True, slots=True)
class Buckets:
    """Values by bucket in usd_micro: base_yield, btc, eth, cash; they sum to NAV."""

    base_yield: int
    btc: int
    eth: int
    cash: int

    def as_dict(self) -> dict[str, int]:
        """Return the buckets by name."""
        return {
            "base_yield": self.base_yield, "btc": self.btc, "eth": self.eth, "cash": self.cash
        }  # fmt: skip

    def bps(self) -> dict[str, int]:
        """Return shares that sum to exactly 10 000; what flooring leaves goes to cash."""
        total = self.base_yield + self.btc + self.eth + self.cash
        if total <= 0:
            return {"base_yield": 0, "btc": 0, "eth": 0, "cash": BPS}
        shares = {name: value * BPS // total for name, value in self.as_dict().items()}
        shares["cash"] += BPS - sum(shares.values())
        return shares


def buckets(values: Mapping[Position, int]) -> Buckets:
    """Sum position values by bucket; the gas reserve is cash that happens to be ETH."""
    base = btc = eth = cash = 0
    for position, value in values.items():
        if position in (CASH, GAS):
            cash += value
        elif position.asset == "WBTC":
            btc += value
        elif position.asset == "WETH":
            eth += value
        else:
            base += value
    return Buckets(base, btc, eth, cash)


@dataclass(frozen=True, slots=True)
class Marked:
    """One mark: the record, and what stands in its payload, still as numbers."""

    record: NavRecord
    attribution: dict[str, int]
    benchmarks: dict[str, int]
    buckets: Buckets


def mark(view: View, memory: Memory, batch: Batch) -> Marked | None:
    """Mark the treasury at this snapshot; None where something held has no price."""
    now_s = view.snapshot.at_s
    units = memory.position_units()
    closing = Mark(now_s, units, dict(view.prices), dict(view.exit_rates))  # type: ignore[arg-type]
    assets = registry(symbol for _, symbol in units)
    try:
        worth = {
            symbol: unit_value_scaled(assets[symbol], closing.prices, closing.rates)
            for _, symbol in units
        }
        parts = _explain(closing, memory)
        marked = _benchmarks(view, memory, parts.get("flows", 0))
    except DataUnfit:
        return None
    nav = nav_scaled(closing.units, worth) // SCALE
    _round_alike(parts, nav - memory.last_nav_usd_micro)
    recorded = dict(parts)
    if memory.opening is not None and memory.opening.at_s == now_s:
        # This record replaces the last mark's, so it explains what that one explained as well.
        for name, value in memory.opening_parts.items():
            recorded[name] += value
    values = {p: count * worth[p.asset] // SCALE for p, count in units.items()}
    volatile = sum(v for p, v in values.items() if assets[p.asset].kind is AssetKind.VOLATILE)
    peak = max(memory.sizing.peak_usd_micro, nav)
    shares = buckets(values)
    payload = {
        "attribution": recorded,
        "benchmarks": marked,
        "buckets": shares.as_dict(),
        "positions": {str(p): v for p, v in values.items()},
        "prices": dict(view.prices),
    }
    record = NavRecord(now_s, nav, volatile, peak, drawdown_bps(nav, peak), canonical_json(payload))
    batch.navs.append(record)
    memory.opening, memory.opening_parts, memory.last_nav_usd_micro = closing, recorded, nav
    memory.posted.clear()
    return Marked(record, parts, marked, shares)


def _round_alike(parts: dict[str, int], change: int) -> None:
    """Let the parts sum to the change of the NAV as it is stored, to the micro.

    NAV is floored at both ends of a span, and its parts once: one micro may lie between.
    """
    between = change - sum(parts.values())
    if between not in (0, 1):
        raise InvariantBroken(f"NAV changed by {change} usd_micro, {between} of it unexplained")
    parts["price"] += between


def _explain(closing: Mark, memory: Memory) -> dict[str, int]:
    """Attribute the change since the last mark; everything posted since is in `memory.posted`."""
    opening = memory.opening or Mark(closing.at_s, {}, closing.prices, closing.rates)
    postings = tuple(
        Posting(account, asset, units) for (account, asset), units in memory.posted.items() if units
    )
    symbols = {symbol for _, symbol in (*opening.units, *closing.units)}
    symbols |= {posting.asset for posting in postings if posting.asset != "USD"}
    ref = f"since:{opening.at_s}"
    entries = (
        (Entry(ref, closing.at_s, EntryKind.TRADE, "since the last mark", ref, postings),)
        if postings
        else ()
    )
    return attribute(opening, closing, entries, registry(symbols)).usd_micro()


def _benchmarks(view: View, memory: Memory, flow_usd_micro: int) -> dict[str, int]:
    now_s = view.snapshot.at_s
    if memory.benchmarks is None:
        if flow_usd_micro <= 0:
            return {}
        memory.benchmarks = Benchmarks.start(flow_usd_micro, view.prices, now_s, STATIC_YIELD_BPS)
        flow_usd_micro = 0
    return memory.benchmarks.step(now_s, view.prices, flow_usd_micro)


def follow(
    decision_id: str,
    about: DecisionClass,
    chosen: dict[Position, int],
    alternative: dict[Position, int],
    memory: Memory,
    batch: Batch,
    now_s: int,
) -> None:
    """Schedule the four looks back at a decision (PF-09, SG-26)."""
    index = {tuple(AAVE): memory.diary.yield_index_ray}
    tracked = track(
        decision_id, now_s, about,
        {tuple(p): n for p, n in chosen.items()},  # type: ignore[misc]
        {tuple(p): n for p, n in alternative.items()},  # type: ignore[misc]
        index,  # type: ignore[arg-type]
    )  # fmt: skip
    memory.followed.append((tracked, 0))
    batch.outcomes.extend(
        OutcomeRecord(decision_id, days, now_s + days * DAY_S, None, None) for days in HORIZONS_D
    )


def review(view: View, memory: Memory, batch: Batch) -> None:
    """Measure every followed decision whose next horizon has come."""
    now_s = view.snapshot.at_s
    kept: list[tuple[Tracked, int]] = []
    for tracked, done in memory.followed:
        if now_s < tracked.due_s(HORIZONS_D[done]):
            kept.append((tracked, done))
            continue
        for days in due(tracked, HORIZONS_D[:done], now_s):
            assets = registry(symbol for _, symbol in tracked.difference)
            try:
                outcome = measure(
                    tracked, days, now_s, assets, view.prices, _rates(tracked, view),
                    {tuple(AAVE): memory.diary.yield_index_ray},  # type: ignore[dict-item]
                )  # fmt: skip
            except DataUnfit:
                break  # looked at again when prices and rates are known
            batch.outcomes.append(
                OutcomeRecord(
                    tracked.decision_id, days, tracked.due_s(days), now_s,
                    outcome.value_added_usd_micro,
                )
            )  # fmt: skip
            done += 1
        if done < len(HORIZONS_D):
            kept.append((tracked, done))
    memory.followed = kept


def _rates(tracked: Tracked, view: View) -> Mapping[str, int]:
    """Return the exit rates, and par for what has matured: it redeems one for one from then on.

    A venue stops telling the rate of a PT nobody holds; without this a decision over one would
    be looked at every day for ever, and never measured.
    """
    matured = {
        symbol: WAD
        for _, symbol in tracked.difference
        if symbol not in view.exit_rates
        and symbol.startswith(PREFIX)
        and view.snapshot.at_s >= maturity_of(symbol)
    }
    return {**view.exit_rates, **matured} if matured else view.exit_rates

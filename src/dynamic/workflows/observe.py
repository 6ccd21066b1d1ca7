"""Observe: one snapshot for the whole cycle, and the treasury's own worth in it.

observe : feed + venue -> MarketSnapshot                     missing stays missing
accrue  : the venue's index -> interest we compute ourselves, booked
assess  : memory + snapshot -> Situation                     what the guardrails will see
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dynamic.ledger.posting import yield_entry
from dynamic.ledger.reconcile import Reconciliation, reconcile
from dynamic.market.observation import Observation, Provenance
from dynamic.market.snapshot import MarketSnapshot, assemble
from dynamic.planning.fair_value import FairValue
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Position
from dynamic.policy.situation import PriceFact, ProtocolFact, Situation, SwitchState
from dynamic.ports import Ports
from dynamic.protocols import aave_v3
from dynamic.records import Batch
from dynamic.units import USD_MICRO, WAD, AssetKind, Rounding
from dynamic.workflows.instruments import AAVE, registry
from dynamic.workflows.memory import Memory

REQUIRED = ("price:BTC", "price:ETH", "price:USDC", "mvrv_z:BTC", "gas:ethereum")
INDEX = "index:aave_v3:USDC"
DOLLARS = frozenset({"USDC"})


@dataclass(frozen=True, slots=True)
class View:
    """One instant: the snapshot, and the fresh numbers in it by name.

    `prices` are usd_micro per whole token by underlying; `exit_rates` and `mid_rates` wad of
    USDC per whole claim.
    """

    snapshot: MarketSnapshot
    prices: Mapping[str, int]
    exit_rates: Mapping[str, int]
    mid_rates: Mapping[str, int]
    fair: FairValue
    price_facts: Mapping[str, PriceFact]


def observe(memory: Memory, io: Ports, mandate: Mandate, now_s: int) -> View:
    """Take the snapshot this cycle decides on."""
    data = mandate.data
    observations = (*io.feed.observe(now_s), *io.venue.observe(now_s))
    return read(
        assemble(now_s, observations, data.age_s_max, data.hard_age_s_max, REQUIRED), memory
    )


def read(snapshot: MarketSnapshot, memory: Memory) -> View:
    """Name the fresh numbers of a snapshot, taken now or stored."""
    prices: dict[str, int] = {}
    exit_rates: dict[str, int] = {}
    mid_rates: dict[str, int] = {}
    for key, reading in snapshot.readings.items():
        if reading.provenance is Provenance.STALE:
            continue
        metric, _, subject = key.partition(":")
        if metric == "price":
            # A dollar token counts at the lower of market and par: a discount is a loss the
            # day it shows, a premium is nobody's until somebody pays it.
            value = int(reading.value)
            prices[subject] = min(value, USD_MICRO) if subject in DOLLARS else value
        elif metric == "rate":
            exit_rates[subject.rpartition(":")[2]] = int(reading.value)
        elif metric in {"virtual_price", "pt_price"}:
            mid_rates[subject.rpartition(":")[2]] = int(reading.value)
    symbols = {position.asset for position in memory.position_units()} | exit_rates.keys()
    fair = FairValue(registry(symbols), prices, mid_rates, exit_rates)
    facts = _price_facts(snapshot, prices, exit_rates)
    return View(snapshot, prices, exit_rates, mid_rates, fair, facts)


def accrue(view: View, memory: Memory, batch: Batch, now_s: int, once_more: str = "") -> None:
    """Book the interest our scaled balance has earned at the index the protocol shows.

    `once_more` names a second accrual in one cycle: what a deposit just booked was rounded by.

    An index that is missing or stale books nothing: the interest waits until it is known.
    """
    reading = view.snapshot.fresh(INDEX)
    if reading is None:
        return
    diary = memory.diary
    index = int(reading.value)
    if diary.scaled:
        earned = aave_v3.claim(diary.scaled, index) - memory.book.units(*AAVE)
        if earned:
            ref = f"accrual:aave_v3:{diary.cycle_no}{once_more}"
            memory.post(batch, yield_entry(now_s, ref, *AAVE, earned))
    diary.yield_index_ray = index


def compare(memory: Memory, io: Ports, now_s: int) -> Reconciliation:
    """Compare the books with what the venue says we hold, to the base unit."""
    observed = {tuple(p): units for p, units in io.venue.balances(now_s).items()}
    return reconcile(memory.book.position_units(), observed)  # type: ignore[arg-type]


def assess(
    view: View,
    memory: Memory,
    mandate: Mandate,
    switch: SwitchState,
    phase: str,
    residues: int,
    now_s: int,
) -> Situation:
    """Gather everything a guardrail may look at; a position without a price has no value."""
    units = memory.position_units()
    assets = view.fair.assets
    values: dict[Position, int] = {}
    volatile = 0
    for position, held in units.items():
        asset = assets[position.asset]
        known = asset.underlying in view.prices and (
            asset.kind is not AssetKind.CLAIM or asset.symbol in view.exit_rates
        )
        if not known:
            continue
        value = view.fair.usd_micro(position.asset, held, Rounding.DOWN)
        values[position] = value
        if asset.kind is AssetKind.VOLATILE:
            volatile += value
    nav = sum(values.values())
    gas = view.snapshot.fresh("gas:ethereum")
    diary = memory.diary
    return Situation(
        now_s=now_s,
        assets=assets,
        units=units,
        values_usd_micro=values,
        prices=view.price_facts,
        protocols=_protocol_facts(view.snapshot, mandate),
        nav_usd_micro=nav,
        high_water_usd_micro=max(memory.sizing.peak_usd_micro, nav),
        past_moves=memory.past_moves,
        gas_price_wei=None if gas is None else int(gas.value),
        switch=switch,
        phase=phase,
        open_residues=residues,
        volatile_values_usd_micro=volatile,
        base_deployed_at_s=diary.base_deployed_at_s,
        policy_signed_until_s=diary.policy_signed_until_s,
        drawdown_paused=memory.sizing.is_paused,
        tactical_target_usd_micro=memory.sizing.target_usd_micro,
    )


def _price_facts(
    snapshot: MarketSnapshot, prices: Mapping[str, int], exit_rates: Mapping[str, int]
) -> dict[str, PriceFact]:
    """Return prices by underlying, and claims by their own symbol at exit value."""
    facts: dict[str, PriceFact] = {}
    for symbol, price in prices.items():
        reading = snapshot.readings[f"price:{symbol}"]
        facts[symbol] = PriceFact(price, reading.as_of_s, reading.provenance)
    dollar = prices.get("USDC")
    if dollar is None:
        return facts
    for key, reading in snapshot.readings.items():
        if key.startswith("rate:"):
            symbol = key.rpartition(":")[2]
            if symbol in exit_rates:
                worth = dollar * exit_rates[symbol] // WAD
                facts[symbol] = PriceFact(worth, reading.as_of_s, reading.provenance)
    return facts


def _protocol_facts(snapshot: MarketSnapshot, mandate: Mandate) -> dict[str, ProtocolFact]:
    """Return what is known of every listed protocol; what is not known stays None."""
    facts: dict[str, ProtocolFact] = {}
    for name, listing in mandate.protocols.items():
        tvl = snapshot.fresh(f"tvl:{name}")
        if tvl is None:
            continue
        facts[name] = ProtocolFact(
            tvl_usd_micro=int(tvl.value),
            pool_tvl_usd_micro=_whole(snapshot.fresh(f"pool_tvl:{name}")),
            risk_score=listing.risk_score,
            is_paused=_flag(snapshot.fresh(f"paused:{name}")),
            exit_capacity_24h_usd_micro=_whole(snapshot.fresh(f"exit_capacity_24h:{name}")),
            provenance=tvl.provenance,
        )
    return facts


def _whole(reading: Observation | None) -> int | None:
    return None if reading is None else int(reading.value)


def _flag(reading: Observation | None) -> bool | None:
    return None if reading is None else bool(reading.value)

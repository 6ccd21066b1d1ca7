"""Paper: the composition of a treasury that trades on real or sampled markets with pretend money.

    feed + paper venue + store + switch + advisor + clock  ->  Ports

One place puts the parts together, for the service, the demo and the replay alike. The paper
venue keeps its own books: what it says we hold is compared with ours in every cycle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from dynamic.adapters.notify.log import LogNotifier
from dynamic.adapters.venues.paper import PaperVenue
from dynamic.adapters.venues.paper_costs import PaperCosts
from dynamic.decision.rule_advisor import RuleAdvisor
from dynamic.errors import DataUnfit
from dynamic.market.observation import Observation
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Position
from dynamic.policy.situation import SwitchState
from dynamic.ports import Clock, Feed, Notifier, Ports, Store, Switch
from dynamic.signals.estimate import DailyPrint, remember
from dynamic.units import USD_MICRO, Rounding, divide
from dynamic.workflows.fund import fund
from dynamic.workflows.instruments import CASH, GAS, registry
from dynamic.workflows.memory import Memory
from dynamic.workflows.parameters import Parameters

FUNDING_KEY: Final = "initial-capital"


class Recorded(Feed, Protocol):
    """A feed that also knows its own past, for warming up the ladder's memory."""

    def history(self, key: str, until_s: int) -> Sequence[Observation]:
        """Return every observation of one key known by `until_s`, oldest first."""
        ...


class PaperFeed:
    """The feed as the treasury sees it: whatever it observes, the paper world lives through too."""

    def __init__(self, feed: Feed, venue: PaperVenue) -> None:
        self.feed = feed
        self._venue = venue

    def observe(self, now_s: int) -> Sequence[Observation]:
        """Return what is known now, after the paper world has moved to now."""
        known = self.feed.observe(now_s)
        self._venue.observe_market(known, now_s)
        return known


class AlwaysActive:
    """The switch of a replay: recorded time has nobody to pull it, and says so by its name."""

    def state(self) -> SwitchState:
        """Return ACTIVE."""
        return SwitchState.ACTIVE

    def lower(self, to: SwitchState, actor: str, reason: str, now_s: int) -> None:
        """Refuse: an invariant broken in replay ends the replay."""
        raise DataUnfit(f"{actor} asked for {to} at {now_s}: {reason}; the replay ends")


@dataclass(frozen=True, slots=True)
class PaperTreasury:
    """A composed paper treasury: its parts, and the ports its workflows get."""

    venue: PaperVenue
    io: Ports
    mandate: Mandate
    parameters: Parameters


def paper_costs(mandate: Mandate, parameters: Parameters) -> PaperCosts:
    """Return the paper venue's assumptions, all from the mandate."""
    stated = mandate.assumptions
    return PaperCosts(
        model=parameters.costs,
        pt_exit_haircut_bps=stated.exit_haircut_bps["pendle_v2"],
        lp_exit_haircut_bps=stated.exit_haircut_bps["curve"],
        tvl_usd_micro=_micro(stated.tvl_usd),
        pool_tvl_usd_micro=_micro(stated.pool_tvl_usd),
        exit_capacity_24h_usd_micro=_micro(stated.exit_capacity_24h_usd),
    )


def _micro(usd: dict[str, int] | object) -> dict[str, int]:
    assert hasattr(usd, "items")
    return {name: amount * USD_MICRO for name, amount in usd.items()}


def assumed_apy(mandate: Mandate) -> dict[str, float]:
    """Return the yields that stand in where none is recorded, as fractions (C-20)."""
    stated = mandate.assumptions.apy_bps
    return {
        "apy:aave_v3:USDC": stated["aave_v3"] / 10_000,
        "apy:pendle_v2:PT-USDC": stated["pendle_v2"] / 10_000,
        "apy:curve:LP-USDC-USDT": stated["curve"] / 10_000,
    }


def compose(
    mandate: Mandate,
    feed: Feed,
    store: Store,
    clock: Clock,
    switch: Switch,
    notifier: Notifier | None = None,
    venue_file: Path | None = None,
) -> PaperTreasury:
    """Put a paper treasury together; without a file its venue lives in memory."""
    parameters = Parameters.of(mandate)
    costs = paper_costs(mandate, parameters)
    assets = registry(())
    venue = (
        PaperVenue(assets, costs)
        if venue_file is None
        else PaperVenue.open(venue_file, assets, costs)
    )
    io = Ports(
        clock=clock,
        feed=PaperFeed(feed, venue),
        venue=venue,
        advisor=RuleAdvisor(mandate),
        switch=switch,
        store=store,
        notifier=notifier or LogNotifier(),
    )
    return PaperTreasury(venue, io, mandate, parameters)


def warm_up(memory: Memory, feed: Recorded, until_s: int, parameters: Parameters) -> None:
    """Give the ladder its past: every daily MVRV print known by `until_s`.

    Without it a treasury born in a bear market takes the fall for a bargain.
    """
    closes = {o.as_of_s: int(o.value) for o in feed.history("price:BTC", until_s)}
    prints = (
        DailyPrint(o.as_of_s, float(o.value), closes.get(o.as_of_s))
        for o in feed.history("mvrv_z:BTC", until_s)
    )
    memory.signal = remember(prints, parameters.signal.ladder)


def pay_in(treasury: PaperTreasury, memory: Memory, now_s: int) -> None:
    """Pay the mandate's capital in, once: USDC, and the gas reserve as native ETH.

    Raises DataUnfit where the prices to value it with are not known.
    """
    if memory.diary.funded_at_s is not None:
        return
    known = {o.key: int(o.value) for o in treasury.io.feed.observe(now_s)}
    try:
        prices = {symbol: known[f"price:{symbol}"] for symbol in ("USDC", "ETH")}
    except KeyError as missing:
        raise DataUnfit(f"expected {missing} to value the capital, found none") from None
    settled = treasury.mandate.treasury
    gas_usd = settled.gas_reserve_usd_micro
    gas = divide(gas_usd * 10**18, prices["ETH"], Rounding.DOWN)
    cash = divide((settled.capital_usd_micro - gas_usd) * 10**6, prices["USDC"], Rounding.DOWN)
    amounts: dict[Position, int] = {CASH: cash, GAS: gas}
    for position, units in amounts.items():
        if not treasury.venue.deposit_capital(position, units, f"{FUNDING_KEY}:{position}"):
            # A process died between venue and books: what it moved then is what is booked now.
            amounts[position] = treasury.venue.balances(now_s)[position]
    fund(amounts, prices, FUNDING_KEY, memory, treasury.io)


Pay = Callable[[int], None]

"""Paper facts: what the paper venue says of itself, each value with where it comes from.

index:aave_v3:USDC           ray      grown from the observed yield
rate:curve:LP-USDC-USDT      wad      USDC per LP token at exit; virtual_price: before haircut
rate:PT-USDC-YYYYMMDD        wad      USDC per PT at exit; pt_price: what it trades at
apy:...                      fraction as the feed gave it
tvl: pool_tvl: exit_capacity_24h: paused:    assumptions a person stated: FALLBACK
"""

from collections.abc import Iterator, Sequence

from dynamic.adapters.venues.paper_costs import PaperCosts
from dynamic.adapters.venues.paper_market import AAVE_APY, CURVE_APY, PENDLE_APY
from dynamic.adapters.venues.paper_state import PaperWorld
from dynamic.market.observation import Observation, Provenance
from dynamic.protocols import pendle_v2
from dynamic.units import BPS, DAY_S

GROWN = "paper venue (grown from yield)"
ASSUMED = "paper venue (assumed)"
TOLD_AFTER_S = 30 * DAY_S


class PaperFacts:
    """Turns the world into observations."""

    def __init__(self, costs: PaperCosts) -> None:
        self._costs = costs
        self._assumed = tuple(
            (f"{metric}:{protocol}", value)
            for metric, table in (
                ("tvl", costs.tvl_usd_micro),
                ("pool_tvl", costs.pool_tvl_usd_micro),
                ("exit_capacity_24h", costs.exit_capacity_24h_usd_micro),
            )
            for protocol, value in table.items()
        )
        self._venues = tuple(costs.model.venues)

    def of(self, world: PaperWorld, now_s: int) -> Sequence[Observation]:
        """Return every fact as of the last market seen, known at `now_s`."""
        if not world.market.at_s:
            return ()
        found = list(self._grown(world, now_s))
        found.extend(world.market.apy_seen.values())
        at_s, fallback = world.market.at_s, Provenance.FALLBACK
        found.extend(
            Observation(key, value, "usd_micro", ASSUMED, at_s, now_s, fallback)
            for key, value in self._assumed
        )
        found.extend(
            Observation(
                f"paused:{venue}", int(venue in world.paused), "ratio", ASSUMED, at_s, now_s,
                fallback,
            )
            for venue in self._venues
        )  # fmt: skip
        return found

    def _grown(self, world: PaperWorld, now_s: int) -> Iterator[Observation]:
        market, costs = world.market, self._costs
        at_s, how = market.at_s, market.provenance_of
        yield Observation(
            "index:aave_v3:USDC", market.index_ray, "ray", GROWN, at_s, now_s, how(AAVE_APY)
        )
        virtual, curve = market.virtual_price_wad, how(CURVE_APY)
        lp = "curve:LP-USDC-USDT"
        exit_wad = virtual * (BPS - costs.lp_exit_haircut_bps) // BPS
        yield Observation(f"virtual_price:{lp}", virtual, "wad", GROWN, at_s, now_s, curve)
        yield Observation(f"rate:{lp}", exit_wad, "wad", GROWN, at_s, now_s, curve)
        # One just sold or redeemed is still told for a while: the books mark it once more.
        symbols = {
            position.asset
            for position, units in world.tokens.items()
            if position.location == "pendle_v2"
            and (units or at_s < pendle_v2.maturity_of(position.asset) + TOLD_AFTER_S)
        }
        symbols.add(pendle_v2.symbol_of(pendle_v2.first_maturity(at_s)))
        for symbol in sorted(symbols):
            price = market.pt_price_wad(symbol)
            if price is None:
                continue
            left_s = pendle_v2.maturity_of(symbol) - at_s
            exit_wad = pendle_v2.exit_rate_wad(price, costs.pt_exit_haircut_bps, left_s)
            pendle = how(PENDLE_APY)
            yield Observation(f"pt_price:{symbol}", price, "wad", GROWN, at_s, now_s, pendle)
            yield Observation(f"rate:{symbol}", exit_wad, "wad", GROWN, at_s, now_s, pendle)

"""Benchmarks: what the same money would have done on the same days without us.

    static_yield   everything at one yield, compounding
    btc_hold       everything in BTC on the first day, kept
    static_60_40   60 % at that yield, 20 % BTC, 20 % ETH, put back to these shares on the
                   first cycle of every calendar month (UTC)

Flows enter and leave all three on the day they enter and leave the treasury, at the shares
above. Nothing is charged for trading, so a benchmark is never beaten by its costs. Amounts
are integers: usd_micro, and tokens in wad; divisions floor.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from dynamic.errors import DataUnfit
from dynamic.protocols.growth import growth_ray
from dynamic.units import BPS, RAY, WAD

NAMES: Final = ("static_yield", "btc_hold", "static_60_40")
_YIELD_SHARE_BPS: Final = 6_000
_BTC_SHARE_BPS: Final = 2_000


@dataclass(slots=True)
class Benchmarks:
    """The three portfolios, advanced once per cycle."""

    at_s: int
    month: int
    apy_bps: int
    static_usd_micro: int
    btc_wad: int
    mix_yield_usd_micro: int
    mix_btc_wad: int
    mix_eth_wad: int

    @classmethod
    def start(
        cls, capital_usd_micro: int, prices: Mapping[str, int], at_s: int, apy_bps: int
    ) -> "Benchmarks":
        """Put the capital to work; DataUnfit without BTC and ETH prices."""
        found = cls(at_s, _month(at_s), apy_bps, 0, 0, 0, 0, 0)
        found._add(capital_usd_micro, *_prices(prices))
        return found

    def step(self, at_s: int, prices: Mapping[str, int], flow_usd_micro: int = 0) -> dict[str, int]:
        """Advance to `at_s`, take in the owner's flow, and return the three values in usd_micro."""
        btc, eth = _prices(prices)
        growth = growth_ray(self.apy_bps * RAY // BPS, at_s - self.at_s)
        self.static_usd_micro = self.static_usd_micro * growth // RAY
        self.mix_yield_usd_micro = self.mix_yield_usd_micro * growth // RAY
        self.at_s = at_s
        month = _month(at_s)
        if month != self.month:
            self.month = month
            whole, self.mix_yield_usd_micro = self._mix(btc, eth), 0
            self.mix_btc_wad = self.mix_eth_wad = 0
            self._add_mix(whole, btc, eth)
        if flow_usd_micro:
            self._add(flow_usd_micro, btc, eth)
        return {
            "static_yield": self.static_usd_micro,
            "btc_hold": self.btc_wad * btc // WAD,
            "static_60_40": self._mix(btc, eth),
        }

    def _mix(self, btc: int, eth: int) -> int:
        return self.mix_yield_usd_micro + (self.mix_btc_wad * btc + self.mix_eth_wad * eth) // WAD

    def _add(self, usd_micro: int, btc: int, eth: int) -> None:
        self.static_usd_micro += usd_micro
        self.btc_wad += usd_micro * WAD // btc
        self._add_mix(usd_micro, btc, eth)

    def _add_mix(self, usd_micro: int, btc: int, eth: int) -> None:
        in_yield = usd_micro * _YIELD_SHARE_BPS // BPS
        in_btc = usd_micro * _BTC_SHARE_BPS // BPS
        self.mix_yield_usd_micro += in_yield
        self.mix_btc_wad += in_btc * WAD // btc
        self.mix_eth_wad += (usd_micro - in_yield - in_btc) * WAD // eth

    def payload(self) -> dict[str, int]:
        """Return everything a later process needs to go on."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, int]) -> "Benchmarks":
        """Go on from a payload."""
        return cls(**payload)


def _prices(prices: Mapping[str, int]) -> tuple[int, int]:
    btc, eth = prices.get("BTC"), prices.get("ETH")
    if not btc or not eth:
        raise DataUnfit("expected prices of BTC and ETH for the benchmarks, found a gap")
    return btc, eth


def _month(at_s: int) -> int:
    moment = datetime.fromtimestamp(at_s, UTC)
    return moment.year * 12 + moment.month

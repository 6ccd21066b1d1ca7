"""Cheap gas: the 25th percentile of the last 30 days of gas prices, kept as a sliding window.

    GasWindow  x (day, wei)  ->  GasWindow           percentile_wei(25) by the nearest rank

One price a day counts, the latest of it. The nearest rank needs no interpolation: it is a
price that was really paid, and an integer.
"""

import json
from bisect import bisect_right
from dataclasses import dataclass

from dynamic.errors import Refused
from dynamic.units import DAY_S, Rounding, divide


@dataclass(frozen=True, slots=True)
class GasWindow:
    """Daily gas prices in wei, oldest first, no older than the window."""

    days: tuple[int, ...] = ()
    prices_wei: tuple[int, ...] = ()

    def with_price(self, as_of_s: int, price_wei: int, window_d: int) -> "GasWindow":
        """Return the window with a price; a second price of a day replaces the first."""
        day = as_of_s // DAY_S
        days, prices = self.days, self.prices_wei
        if days and day < days[-1]:
            return self
        if days and day == days[-1]:
            if prices[-1] == price_wei:
                return self
            days, prices = days[:-1], prices[:-1]
        keep = bisect_right(days, day - window_d)
        return GasWindow((*days[keep:], day), (*prices[keep:], price_wei))

    def percentile_wei(self, percent: int) -> int | None:
        """Return the nearest-rank percentile; None without any price."""
        if not self.prices_wei:
            return None
        rank = max(divide(percent * len(self.prices_wei), 100, Rounding.UP), 1)
        return sorted(self.prices_wei)[rank - 1]

    def to_payload(self) -> str:
        """Write the window as canonical JSON."""
        return json.dumps([self.days, self.prices_wei], separators=(",", ":"))

    @classmethod
    def from_payload(cls, payload: str) -> "GasWindow":
        """Read a window back."""
        try:
            days, prices = json.loads(payload)
            return cls(tuple(days), tuple(prices))
        except (ValueError, TypeError) as error:
            raise Refused(f"expected a gas window, found {payload[:60]!r} ({error})") from error

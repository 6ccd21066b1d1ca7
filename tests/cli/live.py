"""A market of this very moment, served on loopback by the sources' own shapes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dynamic.units import DAY_S, iso
from tests.adapters.feeds.server import Sources, ok, serving

DAYS = 1_600  # enough for a ladder's memory


def _coin_metrics(handler: Any) -> Any:
    """Daily rows up to yesterday, rising gently, for the asset that is asked for."""
    today, symbol = int(time.time()) // DAY_S, "eth" if "assets=eth" in handler.path else "btc"
    rows = []
    for number in range(DAYS):
        usd = 60_000 + 10 * number if symbol == "btc" else 3_000 + number / 4
        at = iso((today - DAYS + number) * DAY_S)[:10]
        rows.append(
            {
                "asset": symbol, "time": f"{at}T00:00:00.000000000Z", "PriceUSD": str(usd),
                "CapMrktCurUSD": str(usd * 19e6), "CapMVRVCur": "1.9",
            }
        )  # fmt: skip
    return ok({"data": rows})


def _coingecko(_: Any) -> Any:
    at_s = int(time.time()) - 5
    usd = {"bitcoin": 76_000.5, "ethereum": 3_400.25, "usd-coin": 0.9999}
    return ok({name: {"usd": price, "last_updated_at": at_s} for name, price in usd.items()})


def _funding(name: str) -> Any:
    def answer(_: Any) -> Any:
        at_ms = (int(time.time()) - 3_600) * 1_000
        if name.startswith("binance"):
            return ok([{"fundingTime": at_ms, "fundingRate": "0.0001"}])
        row = {"fundingRate": "0.0001", "fundingRateTimestamp": str(at_ms)}
        return ok({"retCode": 0, "result": {"list": [row]}})

    return answer


@contextmanager
def live_market(sources: Sources | None = None) -> Iterator[dict[str, str]]:
    """Serve it; yield the environment that points a process to it."""
    sources = sources or Sources()
    sources.says("coingecko", _coingecko)
    sources.says("coin_metrics", _coin_metrics)
    sources.says(
        "binance_spot",
        [{"symbol": "BTCUSDT", "price": "76010"}, {"symbol": "ETHUSDT", "price": "3401"}],
    )
    now_s = int(time.time())
    sources.says("alternative_me", {"data": [{"value": "55", "timestamp": str(now_s)}]})
    sources.says("ethereum", {"jsonrpc": "2.0", "id": 1, "result": hex(8 * 10**9)})
    for name in ("binance:BTC", "binance:ETH", "bybit:BTC", "bybit:ETH"):
        sources.says(name, _funding(name))
    with serving(sources) as endpoints:
        yield environment(endpoints)


def environment(endpoints: Any) -> dict[str, str]:
    """Name every source's address as a setting of the environment."""
    return {
        f"DYNAMIC__FEED__ENDPOINTS__{name.upper()}": address
        for name, address in dataclasses.asdict(endpoints).items()
    }

"""Replies: what each public source's JSON means, as observations. No I/O in here.

    source           shape                                          gives
    CoinGecko        {"bitcoin": {"usd": 1, "last_updated_at": t}}   price:BTC/ETH/USDC
    Binance spot     [{"symbol": "BTCUSDT", "price": "1"}]           crosscheck:price:BTC/ETH
    Coin Metrics     {"data": [{"time", "PriceUSD", ...}]}           caps, MVRV Z, daily price
    alternative.me   {"data": [{"value": "64", "timestamp": "t"}]}   fear_greed
    Binance, Bybit   funding history, newest counts                  funding:BTC/ETH per 8 h
    Ethereum node    {"result": "0x.."} of eth_gasPrice              gas:ethereum

A reply of another shape raises DataUnfit; a key the reply does not have is missing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from dynamic.market.observation import Observation
from dynamic.market.recording import MARKET_CAP, REALIZED_CAP, Channel, Point, Recording
from dynamic.market.sanitise import (
    fraction,
    funding_per_8h,
    index_0_100,
    instant,
    number,
    unfit,
    usd_micro_price,
)
from dynamic.units import DAY_S, parse_instant

COINGECKO_IDS: Final = {"bitcoin": "BTC", "ethereum": "ETH", "usd-coin": "USDC"}
SKEW_S_MAX: Final = 120  # how far a source's clock may run ahead of ours
GWEI_MAX: Final = 100_000
_CAP_USD_MAX: Final = 1e15


def record(key: str, reply: object) -> Mapping[str, object]:
    """Return a JSON object, or refuse."""
    if not isinstance(reply, dict):
        raise unfit(key, "a JSON object", type(reply).__name__)
    return reply


def rows(key: str, reply: object) -> Sequence[object]:
    """Return a JSON list that is not empty, or refuse."""
    if not isinstance(reply, list) or not reply:
        raise unfit(key, "a JSON list with rows", reply)
    return reply


def coingecko_prices(reply: object, now_s: int) -> list[Observation]:
    """Read /simple/price in USD; without `last_updated_at` a price speaks of the fetch."""
    found: list[Observation] = []
    for name, quote in record("coingecko", reply).items():
        symbol = COINGECKO_IDS.get(name)
        if symbol is None:
            continue
        key = f"price:{symbol}"
        cells = record(key, quote)
        price = usd_micro_price(key, cells.get("usd"))
        stamp = cells.get("last_updated_at", now_s)
        as_of_s = instant(key, stamp, now_s, SKEW_S_MAX)
        found.append(Observation(key, price, "usd_micro", "coingecko", as_of_s, now_s))
    if not found:
        raise unfit("coingecko", "at least one known price", list(record("coingecko", reply))[:3])
    return found


def binance_tickers(reply: object, now_s: int) -> list[Observation]:
    """Read /api/v3/ticker/price in USDT: a second opinion, never the valuation."""
    found: list[Observation] = []
    for row in rows("binance_spot", reply):
        cells = record("binance_spot", row)
        symbol = str(cells.get("symbol")).removesuffix("USDT")
        if symbol in ("BTC", "ETH"):
            key = f"crosscheck:price:{symbol}"
            price = usd_micro_price(key, cells.get("price"))
            found.append(Observation(key, price, "usd_micro", "binance spot", now_s, now_s))
    return found


def coin_metrics(reply: object, now_s: int) -> Recording:
    """Read daily PriceUSD, CapMrktCurUSD and CapMVRVCur of BTC, oldest first.

    A day labelled D is known at D+1; realized cap is market cap / MVRV. A day lacking a metric
    is missing; days out of order are refused.
    """
    prices: list[Point] = []
    caps: list[Point] = []
    realized: list[Point] = []
    last_s = 0
    for row in rows("coin_metrics", record("coin_metrics", reply).get("data")):
        cells = record("coin_metrics", row)
        day_s = _day(cells.get("time"), now_s)
        if day_s <= last_s:
            raise unfit("coin_metrics", "rising days", cells.get("time"))
        last_s = day_s
        price, cap, ratio = (
            cells.get(name) for name in ("PriceUSD", "CapMrktCurUSD", "CapMVRVCur")
        )
        if price is None or cap is None or ratio is None:
            continue
        at_s = day_s + DAY_S
        if at_s > now_s:
            continue  # a day still running is no daily print yet
        cap_usd = fraction(MARKET_CAP, cap, 1.0, _CAP_USD_MAX)
        ratio_1 = fraction("mvrv:BTC", ratio, 1e-6, 1e6)
        price_micro = usd_micro_price("price:BTC", price)
        source = "coin metrics community"
        prices.append(Point(at_s, at_s, price_micro, source))
        caps.append(Point(at_s, at_s, cap_usd, source))
        realized.append(Point(at_s, at_s, cap_usd / ratio_1, source))
    if not caps:
        raise unfit("coin_metrics", "at least one complete day", "none")
    return Recording(
        [
            Channel("price:BTC", "usd_micro", prices),
            Channel(MARKET_CAP, "usd", caps),
            Channel(REALIZED_CAP, "usd", realized),
        ]
    )


def _day(raw: object, now_s: int) -> int:
    """Read Coin Metrics' time (nanoseconds, always midnight) as a UTC day."""
    text = str(raw)[:10]
    try:
        day_s = parse_instant(text)
    except ValueError as error:
        raise unfit("coin_metrics", "a date", raw) from error
    return instant("coin_metrics", day_s, now_s, SKEW_S_MAX)


def alternative_me(reply: object, now_s: int) -> list[Observation]:
    """Read /fng: the newest row counts."""
    key = "fear_greed"
    newest = record(key, rows(key, record(key, reply).get("data"))[0])
    value = index_0_100(key, newest.get("value"))
    as_of_s = instant(key, newest.get("timestamp"), now_s, SKEW_S_MAX)
    return [Observation(key, value, "index", "alternative.me", as_of_s, now_s)]


def binance_funding(symbol: str, reply: object, now_s: int) -> Observation:
    """Read /fapi/v1/fundingRate: a list, the latest settlement counts."""
    key = f"funding:{symbol}"
    stamped = [
        (instant(key, _seconds(key, cells.get("fundingTime")), now_s, SKEW_S_MAX), cells)
        for cells in (record(key, row) for row in rows(key, reply))
    ]
    as_of_s, cells = max(stamped, key=lambda pair: pair[0])
    rate = funding_per_8h(key, cells.get("fundingRate"))
    return Observation(key, rate, "per_8h", "binance", as_of_s, now_s)


def bybit_funding(symbol: str, reply: object, now_s: int) -> Observation:
    """Read /v5/market/funding/history: retCode 0 and a list, the latest settlement counts."""
    key = f"funding:{symbol}"
    body = record(key, reply)
    if body.get("retCode") != 0:
        raise unfit(key, "retCode 0", body.get("retCode"))
    listed = rows(key, record(key, body.get("result")).get("list"))
    stamped = [
        (instant(key, _seconds(key, cells.get("fundingRateTimestamp")), now_s, SKEW_S_MAX), cells)
        for cells in (record(key, row) for row in listed)
    ]
    as_of_s, cells = max(stamped, key=lambda pair: pair[0])
    rate = funding_per_8h(key, cells.get("fundingRate"))
    return Observation(key, rate, "per_8h", "bybit", as_of_s, now_s)


def mean_funding(found: Sequence[Observation]) -> Observation | None:
    """Return the mean over exchanges, as old as the oldest of them; None of nothing (MI-04)."""
    if not found:
        return None
    first = found[0]
    mean = sum(one.value for one in found) / len(found)
    source = "mean of " + ", ".join(one.source for one in found) if len(found) > 1 else first.source
    as_of_s = min(one.as_of_s for one in found)
    return Observation(first.key, mean, first.unit, source, as_of_s, first.fetched_at_s)


def gas_price(reply: object, now_s: int) -> list[Observation]:
    """Read eth_gasPrice: hexadecimal wei."""
    key = "gas:ethereum"
    text = record(key, reply).get("result")
    if not isinstance(text, str) or not text.startswith("0x") or len(text) > 34:
        raise unfit(key, "hexadecimal wei", text)
    try:
        wei = int(text, 16)
    except ValueError as error:
        raise unfit(key, "hexadecimal wei", text) from error
    if not 0 < wei <= GWEI_MAX * 10**9:
        raise unfit(key, f"above 0 and up to {GWEI_MAX} gwei", f"{wei} wei")
    return [Observation(key, wei, "wei", "ethereum node", now_s, now_s)]


def _seconds(key: str, raw_ms: object) -> int:
    return int(number(key, raw_ms)) // 1_000

"""The public feed's past as a recording: what a demo plays before it lives on with live data.

    public_history(feed, assumed_apy, now_s)  ->  HistoryFeed

Bitcoin's caps and prices are what the feed has already read; ether's daily price is asked for
once more. No keyless source keeps the past of gas: the price observed now stands in for it,
labelled FALLBACK. Fear & Greed and funding stay missing in the past.
"""

import time
from collections.abc import Mapping
from typing import Final

import httpx2

from dynamic.adapters.feeds.fetch import Question, fetch
from dynamic.adapters.feeds.history import ASSUMED_APY, PAR_USDC, HistoryFeed
from dynamic.adapters.feeds.public import Endpoints, PublicFeed
from dynamic.adapters.feeds.replies import record, rows
from dynamic.errors import DataUnfit
from dynamic.market.recording import (
    MARKET_CAP,
    REALIZED_CAP,
    Assumed,
    Channel,
    Point,
    Recording,
)
from dynamic.market.sanitise import json_body, unfit, usd_micro_price
from dynamic.units import DAY_S, parse_instant

BUDGET_S: Final = 4.5
_BYTES_MAX: Final = 8 * 1024 * 1024
_SOURCE: Final = "coin metrics community"
_BITCOIN: Final = {"price:BTC": "usd_micro", MARKET_CAP: "usd", REALIZED_CAP: "usd"}
_GAS_STAND_IN: Final = "the gas price of today, standing in for a past that is not recorded"


def public_history(
    feed: PublicFeed,
    assumed_apy: Mapping[str, float],
    now_s: int,
    endpoints: Endpoints | None = None,
) -> HistoryFeed:
    """Make a recording of what public sources know of the past; DataUnfit where they do not."""
    channels = [_bitcoin(feed, key, unit, now_s) for key, unit in _BITCOIN.items()]
    reply = _ask_ether(endpoints or Endpoints())
    channels.append(Channel("price:ETH", "usd_micro", ether_days(reply, now_s)))
    stand_ins = [Assumed(key, apy, "fraction", ASSUMED_APY) for key, apy in assumed_apy.items()]
    gas = next((o for o in feed.observe(now_s) if o.key == "gas:ethereum"), None)
    if gas is not None:
        stand_ins.append(Assumed(gas.key, gas.value, gas.unit, _GAS_STAND_IN))
    return HistoryFeed(Recording(channels, (PAR_USDC, *stand_ins)))


def _bitcoin(feed: PublicFeed, key: str, unit: str, now_s: int) -> Channel:
    points = [Point(o.fetched_at_s, o.as_of_s, o.value, o.source) for o in feed.history(key, now_s)]
    if not points:
        raise DataUnfit(f"expected a daily history of {key}, found none")
    return Channel(key, unit, points)


def _ask_ether(at: Endpoints) -> object:
    wanted = {
        "assets": "eth", "metrics": "PriceUSD", "frequency": "1d", "start_time": "2015-08-08",
        "page_size": "10000",
    }  # fmt: skip
    question = Question(
        "coin_metrics", f"{at.coin_metrics}/timeseries/asset-metrics", wanted, _BYTES_MAX
    )
    headers = {"accept": "application/json", "user-agent": "dynamic-treasury"}
    with httpx2.Client(headers=headers) as client:
        body = fetch(client, question, time.monotonic() + BUDGET_S)
    return json_body(question.source, body, question.bytes_max)


def ether_days(reply: object, now_s: int) -> list[Point]:
    """Read daily PriceUSD of ETH, oldest first: a day labelled D is known at D+1.

    Days without a price, and the day still running, are missing; days out of order refused.
    """
    points: list[Point] = []
    for row in rows("coin_metrics", record("coin_metrics", reply).get("data")):
        cells = record("coin_metrics", row)
        try:
            at_s = parse_instant(str(cells.get("time"))[:10]) + DAY_S
        except ValueError as error:
            raise unfit("coin_metrics", "a date", cells.get("time")) from error
        if points and at_s <= points[-1].known_s:
            raise unfit("coin_metrics", "rising days", cells.get("time"))
        if cells.get("PriceUSD") is None or at_s > now_s:
            continue
        price = usd_micro_price("price:ETH", cells["PriceUSD"])
        points.append(Point(at_s, at_s, price, _SOURCE))
    if not points:
        raise unfit("coin_metrics", "at least one day of ETH", "none")
    return points

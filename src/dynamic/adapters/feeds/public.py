"""The public feed: live market data without a key, all sources asked at once, in five seconds.

    PublicFeed(endpoints, jump_bps_max, assumed_apy)
    feed.observe(now_s)     cached for five minutes; what fails keeps its last good value
    feed.reachable(now_s)   whether prices and MVRV can be had now

    CoinGecko ─┐
    Binance    ├─ one thread each ─▶ parse ─▶ believe ─▶ observations
    Coin Metrics, alternative.me, Bybit, an Ethereum node ┘

A source that hangs costs its own values and nothing else: the round ends at the budget. Values
keep their own `as_of`, so `market.quality` tells how stale they are; none is ever invented.
A price that jumps is believed only with a second source (`sanitise.confirm_jump`). Yields have
no keyless source here: the mandate's assumption stands in, labelled FALLBACK.
"""

import concurrent.futures
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import httpx2

from dynamic.adapters.feeds.fetch import Question, RateLimited, fetch
from dynamic.adapters.feeds.replies import (
    alternative_me,
    binance_funding,
    binance_tickers,
    bybit_funding,
    coin_metrics,
    coingecko_prices,
    gas_price,
    mean_funding,
)
from dynamic.errors import DataUnfit
from dynamic.market.observation import Observation, Provenance
from dynamic.market.recording import MVRV_Z, Recording
from dynamic.market.sanitise import confirm_jump, json_body
from dynamic.units import HOUR_S

BUDGET_S: Final = 5.0
_ANSWER_BY_S: Final = 4.5  # leaves the round time to end inside its budget
CACHE_S: Final = 300
DAILY_CACHE_S: Final = HOUR_S
RETRY_S: Final = 30  # a source that failed is not asked again before
AGREEMENT_BPS_MAX: Final = 500
_SMALL, _HISTORY = 256 * 1024, 8 * 1024 * 1024
_PRICES: Final = ("price:BTC", "price:ETH", "price:USDC")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the sources are; replaced in tests, and by whoever runs their own node."""

    coingecko: str = "https://api.coingecko.com/api/v3"
    coin_metrics: str = "https://community-api.coinmetrics.io/v4"
    alternative_me: str = "https://api.alternative.me"
    binance_spot: str = "https://api.binance.com"
    binance_futures: str = "https://fapi.binance.com"
    bybit: str = "https://api.bybit.com"
    ethereum: str = "https://ethereum-rpc.publicnode.com"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one source does: for health and the dashboard."""

    name: str
    is_ok: bool
    last_ok_s: int | None
    latency_s: float | None
    error: str


class _Reply:
    """What a source's thread brings home."""

    __slots__ = ("body", "latency_s")

    def __init__(self, body: object, latency_s: float) -> None:
        self.body, self.latency_s = body, latency_s


class PublicFeed:
    """A Feed over keyless public sources."""

    def __init__(
        self,
        *,
        jump_bps_max: int,
        assumed_apy: Mapping[str, float],
        endpoints: Endpoints | None = None,
    ) -> None:
        self._jump_bps_max = jump_bps_max
        self._assumed = dict(assumed_apy)
        self._questions = {q.source: q for q in _questions(endpoints or Endpoints())}
        self._due_s = dict.fromkeys(self._questions, 0)
        self._status = {
            name: SourceStatus(name, False, None, None, "not asked yet") for name in self._questions
        }
        self._kept: dict[str, Observation] = {}
        self._funding: dict[str, Observation] = {}
        self._daily: Recording | None = None
        self._tls = httpx2.create_ssl_context()

    def observe(self, now_s: int) -> list[Observation]:
        """Return the latest value of every key; sources not asked within the cache are asked."""
        due = [name for name, at_s in self._due_s.items() if now_s >= at_s]
        if due:
            replies = self._ask_all(due)
            # The second opinion comes before the price that may need it.
            for name in sorted(due, key=lambda source: source == "coingecko"):
                self._take(name, replies[name], now_s)
        found = {} if self._daily is None else {o.key: o for o in self._daily.observe(now_s)}
        for key, kept in self._kept.items():
            if key not in found or kept.as_of_s >= found[key].as_of_s:
                found[key] = kept
        for symbol in ("BTC", "ETH"):
            rates = [rate for name, rate in sorted(self._funding.items()) if name.endswith(symbol)]
            mean = mean_funding(rates)
            if mean is not None:
                found[mean.key] = mean
        return [*found.values(), *self._stand_ins(now_s)]

    def history(self, key: str, until_s: int) -> Sequence[Observation]:
        """Return the daily history of a key (price, caps, MVRV), oldest first."""
        return () if self._daily is None else self._daily.history(key, until_s)

    def status(self) -> tuple[SourceStatus, ...]:
        """Return how each source did when last asked."""
        return tuple(self._status[name] for name in sorted(self._status))

    def reachable(self, now_s: int) -> bool:
        """Ask every source once, within the budget: are prices and MVRV all there?"""
        keys = {one.key for one in self.observe(now_s)}
        return {"price:BTC", "price:ETH", MVRV_Z} <= keys

    def _stand_ins(self, now_s: int) -> list[Observation]:
        return [
            Observation(key, apy, "fraction", "assumed by the mandate (no live source)", now_s,
                        now_s, Provenance.FALLBACK)
            for key, apy in self._assumed.items()
        ]  # fmt: skip

    def _ask_all(self, names: Sequence[str]) -> dict[str, _Reply | DataUnfit]:
        """Ask the named sources at once; one without a reply when the budget ends has failed."""
        deadline = time.monotonic() + _ANSWER_BY_S
        pool = concurrent.futures.ThreadPoolExecutor(len(names), thread_name_prefix="feed")
        try:
            jobs = {name: pool.submit(self._ask, self._questions[name], deadline) for name in names}
            concurrent.futures.wait(jobs.values(), timeout=BUDGET_S - 0.2)
            return {name: _outcome(name, job) for name, job in jobs.items()}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, question: Question, deadline: float) -> _Reply:
        started = time.monotonic()
        headers = {"accept": "application/json", "user-agent": "dynamic-treasury"}
        with httpx2.Client(verify=self._tls, headers=headers) as client:
            body = fetch(client, question, deadline)
        latency_s = time.monotonic() - started
        return _Reply(json_body(question.source, body, question.bytes_max), latency_s)

    def _take(self, name: str, reply: _Reply | DataUnfit, now_s: int) -> None:
        """Believe a reply, or note why not; what was known before stays."""
        before = self._status[name]
        try:
            if isinstance(reply, DataUnfit):
                raise reply
            _READERS[name](self, reply.body, now_s)
        except DataUnfit as error:
            wait_s = int(error.retry_after_s) + 1 if isinstance(error, RateLimited) else 0
            self._due_s[name] = now_s + max(RETRY_S, wait_s)
            self._status[name] = replace(before, is_ok=False, error=error.message)
            return
        self._due_s[name] = now_s + (DAILY_CACHE_S if name == "coin_metrics" else CACHE_S)
        self._status[name] = SourceStatus(name, True, now_s, reply.latency_s, "")

    # --- one reader for each source ---------------------------------------------------------------

    def read_prices(self, reply: object, now_s: int) -> None:
        """Keep CoinGecko's prices, each believed by itself; one unbelievable price fails all."""
        found = coingecko_prices(reply, now_s)
        for one in found:
            before, second = self._kept.get(one.key), self._kept.get(f"crosscheck:{one.key}")
            fresh = second is not None and now_s - second.fetched_at_s < CACHE_S
            confirm_jump(
                one.key,
                None if before is None else int(before.value),
                int(one.value),
                int(second.value) if second is not None and fresh else None,
                self._jump_bps_max,
                AGREEMENT_BPS_MAX,
            )
        self._keep(found)

    def read_tickers(self, reply: object, now_s: int) -> None:
        """Keep the second opinion on prices."""
        self._keep(binance_tickers(reply, now_s))

    def read_daily(self, reply: object, now_s: int) -> None:
        """Keep the daily on-chain history, MVRV Z derived from all of it."""
        self._daily = coin_metrics(reply, now_s)

    def read_mood(self, reply: object, now_s: int) -> None:
        """Keep Fear & Greed."""
        self._keep(alternative_me(reply, now_s))

    def read_gas(self, reply: object, now_s: int) -> None:
        """Keep the gas price."""
        self._keep(gas_price(reply, now_s))

    def read_funding(self, name: str, rate: Observation) -> None:
        """Keep one exchange's funding rate."""
        self._funding[name] = rate

    def _keep(self, found: Sequence[Observation]) -> None:
        self._kept.update((one.key, one) for one in found)


def _outcome(name: str, job: "concurrent.futures.Future[_Reply]") -> _Reply | DataUnfit:
    """Return a finished job's reply, or why there is none; a bug in a thread is raised here."""
    if not job.done():
        return DataUnfit(f"{name}: no answer within {BUDGET_S:g} s")
    error = job.exception()
    if isinstance(error, DataUnfit):
        return error
    return job.result()


def _questions(at: Endpoints) -> list[Question]:
    spot = '["BTCUSDT","ETHUSDT"]'
    ids = "bitcoin,ethereum,usd-coin"
    wanted = {"ids": ids, "vs_currencies": "usd", "include_last_updated_at": "true"}
    daily = {
        "assets": "btc",
        "metrics": "PriceUSD,CapMrktCurUSD,CapMVRVCur",
        "frequency": "1d",
        "start_time": "2010-07-18",
        "page_size": "10000",
    }
    rpc: dict[str, object] = {"jsonrpc": "2.0", "id": 1, "method": "eth_gasPrice", "params": []}
    questions = [
        Question("coingecko", f"{at.coingecko}/simple/price", wanted, _SMALL),
        Question(
            "binance_spot", f"{at.binance_spot}/api/v3/ticker/price", {"symbols": spot}, _SMALL
        ),
        Question("coin_metrics", f"{at.coin_metrics}/timeseries/asset-metrics", daily, _HISTORY),
        Question("alternative_me", f"{at.alternative_me}/fng/", {"limit": "1"}, _SMALL),
        Question("ethereum", at.ethereum, {}, _SMALL, rpc),
    ]
    for symbol in ("BTC", "ETH"):
        pair = f"{symbol}USDT"
        questions.append(
            Question(
                f"binance:{symbol}",
                f"{at.binance_futures}/fapi/v1/fundingRate",
                {"symbol": pair, "limit": "1"},
                _SMALL,
            )
        )
        questions.append(
            Question(
                f"bybit:{symbol}",
                f"{at.bybit}/v5/market/funding/history",
                {"category": "linear", "symbol": pair, "limit": "1"},
                _SMALL,
            )
        )
    return questions


def _funding_reader(
    name: str, symbol: str, read: Callable[[str, object, int], Observation]
) -> Callable[[PublicFeed, object, int], None]:
    return lambda feed, reply, now_s: feed.read_funding(name, read(symbol, reply, now_s))


_READERS: Final[dict[str, Callable[[PublicFeed, object, int], None]]] = {
    "coingecko": PublicFeed.read_prices,
    "binance_spot": PublicFeed.read_tickers,
    "coin_metrics": PublicFeed.read_daily,
    "alternative_me": PublicFeed.read_mood,
    "ethereum": PublicFeed.read_gas,
    **{
        f"{exchange}:{symbol}": _funding_reader(f"{exchange}:{symbol}", symbol, read)
        for exchange, read in (("binance", binance_funding), ("bybit", bybit_funding))
        for symbol in ("BTC", "ETH")
    },
}

"""The history feed: real recorded markets, each value at the instant it could first be known.

    HistoryFeed.open(directory, assumed_apy)      the files under their usual names
    HistoryFeed.of(HistoryFiles(...), assumed_apy)  any files
    feed.observe(now_s)                           what was known then, nothing later

    a daily aggregate or close labelled D      known at D+1 00:00, as of D+1 00:00
    Fear & Greed labelled D                    known at D 01:00, as of D 00:00
    funding                                    known at its funding time
    USDC price labelled D (00:00 snapshot)     known at D 00:00

The labels of the USDC file were checked against hourly trades around 2023-03-11: they are
snapshots of 00:00, not closes. Bitcoin's caps and prices, and ether's price, must have every
day; everything else may have gaps, which stay gaps. Required: on-chain Bitcoin, and an ether
price. Yields and USDC's price stand in as FALLBACK where they were not recorded.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dynamic.adapters.feeds.tables import read_table
from dynamic.errors import Refused
from dynamic.market.history import (
    PRICE_COLUMNS,
    Series,
    Table,
    finite,
    index_0_100,
    joined,
    parse,
    positive,
    require_daily,
    require_past,
    usd_micro_price,
    wei_of_gwei,
)
from dynamic.market.observation import Observation
from dynamic.market.recording import (
    MARKET_CAP,
    MVRV_Z,
    REALIZED_CAP,
    Assumed,
    Channel,
    Future,
    Point,
    Recording,
)
from dynamic.units import DAY_S, HOUR_S

PAR_USDC = Assumed("price:USDC", 1_000_000, "usd_micro", "assumed par (not recorded)")
ASSUMED_APY = "assumed by the mandate (not recorded)"
_REQUIRED = ("price:BTC", "price:ETH", MVRV_Z)


@dataclass(frozen=True, slots=True)
class HistoryFiles:
    """Which files to read. Prices may come in several files, joined by date, the first winning."""

    btc_onchain: Path
    prices: Mapping[str, Sequence[Path]]  # BTC, ETH
    fear_greed: Path | None = None
    funding: Mapping[str, Path] = field(default_factory=dict)  # BTC, ETH
    gas: Path | None = None
    usdc: Path | None = None
    aave_yield: Path | None = None
    pendle_yield: Path | None = None

    @classmethod
    def in_directory(cls, directory: Path) -> "HistoryFiles":
        """Find the files under their usual names; the optional ones may be absent."""
        if not directory.is_dir():
            raise Refused(f"{directory}: expected a directory of history files, found none")

        def there(name: str) -> Path | None:
            path = directory / name
            return path if path.exists() else None

        funding = {
            symbol: path
            for symbol in ("BTC", "ETH")
            if (path := there(f"funding_binance_{symbol.lower()}usdt_perp.csv.gz"))
        }
        closes = {
            symbol: [path] if (path := there(f"ohlcv_{symbol.lower()}usdt_spot_1d.csv.gz")) else []
            for symbol in ("BTC", "ETH")
        }
        if (ether := there("eth_onchain_daily.csv.gz")) is not None:
            closes["ETH"].append(ether)
        if not closes["ETH"]:
            raise Refused(
                f"{directory}: expected ohlcv_ethusdt_spot_1d.csv.gz or eth_onchain_daily.csv.gz,"
                " found neither"
            )
        return cls(
            btc_onchain=directory / "btc_onchain_daily.csv.gz",
            prices=closes,
            fear_greed=there("fear_greed_daily.csv.gz"),
            funding=funding,
            gas=there("eth_gas_price_daily.csv.gz"),
            usdc=there("usdc_usd_daily_coingecko.csv.gz"),
            aave_yield=there("yield_aave_v3_supply_daily.csv.gz"),
            pendle_yield=there("yield_pendle_pt_implied_daily.csv.gz"),
        )


class HistoryFeed:
    """A Feed over recorded files; reading it changes nothing, so any clock may read it."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    @classmethod
    def open(
        cls, directory: Path, assumed_apy: Mapping[str, float], now_s: int | None = None
    ) -> "HistoryFeed":
        """Read the history files of a directory; see `of`."""
        return cls.of(HistoryFiles.in_directory(directory), assumed_apy, now_s)

    @classmethod
    def of(
        cls, files: HistoryFiles, assumed_apy: Mapping[str, float], now_s: int | None = None
    ) -> "HistoryFeed":
        """Read the named files; `assumed_apy` gives a fraction for each `apy:` key not recorded.

        Raises Refused in one line for a missing file or column, a bad row, a duplicate, a gap
        where every day is needed, or a date after `now_s` (the wall clock by default).
        """
        now_s = int(time.time()) if now_s is None else now_s
        assumed = [Assumed(key, apy, "fraction", ASSUMED_APY) for key, apy in assumed_apy.items()]
        return cls(Recording(_channels(files, now_s), (PAR_USDC, *assumed)))

    def observe(self, now_s: int) -> list[Observation]:
        """Return the latest observation of every key known by `now_s`."""
        return self.recording.observe(now_s)

    def history(self, key: str, until_s: int) -> Sequence[Observation]:
        """Return every observation of one key known by `until_s`, oldest first."""
        return self.recording.history(key, until_s)

    def span(self) -> tuple[int, int]:
        """Return the first and last instant between which BTC, ETH and MVRV are all recorded."""
        spans = [self.recording.span(key) for key in _REQUIRED]
        return max(first for first, _ in spans), min(last for _, last in spans)

    def with_future(self, after_s: int, mode: Future | str, seed: int) -> "HistoryFeed":
        """Return a feed whose values known after `after_s` are shuffled or cut off."""
        shuffle = random.Random(seed).shuffle  # noqa: S311 - a test's chance, not a secret
        return HistoryFeed(self.recording.with_future(after_s, Future(mode), shuffle))


# --- from files to channels -----------------------------------------------------------------------


def _channels(files: HistoryFiles, now_s: int) -> list[Channel]:
    onchain = read_table(files.btc_onchain)
    caps = [require_daily(parse(onchain, (f"{cap}_usd",), positive)) for cap in _CAPS]
    btc_price = parse(onchain, PRICE_COLUMNS, usd_micro_price)
    channels = [
        _channel(MARKET_CAP, "usd", [caps[0]], now_s),
        _channel(REALIZED_CAP, "usd", [caps[1]], now_s),
        _prices("BTC", [*_closes(files, "BTC"), btc_price], now_s),
        _prices("ETH", _closes(files, "ETH"), now_s),
    ]
    if files.usdc is not None:
        usdc = parse(read_table(files.usdc), PRICE_COLUMNS, usd_micro_price)
        channels.append(_channel("price:USDC", "usd_micro", [usdc], now_s, as_of_s=0, known_s=0))
    if files.fear_greed is not None:
        mood = parse(read_table(files.fear_greed), ("value", "fear_greed"), index_0_100)
        channels.append(_channel("fear_greed", "index", [mood], now_s, as_of_s=0, known_s=HOUR_S))
    for symbol, path in sorted(files.funding.items()):
        rates = parse(read_table(path), ("funding_rate_per_interval", "funding_rate"), finite)
        key = f"funding:{symbol}"
        channels.append(_channel(key, "per_8h", [rates], now_s, as_of_s=0, known_s=0))
    if files.gas is not None:
        gas = parse(read_table(files.gas), ("avg_gas_price_gwei", "gas_price_gwei"), wei_of_gwei)
        channels.append(_channel("gas:ethereum", "wei", [gas], now_s))
    return channels + _yields(files, now_s)


_CAPS = ("market_cap", "realized_cap")


def _closes(files: HistoryFiles, symbol: str) -> list[Series]:
    paths = files.prices.get(symbol, ())
    return [parse(read_table(path), PRICE_COLUMNS, usd_micro_price) for path in paths]


def _prices(symbol: str, series: list[Series], now_s: int) -> Channel:
    """Join a price's files by date; together they must have every day."""
    if not series:
        raise Refused(f"expected a price file for {symbol}, found none")
    rows = joined(series)
    names = " + ".join(dict.fromkeys(one.file for one in series))
    require_daily(Series(names, tuple(row[0] for row in rows), tuple(row[1] for row in rows)))
    return _channel(f"price:{symbol}", "usd_micro", series, now_s)


def _yields(files: HistoryFiles, now_s: int) -> list[Channel]:
    channels: list[Channel] = []
    if files.aave_yield is not None:
        only = {"chain": "Ethereum", "asset": "USDC"}
        apy = _yield(read_table(files.aave_yield), "apy_fraction", only, "Aave v3 USDC, Ethereum")
        channels.append(_channel("apy:aave_v3:USDC", "fraction", [apy], now_s))
    if files.pendle_yield is not None:
        # Of the recorded stable markets only aUSDC is a claim on USDC itself; USDe and sUSDe pay
        # for another issuer's risk and would flatter a PT-USDC.
        only = {"underlying": "aUSDC"}
        apy = _yield(
            read_table(files.pendle_yield), "pt_implied_apy_fraction", only,
            "Pendle PT-aUSDC, Arbitrum, standing for PT-USDC",
        )  # fmt: skip
        channels.append(_channel("apy:pendle_v2:PT-USDC", "fraction", [apy], now_s))
    return channels


def _yield(table: Table, name: str, only: dict[str, str], what: str) -> Series:
    return parse(table, (name,), finite, only)._replace(file=f"{table.file} ({what})")


def _channel(
    key: str,
    unit: str,
    series: Sequence[Series],
    now_s: int,
    *,
    as_of_s: int = DAY_S,
    known_s: int = DAY_S,
) -> Channel:
    """Date a quantity: `as_of_s` and `known_s` are counted from each row's label."""
    for one in series:
        require_past(one, now_s)
    points = [
        Point(at_s + known_s, at_s + as_of_s, value, source)
        for at_s, value, source in joined(series)
    ]
    return Channel(key, unit, points)

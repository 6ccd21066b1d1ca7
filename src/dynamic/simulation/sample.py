"""A sample market from a seed, for a demo without a network and without recorded files.

    SampleFeed(seed)      the same interface as the history feed

Every value is labelled SYNTHETIC and says which seed made it. The market lives through cycles
of accumulation, rise, mania, crash and bear, so that MVRV Z runs from below 0 to above 7 and a
treasury meets every rung of its ladder within six years. Realized cap follows the price as
coins change hands: each day a share of all coins, larger the wilder the day, moves to today's
price, which is what the real one does. The generator draws only `random.Random.random`, whose
sequence Python promises to keep, so a seed gives one market on every machine.

It resembles a market. It predicts nothing.
"""

import math
import random
from collections.abc import Sequence
from typing import Final, NamedTuple

from dynamic.errors import InvariantBroken, Refused
from dynamic.market.observation import Observation, Provenance
from dynamic.market.recording import (
    MARKET_CAP,
    MVRV_Z,
    REALIZED_CAP,
    Channel,
    Future,
    Point,
    Recording,
)
from dynamic.market.zscore import mvrv_z_series
from dynamic.units import DAY_S, HOUR_S, Rounding, parse_instant, price_usd_micro

START_S: Final = parse_instant("2019-01-01")
DAYS: Final = 6 * 365
DAYS_MIN: Final = 4 * 365  # a shorter one cannot hold a whole cycle
_PAST_D: Final = 4 * 365  # lived before the sample begins, so that Z's deviation has a past
_ATTEMPTS_MAX: Final = 400
_SUPPLY_BTC: Final = 17_500_000.0
_FIRST_BTC_USD: Final = 8_000.0
_FIRST_ETH_USD: Final = 250.0
_DEAREST_BTC_USD: Final = 400_000.0


class _Season(NamedTuple):
    """One part of a cycle: how long it lasts, and its daily drift and swing of log prices."""

    days: tuple[int, int]
    growth: tuple[float, float]  # total log growth over the season
    swing: float
    mood: float  # Fear & Greed it tends to


_CYCLE: Final = (
    _Season((120, 190), (0.05, 0.25), 0.020, 30.0),  # accumulation
    _Season((260, 350), (0.8, 1.1), 0.022, 58.0),  # rise
    _Season((70, 110), (1.2, 1.5), 0.033, 86.0),  # mania
    _Season((40, 60), (-0.7, -0.5), 0.040, 35.0),  # crash
    _Season((220, 300), (-0.75, -0.5), 0.024, 20.0),  # bear
)


class _Day(NamedTuple):
    btc_usd: float
    eth_usd: float
    realized_usd: float  # per coin
    mood: float
    funding: float
    gas_gwei: float
    usdc_usd: float
    aave_apy: float
    pendle_apy: float
    curve_apy: float


class SampleFeed:
    """A Feed over one seeded market."""

    def __init__(
        self,
        seed: int,
        start_s: int = START_S,
        days: int = DAYS,
        recording: Recording | None = None,
    ) -> None:
        if days < DAYS_MIN:
            raise Refused(f"expected a sample of at least {DAYS_MIN} days, found {days}")
        self.seed = seed
        self._start_s, self._days = start_s, days
        self.recording = recording or _recording(seed, start_s, days)

    def observe(self, now_s: int) -> list[Observation]:
        """Return the latest observation of every key known by `now_s`."""
        return self.recording.observe(now_s)

    def history(self, key: str, until_s: int) -> Sequence[Observation]:
        """Return every observation of one key known by `until_s`, oldest first."""
        return self.recording.history(key, until_s)

    def span(self) -> tuple[int, int]:
        """Return the first and last instant of the sample; the past it grew from lies before."""
        return self._start_s, self.recording.span(MVRV_Z)[1]

    def with_future(self, after_s: int, mode: Future | str, seed: int) -> "SampleFeed":
        """Return a feed whose values known after `after_s` are shuffled or cut off."""
        shuffle = random.Random(seed).shuffle  # noqa: S311 - a test's chance, not a secret
        changed = self.recording.with_future(after_s, Future(mode), shuffle)
        return SampleFeed(self.seed, self._start_s, self._days, changed)


def _recording(seed: int, start_s: int, days: int) -> Recording:
    """Draw markets from the seed until one lives as the module says."""
    for attempt in range(_ATTEMPTS_MAX):
        chance = random.Random(f"dynamic sample {seed} {attempt}")  # noqa: S311
        lived = _live(chance, _PAST_D + days)
        if _is_instructive(lived):
            return Recording(_channels(lived, seed, start_s - _PAST_D * DAY_S))
    raise InvariantBroken(f"seed {seed}: no market visited the ladder in {_ATTEMPTS_MAX} attempts")


def _is_instructive(lived: Sequence[_Day]) -> bool:
    """Say whether a market visits every rung of the ladder, in familiar proportions."""
    caps = [(day.btc_usd, day.realized_usd) for day in lived]
    scores = [score for score in mvrv_z_series(caps)[_PAST_D:] if score is not None]
    below_0 = sum(score < 0.0 for score in scores) / len(scores)
    dearest = max(day.btc_usd for day in lived)
    return (
        min(scores) < -0.1
        and max(scores) > 7.1
        and 0.03 < below_0 < 0.30
        and dearest < _DEAREST_BTC_USD
    )


def _live(chance: random.Random, days: int) -> list[_Day]:
    """Live through seasons, day by day."""
    path: list[_Day] = []
    day = _Day(90.0, 3.0, 80.0, 45.0, 0.0001, 25.0, 1.0, 0.04, 0.08, 0.06)
    while len(path) < days:
        for season in _CYCLE:
            length = chance.randrange(*season.days)
            low, high = season.growth
            drift = (low + (high - low) * chance.random()) / length
            for _ in range(length):
                day = _next_day(chance, day, season, drift)
                path.append(day)
    return _scaled(path[:days])


def _scaled(path: list[_Day]) -> list[_Day]:
    """Set prices to a familiar size; ratios, and so every signal, stay what they are."""
    first = path[_PAST_D]
    btc, eth = _FIRST_BTC_USD / first.btc_usd, _FIRST_ETH_USD / first.eth_usd
    return [
        day._replace(
            btc_usd=day.btc_usd * btc,
            realized_usd=day.realized_usd * btc,
            eth_usd=day.eth_usd * eth,
        )
        for day in path
    ]


def _next_day(chance: random.Random, day: _Day, season: _Season, drift: float) -> _Day:
    shock = _normal(chance)
    step = drift + season.swing * shock
    btc = day.btc_usd * math.exp(step)
    eth = day.eth_usd * math.exp(1.15 * step + 0.018 * _normal(chance))
    moved = 0.006 + 0.05 * abs(step)
    if btc < day.realized_usd:  # under water, coins capitulate to new holders
        moved += 0.03
    mood = day.mood + 0.08 * (season.mood - day.mood) + 4.0 * shock + 2.0 * _normal(chance)
    heat = (mood - 45.0) / 100.0
    gas = day.gas_gwei * math.exp(
        0.12 * (math.log(18.0 + 60.0 * max(heat, 0.0)) - math.log(day.gas_gwei))
        + 0.10 * _normal(chance)
    )
    return _Day(
        btc_usd=btc,
        eth_usd=eth,
        realized_usd=day.realized_usd + moved * (btc - day.realized_usd),
        mood=min(max(mood, 3.0), 97.0),
        funding=0.6 * day.funding + 0.4 * (0.0001 + 0.0008 * heat) + 0.00005 * _normal(chance),
        gas_gwei=gas,
        usdc_usd=1.0 + 0.5 * (day.usdc_usd - 1.0) + 0.0004 * _normal(chance),
        aave_apy=_yield(chance, day.aave_apy, 0.035 + 0.05 * max(heat, 0.0)),
        pendle_apy=_yield(chance, day.pendle_apy, 0.065 + 0.08 * max(heat, 0.0)),
        curve_apy=_yield(chance, day.curve_apy, 0.055 + 0.03 * max(heat, 0.0)),
    )


def _yield(chance: random.Random, apy: float, towards: float) -> float:
    return max(apy + 0.03 * (towards - apy) + 0.0008 * _normal(chance), 0.001)


def _normal(chance: random.Random) -> float:
    """Return a nearly normal number from twelve uniform ones; bounded by 6, the same everywhere."""
    return sum(chance.random() for _ in range(12)) - 6.0


def _channels(lived: Sequence[_Day], seed: int, first_s: int) -> list[Channel]:
    """Date the market as the history feed dates a real one: a day is known when it is over."""
    source = f"synthetic seed {seed}"

    def channel(key: str, unit: str, values: Sequence[int | float], later_s: int = 0) -> Channel:
        points = [
            Point(first_s + (day + 1) * DAY_S + later_s, first_s + (day + 1) * DAY_S, value, source)
            for day, value in enumerate(values)
        ]
        return Channel(key, unit, points, Provenance.SYNTHETIC)

    return [
        channel(MARKET_CAP, "usd", [day.btc_usd * _SUPPLY_BTC for day in lived]),
        channel(REALIZED_CAP, "usd", [day.realized_usd * _SUPPLY_BTC for day in lived]),
        channel("price:BTC", "usd_micro", [_micro(day.btc_usd) for day in lived]),
        channel("price:ETH", "usd_micro", [_micro(day.eth_usd) for day in lived]),
        channel("price:USDC", "usd_micro", [_micro(day.usdc_usd) for day in lived]),
        channel("fear_greed", "index", [round(day.mood) for day in lived], HOUR_S),
        channel("funding:BTC", "per_8h", [day.funding for day in lived]),
        channel("funding:ETH", "per_8h", [day.funding * 1.1 for day in lived]),
        channel("gas:ethereum", "wei", [int(day.gas_gwei * 10**9) for day in lived]),
        channel("apy:aave_v3:USDC", "fraction", [day.aave_apy for day in lived]),
        channel("apy:pendle_v2:PT-USDC", "fraction", [day.pendle_apy for day in lived]),
        channel("apy:curve:LP-USDC-USDT", "fraction", [day.curve_apy for day in lived]),
    ]


def _micro(usd: float) -> int:
    return price_usd_micro(usd, Rounding.DOWN)

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

import itertools
import math
import random
from collections.abc import Iterable, Sequence
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
_SQRT_2: Final = 1.4142135623730951


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


class _BtcDay(NamedTuple):
    """One day of Bitcoin: its price, the price its coins last moved at, and what made the day."""

    usd: float
    realized_usd: float
    step: float
    shock: float
    mood: float  # of the season


class _Day(NamedTuple):
    """The rest of that day's market, which follows Bitcoin's lead."""

    eth_usd: float
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
    """Draw Bitcoins from the seed until one lives as the module says, then the rest around it."""
    for attempt in range(_ATTEMPTS_MAX):
        chance = random.Random(f"dynamic sample {seed} {attempt}")  # noqa: S311
        btc = _live(chance, _PAST_D + days)
        if _is_instructive(btc):
            rest = _follow(chance, btc)
            return Recording(_channels(btc, rest, seed, start_s - _PAST_D * DAY_S))
    raise InvariantBroken(f"seed {seed}: no market visited the ladder in {_ATTEMPTS_MAX} attempts")


def _live(chance: random.Random, days: int) -> list[_BtcDay]:
    """Let Bitcoin live through seasons, day by day; then set its price to a familiar size."""
    path: list[_BtcDay] = []
    usd, realized = 90.0, 80.0
    while len(path) < days:
        for season in _CYCLE:
            length = chance.randrange(*season.days)
            low, high = season.growth
            drift = (low + (high - low) * chance.random()) / length
            for _ in range(length):
                shock = _normal(chance)
                step = drift + season.swing * shock
                usd *= math.exp(step)
                moved = 0.006 + 0.05 * abs(step)
                if usd < realized:  # under water, coins capitulate to new holders
                    moved += 0.03
                realized += moved * (usd - realized)
                path.append(_BtcDay(usd, realized, step, shock, season.mood))
    scale = _FIRST_BTC_USD / path[_PAST_D].usd  # ratios, and so every signal, stay what they are
    return [
        day._replace(usd=day.usd * scale, realized_usd=day.realized_usd * scale)
        for day in path[:days]
    ]


def _is_instructive(btc: Sequence[_BtcDay]) -> bool:
    """Say whether a market visits every rung of the ladder, in familiar proportions."""
    scores = [
        score
        for score in mvrv_z_series((day.usd, day.realized_usd) for day in btc)[_PAST_D:]
        if score is not None
    ]
    below_0 = sum(score < 0.0 for score in scores) / len(scores)
    return (
        min(scores) < -0.1
        and max(scores) > 7.1
        and 0.03 < below_0 < 0.30
        and max(day.usd for day in btc) < _DEAREST_BTC_USD
    )


def _follow(chance: random.Random, btc: Sequence[_BtcDay]) -> list[_Day]:
    """Let ether, moods, rates and yields follow Bitcoin."""
    path: list[_Day] = []
    day = _Day(1.0, 45.0, 0.0001, 25.0, 1.0, 0.04, 0.08, 0.06)
    for lead in btc:
        day = _next_day(chance, day, lead)
        path.append(day)
    scale = _FIRST_ETH_USD / path[_PAST_D].eth_usd
    return [day._replace(eth_usd=day.eth_usd * scale) for day in path]


def _next_day(chance: random.Random, day: _Day, lead: _BtcDay) -> _Day:
    drawn = 4.0 * lead.shock + 2.0 * _normal(chance)
    mood = min(max(day.mood + 0.08 * (lead.mood - day.mood) + drawn, 3.0), 97.0)
    heat = (mood - 45.0) / 100.0
    greed = max(heat, 0.0)
    gas_pull = 0.12 * (math.log(18.0 + 60.0 * greed) - math.log(day.gas_gwei))
    return _Day(
        eth_usd=day.eth_usd * math.exp(1.05 * lead.step + 0.012 * _normal(chance)),
        mood=mood,
        funding=0.6 * day.funding + 0.4 * (0.0001 + 0.0008 * heat) + 0.00005 * _normal(chance),
        gas_gwei=day.gas_gwei * math.exp(gas_pull + 0.10 * _normal(chance)),
        usdc_usd=1.0 + 0.5 * (day.usdc_usd - 1.0) + 0.0004 * _normal(chance),
        aave_apy=_yield(chance, day.aave_apy, 0.035 + 0.05 * greed),
        pendle_apy=_yield(chance, day.pendle_apy, 0.065 + 0.08 * greed),
        curve_apy=_yield(chance, day.curve_apy, 0.055 + 0.03 * greed),
    )


def _yield(chance: random.Random, apy: float, towards: float) -> float:
    return max(apy + 0.03 * (towards - apy) + 0.0008 * _normal(chance), 0.001)


def _normal(chance: random.Random) -> float:
    """Return a nearly normal number from six uniform ones; bounded, and the same everywhere."""
    draw = chance.random
    return (draw() + draw() + draw() + draw() + draw() + draw() - 3.0) * _SQRT_2


def _channels(
    btc: Sequence[_BtcDay], rest: Sequence[_Day], seed: int, first_s: int
) -> list[Channel]:
    """Date the market as the history feed dates a real one: a day is known when it is over."""
    source = f"synthetic seed {seed}"

    def channel(key: str, unit: str, values: Iterable[int | float], later_s: int = 0) -> Channel:
        points = [
            Point(at_s + later_s, at_s, value, source)
            for at_s, value in zip(itertools.count(first_s + DAY_S, DAY_S), values, strict=False)
        ]
        return Channel(key, unit, points, Provenance.SYNTHETIC)

    return [
        channel(MARKET_CAP, "usd", (day.usd * _SUPPLY_BTC for day in btc)),
        channel(REALIZED_CAP, "usd", (day.realized_usd * _SUPPLY_BTC for day in btc)),
        channel("price:BTC", "usd_micro", (_micro(day.usd) for day in btc)),
        channel("price:ETH", "usd_micro", (_micro(day.eth_usd) for day in rest)),
        channel("price:USDC", "usd_micro", (_micro(day.usdc_usd) for day in rest)),
        channel("fear_greed", "index", (round(day.mood) for day in rest), HOUR_S),
        channel("funding:BTC", "per_8h", (day.funding for day in rest)),
        channel("funding:ETH", "per_8h", (day.funding * 1.1 for day in rest)),
        channel("gas:ethereum", "wei", (int(day.gas_gwei * 10**9) for day in rest)),
        channel("apy:aave_v3:USDC", "fraction", (day.aave_apy for day in rest)),
        channel("apy:pendle_v2:PT-USDC", "fraction", (day.pendle_apy for day in rest)),
        channel("apy:curve:LP-USDC-USDT", "fraction", (day.curve_apy for day in rest)),
    ]


def _micro(usd: float) -> int:
    return price_usd_micro(usd, Rounding.DOWN)

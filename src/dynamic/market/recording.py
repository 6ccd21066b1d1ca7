"""A recording: every value the market ever showed, and when each could first be known.

    observe : now  ->  the latest observation of each key known by then

The one place where looking ahead is made impossible: a value is found by the instant it became
known (`known_s`), never by the date on its label. `with_future` shuffles or cuts everything
known after an instant, raw values first and derived ones from them, so a test can show that no
decision before it changes. MVRV Z is derived here, each day from its own past alone.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from dynamic.errors import Refused
from dynamic.market.observation import Observation, Provenance
from dynamic.market.zscore import CapMoments, mvrv_z
from dynamic.units import DAY_S

MARKET_CAP: Final = "market_cap:BTC"
REALIZED_CAP: Final = "realized_cap:BTC"
MVRV_Z: Final = "mvrv_z:BTC"
# A recorded yield or par price bridges short gaps; later the assumed value speaks for itself.
BRIDGE_S: Final = 3 * DAY_S

Shuffle = Callable[[list[int]], None]


class Future(StrEnum):
    """What happens to everything known after an instant."""

    SHUFFLE = "shuffle"
    TRUNCATE = "truncate"


class Point(NamedTuple):
    """One value: when it could be known, the instant it speaks of, and who said it."""

    known_s: int
    as_of_s: int
    value: int | float
    source: str


class Channel(NamedTuple):
    """All points of one key, in the order they became known."""

    key: str
    unit: str
    points: Sequence[Point]
    provenance: Provenance = Provenance.OBSERVED


class Assumed(NamedTuple):
    """A stand-in chosen beforehand, shown as FALLBACK where nothing was recorded."""

    key: str
    value: int | float
    unit: str
    source: str


class Recording:
    """Channels, indexed by when each value became known. Reading changes nothing in it."""

    def __init__(self, channels: Iterable[Channel], assumed: Sequence[Assumed] = ()) -> None:
        self._raw = tuple(channels)
        self._assumed = {one.key: one for one in assumed}
        derived = _derived(self._raw)
        self._tracks = [
            _track(channel, channel.key in self._assumed)
            for channel in (*self._raw, *([derived] if derived else ()))
        ]
        self._unrecorded = [
            one for one in assumed if one.key not in {channel.key for channel in self._raw}
        ]

    def observe(self, now_s: int) -> list[Observation]:
        """Return the latest observation of every key known by `now_s`."""
        found: list[Observation] = []
        for key, known_s, observations, has_stand_in in self._tracks:
            at = bisect_right(known_s, now_s) - 1
            if at >= 0:
                observation = observations[at]
                if not has_stand_in or now_s - observation.as_of_s <= BRIDGE_S:
                    found.append(observation)
                    continue
            if has_stand_in:
                found.append(_stand_in(self._assumed[key], now_s))
        found.extend(_stand_in(one, now_s) for one in self._unrecorded)
        return found

    def history(self, key: str, until_s: int) -> Sequence[Observation]:
        """Return every observation of one key known by `until_s`, oldest first."""
        for name, known_s, observations, _ in self._tracks:
            if name == key:
                return observations[: bisect_right(known_s, until_s)]
        return ()

    def span(self, key: str) -> tuple[int, int]:
        """Return the first and last instant at which a value of `key` became known."""
        for name, known_s, _, _ in self._tracks:
            if name == key and known_s:
                return known_s[0], known_s[-1]
        raise Refused(f"expected recorded values of {key}, found none")

    def keys(self) -> tuple[str, ...]:
        """Return the recorded and derived keys that have values."""
        return tuple(key for key, known_s, _, _ in self._tracks if known_s)

    def with_future(self, after_s: int, mode: Future, shuffle: Shuffle) -> "Recording":
        """Return a recording whose values known after `after_s` are cut off or out of order.

        `shuffle` reorders a list of places; the same one must be handed in to get the same
        future again. Derived values are computed anew from what is left.
        """
        return Recording(
            (_changed(channel, after_s, mode, shuffle) for channel in self._raw),
            tuple(self._assumed.values()),
        )


_Track = tuple[str, list[int], list[Observation], bool]


def _track(channel: Channel, has_stand_in: bool) -> _Track:
    """Build a channel's observations once, so that reading them is a search and nothing more."""
    key, unit, provenance = channel.key, channel.unit, channel.provenance
    observations = [
        Observation(key, value, unit, source, as_of_s, known_s, provenance)
        for known_s, as_of_s, value, source in channel.points
    ]
    return key, [point.known_s for point in channel.points], observations, has_stand_in


def _stand_in(one: Assumed, now_s: int) -> Observation:
    return Observation(one.key, one.value, one.unit, one.source, now_s, now_s, Provenance.FALLBACK)


def _derived(channels: Sequence[Channel]) -> Channel | None:
    """Derive MVRV Z from market cap and realized cap, days missing in either left out."""
    by_key = {channel.key: channel for channel in channels}
    if MARKET_CAP not in by_key or REALIZED_CAP not in by_key or MVRV_Z in by_key:
        return None
    realized = {point.as_of_s: point for point in by_key[REALIZED_CAP].points}
    synthetic = by_key[MARKET_CAP].provenance is Provenance.SYNTHETIC
    moments = CapMoments()
    points: list[Point] = []
    for cap in by_key[MARKET_CAP].points:
        moments = moments.with_day(float(cap.value))
        other = realized.get(cap.as_of_s)
        score = other and mvrv_z(moments, float(cap.value), float(other.value))
        if other is not None and score is not None:
            source = f"derived from market cap and realized cap ({cap.source})"
            points.append(Point(max(cap.known_s, other.known_s), cap.as_of_s, score, source))
    provenance = Provenance.SYNTHETIC if synthetic else Provenance.DERIVED
    return Channel(MVRV_Z, "ratio", points, provenance)


def _changed(channel: Channel, after_s: int, mode: Future, shuffle: Shuffle) -> Channel:
    """Cut or reorder the values of one channel that became known after an instant."""
    split = bisect_right([point.known_s for point in channel.points], after_s)
    past, future = list(channel.points[:split]), channel.points[split:]
    if mode is Future.TRUNCATE:
        return channel._replace(points=past)
    places = list(range(len(future)))
    shuffle(places)
    moved = [
        point._replace(value=future[place].value)
        for point, place in zip(future, places, strict=True)
    ]
    return channel._replace(points=past + moved)

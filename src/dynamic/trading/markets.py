"""Markets a demo may live through: recorded files, live public history, or a seeded sample.

    choose : (directory | live sources | seed) x span  ->  Market

Whatever is chosen says what it is: a sample is labelled synthetic wherever it shows, and the
end of a recording is shown as an end, not stretched into a present.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from dynamic.adapters.feeds.history import HistoryFeed
from dynamic.adapters.feeds.public import Endpoints, PublicFeed
from dynamic.adapters.feeds.public_history import public_history
from dynamic.errors import DataUnfit, Refused
from dynamic.market.observation import Observation
from dynamic.policy.mandate import Mandate
from dynamic.simulation.sample import SampleFeed
from dynamic.trading.paper import Recorded, assumed_apy
from dynamic.trading.playing import DemoClock
from dynamic.trading.service import Setting
from dynamic.trading.views import SourceView
from dynamic.units import DAY_S, iso

YEARS_SHOWN: Final = 4


class Spanned(Recorded, Protocol):
    """A feed whose first and last instant are known."""

    def span(self) -> tuple[int, int]:
        """Return the first and last instant it can serve."""
        ...


class LivedFeed:
    """Recorded values up to the recording's end, live ones from there on."""

    def __init__(self, recorded: Spanned, live: PublicFeed) -> None:
        self.live = live
        self._recorded = recorded
        self._last_s = recorded.span()[1]

    def observe(self, now_s: int) -> Sequence[Observation]:
        """Return what was known then, or what is known now."""
        return (self._recorded if now_s <= self._last_s else self.live).observe(now_s)

    def history(self, key: str, until_s: int) -> Sequence[Observation]:
        """Return every recorded observation of one key known by `until_s`, oldest first."""
        return self._recorded.history(key, until_s)

    def span(self) -> tuple[int, int]:
        """Return the recording's span."""
        return self._recorded.span()


@dataclass(frozen=True, slots=True)
class Market:
    """A market to live through: where its values come from, and which instants are played."""

    name: str  # "synthetic sample (seed 7)", "replay", "live history"
    feed: Spanned
    instants: range
    is_synthetic: bool
    live: PublicFeed | None = None

    def label(self, clock: DemoClock) -> str:
        """Return what every screen says: the mode, and the market's day while it is played."""
        now_s = clock.now_s()
        if clock.is_playing:
            between = " · " if self.is_synthetic else " "
            return f"paper · {self.name}{between}{iso(now_s)[:10]}"
        if self.live is not None:
            return "paper · live"
        return f"paper · {self.name} · ended {iso(self.instants[-1])[:10]}"

    def setting(self, clock: DemoClock, mandate_text: str) -> Setting:
        """Return what the treasury says about itself."""
        return Setting(
            label=lambda: self.label(clock),
            is_synthetic=self.is_synthetic,
            mandate_text=mandate_text,
            sources=lambda: self._sources(clock),
        )

    def _sources(self, clock: DemoClock) -> tuple[SourceView, ...]:
        now_s = clock.now_s()
        if self.live is not None and not clock.is_playing:
            return tuple(
                SourceView(
                    each.name, each.is_ok, each.last_ok_s, None,
                    None if each.last_ok_s is None else max(now_s - each.last_ok_s, 0),
                )
                for each in self.live.status()
            )  # fmt: skip
        last_s = min(now_s, self.instants[-1])
        return (SourceView(self.name, clock.is_playing, last_s, None, now_s - last_s),)


def recorded_market(directory: Path, mandate: Mandate, first_s: int | None,
                    last_s: int | None) -> Market:  # fmt: skip
    """Play the history files of a directory."""
    feed = HistoryFeed.open(directory, assumed_apy(mandate))
    return Market("replay", feed, played(feed, first_s, last_s), is_synthetic=False)


def sample_market(seed: int, first_s: int | None, last_s: int | None) -> Market:
    """Play a seeded sample."""
    feed = SampleFeed(seed)
    name = f"synthetic sample (seed {seed})"
    return Market(name, feed, played(feed, first_s, last_s), is_synthetic=True)


def live_market(
    live: PublicFeed,
    mandate: Mandate,
    first_s: int | None,
    last_s: int | None,
    at: Endpoints | None = None,
) -> Market | None:
    """Play live public history and live on with live data; None where it cannot be reached."""
    now_s = int(time.time())
    try:
        if not live.reachable(now_s):
            return None
        feed = LivedFeed(public_history(live, assumed_apy(mandate), now_s, at), live)
    except DataUnfit:
        return None
    return Market("live history", feed, played(feed, first_s, last_s), False, live)


def played(feed: Spanned, first_s: int | None, last_s: int | None) -> range:
    """Return the days to play: what was asked for, or the last years of the recording."""
    known_first, known_last = feed.span()
    last = known_last if last_s is None else last_s
    first = max(known_first, last - YEARS_SHOWN * 365 * DAY_S) if first_s is None else first_s
    if not known_first <= first < last <= known_last:
        raise Refused(
            f"expected a span inside {iso(known_first)[:10]} .. {iso(known_last)[:10]}, "
            f"found {iso(first)[:10]} .. {iso(last)[:10]}; nothing was played"
        )
    return range(first, last + 1, DAY_S)

"""Watch: the two market events that cannot wait for a daily print.

    flash_crash   BTC or ETH fell too far too fast, and two sources say so
    PegWatch      a stablecoin left its peg, and stayed away

A crash is measured from the highest price inside a window to the latest one: a fall of the
limit or more. One source's spike is an error of that source, so every event needs two.

A peg is watched print by print. One print proves nothing: USDC printed 0.20 on 2021-12-04 and
3.99 on 2022-05-11 while it was worth a dollar. An alert needs two prints in a row beyond its
limit, an emergency needs every print beyond its limit for the given time. A silence longer
than the given one (an outage, a delisting) starts the count again. Source: MI-25, MI-26.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

from dynamic.units import BPS


class PricePrint(NamedTuple):
    """One price of one source, per whole token."""

    at_s: int
    usd_micro: int


class CrashWindow(NamedTuple):
    """A fall of `drop_bps` or more within `window_s` is a crash (1 500 in 1 h, 2 500 in 24 h)."""

    window_s: int
    drop_bps: int


class Crash(NamedTuple):
    """A confirmed crash: the window, and the fall each source saw, rounded down."""

    window_s: int
    drops_bps: tuple[tuple[str, int], ...]


def drop_bps(prints: Sequence[PricePrint], now_s: int, window_s: int) -> int | None:
    """Return the fall from the window's highest print to its latest, in bps rounded down.

    None without two prints inside (now - window, now].
    """
    inside = [p for p in prints if now_s - window_s <= p.at_s <= now_s]
    if len(inside) < 2:
        return None
    last = max(inside, key=lambda p: p.at_s).usd_micro
    high = max(p.usd_micro for p in inside)
    return (high - last) * BPS // high


def flash_crash(
    sources: Mapping[str, Sequence[PricePrint]],
    now_s: int,
    windows: Sequence[CrashWindow],
    sources_min: int = 2,
) -> Crash | None:
    """Return the first window in which enough independent sources saw the fall."""
    for window_s, limit_bps in windows:
        drops = tuple(
            (name, fall)
            for name, prints in sorted(sources.items())
            if (fall := drop_bps(prints, now_s, window_s)) is not None and fall >= limit_bps
        )
        if len(drops) >= sources_min:
            return Crash(window_s, drops)
    return None


class PegLimits(Protocol):
    """The mandate's numbers for a stablecoin held."""

    @property
    def alert_bps(self) -> int:
        """Off the peg by this or more, twice in a row, is an alert (50)."""
        ...

    @property
    def emergency_bps(self) -> int:
        """Off the peg by this or more for the lasting time is an emergency (200)."""
        ...

    @property
    def lasting_s(self) -> int:
        """How long an emergency must last (600)."""
        ...

    @property
    def silence_s_max(self) -> int:
        """Prints further apart than this do not belong to one episode."""
        ...


class PegState(IntEnum):
    """How far from its peg a stablecoin stands; higher is worse."""

    HELD = 0
    ALERT = 1
    EMERGENCY = 2


@dataclass(frozen=True, slots=True)
class PegWatch:
    """What is remembered of one stablecoin between prints."""

    last_s: int | None = None
    off_since_s: int | None = None  # first print of the run beyond the alert limit
    far_since_s: int | None = None  # first print of the run beyond the emergency limit
    state: PegState = PegState.HELD

    def with_print(self, at_s: int, usd_micro: int, limits: PegLimits) -> "PegWatch":
        """Return the watch after one print; an older or repeated instant changes nothing."""
        if self.last_s is not None and at_s <= self.last_s:
            return self
        is_one_run = self.last_s is not None and at_s - self.last_s <= limits.silence_s_max
        off = abs(usd_micro - 1_000_000) * BPS
        off_since = _run_start(
            self.off_since_s if is_one_run else None, at_s, off >= limits.alert_bps * 1_000_000
        )
        far_since = _run_start(
            self.far_since_s if is_one_run else None, at_s, off >= limits.emergency_bps * 1_000_000
        )
        state = PegState.HELD
        if far_since is not None and at_s - far_since >= limits.lasting_s:
            state = PegState.EMERGENCY
        elif off_since is not None and at_s > off_since:
            state = PegState.ALERT
        return PegWatch(at_s, off_since, far_since, state)


def _run_start(since_s: int | None, at_s: int, is_beyond: bool) -> int | None:
    """Continue a run beyond a limit, begin one now, or end it."""
    if not is_beyond:
        return None
    return at_s if since_s is None else since_s

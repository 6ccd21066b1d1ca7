"""What a cycle must not sleep through: a dollar off its peg, and a crash two sources saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dynamic.market.observation import Observation
from dynamic.ports import Feed
from dynamic.signals.signal import Mode
from dynamic.units import HOUR_S
from tests.workflows.conftest import Begin
from tests.workflows.world import World


class Fallen:
    """A feed that stands still, then scales BTC; a second source may agree."""

    def __init__(self, feed: Feed, at_s: int) -> None:
        self._feed, self._at_s = feed, at_s
        self.btc_bps = 10_000
        self.second_bps: int | None = None

    def observe(self, now_s: int) -> Sequence[Observation]:
        """Return the market of the beginning, fresh, with BTC as told."""
        found = []
        for seen in self._feed.observe(self._at_s):
            fresh = replace(seen, as_of_s=now_s, fetched_at_s=now_s)
            if seen.key == "price:BTC":
                value = int(seen.value)
                if self.second_bps is not None:
                    found.append(
                        replace(
                            fresh, key="crosscheck:price:BTC", source="another",
                            value=value * self.second_bps // 10_000,
                        )
                    )  # fmt: skip
                fresh = replace(fresh, value=value * self.btc_bps // 10_000)
            found.append(fresh)
        return found


def falling(begin: Begin) -> tuple[World, Fallen, int]:
    """A treasury that holds BTC, in a market that a test moves."""
    world = begin()
    world.until(6)
    at_s = world.clock.now_s()
    feed = Fallen(world.io.feed, at_s)
    world.io = replace(world.io, feed=feed)
    return world, feed, at_s


@pytest.mark.req("MI-25")
@pytest.mark.parametrize(
    ("first_bps", "second_bps", "is_crash"),
    [(8_500, 8_500, True), (8_501, 8_500, False), (8_500, 10_000, False), (8_500, None, False)],
)
def test_mi_flash_crash(
    begin: Begin, first_bps: int, second_bps: int | None, is_crash: bool
) -> None:
    """-15.00 % within the hour, seen by two sources; one source's spike is its own error."""
    world, feed, at_s = falling(begin)
    feed.second_bps = None if second_bps is None else 10_000
    world.cycle(at_s + HOUR_S)
    feed.btc_bps, feed.second_bps = first_bps, second_bps
    report = world.cycle(at_s + 2 * HOUR_S)
    assert ("flash-crash-BTC" in world.duty.codes()) is is_crash
    if is_crash:
        assert report.signal.mode is Mode.HEDGE
        assert not report.signal.allows_increase
        world.restart()
        assert world.memory.prints, "a restart forgets no print"


@pytest.mark.req("MI-26")
@pytest.mark.parametrize(("usdc_bps", "alerts"), [(9_951, False), (9_950, True), (10_200, False)])
def test_mi_depeg(begin: Begin, usdc_bps: int, alerts: bool) -> None:
    """0.5 % below par, twice in a row; a premium is no loss."""
    world = begin()
    world.until(6)
    at_s = world.clock.now_s()
    feed = Fallen(world.io.feed, at_s)
    world.io = replace(world.io, feed=feed)
    par = next(o.value for o in feed.observe(at_s) if o.key == "price:USDC")
    real = feed.observe

    def off(now_s: int) -> list[Observation]:
        return [
            replace(o, value=usdc_bps * 100) if o.key == "price:USDC" else o for o in real(now_s)
        ]

    feed.observe = off  # type: ignore[method-assign]
    assert abs(par - 1_000_000) < 5_000
    for hour in (1, 2):
        world.cycle(at_s + hour * HOUR_S)
    assert ("depeg-USDC" in world.duty.codes()) is alerts

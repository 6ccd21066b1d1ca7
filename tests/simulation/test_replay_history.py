"""The engine lives through recorded history: three windows, with and without its memory."""

from __future__ import annotations

import pytest

from dynamic.adapters.feeds.history import HistoryFeed
from dynamic.policy.mandate import Mandate
from dynamic.trading.replaying import Course, check_lookahead, checked_span, run
from dynamic.units import DAY_S, parse_instant
from tests.simulation.lived import check_everything, live

WINDOWS = (("2018-01-01", "2021-12-31"), ("2021-01-01", "2024-12-31"), ("2022-01-01", "2024-12-31"))


def window(
    feed: HistoryFeed, mandate: Mandate, first: str, last: str, *, has_memory: bool = True
) -> Course:
    span = checked_span(feed, parse_instant(first), parse_instant(last), DAY_S)
    return Course(feed, span, mandate, has_memory=has_memory)


@pytest.mark.slow
@pytest.mark.req("SM-09", "SC-18", "GR-10", "GR-21", "PM-08", "LG-04")
@pytest.mark.parametrize("has_memory", [True, False], ids=["memory", "blind"])
@pytest.mark.parametrize(("first", "last"), WINDOWS, ids=[f"{a[:4]}-{b[:4]}" for a, b in WINDOWS])
def test_sm_recorded_years_stay_within_every_limit(
    history: HistoryFeed, mandate: Mandate, first: str, last: str, has_memory: bool
) -> None:
    lived = live(window(history, mandate, first, last, has_memory=has_memory))
    check_everything(
        lived, mandate.exposure.volatile_bps_max, mandate.authority.unattended_usd_micro_max
    )
    report = lived.outcome.report()
    assert report["mode"] == "default"
    assert report["max_drawdown"] <= 0.20  # type: ignore[operator]
    assert lived.outcome.tally.volatile_bps_after_order_max <= mandate.exposure.volatile_bps_max
    assert lived.outcome.tally.trades > 20


@pytest.mark.req("SM-01", "TD-02")
def test_sm_recorded_history_replays_to_the_same_hash(
    history: HistoryFeed, mandate: Mandate
) -> None:
    course = window(history, mandate, "2021-01-01", "2021-06-30")
    assert run(course).state_hash == run(course).state_hash


@pytest.mark.slow
@pytest.mark.req("SM-07")
def test_sm_walk_forward_over_recorded_history(history: HistoryFeed, mandate: Mandate) -> None:
    peeks = check_lookahead(window(history, mandate, "2021-01-01", "2021-05-31"), cuts=2)
    assert len(peeks) == 4
    assert all(peek.held for peek in peeks)

"""Courses: what may be asked for, what is refused, and what three sizings say of one market."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dynamic.adapters.mandate_file import read_mandate
from dynamic.errors import Refused
from dynamic.policy.mandate import Mandate
from dynamic.simulation import replay as simulated
from dynamic.simulation.replay import Span
from dynamic.simulation.sample import SampleFeed
from dynamic.trading import replaying
from dynamic.trading.replaying import (
    MODES,
    Course,
    Journey,
    check_lookahead,
    checked_span,
    compare,
    run,
    under_mode,
    unexplained,
)
from dynamic.units import DAY_S
from dynamic.workflows import treasury_cycle

REPORT = {
    "mode", "has_memory", "first", "last", "cycles", "cycles_per_second", "nav_usd",
    "annual_return", "max_drawdown", "sharpe", "trades", "turnover_per_year", "decisions", "held",
    "planned", "pending_approval", "denied", "volatile_bps_after_order_max",
    "volatility_guard_red_share", "residues", "unmarked", "alerts", "attribution_usd",
    "attribution_residual", "benchmarks_usd", "audit_events", "state_hash",
}  # fmt: skip


@pytest.fixture(scope="module")
def mandate() -> Mandate:
    return read_mandate().under("replay")


@pytest.fixture(scope="module")
def feed() -> SampleFeed:
    return SampleFeed(1)


@pytest.fixture
def course(feed: SampleFeed, mandate: Mandate) -> Course:
    first_s, _ = feed.span()
    return Course(feed, Span(first_s, first_s + 30 * DAY_S), mandate)


@pytest.mark.req("SM-12")
def test_sm_a_replay_runs_the_cycle_that_runs_live() -> None:
    """No forked logic: the function is the very same object."""
    assert simulated.run_cycle is treasury_cycle.run_cycle
    source = Path(simulated.__file__).read_text(encoding="utf-8")
    source += Path(replaying.__file__).read_text(encoding="utf-8")
    assert "decide(" not in source
    assert "judge(" not in source


@pytest.mark.req("SM-01")
def test_a_report_has_stable_fields(course: Course) -> None:
    report = run(course).report()
    assert report.keys() >= REPORT
    assert report["cycles"] >= 31  # type: ignore[operator]
    assert report["residues"] == 0
    parts = report["attribution_usd"]
    assert isinstance(parts, dict)
    assert abs(sum(parts.values()) - float(str(report["nav_usd"]))) < 0.02


@pytest.mark.req("SM-01", "SM-09")
def test_a_comparison_runs_every_mode_with_and_without_memory(course: Course) -> None:
    outcomes = compare(course)
    ran = [(o.course.mandate.sizing.mode, o.course.has_memory) for o in outcomes]
    assert ran == [(mode, memory) for memory in (True, False) for mode in MODES]
    assert len({o.course.mandate.digest for o in outcomes}) == len(MODES)
    assert all(o.tally.residues == 0 for o in outcomes)


def test_a_mode_that_does_not_exist_is_refused(mandate: Mandate) -> None:
    assert under_mode(mandate, mandate.sizing.mode) is mandate
    with pytest.raises(Refused, match="expected a sizing mode of ladder, stages, default"):
        under_mode(mandate, "yolo")


def test_a_span_outside_the_record_is_refused_to_the_second(feed: SampleFeed) -> None:
    first_s, last_s = feed.span()
    assert checked_span(feed, None, None, DAY_S) == Span(first_s, last_s, DAY_S)
    assert checked_span(feed, first_s, first_s, DAY_S).instants() == range(
        first_s, first_s + 1, DAY_S
    )
    for first, last in ((first_s - 1, None), (None, last_s + 1), (last_s, first_s)):
        with pytest.raises(Refused, match="expected a span inside"):
            checked_span(feed, first, last, DAY_S)


def test_a_store_with_a_past_is_refused(course: Course, tmp_path: Path) -> None:
    """A replay begins from nothing: it never mixes with books that are already there."""
    kept = replace(course, store_url=f"sqlite:///{tmp_path / 't.db'}")
    run(kept)
    with pytest.raises(Refused, match="expected an empty store"):
        Journey(kept)


@pytest.mark.req("SM-07")
def test_a_feed_that_looks_ahead_is_caught(course: Course) -> None:
    """The check can fail: a feed that tells tomorrow's price today is found out."""

    class Prophet(SampleFeed):
        def observe(self, now_s: int):  # type: ignore[no-untyped-def]
            today = super().observe(now_s)
            tomorrow = {o.key: o for o in super().observe(now_s + DAY_S)}
            return [replace(o, value=tomorrow[o.key].value) for o in today]

        def with_future(self, after_s: int, mode: object, seed: int) -> SampleFeed:
            changed = super().with_future(after_s, mode, seed)  # type: ignore[arg-type]
            start_s, days = self._start_s, self._days
            return Prophet(self.seed, start_s, days, changed.recording)

    assert all(peek.held for peek in check_lookahead(course, cuts=1))
    assert not all(peek.held for peek in check_lookahead(replace(course, feed=Prophet(1)), cuts=1))


@pytest.mark.parametrize(
    ("change", "left"), [(-1, 1), (0, 0), (1, 0), (2, 1), (1_000_000, 999_999)]
)
def test_a_residual_is_measured_and_one_micro_of_it_is_rounding(change: int, left: int) -> None:
    assert unexplained(100 + change, {"price": 107, "gas": -7}) == left

"""The engine lives through a seeded market: deterministic, balanced, within every limit."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic.adapters.storage.store import SqlStore
from dynamic.market.recording import Future
from dynamic.policy.mandate import Mandate
from dynamic.simulation.replay import Span
from dynamic.simulation.sample import SampleFeed
from dynamic.trading.replaying import Course, Journey, check_lookahead, run, under_mode
from dynamic.units import DAY_S, HOUR_S
from dynamic.workflows.memory import recover
from tests.conftest import ROOT
from tests.simulation.lived import Lived, check_everything, live


def course(feed: SampleFeed, mandate: Mandate, days: int, step_s: int = DAY_S) -> Course:
    """The first days of the sample."""
    first_s, _ = feed.span()
    return Course(feed, Span(first_s, first_s + days * DAY_S, step_s), mandate)


@pytest.fixture(scope="module")
def lived(sample: SampleFeed, mandate: Mandate) -> Lived:
    """The whole sample, once."""
    return live(Course(sample, Span(*sample.span()), mandate))


@pytest.mark.slow
@pytest.mark.req("GR-10", "GR-21", "PM-08", "LG-04", "SC-18", "SM-09", "RB-12")
def test_sm_a_whole_sample_stays_within_every_limit(lived: Lived, mandate: Mandate) -> None:
    check_everything(
        lived, mandate.exposure.volatile_bps_max, mandate.authority.unattended_usd_micro_max
    )
    assert lived.outcome.report()["max_drawdown"] < 0.20  # type: ignore[operator]
    assert lived.outcome.tally.trades > 50  # it did live


@pytest.mark.slow
@pytest.mark.req("GR-20", "SC-18")
def test_sm_the_cushion_holds_where_the_ladder_breaks(mandate: Mandate) -> None:
    """Markets nobody tuned to: the ladder as written loses far over 20 %, the default does not."""
    falls: dict[str, list[float]] = {"ladder": [], "default": []}
    for seed in (2, 5, 9):
        market = SampleFeed(seed)
        for mode, found in falls.items():
            lived = run(Course(market, Span(*market.span()), under_mode(mandate, mode)))
            found.append(lived.report()["max_drawdown"])  # type: ignore[arg-type]
    assert max(falls["default"]) < 0.20
    assert min(falls["ladder"]) > 0.20


@pytest.mark.nightly
@pytest.mark.req("GR-20", "SC-18")
@pytest.mark.parametrize("seed", range(1, 25))
def test_sm_no_made_up_market_breaks_the_limit(mandate: Mandate, seed: int) -> None:
    market = SampleFeed(seed)
    report = run(Course(market, Span(*market.span()), mandate)).report()
    assert report["max_drawdown"] < 0.20  # type: ignore[operator]
    assert report["volatile_bps_after_order_max"] <= 4_000  # type: ignore[operator]


@pytest.mark.req("GR-10", "GR-21")
def test_gr_volatile_cap_and_gr_approval_threshold_with_four_cycles_a_day(
    sample: SampleFeed, mandate: Mandate
) -> None:
    """More cycles a day are no more authority a day."""
    lived = live(course(sample, mandate, 120, 6 * HOUR_S))
    check_everything(
        lived, mandate.exposure.volatile_bps_max, mandate.authority.unattended_usd_micro_max
    )


@pytest.mark.req("SM-01", "TD-02")
def test_sm_the_same_course_ends_in_the_same_state(sample: SampleFeed, mandate: Mandate) -> None:
    one = run(course(sample, mandate, 60))
    assert run(course(sample, mandate, 60)).state_hash == one.state_hash
    assert run(course(SampleFeed(1), mandate, 60)).state_hash == one.state_hash
    assert run(course(SampleFeed(2), mandate, 60)).state_hash != one.state_hash
    assert run(course(sample, mandate, 61)).state_hash != one.state_hash


PRINT_HASH = """
from dynamic.adapters.mandate_file import read_mandate
from dynamic.simulation.replay import Span
from dynamic.simulation.sample import SampleFeed
from dynamic.trading.replaying import Course, run
feed = SampleFeed(1)
first_s, _ = feed.span()
course = Course(feed, Span(first_s, first_s + 60 * 86_400), read_mandate().under("replay"))
print(run(course).state_hash)
"""


@pytest.mark.req("SM-01", "TD-02")
def test_sm_the_hash_seed_of_python_changes_nothing(sample: SampleFeed, mandate: Mandate) -> None:
    expected = run(course(sample, mandate, 60)).state_hash
    for hash_seed in ("0", "4242"):
        printed = subprocess.run(
            [sys.executable, "-c", PRINT_HASH], cwd=ROOT, check=True, capture_output=True,
            text=True, env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )  # fmt: skip
        assert printed.stdout.strip() == expected


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'treasury.db'}"
    found: str = request.getfixturevalue("pg_database_url")
    return found


@pytest.mark.req("SM-01", "LG-04", "OP-13")
def test_sm_any_database_ends_in_the_state_it_recovers(
    url: str, sample: SampleFeed, mandate: Mandate
) -> None:
    """Whatever the database and however commits are grouped: the same state, read back whole."""
    in_memory = run(course(sample, mandate, 60))
    for group in (1, 500):
        if group == 500 and url.startswith("sqlite"):
            url = url.replace("treasury.db", "grouped.db")
        elif group == 500:
            break  # one empty database of this kind
        on_file = run(replace(course(sample, mandate, 60), store_url=url, group=group))
        assert on_file.state_hash == in_memory.state_hash
        with SqlStore(url, durable=False) as store:
            assert recover(store.recover()).state_hash() == in_memory.state_hash
            assert store.reader().verify_audit()["broken"] is None
            assert set(store.reader().linkage().values()) == {0}


@pytest.mark.req("SM-07")
def test_sm_walk_forward(sample: SampleFeed, mandate: Mandate) -> None:
    """Shuffled or cut off, what comes later changes nothing that was decided before."""
    peeks = check_lookahead(course(sample, mandate, 120), cuts=2)
    assert len(peeks) == 4
    assert all(peek.held for peek in peeks)


@pytest.mark.req("SM-07")
@settings(max_examples=8)
@given(day=st.integers(1, 80), seed=st.integers(0, 2**32), mode=st.sampled_from(list(Future)))
def test_sm_no_cut_anywhere_changes_the_past(
    sample: SampleFeed, mandate: Mandate, heads: dict[int, str], day: int, seed: int, mode: Future
) -> None:
    """At any day, under any other future, the audit head up to there is the same."""
    first_s, _ = sample.span()
    after_s = first_s + day * DAY_S
    other = sample.with_future(after_s, mode, seed)
    assert heads_of(course(other, mandate, day))[after_s] == heads[after_s]


@pytest.mark.req("SM-07")
def test_sm_another_future_is_noticed_once_it_comes(
    sample: SampleFeed, mandate: Mandate, heads: dict[int, str]
) -> None:
    """The check above can fail: one day later the decisions differ."""
    first_s, _ = sample.span()
    after_s = first_s + 10 * DAY_S
    other = heads_of(course(sample.with_future(after_s, "shuffle", 1), mandate, 12))
    assert other[after_s] == heads[after_s]
    assert other[after_s + 2 * DAY_S] != heads[after_s + 2 * DAY_S]


@pytest.fixture(scope="module")
def heads(sample: SampleFeed, mandate: Mandate) -> dict[int, str]:
    """The audit head after each of the first 81 cycles."""
    return heads_of(course(sample, mandate, 80))


def heads_of(lives: Course) -> dict[int, str]:
    """The audit head after each cycle of a course."""
    journey = Journey(lives)
    try:
        return {report.at_s: journey.memory.audit.head for report in journey.cycles()}
    finally:
        journey.close()

"""Crossings: one edge, one event."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import InvariantBroken
from dynamic.market.crossing import Crossing, Level, Sides, advance, first_sides
from dynamic.units import DAY_S

STEP = Level(3.5, hysteresis=0.1, confirmation=0.05)
ZERO = Level(0.0, confirmation=0.05, is_above_inclusive=True)


def walk(path: list[float], level: Level = STEP) -> tuple[list[Crossing], Sides | None]:
    sides: Sides | None = None
    events: list[Crossing] = []
    for day, value in enumerate(path):
        sides, found = advance(sides, value, day * DAY_S, [level])
        events += found
    return events, sides


@pytest.mark.req("MI-23")
def test_mi_edge_detect() -> None:
    events, _ = walk([3.4, 3.6, 3.6, 3.4, 3.6])
    assert [(e.level, e.is_up, e.as_of_s) for e in events] == [(3.5, True, DAY_S)]


@pytest.mark.req("MI-23")
@pytest.mark.parametrize(
    ("path", "ups", "downs"),
    [
        ([3.6, 3.6], 0, 0),  # a level, never crossed
        ([3.5, 3.54, 3.51], 1, 0),  # second print
        ([3.5, 3.55], 1, 0),  # 0.05 beyond
        ([3.5, 3.5499], 0, 0),
        ([3.4, 3.6, 3.4], 1, 0),  # 0.1 below is not below 0.1
        ([3.4, 3.6, 3.39, 3.6], 2, 1),
        ([3.4, 3.54, 3.5, 3.54], 0, 0),
    ],
)
def test_mi_edge_detect_boundaries(path: list[float], ups: int, downs: int) -> None:
    events, _ = walk(path)
    assert (sum(e.is_up for e in events), sum(not e.is_up for e in events)) == (ups, downs)


@pytest.mark.req("MI-23")
@given(st.lists(st.floats(-1, 8, allow_nan=False), min_size=1, max_size=60))
def test_mi_edges_alternate_and_need_the_band(path: list[float]) -> None:
    """Between two ups lies a down, and between an up and a down the whole hysteresis."""
    events, sides = walk(path)
    directions = [event.is_up for event in events]
    assert all(a != b for a, b in itertools.pairwise(directions))
    for event in events:
        assert event.value > 3.5 if event.is_up else event.value < 3.4
    assert sides is not None
    assert first_sides(path[0], 0, [STEP]).above[0] ^ (len(events) % 2 == 1) == sides.above[0]


@given(st.lists(st.floats(-1, 8, allow_nan=False), min_size=2, max_size=20), st.integers(1, 24))
def test_reading_a_print_again_changes_nothing(path: list[float], times: int) -> None:
    sides, _ = advance(None, path[0], 0, [STEP, ZERO])
    for day, value in enumerate(path[1:], start=1):
        sides, _ = advance(sides, value, day * DAY_S, [STEP, ZERO])
        again = sides
        for _ in range(times):
            again, events = advance(again, value, day * DAY_S, [STEP, ZERO])
            assert events == ()
        assert again == sides


def test_a_second_print_on_the_same_day_is_a_revision() -> None:
    sides, _ = advance(None, 3.4, 0, [STEP])
    sides, _ = advance(sides, 3.52, DAY_S, [STEP])
    sides, events = advance(sides, 3.53, DAY_S + 3_600, [STEP])
    assert events == ()
    sides, events = advance(sides, 3.53, 2 * DAY_S, [STEP])
    assert len(events) == 1


def test_exactly_zero_is_above_zero() -> None:
    assert first_sides(0.0, 0, [ZERO]).above == (True,)
    assert first_sides(-0.0, 0, [ZERO]).above == (True,)
    assert first_sides(3.5, 0, [STEP]).above == (False,)
    assert [e.is_up for e in walk([1.0, -0.01, -0.01, 0.0, 0.0], ZERO)[0]] == [False, True]


def test_prints_only_move_forward() -> None:
    sides = first_sides(1.0, DAY_S, [STEP])
    with pytest.raises(InvariantBroken):
        advance(sides, 1.0, DAY_S - 1, [STEP])
    with pytest.raises(InvariantBroken):
        advance(sides, 1.0, DAY_S, [STEP, ZERO])
    with pytest.raises(InvariantBroken):
        advance(sides, float("nan"), DAY_S, [STEP])

"""The cycle's memory: top, bear and ratchet, and how each is left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.signals.estimate import DailyPrint, estimate, remember
from dynamic.signals.signal import AllocationSignal, Phase, Trigger
from dynamic.signals.state import SignalState
from dynamic.units import DAY_S
from tests.signals.numbers import LADDER, PARAMETERS, snapshot

scores = st.floats(-2, 12, allow_nan=False)


def live(
    path: list[float | None], state: SignalState | None = None, day: int = 1_000
) -> tuple[list[AllocationSignal], SignalState]:
    """Live through daily prints, one a day, in a cycle that people have named."""
    state = state or SignalState(knows_cycle_at_s=0)
    signals = []
    for offset, mvrv_z in enumerate(path):
        signal, state = estimate(snapshot(day + offset, mvrv_z), state, PARAMETERS)
        signals.append(signal)
    return signals, state


def remembered(path: list[tuple[int, float, float | None]]) -> SignalState:
    """The memory of (day, score, BTC price) prints."""
    return remember(
        (
            DailyPrint(day * DAY_S, score, None if price is None else int(price * 10**6))
            for day, score, price in path
        ),
        LADDER,
    )


@pytest.mark.req("SG-09")
@given(st.lists(scores, max_size=12), scores, scores)
def test_sg_monotone_from_any_memory(past: list[float], one: float, other: float) -> None:
    """Whatever came before, a higher next print never asks for more."""
    low, high = sorted((one, other))
    _, state = live(list(past))
    (at_low,), _ = live([low], state, day=2_000)
    (at_high,), _ = live([high], state, day=2_000)
    assert at_high.ladder_bps <= at_low.ladder_bps


@pytest.mark.req("SG-09")
@given(st.lists(st.floats(-5, 15, allow_nan=False), min_size=2, max_size=30))
def test_sg_monotone_on_the_way_up(path: list[float]) -> None:
    signals, _ = live(sorted(path))
    shares = [signal.ladder_bps for signal in signals]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.req("SG-10")
@given(st.lists(st.floats(0, 12, allow_nan=False), min_size=1, max_size=40))
def test_sg_ratchet_never_buys_back_above_zero(path: list[float]) -> None:
    """At or above 0 a share once lowered by a sell step never rises, and buying is off."""
    signals, _ = live(list(path))
    lowest = 10_000
    for signal in signals:
        assert signal.ladder_bps <= lowest
        if signal.ladder_bps < 6_000:
            lowest = signal.ladder_bps
            assert not signal.allows_increase


@pytest.mark.req("SG-10", "SG-11")
def test_sg_ratchet_two_six_four_two() -> None:
    signals, _ = live([2.0, 6.0, 4.0, 2.0])
    assert [s.ladder_bps for s in signals] == [6_000, 3_000, 3_000, 3_000]
    assert [s.phase for s in signals] == [Phase.EUPHORIA, Phase.TOP, Phase.TOP, Phase.BEAR]
    assert not signals[-1].allows_increase


@pytest.mark.req("SG-10")
def test_sg_ratchet_ends_in_accumulation() -> None:
    signals, _ = live([2.0, 6.0, 2.0, -0.5, 1.0])
    assert [s.ladder_bps for s in signals] == [6_000, 3_000, 3_000, 10_000, 6_000]
    assert [s.allows_increase for s in signals] == [True, False, False, True, True]


@pytest.mark.req("SG-10", "SG-11")
def test_sg_bear_ends_by_an_approved_reset() -> None:
    _, state = live([2.0, 6.0, 2.0])
    (before,), _ = live([2.0], state, day=1_010)
    (after,), _ = live([2.0], state.after_approved_reset(), day=1_010)
    assert (before.phase, before.ladder_bps, before.allows_increase) == (Phase.BEAR, 3_000, False)
    assert (after.phase, after.ladder_bps, after.allows_increase) == (Phase.EUPHORIA, 6_000, True)


@pytest.mark.req("SG-11")
@given(st.lists(st.floats(0, 15, allow_nan=False), max_size=30))
def test_sg_bear_is_left_only_through_accumulation(path: list[float]) -> None:
    _, state = live([2.0, 6.0, 2.0])
    signals, _ = live(list(path), state, day=1_010)
    assert all(signal.phase is Phase.BEAR for signal in signals)


@pytest.mark.req("SG-11")
@pytest.mark.parametrize(
    ("price_now", "phase"),
    [(99.999999, Phase.BEAR), (100.0, Phase.EUPHORIA), (100.000001, Phase.EUPHORIA),
     (None, Phase.BEAR)],
)  # fmt: skip
def test_sg_bear_needs_a_negative_return(price_now: float | None, phase: Phase) -> None:
    """A return of exactly 0 is not negative; one that is unknown errs towards less risk."""
    days = [(day, 4.0, 100.0 if price_now is not None else None) for day in range(1_000, 1_091)]
    state = remembered([*days, (1_091, 2.0, price_now)])
    assert state.cycle.phase is phase
    assert state.cycle.ladder_bps == 4_500  # whichever it is called, nothing is bought back


@pytest.mark.req("SG-11")
@pytest.mark.parametrize(("days_later", "phase"), [(540, Phase.BEAR), (541, Phase.EUPHORIA)])
def test_sg_bear_looks_back_540_days(days_later: int, phase: Phase) -> None:
    state = remembered([(1_000, 4.0, None), (1_000 + days_later, 2.0, None)])
    assert state.cycle.phase is phase
    assert state.cycle.ladder_bps == 4_500


@pytest.mark.req("SG-11")
def test_sg_bear_begins_when_the_return_turns() -> None:
    rising = [(1_000 + i, 4.0, 100.0 + i) for i in range(91)]
    state = remembered([*rising, (1_091, 2.5, 150.0)])
    assert state.cycle.phase is Phase.EUPHORIA
    state = remembered([*rising, (1_091, 2.5, 150.0), (1_092, 2.4, 90.0)])
    assert state.cycle.phase is Phase.BEAR


@pytest.mark.req("SG-04", "SG-11")
def test_sg_gap_keeps_top_and_euphoria() -> None:
    signals, _ = live([2.0, 3.2, 3.6, 3.2, 3.45, 3.1])
    assert [s.phase for s in signals[:2]] == [Phase.EUPHORIA] * 2
    assert [s.phase for s in signals[2:]] == [Phase.TOP] * 4
    assert [s.ladder_bps for s in signals] == [6_000, 6_000, 4_500, 4_500, 4_500, 4_500]
    assert not any(s.allows_increase for s in signals[1:])


@pytest.mark.req("SG-04", "SG-09")
def test_sg_gap_hold_after_accumulation_holds_the_normal_share() -> None:
    """From below 0 straight into the gap: what 0 to 3 would hold, and nothing bought."""
    signals, _ = live([-1.0, 3.2])
    assert [s.ladder_bps for s in signals] == [10_000, 6_000]
    assert not signals[-1].allows_increase


@pytest.mark.req("SG-04", "SG-10")
@pytest.mark.parametrize(
    ("path", "may_buy"),
    [
        ([2.0, 3.02], False),  # in the gap, not yet confirmed: nothing is bought in doubt
        ([2.0, 3.2, 2.98], False),  # out of it, not yet confirmed
        ([2.0, 3.2, 2.98, 2.98], True),
        ([-1.0, 0.02], False),  # above 0, not yet confirmed: not up to the whole layer
        ([-1.0, -0.5], True),
        ([2.0, -0.02], True),  # below 0, not yet confirmed: up to the normal share
    ],
)
def test_sg_nothing_is_bought_in_doubt(path: list[float], may_buy: bool) -> None:
    signals, _ = live(list(path))
    assert signals[-1].allows_increase is may_buy


@pytest.mark.req("SG-10")
def test_sg_ratchet_buys_nothing_in_euphoria_after_a_top() -> None:
    """With a positive return the phase is euphoria again, and still nothing is bought back."""
    rising = [(1_000 + i, 4.0, 100.0 + i) for i in range(91)]
    state = remembered([*rising, (1_091, 2.5, 150.0)])
    (signal,), after = live([2.5], state, day=1_091)
    assert after.cycle.phase is Phase.EUPHORIA
    assert (signal.ladder_bps, signal.allows_increase) == (4_500, False)


@pytest.mark.req("SG-05", "SG-25")
@pytest.mark.parametrize(
    ("path", "shares"),
    [
        ([2.0, 3.54, 3.4], [6_000, 6_000, 6_000]),  # one print, not far enough: no crossing
        ([2.0, 3.54, 3.51], [6_000, 6_000, 4_500]),  # a second daily print
        ([2.0, 3.55], [6_000, 4_500]),  # 0.05 beyond
        ([2.0, 3.549999], [6_000, 6_000]),
        ([2.0, 3.54, 3.5, 3.54], [6_000] * 4),  # back on the level: the doubt is gone
        ([2.0, 9.01, 9.01], [6_000, 1_980, 0]),
        ([2.0, -0.04, 0.0], [6_000, 6_000, 6_000]),
        ([2.0, -0.04, -0.01], [6_000, 6_000, 10_000]),
        ([2.0, -0.05], [6_000, 10_000]),
        ([-1.0, 0.04, 0.0], [10_000, 10_000, 6_000]),
    ],
)
def test_sg_crossings_are_confirmed(path: list[float], shares: list[int]) -> None:
    signals, _ = live(list(path))
    assert [s.ladder_bps for s in signals] == shares


@pytest.mark.req("SG-25")
def test_sg_hourly_reading_confirms_nothing() -> None:
    """The same daily print read 24 times is one print."""
    state = SignalState()
    _, state = estimate(snapshot(999, 2.0), state, PARAMETERS)
    for hour in range(24):
        signal, state = estimate(snapshot(1_000, 3.54, hour=hour), state, PARAMETERS)
        assert signal.ladder_bps == 6_000
        assert not signal.allows_increase  # in doubt, nothing more is bought
    signal, state = estimate(snapshot(1_001, 3.54), state, PARAMETERS)
    assert (signal.ladder_bps, signal.trigger) == (4_500, Trigger.MVRV_ABOVE_3_5)


@pytest.mark.req("SG-01")
@given(st.lists(st.none() | scores, min_size=1, max_size=20))
def test_sg_phase_enum(path: list[float | None]) -> None:
    signals, _ = live(path)
    for signal, mvrv_z in zip(signals, path, strict=True):
        assert (signal.phase is Phase.UNKNOWN) == (mvrv_z is None)
        if signal.phase is not Phase.UNKNOWN:
            assert signal.phase.value in {"accumulation", "euphoria", "top", "bear"}

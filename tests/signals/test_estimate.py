"""Signals: their seven fields, what they never do, and that a restart changes nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import Refused
from dynamic.market.observation import Observation, Provenance
from dynamic.signals.confidence import WEIGHTS, confidence
from dynamic.signals.estimate import DailyPrint, estimate, remember
from dynamic.signals.modes import MODES, external_risk, mode, risk_level
from dynamic.signals.signal import Mode, Phase, RiskLevel, Trigger
from dynamic.signals.state import Closes, SignalState
from dynamic.units import DAY_S
from tests.signals.numbers import INPUTS, LADDER, PARAMETERS, snapshot

paths = st.lists(st.none() | st.floats(-3, 12, allow_nan=False), min_size=1, max_size=25)


@pytest.mark.req("SG-15")
@given(paths)
def test_sg_sum_one(path: list[float | None]) -> None:
    state = SignalState()
    for day, mvrv_z in enumerate(path, start=1_000):
        signal, state = estimate(snapshot(day, mvrv_z), state, PARAMETERS)
        assert sum(signal.target_bps.values()) == 10_000
        assert set(signal.target_bps) == {"base_yield", "btc", "eth", "cash"}
        assert min(signal.target_bps.values()) >= 0


@pytest.mark.req("SG-20", "MI-15", "MI-16")
@given(paths, st.booleans())
def test_sg_unknown_no_buy(path: list[float | None], is_stale: bool) -> None:
    """Missing or stale, MVRV never raises the target and never allows a purchase."""
    state = SignalState()
    for day, mvrv_z in enumerate(path, start=1_000):
        _, state = estimate(snapshot(day, mvrv_z), state, PARAMETERS)
    held = state.cycle.ladder_bps
    later = 2_000
    changes: dict[str, Observation | None] = {"mvrv_z:BTC": None}
    if is_stale:
        at_s = (later - 2) * DAY_S
        changes["mvrv_z:BTC"] = Observation("mvrv_z:BTC", -1.0, "ratio", "test", at_s, at_s)
    signal, after = estimate(snapshot(later, None, changes), state, PARAMETERS)
    assert signal.phase is Phase.UNKNOWN
    assert signal.mode is Mode.CONSERVATIVE
    assert not signal.allows_increase
    assert signal.ladder_bps == (6_000 if held is None else held)
    assert after.cycle == state.cycle


@pytest.mark.req("SG-10", "SG-11")
@given(paths, st.integers(0, 24))
def test_a_restart_forgets_nothing(path: list[float | None], at: int) -> None:
    state = restarted = SignalState()
    for day, mvrv_z in enumerate(path, start=1_000):
        if day - 1_000 == at:
            restarted = SignalState.from_payload(restarted.to_payload())
        one, state = estimate(snapshot(day, mvrv_z), state, PARAMETERS)
        other, restarted = estimate(snapshot(day, mvrv_z), restarted, PARAMETERS)
        assert one == other
    assert state.to_payload() == restarted.to_payload()


@pytest.mark.parametrize(
    "payload",
    ["", "{}", "null", "[]", '{"version":2}', '{"version":1}', '{"version":1,"cycle":[9]}'],
)
def test_a_foreign_state_is_refused(payload: str) -> None:
    with pytest.raises(Refused, match="signal state"):
        SignalState.from_payload(payload)


@pytest.mark.req("SG-04", "SG-05")
@pytest.mark.parametrize(
    ("mvrv_z", "phase", "share", "may_buy"),
    [
        (-0.5, Phase.ACCUMULATION, 10_000, True),
        (0.0, Phase.EUPHORIA, 6_000, True),
        (3.0, Phase.EUPHORIA, 6_000, True),
        (math.nextafter(3.0, 9), Phase.EUPHORIA, 6_000, False),
        (3.5, Phase.EUPHORIA, 6_000, False),
        (math.nextafter(3.5, 9), Phase.TOP, 4_500, False),
        (9.5, Phase.TOP, 0, False),
        (None, Phase.UNKNOWN, 6_000, False),
    ],
)
def test_sg_first_run(mvrv_z: float | None, phase: Phase, share: int, may_buy: bool) -> None:
    """`may_buy` holds for a treasury that people told which cycle it is in, or that has a past."""
    told = SignalState(knows_cycle_at_s=0)
    knowing, _ = estimate(snapshot(1_000, mvrv_z), told, PARAMETERS)
    assert (knowing.phase, knowing.ladder_bps) == (phase, share)
    assert knowing.allows_increase is may_buy
    signal, state = estimate(snapshot(1_000, mvrv_z), SignalState(), PARAMETERS)
    assert (signal.phase, signal.ladder_bps) == (phase, share)
    assert signal.allows_increase is (may_buy and phase is Phase.ACCUMULATION)
    assert signal.trigger is Trigger.FIRST_RUN
    again, _ = estimate(snapshot(1_000, mvrv_z, hour=1), state, PARAMETERS)
    assert again.trigger is Trigger.NONE


@pytest.mark.req("SG-11", "SG-20")
@pytest.mark.parametrize(("days", "may_buy"), [(539, False), (540, True)])
def test_sg_without_a_past_euphoria_may_be_a_bear(days: int, may_buy: bool) -> None:
    """0 to 3 buys nothing until the memory is as long as the bear's lookback (C-07)."""
    _, state = estimate(snapshot(1_000, 1.0), SignalState(), PARAMETERS)
    read = SignalState.from_payload(state.to_payload())
    signal, _ = estimate(snapshot(1_000 + days, 1.0), read, PARAMETERS)
    assert (signal.phase, signal.ladder_bps) == (Phase.EUPHORIA, 6_000)
    assert signal.allows_increase is may_buy


@pytest.mark.req("SG-10", "SG-11")
def test_sg_a_print_below_zero_begins_a_known_cycle() -> None:
    state = SignalState()
    for day, mvrv_z in ((1_000, 1.0), (1_001, -0.2), (1_002, 0.5)):
        signal, state = estimate(snapshot(day, mvrv_z), state, PARAMETERS)
    assert (signal.phase, signal.allows_increase) == (Phase.EUPHORIA, True)


@pytest.mark.req("MI-17", "SG-03")
def test_mi_zero_is_data() -> None:
    """An MVRV of 0.0 and a funding of 0.0 are values: the 0..3 rule decides."""
    at_s = 1_000 * DAY_S
    still = {"funding:BTC": Observation("funding:BTC", 0.0, "per_8h", "test", at_s, at_s)}
    signal, state = estimate(snapshot(1_000, 0.0, still), SignalState(), PARAMETERS)
    assert (signal.phase, signal.ladder_bps) == (Phase.EUPHORIA, 6_000)
    assert signal.confidence == 1.0
    assert state.print_value == 0.0
    assert "funding 0.0000 %" in signal.reasoning


@pytest.mark.req("SG-18", "SG-25")
@pytest.mark.parametrize(
    ("path", "trigger"),
    [
        ([-1.0, 1.0], Trigger.MVRV_ABOVE_0),
        ([2.0, -1.0], Trigger.MVRV_BELOW_0),
        ([2.0, 3.2], Trigger.MVRV_ABOVE_3),
        ([2.0, 3.6], Trigger.MVRV_ABOVE_3_5),
        ([2.0, 5.1], Trigger.MVRV_ABOVE_5),
        ([2.0, 7.1], Trigger.MVRV_ABOVE_7),
        ([2.0, 9.1], Trigger.MVRV_ABOVE_9),
        ([6.0, 2.0], Trigger.PHASE_CHANGE),
        ([2.0, 2.1], Trigger.NONE),
        ([6.0, 4.0], Trigger.NONE),
        ([2.0, None], Trigger.NONE),
        ([2.0, 3.6, 3.6], Trigger.NONE),  # an edge, not a level (C-91)
    ],
)
def test_sg_trigger_closed_set(path: list[float | None], trigger: Trigger) -> None:
    state = SignalState()
    signal = None
    for day, mvrv_z in enumerate(path, start=1_000):
        signal, state = estimate(snapshot(day, mvrv_z), state, PARAMETERS)
    assert signal is not None
    assert signal.trigger is trigger


@pytest.mark.req("SG-25")
def test_sg_mvrv_alert_latency() -> None:
    """The cycle that reads the confirming print is the cycle that says so."""
    _, state = estimate(snapshot(1_000, 2.0), SignalState(), PARAMETERS)
    signal, _ = estimate(snapshot(1_001, 3.6), state, PARAMETERS)
    assert signal.trigger is Trigger.MVRV_ABOVE_3_5
    assert signal.at_s == 1_001 * DAY_S


@pytest.mark.req("SG-12", "SG-19")
@given(paths)
def test_sg_reasoning(path: list[float | None]) -> None:
    state = SignalState()
    for day, mvrv_z in enumerate(path, start=1_000):
        signal, state = estimate(snapshot(day, mvrv_z), state, PARAMETERS)
        assert ("missing" if mvrv_z is None else f"{mvrv_z:.4f}") in signal.reasoning
        assert "$50,000.00" in signal.reasoning
        assert signal.phase.value in signal.reasoning
        assert f"{signal.ladder_bps / 100:.2f} %" in signal.reasoning
        assert signal.recommended_actions
        assert all(signal.recommended_actions)


@pytest.mark.req("SG-16")
@given(st.sets(st.sampled_from(sorted(WEIGHTS))), st.data())
def test_sg_confidence(gone: set[str], data: st.DataObject) -> None:
    """Each input that turns from observed to fallback, to stale, to missing lowers it strictly."""
    base: dict[str, Observation | None] = dict.fromkeys(gone)
    left = sorted(set(WEIGHTS) - gone)
    trust, doubts = confidence(snapshot(1_000, 1.0, base))
    assert 0.0 <= trust <= 1.0
    assert len(doubts) == len(gone)
    if not left:
        assert trust == 0.0
        return
    key = data.draw(st.sampled_from(left))
    value, unit = INPUTS.get(key, (1.0, "ratio"))
    now = 1_000 * DAY_S

    def with_one(observation: Observation | None) -> float:
        return confidence(snapshot(1_000, 1.0, {**base, key: observation}))[0]

    fallback = with_one(Observation(key, value, unit, "x", now, now, Provenance.FALLBACK))
    stale = with_one(Observation(key, value, unit, "x", now - 2 * DAY_S, now - DAY_S))
    assert trust > fallback > stale > with_one(None)


@pytest.mark.req("SG-16", "MI-06")
@pytest.mark.parametrize(("second", "is_lower"), [(70, False), (71, True), (30, False), (29, True)])
def test_sg_confidence_of_disputed_sentiment(second: int, is_lower: bool) -> None:
    at_s = 1_000 * DAY_S
    other = Observation("crosscheck:fear_greed", second, "index", "other", at_s, at_s)
    trust, doubts = confidence(snapshot(1_000, 1.0, {"crosscheck:fear_greed": other}))
    assert (trust < 1.0) == is_lower == bool(doubts)


@pytest.mark.req("SG-16")
def test_sg_confidence_of_a_disputed_price() -> None:
    at_s = 1_000 * DAY_S

    def trust(price: int) -> float:
        other = Observation("crosscheck:price:BTC", price, "usd_micro", "other", at_s, at_s)
        return confidence(snapshot(1_000, 1.0, {"crosscheck:price:BTC": other}))[0]

    assert trust(49_500_000_000) == 1.0
    assert trust(49_499_999_999) < 1.0


@pytest.mark.req("SG-13", "SG-14")
def test_sg_mode_map() -> None:
    assert {key[0] for key in MODES} == set(Phase)
    assert len(MODES) == 2 * len(Phase)
    table = {
        (Phase.ACCUMULATION, False): Mode.TACTICAL,
        (Phase.EUPHORIA, False): Mode.TACTICAL,
        (Phase.TOP, False): Mode.TACTICAL,
        (Phase.TOP, True): Mode.HEDGE,
        (Phase.BEAR, False): Mode.HEDGE,
        (Phase.UNKNOWN, False): Mode.CONSERVATIVE,
    }
    for (phase, is_hedge_step), expected in table.items():
        assert mode(phase, is_hedge_step=is_hedge_step) is expected
    assert mode(Phase.EUPHORIA, is_hedge_step=False, is_emergency=True) is Mode.HEDGE
    assert mode(Phase.BEAR, is_hedge_step=False, is_degraded=True) is Mode.CONSERVATIVE


@pytest.mark.req("SG-13", "SG-14")
@given(
    st.sampled_from(Phase), st.booleans(), st.booleans(), st.booleans(),
    st.none() | st.sampled_from(Mode),
)  # fmt: skip
def test_sg_mode_enum(
    phase: Phase, hedge: bool, degraded: bool, emergency: bool, approved: Mode | None
) -> None:
    """Aggressive needs people's approval and a market that is neither unknown nor hedged."""
    found = mode(
        phase, is_hedge_step=hedge, is_degraded=degraded, is_emergency=emergency, approved=approved
    )
    assert found in set(Mode)
    if found is Mode.AGGRESSIVE:
        assert approved is Mode.AGGRESSIVE
        assert not degraded
        assert not emergency
        assert phase in (Phase.ACCUMULATION, Phase.EUPHORIA, Phase.TOP)
    if emergency:
        assert found is Mode.HEDGE


@pytest.mark.req("SG-17")
def test_sg_risk_levels() -> None:
    def level(
        phase: Phase, gap: bool = False, hedge: bool = False, wild: bool = False
    ) -> RiskLevel:
        return risk_level(phase, is_gap=gap, is_hedge_step=hedge, has_extreme_funding=wild)

    assert level(Phase.ACCUMULATION) is RiskLevel.LOW
    assert level(Phase.EUPHORIA) is RiskLevel.MEDIUM
    assert level(Phase.EUPHORIA, gap=True) is RiskLevel.HIGH
    assert level(Phase.TOP) is level(Phase.BEAR) is level(Phase.UNKNOWN) is RiskLevel.HIGH
    assert level(Phase.TOP, hedge=True) is RiskLevel.EXTREME
    assert level(Phase.EUPHORIA, wild=True) is RiskLevel.HIGH
    assert level(Phase.TOP, hedge=True, wild=True) is RiskLevel.EXTREME
    assert external_risk(RiskLevel.EXTREME) == ("high", ("extreme",))
    assert external_risk(RiskLevel.MEDIUM) == ("medium", ())


@pytest.mark.req("SG-17")
@pytest.mark.parametrize(
    ("rate", "level"),
    [(0.001999, RiskLevel.MEDIUM), (0.002, RiskLevel.HIGH), (-0.002, RiskLevel.HIGH)],
)
def test_extreme_funding_raises_the_level(rate: float, level: RiskLevel) -> None:
    at_s = 1_000 * DAY_S
    wild = {"funding:BTC": Observation("funding:BTC", rate, "per_8h", "test", at_s, at_s)}
    signal, _ = estimate(snapshot(1_000, 1.0, wild), SignalState(), PARAMETERS)
    assert signal.risk_level is level


def test_missing_prices_make_it_conservative() -> None:
    signal, _ = estimate(snapshot(1_000, 1.0, {"price:ETH": None}), SignalState(), PARAMETERS)
    assert signal.mode is Mode.CONSERVATIVE


def test_an_emergency_hedges_and_buys_nothing() -> None:
    signal, _ = estimate(snapshot(1_000, -1.0), SignalState(), PARAMETERS, is_emergency=True)
    assert (signal.mode, signal.risk_level) == (Mode.HEDGE, RiskLevel.EXTREME)
    assert not signal.allows_increase


def test_a_source_that_falls_behind_changes_nothing() -> None:
    """A manual entry of yesterday after today's print is no new print, and no crash."""
    _, state = estimate(snapshot(1_000, 2.0), SignalState(), PARAMETERS)
    now = 1_000 * DAY_S
    old = {"mvrv_z:BTC": Observation("mvrv_z:BTC", 6.0, "ratio", "manual", now - 3_600, now)}
    signal, after = estimate(snapshot(1_000, None, old), state, PARAMETERS)
    assert (signal.ladder_bps, after.cycle) == (6_000, state.cycle)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=150))
def test_closes_give_the_return_of_their_window(steps: list[int]) -> None:
    """The sliding window answers as the whole history would."""
    closes, day, whole = Closes(), 0, []
    for index, step in enumerate(steps):
        day += step
        closes = closes.with_close(day, 100 + index, 90)
        whole.append((day, 100 + index))
    then = max((pair for pair in whole if pair[0] <= day - 90), default=None)
    expected = None
    if then is not None and day - 90 - then[0] <= 7:
        expected = whole[-1][1] / then[1] - 1.0
    assert closes.return_over(90) == expected
    assert len(closes.days) <= 92


@pytest.mark.req("SG-11")
@pytest.mark.parametrize(("missing_days", "is_known"), [(0, True), (7, True), (8, False)])
def test_a_missing_close_is_bridged_for_a_week(missing_days: int, is_known: bool) -> None:
    closes = Closes().with_close(1_000, 200, 90).with_close(1_090 + missing_days, 100, 90)
    assert closes.return_over(90) == (-0.5 if is_known else None)


@pytest.mark.req("SG-11")
def test_a_memory_from_records_knows_the_bear_it_starts_in() -> None:
    prints = [DailyPrint((1_000 + i) * DAY_S, 4.0 - i * 0.02, (100 - i) * 10**6) for i in range(95)]
    state = remember(prints, LADDER)
    assert not state.has_spoken
    signal, _ = estimate(snapshot(1_095, 2.0), state, PARAMETERS)
    assert signal.trigger is Trigger.FIRST_RUN
    assert (signal.phase, signal.allows_increase) == (Phase.BEAR, False)

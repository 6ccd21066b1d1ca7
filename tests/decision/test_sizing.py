"""Sizing: laws first, then the exact numbers of the mandate and one unit to each side."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.adapters.mandate_file import read_mandate
from dynamic.decision.sizing import Action, Exposure, SizingMemory, size, with_flow
from dynamic.policy.drawdown import Stage
from dynamic.policy.mandate import with_sizing_mode

U = 1_000_000
MANDATE = read_mandate()
PEAK = 400_000 * U
MODES = {mode: with_sizing_mode(MANDATE, mode) for mode in ("ladder", "stages", "default")}

navs = st.integers(1, 2_000_000 * U)
rungs = st.sampled_from((10_000, 6_000, 4_500, 3_000, 1_980, 0))
memories = st.builds(
    SizingMemory,
    peak_usd_micro=st.integers(0, 2_000_000 * U),
    ladder_bps=st.none() | rungs,
    is_buying=st.booleans(),
    is_paused=st.booleans(),
    bought_day=st.integers(-1, 400),
)


def standing(nav_usd: int, tactical_usd: int, day: int = 100, reserve_usd: int = 0) -> Exposure:
    tactical = tactical_usd * U
    return Exposure(
        nav=nav_usd * U, tactical=tactical, volatile=tactical + reserve_usd * U, day=day
    )


def known(ladder_bps: int, peak: int = PEAK, **more: object) -> SizingMemory:
    return replace(SizingMemory(peak, ladder_bps), **more)  # type: ignore[arg-type]


# --- laws -----------------------------------------------------------------------------------------


@given(rungs, st.booleans(), navs, st.floats(0, 1), memories, st.sampled_from(sorted(MODES)))
@pytest.mark.req("GR-10", "GR-20", "SG-20")
def test_sizing_never_buys_what_it_must_not(
    ladder_bps: int, allows: bool, nav: int, share: float, memory: SizingMemory, mode: str
) -> None:
    held = int(nav * share)
    sized, after = size(ladder_bps, allows, Exposure(nav, held, held, 401), memory, MODES[mode])
    assert 0 <= sized.target_usd_micro * 10_000 <= nav * MANDATE.exposure.volatile_bps_max
    assert after.peak_usd_micro == max(memory.peak_usd_micro, nav)
    assert sized.trade_usd_micro >= 0
    if sized.action is Action.BUY:
        assert allows
        assert not after.is_paused
        assert held + sized.trade_usd_micro <= sized.target_usd_micro
        assert sized.trade_usd_micro < MANDATE.authority.unattended_usd_micro_max
    if sized.action is Action.SELL:
        assert sized.trade_usd_micro <= held
    if memory.is_paused:
        assert after.is_paused, "only people end a pause"
        assert sized.target_usd_micro == 0


@given(rungs, navs, navs)
@pytest.mark.req("GR-20", "SC-18")
def test_the_worst_recorded_hour_does_not_break_the_limit(
    ladder_bps: int, nav: int, peak: int
) -> None:
    """-20.2 % on the mix in an hour (2020-03-12), from above the floor, ends above -20 %."""
    peak = max(peak, nav)
    sized, _ = size(ladder_bps, True, Exposure(nav, 0, 0, 1), SizingMemory(peak), MANDATE)
    if nav * 100 >= peak * 82:
        after = nav - sized.target_usd_micro * 202 // 1_000
        assert after * 1_000 >= peak * 819, "the cushion carries a missed cycle"


@given(rungs, navs, navs, st.integers(0, 100_000 * U))
def test_more_drawdown_never_means_a_larger_target(
    ladder_bps: int, nav: int, peak: int, deeper: int
) -> None:
    def target(of_peak: int) -> int:
        sized, _ = size(ladder_bps, True, Exposure(nav, 0, 0, 1), SizingMemory(of_peak), MANDATE)
        return sized.target_usd_micro

    assert target(max(peak, nav) + deeper) <= target(max(peak, nav))


@given(navs, st.integers(1, 10**12), st.integers(-(10**11), 10**12))
@pytest.mark.req("PM-10")
def test_a_flow_leaves_the_drawdown_where_it_was(nav: int, peak: int, flow: int) -> None:
    peak = max(peak, nav)
    if nav + flow <= 0:
        return
    after = with_flow(SizingMemory(peak), nav, flow).peak_usd_micro
    # Rounded up: the drawdown may look a micro deeper, never shallower.
    assert (after - 1) * nav < peak * (nav + flow) <= after * nav


# --- exact numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nav_usd", "ladder_bps", "target_usd"),
    [
        (400_000, 10_000, 159_600),  # 40 % less the headroom of our own orders
        (380_000, 6_000, 91_200),  # 24 % of NAV; the cap is 257 400
        (360_000, 6_000, 86_400),
        (360_000, 10_000, 143_640),  # 39.9 % again; the cap is 158 400
        (350_000, 10_000, 108_900),  # the cap: 4.95 x (350 000 - 328 000)
        (335_000, 10_000, 34_650),
        (328_000, 10_000, 0),  # at the floor there is no cushion
        (327_999, 10_000, 0),
    ],
)
@pytest.mark.req("GR-20")
def test_the_cushion_caps_the_target(nav_usd: int, ladder_bps: int, target_usd: int) -> None:
    sized, _ = size(ladder_bps, True, standing(nav_usd, 0), known(ladder_bps), MANDATE)
    assert sized.target_usd_micro == target_usd * U


@pytest.mark.parametrize(
    ("nav_usd_micro", "stage"),
    [
        (360_000 * U + 1, Stage.NORMAL),
        (360_000 * U, Stage.WARN),
        (340_000 * U + 1, Stage.WARN),
        (340_000 * U, Stage.REDUCE),
        (320_000 * U + 1, Stage.REDUCE),
        (320_000 * U, Stage.EXIT),
    ],
)
@pytest.mark.req("GR-20")
def test_gr_drawdown_stages(nav_usd_micro: int, stage: Stage) -> None:
    exposure = Exposure(nav_usd_micro, 0, 0, 1)
    sized, after = size(6_000, True, exposure, known(6_000), MODES["stages"])
    assert sized.stage is stage
    assert after.is_paused is (stage is Stage.EXIT)


@pytest.mark.req("GR-20")
def test_the_last_stage_sells_everything_and_stays_until_people_resume() -> None:
    sized, after = size(6_000, True, standing(320_000, 30_000), known(6_000), MANDATE)
    assert (sized.action, sized.trade_usd_micro) == (Action.SELL, 30_000 * U)
    later, still = size(10_000, True, standing(400_000, 0), after, MANDATE)
    assert (later.action, still.is_paused) == (Action.HOLD, True)


@pytest.mark.req("SG-05", "SG-10")
def test_a_crossed_step_is_sold_at_once_and_stays_crossed_until_it_is() -> None:
    exposure = standing(400_000, 96_000)
    sized, after = size(4_500, False, exposure, known(6_000), MANDATE)
    assert (sized.action, sized.trade_usd_micro) == (Action.SELL, 24_000 * U)
    again, _ = size(4_500, False, exposure, after, MANDATE)
    assert again.action is Action.SELL, "a sale that was held or denied is not forgotten"
    done, memory = size(4_500, False, standing(400_000, 72_000), after, MANDATE)
    assert (done.action, memory.ladder_bps) == (Action.HOLD, 4_500)


@pytest.mark.parametrize(
    ("tactical_usd", "reserve_usd", "gas_usd", "action"),
    [
        (160_999, 0, 0, Action.HOLD),
        (161_000, 0, 0, Action.SELL),
        (159_000, 1_999, 0, Action.HOLD),
        (159_000, 2_000, 0, Action.SELL),
        (169_600, 0, 480, Action.SELL),
        (169_600, 0, 481, Action.HOLD),
    ],
)
@pytest.mark.req("GR-10", "C-02")
def test_gr_volatile_cap_passive_breach_is_trimmed(
    tactical_usd: int, reserve_usd: int, gas_usd: int, action: Action
) -> None:
    """Above 40.00 % by 1 000 USD and 20 times the gas of a sale, gas reserve included, to 39.50 %.

    An excess of 9 600 USD is worth a sale that costs 480, and not one that costs 481.
    """
    exposure = replace(
        standing(400_000, tactical_usd, reserve_usd=reserve_usd), sale_gas=gas_usd * U
    )
    sized, _ = size(10_000, False, exposure, known(10_000), MODES["ladder"])
    assert sized.action is action
    if action is Action.SELL:
        assert sized.trade_usd_micro == (tactical_usd + reserve_usd - 158_000) * U


@pytest.mark.req("RB-17")
def test_buying_goes_in_daily_steps_and_missed_days_add_up() -> None:
    first, memory = size(10_000, True, standing(400_000, 0, day=10), SizingMemory(PEAK), MANDATE)
    assert first.trade_usd_micro == 8_000 * U, "2 % of NAV on the first day"
    waited, _ = size(10_000, True, standing(400_000, 0, day=13), memory, MANDATE)
    assert waited.trade_usd_micro == 32_000 * U, "three days of dear gas, and today"
    bought = replace(memory, bought_day=10)
    same_day, _ = size(10_000, True, standing(400_000, 8_000, day=10), bought, MANDATE)
    assert same_day.action is Action.HOLD, "one step a day"
    long, _ = size(10_000, True, standing(400_000, 0, day=60), memory, MANDATE)
    assert long.trade_usd_micro == 49_500 * U, "never what would need a person"


@pytest.mark.parametrize(("tactical_usd", "buys"), [(75_900, True), (76_000, False)])
@pytest.mark.req("RB-05")
def test_a_small_gap_is_not_worth_buying(tactical_usd: int, buys: bool) -> None:
    """Not buying yet: the gap must be more than 5.00 points of NAV."""
    sized, _ = size(6_000, True, standing(400_000, tactical_usd), known(6_000), MANDATE)
    assert (sized.action is Action.BUY) is buys


def test_modes_are_other_mandates() -> None:
    digests = {mandate.digest for mandate in MODES.values()}
    assert len(digests) == 3
    assert MODES["default"].digest == MANDATE.digest


@pytest.mark.req("SC-18")
@pytest.mark.parametrize(("mode", "action"), [("default", Action.SELL), ("stages", Action.HOLD)])
def test_the_cushion_sells_before_the_stages_do(mode: str, action: Action) -> None:
    """At -12.5 % the cushion carries 108 900 of the 139 600 held; the first stage is at -15 %."""
    sized, _ = size(10_000, False, standing(350_000, 139_600), known(10_000), MODES[mode])
    assert sized.action is action

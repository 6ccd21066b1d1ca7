"""Crashes need two sources and stablecoins more than one print."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.market.watch import CrashWindow, PegState, PegWatch, PricePrint, drop_bps, flash_crash
from dynamic.units import parse_instant

HOUR, DAY = 3_600, 86_400
WINDOWS = (CrashWindow(HOUR, 1_500), CrashWindow(DAY, 2_500))
NOW = 10 * DAY


@dataclass(frozen=True)
class Peg:
    alert_bps: int = 50
    emergency_bps: int = 200
    lasting_s: int = 600
    silence_s_max: int = 2 * HOUR


PEG = Peg()


def falling(last: int, over_s: int, high: int = 1_000_000) -> list[PricePrint]:
    return [PricePrint(NOW - over_s, high), PricePrint(NOW, last)]


@pytest.mark.req("MI-25")
@pytest.mark.parametrize(
    ("last", "over_s", "window_s"),
    [
        (850_000, HOUR, HOUR), (850_100, HOUR, None), (850_000, HOUR + 1, None),
        (750_000, DAY, DAY), (750_100, DAY, None), (750_000, DAY + 1, None),
        (700_000, HOUR, HOUR), (1_300_000, HOUR, None),
    ],
)  # fmt: skip
def test_mi_flash_crash(last: int, over_s: int, window_s: int | None) -> None:
    prints = falling(last, over_s)
    crash = flash_crash({"a": prints, "b": prints}, NOW, WINDOWS)
    assert (crash and crash.window_s) == window_s
    assert flash_crash({"a": prints}, NOW, WINDOWS) is None


@pytest.mark.req("MI-25")
@given(st.integers(1, 10**6), st.integers(900_000, 10**6))
def test_mi_flash_crash_single_source_spike(spike: int, calm: int) -> None:
    """However deep one source falls, another that stands keeps it an error."""
    found = flash_crash({"a": falling(spike, 60), "b": falling(calm, 60)}, NOW, WINDOWS)
    assert found is None


def test_a_recovered_fall_is_no_crash() -> None:
    prints = [PricePrint(NOW - 600, 100), PricePrint(NOW - 300, 10), PricePrint(NOW, 99)]
    assert drop_bps(prints, NOW, HOUR) == 100
    assert drop_bps(prints[:1], NOW, HOUR) is None
    assert drop_bps(prints, NOW + DAY, HOUR) is None


def watched(prices: list[tuple[int, int]]) -> list[PegState]:
    watch, states = PegWatch(), []
    for at_s, micro in prices:
        watch = watch.with_print(at_s, micro, PEG)
        states.append(watch.state)
    return states


@pytest.mark.req("MI-26")
@pytest.mark.parametrize(
    ("micro", "state"),
    [
        (995_001, PegState.HELD), (995_000, PegState.ALERT), (1_005_000, PegState.ALERT),
        (980_001, PegState.ALERT), (980_000, PegState.EMERGENCY), (1_020_000, PegState.EMERGENCY),
    ],
)  # fmt: skip
def test_mi_depeg(micro: int, state: PegState) -> None:
    assert watched([(0, micro), (599, micro)])[-1] == min(state, PegState.ALERT)
    assert watched([(0, micro), (600, micro)])[-1] == state
    assert watched([(0, micro)]) == [PegState.HELD]


@pytest.mark.req("MI-26")
def test_mi_depeg_counts_again_after_recovery_and_silence() -> None:
    far, par = 900_000, 1_000_000
    assert watched([(0, far), (300, far), (400, par), (500, far), (1_000, far)])[-1] == 1
    assert watched([(0, far), (300, far), (400, par), (500, far), (1_100, far)])[-1] == 2
    late = 2 * HOUR + 1
    assert watched([(0, far), (late - 1, far)])[-1] == PegState.EMERGENCY
    assert watched([(0, far), (late, far)])[-1] == PegState.HELD
    assert watched([(0, far), (late, far), (late + 600, far)])[-1] == PegState.EMERGENCY
    assert watched([(0, far), (0, far)])[-1] == PegState.HELD  # the same print twice


@pytest.mark.req("MI-26")
@given(st.lists(st.integers(1, 4_000_000), max_size=40), st.integers(0, 39))
def test_mi_depeg_never_fires_on_one_print(prices: list[int], at: int) -> None:
    """A lone wick between two prints at par is silent, whatever its depth."""
    path = [1_000_000] * 40
    for place in prices[:1]:
        path[at] = place
    assert set(watched([(60 * i, p) for i, p in enumerate(path)])) == {PegState.HELD}


@pytest.mark.req("MI-26")
def test_mi_depeg_on_real_usdc(history_dir: Path) -> None:
    """Every print of every hour, high and low in either order: wicks pass, March 2023 fires."""
    rows = []
    with gzip.open(history_dir / "ohlcv_usdcusdt_spot_1h.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            cells = [int(float(row[n]) * 10**6) for n in ("open", "high", "low", "close")]
            rows.append((parse_instant(row["open_time_utc"]), cells))
    for order in ((0, 1, 2, 3), (0, 2, 1, 3)):
        watch, worst = PegWatch(), {}
        for at_s, cells in rows:
            for place, cell in enumerate(order):
                watch = watch.with_print(at_s + place * 1_199, cells[cell], PEG)
                day = at_s // DAY * DAY
                worst[day] = max(worst.get(day, PegState.HELD), watch.state)
        for day in ("2021-12-04", "2022-05-11"):
            assert worst[parse_instant(day)] < PegState.EMERGENCY
        assert worst[parse_instant("2023-03-11")] == PegState.EMERGENCY
        assert worst[parse_instant("2023-03-12")] == PegState.EMERGENCY
        # On 2022-05-12 the pair stood above 1.02 for hours: its other side, USDT, was cheap.
        known = {parse_instant(day) for day in ("2022-05-12", "2023-03-11", "2023-03-12")}
        assert {day for day, state in worst.items() if state is PegState.EMERGENCY} == known

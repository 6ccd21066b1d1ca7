"""A plan may be sent up to its limits, and not one unit beyond."""

from __future__ import annotations

import pytest

from dynamic.planning.plan import Plan
from dynamic.planning.validity import is_void, price_moved
from tests.planning.treasury import AAVE, NOW_S, PRICES, USD, WBTC, move, planned, situation


def a_plan() -> Plan:
    found = planned(move(AAVE, 10_000 * USD, WBTC))
    assert found is not None
    return found


def void(now_s: int = NOW_S, digest: str = "mandate", **prices: int) -> str | None:
    known = {symbol: price for symbol, price in (PRICES | prices).items() if price}
    return is_void(
        a_plan(), situation(now_s=now_s, prices=known), mandate_digest=digest,
        price_move_bps_max=200,
    )  # fmt: skip


@pytest.mark.req("RB-20")
def test_rb_plan_ttl() -> None:
    assert void(NOW_S) is None
    assert void(NOW_S + 1_800) is None
    assert "expired" in (void(NOW_S + 1_801) or "")
    assert "clock" in (void(NOW_S - 1) or "")


@pytest.mark.req("RB-20", "GV-14")
@pytest.mark.parametrize("direction", [1, -1])
def test_gv_stale_approval_rb_plan_ttl_price_move_of_two_percent(direction: int) -> None:
    edge = 40_000 * USD + direction * 800 * USD
    assert void(BTC=edge) is None
    assert "BTC moved" in (void(BTC=edge + direction) or "")


@pytest.mark.req("GV-14")
def test_gv_stale_approval_changed_mandate_or_missing_price() -> None:
    assert "mandate" in (void(digest="other") or "")
    assert void(BTC=0) == "the price of BTC is not known"
    assert price_moved({}, {}, 200) is None
    assert price_moved({"BTC": 0}, {"BTC": 0}, 200) == "the price of BTC is not known"

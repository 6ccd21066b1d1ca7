"""Settling a receipt: what was burnt is booked and counted whatever is known of prices."""

from __future__ import annotations

import json

import pytest

from dynamic.planning.plan import Leg, LegKind
from dynamic.policy.proposal import Position
from dynamic.ports import Receipt
from dynamic.workflows.settle import settle
from tests.workflows.conftest import Begin

LEG = Leg(
    "p:1", LegKind.SWAP, "oneinch", Position("wallet", "USDC"), 10**9,
    Position("wallet", "WETH"), 3 * 10**17, 3 * 10**17, 10**9, 200_000, 50, (),
)  # fmt: skip
# 200 000 gas at 1 gwei + 1 wei is 0.0002 ETH and 200 000 wei: a fraction of a micro-dollar more.
REVERTED = Receipt(
    LEG.key, "0xab", 10**9, reverted=True, reason="slippage", movements=(), fee=None,
    gas_units=200_000, gas_price_wei=10**9 + 1,
)  # fmt: skip


@pytest.mark.req("RB-15")
@pytest.mark.parametrize(
    ("prices", "closes", "usd_micro", "valued_by"),
    [
        ({"ETH": 3_000_000_000}, [], 600_001, "price"),
        ({}, [(1, 60_000_000_000, 2_000_000_000)], 400_001, "last close"),
    ],
)
def test_gas_of_unknown_price_is_never_free(
    begin: Begin,
    prices: dict[str, int],
    closes: list[tuple[int, int, int]],
    usd_micro: int,
    valued_by: str,
) -> None:
    memory = begin().memory
    memory.diary.closes = closes
    before = memory.lots.units("ETH")
    batch = settle(LEG, REVERTED, prices, memory, 10**9)
    meta = json.loads(batch.tx_logs[-1].meta)
    assert (meta["gas_usd_micro"], meta["gas_valued_by"]) == (usd_micro, valued_by)
    assert memory.diary.gas_usd_micro_in_month_of(10**9) == usd_micro
    assert before - memory.lots.units("ETH") == 200_000 * (10**9 + 1)


@pytest.mark.req("RB-15")
def test_gas_before_any_price_counts_at_what_it_had_cost(begin: Begin) -> None:
    memory = begin().memory
    memory.diary.closes = []
    cost = memory.lots.cost_usd_micro("ETH")
    assert cost > 0
    batch = settle(LEG, REVERTED, {}, memory, 10**9)
    meta = json.loads(batch.tx_logs[-1].meta)
    assert meta["gas_valued_by"] == "cost"
    assert meta["gas_usd_micro"] == cost - memory.lots.cost_usd_micro("ETH") > 0

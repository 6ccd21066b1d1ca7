"""A preview shows the worst case, and never spends what is not there."""

from __future__ import annotations

import pytest
from hypothesis import given

from dynamic.errors import InvariantBroken
from dynamic.planning.preview import preview
from dynamic.policy.proposal import Move
from tests.planning.test_planner import move_sets, simulate
from tests.planning.treasury import AAVE, UNITS, USD, USDC, WBTC, fair, move, planned


@pytest.mark.req("I-11")
@given(move_sets())
def test_preview_ends_where_the_worst_case_ends(moves: tuple[Move, ...]) -> None:
    found = planned(*moves)
    if found is None:
        return
    shown = preview(found, UNITS, fair())
    last = dict(UNITS)
    for one in shown:
        for line in (one.spend, one.receive):
            assert line.before_units == last.get(line.position, 0)
            assert line.after_units == line.before_units + line.base_units
            last[line.position] = line.after_units
    assert last == simulate(found, UNITS)


def test_preview_reads_like_a_sentence() -> None:
    found = planned(move(AAVE, 10_000 * USD, WBTC))
    assert found is not None
    first, second = preview(found, UNITS, fair())
    assert first.sentence == (
        "withdraw 10000 USDC ($10,000.00) from aave_v3 at aave_v3 for at least 10000 USDC in wallet"
    )
    assert second.receive.symbol == "WBTC"
    assert second.receive.decimals == 8
    assert second.receive.base_units == 24_875_000  # 0.25 BTC less 50 bps
    assert second.receive.usd_micro == 9_950 * USD
    assert second.spend.usd_micro == -10_000 * USD


def test_a_plan_over_other_balances_is_an_invariant_broken() -> None:
    found = planned(move(AAVE, 10_000 * USD, WBTC))
    assert found is not None
    with pytest.raises(InvariantBroken, match="9999999999 are there"):
        preview(found, {AAVE: 10_000 * USD - 1, USDC: 0}, fair())

"""A decision over a principal token is measured to its last horizon, whoever still holds one."""

import pytest

from dynamic.market.snapshot import assemble
from dynamic.performance.decisions import HORIZONS_D, DecisionClass
from dynamic.planning.fair_value import FairValue
from dynamic.policy.proposal import Position
from dynamic.protocols.pendle_v2 import maturity_of
from dynamic.units import DAY_S
from dynamic.workflows.instruments import CASH, registry
from dynamic.workflows.measure import follow, review
from dynamic.workflows.memory import Memory
from dynamic.workflows.observe import View

PT = "PT-USDC-20240328"
MATURITY_S = maturity_of(PT)
DECIDED_S = MATURITY_S - 10 * DAY_S
DOLLAR = 1_000_000


def view(at_s: int) -> View:
    """See a market that knows the dollar and tells no rate at all."""
    snapshot = assemble(at_s, (), {}, {}, ())
    prices = {"USDC": DOLLAR}
    fair = FairValue(registry((PT,)), prices, {}, {})
    return View(snapshot, prices, {}, {}, fair, {})


@pytest.fixture
def memory() -> Memory:
    """Remember one decision: 1 000 PT bought for 990 USDC, ten days before they mature."""
    memory = Memory()
    before = {CASH: 990 * DOLLAR}
    after = {Position("pendle_v2", PT): 1_000 * DOLLAR}
    follow("d1-0", DecisionClass.YIELD, after, before, memory, memory.batch(), DECIDED_S)
    return memory


@pytest.mark.req("PF-09", "SG-26")
def test_pf_outcomes_wait_for_a_rate_until_maturity_and_take_par_from_then_on(
    memory: Memory,
) -> None:
    batch = memory.batch()
    review(view(MATURITY_S - 1), memory, batch)
    assert batch.outcomes == []  # no rate is told: unknown is not par
    review(view(MATURITY_S), memory, batch)
    found = [(o.horizon_d, o.value_added_usd_micro) for o in batch.outcomes]
    assert found == [(1, 10 * DOLLAR), (7, 10 * DOLLAR)]


@pytest.mark.req("PF-09", "SG-26")
def test_pf_outcomes_are_all_measured_and_then_forgotten(memory: Memory) -> None:
    batch = memory.batch()
    review(view(DECIDED_S + HORIZONS_D[-1] * DAY_S), memory, batch)
    assert [o.horizon_d for o in batch.outcomes] == list(HORIZONS_D)
    assert memory.followed == []

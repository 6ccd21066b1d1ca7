"""Maintain: upkeep at its numbers, and the guardrails agree with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dynamic.decision.maintain import maintain
from dynamic.policy.guardrails import Permit, judge
from dynamic.policy.proposal import Urgency
from dynamic.protocols.pendle_v2 import maturity_of
from tests.policy.cases import CASH, GAS, MANDATE, PT, PT_NAME, U, holding

MATURITY_S = maturity_of(PT_NAME)


def test_there_is_nothing_to_do_most_of_the_time() -> None:
    assert maintain(holding({CASH: 300_000, PT: 50_000, GAS: 1_000}), MANDATE) is None


@pytest.mark.parametrize(("later_s", "is_due"), [(-1, False), (0, True), (1, True)])
@pytest.mark.req("RB-04", "PM-11")
def test_a_principal_token_is_redeemed_from_its_maturity_on(later_s: int, is_due: bool) -> None:
    situation = holding({CASH: 300_000, PT: 50_000, GAS: 1_000}, now_s=MATURITY_S + later_s)
    found = maintain(situation, MANDATE)
    assert (found is not None) is is_due
    if found is not None:
        move = found.moves[0]
        assert found.urgency is Urgency.MAINTENANCE
        assert (move.spend, move.receive) == (PT, CASH)
        assert move.spend_units == move.receive_units_min == situation.units[PT]


@pytest.mark.parametrize(("held_usd_micro", "is_due"), [(500 * U, False), (500 * U - 1, True)])
@pytest.mark.req("PM-12")
def test_the_gas_reserve_is_filled_below_its_mark(held_usd_micro: int, is_due: bool) -> None:
    situation = holding({CASH: 300_000, GAS: 500})
    situation = replace(
        situation, values_usd_micro=situation.values_usd_micro | {GAS: held_usd_micro}
    )
    found = maintain(situation, MANDATE)
    assert (found is not None) is is_due
    if found is not None:
        assert isinstance(judge(found, situation, MANDATE), Permit)
        wanted = MANDATE.treasury.gas_reserve_usd_micro - held_usd_micro
        assert found.moves[0].spend_units <= wanted


def test_an_empty_wallet_fills_nothing() -> None:
    assert maintain(holding({PT: 50_000}), MANDATE) is None

"""Authority: splitting never helps, and a signed policy reaches exactly as far as it says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.policy.authority import past_moves, rolling_usd_micro, signatures_needed
from dynamic.policy.case import BUY, IN, OUT, SELL, SHIFT, measure
from dynamic.policy.guardrails import Denial, Permit, judge
from dynamic.policy.proposal import Position, Urgency
from dynamic.policy.situation import PastMove
from tests.policy.cases import (
    AAVE,
    BTC,
    CALM,
    CASH,
    DAY,
    GAS,
    LP,
    MANDATE,
    NOW,
    WETH,
    U,
    holding,
    move,
    proposal,
    rules_hit,
)

A = MANDATE.authority


@pytest.mark.req("GR-21")
@pytest.mark.parametrize(
    ("usd", "signatures"),
    [("0", 0), ("50000", 0), ("50000.000001", 1), ("50000.01", 1), ("100000", 1),
     ("100000.000001", 2), ("400000", 2), ("400000.000001", None)],
)  # fmt: skip
def test_signatures_at_each_boundary(usd: str, signatures: int | None) -> None:
    assert signatures_needed(int(Decimal(usd) * U), A) == signatures


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_more_never_needs_fewer(a: int, b: int) -> None:
    """None, no authority at all, is more than any number of signatures (I-17)."""
    few, many = (signatures_needed(v, A) for v in sorted((a, b)))
    assert (99 if few is None else few) <= (99 if many is None else many)


@pytest.mark.req("GR-21")
@pytest.mark.parametrize(
    ("usd", "signatures"), [(Decimal(50_000), 0), (Decimal("50000.01"), 1), (Decimal(60_000), 1)]
)
def test_gr_approval_threshold(usd: Decimal, signatures: int) -> None:
    permit = judge(proposal(move(CASH, AAVE, usd)), CALM, MANDATE)
    assert isinstance(permit, Permit)
    assert permit.signatures_required == signatures
    life_s = A.approval_expiry_s if signatures else A.plan_ttl_s
    assert permit.valid_until_s == NOW + life_s


@pytest.mark.req("GR-21")
def test_gr_approval_threshold_of_two_halves() -> None:
    """2 x 30 000 within 24 h and one direction is 60 000, in one plan or in two."""
    half = proposal(move(CASH, AAVE, 30_000))
    before = replace(CALM, past_moves=(PastMove(NOW - 3_600, IN, 30_000 * U, True),))
    for p, s in (
        (half, before),
        (proposal(move(CASH, AAVE, 30_000), move(CASH, LP, 30_000)), CALM),
        (half, replace(before, past_moves=(replace(before.past_moves[0], at_s=NOW - DAY + 1),))),
    ):
        permit = judge(p, s, MANDATE)
        assert isinstance(permit, Permit)
        assert permit.signatures_required == 1
    for free in (
        replace(before, past_moves=(replace(before.past_moves[0], at_s=NOW - DAY),)),
        replace(before, past_moves=(replace(before.past_moves[0], direction=OUT),)),
        CALM,
    ):
        permit = judge(half, free, MANDATE)
        assert isinstance(permit, Permit)
        assert permit.signatures_required == 0


@given(
    st.lists(st.integers(1, 40_000), min_size=1, max_size=8),
    st.sampled_from([BUY, SELL, IN, OUT, SHIFT]),
)
def test_splitting_never_helps(parts: list[int], direction: str) -> None:
    """However a sum is cut over plans, the last part is judged on the whole."""
    past = tuple(PastMove(NOW - n, direction, usd * U, True) for n, usd in enumerate(parts[1:]))
    rolled = rolling_usd_micro(past, direction, NOW, A.rolling_window_s) + parts[0] * U
    assert rolled == sum(parts) * U


@pytest.mark.req("GR-21")
def test_a_dollar_passing_through_the_wallet_counts_once() -> None:
    s = holding({CASH: 200_000, BTC: 100_000, WETH: 60_000, AAVE: 40_000})
    through = proposal(move(BTC, CASH, 30_000, 9_950), move(CASH, AAVE, 29_850))
    permit = judge(through, s, MANDATE)
    assert isinstance(permit, Permit)
    assert permit.notional_usd_micro == 30_000 * U
    both = proposal(move(BTC, CASH, 30_000, 9_950), move(AAVE, CASH, 30_000))
    permit = judge(both, s, MANDATE)
    assert isinstance(permit, Permit)
    assert permit.notional_usd_micro == 60_000 * U  # two sources: twice the money moved
    churn = proposal(move(BTC, CASH, 30_000, 9_950), move(CASH, BTC, 29_850, 9_950))
    permit = judge(churn, s, MANDATE)
    assert isinstance(permit, Permit)
    assert permit.effects.by_direction_usd_micro == {SELL: 30_000 * U, BUY: 29_850 * U}


@pytest.mark.parametrize(
    ("way", "directions", "legs"),
    [
        ((CASH, BTC), (BUY,), 1), ((BTC, CASH), (SELL,), 1), ((BTC, WETH), (BUY, SELL), 1),
        ((CASH, AAVE), (IN,), 1), ((AAVE, CASH), (OUT,), 1), ((AAVE, LP), (IN, OUT), 2),
        ((AAVE, BTC), (BUY, OUT), 2), ((BTC, AAVE), (SELL, IN), 2), ((WETH, GAS), (SHIFT,), 1),
        ((CASH, Position("wallet", "USDT")), (SHIFT,), 1),
    ],
)  # fmt: skip
def test_directions_follow_from_the_two_positions(
    way: tuple[Position, Position], directions: tuple[str, ...], legs: int
) -> None:
    (one,) = measure(proposal(move(*way, 100)), CALM, MANDATE).moves
    assert (one.directions, one.legs) == (directions, legs)
    lines = past_moves(one, NOW, Urgency.DISCRETIONARY)
    assert [line.direction for line in lines] == list(directions)
    assert sum(line.is_discretionary for line in lines) == min(legs, len(directions))
    assert not any(line.is_discretionary for line in past_moves(one, NOW, Urgency.MANDATORY))


@pytest.mark.req("GR-21", "CP-11")
def test_a_signed_policy_pre_authorises_mandatory_reductions_up_to_its_sum() -> None:
    """Signed, for a reason found in the situation, acquiring nothing: all three, or people sign."""
    top = holding({CASH: 240_000, BTC: 80_000, WETH: 80_000}, phase="top",
                  policy_signed_until_s=NOW)  # fmt: skip
    sells = [move(BTC, CASH, 40_000), move(BTC, CASH, 40_000)]
    mandatory = proposal(*sells, urgency=Urgency.MANDATORY)

    def signatures(p: object, s: object) -> int:
        permit = judge(p, s, MANDATE)  # type: ignore[arg-type]
        assert isinstance(permit, Permit)
        return permit.signatures_required

    assert signatures(mandatory, top) == 0
    assert signatures(mandatory, replace(top, policy_signed_until_s=NOW - 1)) == 1
    assert signatures(mandatory, replace(top, policy_signed_until_s=None)) == 1
    assert signatures(mandatory, replace(top, phase="euphoria")) == 1  # no reason to be found
    assert signatures(proposal(*sells), top) == 1  # discretionary
    deep = replace(top, phase="euphoria", high_water_usd_micro=480_000 * U)
    assert signatures(mandatory, deep) == 0  # drawdown stage
    held = top.volatile_values_usd_micro
    calm = replace(top, phase="euphoria")
    assert signatures(mandatory, replace(calm, tactical_target_usd_micro=held - 1)) == 0
    assert signatures(mandatory, replace(calm, tactical_target_usd_micro=held)) == 1
    breach = replace(calm, volatile_values_usd_micro=held + 1)
    assert signatures(mandatory, breach) == 0  # 40.00 % is no breach, a micro-dollar more is
    sold = PastMove(NOW - 60, SELL, 80_000 * U, False)
    assert signatures(mandatory, replace(top, past_moves=(sold,))) == 0  # exactly 160 000
    over = replace(sold, notional_usd_micro=80_000 * U + 1)
    assert signatures(mandatory, replace(top, past_moves=(over,))) == 2


@pytest.mark.req("CP-11")
def test_a_signed_emergency_is_beyond_the_sums_and_a_unsigned_one_is_not() -> None:
    whole = holding({AAVE: 240_000, BTC: 80_000, WETH: 80_000}, emergency_triggers=("a", "b"))
    out = proposal(
        move(AAVE, CASH, 240_000), *[move(BTC, CASH, 40_000)] * 2, *[move(WETH, CASH, 40_000)] * 2,
        urgency=Urgency.EMERGENCY,
    )  # fmt: skip
    signed = judge(out, replace(whole, policy_signed_until_s=NOW), MANDATE)
    assert isinstance(signed, Permit)
    assert (signed.signatures_required, signed.is_preauthorised) == (0, True)
    unsigned = judge(out, whole, MANDATE)
    assert isinstance(unsigned, Permit)
    assert unsigned.signatures_required == 2


def test_beyond_the_ceiling_nothing_is_permitted() -> None:
    rich = holding({CASH: 4_000_000})
    p = proposal(*[move(CASH, AAVE, 200_000)] * 2)
    assert isinstance(judge(p, rich, MANDATE), Permit)
    past = replace(rich, past_moves=(PastMove(NOW - 9, IN, 1, True),))
    verdict = judge(p, past, MANDATE)
    assert isinstance(verdict, Denial)
    assert rules_hit(verdict) == {"authority"}

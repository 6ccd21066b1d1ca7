"""Advice can only hold, reduce, delay or ask; and a reduction the mandate demands is beyond it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic.decision.advice import Advice, Verdict, advise_applied, apply_advice
from dynamic.decision.rule_advisor import RuleAdvisor
from dynamic.policy.guardrails import Permit, judge
from dynamic.policy.proposal import Move, Proposal, Urgency
from dynamic.policy.situation import Situation
from tests.policy.cases import AAVE, BTC, CALM, CASH, MANDATE, WETH, U, holding, move, proposal

verdicts = st.builds(
    Advice, st.sampled_from(Verdict), st.integers(-5, 20_000), st.integers(-5, 10**9), st.text(),
    st.just("claude-x"), st.just({}),
)  # fmt: skip
some_moves = st.builds(
    Move, st.sampled_from([CASH, BTC]), st.integers(1, 10**12),
    st.sampled_from([WETH, AAVE]), st.integers(1, 10**20),
)  # fmt: skip
proposals = st.builds(
    Proposal, st.just("p"), st.just("rules"), st.just("t"), st.sampled_from(Urgency),
    st.lists(some_moves, max_size=4).map(tuple), st.just(""),
)  # fmt: skip


@pytest.mark.req("AI-09")
@given(proposals, verdicts)
def test_ai_cannot_widen(p: Proposal, advice: Advice) -> None:
    """Every move that remains is one of the proposed, no larger, at no worse a price."""
    after = apply_advice(p, advice)
    if after is None:
        return
    assert replace(after, moves=()) == replace(p, moves=())
    rest = list(p.moves)
    for m in after.moves:
        original = next(o for o in rest if (o.spend, o.receive) == (m.spend, m.receive)
                        and m.spend_units <= o.spend_units)  # fmt: skip
        rest = rest[rest.index(original) + 1 :]
        assert 0 < m.spend_units <= original.spend_units
        assert m.receive_units_min <= original.receive_units_min
        assert (
            m.receive_units_min * original.spend_units >= original.receive_units_min * m.spend_units
        )


@pytest.mark.req("AI-11")
@given(proposals, verdicts)
def test_ai_outage_cannot_stop_a_mandatory_reduction(p: Proposal, advice: Advice) -> None:
    if p.urgency is not Urgency.DISCRETIONARY:
        assert apply_advice(p, advice) == p
        advised = advise_applied(p, advice, 3_600)
        assert (advised.proposal, advised.delay_s, advised.asks_person) == (p, 0, False)


@pytest.mark.req("AI-09")
@settings(deadline=None)
@given(st.integers(1_000, 37_000), st.integers(1_000, 12_000), verdicts)
def test_ai_cannot_widen_what_the_judge_permitted(a: int, b: int, advice: Advice) -> None:
    """What advice leaves of independent permitted moves is permitted too, with no more people."""
    p = proposal(move(CASH, WETH, a, 9_950), move(CASH, AAVE, b))
    s = holding({CASH: 300_000, BTC: 60_000, WETH: 20_000})
    before, after = judge(p, s, MANDATE), apply_advice(p, advice)
    assert isinstance(before, Permit)
    if after is not None:
        permit = judge(after, s, MANDATE)
        assert isinstance(permit, Permit)
        assert permit.signatures_required <= before.signatures_required
        assert permit.effects.volatile_bps_after <= before.effects.volatile_bps_after


def test_each_verdict() -> None:
    p = proposal(Move(CASH, 1_001, AAVE, 1_001))

    def said(verdict: Verdict, scale: int = 5_000, delay: int = 60) -> Proposal | None:
        return apply_advice(p, Advice(verdict, scale, delay, "", "x", {}))

    assert said(Verdict.PROCEED) == p == said(Verdict.ASK)
    assert said(Verdict.HOLD) is None is said(Verdict.DELAY)
    half = said(Verdict.REDUCE)
    assert half is not None
    assert half.moves == (Move(CASH, 500, AAVE, 500),)
    assert said(Verdict.REDUCE, 10_000) == p == said(Verdict.REDUCE, 20_000)
    assert said(Verdict.REDUCE, 0) is None is said(Verdict.REDUCE, -3)
    waits = advise_applied(p, Advice(Verdict.DELAY, 0, 9_999, "", "x", {}), 3_600)
    assert (waits.proposal, waits.delay_s) == (None, 3_600)
    assert advise_applied(p, Advice(Verdict.ASK, 0, 0, "", "x", {}), 1).asks_person


SURE = {"confidence": "0.9", "funding:BTC": "0.0001", "fear_greed": "50"}
BUY = proposal(move(CASH, BTC, 10_000))


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.PROCEED), ({"confidence": "0.4"}, Verdict.PROCEED),
        ({"confidence": "0.3999"}, Verdict.HOLD), ({"confidence": ""}, Verdict.HOLD),
        ({"confidence": "NaN"}, Verdict.HOLD), ({"confidence": "high"}, Verdict.HOLD),
        ({"funding:BTC": "0.002"}, Verdict.PROCEED), ({"funding:BTC": "0.002001"}, Verdict.REDUCE),
        ({"fear_greed": "90"}, Verdict.PROCEED), ({"fear_greed": "91"}, Verdict.REDUCE),
        ({"funding:BTC": "0"}, Verdict.PROCEED), ({"fear_greed": ""}, Verdict.PROCEED),
        ({"gas_median_30d_wei": str(20 * 10**9 // 3)}, Verdict.DELAY),
        ({"gas_median_30d_wei": str(-(-20 * 10**9 // 3))}, Verdict.PROCEED),
    ],
)  # fmt: skip
def test_the_rule_advisor_at_its_numbers(changes: dict[str, str], verdict: Verdict) -> None:
    advisor = RuleAdvisor(MANDATE)
    found = advisor.advise(BUY, CALM, {**SURE, **changes})
    assert found.verdict is verdict
    assert found.reasoning
    assert found == advisor.advise(BUY, CALM, {**SURE, **changes})  # the same words again


@pytest.mark.parametrize(
    ("p", "situation", "verdict"),
    [
        (BUY, replace(CALM, phase="unknown"), Verdict.HOLD),
        (proposal(move(BTC, CASH, 10_000)), replace(CALM, phase="unknown"), Verdict.PROCEED),
        (proposal(move(CASH, AAVE, 120_000)), CALM, Verdict.PROCEED),
        (proposal(move(CASH, AAVE, 120_001)), CALM, Verdict.ASK),
        (replace(BUY, urgency=Urgency.MANDATORY), replace(CALM, phase="unknown"), Verdict.PROCEED),
    ],
)  # fmt: skip
def test_the_rule_advisor_reads_the_situation(
    p: Proposal, situation: Situation, verdict: Verdict
) -> None:
    assert RuleAdvisor(MANDATE).advise(p, situation, SURE).verdict is verdict


def test_the_rule_advisor_halves_purchases_in_euphoria() -> None:
    advice = RuleAdvisor(MANDATE).advise(BUY, CALM, {**SURE, "fear_greed": "95"})
    after = apply_advice(BUY, advice)
    assert after is not None
    assert after.moves[0].spend_units == 5_000 * U

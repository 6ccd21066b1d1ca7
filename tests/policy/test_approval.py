"""Four eyes, one digest, and everything that makes a signature worthless."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import Refused
from dynamic.policy.approval import State, is_person, may_sign, standing
from dynamic.records import ApprovalRecord
from tests.policy.cases import MANDATE, NOW

A = MANDATE.authority
D = "d" * 64


def signed(who: str, approved: bool = True, at_s: int = NOW, digest: str = D) -> ApprovalRecord:
    return ApprovalRecord("plan", digest, who, approved, "", at_s)


def stands(*approvals: ApprovalRecord, needed: int = 1, now_s: int = NOW) -> State:
    return standing(
        approvals, digest=D, proposer="rules", signatures_required=needed, created_at_s=NOW,
        now_s=now_s, authority=A,
    ).state  # fmt: skip


@pytest.mark.req("GV-02")
@pytest.mark.parametrize("who", ["claude", "Claude-3", "rules", "rules/1", "ai:helper", "", "  ",
                                 "advisor", "system", "operator:claude"])  # fmt: skip
def test_gv_four_eyes_no_machine_signs(who: str) -> None:
    assert not is_person(who)
    with pytest.raises(Refused):
        may_sign(who, "rules", D, D, ())
    assert stands(signed(who)) is State.PENDING


@pytest.mark.req("GV-02")
def test_gv_four_eyes() -> None:
    may_sign("ann", "operator:ben", D, D, ())
    for proposer in ("ann", "operator:ann", " Operator:ANN "):
        with pytest.raises(Refused, match="proposer"):
            may_sign("ann", proposer, D, D, ())
    with pytest.raises(Refused, match="already"):
        may_sign("operator:Ann", "rules", D, D, (signed("ann"),))
    own = standing([signed("ann")], digest=D, proposer="operator:ann", signatures_required=1,
                   created_at_s=NOW, now_s=NOW, authority=A)  # fmt: skip
    assert own.state is State.PENDING


@pytest.mark.req("GV-02")
def test_two_signatures_are_two_people() -> None:
    assert stands(signed("ann"), needed=2) is State.PENDING
    assert stands(signed("ann"), signed("operator:ANN"), needed=2) is State.PENDING
    assert stands(signed("ann"), signed("ben"), needed=2) is State.GRANTED
    assert stands(signed("ann"), signed("ben"), signed("eve", approved=False)) is State.REJECTED


@pytest.mark.req("GV-03")
def test_gv_plan_hash() -> None:
    with pytest.raises(Refused, match="digest"):
        may_sign("ann", "rules", "e" * 64, D, ())
    assert stands(signed("ann", digest="e" * 64)) is State.PENDING
    assert stands(signed("ann")) is State.GRANTED


@pytest.mark.req("GV-01", "GV-14")
@pytest.mark.parametrize(("later_s", "state"), [(86_399, State.GRANTED), (86_400, State.EXPIRED)])
def test_gv_stale_approval_by_age(later_s: int, state: State) -> None:
    assert stands(signed("ann"), now_s=NOW + later_s) is state


@dataclass(frozen=True)
class Case:
    approvals: list[ApprovalRecord]
    needed: int


@given(
    st.builds(
        Case,
        st.lists(st.builds(signed, st.sampled_from(["ann", "ben", "claude", "rules", "cat"]),
                           st.booleans(), st.integers(NOW - 90_000, NOW + 5),
                           st.sampled_from([D, "e" * 64])), max_size=6),
        st.integers(1, 3),
    )
)  # fmt: skip
def test_granted_always_has_enough_distinct_people(case: Case) -> None:
    found = standing(case.approvals, digest=D, proposer="operator:ben",
                     signatures_required=case.needed, created_at_s=NOW - 10, now_s=NOW,
                     authority=A)  # fmt: skip
    if found.state is State.GRANTED:
        yes = {a.operator for a in case.approvals if a.approved and a.digest == D}
        assert len(yes & {"ann", "cat"}) >= case.needed
        assert not any(
            not a.approved and a.digest == D and is_person(a.operator) for a in case.approvals
        )

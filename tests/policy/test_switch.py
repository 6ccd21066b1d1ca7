"""Anyone lowers the switch, only people raise it, and doubt is HALTED."""

from __future__ import annotations

import itertools

import pytest

from dynamic.errors import Refused
from dynamic.policy.situation import SwitchState
from dynamic.policy.switch import HEIGHT, lower, parse, raise_to

A, R, H = SwitchState.ACTIVE, SwitchState.REDUCING, SwitchState.HALTED


@pytest.mark.req("CP-08")
@pytest.mark.parametrize(("before", "to"), list(itertools.product(SwitchState, SwitchState)))
def test_every_transition(before: SwitchState, to: SwitchState) -> None:
    if HEIGHT[to] <= HEIGHT[before]:
        assert lower(before, to, "watchdog", "crash", 1).after is to
        with pytest.raises(Refused):
            raise_to(before, to, ("ann", "ben"), "why not", 1)
    else:
        with pytest.raises(Refused):
            lower(before, to, "operator:ann", "please", 1)
        assert raise_to(before, to, ("ann", "ben"), "checked", 1).after is to


@pytest.mark.req("CP-08")
def test_cp_resume_from_halted_needs_two_people() -> None:
    for people in ((), ("ann",), ("ann", "operator:Ann "), ("ann", "claude"), ("rules", "system")):
        with pytest.raises(Refused):
            raise_to(H, R, people, "checked", 1)
    assert raise_to(H, A, ("ann", "ben"), "checked", 1).actors == ("ann", "ben")
    assert raise_to(R, A, ("ann",), "checked", 1).after is A


@pytest.mark.req("GV-09")
@pytest.mark.parametrize(("actor", "reason"), [("", "x"), (" ", "x"), ("ann", ""), ("ann", " \n")])
def test_gv_override_fields(actor: str, reason: str) -> None:
    with pytest.raises(Refused):
        lower(A, H, actor, reason, 1)
    with pytest.raises(Refused):
        raise_to(R, A, (actor,), reason, 1)
    entry = raise_to(R, A, ("ann",), " books agree ", 7)
    assert (entry.actors, entry.at_s, entry.rationale) == (("ann",), 7, "books agree")


@pytest.mark.parametrize("word", ["", "ACTIVE", "on", "active ", "null"])
def test_unknown_is_halted(word: str) -> None:
    assert parse(word) is H
    assert parse("active") is A

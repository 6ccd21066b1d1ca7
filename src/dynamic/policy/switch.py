"""The switch: one lever that anything may pull down and only people may push up.

    ACTIVE  --anyone-->  REDUCING  --anyone-->  HALTED
      ^----one person----'                        |
      '---- two distinct people, a rationale -----'

It starts HALTED (I-19); what cannot be read is HALTED; who, when and why are mandatory (GV-09).
`adapters.switch_file` keeps it in a file that works when the database does not.
"""

from dataclasses import dataclass
from typing import Final

from dynamic.errors import Refused
from dynamic.policy.approval import is_person, person
from dynamic.policy.situation import SwitchState

HEIGHT: Final = {SwitchState.HALTED: 0, SwitchState.REDUCING: 1, SwitchState.ACTIVE: 2}
SIGNATURES_FROM: Final = {SwitchState.HALTED: 2, SwitchState.REDUCING: 1, SwitchState.ACTIVE: 1}


@dataclass(frozen=True, slots=True)
class SwitchEntry:
    """One line of the switch's log."""

    at_s: int
    before: SwitchState
    after: SwitchState
    actors: tuple[str, ...]
    rationale: str


def parse(word: str) -> SwitchState:
    """Read a state; anything unknown is HALTED."""
    try:
        return SwitchState(word)
    except ValueError:
        return SwitchState.HALTED


def lower(before: SwitchState, to: SwitchState, actor: str, reason: str, at_s: int) -> SwitchEntry:
    """Move towards HALTED, or stay; any process may."""
    _say_why(actor, reason)
    if HEIGHT[to] > HEIGHT[before]:
        raise Refused(f"switch: expected {before} or lower, found {to}; only people raise it")
    return SwitchEntry(at_s, before, to, (actor.strip(),), reason.strip())


def raise_to(
    before: SwitchState, to: SwitchState, operators: tuple[str, ...], reason: str, at_s: int
) -> SwitchEntry:
    """Move away from HALTED: one person from REDUCING, two distinct people from HALTED (C-22)."""
    for operator in operators:
        _say_why(operator, reason)
        if not is_person(operator):
            raise Refused(f"switch: expected a person, found {operator!r}; it stays {before}")
    if HEIGHT[to] <= HEIGHT[before]:
        raise Refused(f"switch: expected a state above {before}, found {to}")
    distinct = {person(o) for o in operators}
    if len(distinct) < SIGNATURES_FROM[before]:
        raise Refused(
            f"switch: expected {SIGNATURES_FROM[before]} distinct operators, "
            f"found {len(distinct)}; it stays {before}"
        )
    return SwitchEntry(at_s, before, to, tuple(o.strip() for o in operators), reason.strip())


def _say_why(actor: str, reason: str) -> None:
    if not actor.strip():
        raise Refused("switch: expected an operator, found nothing; it did not move")
    if not reason.strip():
        raise Refused("switch: expected a rationale, found nothing; it did not move")

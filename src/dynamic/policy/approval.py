"""Approval: people's signatures over one digest, and everything that makes them worthless.

    may_sign : who, over what, when  ->  nothing, or Refused in one line
    standing : approvals x plan facts x now  ->  Standing(state, approvers, reason)

Four eyes (GV-02): the approver is a person, is not the proposer, and no person counts twice.
An approval binds to the plan's digest (GV-03) and dies with its age (GV-01), or with its plan,
which a moved price or changed limits void: see `planning.validity` (GV-14). One rejection ends
it. The advisor is never an approver of record (C-54).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from dynamic.errors import Refused
from dynamic.policy.sections import Authority

NOT_PEOPLE: Final = frozenset(
    {"advisor", "ai", "bot", "claude", "dynamic", "engine", "model", "rules", "scheduler", "system"}
)


class Signed(Protocol):
    """One person's yes or no over one digest; `records.ApprovalRecord` is one."""

    @property
    def digest(self) -> str: ...
    @property
    def operator(self) -> str: ...
    @property
    def approved(self) -> bool: ...
    @property
    def at_s(self) -> int: ...


class State(StrEnum):
    """Where a decision that needs people stands."""

    PENDING = "pending"
    GRANTED = "granted"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Standing:
    """The state, who signed validly, and the reason in one line."""

    state: State
    approvers: tuple[str, ...]
    reason: str


def person(name: str) -> str:
    """Return one spelling per person: `operator:Ann ` and `ann` are the same."""
    plain = name.strip().casefold()
    return plain.removeprefix("operator:").strip()


def is_person(name: str) -> bool:
    """Say whether a name can be a person's; the model and the engine never can."""
    plain = person(name)
    head = plain.replace(":", "-").replace("/", "-").replace("_", "-").split("-")[0]
    return bool(plain) and head not in NOT_PEOPLE


def people(names: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct people among names, sorted; machines do not count."""
    return tuple(sorted({person(name) for name in names if is_person(name)}))


def may_sign(operator: str, proposer: str, digest: str, expected_digest: str,
             earlier: Iterable[Signed]) -> None:  # fmt: skip
    """Refuse a signature that would not count; nothing is recorded then."""
    if not is_person(operator):
        raise Refused(f"approval: expected a person, found {operator!r}; nothing was approved")
    if person(operator) == person(proposer):
        raise Refused(f"approval: expected someone else than the proposer, found {operator!r}")
    if digest != expected_digest:
        raise Refused(f"approval: expected digest {expected_digest[:12]}, found {digest[:12]}")
    if any(person(a.operator) == person(operator) and a.digest == digest for a in earlier):
        raise Refused(f"approval: {operator!r} has already signed this plan")


def standing(
    approvals: Iterable[Signed], *, digest: str, proposer: str, signatures_required: int,
    created_at_s: int, now_s: int, authority: Authority,
) -> Standing:  # fmt: skip
    """Count the signatures that hold now; an approval older than its life no longer does."""
    life_s, valid = authority.approval_expiry_s, dict[str, str]()
    for a in approvals:
        if a.digest != digest or not is_person(a.operator):
            continue
        if not a.approved:
            return Standing(State.REJECTED, (), f"rejected by {a.operator}")
        if person(a.operator) != person(proposer) and 0 <= now_s - a.at_s < life_s:
            valid.setdefault(person(a.operator), a.operator)
    who = tuple(valid.values())
    if now_s - created_at_s >= life_s:
        return Standing(State.EXPIRED, who, f"older than {life_s} s")
    if len(who) >= signatures_required:
        return Standing(State.GRANTED, who, f"{len(who)} of {signatures_required} signatures")
    return Standing(State.PENDING, who, f"{len(who)} of {signatures_required} signatures")

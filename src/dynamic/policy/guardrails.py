"""Guardrails: the one door between what was proposed and what may happen.

    judge : Proposal x Situation x Mandate  ->  Permit | Denial

`judge` is pure and total: no clock, no network, no float, no early exit. Every rule is asked
every time, so a denial names *all* the limits it hit, with the limit, the observation and the
unit, and an auditor can recompute it with pencil and paper. It is asked when a proposal is
made, again after the advisor changed it, and a third time on fresh state before anything is
signed (C-17). There is no parameter that skips a rule: `force` skips triggers, never limits.

Two principles decide every doubtful case:

1. What we do not know, we do not permit.
2. A rule may only ever remove permission: adding one can never allow more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass
from typing import Final

from dynamic.errors import InvariantBroken
from dynamic.policy.asks import ASKS, Ask
from dynamic.policy.authority import amount_usd_micro, signatures_for
from dynamic.policy.case import Case, measure
from dynamic.policy.finding import Finding
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Proposal
from dynamic.policy.rules import RULES, Rule
from dynamic.policy.situation import Situation

__all__ = ["ASKS", "RULES", "Denial", "Effects", "Finding", "Permit", "judge"]

_SEAL: Final = object()
_BPS = 10_000


@dataclass(frozen=True, slots=True)
class Effects:
    """What the treasury looks like afterwards at the worst prices we accept; shares rounded up."""

    volatile_bps_before: int
    volatile_bps_after: int
    nav_usd_micro_after: int
    acquires_volatile: bool
    enters_protocol: bool
    legs: int
    by_direction_usd_micro: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Permit:
    """A yes, made by `judge` and by nothing else.

    `notional_usd_micro` is the amount authority was asked for, rounded up; `notices` are the
    reasons a person must look although no limit was hit.
    """

    proposal: Proposal
    notional_usd_micro: int
    signatures_required: int
    valid_until_s: int
    mandate_digest: str
    effects: Effects
    notices: tuple[Finding, ...]
    is_preauthorised: bool
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise InvariantBroken("a permit was made outside policy.guardrails.judge")

    @property
    def requires_approval(self) -> bool:
        """True where at least one person must sign."""
        return self.signatures_required > 0


@dataclass(frozen=True, slots=True)
class Denial:
    """A no, with every limit it hit."""

    proposal: Proposal
    findings: tuple[Finding, ...]
    mandate_digest: str

    @property
    def message(self) -> str:
        """One line for people; nothing was sent."""
        return "; ".join(f.message for f in self.findings) + "; nothing was sent"


def judge(
    proposal: Proposal,
    situation: Situation,
    mandate: Mandate,
    rules: Sequence[Rule] = RULES,
    asks: Sequence[Ask] = ASKS,
    person_asked: bool = False,
) -> Permit | Denial:
    """Ask every rule; grant a permit only if none objects.

    `person_asked` raises the signatures to at least one (AI-10); nothing lowers them.
    """
    case = measure(proposal, situation, mandate)
    findings: list[Finding] = []
    for rule in rules:
        findings += rule(case)
    needed = signatures_for(case)
    if findings or needed is None:
        return Denial(proposal, tuple(findings), mandate.digest)
    notices: list[Finding] = []
    for ask in asks:
        notices += ask(case)
    if (notices or person_asked) and needed == 0:
        needed = 1
    authority = mandate.authority
    life_s = authority.approval_expiry_s if needed else authority.plan_ttl_s
    return Permit(
        proposal, amount_usd_micro(case), needed, situation.now_s + life_s, mandate.digest,
        _effects(case), tuple(notices), case.is_preauthorised, _SEAL,
    )  # fmt: skip


def _effects(case: Case) -> Effects:
    before, nav = case.situation.volatile_values_usd_micro, case.situation.nav_usd_micro
    return Effects(
        -(-before * _BPS // nav) if nav > 0 else 0,
        -(-case.volatile_after * _BPS // case.nav_after) if case.nav_after > 0 else 0,
        case.nav_after, case.acquires, case.enters, case.legs, dict(case.by_direction),
    )  # fmt: skip

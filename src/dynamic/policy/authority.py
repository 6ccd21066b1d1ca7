"""Authority: how many people must sign, so that splitting a move never helps.

    moved <=  50 000 USD      nobody        (C-53: strictly more asks)
    moved <= 100 000 USD      one person    (C-54)
    moved <= the ceiling      two persons
    beyond                    nobody has authority, however many sign (I-17)

What counts is the larger of two sums (C-53). *Per plan*: the net outflow of every position, so
a dollar that is sold, passes the wallet and is lent again in one plan counts once. *Per rolling
24 h and direction* (buy, sell, in, out of a protocol, shift): gross, without any netting, the
moves already made included, so two plans of 30 000 count as 60 000, and so does churning.

Risk reduction. The mandate's mandatory reductions (drawdown stages, ladder sells, passive
breaches) and emergencies still need these signatures, except while a policy signed by two
people lives (C-04). Then, and only for moves that acquire nothing volatile, for a reason
found in the situation itself, up to `mandatory_usd_max` per 24 h and direction, nobody needs
to be woken: the signature was given before. A signed emergency is exempt from the sums.
"""

from collections.abc import Iterable

from dynamic.policy import sections
from dynamic.policy.case import Case, Measured
from dynamic.policy.proposal import Urgency
from dynamic.policy.situation import PastMove


def signatures_needed(usd_micro: int, authority: sections.Authority) -> int | None:
    """Return how many people must sign for an amount; None beyond all authority."""
    if usd_micro <= authority.unattended_usd_micro_max:
        return 0
    if usd_micro <= authority.one_person_usd_micro_max:
        return 1
    return 2 if usd_micro <= authority.ceiling_usd_micro_max else None


def rolling_usd_micro(past: Iterable[PastMove], direction: str, now_s: int, window_s: int) -> int:
    """Sum what moved in a direction within the window; a move exactly `window_s` old is out."""
    since = now_s - window_s
    return sum([p.notional_usd_micro for p in past if p.direction == direction and p.at_s > since])


def amount_usd_micro(case: Case) -> int:
    """Return the amount authority is asked for: the larger of plan and rolling sums."""
    s, window_s = case.situation, case.mandate.authority.rolling_window_s
    amount = case.moved
    for direction, usd_micro in case.by_direction.items():
        past = rolling_usd_micro(s.past_moves, direction, s.now_s, window_s) if s.past_moves else 0
        amount = max(amount, past + usd_micro)
    return amount


def signatures_for(case: Case) -> int | None:
    """Return how many people must sign for a case; None where nobody has authority."""
    authority, amount = case.mandate.authority, amount_usd_micro(case)
    if case.is_preauthorised:
        if case.proposal.urgency is Urgency.EMERGENCY:
            return 0
        if amount <= authority.mandatory_usd_micro_max:
            return 0
    return signatures_needed(amount, authority)


def past_moves(one: Measured, at_s: int, urgency: Urgency) -> tuple[PastMove, ...]:
    """Return what to remember of an executed move, one line per direction.

    Lines of the same move beyond its legs are not counted as further trades.
    """
    counts = urgency is Urgency.DISCRETIONARY
    return tuple(
        PastMove(at_s, direction, one.notional, counts and number < one.legs)
        for number, direction in enumerate(one.directions)
    )

"""Gas: what a plan may cost, per plan and per calendar month, before anything is sent.

    gas_findings : plan gas x moved value x month so far x NAV  ->  findings

A plan's gas is at most 0.1 % of what it moves unless the mandate demands the plan (C-23); at
emergency gas prices at most 0.5 % (C-16); a month's at most 0.1 % of average NAV, which is
400 USD at 400k (RB-15). Neither the plan's nor the month's budget blocks a risk reduction.
"""

from dynamic.policy.finding import Finding
from dynamic.policy.proposal import Urgency
from dynamic.policy.sections import Gas

_BPS = 10_000


def gas_findings(
    gas_usd_micro: int, moved_usd_micro: int, month_gas_usd_micro: int, nav_usd_micro: int,
    urgency: Urgency, limits: Gas, pays_emergency_price: bool = False,
) -> tuple[Finding, ...]:  # fmt: skip
    """Report which gas budgets a plan would break; limits inclusive, gas rounded up by the caller.

    `pays_emergency_price` is a plan priced above the normal gas cap.
    """
    if pays_emergency_price:
        cap = limits.emergency_fee_bps_max
        return _over("emergency-fee", gas_usd_micro, moved_usd_micro, cap)
    if urgency in (Urgency.MANDATORY, Urgency.EMERGENCY):
        return ()
    month = month_gas_usd_micro + gas_usd_micro
    found = _over("month-gas", month, nav_usd_micro, limits.month_bps_max)
    if urgency is Urgency.DISCRETIONARY:
        found += _over("plan-gas", gas_usd_micro, moved_usd_micro, limits.plan_bps_max)
    return found


def _over(rule: str, part: int, whole: int, limit_bps: int) -> tuple[Finding, ...]:
    if part * _BPS <= limit_bps * whole:
        return ()
    share = -(-part * _BPS // whole) if whole > 0 else 10**9
    return (Finding(rule, share, limit_bps, "bps"),)

"""Watch: the dollar token is compared with a dollar in every cycle (MI-26).

    HELD -> ALERT      two prints in a row beyond 0.5 %: people are told
         -> EMERGENCY  beyond 2 % for ten minutes: nothing is bought, people are told at once

Only a discount counts: a premium is nobody's loss. Prices further apart than their own age
limit do not belong to one episode, so a silence starts the count again.
"""

from dataclasses import dataclass

from dynamic.market.quality import limit_s
from dynamic.market.watch import PegState, PegWatch
from dynamic.policy.mandate import Mandate
from dynamic.ports import Ports
from dynamic.units import format_usd
from dynamic.workflows.memory import Memory
from dynamic.workflows.observe import DOLLARS, View


@dataclass(frozen=True, slots=True)
class PegNumbers:
    """See `market.watch.PegLimits`."""

    alert_bps: int
    emergency_bps: int
    lasting_s: int
    silence_s_max: int


def watch_peg(view: View, memory: Memory, mandate: Mandate, io: Ports) -> bool:
    """Take in this cycle's dollar prices; return whether one is in an emergency."""
    limits = mandate.emergency
    numbers = PegNumbers(
        limits.depeg_alert_bps,
        limits.depeg_bps,
        limits.depeg_s,
        limit_s("price:USDC", mandate.data.age_s_max),
    )
    worst = PegState.HELD
    for symbol in sorted(DOLLARS & view.prices.keys()):
        seen = view.snapshot.readings[f"price:{symbol}"]
        before = memory.pegs.get(symbol, PegWatch())
        after = before.with_print(seen.as_of_s, view.prices[symbol], numbers)
        memory.pegs[symbol] = after
        if after.state > before.state:
            severity = "critical" if after.state is PegState.EMERGENCY else "warning"
            text = (
                f"{symbol} at {format_usd(view.prices[symbol], 4)}, peg {after.state.name.lower()}"
            )
            io.notifier.alert(severity, f"depeg-{symbol}", text, view.snapshot.at_s)
        worst = max(worst, after.state)
    return worst is PegState.EMERGENCY

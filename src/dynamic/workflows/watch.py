"""Watch: the two market events that a cycle must not sleep through.

    peg     HELD -> ALERT      two prints in a row beyond 0.5 %: people are told
                 -> EMERGENCY  beyond 2 % for ten minutes: nothing is bought          (MI-26)
    crash   BTC or ETH fell 15 % in an hour or 25 % in a day, and two sources say so:
            nothing is bought, the mode is HEDGE, people are told at once             (MI-25)

Of a dollar only a discount counts: a premium is nobody's loss. Prices further apart than their
own age limit do not belong to one episode. One source's spike is that source's error, so a
market with a single source has no confirmed crash; the sizing still sells on what it sees.
"""

from dataclasses import dataclass

from dynamic.market.quality import limit_s
from dynamic.market.watch import CrashWindow, PegState, PegWatch, PricePrint, flash_crash
from dynamic.policy.mandate import Mandate
from dynamic.ports import Ports
from dynamic.units import DAY_S, HOUR_S, format_usd
from dynamic.workflows.memory import Memory
from dynamic.workflows.observe import DOLLARS, View


@dataclass(frozen=True, slots=True)
class PegNumbers:
    """See `market.watch.PegLimits`."""

    alert_bps: int
    emergency_bps: int
    lasting_s: int
    silence_s_max: int


CRASHABLE = ("BTC", "ETH")


def watch(view: View, memory: Memory, mandate: Mandate, io: Ports) -> bool:
    """Take in this cycle's prices; return whether anything is an emergency."""
    off_peg = watch_peg(view, memory, mandate, io)
    return watch_crash(view, memory, mandate, io) or off_peg


def watch_crash(view: View, memory: Memory, mandate: Mandate, io: Ports) -> bool:
    """Keep a day of prints by source; return whether enough sources saw a crash."""
    now_s, limits = view.snapshot.at_s, mandate.emergency
    windows = (CrashWindow(HOUR_S, limits.crash_1h_bps), CrashWindow(DAY_S, limits.crash_24h_bps))
    crashed = False
    for symbol in CRASHABLE:
        for key in (f"price:{symbol}", f"crosscheck:price:{symbol}"):
            seen = view.snapshot.fresh(key)
            if seen is None:
                continue
            prints = memory.prints.setdefault((symbol, seen.source), [])
            if not prints or seen.as_of_s > prints[-1].at_s:
                prints.append(PricePrint(seen.as_of_s, int(seen.value)))
        sources = {}
        for (name, source), prints in memory.prints.items():
            while prints and prints[0].at_s < now_s - DAY_S:
                prints.pop(0)
            if name == symbol:
                sources[source] = prints
        crash = flash_crash(sources, now_s, windows, limits.triggers_min)
        if crash is not None:
            falls = ", ".join(f"{source} {fall} bps" for source, fall in crash.drops_bps)
            text = f"{symbol} fell within {crash.window_s} s: {falls}"
            io.notifier.alert("critical", f"flash-crash-{symbol}", text, now_s)
            crashed = True
    return crashed


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

"""Modes and risk levels: closed tables, so that no market state lacks a name (C-56, SG-14).

    phase          at or below 7    above 7
    accumulation   tactical         tactical       S3's "accumulation mode": full spot
    euphoria       tactical         tactical
    top            tactical         hedge          stablecoins at tops
    bear           hedge            hedge
    unknown        conservative     conservative   nothing but yield is added

An emergency hedges whatever the phase. Degraded prices, or people, make it conservative.
AGGRESSIVE is the quarterly expiry play: only an approved play asks for it, no signal does,
and an emergency or missing data overrules it.
"""

from typing import Final

from dynamic.signals.signal import Mode, Phase, RiskLevel

MODES: Final[dict[tuple[Phase, bool], Mode]] = {
    (Phase.ACCUMULATION, False): Mode.TACTICAL,
    (Phase.ACCUMULATION, True): Mode.TACTICAL,
    (Phase.EUPHORIA, False): Mode.TACTICAL,
    (Phase.EUPHORIA, True): Mode.TACTICAL,
    (Phase.TOP, False): Mode.TACTICAL,
    (Phase.TOP, True): Mode.HEDGE,
    (Phase.BEAR, False): Mode.HEDGE,
    (Phase.BEAR, True): Mode.HEDGE,
    (Phase.UNKNOWN, False): Mode.CONSERVATIVE,
    (Phase.UNKNOWN, True): Mode.CONSERVATIVE,
}

_RISING: Final = (RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH, RiskLevel.EXTREME)


def mode(
    phase: Phase,
    *,
    is_hedge_step: bool,
    is_degraded: bool = False,
    is_emergency: bool = False,
    approved: Mode | None = None,
) -> Mode:
    """Return the one mode of a market state; `is_hedge_step` is the ladder's step above 7."""
    if is_emergency:
        return Mode.HEDGE
    if is_degraded:
        return Mode.CONSERVATIVE
    if approved is Mode.CONSERVATIVE:
        return Mode.CONSERVATIVE
    from_table = MODES[phase, is_hedge_step]
    # An approved expiry play never overrides a hedge or missing data.
    if approved is Mode.AGGRESSIVE and from_table is Mode.TACTICAL:
        return Mode.AGGRESSIVE
    return from_table


def risk_level(
    phase: Phase, *, is_gap: bool, is_hedge_step: bool, has_extreme_funding: bool
) -> RiskLevel:
    """Return how dangerous the market stands: by phase and step, one level up on wild funding."""
    if is_hedge_step:
        level = 3
    elif phase in (Phase.TOP, Phase.BEAR, Phase.UNKNOWN) or is_gap:
        level = 2
    else:
        level = 0 if phase is Phase.ACCUMULATION else 1
    return _RISING[min(level + has_extreme_funding, len(_RISING) - 1)]


def external_risk(level: RiskLevel) -> tuple[str, tuple[str, ...]]:
    """Return the API's three-valued level and its flags: extreme is high plus a flag (C-42)."""
    if level is RiskLevel.EXTREME:
        return RiskLevel.HIGH.value, (RiskLevel.EXTREME.value,)
    return level.value, ()

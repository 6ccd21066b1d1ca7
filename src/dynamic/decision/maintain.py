"""Maintain: the upkeep that no market view decides. Redeem what matured, keep gas in the tank.

    maintain : Situation x Mandate -> Proposal, or None

Upkeep never adds risk beyond the gas reserve itself, and never waits for a trigger.
"""

from dynamic.decision.moves import CASH, GAS, move_of, value_of
from dynamic.policy.case import WALLET
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Move, Proposal, Urgency
from dynamic.policy.situation import Situation
from dynamic.protocols.pendle_v2 import PREFIX, maturity_of, redeemed
from dynamic.signals.signal import Trigger


def maintain(situation: Situation, mandate: Mandate) -> Proposal | None:
    """Propose the first upkeep that is due; None where there is none."""
    matured = _matured(situation)
    if matured:
        return _proposal(Trigger.MATURITY, matured, "principal tokens have matured", situation)
    filling = _filling(situation, mandate)
    if filling is not None:
        held = value_of(GAS, situation) // 1_000_000
        why = f"gas reserve is ${held}, filled up from wallet cash"
        return _proposal(Trigger.GAS_RESERVE, (filling,), why, situation)
    return None


def _matured(situation: Situation) -> tuple[Move, ...]:
    """Redeem every matured PT for the USDC it promises, one for one."""
    return tuple(
        Move(place, units, CASH, redeemed(units, place.asset, situation.now_s))
        for place, units in sorted(situation.units.items())
        if place.location != WALLET
        and place.asset.startswith(PREFIX)
        and units > 0
        and situation.now_s >= maturity_of(place.asset)
    )


def _filling(situation: Situation, mandate: Mandate) -> Move | None:
    """Fill the gas reserve up to its mark once it is below its minimum, from free cash only."""
    held = value_of(GAS, situation)
    if held >= mandate.treasury.gas_reserve_usd_micro_min:
        return None
    wanted = min(mandate.treasury.gas_reserve_usd_micro - held, value_of(CASH, situation))
    cash = situation.units.get(CASH, 0)
    return move_of(CASH, GAS, wanted, cash, situation, mandate) if wanted > 0 else None


def _proposal(
    trigger: Trigger, moves: tuple[Move, ...], why: str, situation: Situation
) -> Proposal:
    key = f"{trigger.value}:{situation.now_s}"
    return Proposal(key, "rules", trigger.value, Urgency.MAINTENANCE, moves, why)

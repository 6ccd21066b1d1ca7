"""What one DCT is worth to the desk, when two prices of it may disagree.

    S0    = mid (1 + basis_adjustment)
    basis = (S0 / reference - 1) 10⁴                           bps
    |basis| within the gate:  S = S0 (1 - clamp(weight · basis, ± pull_max))
    beyond it:                S = S0, and the quote is told to doubt

A blend of two venues that disagree by 4 % would post 2 % through one of their books. So the
reference is never averaged in blindly: near, it may pull fair value a bounded way (weight 0
as shipped); far, it says only that one of the two is wrong, and costs distance instead.
"""

import math
from dataclasses import dataclass

from dynamic.decision.quote import QuotingParameters, clamp
from dynamic.errors import Refused
from dynamic.units import BPS

# A figure for people; a reference near zero would otherwise say "infinitely far".
_BASIS_BPS_MAX = 1e9


@dataclass(frozen=True, slots=True)
class FairPrice:
    """A price in the quote currency, before imbalance, and how the reference stands to it."""

    price: float
    basis_bps: float  # above zero when the mid is dearer than the reference
    pull_bps: float  # how far the reference pulled fair value up
    doubt_bps: float  # what its distance adds to the floor; 0 within the gate


def fair_value(
    mid_price: float, basis_adjustment: float, reference_price: float, parameters: QuotingParameters
) -> FairPrice:
    """Estimate fair value from the mid; the reference may pull it, or make us doubt it.

    Raises Refused where the adjusted mid is not a price.
    """
    shifted = mid_price * (1 + basis_adjustment)
    if not (math.isfinite(shifted) and shifted > 0 and reference_price > 0):
        raise Refused(f"expected prices above 0, found {shifted} against {reference_price}")
    # Rounded to a millionth of a bp, so that 1.01 against 1.00 is 100 bps and not a hair more.
    raw = (shifted / reference_price - 1) * BPS
    basis = round(clamp(raw, -_BASIS_BPS_MAX, _BASIS_BPS_MAX), 6)
    if abs(basis) > parameters.basis_gate_bps:
        return FairPrice(shifted, basis, 0.0, parameters.basis_doubt_bps)
    limit = parameters.basis_pull_bps_max
    pull = -clamp(parameters.basis_pull_weight * basis, -limit, limit)
    return FairPrice(shifted * (1 + pull / BPS), basis, pull, 0.0)

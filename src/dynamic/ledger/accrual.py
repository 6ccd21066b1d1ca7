"""Accrual: interest on balances that grow by an index, as Aave's do.

    balance = scaled x index / RAY, floored      scaled = units / index, kept between accruals

The protocol rounds half up; we floor what we claim and round up what we owe, so a unit is
claimed late rather than early. Indexes are rays (10**27 = 1.0) and never fall.
Source: Aave v3 `ScaledBalanceTokenBase`, `WadRayMath`.
"""

from dataclasses import dataclass

from dynamic.errors import InvariantBroken
from dynamic.units import RAY, Rounding, divide


def balance_units(scaled_units: int, index_ray: int) -> int:
    """Return what a scaled balance may be redeemed for now, in base units, floored."""
    return divide(scaled_units * index_ray, RAY, Rounding.DOWN)


def scaled_for(units: int, index_ray: int, rounding: Rounding) -> int:
    """Return the scaled balance of `units`: rounded DOWN when we deposit, UP when we withdraw."""
    return divide(units * RAY, index_ray, rounding)


def accrued_units(scaled_units: int, index_ray: int, booked_units: int) -> int:
    """Return the base units not booked yet; -1 just after a deposit is the floor's own unit."""
    return balance_units(scaled_units, index_ray) - booked_units


@dataclass(frozen=True, slots=True)
class ScaledPosition:
    """A position that grows by an index: its scaled balance and the last index seen."""

    scaled_units: int
    index_ray: int

    def at(self, index_ray: int) -> "ScaledPosition":
        """Move to a later index; one that falls is a lie."""
        if index_ray < self.index_ray:
            raise InvariantBroken(f"index fell from {self.index_ray} to {index_ray} ray")
        return ScaledPosition(self.scaled_units, index_ray)

    def deposit(self, units: int) -> "ScaledPosition":
        """Add base units at the current index."""
        added = scaled_for(units, self.index_ray, Rounding.DOWN)
        return ScaledPosition(self.scaled_units + added, self.index_ray)

    def withdraw(self, units: int) -> "ScaledPosition":
        """Take base units at the current index; InvariantBroken beyond the balance."""
        if not 0 <= units <= self.units:
            raise InvariantBroken(f"expected to withdraw 0..{self.units} units, found {units}")
        taken = scaled_for(units, self.index_ray, Rounding.UP)
        # Rounding up may ask for one scaled unit more than exists when everything leaves.
        return ScaledPosition(max(self.scaled_units - taken, 0), self.index_ray)

    @property
    def units(self) -> int:
        """Base units now, floored."""
        return balance_units(self.scaled_units, self.index_ray)

"""Reconciliation: the books against what is really there, to the base unit.

    residue = observed - ledger - named

Every difference is named or it is a residue, and one residue of one base unit stops new risk
and calls people. No tolerance exists (PM-08's is zero).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Place = tuple[str, str]  # (location, asset)


@dataclass(frozen=True, slots=True)
class NamedItem:
    """A difference with a known reason: base units observed above (+) or below (-) the books."""

    position: Place
    units: int
    why: str


@dataclass(frozen=True, slots=True)
class Residue:
    """A difference nobody has named, in base units."""

    position: Place
    ledger: int
    observed: int
    named: int
    residue: int

    def __str__(self) -> str:
        return (
            f"{self.position[0]}:{self.position[1]} books {self.ledger}, observed "
            f"{self.observed}, named {self.named}, residue {self.residue} base units"
        )


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All residues, sorted by position, and the named items that explain the rest."""

    residues: tuple[Residue, ...]
    named: tuple[NamedItem, ...]


def reconcile(
    ledger_units: Mapping[Place, int],
    observed_units: Mapping[Place, int],
    named: Sequence[NamedItem] = (),
) -> Reconciliation:
    """Compare books and observation; a position missing on one side is zero there."""
    explained: dict[Place, int] = {}
    for item in named:
        explained[item.position] = explained.get(item.position, 0) + item.units
    residues = []
    for position in {*ledger_units, *observed_units, *explained}:
        ledger, observed = ledger_units.get(position, 0), observed_units.get(position, 0)
        why = explained.get(position, 0)
        if observed - ledger - why:
            residues.append(Residue(position, ledger, observed, why, observed - ledger - why))
    return Reconciliation(tuple(sorted(residues, key=_by_position)), tuple(named))


def _by_position(residue: Residue) -> Place:
    return residue.position[0], residue.position[1]

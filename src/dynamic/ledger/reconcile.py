"""Reconciliation: the books against what is really there, to the base unit.

    residue = observed - ledger - named

Every difference is named or it is a residue, and one residue of one base unit stops new
risk. The tolerance of PM-08 says how loudly to call, never whether there is a difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dynamic.units import BPS

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


class Severity(StrEnum):
    """How loudly a residue calls. It blocks either way."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All residues, sorted by position, and the named items that explain the rest."""

    residues: tuple[Residue, ...]
    named: tuple[NamedItem, ...]

    @property
    def blocks_new_risk(self) -> bool:
        """True where anything is unexplained."""
        return bool(self.residues)


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


def severity(
    residue: Residue, value_usd_micro: int | None, tolerance_bps: int, tolerance_usd_micro: int
) -> Severity:
    """Classify one residue (PM-08): a warning within both tolerances, critical beyond either.

    `value_usd_micro` is what the residue is worth, rounded up; an unknown worth is critical.
    """
    within_share = abs(residue.residue) * BPS <= tolerance_bps * abs(residue.ledger)
    within_usd = value_usd_micro is not None and abs(value_usd_micro) <= tolerance_usd_micro
    return Severity.WARNING if within_share and within_usd else Severity.CRITICAL


def worst(severities: Iterable[Severity]) -> Severity | None:
    """Return the loudest, or None of nothing."""
    found = set(severities)
    return next((level for level in (Severity.CRITICAL, Severity.WARNING) if level in found), None)


def _by_position(residue: Residue) -> Place:
    return residue.position[0], residue.position[1]

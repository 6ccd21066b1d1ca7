"""Crossings: one edge is one event, however long the value stays or trembles beyond a level.

    advance : sides so far x (value, as_of) x levels  ->  sides now x the crossings just confirmed

          value > level, by `confirmation` or on a second daily print        -> up
    below ------------------------------------------------------------------> above
          <------------------------------------------------------------------
          value no longer above level - hysteresis, confirmed the same way   -> down

The first value ever seen sets the sides and is no event: nothing was crossed. A second daily
print speaks of a later UTC day; reading one print every hour confirms nothing, and a revision
of a print replaces it. Source: MI-23, C-05 (confirmation 0.05, hysteresis 0.1 down).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dynamic.errors import InvariantBroken
from dynamic.units import DAY_S


class Level(NamedTuple):
    """One threshold. `is_above_inclusive`: standing exactly on it counts as above (0 <= m)."""

    at: float
    hysteresis: float = 0.0
    confirmation: float = 0.0
    is_above_inclusive: bool = False


class Crossing(NamedTuple):
    """One confirmed edge through `level`."""

    level: float
    is_up: bool
    value: float
    as_of_s: int


@dataclass(frozen=True, slots=True)
class Sides:
    """Where the value stands against each level, and which print disagrees.

    `doubts_s[i]` is the `as_of` of the unconfirmed print on the other side, or None.
    """

    above: tuple[bool, ...]
    doubts_s: tuple[int | None, ...]
    as_of_s: int


def first_sides(value: float, as_of_s: int, levels: Sequence[Level]) -> Sides:
    """Take sides by the first value, exactly and without events."""
    _require_number(value)
    above = tuple(_is_above(value, False, level) for level in levels)
    return Sides(above, (None,) * len(above), as_of_s)


def advance(
    sides: Sides | None, value: float, as_of_s: int, levels: Sequence[Level]
) -> tuple[Sides, tuple[Crossing, ...]]:
    """Take one print into account; a print older than the last is refused as a lie."""
    if sides is None:
        return first_sides(value, as_of_s, levels), ()
    _require_number(value)
    if as_of_s < sides.as_of_s or len(sides.above) != len(levels):
        raise InvariantBroken(
            f"print of {as_of_s} after {sides.as_of_s}, {len(levels)} levels"
            f" against {len(sides.above)}: prints only move forward over the same levels"
        )
    above: list[bool] = []
    doubts: list[int | None] = []
    crossings: list[Crossing] = []
    for was_above, doubt_s, level in zip(sides.above, sides.doubts_s, levels, strict=True):
        if _is_above(value, was_above, level) == was_above:
            above.append(was_above)
            doubts.append(None)
        elif _is_confirmed(value, was_above, doubt_s, as_of_s, level):
            above.append(not was_above)
            doubts.append(None)
            crossings.append(Crossing(level.at, not was_above, value, as_of_s))
        else:
            above.append(was_above)
            doubts.append(as_of_s)
    return Sides(tuple(above), tuple(doubts), as_of_s), tuple(crossings)


def _is_above(value: float, was_above: bool, level: Level) -> bool:
    """Say which side a value is on; once above, the band below the level still counts as above."""
    if was_above and level.hysteresis > 0.0:
        return value >= level.at - level.hysteresis
    return value >= level.at if level.is_above_inclusive else value > level.at


def _is_confirmed(
    value: float, was_above: bool, doubt_s: int | None, as_of_s: int, level: Level
) -> bool:
    """Say whether leaving a side is certain: far enough beyond, or a second daily print."""
    beyond = level.at - value if was_above else value - level.at
    # The distance is compared on the level's own scale: 3.55 is 0.05 beyond 3.5, float or not.
    if beyond >= level.confirmation or math.isclose(beyond, level.confirmation, abs_tol=1e-12):
        return True
    return doubt_s is not None and as_of_s // DAY_S > doubt_s // DAY_S


def _require_number(value: float) -> None:
    if not math.isfinite(value):
        raise InvariantBroken(f"expected a finite value at a crossing, found {value}")

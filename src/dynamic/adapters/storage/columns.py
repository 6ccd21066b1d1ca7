"""Column types: base units that no database rounds, and words every dialect understands.

    BaseUnits   PostgreSQL NUMERIC(78,0); SQLite 79 digits of text: units + 10**78, zero-padded,
                so that text order is numeric order, below zero too, and no SUM touches a float

Range: -10**78 <= units < 10**78, which holds every uint256 and its negative.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Dialect, Integer, Numeric, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

OFFSET: Final = 10**78
DIGITS: Final = 79

# SQLite only numbers rows by a column that says exactly INTEGER.
Sequence: Final = BigInteger().with_variant(Integer(), "sqlite")


def units_text(units: int) -> str:
    """Write base units as SQLite keeps them; anything but an int in range is refused."""
    return f"{checked_units(units) + OFFSET:079d}"


def units_from_text(text: str) -> int:
    """Read base units as SQLite keeps them."""
    return int(text) - OFFSET


def checked_units(units: int) -> int:
    """Return `units`; TypeError for bools, floats and others, ValueError out of range."""
    if units.__class__ is not int:
        raise TypeError(f"expected int base units, found {type(units).__name__}")
    if not -OFFSET <= units < OFFSET:
        raise ValueError(f"expected less than 10**78 base units, found {units}")
    return units


class BaseUnits(TypeDecorator[int]):
    """Integers of base units, exact on every database."""

    impl = Numeric(78, 0)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose text on SQLite, NUMERIC elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(Numeric(78, 0))

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Write, refusing what is not an int."""
        if value is None:
            return None
        return units_text(value) if dialect.name == "sqlite" else checked_units(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Read back the same int."""
        if value is None:
            return None
        return units_from_text(value) if dialect.name == "sqlite" else int(value)

"""History: recorded files, row by row, into dated series; a bad row stops with its line.

    parse : Table x Columns  ->  Series                 (pure: the reading of files is elsewhere)

Dates must rise strictly: a duplicate or a step back is refused. An empty cell is a missing day
and stays missing. Where every day is required a gap is refused too (`require_daily`), and so is
a date that has not come yet (`require_past`). Every refusal is one line: file, line, what was
expected, what was found.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from dynamic.errors import Refused
from dynamic.units import DAY_S, Rounding, iso, parse_instant, price_usd_micro, quantise

TIME_COLUMNS: Final = ("date_utc", "open_time_utc", "funding_time_utc", "date", "time")
PRICE_COLUMNS: Final = ("close", "price_usd", "close_usd", "price")
GWEI_WEI: Final = 10**9


class Table(NamedTuple):
    """One recorded file: its name for messages, its header, and its rows from line 2 on."""

    file: str
    header: Sequence[str]
    rows: Iterable[Sequence[str]]


class Series(NamedTuple):
    """Values by the instant of their label, oldest first, without gaps filled in."""

    file: str
    at_s: tuple[int, ...]
    values: tuple[int | float, ...]


def refused(file: str, line: int, expected: str, found: object) -> Refused:
    """Make the one-line error of a bad row."""
    return Refused(f"{file}, line {line}: expected {expected}, found {str(found)[:60]!r}")


def column(table: Table, names: Sequence[str]) -> int:
    """Return where the first of `names` stands in the header."""
    for name in names:
        if name in table.header:
            return list(table.header).index(name)
    raise Refused(
        f"{table.file}: expected a column {' or '.join(names)}, found {', '.join(table.header)}"
    )


def parse(
    table: Table,
    value_columns: Sequence[str],
    convert: Callable[[str], int | float],
    keep: Mapping[str, str] | None = None,
) -> Series:
    """Read one column by date; rows whose other columns differ from `keep` are passed over."""
    time_at, value_at = column(table, TIME_COLUMNS), column(table, value_columns)
    wanted = [(column(table, (name,)), value) for name, value in (keep or {}).items()]
    instants: list[int] = []
    values: list[int | float] = []
    for line, row in enumerate(table.rows, start=2):
        if len(row) != len(table.header):
            raise refused(table.file, line, f"{len(table.header)} cells", f"{len(row)} cells")
        if any(row[at] != value for at, value in wanted):
            continue
        at_s = _instant(table.file, line, row[time_at])
        if instants and at_s <= instants[-1]:
            what = "a duplicate" if at_s == instants[-1] else "a step back"
            raise refused(
                table.file, line, f"a date after {iso(instants[-1])}", f"{row[time_at]}, {what}"
            )
        if row[value_at] == "":
            continue
        try:
            values.append(convert(row[value_at]))
        except (ValueError, ArithmeticError) as error:
            name = table.header[value_at]
            raise refused(table.file, line, f"a valid {name}", row[value_at]) from error
        instants.append(at_s)
    return Series(table.file, tuple(instants), tuple(values))


def _instant(file: str, line: int, text: str) -> int:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise refused(file, line, "an ISO date or an instant with its zone", text) from error


def require_daily(series: Series) -> Series:
    """Return the series if it has one value for each UTC day from its first to its last."""
    for earlier, later in zip(series.at_s, series.at_s[1:], strict=False):
        if later - earlier != DAY_S:
            raise Refused(
                f"{series.file}: expected one row a day, found {iso(later)} after {iso(earlier)}"
            )
    return series


def require_past(series: Series, now_s: int) -> Series:
    """Return the series if none of its dates lies after `now_s`."""
    if series.at_s and series.at_s[-1] > now_s:
        raise Refused(
            f"{series.file}: expected dates up to {iso(now_s)}, found {iso(series.at_s[-1])}"
        )
    return series


def joined(series: Sequence[Series]) -> tuple[tuple[int, int | float, str], ...]:
    """Join files of one quantity by date: (instant, value, file). The file named first wins."""
    by_date: dict[int, tuple[int | float, str]] = {}
    for one in reversed(series):
        by_date.update(
            (at_s, (value, one.file)) for at_s, value in zip(one.at_s, one.values, strict=True)
        )
    return tuple((at_s, *by_date[at_s]) for at_s in sorted(by_date))


# --- what a cell may hold -------------------------------------------------------------------------


def usd_micro_price(text: str) -> int:
    """Read a price in dollars as usd_micro, rounded down; zero and less is no price."""
    micro = price_usd_micro(text, Rounding.DOWN)
    if micro <= 0:
        raise ValueError(f"expected a price above 0, found {text}")
    return micro


def positive(text: str) -> float:
    """Read a finite number above 0."""
    value = finite(text)
    if value <= 0.0:
        raise ValueError(f"expected a number above 0, found {text}")
    return value


def finite(text: str) -> float:
    """Read a finite number; an observed zero is data."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number, found {text}")
    return value


def index_0_100(text: str) -> int:
    """Read a whole index from 0 to 100."""
    value = int(text)
    if not 0 <= value <= 100:
        raise ValueError(f"expected 0 to 100, found {text}")
    return value


def wei_of_gwei(text: str) -> int:
    """Read a gas price in gwei as wei, rounded up: gas is something we pay."""
    positive(text)
    return quantise(Decimal(text), GWEI_WEI, Rounding.UP)

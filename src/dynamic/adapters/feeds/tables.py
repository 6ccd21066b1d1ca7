"""Tables: opening recorded files (.csv, .csv.gz, .parquet) as rows of text.

Anything that cannot be read is refused in one line that names the file; nothing is half-read,
since the rows are all in memory before the first is used.
"""

import csv
import gzip
import importlib
import zlib
from pathlib import Path
from typing import Any

from dynamic.errors import Refused
from dynamic.market.history import Table

BYTES_MAX = 512 * 1024 * 1024  # a file larger than this is not a daily history


def read_table(path: Path) -> Table:
    """Read a whole file; its format is told by its name."""
    if not path.is_file():
        what = "a directory" if path.is_dir() else "nothing there"
        raise Refused(f"{path}: expected a file, found {what}")
    if path.stat().st_size > BYTES_MAX:
        raise Refused(f"{path}: expected at most {BYTES_MAX} bytes, found {path.stat().st_size}")
    if path.name.endswith(".parquet"):
        return _parquet(path)
    if path.name.endswith((".csv", ".csv.gz")):
        return _csv(path)
    raise Refused(f"{path}: expected a name ending in .csv, .csv.gz or .parquet")


def _csv(path: Path) -> Table:
    try:
        if path.name.endswith(".gz"):
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file, strict=True))
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.reader(file, strict=True))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path}: expected readable CSV, found {error}") from error
    if not rows:
        raise Refused(f"{path}: expected a header line, found an empty file")
    return Table(path.name, rows[0], rows[1:])


def _parquet(path: Path) -> Table:
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise Refused(
            f"{path}: reading .parquet needs the extra dynamic-treasury[history], found no pyarrow"
        ) from error
    try:
        columns: dict[str, list[Any]] = parquet.read_table(path).to_pydict()
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise Refused(f"{path}: expected readable parquet, found {error}") from error
    rows = list(
        zip(*([_text(cell) for cell in column] for column in columns.values()), strict=True)
    )
    return Table(path.name, list(columns), rows)


def _text(cell: Any) -> str:
    """Write a parquet cell as the CSV would have it: an empty cell for a null, ISO for a time."""
    if cell is None:
        return ""
    if hasattr(cell, "isoformat"):
        text: str = cell.isoformat()
        return text if len(text) == 10 or "+" in text or text.endswith("Z") else text + "+00:00"
    return repr(cell) if isinstance(cell, float) else str(cell)

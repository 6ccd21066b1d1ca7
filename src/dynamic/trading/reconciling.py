"""Reconciling from outside: the stored books against the paper world's own file.

compare_stored : reader x data dir  ->  one row for each position, in base units
"""

from pathlib import Path

from dynamic.adapters.storage.reader import ReadStore
from dynamic.adapters.venues.paper import PaperVenue
from dynamic.errors import SourceUnavailable
from dynamic.ledger.book import Book
from dynamic.policy.mandate import Mandate
from dynamic.trading.opening import VENUE_FILE
from dynamic.trading.paper import paper_costs
from dynamic.workflows.instruments import registry
from dynamic.workflows.parameters import Parameters


def compare_stored(
    reader: ReadStore, home: Path, mandate: Mandate, now_s: int
) -> list[dict[str, str]]:
    """Return every position of either side with its residue; units are text, exact.

    Raises SourceUnavailable where the venue's file is missing or cannot be read.
    """
    path = home / VENUE_FILE
    if not path.exists():
        raise SourceUnavailable(
            f"expected the paper venue's file at {path}, found none; nothing was compared"
        )
    books = Book.from_balances(reader.balances()).position_units()
    symbols = {symbol for _, symbol in books}
    venue = PaperVenue.open(path, registry(symbols), paper_costs(mandate, Parameters.of(mandate)))
    try:
        observed = {(p.location, p.asset): n for p, n in venue.balances(now_s).items()}
    finally:
        venue.close()
    rows = []
    for place in sorted({*books, *observed}):
        ledger, there = books.get(place, 0), observed.get(place, 0)
        rows.append(
            {
                "position": f"{place[0]}:{place[1]}",
                "ledger_units": str(ledger),
                "observed_units": str(there),
                "residue_units": str(there - ledger),
            }
        )
    return rows

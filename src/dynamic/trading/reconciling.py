"""Reconciling from outside: the stored books against the paper world's own file.

compare_stored : reader x data dir  ->  one row for each position, in base units

A difference with a known reason is named; what is left is a residue, and must be zero.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from dynamic.adapters.storage.reader import ReadStore
from dynamic.adapters.venues.paper import PaperVenue
from dynamic.errors import SourceUnavailable
from dynamic.ledger.book import Book
from dynamic.ledger.reconcile import NamedItem, reconcile
from dynamic.policy.mandate import Mandate
from dynamic.protocols import aave_v3
from dynamic.trading.opening import VENUE_FILE
from dynamic.trading.paper import paper_costs
from dynamic.workflows.instruments import AAVE, registry
from dynamic.workflows.memory import Diary
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
    named = _not_booked_yet(reader, books)
    residues = {r.position: r.residue for r in reconcile(books, observed, named).residues}
    explained = {item.position: item for item in named}
    return [
        {
            "position": f"{place[0]}:{place[1]}",
            "ledger_units": str(books.get(place, 0)),
            "observed_units": str(observed.get(place, 0)),
            "named_units": str(explained[place].units if place in explained else 0),
            "why": explained[place].why if place in explained else "",
            "residue_units": str(residues.get(place, 0)),
        }
        for place in sorted({*books, *observed})
    ]


def _not_booked_yet(
    reader: ReadStore, books: Mapping[tuple[str, str], int]
) -> tuple[NamedItem, ...]:
    """Name what the next accrual will book: the pool rounds our claim down at every deposit."""
    text, place = reader.state("diary"), tuple(AAVE)
    if text is None:
        return ()
    diary = Diary.from_payload(json.loads(text))
    if not diary.scaled:
        return ()
    due = aave_v3.claim(diary.scaled, diary.yield_index_ray) - books.get((place[0], place[1]), 0)
    return (NamedItem((place[0], place[1]), due, "booked at the next accrual"),) if due else ()

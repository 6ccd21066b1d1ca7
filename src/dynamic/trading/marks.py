"""Marks: the treasury's stored values read back, every one of them, in bounded memory.

    marks(reader, since)   from the last mark at or before an instant to the newest

Nothing is thinned here: a mark carries the owner's flow since the one before it, and a flow
left out would look like a gain.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from dynamic.adapters.storage.reader import ReadStore
from dynamic.performance.metrics import NavPoint
from dynamic.trading.market_views import parsed
from dynamic.units import DAY_S

_PAGE_S: Final = 90 * DAY_S
_EVERY_MARK: Final = 1_000_000_000


def marks(reader: ReadStore, since_s: int | None) -> Iterator[dict[str, Any]]:
    """Stream every mark from the last one at or before an instant on; None for all of them."""
    last = reader.latest_nav()
    if last is None:
        return
    ends = reader.nav_series(0, since_s, 2)  # the first and the last of the span
    if not ends:  # nothing is as old as that: everything belongs to the range
        ends = reader.nav_series(0, None, 2)[:1]
    at_s: int = ends[0 if since_s is None else -1]["at_s"]
    while at_s <= last["at_s"]:
        yield from reader.nav_series(at_s, at_s + _PAGE_S - 1, _EVERY_MARK)
        at_s += _PAGE_S


def nav_points(rows: Iterable[Mapping[str, Any]]) -> list[NavPoint]:
    """Return marks as points, with the owner's flows."""
    return [
        NavPoint(r["at_s"], r["nav_usd_micro"], parsed(r["payload"])["attribution"]["flows"])
        for r in rows
    ]

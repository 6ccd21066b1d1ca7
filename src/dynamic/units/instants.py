"""Instants: whole seconds since 1970-01-01 UTC, named `_at` or `_at_s`; spans are named `_s`.

No local time exists in Dynamic. A day is a UTC day; a year of interest is 365 days, as
Aave counts it.
"""

from datetime import UTC, datetime
from typing import Final

HOUR_S: Final = 3_600
DAY_S: Final = 86_400
YEAR_S: Final = 31_536_000


def iso(at_s: int) -> str:
    """Write an instant as `2024-01-31T00:00:00Z`."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str) -> int:
    """Read an ISO date (midnight UTC) or an ISO instant with its zone.

    Raises ValueError where the zone of a time of day is missing: we never guess one.
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        if len(text.strip()) != 10:
            raise ValueError(f"expected a time zone, found {text!r}")
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())

"""The book: what we hold at every place, as the sum of everything that ever moved.

    post : Book x Entry -> Book      all of an entry or nothing of it

Every asset sums to zero over all accounts, always. What is ours never goes below zero: a
position below zero is a bug or a lie, and stops the process. One cause is booked once: a
second entry of the same kind for the same `ref`, or a used entry id, is a Conflict.
"""

from collections.abc import Iterable, Mapping

from dynamic.errors import Conflict, InvariantBroken
from dynamic.ledger.chart import check_account, is_ours, location_of
from dynamic.ledger.entry import Entry, EntryKind


class Book:
    """Balances in base units by (account, asset), changed by posting entries only."""

    __slots__ = ("_balances", "_ids", "_positions", "_refs")

    def __init__(self) -> None:
        self._balances: dict[tuple[str, str], int] = {}
        # What is ours once more, by (location, asset): asked several times in every cycle.
        self._positions: dict[tuple[str, str], int] = {}
        self._ids: set[str] = set()
        self._refs: set[tuple[str, EntryKind]] = set()

    @classmethod
    def from_balances(cls, balances: Mapping[tuple[str, str], int]) -> "Book":
        """Go on from stored balances; which refs were booked before, the store remembers.

        Raises InvariantBroken where they do not sum to zero per asset.
        """
        book = cls()
        for (account, asset), units in balances.items():
            check_account(account)
            if units < 0 and is_ours(account):
                raise InvariantBroken(f"{account} holds {units} base units of {asset}")
            book._keep((account, asset), units)
        book.check()
        return book

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Book":
        """Fold entries, oldest first, into a book."""
        book = cls()
        for entry in entries:
            book.post(entry)
        return book

    def post(self, entry: Entry) -> None:
        """Book one entry, whole or not at all.

        Raises Conflict where it was booked before, InvariantBroken where one of our
        positions would go below zero.
        """
        cause = (entry.ref, entry.kind)
        if entry.entry_id in self._ids or cause in self._refs:
            raise Conflict(f"{entry.kind.value} for {entry.ref} is already booked")
        changed: dict[tuple[str, str], int] = {}
        for posting in entry.postings:
            key = (check_account(posting.account), posting.asset)
            before = changed[key] if key in changed else self._balances.get(key, 0)
            changed[key] = before + posting.base_units
        for (account, asset), units in changed.items():
            if units < 0 and is_ours(account):
                raise InvariantBroken(
                    f"{entry.entry_id} would leave {units} base units of {asset} in {account}"
                )
        for key, units in changed.items():
            self._keep(key, units)
        self._ids.add(entry.entry_id)
        self._refs.add(cause)

    def balance(self, account: str, asset: str) -> int:
        """Return the base units of an asset in an account; what was never booked is zero."""
        return self._balances.get((account, asset), 0)

    def units(self, location: str, asset: str) -> int:
        """Return the base units we hold of an asset at a location."""
        return self._positions.get((location, asset), 0)

    @property
    def balances(self) -> dict[tuple[str, str], int]:
        """Return a copy of all balances that are not zero, by (account, asset)."""
        return {key: units for key, units in self._balances.items() if units}

    def position_units(self) -> dict[tuple[str, str], int]:
        """Return what we hold, in base units by (location, asset); empty positions left out."""
        return {position: units for position, units in self._positions.items() if units}

    def check(self) -> None:
        """Raise InvariantBroken unless every asset sums to zero over all accounts."""
        sums: dict[str, int] = {}
        for (_, asset), units in self._balances.items():
            sums[asset] = sums.get(asset, 0) + units
        odd = {asset: total for asset, total in sums.items() if total}
        if odd:
            raise InvariantBroken(f"the book does not balance: {odd}")

    def _keep(self, key: tuple[str, str], units: int) -> None:
        self._balances[key] = units
        if is_ours(key[0]):
            self._positions[location_of(key[0]), key[1]] = units

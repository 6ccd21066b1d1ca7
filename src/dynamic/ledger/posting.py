"""From what really moved to a balanced entry: one constructor for each way things move.

    settlement_entry   movements of a settled step; the sides meet in trading:<venue>
    yield_entry, gas_entry, capital_entry, correction_entry, realised_entry

Movements are (location, asset, base units), + into and - out of a position. Nothing here
knows a price. `entry_id` is made of kind and ref, so one cause has one entry.
"""

from collections.abc import Sequence
from typing import Final

from dynamic.errors import InvariantBroken
from dynamic.ledger.chart import (
    CAPITAL,
    CORRECTION,
    GAS,
    REALISED_EQUITY,
    REALISED_INCOME,
    asset_account,
    fee_account,
    trading_account,
    yield_account,
)
from dynamic.ledger.entry import Entry, EntryKind, Posting

Flow = tuple[str, str, int]  # (location, asset, base units)

# The memo asset of realised results: its base unit is the micro-dollar.
USD: Final = "USD"


def settlement_entry(
    at_s: int,
    ref: str,
    kind: EntryKind,
    venue: str,
    movements: Sequence[Flow],
    fee: Flow | None = None,
    narration: str = "",
) -> Entry:
    """Book what a settled step moved.

    Whatever an asset gained or lost over all our positions passes through `trading:<venue>`;
    the fee, a part of it, goes to `expense:fees:<venue>` instead (its size counts, not its
    sign). Raises InvariantBroken for a fee in an asset that did not move.
    """
    sums: dict[tuple[str, str], int] = {}
    residual: dict[str, int] = {}
    for location, asset, units in movements:
        account = asset_account(location)
        sums[account, asset] = sums.get((account, asset), 0) + units
        residual[asset] = residual.get(asset, 0) + units
    fee_units = 0 if fee is None else abs(fee[2])
    if fee is not None and fee_units:
        if fee[1] not in residual:
            raise InvariantBroken(f"{ref}: a fee of {fee_units} {fee[1]}, which did not move")
        sums[fee_account(venue), fee[1]] = fee_units
        residual[fee[1]] += fee_units
    trading = trading_account(venue)
    for asset, units in residual.items():
        sums[trading, asset] = -units
    return _entry(at_s, ref, kind, narration or f"{kind.value} at {venue}", sums)


def yield_entry(at_s: int, ref: str, location: str, asset: str, units: int) -> Entry:
    """Book interest or rewards at a location; a loss of it is negative."""
    sums = {(asset_account(location), asset): units, (yield_account(location), asset): -units}
    return _entry(at_s, ref, EntryKind.YIELD, f"yield at {location}", sums)


def gas_entry(at_s: int, ref: str, location: str, asset: str, units: int) -> Entry:
    """Book positive units of the network's own coin, burnt as gas."""
    units = _positive((location, asset, units))
    sums = {(asset_account(location), asset): -units, (GAS, asset): units}
    return _entry(at_s, ref, EntryKind.GAS, "gas", sums)


def capital_entry(at_s: int, ref: str, location: str, asset: str, units: int) -> Entry:
    """Book the owner's flow: positive in, negative out."""
    sums = {(asset_account(location), asset): units, (CAPITAL, asset): -units}
    words = "capital paid in" if units > 0 else "capital paid out"
    return _entry(at_s, ref, EntryKind.CAPITAL, words, sums)


def correction_entry(at_s: int, ref: str, location: str, asset: str, units: int, why: str) -> Entry:
    """Book a difference a person has explained; `why` is their reason."""
    sums = {(asset_account(location), asset): units, (CORRECTION, asset): -units}
    return _entry(at_s, ref, EntryKind.CORRECTION, why, sums)


def realised_entry(at_s: int, ref: str, gain_usd_micro: int) -> Entry:
    """Post a day's realised result (LG-07), in the memo asset USD; no position moves."""
    sums = {(REALISED_INCOME, USD): -gain_usd_micro, (REALISED_EQUITY, USD): gain_usd_micro}
    return _entry(at_s, ref, EntryKind.REALISED, "realised result of the day", sums)


def _positive(flow: Flow) -> int:
    if flow[2] <= 0:
        raise InvariantBroken(f"expected positive units of {flow[1]}, found {flow[2]}")
    return flow[2]


def _entry(
    at_s: int, ref: str, kind: EntryKind, narration: str, sums: dict[tuple[str, str], int]
) -> Entry:
    postings = tuple(
        Posting(account, asset, units) for (account, asset), units in sums.items() if units
    )
    return Entry(f"{kind.value}:{ref}", at_s, kind, narration, ref, postings)

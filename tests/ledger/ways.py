"""Random but honest histories of a treasury, for the laws of the ledger."""

from __future__ import annotations

from hypothesis import strategies as st

from dynamic.ledger.book import Book
from dynamic.ledger.chart import BURN, INCENTIVES, asset_account
from dynamic.ledger.entry import Entry, EntryKind, Posting
from dynamic.ledger.posting import Flow, capital_entry, gas_entry, settlement_entry, yield_entry

LOCATIONS = ("wallet", "aave_v3", "pendle_v2", "curve")
ASSETS = ("USDC", "WBTC", "ETH", "PT-USDC-20240628")
DECIMALS = {"USDC": 6, "WBTC": 8, "ETH": 18, "PT-USDC-20240628": 6}

steps = st.tuples(
    st.sampled_from(("capital", "swap", "transfer", "yield", "gas", "burn", "withdraw")),
    st.sampled_from(LOCATIONS),
    st.sampled_from(LOCATIONS),
    st.sampled_from(ASSETS),
    st.sampled_from(ASSETS),
    st.integers(min_value=1, max_value=10**24),
    st.integers(min_value=1, max_value=10**24),
)
histories = st.lists(steps, min_size=1, max_size=25)


def swap(
    at_s: int, ref: str, venue: str, spend: Flow, receive: Flow, fee: Flow | None = None
) -> Entry:
    """Positive units spent, positive units received."""
    moved = [(spend[0], spend[1], -spend[2]), receive]
    return settlement_entry(at_s, ref, EntryKind.TRADE, venue, moved, fee)


def given_away(
    at_s: int, ref: str, kind: EntryKind, location: str, asset: str, units: int
) -> Entry:
    """Positive units burnt or paid as an incentive, for good."""
    account = {EntryKind.BURN: BURN, EntryKind.INCENTIVE: INCENTIVES}[kind]
    lines = (
        Posting(asset_account(location), asset, -units), Posting(account, asset, units)
    )  # fmt: skip
    return Entry(f"{kind.value}:{ref}", at_s, kind, kind.value, ref, lines)


def entries_of(history: list[tuple[str, str, str, str, str, int, int]]) -> list[Entry]:
    """Turn drawn steps into entries that never spend what is not there."""
    book = Book()
    made: list[Entry] = []
    for number, (what, here, there, asset, other, units, received) in enumerate(history):
        at_s, ref = 1_600_000_000 + number * 40_000, f"r{number}"
        held = min(units, book.units(here, asset))
        entry = _entry(what, at_s, ref, here, there, asset, other, units, held, received)
        if entry is not None:
            book.post(entry)
            made.append(entry)
    return made


def _entry(
    what: str, at_s: int, ref: str, here: str, there: str, asset: str, other: str,
    units: int, held: int, received: int,
) -> Entry | None:  # fmt: skip
    if what == "capital":
        return capital_entry(at_s, ref, here, asset, units)
    if what == "yield":
        return yield_entry(at_s, ref, here, asset, units)
    if not held:
        return None
    if what == "swap" and asset != other:
        fee = (here, asset, held // 3)
        return swap(at_s, ref, "oneinch", (here, asset, held), (there, other, received), fee)
    if what == "transfer" and here != there:
        moved = [(here, asset, -held), (there, asset, held)]
        return settlement_entry(at_s, ref, EntryKind.DEPOSIT, there, moved)
    if what == "gas":
        return gas_entry(at_s, ref, here, asset, held)
    if what == "burn":
        return given_away(at_s, ref, EntryKind.BURN, here, asset, held)
    if what == "withdraw":
        return capital_entry(at_s, ref, here, asset, -held)
    return None

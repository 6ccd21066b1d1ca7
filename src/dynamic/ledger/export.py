"""Exports: the books as beancount text and as CSV, so that others can check our sums.

    beancount_text   every entry, each asset a commodity, exact decimals; `bean-check` accepts
                     it only while every entry balances and every closing balance is right
    csv_text         one line for each posting, in base units and in whole tokens

Swaps need no price: both sides pass through the trading accounts, so each commodity balances
alone. Beancount adds with 28 significant digits; amounts beyond that are for the CSV.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from dynamic.errors import InvariantBroken
from dynamic.ledger.entry import Entry
from dynamic.ledger.posting import USD
from dynamic.units import DAY_S, iso

_ROOTS: Final = {
    "assets": "Assets",
    "income": "Income",
    "expense": "Expenses",
    "trading": "Equity:Trading",
    "equity": "Equity",
}
_ILLEGAL: Final = re.compile(r"[^A-Z0-9'._-]")
# A spreadsheet takes such a cell for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
CSV_COLUMNS: Final = (
    "entry_id", "at_s", "at", "kind", "ref", "narration", "account", "asset", "base_units",
    "amount",
)  # fmt: skip


def beancount_account(account: str) -> str:
    """Map an account of the chart: `assets:aave_v3` becomes `Assets:Aave-v3`, one to one."""
    root, _, rest = account.partition(":")
    parts = [part[0].upper() + part[1:].replace("_", "-") for part in rest.split(":")]
    return ":".join([_ROOTS[root], *parts])


def beancount_commodities(assets: Iterable[str]) -> dict[str, str]:
    """Map symbols to legal commodities, one to one: `stETH` becomes `STETH`, a clash `STETH-2`."""
    names: dict[str, str] = {}
    used: set[str] = set()
    for asset in sorted(set(assets)):
        legal = _ILLEGAL.sub("-", asset.upper()).strip("'._-")
        if len(legal) < 2 or not legal[0].isalpha():
            legal = f"X{legal}X" if len(legal) < 1 else f"X{legal}"
        name, number = legal, 2
        while name in used:
            name, number = f"{legal}-{number}", number + 1
        used.add(name)
        names[asset] = name
    return names


def beancount_text(
    entries: Iterable[Entry],
    decimals: Mapping[str, int],
    balances: Mapping[tuple[str, str], int] | None = None,
    title: str = "Dynamic treasury",
) -> str:
    """Write entries, oldest first, as a beancount file.

    `decimals` by asset; `balances`, where given, are asserted the day after the last entry.
    Raises InvariantBroken for an asset of unknown decimals.
    """
    entries = tuple(entries)
    keys = {(p.account, p.asset) for entry in entries for p in entry.postings}
    keys |= set(balances or ())
    names = beancount_commodities(asset for _, asset in keys)
    lines = [f'option "title" "{_quoted(title)}"', ""]
    if entries:
        first, last = min(e.at_s for e in entries), max(e.at_s for e in entries)
        lines += [
            f"{iso(first)[:10]} open {beancount_account(a)}" for a in sorted({a for a, _ in keys})
        ]
        for entry in entries:
            lines += ["", *_transaction(entry, names, decimals)]
        lines += [""]
        # "~ 0": beancount would let a balance be one unit off.
        for (account, asset), units in sorted((balances or {}).items()):
            amount = _exact(units, asset, decimals)
            lines.append(
                f"{iso(last + DAY_S)[:10]} balance {beancount_account(account)}"
                f"  {amount} ~ 0 {names[asset]}"
            )
    return "\n".join(lines) + "\n"


def csv_text(entries: Iterable[Entry], decimals: Mapping[str, int]) -> str:
    """Write one CSV line for each posting, after a line of column names."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(_csv_rows(entries, decimals))
    return out.getvalue()


def _csv_rows(entries: Iterable[Entry], decimals: Mapping[str, int]) -> Iterator[list[object]]:
    for entry in entries:
        head = [_cell(entry.entry_id), entry.at_s, iso(entry.at_s), entry.kind.value,
                _cell(entry.ref), _cell(entry.narration)]  # fmt: skip
        for posting in entry.postings:
            amount = _exact(posting.base_units, posting.asset, decimals)
            yield [*head, posting.account, _cell(posting.asset), posting.base_units, amount]


def _transaction(entry: Entry, names: Mapping[str, str], decimals: Mapping[str, int]) -> list[str]:
    lines = [
        f'{iso(entry.at_s)[:10]} * "{entry.kind.value}" "{_quoted(entry.narration)}"',
        f'  entry: "{_quoted(entry.entry_id)}"',
        f'  ref: "{_quoted(entry.ref)}"',
        f'  at: "{iso(entry.at_s)}"',
    ]
    for posting in entry.postings:
        amount = _exact(posting.base_units, posting.asset, decimals)
        lines.append(f"  {beancount_account(posting.account)}  {amount} {names[posting.asset]}")
    return lines


def _exact(units: int, asset: str, decimals: Mapping[str, int]) -> str:
    """Write base units as whole tokens with every decimal: beancount's tolerance is half of it."""
    places = decimals.get(asset, 6 if asset == USD else None)
    if places is None:
        raise InvariantBroken(f"the decimals of {asset} are not known, so it cannot be exported")
    sign, digits = ("-", str(-units)) if units < 0 else ("", str(units))
    if not places:
        return sign + digits
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def _quoted(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text

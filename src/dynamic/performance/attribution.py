"""Attribution: why the treasury is worth more or less than at the last mark, to the last unit.

    NAV1 - NAV0 = price + yield + fees + slippage + gas + flows + other      residual = 0

    price      sum u0 * r0 * (p1 - p0)                what we held, at new prices
    yield      sum u0 * (r1 - r0) * p1                claims that grew
               and what the income accounts earned    at the closing mark
    fees, gas  what those expense accounts took       at the closing mark
    slippage   what trades lost against the mark      what went through `trading:`
    flows      what the owner put in or took out      `equity:capital`
    other      corrections, and what was given away

u are base units, p prices, r rates; 0 and 1 are the two marks. Each part is computed by
itself from its own postings, and the two values from the two marks' holdings; nothing is the
difference of the others. All are integers of usd_micro x 10**36, so equality is equality.
Memo postings in the asset USD move no position and are left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from dynamic.errors import InvariantBroken
from dynamic.ledger.entry import Entry
from dynamic.performance.valuation import SCALE, unit_value_scaled
from dynamic.units import Asset

PARTS: Final = ("price", "yield", "fees", "slippage", "gas", "flows", "other")


@dataclass(frozen=True, slots=True)
class Mark:
    """What was held at an instant, by (location, asset), and what it was worth per token."""

    at_s: int
    units: Mapping[tuple[str, str], int]
    prices: Mapping[str, int]
    rates: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Attribution:
    """The parts of one change of value, in usd_micro x 10**36."""

    price: int = 0
    yield_: int = 0
    fees: int = 0
    slippage: int = 0
    gas: int = 0
    flows: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        """Return the sum of all parts."""
        return (
            self.price + self.yield_ + self.fees + self.slippage + self.gas + self.flows
            + self.other
        )  # fmt: skip

    def usd_micro(self) -> dict[str, int]:
        """Return the parts in whole usd_micro that sum to the floored total exactly.

        The micros lost by flooring go to the parts with the largest fractions.
        """
        exact = dict(
            zip(
                PARTS,
                (self.price, self.yield_, self.fees, self.slippage, self.gas, self.flows,
                 self.other),
                strict=True,
            )
        )  # fmt: skip
        floored = {name: value // SCALE for name, value in exact.items()}
        left = self.total // SCALE - sum(floored.values())
        by_fraction = sorted(PARTS, key=lambda name: exact[name] % SCALE, reverse=True)
        for name in by_fraction[:left]:
            floored[name] += 1
        return floored


def nav_scaled(units: Mapping[tuple[str, str], int], worth: Mapping[str, int]) -> int:
    """Return the exact value of holdings, in usd_micro x 10**36."""
    return sum(count * worth[symbol] for (_, symbol), count in units.items() if count)


def attribute(
    opening: Mark, closing: Mark, entries: Iterable[Entry], assets: Mapping[str, Asset]
) -> Attribution:
    """Explain the change between two marks by the entries booked between them.

    Raises InvariantBroken where the parts do not sum to the change, to the last unit: an
    entry is missing, or one of the marks is not what the books say. Raises DataUnfit where
    something held or moved has no price at a mark.
    """
    held: dict[str, int] = {}
    for (_, symbol), base_units in opening.units.items():
        held[symbol] = held.get(symbol, 0) + base_units
    worth0 = {
        symbol: unit_value_scaled(assets[symbol], opening.prices, opening.rates)
        for symbol, base_units in held.items()
        if base_units
    }
    worth1: dict[str, int] = {}
    needed = [symbol for symbol, base_units in held.items() if base_units]
    needed += [symbol for (_, symbol), base_units in closing.units.items() if base_units]
    for symbol in needed:
        if symbol not in worth1:
            worth1[symbol] = unit_value_scaled(assets[symbol], closing.prices, closing.rates)
    price, grown = _revalued(held, worth0, worth1, opening, closing, assets)
    posted = _posted(entries, worth1, closing, assets)
    found = Attribution(
        price, grown + posted["yield"], posted["fees"], posted["slippage"], posted["gas"],
        posted["flows"], posted["other"],
    )  # fmt: skip
    change = nav_scaled(closing.units, worth1) - nav_scaled(opening.units, worth0)
    if found.total != change:
        raise InvariantBroken(
            f"attribution leaves {change - found.total} usd_micro x 10**-36 between "
            f"{opening.at_s} and {closing.at_s}: parts {found.usd_micro()}"
        )
    return found


def _revalued(
    held: Mapping[str, int],
    worth0: Mapping[str, int],
    worth1: Mapping[str, int],
    opening: Mark,
    closing: Mark,
    assets: Mapping[str, Asset],
) -> tuple[int, int]:
    """Split what the opening holdings gained into price and growth of claims."""
    price = grown = 0
    for symbol, base_units in held.items():
        if not base_units:
            continue
        asset = assets[symbol]
        # Old rate at the new price stands between the two marks.
        between = worth0[symbol]
        was, now = opening.prices[asset.underlying], closing.prices[asset.underlying]
        if was != now:
            between = unit_value_scaled(asset, closing.prices, opening.rates)
        price += base_units * (between - worth0[symbol])
        grown += base_units * (worth1[symbol] - between)
    return price, grown


def _posted(
    entries: Iterable[Entry],
    worth1: dict[str, int],
    closing: Mark,
    assets: Mapping[str, Asset],
) -> dict[str, int]:
    """Sum what the other side of our entries took or gave, at the closing mark, by cause."""
    sums: dict[str, int] = dict.fromkeys(PARTS, 0)
    for entry in entries:
        for posting in entry.postings:
            account = posting.account
            if account.startswith("assets:") or posting.asset == "USD":
                continue
            worth = worth1.get(posting.asset)
            if worth is None:
                asset = assets[posting.asset]
                worth = worth1[posting.asset] = unit_value_scaled(
                    asset, closing.prices, closing.rates
                )
            sums[_cause(account)] -= posting.base_units * worth
    return sums


def _cause(account: str) -> str:
    """Name the part an account belongs to."""
    if account.startswith("trading:"):
        return "slippage"
    if account.startswith("expense:fees:"):
        return "fees"
    if account == "expense:gas":
        return "gas"
    if account.startswith("income:yield:"):
        return "yield"
    return "flows" if account == "equity:capital" else "other"

"""The chart of accounts: where money can be, where it came from and where it went.

    assets:<location>          ours: wallet, aave_v3, pendle_v2, curve, ...
    income:yield:<location>    interest and rewards, negative as income is
    expense:gas                network fees
    expense:fees:<venue>       what venues charged
    expense:<purpose>          burn, incentives: spent for good
    trading:<venue>            the two sides of a swap meet here, asset by asset
    equity:capital             what the owner put in
    equity:correction          differences explained by a person
    income:realised, equity:realised   the day's realised result, in the memo asset USD

A name is lower-case letters, digits and underscores; nothing else is an account.
"""

import re
from functools import lru_cache
from typing import Final

from dynamic.errors import InvariantBroken

GAS: Final = "expense:gas"
BURN: Final = "expense:burn"
INCENTIVES: Final = "expense:incentives"
CAPITAL: Final = "equity:capital"
CORRECTION: Final = "equity:correction"
REALISED_INCOME: Final = "income:realised"
REALISED_EQUITY: Final = "equity:realised"

_ASSETS: Final = "assets:"
_NAME: Final = r"[a-z][a-z0-9_]{0,39}"
_ACCOUNT: Final = re.compile(
    rf"(?:assets:{_NAME}|income:yield:{_NAME}|expense:fees:{_NAME}|trading:{_NAME}"
    r"|expense:(?:gas|burn|incentives)|equity:(?:capital|correction|realised)|income:realised)"
)


@lru_cache(maxsize=4096)
def check_account(account: str) -> str:
    """Return the account, or raise InvariantBroken where the chart does not know it."""
    if _ACCOUNT.fullmatch(account) is None:
        raise InvariantBroken(f"expected an account of the chart, found {account!r}")
    return account


def asset_account(location: str) -> str:
    """Name the account of what lies at a location."""
    return check_account(_ASSETS + location)


def yield_account(location: str) -> str:
    """Name the account interest and rewards of a location come from."""
    return check_account("income:yield:" + location)


def fee_account(venue: str) -> str:
    """Name the account of a venue's fees."""
    return check_account("expense:fees:" + venue)


def trading_account(venue: str) -> str:
    """Name the account in which the sides of a venue's swaps meet."""
    return check_account("trading:" + venue)


def is_ours(account: str) -> bool:
    """Whether the account holds something of ours: a position, never below zero."""
    return account.startswith(_ASSETS)


def location_of(account: str) -> str:
    """Return the location of one of our asset accounts."""
    if not is_ours(account):
        raise InvariantBroken(f"expected an assets account, found {account!r}")
    return account[len(_ASSETS) :]

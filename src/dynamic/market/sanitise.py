"""Sanitise: nothing from outside is believed before its type, range, size and clock are checked.

    raw bytes -> json_body -> fraction | usd_micro | index_0_100 | instant  ->  a value to observe

Each check raises DataUnfit naming the key, what was expected and what was found; a value that
does not pass is missing, it is never mended. A price that jumps more than the limit between
two polls is believed only once a second source agrees (`confirm_jump`). Source: MI-20.
"""

import json
import math
import re
from decimal import Decimal
from typing import Final

from dynamic.errors import DataUnfit
from dynamic.units import BPS, Rounding, price_usd_micro

_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,2})?")
_PRICE_USD_MAX: Final = 10**9  # a whole token dearer than this is a unit mistake, not a price
FUNDING_PER_8H_MAX: Final = 0.1  # beyond 10 % per 8 h a rate is in per cent or of another span


def unfit(key: str, expected: str, found: object) -> DataUnfit:
    """Make the error every check raises."""
    return DataUnfit(f"{key}: expected {expected}, found {str(found)[:80]!r}; the value is dropped")


def json_body(key: str, body: bytes, bytes_max: int) -> object:
    """Parse a reply; too large, not UTF-8, not JSON, or JSON with NaN in it is refused."""
    if len(body) > bytes_max:
        raise unfit(key, f"at most {bytes_max} bytes", f"{len(body)} bytes")

    def refuse(constant: str) -> object:
        raise unfit(key, "finite numbers", constant)

    try:
        read: object = json.loads(body.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise unfit(key, "JSON", body[:40]) from error
    return read


def number(key: str, raw: object) -> Decimal:
    """Read one finite number: an int, a float, or a plainly written string; never a bool."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise unfit(key, "a number", raw)
    if isinstance(raw, float):
        if not math.isfinite(raw):
            raise unfit(key, "a finite number", raw)
        return Decimal(repr(raw))  # as it was written, not its binary expansion
    text = raw if isinstance(raw, str) else repr(raw)
    if _DECIMAL.fullmatch(text) is None:
        raise unfit(key, "a plainly written number", raw)
    return Decimal(text)


def fraction(key: str, raw: object, low: float, high: float) -> float:
    """Read an estimate inside [low, high]."""
    value = float(number(key, raw))
    if not low <= value <= high:
        raise unfit(key, f"a value from {low:g} to {high:g}", raw)
    return value


def usd_micro_price(key: str, raw: object) -> int:
    """Read a price in dollars per whole token as usd_micro, rounded down; zero is no price."""
    value = number(key, raw)
    if not 0 < value < _PRICE_USD_MAX:
        raise unfit(key, f"a price above 0 and below {_PRICE_USD_MAX} USD", raw)
    micro = price_usd_micro(value, Rounding.DOWN)
    if micro == 0:
        raise unfit(key, "a price of at least 1 usd_micro", raw)
    return micro


def index_0_100(key: str, raw: object) -> int:
    """Read a whole index from 0 to 100, both included (MI-05)."""
    value = number(key, raw)
    if value != value.to_integral_value() or not 0 <= value <= 100:
        raise unfit(key, "a whole number from 0 to 100", raw)
    return int(value)


def funding_per_8h(key: str, raw: object, interval_h: int = 8) -> float:
    """Read a funding rate as a decimal per 8 h; a rate of another interval is scaled (C-52)."""
    if interval_h not in (1, 2, 4, 8):
        raise unfit(key, "a funding interval of 1, 2, 4 or 8 h", interval_h)
    return fraction(key, raw, -FUNDING_PER_8H_MAX, FUNDING_PER_8H_MAX) * (8 / interval_h)


def instant(key: str, raw_s: object, now_s: int, skew_s_max: int) -> int:
    """Read a source's own time stamp; further in the future than the allowed skew is refused.

    A stamp within the skew is taken as now, since nothing may speak of the future.
    """
    at_s = int(number(key, raw_s))
    if at_s <= 0 or at_s > now_s + skew_s_max:
        raise unfit(key, f"an instant up to {now_s} + {skew_s_max} s", raw_s)
    return min(at_s, now_s)


def confirm_jump(
    key: str,
    previous_usd_micro: int | None,
    found_usd_micro: int,
    second_usd_micro: int | None,
    jump_bps_max: int,
    agreement_bps_max: int,
) -> int:
    """Return the price if it is believable: no jump, or a second source within the agreement.

    The jump is strict: exactly `jump_bps_max` of the previous price passes alone.
    """
    if previous_usd_micro is None:
        return found_usd_micro
    if abs(found_usd_micro - previous_usd_micro) * BPS <= jump_bps_max * previous_usd_micro:
        return found_usd_micro
    expected = f"a second source for a jump beyond {jump_bps_max} bps of {previous_usd_micro}"
    if second_usd_micro is None:
        raise unfit(key, expected, found_usd_micro)
    if abs(found_usd_micro - second_usd_micro) * BPS > agreement_bps_max * found_usd_micro:
        raise unfit(key, f"{expected} that agrees", f"{found_usd_micro} against {second_usd_micro}")
    return found_usd_micro

"""How numbers are written for people: units spelled out, losses with a minus, nothing invented.

What is not known is an en dash with the words behind it, never a zero. Money is rounded
towards minus infinity, so a screen never claims more than the ledger.
"""

from decimal import ROUND_FLOOR, Decimal

from dynamic.units import BPS, DAY_S, HOUR_S, Rounding, divide, format_usd, iso

UNKNOWN = "–"
MINUS = "−"


def usd(micro: int | None, places: int = 2) -> str:
    """Write micro-dollars: `$1,234.50`, `−$0.01`."""
    return UNKNOWN if micro is None else format_usd(micro, places).replace("-", MINUS)


def signed_usd(micro: int | None, places: int = 2) -> str:
    """Write a gain with its sign."""
    if micro is None:
        return UNKNOWN
    return f"+{usd(micro, places)}" if micro > 0 else usd(micro, places)


def percent(fraction: float | None, places: int = 2) -> str:
    """Write a fraction as percent, rounded down: 0.0412 is `4.12 %`."""
    if fraction is None:
        return UNKNOWN
    step = Decimal(1).scaleb(-places)
    known = Decimal(repr(round(fraction, 12)))  # the noise of floats is not a loss
    value = (known * 100).quantize(step, ROUND_FLOOR) + 0  # and nothing is never minus nothing
    return f"{value:,f} %".replace("-", MINUS)


def signed_percent(fraction: float | None, places: int = 2) -> str:
    """Write a return with its sign."""
    text = percent(fraction, places)
    return f"+{text}" if fraction is not None and fraction > 0 else text


def bps(value: int | None, places: int = 2) -> str:
    """Write basis points as percent: 3172 is `31.72 %`."""
    if value is None:
        return UNKNOWN
    scaled = divide(value, 10 ** (2 - places), Rounding.DOWN)
    return f"{Decimal(scaled).scaleb(-places):,f} %".replace("-", MINUS)


def points(value: int | None) -> str:
    """Write a difference of weights in percentage points, with its sign."""
    if value is None:
        return UNKNOWN
    sign = MINUS if value < 0 else "+" if value > 0 else ""
    return f"{sign}{Decimal(abs(value)).scaleb(-2):f} pp"


def span(seconds: int | None) -> str:
    """Write a span in its two largest units."""
    if seconds is None:
        return UNKNOWN
    days, rest = divmod(max(0, seconds), DAY_S)
    hours, rest = divmod(rest, HOUR_S)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    shown = [f"{value} {unit}" for value, unit in parts if value][:2]
    return " ".join(shown) or "0 s"


def ago(at_s: int | None, now_s: int) -> str:
    """Write how long ago something was, coarsely: a screen shouldn't flicker for seconds."""
    if at_s is None:
        return "never"
    age_s = max(0, now_s - at_s)
    if age_s < 60:
        return "just now"
    unit, name = (
        (DAY_S, "d") if age_s >= DAY_S else (HOUR_S, "h") if age_s >= HOUR_S else (60, "min")
    )
    return f"{age_s // unit} {name} ago"


def instant(at_s: int | None) -> str:
    """Write an instant: `2021-03-04 09:00`, always UTC."""
    return UNKNOWN if at_s is None else iso(at_s)[:16].replace("T", " ")


def measure(value: int | None, unit: str) -> str:
    """Write an observed value or a limit in its unit."""
    if value is None:
        return "not observed"
    match unit:
        case "bps":
            return bps(value)
        case "usd_micro":
            return usd(value, 0 if abs(value) >= 1_000_000_000 else 2)
        case "s":
            return span(value)
        case "wei":
            return f"{Decimal(value).scaleb(-9).quantize(Decimal('0.1'), ROUND_FLOOR):f} gwei"
        case _:
            return f"{value:,}".replace("-", MINUS)


def used_percent(observed: int | None, limit: int, is_floor: bool) -> int | None:
    """Return how much of a limit is used, 0 to 100, for a bar."""
    if observed is None:
        return None
    if is_floor:
        observed, limit = limit, observed
    if limit <= 0:
        return 100 if observed > 0 else 0
    return min(100, max(0, observed * 100 // limit))


def weight_percent(weight_bps: int | None) -> float:
    """Return basis points as 0..100, for a bar."""
    return 0.0 if weight_bps is None else min(100.0, max(0.0, weight_bps * 100 / BPS))


def amount(text: str) -> str:
    """Group the digits of an exact decimal; nothing is rounded."""
    sign, digits = (MINUS, text[1:]) if text.startswith("-") else ("", text)
    whole, dot, rest = digits.partition(".")
    grouped = f"{int(whole):,}" if whole.isdigit() else whole
    return f"{sign}{grouped}{dot}{rest}"


def brief(text: str, places: int = 6) -> str:
    """Cut an exact decimal to so many places, towards zero; the whole one stands behind it."""
    whole, dot, rest = amount(text).partition(".")
    return f"{whole}{dot}{rest[:places]}"


def tone(value: float | int | None) -> str:
    """Return the class of a gain or a loss."""
    if value is None or value == 0:
        return "flat"
    return "gain" if value > 0 else "loss"


def words(code: str) -> str:
    """Write a code as words."""
    return code.replace("_", " ").replace("-", " ")

"""Growth: what a yearly rate becomes over a span of seconds, in integers.

    growth_ray(apy, t) = exp(ln(1 + apy) * t / 365 d)      1.0 = 10**27, floored

Compounding is continuous, so a day counted in one step or in twenty-four gives the same
index to the 20th digit, and a replay does not depend on its cadence. Every division falls
towards minus infinity: a claim that grew a little too little is a loss we can carry, one
that grew too much is a lie.
"""

from functools import lru_cache
from typing import Final

from dynamic.units import RAY, YEAR_S

# Guard digits: the floors of a hundred series terms stay far below one ray.
_GUARD: Final = 10**9
_ONE: Final = RAY * _GUARD
_RATE_RAY_MAX: Final = 100 * RAY  # 10 000 % a year is not a yield, it is a broken reading


@lru_cache(maxsize=4_096)
def log_rate_ray(apy_ray: int) -> int:
    """Return ln(1 + apy) as a ray: the rate that compounds continuously to `apy`.

    Raises ValueError outside -99 % .. 10 000 %.
    """
    if not -99 * RAY // 100 <= apy_ray <= _RATE_RAY_MAX:
        raise ValueError(f"expected a rate of -99 % to 10 000 % a year, found {apy_ray} ray")
    # ln(1+a) = 2 artanh(a / (2+a)): converges for every a > -1, fast for small ones.
    z = abs(apy_ray) * _ONE // (2 * RAY + apy_ray)
    square = z * z // _ONE
    term, total, n = z, z, 1
    while term:  # of one sign: a floored negative term would never reach zero
        term = term * square // _ONE
        n += 2
        total += term // n
    log = 2 * total // _GUARD
    return log if apy_ray >= 0 else -log - 1


@lru_cache(maxsize=16_384)
def exp_ray(x_ray: int) -> int:
    """Return e**x as a ray, floored. Raises ValueError beyond |x| = 50."""
    if abs(x_ray) > 50 * RAY:
        raise ValueError(f"expected an exponent within 50, found {x_ray} ray")
    x, halvings = x_ray * _GUARD, 0
    while abs(x) > _ONE // 8:
        x //= 2
        halvings += 1
    term, total, n = _ONE, _ONE, 0
    while term not in (0, -1):
        n += 1
        term = term * x // (_ONE * n)
        total += term
    for _ in range(halvings):
        total = total * total // _ONE
    return total // _GUARD


@lru_cache(maxsize=16_384)
def growth_ray(apy_ray: int, elapsed_s: int) -> int:
    """Return the factor by which a claim at `apy_ray` grows in `elapsed_s` seconds, floored."""
    if elapsed_s < 0:
        raise ValueError(f"expected time to pass, found {elapsed_s} s")
    return exp_ray(log_rate_ray(apy_ray) * elapsed_s // YEAR_S)

"""What the market maker would bid and ask now: distances from fair value, in basis points.

    quote : QuoteInputs x QuotingParameters  ->  Quote

    σ     = clamp(σ_raw, σ_min, σ_max)                     volatility over one horizon
    ρ     = γ σ² h q_t + β q_s                             lean; above zero when long
    δ     = [γη σ²/2 + ln(1 + γη/κ)/(γη)] (1 + τ)          half-spread
    floor = fee + max(cushion, gas) + doubt                per side, after the lean
    cap   = floor + 3 σ
    d_bid = clamp(δ + ρ, floor, cap)      bid = ⌊fair (1 − d_bid)⌋ ticks
    d_ask = clamp(δ − ρ, floor, cap)      ask = ⌈fair (1 + d_ask)⌉ ticks

The risk terms of ρ and δ are the reservation price and optimal spread of Avellaneda and
Stoikov (Quantitative Finance 8(3), 2008); the order's size η stands beside γ as in Guéant
(arXiv 1605.01862, eq. 4.6). The horizon factor h is 1 as published; h = 1/2, κ = 1 and η = 1
give the desk's older documents (`DOCUMENTED`). β, τ, floor and cap are the desk's own, in bps.

Everything here is an estimate and a float, in bps of fair value; γ and κ are per bp. What
leaves is whole: prices as ticks, the bid rounded down and the ask up; sizes as base units,
rounded down. Long shifts *both* quotes down, short both up, so the book recentres. A number
that is not finite is refused: no input, no quote. Nothing here sends an order.
"""

import math
from dataclasses import dataclass, fields
from typing import Final

from dynamic.errors import ConfigRefused, InvariantBroken, Refused
from dynamic.units import BPS, YEAR_S, Rounding, divide

# Float noise of a price that stands exactly on a tick; a millionth of a tick is not money.
_ON_TICK: Final = 1e-6
# Half of fair value. Parameters that reach so far are a mistake, not a quote.
_CAP_BPS_MAX: Final = 5_000.0
# δ stands at its cap long before; beyond, its square would leave the floats.
ORDER_RATIO_MAX: Final = 1e6
# A double resolves no tick of a price beyond this.
_FAIR_TICKS_MAX: Final = 1e15


@dataclass(frozen=True, slots=True)
class QuotingParameters:
    """Every number of the desk's quoting, in one place; the defaults are the shipping set."""

    gamma_per_bps: float = 0.10  # risk aversion γ: a preference, never fitted from fills
    kappa_per_bps: float = 0.10  # fill intensity falls e-fold per 1/κ bps; assumed until fitted
    horizon_s: int = 120  # T, rolling
    horizon_factor: float = 1.0  # h
    skew_bps: float = 4.0  # β: lean at the soft limit, beside the risk term
    sigma_bps_min: float = 5.0
    sigma_bps_max: float = 120.0
    fee_bps: float = 2.0  # maker fee, per side
    cushion_bps: float = 2.0  # least edge above the fee, per side; gas replaces it when dearer
    gas_pause_bps: float = 25.0  # above this, gas eats the trade: no sizes
    cap_sigmas: float = 3.0
    widest_bps: float = 1_000.0  # no side is ever farther, unless its floor is
    toxicity_max: float = 2.0  # τ is clamped to 0..this
    soft_ratio: float = 4 / 6  # q_soft / q_hard: where β saturates and sizes begin to shrink
    ladder_bps: tuple[int, ...] = (2_500, 5_000, 2_500)  # shares of a side's size, inner first
    imbalance_weight: float = 0.25  # fair value moves by this share of δ at full imbalance
    imbalance_size_tilt: float = 0.25  # and the side nobody asks for loses this share of size
    support_weight: float = 0.50  # full treasury support takes this share of δ above the floor
    basis_gate_bps: float = 100.0  # beyond it the reference is doubted, never averaged in
    basis_doubt_bps: float = 4.0  # what doubt adds to the floor of either side
    basis_pull_weight: float = 0.0  # within the gate: share of the basis that pulls fair value
    basis_pull_bps_max: float = 50.0
    volume_share: float = 0.10  # an order is at most this share of recent volume
    depth_share: float = 0.05  # and this share of the thinner side's depth
    rebalance_ratio: float = 1 / 3  # of the limit, either way

    def __post_init__(self) -> None:
        """Refuse values the formulas cannot mean."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "ladder_bps" and not (math.isfinite(value) and value >= 0):
                raise ConfigRefused(f"{field.name}: expected a number of 0 or more, found {value}")
        for name in ("kappa_per_bps", "horizon_s", "horizon_factor", "sigma_bps_min", "soft_ratio"):
            if getattr(self, name) == 0:
                raise ConfigRefused(f"{name}: expected more than 0, found 0")
        for name in ("imbalance_weight", "imbalance_size_tilt", "support_weight"):
            if getattr(self, name) > 1:
                raise ConfigRefused(f"{name}: expected 0..1, found {getattr(self, name)}")
        if not (self.soft_ratio < 1 and self.sigma_bps_min <= self.sigma_bps_max):
            raise ConfigRefused("expected soft_ratio < 1 and sigma_bps_min <= sigma_bps_max")
        if sum(self.ladder_bps) != BPS or min(self.ladder_bps) < 0:
            raise ConfigRefused(f"ladder_bps: expected shares of 10 000, found {self.ladder_bps}")


SHIPPING: Final = QuotingParameters()
# The desk's documents as written, in bps; kept to reproduce their numbers, not to quote with.
DOCUMENTED: Final = QuotingParameters(
    kappa_per_bps=1.0, horizon_factor=0.5, skew_bps=2.0, widest_bps=300.0
)


@dataclass(frozen=True, slots=True)
class QuoteInputs:
    """What one quote stands on. A missing number has no place here: the caller does not quote."""

    fair_ticks: float  # fair value in ticks of the venue, before imbalance
    sigma_bps: float  # volatility over one horizon, not yet clamped
    inventory_ratio: float  # q_t = (held - wanted) / q_hard; above zero is long
    order_ratio: float  # η = order size / q_hard
    order_base_units: int  # size of a full side
    size_step_base_units: int = 1
    toxicity: float = 0.0  # τ
    imbalance: float = 0.0  # -1..1, above zero when the book is bid-heavy
    support: float = 0.0  # 0..1, intensity of a running treasury programme
    gas_bps: float = 0.0  # of the order's notional, per side
    doubt_bps: float = 0.0  # added to the floor while references disagree
    best_bid_ticks: int | None = None  # the venue's own book; None where it has none
    best_ask_ticks: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is not a number, not positive, or a crossed book."""
        for name in (
            "fair_ticks", "sigma_bps", "inventory_ratio", "order_ratio", "toxicity", "imbalance",
            "support", "gas_bps", "doubt_bps",
        ):  # fmt: skip
            value = getattr(self, name)
            if not math.isfinite(value):
                raise Refused(f"{name}: expected a finite number, found {value}; no quote")
            if value < 0 and name not in ("inventory_ratio", "imbalance"):
                raise Refused(f"{name}: expected 0 or more, found {value}; no quote")
        for name, most in (("order_ratio", ORDER_RATIO_MAX), ("fair_ticks", _FAIR_TICKS_MAX)):
            if getattr(self, name) > most:
                raise Refused(f"{name}: expected at most {most}, found {getattr(self, name)}")
        if self.fair_ticks == 0 or self.order_base_units < 0 or self.size_step_base_units < 1:
            raise Refused("expected a price and a size step above 0 and a size of 0 or more")
        bid, ask = self.best_bid_ticks, self.best_ask_ticks
        if bid is not None and ask is not None and bid >= ask:
            raise Refused(f"book: expected best bid below best ask, found {bid} >= {ask} ticks")


@dataclass(frozen=True, slots=True)
class Quote:
    """Where to stand, how far that is from fair value, and for how much. Size 0: no order."""

    fair_ticks: float  # after imbalance
    sigma_bps: float  # clamped
    lean_bps: float  # ρ
    half_spread_bps: float  # δ, after toxicity and support
    floor_bps: float
    cap_bps: float
    bid_distance_bps: float
    ask_distance_bps: float
    bid_ticks: int
    ask_ticks: int
    bid_base_units: int
    ask_base_units: int

    @property
    def spread_bps(self) -> float:
        """The two distances together, before ticks round each side outward."""
        return self.bid_distance_bps + self.ask_distance_bps


def quote(inputs: QuoteInputs, parameters: QuotingParameters = SHIPPING) -> Quote:
    """Quote both sides around fair value. Raises Refused where no honest quote exists."""
    sigma = clamp(inputs.sigma_bps, parameters.sigma_bps_min, parameters.sigma_bps_max)
    imbalance = clamp(inputs.imbalance, -1.0, 1.0)
    floor, cap = _bounds(inputs, sigma, parameters)
    lean = lean_bps(inputs.inventory_ratio, sigma, parameters)
    half = half_spread_bps(sigma, inputs.order_ratio, parameters)
    half *= 1 + min(inputs.toxicity, parameters.toxicity_max)
    half -= max(0.0, half - floor) * parameters.support_weight * min(inputs.support, 1.0)
    if not math.isfinite(half + lean):
        raise Refused(f"distance would be {half} ± {lean} bps; no quote")
    # Fair value moves, not the lean, so that both distances stay above costs. The half-spread
    # enters as it can be quoted, which bounds the move.
    shift_bps = parameters.imbalance_weight * imbalance * min(half, cap)
    fair = inputs.fair_ticks * (1 + shift_bps / BPS)
    bid_distance = clamp(half + lean, floor, cap)
    ask_distance = clamp(half - lean, floor, cap)
    bid_ticks, ask_ticks = _on_ticks(fair, bid_distance, ask_distance, inputs)
    bid_size, ask_size = _sizes(inputs, imbalance, parameters)
    return Quote(
        fair, sigma, lean, half, floor, cap, bid_distance, ask_distance,
        bid_ticks, ask_ticks, bid_size, ask_size,
    )  # fmt: skip


def lean_bps(inventory_ratio: float, sigma_bps: float, parameters: QuotingParameters) -> float:
    """Return ρ = γ σ² h q_t + β q_s: how far both quotes move down for being long.

    The first term is S − r of Avellaneda and Stoikov over one horizon; the second is the
    desk's, and saturates at the soft limit.
    """
    total = clamp(inventory_ratio, -1.0, 1.0)
    soft = clamp(inventory_ratio / parameters.soft_ratio, -1.0, 1.0)
    risk = parameters.gamma_per_bps * sigma_bps**2 * parameters.horizon_factor
    return risk * total + parameters.skew_bps * soft


def half_spread_bps(sigma_bps: float, order_ratio: float, parameters: QuotingParameters) -> float:
    """Return δ = γη σ²/2 + ln(1 + γη/κ)/(γη), stable down to γη = 0, where it is 1/κ."""
    aversion = parameters.gamma_per_bps * order_ratio
    risk = aversion * sigma_bps**2 / 2
    if aversion == 0:
        return 1 / parameters.kappa_per_bps
    return risk + math.log1p(aversion / parameters.kappa_per_bps) / aversion


def horizon_volatility_bps(annual_volatility: float, horizon_s: int) -> float:
    """Return an annual volatility (0.22 = 22 %) as bps over a horizon: σ √(T/year) 10⁴."""
    return annual_volatility * math.sqrt(horizon_s / YEAR_S) * BPS


def size_share(inventory_ratio: float, soft_ratio: float) -> float:
    """Return what is left of the exposing side's size: 1 to the soft limit, 0 at the hard one."""
    exposure = abs(inventory_ratio)
    if exposure <= soft_ratio:
        return 1.0
    return max(0.0, (1 - exposure) / (1 - soft_ratio))


def ladder(
    base_units: int, shares_bps: tuple[int, ...], size_step_base_units: int = 1
) -> tuple[int, ...]:
    """Split one side's size into tiers, inner first; their sum is the size, to the base unit.

    Each tier is rounded down to the size step; what rounding leaves goes to the largest tier.
    """
    step = size_step_base_units
    tiers = [divide(base_units * bps, BPS * step, Rounding.DOWN) * step for bps in shares_bps]
    tiers[max(range(len(tiers)), key=shares_bps.__getitem__)] += base_units - sum(tiers)
    return tuple(tiers)


def whole(estimate: float, scale: int, rounding: Rounding) -> int:
    """Turn an estimate into an integer of 1/`scale`, rounded as named.

    In integers throughout: a desk that imports us may have set a decimal context of its own.
    """
    numerator, denominator = estimate.as_integer_ratio()
    return divide(numerator * scale, denominator, rounding)


def clamp(value: float, low: float, high: float) -> float:
    """Return the value, or the end of the range it lies beyond."""
    return low if value < low else min(value, high)


def _bounds(
    inputs: QuoteInputs, sigma_bps: float, parameters: QuotingParameters
) -> tuple[float, float]:
    """Return the nearest and the farthest a side may stand from fair value."""
    cost = parameters.fee_bps + max(parameters.cushion_bps, inputs.gas_bps)
    floor = cost + inputs.doubt_bps
    cap = max(floor, min(floor + parameters.cap_sigmas * sigma_bps, parameters.widest_bps))
    if cap > _CAP_BPS_MAX:
        raise Refused(f"distance would reach {cap:.0f} bps, limit {_CAP_BPS_MAX:.0f}; no quote")
    return floor, cap


def _on_ticks(
    fair: float, bid_distance: float, ask_distance: float, inputs: QuoteInputs
) -> tuple[int, int]:
    """Round both prices away from fair value, and never through the venue's own book."""
    bid = whole(fair * (1 - bid_distance / BPS) + _ON_TICK, 1, Rounding.DOWN)
    ask = whole(fair * (1 + ask_distance / BPS) - _ON_TICK, 1, Rounding.UP)
    if inputs.best_ask_ticks is not None:
        bid = min(bid, inputs.best_ask_ticks - 1)
    if inputs.best_bid_ticks is not None:
        ask = max(ask, inputs.best_bid_ticks + 1)
    if bid < 1:
        raise Refused(f"bid would be {bid} ticks, expected 1 or more: the tick is too coarse")
    if bid >= ask:
        raise InvariantBroken(f"bid {bid} ticks is not below ask {ask} ticks")
    return bid, ask


def _sizes(inputs: QuoteInputs, imbalance: float, parameters: QuotingParameters) -> tuple[int, int]:
    """Return bid and ask size: the exposing side shrinks, the unwanted side is tilted away."""
    if inputs.gas_bps > parameters.gas_pause_bps:
        return 0, 0
    exposing = size_share(inputs.inventory_ratio, parameters.soft_ratio)
    bid_share = exposing if inputs.inventory_ratio > 0 else 1.0
    ask_share = exposing if inputs.inventory_ratio < 0 else 1.0
    bid_share *= 1 - parameters.imbalance_size_tilt * max(0.0, imbalance)
    ask_share *= 1 - parameters.imbalance_size_tilt * max(0.0, -imbalance)
    full, step = inputs.order_base_units, inputs.size_step_base_units
    bid = whole(bid_share, full, Rounding.DOWN)
    ask = whole(ask_share, full, Rounding.DOWN)
    return bid - bid % step, ask - ask % step

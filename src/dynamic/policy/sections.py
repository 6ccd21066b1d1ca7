"""The sections of a mandate: what each limit is called, in which unit, and what it means.

Attributes hold integers (micro-dollars, basis points, seconds, wei) and, for estimates only,
exact decimals. The numbers themselves live in `mandate_default.toml` and nowhere else; each
key there names the requirement or decision it comes from.
"""

# ruff: noqa: RUF009  (field specifications, as dataclasses.field itself)

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from dynamic.policy.fields import (
    bps,
    count,
    days,
    gwei,
    number,
    seconds,
    text,
    usd,
    whole_numbers,
    words,
)
from dynamic.units import BPS, Rounding, bps_of

PROVENANCES = ("observed", "derived", "fallback", "synthetic")


@dataclass(frozen=True, slots=True)
class Treasury:
    """What the treasury is for and how it is split."""

    capital_usd_micro: int = usd("Capital the mandate was written for", low=1)
    base_yield_bps: int = bps("Base yield layer, of NAV")
    tactical_bps: int = bps("Tactical layer, of NAV; its part not in BTC/ETH earns in the base")
    cash_bps: int = bps("Operating cash bucket beyond the working cash below, of NAV")
    btc_bps: int = bps("BTC's part of what the tactical layer holds in crypto")
    eth_bps: int = bps("ETH's part of what the tactical layer holds in crypto")
    base_split_bps: Mapping[str, int] = whole_numbers("The base layer's split by protocol", "bps")
    cash_usd_micro_min: int = usd("Working cash kept in the wallet as USDC")
    gas_reserve_usd_micro: int = usd("Native ETH the wallet is filled up to, for gas")
    gas_reserve_usd_micro_min: int = usd("Native ETH below which the reserve is filled up")


@dataclass(frozen=True, slots=True)
class Ladder:
    """The MVRV ladder: thresholds in Z, shares of the tactical layer held in BTC/ETH."""

    mvrv_accumulation: Decimal = number("Below it everything tactical is held in BTC/ETH", "Z")
    mvrv_euphoria_max: Decimal = number("Up to it the euphoria share is held", "Z")
    mvrv_top: Decimal = number("Above it the first quarter of the holding is sold", "Z")
    mvrv_sell_2: Decimal = number("Above it half of the holding has been sold", "Z")
    mvrv_sell_3: Decimal = number("Above it two thirds of the holding have been sold", "Z")
    mvrv_exit: Decimal = number("Above it nothing is held", "Z")
    accumulation_bps: int = bps("Share held in accumulation")
    euphoria_bps: int = bps("Share held in euphoria")
    top_bps: int = bps("Share held above mvrv_top")
    sell_2_bps: int = bps("Share held above mvrv_sell_2")
    sell_3_bps: int = bps("Share held above mvrv_sell_3")
    exit_bps: int = bps("Share held above mvrv_exit")
    hysteresis: Decimal = number("A threshold counts as left only this far below it", "Z", 0)
    confirmation: Decimal = number("A cross is confirmed at once this far beyond", "Z", 0)
    bear_lookback_days: int = days("How long a TOP is remembered for the bear phase")
    return_window_days: int = days("BTC return that must be negative to call a bear")


@dataclass(frozen=True, slots=True)
class Sizing:
    """How much of the ladder's share is really held; see signals.sizing."""

    mode: str = text(
        "ladder as written, with stages, or as shipped", ("ladder", "stages", "default")
    )
    cushion_multiple_bps: int = bps(
        "Volatile share per unit of cushion above the floor", high=1_000_000
    )
    floor_bps: int = bps("Drawdown at which the cushion is used up")
    cushion_band_bps: int = bps("Volatile share above the cushion's cap that is sold, of NAV")
    buy_bps_per_day_max: int = bps("Bought per day at most, of NAV", low=1)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What may be held at most."""

    volatile_bps_max: int = bps("Volatile assets after any order that buys, of NAV")
    volatile_trim_to_bps: int = bps("Where a passive breach is trimmed back to, of NAV")
    trim_excess_usd_micro_min: int = usd("Excess below which a passive breach is not trimmed")
    trim_gas_multiple: int = count("...and below this many times the trim's gas", "times")
    position_bps_max: int = bps("One protocol and asset after any deposit, of NAV")
    position_trim_bps: int = bps("Accrual above it is trimmed back to the cap, of NAV")
    tactical_clip_bps_max: int = bps("One tactical order, of the tactical layer")
    order_headroom_bps: int = bps("Our own orders aim this far below the caps, for gas and fees")


@dataclass(frozen=True, slots=True)
class Drawdown:
    """What happens on the way down from the high-water mark."""

    warn_bps: int = bps("Drawdown at which people are warned")
    reduce_bps: int = bps("Drawdown at which the volatile target is multiplied")
    exit_bps: int = bps("Drawdown at which everything volatile is sold and people must resume")
    reduce_multiplier_bps: int = bps("What the volatile target is multiplied by when reducing")


@dataclass(frozen=True, slots=True)
class Authority:
    """Who may say yes, and to how much."""

    unattended_usd_micro_max: int = usd(
        "Moved per plan and per 24 h and direction without a person"
    )
    one_person_usd_micro_max: int = usd("...with one approver; above it two")
    ceiling_usd_micro_max: int = usd("...at all; beyond it nobody has authority")
    mandatory_usd_micro_max: int = usd(
        "Risk reduction per 24 h that a policy signed by two people pre-authorises"
    )
    policy_signature_days: int = days("Life of that signature")
    approval_expiry_s: int = seconds("Life of a pending decision and of an approval")
    plan_ttl_s: int = seconds("Life of a plan nobody has to approve")
    plan_price_move_bps_max: int = bps("Price move that voids a plan and its approvals")
    staged_deploy_s: int = seconds("Watch over the base before the tactical layer is deployed")
    rolling_window_s: int = seconds("Window of the sums that defeat splitting")


@dataclass(frozen=True, slots=True)
class Trades:
    """How often, and how small."""

    per_day_max: int = count("Discretionary trades per UTC day", "trades", low=1)
    leg_usd_micro_min: int = usd("Legs below it are skipped")
    leg_gas_multiple: int = count("...and below this many times their gas", "times")
    clip_impact_bps_max: int = bps("Price impact of one clip")
    drift_bps: int = bps("Bucket drift that asks for a rebalance, strictly more, of NAV")
    deviation_bps_max: int = bps("Deviation from target after execution that must be explained")


@dataclass(frozen=True, slots=True)
class Gas:
    """What may be paid for gas."""

    price_wei_max: int = gwei("Gas price for normal orders")
    emergency_price_wei_max: int = gwei("Gas price for pre-authorised risk reduction")
    emergency_fee_bps_max: int = bps("Total fee of pre-authorised risk reduction, of moved value")
    plan_bps_max: int = bps("Gas of a plan that is not mandatory, of moved value")
    month_bps_max: int = bps("Gas per calendar month (UTC), of average NAV")
    low_price_wei: int = gwei("Gas price that is low by itself")
    low_percentile: int = count("...or below this percentile", "percent", high=100)
    low_window_days: int = days("...of this many days")


@dataclass(frozen=True, slots=True)
class Slippage:
    """The least we accept, against our own fair value."""

    default_bps: int = bps("What our own orders ask for")
    stable_bps_max: int = bps("At most, between stable assets")
    volatile_bps_max: int = bps("At most, where a volatile asset is involved")
    transfer_bps_max: int = bps("At most, where the asset stays the same")


@dataclass(frozen=True, slots=True)
class ProtocolLimits:
    """What any protocol must satisfy before money enters."""

    tvl_usd_micro_min: int = usd("Protocol TVL below which it is refused")
    tvl_automatic_usd_micro_min: int = usd("Protocol TVL from which no person is asked")
    pool_tvl_usd_micro_min: int = usd("Pool TVL below which it is refused")
    pool_share_bps_max: int = bps("Our part of a pool")
    risk_score_max: int = count("Risk score, 1 safest to 10", "score", low=1, high=10)


@dataclass(frozen=True, slots=True)
class Listing:
    """One audited protocol of the allow-list."""

    role: str = text("What it does", ("lending", "fixed_rate", "pool", "swap"))
    chain: str = text("Where it lives")
    assets: tuple[str, ...] = words("Assets it may hold for us, * ends a family", ())
    audit_ref: str = text("Where the audit can be read")
    audited: str = text("When it was audited")
    risk_score: int = count("Our own risk score, 1 safest to 10", "score", low=1, high=10)


@dataclass(frozen=True, slots=True)
class Exits:
    """How fast everything must be able to leave."""

    normal_s_max: int = seconds("Exit of any position in normal times")
    emergency_s_max: int = seconds("Exit of everything under the emergency policy")
    slippage_bps_max: int = bps("Slippage such an exit may cost")


@dataclass(frozen=True, slots=True)
class Data:
    """How old and of which kind a value may be to be traded on."""

    age_s_max: Mapping[str, int] = whole_numbers("Age up to which a value is fresh", "s", low=1)
    hard_age_s_max: Mapping[str, int] = whole_numbers("Age after which it is missing", "s", low=1)
    new_risk_provenance: tuple[str, ...] = words(
        "Kinds of value that may carry new risk", PROVENANCES
    )
    reduction_provenance: tuple[str, ...] = words(
        "Kinds that may carry a risk reduction", PROVENANCES
    )
    price_jump_bps_max: int = bps("Jump between two polls that needs a second source")


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Stand-ins for paper and replay, labelled FALLBACK; live trading never reads them."""

    apy_bps: Mapping[str, int] = whole_numbers("Assumed yields by position", "bps", high=10_000)
    fee_bps: Mapping[str, int] = whole_numbers("Venue fees", "bps", high=10_000)
    half_spread_bps: Mapping[str, int] = whole_numbers("Half the spread", "bps", high=10_000)
    impact_bps_per_million: Mapping[str, int] = whole_numbers(
        "Price impact per million dollars", "bps", high=10_000
    )
    exit_haircut_bps: Mapping[str, int] = whole_numbers(
        "What leaving a claim early costs against its market price", "bps", high=10_000
    )
    gas_units: Mapping[str, int] = whole_numbers("Gas by kind of leg", "gas", low=1)
    tvl_usd: Mapping[str, int] = whole_numbers("Protocol TVL where none is recorded", "usd")
    pool_tvl_usd: Mapping[str, int] = whole_numbers("Pool TVL where none is recorded", "usd")
    exit_capacity_24h_usd: Mapping[str, int] = whole_numbers("What leaves in 24 h at 1 %", "usd")


@dataclass(frozen=True, slots=True)
class Var:
    """How value at risk is stated."""

    confidence_bps: Mapping[str, int] = whole_numbers("Confidence levels", "bps", 5_001, 9_999)
    horizon_days: Mapping[str, int] = whole_numbers("Horizons", "d", 1)
    window_days: int = days("Daily returns looked back on", low=2)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often things happen."""

    cycle_s: int = seconds("One decision cycle")
    watch_s: int = seconds("The price watchdog")
    weekly_s: int = seconds("The strategy review")
    snapshot_s: int = seconds("Life of a market snapshot")
    cooldown_s: int = seconds("Pause between drift or opportunistic rebalances", low=0)


@dataclass(frozen=True, slots=True)
class Emergency:
    """What counts as a black swan."""

    crash_1h_bps: int = bps("Fall of BTC or ETH within 1 h, two sources")
    crash_24h_bps: int = bps("Fall of BTC or ETH within 24 h, two sources")
    depeg_alert_bps: int = bps("Distance of a stable from par that is alerted")
    depeg_bps: int = bps("Distance of a stable from par that is an emergency")
    depeg_s: int = seconds("...when it lasts this long")
    tvl_drop_1h_bps: int = bps("Fall of a protocol's TVL within 1 h")
    triggers_min: int = count("Independent triggers that may act without a command", "triggers", 1)


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What is unusual enough to wait for a person."""

    move_bps_max: int = bps("One discretionary move, of NAV")
    moves_per_hour_max: int = count("Moves within an hour, the proposed ones included", "moves", 1)
    operator_hour_first: int = count("People propose from this hour of the UTC day", "hour", 0, 23)
    operator_hour_last: int = count("...to this hour, inclusive", "hour", 0, 23)


@dataclass(frozen=True, slots=True)
class Advisor:
    """When the rule-based advisor holds, reduces, delays or asks."""

    confidence_bps_min: int = bps("Signal confidence below which new risk is held")
    funding_ppm_8h_max: int = count(
        "Funding per 8 h, in millionths, above which buys shrink", "ppm"
    )
    greed_max: int = count("Fear & Greed above which buys shrink", "index", 0, 100)
    reduce_scale_bps: int = bps("What such buys shrink to")
    gas_spike_multiple_bps: int = bps("Gas over its 24 h median that delays", high=1_000_000)
    delay_s: int = seconds("How long a delay lasts")
    ask_move_bps: int = bps("Discretionary gross move, of NAV, that asks for a person")


def clip_usd_micro_max(nav_usd_micro: int, treasury: Treasury, exposure: Exposure) -> int:
    """Largest single tactical order: its share of the tactical layer, floored."""
    layer = bps_of(nav_usd_micro, treasury.tactical_bps, Rounding.DOWN)
    return layer * exposure.tactical_clip_bps_max // BPS

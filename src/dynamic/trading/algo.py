"""The desk's SDK: what to bid and ask for DCT now, from the numbers a trader has at hand.

    service = DCTMarketMakerService()
    quote = service.quote({"mid_price": 1.05, ..., "recent_volume": 2_900.0})
    print(service.note_summary(quote))

Outside, a loose dialect: floats, numeric strings, unknown keys. It ends here:
`coerce_market_inputs` makes one immutable value, `DCTMarketMakerModel` hands the engine
(`decision.quote`) its own strict one, in ticks, base units and bps, and turns its refusals
into `ValueError`. This computes a quote and nothing else: no order is sent, no file or
network touched, and importing it loads the standard library only.

Prices carry seven significant digits of the mid (1.05 quotes in steps of 0.000001), the bid
rounded down and the ask up; sizes are whole nano-DCT, rounded down.
"""

import math
import numbers
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal
from sys import float_info
from typing import Final, Protocol

from dynamic.decision import quote as engine
from dynamic.decision.fair_value import fair_value
from dynamic.decision.quote import QuoteInputs, QuotingParameters
from dynamic.decision.sdk_notes import explain
from dynamic.errors import InvariantBroken, Refused
from dynamic.units import Rounding

_DCT_DECIMALS: Final = 9
_PRICE_DIGITS: Final = 7
# Beyond these, a price's last digit or its double leaves the floats.
_PRICE_MIN, _PRICE_MAX = 1e-290, 1e290
_ALL_NORMAL: Final = "All normal: balanced inventory, calm market"


@dataclass(frozen=True, slots=True)
class DCTMarketMakerInputs:
    """What the desk sees. Amounts in DCT, prices in the quote currency."""

    mid_price: float
    inventory: float
    target_inventory: float
    inventory_limit: float  # DCT that make a ratio of ±1: this desk's scale
    volatility: float  # annualised, 0.22 = 22 %
    ton_reference_price: float  # DCT through TON, same unit as mid_price
    onchain_depth: float
    offchain_depth: float
    recent_volume: float
    buy_pressure: float = 0.0  # 0..1
    sell_pressure: float = 0.0  # 0..1
    treasury_support: float = 0.0  # 0..1, intensity of a running programme
    basis_adjustment: float = 0.0  # relative shift of fair value, 0.01 = +1 %

    def validate(self) -> None:
        """Raise ValueError for a number no quote can stand on; says which, and what it was."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not math.isfinite(value):
                raise ValueError(f"{field.name}: expected a finite number, found {value}")
        for name in ("mid_price", "inventory_limit", "ton_reference_price"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: expected more than 0, found {getattr(self, name)}")
        for name in ("onchain_depth", "offchain_depth", "recent_volume", "volatility"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, found {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class DCTMarketMakerQuote:
    """Two prices, two sizes, and why. A size of 0 says: do not quote this side."""

    bid_price: float
    ask_price: float
    bid_size: float  # DCT
    ask_size: float  # DCT
    spread_bps: float  # of fair value, before the prices round outward by up to a tick each
    fair_value: float
    inventory_ratio: float  # (inventory - target) / limit, clamped to ±1
    notes: tuple[str, ...]
    rebalance_required: bool  # the ratio is at or above a third, either way


MarketData = Mapping[str, object] | DCTMarketMakerInputs | None
_REQUIRED: Final = tuple(f.name for f in fields(DCTMarketMakerInputs) if f.default is MISSING)


class QuoteModel(Protocol):
    """Anything that can stand behind the service."""

    def generate_quote(self, inputs: DCTMarketMakerInputs) -> DCTMarketMakerQuote:
        """Quote both sides, or raise ValueError."""
        ...

    def summarise_notes(self, quote: DCTMarketMakerQuote) -> str:
        """Write the quote's notes for a person."""
        ...


def coerce_market_inputs(data: MarketData = None, **overrides: object) -> DCTMarketMakerInputs:
    """Make strict inputs of loose data; overrides win, unknown keys are dropped.

    Raises KeyError with the sorted names of missing fields, TypeError for what is not a
    number (bool and None are not), ValueError for NaN and infinities. Never mutates `data`.
    """
    names = [field.name for field in fields(DCTMarketMakerInputs)]
    if isinstance(data, DCTMarketMakerInputs):
        given: dict[str, object] = {name: getattr(data, name) for name in names}
    elif data is None:
        given = {}
    elif isinstance(data, Mapping):
        given = {name: data[name] for name in names if name in data}
    else:
        raise TypeError(f"expected a mapping or market inputs, found {type(data).__name__}")
    given.update({name: value for name, value in overrides.items() if name in names})
    missing = sorted(set(_REQUIRED) - given.keys())
    if missing:
        raise KeyError(f"missing market inputs: {', '.join(missing)}")
    return DCTMarketMakerInputs(**{name: _number(name, value) for name, value in given.items()})


def _number(name: str, value: object) -> float:
    """Read one loose number; see `coerce_market_inputs` for what it refuses."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real | Decimal | str):
        raise TypeError(f"{name}: expected a number, found {type(value).__name__} {value!r}")
    if isinstance(value, Decimal) and not value.is_finite():  # also the kind that signals
        raise ValueError(f"{name}: expected a finite number, found {value}")
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError(f"{name}: expected a finite number, found one beyond floats") from error
    except ValueError as error:
        raise TypeError(f"{name}: expected a number, found {value!r}") from error
    if not math.isfinite(number):
        raise ValueError(f"{name}: expected a finite number, found {value}")
    return number


class DCTMarketMakerModel:
    """The product's own engine: Avellaneda and Stoikov in bps, with the desk's add-ons."""

    def __init__(self, parameters: QuotingParameters = engine.SHIPPING) -> None:
        self.parameters = parameters

    def generate_quote(self, inputs: DCTMarketMakerInputs) -> DCTMarketMakerQuote:
        """Quote both sides around fair value. Raises ValueError where no honest quote exists."""
        inputs.validate()
        try:
            return self._quote(inputs)
        except Refused as refusal:
            raise ValueError(refusal.message) from refusal

    def summarise_notes(self, quote: DCTMarketMakerQuote) -> str:
        """Write a bullet per note, or one that says all is normal."""
        return "\n".join(f"• {note}" for note in quote.notes or (_ALL_NORMAL,))

    def _quote(self, inputs: DCTMarketMakerInputs) -> DCTMarketMakerQuote:
        parameters = self.parameters
        fair = fair_value(
            inputs.mid_price, inputs.basis_adjustment, inputs.ton_reference_price, parameters
        )
        tick_exponent = _tick_exponent(fair.price)
        order = _order_dct(inputs, parameters)
        ratio = engine.clamp(
            (inputs.inventory - inputs.target_inventory) / inputs.inventory_limit, -1.0, 1.0
        )
        asked = QuoteInputs(
            fair_ticks=_shift(fair.price, -tick_exponent),
            sigma_bps=min(
                engine.horizon_volatility_bps(inputs.volatility, parameters.horizon_s),
                float_info.max,
            ),
            inventory_ratio=ratio,
            order_ratio=min(order / inputs.inventory_limit, engine.ORDER_RATIO_MAX),
            order_base_units=engine.whole(order, 10**_DCT_DECIMALS, Rounding.DOWN),
            imbalance=engine.clamp(inputs.buy_pressure - inputs.sell_pressure, -1.0, 1.0),
            support=engine.clamp(inputs.treasury_support, 0.0, 1.0),
            doubt_bps=fair.doubt_bps,
        )
        made = engine.quote(asked, parameters)
        bid_units = made.bid_base_units
        if asked.imbalance > 0:
            # The contract: under buy pressure never more to bid for than to offer.
            bid_units = min(bid_units, made.ask_base_units)
        return DCTMarketMakerQuote(
            bid_price=_shift(made.bid_ticks, tick_exponent),
            ask_price=_shift(made.ask_ticks, tick_exponent),
            bid_size=_shift(bid_units, -_DCT_DECIMALS),
            ask_size=_shift(made.ask_base_units, -_DCT_DECIMALS),
            spread_bps=made.spread_bps,
            fair_value=_shift(made.fair_ticks, tick_exponent),
            inventory_ratio=ratio,
            notes=explain(asked, fair, made, parameters),
            rebalance_required=abs(ratio) >= parameters.rebalance_ratio,
        )


class DCTMarketMakerService:
    """The desk's door: loose data in, a quote and its notes out."""

    def __init__(self, model: QuoteModel | None = None) -> None:
        self.model: QuoteModel = DCTMarketMakerModel() if model is None else model

    def build_inputs(self, data: MarketData = None, **overrides: object) -> DCTMarketMakerInputs:
        """Make strict inputs of loose data, as `coerce_market_inputs` does."""
        return coerce_market_inputs(data, **overrides)

    def quote(self, data: MarketData = None, **overrides: object) -> DCTMarketMakerQuote:
        """Coerce, validate and quote. Raises as `coerce_market_inputs`, or ValueError."""
        inputs = self.build_inputs(data, **overrides)
        inputs.validate()
        return self.model.generate_quote(inputs)

    def note_summary(self, quote: DCTMarketMakerQuote) -> str:
        """Write the quote's notes, a bullet each; never empty."""
        return self.model.summarise_notes(quote) or f"• {_ALL_NORMAL}"


def _order_dct(inputs: DCTMarketMakerInputs, parameters: QuotingParameters) -> float:
    """Return a full side: a share of recent volume or of the thinner depth, whichever is less."""
    thinner = min(inputs.onchain_depth, inputs.offchain_depth)
    return min(inputs.recent_volume * parameters.volume_share, thinner * parameters.depth_share)


def _tick_exponent(price: float) -> int:
    """Return the power of ten a price moves by: seven significant digits."""
    if not _PRICE_MIN <= price <= _PRICE_MAX:
        raise Refused(f"price {price} is outside {_PRICE_MIN}..{_PRICE_MAX}; no quote")
    return Decimal(repr(price)).adjusted() + 1 - _PRICE_DIGITS


def _shift(value: float, exponent: int) -> float:
    """Return `value * 10**exponent`, exact in decimals: 1048983 ticks are 1.048983."""
    sign, digits, own = Decimal(repr(value)).as_tuple()
    if not isinstance(own, int):
        raise InvariantBroken(f"expected a finite number, found {value}")
    return float(Decimal((sign, digits, own + exponent)))

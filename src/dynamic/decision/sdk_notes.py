"""Why a quote looks as it does, in sentences a trader reads; a calm quote needs none.

    explain : QuoteInputs x FairPrice x Quote x QuotingParameters  ->  one sentence per reason

Every number in a note is a number of that quote, with its unit.
"""

from collections.abc import Iterator

from dynamic.decision.fair_value import FairPrice
from dynamic.decision.quote import Quote, QuoteInputs, QuotingParameters
from dynamic.units import BPS


def explain(
    inputs: QuoteInputs, fair: FairPrice, quote: Quote, parameters: QuotingParameters
) -> tuple[str, ...]:
    """Return the reasons in order of weight: doubt, inventory, volatility, flow, size."""
    return (
        *_reference(fair, quote, parameters),
        *_inventory(inputs, parameters),
        *_volatility(inputs, quote, parameters),
        *_flow(inputs, quote),
        *_size(inputs),
    )


def _reference(fair: FairPrice, quote: Quote, parameters: QuotingParameters) -> Iterator[str]:
    if abs(fair.basis_bps) > parameters.basis_gate_bps:
        side = "above" if fair.basis_bps > 0 else "below"
        yield (
            f"Mid is {abs(fair.basis_bps):,.0f} bps {side} the TON reference "
            f"(gate {parameters.basis_gate_bps:,.0f} bps): reference not used, "
            f"no side nearer than {quote.floor_bps:.1f} bps"
        )
    if fair.pull_bps:
        yield f"TON reference pulls fair value by {fair.pull_bps:+.1f} bps"


def _inventory(inputs: QuoteInputs, parameters: QuotingParameters) -> Iterator[str]:
    ratio = inputs.inventory_ratio
    side, exposing = ("above", "bid") if ratio > 0 else ("below", "ask")
    stand = f"Inventory is {abs(ratio):.0%} of its limit {side} target"
    if abs(ratio) >= 1:
        yield f"{stand}: no {exposing}, rebalance"
    elif abs(ratio) > parameters.soft_ratio:
        yield f"{stand}: {exposing} size shrinks towards the limit, rebalance"
    elif abs(ratio) >= parameters.rebalance_ratio:
        yield f"{stand}: rebalance"


def _volatility(inputs: QuoteInputs, quote: Quote, parameters: QuotingParameters) -> Iterator[str]:
    if inputs.sigma_bps > parameters.sigma_bps_max:
        yield (
            f"Volatility is {inputs.sigma_bps:,.0f} bps per {parameters.horizon_s} s, priced as "
            f"{quote.sigma_bps:.0f} bps: consider pausing"
        )
    for name, distance in (("Bid", quote.bid_distance_bps), ("Ask", quote.ask_distance_bps)):
        if distance == quote.cap_bps > quote.floor_bps:
            yield f"{name} stands at its widest, {distance:.1f} bps from fair value"


def _flow(inputs: QuoteInputs, quote: Quote) -> Iterator[str]:
    if inputs.imbalance:
        side = "Buy" if inputs.imbalance > 0 else "Sell"
        moved_bps = (quote.fair_ticks / inputs.fair_ticks - 1) * BPS
        yield f"{side} pressure prevails: fair value moved by {moved_bps:+.1f} bps"
    if inputs.support:
        yield (
            f"Treasury support at {min(inputs.support, 1.0):.0%}: half-spread narrowed to "
            f"{quote.half_spread_bps:.1f} bps, floor {quote.floor_bps:.1f} bps"
        )


def _size(inputs: QuoteInputs) -> Iterator[str]:
    if inputs.order_base_units == 0:
        yield "No recent volume or no depth: nothing to quote for"
    elif inputs.order_ratio > 1:
        yield "One full order exceeds the inventory limit: consider a wider limit"

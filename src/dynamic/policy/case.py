"""The case: a proposal measured once, so that every rule reads the same numbers.

    measure : Proposal x Situation x Mandate  ->  Case

What leaves us is valued rounded up, what reaches us rounded down at the least we accept.
Whether a move raises or lowers risk is derived here from its two positions; what the proposer
claims is never asked. A number that cannot be known stays None, and a rule reports it.
"""

from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Move, Position, Proposal, Urgency
from dynamic.policy.sections import Slippage
from dynamic.policy.situation import PriceFact, Situation
from dynamic.units import Asset, AssetKind

WALLET = "wallet"
BUY, SELL, IN, OUT, SHIFT = "buy", "sell", "in", "out", "shift"
TEN: tuple[int, ...] = tuple(int(10**n) for n in range(40))


class Measured:
    """One move with its values in usd_micro and its direction of risk."""

    __slots__ = (
        "acquires", "claims", "directions", "enters", "is_volatile", "leaves", "legs", "loss",
        "move", "notional", "received", "releases", "same_asset", "swaps",
    )  # fmt: skip

    move: Move
    notional: int  # spent, rounded up
    received: int  # the least received, rounded down
    loss: int  # the most this move may cost, never negative
    acquires: bool  # raises what we hold of a volatile underlying
    releases: bool  # lowers it
    enters: bool  # into a protocol
    leaves: bool  # out of a protocol
    is_volatile: bool
    same_asset: bool
    claims: int  # how many of its two ends are PT or LP
    swaps: bool
    legs: int
    directions: tuple[str, ...]

    @property
    def route(self) -> str:
        """Say from where to where."""
        return f"{self.move.spend} -> {self.move.receive}"


class Case:
    """Everything the rules look at; amounts in usd_micro."""

    __slots__ = (
        "acquires", "by_direction", "enters", "facts", "legs", "mandate", "moved", "moves",
        "nav_after", "proposal", "situation", "unknown_assets", "unpriced", "volatile_after",
    )  # fmt: skip

    proposal: Proposal
    situation: Situation
    mandate: Mandate
    moves: list[Measured]
    facts: dict[str, PriceFact]  # every price this proposal leans on
    unpriced: list[str]
    unknown_assets: list[str]
    volatile_after: int
    nav_after: int  # at the worst prices we accept
    acquires: bool
    enters: bool
    legs: int  # economic legs: a place left or entered by several moves counts once (C-15)
    by_direction: dict[str, int]  # gross, no netting
    moved: int  # net outflow by position: a dollar passing through the wallet counts once

    @property
    def is_preauthorised(self) -> bool:
        """True where a policy signed by two people already said yes to this risk reduction.

        Both conditions of C-04 are checked here: what it does (nothing volatile is acquired)
        and why (a reason found in the situation, never one claimed).
        """
        s, urgency = self.situation, self.proposal.urgency
        if s.policy_signed_until_s is None or s.policy_signed_until_s < s.now_s or self.acquires:
            return False
        if urgency is Urgency.EMERGENCY:
            return self.has_emergency_ground
        return urgency is Urgency.MANDATORY and self.has_mandatory_ground

    @property
    def has_emergency_ground(self) -> bool:
        """True with enough independent triggers, or a human command."""
        distinct = len(set(self.situation.emergency_triggers))
        return distinct >= self.mandate.emergency.triggers_min or self.proposal.actor.startswith(
            "operator:"
        )

    @property
    def has_mandatory_ground(self) -> bool:
        """True where the mandate demands less risk: drawdown, ladder, cushion, passive breach."""
        s, m = self.situation, self.mandate
        lost = s.high_water_usd_micro - s.nav_usd_micro
        target = s.tactical_target_usd_micro
        return (
            s.drawdown_paused
            or (target is not None and s.volatile_values_usd_micro > target)
            or s.phase in ("top", "bear")
            or lost * 10_000 >= m.drawdown.reduce_bps * s.high_water_usd_micro
            or s.volatile_values_usd_micro * 10_000 > m.exposure.volatile_bps_max * s.nav_usd_micro
        )


def price_key(asset: Asset) -> str:
    """Return the name an asset is priced under: a claim's own, else its underlying."""
    return asset.symbol if asset.kind is AssetKind.CLAIM else asset.underlying


def value_up(units: int, price_usd_micro: int, decimals: int) -> int:
    """Value base units in usd_micro, rounded up: what leaves us."""
    return -(-units * price_usd_micro // TEN[decimals])


def value_down(units: int, price_usd_micro: int, decimals: int) -> int:
    """Value base units in usd_micro, rounded down: what reaches us."""
    return units * price_usd_micro // TEN[decimals]


def exposure_usd_micro(position: Position, situation: Situation) -> int:
    """Return what a position exposes: its value, or its notional where that is larger (GR-11)."""
    value = situation.values_usd_micro.get(position, 0)
    return max(value, situation.notionals_usd_micro.get(position, 0))


def slippage_bps_max(one: Measured, limits: Slippage) -> int:
    """Return the most a move may lose against fair value, hop by hop."""
    if one.same_asset:
        return limits.transfer_bps_max
    hops = one.claims * limits.stable_bps_max + one.is_volatile * limits.volatile_bps_max
    return hops or limits.stable_bps_max


def measure(proposal: Proposal, situation: Situation, mandate: Mandate) -> Case:
    """Measure a proposal; total for every input."""
    case = Case()
    case.proposal, case.situation, case.mandate = proposal, situation, mandate
    case.moves, case.facts, case.unpriced, case.unknown_assets = [], {}, [], []
    case.acquires = case.enters = False
    case.legs = case.moved = 0
    case.by_direction = {}
    volatile, nav = situation.volatile_values_usd_micro, situation.nav_usd_micro
    net: dict[Position, int] = {}
    left: set[Position] = set()
    entered: set[Position] = set()
    for move in proposal.moves:
        one = _measured(move, case)
        if one is None:
            continue
        case.moves.append(one)
        case.acquires |= one.acquires
        case.enters |= one.enters
        case.legs += one.swaps
        if one.leaves:
            left.add(move.spend)
        if one.enters:
            entered.add(move.receive)
        for direction in one.directions:
            case.by_direction[direction] = case.by_direction.get(direction, 0) + one.notional
        net[move.spend] = net.get(move.spend, 0) + one.notional
        net[move.receive] = net.get(move.receive, 0) - one.notional
        if one.acquires:
            volatile += 0 if one.releases else one.notional
        else:
            nav -= one.loss
            volatile -= one.notional - 1 if one.releases and one.notional else 0
    case.legs += len(left) + len(entered)
    case.volatile_after, case.nav_after = max(volatile, 0), nav
    case.moved = sum([out for out in net.values() if out > 0])
    return case


def _measured(move: Move, case: Case) -> Measured | None:
    """Value one move; None, with its reason noted in the case, where it cannot be valued."""
    assets = case.situation.assets
    spend, receive = assets.get(move.spend.asset), assets.get(move.receive.asset)
    if spend is None or receive is None:
        case.unknown_assets.append(move.spend.asset if spend is None else move.receive.asset)
        return None
    paid, got = _price(spend, case), _price(receive, case)
    if paid is None or got is None:
        return None
    one = Measured()
    one.move = move
    one.notional = value_up(move.spend_units, paid.usd_micro, spend.decimals)
    one.received = value_down(move.receive_units_min, got.usd_micro, receive.decimals)
    one.loss = max(one.notional - one.received, 0)
    _direct(one, spend, receive)
    return one


def _price(asset: Asset, case: Case) -> PriceFact | None:
    key = price_key(asset)
    fact = case.situation.prices.get(key)
    if fact is None or fact.usd_micro <= 0:
        if key not in case.unpriced:
            case.unpriced.append(key)
        return None
    case.facts[key] = fact
    return fact


def _direct(one: Measured, spend: Asset, receive: Asset) -> None:
    """Derive which way risk goes, and the directions authority sums over (C-53)."""
    out_volatile, in_volatile = spend.kind is AssetKind.VOLATILE, receive.kind is AssetKind.VOLATILE
    changes = out_volatile != in_volatile or spend.underlying != receive.underlying
    one.acquires = in_volatile and changes
    one.releases = out_volatile and changes
    one.leaves = one.move.spend.location != WALLET
    one.enters = one.move.receive.location != WALLET
    one.is_volatile = out_volatile or in_volatile
    one.claims = (spend.kind is AssetKind.CLAIM) + (receive.kind is AssetKind.CLAIM)
    one.same_asset = spend.symbol == receive.symbol
    swaps_in_wallet = not one.same_asset and not (one.leaves or one.enters)
    turns = one.acquires or one.releases
    one.swaps = swaps_in_wallet or turns
    one.legs = one.leaves + one.enters + one.swaps
    directions = tuple(
        name
        for name, holds in (
            (BUY, one.acquires), (SELL, one.releases), (IN, one.enters), (OUT, one.leaves),
        )
        if holds
    )  # fmt: skip
    one.directions = directions or (SHIFT,)

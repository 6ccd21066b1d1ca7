"""Allocate: from what should be held to the moves that lead there, within every cap.

    propose : AllocationSignal x Situation x Mandate  ->  Proposal, or None where nothing is due

    volatile   a trade handed in by the sizing, or the way to the signal's target
               bought half WBTC, half WETH; nothing is bought where the signal, the switch, a
               residue or the base's first watch forbids it
    base       what is left over works in Aave, Pendle and Curve by the mandate's weights; each
               is filled up to its cap, Aave first with what the caps turn away, the rest stays
               USDC in the wallet (RB-21)
    cash       working cash and the gas reserve are never spent

Every move goes straight from where money is to where it should be, spends what is held now and
no more, and carries the least we accept; the planner finds the route. Dollars are rounded
down, limits aim `order_headroom_bps` below the caps, so that gas and fees cannot push over.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dynamic.decision.moves import BTC, CASH, ETH, Purse, value_of
from dynamic.policy.authority import rolling_usd_micro
from dynamic.policy.case import IN, WALLET
from dynamic.policy.listing import room_usd_micro
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Move, Position, Proposal, Urgency
from dynamic.policy.sections import clip_usd_micro_max
from dynamic.policy.situation import Situation, SwitchState
from dynamic.signals.signal import AllocationSignal
from dynamic.units import BPS

LENDING = "aave_v3"
FIXED_RATE = "pendle_v2"


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted of the allocator besides the signal.

    `trade_usd_micro` is the volatile trade the sizing asks for: positive buys, negative sells,
    None derives it from the signal's target, lowered to `sizing_bps` of NAV where that is given.
    `rebalances_base` moves the base to its weights; without it only what the trade frees or
    needs is moved. `fixed_rate_asset` names the PT to buy.
    """

    trigger: str
    urgency: Urgency = Urgency.DISCRETIONARY
    actor: str = "rules"
    trade_usd_micro: int | None = None
    sizing_bps: int | None = None
    rebalances_base: bool = True
    fixed_rate_asset: str | None = None


def propose(
    signal: AllocationSignal, situation: Situation, mandate: Mandate, request: Request
) -> Proposal | None:
    """Propose the moves towards the target; None where none is worth its leg.

    Every move spends only units held now, and the moves together never spend a unit twice.
    """
    if situation.nav_usd_micro <= 0:
        return None
    trade = _trade(signal, situation, mandate, request)
    moves = (
        _buying(trade, situation, mandate, request)
        if trade > 0
        else _selling(-trade, situation, mandate, request)
    )
    if not moves:
        return None
    return Proposal(
        f"{request.trigger}:{situation.now_s}", request.actor, request.trigger, request.urgency,
        tuple(moves), signal.reasoning,
    )  # fmt: skip


def _buying(usd_micro: int, situation: Situation, mandate: Mandate, request: Request) -> list[Move]:
    """Buy from free cash first, then from the cheapest exit; idle cash left over goes to work."""
    held = _held(situation)
    cash = _free_cash(situation, mandate)
    sources = [(CASH, cash), *sorted(held.items(), key=_exit_order)]
    sources = [(place, usd) for place, usd in sources if usd >= mandate.trades.leg_usd_micro_min]
    purse = Purse(sources, situation, mandate, _clip(situation, mandate))
    usd_micro = min(usd_micro, sum(purse.dollars.values()))
    for place, usd in _worth(_buys(usd_micro, situation, mandate), mandate):
        purse.fill(place, usd, tuple(purse.dollars))
    if request.rebalances_base:
        total = cash + sum(held.values()) - usd_micro
        targets = base_targets(total, situation, mandate, request.fixed_rate_asset)
        for place, usd in _wanted(targets, held, situation, mandate):
            purse.fill(place, usd, (CASH,))
    return purse.moves


def _selling(
    usd_micro: int, situation: Situation, mandate: Mandate, request: Request
) -> list[Move]:
    """Sell, shed what is over, fill what is short; proceeds nothing can take stay USDC (RB-21)."""
    held, sells = _held(situation), _sells(usd_micro, situation, mandate)
    freed = sum([usd for _, usd in sells])
    cash = _free_cash(situation, mandate)
    total = cash + freed + sum(held.values())
    targets = base_targets(total, situation, mandate, request.fixed_rate_asset, freed)
    is_free = request.urgency is Urgency.DISCRETIONARY
    surplus = _surplus(targets, held, situation, mandate, request) if is_free else []
    idle = [(CASH, cash)] if is_free and request.rebalances_base else []
    purse = Purse([*sells, *surplus, *idle], situation, mandate, _clip(situation, mandate))
    wanted = _wanted(targets, held, situation, mandate)
    if not is_free:  # a reduction the mandate demands waits for nothing but the simplest way home
        wanted = [(place, usd) for place, usd in wanted if place.location == LENDING]
    places = tuple(purse.dollars) if request.rebalances_base else tuple(p for p, _ in sells)
    left = sum([purse.dollars[place] for place in places])
    for place, usd in wanted:
        amount = min(usd, left)
        if amount >= mandate.trades.leg_usd_micro_min:
            purse.fill(place, amount, places)
            left -= amount
    for place, usd in [*sells, *surplus]:
        purse.fill(CASH, usd, (place,))
    return purse.moves


# --- the volatile side --------------------------------------------------------------------------


def may_acquire(signal: AllocationSignal, situation: Situation, mandate: Mandate) -> bool:
    """Say whether anything volatile may be bought now; the judge asks the same again."""
    return (
        signal.allows_increase
        and situation.switch is SwitchState.ACTIVE
        and not situation.open_residues
        and not situation.open_alerts
        and not situation.drawdown_paused
        and situation.phase != "unknown"
        and _is_staged(situation, mandate)
    )


def _is_staged(situation: Situation, mandate: Mandate) -> bool:
    """Say whether the base stands and its first watch is over (PM-13)."""
    deployed = situation.base_deployed_at_s
    watch_s = mandate.authority.staged_deploy_s
    return deployed is not None and situation.now_s - deployed >= watch_s


def _trade(
    signal: AllocationSignal, situation: Situation, mandate: Mandate, request: Request
) -> int:
    """Return the volatile trade in usd_micro: capped, forbidden or skipped as the mandate says."""
    nav, held = situation.nav_usd_micro, situation.volatile_values_usd_micro
    limits = mandate.exposure
    trade = request.trade_usd_micro
    if trade is None:
        target = signal.target_bps["btc"] + signal.target_bps["eth"]
        if request.sizing_bps is not None:
            target = min(target, request.sizing_bps)
        trade = nav * target // BPS - held
    if trade > 0:
        if request.urgency is not Urgency.DISCRETIONARY:
            return 0
        if not may_acquire(signal, situation, mandate):
            return 0
        # What deposits of idle cash may lose in the same proposal lowers the NAV we are judged on.
        idle = _free_cash(situation, mandate) if request.rebalances_base else 0
        worst = nav - idle * mandate.slippage.stable_bps_max // BPS
        cap = limits.volatile_bps_max - limits.order_headroom_bps
        trade = min(trade, worst * cap // BPS - held)
    return trade if abs(trade) >= mandate.trades.leg_usd_micro_min else 0


def _sells(usd_micro: int, situation: Situation, mandate: Mandate) -> list[tuple[Position, int]]:
    """Split a sale so that what remains is split as the mandate says; gas is never sold."""
    btc, eth = value_of(BTC, situation), value_of(ETH, situation)
    usd_micro = min(usd_micro, btc + eth)
    remaining_btc = (btc + eth - usd_micro) * mandate.treasury.btc_bps // BPS
    from_btc = min(max(btc - remaining_btc, usd_micro - eth, 0), usd_micro, btc)
    parts = [(BTC, from_btc), (ETH, usd_micro - from_btc)]
    return [(place, amount) for place, amount in parts if amount > 0]


def _buys(usd_micro: int, situation: Situation, mandate: Mandate) -> list[tuple[Position, int]]:
    """Split a purchase towards the mandate's split, each within the position cap."""
    btc, eth = value_of(BTC, situation), value_of(ETH, situation)
    wanted_btc = (btc + eth + usd_micro) * mandate.treasury.btc_bps // BPS
    into_btc = min(max(wanted_btc - btc, 0), usd_micro)
    cap = _position_cap(situation, mandate, 0)
    parts = [(BTC, min(into_btc, cap - btc)), (ETH, min(usd_micro - into_btc, cap - eth))]
    return [(place, amount) for place, amount in parts if amount > 0]


# --- the base ------------------------------------------------------------------------------------


def _free_cash(situation: Situation, mandate: Mandate) -> int:
    """Return the wallet's USDC beyond working cash and the cash bucket."""
    treasury = mandate.treasury
    kept = treasury.cash_usd_micro_min + situation.nav_usd_micro * treasury.cash_bps // BPS
    return max(value_of(CASH, situation) - kept, 0)


def _by_location(held: Mapping[Position, int]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for place, usd in held.items():
        sums[place.location] = sums.get(place.location, 0) + usd
    return sums


def _wanted(
    targets: Mapping[Position, int], held: Mapping[Position, int], situation: Situation,
    mandate: Mandate,
) -> list[tuple[Position, int]]:  # fmt: skip
    """Return where the base is short of its target, Aave first."""
    if not may_enter(situation, mandate):
        return []
    sums = _by_location(held)
    room = _authority_left(situation, mandate)
    wanted = []
    for place, target in targets.items():
        usd = min(target - sums.get(place.location, 0), room)
        if usd >= mandate.trades.leg_usd_micro_min:
            wanted.append((place, usd))
            room -= usd
    return wanted


def _authority_left(situation: Situation, mandate: Mandate) -> int:
    """Return what may still enter protocols within the rolling window, however many sign (I-17).

    What is beyond it waits for the next day, in which people are asked again. One per cent
    below the ceiling, because values are rounded up where they are judged.
    """
    authority = mandate.authority
    entered = rolling_usd_micro(
        situation.past_moves, IN, situation.now_s, authority.rolling_window_s
    )
    return authority.ceiling_usd_micro_max * 99 // 100 - entered


def _surplus(
    targets: Mapping[Position, int], held: Mapping[Position, int], situation: Situation,
    mandate: Mandate, request: Request,
) -> list[tuple[Position, int]]:  # fmt: skip
    """Return what sits above target: shed when rebalancing, and always above the trim cap.

    Fixed rate is held to maturity: selling it early costs a haircut, so only a trim sheds it.
    """
    goals = {place.location: usd for place, usd in targets.items()}
    nav, limits = situation.nav_usd_micro, mandate.exposure
    found = []
    for place, usd in sorted(held.items(), key=_exit_order):
        over = usd - goals.get(place.location, usd)
        if usd * BPS > limits.position_trim_bps * nav:
            over = usd - _position_cap(situation, mandate, 0)
        elif not request.rebalances_base or place.location == FIXED_RATE:
            continue
        if over >= mandate.trades.leg_usd_micro_min:
            found.append((place, over))
    return found


def base_targets(
    total_usd_micro: int, situation: Situation, mandate: Mandate, fixed_rate_asset: str | None,
    freed_usd_micro: int = 0,
) -> dict[Position, int]:  # fmt: skip
    """Split the base by weight, each place up to its cap; Aave takes first what others cannot.

    A place that may not be entered keeps what it has and takes nothing.
    """
    if not _is_staged(situation, mandate):
        # The first deployment fills the base layer and nothing more, until its watch is over.
        layer = situation.nav_usd_micro * mandate.treasury.base_yield_bps // BPS
        total_usd_micro = min(total_usd_micro, layer)
    places, sums = _places(mandate, fixed_rate_asset), _by_location(_held(situation))
    weights = mandate.treasury.base_split_bps
    cap = _position_cap(situation, mandate, 0)
    slack = _worst_loss(total_usd_micro, cap, sums, freed_usd_micro, mandate)
    cap = _position_cap(situation, mandate, slack)
    limits: dict[Position, int] = {}
    targets: dict[Position, int] = {}
    for place in places:
        room = room_usd_micro(place, situation, mandate)
        limits[place] = max(min(cap, room), 0) if room else sums.get(place.location, 0)
        targets[place] = min(total_usd_micro * weights[place.location] // BPS, limits[place])
    # What is held where nothing more may go (a PT nobody named) stays there.
    elsewhere = sum([v for name, v in sums.items() if name not in {p.location for p in places}])
    rest = total_usd_micro - sum(targets.values()) - elsewhere
    for place in places:  # Aave first
        more = min(rest, limits[place] - targets[place])
        if more > 0:
            targets[place] += more
            rest -= more
    return targets


def may_enter(situation: Situation, mandate: Mandate) -> bool:
    """Say whether money may enter a protocol at all now; at dear gas it waits as USDC."""
    gas = situation.gas_price_wei
    return (
        situation.switch is SwitchState.ACTIVE
        and not situation.open_residues
        and gas is not None
        and gas <= mandate.gas.price_wei_max
    )


def _worst_loss(
    total_usd_micro: int, cap_usd_micro: int, sums: Mapping[str, int], freed_usd_micro: int,
    mandate: Mandate,
) -> int:  # fmt: skip
    """Return the most that sales and claims changing hands may cost, at the least we accept.

    The judge measures the caps against NAV less exactly such losses.
    """
    turned = 0
    for location in mandate.treasury.base_split_bps:
        if location != LENDING:
            turned += max(min(total_usd_micro, cap_usd_micro), sums.get(location, 0))
    slip = mandate.slippage
    return (turned * slip.stable_bps_max + freed_usd_micro * slip.default_bps) // BPS


def _places(mandate: Mandate, pt: str | None) -> list[Position]:
    """Return the base's positions, Aave first; Pendle's is the PT the caller chose."""
    places = []
    for location in sorted(mandate.treasury.base_split_bps, key=lambda n: (n != LENDING, n)):
        if location == FIXED_RATE:
            if pt is not None:
                places.append(Position(location, pt))
        else:
            places.append(Position(location, mandate.protocols[location].assets[0]))
    return places


def _held(situation: Situation) -> dict[Position, int]:
    """Return what sits at protocols, in usd_micro."""
    return {p: v for p, v in situation.values_usd_micro.items() if p.location != WALLET and v > 0}


def _exit_order(item: tuple[Position, int]) -> tuple[int, str]:
    """Lending leaves for the price of its gas, pools for a fee, PT for a haircut."""
    location = item[0].location
    return ({LENDING: 0, FIXED_RATE: 2}.get(location, 1), str(item[0]))


def _position_cap(situation: Situation, mandate: Mandate, slack_usd_micro: int) -> int:
    """Return how large one position may be made: the cap less headroom, on the worst NAV."""
    limits = mandate.exposure
    worst = situation.nav_usd_micro - slack_usd_micro
    return max(worst, 0) * (limits.position_bps_max - limits.order_headroom_bps) // BPS


def _clip(situation: Situation, mandate: Mandate) -> int:
    """Return the clip our orders use: one that still passes after a price move a plan survives."""
    limit = clip_usd_micro_max(situation.nav_usd_micro, mandate.treasury, mandate.exposure)
    return limit * (BPS - mandate.authority.plan_price_move_bps_max) // BPS


def _worth(sinks: list[tuple[Position, int]], mandate: Mandate) -> list[tuple[Position, int]]:
    """Leave out what is below the least leg (RB-14)."""
    least = mandate.trades.leg_usd_micro_min
    return [(place, usd) for place, usd in sinks if usd >= least]

"""The contract every venue keeps, whatever stands behind it.

A factory gives a funded venue; today the paper venue in memory and in a file, later the chain.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dynamic.adapters.venues.faults import Fault, SeededFaults
from dynamic.adapters.venues.paper import PaperVenue
from dynamic.errors import Conflict, Refused
from dynamic.ports import Receipt, Venue
from tests.adapters.venues.world import buy, funded, join_pool, lend, market, order
from tests.planning.treasury import AAVE, GAS, GWEI, NOW_S, USD, USDC

Factory = Callable[..., PaperVenue]


@pytest.fixture(params=["memory", "file"])
def factory(request: pytest.FixtureRequest, tmp_path: Path) -> Factory:
    """Make funded venues of one kind; a file is opened again each time."""

    def make(faults: object = None) -> PaperVenue:
        path = tmp_path / "world.sqlite" if request.param == "file" else None
        return funded(path, faults)  # type: ignore[arg-type]

    return make


class Script:
    """Faults in a fixed order, then none."""

    def __init__(self, *faults: Fault) -> None:
        self._left = list(faults)

    def on_send(self, key: str, now_s: int) -> Fault:
        return self._left.pop(0) if self._left else Fault.NONE


def test_a_venue_is_the_port(factory: Factory) -> None:
    venue: Venue = factory()
    assert venue.outcome("never sent") is None
    assert venue.balances(NOW_S)[USDC] == 200_000 * USD


@pytest.mark.req("RB-10", "I-9")
def test_a_key_has_one_effect_for_ever(factory: Factory) -> None:
    venue = factory()
    first = venue.send(order("k", buy()), NOW_S)
    balances = dict(venue.balances(NOW_S))
    for now_s in (NOW_S, NOW_S + 10**6):
        assert venue.send(order("k", buy()), now_s) == first
        assert venue.send(order("k", buy(), NOW_S + 9, 1), now_s) == first  # a bumped fee
        assert venue.outcome("k") == first
    assert venue.balances(NOW_S) == balances


def test_a_key_never_serves_another_leg(factory: Factory) -> None:
    venue = factory()
    venue.send(order("k", buy()), NOW_S)
    with pytest.raises(Conflict, match="k already belongs"):
        venue.send(order("k", buy(10_000 * USD + 1)), NOW_S)


@pytest.mark.req("I-5")
def test_receipts_add_up_to_the_balances(factory: Factory) -> None:
    venue = factory()
    before = dict(venue.balances(NOW_S))
    legs = [buy(), lend(), join_pool(), buy(10**12)]
    for n, what in enumerate(legs):
        receipt = venue.send(order(f"k{n}", what), NOW_S)
        assert receipt is not None
        for moved in receipt.movements:
            before[moved.position] = before.get(moved.position, 0) + moved.base_units
        before[GAS] -= receipt.gas_units * receipt.gas_price_wei
        if not receipt.reverted:
            assert receipt.movements[0].base_units == -what.spend_units  # exactly, never more
            assert receipt.movements[1].base_units >= what.receive_units_min
    assert dict(venue.balances(NOW_S)) == before


def test_a_quote_is_what_a_send_brings(factory: Factory) -> None:
    venue = factory()
    for n, what in enumerate((buy(), lend(), join_pool())):
        quoted = venue.quote(what, NOW_S)
        receipt = venue.send(order(f"k{n}", what), NOW_S)
        assert receipt is not None
        assert receipt.movements[1].base_units == quoted


@pytest.mark.req("RB-10")
def test_rb_retry_idempotent_a_lost_reply_is_found_by_its_key(factory: Factory) -> None:
    venue = factory(Script(Fault.LOST_REPLY))
    assert venue.send(order("k", buy()), NOW_S) is None
    found = venue.outcome("k")
    assert found is not None
    assert not found.reverted
    balances = dict(venue.balances(NOW_S))
    assert venue.send(order("k", buy()), NOW_S) == found
    assert dict(venue.balances(NOW_S)) == balances


def test_a_lost_request_had_no_effect_and_may_be_repeated(factory: Factory) -> None:
    venue = factory(Script(Fault.LOST_REQUEST))
    before = dict(venue.balances(NOW_S))
    assert venue.send(order("k", buy()), NOW_S) is None
    assert venue.outcome("k") is None
    assert dict(venue.balances(NOW_S)) == before
    again = venue.send(order("k", buy()), NOW_S)
    assert again is not None
    assert not again.reverted


def test_a_refusal_is_final_and_free(factory: Factory) -> None:
    venue = factory(Script(Fault.REFUSED))
    before = dict(venue.balances(NOW_S))
    refused = venue.send(order("k", buy()), NOW_S)
    assert refused is not None
    assert refused.reverted
    assert dict(venue.balances(NOW_S)) == before
    assert venue.send(order("k", buy()), NOW_S) == refused


def test_a_delay_ends_with_the_next_market(factory: Factory) -> None:
    venue = factory(Script(Fault.DELAYED))
    assert venue.send(order("k", buy()), NOW_S) is None
    assert venue.outcome("k") is None
    venue.observe_market(market(NOW_S + 60), NOW_S + 60)
    found = venue.outcome("k")
    assert found is not None
    assert found.settled_at_s == NOW_S + 60


def test_capital_comes_once_per_key_and_never_leaves_below_zero(factory: Factory) -> None:
    venue = factory()
    assert venue.deposit_capital(USDC, USD, "flow 1")
    assert not venue.deposit_capital(USDC, USD, "flow 1")
    assert venue.balances(NOW_S)[USDC] == 200_001 * USD
    with pytest.raises(Refused, match="to leave"):
        venue.deposit_capital(USDC, -200_001 * USD - 1, "flow 2")
    assert venue.deposit_capital(USDC, -200_001 * USD, "flow 2")
    assert USDC not in venue.balances(NOW_S)


def test_sixteen_threads_with_one_key_have_one_effect(factory: Factory) -> None:
    venue = factory()
    receipts: list[Receipt | None] = []
    threads = [
        threading.Thread(target=lambda: receipts.append(venue.send(order("k", buy()), NOW_S)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receipts) == 16
    assert len(set(receipts)) == 1
    assert venue.balances(NOW_S)[USDC] == 190_000 * USD


@pytest.mark.parametrize("seed", range(8))
def test_a_storm_ends_with_every_order_settled_once(factory: Factory, seed: int) -> None:
    storm = SeededFaults(
        seed, {Fault.LOST_REPLY: 25, Fault.LOST_REQUEST: 25, Fault.DELAYED: 25, Fault.REFUSED: 5}
    )
    venue = factory(storm)
    keys = [f"k{n}" for n in range(10)]
    now_s = NOW_S
    for _ in range(60):
        now_s += 1
        open_keys = [key for key in keys if venue.outcome(key) is None]
        for key in open_keys:
            venue.send(order(key, buy(USD * 100), NOW_S + 10**6), now_s)
        venue.observe_market(market(now_s, gas=20 * GWEI), now_s)
    settled = [venue.outcome(key) for key in keys]
    assert all(receipt is not None for receipt in settled)
    effects = sum(1 for receipt in settled if receipt is not None and not receipt.reverted)
    assert venue.balances(now_s)[USDC] == 200_000 * USD - effects * 100 * USD


def test_a_file_outlives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "world.sqlite"
    venue = funded(path)
    venue.send(order("k", lend()), NOW_S)
    receipt = venue.outcome("k")
    dear = market(NOW_S, gas=900 * GWEI)
    venue.observe_market(dear, NOW_S)
    assert venue.send(order("waits", buy()), NOW_S) is None
    held, facts = dict(venue.balances(NOW_S)), [replace(o) for o in venue.observe(NOW_S)]
    venue.close()
    again = funded(path)  # the same capital keys: nothing is paid in twice
    assert dict(again.balances(NOW_S)) != held  # the waiting order was mined at today's gas
    assert again.outcome("waits") is not None
    assert again.outcome("k") == receipt
    assert again.balances(NOW_S)[AAVE] == 100_000 * USD
    assert {o.key for o in again.observe(NOW_S)} == {o.key for o in facts}


def test_two_processes_on_one_file_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "world.sqlite"
    one, two = funded(path), funded(path)
    first = one.send(order("k", buy()), NOW_S)
    assert two.send(order("k", buy()), NOW_S) == first
    two.send(order("k2", buy()), NOW_S)
    assert two.balances(NOW_S)[USDC] == 180_000 * USD
    one.send(order("k3", buy()), NOW_S)
    assert one.balances(NOW_S)[USDC] == 170_000 * USD

"""What a signer reads of each leg, and what performance says beside the return, on real books."""

from __future__ import annotations

import csv
import io

import pytest
from starlette.testclient import TestClient

from dynamic.app.api.application import create_app
from dynamic.app.api.settings import Role
from dynamic.workflows.instruments import asset
from tests.app.conftest import bearer, settings
from tests.trading.stand import World, plan_of

CASH = ("wallet", "USDC")


def balances(text: str) -> dict[str, float]:
    """`5 USDC in wallet, 3 WBTC in wallet` by place."""
    found = {}
    for part in text.split(", "):
        amount, symbol, _, place = part.split(" ")
        assert asset(symbol).symbol == symbol
        found[f"{place}:{symbol}"] = float(amount)
    return found


@pytest.mark.req("I-11", "GV-01", "DB-03")
def test_a_signer_reads_a_sentence_and_both_balances_of_every_leg(world: World) -> None:
    world.engine.cycle()
    (waiting,) = world.service.pending()
    legs = plan_of(waiting).legs
    assert len(legs) == 3
    held = {f"{p.protocol}:{p.asset}": float(p.amount) for p in world.service.portfolio().positions}
    for leg in legs:
        assert leg.sentence.startswith(f"{leg.kind} ")
        assert f"for at least {leg.receive_amount_min} {leg.receive_asset}" in leg.sentence
        before, after = balances(leg.before), balances(leg.after)
        spent = f"wallet:{leg.spend_asset}"
        assert before[spent] == held[spent]
        assert after[spent] == pytest.approx(before[spent] - float(leg.spend_amount))
        held |= after

    world.sign_all()
    done = world.service.decision(waiting.decision_id)
    assert [leg.sentence for leg in plan_of(done).legs] == [leg.sentence for leg in legs]

    client = TestClient(create_app(world.service, settings()), base_url="http://127.0.0.1:8600")
    rows = list(csv.DictReader(io.StringIO(client.get("/exports/legs.csv").text)))
    assert [(r["decision_id"], r["sentence"]) for r in rows] == [
        (waiting.decision_id, leg.sentence) for leg in legs
    ]
    page = client.get(f"/ui/decisions/{waiting.decision_id}").text
    assert all(leg.sentence in page for leg in legs)
    assert legs[0].after in page


@pytest.mark.req("PF-02", "PF-06")
def test_pf_apy_and_gas_stand_beside_the_return(deployed: World) -> None:
    world = deployed
    world.live(20)
    early = world.service.performance("all")
    assert (early.target_verdict, early.money_weighted) == ("too_early", None)
    world.live(25)
    late = world.service.performance("all")
    assert late.apy is not None
    assert late.money_weighted == pytest.approx(late.apy, abs=1e-6)  # no flow: timing is no matter
    assert late.target_verdict == (
        "below" if late.apy < 0.25 else "within" if late.apy <= 0.5 else "above"
    )
    gained = late.gain_usd_micro + late.gas_usd_micro
    assert late.gas_usd_micro > 0
    assert late.gas_share_of_gain == (late.gas_usd_micro / gained if gained > 0 else None)
    client = TestClient(create_app(world.service, settings()), base_url="http://127.0.0.1:8600")
    answer = client.get("/performance/metrics", params={"time_range": "all"}).json()
    assert answer["money_weighted"] == late.money_weighted
    assert answer["target_verdict"] == late.target_verdict
    assert "Gas of the gain" in client.get("/", headers=bearer(Role.VIEWER)).text


@pytest.mark.req("GR-19", "GR-12", "GR-17")
def test_gr_exit_time_of_every_position_stands_among_the_limits(deployed: World) -> None:
    world = deployed
    world.live(12)
    found = world.service.limits()
    held = [p for p in world.service.portfolio().positions if (p.protocol, p.asset) != CASH]
    names = {f"{p.protocol}:{p.asset}" for p in held}
    assert {"wallet:WBTC", "aave_v3:USDC"} <= names
    times = {x.label.removesuffix(": time to leave"): x for x in found if x.rule == "exit-time"}
    assert times.keys() == names
    assert {x.label.removesuffix(" of NAV") for x in found if x.rule == "position-cap"} == names
    limits = world.mandate.exits
    for each in held:
        shown = times[f"{each.protocol}:{each.asset}"]
        venue = "oneinch" if each.protocol == "wallet" else each.protocol
        capacity = world.mandate.assumptions.exit_capacity_24h_usd[venue] * 10**6
        assert shown.observed is not None
        assert abs(shown.observed - each.value_usd_micro * 86_400 / capacity) <= 2
        assert (shown.limit, shown.state.value) == (limits.normal_s_max, "ok")
    slippages = [x.observed for x in found if x.rule == "exit-slippage"]
    assert len(slippages) == len(names)
    assert all(bps is not None and 1 <= bps <= limits.slippage_bps_max for bps in slippages)
    (slowest,) = [x for x in found if x.rule == "exit-emergency"]
    assert slowest.observed == max(x.observed or 0 for x in times.values())
    assert slowest.limit == limits.emergency_s_max


@pytest.mark.req("GR-19")
def test_gr_exit_time_that_is_not_known_is_flagged(deployed: World) -> None:
    world = deployed
    world.venue.pause("curve", paused=True)
    world.go(days=1)
    world.live(1)
    states = {x.label: x.state.value for x in world.service.limits() if x.group == "exits"}
    assert states["curve:LP-USDC-USDT: time to leave"] == "unknown"
    assert states["aave_v3:USDC: time to leave"] == "ok"
    assert states["Slowest position in an emergency"] == "unknown"
    entries = {x.label: x.state.value for x in world.service.limits() if x.rule == "entry"}
    assert entries["curve:LP-USDC-USDT: objections to entering"] == "breach"
    assert entries["aave_v3:USDC: objections to entering"] == "ok"


@pytest.mark.req("C-20")
def test_the_base_layer_shows_what_it_earns_in_all(deployed: World) -> None:
    found = deployed.service.portfolio()
    base = [p for p in found.positions if p.protocol != "wallet"]
    assert len(base) == 3
    earned = sum(p.value_usd_micro * (p.apy or 0.0) for p in base)
    assert found.base_apy == pytest.approx(earned / sum(p.value_usd_micro for p in base))
    client = TestClient(create_app(deployed.service, settings()), base_url="http://127.0.0.1:8600")
    assert client.get("/portfolio/status").json()["base_apy"] == found.base_apy


@pytest.mark.req("GR-12")
def test_gr_concentration_by_prices_alone_warns_up_to_the_trim(deployed: World) -> None:
    world = deployed
    world.live(14)
    caps = [x for x in world.service.limits() if x.rule == "position-cap"]
    drifted = [x for x in caps if x.observed is not None and 2_500 < x.observed < 2_600]
    assert drifted, "what the base held at its cap is above it after a fall of the rest"
    assert {x.state.value for x in drifted} == {"warn"}

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

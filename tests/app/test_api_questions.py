"""The answers: shapes, provenance, what is missing, and the statuses that were promised."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import replace
from decimal import Decimal

import fastapi
import pytest
from starlette.testclient import TestClient

from dynamic.app.api.exports import EXPORTS
from dynamic.errors import DataUnfit, StoreUnavailable
from tests.app.sample_service import SampleService

MARKET_FIELDS = {
    "btc_price", "eth_price", "mvrv_z_score", "funding_rate", "fear_greed_index", "market_phase",
    "timestamp",
}  # fmt: skip


@pytest.mark.req("AP-01", "MI-18")
def test_mi_model_market_data_has_its_seven_fields(client: TestClient) -> None:
    answer = client.get("/market/data")
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() >= MARKET_FIELDS
    assert body["btc_price"] == 48751.71
    assert body["btc_price_exact"] == "48751.710000"
    assert body["funding_rates"]["ETH"] == 0.0  # zero is data
    assert body["timestamp"] == "2021-03-04T09:00:00Z"
    schema = client.get("/openapi.json").json()["components"]["schemas"]["MarketData"]
    assert set(schema["required"]) >= MARKET_FIELDS
    assert schema["additionalProperties"] is False


@pytest.mark.req("MI-19", "C-95")
def test_mi_provenance_marks_stale_and_missing(client: TestClient) -> None:
    body = client.get("/market/data").json()
    assert body["fields"]["fear_greed"]["stale"] is True
    assert body["fields"]["price:BTC"]["stale"] is False
    assert body["fields"]["mvrv_z:BTC"].keys() >= {"source", "as_of", "fetched_at", "stale"}
    assert body["missing"] == ["tvl:curve"]
    assert body["synthetic"] is True


@pytest.mark.req("AP-01", "C-95")
def test_market_data_without_a_price_is_500(client: TestClient, service: SampleService) -> None:
    service.prices_missing = True
    answer = client.get("/market/data")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "price:BTC" in answer.json()["detail"]


@pytest.mark.req("AP-02", "SG-12", "C-41", "C-42")
def test_market_signal(client: TestClient, service: SampleService) -> None:
    body = client.get("/market/signal").json()
    assert body.keys() >= {
        "mode", "target_allocations", "confidence", "reasoning", "trigger", "recommended_actions",
        "risk_level",
    }  # fmt: skip
    targets = body["target_allocations"]
    assert set(targets) == {"base_yield", "tactical", "cash"}
    assert abs(sum(targets.values()) - 1) < 1e-9
    assert body["target_detail"] == {"btc": 0.15, "eth": 0.09}
    assert (body["risk_level"], body["risk_flags"]) == ("high", ["extreme"])
    service.failure = DataUnfit("no signal yet")
    assert client.get("/market/signal").status_code == 500


@pytest.mark.req("AP-03", "PM-04", "PM-05", "C-12")
def test_pm_two_views_have_equal_totals(client: TestClient, service: SampleService) -> None:
    body = client.get("/portfolio/status").json()
    assert body["performance_24h"] == 0.0084
    assert body["performance_7d"] == 0.0
    assert set(body["positions"][0]) >= {
        "protocol", "asset", "amount", "value_usd", "value_usd_exact", "apy", "entered_at",
        "current_return",
    }  # fmt: skip
    listed = sum(Decimal(each["value_usd_exact"]) for each in body["positions"])
    balances = body["balances"]
    by_protocol = sum(
        Decimal(str(balances[key]))
        for key in ("aave_usdc", "pendle_pt", "curve_lp", "usdc_cash", "btc", "eth", "gas_reserve")
    )
    assert listed == by_protocol == Decimal(body["total_value_usd_exact"])
    assert len(balances) == 11
    assert abs(sum(body["allocations"]["current"].values()) - 1) < 0.001
    service.failure = StoreUnavailable("the database cannot be read")
    assert client.get("/portfolio/status").status_code == 500


@pytest.mark.req("AP-06", "GV-01")
def test_pending_is_an_array_even_when_empty(client: TestClient, service: SampleService) -> None:
    waiting = client.get("/decisions/pending").json()
    assert [each["plan"]["state"] for each in waiting] == ["pending_approval"]
    assert waiting[0]["plan"]["expires_at"] == "2021-03-05T08:00:00Z"
    service.made = []
    answer = client.get("/decisions/pending")
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.req("AP-09", "PF-19")
def test_ap_metrics_ranges(client: TestClient) -> None:
    for time_range in ("24h", "7d", "30d", "all"):
        body = client.get("/performance/metrics", params={"time_range": time_range}).json()
        assert body["time_range"] == time_range
        assert body.keys() >= {"total_return", "apy", "sharpe", "max_drawdown", "trades"}
        assert len(body["benchmarks"]) == 3
    assert client.get("/performance/metrics").json()["time_range"] == "30d"
    for bad in ("banana", "", "24H", "30d "):
        answer = client.get("/performance/metrics", params={"time_range": bad})
        assert answer.status_code == 400, bad
        assert answer.headers["content-type"] == "application/problem+json"
    targets = client.get("/performance/metrics").json()["targets"]
    assert [(t["claimed_usd"], t["corrected_usd"]) for t in targets] == [
        (95_600, 87_800),
        (175_600, 167_800),
    ]


@pytest.mark.req("AP-10", "C-47")
def test_ap_health_keeps_one_body(client: TestClient, service: SampleService) -> None:
    good = client.get("/health")
    assert good.status_code == 200
    assert good.json().keys() >= {"status", "ai_status", "protocols_status", "sources"}
    assert all("last_ok_at" in each for each in good.json()["sources"])
    service.health_status, service.ai_status = "degraded", "down"
    degraded = client.get("/health")
    assert (degraded.status_code, degraded.json()["status"]) == (200, "degraded")
    service.failure = StoreUnavailable("the database cannot be read")
    bad = client.get("/health")
    assert (bad.status_code, bad.json()["status"]) == (500, "unhealthy")
    assert bad.json().keys() == good.json().keys()


def test_decisions_are_paged_newest_first(client: TestClient) -> None:
    all_of_them = client.get("/decisions", params={"limit": 500}).json()
    assert len(all_of_them) == 25
    page = client.get("/decisions", params={"limit": 2, "offset": 1}).json()
    assert page == all_of_them[1:3]
    assert all_of_them[0]["at"] > all_of_them[-1]["at"]
    one = client.get(f"/decisions/{page[0]['decision_id']}")
    assert one.json() == page[0]
    assert client.get("/decisions/nothing").status_code == 404
    for params in ({"limit": 0}, {"limit": 501}, {"offset": -1}, {"limit": "x"}):
        assert client.get("/decisions", params=params).status_code == 400


def test_ledger_filters_and_keeps_every_digit(client: TestClient) -> None:
    entries = client.get("/ledger/entries", params={"account": "income:yield:aave_v3"}).json()
    assert entries
    assert all(each["kind"] == "yield" for each in entries)
    balances = client.get("/ledger/balances").json()
    gas = next(each for each in balances if each["account"] == "expense:gas")
    assert gas["base_units"] == "131000000000000000"  # past 2**53 a JSON number would lie
    assert client.get("/ledger/reconciliation").json()["residues"] == []


@pytest.mark.req("DB-07")
def test_db_csv_every_export_parses(client: TestClient, service: SampleService) -> None:
    service.residue = True
    for name in EXPORTS:
        answer = client.get(f"/exports/{name}.csv")
        assert answer.status_code == 200, name
        assert answer.headers["content-type"].startswith("text/csv")
        table = list(csv.DictReader(io.StringIO(answer.text)))
        assert table, name
        assert all(None not in row and None not in row.values() for row in table), name


def test_no_exported_text_starts_a_formula(client: TestClient, service: SampleService) -> None:
    service.made = [replace(service.made[0], reasoning='=HYPERLINK("x")')]
    table = list(csv.DictReader(io.StringIO(client.get("/exports/decisions.csv").text)))
    assert table[0]["reasoning"] == '\'=HYPERLINK("x")'
    amounts = csv.DictReader(io.StringIO(client.get("/exports/balances.csv").text))
    assert "-400000.000000" in {row["amount"] for row in amounts}  # a negative number stays one


def test_metrics_are_prometheus_text(client: TestClient, service: SampleService) -> None:
    text = client.get("/metrics").text
    assert "dynamic_nav_usd 431882.417305" in text
    assert 'dynamic_switch_state{state="active"} 1.0' in text
    assert 'dynamic_guardrail_observed{rule="tvl-floor"' not in text  # not observed, no sample
    assert 'dynamic_guardrail_limit{rule="tvl-floor"' in text


@pytest.mark.req("AP-17")
def test_fastapi_on_a_new_enough_python() -> None:
    assert sys.version_info >= (3, 11)
    assert fastapi.__version__

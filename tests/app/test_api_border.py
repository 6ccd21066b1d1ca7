"""The border: rates, sizes, hosts, headers, and errors that give nothing away."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from dynamic.app.api.settings import ApiSettings, Role
from dynamic.errors import StoreUnavailable
from dynamic.policy.situation import SwitchState
from tests.app.conftest import Open, bearer
from tests.app.sample_service import SampleService, broken

CANARY = "canary-secret-8f31"


@pytest.mark.req("AP-11")
def test_the_port_is_8600_unless_told() -> None:
    assert ApiSettings().port == 8600
    assert ApiSettings(port=9000).port == 9000


@pytest.mark.req("AP-13")
def test_ap_rate_limit_61st_call(open_client: Open) -> None:
    now = [1_000.0]
    client = open_client(ticks=lambda: now[0], requests_per_minute=60)
    for number in range(60):
        now[0] += 0.5
        assert client.get("/switch").status_code == 200, number
    refused = client.get("/switch")
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    wait = int(refused.headers["retry-after"])
    assert 30 < wait <= 31
    now[0] += wait
    assert client.get("/switch").status_code == 200


@pytest.mark.req("AP-13")
def test_ap_rate_limit_counts_pages_apart(open_client: Open) -> None:
    client = open_client(ticks=lambda: 0.0, requests_per_minute=2, page_requests_per_minute=3)
    assert [client.get("/health").status_code for _ in range(3)] == [200, 200, 429]
    assert [client.get("/ui/limits").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_bodies_are_bounded_with_and_without_a_length(
    open_client: Open, service: SampleService
) -> None:
    client = open_client(body_bytes_max=1_000)
    headers = bearer(Role.OPERATOR) | {"Content-Type": "application/json"}
    big = b'{"force": false' + b" " * 2_000 + b"}"
    assert client.post("/portfolio/rebalance", content=big, headers=headers).status_code == 413
    pieces = iter([big[:600], big[600:]])  # chunked: no Content-Length
    answer = client.post("/portfolio/rebalance", content=pieces, headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.plans_made == 0


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "0.0.0.0"])
def test_another_host_name_is_not_served(client: TestClient, host: str) -> None:
    assert client.get("/portfolio/status", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8600", "[::1]:8600"])
def test_loopback_names_are_served(client: TestClient, host: str) -> None:
    assert client.get("/portfolio/status", headers={"Host": host}).status_code == 200


@pytest.mark.req("AP-12", "C-98")
def test_ap_auth_reads_need_a_token_off_loopback(open_client: Open) -> None:
    client = open_client(host="0.0.0.0")
    document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        if "get" not in operations or path == "/health":
            continue
        url = path.replace("{decision_id}", "dec-0001").replace("{name}", "nav")
        assert client.get(url).status_code == 401, path
        assert client.get(url, headers=bearer(Role.VIEWER)).status_code == 200, path
        assert operations["get"]["security"], path
    assert client.get("/health").status_code == 200
    for page in ("/", "/ui/decisions", "/ui/live/overview", "/ui/chart/nav.json"):
        assert client.get(page).status_code == 401, page


@pytest.mark.req("AP-16", "C-47")
@pytest.mark.parametrize("path", ["/market/data", "/portfolio/status", "/decisions", "/limits"])
def test_ap_errors_give_nothing_away(client: TestClient, service: SampleService, path: str) -> None:
    service.failure = RuntimeError(f"password={CANARY}")
    answer = client.get(path)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text
    assert CANARY not in answer.text
    assert answer.json()["correlation_id"]


@pytest.mark.req("AP-16")
def test_every_refusal_is_a_problem(client: TestClient, service: SampleService) -> None:
    answers = [
        (client.get("/nope"), 404),
        (client.delete("/market/data"), 405),
        (client.get("/decisions?limit=x"), 400),
        (client.post("/switch/lower", json={}), 401),
    ]
    service.failure = StoreUnavailable("the database cannot be read; nothing was sent")
    answers.append((client.get("/portfolio/status"), 500))
    for answer, status in answers:
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert body["status"] == status
        assert body.keys() >= {"type", "title", "detail", "code"}
    assert "GET" in client.delete("/market/data").headers["allow"]


def test_a_broken_invariant_halts(client: TestClient, service: SampleService) -> None:
    service.failure = broken()
    answer = client.get("/portfolio/status")
    assert answer.status_code == 500
    assert "base units" not in answer.text
    assert service.switch().state is SwitchState.HALTED
    assert service.switch().reason == "ledger says 5 base units, venue says 4"


def test_headers_of_pages_and_answers(client: TestClient) -> None:
    page, again, answer = client.get("/"), client.get("/"), client.get("/health")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert policy != again.headers["content-security-policy"]  # a nonce is used once
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert page.text.count("<script") == page.text.count(f'<script nonce="{nonce}"') > 0
    for found in (page, answer, client.get("/nope")):
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["x-frame-options"] == "DENY"
        assert found.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.req("DB-13", "AP-16")
def test_no_token_or_its_hash_is_ever_served(client: TestClient) -> None:
    for path in ("/openapi.json", "/health", "/", "/ui/limits", "/audit", "/metrics"):
        text = client.get(path).text
        for secret in ("operator-token", "approver-token"):
            assert secret not in text
        assert "token_sha256" not in text

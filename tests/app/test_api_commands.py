"""The four commands: who may, what happens once, and what is written down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from dynamic.app.api.settings import Role
from dynamic.policy.situation import SwitchState
from tests.app.conftest import bearer
from tests.app.sample_service import SampleService

PENDING = "dec-0024"
COMMANDS = {
    "/portfolio/rebalance": ({}, {Role.OPERATOR, Role.ADMIN}),
    f"/decisions/{PENDING}/approve": ({"approved": True}, {Role.APPROVER, Role.ADMIN}),
    "/switch/lower": (
        {"to": "reducing", "reason": "drill"},
        {Role.OPERATOR, Role.APPROVER, Role.ADMIN},
    ),
    "/switch/raise": (
        {"to": "active", "reason": "drill"},
        {Role.OPERATOR, Role.APPROVER, Role.ADMIN},
    ),
}


def prepare(service: SampleService, path: str) -> None:
    if path == "/switch/raise":
        service.lower_switch("ines", SwitchState.REDUCING, "drill")


@pytest.mark.req("AP-12", "C-98")
def test_ap_auth_every_post_needs_a_token(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    posts = {path for path, operations in paths.items() if "post" in operations}
    assert posts == {path.replace(PENDING, "{decision_id}") for path in COMMANDS}
    for path, (body, _) in COMMANDS.items():
        answer = client.post(path, json=body)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert client.post(path, json=body, headers=bearer(Role.VIEWER)).status_code == 403
        for header in ("Bearer nonsense", "Basic b3R0bw==", "Bearer", "operator-token"):
            assert (
                client.post(path, json=body, headers={"Authorization": header}).status_code == 401
            )


@pytest.mark.req("SE-10", "AP-12")
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("path", list(COMMANDS))
def test_se_rbac_matrix(client: TestClient, service: SampleService, path: str, role: Role) -> None:
    prepare(service, path)
    body, allowed = COMMANDS[path]
    answer = client.post(path, json=body, headers=bearer(role))
    if role in allowed:
        assert answer.status_code in (200, 202)
    else:
        assert answer.status_code == 403
        assert answer.json()["code"] == "forbidden"
    assert client.get("/portfolio/status", headers=bearer(role)).status_code == 200


@pytest.mark.req("SE-08")
@pytest.mark.parametrize("path", list(COMMANDS))
def test_se_audit_coverage_one_row_each(
    client: TestClient, service: SampleService, path: str
) -> None:
    prepare(service, path)
    before = len(service.links)
    assert client.post(path, json=COMMANDS[path][0], headers=bearer(Role.ADMIN)).is_success
    assert len(service.links) == before + 1
    assert service.links[-1].actor == "amin"


@pytest.mark.req("AP-04", "C-18")
def test_ap_rebalance(client: TestClient, service: SampleService) -> None:
    small = client.post("/portfolio/rebalance", headers=bearer(Role.OPERATOR))
    assert small.status_code == 202
    assert small.json()["status"] == "accepted"
    plan = small.json()["plan"]
    assert plan.keys() >= {
        "plan_id", "current_allocations", "target_allocations", "required_transactions",
        "estimated_gas_cost", "estimated_slippage", "requires_approval", "risk_level",
    }  # fmt: skip
    assert small.json()["transactions"][0].keys() >= {
        "tx_type", "protocol", "from_asset", "to_asset", "amount", "estimated_gas",
        "slippage_tolerance",
    }  # fmt: skip
    waiting = len(service.pending())
    service.next_gross = 60_000.0
    big = client.post("/portfolio/rebalance", json={"force": True}, headers=bearer(Role.OPERATOR))
    assert big.status_code == 403
    assert big.headers["content-type"] == "application/problem+json"
    assert big.json()["code"] == "approval-required"
    assert len(service.pending()) == waiting + 1
    assert big.json()["decision_id"] == service.pending()[-1].decision_id


@pytest.mark.req("AP-04", "C-18")
def test_a_denied_rebalance_names_its_findings(client: TestClient, service: SampleService) -> None:
    service.lower_switch("ines", SwitchState.HALTED, "drill")
    answer = client.post(
        "/portfolio/rebalance", json={"force": True}, headers=bearer(Role.OPERATOR)
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "denied")
    assert answer.json()["findings"][0]["rule"] == "switch"


@pytest.mark.req("AP-05")
@pytest.mark.parametrize(
    ("slippage", "status"),
    [
        (-1, 400), (0, 400), (0.00009, 400), (0.0001, 202), (0.005, 202), (0.02, 202),
        (0.0201, 400), (5, 400), ("x", 400), ("0.005", 400), (True, 400), (None, 202),
    ],
)  # fmt: skip
def test_ap_slippage_bounds(client: TestClient, slippage: object, status: int) -> None:
    body = {"max_slippage": slippage}
    answer = client.post("/portfolio/rebalance", json=body, headers=bearer(Role.OPERATOR))
    assert answer.status_code == status


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"x"', b'{"forse": true}', b'{"force": "yes"}', b'{"max_slippage": NaN}',
     b'{"max_slippage": 1e999}', b"\xff\xfe", b"[" * 60_000],
)  # fmt: skip
def test_bad_bodies_are_one_clear_400(
    client: TestClient, service: SampleService, body: bytes
) -> None:
    headers = bearer(Role.OPERATOR) | {"Content-Type": "application/json"}
    answer = client.post("/portfolio/rebalance", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.plans_made == 0


@pytest.mark.req("AP-07", "GV-01", "C-87")
def test_ap_approve(client: TestClient, service: SampleService) -> None:
    headers = bearer(Role.APPROVER)
    url = f"/decisions/{PENDING}/approve"
    answer = client.post(url, json={"approved": True, "notes": "read it"}, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["state"] == "approved"
    plan = service.decision(PENDING).plan
    assert plan is not None
    assert [(s.operator, s.notes) for s in plan.signatures] == [("ada", "read it")]
    assert client.post(url, json={"approved": True}, headers=headers).status_code == 409
    nothing = client.post("/decisions/nothing/approve", json={"approved": True}, headers=headers)
    assert nothing.status_code == 404
    service.add_decision(77, 61_000.0, pending=True)
    no = client.post("/decisions/dec-0077/approve", json={"approved": False}, headers=headers)
    assert (no.status_code, no.json()["state"]) == (200, "rejected")
    for body in ({}, {"approved": "true"}, {"approved": 1}, {"approved": None}):
        assert client.post(url, json=body, headers=headers).status_code == 400


@pytest.mark.req("SE-10")
def test_gv_four_eyes(client: TestClient, service: SampleService) -> None:
    service.next_gross = 60_000.0
    made = client.post("/portfolio/rebalance", headers=bearer(Role.ADMIN)).json()["decision_id"]
    own = client.post(
        f"/decisions/{made}/approve", json={"approved": True}, headers=bearer(Role.ADMIN)
    )
    assert own.status_code == 403
    other = client.post(
        f"/decisions/{made}/approve", json={"approved": True}, headers=bearer(Role.APPROVER)
    )
    assert other.status_code == 200


@pytest.mark.req("AP-08", "C-87")
def test_ap_id_mismatch(client: TestClient) -> None:
    url, headers = f"/decisions/{PENDING}/approve", bearer(Role.APPROVER)
    wrong = {"approved": True, "decision_id": "dec-0001"}
    assert client.post(url, json=wrong, headers=headers).status_code == 400
    right = {"approved": True, "decision_id": PENDING}
    assert client.post(url, json=right, headers=headers).status_code == 200


def test_gv_plan_hash_must_be_the_one_shown(client: TestClient, service: SampleService) -> None:
    url, headers = f"/decisions/{PENDING}/approve", bearer(Role.APPROVER)
    stale = {"approved": True, "digest": "0" * 64}
    assert client.post(url, json=stale, headers=headers).status_code == 409
    plan = service.decision(PENDING).plan
    assert plan is not None
    shown = {"approved": True, "digest": plan.digest}
    assert client.post(url, json=shown, headers=headers).status_code == 200


@pytest.mark.req("AP-14")
def test_ap_idempotency_five_at_once_have_one_effect(
    client: TestClient, service: SampleService
) -> None:
    service.rebalance_takes_s = 0.05
    headers = bearer(Role.OPERATOR) | {"Idempotency-Key": "k-1"}
    with ThreadPoolExecutor(5) as pool:
        answers = list(
            pool.map(lambda _: client.post("/portfolio/rebalance", headers=headers), range(5))
        )
    assert [each.status_code for each in answers] == [202] * 5
    assert len({each.text for each in answers}) == 1
    assert service.plans_made == 1


def test_without_a_key_concurrent_requests_conflict(
    client: TestClient, service: SampleService
) -> None:
    service.rebalance_takes_s = 0.3
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda _: client.post("/portfolio/rebalance", headers=bearer(Role.OPERATOR)),
                range(2),
            )
        )
    assert sorted(each.status_code for each in answers) == [202, 409]


@pytest.mark.req("AP-14")
def test_ap_idempotency_keys_are_not_shared(client: TestClient, service: SampleService) -> None:
    key = {"Idempotency-Key": "k-2"}
    first = client.post("/portfolio/rebalance", headers=bearer(Role.OPERATOR) | key)
    again = client.post(
        "/portfolio/rebalance", json={"force": True}, headers=bearer(Role.OPERATOR) | key
    )
    assert (first.status_code, again.status_code) == (202, 409)
    assert client.post("/portfolio/rebalance", headers=bearer(Role.ADMIN) | key).status_code == 202
    assert service.plans_made == 2
    replay = client.post("/portfolio/rebalance", json={}, headers=bearer(Role.OPERATOR) | key)
    assert replay.headers["idempotency-replayed"] == "true"
    assert replay.text == first.text


@pytest.mark.req("AP-14")
def test_ap_idempotency_a_refusal_is_replayed_too(
    client: TestClient, service: SampleService
) -> None:
    service.next_gross = 60_000.0
    headers = bearer(Role.OPERATOR) | {"Idempotency-Key": "k-3"}
    first = client.post("/portfolio/rebalance", headers=headers)
    second = client.post("/portfolio/rebalance", headers=headers)
    assert first.status_code == second.status_code == 403
    assert first.json() == second.json()
    assert len(service.pending()) == 2


@pytest.mark.req("AP-14")
def test_ap_idempotency_a_crash_is_never_repeated(
    client: TestClient, service: SampleService
) -> None:
    """A key claimed by a process that died: nobody knows what it did, so nothing is done again."""
    service.failure = RuntimeError("power cut")
    headers = bearer(Role.OPERATOR) | {"Idempotency-Key": "k-4"}
    assert client.post("/portfolio/rebalance", headers=headers).status_code == 500
    service.failure = None
    answer = client.post("/portfolio/rebalance", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "unresolved")
    assert service.plans_made == 0


@pytest.mark.req("GV-09")
@pytest.mark.parametrize("path", ["/switch/lower", "/switch/raise"])
@pytest.mark.parametrize("reason", ["", "   ", "\n\t"])
def test_gv_override_fields_need_a_rationale(
    client: TestClient, service: SampleService, path: str, reason: str
) -> None:
    body = {"to": "reducing", "reason": reason}
    assert client.post(path, json=body, headers=bearer(Role.OPERATOR)).status_code == 422
    assert (
        client.post(path, json={"to": "reducing"}, headers=bearer(Role.OPERATOR)).status_code == 400
    )
    assert service.switch().state is SwitchState.ACTIVE


@pytest.mark.req("GV-09", "DB-12")
def test_the_switch_is_lowered_by_one_and_raised_by_two(
    client: TestClient, service: SampleService
) -> None:
    down = client.post(
        "/switch/lower", json={"to": "halted", "reason": "drill"}, headers=bearer(Role.OPERATOR)
    )
    assert (down.json()["state"], down.json()["actor"], down.json()["reason"]) == (
        "halted", "otto", "drill",
    )  # fmt: skip
    up = {"to": "active", "reason": "over"}
    for _ in range(2):  # one person twice is one person
        asked = client.post("/switch/raise", json=up, headers=bearer(Role.OPERATOR))
        assert (asked.json()["state"], asked.json()["raise_asked_by"]) == ("halted", "otto")
    assert (
        client.post("/switch/raise", json=up, headers=bearer(Role.APPROVER)).json()["state"]
        == "active"
    )
    sideways = {"to": "reducing", "reason": "x"}
    assert (
        client.post("/switch/raise", json=sideways, headers=bearer(Role.ADMIN)).status_code == 409
    )


def test_notes_cannot_carry_what_a_database_refuses(
    client: TestClient, service: SampleService
) -> None:
    headers = bearer(Role.APPROVER) | {"Content-Type": "application/json"}
    url = f"/decisions/{PENDING}/approve"
    half = b'{"approved": true, "notes": "\\ud800"}'  # half a character
    assert client.post(url, content=half, headers=headers).status_code == 400
    body = b'{"approved": true, "notes": "a\\u0000b\\u00a0c"}'
    answer = client.post(url, content=body, headers=headers)
    assert answer.status_code == 200
    plan = service.decision(PENDING).plan
    assert plan is not None
    assert plan.signatures[0].notes == "a\ufffdb\u00a0c"

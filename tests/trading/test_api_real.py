"""The API and the dashboard on a real treasury: its numbers are theirs, its acts are theirs."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Page, expect, sync_playwright
from starlette.testclient import TestClient

from dynamic.app.api.application import create_app
from dynamic.app.api.settings import ApiSettings, Credential, Role
from dynamic.policy.situation import SwitchState
from tests.trading.conftest import Build
from tests.trading.stand import World

TOKENS = {
    "vera": (Role.VIEWER, "vera-token"), "otto": (Role.OPERATOR, "otto-token"),
    "ada": (Role.APPROVER, "ada-token"), "bea": (Role.APPROVER, "bea-token"),
    "amin": (Role.ADMIN, "amin-token"),
}  # fmt: skip
QUESTIONS = (
    "/market/data", "/market/signal", "/portfolio/status", "/performance/metrics", "/limits",
    "/decisions", "/decisions/pending", "/ledger/entries", "/ledger/balances",
    "/ledger/reconciliation", "/audit", "/switch", "/health",
)  # fmt: skip
PAGES = ("/", "/ui/decisions", "/ui/approvals", "/ui/ledger", "/ui/limits", "/ui/audit", "/ui/stop")


def api(world: World) -> Any:
    """The app on this treasury, open to five people."""
    people = tuple(Credential.of(name, role, token) for name, (role, token) in TOKENS.items())
    return create_app(
        world.service,
        ApiSettings(
            requests_per_minute=100_000, page_requests_per_minute=100_000, credentials=people,
            live_poll_s=0.5,
        ),
    )  # fmt: skip


def client_of(world: World) -> TestClient:
    return TestClient(
        api(world), base_url="http://127.0.0.1:8600", raise_server_exceptions=False,
        follow_redirects=False,
    )  # fmt: skip


def auth(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[name][1]}"}


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with client_of(world) as opened:
        yield opened


@pytest.mark.req("AP-04", "GV-02", "GV-01")
def test_ap_rebalance_403_with_its_decision_then_two_people_then_executed(
    world: World, client: TestClient
) -> None:
    asked = client.post("/portfolio/rebalance", json={}, headers=auth("amin"))
    assert asked.status_code == 403
    problem = asked.json()
    decision_id = problem["decision_id"]
    assert problem["code"] == "approval-required"
    (pending,) = client.get("/decisions/pending", headers=auth("vera")).json()
    assert pending["decision_id"] == decision_id
    again = client.post("/portfolio/rebalance", json={"force": True}, headers=auth("otto"))
    assert again.status_code == 409
    path, digest = f"/decisions/{decision_id}/approve", pending["plan"]["digest"]
    own = client.post(path, json={"approved": True}, headers=auth("amin"))
    assert own.status_code == 403, "the proposer approves nothing"
    other = client.post(path, json={"approved": True, "digest": "0" * 64}, headers=auth("ada"))
    assert other.status_code == 409
    first = client.post(path, json={"approved": True, "digest": digest}, headers=auth("ada"))
    assert (first.status_code, first.json()["state"]) == (200, "pending_approval")
    twice = client.post(path, json={"approved": True, "digest": digest}, headers=auth("ada"))
    assert twice.status_code == 403
    last = client.post(path, json={"approved": True, "digest": digest}, headers=auth("bea"))
    assert (last.status_code, last.json()["state"]) == (200, "done")
    done = client.get(f"/decisions/{decision_id}", headers=auth("vera")).json()
    assert {leg["state"] for leg in done["plan"]["legs"]} == {"settled"}
    late = client.post(path, json={"approved": False}, headers=auth("bea"))
    assert late.status_code == 409
    world.check_books()


@pytest.mark.req("RB-19", "AP-04")
def test_rb_mutex_two_posts_at_once(make: Build, mandate: Any) -> None:
    """One is answered 202, the other 409; the second asks while the first's cycle runs."""
    world = make()
    world.deploy()
    world.go(hours=1)
    inside, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        inside.set()
        assert go_on.wait(20)

    codes: list[int] = []
    with client_of(world) as client:

        def post(name: str) -> None:
            found = client.post("/portfolio/rebalance", json={}, headers=auth(name))
            codes.append(found.status_code)

        world.feed.when_asked = pause
        first = threading.Thread(target=post, args=("otto",))
        first.start()
        assert inside.wait(20)
        second = threading.Thread(target=post, args=("amin",))
        second.start()
        second.join(0.5)
        go_on.set()
        first.join(20)
        second.join(20)
    assert sorted(codes) == [202, 409]


@pytest.mark.req("AP-10")
def test_ap_health_500_with_the_same_body_when_the_database_is_gone(
    make: Build, tmp_path: Path
) -> None:
    world = make(url=f"sqlite:///{tmp_path / 'books.db'}")
    world.deploy()
    with client_of(world) as client:
        well = client.get("/health")
        for path in tmp_path.glob("books.db*"):
            path.rename(path.with_name("gone-" + path.name))
        ill = client.get("/health")
        assert (well.status_code, ill.status_code) == (200, 500)
        assert well.json().keys() == ill.json().keys()
        assert ill.json()["status"] == "unhealthy"
        assert client.get("/portfolio/status", headers=auth("vera")).status_code == 500


@pytest.mark.parametrize("when", ["before", "deployed", "restarted", "halted"])
def test_every_question_and_page_answers_in_every_state(world: World, when: str) -> None:
    if when != "before":
        world.deploy()
        world.live(3)
    if when == "restarted":
        world.restart()
    if when == "halted":
        world.service.lower_switch("vera", SwitchState.HALTED, "drill")
    with client_of(world) as client:
        for path in QUESTIONS:
            found = client.get(path, headers=auth("vera"))
            usual = when != "before" or path in QUESTIONS[5:]
            assert found.status_code == (200 if usual else 500), (path, found.text[:300])
            if not usual:
                assert found.json()["code"] == "data-unfit"
        for path in PAGES:
            assert client.get(path).status_code == 200, path
        if when != "before":
            assert "dynamic_nav_usd" in client.get("/metrics", headers=auth("vera")).text


@pytest.mark.req("DB-02")
def test_the_dashboards_numbers_are_the_apis(world: World) -> None:
    world.deploy()
    world.live(4)
    with client_of(world) as client:
        page = client.get("/").text
        body = client.get("/portfolio/status", headers=auth("vera")).json()
    total = body["total_value_usd_exact"].split(".")[0]
    assert f"${int(total):,}" in page
    for bucket in body["buckets"]:
        row = page[page.index(f'data-bucket="{bucket["bucket"]}"') :].split("</tr>")[0]
        shown = dict(re.findall(r'data-value="(\w+)"[^>]*>\s*([^<]*?)\s*<', row))
        assert shown["value"] == f"${int(bucket['value_usd']):,}"
        assert shown["weight"] == f"{bucket['weight_bps'] / 100:.2f} %"
        assert shown["target"] == f"{bucket['target_bps'] / 100:.2f} %"


# --- Chromium -------------------------------------------------------------------------------------


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """A server in a thread; the treasury is the test's to turn."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(api(world), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()


def sign_in(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/ui/sign-in")
    page.fill("[name=token]", TOKENS[name][1])
    page.click("main button[type=submit]")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def approve(page: Page, address: str, decision_id: str, note: str) -> None:
    page.goto(f"{address}/ui/approvals")
    card = page.locator(f'section[data-decision="{decision_id}"]')
    for words in ("What leaves", "Worst case", "Limits that bind", "What is not known"):
        expect(card).to_contain_text(words)
    card.get_by_label("Notes").fill(note)
    card.locator("[name=read]").check()
    card.get_by_role("button", name="Approve").click()
    expect(page.locator("[data-signature]").last).to_contain_text(note)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.req("DB-02", "DB-12", "GV-01", "GV-02")
def test_a_day_in_the_browser(world: World, address: str, chromium_path: Path) -> None:
    """Two people approve what waits, the overview shows it, and one stops everything."""
    asked = world.service.rebalance("otto", False, None)
    decision_id = str(asked.decision_id)
    with sync_playwright() as started:
        chromium = started.chromium.launch(
            executable_path=str(chromium_path),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        for name in ("ada", "bea"):
            context = chromium.new_context(viewport={"width": 1440, "height": 1000})
            context.set_default_timeout(20_000)
            page = context.new_page()
            sign_in(page, address, name)
            approve(page, address, decision_id, f"seen by {name}")
            context.close()
        assert world.service.pending() == []
        decided = world.service.decision(decision_id)
        assert decided.plan is not None
        assert decided.plan.state == "done"
        page = chromium.new_context().new_page()
        page.goto(address)
        body = page.request.get(
            f"{address}/portfolio/status", headers={"Authorization": "Bearer vera-token"}
        ).json()
        row = page.locator('tr[data-bucket="base_yield"]')
        expect(row.locator('[data-value="value"]')).to_have_text(
            f"${int(body['buckets'][0]['value_usd']):,}"
        )
        sign_in(page, address, "otto")
        page.goto(address)
        page.get_by_role("link", name="Emergency stop").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("prices look wrong")
        dialog.get_by_label("Yes, stop the treasury now.").check()
        dialog.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("alert")).to_contain_text("prices look wrong")
        chromium.close()
    assert world.switch.state() is SwitchState.HALTED
    newest = world.service.audit(1)[0]
    assert (newest.kind, newest.actor) == ("switch", "otto")
    assert "prices look wrong" in newest.payload
    world.check_books()

"""The forms without a browser's script: sessions, form tokens, roles, and the plain-post stop."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from dynamic.app.api.application import create_app
from dynamic.app.api.settings import Role
from dynamic.app.dashboard.sessions import COOKIE
from dynamic.errors import DataUnfit
from dynamic.policy.situation import SwitchState
from tests.app.conftest import TOKENS, Open, settings
from tests.app.sample_service import SampleService

PAGES = (
    "/", "/ui/decisions", "/ui/decisions/dec-0024", "/ui/approvals", "/ui/ledger", "/ui/limits",
    "/ui/audit", "/ui/stop", "/ui/sign-in",
)  # fmt: skip
PENDING = "dec-0024"
STOP = {"reason": "drill", "confirm": "yes", "to": "halted"}


def form_token(client: TestClient, page: str = "/ui/stop") -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', client.get(page).text)
    assert found is not None
    return found[1]


def sign_in(client: TestClient, role: Role) -> str:
    token = form_token(client, "/ui/sign-in")
    answer = client.post("/ui/sign-in", data={"token": TOKENS[role][1], "form_token": token})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    return form_token(client)


@pytest.mark.req("DB-12")
def test_every_page_carries_the_stop_and_says_which_world_it_is(
    client: TestClient, service: SampleService
) -> None:
    for page in PAGES:
        text = client.get(page).text
        assert re.search(r'id="stop"[^>]*href="/ui/stop"', text), page
        assert "Synthetic data" in text, page
        assert "paper · replay 2021-03-04" in text, page
    service.is_synthetic = False
    for page in PAGES:
        assert "Synthetic data" not in client.get(page).text, page


@pytest.mark.req("DB-12", "GV-09")
def test_the_stop_needs_reason_confirmation_person_and_our_form(
    client: TestClient, service: SampleService
) -> None:
    token = form_token(client)
    ours = {"form_token": token, "token": TOKENS[Role.OPERATOR][1]}
    refused = [
        (STOP | ours | {"reason": "  "}, 422),
        (STOP | ours | {"confirm": ""}, 422),
        (STOP | ours | {"token": ""}, 401),
        (STOP | ours | {"token": "nonsense"}, 401),
        (STOP | ours | {"token": TOKENS[Role.VIEWER][1]}, 403),
        (STOP | ours | {"form_token": "0" * 64}, 403),
        (STOP | ours | {"to": "sideways"}, 400),
    ]
    for data, status in refused:
        assert client.post("/ui/stop", data=data).status_code == status, data
        assert service.switch().state is SwitchState.ACTIVE
    rows = len(service.links)
    assert client.post("/ui/stop", data=STOP | ours).status_code == 303
    assert (service.switch().state, service.switch().actor) == (SwitchState.HALTED, "otto")
    assert "switch" in {link.kind for link in service.links[rows:]}
    assert "The switch is <strong>halted</strong>: drill (otto" in client.get("/").text


def test_a_form_of_another_browser_is_refused(open_client: Open, service: SampleService) -> None:
    mine, theirs = open_client(), open_client()
    token = sign_in(mine, Role.OPERATOR)
    theirs.get("/")
    assert theirs.post("/ui/stop", data=STOP | {"form_token": token}).status_code == 403
    assert service.switch().state is SwitchState.ACTIVE


def test_signing_in_makes_a_new_session_and_it_ends(open_client: Open) -> None:
    now = [0.0]
    client = open_client(ticks=lambda: now[0], session_s=100)
    client.get("/")
    planted = client.cookies[COOKIE]
    sign_in(client, Role.APPROVER)
    assert client.cookies[COOKIE] != planted
    assert "Sign out" in client.get("/").text
    now[0] = 100.0
    assert "Sign out" not in client.get("/").text
    sign_in(client, Role.APPROVER)
    assert client.post("/ui/sign-out", data={"form_token": form_token(client)}).status_code == 303
    assert "Sign out" not in client.get("/").text


@pytest.mark.req("SE-08")
def test_sign_ins_are_audited(client: TestClient, service: SampleService) -> None:
    token = form_token(client, "/ui/sign-in")
    assert client.post("/ui/sign-in", data={"token": "x", "form_token": token}).status_code == 401
    sign_in(client, Role.OPERATOR)
    assert [link.kind for link in service.links[-2:]] == ["sign-in-refused", "sign-in"]


@pytest.mark.req("GV-01", "AP-07")
def test_gv_queue_signing_in_the_browser(client: TestClient, service: SampleService) -> None:
    page = client.get("/ui/approvals").text
    assert "Sign in to approve or reject" in page
    token = sign_in(client, Role.APPROVER)
    page = client.get("/ui/approvals").text
    assert 'type="checkbox"' in page
    assert " checked" not in page.partition('class="stack sign"')[2].partition("</form>")[0]
    plan = service.decision(PENDING).plan
    assert plan is not None
    data = {"form_token": token, "digest": plan.digest, "answer": "approve", "notes": "seen"}
    url = f"/ui/decisions/{PENDING}/sign"
    assert client.post(url, data=data).status_code == 400  # the box wasn't ticked
    assert client.post(url, data=data | {"read": "yes", "digest": "0" * 64}).status_code == 409
    assert client.post(url, data=data | {"answer": "maybe"}).status_code == 400
    assert service.pending()
    assert client.post(url, data=data | {"read": "yes"}).status_code == 303
    assert service.pending() == []
    again = client.post(url, data=data | {"read": "yes"})
    assert again.status_code == 409
    assert "already decided" in again.text
    assert 'data-signature="ada"' in client.get(f"/ui/decisions/{PENDING}").text


@pytest.mark.req("SE-10")
def test_an_operator_may_not_sign_in_the_browser_either(
    client: TestClient, service: SampleService
) -> None:
    token = sign_in(client, Role.OPERATOR)
    data = {"form_token": token, "answer": "reject"}
    assert client.post(f"/ui/decisions/{PENDING}/sign", data=data).status_code == 403
    assert service.pending()
    assert client.post("/ui/rebalance", data={"form_token": token}).status_code == 303


@pytest.mark.req("AP-13")
def test_guesses_are_few_a_minute(open_client: Open, service: SampleService) -> None:
    client = open_client(ticks=lambda: 0.0, sign_ins_per_minute=3)
    data = {"token": "guess", "form_token": form_token(client)}
    tries = [client.post("/ui/sign-in", data=data).status_code for _ in range(4)]
    assert tries == [401, 401, 401, 429]
    stop = STOP | data
    assert client.post("/ui/stop", data=stop).status_code == 429
    assert len(service.links) == 4  # the start, and three refused guesses


def test_raising_needs_two(open_client: Open, service: SampleService) -> None:
    service.lower_switch("ines", SwitchState.HALTED, "drill")
    again = {"to": "active", "reason": "over", "confirm": "yes"}
    first, second = open_client(), open_client()
    token = sign_in(first, Role.OPERATOR)
    assert first.post("/ui/raise", data=again | {"form_token": token}).status_code == 303
    assert service.switch().state is SwitchState.HALTED
    assert "second person" in first.get("/").text
    token = sign_in(second, Role.APPROVER)
    assert second.post("/ui/raise", data=again | {"form_token": token}).status_code == 303
    assert service.switch().state is SwitchState.ACTIVE


@pytest.mark.req("DB-07")
def test_db_csv_every_widget_has_an_export_or_a_page_behind_it(client: TestClient) -> None:
    for page in PAGES:
        text = client.get(page).text
        widgets = re.split(r"data-widget=", text)[1:]
        for widget in widgets:
            links = re.findall(r'href="(/exports/[a-z_]+\.csv)"', widget)
            assert links, (page, widget[:40])
            assert client.get(links[0]).status_code == 200


def test_what_the_data_says_never_becomes_markup(
    client: TestClient, service: SampleService
) -> None:
    from dataclasses import replace

    evil = '"><script>alert(1)</script>'
    decision = service.made[-1]
    assert decision.plan is not None
    service.made[-1] = replace(
        decision, reasoning=evil, facts={evil: evil}, plan=replace(decision.plan, unknowns=(evil,))
    )
    for page in ("/", "/ui/decisions", f"/ui/decisions/{PENDING}", "/ui/approvals"):
        text = client.get(page).text
        assert "<script>alert" not in text
    assert "&lt;script&gt;" in client.get("/ui/decisions").text


def test_live_sends_only_what_changed(client: TestClient, service: SampleService) -> None:
    first = client.get("/ui/live/overview").json()
    seen = ",".join(f"{name}:{part['digest']}" for name, part in first["fragments"].items())
    quiet = client.get("/ui/live/overview", params={"seen": seen}).json()
    assert quiet["fragments"] == {}
    assert quiet["charts"] == first["charts"]
    service.nav += 1_000
    changed = client.get("/ui/live/overview", params={"seen": seen}).json()
    assert "figures" in changed["fragments"]
    assert "recent" not in changed["fragments"]
    assert changed["charts"]["nav"] != first["charts"]["nav"]
    assert changed["charts"]["mvrv"] == first["charts"]["mvrv"]


def test_pages_say_what_is_missing_instead_of_failing(
    client: TestClient, service: SampleService
) -> None:
    from dynamic.errors import NotFound

    service.made = []
    assert "Nothing waits for a signature" in client.get("/").text
    assert "No decision has been made yet" in client.get("/ui/decisions").text
    answer = client.get("/ui/decisions/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert NotFound.__name__ not in answer.text


class FirstMinute(SampleService):
    """A treasury that has observed nothing yet."""

    def _nothing(self, *_: object) -> Any:
        raise DataUnfit("nothing has been observed yet")

    market = market_history = signal = portfolio = performance = _nothing
    limits = reconcile = _nothing

    def decisions(self, limit: int, offset: int) -> list[Any]:
        return []

    def pending(self) -> list[Any]:
        return []

    def add_decision(self, *_: object, **__: object) -> Any:
        return None


def test_the_first_minute_has_pages_too() -> None:
    client = TestClient(create_app(FirstMinute(), settings()), base_url="http://127.0.0.1:8600")
    for page in ("/", "/ui/decisions", "/ui/approvals", "/ui/ledger", "/ui/limits", "/ui/stop"):
        answer = client.get(page)
        assert answer.status_code == 200, page
        assert "$0" not in answer.text, page  # nothing known is not nothing held
    text = client.get("/").text
    assert "Nothing has been observed yet" in text
    assert "Not enough observations yet" in text
    assert client.get("/ui/live/overview").status_code == 200
    assert client.get("/ui/chart/nav.json").json()["lines"] == []

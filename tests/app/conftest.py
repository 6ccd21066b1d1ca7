"""A sample treasury behind the real border, and the people who call it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from dynamic.app.api.application import create_app
from dynamic.app.api.settings import ApiSettings, Credential, Role
from tests.app.sample_service import SampleService

TOKENS = {
    Role.VIEWER: ("vera", "viewer-token"),
    Role.OPERATOR: ("otto", "operator-token"),
    Role.APPROVER: ("ada", "approver-token"),
    Role.ADMIN: ("amin", "admin-token"),
}
CREDENTIALS = tuple(Credential.of(name, role, token) for role, (name, token) in TOKENS.items())
CREDENTIALS += (Credential.of("odile", Role.OPERATOR, "operator-token-2"),)

Open = Callable[..., TestClient]


def bearer(role: Role) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[role][1]}"}


def settings(**changes: Any) -> ApiSettings:
    plain = {
        "requests_per_minute": 100_000,
        "page_requests_per_minute": 100_000,
        "credentials": CREDENTIALS,
        "live_poll_s": 0.5,
    }
    return ApiSettings(**(plain | changes))


@pytest.fixture
def service() -> SampleService:
    return SampleService()


@pytest.fixture
def open_client(service: SampleService) -> Iterator[Open]:
    """A client of an app with the settings the test wants."""
    made: list[TestClient] = []

    def make(ticks: Callable[[], float] | None = None, **changes: Any) -> TestClient:
        more = {} if ticks is None else {"ticks": ticks}
        app = create_app(service, settings(**changes), **more)
        client = TestClient(
            app, base_url="http://127.0.0.1:8600", raise_server_exceptions=False,
            follow_redirects=False,
        )  # fmt: skip
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(open_client: Open) -> TestClient:
    return open_client()

"""The published document is the implementation: schemathesis tries to find where it is not."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from dynamic.app.api.application import create_app
from dynamic.app.api.settings import Role
from tests.app.conftest import bearer
from tests.app.conftest import settings as api_settings
from tests.app.sample_service import SampleService

EXAMPLES = 60
APP = create_app(
    SampleService(), api_settings(allowed_hosts=frozenset({"127.0.0.1", "localhost", "testserver"}))
)
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", APP)


@pytest.mark.req("AP-15")
@pytest.mark.slow
@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,  # the same requests on every machine
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
def test_the_document_is_kept(case: schemathesis.Case) -> None:
    case.call_and_validate(headers=bearer(Role.ADMIN))


@pytest.mark.req("AP-15")
def test_the_eight_promised_endpoints_are_published() -> None:
    paths = APP.openapi()["paths"]
    promised = {
        "/market/data": "get", "/market/signal": "get", "/portfolio/status": "get",
        "/portfolio/rebalance": "post", "/decisions/pending": "get",
        "/decisions/{decision_id}/approve": "post", "/performance/metrics": "get", "/health": "get",
    }  # fmt: skip
    for path, method in promised.items():
        assert method in paths[path]
    for path, operations in paths.items():
        for operation in operations.values():
            assert "422" not in operation["responses"] or path in {
                "/switch/lower",
                "/switch/raise",
            }

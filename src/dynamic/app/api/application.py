"""The application: one treasury behind the border, with its API and its dashboard.

    create_app : TreasuryService x ApiSettings  ->  FastAPI

Endpoints are synchronous and run in the thread pool, as the core is. The document at
/openapi.json is made from the same models that check every answer.
"""

import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from dynamic import __version__
from dynamic.app.api import problems
from dynamic.app.api.auth import SECURITY, Doors
from dynamic.app.api.border import Border
from dynamic.app.api.commands import decision_commands, portfolio_commands, switch_commands
from dynamic.app.api.exports import export_routes
from dynamic.app.api.health import health_routes
from dynamic.app.api.idempotency import Once
from dynamic.app.api.questions import (
    book_routes,
    decision_routes,
    market_routes,
    portfolio_routes,
)
from dynamic.app.api.service import TreasuryService
from dynamic.app.api.settings import ApiSettings
from dynamic.app.dashboard.pages import install_dashboard

OPEN_PATHS = frozenset({"/health"})


def create_app(
    service: TreasuryService,
    settings: ApiSettings,
    ticks: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """Build the application. `ticks` is the monotonic clock of rates and sessions, in seconds."""
    app = FastAPI(
        title="Dynamic",
        version=__version__,
        description="An on-chain treasury: what it holds, what it decided and why, who may sign.",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    doors, once = Doors(settings), Once(service)
    app.include_router(market_routes(service, doors))
    app.include_router(portfolio_routes(service, doors))
    app.include_router(portfolio_commands(service, doors, once))
    app.include_router(decision_routes(service, doors))
    app.include_router(decision_commands(service, doors, once))
    app.include_router(book_routes(service, doors))
    app.include_router(switch_commands(service, doors))
    app.include_router(export_routes(service, doors))
    app.include_router(health_routes(service, doors))
    install_dashboard(app, service, settings, ticks)
    problems.install(app)
    app.add_middleware(Border, settings=settings, service=service, ticks=ticks)
    app.openapi = lambda: _document(app, settings)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI, settings: ApiSettings) -> dict[str, Any]:
    """Return the OpenAPI document; validation errors are 400 here, and problems all of them."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    found = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = found.setdefault("components", {})
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for name in ("HTTPValidationError", "ValidationError"):
        components.get("schemas", {}).pop(name, None)
    for path, operations in found["paths"].items():
        for operation in operations.values():
            _tidy(operation, path, settings)
    app.openapi_schema = found
    return found


def _tidy(operation: dict[str, Any], path: str, settings: ApiSettings) -> None:
    responses = operation["responses"]
    default = responses.get("422", {}).get("content", {}).get("application/json", {})
    if "HTTPValidationError" in str(default):
        del responses["422"]
    for status, response in responses.items():
        is_health = path in OPEN_PATHS and status == "500"
        if status >= "400" and not is_health:
            content = response.get("content", {})
            content.pop("application/json", None)
            content.setdefault(
                problems.MEDIA_TYPE, {"schema": {"$ref": "#/components/schemas/Problem"}}
            )
    if not settings.reads_are_open and path not in OPEN_PATHS:
        operation.update(SECURITY)

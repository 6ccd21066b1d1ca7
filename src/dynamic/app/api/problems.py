"""Problems: every error of the service as RFC 9457 `application/problem+json`.

    {"type": "urn:dynamic:problem:<code>", "title", "status", "detail", "code", ...}

A problem names what was expected and what was found, never a stack trace, a query or a
secret. An unexpected error carries only a correlation id, which the log repeats.
"""

import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from dynamic.errors import Conflict, DynamicError, NotFound, Refused, Unresolved

log = logging.getLogger("dynamic.api")

MEDIA_TYPE = "application/problem+json"


class Violation(BaseModel):
    """One field we would not interpret."""

    where: str
    expected: str


class ObjectionModel(BaseModel):
    """One guardrail's objection: observed and limit share the unit."""

    rule: str
    observed: int | None
    limit: int | None
    unit: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details, with a stable code."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    code: str
    correlation_id: str | None = None
    decision_id: str | None = None
    errors: list[Violation] | None = None
    findings: list[ObjectionModel] | None = None


class ProblemRaised(Exception):
    """Carries a finished problem out of a route."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = dict(headers or {})


def problem(status: int, code: str, detail: str, **more: Any) -> Problem:
    """Make a problem of a stable code."""
    return Problem(
        type=f"urn:dynamic:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        **more,
    )


def reply(found: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Turn a problem into a response; absent members are left out."""
    return JSONResponse(
        jsonable_encoder(found.model_dump(exclude_none=True)),
        status_code=found.status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def status_of(error: DynamicError) -> int:
    """Return the HTTP status of one of our errors; a source or store that fails is 500."""
    match error:
        case NotFound():
            return 404
        case Conflict() | Unresolved():
            return 409
        case Refused():
            return 400
        case _:
            return 500


def unexpected(error: BaseException) -> Problem:
    """Make the problem of a bug: nothing but an id, under which the log has the rest."""
    correlation_id = uuid.uuid4().hex
    log.error("unexpected error %s, correlation id %s", type(error).__name__, correlation_id)
    return problem(
        500,
        "internal",
        "an unexpected error; the log has it under the correlation id",
        correlation_id=correlation_id,
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe error responses for OpenAPI."""
    return {
        status: {
            "model": Problem,
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({*statuses, 400, 401, 429, 500})
    }


def install(app: FastAPI) -> None:
    """Make every error of the app a problem."""

    @app.exception_handler(ProblemRaised)
    def _raised(_: Request, error: ProblemRaised) -> JSONResponse:
        return reply(error.problem, error.headers)

    @app.exception_handler(DynamicError)
    def _ours(_: Request, error: DynamicError) -> JSONResponse:
        return reply(problem(status_of(error), error.code, error.message))

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            Violation(where=".".join(str(part) for part in each["loc"]), expected=each["msg"])
            for each in error.errors()[:20]
        ]
        detail = f"{errors[0].where}: {errors[0].expected}" if errors else "invalid request"
        return reply(problem(400, "invalid", f"{detail}; nothing was done", errors=errors))

    @app.exception_handler(HTTPException)
    def _http(_: Request, error: HTTPException) -> JSONResponse:
        status = 400 if error.status_code == 422 else error.status_code
        code = HTTPStatus(status).phrase.lower().replace(" ", "-")
        return reply(problem(status, code, str(error.detail)), error.headers)

    @app.exception_handler(Exception)
    def _bug(_: Request, error: Exception) -> JSONResponse:
        return reply(unexpected(error), {"Cache-Control": "no-store"})

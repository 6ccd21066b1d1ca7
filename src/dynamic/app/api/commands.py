"""Commands: the four POSTs, each with a person behind it and an audit row after it.

    POST /portfolio/rebalance         operator, admin
    POST /decisions/{id}/approve      approver, admin          (four eyes: never the proposer)
    POST /switch/lower                operator, approver, admin
    POST /switch/raise                operator, approver, admin  (from HALTED: two of them)

`force` skips drift and time triggers only (C-18). `approved: false` is a rejection (C-87).
"""

import unicodedata
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, create_model
from pydantic.json_schema import SkipJsonSchema

from dynamic.app.api.auth import PROPOSE, SECURITY, SIGN, SWITCH, Doors
from dynamic.app.api.contract import RebalanceReply, plan_data, transactions
from dynamic.app.api.idempotency import Once
from dynamic.app.api.problems import ObjectionModel, ProblemRaised, documented, problem
from dynamic.app.api.service import TreasuryService
from dynamic.app.api.settings import Person
from dynamic.app.api.wire import schema, wire
from dynamic.errors import Refused
from dynamic.policy.situation import SwitchState
from dynamic.trading.views import (
    DecisionResult,
    RebalanceResult,
    RebalanceStatus,
    SwitchView,
)
from dynamic.units import BPS

Key = Annotated[str | None, Header(alias="Idempotency-Key", pattern=r"^[A-Za-z0-9._:\-]{1,128}$")]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:@\-]{1,128}$")]


def legible(text: str) -> str:
    """Replace control characters, which no page or database should be asked to keep."""

    def keep(c: str) -> str:
        if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"):
            return c
        return " " if c.isspace() else "\ufffd"

    return "".join(map(keep, text))


Notes = Annotated[str, Field(max_length=2_000), AfterValidator(legible)]
# Published as it must be sent; an empty one gets its own answer, 422, from `rationale`.
Reason = Annotated[
    Notes, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 2_000, "pattern": r"\S"})
]


class ApproveRequest(BaseModel):
    """A signature or a rejection. `digest`, where sent, is the plan the person saw.

    A `decision_id` equal to the one of the path is accepted from older clients (C-87).
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    approved: bool
    notes: Notes = ""
    decision_id: SkipJsonSchema[str | None] = None
    digest: str | None = Field(None, pattern="^[0-9a-f]{64}$")


class LowerRequest(BaseModel):
    """Towards HALTED; the rationale is kept for ever (GV-09)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    to: Literal["reducing", "halted"]
    reason: Reason


class RaiseRequest(BaseModel):
    """Towards ACTIVE; the rationale is kept for ever (GV-09)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    to: Literal["active", "reducing"]
    reason: Reason


def rebalance_request(slippage_bps_max: int) -> type[BaseModel]:
    """Return the body of a rebalance, with the mandate's hard maximum in its schema."""
    made: type[BaseModel] = create_model(
        "RebalanceRequest",
        __config__=ConfigDict(extra="forbid", strict=True),
        __doc__="A request to rebalance; slippage is a fraction, floored to basis points.",
        force=(bool, False),
        max_slippage=(
            Annotated[float, Field(ge=1 / BPS, le=slippage_bps_max / BPS, allow_inf_nan=False)]
            | None,
            None,
        ),
    )
    return made


def portfolio_commands(service: TreasuryService, doors: Doors, once: Once) -> APIRouter:
    """Ask for a rebalance."""
    routes = APIRouter(tags=["portfolio"])
    body_model: Any = rebalance_request(service.slippage_bps_max())

    @routes.post(
        "/portfolio/rebalance",
        status_code=202,
        response_model=RebalanceReply,
        responses=documented(403, 409, 413),
        openapi_extra=SECURITY,
    )
    def rebalance(
        person: Annotated[Person, Depends(doors.needs(PROPOSE))],
        body: body_model | None = None,
        idempotency_key: Key = None,
    ) -> Response:
        """Run one cycle now. 403 where people must sign first; the body names the decision."""
        asked = body if body is not None else body_model()
        slippage = asked.max_slippage
        bps = None if slippage is None else int(slippage * BPS + 1e-9)

        def act() -> JSONResponse:
            return rebalanced(service.rebalance(person.name, asked.force, bps))

        return once.run(
            idempotency_key, "POST /portfolio/rebalance", person.name, asked.model_dump_json(), act
        )

    return routes


def rebalanced(result: RebalanceResult) -> JSONResponse:
    """Answer 202, or the problem that stands in the way."""
    objections = [ObjectionModel(**wire(finding)) for finding in result.findings]
    refusal = {
        RebalanceStatus.APPROVAL_REQUIRED: (403, "approval-required"),
        RebalanceStatus.DENIED: (403, "denied"),
        RebalanceStatus.CONFLICT: (409, "conflict"),
    }.get(result.status)
    if refusal is not None:
        status, code = refusal
        raise ProblemRaised(
            problem(
                status,
                code,
                result.message,
                decision_id=result.decision_id,
                findings=objections or None,
            )
        )
    return JSONResponse(
        RebalanceReply.model_validate(
            {
                "status": result.status.value,
                "message": result.message,
                "decision_id": result.decision_id,
                "plan": None if result.plan is None else plan_data(result.plan),
                "transactions": transactions(result.plan),
            }
        ).model_dump(mode="json"),
        status_code=202,
    )


def decision_commands(service: TreasuryService, doors: Doors, once: Once) -> APIRouter:
    """Sign, or refuse to."""
    routes = APIRouter(tags=["decisions"])

    @routes.post(
        "/decisions/{decision_id}/approve",
        response_model=schema(DecisionResult),
        responses=documented(403, 404, 409, 413),
        openapi_extra=SECURITY,
    )
    def approve(
        decision_id: Name,
        body: ApproveRequest,
        person: Annotated[Person, Depends(doors.needs(SIGN))],
        idempotency_key: Key = None,
    ) -> Response:
        """Approve or reject the plan of a decision; execution follows by itself."""
        if body.decision_id is not None and body.decision_id != decision_id:
            detail = "decision_id of the body and of the path differ; nothing was done"
            raise ProblemRaised(problem(400, "mismatch", detail))

        def act() -> JSONResponse:
            return JSONResponse(wire(signed(service, decision_id, person, body)))

        route = f"POST /decisions/{decision_id}/approve"
        return once.run(idempotency_key, route, person.name, body.model_dump_json(), act)

    return routes


def signed(
    service: TreasuryService, decision_id: str, person: Person, body: ApproveRequest
) -> DecisionResult:
    """Record the signature; a person who may not sign this one is 403."""
    try:
        return service.decide(decision_id, person.name, body.approved, body.notes, body.digest)
    except Refused as refused:
        raise ProblemRaised(problem(403, refused.code, refused.message)) from refused


def switch_commands(service: TreasuryService, doors: Doors) -> APIRouter:
    """Stop, and start again."""
    routes = APIRouter(tags=["switch"])
    answer: Any = schema(SwitchView)

    @routes.post(
        "/switch/lower",
        response_model=answer,
        responses=documented(403, 409, 413, 422),
        openapi_extra=SECURITY,
    )
    def lower(
        body: LowerRequest, person: Annotated[Person, Depends(doors.needs(SWITCH))]
    ) -> dict[str, Any]:
        """Move the switch towards HALTED, at once. 422 without a reason."""
        reason = rationale(body.reason)
        return wire(service.lower_switch(person.name, SwitchState(body.to), reason))

    @routes.post(
        "/switch/raise",
        response_model=answer,
        responses=documented(403, 409, 413, 422),
        openapi_extra=SECURITY,
    )
    def raise_(
        body: RaiseRequest, person: Annotated[Person, Depends(doors.needs(SWITCH))]
    ) -> dict[str, Any]:
        """Ask to raise the switch; from HALTED it takes two people. 422 without a reason."""
        reason = rationale(body.reason)
        return wire(service.raise_switch(person.name, SwitchState(body.to), reason))

    return routes


def rationale(reason: str) -> str:
    """Return the reason, or refuse an empty one with 422 (GV-09)."""
    if not reason.strip():
        detail = "expected a reason, found none; nothing was done"
        raise ProblemRaised(problem(422, "reason-missing", detail))
    return reason.strip()

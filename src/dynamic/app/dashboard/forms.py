"""Forms: what a person can do here. Every one works as a plain post, without a script.

    POST /ui/sign-in, /ui/sign-out
    POST /ui/stop                          lower the switch; reason and confirmation are mandatory
    POST /ui/raise                         ask to raise it; two people from HALTED
    POST /ui/decisions/{id}/sign           approve or reject, bound to the digest that was shown
    POST /ui/rebalance                     run one cycle now

A form without our form token is refused. The same roles hold as for the API.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from dynamic.app.api.auth import PROPOSE, SIGN, SWITCH, require
from dynamic.app.api.commands import ApproveRequest, legible, rationale, signed
from dynamic.app.api.problems import ProblemRaised, problem
from dynamic.app.api.settings import Person, Role
from dynamic.app.dashboard.screen import Screen, page_route
from dynamic.app.dashboard.sessions import Session
from dynamic.errors import Refused
from dynamic.policy.situation import SwitchState
from dynamic.trading.views import RebalanceStatus

Text = Annotated[str, Form(max_length=2_000)]


def form_routes(screen: Screen) -> APIRouter:
    """The posts of the dashboard."""
    routes = APIRouter(prefix="/ui", route_class=page_route(screen), include_in_schema=False)

    @routes.get("/sign-in")
    def sign_in_page(request: Request) -> Response:
        return _sign_in_page(screen, request, 200, "")

    @routes.post("/sign-in")
    def sign_in(request: Request, token: Text = "", form_token: Text = "") -> Response:
        session = _ours(screen, request, form_token)
        person = _identified(screen, request, token)
        if person is None:
            screen.service.note("unknown", "sign-in-refused", "{}")
            return _sign_in_page(screen, request, 401, "This token is not known here.")
        return _entered(screen, request, session, person, "/")

    @routes.post("/sign-out")
    def sign_out(request: Request, form_token: Text = "") -> Response:
        screen.sessions.sign_out(_ours(screen, request, form_token))
        return RedirectResponse("/", status_code=303)

    @routes.post("/stop")
    def stop(
        request: Request,
        reason: Text = "",
        confirm: Text = "",
        to: Text = SwitchState.HALTED.value,
        token: Text = "",
        form_token: Text = "",
    ) -> Response:
        session = _ours(screen, request, form_token)
        error = _unconfirmed(reason, confirm)
        if error:
            return screen.page(request, "stop.html", page="plain", status=422, error=error)
        person = _person(session, SWITCH, _identified(screen, request, token))
        screen.service.lower_switch(person.name, _state(to), legible(rationale(reason)))
        if session.person is None:
            return _entered(screen, request, session, person, "/ui/stop")
        return RedirectResponse("/ui/stop", status_code=303)

    @routes.post("/raise")
    def raise_(
        request: Request,
        reason: Text = "",
        confirm: Text = "",
        to: Text = "",
        form_token: Text = "",
    ) -> Response:
        session = _ours(screen, request, form_token)
        error = _unconfirmed(reason, confirm)
        if error:
            return screen.page(request, "stop.html", page="plain", status=422, error=error)
        person = _person(session, SWITCH)
        screen.service.raise_switch(person.name, _state(to), legible(rationale(reason)))
        return RedirectResponse("/ui/stop", status_code=303)

    _decision_forms(routes, screen)
    return routes


def _decision_forms(routes: APIRouter, screen: Screen) -> None:
    @routes.post("/decisions/{decision_id}/sign")
    def sign(
        request: Request,
        decision_id: str,
        answer: Text = "",
        notes: Text = "",
        read: Text = "",
        digest: Text = "",
        form_token: Text = "",
    ) -> Response:
        person = _person(_ours(screen, request, form_token), SIGN)
        if answer not in ("approve", "reject"):
            raise Refused("expected approve or reject; nothing was signed")
        if answer == "approve" and read != "yes":
            raise Refused(
                "approving needs the box that says you have read what leaves; nothing was signed"
            )
        body = ApproveRequest(approved=answer == "approve", notes=notes, digest=digest or None)
        signed(screen.service, decision_id, person, body)
        return RedirectResponse(f"/ui/decisions/{decision_id}", status_code=303)

    @routes.post("/rebalance")
    def rebalance(request: Request, form_token: Text = "") -> Response:
        person = _person(_ours(screen, request, form_token), PROPOSE)
        result = screen.service.rebalance(person.name, False, None)
        if result.status in (RebalanceStatus.DENIED, RebalanceStatus.CONFLICT):
            raise ProblemRaised(problem(409, result.status.value, result.message))
        where = "/ui/decisions"
        if result.decision_id is not None:
            where = f"{where}/{result.decision_id}"
        return RedirectResponse(where, status_code=303)


def _sign_in_page(screen: Screen, request: Request, status: int, error: str) -> Response:
    return screen.page(request, "sign_in.html", page="plain", status=status, error=error)


def _ours(screen: Screen, request: Request, form_token: str) -> Session:
    session = screen.sessions.of(request)
    if not screen.sessions.is_ours(session, form_token):
        detail = (
            "this form is too old or came from elsewhere; nothing was done. Load the page again."
        )
        raise ProblemRaised(problem(403, "form-token", detail))
    return session


def _identified(screen: Screen, request: Request, token: str) -> Person | None:
    """Return whose token this is; guesses are few a minute, so that the audit log stays short."""
    if not token.strip():
        return None
    wait_s = screen.sign_ins.wait_s(request.client.host if request.client else "unknown")
    if wait_s > 0:
        raise ProblemRaised(problem(429, "too-many-requests", f"Try again in {wait_s:.0f} s."))
    return screen.settings.identify(token.strip())


def _person(session: Session, roles: frozenset[Role], named: Person | None = None) -> Person:
    person = session.person or named
    if person is None:
        raise ProblemRaised(problem(401, "unauthorized", "Please sign in first; nothing was done."))
    require(person, roles)
    return person


def _entered(
    screen: Screen, request: Request, session: Session, person: Person, where: str
) -> Response:
    screen.service.note(person.name, "sign-in", "{}")
    response = RedirectResponse(where, status_code=303)
    screen.sessions.keep(request, response, screen.sessions.sign_in(session, person))
    return response


def _unconfirmed(reason: str, confirm: str) -> str:
    if not reason.strip():
        return "A reason is needed; nothing was changed."
    if confirm != "yes":
        return "Please tick the box to confirm; nothing was changed."
    return ""


def _state(name: str) -> SwitchState:
    if name not in {state.value for state in SwitchState}:
        raise Refused("expected active, reducing or halted; nothing was changed")
    return SwitchState(name)

"""Pages: what a person can look at. `/` is the overview; the rest lives under `/ui/`."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from dynamic.app.api.border import RateLimit
from dynamic.app.api.problems import ProblemRaised, problem
from dynamic.app.api.service import TreasuryService
from dynamic.app.api.settings import ApiSettings
from dynamic.app.dashboard import charts, fragments, svg
from dynamic.app.dashboard.forms import form_routes
from dynamic.app.dashboard.glance import Glance
from dynamic.app.dashboard.screen import HOME, Screen, page_route
from dynamic.app.dashboard.sessions import Sessions
from dynamic.policy.situation import SwitchState

Range = Literal["7d", "30d", "90d", "1y", "all"]
Page = Literal[
    "overview", "decisions", "decision", "approvals", "ledger", "limits", "audit", "plain"
]
Filter = Annotated[str, Query(pattern=r"^[A-Za-z0-9._:\-]{0,128}$")]
PER_PAGE = 50


def install_dashboard(
    app: FastAPI, service: TreasuryService, settings: ApiSettings, ticks: Callable[[], float]
) -> None:
    """Put the dashboard on an application."""
    sessions = Sessions(settings, ticks)
    sign_ins = RateLimit(settings.sign_ins_per_minute, ticks)
    screen = Screen(service, settings, sessions, sign_ins)
    app.mount("/static", StaticFiles(directory=HOME / "static"), name="static")
    app.include_router(page_routes(screen))
    app.include_router(live_routes(screen))
    app.include_router(form_routes(screen))


def _reader(screen: Screen) -> Callable[[Request], None]:
    def door(request: Request) -> None:
        if screen.settings.reads_are_open or screen.sessions.of(request).person is not None:
            return
        raise ProblemRaised(problem(401, "unauthorized", "Please sign in to read this."))

    return door


def page_routes(screen: Screen) -> APIRouter:
    """The pages."""
    routes = APIRouter(
        route_class=page_route(screen),
        dependencies=[Depends(_reader(screen))],
        include_in_schema=False,
        default_response_class=HTMLResponse,
    )

    @routes.get("/")
    def overview(request: Request, range: Range = "90d") -> Response:  # noqa: A002 - its name in the address
        glance = Glance(screen.service, range)
        return screen.page(
            request, "overview.html", page="overview", glance=glance, ranges=charts.RANGES
        )

    @routes.get("/ui/decisions")
    def decisions(request: Request) -> Response:
        return screen.page(request, "decisions.html", page="decisions")

    @routes.get("/ui/decisions/{decision_id}")
    def decision(request: Request, decision_id: str) -> Response:
        found = screen.service.decision(decision_id)
        return screen.page(request, "decision.html", page="decision", decision=found)

    @routes.get("/ui/approvals")
    def approvals(request: Request) -> Response:
        return screen.page(request, "approvals.html", page="approvals")

    @routes.get("/ui/ledger")
    def ledger(
        request: Request,
        account: Filter = "",
        asset: Filter = "",
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    ) -> Response:
        more: dict[str, Any] = {"account": account, "asset": asset, "offset": offset}
        if account or asset or offset:
            more["found"] = screen.service.ledger(account or None, asset or None, PER_PAGE, offset)
        else:
            more["found"] = None
        return screen.page(request, "ledger.html", page="ledger", per_page=PER_PAGE, **more)

    @routes.get("/ui/limits")
    def limits(request: Request) -> Response:
        mandate = screen.service.mandate_text()
        return screen.page(request, "limits.html", page="limits", mandate=mandate)

    @routes.get("/ui/audit")
    def audit(request: Request) -> Response:
        return screen.page(request, "audit.html", page="audit")

    @routes.get("/ui/stop")
    def stop(request: Request) -> Response:
        return screen.page(request, "stop.html", page="plain", error="", states=tuple(SwitchState))

    return routes


def live_routes(screen: Screen) -> APIRouter:
    """What an open page asks for: changed fragments, and charts as data or SVG."""
    routes = APIRouter(dependencies=[Depends(_reader(screen))], include_in_schema=False)

    @routes.get("/ui/live/{page}")
    def live(
        page: Page,
        range: Range = "90d",  # noqa: A002 - its name in the address
        seen: Annotated[str, Query(max_length=2_000)] = "",
    ) -> JSONResponse:
        had = dict(part.split(":", 1) for part in seen.split(",") if ":" in part)
        glance = Glance(screen.service, range)
        digests = {
            name: charts.digest(charts.CHARTS[name](glance))
            for name in fragments.PAGE_CHARTS.get(page, ())
        }
        return JSONResponse(
            {
                "fragments": fragments.changed(screen.environment, page, glance, had),
                "charts": digests,
            }
        )

    @routes.get("/ui/chart/{name}.json")
    def chart_data(name: str, range: Range = "90d") -> JSONResponse:  # noqa: A002
        found = _chart(screen, name, range)
        return JSONResponse(charts.as_data(found) | {"digest": charts.digest(found)})

    @routes.get("/ui/chart/{name}.svg")
    def chart_drawing(name: str, range: Range = "90d") -> HTMLResponse:  # noqa: A002
        return HTMLResponse(svg.chart(_chart(screen, name, range)))

    @routes.get("/favicon.ico")
    def favicon() -> RedirectResponse:
        return RedirectResponse("/static/mark.svg", status_code=308)

    return routes


def _chart(screen: Screen, name: str, time_range: str) -> svg.Chart:
    draw = charts.CHARTS.get(name)
    if draw is None:
        raise ProblemRaised(problem(404, "not-found", "there is no such chart"))
    return draw(Glance(screen.service, time_range))

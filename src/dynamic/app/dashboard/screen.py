"""The screen: templates, what stands on every page, and errors as pages.

Templates escape everything; SVG drawn by us is the only markup let through.
"""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException

from dynamic.app.api.border import RateLimit
from dynamic.app.api.problems import Problem, ProblemRaised, problem, status_of
from dynamic.app.api.service import TreasuryService
from dynamic.app.api.settings import ApiSettings
from dynamic.app.dashboard import charts, fragments, show, svg
from dynamic.app.dashboard.glance import Glance
from dynamic.app.dashboard.sessions import Session, Sessions
from dynamic.errors import DynamicError

HOME: Final = Path(__file__).parent
VENDOR: Final = HOME / "static" / "vendor"
CHART_SCRIPT: Final = "lightweight-charts.js"


def templates() -> Environment:
    """Load the templates with our ways of writing numbers."""
    environment = Environment(
        loader=FileSystemLoader(HOME / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in (
        "usd", "signed_usd", "percent", "signed_percent", "bps", "points", "span", "ago", "instant",
        "measure", "amount", "brief", "tone", "words", "used_percent", "weight_percent",
    ):  # fmt: skip
        environment.filters[name] = getattr(show, name)
    environment.globals["has_fonts"] = _has_fonts
    environment.globals["ring"] = lambda shares: Markup(svg.ring(shares))  # noqa: S704 - ours
    return environment


def _has_fonts() -> bool:
    return (VENDOR / "fonts.css").exists()


class Screen:
    """Renders pages for one treasury."""

    def __init__(
        self,
        service: TreasuryService,
        settings: ApiSettings,
        sessions: Sessions,
        sign_ins: RateLimit,
    ) -> None:
        self.service = service
        self.settings = settings
        self.sessions = sessions
        self.sign_ins = sign_ins
        self.environment = templates()

    def page(
        self,
        request: Request,
        name: str,
        *,
        page: str,
        status: int = 200,
        session: Session | None = None,
        **more: Any,
    ) -> Response:
        """Render a page with the parts that stand on every one."""
        session = session or self.sessions.of(request)
        glance = more.pop("glance", None) or Glance(self.service)
        html = self.environment.get_template(name).render(
            glance=glance,
            page=page,
            session=session,
            nonce=request.state.nonce,
            poll_ms=int(self.settings.live_poll_s * 1000),
            has_chart_script=(VENDOR / CHART_SCRIPT).exists(),
            path=request.url.path,
            fragment=lambda part: self.fragment(part, glance),
            chart=lambda chart: self.chart(chart, glance),
            **more,
        )
        response = HTMLResponse(html, status_code=status)
        self.sessions.keep(request, response, session)
        return response

    def fragment(self, name: str, glance: Glance) -> Markup:
        """Render a fragment inside the element that its next version will replace."""
        html, digest = fragments.render(self.environment, name, glance)
        return Markup('<div class="fragment" data-fragment="{}" data-digest="{}">{}</div>').format(
            name,
            digest,
            Markup(html),  # noqa: S704 - rendered by our own escaping templates
        )

    def chart(self, name: str, glance: Glance) -> Markup:
        """Render a chart as SVG; the browser may draw it again from the same data."""
        found = charts.CHARTS[name](glance)
        return Markup(
            '<div class="chart" data-chart="{}" data-digest="{}" data-points="{}">{}</div>'
        ).format(
            name,
            charts.digest(found),
            found.points_count,
            Markup(svg.chart(found)),  # noqa: S704 - drawn by us
        )

    def trouble(self, request: Request, found: Problem) -> Response:
        """Show a problem to a person."""
        html = self.environment.get_template("problem.html").render(
            problem=found, nonce=request.state.nonce
        )
        return HTMLResponse(html, status_code=found.status)


def page_route(screen: Screen) -> type[APIRoute]:
    """Return the kind of route whose expected errors are pages."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def shown(request: Request) -> Response:
                try:
                    return await handle(request)
                except ProblemRaised as raised:
                    return screen.trouble(request, raised.problem)
                except DynamicError as error:
                    return screen.trouble(
                        request, problem(status_of(error), error.code, error.message)
                    )
                except RequestValidationError:
                    return screen.trouble(
                        request, problem(400, "invalid", "this form or address isn't complete")
                    )
                except HTTPException as error:
                    return screen.trouble(
                        request, problem(error.status_code, "refused", str(error.detail))
                    )

            return shown

    return PageRoute

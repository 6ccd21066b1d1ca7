"""Health and metrics: whether the service can do its work, for people and for machines.

`GET /health` needs no token: it says nothing about money. 500 when unhealthy, with the same
body as 200 (C-47); `degraded` is 200.
"""

from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dynamic.app.api.auth import Doors
from dynamic.app.api.problems import documented
from dynamic.app.api.service import TreasuryService
from dynamic.app.api.wire import money, schema, wire
from dynamic.policy.situation import SwitchState
from dynamic.trading.views import HealthView, LimitState

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def health_routes(service: TreasuryService, doors: Doors) -> APIRouter:
    """The two questions monitoring asks."""
    routes = APIRouter(tags=["health"])
    answer = schema(HealthView)
    answers = documented()
    del answers[401]
    answers[500] = {"model": answer, "description": "Unhealthy; the same body as 200."}

    @routes.get("/health", response_model=answer, responses=answers)
    def health() -> JSONResponse:
        """The state of the store, the sources, the protocols, the AI and the switch."""
        found = service.health()
        return JSONResponse(wire(found), status_code=500 if found.status == "unhealthy" else 200)

    metrics_answers = documented()
    metrics_answers[200] = {
        "content": {METRICS_TYPE: {"schema": {"type": "string"}}},
        "description": "Prometheus text.",
    }

    @routes.get(
        "/metrics",
        response_class=Response,
        responses=metrics_answers,
        dependencies=[Depends(doors.reader)],
    )
    def metrics() -> Response:
        """Gauges of the treasury in Prometheus text."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Gauges(service))
        return Response(generate_latest(registry), media_type=METRICS_TYPE)

    return routes


class _Gauges(Collector):
    """Reads the service when it is scraped; keeps nothing."""

    def __init__(self, service: TreasuryService) -> None:
        self._service = service

    def collect(self) -> list[Any]:
        """Return the gauges; a value that isn't known has no sample."""
        portfolio, limits = self._service.portfolio(), self._service.limits()
        state = self._service.switch().state
        switch = GaugeMetricFamily(
            "dynamic_switch_state", "1 for the state in force", labels=["state"]
        )
        for each in SwitchState:
            switch.add_metric([each.value], 1.0 if each is state else 0.0)
        observed = GaugeMetricFamily(
            "dynamic_guardrail_observed", "observed value", labels=["rule", "unit"]
        )
        limit = GaugeMetricFamily("dynamic_guardrail_limit", "limit", labels=["rule", "unit"])
        breached = GaugeMetricFamily("dynamic_guardrail_breached", "1 in breach", labels=["rule"])
        for each_limit in limits:
            labels = [each_limit.rule, each_limit.unit]
            if each_limit.observed is not None:
                observed.add_metric(labels, each_limit.observed)
            limit.add_metric(labels, each_limit.limit)
            breached.add_metric(
                [each_limit.rule], 1.0 if each_limit.state is LimitState.BREACH else 0.0
            )
        return [
            _gauge("dynamic_nav_usd", "net asset value", money(portfolio.total_usd_micro)),
            _gauge("dynamic_volatile_usd", "volatile assets", money(portfolio.volatile_usd_micro)),
            _gauge("dynamic_drawdown_bps", "below the high-water mark", portfolio.drawdown_bps),
            _gauge("dynamic_gas_24h_usd", "gas of a day", money(portfolio.gas_24h_usd_micro)),
            _gauge("dynamic_pending_approvals", "waiting", len(self._service.pending())),
            switch,
            observed,
            limit,
            breached,
        ]


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)

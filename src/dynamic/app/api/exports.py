"""Exports: every widget of the dashboard as CSV, exact figures, one table per name."""

import csv
import dataclasses
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

from fastapi import APIRouter, Depends, Response

from dynamic.app.api.auth import Doors
from dynamic.app.api.problems import documented
from dynamic.app.api.service import TreasuryService
from dynamic.trading.views import MarketHistory, PerformanceView, Point
from dynamic.units import iso

Export = Literal[
    "allocation", "approvals", "attribution", "audit", "balances", "benchmarks", "decisions",
    "drawdown", "entries", "fear_greed", "funding", "legs", "limits", "mvrv", "nav", "positions",
    "prices", "readings", "reconciliation", "sources", "summary", "targets", "trades",
]  # fmt: skip
Rows = Iterable[Mapping[str, Any]]

ROWS_MAX = 5_000
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def export_routes(service: TreasuryService, doors: Doors) -> APIRouter:
    """One route; its name says which table."""
    routes = APIRouter(tags=["exports"], dependencies=[Depends(doors.reader)])
    answers = documented(404)
    answers[200] = {
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "description": "A table with its header line.",
    }

    @routes.get("/exports/{name}.csv", response_class=Response, responses=answers)
    def export(name: Export) -> Response:
        """One widget's rows."""
        return Response(
            as_csv(rows(service, name)),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        )

    return routes


def rows(service: TreasuryService, name: Export) -> Rows:
    """Return the rows of one table."""
    return _TABLES[name](service)


def as_csv(table: Rows) -> str:
    """Write rows with the union of their columns as header; text can't start a formula."""
    found = [dict(row) for row in table]
    columns = list(dict.fromkeys(column for row in found for column in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\r\n")
    writer.writeheader()
    for row in found:
        writer.writerow({column: _cell(row.get(column)) for column in columns})
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(DANGEROUS) and not _is_number(value):
        return f"'{value}"
    return "" if value is None else value


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _flat(view: Any) -> dict[str, Any]:
    """Return the scalar members of a view, instants in ISO."""
    found: dict[str, Any] = {}
    for each in dataclasses.fields(view):
        value = getattr(view, each.name)
        if each.name.endswith("at_s") and value is not None:
            found[each.name.removesuffix("_s")] = iso(value)
        elif value is None or isinstance(value, str | int | float):
            found[each.name] = value
    return found


def _line(points: Sequence[Point], name: str) -> Rows:
    return [{"at": iso(point.at_s), name: point.value} for point in points]


def _lines(lines: Mapping[str, Sequence[Point]]) -> Rows:
    return [
        {"at": iso(point.at_s), "series": name, "value": point.value}
        for name, points in lines.items()
        for point in points
    ]


def _performance(service: TreasuryService) -> PerformanceView:
    return service.performance("all")


def _history(service: TreasuryService) -> MarketHistory:
    return service.market_history(ROWS_MAX)


def _entries(service: TreasuryService) -> Rows:
    return [
        {**_flat(entry), **_flat(posting)}
        for entry in service.ledger(None, None, 500, 0)
        for posting in entry.postings
    ]


def _summary(service: TreasuryService) -> Rows:
    found = {**_flat(service.portfolio()), **_flat(service.performance("30d"))}
    return [{"figure": key, "value": value} for key, value in found.items()]


def _reconciliation(service: TreasuryService) -> Rows:
    found = service.reconcile()
    checked = {"at": iso(found.at_s), "positions_checked": found.positions_checked}
    return [{**checked, **_flat(residue)} for residue in found.residues] or [checked]


def _approvals(service: TreasuryService) -> Rows:
    """Everything that ever asked for a signature, waiting or not."""
    return [
        {"decision_id": decision.decision_id, **_flat(decision.plan)}
        for decision in service.decisions(500, 0)
        if decision.plan is not None and decision.plan.signatures_required > 0
    ]


def _legs(service: TreasuryService) -> Rows:
    """Every leg of every plan: what its signer read, and what became of it."""
    return [
        {"decision_id": decision.decision_id, **_flat(leg)}
        for decision in service.decisions(500, 0)
        if decision.plan is not None
        for leg in decision.plan.legs
    ]


_TABLES: dict[str, Callable[[TreasuryService], Rows]] = {
    "allocation": lambda s: [{**_flat(b), "drift_bps": b.drift_bps} for b in s.portfolio().buckets],
    "approvals": _approvals,
    "attribution": lambda s: [
        {"source": key, "usd_micro": value}
        for key, value in _performance(s).attribution_usd_micro.items()
    ],
    "audit": lambda s: [_flat(link) for link in s.audit(500)],
    "balances": lambda s: [_flat(balance) for balance in s.balances()],
    "benchmarks": lambda s: _lines({b.name: b.series for b in _performance(s).benchmarks}),
    "decisions": lambda s: [_flat(decision) for decision in s.decisions(500, 0)],
    "drawdown": lambda s: _line(_performance(s).drawdown, "drawdown"),
    "entries": _entries,
    "fear_greed": lambda s: _line(_history(s).fear_greed, "fear_greed"),
    "funding": lambda s: _lines(_history(s).funding),
    "legs": _legs,
    "limits": lambda s: [_flat(limit) for limit in s.limits()],
    "mvrv": lambda s: _line(_history(s).mvrv, "mvrv_z"),
    "nav": lambda s: _line(_performance(s).equity, "nav_usd"),
    "positions": lambda s: [_flat(position) for position in s.portfolio().positions],
    "prices": lambda s: _lines(_history(s).prices),
    "readings": lambda s: [_flat(reading) for reading in s.market().readings],
    "reconciliation": _reconciliation,
    "sources": lambda s: [_flat(source) for source in s.health().sources],
    "summary": _summary,
    "targets": lambda s: [_flat(target) for target in _performance(s).targets],
    "trades": lambda s: [_flat(trade) for trade in _performance(s).trades],
}

EXPORTS: tuple[str, ...] = get_args(Export)

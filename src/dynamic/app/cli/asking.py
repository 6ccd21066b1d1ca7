"""Questions: status, plan, ledger, audit verify, reconcile. They read the store.

They change nothing, but that `reconcile --explain` lets two people book what nobody had named.

They answer whether or not a service runs, from what is committed.
"""

import time
from typing import Annotated, Any, Final

import typer

from dynamic.app.cli.home import mandate_of, reader_of, settings_of
from dynamic.app.cli.options import AsJson, ConfigFile, DatabaseUrl, DataDir, MandateFile
from dynamic.app.cli.output import Exit, emit, facts, say, stop, table
from dynamic.errors import NotFound, Refused

RECONCILE_TRIES: Final = 4  # a cycle in progress moves both sides, one after the other
RECONCILE_PAUSE_S: Final = 0.5

audit = typer.Typer(no_args_is_help=True, help="The audit chain.")


def status(
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    mandate: MandateFile = None,
    config: ConfigFile = None,
) -> None:
    """Show where the treasury stands."""
    settings = settings_of(config, data_dir, database_url, mandate)
    from dynamic.adapters.switch_file import SwitchFile
    from dynamic.app.cli.remote import Remote
    from dynamic.trading.opening import SWITCH_FILE
    from dynamic.trading.standing import standing

    judged, reader = mandate_of(settings, "paper"), reader_of(settings)
    try:
        switch = SwitchFile(settings.data_dir / SWITCH_FILE).state()
        page = standing(reader, switch, judged, settings.data_dir, int(time.time()))
    finally:
        reader.close()
    health = Remote(settings).health()
    page["service"] = None if health is None else health["status"]
    synthetic = " · synthetic" if page["is_synthetic"] else ""
    page["mode_label"] = f"paper{synthetic}" if health is None else health["mode_label"]
    if as_json:
        emit(page)
        return
    _show(page)


def _show(page: dict[str, Any]) -> None:
    nav, last = page["nav"], page["last_decision"]
    facts(
        f"Treasury: {page['mode_label']}",
        {
            "NAV": "not known yet" if nav is None else f"{nav['usd']} USD at {nav['at']}",
            "drawdown": "not known yet" if nav is None else f"{nav['drawdown_bps']} bps",
            "switch": page["switch"],
            "phase": page["phase"] or "not known yet",
            "last decision": "none" if last is None else f"{last['outcome']}: {last['reasoning']}",
            "waiting for people": str(len(page["pending"])),
            "service": page["service"] or "not running",
            "data": "SYNTHETIC" if page["is_synthetic"] else "observed or assumed, as labelled",
        },
    )
    if page["allocation"] is not None:
        rows = [
            [name, f"{b['value_usd_micro'] / 1e6:.2f}", str(b["weight_bps"]), _or_dash(b)]
            for name, b in page["allocation"].items()
        ]
        table("Allocation", ("bucket", "USD", "bps", "target bps"), rows)
    jobs = [[j["name"], j["last"] or "never", j["next"] or "at once"] for j in page["jobs"]]
    table("Jobs", ("job", "last", "next"), jobs)


def _or_dash(bucket: dict[str, Any]) -> str:
    return "-" if bucket["target_bps"] is None else str(bucket["target_bps"])


def plan(
    decision_id: Annotated[
        str | None, typer.Argument(help="A decision; without it the plan in hand.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    mandate: MandateFile = None,
    config: ConfigFile = None,
) -> None:
    """Show the plan in hand, or the plan of a decision: what leaves, and the worst case."""
    settings = settings_of(config, data_dir, database_url, mandate)
    judged, reader = mandate_of(settings, "paper"), reader_of(settings)
    from dynamic.app.api.wire import wire
    from dynamic.planning.plan import PlanState
    from dynamic.trading.book_views import decision_view

    try:
        if decision_id is None:
            open_states = (PlanState.PENDING_APPROVAL, PlanState.APPROVED, PlanState.EXECUTING)
            records = reader.plan_records(open_states)
            decision_id = records[-1].plan.decision_id if records else None
        row = None if decision_id is None else reader.decision(decision_id)
        if decision_id is not None and row is None:
            raise NotFound(f"expected a decision, found none called {decision_id}")
        view = None if row is None else decision_view(row, reader, judged).plan
    finally:
        reader.close()
    if as_json:
        emit(None if view is None else {"decision_id": decision_id} | wire(view))
    elif view is None:
        say("no plan is in hand")
    else:
        given = sum(s.approved for s in view.signatures)
        facts(
            f"Plan {view.plan_id} of decision {decision_id}",
            {
                "state": view.state,
                "signatures": f"{given} of {view.signatures_required}",
                "moves": f"{view.gross_usd_micro / 1e6:.2f} USD",
                "worst case": f"{view.worst_case_usd_micro / 1e6:.2f} USD of cost",
                "digest": view.digest,
            },
        )
        legs = [
            [leg.kind, leg.venue, f"{leg.spend_amount} {leg.spend_asset}",
             f"{leg.receive_amount_min} {leg.receive_asset}", leg.state]
            for leg in view.legs
        ]  # fmt: skip
        table("Legs", ("kind", "venue", "spends", "receives at least", "state"), legs)


def ledger(
    what: Annotated[str, typer.Argument(help="list")] = "list",
    account: Annotated[str | None, typer.Option("--account")] = None,
    asset: Annotated[str | None, typer.Option("--asset")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000)] = 20,
    as_csv: Annotated[bool, typer.Option("--csv", help="All postings as CSV on stdout.")] = False,
    beancount: Annotated[
        bool, typer.Option("--beancount", help="The books as beancount text on stdout.")
    ] = False,
    balances: Annotated[bool, typer.Option("--balances", help="Every account's balance.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
) -> None:
    """Show the books: newest entries, balances, or all of it for other programs."""
    if what != "list" or as_csv + beancount + balances + as_json > 1 + (balances and as_json):
        raise Refused("expected list, --csv, --beancount or --balances, found something else")
    settings = settings_of(config, data_dir, database_url)
    reader = reader_of(settings)
    try:
        if as_csv or beancount:
            _export(reader, beancount)
        elif balances:
            _balances(reader, as_json)
        else:
            _entries(reader, account, asset, limit, as_json)
    finally:
        reader.close()


def _export(reader: Any, beancount: bool) -> None:
    from dynamic.ledger.export import beancount_text, csv_text
    from dynamic.workflows.instruments import registry

    entries = tuple(reader.entry_records())
    symbols = {p.asset for entry in entries for p in entry.postings} - {"USD"}
    decimals = {symbol: found.decimals for symbol, found in registry(symbols).items()}
    text = (
        beancount_text(entries, decimals, reader.balances())
        if beancount
        else csv_text(entries, decimals)
    )
    typer.echo(text, nl=False)


def _balances(reader: Any, as_json: bool) -> None:
    from dynamic.app.api.wire import wire
    from dynamic.trading.book_views import posting_view

    views = [
        posting_view(account, asset, units)
        for (account, asset), units in sorted(reader.balances().items())
    ]
    if as_json:
        emit([wire(view) for view in views])
    else:
        rows = [[v.account, v.asset, v.amount] for v in views]
        table("Balances", ("account", "asset", "amount"), rows)


def _entries(
    reader: Any, account: str | None, asset: str | None, limit: int, as_json: bool
) -> None:
    from dynamic.app.api.wire import wire
    from dynamic.trading.book_views import entry_view
    from dynamic.units import iso

    views = [entry_view(row) for row in reader.entries(limit, 0, account, asset)]
    if as_json:
        emit([wire(view) for view in views])
        return
    rows = [
        [iso(v.at_s), v.kind, v.narration, p.account, p.asset, p.amount]
        for v in views
        for p in v.postings
    ]
    table("Entries, newest first", ("at", "kind", "what", "account", "asset", "amount"), rows)


@audit.command("verify")
def audit_verify(
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
) -> None:
    """Check the audit chain, the chain of tx_logs and the origin of every record."""
    settings = settings_of(config, data_dir, database_url)
    reader = reader_of(settings)
    from dynamic.trading.daily import last_anchor

    try:
        anchor = last_anchor(settings.data_dir)
        found = reader.verify_audit(anchor)
        missing = {name: count for name, count in reader.linkage().items() if count}
    finally:
        reader.close()
    holds = found["holds"] and not missing
    if as_json:
        anchored = None if anchor is None else {"seq": anchor[0], "hash": anchor[1]}
        emit(found | {"valid": holds, "missing_origins": missing, "anchor": anchored})
    if not holds:
        broken = found["broken"] or found["tx_logs_broken"] or found["entries_broken"] or missing
        stop(Exit.ERROR, f"expected whole chains, found {broken}; new risk should not be taken on")
    if not as_json:
        say(
            f"{found['events']} audit events and {found['tx_logs']} transactions hold, "
            f"head {found['head'][:16]}, "
            + ("no anchor yet" if anchor is None else f"anchored at {anchor[0]}")
        )


def reconcile(
    explain: Annotated[
        str | None,
        typer.Option("--explain", help="A position whose residue two people explain."),
    ] = None,
    units: Annotated[
        int | None, typer.Option("--units", help="Its residue in base units, as seen.")
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Who explains it; once for each of two.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept for ever.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    mandate: MandateFile = None,
    config: ConfigFile = None,
) -> None:
    """Compare the books with the venue, position by position, to the base unit.

    With --explain two people first book the residue of one position as a correction.
    """
    settings = settings_of(config, data_dir, database_url, mandate)
    if explain is not None and units is not None and by:
        from dynamic.app.cli.acting import book_residue

        book_residue(settings, explain, units, by, reason)
    elif explain is not None or units is not None or by or reason:
        raise Refused(
            "expected --explain, --units, --by twice and --reason together; nothing was booked"
        )
    judged, reader = mandate_of(settings, "paper"), reader_of(settings)
    from dynamic.trading.reconciling import compare_stored

    rows: list[dict[str, str]] = []
    residues: list[dict[str, str]] = []
    try:
        for attempt in range(RECONCILE_TRIES):
            time.sleep(RECONCILE_PAUSE_S if attempt else 0.0)
            rows = compare_stored(reader, settings.data_dir, judged, int(time.time()))
            residues = [row for row in rows if row["residue_units"] != "0"]
            if not residues:
                break
    finally:
        reader.close()
    if as_json:
        emit({"positions": rows, "residues": residues, "reconciled": not residues})
    else:
        columns = ("position", "ledger_units", "observed_units", "named_units", "residue_units")
        table("Books and venue, in base units", columns, [[r[c] for c in columns] for r in rows])
    if residues:
        text = "; ".join(f"{r['position']} {r['residue_units']} base units" for r in residues)
        stop(Exit.ERROR, f"expected no residue, found {text}; new risk is blocked")

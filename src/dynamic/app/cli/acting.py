"""Commands: cycle, approve, reject, halt, reduce, resume.

They act on the store where nobody holds it, and otherwise ask the service that does, with the
person's token. Policy judges both ways alike: four eyes are compared by name.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dynamic.app.cli.home import logging_to, mandate_of, mandate_text, settings_of
from dynamic.app.cli.options import (
    AsJson,
    By,
    ConfigFile,
    DatabaseUrl,
    DataDir,
    MandateFile,
    People,
    Reason,
    TokenFile,
)
from dynamic.app.cli.output import Exit, emit, say, stop
from dynamic.app.cli.remote import Remote
from dynamic.errors import Conflict, DynamicError, NotFound, Refused

if TYPE_CHECKING:
    from dynamic.adapters.feeds.public import PublicFeed
    from dynamic.app.settings import Settings
    from dynamic.policy.situation import SwitchState
    from dynamic.trading.opening import Treasury

Decision = Annotated[str, typer.Argument(help="The decision's id, as `dynamic plan` shows it.")]
Notes = Annotated[str, typer.Option("--notes", help="Kept with the signature.")]


class Held(Conflict):
    """Another process writes to this treasury."""


@contextmanager
def opened(settings: "Settings") -> "Iterator[tuple[Treasury, PublicFeed]]":
    """Open the live paper treasury for one command; Held where another process has it."""
    from dynamic.trading.opening import open_treasury, prepare_home, public_feed

    not_a_demo(settings)
    mandate = mandate_of(settings, "paper")
    feed = public_feed(mandate, settings.feed.endpoints)
    with logging_to(prepare_home(settings.data_dir), settings.log_level):
        try:
            treasury = open_treasury(settings, mandate, feed)
        except Conflict as conflict:
            raise Held(conflict.message) from None
        try:
            yield treasury, feed
        finally:
            treasury.close()


def not_a_demo(settings: "Settings") -> None:
    """Refuse a directory whose treasury lives in a demo's time."""
    from dynamic.app.cli.demo import MARKET_FILE

    if (settings.data_dir / MARKET_FILE).exists():
        raise Refused(
            f"expected a live treasury in {settings.data_dir}, found one that lived through a "
            "demo; nothing was done"
        )


def cycle(
    as_json: AsJson = False,
    token_file: TokenFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    mandate: MandateFile = None,
    config: ConfigFile = None,
) -> None:
    """Run one cycle now: observe, decide, judge, plan, carry out, measure."""
    settings = settings_of(config, data_dir, database_url, mandate)
    try:
        with opened(settings) as (treasury, _):
            _say_if_halted(treasury)
            found = _cycled(treasury)
    except Held:
        remote = Remote(settings, token_file)
        if remote.health() is None:
            raise
        found = remote.post("/portfolio/rebalance", {"force": False})
    if as_json:
        emit(found)
    else:
        say(f"{found.get('outcome', found.get('status'))}: {found.get('message', '')}")
    code = {"denied": Exit.DENIED, "halted": Exit.DENIED, "pending_approval": Exit.APPROVAL_NEEDED,
            "unmarked": Exit.DATA_UNFIT}.get(str(found.get("outcome")), Exit.OK)  # fmt: skip
    if code is not Exit.OK:
        raise typer.Exit(code)


def _cycled(treasury: "Treasury") -> dict[str, Any]:
    from dynamic.units import iso

    report = treasury.engine.cycle()
    last = report.decisions[-1] if report.decisions else None
    outcome = report.ending.value if last is None else last.outcome.value
    if report.marked is None:
        missing = ", ".join(report.view.snapshot.missing) or "a price or a rate"
        outcome, message = "unmarked", f"the treasury could not be valued: missing {missing}"
    else:
        message = "the plan in hand went on" if last is None else last.reasoning
    return {
        "at": iso(report.at_s),
        "outcome": outcome,
        "message": message,
        "decision_id": None if last is None else last.decision_id,
        "nav_usd_micro": None if report.marked is None else report.marked.record.nav_usd_micro,
        "settled_legs": len(report.settled),
        "residues": len(report.residues.residues),
    }


def _say_if_halted(treasury: "Treasury") -> None:
    from dynamic.policy.situation import SwitchState

    state = treasury.switch.state()
    if state is not SwitchState.ACTIVE:
        say(f"the switch is {state.value}; two people raise it: {RAISE_HINT}")


RAISE_HINT = "dynamic resume --by ann --by bob --reason '...'"


def approve(
    decision_id: Decision,
    by: By = "",
    notes: Notes = "",
    as_json: AsJson = False,
    token_file: TokenFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    mandate: MandateFile = None,
    config: ConfigFile = None,
) -> None:
    """Sign the plan of a decision; when enough people have, it is carried out."""
    settings = settings_of(config, data_dir, database_url, mandate)
    _decide(settings, decision_id, by, notes, True, token_file, as_json)


def reject(
    decision_id: Decision,
    by: By = "",
    notes: Notes = "",
    as_json: AsJson = False,
    token_file: TokenFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    mandate: MandateFile = None,
    config: ConfigFile = None,
) -> None:
    """Reject the plan of a decision; one person is enough."""
    settings = settings_of(config, data_dir, database_url, mandate)
    _decide(settings, decision_id, by, notes, False, token_file, as_json)


def _decide(
    settings: "Settings", decision_id: str, by: str, notes: str, approved: bool,
    token_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    if not settings.data_dir.is_dir():
        raise NotFound(f"expected a treasury in {settings.data_dir}, found none; nothing was done")
    try:
        with opened(settings) as (treasury, feed):
            found = _decided(treasury, feed, settings, decision_id, by, notes, approved)
    except Held:
        remote = Remote(settings, token_file)
        if remote.health() is None:
            raise
        body: dict[str, object] = {"approved": approved, "notes": notes}
        found = remote.post(f"/decisions/{decision_id}/approve", body)
    if as_json:
        emit(found)
    else:
        say(str(found["message"]))
    if found["state"] == "pending_approval":
        raise typer.Exit(Exit.APPROVAL_NEEDED)


def _decided(
    treasury: "Treasury", feed: "PublicFeed", settings: "Settings", decision_id: str, by: str,
    notes: str, approved: bool,
) -> dict[str, Any]:  # fmt: skip
    from dynamic.app.api.wire import wire
    from dynamic.trading.opening import live_setting

    if not by.strip():
        raise Refused("expected --by with your name, found none; nothing was done")
    setting = live_setting(feed, treasury.clock, mandate_text(settings))
    service = treasury.service(setting)
    service.decision(decision_id)  # NotFound comes before any question of who may sign
    try:
        return wire(service.decide(decision_id, by, approved, notes, None))
    except Refused as refused:
        stop(Exit.DENIED, refused.message)


def book_residue(
    settings: "Settings", position: str, units: int, by: list[str], reason: str
) -> None:
    """Book one residue as two people explain it; only where no service holds the treasury."""
    from dynamic.policy.proposal import Position
    from dynamic.workflows.correct import Correction

    location, colon, symbol = position.partition(":")
    if not (location and colon and symbol):
        raise Refused(f"--explain: expected location:ASSET, found {position!r}; nothing was booked")
    told = Correction(Position(location, symbol), units, tuple(by), reason)
    try:
        with opened(settings) as (treasury, _):
            treasury.engine.correct(told)
    except Refused as refused:
        stop(Exit.DENIED, refused.message)
    say(f"{position}: {units:+} base units booked as a correction, explained by {' and '.join(by)}")


def halt(
    by: By,
    reason: Reason,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
) -> None:
    """Stop everything: nothing new is sent until two people resume."""
    _lower("halted", by, reason, settings_of(config, data_dir, database_url), as_json)


def reduce(
    by: By,
    reason: Reason,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
) -> None:
    """Allow only what lowers risk."""
    _lower("reducing", by, reason, settings_of(config, data_dir, database_url), as_json)


def _lower(to: str, by: str, reason: str, settings: "Settings", as_json: bool) -> None:
    """Lower the switch's file first; it needs no service, no database and no lease."""
    from dynamic.adapters.switch_file import SwitchFile
    from dynamic.policy.situation import SwitchState
    from dynamic.trading.opening import SWITCH_FILE

    if not settings.data_dir.is_dir():
        raise NotFound(f"expected a treasury in {settings.data_dir}, found none to stop")
    switch = SwitchFile(settings.data_dir / SWITCH_FILE)
    before = switch.state()
    switch.lower(SwitchState(to), by, reason, int(time.time()))
    _moved(settings, before, switch.state(), [by], reason, as_json)


def resume(
    people: People,
    reason: Reason,
    to: Annotated[str, typer.Option("--to", help="active or reducing")] = "active",
    after_drawdown: Annotated[
        bool, typer.Option("--after-drawdown", help="Also end the pause of the drawdown stages.")
    ] = False,
    reset_cycle: Annotated[
        bool, typer.Option("--reset-cycle", help="Also let the ladder forget its cycle.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    mandate: MandateFile = None,
    config: ConfigFile = None,
) -> None:
    """Raise the switch: two people from HALTED, one from REDUCING."""
    settings = settings_of(config, data_dir, database_url, mandate)
    from dynamic.adapters.switch_file import SwitchFile
    from dynamic.policy.situation import SwitchState
    from dynamic.trading.opening import SWITCH_FILE, prepare_home

    if to not in {"active", "reducing"}:
        raise Refused(f"--to: expected active or reducing, found {to!r}; the switch did not move")
    prepare_home(settings.data_dir)
    switch, wanted = SwitchFile(settings.data_dir / SWITCH_FILE), SwitchState(to)
    before = switch.state()
    try:
        if after_drawdown or reset_cycle:
            with opened(settings) as (treasury, _):
                treasury.engine.resume(tuple(people), reason, reset_cycle=reset_cycle)
        if before is not wanted:
            switch.raise_to(wanted, tuple(people), reason, int(time.time()))
    except Refused as refused:
        stop(Exit.DENIED, refused.message)
    _moved(settings, before, switch.state(), people, reason, as_json)


def _moved(
    settings: "Settings", before: "SwitchState", after: "SwitchState", people: list[str],
    reason: str, as_json: bool,
) -> None:  # fmt: skip
    """Say where the switch stands; add an audit row where nobody else holds the books."""
    noted = _noted(settings, after, people, reason)
    if as_json:
        emit({"switch": after.value, "before": before.value, "by": people, "audited": noted})
    else:
        where = "" if noted else "; the switch's own log has it, the audit chain has not"
        say(f"the switch is {after.value} (it was {before.value}){where}")


def _noted(settings: "Settings", after: "SwitchState", people: list[str], reason: str) -> bool:
    from dynamic.adapters.storage.reader import ReadStore
    from dynamic.app.cli.demo import MARKET_FILE

    if (settings.data_dir / MARKET_FILE).exists():
        return False
    try:
        reader = ReadStore.open(settings.store_url)
        try:
            if reader.latest_nav() is None:
                return False
        finally:
            reader.close()
        with opened(settings) as (treasury, _):
            payload = {"to": after.value, "by": people, "reason": reason}
            treasury.engine.note(",".join(people), "switch", payload)
    except DynamicError:
        return False
    return True

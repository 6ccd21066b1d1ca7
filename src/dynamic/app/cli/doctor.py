"""`dynamic doctor`: is everything as it must be? Each check says ok, warn or fail, and what to do.

It changes nothing. What does not exist yet is a warning; what is broken is a failure, exit 1.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from dynamic.app.cli.home import mandate_of, settings_of
from dynamic.app.cli.options import AsJson, ConfigFile, DatabaseUrl, DataDir, MandateFile
from dynamic.app.cli.output import Exit, emit, stop, table, working
from dynamic.errors import DynamicError, InvariantBroken

if TYPE_CHECKING:
    from dynamic.adapters.storage.reader import ReadStore
    from dynamic.app.settings import Settings
    from dynamic.policy.mandate import Mandate

OLDEST: Final = (3, 11)
FIRST_SANE_S: Final = 1_735_689_600  # 2025-01-01: a clock before this program was written
SKEW_S_MAX: Final = 120


class Check(NamedTuple):
    """One finding. `advice` is empty where there is nothing to do."""

    name: str
    verdict: str  # ok, warn, fail
    found: str
    advice: str = ""


def doctor(
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    mandate: MandateFile = None,
    config: ConfigFile = None,
) -> None:
    """Check python, files, store, audit, books, switch, mandate, feeds, clock, dashboard."""
    settings = settings_of(config, data_dir, database_url, mandate)
    judged = mandate_of(settings, "paper")
    with working("examining"):
        checks = list(_checks(settings, judged))
    if as_json:
        emit({"healthy": not _failed(checks), "checks": [c._asdict() for c in checks]})
    else:
        rows = [[c.name, c.verdict, c.found, c.advice] for c in checks]
        table("Doctor", ("check", "verdict", "found", "what to do"), rows)
    if failed := _failed(checks):
        stop(Exit.ERROR, f"failed: {', '.join(failed)}")


def _failed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if check.verdict == "fail"]


def _checks(settings: "Settings", mandate: "Mandate") -> Iterator[Check]:
    found = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", "ok" if sys.version_info >= OLDEST else "fail", found)
    yield _data_dir(settings)
    yield from _store_checks(settings, mandate)
    yield _switch(settings)
    yield Check("mandate", "ok", f"edition {mandate.mandate_version}, {mandate.digest[:16]}")
    yield from _feed_checks(settings, mandate)
    yield _dashboard()


def _data_dir(settings: "Settings") -> Check:
    path = settings.data_dir
    if not path.exists():
        return Check("data-dir", "warn", f"{path} does not exist", "dynamic run creates it")
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
        return Check("data-dir", "fail", f"{path} cannot be written", "give its user the right to")
    if path.stat().st_mode & 0o077:
        return Check("data-dir", "warn", f"{path} is open to others", f"chmod 700 {path}")
    return Check("data-dir", "ok", str(path))


def _store_checks(settings: "Settings", mandate: "Mandate") -> Iterator[Check]:
    from dynamic.adapters.storage.reader import ReadStore
    from dynamic.trading.opening import VENUE_FILE

    try:
        reader = ReadStore.open(settings.store_url)
    except DynamicError as problem:
        is_new = not settings.database_url and not (settings.data_dir / "treasury.db").exists()
        verdict, advice = ("warn", "dynamic run makes one") if is_new else ("fail", "see found")
        yield Check("store", verdict, problem.message, advice)
        return
    try:
        yield Check("store", "ok", f"{reader.database.name}, migrated")
        yield _guarded("writer", lambda: _writer(settings))
        yield _guarded("audit-chain", lambda: _audit(reader, settings))
        if (settings.data_dir / VENUE_FILE).exists():
            yield _guarded("books", lambda: _books(reader, settings, mandate))
        else:
            yield Check("books", "warn", "there is no venue yet", "dynamic run makes one")
    finally:
        reader.close()


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """Turn whatever a check meets into its finding."""
    try:
        return check()
    except DynamicError as problem:
        return Check(name, "fail", problem.message, "see found")
    except InvariantBroken as broken:
        return Check(name, "fail", broken.message, "halt, and restore from a backup")


def _writer(settings: "Settings") -> Check:
    """Say whether a service answers; a writer that does not answer is found at the next start."""
    from dynamic.app.cli.remote import Remote

    remote = Remote(settings)
    health = remote.health()
    if health is None:
        return Check("writer", "ok", "no service answers; the store is free or used by a command")
    return Check("writer", "ok", f"the service at {remote.url} is {health['status']}")


def _audit(reader: "ReadStore", settings: "Settings") -> Check:
    from dynamic.trading.daily import last_anchor

    found = reader.verify_audit(last_anchor(settings.data_dir))
    if not found["holds"]:
        broken = found["broken"] or found["tx_logs_broken"] or found["entries_broken"]
        return Check("audit-chain", "fail", str(broken), "dynamic halt; keep this database")
    return Check("audit-chain", "ok", f"{found['events']} events, head {found['head'][:16]}")


def _books(reader: "ReadStore", settings: "Settings", mandate: "Mandate") -> Check:
    from dynamic.trading.reconciling import compare_stored

    rows = compare_stored(reader, settings.data_dir, mandate, int(time.time()))
    residues = [row["position"] for row in rows if row["residue_units"] != "0"]
    if residues:
        advice = "dynamic reconcile; new risk is blocked until each residue is explained"
        return Check("books", "fail", f"residues at {', '.join(residues)}", advice)
    return Check("books", "ok", f"{len(rows)} positions agree to the base unit")


def _switch(settings: "Settings") -> Check:
    from dynamic.adapters.switch_file import SwitchFile
    from dynamic.app.cli.acting import RAISE_HINT
    from dynamic.policy.situation import SwitchState
    from dynamic.trading.opening import SWITCH_FILE

    state = SwitchFile(settings.data_dir / SWITCH_FILE).state()
    if state is SwitchState.ACTIVE:
        return Check("switch", "ok", state.value)
    return Check("switch", "warn", state.value, f"two people raise it: {RAISE_HINT}")


def _feed_checks(settings: "Settings", mandate: "Mandate") -> Iterator[Check]:
    from dynamic.trading.opening import public_feed

    feed = public_feed(mandate, settings.feed.endpoints)
    now_s = int(time.time())
    begun = time.monotonic()
    is_reachable = feed.reachable(now_s)
    took = time.monotonic() - begun
    silent = [each.name for each in feed.status() if not each.is_ok]
    what = f"{len(feed.status()) - len(silent)} of {len(feed.status())} sources in {took:.1f} s"
    if is_reachable and not silent:
        yield Check("feeds", "ok", what)
    elif is_reachable:
        advice = "stand-ins are labelled; wait, or see feed.endpoints"
        yield Check("feeds", "warn", f"{what}; silent: {', '.join(silent)}", advice)
    else:
        advice = "check the network; without prices nothing is traded"
        yield Check("feeds", "warn", f"{what}; no prices or no MVRV", advice)
    newest = max((o.as_of_s for o in feed.observe(now_s) if o.provenance == "observed"), default=0)
    if now_s < FIRST_SANE_S or newest > now_s + SKEW_S_MAX:
        yield Check("clock", "fail", f"{now_s} s since 1970", "set the clock; use NTP")
    else:
        yield Check("clock", "ok", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s)))


def _dashboard() -> Check:
    from dynamic.app.dashboard.screen import CHART_SCRIPT, VENDOR

    if (VENDOR / CHART_SCRIPT).exists():
        return Check("dashboard", "ok", "assets are built")
    return Check(
        "dashboard", "warn", "the chart script is not built; charts are drawn as SVG",
        "npm ci in web/, then its build",
    )  # fmt: skip

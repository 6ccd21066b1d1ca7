"""Where the treasury stands: one page, from the store alone, whether or not anything runs.

    standing : reader x switch x mandate x now  ->  JSON members with stable names

The same page is `dynamic status --json` and the daily state file. Money is micro-dollars, base
units are text; `None` is not known.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dynamic.adapters.storage.reader import ReadStore
from dynamic.adapters.storage.state_file import read_state_file
from dynamic.decision.sizing import SizingMemory
from dynamic.errors import Refused
from dynamic.planning.plan import PlanState
from dynamic.policy.mandate import Mandate
from dynamic.policy.situation import SwitchState
from dynamic.trading.book_views import bucket_views
from dynamic.trading.market_views import parsed, signal_of
from dynamic.trading.portfolio_views import sized_targets
from dynamic.units import BPS, DAY_S, iso, usd_decimal

STATE_FILE: Final = "state.json"


def standing(
    reader: ReadStore, switch: SwitchState, mandate: Mandate, home: Path, now_s: int
) -> dict[str, object]:
    """Return the page; a treasury that has not lived yet has None where its numbers will be."""
    nav, snapshot = reader.latest_nav(), reader.latest_snapshot()
    decisions = reader.decisions(1)
    last = decisions[0] if decisions else None
    states = reader.states()
    seq, head = reader.audit_head()
    return {
        "now": iso(now_s),
        "switch": switch.value,
        "nav": None if nav is None else _nav(nav),
        "allocation": None if nav is None or last is None else _allocation(nav, last, states),
        "phase": None if last is None else last["phase"],
        "mode": None if last is None else last["mode"],
        "last_decision": None if last is None else _decision(last),
        "pending": pending(reader),
        "is_synthetic": None if snapshot is None else bool(snapshot["is_synthetic"]),
        "jobs": jobs(states, mandate, home),
        "balances": {
            f"{account} {asset}": str(units)
            for (account, asset), units in sorted(reader.balances().items())
        },
        "audit": {"seq": seq, "hash": head},
        "mandate_digest": mandate.digest,
    }


def pending(reader: ReadStore) -> list[dict[str, object]]:
    """Return the plans that wait for people, oldest first."""
    found: list[dict[str, object]] = []
    for record in reader.plan_records([PlanState.PENDING_APPROVAL.value]):
        plan = record.plan
        given = [a.operator for a in reader.approval_records(plan.plan_id) if a.approved]
        found.append(
            {
                "decision_id": plan.decision_id,
                "plan_id": plan.plan_id,
                "gross_usd_micro": plan.gross_usd_micro,
                "signatures_required": plan.signatures_required,
                "signed_by": given,
                "expires_at": iso(record.expires_at_s),
            }
        )
    return found


def jobs(states: Mapping[str, str], mandate: Mandate, home: Path) -> list[dict[str, object]]:
    """Return what is done regularly, when it was last done, and when it is due."""
    diary = json.loads(states["diary"]) if "diary" in states else {}
    schedule = mandate.schedule
    return [
        _job("cycle", schedule.cycle_s, diary.get("last_cycle_at_s")),
        _job("weekly-review", schedule.weekly_s, diary.get("last_review_at_s")),
        _job("daily-state", DAY_S, exported_at_s(home)),
    ]


def exported_at_s(home: Path) -> int | None:
    """Return when the state file was last written."""
    try:
        found = read_state_file(home / STATE_FILE).get("exported_at_s")
    except Refused:
        return None
    return found if isinstance(found, int) else None


def _job(name: str, every_s: int, last_s: int | None) -> dict[str, object]:
    return {
        "name": name,
        "every_s": every_s,
        "last": None if last_s is None else iso(last_s),
        "next": None if last_s is None else iso(last_s + every_s),
    }


def _nav(row: Mapping[str, Any]) -> dict[str, object]:
    nav = row["nav_usd_micro"]
    return {
        "at": iso(row["at_s"]),
        "usd_micro": nav,
        "usd": f"{usd_decimal(nav):f}",
        "high_water_usd_micro": row["high_water_usd_micro"],
        "drawdown_bps": row["drawdown_bps"],
        "volatile_bps": -(-row["volatile_usd_micro"] * BPS // nav) if nav > 0 else 0,
    }


def _allocation(
    nav: Mapping[str, Any], last: Mapping[str, Any], states: Mapping[str, str]
) -> dict[str, object]:
    signal = signal_of(last["at_s"], parsed(last["payload"])["signal"])
    sizing = SizingMemory(*json.loads(states["sizing"]))
    targets = sized_targets(signal, sizing.target_usd_micro, nav["nav_usd_micro"])
    values = parsed(nav["payload"])["buckets"]
    return {
        view.bucket: {
            "value_usd_micro": view.value_usd_micro,
            "weight_bps": view.weight_bps,
            "target_bps": view.target_bps,
        }
        for view in bucket_views(values, targets)
    }


def _decision(row: Mapping[str, Any]) -> dict[str, object]:
    return {
        "decision_id": row["decision_id"],
        "at": iso(row["at_s"]),
        "outcome": row["outcome"],
        "trigger": row["trigger"],
        "confidence": row["confidence"],
        "reasoning": row["reasoning"],
    }

"""The daily job: the state file, and the head of the audit chain noted outside the database.

    <data dir>/state.json             where the treasury stands, replaced in one step
    <data dir>/audit-anchors.jsonl    one (seq, hash) a day, appended and synced

Someone who rewrites the whole audit chain cannot also have written yesterday's anchor;
`dynamic audit verify` compares with the last one.
"""

import json
import os
from pathlib import Path
from typing import Final

from dynamic.adapters.storage.state_file import write_state_file
from dynamic.errors import StoreUnavailable
from dynamic.trading.opening import Treasury
from dynamic.trading.standing import STATE_FILE, standing

ANCHORS_FILE: Final = "audit-anchors.jsonl"


def export_state(treasury: Treasury) -> None:
    """Write the state file and note the audit head beside it."""
    now_s, home = treasury.clock.now_s(), treasury.home.data_dir
    seq, head = treasury.reader.audit_head()
    page = standing(treasury.reader, treasury.switch.state(), treasury.mandate, home, now_s)
    write_state_file(home / STATE_FILE, {"exported_at_s": now_s} | page)
    if seq:
        _append(home / ANCHORS_FILE, json.dumps({"at_s": now_s, "seq": seq, "hash": head}))


def last_anchor(home: Path) -> tuple[int, str] | None:
    """Return the newest anchor; None where none was noted, StoreUnavailable for nonsense."""
    path = home / ANCHORS_FILE
    if not path.exists():
        return None
    try:
        lines = path.read_text("utf-8").splitlines()
        found = json.loads(lines[-1])
        return int(found["seq"]), str(found["hash"])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        raise StoreUnavailable(
            f"expected audit anchors in {path}, found something else; the chain was not compared"
        ) from None


def _append(path: Path, line: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        raise StoreUnavailable(f"{path} cannot be written: {problem.strerror}") from None

"""The state file: a JSON export of what the store knows, for people and scripts.

The store is the truth (PM-09); this is derived, and may be deleted. It is replaced in one
step, so whoever reads it, after any crash, reads one whole state: the old or the new.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynamic.errors import Refused, StoreUnavailable
from dynamic.ledger.canonical import canonical_json


def write_state_file(path: Path, state: Mapping[str, object]) -> None:
    """Replace the file by `state` as canonical JSON; StoreUnavailable where that cannot be."""
    text = canonical_json(state) + "\n"
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from error


def read_state_file(path: Path) -> dict[str, Any]:
    """Read an exported state; Refused where it is missing or not one whole JSON object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"expected a state file at {path}, found none that can be read") from error
    if not isinstance(found, dict):
        raise Refused(f"expected a JSON object in {path}, found {type(found).__name__}")
    return found


def _sync_directory(directory: Path) -> None:
    """Make the new name itself durable."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

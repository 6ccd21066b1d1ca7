"""Reads the mandate file, or the one shipped with the program.

read_mandate : path or None  ->  Mandate, or ConfigRefused in one line
"""

from importlib import resources
from pathlib import Path

from dynamic.errors import ConfigRefused
from dynamic.policy.mandate import Mandate, load

MANDATE_BYTES_MAX = 1_000_000


def default_text() -> str:
    """Return the shipped mandate, comments included."""
    return resources.files("dynamic.policy").joinpath("mandate_default.toml").read_text("utf-8")


def read_mandate(path: Path | None = None) -> Mandate:
    """Read and check a mandate; None reads the shipped one."""
    if path is None:
        return load(default_text())
    try:
        if path.stat().st_size > MANDATE_BYTES_MAX:
            raise ConfigRefused(f"{path}: expected at most {MANDATE_BYTES_MAX} bytes, found more")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigRefused(f"{path}: expected a readable mandate file, found {problem}") from None
    try:
        return load(text)
    except ConfigRefused as refused:
        raise ConfigRefused(f"{path}: {refused.message}") from None

"""Files are named after the business and stay short enough to read."""

from __future__ import annotations

from tests.architecture.rooms import PACKAGE, short, sources

SAY_NOTHING = {
    "base", "bases", "common", "commons", "core", "helper", "helpers", "manager", "managers",
    "misc", "util", "utils",
}  # fmt: skip
LINES_MAX = 450


def test_no_name_says_nothing() -> None:
    named = {
        short(path)
        for path in sources()
        for part in path.relative_to(PACKAGE).with_suffix("").parts
        if SAY_NOTHING & {part, *part.split("_")}
    }
    assert named == set()


def test_no_file_is_too_long() -> None:
    long = {}
    for path in sources():
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > LINES_MAX:
            long[short(path)] = lines
    assert long == {}

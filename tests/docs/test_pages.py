"""What the pages say of the project is so: links, files, tests, codes and addresses."""

from __future__ import annotations

import ast
import ipaddress
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, links, name, pages

PACKAGE = ROOT / "src" / "dynamic"
DOCS = ROOT / "docs"


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    dead = [target for target in links(page) if not (page.parent / target).exists()]
    assert dead == []


@pytest.mark.req("SE-14")
@pytest.mark.parametrize("page", pages(), ids=name)
def test_se_no_address_but_loopback(page: Path) -> None:
    found = re.findall(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])", page.read_text("utf-8"))
    assert [text for text in found if not ipaddress.ip_address(text).is_loopback] == []


def test_every_record_stands_in_the_index_and_numbers_have_no_gap() -> None:
    records = sorted(path.name for path in (DOCS / "adr").glob("[0-9]*.md"))
    assert [record[:4] for record in records] == [f"{n:04}" for n in range(1, len(records) + 1)]
    assert sorted(links(DOCS / "adr" / "README.md")) == records


def test_every_guarantee_names_a_test_that_exists() -> None:
    missing, named = [], 0
    for row in (DOCS / "guarantees.md").read_text("utf-8").splitlines():
        for path, test in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", row):
            named += 1
            text = (ROOT / path).read_text("utf-8") if (ROOT / path).exists() else ""
            if not text or (test and f"def {test}(" not in text):
                missing.append(f"{path}::{test}")
    assert missing == []
    assert named > 30


def test_every_guarantee_without_a_test_says_planned() -> None:
    for row in (DOCS / "guarantees.md").read_text("utf-8").splitlines():
        if re.match(r"\| [A-Z]\d+ \|", row):
            checked = row.rstrip("| ").rpartition("|")[2]
            assert "`" in checked or "planned" in checked, row


def test_the_house_names_every_file_and_no_other() -> None:
    """A new file takes its place in docs/architecture.md; a file that went, leaves it."""
    text = (DOCS / "architecture.md").read_text("utf-8").partition("## Rooms and their files")[2]
    text = text.partition("\n## ")[0]
    rooms = dict(re.findall(r"^\*\*(\w+)\*\* · (.*?)(?=^\*\*|\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(rooms) == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    wrong: dict[str, set[str]] = {}
    for room, line in rooms.items():
        there = {
            path.stem
            for path in (PACKAGE / room).rglob("*.py")
            if not path.stem.startswith("__") and not {"migrations", "cli"} & {*path.parts}
        }
        named = {word for word in re.findall(r"`(\w+)`", line) if word not in VERBS_ARE_GROUPED}
        if named != there:
            wrong[room] = named ^ there
    assert wrong == {}, "named or there, not both"


VERBS_ARE_GROUPED = {"program", "home", "options", "output", "verdict"}


def alert_codes() -> set[str]:
    """Every code that an alert may carry; of one made at run time, what it begins with."""
    codes: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if not (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "alert"
            ):
                continue
            match node.args[1]:
                case ast.Constant(value=str(code)):
                    codes.add(code)
                case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
                    codes.add(start)
                case _:  # named beforehand: every text of the file that is shaped like a code
                    codes |= {
                        each.value
                        for each in ast.walk(tree)
                        if isinstance(each, ast.Constant)
                        and isinstance(each.value, str)
                        and re.fullmatch(r"drawdown-\w+", each.value)
                    }
    return codes


@pytest.mark.req("R-16")
def test_every_alert_has_a_line_saying_what_to_do() -> None:
    rows = re.findall(r"^\| (`.*?) \|", (DOCS / "operations.md").read_text("utf-8"), re.MULTILINE)
    known = [code for row in rows for code in re.findall(r"`([\w-]+)`", row)]
    codes = alert_codes()
    assert {"drawdown-exit", "ledger-residue", "approval-needed"} <= codes
    lacking = {code for code in codes if not any(each.startswith(code) for each in known)}
    assert lacking == set()

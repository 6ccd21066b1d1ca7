"""Which test proves which requirement.

    tests/**/*.py --@pytest.mark.req("GR-12")--> docs/traceability.md

Marks are read from the syntax tree, so nothing is imported or run. A mark may stand on a function,
a class, a module (`pytestmark`) or one case of a parametrisation; it may name several ids, as
literal strings. Besides requirements a mark may name a settled contradiction (C-53, C-82b), an
invariant (I-9) or a reliability goal (R-3). Writes the page; `--check` writes nothing and fails
when the page is stale. An id that does not exist, or that is not a literal, is an error either way.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IDS = ROOT / "tools" / "requirement_ids.toml"
OTHER_IDS = ROOT / "tools" / "decision_ids.toml"
MILESTONES = ROOT / "tools" / "milestones.toml"
PAGE = ROOT / "docs" / "traceability.md"
NONE_YET = "none yet"
OTHER_SHAPE = re.compile(r"C-\d\db?|[IR]-[1-9]\d?")

Families = dict[str, tuple[str, dict[str, str]]]
"""Family prefix to its title and its ids with their wording, in the order of the file."""


def read_ids(path: Path) -> Families:
    """Read the families; refuse an id that stands in another family's table."""
    families: Families = {}
    for prefix, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        ids = {key: wording for key, wording in table.items() if key != "title"}
        strays = [key for key in ids if not key.startswith(f"{prefix}-")]
        if strays:
            raise SystemExit(f"{path.name}: {strays} stand in [{prefix}]")
        families[prefix] = (table["title"], ids)
    return families


def read_other_ids(path: Path) -> Families:
    """Read decisions, invariants and goals; refuse an id of another shape."""
    families = read_ids(path)
    odd = [key for _, ids in families.values() for key in ids if not OTHER_SHAPE.fullmatch(key)]
    if odd:
        raise SystemExit(f"{path.name}: {odd} are not shaped like C-53, C-53b, I-9 or R-3")
    return families


def read_milestones(path: Path, families: Families) -> dict[str, tuple[str, list[str]]]:
    """Read what each release has to prove; refuse a range that names no requirement."""
    known = [key for _, ids in families.values() for key in ids]
    milestones: dict[str, tuple[str, list[str]]] = {}
    for version, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        wanted: list[str] = []
        for span in table["ids"]:
            first, _, last = span.partition("..")
            last = last or first
            if not (first in known and last in known and first[:2] == last[:2]):
                raise SystemExit(f"{path.name}: {span!r} is no range of one family")
            wanted += known[known.index(first) : known.index(last) + 1]
        milestones[version] = (table["title"], wanted)
    return milestones


def is_req(call: ast.Call) -> bool:
    """Whether the call is `pytest.mark.req(...)`, under whatever name pytest was imported."""
    func = call.func
    return (
        isinstance(func, ast.Attribute)
        and func.attr == "req"
        and (
            (isinstance(func.value, ast.Attribute) and func.value.attr == "mark")
            or (isinstance(func.value, ast.Name) and func.value.id == "mark")
        )
    )


def ids_in(nodes: list[ast.expr], where: str) -> Iterator[str]:
    """The ids of every mark anywhere inside the given expressions."""
    for node in nodes:
        for call in ast.walk(node):
            if not (isinstance(call, ast.Call) and is_req(call)):
                continue
            for argument in call.args:
                if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                    raise SystemExit(f"{where}:{call.lineno}: req() takes literal ids only")
                yield argument.value


def marks(body: list[ast.stmt], where: str, owner: str) -> Iterator[tuple[str, str]]:
    """Pairs of requirement id and test, down through classes."""
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            named = any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in targets)
            if named and node.value is not None:
                for key in ids_in([node.value], where):
                    yield key, owner
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{owner}::{node.name}"
            for key in ids_in(node.decorator_list, where):
                yield key, name
            if isinstance(node, ast.ClassDef):
                yield from marks(node.body, where, name)


def collect(tests: Path) -> dict[str, list[str]]:
    """Every marked id with its tests, in the order of path and line."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(tests.rglob("*.py")):
        where = path.relative_to(tests.parent).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=where)
        for key, test in marks(tree.body, where, where):
            if test not in found[key]:
                found[key].append(test)
    return dict(found)


def render(
    families: Families,
    proofs: dict[str, list[str]],
    others: Families | None = None,
    milestones: dict[str, tuple[str, list[str]]] | None = None,
) -> str:
    """Write the page: a summary per family, what a release still lacks, then every id."""
    total = sum(len(ids) for _, ids in families.values())
    proven = sum(key in proofs for _, ids in families.values() for key in ids)
    lines = [
        "# Requirements and the tests that prove them",
        "",
        "Written by `uv run python tools/traceability.py`; do not edit. A test claims a",
        'requirement with `@pytest.mark.req("GR-12")`. A claim says that a test exists for it, not',
        "that the requirement is met in every respect.",
        "",
        f"**{proven} of {total}** have at least one test.",
        "",
        "| family | | with a test | of |",
        "|---|---|---:|---:|",
    ]
    for prefix, (title, ids) in families.items():
        lines.append(f"| {prefix} | {title} | {sum(key in proofs for key in ids)} | {len(ids)} |")
    for version, (title, wanted) in (milestones or {}).items():
        lines += release_lines(version, title, wanted, proofs)
    for prefix, (title, ids) in families.items():
        lines += ["", f"## {prefix}: {title}", "", "| id | in short | tests |", "|---|---|---|"]
        lines += [row(key, wording, proofs) for key, wording in ids.items()]
    for title, ids in (others or {}).values():
        claimed = [row(key, wording, proofs) for key, wording in ids.items() if key in proofs]
        if claimed:
            lines += [
                "",
                f"## {title} with tests",
                "",
                "| id | in short | tests |",
                "|---|---|---|",
            ]
            lines += claimed
    return "\n".join(lines) + "\n"


def row(key: str, wording: str, proofs: dict[str, list[str]]) -> str:
    """One id with its wording and its tests."""
    tests = "<br>".join(f"`{test}`" for test in proofs.get(key, [])) or NONE_YET
    return f"| {key} | {wording} | {tests} |"


def release_lines(
    version: str, title: str, wanted: list[str], proofs: dict[str, list[str]]
) -> list[str]:
    """What a release has to prove, per family, and the ids it has no test for."""
    lines = ["", f"## Release {version}: {title}", ""]
    lines += ["| family | with a test | of | none yet |", "|---|---:|---:|---|"]
    for prefix in dict.fromkeys(key[:2] for key in wanted):
        ids = [key for key in wanted if key[:2] == prefix]
        open_ids = [key for key in ids if key not in proofs]
        done = len(ids) - len(open_ids)
        lines.append(f"| {prefix} | {done} | {len(ids)} | {', '.join(open_ids) or '–'} |")
    return lines


def main(arguments: list[str]) -> int:
    """Write or check the page; 1 when it is stale or a mark names an unknown id."""
    parser = argparse.ArgumentParser(description="Which test proves which requirement.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    check = parser.parse_args(arguments).check

    families = read_ids(IDS)
    proofs = collect(ROOT / "tests")
    others = read_other_ids(OTHER_IDS)
    known = {key for _, ids in (families | others).values() for key in ids}
    unknown = sorted(set(proofs) - known)
    for key in unknown:
        print(f"unknown requirement {key} in {', '.join(proofs[key])}", file=sys.stderr)
    if unknown:
        return 1

    page = render(families, proofs, others, read_milestones(MILESTONES, families))
    if not check:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        print(
            f"{PAGE.relative_to(ROOT)} is stale: run uv run python tools/traceability.py",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

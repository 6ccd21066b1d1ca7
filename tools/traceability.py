"""Which test proves which requirement.

    tests/**/*.py --@pytest.mark.req("GR-12")--> docs/traceability.md

Marks are read from the syntax tree, so nothing is imported or run. A mark may stand on a function,
a class, a module (`pytestmark`) or one case of a parametrisation; it may name several ids, as
literal strings. Writes the page; `--check` writes nothing and fails when the page is stale.
An id that does not exist, or that is not a literal, is an error either way.
"""

from __future__ import annotations

import argparse
import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IDS = ROOT / "tools" / "requirement_ids.toml"
PAGE = ROOT / "docs" / "traceability.md"
NONE_YET = "none yet"

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


def render(families: Families, proofs: dict[str, list[str]]) -> str:
    """Write the page: a summary per family, then every id."""
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
    for prefix, (title, ids) in families.items():
        lines += ["", f"## {prefix}: {title}", "", "| id | in short | tests |", "|---|---|---|"]
        for key, wording in ids.items():
            tests = "<br>".join(f"`{test}`" for test in proofs.get(key, [])) or NONE_YET
            lines.append(f"| {key} | {wording} | {tests} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check the page; 1 when it is stale or a mark names an unknown id."""
    parser = argparse.ArgumentParser(description="Which test proves which requirement.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    check = parser.parse_args(arguments).check

    families = read_ids(IDS)
    proofs = collect(ROOT / "tests")
    known = {key for _, ids in families.values() for key in ids}
    unknown = sorted(set(proofs) - known)
    for key in unknown:
        print(f"unknown requirement {key} in {', '.join(proofs[key])}", file=sys.stderr)
    if unknown:
        return 1

    page = render(families, proofs)
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
